//! Which anomaly which isolation lets through, one interleaving each.

use super::*;
use Isolation::*;

const ALL: [Isolation; 3] = [ReadCommitted, Snapshot, Serializable];

#[test]
fn a_dirty_read_never_happens() {
    for isolation in ALL {
        let mut store = store(isolation, &[[1, 10]]);
        let (writer, reader) = (store.begin(0), store.begin(1));
        put(&mut store, writer, 1, 11);
        put(&mut store, writer, 2, 20);
        assert_eq!(value(&mut store, writer, 1), Some(11), "its own write it sees");
        assert_eq!((value(&mut store, reader, 1), value(&mut store, reader, 2)), (Some(10), None));
        assert_eq!(scan(&mut store, reader), [[1, 10]]);
        store.roll_back(writer);
        assert_eq!(committed(&store), [[1, 10]]);
        assert_eq!(commit(&mut store, reader), Ok(()));
        assert_nothing_left(&store);
    }
}

#[test]
fn a_read_is_repeatable_from_snapshot_on() {
    for (isolation, again) in [(ReadCommitted, 11), (Snapshot, 10), (Serializable, 10)] {
        let mut store = store(isolation, &[[1, 10]]);
        let reader = store.begin(0);
        assert_eq!(value(&mut store, reader, 1), Some(10));
        put_alone(&mut store, 1, 11);
        assert_eq!(value(&mut store, reader, 1), Some(again));
        let ends = if isolation == Serializable { Err(Conflict) } else { Ok(()) };
        assert_eq!(commit(&mut store, reader), ends, "also who only reads is validated");
    }
}

#[test]
fn a_snapshot_is_taken_at_the_first_step_not_at_the_beginning() {
    let mut store = store(Snapshot, &[[1, 10]]);
    let reader = store.begin(0);
    put_alone(&mut store, 1, 11);
    assert_eq!(value(&mut store, reader, 1), Some(11));
}

/// Two transactions read 10, and each then sets what it read plus one.
fn read_then_set(isolation: Isolation) -> (Access, Store) {
    let mut store = store(isolation, &[[1, 10]]);
    let (first, second) = (store.begin(1), store.begin(2));
    let (read, also_read) = (value(&mut store, first, 1), value(&mut store, second, 1));
    assert_eq!((read, also_read), (Some(10), Some(10)));
    put(&mut store, first, 1, 11);
    assert_eq!(commit(&mut store, first), Ok(()));
    let access = store.lock(second, 0, &[1]);
    if let Access::Granted(row) = access {
        store.put(row, &[1, 11]);
        assert_eq!(commit(&mut store, second), Ok(()));
    } else {
        store.roll_back(second);
    }
    (access, store)
}

#[test]
fn an_update_is_lost_by_read_then_set_under_read_committed_only() {
    let (access, store) = read_then_set(ReadCommitted);
    assert!(matches!(access, Access::Granted(_)));
    assert_eq!(committed(&store), [[1, 11]], "two increments, one seen");
    for isolation in [Snapshot, Serializable] {
        let (access, store) = read_then_set(isolation);
        assert_eq!(access, Access::Conflict, "{isolation:?}");
        assert_eq!(committed(&store), [[1, 11]]);
        assert_nothing_left(&store);
    }
}

#[test]
fn one_update_under_the_lock_is_atomic_at_every_isolation() {
    for isolation in ALL {
        let mut store = store(isolation, &[[1, 10]]);
        let (first, second) = (store.begin(1), store.begin(2));
        put(&mut store, first, 1, 11);
        assert_eq!(store.lock(second, 0, &[1]), Access::Waits);
        assert_eq!(commit(&mut store, first), Ok(()));
        if isolation == ReadCommitted {
            let row = woken(&mut store, 2);
            let newest = store.newest(row).map(|row| row.words[1]);
            assert_eq!(newest, Some(11));
            store.put(row, &[1, 12]);
            assert_eq!(commit(&mut store, second), Ok(()));
            assert_eq!(committed(&store), [[1, 12]]);
        } else {
            assert_eq!(wakes(&mut store), [Wake::Conflict { owner: 2, transaction: second }]);
            store.roll_back(second);
        }
        assert_nothing_left(&store);
    }
}

/// Two doctors are on call; each sees the other and goes off.
fn write_skew(isolation: Isolation) -> (Result<(), Conflict>, Vec<[Word; 2]>) {
    let mut store = store(isolation, &[[1, 1], [2, 1]]);
    let (first, second) = (store.begin(1), store.begin(2));
    assert_eq!(value(&mut store, first, 2), Some(1));
    assert_eq!(value(&mut store, second, 1), Some(1));
    put(&mut store, first, 1, 0);
    put(&mut store, second, 2, 0);
    assert_eq!(commit(&mut store, first), Ok(()));
    let end = commit(&mut store, second);
    if end.is_err() {
        store.roll_back(second);
    }
    assert_nothing_left(&store);
    (end, committed(&store))
}

