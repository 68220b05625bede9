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

/// The order is gone with its store, and what was told of it is not: the consumer has acted on what never was.
#[test]
fn an_order_that_was_told_of_and_is_gone_with_its_store_is_a_loss_and_a_phantom() {
    let shop = |place: &'static str, fault: &'static str| Shop { place, fault, ..Shop::default() };
    const PLACE: &str = "- { insert: orders, key: message.order, set: { qty: message.qty }, else: [ stop ] }
        - { publish: Placed, with: message }";
    let gone = judged(&shop(PLACE, CRASH_OF_STORE), "flush: 1s, ");
    let counts = [("torn_effects", 1), ("phantom_effects", 1), ("acknowledged_loss", 1)];
    assert_eq!(gone.counts(), counts, "{:?}", gone.sum);
    let failover = "faults: { f: { failover: orders.store, at: 1500ms, for: 1s } }";
    let failed = judged(&shop(PLACE, failover), "read_replica: { lag: 1s }, ");
    assert_eq!(failed.counts(), counts, "{:?}", failed.sum);
    // The relay has told of a commit that was not durable.
    const OUTBOX: &str = "- { transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } }, { publish: Placed, via: outbox, with: message } ] }";
    let relayed = judged(&shop(OUTBOX, CRASH_OF_STORE), "flush: 1s, ");
    assert_eq!(relayed.counts(), counts, "{:?}", relayed.sum);
    // It had not yet, and has forgotten it with the rest.
    const EARLY: &str = "faults: { f: { crash: orders.store, at: 1010ms, for: 1s } }";
    let not_yet = judged(&shop(OUTBOX, EARLY), "flush: 1s, ");
    assert_eq!(not_yet.counts(), [("lost_effects", 1), ("acknowledged_loss", 1)], "{:?}", not_yet.sum);
    // Flushed before, or whoever asked asks again: what was forgotten is there in the end.
    let durable = judged(&shop(PLACE, CRASH_OF_STORE), "flush: 100ms, ");
    assert_eq!(durable.counts(), [], "{:?}", durable.sum);
    const SLOW: &str = "- { insert: orders, key: message.order, set: { qty: message.qty }, else: [ stop ] }
        - { publish: Placed, with: message }
        - work: 700ms
        - { read: orders, key: message.order, as: order }
        - { if: '!order.exists', then: [ { fail: gone } ] }";
    let again = shop(SLOW, "faults: { f: { crash: orders.store, at: 1500ms, for: 100ms } }").text();
    let again = again
        .replacen("    store: { tables: { orders", "    store: { flush: 1s, tables: { orders", 1)
        .replace(
            "timeout: 2s, catch",
            "timeout: 2s, retry: { attempts: 2, delay: 1s, errors: [ gone ] }, catch",
        );
    let again = crate::oracles::judge(&again);
    assert_eq!(again.counts(), [("duplicate_effects", 1), ("duplicate_messages", 1)], "{:?}", again.sum);
    assert!(again.of(PhantomEffects).exposures > 0 && again.of(AcknowledgedLoss).exposures > 0);
}

/// The attempt goes on after its store has forgotten what it did, and tells who called that all is well.
#[test]
fn what_a_store_forgets_under_an_attempt_is_lost_though_the_attempt_ends_well() {
    let slow = |fault: &'static str| Shop {
        place: "- { insert: orders, key: message.order, set: { qty: message.qty } }
        - work: 1s",
        fault,
        ..Shop::default()
    };
    let lost =
        judged(&slow("faults: { f: { crash: orders.store, at: 1500ms, for: 50ms } }"), "flush: 1800ms, ");
    assert_eq!(lost.counts(), [("lost_effects", 1), ("acknowledged_loss", 1)], "{:?}", lost.sum);
    let durable =
        judged(&slow("faults: { f: { crash: orders.store, at: 1500ms, for: 50ms } }"), "flush: 100ms, ");
    assert_eq!(durable.counts(), [], "{:?}", durable.sum);
}

/// What a broker has taken in is said, also while its row waits to be marked, and the row is forgotten.
#[test]
fn a_published_row_that_is_not_marked_yet_is_no_loss_of_what_it_said() {
    for mark in ["after_publish", "periodic, mark_every: 5s"] {
        let text = format!(
            "scenario: outbox
run: {{ horizon: 10s, drain: 1m }}
messages:
  Place: {{ kind: command, key: order, fields: {{ order: id }} }}
  Placed: {{ kind: integration, key: order, fields: {{ order: id }} }}
brokers: {{ b: {{ preset: rabbitmq-quorum }} }}
topics: {{ orders: {{ messages: [Placed] }} }}
services:
  shop:
    workers: 4
    store: {{ flush: 4s, tables: {{ orders: {{ key: order, columns: {{ n: int }} }} }} }}
    outbox: {{ every: 50ms, select: log, mark: {mark} }}
    handlers:
      Place:
        - transaction: [ {{ insert: orders, key: message.order, set: {{ n: 1 }} }}, {{ publish: Placed, via: outbox, with: message }} ]
        - reply
  mail: {{ workers: 4, consumes: {{ orders: {{}} }}, handlers: {{ Placed: [ {{ effect: mail, takes: 5ms }} ] }} }}
clients:
  c: {{ arrivals: {{ times: [1s] }}, do: [ {{ let: {{ order: unique() }} }}, {{ call: shop.Place, with: {{ order: order }} }} ] }}
faults: {{ f: {{ crash: shop.store, at: 2s, for: 100ms }} }}
"
        );
        let half = crate::oracles::judge(&text);
        let counts = [("torn_effects", 1), ("phantom_effects", 1), ("acknowledged_loss", 1)];
        assert_eq!(half.counts(), counts, "{mark}: {:?}", half.sum);
    }
}
