//! A store: tables of rows, transactions, locks and versions, as a pure state machine.
//!
//! It knows no time. Whoever drives it calls it at the instants at which statements take effect and
//! waits on behalf of those that have to wait. The same calls in the same order give the same answers:
//! rows come in the order of their insertion, waiters in the order of their arrival, and nothing
//! follows the order of a hash.
//!
//! # Law
//!
//! - A write takes the row's lock, which is held until its transaction ends. Absent rows have locks
//!   too. Waiters are served first come first; who would close a cycle of waiting meets a conflict.
//! - Under the lock, [`Store::newest`] is the newest committed row, or what the transaction itself has
//!   written. One update is therefore atomic at every isolation.
//! - `read_committed`: a plain read sees the newest committed row, or its own, and never waits.
//! - `snapshot`: reads see what was committed at the transaction's first step. Locking a row that has
//!   changed since is a conflict; who waits for a lock meets one when the holder commits a change,
//!   and gets the lock if the holder rolls back or leaves the row as it was.
//! - `serializable`: as snapshot; and at its end the transaction is validated: a key it read, present
//!   or absent, has not changed; and no row that has changed satisfies, as it was or as it is, a
//!   predicate the transaction scanned for. Committed transactions are then as if run one after
//!   another, in the order of their commits.
//! - A row *has changed* since a snapshot if its newest version is not the one seen there. A key that
//!   was absent and is absent again has not changed.
//! - After a conflict a transaction can only be rolled back, which is the caller's to do.
//!
//! Its statements follow one another: while a transaction waits, it is asked for nothing.
//!
//! ```
//! use eventflow::world::store::*;
//!
//! // One table with the columns `sku` (its key) and `reserved`, and one row.
//! let stock = TableShape { columns: 2, key: vec![0], initial: vec![0, 0], rows: vec![vec![7, 100]] };
//! let mut store = Store::new(Isolation::ReadCommitted, &[stock]);
//!
//! let first = store.begin(1);
//! let Access::Granted(row) = store.lock(first, 0, &[7]) else { unreachable!() };
//! let reserved = store.newest(row).map_or(0, |row| row.words[1]);
//! store.put(row, &[7, reserved + 5]);
//!
//! let second = store.begin(2);
//! assert_eq!(store.lock(second, 0, &[7]), Access::Waits);
//! assert_eq!(store.read(second, 0, &[7]).map(|row| row.words[1]), Some(100));
//!
//! store.commit(first, 11, |_, _| unreachable!("nothing was scanned")).unwrap();
//! assert_eq!(store.changes().map(|change| change.new).collect::<Vec<_>>(), [Some(&[7, 105][..])]);
//! let Some(Wake::Granted { owner: 2, row }) = store.next_wake() else { unreachable!() };
//! assert_eq!(store.newest(row).map(|row| (row.words[1], row.writer)), Some((105, 11)));
//! ```

mod alone;
mod changes;
mod commit;
mod locks;
pub mod memory;
mod order;
mod table;
mod transaction;
mod versions;

#[cfg(test)]
mod tests;

pub use alone::{Expiry, FreeRow, Glance};
pub use changes::Change;

pub use crate::kernel::vocabulary::Isolation;

use changes::Changes;
use order::NONE;
use std::collections::VecDeque;
use table::{DELETED, Table};
use transaction::{EVERYTHING, Place, Scanned, Transactions};
use versions::Stamp;

/// A value. Its type is known where it is used.
pub type Word = u64;

/// The writer of rows that were there at the start.
pub const INITIAL_WRITER: u64 = u64::MAX;

/// The version number and the writer of what a transaction has written and not yet committed.
pub const UNCOMMITTED: u64 = u64::MAX - 1;

/// What a table looks like.
#[derive(Clone, Debug)]
pub struct TableShape {
    /// How many columns, those of the key among them.
    pub columns: u32,
    /// The positions of the key's columns, one at least.
    pub key: Vec<u32>,
    /// What each column starts with in a new row; the key's are not used.
    pub initial: Vec<Word>,
    /// The rows at the start. Of rows with the same key the last counts.
    pub rows: Vec<Vec<Word>>,
}

/// An open transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    slot: u32,
    generation: u32,
}

/// A row, present or absent, whose lock a transaction holds. Good until that transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockedRow {
    transaction: Transaction,
    place: Place,
}

