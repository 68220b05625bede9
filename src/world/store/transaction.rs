//! Open transactions: what each has locked, read and scanned, and the snapshots that are alive.
//!
//! Snapshots end in any order but begin in the order of their numbers, so the live ones form a list
//! sorted by number. A version that has been replaced belongs to the youngest live snapshot that sees
//! it; when that one ends, the version passes to the next older one, or is forgotten if that one is
//! too old to see it. So exactly the versions that somebody sees are kept.

use super::order::{NONE, Order};
use super::table::Table;
use super::{Transaction, Word};

/// Sees every commit, past and future: the view of `read_committed`.
pub(super) const EVERYTHING: u64 = u64::MAX;

/// An entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub table: u32,
    pub entry: u32,
}

/// A version that a snapshot still sees although it has been replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub table: u32,
    pub version: u32,
}

/// A predicate that a serializable transaction has scanned a table for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanned {
    pub table: u32,
    pub predicate: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Free,
    Open,
    /// For the lock of an entry.
    Waiting(Place),
    /// It met a conflict and can only be rolled back.
    Doomed,
}

/// What is known of one open transaction. Its lists keep their room when the slot is used again.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub generation: u32,
    pub owner: u32,
    pub phase: Phase,
    /// The last commit it sees; `None`: it has not begun to look.
    pub view: Option<u64>,
    /// Entries whose lock it holds, in the order in which it got them.
    pub held: Vec<Place>,
    /// Tables whose keys it has read; the keys' words lie one after another in `read_keys`.
    pub read_tables: Vec<u32>,
    pub read_keys: Vec<Word>,
    pub scanned: Vec<Scanned>,
    /// Its neighbours in the queue for the lock that it waits for.
    pub waits_before: u32,
    pub waits_after: u32,
    kept: Vec<Kept>,
}

/// All transactions, by slot.
#[derive(Clone, Debug)]
pub(super) struct Transactions {
    states: Vec<State>,
    free: Vec<u32>,
    snapshots: Order,
}

impl Transactions {
    pub(super) fn new() -> Self {
        Self { states: Vec::new(), free: Vec::new(), snapshots: Order::new() }
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.states.len() - self.free.len()
    }

    pub(super) fn open(&mut self, owner: u32, view: Option<u64>) -> Transaction {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.states.push(State::new());
            (self.states.len() - 1) as u32
        });
        let state = &mut self.states[slot as usize];
        state.owner = owner;
        state.phase = Phase::Open;
        state.view = view;
        Transaction { slot, generation: state.generation }
    }

    /// Frees a slot that holds no locks and no snapshot any more.
    pub(super) fn close(&mut self, slot: u32) {
        let state = &mut self.states[slot as usize];
        debug_assert!(state.kept.is_empty() && state.held.is_empty());
        state.generation = state.generation.wrapping_add(1);
        state.phase = Phase::Free;
        state.read_tables.clear();
        state.read_keys.clear();
        state.scanned.clear();
        self.free.push(slot);
    }

    /// Whether the handle's transaction has neither committed nor rolled back.
    #[inline]
    pub(super) fn is_open(&self, transaction: Transaction) -> bool {
        self.states[transaction.slot as usize].generation == transaction.generation
    }

    /// The slot of an open transaction.
    #[inline]
    pub(super) fn slot(&self, transaction: Transaction) -> u32 {
        assert!(self.is_open(transaction), "the transaction has ended");
        transaction.slot
    }

    #[inline]
    pub(super) fn state(&self, slot: u32) -> &State {
        &self.states[slot as usize]
    }

    #[inline]
    pub(super) fn state_mut(&mut self, slot: u32) -> &mut State {
        &mut self.states[slot as usize]
    }

    /// The handle of an open slot.
    pub(super) fn handle(&self, slot: u32) -> Transaction {
        Transaction { slot, generation: self.states[slot as usize].generation }
    }

    /// What a transaction sees; from its first look on, the same.
    #[inline]
    pub(super) fn look(&mut self, slot: u32, last_commit: u64) -> u64 {
        if let Some(view) = self.states[slot as usize].view {
            return view;
        }
        self.states[slot as usize].view = Some(last_commit);
        self.snapshots.append(slot);
        last_commit
    }

    /// The youngest live snapshot that sees the newest version of an entry, row or deletion.
    #[inline]
    pub(super) fn youngest_that_sees_newest(&self, table: &Table, entry: u32) -> Option<u32> {
        let (youngest, newest) = (self.snapshots.last(), table.entry(entry).newest);
        if youngest == NONE || newest == NONE {
            return None;
        }
        self.sees(youngest, table.number_of(newest)).then_some(youngest)
    }

    /// Gives a replaced version to a snapshot that sees it.
    pub(super) fn keep(&mut self, slot: u32, kept: Kept) {
        self.states[slot as usize].kept.push(kept);
    }

    /// Ends a snapshot, if one was taken; the tables forget the versions that nobody sees any more.
    pub(super) fn end_snapshot(&mut self, slot: u32, tables: &mut [Table]) {
        if matches!(self.states[slot as usize].view, None | Some(EVERYTHING)) {
            return;
        }
        let older = self.snapshots.before(slot);
        self.snapshots.remove(slot);
        let mut kept = std::mem::take(&mut self.states[slot as usize].kept);
        for version in kept.drain(..) {
            let table = &mut tables[version.table as usize];
            if older != NONE && self.sees(older, table.number_of(version.version)) {
                self.keep(older, version);
            } else {
                table.forget(version.version);
            }
        }
        self.states[slot as usize].kept = kept;
    }

    fn sees(&self, snapshot: u32, number: u64) -> bool {
        self.states[snapshot as usize].view.is_some_and(|view| number <= view)
    }
}

impl State {
    fn new() -> Self {
        Self {
            generation: 0,
            owner: 0,
            phase: Phase::Free,
            view: None,
            held: Vec::new(),
            read_tables: Vec::new(),
            read_keys: Vec::new(),
            scanned: Vec::new(),
            waits_before: NONE,
            waits_after: NONE,
            kept: Vec::new(),
        }
    }
}
