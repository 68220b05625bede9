//! Planted bugs of messages: sent twice, set aside, skipped, tried for ever.

use super::{CRASH, bug};
use crate::oracles::Shop;
use eventflow::kernel::anomaly::Anomaly::*;

/// A relay publishes the row of an order some 50 ms after the call, then marks it: it crashes between.
const RELAY_CRASH: &str = "faults: { f: { crash: orders, at: 1052ms, for: 1s } }";
const OUTBOX: &str = "- { transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } },
            { publish: Placed, via: outbox, with: message } ] }
        - reply";

#[test]
fn a_relay_that_crashes_before_it_marks_sends_again() {
    bug(
        &Shop { place: OUTBOX, fault: RELAY_CRASH, ..Shop::default() },
        &[("duplicate_effects", 1), ("duplicate_messages", 1)],
    );
    // The consumer knows the order, so that one effect comes of two messages.
    let judged = bug(
        &Shop {
            place: OUTBOX,
            fault: RELAY_CRASH,
            placed: "- { transaction: [ { insert: handled, key: message.order, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
            ..Shop::default()
        },
        &[("duplicate_messages", 1)],
    );
    assert!(judged.of(DuplicateEffects).exposures > 0);
}

#[test]
fn an_outbox_row_that_was_rolled_back_is_nothing_left_behind() {
    let fault = "faults: { f: { crash: orders, at_step: orders.Place.here, edge: after, nth: 1, for: 1s } }";
    let judged = bug(
        &Shop {
            place: "- transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } },
            { name: here, publish: Placed, via: outbox, with: message }, { wait: 10ms } ]",
            fault,
            ..Shop::default()
        },
        &[],
    );
    assert_eq!(judged.sum.refused, 1, "{:?}", judged.sum);
    assert!(judged.of(TornEffects).exposures > 0);
}

#[test]
fn a_copy_made_again_from_a_row_that_changed_says_something_else() {
    let more = |placed: &'static str| Shop { placed, fault: CRASH, ..Shop::default() };
    bug(
        &more(
            "- { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { read: items, key: message.item, as: item }
        - { name: here, publish: Rejected, with: { order: item.reserved } }",
        ),
        &[("duplicate_effects", 1), ("divergent_copies", 1), ("duplicate_messages", 1)],
    );
    bug(
        &more(
            "- { read: items, key: message.item, as: item }
        - { name: here, publish: Rejected, with: { order: message.order } }
        - { update: items, key: message.item, set: { status: paid } }",
        ),
        &[("duplicate_messages", 1)],
    );
}

#[test]
fn a_poisoned_message_is_parked_and_not_lost() {
    let judged = bug(
        &Shop {
            placed: "- { fail: poison }",
            preset: "sqs-standard",
            consumes: "ack: after, exhaust: { after: 3, then: dead_letter, dead_letter: rejected }",
            ..Shop::default()
        },
        &[("parked", 1)],
    );
    assert_eq!(judged.sum.parked, 1);
}

#[test]
fn a_poisoned_message_that_blocks_its_partition_is_stuck() {
    let judged = bug(
        &Shop {
            placed: "- { work: 1s }\n        - { fail: poison }",
            preset: "kafka",
            times: "[1s, 2s]",
            ..Shop::default()
        },
        &[("stuck", 2)],
    );
    assert_eq!(judged.sum.unsettled, 2);
}

#[test]
fn retention_passes_a_consumer_that_sleeps_too_long() {
    let shop = |keep: &'static str| Shop {
        preset: keep,
        fault: "faults: { f: { pause: stock, at: 500ms, for: 30s } }",
        ..Shop::default()
    };
    bug(&shop("kafka, retain: { mode: log, for: 5s }"), &[("lost_effects", 1)]);
    bug(&shop("kafka, retain: { mode: log, for: 1h }"), &[]);
}

#[test]
fn items_of_a_loop_are_told_apart_however_many_there_are() {
    // A, B and C are done; it crashes; A is gone when it comes again.
    let judged = bug(
        &Shop {
            placed: "- { scan: items, where: row.reserved == 0 && row.item <= 3, as: open }
        - for_each: open
          as: item
          do: [ { name: here, update: items, key: item.item, set: { reserved: row.reserved + 1 } } ]",
            fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 2, for: 1s } }",
            ..Shop::default()
        },
        &[],
    );
    assert!(judged.of(DuplicateEffects).exposures > 0);
}

#[test]
fn what_ends_quietly_was_never_stuck_and_what_is_cut_off_is_not_known() {
    let quiet = bug(&Shop::default(), &[]);
    assert_eq!((quiet.of(Stuck).exposures, quiet.of(Stuck).unsettled), (2, 0));
    let slow = Shop { placed: "- { work: 20m }", ..Shop::default() };
    let judged = slow.judge();
    assert!(judged.of(Swallowed).unsettled > 0 && judged.of(Premature).unsettled > 0, "{:?}", judged.sum);
}

#[test]
fn a_question_before_the_insert_is_not_premature_and_its_answer_no_guard() {
    // The order asks whether there was one before, of a service that only reads.
    let place = "- { call: stock.Ask, with: { order: message.order }, timeout: 1s }
        - { insert: orders, key: message.order, set: { qty: message.qty } }
        - { publish: Placed, with: message }";
    let shop = Shop { place, times: "[1s, 2s]", ..Shop::default() };
    let text = shop
        .text()
        .replace("messages:\n", "messages:\n  Ask: { kind: query, fields: { order: int } }\n")
        .replace(
            "    handlers:\n      Placed:",
            "    handlers:\n      Ask:\n        - { read: items, key: 1, as: item }\n        - { if: item.exists, then: [ reply ] }\n      Placed:",
        );
    let judged = crate::oracles::judge_seeds(&text);
    assert_eq!(judged.counts(), [], "{:?}\n{text}", judged.sum);
}

#[test]
fn publishing_again_for_a_client_that_asks_again_is_a_second_message_and_nothing_else() {
    let shop = Shop {
        place: "- { insert: orders, key: message.order, set: { qty: message.qty }, else: [] }
        - { publish: Placed, with: message }
        - { name: here, work: 1ms }",
        placed: "- { transaction: [ { insert: handled, key: message.order, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
        fault: "faults: { f: { crash: orders, at_step: orders.Place.here, edge: after, nth: 1, for: 1s } }",
        ..Shop::default()
    };
    let text =
        shop.text().replace("timeout: 2s, catch", "timeout: 2s, retry: { attempts: 5, delay: 1s }, catch");
    let judged = crate::oracles::judge_seeds(&text);
    assert_eq!(judged.counts(), [("duplicate_messages", 1)], "{:?}", judged.sum);
}

#[test]
fn half_done_and_then_refused_is_parked() {
    bug(
        &Shop {
            placed: "- { update: items, key: message.item, set: { status: paid } }
        - { fail: poison }",
            preset: "sqs-standard",
            consumes: "ack: after, exhaust: { after: 3, then: dead_letter, dead_letter: rejected }",
            ..Shop::default()
        },
        &[("parked", 1)],
    );
}
