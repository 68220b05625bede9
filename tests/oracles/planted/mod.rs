//! The planted bugs of idempotency.

mod acceptance;
mod brokers;
mod captures;
mod durability;
mod guards;
mod messages;
mod rebuilds;
mod reference;
mod sagas;
mod streams;
mod transactions;
mod values;
mod views;

use super::{Judged, Shop};
use Anomaly::*;
use eventflow::kernel::anomaly::Anomaly;

/// The instance of `stock` crashes once, right behind the step of this name.
const CRASH: &str =
    "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s } }";
const CRASH_UNANSWERED: &str =
    "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: unanswered, nth: 1, for: 1s } }";

/// The bug is counted exactly, and nothing else is.
fn bug(shop: &Shop, expected: &[(&str, u64)]) -> Judged {
    let judged = shop.judge();
    assert_eq!(judged.counts(), expected, "{:?}\n{}", judged.sum, shop.text());
    judged
}

/// The twin is silent, though the chance was there.
fn twin(shop: &Shop, exposed: Anomaly) -> Judged {
    let judged = bug(shop, &[]);
    assert!(judged.of(exposed).exposures > 0, "no exposure: {:?}\n{}", judged.sum, shop.text());
    judged
}

#[test]
fn look_act_remember_is_done_twice_when_it_crashes_before_it_remembers() {
    bug(
        &Shop {
            placed: "- { read: handled, key: message.id, as: seen }
        - { if: seen.exists, then: [ stop ] }
        - { name: here, update: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { insert: handled, key: message.id }",
            fault: CRASH,
            ..Shop::default()
        },
        &[("duplicate_effects", 1)],
    );
    twin(
        &Shop {
            placed: "- { name: here, transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
            fault: CRASH,
            ..Shop::default()
        },
        DuplicateEffects,
    );
}

#[test]
fn a_naturally_idempotent_write_is_no_duplicate() {
    twin(
        &Shop {
            placed: "- { name: here, update: items, key: message.item, set: { status: paid, at: now } }",
            fault: CRASH,
            ..Shop::default()
        },
        DuplicateEffects,
    );
}

#[test]
fn acknowledging_before_the_work_loses_it() {
    bug(
        &Shop {
            placed: "- { name: here, work: 1ms }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
            consumes: "ack: before",
            fault: CRASH,
            ..Shop::default()
        },
        &[("lost_effects", 1)],
    );
    twin(
        &Shop {
            placed: "- { name: here, work: 1ms }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
            fault: CRASH,
            ..Shop::default()
        },
        LostEffects,
    );
}

#[test]
fn a_timer_in_memory_is_lost_with_its_instance() {
    const FAULT: &str = "faults: { f: { crash: stock, at: 3s, for: 1s } }";
    bug(
        &Shop {
            placed: "- after: 5s
          do: [ { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ]",
            fault: FAULT,
            ..Shop::default()
        },
        &[("lost_effects", 1)],
    );
    let judged = bug(
        &Shop {
            placed: "- after: 5s
          durable: true
          do: [ { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ]",
            fault: FAULT,
            ..Shop::default()
        },
        &[],
    );
    assert!(judged.sum.done >= 2, "{:?}", judged.sum);
}

#[test]
fn remembering_before_acting_tears_when_it_crashes_between() {
    bug(
        &Shop {
            placed: "- { name: here, insert: handled, key: message.id, else: [ stop ] }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
            fault: CRASH,
            ..Shop::default()
        },
        &[("torn_effects", 1)],
    );
    twin(
        &Shop {
            placed: "- { name: here, work: 1ms }
        - transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ]",
            fault: CRASH,
            ..Shop::default()
        },
        TornEffects,
    );
}

/// The second attempt is cut where it would stop at its own mark: what the first left undone is still owed.
#[test]
fn a_second_crash_before_the_guard_does_not_pay_the_debt() {
    bug(
        &Shop {
            placed: "- { name: here, insert: handled, key: message.id, else: [ stop ] }
        - { name: there, update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
            fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s },
  g: { crash: stock, at_step: stock.Placed.here, edge: before, nth: 2, for: 1s } }",
            ..Shop::default()
        },
        &[("torn_effects", 1)],
    );
}

const ORDERS_CRASH: &str =
    "faults: { f: { crash: orders, at_step: orders.Place.here, edge: after, nth: 1, for: 1s } }";

#[test]
fn a_dual_write_tears_when_it_crashes_between() {
    let judged = bug(
        &Shop {
            place: "- { name: here, insert: orders, key: message.order, set: { qty: message.qty } }
        - { publish: Placed, with: message }",
            fault: ORDERS_CRASH,
            ..Shop::default()
        },
        &[("torn_effects", 1)],
    );
    assert_eq!(judged.of(PhantomEffects).count, 0);
    bug(
        &Shop {
            place: "- { name: here, transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } },
            { publish: Placed, via: outbox, with: message } ] }",
            fault: ORDERS_CRASH,
            ..Shop::default()
        },
        &[("unacknowledged_effect", 1)],
    );
}

