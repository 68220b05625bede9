//! Queues for locks, and cycles of waiting.

use super::*;
use Isolation::*;

#[test]
fn waiters_are_served_first_come_first() {
    let mut store = store(ReadCommitted, &[[1, 0]]);
    let all: Vec<_> = (0..5).map(|owner| store.begin(owner)).collect();
    let mut row = granted(store.lock(all[0], 0, &[1]));
    for owner in [3, 1, 4, 2] {
        assert_eq!(store.lock(all[owner], 0, &[1]), Access::Waits);
    }
    for (done, owner) in [(0, 3), (3, 1), (1, 4), (4, 2)] {
        let newest = store.newest(row).map_or(0, |row| row.words[1]);
        store.put(row, &[1, newest * 10 + done as Word + 1]);
        assert_eq!(commit(&mut store, all[done]), Ok(()));
        row = woken(&mut store, owner);
    }
    assert_eq!(commit(&mut store, all[2]), Ok(()));
    assert_eq!(committed(&store), [[1, 1425]], "each saw the one before");
    assert_nothing_left(&store);
}

#[test]
fn who_gives_up_leaves_the_queue_wherever_it_stands() {
    for leaver in 1..=3 {
        let mut store = store(Snapshot, &[[1, 0]]);
        let all: Vec<_> = (0..4).map(|owner| store.begin(owner)).collect();
        granted(store.lock(all[0], 0, &[1]));
        for waiter in &all[1..] {
            assert_eq!(store.lock(*waiter, 0, &[1]), Access::Waits);
        }
        store.roll_back(all[leaver]);
        assert_eq!(wakes(&mut store), []);
        store.roll_back(all[0]);
        for owner in (1..=3).filter(|owner| *owner != leaver) {
            woken(&mut store, owner as u32);
            store.roll_back(all[owner]);
        }
        assert_nothing_left(&store);
    }
}

#[test]
fn who_closes_a_cycle_of_two_meets_a_conflict_and_the_other_goes_on() {
    for isolation in [ReadCommitted, Snapshot, Serializable] {
        let mut store = store(isolation, &[[1, 0], [2, 0]]);
        let (first, second) = (store.begin(1), store.begin(2));
        put(&mut store, first, 1, 1);
        put(&mut store, second, 2, 2);
        assert_eq!(store.lock(first, 0, &[2]), Access::Waits);
        assert_eq!(store.lock(second, 0, &[1]), Access::Conflict);
        store.roll_back(second);
        let row = woken(&mut store, 1);
        store.put(row, &[2, 1]);
        assert_eq!(commit(&mut store, first), Ok(()));
        assert_eq!(committed(&store), [[1, 1], [2, 1]]);
        assert_nothing_left(&store);
    }
}

#[test]
fn who_closes_a_cycle_of_three_through_queues_meets_a_conflict() {
    let mut store = store(ReadCommitted, &[]);
    let all: Vec<_> = (0..5).map(|owner| store.begin(owner)).collect();
    for (key, &one) in (0..3).zip(&all) {
        put(&mut store, one, key, 0);
    }
    // Bystanders stand in front in two of the queues.
    assert_eq!(store.lock(all[3], 0, &[1]), Access::Waits);
    assert_eq!(store.lock(all[4], 0, &[2]), Access::Waits);
    assert_eq!(store.lock(all[0], 0, &[1]), Access::Waits);
    assert_eq!(store.lock(all[1], 0, &[2]), Access::Waits);
    assert_eq!(store.lock(all[2], 0, &[0]), Access::Conflict);
    store.roll_back(all[2]);
    woken(&mut store, 4);
    store.roll_back(all[4]);
    woken(&mut store, 1);
    assert_eq!(commit(&mut store, all[1]), Ok(()));
    woken(&mut store, 3);
    assert_eq!(commit(&mut store, all[3]), Ok(()));
    woken(&mut store, 0);
    assert_eq!(commit(&mut store, all[0]), Ok(()));
    assert_nothing_left(&store);
}

#[test]
fn a_cycle_that_forms_behind_a_new_holder_is_found() {
    let mut store = store(ReadCommitted, &[]);
    let (first, second, third) = (store.begin(1), store.begin(2), store.begin(3));
    put(&mut store, first, 1, 0);
    put(&mut store, third, 3, 0);
    assert_eq!(store.lock(second, 0, &[1]), Access::Waits);
    assert_eq!(store.lock(third, 0, &[1]), Access::Waits);
    assert_eq!(commit(&mut store, first), Ok(()));
    woken(&mut store, 2);
    assert_eq!(store.lock(second, 0, &[3]), Access::Conflict, "3 waits behind 2, though it asked 1");
    store.roll_back(second);
    woken(&mut store, 3);
    assert_eq!(commit(&mut store, third), Ok(()));
    assert_nothing_left(&store);
}

#[test]
fn all_who_wait_for_a_row_that_changes_meet_a_conflict_in_the_order_they_came() {
    let mut store = store(Snapshot, &[[1, 0]]);
    let all: Vec<_> = (0..4).map(|owner| store.begin(owner)).collect();
    put(&mut store, all[0], 1, 1);
    for owner in [2, 1, 3] {
        assert_eq!(store.lock(all[owner], 0, &[1]), Access::Waits);
    }
    assert_eq!(commit(&mut store, all[0]), Ok(()));
    let conflict = |owner: usize| Wake::Conflict { owner: owner as u32, transaction: all[owner] };
    assert_eq!(wakes(&mut store), [conflict(2), conflict(1), conflict(3)]);
    all[1..].iter().for_each(|&waiter| store.roll_back(waiter));
    assert_nothing_left(&store);
}

#[test]
fn who_was_granted_a_lock_and_rolled_back_unheard_passes_it_on() {
    let mut store = store(ReadCommitted, &[[1, 0]]);
    let all: Vec<_> = (0..3).map(|owner| store.begin(owner)).collect();
    granted(store.lock(all[0], 0, &[1]));
    assert_eq!(store.lock(all[1], 0, &[1]), Access::Waits);
    assert_eq!(store.lock(all[2], 0, &[1]), Access::Waits);
    store.roll_back(all[0]);
    store.roll_back(all[1]);
    woken(&mut store, 2);
}

#[test]
fn a_lock_is_granted_again_to_its_holder() {
    let mut store = store(Snapshot, &[]);
    let one = store.begin(0);
    put(&mut store, one, 1, 1);
    put(&mut store, one, 1, 2);
    assert_eq!(value(&mut store, one, 1), Some(2));
    assert_eq!(commit(&mut store, one), Ok(()));
    assert_eq!(committed(&store), [[1, 2]]);
    assert_nothing_left(&store);
}

#[test]
fn a_transaction_that_met_a_conflict_cannot_commit() {
    let mut store = store(Snapshot, &[[1, 0]]);
    let late = store.begin(0);
    value(&mut store, late, 1);
    delete_alone(&mut store, 1);
    assert_eq!(store.lock(late, 0, &[1]), Access::Conflict);
    assert_eq!(commit(&mut store, late), Err(Conflict));
    store.roll_back(late);
    assert_nothing_left(&store);
}

#[test]
#[should_panic(expected = "the transaction has ended")]
fn a_handle_of_an_ended_transaction_is_not_taken_for_its_successor() {
    let mut store = store(ReadCommitted, &[]);
    let first = store.begin(0);
    store.roll_back(first);
    store.begin(1);
    store.read(first, 0, &[1]);
}
