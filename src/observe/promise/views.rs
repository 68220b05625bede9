//! Views that follow a source: how far behind they are, for how long they are wrong, and whether they end as
//! they should.
//!
//! A view's row of a key *agrees* if it shows what the source's rows of that key make of it. A *change* is a
//! commit that alters what should be shown. Old values are kept with their times until the view has
//! caught up with them, so that a hot key that is always a little behind is just that:
//!
//! ```text
//! source   5 ──► 6 ──► 7 ──► 8          changes of the sum that should be shown
//! view        5 ────► 6 ────► 7         each followed, one after another, 50 ms later
//! ```
//!
//! - *lag*: from a change until the view shows that value or a newer one
//! - *window*: from disagreement to agreement
//! - *convergence*: from the last change of a key until it agrees for good
//!
//! A change is late if the view has not followed `within`; it is dated by the instant at which that time is
//! over. At rest, what is still missing never comes, and a row that disagrees although no change is missing
//! (an effect twice, say) is counted once. Absent is a value: a view may lack the row of a key that no row of
//! the source has, or show there what aggregates are of no rows. A column that is no aggregate shows the row
//! of the key that was changed last.

mod group;
mod key;

use super::formula::{Evaluator, hash_of};
use crate::kernel::encoder::Encoder;
use crate::kernel::ids::TableId;
use crate::kernel::time::{Nanos, Pretty};
use crate::model::promise::Convergence;
use crate::model::{Model, NONE, Word};
use crate::observe::facts;
use crate::observe::findings::{Finding, Sighting};
use crate::observe::slots::SlotTable;
use crate::stats::histogram::Histogram;
use crate::world::deed::Deed;
use crate::world::record::{Observer, Record};
use group::{Expected, Groups};
use key::{Change, Key};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};

/// What was seen of one view in one replication.
#[derive(Clone, Debug, Default)]
pub struct ViewFindings {
    /// Counted: changes not followed in time, and rows wrong at the end without a change missing; `of` all
    /// changes. Exposures are the keys that changed.
    pub finding: Finding,
    /// Keys, and changes, that changed while some fault lasted.
    pub keys_under_fault: u64,
    pub changes_under_fault: u64,
    /// In nanoseconds: of each change that was followed.
    pub lag: Histogram,
    /// Of each change that was not followed: how old it was when the run was over.
    pub never_shown: Histogram,
    /// Of each time that a row was wrong; one that is not over lasts to the end of the run.
    pub window: Histogram,
    /// Of each key that changed and agrees at the end.
    pub convergence: Histogram,
    /// Keys that do not agree at the end.
    pub disagreeing: u64,
}

/// Watches the views of all `convergence` guarantees.
#[derive(Clone, Debug)]
pub struct Views<'m> {
    evaluator: Evaluator<'m>,
    views: Vec<View<'m>>,
    faults: u32,
    /// Of each attempt.
    obligations: SlotTable<u64>,
}

#[derive(Clone, Debug)]
struct View<'m> {
    spec: &'m Convergence,
    groups: Groups<'m>,
    keys: FxHashMap<u64, Key>,
    /// By key and value: the newest change that should show that value.
    newest: FxHashMap<u64, u64>,
    /// Changes by when they are late: (instant, key, number).
    due: VecDeque<(Nanos, u64, u64)>,
    changes: u64,
    stirred: BTreeSet<u64>,
    found: ViewFindings,
}

/// When something happened, and on whose account.
#[derive(Clone, Copy)]
struct Moment {
    now: Nanos,
    obligation: u64,
    is_under_fault: bool,
}

impl<'m> Views<'m> {
    /// `None` if no view is to be watched.
    pub fn new(model: &'m Model) -> Option<Self> {
        if model.promises.convergence.is_empty() {
            return None;
        }
        let mut evaluator = Evaluator::new(model);
        let views = model.promises.convergence.iter().map(|spec| View::new(spec, &mut evaluator)).collect();
        Some(Self { evaluator, views, faults: 0, obligations: SlotTable::default() })
    }

    /// What it knows now; how far behind views are is measured, and no part of it.
    pub fn encode(&self, encoder: &mut Encoder) {
        encoder.word(u64::from(self.faults));
        encoder.list(&self.views, |encoder, view| view.encode(encoder));
    }

    /// By position in the model's `convergence`, once the run is over.
    pub fn findings(self) -> Vec<ViewFindings> {
        self.views.into_iter().map(|view| view.found).collect()
    }

