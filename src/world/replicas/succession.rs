//! A store that fails over: the copy that has most of it takes its place, and what that lacks never was.
//!
//! What is committed is kept until some copy has it, part by part, each with the number of its commit. The copies
//! follow in the order of the commits, so that each has all up to some commit, and the one that has most has all that
//! any of them has.

use super::{Behind, Replicating, channel_to};
use crate::kernel::agenda::Agenda;
use crate::model::NONE;
use crate::world::condition::Unflushed;
use crate::world::deed::Deed;
use crate::world::record::Observer;
use crate::world::store::Word;
use crate::world::tell::row_named;
use crate::world::{Event, Simulation};
use std::collections::BTreeSet;

impl Behind {
    /// Keeps a part of a commit, the last or one `ahead`, until some copy has it.
    pub(in crate::world) fn keep(&mut self, ahead: u64, part: Unflushed) {
        self.unreplicated.push_back((self.commits + ahead, part));
    }

    /// Whether the last commit has parts that no copy has.
    pub(super) fn keeps_of_last(&self) -> bool {
        self.unreplicated.back().is_some_and(|(commit, _)| *commit == self.commits)
    }

    /// A copy has a commit: gives the parts of commits that none had before.
    fn applies(&mut self, copy: u32, commit: u64) -> Vec<Unflushed> {
        let applied = &mut self.applied[copy as usize];
        *applied = commit.max(*applied);
        let most = self.applied.iter().copied().max().unwrap_or(0);
        let new = self.unreplicated.iter().take_while(|(commit, _)| *commit <= most).count();
        self.unreplicated.drain(..new).map(|(_, part)| part).collect()
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
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// A copy of a store has a commit, which is not lost any more if another takes over.
    pub(in crate::world) fn applied_by(&mut self, store: usize, copy: u32, commit: u64) {
        if !self.model.stores[store].is_succeeded {
            return;
        }
        for part in self.world.stores[store].behind.applies(copy, commit) {
            match part {
                Unflushed::Row { table, version, key, .. } => {
                    let table = self.model.stores[store].tables[table as usize];
                    self.tell(&Deed::Durable { row: row_named(table, &key), version });
                }
                Unflushed::Outbox { .. } => {}
                Unflushed::Beside(part) => self.beside_is_durable(part),
            }
        }
    }

    /// What is kept beside the rows of a store that may fail over is a commit of its own.
    pub(in crate::world) fn commit_beside(&mut self, store: usize) {
        if self.model.stores[store].is_succeeded {
            self.world.stores[store].behind.commits += 1;
            self.send_without_rows(store);
        }
    }

    /// The copies get a commit that has changed no row.
    pub(super) fn send_without_rows(&mut self, store: usize) {
        let model = self.model;
        let Some(copies) = &model.stores[store].copies else { return };
        let behind = &self.world.stores[store].behind;
        let (commit, era) = (behind.commits, behind.era);
        for copy in 0..copies.count() {
            let Some(delay) = self.delay_to_copy(NONE, store, copies, copy) else { continue };
            let change = self.world.replicating.add(Replicating {
                store: store as u32,
                from: NONE,
                copy,
                table: NONE,
                key: Vec::new(),
                version: 0,
                commit,
                era,
            });
            self.agenda.after_in_order(channel_to(store, copy), delay, Event::Replicated { change });
        }
    }

    /// The copy of a store that has most takes its place: what it lacks never was. The others follow it from where it
    /// is, before anybody is answered again.
    pub(in crate::world) fn succeed(&mut self, store: usize) {
        let state = &mut self.world.stores[store];
        let (best, lost) = state.behind.take_over();
        let caught_up = state.behind.catch_up(best);
        if !lost.is_empty() {
            self.store_met(store);
        }
        self.forget_commits(store, lost);
        for (table, key, version) in caught_up {
            let table = self.model.stores[store].tables[table as usize];
            self.tell(&Deed::Replicated { row: row_named(table, &key), version });
        }
        // What it has is on its own disk, and on the others'.
        self.flush(store as u32);
    }
}
