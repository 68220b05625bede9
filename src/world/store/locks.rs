//! Locks: one for each key, exclusive, with a queue of those who wait for it.
//!
//! A transaction waits for one lock at a time, and a lock has one holder, so that whoever follows
//! holders from lock to lock walks along one path. A cycle of waiting is closed by the last request in
//! it, and found there. That earlier waiters for the same lock go first adds no cycle: they in turn
//! wait for its holder.

use super::order::NONE;
use super::transaction::{Phase, Place};
use super::{Access, Isolation, LockedRow, RowVersion, Store, Transaction, Wake, Word};

impl Store {
    /// Asks for the lock of a row, present or absent.
    ///
    /// Under `snapshot` and `serializable` a row that has changed since the snapshot is a conflict at
    /// once. So is, at every isolation, a request that would close a cycle of waiting.
    pub fn lock(&mut self, transaction: Transaction, table: u32, key: &[Word]) -> Access {
        let slot = self.transactions.slot(transaction);
        debug_assert_eq!(self.transactions.state(slot).phase, Phase::Open, "one that waits asks for nothing");
        let view = self.transactions.look(slot, self.commits);
        let of = &mut self.tables[table as usize];
        let entry = of.find(key).unwrap_or_else(|| of.add(key));
        let place = Place { table, entry };
        let holder = of.entry(entry).holder;
        if holder == slot {
            return Access::Granted(LockedRow { transaction, place });
        }
        if of.changed_since(entry, view) || (holder != NONE && self.waits_for(holder, slot)) {
            self.transactions.state_mut(slot).phase = Phase::Doomed;
            return Access::Conflict;
        }
        if holder != NONE {
            self.enqueue(slot, place);
            return Access::Waits;
        }
        Access::Granted(self.grant(slot, place))
    }

    /// Gives up a lock: to the first in its queue, if there is one. After a change that `snapshot`
    /// forbids them to overwrite, all who waited meet a conflict instead.
    pub(super) fn release(&mut self, place: Place, changed: bool) {
        if changed && self.isolation != Isolation::ReadCommitted {
            while let Some(slot) = self.dequeue_first(place) {
                let state = self.transactions.state_mut(slot);
                state.phase = Phase::Doomed;
                let owner = state.owner;
                let transaction = self.transactions.handle(slot);
                self.wakes.push_back(Wake::Conflict { owner, transaction });
            }
        }
        if let Some(slot) = self.dequeue_first(place) {
            let owner = self.transactions.state(slot).owner;
            let row = self.grant(slot, place);
            self.wakes.push_back(Wake::Granted { owner, row });
            return;
        }
        let of = &mut self.tables[place.table as usize];
        let entry = of.entry_mut(place.entry);
        entry.holder = NONE;
        if std::mem::take(&mut entry.overdue)
            && let Some(version) = of.newest(place.entry)
        {
            let number = of.number_of(version);
            let version = RowVersion { table: place.table, entry: place.entry, number };
            self.wakes.push_back(Wake::Overdue(version));
        }
        of.drop_if_idle(place.entry);
    }

    /// Takes a transaction out of the queue that it stands in.
    pub(super) fn leave_queue(&mut self, slot: u32, place: Place) {
        let state = self.transactions.state_mut(slot);
        state.phase = Phase::Open;
        let (before, after) = (state.waits_before, state.waits_after);
        let entry = self.tables[place.table as usize].entry_mut(place.entry);
        match before {
            NONE => entry.first_waiter = after,
            before => self.transactions.state_mut(before).waits_after = after,
        }
        match after {
            NONE => entry.last_waiter = before,
            after => self.transactions.state_mut(after).waits_before = before,
        }
    }

    fn grant(&mut self, slot: u32, place: Place) -> LockedRow {
        self.tables[place.table as usize].entry_mut(place.entry).holder = slot;
        self.transactions.state_mut(slot).held.push(place);
        LockedRow { transaction: self.transactions.handle(slot), place }
    }

    /// Whether one transaction waits for another, through any number of others.
    fn waits_for(&self, mut slot: u32, other: u32) -> bool {
        while slot != other {
            match self.transactions.state(slot).phase {
                Phase::Waiting(Place { table, entry }) => {
                    slot = self.tables[table as usize].entry(entry).holder;
                }
                _ => return false,
            }
        }
        true
    }

    fn enqueue(&mut self, slot: u32, place: Place) {
        let entry = self.tables[place.table as usize].entry_mut(place.entry);
        let last = std::mem::replace(&mut entry.last_waiter, slot);
        match last {
            NONE => entry.first_waiter = slot,
            last => self.transactions.state_mut(last).waits_after = slot,
        }
        let state = self.transactions.state_mut(slot);
        state.phase = Phase::Waiting(place);
        state.waits_before = last;
        state.waits_after = NONE;
    }

    fn dequeue_first(&mut self, place: Place) -> Option<u32> {
        let first = self.tables[place.table as usize].entry(place.entry).first_waiter;
        if first == NONE {
            return None;
        }
        self.leave_queue(first, place);
        Some(first)
    }
}
