//! A table: keys, the versions of their rows, and the order in which rows came.
//!
//! A key has an *entry* while it has a committed row, a version that some snapshot still sees, or a
//! lock; an entry's slot stays the same for as long. A hash index leads from a key's words to its
//! slot and is never iterated: whoever wants all rows follows the order of their insertion.
//!
//! Keys, entries and their order are here; what becomes of versions is in [`super::versions`].

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::Hasher;

use super::order::{NONE, Order};
use super::versions::{Stamp, Version};
use super::{Row, TableShape, Word};

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

#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Its number within the store.
    pub(super) number: u32,
    pub(super) columns: usize,
    key: Vec<u32>,
    initial: Vec<Word>,
    index: HashTable<u32>,
    pub(super) entries: Vec<Entry>,
    /// The key of each entry, one after another.
    keys: Vec<Word>,
    free_entries: Vec<u32>,
    /// All versions, in chains and drafts; the words of each lie at the same slot of `words`.
    pub(super) versions: Vec<Version>,
    pub(super) words: Vec<Word>,
    pub(super) free_versions: Vec<u32>,
    /// Entries with a committed version, in the order in which their rows were inserted.
    pub(super) order: Order,
    pub(super) insertions: u64,
    pub(super) rows: usize,
    /// The commit that last changed a row.
    pub(super) changed: u64,
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

    /// Words that its rows and their bookkeeping take: what is free is used again, and never given back.
    pub(super) fn kept(&self) -> usize {
        let bookkeeping =
            self.versions.len() * size_of::<Version>() + self.entries.len() * size_of::<Entry>();
        // The index and the order take some four words for each entry.
        self.words.len() + self.keys.len() + 4 * self.entries.len() + bookkeeping / size_of::<Word>()
    }

    /// The words of its keys and of all versions, the initial ones, and some of rows that are gone.
    pub(super) fn all_words(&self) -> impl Iterator<Item = Word> {
        [&self.keys, &self.words, &self.initial].into_iter().flatten().copied()
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

    /// The committed rows, in insertion order.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.order.iter().filter_map(|entry| self.newest(entry)).map(|version| self.row(version))
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
pub(super) fn slot(index: usize) -> u32 {
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
