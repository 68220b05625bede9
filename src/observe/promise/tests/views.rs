//! Views that follow, late or never.

use super::super::views::{ViewFindings, Views};
use super::*;

/// What is found of one view after some deeds.
fn found(view: &str, deeds: impl FnOnce(&mut Teller<Views>)) -> ViewFindings {
    let model = model(&format!("guarantees: {{ convergence: {{ c: {view} }} }}"));
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
    assert_eq!(counted(&hot), (0, 100, 1, 0));
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
    assert_eq!(counted(&lost), (2, 2, 1, 0));
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

#[test]
fn changes_under_a_fault_are_counted_apart() {
    let faulty = found(RESERVED, |tell| {
        tell.at(1).put(ORDERS, [7, 0, 1, 1]);
        tell.observer.record(2 * MILLISECOND, &Record::FaultBegan { fault: FaultId(0), touched: 1 });
        tell.at(3).put(ORDERS, [8, 0, 1, 1]).put(ORDERS, [9, 0, 2, 1]);
        tell.observer.record(4 * MILLISECOND, &Record::FaultEnded { fault: FaultId(0) });
        tell.at(5).put(ORDERS, [10, 0, 3, 1]).end(true);
    });
    assert_eq!((faulty.finding.of, faulty.finding.exposures), (4, 3));
    assert_eq!((faulty.changes_under_fault, faulty.keys_under_fault), (2, 2));
}
