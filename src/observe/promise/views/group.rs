//! The source's side of a view: its rows, grouped by the key that they are shown under, and what should be
//! shown of each group.

use super::super::accumulator::Accumulator;
use super::super::formula::{Evaluator, Surroundings, Trouble, hash_of};
use super::super::tables::{accumulator_of, summand};
use super::key::Signatures;
use crate::kernel::encoder::Encoder;
use crate::kernel::ids::TableId;
use crate::model::Word;
use crate::model::promise::Convergence;
use crate::world::identity::mix;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The hash of a row that is not there.
pub const ABSENT: u64 = 0;

/// What a view should show of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// No row.
    Absent,
    /// Of no rows of the source: no row, or this.
    Nothing(Vec<Word>),
    Present(Vec<Word>),
    /// It cannot be calculated: nothing is right.
    Broken,
}

impl Expected {
    /// The hashes of what will do.
    pub fn signatures(&self) -> Signatures {
        match self {
            Expected::Absent => [Some(ABSENT), None],
            Expected::Nothing(values) => [Some(ABSENT), Some(Self::shown(Some(values)))],
            Expected::Present(values) => [Some(Self::shown(Some(values))), None],
            Expected::Broken => [None, None],
        }
    }

    /// The hash of what a view shows.
    pub fn shown(values: Option<&[Word]>) -> u64 {
        values.map_or(ABSENT, |values| values.iter().fold(1, |hash, &value| mix(hash, value)))
    }

    /// Whether what is shown, by its hash, will do.
    pub fn agrees(&self, shown: u64) -> bool {
        self.signatures().contains(&Some(shown))
    }
}

#[derive(Clone, Debug, Default)]
struct Group {
    rows: u64,
    /// By the aggregates of the view's columns.
    figures: Vec<Accumulator>,
    /// The rows by when they were changed, if a column shows one of them.
    by_change: BTreeMap<u64, Box<[Word]>>,
}

/// The rows of the source.
#[derive(Clone, Debug)]
pub struct Groups<'m> {
    spec: &'m Convergence,
    /// Those of the model that the columns read.
    aggregates: Vec<u32>,
    groups: FxHashMap<u64, Group>,
    shows_rows: bool,
    /// When each row was changed last, by its key.
    changed: FxHashMap<u64, u64>,
    changes: u64,
    /// What should be shown of a key without rows.
    pub nothing: Signatures,
}

impl<'m> Groups<'m> {
    pub fn new(spec: &'m Convergence, evaluator: &mut Evaluator<'m>) -> Self {
        let mut aggregates: Vec<u32> =
            spec.columns.iter().flat_map(|column| column.expected.aggregates.iter().copied()).collect();
        aggregates.sort_unstable();
        aggregates.dedup();
        let mut groups = Self {
            spec,
            aggregates,
            groups: FxHashMap::default(),
            shows_rows: spec.columns.iter().any(|column| !column.is_aggregate),
            changed: FxHashMap::default(),
            changes: 0,
            nothing: [None, None],
        };
        groups.nothing = groups.expected(0, evaluator).signatures();
        groups
    }

    /// Takes in that one row took the place of another. Gives the keys concerned, with their words.
    pub fn change(
        &mut self,
        row: u64,
        old: Option<&[Word]>,
        new: Option<&[Word]>,
        evaluator: &mut Evaluator<'m>,
    ) -> Vec<(u64, Vec<Word>)> {
        let mut concerned = Vec::new();
        if let Some(old) = old
            && let Some(words) = self.key_of(old, evaluator)
        {
            let key = hash_of(words.iter().copied());
            self.leave(key, row, old, evaluator);
            concerned.push((key, words));
        }
        if let Some(new) = new
            && let Some(words) = self.key_of(new, evaluator)
        {
            let key = hash_of(words.iter().copied());
            self.enter(key, row, new, evaluator);
            concerned.push((key, words));
        }
        concerned
    }

