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
//!   sent, takes the first `read_quorum` answers, and the newest version among them. Who dies before its
//!   write is acknowledged has written nothing. No reader repairs anything.

use super::attempt::{StepResult, Wait};
use super::condition::Unflushed;
use super::deed::{Deed, Version};
use super::interpret::Flow;
use super::record::Observer;
use super::store::Word;
use super::tell::{row_named, version_of};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::{LONGEST, Nanos};
use crate::model::{Copies, Error, NONE, Pc, Quorum, RowStep};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};

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
    version: Version,
}

/// A change on its way to a copy.
#[derive(Clone, Debug)]
pub struct Replicating {
    store: u32,
    copy: u32,
    table: u32,
    key: Vec<Word>,
    version: u64,
    commit: u64,
    era: u32,
}

/// A read that asks a quorum.
#[derive(Clone, Debug)]
pub struct QuorumRead {
    attempt: u32,
    token: u32,
    store: u32,
    table: u32,
    key: Vec<Word>,
    found: Option<Copy>,
    /// Events of it that are still to come.
    left: u32,
}

impl Behind {
    pub fn new(copies: u32) -> Self {
        Self { copies, applied: vec![0; copies as usize], ..Self::default() }
    }

    /// Keeps a part of a commit, the last or one `ahead`, until some copy has it.
    pub(super) fn keep(&mut self, ahead: u64, part: Unflushed) {
        self.unreplicated.push_back((self.commits + ahead, part));
    }

    /// A copy has a commit.
    fn applies(&mut self, copy: u32, commit: u64) {
        let applied = &mut self.applied[copy as usize];
        *applied = commit.max(*applied);
        let most = self.applied.iter().copied().max().unwrap_or(0);
        while self.unreplicated.front().is_some_and(|(commit, _)| *commit <= most) {
            self.unreplicated.pop_front();
        }
    }

    /// The copy that has most, the first of those, takes over: gives what it lacks.
    fn take_over(&mut self) -> (u32, Vec<Unflushed>) {
        let most = self.applied.iter().copied().max().unwrap_or(0);
        let best = self.applied.iter().position(|applied| *applied == most).unwrap_or(0);
        self.applied.fill(self.commits);
        self.era += 1;
        let lost = std::mem::take(&mut self.unreplicated).into_iter().filter(|(commit, _)| *commit > most);
        (best as u32, lost.map(|(_, part)| part).collect())
    }

