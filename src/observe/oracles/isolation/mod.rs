//! Isolation: lost updates, stale premises and conflict cycles among attempts.
//!
//! The vertices are *attempts*, not transactions: where a handler reads and then sets, the read and the write
//! are separate commits. Attempts of one obligation (a redelivery beside a zombie) are several. What serves a
//! client's intent touches no row, and is none.
//!
//! # Law
//!
//! - A *premise* is a version of a row that an attempt goes by: a local that a `read` or `scan` filled, and
//!   what a `let` made of it. Of a copy in memory it is also the version of the row that was copied, as told
//!   by [`super::copies`]. `row.x` is read under the row's lock, and is no premise.
//! - *Lost update*: an attempt commits a value computed from a premise on that very row, which another
//!   attempt has replaced since; its key it keeps. If `where` finds columns of the row equal to those that were read, the
//!   update is lost only if another column that the value is computed from has been changed since. Counted by row committed.
//! - *Stale premise*: an attempt commits after a decision, or with a value or to a row chosen by, a premise
//!   that another attempt has replaced since. A decision is an `if`, a `where` on locals, or the `else` of a read. Counted once
//!   for each row that the attempt goes by. A decision taken again at the same place takes the place of the earlier one.
//! - *Conflict cycle*: attempts that have to come before one another, because one saw what the other wrote
//!   (wr), replaced it (ww), or replaced what the other had seen (rw). Writes that only add (`n: row.n + x`, no
//!   `where`, no `as`) commute. A read counts once its attempt commits something after it or ends well; one that was
//!   taken again at the same place, or rolled back, never. Counted by group ([`graph`]).
//! - *Unsettled*, if the run is cut off: attempts that have touched a row and are still at work.
//! - *Exposure*: an attempt that touches a row which another one has touched during its life, one of the two
//!   writing or trying to. Counted once for each attempt and row.
//!
//! Rows that a scan did not find (phantoms) are not seen; nor is what an answer or a message carries.
//!
//! # Memory
//!
//! What an attempt goes by goes with it; a row's history, when no attempt that touched it is remembered.
//!
//! ```text
//! a  read n: 5                 commit n: 6        wr, ww, rw: a → b (b replaces what a wrote)
//! b        read n: 5                 commit n: 6              b → a (a replaces what b read): 1 lost update, 1 cycle
//! ```

mod deeds;
mod encode;
mod ended;
pub mod flow;
pub mod graph;
pub mod history;
pub mod premise;
pub mod row;
mod sighting;

use super::copies::Copies;
use super::lifetimes::Number;
use crate::kernel::anomaly::Anomaly;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE, RowVerb};
use crate::observe::few::Few;
use crate::observe::findings::{Facts, Finding, Sighting};
use crate::observe::slots::SlotTable;
use crate::world::deed::{RowName, Version, Write};
use crate::world::record::SlotNumber;
use crate::world::store::UNCOMMITTED;
use flow::{Flows, row_step};
use graph::Graph;
use premise::{Attempt, Looked, Pending, Place, Premise, Seen, Touched};
use row::{Columns, Row, Rows, bit_of_word};
use rustc_hash::FxHashMap;

/// Judges isolation from deeds.
#[derive(Clone, Debug)]
pub struct Isolation<'m> {
    model: &'m Model,
    flows: Flows,
    /// By table: the columns of its key, which a row keeps for ever.
    keys: Vec<Columns>,
    copies: Option<Copies>,
    attempts: SlotTable<Attempt>,
    rows: Rows,
    /// The rows that each remembered attempt touched, and the room of lists that are needed no more.
    touched: FxHashMap<Number, Vec<RowName>>,
    spare: Vec<Vec<RowName>>,
    graph: Graph,
    lost_updates: Finding,
    stale_premises: Finding,
    conflict_cycles: Finding,
}