    /// The key that a row is shown under; `None` if it is not shown.
    fn key_of(&self, row: &[Word], evaluator: &mut Evaluator<'m>) -> Option<Vec<Word>> {
        if let Some(filter) = &self.spec.filter
            && evaluator.holds(filter, row, &mut ()) != Ok(true)
        {
            return None;
        }
        self.spec.by.iter().map(|part| evaluator.value(part, row, &mut ()).ok()).collect()
    }

    fn enter(&mut self, key: u64, row: u64, words: &[Word], evaluator: &mut Evaluator<'m>) {
        let aggregates = &evaluator.model.promises.aggregates;
        let new = || self.aggregates.iter().map(|&of| accumulator_of(&aggregates[of as usize])).collect();
        let group = self.groups.entry(key).or_insert_with(|| Group { figures: new(), ..Group::default() });
        group.rows += 1;
        for (figure, &of) in group.figures.iter_mut().zip(&self.aggregates) {
            if let Some((_, value)) = summand(evaluator, &aggregates[of as usize], words) {
                figure.add(value);
            }
        }
        if self.shows_rows {
            self.changes += 1;
            self.changed.insert(row, self.changes);
            group.by_change.insert(self.changes, words.into());
        }
    }

    fn leave(&mut self, key: u64, row: u64, words: &[Word], evaluator: &mut Evaluator<'m>) {
        let aggregates = &evaluator.model.promises.aggregates;
        let group = self.groups.get_mut(&key).expect("a row that leaves a group was in it");
        group.rows -= 1;
        for (figure, &of) in group.figures.iter_mut().zip(&self.aggregates) {
            if let Some((_, value)) = summand(evaluator, &aggregates[of as usize], words) {
                figure.remove(value);
            }
        }
        if let Some(change) = self.changed.remove(&row) {
            group.by_change.remove(&change);
        }
        if group.rows == 0 {
            self.groups.remove(&key);
        }
    }

    /// Of each key the rows that it is shown by, that changed last at the end; figures follow from the rows.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { spec: _, aggregates: _, groups, shows_rows: _, changed: _, changes: _, nothing: _ } = self;
        encoder.set(groups, |encoder, (key, Group { rows, figures: _, by_change })| {
            encoder.word(*key);
            encoder.word(*rows);
            encoder.list(by_change.values(), |encoder, row| {
                row.iter().for_each(|word| encoder.word(*word));
            });
        });
    }

    /// What should be shown of a key.
    pub fn expected(&mut self, key: u64, evaluator: &mut Evaluator<'m>) -> Expected {
        let spec = self.spec;
        let is_of_none = !self.groups.contains_key(&key);
        if is_of_none && (spec.columns.is_empty() || self.shows_rows) {
            return Expected::Absent;
        }
        let mut nothing = Group {
            figures: self
                .aggregates
                .iter()
                .map(|&of| accumulator_of(&evaluator.model.promises.aggregates[of as usize]))
                .collect(),
            ..Group::default()
        };
        let group = self.groups.get_mut(&key).unwrap_or(&mut nothing);
        let row: &[Word] = group.by_change.last_key_value().map_or(&[], |(_, row)| row);
        let mut around = Figures { aggregates: &self.aggregates, figures: &mut group.figures };
        let initial = &evaluator.model.tables[spec.view.index()].initial;
        let mut values = Vec::with_capacity(spec.columns.len());
        for column in &spec.columns {
            match evaluator.value(&column.expected, row, &mut around) {
                Ok(value) => values.push(value),
                Err(Trouble::NoValue) => values.push(initial[column.column as usize]),
                Err(Trouble::Failed) => return Expected::Broken,
            }
        }
        if is_of_none { Expected::Nothing(values) } else { Expected::Present(values) }
    }
}

/// The aggregates of a group.
struct Figures<'g> {
    aggregates: &'g [u32],
    figures: &'g mut [Accumulator],
}

impl Surroundings for Figures<'_> {
    fn row(&mut self, _: TableId, _: u64) -> Option<&[Word]> {
        None
    }

    fn aggregate(&mut self, aggregate: u32, _: u64) -> Result<Word, Trouble> {
        match self.aggregates.binary_search(&aggregate) {
            Ok(at) => self.figures[at].read(),
            Err(_) => Err(Trouble::NoValue),
        }
    }
}
