//! Each kind of invariant: broken, and kept.

use super::super::invariants::Invariants;
use super::*;
use crate::observe::findings::Finding;

/// What is found of one invariant after some deeds.
fn found(invariant: &str, deeds: impl FnOnce(&mut Teller<Invariants>)) -> Finding {
    let model = model(&format!("invariants: {{ i: {invariant} }}"));
    let mut judge = Invariants::new(&model).expect("there is an invariant");
    deeds(&mut Teller::new(&model, &mut judge));
    judge.findings().remove(0)
}

/// When and what was seen first.
fn first(finding: &Finding) -> (u64, &str) {
    let first = finding.first.as_ref().expect("something was seen");
    (first.at / MILLISECOND, &first.what)
}

const NEVER_NEGATIVE: &str = "{ always: row.reserved >= 0, for_each: inventory.stock }";

#[test]
fn a_violation_is_counted_when_it_begins_and_dated_by_the_commit() {
    let broken = found(NEVER_NEGATIVE, |tell| {
        tell.at(5).put(STOCK, [1, 3, 0]);
        tell.at(7).put(STOCK, [1, -2, 0]);
        tell.at(8).put(STOCK, [1, -3, 0]);
        tell.at(9).put(STOCK, [1, 0, 0]).put(STOCK, [1, -1, 0]);
        tell.at(10).end(true);
    });
    assert_eq!((broken.count, broken.exposures), (2, 5));
    assert_eq!(
        first(&broken),
        (7, "`row.reserved >= 0` does not hold: inventory.stock[1] has reserved = -2")
    );
    let rows = &broken.first.as_ref().expect("it was seen").facts.rows;
    assert_eq!(rows, &[RowName { table: STOCK, key: hash_of([1]), instance: NONE }]);
    let kept = found(NEVER_NEGATIVE, |tell| {
        tell.at(5).put(STOCK, [1, 3, 0]);
        tell.at(7).put(STOCK, [1, 0, 0]).end(true);
    });
    assert_eq!((kept.count, kept.exposures), (0, 2));
}

#[test]
fn what_was_never_touched_has_shown_nothing() {
    let untouched = found(NEVER_NEGATIVE, |tell| tell.at(10).end(true));
    assert_eq!((untouched.count, untouched.exposures), (0, 0));
    let other = found(NEVER_NEGATIVE, |tell| tell.at(1).put(ORDERS, [7, 0, 1, 2]).end(true));
    assert_eq!(other.exposures, 0);
}

#[test]
fn a_transaction_is_judged_as_a_whole() {
    let equal = "{ always: sum(orders.orders.qty) == sum(inventory.stock.reserved) }";
    let (order, stock) = ([7, PLACED, 1, 2], [1, 2, 0]);
    let together = found(equal, |tell| {
        tell.at(1).change(0, ORDERS, 7, Some(&order)).change(0, STOCK, 1, Some(&stock)).ended().end(true);
    });
    assert_eq!((together.count, together.exposures), (0, 1));
    let apart = found(equal, |tell| {
        tell.at(1).change(0, ORDERS, 7, Some(&order)).ended();
        tell.at(2).change(0, STOCK, 1, Some(&stock)).ended().end(true);
    });
    assert_eq!((apart.count, apart.exposures), (1, 2));
    let (at, what) = first(&apart);
    assert_eq!(at, 1);
    assert!(what.ends_with("sum(orders.orders.qty) = 2, sum(inventory.stock.reserved) = 0"), "{what}");
}

#[test]
fn a_commit_that_nobody_made_is_judged_at_once() {
    let emptied = found("{ always: count(inventory.stock) > 2 }", |tell| {
        tell.at(4).change(NONE, STOCK, 2, None).end(true);
    });
    assert_eq!((emptied.count, first(&emptied).0), (1, 4));
}

