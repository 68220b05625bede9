//! What a store's crash forgets although it was told to be done.

use super::*;

/// Three orders are placed in one flush; the store crashes before it.
fn placed(crash: &'static str) -> Shop {
    Shop {
        place: "- { insert: orders, key: message.order, set: { qty: message.qty } }",
        fault: crash,
        times: "[1s, 1100ms, 1200ms]",
        ..Shop::default()
    }
}

const CRASH_OF_STORE: &str = "faults: { f: { crash: orders.store, at: 1500ms, for: 1s } }";

fn judged(shop: &Shop, flush: &str) -> Judged {
    let text = shop.text();
    let text =
        text.replacen("    store: { tables: { orders", &format!("    store: {{ {flush}tables: {{ orders"), 1);
    crate::oracles::judge(&text)
}

#[test]
fn an_acknowledged_order_is_lost_with_a_store_that_flushes_later() {
    let lost = judged(&placed(CRASH_OF_STORE), "flush: 1s, ");
    assert_eq!(lost.counts(), [("lost_effects", 3), ("acknowledged_loss", 3)]);
    // Those before a flush are durable.
    let later = "faults: { f: { crash: orders.store, at: 2500ms, for: 1s } }";
    let kept = judged(&placed(later), "flush: 1s, ");
    assert_eq!(kept.counts(), []);
    let always = judged(&placed(CRASH_OF_STORE), "");
    assert_eq!(always.counts(), []);
}

/// A replica that lags takes over: what had not come to it is gone, though it was acknowledged.
#[test]
fn an_acknowledged_order_is_lost_with_a_store_that_fails_over_to_a_replica_that_lags() {
    let failover = "faults: { f: { failover: orders.store, at: 1500ms, for: 1s } }";
    let lost = judged(&placed(failover), "read_replica: { lag: 1s }, ");
    assert_eq!(lost.counts(), [("lost_effects", 3), ("acknowledged_loss", 3)]);
    let kept = judged(&placed(failover), "read_replica: { lag: 100ms }, ");
    assert_eq!(kept.counts(), []);
    // Of several the one that has most takes over.
    let some = judged(
        &placed("faults: { f: { failover: orders.store, at: 2150ms, for: 1s } }"),
        "read_replica: { count: 3, lag: 1s }, ",
    );
    assert_eq!(some.counts(), [("lost_effects", 1), ("acknowledged_loss", 1)], "the third came at 1.2 s");
}

/// The broker has forgotten that a message was acknowledged, and hands it out once more.
#[test]
fn an_acknowledgement_that_is_not_durable_is_work_that_is_done_again() {
    let shop = |placed: &'static str| Shop {
        placed,
        preset: "rabbitmq-classic, flush: 10s",
        // In at 1 s, durable at 11 s, acknowledged at 12 s.
        fault: "faults: { f: { failover: broker, at: 15s, for: 1s } }",
        ..Shop::default()
    };
    let adds = "- work: 11s
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }";
    bug(&shop(adds), &[("duplicate_effects", 1)]);
    let marks = "- work: 11s
        - transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ]";
    twin(&shop(marks), DuplicateEffects);
}