/// The answer to one who wants a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Granted(LockedRow),
    /// A [`Wake`] will tell how the wait ended.
    Waits,
    /// The transaction has to be rolled back.
    Conflict,
}

/// Validation failed, or an earlier conflict was passed over: the transaction has to be rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict;

/// Something that others' ends have made possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The transaction of `owner` got the lock that it waited for.
    Granted { owner: u32, row: LockedRow },
    /// The row that it waited for has changed: it has to be rolled back.
    Conflict { owner: u32, transaction: Transaction },
    /// The lock that kept this version from expiring is free: [`Store::remove_expired`] is due again.
    Overdue(RowVersion),
}

/// Which version of which row. It names one version only, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowVersion {
    pub table: u32,
    entry: u32,
    /// The commit that made it, counted through the store from 1; 0 of initial rows.
    pub number: u64,
}

/// A row as someone sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<'a> {
    /// One for each column.
    pub words: &'a [Word],
    pub version: RowVersion,
    /// What was given to the commit that wrote it.
    pub writer: u64,
}

/// Tables, and the transactions on them.
#[derive(Clone, Debug)]
pub struct Store {
    isolation: Isolation,
    tables: Vec<Table>,
    transactions: Transactions,
    /// How many commits have changed something.
    commits: u64,
    changes: Changes,
    wakes: VecDeque<Wake>,
    /// The versions that the last scan saw.
    seen: Vec<u32>,
}

impl Store {
    /// A store with the initial rows of its tables, which are numbered from 0 as given.
    pub fn new(isolation: Isolation, tables: &[TableShape]) -> Self {
        let stamp = Stamp { number: 0, writer: INITIAL_WRITER };
        let table = |(number, shape): (u32, &TableShape)| {
            let mut table = Table::new(number, shape);
            table.fill(&shape.rows, stamp);
            table
        };
        let tables = (0..).zip(tables).map(table).collect();
        Self {
            isolation,
            tables,
            transactions: Transactions::new(),
            commits: 0,
            changes: Changes::default(),
            wakes: VecDeque::new(),
            seen: Vec::new(),
        }
    }

    /// Opens a transaction for `owner`, who is named when a wait of it ends.
    pub fn begin(&mut self, owner: u32) -> Transaction {
        let view = (self.isolation == Isolation::ReadCommitted).then_some(EVERYTHING);
        self.transactions.open(owner, view)
    }

    /// Whether a transaction has neither committed nor rolled back.
    pub fn is_open(&self, transaction: Transaction) -> bool {
        self.transactions.is_open(transaction)
    }

    /// How many transactions are open.
    pub fn open_transactions(&self) -> usize {
        self.transactions.len()
    }