#[test]
fn another_way_after_a_crash_leaves_what_no_single_execution_leaves() {
    const FAULT: &str =
        "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s } }";
    bug(
        &Shop {
            placed: "- { read: items, key: message.item, as: item }
        - if: item.reserved < 1
          then: [ { name: here, update: items, key: message.item, set: { reserved: row.reserved + 1 } } ]
          else: [ { publish: Rejected, with: { order: message.order } } ]",
            fault: FAULT,
            ..Shop::default()
        },
        &[("mixed_effects", 1)],
    );
    twin(
        &Shop {
            placed: "- { read: handled, key: message.id, as: seen }
        - { if: seen.exists, then: [ stop ] }
        - { read: items, key: message.item, as: item }
        - if: item.reserved < 1
          then: [ { name: here, transaction: [ { insert: handled, key: message.id, else: [ stop ] }, { update: items, key: message.item, set: { reserved: row.reserved + 1 } } ] } ]
          else: [ { publish: Rejected, with: { order: message.order } } ]",
            fault: FAULT,
            ..Shop::default()
        },
        MixedEffects,
    );
}

#[test]
fn a_guard_with_too_wide_a_key_swallows_the_second_order() {
    bug(
        &Shop {
            placed: "- { insert: handled, key: message.item, else: [ stop ] }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
            times: "[1s, 2s]",
            ..Shop::default()
        },
        &[("swallowed", 1)],
    );
    twin(
        &Shop {
            placed: "- { insert: handled, key: message.order, else: [ stop ] }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
            times: "[1s, 2s]",
            ..Shop::default()
        },
        Swallowed,
    );
}

#[test]
fn a_message_sent_before_the_commit_is_premature_and_a_phantom_if_it_never_comes() {
    let place = |end: &'static str| Shop { place: end, ..Shop::default() };
    bug(
        &place(
            "- transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } }, { publish: Placed, with: message }, { wait: 50ms } ]",
        ),
        &[("premature", 1)],
    );
    bug(
        &place(
            "- try: [ { transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } }, { publish: Placed, with: message }, { wait: 50ms }, { fail: no } ] } ]
          catch: { any: [] }",
        ),
        &[("phantom_effects", 1), ("premature", 1)],
    );
    twin(
        &place(
            "- transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } }, { publish: Placed, via: outbox, with: message }, { wait: 50ms } ]",
        ),
        Premature,
    );
}

#[test]
fn a_reply_before_the_commit_is_an_acknowledged_loss() {
    bug(
        &Shop {
            place: "- reply
        - { name: here, work: 10ms }
        - { insert: orders, key: message.order, set: { qty: message.qty } }
        - stop",
            fault: ORDERS_CRASH,
            ..Shop::default()
        },
        &[("lost_effects", 1), ("acknowledged_loss", 1)],
    );
}

#[test]
fn an_answer_that_never_comes_hides_what_was_done() {
    bug(
        &Shop {
            place: "- { name: here, insert: orders, key: message.order, set: { qty: message.qty }, else: [] }",
            fault: "faults: { f: { crash: orders, at_step: orders.Place.here, edge: unanswered, nth: 1, for: 1s } }",
            ..Shop::default()
        },
        &[("unacknowledged_effect", 1)],
    );
}

#[test]
fn a_message_lost_on_its_way_is_a_lost_effect() {
    bug(
        &Shop {
            place: "- { insert: orders, key: message.order, set: { qty: message.qty } }
        - { publish: Placed, with: message, confirm: false }",
            more: ", links: { l: { between: [orders, broker], transport: datagram, loss: 100% } }",
            ..Shop::default()
        },
        &[("lost_effects", 1)],
    );
}

#[test]
fn a_crash_behind_the_last_effect_loses_nothing() {
    let judged = bug(
        &Shop {
            placed: "- { name: here, update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
            consumes: "ack: before",
            fault: CRASH_UNANSWERED,
            ..Shop::default()
        },
        &[],
    );
    assert!(judged.sum.done > 0);
}
