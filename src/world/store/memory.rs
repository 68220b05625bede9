//! Memory tables: what an instance keeps to itself, without transactions or locks, gone when it
//! restarts.
//!
//! # Law
//!
//! Every write takes effect at once. A table with a capacity never holds more rows: a row too many
//! drives out the least recently written one. Reading a row does not make it younger. Numbers of
//! versions go on through a restart, so that a timer from before it never fits a row from after it.
//!
//! ```
//! use eventflow::world::store::{TableShape, memory::*};
//!
//! let seen = TableShape { columns: 1, key: vec![0], initial: vec![0], rows: vec![] };
//! let mut memory = Memory::new(&[MemoryShape { table: seen, capacity: Some(2) }]);
//! for message in [1, 2, 1, 3] {
//!     memory.put(0, &[message], 0);
//! }
//! assert!(memory.read(0, &[2]).is_none(), "written least recently");
//! assert_eq!(memory.rows(0).map(|row| row.words[0]).collect::<Vec<_>>(), [1, 3]);
//! memory.clear();
//! assert_eq!(memory.len(0), 0);
//! ```

use super::changes::{Change, Changes};
use super::order::{NONE, Order};
use super::table::{DELETED, Table};
use super::versions::Stamp;
use super::{Expiry, INITIAL_WRITER, Row, RowVersion, TableShape, Word};

/// What a memory table looks like.
#[derive(Clone, Debug)]
pub struct MemoryShape {
    pub table: TableShape,
    /// The most rows it holds; `None`: any number.
    pub capacity: Option<u32>,
}

/// The memory tables of one instance.
#[derive(Clone, Debug)]
pub struct Memory {
    tables: Vec<MemoryTable>,
    /// How many writes have changed something.
    writes: u64,
    changes: Changes,
}

#[derive(Clone, Debug)]
struct MemoryTable {
    table: Table,
    capacity: Option<u32>,
    /// The rows it starts with.
    initial: Vec<Vec<Word>>,
    /// Entries in the order in which they were last written.
    written: Order,
}

impl Memory {
    /// Memory with the initial rows of its tables, which are numbered from 0 as given.
    pub fn new(shapes: &[MemoryShape]) -> Self {
        let table = |(number, shape): (u32, &MemoryShape)| MemoryTable {
            table: Table::new(number, &shape.table),
            capacity: shape.capacity,
            initial: shape.table.rows.clone(),
            written: Order::new(),
        };
        let tables = (0..).zip(shapes).map(table).collect();
        let mut memory = Self { tables, writes: 0, changes: Changes::default() };
        memory.fill();
        memory
    }

