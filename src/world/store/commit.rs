//! The end of a transaction: validation, and then all its changes at once, or none.

use super::order::NONE;
use super::table::DELETED;
use super::transaction::{EVERYTHING, Kept, Phase, Place, Scanned};
use super::versions::Stamp;
use super::{Conflict, RowVersion, Store, Transaction, Word};

impl Store {
    /// Commits a transaction: its changes become the newest rows, its locks go on to those who wait.
    ///
    /// `writer` is kept with each row version it makes. Under `serializable`, also if nothing was
    /// written, what it read and scanned is validated first; `matches` says whether a row satisfies a
    /// predicate that was given to a scan. It is asked under no other isolation.
    ///
    /// # Errors
    ///
    /// A conflict: nothing is changed, and the transaction has to be rolled back.
    pub fn commit(
        &mut self,
        transaction: Transaction,
        writer: u64,
        matches: impl FnMut(u32, &[Word]) -> bool,
    ) -> Result<(), Conflict> {
        let slot = self.transactions.slot(transaction);
        self.changes.clear();
        let phase = self.transactions.state(slot).phase;
        assert!(!matches!(phase, Phase::Waiting(_)), "one that waits does not commit");
        if phase == Phase::Doomed || !self.is_valid(slot, matches) {
            self.transactions.state_mut(slot).phase = Phase::Doomed;
            return Err(Conflict);
        }
        // Its own snapshot is of no more use, so that what it replaces need not be kept for it.
        self.transactions.end_snapshot(slot, &mut self.tables);
        let stamp = Stamp { number: self.commits + 1, writer };
        let mut held = std::mem::take(&mut self.transactions.state_mut(slot).held);
        for place in held.drain(..) {
            let changed = self.install(place, stamp);
            self.release(place, changed);
        }
        self.transactions.state_mut(slot).held = held;
        if self.changes.len() > 0 {
            self.commits = stamp.number;
        }
        self.transactions.close(slot);
        Ok(())
    }

    /// Rolls a transaction back, in whatever state it is: its changes are gone, its place in a queue is
    /// given up, its locks go on to those who wait.
    pub fn roll_back(&mut self, transaction: Transaction) {
        let slot = self.transactions.slot(transaction);
        if let Phase::Waiting(place) = self.transactions.state(slot).phase {
            self.leave_queue(slot, place);
        }
        self.transactions.end_snapshot(slot, &mut self.tables);
        let mut held = std::mem::take(&mut self.transactions.state_mut(slot).held);
        for place in held.drain(..) {
            self.tables[place.table as usize].discard_pending(place.entry);
            self.release(place, false);
        }
        self.transactions.state_mut(slot).held = held;
        self.transactions.close(slot);
    }

    /// Makes what is pending at an entry its newest version; whether that changed anything.
    fn install(&mut self, place: Place, stamp: Stamp) -> bool {
        let Place { table, entry } = place;
        let of = &mut self.tables[table as usize];
        let pending = of.entry(entry).pending;
        if pending == NONE || (pending == DELETED && of.newest(entry).is_none()) {
            of.entry_mut(entry).pending = NONE;
            return false;
        }
        let version = RowVersion { table, entry, number: stamp.number };
        self.changes.note_pending(of, version, stamp.writer);
        let at = of.entry_mut(entry);
        at.pending = NONE;
        at.overdue = false;
        let observer = self.transactions.youngest_that_sees_newest(of, entry);
        if let Some(version) = of.install(entry, pending, stamp, observer.is_some())
            && let Some(observer) = observer
        {
            self.transactions.keep(observer, Kept { table, version });
        }
        true
    }

    /// Whether all that a serializable transaction has seen is still so.
    fn is_valid(&self, slot: u32, mut matches: impl FnMut(u32, &[Word]) -> bool) -> bool {
        let state = self.transactions.state(slot);
        let view = state.view.unwrap_or(EVERYTHING);
        let mut keys = &state.read_keys[..];
        for &table in &state.read_tables {
            let of = &self.tables[table as usize];
            let (key, rest) = keys.split_at(of.key_columns());
            keys = rest;
            if of.find(key).is_some_and(|entry| of.changed_since(entry, view)) {
                return false;
            }
        }
        state.scanned.iter().all(|scanned| self.scan_holds(*scanned, view, &mut matches))
    }

    /// Whether no row that has changed since a snapshot satisfies a predicate, as it was or as it is.
    fn scan_holds(
        &self,
        scanned: Scanned,
        view: u64,
        matches: &mut impl FnMut(u32, &[Word]) -> bool,
    ) -> bool {
        let of = &self.tables[scanned.table as usize];
        if of.changed() <= view {
            return true;
        }
        of.in_order().filter(|&entry| of.changed_since(entry, view)).all(|entry| {
            let both = [of.visible(entry, view), of.newest(entry)];
            !both.into_iter().flatten().any(|version| matches(scanned.predicate, of.words(version)))
        })
    }
}
