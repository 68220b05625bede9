//! The `reference` guarantee: do tables end as they would if the same intents had come alone?
//!
//! The replication is run again to see which intents took effect; then these are run alone, one after another, without
//! faults, in the order of their commits at the source and in the order in which they were first applied. Columns
//! that come out the same in both are compared with the run. The others depend on the order, and are named.
//!
//! ```text
//!                     run   by source   by application
//! stock[17].reserved    6       4             4          differs
//! stock[17].last       o3      o2            o3          depends on the order: named, not judged
//! ```

use super::replication::{self, Watched};
use crate::kernel::ids::TableId;
use crate::kernel::stream::StreamPlan;
use crate::kernel::time::{Nanos, SECOND};
use crate::model::promise::{Reading, ReferencePromise};
use crate::model::{Model, NONE, Word};
use crate::observe::findings::{Caveat, Facts, Finding, Side, Sighting};
use crate::observe::reference::{Recorded, Recorder};
use crate::world::alone::{Intent, Script};
use crate::world::deed::RowName;
use crate::world::record::{Observer, Record};
use crate::world::tell::key_hash;
use crate::world::without::Without;
use crate::world::{Halt, Limits, World};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Nobody looks at what intents do alone.
struct Nobody;

impl Observer for Nobody {
    fn record(&mut self, _: Nanos, _: &Record) {}
}

/// Where what is made beyond the script begins, in the second order: far from the first.
const FRESH: u64 = 1 << 40;
/// How much later each intent begins in the second order.
const LATER: Nanos = 7 * SECOND;

/// One replication of a model, to be run again and again.
#[derive(Clone)]
pub struct Again<'a> {
    pub model: &'a Model,
    pub plan: Arc<StreamPlan>,
    pub seed: u64,
    pub replication: u32,
    pub limits: Limits,
    pub interrupt: &'a AtomicBool,
}

/// Rows by key.
type Rows = BTreeMap<Vec<Word>, Vec<Word>>;

impl Again<'_> {
    /// What the reference guarantee comes to; `None`: there is none.
    ///
    /// # Errors
    ///
    /// What the replication did that no run can bear, or that it was interrupted.
    pub fn judge(&self) -> Result<Option<Finding>, Halt> {
        let Some(promise) = &self.model.promises.reference else { return Ok(None) };
        let mut recorder = Recorder::new(self.model);
        let agenda = replication::agenda(self.model, &self.plan, self.seed, self.replication);
        let agenda = replication::unbounded(agenda);
        let mut run = Watched::lacking(self.model, agenda, &mut recorder, Without::default());
        run.run(self.limits, self.interrupt)?;
        let (world, ended) = (run.world, crate::kernel::agenda::Agenda::now(&run.agenda));
        let not_applicable = |why| Finding { caveat: Some(Caveat::NotApplicable(why)), ..Finding::default() };
        let recorded = match recorder.finish() {
            Ok(recorded) => recorded,
            Err(why) => return Ok(Some(not_applicable(why))),
        };
        let orders = [(&recorded.by_source, 0, 0), (&recorded.by_application, FRESH, LATER)];
        let mut references = Vec::new();
        for (intents, fresh, later) in orders {
            match self.alone(&recorded, intents, fresh, later) {
                Ok(world) => references.push(world),
                Err(Halt::Interrupted) => return Err(Halt::Interrupted),
                Err(halt) => {
                    return Ok(Some(not_applicable(format!("alone, its intents do not end: {halt}"))));
                }
            }
        }
        Ok(Some(self.compare(promise, &world, (&references[0], &references[1]), ended)))
    }

    /// The world as the intents leave it alone.
    fn alone(
        &self,
        recorded: &Recorded,
        intents: &[Intent],
        fresh: u64,
        later: Nanos,
    ) -> Result<World, Halt> {
        let agenda = replication::agenda(self.model, &self.plan, self.seed, self.replication);
        let script = Script::new(recorded.made.clone());
        let agenda = replication::unbounded(agenda);
        let mut nobody = Nobody;
        let mut simulation = Watched::alone(self.model, agenda, &mut nobody, script, fresh);
        for intent in intents {
            simulation.perform(*intent, later, self.limits, self.interrupt)?;
        }
        Ok(simulation.world)
    }

    fn compare(
        &self,
        promise: &ReferencePromise,
        run: &World,
        (first, second): (&World, &World),
        ended: Nanos,
    ) -> Finding {
        let mut finding = Finding::default();
        let mut left_out = Vec::new();
        for &table in &promise.tables {
            let rows = |world| rows_of(self.model, world, table);
            let compared = Compared::new(self.model, table, &rows(first), &rows(second));
            left_out.extend(compared.left_out());
            compared.count(&rows(run), &rows(first), ended, &mut finding);
        }
        if !left_out.is_empty() {
            finding.caveat = Some(Caveat::LeftOut(format!(
                "Not judged, since it depends on the order of the intents or on when they come: {}.",
                left_out.join(", ")
            )));
        }
        finding
    }
}

