//! Statements that are transactions of their own, on one row whose lock nobody holds.
//!
//! Such a statement begins, writes and commits at one instant. No isolation can tell it from the long
//! way round: its snapshot would be the present, and nobody could wait for it. So it opens no
//! transaction. When the lock is held, the statement takes the long way, and waits.
//!
//! A version that outlives its time leaves in the same manner.

use super::order::NONE;
use super::table::DELETED;
use super::transaction::Kept;
use super::versions::Stamp;
use super::{Row, RowVersion, Store, Word};

/// What a statement on one row finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// Nobody holds the lock.
    Free(FreeRow),
    /// A transaction holds the lock.
    Locked,
}

/// A row, present or absent, whose lock nobody holds. Good until the store is called to change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeRow {
    table: u32,
    /// `NONE`: nothing is known of the key.
    entry: u32,
}

/// What became of a version whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The row is deleted, which [`Store::changes`] tells.
    Removed,
    /// The row has changed, or was deleted: the time of that version no longer counts.
    Superseded,
    /// A transaction holds the lock; a [`super::Wake`] comes when the lock is free and the version is
    /// still the newest.
    Locked,
}

impl Store {
    /// Looks at a row for a statement that is a transaction of its own.
    #[inline]
    pub fn glance(&self, table: u32, key: &[Word]) -> Glance {
        let of = &self.tables[table as usize];
        match of.find(key) {
            Some(entry) if of.entry(entry).holder != NONE => Glance::Locked,
            found => Glance::Free(FreeRow { table, entry: found.unwrap_or(NONE) }),
        }
    }

    /// The newest committed row of a key, locked or not; `None`: absent.
    #[inline]
    pub fn peek(&self, table: u32, key: &[Word]) -> Option<Row<'_>> {
        let of = &self.tables[table as usize];
        of.newest(of.find(key)?).map(|version| of.row(version))
    }

    /// The newest committed row; `None`: absent.
    #[inline]
    pub fn newest_alone(&self, row: FreeRow) -> Option<Row<'_>> {
        if row.entry == NONE {
            return None;
        }
        let of = &self.tables[row.table as usize];
        of.newest(row.entry).map(|version| of.row(version))
    }

    /// Writes a whole row and commits; [`Store::changes`] tells it.
    pub fn put_alone(&mut self, row: FreeRow, words: &[Word], writer: u64) {
        let FreeRow { table, entry } = row;
        self.commits += 1;
        let stamp = Stamp { number: self.commits, writer };
        let of = &mut self.tables[table as usize];
        let entry = if entry == NONE { of.add_row(words) } else { entry };
        debug_assert!(of.is_key_of(entry, words), "a row stays under its key");
        debug_assert_eq!(of.entry(entry).holder, NONE, "the lock is free");
        self.changes.clear();
        let version = RowVersion { table, entry, number: stamp.number };
        self.changes.note(of.newest(entry).map(|old| of.row(old)), version, writer, words);
        match self.transactions.youngest_that_sees_newest(of, entry) {
            None => of.overwrite(entry, words, stamp),
            Some(observer) => {
                let draft = of.draft(entry, words);
                if let Some(version) = of.install(entry, draft, stamp, true) {
                    self.transactions.keep(observer, Kept { table, version });
                }
            }
        }
    }

    /// Deletes a row and commits; of an absent row, nothing. [`Store::changes`] tells it.
    pub fn delete_alone(&mut self, row: FreeRow, writer: u64) {
        let FreeRow { table, entry } = row;
        self.changes.clear();
        let of = &mut self.tables[table as usize];
        if entry == NONE || of.newest(entry).is_none() {
            return;
        }
        debug_assert_eq!(of.entry(entry).holder, NONE, "the lock is free");
        self.commits += 1;
        let stamp = Stamp { number: self.commits, writer };
        let version = RowVersion { table, entry, number: stamp.number };
        self.changes.note(of.newest(entry).map(|old| of.row(old)), version, writer, &[]);
        let observer = self.transactions.youngest_that_sees_newest(of, entry);
        if let Some(version) = of.install(entry, DELETED, stamp, observer.is_some())
            && let Some(observer) = observer
        {
            self.transactions.keep(observer, Kept { table, version });
        }
    }

    /// Deletes a row whose time is over, if its newest version is still the one that the timer was for.
    pub fn remove_expired(&mut self, version: RowVersion, writer: u64) -> Expiry {
        let RowVersion { table, entry, number } = version;
        self.changes.clear();
        let of = &mut self.tables[table as usize];
        if !of.is_newest(entry, number) {
            return Expiry::Superseded;
        }
        if of.entry(entry).holder != NONE {
            of.entry_mut(entry).overdue = true;
            return Expiry::Locked;
        }
        self.delete_alone(FreeRow { table, entry }, writer);
        Expiry::Removed
    }
}