    fn settle(&mut self, now: Nanos, obligation: u64) {
        let moment = Moment { now, obligation, is_under_fault: self.faults > 0 };
        for view in &mut self.views {
            while let Some(key) = view.stirred.pop_first() {
                view.compare(key, moment, &mut self.evaluator);
            }
        }
    }
}

impl<'m> View<'m> {
    fn new(spec: &'m Convergence, evaluator: &mut Evaluator<'m>) -> Self {
        let model = evaluator.model;
        let mut view = Self {
            spec,
            groups: Groups::new(spec, evaluator),
            keys: FxHashMap::default(),
            newest: FxHashMap::default(),
            due: VecDeque::new(),
            changes: 0,
            stirred: BTreeSet::new(),
            found: ViewFindings::default(),
        };
        for table in [spec.of, spec.view] {
            let of = &model.tables[table.index()];
            for row in &of.rows {
                let key = hash_of(of.key.iter().map(|&column| row[column as usize]));
                view.commit(table, key, None, Some(row), evaluator);
            }
        }
        let start = Moment { now: 0, obligation: 0, is_under_fault: false };
        while let Some(key) = view.stirred.pop_first() {
            view.begin(key, evaluator);
            view.compare(key, start, evaluator);
        }
        view
    }

    fn encode(&self, encoder: &mut Encoder) {
        encoder.set(&self.keys, |encoder, (key, of)| {
            encoder.word(*key);
            of.encode(encoder);
        });
        self.groups.encode(encoder);
        encoder.set(&self.stirred, |encoder, key| encoder.word(*key));
        facts::finding(encoder, &self.found.finding);
        encoder.flag(self.found.disagreeing > 0);
    }

    /// What should be shown at the start is no change, if it is shown.
    fn begin(&mut self, key: u64, evaluator: &mut Evaluator<'m>) {
        let expected = self.groups.expected(key, evaluator);
        if let Some(of) = self.keys.get_mut(&key)
            && expected.agrees(of.shown)
        {
            of.expected = expected.signatures();
        }
    }

    fn commit(
        &mut self,
        table: TableId,
        row: u64,
        old: Option<&[Word]>,
        new: Option<&[Word]>,
        evaluator: &mut Evaluator<'m>,
    ) {
        if table == self.spec.of {
            for (key, words) in self.groups.change(row, old, new, evaluator) {
                self.key(key, &words);
                self.stirred.insert(key);
            }
        }
        if table == self.spec.view {
            let Some(words) = new.or(old) else { return };
            let columns = &evaluator.model.tables[table.index()].key;
            let words: Vec<Word> = columns.iter().map(|&column| words[column as usize]).collect();
            let shown: Option<Box<[Word]>> =
                new.map(|new| self.spec.columns.iter().map(|column| new[column.column as usize]).collect());
            let of = self.key(row, &words);
            of.shown = Expected::shown(shown.as_deref());
            of.shows = shown;
            self.stirred.insert(row);
        }
    }

    fn key(&mut self, key: u64, words: &[Word]) -> &mut Key {
        let nothing = self.groups.nothing;
        self.keys.entry(key).or_insert_with(|| Key::new(words, nothing))
    }

    /// Holds a row of the view against what it should show.
    fn compare(&mut self, key: u64, moment: Moment, evaluator: &mut Evaluator<'m>) {
        let expected = self.groups.expected(key, evaluator);
        let signatures = expected.signatures();
        let of = self.keys.get_mut(&key).expect("a key is known before it is stirred");
        let is_change = of.expected != signatures;
        if is_change {
            of.expected = signatures;
            self.changed(key, moment);
        }
        self.follow(key, moment.now);
        let of = self.keys.get_mut(&key).expect("it is known");
        let agrees = expected.agrees(of.shown);
        match (agrees, of.wrong_since) {
            (false, None) => of.wrong_since = Some(moment.now),
            (true, Some(since)) => {
                of.wrong_since = None;
                of.right_since = moment.now;
                self.found.window.record(moment.now - since);
            }
            (true, None) if is_change => of.right_since = moment.now,
            _ => {}
        }
    }

    /// Something else is to be shown.
    fn changed(&mut self, key: u64, moment: Moment) {
        self.changes += 1;
        let number = self.changes;
        let of = self.keys.get_mut(&key).expect("it is known");
        self.found.finding.of += 1;
        self.found.changes_under_fault += u64::from(moment.is_under_fault);
        self.found.finding.exposures += u64::from(!of.has_changed);
        self.found.keys_under_fault += u64::from(moment.is_under_fault && !of.has_changed_under_fault);
        of.has_changed = true;
        of.has_changed_under_fault |= moment.is_under_fault;
        of.last_change = moment.now;
        let signatures = of.expected;
        of.add(Change {
            number,
            at: moment.now,
            changes: 1,
            signatures,
            is_late: false,
            obligation: moment.obligation,
        });
        for signature in signatures.into_iter().flatten() {
            self.newest.insert(crate::world::identity::mix(key, signature), number);
        }
        self.due.push_back((moment.now.saturating_add(self.spec.within), key, number));
    }

