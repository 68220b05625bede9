//! Copies of a store's rows: replicas that follow it, and stores that are a quorum of equal replicas.
//!
//! The store itself is the order of the commits. A copy is the store without the changes that have not come
//! to it: what it lacks of a row is kept until it has it, and a read of a copy goes back from the newest
//! version past all that it lacks.
//!
//! - A *following* replica gets the changes in the order of the commits, each its `lag` later, or with the one
//!   before it if that is later.
//! - In a *quorum* every operation is sent to all replicas by the calling instance. A write is committed when the
//!   first `write_quorum` acknowledgements are back; replica *i* has it `write` after it was sent, but never
//!   before it is committed: until then it is as if it had not been. A read asks each replica `read` after it was
//!   sent, takes the first `read_quorum` answers, and the newest version among them. If who sent a write dies before
//!   it is acknowledged, each replica that it was sent to has it all the same when it arrives; one that it could not be
//!   sent to never gets it. No reader repairs anything. A replica that a fault of the network
//!   cuts off does not answer, and has what was written when the fault is over; an operation waits for it
//!   where the others are too few.

mod succession;

use super::attempt::StepResult;
use super::condition::Unflushed;
use super::deed::{Deed, Version};
use super::network::StoreLeg;
use super::quorum::{Asked, CUT_OFF, Ways, nth_smallest};
use super::record::Observer;
use super::store::Word;
use super::tell::{row_named, version_of};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::Nanos;
use crate::model::{Copies, NONE, RowStep};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What some copies of a store do not have yet.
#[derive(Clone, Debug, Default)]
pub struct Behind {
    copies: u32,
    rows: FxHashMap<(u32, Vec<Word>), Lacking>,
    /// Whose turn it is among replicas that are asked in turn.
    next: u32,
    /// How many commits there were: what the lag of each is drawn by.
    commits: u64,
    /// Where a copy may take over: the last commit that each has, and what was committed since the one that has
    /// most, each part with the number of its commit.
    applied: Vec<u64>,
    unreplicated: VecDeque<(u64, Unflushed)>,
    /// How many changes were never sent to a copy that lacks them.
    unsent: usize,
    /// How many copies have taken over: what was on its way to an earlier one's is nothing to the present one's.
    era: u32,
}

/// The newest version of a row, and what each copy lacks of it.
#[derive(Clone, Debug)]
struct Lacking {
    latest: u64,
    changes: Vec<Missing>,
}

#[derive(Clone, Debug)]
struct Missing {
    copy: u32,
    version: u64,
    /// It was never sent there.
    is_unsent: bool,
    /// The version before it, which may be a deletion.
    before: u64,
    old: Option<Old>,
}

#[derive(Clone, Debug)]
struct Old {
    words: Vec<Word>,
    writer: u64,
}

/// A row as a copy has it.
#[derive(Clone, Debug)]
pub struct Copy {
    words: Option<Vec<Word>>,
    pub(super) version: Version,
}

/// A change on its way to a copy.
#[derive(Clone, Debug)]
pub struct Replicating {
    store: u32,
    /// The instance that sent it to a quorum, or `NONE`.
    from: u32,
    copy: u32,
    /// `NONE`: what a commit has changed beside rows.
    table: u32,
    key: Vec<Word>,
    version: u64,
    commit: u64,
    era: u32,
}

impl Behind {
    pub fn new(copies: u32) -> Self {
        Self { copies, applied: vec![0; copies as usize], ..Self::default() }
    }

    /// Notes that a copy lacks a version, whatever else it lacks.
    fn lack(&mut self, copy: u32, at: (u32, &[Word]), version: u64, old: Option<&super::store::Row<'_>>) {
        let newest = old.map_or(0, |old| old.version.number);
        let fresh = Lacking { latest: newest, changes: Vec::new() };
        let row = self.rows.entry((at.0, at.1.to_vec())).or_insert(fresh);
        // Another copy may lack the same version.
        let same = row.changes.iter().find(|missing| missing.version == version);
        let before = same.map_or(row.latest, |same| same.before);
        let old = old.map(|old| Old { words: old.words.to_vec(), writer: old.writer });
        row.changes.push(Missing { copy, version, is_unsent: false, before, old });
        row.latest = version;
    }

