//! What judges keep of the tables: mirrors of those whose rows they read, and aggregates over rows.

use super::accumulator::{Accumulator, Numbers};
use super::formula::{Evaluator, Surroundings, Trouble, hash_of};
use crate::kernel::ids::TableId;
use crate::model::promise::{Aggregate, Formula};
use crate::model::{Model, Word};
use rustc_hash::FxHashMap;

/// Something that a condition can have read, by the hash of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    Row(TableId, u64),
    Group(u32, u64),
}

/// The rows of a table, by the hash of their keys.
pub type Mirror = FxHashMap<u64, Box<[Word]>>;

/// The mirrors and aggregates that some formulas need, as the last commit left them.
#[derive(Clone, Debug)]
pub struct Tables<'m> {
    evaluator: Evaluator<'m>,
    /// By table, of those that are read by key or row by row.
    mirrors: Vec<Option<Mirror>>,
    /// By aggregate of the model, by the hash of its keys; of those that are read.
    groups: Vec<Option<FxHashMap<u64, Accumulator>>>,
    /// By table: the aggregates over it that are read.
    over: Vec<Vec<u32>>,
}

impl<'m> Tables<'m> {
    /// Knows what `formulas` read, and the rows of `whole` tables, as they are at the start.
    pub fn new<'f>(
        model: &'m Model,
        formulas: impl IntoIterator<Item = &'f Formula>,
        whole: impl IntoIterator<Item = TableId>,
    ) -> Self {
        let mut tables = Self {
            evaluator: Evaluator::new(model),
            mirrors: vec![None; model.tables.len()],
            groups: vec![None; model.promises.aggregates.len()],
            over: vec![Vec::new(); model.tables.len()],
        };
        whole.into_iter().for_each(|table| tables.mirrors[table.index()] = Some(Mirror::default()));
        for formula in formulas {
            formula.tables.iter().for_each(|table| tables.mirrors[table.index()] = Some(Mirror::default()));
            for &aggregate in &formula.aggregates {
                tables.groups[aggregate as usize] = Some(FxHashMap::default());
                let over = &mut tables.over[model.promises.aggregates[aggregate as usize].table.index()];
                if !over.contains(&aggregate) {
                    over.push(aggregate);
                }
            }
        }
        for (index, table) in model.tables.iter().enumerate().filter(|(_, table)| !table.memory) {
            for row in &table.rows {
                let key = hash_of(table.key.iter().map(|&column| row[column as usize]));
                tables.change(TableId::new(index), key, None, Some(row), &mut |_| {});
            }
        }
        tables
    }

    /// Whether anything is kept of a table.
    pub fn reads(&self, table: TableId) -> bool {
        self.mirrors[table.index()].is_some() || !self.over[table.index()].is_empty()
    }

    /// Takes in that one row took the place of another; says what changed by that.
    pub fn change(
        &mut self,
        table: TableId,
        key: u64,
        old: Option<&[Word]>,
        new: Option<&[Word]>,
        changed: &mut impl FnMut(Source),
    ) {
        if let Some(mirror) = &mut self.mirrors[table.index()] {
            match new {
                Some(new) => drop(mirror.insert(key, new.into())),
                None => drop(mirror.remove(&key)),
            }
            changed(Source::Row(table, key));
        }
        let model = self.evaluator.model;
        for position in 0..self.over[table.index()].len() {
            let aggregate = self.over[table.index()][position];
            let left = old.and_then(|row| self.summand(aggregate, row));
            let entered = new.and_then(|row| self.summand(aggregate, row));
            if left == entered {
                continue;
            }
            let groups = self.groups[aggregate as usize].as_mut().expect("it is read");
            if let Some((group, value)) = left {
                let of = groups.get_mut(&group).expect("a row that leaves a group was in it");
                of.remove(value);
                if of.is_empty() {
                    groups.remove(&group);
                }
                changed(Source::Group(aggregate, group));
            }
            if let Some((group, value)) = entered {
                let spec = &model.promises.aggregates[aggregate as usize];
                groups.entry(group).or_insert_with(|| accumulator_of(spec)).add(value);
                changed(Source::Group(aggregate, group));
            }
        }
    }

    /// The group of an aggregate that a row belongs to, and what is taken of the row; `None` if it is not
    /// counted in.
    fn summand(&mut self, aggregate: u32, row: &[Word]) -> Option<(u64, Result<Word, Trouble>)> {
        let model = self.evaluator.model;
        let spec = &model.promises.aggregates[aggregate as usize];
        summand(&mut self.evaluator, spec, row)
    }

    /// A row of a table that is kept.
    pub fn row(&self, table: TableId, key: u64) -> Option<&[Word]> {
        self.mirrors[table.index()].as_ref()?.get(&key).map(|row| &**row)
    }

    /// The keys of all rows of a table, in the order of their hashes.
    pub fn keys(&self, table: TableId) -> Vec<u64> {
        let mut keys: Vec<u64> = self.mirrors[table.index()].iter().flat_map(Mirror::keys).copied().collect();
        keys.sort_unstable();
        keys
    }

    /// The figure of an aggregate as it is now; of a group without rows what it is of none.
    pub fn figure(&mut self, aggregate: u32, group: u64) -> Result<Word, Trouble> {
        let of = self.groups[aggregate as usize].as_mut().and_then(|groups| groups.get_mut(&group));
        match of {
            Some(of) => of.read(),
            None => accumulator_of(&self.evaluator.model.promises.aggregates[aggregate as usize]).read(),
        }
    }
}

/// An accumulator for an aggregate's groups.
pub fn accumulator_of(aggregate: &Aggregate) -> Accumulator {
    let numbers = match (aggregate.is_float, aggregate.gives_float) {
        (true, _) => Numbers::Float,
        (false, true) => Numbers::WholeToFloat,
        (false, false) => Numbers::Whole,
    };
    Accumulator::new(aggregate.statistic, numbers)
}

/// The group of a row, and what is taken of it.
pub fn summand(
    evaluator: &mut Evaluator,
    aggregate: &Aggregate,
    row: &[Word],
) -> Option<(u64, Result<Word, Trouble>)> {
    let mut value = Ok(0);
    for condition in &aggregate.conditions {
        match evaluator.holds(condition, row, &mut ()) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(trouble) => {
                value = Err(trouble);
                break;
            }
        }
    }
    let mut group = 0;
    for key in &aggregate.keys {
        match evaluator.value(key, row, &mut ()) {
            Ok(word) => group = crate::world::identity::mix(group, word),
            // It belongs to no group that anybody could ask for.
            Err(_) => return None,
        }
    }
    if let (Ok(_), Some(of)) = (value, &aggregate.value) {
        value = evaluator.value(of, row, &mut ());
    }
    Some((group, value))
}

/// The tables as a formula looks at them, with a note of all that it reads.
pub struct Watched<'t, 'm> {
    pub tables: &'t mut Tables<'m>,
    pub read: &'t mut Vec<Source>,
}

impl Surroundings for Watched<'_, '_> {
    fn row(&mut self, table: TableId, key: u64) -> Option<&[Word]> {
        self.read.push(Source::Row(table, key));
        self.tables.row(table, key)
    }

    fn aggregate(&mut self, aggregate: u32, keys: u64) -> Result<Word, Trouble> {
        self.read.push(Source::Group(aggregate, keys));
        self.tables.figure(aggregate, keys)
    }
}
