//! Views that follow, late or never.

use super::super::views::{ViewFindings, Views};
use super::*;

/// What is found of one view after some deeds.
fn found(view: &str, deeds: impl FnOnce(&mut Teller<Views>)) -> ViewFindings {
    found_with(view, "", deeds)
}

fn found_with(view: &str, faults: &str, deeds: impl FnOnce(&mut Teller<Views>)) -> ViewFindings {
    let model = model(&format!("guarantees: {{ convergence: {{ c: {view} }} }}\n{faults}"));
    let mut views = Views::new(&model).expect("there is a view");
    deeds(&mut Teller::new(&model, &mut views));
    views.findings().remove(0)
}

const RESERVED: &str = "{ view: inventory.stock, of: orders.orders, by: row.sku, columns: { reserved: sum(row.qty) }, within: 100ms }";

/// Count, of, exposures, unsettled.
fn counted(found: &ViewFindings) -> (u64, u64, u64, u64) {
    let finding = &found.finding;
    (finding.count, finding.of, finding.exposures, finding.unsettled)
}

/// Count, least and greatest in milliseconds.
fn times(histogram: &crate::stats::histogram::Histogram) -> (u64, u64, u64) {
    let milliseconds = |value: Option<u64>| value.unwrap_or(0) / MILLISECOND;
    (histogram.count(), milliseconds(histogram.min()), milliseconds(histogram.max()))
}

/// A change each 10 ms, shown 50 ms later: the view is never right, and always 50 ms behind.
#[test]
fn a_hot_key_is_as_far_behind_as_its_pipeline_is_long() {
    let hot = found(RESERVED, |tell| {
        for step in 0..100_i64 {
            tell.at(step as u64 * 10).put(ORDERS, [step, 0, 1, 1]);
            if step >= 5 {
                tell.put(STOCK, [1, step - 4, 0]);
            }
        }
        for step in 100..105 {
            tell.at(step as u64 * 10).put(STOCK, [1, step - 4, 0]);
        }
        tell.at(2000).end(true);
    });
    assert_eq!(counted(&hot), (0, 100, 100, 0));
    assert_eq!(times(&hot.lag), (100, 50, 50));
    assert_eq!(times(&hot.window), (1, 1040, 1040));
    assert_eq!(times(&hot.convergence), (1, 50, 50));
    assert_eq!(hot.disagreeing, 0);
}

#[test]
fn a_change_is_late_when_its_time_is_over() {
    let late = found(RESERVED, |tell| {
        tell.at(10).put(ORDERS, [7, 0, 2, 5]);
        tell.at(150).put(STOCK, [2, 5, 0]).end(true);
    });
    assert_eq!(counted(&late), (1, 1, 1, 0));
    let first = late.finding.first.expect("it is late");
    assert_eq!(first.at, 110 * MILLISECOND);
    assert_eq!(first.what, "inventory.stock[2] shows reserved = 0 instead of reserved = 5, changed at 10ms");
    assert_eq!((times(&late.lag), late.disagreeing), ((1, 140, 140), 0));
    let in_time = found(RESERVED, |tell| {
        tell.at(10).put(ORDERS, [7, 0, 2, 5]);
        tell.at(110).put(STOCK, [2, 5, 0]);
        tell.at(200).end(true);
    });
    assert_eq!(counted(&in_time), (0, 1, 1, 0));
}

/// A lost message never shows; the same key goes on changing.
#[test]
fn what_was_lost_stays_wrong() {
    let lost = found(RESERVED, |tell| {
        tell.at(0).put(ORDERS, [7, 0, 2, 5]);
        tell.at(10).put(ORDERS, [8, 0, 2, 1]);
        tell.at(20).put(STOCK, [2, 1, 0]);
        tell.at(500).end(true);
    });
    assert_eq!(counted(&lost), (2, 2, 2, 0));
    assert_eq!((lost.disagreeing, times(&lost.lag).0), (1, 0));
}

/// An effect twice: every change was followed, and the row is wrong in the end all the same.
#[test]
fn what_was_done_twice_is_wrong_though_nothing_is_missing() {
    let twice = found(RESERVED, |tell| {
        tell.at(0).put(ORDERS, [7, 0, 2, 5]);
        tell.at(10).put(STOCK, [2, 5, 0]);
        tell.at(20).put(STOCK, [2, 10, 0]);
        tell.at(500).end(true);
    });
    assert_eq!(counted(&twice), (1, 1, 1, 0));
    assert_eq!(twice.disagreeing, 1);
    assert_eq!(times(&twice.window), (2, 10, 480));
}