    /// Finds the newest change that the view shows; that and all before it are followed.
    fn follow(&mut self, key: u64, now: Nanos) {
        let of = self.keys.get_mut(&key).expect("it is known");
        let Some(&shown) = self.newest.get(&crate::world::identity::mix(key, of.shown)) else { return };
        while let Some(change) = of.take_up_to(shown) {
            for _ in 0..change.changes {
                self.found.lag.record(now - change.at);
            }
            for signature in change.signatures.into_iter().flatten() {
                let name = crate::world::identity::mix(key, signature);
                if self.newest.get(&name) == Some(&change.number) {
                    self.newest.remove(&name);
                }
            }
        }
    }

    /// Lets time pass: changes that are not followed by now are late.
    fn advance(&mut self, now: Nanos, evaluator: &mut Evaluator<'m>) {
        while let Some(&(at, key, number)) = self.due.front().filter(|(at, ..)| *at < now) {
            self.due.pop_front();
            let Some(of) = self.keys.get_mut(&key) else { continue };
            let Some(change) = of.find(number) else { continue };
            change.is_late = true;
            let change = *change;
            let what = self.words(key, change.at, evaluator);
            for _ in 0..change.changes {
                self.found.finding.count(|| Sighting {
                    at,
                    obligation: change.obligation,
                    what: what.clone(),
                });
            }
        }
    }

    /// `inventory.stock[17] shows reserved = 3 instead of reserved = 5, changed at 12s`
    fn words(&mut self, key: u64, since: Nanos, evaluator: &mut Evaluator<'m>) -> String {
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
        let shows = match &of.shows {
            None => "is absent".to_owned(),
            Some(values) if values.is_empty() => "is there".to_owned(),
            Some(values) => format!("shows {}", cells(values)),
        };
        let should = match &expected {
            Expected::Absent => "being absent".to_owned(),
            Expected::Present(values) if values.is_empty() => "being there".to_owned(),
            Expected::Nothing(values) | Expected::Present(values) => cells(values),
            Expected::Broken => "what cannot be calculated".to_owned(),
        };
        let readings = table.key.iter().zip(of.words.iter());
        let name: Vec<String> =
            readings.map(|(&column, &word)| model.word(table.readings[column as usize], word)).collect();
        let changed = Pretty(since);
        format!("{}[{}] {shows} instead of {should}, changed at {changed}", table.name, name.join(", "))
    }

    /// The run is over: at rest, what is missing never comes.
    fn end(&mut self, now: Nanos, quiet: bool, evaluator: &mut Evaluator<'m>) {
        let mut keys: Vec<u64> = self.keys.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            let of = &self.keys[&key];
            let Some(since) = of.wrong_since else {
                if of.has_changed {
                    self.found.convergence.record(of.right_since.saturating_sub(of.last_change));
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
            let what = self.words(key, changed, evaluator);
            for _ in 0..open {
                self.found.finding.count(|| Sighting { at: now, obligation, what: what.clone() });
            }
        }
    }
}

impl Observer for Views<'_> {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.views.iter_mut().for_each(|view| view.advance(now, &mut self.evaluator));
        match *record {
            Record::FaultBegan { .. } => self.faults += 1,
            Record::FaultEnded { .. } => self.faults = self.faults.saturating_sub(1),
            Record::End { quiet } => {
                self.settle(now, 0);
                self.views.iter_mut().for_each(|view| view.end(now, quiet, &mut self.evaluator));
            }
            _ => {}
        }
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.views.iter_mut().for_each(|view| view.advance(now, &mut self.evaluator));
        match *deed {
            Deed::AttemptBegun { attempt, cause, .. } => {
                *self.obligations.begin(attempt) = cause.obligation;
            }
            Deed::Committed { attempt, row, old, new, .. } => {
                for view in &mut self.views {
                    view.commit(row.table, row.key, old, new, &mut self.evaluator);
                }
                if attempt == NONE {
                    self.settle(now, 0);
                }
            }
            Deed::TransactionEnded { attempt, committed: true } => {
                let obligation = self.obligations.get(attempt).copied().unwrap_or(0);
                self.settle(now, obligation);
            }
            _ => {}
        }
    }
}
