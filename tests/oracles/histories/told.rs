//! Histories in which what was told and what was done are not the same.

use super::{CRASH_ORDERS, says};
use crate::oracles::{Shop, judge_seeds};
use eventflow::kernel::anomaly::Anomaly::*;

#[test]
fn a_second_order_taken_for_the_first_and_told_ok_is_lost() {
    let shop = |key: &str| {
        let place = format!(
            "- {{ insert: taken, key: {key}, else: [ stop ] }}
        - {{ insert: orders, key: message.order, set: {{ qty: message.qty }} }}"
        );
        Shop { place: "PLACE", times: "[1s, 2s]", ..Shop::default() }.text().replace("PLACE", &place).replace(
            "orders: { key: order",
            "taken: { key: k, columns: { k: int }, bookkeeping: true }, orders: { key: order",
        )
    };
    let judged = judge_seeds(&shop("message.item"));
    assert_eq!(judged.counts(), [("swallowed", 1), ("acknowledged_loss", 1)], "{:?}", judged.sum);
    let judged = judge_seeds(&shop("message.order"));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
    assert!(judged.of(Swallowed).exposures > 0);
}

#[test]
fn who_is_told_that_the_name_is_taken_has_lost_nothing() {
    let shop = Shop {
        place: "- { insert: orders, key: message.item, set: { qty: message.qty } }",
        times: "[1s, 2s]",
        ..Shop::default()
    };
    says(&shop, &[]);
    assert_eq!(shop.judge().sum.refused, 1);
}

#[test]
fn a_commit_before_the_reply_is_no_acknowledged_loss() {
    let shop = Shop {
        place: "- { insert: orders, key: message.order, set: { qty: message.qty } }
        - reply
        - { name: here, work: 10ms }",
        fault: CRASH_ORDERS,
        ..Shop::default()
    };
    says(&shop, &[]);
    assert!(shop.judge().of(AcknowledgedLoss).exposures > 0);
}

#[test]
fn what_was_sent_and_then_called_off_the_second_time_is_mixed_and_a_phantom() {
    let shop = Shop {
        place: "- if: now > 2s
          then: [ { publish: Rejected, with: { order: message.order } }, stop ]
        - { transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } }, { publish: Placed, with: message }, { wait: 50ms }, { fail: no } ] }",
        ..Shop::default()
    };
    let again = "timeout: 2s, retry: { attempts: 2, delay: 2s, errors: [ no ] }, catch";
    let text = shop.text().replace("timeout: 2s, catch", again);
    let judged = judge_seeds(&text);
    assert_eq!(
        judged.counts(),
        [("mixed_effects", 1), ("phantom_effects", 1), ("premature", 1)],
        "{:?}\n{text}",
        judged.sum
    );
}

#[test]
fn what_fails_once_and_is_mended_is_not_set_aside() {
    let shop = Shop {
        placed: "- { if: delivery.attempt == 1, then: [ { fail: not_yet } ] }
        - { update: items, key: message.item, set: { reserved: row.reserved + 1 } }",
        preset: "sqs-standard",
        consumes: "ack: after, exhaust: { after: 3, then: dead_letter, dead_letter: rejected }",
        ..Shop::default()
    };
    says(&shop, &[]);
    assert!(shop.judge().of(Parked).exposures > 0);
}