    /// What a copy lacks of a version will never come to it.
    fn never_comes(&mut self, copy: u32, at: (u32, &[Word]), version: u64) {
        let row = self.rows.get_mut(&(at.0, at.1.to_vec()));
        let changes = row.into_iter().flat_map(|row| &mut row.changes);
        for missing in changes.filter(|missing| missing.copy == copy && missing.version == version) {
            missing.is_unsent = true;
            self.unsent += 1;
        }
    }

    /// A copy has a version, or a later one of the row: what was never sent to it before matters no more. Gives the
    /// versions of those that no copy lacks now.
    fn overtakes(&mut self, copy: u32, at: (u32, &[Word]), version: u64) -> Vec<u64> {
        if self.unsent == 0 {
            return Vec::new();
        }
        let at = (at.0, at.1.to_vec());
        let Some(row) = self.rows.get_mut(&at) else { return Vec::new() };
        let is_over = |of: &Missing| of.copy == copy && of.is_unsent && of.version < version;
        let mut over: Vec<u64> = row.changes.iter().filter(|of| is_over(of)).map(|of| of.version).collect();
        row.changes.retain(|of| !is_over(of));
        self.unsent -= over.len();
        over.retain(|version| row.changes.iter().all(|of| of.version != *version));
        if row.changes.is_empty() {
            self.rows.remove(&at);
        }
        over
    }

    /// Whether a copy lacks a version.
    fn lacks(&self, copy: u32, at: (u32, &[Word]), version: u64) -> bool {
        let row = self.rows.get(&(at.0, at.1.to_vec()));
        row.is_some_and(|row| row.changes.iter().any(|of| of.copy == copy && of.version == version))
    }

    /// A version that every copy has already.
    fn supersede(&mut self, at: (u32, &[Word]), version: u64) {
        if let Some(row) = self.rows.get_mut(&(at.0, at.1.to_vec())) {
            row.latest = version;
        }
    }

    /// Whether no copy lacks a version.
    fn is_everywhere(&self, at: (u32, &[Word]), version: u64) -> bool {
        let row = self.rows.get(&(at.0, at.1.to_vec()));
        row.is_none_or(|row| row.changes.iter().all(|missing| missing.version != version))
    }

    /// A copy has a version. Whether now all have it.
    fn has(&mut self, copy: u32, table: u32, key: &[Word], version: u64) -> bool {
        let at = (table, key.to_vec());
        let Some(row) = self.rows.get_mut(&at) else { return true };
        row.changes.retain(|missing| missing.copy != copy || missing.version != version);
        let everywhere = row.changes.iter().all(|missing| missing.version != version);
        if row.changes.is_empty() {
            self.rows.remove(&at);
        }
        everywhere
    }

    /// The row of a key as a copy has it, from the newest one.
    fn seen_by(&self, copy: u32, table: u32, key: &[Word], newest: Copy) -> Copy {
        let Some(row) = self.rows.get(&(table, key.to_vec())) else { return newest };
        let (mut at, mut seen) = (row.latest, newest);
        while let Some(missing) =
            row.changes.iter().find(|missing| missing.copy == copy && missing.version == at)
        {
            at = missing.before;
            seen = match &missing.old {
                Some(old) => Copy {
                    words: Some(old.words.clone()),
                    version: Version { number: at, writer: old.writer, exists: true },
                },
                None => Copy { words: None, version: Version { number: at, writer: 0, exists: false } },
            };
        }
        seen
    }