impl<'m> Isolation<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            flows: Flows::new(model),
            keys: model.tables.iter().map(|table| columns_of_key(&table.key)).collect(),
            copies: Copies::in_memory(model),
            attempts: SlotTable::default(),
            rows: Rows::default(),
            touched: FxHashMap::default(),
            spare: Vec::new(),
            graph: Graph::default(),
            lost_updates: Finding::default(),
            stale_premises: Finding::default(),
            conflict_cycles: Finding::default(),
        }
    }

    /// What was found so far.
    pub fn findings(&self) -> [(Anomaly, Finding); 3] {
        let mut cycles = self.conflict_cycles.clone();
        cycles.count = self.graph.groups();
        [
            (Anomaly::LostUpdates, self.lost_updates.clone()),
            (Anomaly::StalePremises, self.stale_premises.clone()),
            (Anomaly::ConflictCycles, cycles),
        ]
    }

    /// How many attempts are remembered, and how many times a row remembers one.
    pub fn remembered(&self) -> (usize, usize) {
        (self.graph.remembered(), self.rows.iter().map(|row| 1 + row.remembered()).sum())
    }

    fn begin(&mut self, slot: SlotNumber, obligation: u64) {
        let number = self.graph.begin();
        self.conflict_cycles.of += 1;
        self.attempts.begin(slot).begin(number, obligation);
    }

    /// An attempt reads, locks or writes a row.
    fn touch(&mut self, slot: SlotNumber, name: RowName, writes: bool) {
        let Some(attempt) = self.attempts.get_mut(slot) else { return };
        let number = attempt.number;
        let row = self.rows.entry(name);
        let graph = &mut self.graph;
        let touched = attempt.touched.entry(name, || {
            graph.enter(number);
            row.alive.push((number, slot));
            Touched::default()
        });
        if writes && !touched.writes {
            touched.writes = true;
            row.writers += 1;
        }
        if !touched.exposed && row.is_shared(number, touched.writes) {
            touched.exposed = true;
            for finding in [&mut self.lost_updates, &mut self.stale_premises, &mut self.conflict_cycles] {
                finding.exposures += 1;
            }
        }
    }

    /// The version seen, as a number that later versions exceed; `Own` if not committed.
    fn seen(&self, row: RowName, version: Version) -> Seen {
        match version {
            Version { number: UNCOMMITTED, .. } => Seen::Own,
            Version { exists: true, number, .. } => Seen::Committed(number),
            Version { exists: false, .. } => {
                Seen::Committed(self.rows.get(&row).map_or(0, Row::version_of_absence))
            }
        }
    }

    /// What goes by this version of a row goes by: it, and what it is a copy of.
    fn premises_on(&mut self, slot: SlotNumber, row: RowName, version: Version) -> Vec<Premise> {
        let seen = self.seen(row, version);
        let mut premises = vec![Premise { row, version: seen, columns: u64::MAX }];
        let copied =
            self.copies.as_ref().map_or(Vec::new(), |copies| copies.reflected_by(row, version.number));
        for (source, version) in copied {
            self.touch(slot, source, false);
            premises.push(Premise { row: source, version: Seen::Committed(version), columns: u64::MAX });
        }
        premises
    }

    fn read(&mut self, slot: SlotNumber, place: Place, row: RowName, version: Version) {
        if self.attempts.get(slot).is_none() {
            return;
        }
        self.touch(slot, row, false);
        let premises = self.premises_on(slot, row, version);
        let (flows, model) = (&self.flows, self.model);
        let step = row_step(model, place.0);
        let of = &model.row_steps[step as usize];
        let open = flows.in_transaction(place.0);
        let branches = flows.step(step).branches;
        let Some(attempt) = self.attempts.get_mut(slot) else { return };
        if let Seen::Committed(version) = premises[0].version {
            attempt.look(place, Looked { row, version, open });
        }
        let again = attempt.reading == Some(place);
        attempt.reading = Some(place);
        if branches {
            attempt.decide(place, premises.clone(), open);
        }
        let Some(first) = of.result else { return };
        match of.verb {
            RowVerb::Scan if again => attempt.name_also(first, place.1, premises),
            RowVerb::Scan => attempt.name(first, 1, place.1, premises),
            _ => {
                let words = model.tables[row.table.index()].columns + 1;
                attempt.name(first, words, place.1, premises);
            }
        }
    }

    fn decided(&mut self, slot: SlotNumber, place: Place) {
        let uses = self.flows.condition(place.0);
        let open = self.flows.in_transaction(place.0);
        let Some(attempt) = self.attempts.get_mut(slot) else { return };
        attempt.reading = None;
        let mut premises = attempt.premises(uses, place.1);
        premises.retain(|premise| can_change(&self.keys, premise));
        attempt.decide(place, premises, open);
    }

    fn wrote(&mut self, slot: SlotNumber, place: Place, row: RowName, version: Version, write: Write) {
        if self.attempts.get(slot).is_none() {
            return;
        }
        self.touch(slot, row, write != Write::Nothing);
        let seen = self.seen(row, version);
        let step = row_step(self.model, place.0);
        let flow = self.flows.step(step);
        let open = self.flows.in_transaction(place.0);
        let Some(attempt) = self.attempts.get_mut(slot) else { return };
        attempt.reading = None;
        attempt.looked.remove(&place);
        let item = place.1;
        let guarded: Vec<Premise> = flow
            .guards
            .iter()
            .flat_map(|&(used, column)| {
                let equal = bit_of_word(column as u16 + 1);
                let of_column = attempt.premises(&[used], item).into_iter();
                of_column.filter(move |premise| premise.row == row && premise.columns == equal)
            })
            .collect();
        let is_guarded = |premise: &Premise| {
            guarded.iter().any(|guard| (guard.row, guard.version) == (premise.row, premise.version))
        };
        let mut choice = attempt.premises(&flow.choice, item);
        choice.retain(|premise| !is_guarded(premise) && can_change(&self.keys, premise));
        let result = match write {
            Write::Nothing => seen,
            Write::Put | Write::Delete => Seen::Own,
        };
        let mut values = if write == Write::Put { attempt.premises(&flow.values, item) } else { Vec::new() };
        values.retain(|premise| can_change(&self.keys, premise));
        attempt.decide(place, choice, open);
        match (write, seen) {
            (Write::Nothing, Seen::Committed(version)) => {
                attempt.look(place, Looked { row, version, open });
            }
            (Write::Nothing, Seen::Own) => {}
            _ => {
                let write = Pending { values, guarded, adds: flow.adds };
                attempt.pending.entry(row, Few::default).push(write);
            }
        }
        if let Some(first) = self.model.row_steps[step as usize].result {
            let words = self.model.tables[row.table.index()].columns + 1;
            let kept = Premise { row, version: result, columns: u64::MAX };
            attempt.name(first, words, item, vec![kept]);
        }
    }

    fn committed(
        &mut self,
        now: Nanos,
        slot: SlotNumber,
        name: RowName,
        version: u64,
        words: (Option<&[u64]>, Option<&[u64]>),
    ) {
        let is_meant = |attempt: &mut Attempt| words.1.is_some() || attempt.pending.contains_key(&name);
        if slot == NONE || !self.attempts.get_mut(slot).is_some_and(is_meant) {
            // Its time was over, or another row needed the room.
            return self.rows.get_mut(&name).into_iter().for_each(|row| row.expire(version));
        }
        self.touch(slot, name, true);
        let Some(attempt) = self.attempts.get_mut(slot) else { return };
        attempt.changed = true;
        let pending = attempt.pending.remove(&name).unwrap_or_default();
        let (number, obligation) = (attempt.number, attempt.obligation);
        let row = self.rows.get_mut(&name).expect("just touched");
        self.lost_updates.of += 1;
        let is_lost = |write: &Pending| {
            let own = write.values.iter().filter(|premise| premise.row == name);
            own.filter_map(|premise| match premise.version {
                Seen::Committed(version) => Some((premise, version)),
                Seen::Own => None,
            })
            .any(|(premise, version)| {
                let guards = write.guarded.iter().filter(|guard| guard.version == premise.version);
                let equal = guards.fold(0, |columns, guard| columns | guard.columns);
                match equal {
                    0 => row.is_replaced(version, number),
                    _ => row.is_changed(version, number, premise.columns & !equal),
                }
            })
        };
        if pending.iter().any(is_lost) {
            let model = self.model;
            self.lost_updates.count(|| Sighting {
                at: now,
                obligation,
                what: sighting::lost(model, name, words),
                facts: Facts::at(name),
            });
        }
        let adds = !pending.is_empty() && pending.iter().all(|write| write.adds);
        let found = row.write(&mut self.graph, number, version, adds, words);
        let elsewhere = pending.into_values().flat_map(|write| write.values);
        attempt.through.extend(elsewhere.filter(|premise| premise.row != name));
        attempt.commit_own(name, version);
        for &(other, slot) in &row.alive {
            if let Some(other) = self.attempts.get_mut(slot).filter(|_| other != number) {
                other.suspects = true;
            }
        }
        if found {
            self.cycle_found(now, obligation, name);
        }
    }

    fn cycle_found(&mut self, now: Nanos, obligation: u64, name: RowName) {
        let what = || sighting::cycle(self.model, name);
        let sighting = || Sighting { at: now, obligation, what: what(), facts: Facts::at(name) };
        self.conflict_cycles.first.get_or_insert_with(|| Box::new(sighting()));
    }

    fn transaction_ended(&mut self, now: Nanos, slot: SlotNumber, committed: bool) {
        let mut attempts = std::mem::take(&mut self.attempts);
        if let Some(attempt) = attempts.get_mut(slot) {
            self.close_transaction(now, attempt, committed);
        }
        self.attempts = attempts;
    }

    fn close_transaction(&mut self, now: Nanos, attempt: &mut Attempt, committed: bool) {
        attempt.reading = None;
        let changed = std::mem::replace(&mut attempt.changed, false);
        let mut through = std::mem::take(&mut attempt.through);
        if committed {
            if changed {
                self.stale_premises.of += 1;
                self.judge_premises(now, attempt, &through);
            }
            self.count_reads(now, attempt);
            attempt.keep();
        } else {
            attempt.roll_back();
        }
        through.clear();
        attempt.through = through;
    }

    /// An attempt has just committed: does what it went by still hold?
    fn judge_premises(&mut self, now: Nanos, attempt: &mut Attempt, through: &[Premise]) {
        let number = attempt.number;
        let (rows, copies) = (&self.rows, &self.copies);
        let is_stale = |premise: &Premise| match premise.version {
            Seen::Committed(version) => {
                rows.get(&premise.row).is_some_and(|row| row.is_replaced(version, number))
                    || copies.as_ref().is_some_and(|copies| {
                        copies.is_replaced(premise.row, version)
                            && !rows.get(&premise.row).is_some_and(|row| row.is_newest_by(number))
                    })
            }
            Seen::Own => false,
        };
        let mut stale = attempt.take_stale(is_stale);
        for &premise in through {
            if is_stale(&premise) && !stale.iter().any(|known| known.row == premise.row) {
                stale.push(premise);
            }
        }
        for premise in stale {
            let (model, obligation) = (self.model, attempt.obligation);
            self.stale_premises.count(|| Sighting {
                at: now,
                obligation,
                what: sighting::stale_premise(model, premise),
                facts: Facts::at(premise.row),
            });
        }
    }

    /// What an attempt has read has come to something.
    fn count_reads(&mut self, now: Nanos, attempt: &mut Attempt) {
        for look in attempt.looked.iter().flat_map(|(_, looks)| looks.iter()) {
            let row = self.rows.get_mut(&look.row).expect("a row is kept while it is touched");
            if row.read(&mut self.graph, attempt.number, look.version) {
                self.cycle_found(now, attempt.obligation, look.row);
            }
        }
        attempt.looked.clear();
    }
}

impl Isolation<'_> {
    /// A read of a store sets out: what was read at this place before counts for nothing, and if it
    /// is a scan, it may find nothing.
    fn asked(&mut self, slot: SlotNumber, place: Place) {
        let (model, step) = (self.model, row_step(self.model, place.0));
        let Some(attempt) = self.attempts.get_mut(slot) else { return };
        attempt.reading = None;
        attempt.looked.remove(&place);
        let of = &model.row_steps[step as usize];
        if let (RowVerb::Scan, Some(first)) = (of.verb, of.result) {
            attempt.name(first, 1, place.1, Vec::new());
        }
    }
}

fn columns_of_key(key: &[u32]) -> Columns {
    key.iter().fold(0, |columns, &column| columns | bit_of_word(column as u16 + 1))
}

/// Whether what rests on a premise could be other than it is: a row keeps its key.
fn can_change(keys: &[Columns], premise: &Premise) -> bool {
    premise.columns & !keys[premise.row.table.index()] != 0
}