fn rows_of(model: &Model, world: &World, table: TableId) -> Rows {
    let key = &model.tables[table.index()].key;
    let rows = world.table_rows(model, table, NONE);
    rows.map(|row| (key.iter().map(|&column| row.words[column as usize]).collect(), row.words.to_vec()))
        .collect()
}

/// A table, and what of it can be compared.
struct Compared<'m> {
    model: &'m Model,
    table: TableId,
    /// Which rows there are is the same in both orders.
    has_same_rows: bool,
    /// Columns that are the same in both, and those that are not.
    columns: Vec<usize>,
    others: Vec<usize>,
}

impl<'m> Compared<'m> {
    fn new(model: &'m Model, table: TableId, first: &Rows, second: &Rows) -> Self {
        let of = &model.tables[table.index()];
        let material = (0..of.columns as usize)
            .filter(|column| !of.incidental[*column] && !of.key.contains(&(*column as u32)));
        let is_same = |column: &usize| {
            // Moments are those of the run.
            let is_moment = of.readings[*column] == Reading::Moment;
            let both = first.iter().filter_map(|(key, row)| Some((row, second.get(key)?)));
            !is_moment && both.into_iter().all(|(one, other)| one[*column] == other[*column])
        };
        let (columns, others) = material.partition(is_same);
        Self { model, table, has_same_rows: first.keys().eq(second.keys()), columns, others }
    }

    fn left_out(&self) -> Vec<String> {
        let of = &self.model.tables[self.table.index()];
        let rows = (!self.has_same_rows).then(|| format!("which rows {} has", of.name));
        let columns = self.others.iter().map(|column| format!("{}.{}", of.name, of.column_names[*column]));
        rows.into_iter().chain(columns).collect()
    }

    /// Counts the rows that differ.
    fn count(&self, run: &Rows, reference: &Rows, at: Nanos, finding: &mut Finding) {
        let of = &self.model.tables[self.table.index()];
        let initial: BTreeSet<&Vec<Word>> = of.rows.iter().collect();
        let keys: BTreeSet<&Vec<Word>> = run.keys().chain(reference.keys()).collect();
        for key in keys {
            let (is, should_be) = (run.get(key), reference.get(key));
            if is.is_none() != should_be.is_none() && !self.has_same_rows {
                continue;
            }
            finding.of += 1;
            if [is, should_be].into_iter().flatten().any(|row| !initial.contains(row)) {
                finding.exposures += 1;
            }
            let differ: Vec<usize> = match (is, should_be) {
                (Some(is), Some(should_be)) => {
                    self.columns.iter().copied().filter(|column| is[*column] != should_be[*column]).collect()
                }
                _ => Vec::new(),
            };
            if differ.is_empty() && is.is_none() == should_be.is_none() {
                continue;
            }
            finding.exposures = finding.exposures.max(finding.count + 1);
            finding.count(|| self.sighting(at, (is, should_be), &differ));
        }
    }

    fn sighting(
        &self,
        at: Nanos,
        (is, should_be): (Option<&Vec<Word>>, Option<&Vec<Word>>),
        differ: &[usize],
    ) -> Sighting {
        let row = is.or(should_be).expect("one of them is there");
        let name = self.model.row_name(self.table, row);
        let told = |row: Option<&Vec<Word>>| match row {
            None => "absent".to_owned(),
            Some(_) if differ.is_empty() => "there".to_owned(),
            Some(row) => self.model.cells(self.table, differ.iter().copied(), row),
        };
        let (is, should_be) = (told(is), told(should_be));
        let what = format!("{name} is {is} at the end; the same intents alone leave {should_be}");
        let at_row =
            RowName { table: self.table, key: key_hash(self.model, self.table, row), instance: NONE };
        let sides = vec![Side { of: name, is, should_be: Some(should_be) }];
        Sighting { at, obligation: 0, what, facts: Facts { sides, ..Facts::at(at_row) } }
    }
}
