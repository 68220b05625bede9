//! A table: keys, the versions of their rows, and the order in which rows came.
//!
//! A key has an *entry* while it has a committed row, a version that some snapshot still sees, or a
//! lock; an entry's slot stays the same for as long. A hash index leads from a key's words to its
//! slot and is never iterated: whoever wants all rows follows the order of their insertion.
//!
//! The versions of a row form a chain, newest first. The newest may be a *deletion*, which is kept
//! only while an older version behind it is: a row that nobody sees leaves nothing behind.

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::Hasher;

use super::order::{NONE, Order};
use super::{Row, RowVersion, TableShape, UNCOMMITTED, Word};

/// What stands for a deletion where an uncommitted version is expected.
pub(super) const DELETED: u32 = u32::MAX - 1;

/// One key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The newest committed version, a deletion perhaps; `NONE`: there is no row and no past.
    pub newest: u32,
    /// What the holder of the lock has written: a version, `DELETED`, or `NONE`.
    pub pending: u32,
    /// The transaction that holds the write lock, or `NONE`.
    pub holder: u32,
    /// The transactions that wait for the lock, first come first.
    pub first_waiter: u32,
    pub last_waiter: u32,
    /// The newest version outlived its time while the lock was held.
    pub overdue: bool,
}

/// One version of a row; its words lie at the same slot of `words`.
#[derive(Clone, Debug)]
struct Version {
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

#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Its number within the store.
    number: u32,
    columns: usize,
    key: Vec<u32>,
    initial: Vec<Word>,
    index: HashTable<u32>,
    entries: Vec<Entry>,
    /// The key of each entry, one after another.
    keys: Vec<Word>,
    free_entries: Vec<u32>,
    versions: Vec<Version>,
    words: Vec<Word>,
    free_versions: Vec<u32>,
    /// Entries with a committed version, in the order in which their rows were inserted.
    order: Order,
    insertions: u64,
    rows: usize,
    /// The commit that last changed a row.
    changed: u64,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(number: u32, shape: &TableShape) -> Self {
        assert!(!shape.key.is_empty(), "a table has a key");
        assert!(shape.key.iter().all(|&column| column < shape.columns), "key columns are columns");
        assert_eq!(shape.initial.len(), shape.columns as usize, "every column has an initial value");
        Self {
            number,
            columns: shape.columns as usize,
            key: shape.key.clone(),
            initial: shape.initial.clone(),
            index: HashTable::with_capacity(shape.rows.len()),
            entries: Vec::with_capacity(shape.rows.len()),
            keys: Vec::with_capacity(shape.rows.len() * shape.key.len()),
            free_entries: Vec::new(),
            versions: Vec::with_capacity(shape.rows.len()),
            words: Vec::with_capacity(shape.rows.len() * shape.columns as usize),
            free_versions: Vec::new(),
            order: Order::new(),
            insertions: 0,
            rows: 0,
            changed: 0,
        }
    }

    /// Puts rows in; of rows with the same key the last counts.
    pub(super) fn fill(&mut self, rows: &[Vec<Word>], stamp: Stamp) {
        for row in rows {
            let entry = self.find_row(row).unwrap_or_else(|| self.add_row(row));
            self.overwrite(entry, row, stamp);
        }
    }

    /// How many rows are committed.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// The last commit that changed a row.
    #[inline]
    pub(super) fn changed(&self) -> u64 {
        self.changed
    }

    /// Fills `row` with the initial values, and with `key`.
    pub(super) fn initial_row(&self, key: &[Word], row: &mut Vec<Word>) {
        row.clear();
        row.extend_from_slice(&self.initial);
        for (&column, &word) in self.key.iter().zip(key) {
            row[column as usize] = word;
        }
    }

    #[inline]
    pub(super) fn entry(&self, entry: u32) -> &Entry {
        &self.entries[entry as usize]
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, entry: u32) -> &mut Entry {
        &mut self.entries[entry as usize]
    }

    /// The words of an entry's key.
    #[inline]
    pub(super) fn key(&self, entry: u32) -> &[Word] {
        let at = entry as usize * self.key.len();
        &self.keys[at..at + self.key.len()]
    }

    /// How many columns the key has.
    #[inline]
    pub(super) fn key_columns(&self) -> usize {
        self.key.len()
    }

    /// Entries with a committed version, in insertion order of their rows.
    pub(super) fn in_order(&self) -> impl Iterator<Item = u32> {
        self.order.iter()
    }

