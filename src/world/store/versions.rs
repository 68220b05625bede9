//! The versions of rows.
//!
//! Those of one row form a chain, newest first. The newest may be a *deletion*, which is kept only
//! while an older version behind it is: a row that nobody sees leaves nothing behind. A version that a
//! transaction writes is a *draft*, in no chain, until it is installed.

use super::order::NONE;
use super::table::{DELETED, Entry, Table, slot};
use super::{Row, RowVersion, UNCOMMITTED, Word};

/// One version of a row.
#[derive(Clone, Debug)]
pub(super) struct Version {
    number: u64,
    writer: u64,
    /// When the row was inserted, among all insertions into this table.
    inserted: u64,
    entry: u32,
    older: u32,
    newer: u32,
    deleted: bool,
}

/// Who commits, and as which number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub number: u64,
    pub writer: u64,
}

impl Table {
    /// The version of an entry that a snapshot sees: the newest not after it; `None`: no row there.
    #[inline]
    pub(super) fn visible(&self, entry: u32, view: u64) -> Option<u32> {
        let mut version = self.entries[entry as usize].newest;
        while version != NONE {
            let Version { number, older, deleted, .. } = self.versions[version as usize];
            if number <= view {
                return (!deleted).then_some(version);
            }
            version = older;
        }
        None
    }

    /// The newest committed row of an entry.
    #[inline]
    pub(super) fn newest(&self, entry: u32) -> Option<u32> {
        let version = self.entries[entry as usize].newest;
        (version != NONE && !self.versions[version as usize].deleted).then_some(version)
    }

    /// Whether the newest version of an entry is a row that this commit wrote. The entry may have gone.
    pub(super) fn is_newest(&self, entry: u32, number: u64) -> bool {
        let known = self.entries.get(entry as usize).is_some();
        known && self.newest(entry).is_some_and(|version| self.number_of(version) == number)
    }

    /// Whether a row is another than the one a snapshot sees. A key that was absent then and is absent
    /// now has not changed, whatever came between.
    #[inline]
    pub(super) fn changed_since(&self, entry: u32, view: u64) -> bool {
        let newest = self.entries[entry as usize].newest;
        if newest == NONE || self.versions[newest as usize].number <= view {
            return false;
        }
        !self.versions[newest as usize].deleted || self.visible(entry, view).is_some()
    }

    /// The commit that wrote a version.
    #[inline]
    pub(super) fn number_of(&self, version: u32) -> u64 {
        self.versions[version as usize].number
    }

    /// When the row of a version was inserted, among all insertions into this table.
    #[inline]
    pub(super) fn inserted(&self, version: u32) -> u64 {
        self.versions[version as usize].inserted
    }

    /// The words of a version.
    #[inline]
    pub(super) fn words(&self, version: u32) -> &[Word] {
        let at = version as usize * self.columns;
        &self.words[at..at + self.columns]
    }