#[test]
fn what_is_missing_when_the_run_is_cut_short_is_not_settled() {
    let open = found(RESERVED, |tell| {
        tell.at(0).put(ORDERS, [7, 0, 2, 5]);
        tell.at(50).end(false);
    });
    assert_eq!(counted(&open), (0, 1, 1, 1));
    let at_rest = found(RESERVED, |tell| {
        tell.at(0).put(ORDERS, [7, 0, 2, 5]);
        tell.at(50).end(true);
    });
    assert_eq!(counted(&at_rest), (1, 1, 1, 0));
}

#[test]
fn nothing_to_follow_is_no_exposure() {
    let idle = found(RESERVED, |tell| tell.at(50).end(true));
    assert_eq!(counted(&idle), (0, 0, 0, 0));
    let beside = found(RESERVED, |tell| tell.at(10).put(STOCK, [2, 0, 9]).end(true));
    assert_eq!(counted(&beside), (0, 0, 0, 0));
    // From the first row on an absent row of the view would not do any more.
    let of_zero = found(RESERVED, |tell| tell.at(10).put(ORDERS, [7, 0, 2, 0]).end(true));
    assert_eq!(counted(&of_zero), (0, 1, 1, 0));
}

/// The rows that the view starts with are shown for nothing.
fn without_rows(tell: &mut Teller<Views>) {
    for sku in 1..=3 {
        tell.delete(STOCK, sku);
    }
}

/// Of a copy row by row: absent is a value, and so is what was deleted.
#[test]
fn a_copy_lacks_what_its_source_lacks() {
    let copy = "{ view: inventory.stock, of: orders.orders, where: row.status == placed, columns: { reserved: row.qty }, within: 100ms }";
    let kept = found(copy, |tell| {
        without_rows(tell);
        tell.at(10).put(ORDERS, [7, PLACED as i64, 0, 5]);
        tell.at(20).put(STOCK, [7, 5, 0]);
        tell.at(30).put(ORDERS, [7, SHIPPED as i64, 0, 5]);
        tell.at(45).delete(STOCK, 7);
        tell.at(500).end(true);
    });
    assert_eq!(kept.finding.count, 0);
    assert_eq!((times(&kept.lag).2, kept.disagreeing), (15, 0));
    let undeleted = found(copy, |tell| {
        without_rows(tell);
        tell.at(10).put(ORDERS, [7, PLACED as i64, 0, 5]).put(STOCK, [7, 5, 0]);
        tell.at(30).delete(ORDERS, 7);
        tell.at(500).end(true);
    });
    assert_eq!((undeleted.finding.count, undeleted.disagreeing), (1, 1));
    let what = undeleted.finding.first.expect("it is wrong").what;
    assert_eq!(what, "inventory.stock[7] shows reserved = 5 instead of being absent, changed at 30ms");
}

/// Two changes while it lasts, and one before that is not shown yet.
#[test]
fn changes_under_a_fault_are_counted_apart() {
    let tell_all = |tell: &mut Teller<Views>| {
        tell.at(1).put(ORDERS, [7, 0, 1, 1]);
        tell.observer.record(2 * MILLISECOND, &Record::FaultBegan { fault: FaultId(0), touched: 1 });
        tell.at(3).put(ORDERS, [8, 0, 1, 1]).put(ORDERS, [9, 0, 2, 1]);
        tell.observer.record(4 * MILLISECOND, &Record::FaultEnded { fault: FaultId(0) });
        tell.at(5).put(ORDERS, [10, 0, 3, 1]);
        tell.observer.record(6 * MILLISECOND, &Record::FaultBegan { fault: FaultId(0), touched: 0 });
        tell.at(7).put(ORDERS, [11, 0, 3, 1]).end(true);
    };
    let none = found(RESERVED, tell_all);
    assert_eq!((none.finding.exposures, none.finding.under_fault), (5, None), "there are no faults");
    let faults = "faults: { f: { crash: orders, at: 1s } }";
    let faulty = found_with(RESERVED, faults, tell_all);
    assert_eq!((faulty.finding.exposures, faulty.finding.under_fault), (5, Some(3)));
}