    /// Rows that each copy lacks something of.
    pub fn rows_lacking(&self) -> Vec<u64> {
        let lacks = |row: &Lacking, copy: u32| row.changes.iter().any(|missing| missing.copy == copy);
        let rows = |copy| self.rows.values().filter(|row| lacks(row, copy)).count() as u64;
        (0..self.copies).map(rows).collect()
    }

    /// The next replica in turn.
    fn take_turn(&mut self) -> u32 {
        let turn = self.next;
        self.next = (turn + 1) % self.copies;
        turn
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Sends what a commit has changed to the copies of its store.
    pub(super) fn replicate(&mut self, attempt: u32, store: usize) {
        let model = self.model;
        let Some(copies) = &model.stores[store].copies else { return };
        self.world.stores[store].behind.commits += 1;
        let changes = self.world.stores[store].store.changes().len();
        for at in 0..changes {
            for copy in 0..copies.count() {
                let delay = self.delay_to_copy(attempt, store, copies, copy);
                self.send_to_copy(attempt, store, at, copy, delay);
            }
            let state = &mut self.world.stores[store];
            let Some(change) = state.store.changes().nth(at) else { continue };
            let table = model.stores[store].tables[change.version.table as usize];
            let words = change.new.or(change.old.map(|old| old.words)).unwrap_or(&[]);
            let key: Vec<Word> =
                model.tables[table.index()].key.iter().map(|&column| words[column as usize]).collect();
            let (number, version) = (change.version.table, change.version.number);
            state.behind.supersede((number, &key), version);
            let mut everywhere = Vec::new();
            for copy in 0..copies.count() {
                if state.behind.unsent > 0 && !state.behind.lacks(copy, (number, &key), version) {
                    everywhere.extend(state.behind.overtakes(copy, (number, &key), version));
                }
            }
            if state.behind.is_everywhere((number, &key), version) {
                everywhere.push(version);
            }
            for version in everywhere {
                self.tell(&Deed::Replicated { row: row_named(table, &key), version });
            }
        }
        if changes == 0 && self.world.stores[store].behind.keeps_of_last() {
            self.send_without_rows(store);
        }
    }

    /// How long after its commit a change comes to a copy; `None`: it has it.
    fn delay_to_copy(&mut self, attempt: u32, store: usize, copies: &Copies, copy: u32) -> Option<Nanos> {
        match copies {
            Copies::Follow { lag, .. } => {
                let commits = self.world.stores[store].behind.commits;
                Some(self.length(*lag, DrawKey::hashed(commits, copy, 0)))
            }
            Copies::Quorum(_) if attempt == NONE => None,
            Copies::Quorum(quorum) => {
                let now = self.agenda.now();
                let sent = self.orphaned_since(attempt);
                let ways = self.quorum_ways(attempt, quorum, Asked::Write, sent.unwrap_or(now));
                let taken = match sent {
                    Some(sent) => now - sent,
                    None => nth_smallest(ways.iter().map(Ways::length), quorum.write_quorum),
                };
                let there = ways[copy as usize].there;
                let left = if there == CUT_OFF { there } else { there.saturating_sub(taken) };
                (left > 0).then_some(left)
            }
        }
    }

    /// When a write set out whose coordinator is gone.
    fn orphaned_since(&self, attempt: u32) -> Option<Nanos> {
        let of = &self.world.attempts[attempt];
        (!self.world.instances[of.instance as usize].up).then_some(of.last_wait)
    }

    fn send_to_copy(&mut self, attempt: u32, store: usize, at: usize, copy: u32, delay: Option<Nanos>) {
        let Some(delay) = delay else { return };
        let model = self.model;
        let state = &mut self.world.stores[store];
        let Some(change) = state.store.changes().nth(at) else { return };
        let table = change.version.table;
        let spec = &model.tables[model.stores[store].tables[table as usize].index()];
        let words = change.new.or(change.old.map(|old| old.words)).unwrap_or(&[]);
        let key: Vec<Word> = spec.key.iter().map(|&column| words[column as usize]).collect();
        let version = change.version.number;
        state.behind.lack(copy, (table, &key), version, change.old.as_ref());
        let (commit, era) = (state.behind.commits, state.behind.era);
        let is_orphaned = attempt != NONE && self.orphaned_since(attempt).is_some();
        if is_orphaned && delay >= CUT_OFF {
            return self.world.stores[store].behind.never_comes(copy, (table, &key), version);
        }
        let store = store as u32;
        // What nobody is there to send again is on its way.
        let from = if attempt == NONE || is_orphaned { NONE } else { self.world.attempts[attempt].instance };
        let change =
            self.world.replicating.add(Replicating { store, from, copy, table, key, version, commit, era });
        let event = Event::Replicated { change };
        match &model.stores[store as usize].copies {
            _ if delay >= CUT_OFF => self.hold_statement(event),
            Some(Copies::Follow { .. }) => {
                self.agenda.after_in_order(channel_to(store as usize, copy), delay, event);
            }
            _ => drop(self.later(delay, Class::Delivery, event)),
        }
    }

    /// A change comes to a copy.
    pub(super) fn replicated(&mut self, change: u32) {
        let Replicating { store, from, copy, table, key, version, commit, era } =
            self.world.replicating[change].clone();
        if self.is_cut_off(from, store as usize, copy, StoreLeg::There, self.agenda.now()) {
            return self.hold_statement(Event::Replicated { change });
        }
        self.world.replicating.release(change);
        if era != self.world.stores[store as usize].behind.era {
            return;
        }
        self.applied_by(store as usize, copy, commit);
        if table == NONE {
            return;
        }
        for version in self.world.stores[store as usize].behind.overtakes(copy, (table, &key), version) {
            let table = self.model.stores[store as usize].tables[table as usize];
            self.tell(&Deed::Replicated { row: row_named(table, &key), version });
        }
        if self.world.stores[store as usize].behind.has(copy, table, &key, version) {
            let table = self.model.stores[store as usize].tables[table as usize];
            self.tell(&Deed::Replicated { row: row_named(table, &key), version });
        }
    }

    /// The copy that a read asks, with what it has; `None`: it asks the store itself. The key is in
    /// `scratch.key`.
    pub(super) fn asked_copy(
        &mut self,
        attempt: u32,
        of: &RowStep,
        store: usize,
        table: u32,
    ) -> Option<Copy> {
        if let Some(found) = self.world.quorum_answer.take() {
            return Some(found);
        }
        if !of.from_replica {
            return None;
        }
        let Some(Copies::Follow { count, sticky, .. }) = &self.model.stores[store].copies else {
            return None;
        };
        let copy = match sticky {
            true => {
                let instance = self.world.attempts[attempt].instance as usize;
                self.model.instances[instance].number % count
            }
            false => self.world.stores[store].behind.take_turn(),
        };
        let key = self.world.scratch.key.clone();
        Some(self.at_copy(store, copy, table, &key))
    }

    pub(super) fn at_copy(&self, store: usize, copy: u32, table: u32, key: &[Word]) -> Copy {
        let state = &self.world.stores[store];
        let row = state.store.peek(table, key);
        let newest = Copy { words: row.map(|row| row.words.to_vec()), version: version_of(row.as_ref()) };
        state.behind.seen_by(copy, table, key, newest)
    }

    /// Ends a read with what a copy has.
    pub(super) fn look_at_copy(&mut self, attempt: u32, of: &RowStep, copy: Copy) -> StepResult {
        let exists = copy.words.is_some();
        let row = &mut self.world.scratch.row;
        row.clear();
        row.extend(copy.words.iter().flatten());
        self.keep_row(attempt, of, exists);
        self.tell_read(attempt, of.table, copy.version, of.result);
        if exists { StepResult::Done } else { StepResult::Nothing }
    }
}

/// What is on its way to a copy keeps its order.
fn channel_to(store: usize, copy: u32) -> u64 {
    super::identity::mix((store as u64) << 32 | 5, u64::from(copy))
}
