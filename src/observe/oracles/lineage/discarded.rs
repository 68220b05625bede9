//! Writes that a clock throws away: the last write wins, and which one is last is read off clocks that may be wrong.
//!
//! What a `where` refuses that compares the time of the write with the one in the row is superseded, unless the row was
//! there before anybody wanted the write: then what is newer was taken for older, and is lost. A contest with `read` and
//! `if` in place of `where` is not seen.
//!
//! ```text
//! 1 s  instance 0, 10 s ahead   price := 5, at := 11 s     committed
//! 2 s  instance 1               price := 7, at := 2 s      refused: 2 s is not after 11 s. The order of 2 s is lost
//! ```

use super::Lineage;
use crate::kernel::anomaly::Anomaly;
use crate::kernel::encoder::{Encoder, Ranks};
use crate::kernel::time::Nanos;
use crate::model::promise::Reading;
use crate::model::{Assignment, Code, Model, Operand, RowStep, Value};
use crate::observe::facts;
use crate::world::deed::{RowName, Version, Write};
use rustc_hash::{FxHashMap, FxHashSet};

/// Rows that are written by the clock.
#[derive(Clone, Debug, Default)]
pub struct Clocked {
    /// By table; empty: none is.
    tables: Vec<bool>,
    /// When each of their rows was written last.
    written_at: FxHashMap<RowName, Nanos>,
    /// When intents and ticks began of which something can still come.
    begun_at: FxHashMap<u64, Nanos>,
    /// Obligations whose write was taken for older than what it is not.
    discarded: FxHashSet<u64>,
}

impl Clocked {
    pub fn new(model: &Model) -> Self {
        let mut tables = vec![false; model.tables.len()];
        model.row_steps.iter().filter(|step| is_by_clock(model, step)).for_each(|step| {
            tables[step.table.index()] = true;
        });
        if !tables.contains(&true) {
            tables.clear();
        }
        Self { tables, ..Self::default() }
    }

    /// Whether any row is.
    pub fn any(&self) -> bool {
        !self.tables.is_empty()
    }

    /// An intent or a tick begins.
    pub fn begin(&mut self, root: u64, now: Nanos) {
        if self.any() {
            self.begun_at.entry(root).or_insert(now);
        }
    }

    /// Nothing more can come of one.
    pub fn forget(&mut self, root: u64) {
        self.begun_at.remove(&root);
    }

    /// A row is written, or deleted.
    pub fn committed(&mut self, now: Nanos, row: RowName, is_there: bool) {
        if self.tables.get(row.table.index()) != Some(&true) {
            return;
        }
        match is_there {
            true => drop(self.written_at.insert(row, now)),
            false => drop(self.written_at.remove(&row)),
        }
    }

    /// Whether the write of an obligation was thrown away, which is asked once.
    pub fn take(&mut self, obligation: u64) -> bool {
        self.discarded.remove(&obligation)
    }

    /// Instants that count beside others.
    pub fn instants(&self) -> impl Iterator<Item = Nanos> {
        self.written_at.values().chain(self.begun_at.values()).copied()
    }

    pub fn encode(&self, encoder: &mut Encoder, ranks: &Ranks) {
        // Which tables are written by the clock follows from the scenario.
        let Self { tables: _, written_at, begun_at, discarded } = self;
        encoder.set(written_at, |encoder, (row, at)| {
            facts::row(encoder, *row);
            encoder.word(ranks.rank(*at));
        });
        encoder.set(begun_at, |encoder, (root, at)| {
            encoder.word(*root);
            encoder.word(ranks.rank(*at));
        });
        encoder.set(discarded, |encoder, obligation| encoder.word(*obligation));
    }
}

/// Whether the last write wins: it is made if its time, which it leaves in the row, compares with the one there as its
/// `where` says. Other questions to a time in the row are no contest of writes: a lease that has not run out
/// refuses by right.
fn is_by_clock(model: &Model, step: &RowStep) -> bool {
    let Some(Operand::Program(filter)) = step.filter else { return false };
    let asked = code_of(model, filter);
    let readings = &model.tables[step.table.index()].readings;
    let is_contest = |of: &Assignment| {
        let (column, Value::Computed(value)) = (of.position, &model.values[of.value as usize]) else {
            return false;
        };
        let left = match *value {
            Operand::Literal(word) => vec![Code::Literal(word.word())],
            Operand::Local(slot) => vec![Code::Local(slot)],
            Operand::Message(field) => vec![Code::Message(field)],
            Operand::Program(program) => code_of(model, program).to_vec(),
        };
        let there = [Code::Row(column)];
        let compares = |sides: [&[Code]; 2]| {
            let sides = sides.concat();
            asked.windows(sides.len() + 1).any(|code| {
                matches!(code[sides.len()], Code::CompareSigned(_)) && code[..sides.len()] == sides[..]
            })
        };
        readings[column as usize] == Reading::Moment
            && (compares([&left, &there]) || compares([&there, &left]))
    };
    !step.verb.reads() && step.set.iter().any(is_contest)
}

fn code_of(model: &Model, program: u32) -> &[Code] {
    &model.instructions[model.programs[program as usize].indices()]
}

impl Lineage<'_> {
    /// A write has been made, or there was nothing to do.
    pub(super) fn look_for_discard(
        &mut self,
        attempt: u32,
        step: &RowStep,
        (row, seen, write): (RowName, Version, Write),
    ) {
        if !self.clocked.any() || !is_by_clock(self.model, step) {
            return;
        }
        let Some(state) = self.attempts.get(attempt) else { return };
        let of = &self.ledger[state.entry];
        if write != Write::Nothing {
            self.clocked.discarded.remove(&of.obligation);
            return;
        }
        if !state.is_anothers(seen) {
            return;
        }
        let began = self.clocked.begun_at.get(&of.root);
        let written = self.clocked.written_at.get(&row);
        if began.zip(written).is_some_and(|(began, written)| began > written) {
            self.clocked.discarded.insert(of.obligation);
        }
        self.expose(Anomaly::LostEffects);
    }
}