#[test]
fn never_is_the_opposite() {
    let broken = found("{ never: row.qty > 9, for_each: orders.orders }", |tell| {
        tell.at(1).put(ORDERS, [7, 0, 1, 9]);
        tell.at(2).put(ORDERS, [8, 0, 1, 10]).end(true);
    });
    assert_eq!((broken.count, broken.exposures), (1, 2));
    assert_eq!(first(&broken), (2, "`row.qty > 9` holds: orders.orders[8] has qty = 10"));
}

/// A row is judged again when a row of another table that it read changes, or an aggregate.
#[test]
fn a_row_is_judged_when_what_it_read_changes() {
    let known = "{ always: 'inventory.stock[row.sku].exists', for_each: orders.orders }";
    let broken = found(known, |tell| {
        tell.at(1).put(ORDERS, [7, 0, 2, 1]).put(ORDERS, [8, 0, 3, 1]);
        tell.at(2).delete(STOCK, 1);
        tell.at(3).delete(STOCK, 3).end(true);
    });
    assert_eq!((broken.count, broken.exposures), (1, 3));
    assert!(first(&broken).1.contains("orders.orders[8]"));
    let summed = "{ always: 'row.reserved >= sum(orders.orders.sku == row.sku ? orders.orders.qty : 0)', for_each: inventory.stock }";
    let late = found(summed, |tell| {
        tell.at(1).put(ORDERS, [7, 0, 2, 5]);
        tell.at(2).put(STOCK, [2, 5, 0]);
        tell.at(3).put(ORDERS, [7, 0, 1, 5]).end(true);
    });
    // Of row 2 at 1 ms, of row 1 at 3 ms; nothing else was judged.
    assert_eq!((late.count, late.exposures), (2, 4));
    assert_eq!(first(&late).0, 1);
}

#[test]
fn what_cannot_be_calculated_is_violated_and_what_has_no_value_is_not_judged() {
    let broken =
        found("{ always: 10 / row.note > 0, for_each: inventory.stock }", |tell| tell.at(3).end(true));
    assert_eq!((broken.count, broken.exposures), (3, 0));
    assert!(first(&broken).1.contains("cannot be calculated"), "{:?}", first(&broken));
    let overflow = found("{ always: sum(orders.orders.qty) >= 0 }", |tell| {
        tell.at(1).put(ORDERS, [7, 0, 1, i64::MAX]);
        tell.at(2).put(ORDERS, [8, 0, 1, 1]).end(true);
    });
    assert_eq!((overflow.count, first(&overflow).0), (1, 2));
    let least = "{ always: min(orders.orders.qty) > 1 }";
    let of_none = found(least, |tell| tell.at(1).put(STOCK, [1, 1, 1]).end(true));
    assert_eq!((of_none.count, of_none.exposures), (0, 0));
    let of_one = found(least, |tell| tell.at(1).put(ORDERS, [7, 0, 1, 1]).end(true));
    assert_eq!((of_one.count, of_one.exposures), (1, 1));
}

#[test]
fn during_judges_nothing_before_and_after_and_everything_at_its_beginning() {
    let during = "{ always: row.reserved >= 0, for_each: inventory.stock, during: [ 10ms, 20ms ] }";
    let before = found(during, |tell| {
        tell.at(5).put(STOCK, [1, -1, 0]).put(STOCK, [1, 1, 0]);
        tell.at(25).put(STOCK, [1, -1, 0]).end(true);
    });
    assert_eq!((before.count, before.exposures), (0, 3));
    let at_its_beginning = found(during, |tell| {
        tell.at(5).put(STOCK, [1, -1, 0]);
        tell.at(30).end(true);
    });
    assert_eq!((at_its_beginning.count, first(&at_its_beginning).0), (1, 10));
}

