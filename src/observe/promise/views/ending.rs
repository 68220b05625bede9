//! What is said of a view that is wrong, and what it comes to when the run is over.

use super::View;
use super::group::Expected;
use crate::kernel::time::{Nanos, Pretty};
use crate::model::{NONE, Word};
use crate::observe::findings::{Facts, Side, Sighting};
use crate::observe::promise::formula::Evaluator;
use crate::world::deed::RowName;

impl<'m> View<'m> {
    /// `inventory.stock[17] shows reserved = 3 instead of reserved = 5, changed at 12s`
    pub(super) fn words(&mut self, key: u64, since: Nanos, evaluator: &mut Evaluator<'m>) -> (String, Side) {
        let expected = self.groups.expected(key, evaluator);
        let model = evaluator.model;
        let table = &model.tables[self.spec.view.index()];
        let of = &self.keys[&key];
        let cells = |values: &[Word]| {
            let cell = |(column, value): (&crate::model::promise::ViewColumn, &Word)| {
                let column = column.column as usize;
                format!("{} = {}", table.column_names[column], model.word(table.readings[column], *value))
            };
            self.spec.columns.iter().zip(values).map(cell).collect::<Vec<_>>().join(", ")
        };
        let (shows, is) = match &of.shows {
            None => ("is absent".to_owned(), "absent".to_owned()),
            Some(values) if values.is_empty() => ("is there".to_owned(), "there".to_owned()),
            Some(values) => (format!("shows {}", cells(values)), cells(values)),
        };
        let should_be = match &expected {
            Expected::Absent => "absent".to_owned(),
            Expected::Present(values) if values.is_empty() => "there".to_owned(),
            Expected::Nothing(values) | Expected::Present(values) => cells(values),
            Expected::Broken => "what cannot be calculated".to_owned(),
        };
        let readings = table.key.iter().zip(of.words.iter());
        let name: Vec<String> =
            readings.map(|(&column, &word)| model.word(table.readings[column as usize], word)).collect();
        let changed = Pretty(since);
        let of = format!("{}[{}]", table.name, name.join(", "));
        let being = if matches!(should_be.as_str(), "absent" | "there") { "being " } else { "" };
        let what = format!("{of} {shows} instead of {being}{should_be}, changed at {changed}");
        (what, Side { of, is, should_be: Some(should_be) })
    }

    /// Counts `times` that a key, last changed at some time, is not shown as it should be.
    pub(super) fn count(
        &mut self,
        times: u64,
        (key, since): (u64, Nanos),
        (at, obligation): (Nanos, u64),
        evaluator: &mut Evaluator<'m>,
    ) {
        if times > 0 && self.found.finding.first.is_none() {
            let (what, side) = self.words(key, since, evaluator);
            let rows = vec![RowName { table: self.spec.view, key, instance: NONE }];
            let facts = Facts { rows, sides: vec![side], ..Facts::default() };
            self.found.finding.first = Some(Box::new(Sighting { at, obligation, what, facts }));
        }
        self.found.finding.count += times;
    }

    /// The run is over: at rest, what is missing never comes.
    pub(super) fn end(&mut self, now: Nanos, quiet: bool, evaluator: &mut Evaluator<'m>) {
        self.draw_wrong(now);
        let mut keys: Vec<u64> = self.keys.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            let of = &self.keys[&key];
            let Some(since) = of.wrong_since else {
                if of.has_changed {
                    self.found.convergence.record(of.right_since.saturating_sub(of.last_change));
                }
                // Shown by chance, and what is to show it is under way.
                for change in of.missing() {
                    self.found.never_shown.record(now - change.at);
                    self.found.finding.unsettled += u64::from(!quiet && !change.is_late);
                }
                continue;
            };
            self.found.disagreeing += 1;
            self.found.window.record(now - since);
            for change in of.missing() {
                for _ in 0..change.changes {
                    self.found.never_shown.record(now - change.at);
                }
            }
            let missing: u64 =
                of.missing().filter(|change| !change.is_late).map(|change| change.changes).sum();
            let is_wrong_for_nothing = of.missing().next().is_none();
            let open = missing + u64::from(is_wrong_for_nothing);
            let (changed, obligation) =
                of.missing().next().map_or((since, 0), |change| (change.at, change.obligation));
            if !quiet {
                self.found.finding.unsettled += open;
                continue;
            }
            self.count(open, (key, changed), (now, obligation), evaluator);
        }
    }
}