    /// The row of a key as a transaction sees it; `None`: absent. It never waits.
    pub fn read(&mut self, transaction: Transaction, table: u32, key: &[Word]) -> Option<Row<'_>> {
        let slot = self.transactions.slot(transaction);
        let view = self.transactions.look(slot, self.commits);
        let of = &self.tables[table as usize];
        let entry = of.find(key);
        // What is locked by the reader cannot be changed by others, so it needs no validation.
        let own = entry.is_some_and(|entry| of.entry(entry).holder == slot);
        if self.isolation == Isolation::Serializable && !own {
            let state = self.transactions.state_mut(slot);
            state.read_tables.push(table);
            state.read_keys.extend_from_slice(key);
        }
        of.seen_by(entry?, slot, view).map(|version| of.row(version))
    }

    /// The row of a key as a transaction that has begun to look sees it, without counting as a read of it.
    pub fn seen(&self, transaction: Transaction, table: u32, key: &[Word]) -> Option<Row<'_>> {
        let slot = self.transactions.slot(transaction);
        let view = self.transactions.state(slot).view.unwrap_or(EVERYTHING);
        let of = &self.tables[table as usize];
        of.seen_by(of.find(key)?, slot, view).map(|version| of.row(version))
    }

    /// The rows of a table as a transaction sees them, in the order of their insertion; its own
    /// insertions last, in the order in which it locked them. The length is the number of rows read.
    ///
    /// Under `serializable` the scan counts as one for `predicate`, which [`Store::commit`] hands back.
    pub fn scan(
        &mut self,
        transaction: Transaction,
        table: u32,
        predicate: u32,
    ) -> impl ExactSizeIterator<Item = Row<'_>> {
        let slot = self.transactions.slot(transaction);
        let view = self.transactions.look(slot, self.commits);
        if self.isolation == Isolation::Serializable {
            self.transactions.state_mut(slot).scanned.push(Scanned { table, predicate });
        }
        let of = &self.tables[table as usize];
        self.seen.clear();
        let others = of.in_order().filter(|&entry| !of.inserts(entry, slot));
        self.seen.extend(others.filter_map(|entry| of.seen_by(entry, slot, view)));
        // A row that was deleted and inserted again has moved, but not for a snapshot of the time before.
        if !self.seen.is_sorted_by_key(|&version| of.inserted(version)) {
            self.seen.sort_by_key(|&version| of.inserted(version));
        }
        let held = &self.transactions.state(slot).held;
        let inserts = held.iter().filter(|place| place.table == table && of.inserts(place.entry, slot));
        self.seen.extend(inserts.map(|place| of.entry(place.entry).pending));
        self.seen.iter().map(move |&version| of.row(version))
    }

    /// The newest committed row, or what the transaction itself has written; `None`: absent.
    #[inline]
    pub fn newest(&self, row: LockedRow) -> Option<Row<'_>> {
        let slot = self.check(row);
        let of = &self.tables[row.place.table as usize];
        of.seen_by(row.place.entry, slot, EVERYTHING).map(|version| of.row(version))
    }

    /// The key under which a row is, or would be.
    pub fn key(&self, row: LockedRow) -> &[Word] {
        self.tables[row.place.table as usize].key(row.place.entry)
    }

    /// Writes a whole row, absent or present, under its key.
    pub fn put(&mut self, row: LockedRow, words: &[Word]) {
        self.check(row);
        let Place { table, entry } = row.place;
        let of = &mut self.tables[table as usize];
        debug_assert!(of.is_key_of(entry, words), "a row stays under its key");
        match of.entry(entry).pending {
            NONE | DELETED => {
                let draft = of.draft(entry, words);
                of.entry_mut(entry).pending = draft;
            }
            draft => of.set_words(draft, words),
        }
    }

    /// Deletes a row; of an absent one, nothing.
    pub fn delete(&mut self, row: LockedRow) {
        self.check(row);
        let Place { table, entry } = row.place;
        let of = &mut self.tables[table as usize];
        of.discard_pending(entry);
        of.entry_mut(entry).pending = DELETED;
    }

    /// The changed rows of the last commit, in the order in which they were locked.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        self.changes.iter()
    }

    /// The next thing that the end of a transaction has made possible, oldest first. To be asked for
    /// after each commit and roll back until there is none, before anything else is done.
    pub fn next_wake(&mut self) -> Option<Wake> {
        while let Some(wake) = self.wakes.pop_front() {
            let transaction = match wake {
                Wake::Granted { row, .. } => row.transaction,
                Wake::Conflict { transaction, .. } => transaction,
                Wake::Overdue(_) => return Some(wake),
            };
            // Who was rolled back in the meantime waits for nothing.
            if self.transactions.is_open(transaction) {
                return Some(wake);
            }
        }
        None
    }

    /// How many rows of a table are committed.
    pub fn len(&self, table: u32) -> usize {
        self.tables[table as usize].len()
    }

    /// All words that its rows, old versions and open transactions are made of, or could be made of anew.
    pub fn words(&self) -> impl Iterator<Item = Word> {
        self.tables.iter().flat_map(Table::all_words)
    }

    /// Words that all tables take, room for rows that are gone included.
    pub fn kept(&self) -> usize {
        self.tables.iter().map(Table::kept).sum()
    }

    /// Words that a table takes.
    pub fn kept_in(&self, table: u32) -> usize {
        self.tables[table as usize].kept()
    }

    /// The committed rows of a table, in the order of their insertion.
    pub fn rows(&self, table: u32) -> impl Iterator<Item = Row<'_>> {
        self.tables[table as usize].rows()
    }

    /// Fills `row` with the columns' initial values under `key`: what an insertion starts from.
    pub fn initial_row(&self, table: u32, key: &[Word], row: &mut Vec<Word>) {
        self.tables[table as usize].initial_row(key, row);
    }

    /// The slot of the transaction that holds the lock of a row.
    #[inline]
    fn check(&self, row: LockedRow) -> u32 {
        let slot = self.transactions.slot(row.transaction);
        let holder = self.tables[row.place.table as usize].entry(row.place.entry).holder;
        debug_assert_eq!(holder, slot, "the lock is held");
        slot
    }
}