    /// The entry of a key.
    #[inline]
    pub(super) fn find(&self, key: &[Word]) -> Option<u32> {
        debug_assert_eq!(key.len(), self.key.len());
        match key {
            [word] => self.index.find(hash_word(*word), |&entry| self.keys[entry as usize] == *word),
            _ => self.index.find(hash_words(key.iter().copied()), |&entry| self.key(entry) == key),
        }
        .copied()
    }

    /// The entry of a row's key.
    #[inline]
    pub(super) fn find_row(&self, row: &[Word]) -> Option<u32> {
        if let [column] = self.key[..] {
            return self.find(&row[column as usize..][..1]);
        }
        let hash = hash_words(self.key.iter().map(|&column| row[column as usize]));
        self.index.find(hash, |&entry| self.is_key_of(entry, row)).copied()
    }

    /// Whether a row belongs under an entry.
    pub(super) fn is_key_of(&self, entry: u32, row: &[Word]) -> bool {
        self.key(entry).iter().zip(&self.key).all(|(&word, &column)| word == row[column as usize])
    }

    /// Makes an entry for a key that has none.
    pub(super) fn add(&mut self, key: &[Word]) -> u32 {
        let entry = self.new_entry();
        let at = entry as usize * self.key.len();
        self.keys[at..at + key.len()].copy_from_slice(key);
        self.enter(entry)
    }

    /// Makes an entry for the key of a row that has none.
    pub(super) fn add_row(&mut self, row: &[Word]) -> u32 {
        let entry = self.new_entry();
        let at = entry as usize * self.key.len();
        for (word, &column) in self.keys[at..].iter_mut().zip(&self.key) {
            *word = row[column as usize];
        }
        self.enter(entry)
    }

    /// Forgets an entry that has no row, no past and no lock.
    pub(super) fn drop_if_idle(&mut self, entry: u32) {
        let Entry { newest, holder, .. } = self.entries[entry as usize];
        if newest != NONE || holder != NONE {
            return;
        }
        let hash = hash_words(self.key(entry).iter().copied());
        let found = self.index.find_entry(hash, |&other| other == entry);
        found.expect("an entry is in the index").remove();
        self.free_entries.push(entry);
    }

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

    /// The committed rows, in insertion order.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.order.iter().filter_map(|entry| self.newest(entry)).map(|version| self.row(version))
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

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.index.clear();
        self.entries.clear();
        self.keys.clear();
        self.free_entries.clear();
        self.versions.clear();
        self.words.clear();
        self.free_versions.clear();
        self.order.clear();
        self.rows = 0;
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

    fn new_entry(&mut self) -> u32 {
        let fresh = Entry {
            newest: NONE,
            pending: NONE,
            holder: NONE,
            first_waiter: NONE,
            last_waiter: NONE,
            overdue: false,
        };
        if let Some(entry) = self.free_entries.pop() {
            self.entries[entry as usize] = fresh;
            return entry;
        }
        self.entries.push(fresh);
        self.keys.resize(self.entries.len() * self.key.len(), 0);
        slot(self.entries.len() - 1)
    }

    fn enter(&mut self, entry: u32) -> u32 {
        let (keys, columns) = (&self.keys, self.key.len());
        let hash = |entry: &u32| hash_words(keys[*entry as usize * columns..][..columns].iter().copied());
        self.index.insert_unique(hash(&entry), entry, hash);
        entry
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

#[inline]
fn hash_word(word: Word) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(word);
    hasher.finish()
}

#[inline]
fn hash_words(words: impl Iterator<Item = Word>) -> u64 {
    let mut hasher = FxHasher::default();
    words.for_each(|word| hasher.write_u64(word));
    hasher.finish()
}

/// A position as a slot; the two highest numbers mean something else.
fn slot(index: usize) -> u32 {
    assert!(index < DELETED as usize, "a table holds fewer than 2^32 - 2 rows and versions");
    index as u32
}

/// What a table holds, for tests that nothing is left behind.
#[cfg(test)]
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Footprint {
    pub entries: usize,
    pub versions: usize,
    pub locked: usize,
    pub slots: usize,
}

#[cfg(test)]
impl Table {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint {
            entries: self.index.len(),
            versions: self.versions.len() - self.free_versions.len(),
            locked: self.index.iter().filter(|&&entry| self.entry(entry).holder != NONE).count(),
            slots: self.entries.len() + self.versions.len(),
        }
    }
}
