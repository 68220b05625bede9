//! Versions: who wrote them, in which order rows come, how long old ones are kept, how they expire.

use super::*;
use Isolation::*;

#[test]
fn changes_tell_the_row_before_and_after_with_their_writers() {
    let mut store = store(ReadCommitted, &[[1, 10], [2, 20]]);
    let one = store.begin(0);
    put(&mut store, one, 3, 30);
    put(&mut store, one, 1, 11);
    for key in [2, 99] {
        let row = granted(store.lock(one, 0, &[key]));
        store.delete(row);
    }
    granted(store.lock(one, 0, &[50]));
    assert_eq!(store.commit(one, 77, |_, _| true), Ok(()));
    let changes: Vec<_> = store
        .changes()
        .map(|change| (change.old.map(|old| (old.words, old.version.number, old.writer)), change.new))
        .collect();
    let initial = |words| Some((words, 0, INITIAL_WRITER));
    assert_eq!(
        changes,
        [
            (None, Some(&[3, 30][..])),
            (initial(&[1, 10][..]), Some(&[1, 11][..])),
            (initial(&[2, 20][..]), None)
        ],
        "the absent row and the one only locked have not changed"
    );
    assert!(store.changes().all(|change| (change.writer, change.version.number) == (77, 1)));
    let row = store.peek(0, &[1]).unwrap();
    assert_eq!((row.words, row.version.number, row.writer), (&[1, 11][..], 1, 77));
    assert_eq!(store.len(0), 2);
}

#[test]
fn a_commit_without_a_change_is_not_counted() {
    let mut store = store(Snapshot, &[[1, 10]]);
    let one = store.begin(0);
    granted(store.lock(one, 0, &[1]));
    assert_eq!(commit(&mut store, one), Ok(()));
    delete_alone(&mut store, 5);
    put_alone(&mut store, 1, 11);
    assert_eq!(store.peek(0, &[1]).unwrap().version.number, 1);
}

#[test]
fn rows_come_in_the_order_of_insertion_and_own_insertions_last() {
    let mut store = store(Snapshot, &[[5, 0], [3, 0], [9, 0], [1, 0]]);
    let early = store.begin(0);
    assert_eq!(scan(&mut store, early), [[5, 0], [3, 0], [9, 0], [1, 0]]);
    delete_alone(&mut store, 5);
    put_alone(&mut store, 9, 1);
    put_alone(&mut store, 5, 2);
    assert_eq!(committed(&store), [[3, 0], [9, 1], [1, 0], [5, 2]], "inserted again is inserted last");
    assert_eq!(scan(&mut store, early), [[5, 0], [3, 0], [9, 0], [1, 0]], "not so for who looked before");
    let late = store.begin(0);
    put(&mut store, late, 7, 0);
    put(&mut store, late, 0, 0);
    put(&mut store, late, 1, 3);
    let row = granted(store.lock(late, 0, &[3]));
    store.delete(row);
    assert_eq!(scan(&mut store, late), [[9, 1], [1, 3], [5, 2], [7, 0], [0, 0]]);
    assert_eq!(commit(&mut store, late), Ok(()));
    assert_eq!(committed(&store), [[9, 1], [1, 3], [5, 2], [7, 0], [0, 0]]);
    store.roll_back(early);
    assert_nothing_left(&store);
}

#[test]
fn the_order_of_rows_follows_from_the_calls_alone() {
    // Keys that a hash order would mix, deletions that free slots, and stores of other capacities.
    let keys: Vec<Word> = (0..500).map(|n: Word| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7).collect();
    let run = |initial: usize| {
        let rows: Vec<_> = keys[..initial].iter().map(|&key| [key, 0]).collect();
        let mut store = store(Serializable, &rows);
        keys[initial..].iter().for_each(|&key| put_alone(&mut store, key, 0));
        keys.iter().step_by(3).for_each(|&key| delete_alone(&mut store, key));
        keys.iter().step_by(6).for_each(|&key| put_alone(&mut store, key, 1));
        committed(&store)
    };
    let survivors = keys.iter().enumerate().filter(|(n, _)| n % 3 != 0).map(|(_, &key)| [key, 0]);
    let returned = keys.iter().step_by(6).map(|&key| [key, 1]);
    let expected: Vec<_> = survivors.chain(returned).collect();
    for initial in [0, 250, 500] {
        assert_eq!(run(initial), expected);
    }
}

