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