#[test]
fn at_end_is_judged_at_rest_alone() {
    let empty = "{ at_end: count(orders.orders.status == placed) == 0 }";
    let deeds = |quiet| {
        move |tell: &mut Teller<Invariants>| {
            tell.at(1).put(ORDERS, [7, PLACED as i64, 1, 1]);
            tell.at(2).end(quiet);
        }
    };
    let broken = found(empty, deeds(true));
    assert_eq!((broken.count, broken.exposures, broken.unsettled, first(&broken).0), (1, 1, 0, 2));
    let open = found(empty, deeds(false));
    assert_eq!((open.count, open.exposures, open.unsettled), (0, 0, 1));
    let kept = found(empty, |tell| {
        tell.at(1).put(ORDERS, [7, PLACED as i64, 1, 1]).put(ORDERS, [7, SHIPPED as i64, 1, 1]);
        tell.at(2).end(true);
    });
    assert_eq!((kept.count, kept.exposures), (0, 1));
}

const SHIPS: &str = "{ eventually: row.status == shipped, for_each: orders.orders }";

#[test]
fn eventually_is_missed_at_the_end() {
    let broken = found(SHIPS, |tell| {
        tell.at(1).put(ORDERS, [7, PLACED as i64, 1, 1]).put(ORDERS, [8, PLACED as i64, 1, 1]);
        tell.at(2).put(ORDERS, [8, SHIPPED as i64, 1, 1]).put(ORDERS, [8, PLACED as i64, 1, 1]);
        tell.at(9).end(true);
    });
    assert_eq!((broken.count, broken.exposures, first(&broken).0), (1, 2, 9));
    let deleted = found(SHIPS, |tell| {
        tell.at(1).put(ORDERS, [7, PLACED as i64, 1, 1]).delete(ORDERS, 7);
        tell.at(9).end(true);
    });
    assert_eq!((deleted.count, deleted.unsettled), (0, 0));
    let open = found(SHIPS, |tell| tell.at(1).put(ORDERS, [7, PLACED as i64, 1, 1]).end(false));
    assert_eq!((open.count, open.unsettled), (0, 1));
}

#[test]
fn eventually_within_is_missed_at_its_deadline() {
    let ships_soon = "{ eventually: row.status == shipped, for_each: orders.orders, within: 10ms }";
    let (placed, shipped) = ([7, PLACED as i64, 1, 1], [7, SHIPPED as i64, 1, 1]);
    let just_in_time = found(ships_soon, |tell| {
        tell.at(5).put(ORDERS, placed);
        tell.at(15).put(ORDERS, shipped);
        tell.at(20).put(ORDERS, placed);
        tell.at(21).put(ORDERS, shipped).at(99).end(true);
    });
    assert_eq!((just_in_time.count, just_in_time.exposures), (0, 2));
    let late = found(ships_soon, |tell| {
        tell.at(5).put(ORDERS, placed);
        tell.at(16).put(ORDERS, shipped);
        tell.at(20).put(ORDERS, placed);
        tell.at(99).end(true);
    });
    assert_eq!((late.count, late.exposures, first(&late).0), (2, 2, 15));
    let open = found(ships_soon, |tell| {
        tell.at(5).put(ORDERS, placed);
        tell.at(9).end(false);
    });
    assert_eq!((open.count, open.unsettled), (0, 1));
    let from_the_start = found("{ eventually: count(orders.orders) > 0, within: 3ms }", |tell| {
        tell.at(4).put(ORDERS, placed).end(true);
    });
    assert_eq!((from_the_start.count, first(&from_the_start).0), (1, 3));
}

/// The obligation of the attempt that broke it is named.
#[test]
fn the_one_who_broke_it_is_named() {
    use crate::world::deed::Served;
    use crate::world::identity::Cause;
    let cause = Cause::root(0, 5, 9);
    let broken = found(NEVER_NEGATIVE, |tell| {
        let begun = Deed::AttemptBegun {
            attempt: 3,
            handler: HandlerId(0),
            instance: 0,
            cause,
            served: Served::Call,
            message: NONE,
        };
        tell.at(1).observer.deed(MILLISECOND, &begun);
        tell.change(3, STOCK, 1, Some(&[1, -1_i64 as Word, 0]));
        tell.observer.deed(MILLISECOND, &Deed::TransactionEnded { attempt: 3, committed: true });
    });
    assert_eq!(broken.first.map(|first| first.obligation), Some(cause.obligation));
}