#[test]
fn write_skew_is_a_conflict_under_serializable_only() {
    assert_eq!(write_skew(ReadCommitted), (Ok(()), vec![[1, 0], [2, 0]]));
    assert_eq!(write_skew(Snapshot), (Ok(()), vec![[1, 0], [2, 0]]));
    assert_eq!(write_skew(Serializable), (Err(Conflict), vec![[1, 0], [2, 1]]));
}

/// A transaction scans for values of 5 and above, another statement changes the table, and then it
/// scans again and writes elsewhere.
fn phantom(isolation: Isolation, change: impl Fn(&mut Store)) -> (usize, Result<(), Conflict>) {
    let mut store = store(isolation, &[[1, 5], [2, 3]]);
    let scanner = store.begin(0);
    assert_eq!(scan(&mut store, scanner).len(), 2);
    change(&mut store);
    let again = scan(&mut store, scanner).len();
    put(&mut store, scanner, 100, 0);
    (again, store.commit(scanner, 0, |_, row| row[1] >= 5))
}

#[test]
fn a_phantom_is_seen_under_read_committed_and_a_conflict_under_serializable() {
    let insert = |store: &mut Store| put_alone(store, 3, 7);
    assert_eq!(phantom(ReadCommitted, insert), (3, Ok(())));
    assert_eq!(phantom(Snapshot, insert), (2, Ok(())));
    assert_eq!(phantom(Serializable, insert), (2, Err(Conflict)));
}

#[test]
fn a_scan_is_validated_by_its_predicate_on_rows_as_they_were_and_as_they_are() {
    let outcome = |change: fn(&mut Store)| phantom(Serializable, change).1;
    assert_eq!(outcome(|store| put_alone(store, 3, 4)), Ok(()), "no such row comes");
    assert_eq!(outcome(|store| delete_alone(store, 2)), Ok(()), "no such row goes");
    assert_eq!(outcome(|store| put_alone(store, 2, 4)), Ok(()), "it was none and is none");
    assert_eq!(outcome(|store| delete_alone(store, 1)), Err(Conflict), "one goes");
    assert_eq!(outcome(|store| put_alone(store, 1, 4)), Err(Conflict), "one becomes another");
    assert_eq!(outcome(|store| put_alone(store, 2, 6)), Err(Conflict), "another becomes one");
    let there_and_back = |store: &mut Store| {
        put_alone(store, 3, 7);
        delete_alone(store, 3);
    };
    assert_eq!(phantom(Serializable, there_and_back).1, Ok(()), "absent then and absent now");
}

#[test]
fn a_key_that_was_read_as_absent_is_validated() {
    for (isolation, end) in [(Snapshot, Ok(())), (Serializable, Err(Conflict))] {
        let mut store = store(isolation, &[]);
        let reader = store.begin(0);
        assert_eq!(value(&mut store, reader, 1), None);
        put_alone(&mut store, 1, 1);
        put(&mut store, reader, 2, 2);
        assert_eq!(commit(&mut store, reader), end);
    }
}

#[test]
fn two_insertions_of_one_key_meet_at_its_lock() {
    for isolation in ALL {
        let mut store = store(isolation, &[]);
        let (first, second) = (store.begin(1), store.begin(2));
        put(&mut store, first, 1, 1);
        assert_eq!(store.lock(second, 0, &[1]), Access::Waits);
        assert_eq!(store.glance(0, &[1]), Glance::Locked);
        assert_eq!(commit(&mut store, first), Ok(()));
        if isolation == ReadCommitted {
            let row = woken(&mut store, 2);
            assert!(store.newest(row).is_some(), "it is there already");
        } else {
            assert_eq!(wakes(&mut store), [Wake::Conflict { owner: 2, transaction: second }]);
        }
        store.roll_back(second);
        assert_eq!(committed(&store), [[1, 1]]);
        assert_nothing_left(&store);
    }
}

#[test]
fn the_second_writer_gets_the_lock_if_the_first_leaves_the_row_as_it_was() {
    for isolation in ALL {
        for rolls_back in [true, false] {
            let mut store = store(isolation, &[[1, 10]]);
            let (first, second) = (store.begin(1), store.begin(2));
            let row = granted(store.lock(first, 0, &[1]));
            assert_eq!(store.lock(second, 0, &[1]), Access::Waits);
            if rolls_back {
                store.put(row, &[1, 11]);
                store.roll_back(first);
            } else {
                assert_eq!(commit(&mut store, first), Ok(()));
            }
            let row = woken(&mut store, 2);
            assert_eq!(store.newest(row).map(|row| row.words[1]), Some(10));
            assert_eq!(commit(&mut store, second), Ok(()));
            assert_nothing_left(&store);
        }
    }
}