const PRICE: &str =
    "{ view: inventory.stock, of: orders.orders, by: row.sku, columns: { note: row.qty }, within: 100ms }";

/// An intent that changes an order and sends a message of it, and the attempt that handles the message.
fn intent(tell: &mut Teller<Views>, number: u64, milliseconds: u64, qty: i64) {
    let (attempt, message) = (number as u32, 10 + number as u32);
    tell.at(milliseconds).begun(attempt, number, NONE).issued(attempt, message);
    tell.change(attempt, ORDERS, 1, Some(&[1, 0, 7, qty as Word])).ended_by(attempt);
    tell.over(attempt);
}

fn handled(tell: &mut Teller<Views>, number: u64, milliseconds: u64, qty: i64) {
    let (attempt, message) = (20 + number as u32, 10 + number as u32);
    tell.at(milliseconds).begun(attempt, number, message);
    tell.change(attempt, STOCK, 7, Some(&[7, 0, qty as Word])).ended_by(attempt);
    tell.over(attempt).freed(message);
}

/// The view still shows the first A when the third change makes it A again: it has not followed that.
#[test]
fn a_value_that_is_still_shown_is_not_followed_yet() {
    let found = found(PRICE, |tell| {
        without_rows(tell);
        intent(tell, 1, 0, 4);
        handled(tell, 1, 10, 4);
        intent(tell, 2, 20, 5);
        intent(tell, 3, 30, 4);
        handled(tell, 2, 70, 5);
        handled(tell, 3, 80, 4);
        tell.end(true);
    });
    assert_eq!(counted(&found), (0, 3, 3, 0));
    assert_eq!(times(&found.lag), (3, 10, 50), "10 ms, then twice 50 ms");
    assert_eq!(found.lag.sum(), 110 * u128::from(MILLISECOND));
}

#[test]
fn what_never_comes_is_late_though_its_value_is_shown() {
    let found = found(PRICE, |tell| {
        without_rows(tell);
        intent(tell, 1, 0, 4);
        handled(tell, 1, 10, 4);
        intent(tell, 2, 20, 5);
        intent(tell, 3, 30, 4);
        tell.at(500).end(false);
    });
    assert_eq!(counted(&found), (2, 3, 3, 0));
    assert_eq!(times(&found.never_shown), (2, 470, 480));
}

/// Who looks and leaves the row as it is has come to the view; so has what nobody carries any more.
#[test]
fn a_view_that_is_right_already_is_followed_when_somebody_has_come_or_nobody_can() {
    let looked = found(PRICE, |tell| {
        without_rows(tell);
        intent(tell, 1, 0, 4);
        handled(tell, 1, 10, 4);
        intent(tell, 2, 20, 5);
        intent(tell, 3, 30, 4);
        tell.at(60).begun(23, 3, 13).left(23, STOCK, 7);
        tell.at(900).end(true);
    });
    assert_eq!((looked.lag.sum(), looked.lag.count()), (80 * u128::from(MILLISECOND), 3), "10, 40 and 30 ms");
    let dropped = found(PRICE, |tell| {
        without_rows(tell);
        intent(tell, 1, 0, 4);
        handled(tell, 1, 10, 4);
        intent(tell, 2, 20, 5);
        intent(tell, 3, 30, 4);
        tell.at(50).freed(13);
        tell.at(900).end(true);
    });
    assert_eq!(
        (dropped.lag.sum(), dropped.lag.count()),
        (60 * u128::from(MILLISECOND), 3),
        "10, 30 and 20 ms"
    );
}

/// One that writes both at once, or the view first, has come to the view with the change.
#[test]
fn one_that_writes_both_is_no_chance() {
    let found = found(PRICE, |tell| {
        without_rows(tell);
        tell.at(5).begun(1, 1, NONE).change(1, STOCK, 7, Some(&[7, 0, 4])).ended_by(1);
        tell.at(8).change(1, ORDERS, 1, Some(&[1, 0, 7, 4])).ended_by(1);
        tell.at(900).end(true);
    });
    assert_eq!((found.lag.sum(), found.lag.count(), found.finding.count), (0, 1, 0));
}