#[test]
fn the_rows_that_a_condition_asks_for_by_key_are_told() {
    let of_one = found("{ always: 'orders.orders[7].qty < 5' }", |tell| {
        tell.at(1).put(ORDERS, [7, 0, 1, 2]);
        tell.at(2).put(ORDERS, [7, 0, 1, 9]).end(true);
    });
    assert_eq!(first(&of_one), (2, "`orders.orders[7].qty < 5` does not hold: orders.orders[7] has qty = 9"));
    let beside = "{ always: 'row.note == 0 || orders.orders[row.note].exists', for_each: inventory.stock }";
    let absent = found(beside, |tell| tell.at(2).put(STOCK, [1, 0, 8]).end(true));
    let told = "inventory.stock[1] has note = 8, the row of orders.orders that it asks for is absent";
    assert!(first(&absent).1.ends_with(told), "{absent:?}");
    let kept = found("{ always: 'orders.orders[7].qty < 5' }", |tell| {
        tell.at(1).put(ORDERS, [7, 0, 1, 2]).end(true);
    });
    assert_eq!((kept.count, kept.exposures), (0, 1));
}

#[test]
fn what_is_broken_from_the_start_is_counted_from_the_start() {
    let broken = found("{ always: sum(inventory.stock.reserved) > 0 }", |tell| {
        tell.at(10).put(STOCK, [1, 0, 5]).end(true);
    });
    assert_eq!((broken.count, first(&broken).0), (1, 0), "before anything has happened");
}

#[test]
fn a_condition_goes_one_way_or_the_other_and_asks_lists() {
    let either = "{ always: 'row.note > 0 ? row.reserved == row.note : row.reserved in [0, 2, 4]', for_each: inventory.stock }";
    let kept = found(either, |tell| {
        tell.at(1).put(STOCK, [1, 2, 0]).put(STOCK, [1, 4, 0]).put(STOCK, [1, 7, 7]).put(STOCK, [2, 0, 0]);
        tell.at(9).end(true);
    });
    assert_eq!((kept.count, kept.exposures), (0, 4));
    for broken in [[1, 3, 0], [1, 2, 3], [1, 7, 0]] {
        let found = found(either, |tell| {
            tell.at(5).put(STOCK, broken).end(true);
        });
        assert_eq!((found.count, first(&found).0), (1, 5), "{broken:?}");
    }
}

/// Only as far as it matters: what would divide by nothing is not asked.
#[test]
fn formulas_count_look_up_and_stop_where_they_know() {
    for (formula, kept, broken) in [
        ("[0, 2, 4][row.note] == row.reserved", [1, 4, 2], [1, 3, 2]),
        ("size([1, 2]) + row.note == row.reserved", [1, 7, 5], [1, 5, 5]),
        ("row.note == 0 || row.reserved / row.note == 2", [1, 7, 0], [1, 7, 2]),
        ("row.note == 0 || row.reserved / row.note == 2", [1, 6, 3], [1, 6, 6]),
        ("row.note > 0 && row.reserved / row.note == 2", [1, 6, 3], [1, 6, 0]),
    ] {
        let invariant = format!("{{ always: '{formula}', for_each: inventory.stock, during: [4ms, 1s] }}");
        let counted = |row: [i64; 3]| {
            found(&invariant, |tell| {
                tell.at(1).put(STOCK, row).put(STOCK, [2, row[1], row[2]]).put(STOCK, [3, row[1], row[2]]);
                tell.at(5).put(STOCK, row).end(true);
            })
            .count
        };
        assert_eq!((counted(kept), counted(broken)), (0, 3), "{formula}");
    }
}