    /// A version as others see it.
    #[inline]
    pub(super) fn row(&self, version: u32) -> Row<'_> {
        let Version { number, writer, entry, .. } = self.versions[version as usize];
        let of = RowVersion { table: self.number, entry, number };
        Row { words: self.words(version), version: of, writer }
    }

    /// The version that the transaction at `slot` sees, whose snapshot is `view`: its own, or as others do.
    #[inline]
    pub(super) fn seen_by(&self, entry: u32, slot: u32, view: u64) -> Option<u32> {
        match self.entries[entry as usize] {
            Entry { holder, pending, .. } if holder == slot && pending != NONE => {
                (pending != DELETED).then_some(pending)
            }
            _ => self.visible(entry, view),
        }
    }

    /// Whether the transaction at `slot` has written a row where none is committed.
    #[inline]
    pub(super) fn inserts(&self, entry: u32, slot: u32) -> bool {
        let Entry { holder, pending, .. } = self.entries[entry as usize];
        holder == slot && pending < DELETED && self.newest(entry).is_none()
    }

    /// Stores words as a version that is not committed yet.
    pub(super) fn draft(&mut self, entry: u32, row: &[Word]) -> u32 {
        let inserted = self.newest(entry).map_or(u64::MAX, |newest| self.inserted(newest));
        let version = self.new_version(entry);
        self.versions[version as usize].inserted = inserted;
        self.set_words(version, row);
        version
    }

    /// Replaces the words of a version that is not committed yet.
    #[inline]
    pub(super) fn set_words(&mut self, version: u32, row: &[Word]) {
        let at = version as usize * self.columns;
        self.words[at..at + self.columns].copy_from_slice(row);
    }

    /// Throws away what the holder of an entry's lock has written.
    pub(super) fn discard_pending(&mut self, entry: u32) {
        let pending = std::mem::replace(&mut self.entries[entry as usize].pending, NONE);
        if pending < DELETED {
            self.free_versions.push(pending);
        }
    }

    /// Makes `next` (a draft or `DELETED`) the newest version of an entry. If the version it replaces
    /// is to be `kept` for a snapshot, its slot is returned, to be given to [`Table::forget`] later.
    pub(super) fn install(&mut self, entry: u32, next: u32, stamp: Stamp, kept: bool) -> Option<u32> {
        let old = self.entries[entry as usize].newest;
        let inserted = self.arrange(entry, next != DELETED);
        let new = if next == DELETED { self.new_version(entry) } else { next };
        let version = &mut self.versions[new as usize];
        version.number = stamp.number;
        version.writer = stamp.writer;
        version.inserted = inserted;
        version.deleted = next == DELETED;
        version.older = old;
        self.entries[entry as usize].newest = new;
        self.changed = stamp.number;
        if old == NONE {
            return None;
        }
        self.versions[old as usize].newer = new;
        if kept {
            return Some(old);
        }
        self.forget(old);
        None
    }

    /// Writes a row over the newest version, which no snapshot sees.
    pub(super) fn overwrite(&mut self, entry: u32, row: &[Word], stamp: Stamp) {
        match self.newest(entry) {
            Some(version) => {
                self.set_words(version, row);
                let version = &mut self.versions[version as usize];
                version.number = stamp.number;
                version.writer = stamp.writer;
                self.changed = stamp.number;
            }
            None => {
                let draft = self.draft(entry, row);
                self.install(entry, draft, stamp, false);
            }
        }
    }

    /// Frees a version that no snapshot sees, and the deletion before it if that hides nothing more.
    pub(super) fn forget(&mut self, version: u32) {
        let Version { entry, older, newer, .. } = self.versions[version as usize];
        self.versions[newer as usize].older = older;
        if older != NONE {
            self.versions[older as usize].newer = newer;
        }
        self.free_versions.push(version);
        let newest = self.entries[entry as usize].newest;
        let Version { older, deleted, .. } = self.versions[newest as usize];
        if deleted && older == NONE {
            self.free_versions.push(newest);
            self.entries[entry as usize].newest = NONE;
            self.order.remove(entry);
            self.drop_if_idle(entry);
        }
    }

    /// Keeps the count and the order of rows when an entry's newest version becomes a row, or ceases to
    /// be one, and tells when that row was inserted.
    fn arrange(&mut self, entry: u32, becomes_row: bool) -> u64 {
        let old = self.newest(entry);
        match (old, becomes_row) {
            (None, true) => {
                if self.entries[entry as usize].newest != NONE {
                    self.order.remove(entry);
                }
                self.order.append(entry);
                self.rows += 1;
                self.insertions += 1;
                self.insertions
            }
            (Some(old), true) => self.inserted(old),
            (Some(old), false) => {
                self.rows -= 1;
                self.inserted(old)
            }
            (None, false) => unreachable!("an absent row is not deleted"),
        }
    }

    fn new_version(&mut self, entry: u32) -> u32 {
        let fresh = Version {
            number: UNCOMMITTED,
            writer: UNCOMMITTED,
            inserted: 0,
            entry,
            older: NONE,
            newer: NONE,
            deleted: false,
        };
        if let Some(version) = self.free_versions.pop() {
            self.versions[version as usize] = fresh;
            return version;
        }
        self.versions.push(fresh);
        self.words.resize(self.versions.len() * self.columns, 0);
        slot(self.versions.len() - 1)
    }
}