#[test]
fn memory_stays_flat_over_a_million_updates() {
    let mut store = store(Snapshot, &(0..100).map(|key| [key, 0]).collect::<Vec<_>>());
    let early = store.begin(0);
    let before = scan(&mut store, early);
    let mut recent = store.begin(1);
    for n in 0..1_000_000 {
        let key = n * 7 % 100;
        if n % 3 == 0 {
            let one = store.begin(2);
            put(&mut store, one, key, n);
            assert_eq!(commit(&mut store, one), Ok(()));
        } else {
            put_alone(&mut store, key, n);
        }
        if n % 64 == 0 {
            store.roll_back(recent);
            recent = store.begin(1);
            value(&mut store, recent, 0);
        }
        if n % 5 == 0 {
            delete_alone(&mut store, n % 100);
        }
    }
    let footprint = store.tables[0].footprint();
    assert!(footprint.versions <= 400, "one for each row and snapshot: {footprint:?}");
    assert!(footprint.slots <= 600, "{footprint:?}");
    assert_eq!(scan(&mut store, early), before, "what a snapshot sees is kept");
    store.roll_back(early);
    store.roll_back(recent);
    assert_nothing_left(&store);
}

#[test]
fn keys_that_come_and_go_leave_nothing_behind() {
    let mut store = store(ReadCommitted, &[]);
    for key in 0..200_000 {
        put_alone(&mut store, key, 0);
        if key >= 10 {
            delete_alone(&mut store, key - 10);
        }
    }
    assert_eq!(store.len(0), 10);
    assert!(store.tables[0].footprint().slots <= 24);
    assert_nothing_left(&store);
}

#[test]
fn a_timer_removes_only_the_version_it_was_for() {
    let mut store = store(ReadCommitted, &[[1, 0]]);
    let first = store.peek(0, &[1]).unwrap().version;
    put_alone(&mut store, 1, 1);
    let second = store.peek(0, &[1]).unwrap().version;
    assert_eq!(store.remove_expired(first, 0), Expiry::Superseded);
    assert_eq!(store.remove_expired(second, 8), Expiry::Removed);
    let change = store.changes().next().unwrap();
    assert_eq!((change.old.map(|old| old.words), change.new, change.writer), (Some(&[1, 1][..]), None, 8));
    put_alone(&mut store, 2, 0);
    assert_eq!(store.remove_expired(second, 0), Expiry::Superseded, "another key has its slot");
    assert_eq!(committed(&store), [[2, 0]]);
}

#[test]
fn a_version_does_not_expire_under_a_lock_but_after_it() {
    for changes in [false, true] {
        let mut store = store(Snapshot, &[[1, 0]]);
        let version = store.peek(0, &[1]).unwrap().version;
        let (first, second) = (store.begin(1), store.begin(2));
        granted(store.lock(first, 0, &[1]));
        assert_eq!(store.remove_expired(version, 0), Expiry::Locked);
        assert_eq!(store.lock(second, 0, &[1]), Access::Waits);
        store.roll_back(first);
        let row = woken(&mut store, 2);
        assert!(store.newest(row).is_some());
        if changes {
            store.put(row, &[1, 1]);
        }
        assert_eq!(commit(&mut store, second), Ok(()));
        if changes {
            assert_eq!(wakes(&mut store), []);
            assert_eq!(committed(&store), [[1, 1]]);
        } else {
            assert_eq!(wakes(&mut store), [Wake::Overdue(version)]);
            assert_eq!(store.remove_expired(version, 0), Expiry::Removed);
            assert!(committed(&store).is_empty());
        }
        assert_nothing_left(&store);
    }
}

#[test]
fn keys_of_several_columns_may_lie_anywhere_in_the_row() {
    let shape = TableShape { columns: 3, key: vec![2, 0], initial: vec![0, 7, 0], rows: vec![vec![1, 9, 2]] };
    let mut store = Store::new(ReadCommitted, &[shape]);
    assert!(store.peek(0, &[1, 2]).is_none());
    assert_eq!(store.peek(0, &[2, 1]).map(|row| row.words), Some(&[1, 9, 2][..]));
    let mut row = Vec::new();
    store.initial_row(0, &[5, 6], &mut row);
    assert_eq!(row, [6, 7, 5]);
    let Glance::Free(free) = store.glance(0, &[5, 6]) else { panic!("nobody locks it") };
    assert!(store.newest_alone(free).is_none());
    store.put_alone(free, &row, 0);
    assert_eq!(store.peek(0, &[5, 6]).map(|row| row.words), Some(&[6, 7, 5][..]));
    let Glance::Free(free) = store.glance(0, &[5, 6]) else { panic!("nobody locks it") };
    store.delete_alone(free, 0);
    assert!(store.peek(0, &[5, 6]).is_none());
    assert_nothing_left(&store);
}

#[test]
fn of_initial_rows_with_the_same_key_the_last_counts() {
    assert_eq!(committed(&store(Snapshot, &[[1, 1], [2, 1], [1, 2]])), [[1, 2], [2, 1]]);
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut store = store(Snapshot, &[[1, 0]]);
    let one = store.begin(0);
    put(&mut store, one, 1, 1);
    let mut other = store.clone();
    assert_eq!(commit(&mut store, one), Ok(()));
    other.roll_back(one);
    assert_eq!((committed(&store), committed(&other)), (vec![[1, 1]], vec![[1, 0]]));
}