    /// What every copy has from now on, by table, key and version, but for what the one that took over lacked.
    fn catch_up(&mut self, best: u32) -> BTreeSet<(u32, Vec<Word>, u64)> {
        let mut caught_up = BTreeSet::new();
        for ((table, key), row) in std::mem::take(&mut self.rows) {
            let lacks = |version| row.changes.iter().any(|of| of.copy == best && of.version == version);
            let versions = row.changes.iter().map(|missing| missing.version);
            caught_up.extend(versions.filter(|of| !lacks(*of)).map(|of| (table, key.clone(), of)));
        }
        caught_up
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
        row.changes.push(Missing { copy, version, before, old });
        row.latest = version;
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
                self.send_to_copy(store, at, copy, delay);
            }
            let state = &mut self.world.stores[store];
            let Some(change) = state.store.changes().nth(at) else { continue };
            let table = model.stores[store].tables[change.version.table as usize];
            let words = change.new.or(change.old.map(|old| old.words)).unwrap_or(&[]);
            let key: Vec<Word> =
                model.tables[table.index()].key.iter().map(|&column| words[column as usize]).collect();
            let (number, version) = (change.version.table, change.version.number);
            state.behind.supersede((number, &key), version);
            if state.behind.is_everywhere((number, &key), version) {
                self.tell(&Deed::Replicated { row: row_named(table, &key), version });
            }
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
                let ways = self.quorum_ways(attempt, quorum, Asked::Write);
                let taken = nth_smallest(ways.iter().map(|way| way.there + way.back), quorum.write_quorum);
                let left = ways[copy as usize].there.saturating_sub(taken);
                (left > 0).then_some(left)
            }
        }
    }

    fn send_to_copy(&mut self, store: usize, at: usize, copy: u32, delay: Option<Nanos>) {
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
        let store = store as u32;
        let change =
            self.world.replicating.add(Replicating { store, copy, table, key, version, commit, era });
        let event = Event::Replicated { change };
        match &model.stores[store as usize].copies {
            Some(Copies::Follow { .. }) => {
                let channel = super::identity::mix((store as u64) << 32 | 5, copy as u64);
                self.agenda.after_in_order(channel, delay, event);
            }
            _ => drop(self.later(delay, Class::Delivery, event)),
        }
    }

    /// A change comes to a copy.
    pub(super) fn replicated(&mut self, change: u32) {
        let Replicating { store, copy, table, key, version, commit, era } =
            self.world.replicating[change].clone();
        self.world.replicating.release(change);
        let behind = &mut self.world.stores[store as usize].behind;
        if era != behind.era {
            return;
        }
        behind.applies(copy, commit);
        if self.world.stores[store as usize].behind.has(copy, table, &key, version) {
            let table = self.model.stores[store as usize].tables[table as usize];
            self.tell(&Deed::Replicated { row: row_named(table, &key), version });
        }
    }

    /// The copy of a store that has most takes its place: what it lacks never was. The others follow it from where it
    /// is, before anybody is answered again.
    pub(super) fn succeed(&mut self, store: usize) {
        let state = &mut self.world.stores[store];
        let (best, lost) = state.behind.take_over();
        let caught_up = state.behind.catch_up(best);
        lost.into_iter().rev().for_each(|part| self.forget_commit(store, part));
        for (table, key, version) in caught_up {
            let table = self.model.stores[store].tables[table as usize];
            self.tell(&Deed::Replicated { row: row_named(table, &key), version });
        }
        // What it has is on its own disk, and on the others'.
        self.flush(store as u32);
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

    fn at_copy(&self, store: usize, copy: u32, table: u32, key: &[Word]) -> Copy {
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

    /// A row step on a store that is a quorum of replicas.
    pub(super) fn ask_quorum(
        &mut self,
        attempt: u32,
        pc: Pc,
        step: u32,
        quorum: &Quorum,
    ) -> Result<Flow, Error> {
        let model = self.model;
        let of = &model.row_steps[step as usize];
        self.world.attempts[attempt].pc = pc;
        self.world.attempts[attempt].last_wait = 0;
        if !of.verb.reads() {
            let ways = self.quorum_ways(attempt, quorum, Asked::Write);
            let length = nth_smallest(ways.iter().map(|way| way.there + way.back), quorum.write_quorum);
            self.round_trip(attempt, pc, length, Wait::Row { step });
            return Ok(Flow::Leave);
        }
        self.load_key(attempt, of)?;
        self.drop_temporaries();
        let ways = self.quorum_ways(attempt, quorum, Asked::Read);
        let length = nth_smallest(ways.iter().map(|way| way.there + way.back), quorum.read_quorum);
        let mut first: Vec<u32> = (0..ways.len() as u32).collect();
        first.sort_by_key(|&copy| (ways[copy as usize].there + ways[copy as usize].back, copy));
        first.truncate(quorum.read_quorum as usize);
        let token = self.world.attempts.wait(attempt, Wait::Row { step });
        let read = self.world.quorum_reads.add(QuorumRead {
            attempt,
            token,
            store: self.store_of(attempt) as u32,
            table: model.tables[of.table.index()].number,
            key: self.world.scratch.key.clone(),
            found: None,
            left: quorum.read_quorum + 1,
        });
        for replica in first {
            let there = ways[replica as usize].there;
            self.later(there, Class::Completion, Event::QuorumRead { read, replica });
        }
        self.later(length, Class::Completion, Event::QuorumRead { read, replica: NONE });
        Ok(Flow::Leave)
    }

    /// A read reaches a replica, or has its answers.
    pub(super) fn quorum_read(&mut self, read: u32, replica: u32) {
        let of = &mut self.world.quorum_reads[read];
        of.left -= 1;
        let (attempt, token, store, table, left) = (of.attempt, of.token, of.store, of.table, of.left);
        if replica != NONE {
            let key = std::mem::take(&mut of.key);
            let seen = self.at_copy(store as usize, replica, table, &key);
            let of = &mut self.world.quorum_reads[read];
            of.key = key;
            let is_newer = of.found.as_ref().is_none_or(|found| found.version.number < seen.version.number);
            if is_newer {
                of.found = Some(seen);
            }
        } else if self.world.attempts.is_waiting(attempt, token) {
            self.world.quorum_answer = self.world.quorum_reads[read].found.take();
            self.midpoint(attempt, token);
            self.world.quorum_answer = None;
        }
        if left == 0 {
            self.world.quorum_reads.release(read);
        }
    }

    /// The ways of one operation to each replica and back. Asked again, they are the same.
    fn quorum_ways(&mut self, attempt: u32, quorum: &Quorum, asked: Asked) -> Vec<Ways> {
        let (there, back) = match asked {
            Asked::Write => (quorum.write, quorum.acknowledge),
            Asked::Read => (quorum.read, quorum.respond),
        };
        let of = &self.world.attempts[attempt];
        let key = self.attempt_key(attempt).beside(of.pc);
        let from = self.region_of(attempt);
        let mut ways = Vec::with_capacity(quorum.regions.len());
        for (replica, &region) in quorum.regions.iter().enumerate() {
            let key = key.beside(replica as u32);
            let (there, back) = (self.length(there, key), self.length(back, key.beside(1)));
            let apart = self.between_regions(from, region, key.beside(2));
            let home = self.between_regions(region, from, key.beside(3));
            ways.push(Ways {
                there: there.saturating_add(apart).min(LONGEST / 2),
                back: back.saturating_add(home).min(LONGEST / 2),
            });
        }
        ways
    }
}

#[derive(Clone, Copy)]
enum Asked {
    Write,
    Read,
}

/// How long it takes to a replica, and back.
struct Ways {
    there: Nanos,
    back: Nanos,
}

/// The n-th smallest, counted from 1.
fn nth_smallest(lengths: impl Iterator<Item = Nanos>, n: u32) -> Nanos {
    let mut lengths: Vec<Nanos> = lengths.collect();
    lengths.sort_unstable();
    lengths[n as usize - 1]
}
