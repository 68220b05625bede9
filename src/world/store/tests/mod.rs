//! The store against its law: by hand, and at random against a slow model of it.

mod anomalies;
mod model;
mod random;
mod versions;
mod waiting;

use super::*;

/// Columns `key` and `value`.
fn store(isolation: Isolation, rows: &[[Word; 2]]) -> Store {
    let rows = rows.iter().map(|row| row.to_vec()).collect();
    Store::new(isolation, &[TableShape { columns: 2, key: vec![0], initial: vec![0, 0], rows }])
}

fn granted(access: Access) -> LockedRow {
    match access {
        Access::Granted(row) => row,
        other => panic!("expected the lock, got {other:?}"),
    }
}

/// Locks and writes a row that nobody else has locked.
fn put(store: &mut Store, transaction: Transaction, key: Word, value: Word) {
    let row = granted(store.lock(transaction, 0, &[key]));
    store.put(row, &[key, value]);
}

fn value(store: &mut Store, transaction: Transaction, key: Word) -> Option<Word> {
    store.read(transaction, 0, &[key]).map(|row| row.words[1])
}

fn scan(store: &mut Store, transaction: Transaction) -> Vec<[Word; 2]> {
    store.scan(transaction, 0, 0).map(|row| [row.words[0], row.words[1]]).collect()
}

/// Commits where nothing is scanned, or every row is meant.
fn commit(store: &mut Store, transaction: Transaction) -> Result<(), Conflict> {
    store.commit(transaction, 0, |_, _| true)
}

fn committed(store: &Store) -> Vec<[Word; 2]> {
    store.rows(0).map(|row| [row.words[0], row.words[1]]).collect()
}

fn wakes(store: &mut Store) -> Vec<Wake> {
    std::iter::from_fn(|| store.next_wake()).collect()
}

/// The row of the one wake there is.
fn woken(store: &mut Store, expected: u32) -> LockedRow {
    match wakes(store)[..] {
        [Wake::Granted { owner, row }] if owner == expected => row,
        ref other => panic!("expected the lock for {expected}, got {other:?}"),
    }
}

/// One statement that is a transaction of its own.
fn put_alone(store: &mut Store, key: Word, value: Word) {
    match store.glance(0, &[key]) {
        Glance::Free(row) => store.put_alone(row, &[key, value], 0),
        Glance::Locked => panic!("the row is locked"),
    }
}

fn delete_alone(store: &mut Store, key: Word) {
    match store.glance(0, &[key]) {
        Glance::Free(row) => store.delete_alone(row, 0),
        Glance::Locked => panic!("the row is locked"),
    }
}

/// Nothing is locked, open or kept: there are as many entries and versions as rows.
fn assert_nothing_left(store: &Store) {
    assert_eq!(store.open_transactions(), 0);
    for table in &store.tables {
        let footprint = table.footprint();
        assert_eq!((footprint.locked, footprint.entries, footprint.versions), (0, table.len(), table.len()));
    }
}