    /// The row of a key; `None`: absent.
    #[inline]
    pub fn read(&self, table: u32, key: &[Word]) -> Option<Row<'_>> {
        let of = &self.tables[table as usize].table;
        of.newest(of.find(key)?).map(|version| of.row(version))
    }

    /// All words that its rows are made of, or could be made of anew.
    pub fn words(&self) -> impl Iterator<Item = Word> {
        let initial = self.tables.iter().flat_map(|table| table.initial.iter().flatten().copied());
        self.tables.iter().flat_map(|table| table.table.all_words()).chain(initial)
    }

    /// Writes a whole row, absent or present. [`Memory::changes`] tells it, and after it the row that
    /// had to make room.
    pub fn put(&mut self, table: u32, words: &[Word], writer: u64) {
        self.changes.clear();
        self.writes += 1;
        let stamp = Stamp { number: self.writes, writer };
        let MemoryTable { table: of, written, .. } = &mut self.tables[table as usize];
        let entry = match of.find_row(words) {
            Some(entry) => {
                written.remove(entry);
                entry
            }
            None => of.add_row(words),
        };
        written.append(entry);
        let version = RowVersion { table, entry, number: stamp.number };
        self.changes.note(of.newest(entry).map(|old| of.row(old)), version, writer, words);
        of.overwrite(entry, words, stamp);
        self.make_room(table, writer);
    }

    /// Deletes a row; of an absent one, nothing. [`Memory::changes`] tells it.
    pub fn delete(&mut self, table: u32, key: &[Word], writer: u64) {
        self.changes.clear();
        if let Some(entry) = self.tables[table as usize].table.find(key) {
            self.remove(table, entry, writer);
        }
    }

    /// Deletes a row whose time is over, if it is still the version that the timer was for.
    /// Nothing here is ever [`Expiry::Locked`].
    pub fn remove_expired(&mut self, version: RowVersion, writer: u64) -> Expiry {
        let RowVersion { table, entry, number } = version;
        self.changes.clear();
        if !self.tables[table as usize].table.is_newest(entry, number) {
            return Expiry::Superseded;
        }
        self.remove(table, entry, writer);
        Expiry::Removed
    }

    /// What a restart leaves: the initial rows.
    pub fn clear(&mut self) {
        for MemoryTable { table, written, .. } in &mut self.tables {
            table.clear();
            written.clear();
        }
        self.fill();
    }

    /// The rows that the last write changed.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        self.changes.iter()
    }

    /// How many rows a table has.
    pub fn len(&self, table: u32) -> usize {
        self.tables[table as usize].table.len()
    }

    /// Words that all tables take, room for rows that are gone included.
    pub fn kept(&self) -> usize {
        self.tables.iter().map(|of| of.table.kept()).sum()
    }

    /// Words that a table takes.
    pub fn kept_in(&self, table: u32) -> usize {
        self.tables[table as usize].table.kept()
    }

    /// The rows of a table, in the order of their insertion.
    pub fn rows(&self, table: u32) -> impl Iterator<Item = Row<'_>> {
        self.tables[table as usize].table.rows()
    }

    /// Fills `row` with the columns' initial values under `key`: what an insertion starts from.
    pub fn initial_row(&self, table: u32, key: &[Word], row: &mut Vec<Word>) {
        self.tables[table as usize].table.initial_row(key, row);
    }

    fn fill(&mut self) {
        for table in 0..self.tables.len() {
            let rows = std::mem::take(&mut self.tables[table].initial);
            for row in &rows {
                self.put(table as u32, row, INITIAL_WRITER);
            }
            self.tables[table].initial = rows;
        }
        self.changes.clear();
    }

    fn make_room(&mut self, table: u32, writer: u64) {
        let MemoryTable { table: of, capacity, written, .. } = &self.tables[table as usize];
        let oldest = written.first();
        if oldest != NONE && capacity.is_some_and(|capacity| of.len() > capacity as usize) {
            self.remove(table, oldest, writer);
        }
    }

    fn remove(&mut self, table: u32, entry: u32, writer: u64) {
        self.writes += 1;
        let stamp = Stamp { number: self.writes, writer };
        let MemoryTable { table: of, written, .. } = &mut self.tables[table as usize];
        let version = RowVersion { table, entry, number: stamp.number };
        self.changes.note(of.newest(entry).map(|old| of.row(old)), version, writer, &[]);
        written.remove(entry);
        of.install(entry, DELETED, stamp, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(capacity: Option<u32>, rows: Vec<Vec<Word>>) -> Memory {
        let table = TableShape { columns: 2, key: vec![0], initial: vec![0, 9], rows };
        Memory::new(&[MemoryShape { table, capacity }])
    }

    fn keys(memory: &Memory) -> Vec<Word> {
        memory.rows(0).map(|row| row.words[0]).collect()
    }

    #[test]
    fn the_least_recently_written_row_makes_room_and_reading_does_not_save_it() {
        let mut memory = memory(Some(3), vec![]);
        for key in [1, 2, 3] {
            memory.put(0, &[key, 0], 5);
        }
        memory.put(0, &[1, 1], 5);
        assert!(memory.read(0, &[2]).is_some());
        memory.put(0, &[4, 0], 6);
        assert_eq!(keys(&memory), [1, 3, 4]);
        let changes: Vec<_> =
            memory.changes().map(|change| (change.old.map(|old| old.words), change.new)).collect();
        assert_eq!(changes, [(None, Some(&[4, 0][..])), (Some(&[2, 0][..]), None)]);
    }

    #[test]
    fn a_table_without_room_keeps_nothing() {
        let mut memory = memory(Some(0), vec![]);
        memory.put(0, &[1, 0], 0);
        assert_eq!((memory.len(0), memory.changes().len()), (0, 2));
    }

    #[test]
    fn a_timer_removes_only_the_version_it_was_for_also_across_a_restart() {
        let mut memory = memory(None, vec![]);
        memory.put(0, &[1, 0], 0);
        let first = memory.read(0, &[1]).unwrap().version;
        memory.put(0, &[1, 0], 0);
        let second = memory.read(0, &[1]).unwrap().version;
        assert_eq!(memory.remove_expired(first, 0), Expiry::Superseded);
        memory.clear();
        memory.put(0, &[1, 0], 0);
        assert_eq!(memory.remove_expired(second, 0), Expiry::Superseded);
        let third = memory.read(0, &[1]).unwrap().version;
        assert_eq!(memory.remove_expired(third, 0), Expiry::Removed);
        assert_eq!(memory.remove_expired(third, 0), Expiry::Superseded);
        assert_eq!(memory.len(0), 0);
    }

    #[test]
    fn a_restart_leaves_the_initial_rows() {
        let mut memory = memory(None, vec![vec![7, 1], vec![8, 1]]);
        memory.put(0, &[7, 2], 0);
        memory.delete(0, &[8], 0);
        memory.delete(0, &[99], 0);
        assert_eq!(memory.changes().len(), 0, "an absent row is not deleted");
        memory.clear();
        let rows: Vec<_> = memory.rows(0).map(|row| (row.words.to_vec(), row.writer)).collect();
        assert_eq!(rows, [(vec![7, 1], INITIAL_WRITER), (vec![8, 1], INITIAL_WRITER)]);
        let mut row = Vec::new();
        memory.initial_row(0, &[3], &mut row);
        assert_eq!(row, [3, 9]);
    }

    #[test]
    fn room_is_used_again() {
        let mut memory = memory(Some(10), vec![]);
        for key in 0..100_000 {
            memory.put(0, &[key, 0], 0);
        }
        assert!(memory.tables[0].table.footprint().slots <= 22 + 2, "ten rows, one too many, one deletion");
        assert_eq!(keys(&memory), (99_990..100_000).collect::<Vec<_>>());
    }
}
