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

/// A client publishes by itself, at 1 s.
fn published(publish: &str, fault: &str) -> crate::oracles::Judged {
    let text = Shop { fault: "FAULT", ..Shop::default() }.text().replace(
        "- { call: orders.Place, with: { order: order, item: 1, qty: 2 }, timeout: 2s, catch: { any: [ stop ] } }",
        &format!("- {{ publish: Placed, with: {{ order: order, item: 1, qty: 2 }}{publish} }}"),
    );
    let text =
        text.replace("do: [ {", "do: [ { call: orders.Place, with: { order: 0, item: 1, qty: 1 } }, {");
    judge_seeds(&text.replace("FAULT", fault))
}

const BROKER_OUT: &str = "faults: { f: { outage: broker, at: 500ms, for: 10s } }";

#[test]
fn a_client_whose_own_publish_was_refused_has_lost_nothing() {
    let refused = |judged: &crate::oracles::Judged| (judged.counts(), judged.sum.refused, judged.sum.lost);
    let tried_once = ", confirm: true, retry: { attempts: 1 }";
    assert_eq!(refused(&published(tried_once, BROKER_OUT)), (vec![], 1, 0));
    let caught = format!("{tried_once}, catch: {{ any: [ stop ] }}");
    assert_eq!(refused(&published(&caught, BROKER_OUT)), (vec![], 1, 0), "it knows, and ends well");
    let until_it_works = ", confirm: true, retry: { attempts: 30, delay: 1s }";
    let works = published(until_it_works, BROKER_OUT);
    assert_eq!((works.counts(), works.sum.refused, works.sum.done), (vec![], 0, 1));
    // Nobody has told it anything.
    let unheard = published(", confirm: false", BROKER_OUT);
    assert_eq!(unheard.counts(), [("lost_effects", 1)], "{:?}", unheard.sum);
}

/// Writes that two of three replicas must have, one near the service; from 9 s to 20 s the other two are cut off.
fn below_quorum(crash: &str) -> crate::oracles::Judged {
    judge_seeds(&format!(
        "scenario: below
run: {{ horizon: 1m, drain: 2m }}
messages: {{ Put: {{ kind: command, key: k, fields: {{ k: int }} }} }}
services:
  s:
    workers: 9
    place: eu
    store:
      place: [eu, us, asia]
      replication: {{ n: 3, write_quorum: 2, read_quorum: 2, write: 4ms, ack: 4ms, read: 2ms, respond: 1ms }}
      tables: {{ t: {{ key: k, columns: {{ k: int }} }} }}
    handlers: {{ Put: [ {{ insert: t, key: message.k, else: [ stop ] }} ] }}
clients:
  c: {{ arrivals: {{ times: [10s] }}, do: [ {{ call: s.Put, with: {{ k: 1 }}, timeout: 2s, catch: {{ any: [ stop ] }} }} ] }}
network:
  default: {{ latency: 1ms }}
  links: {{ a: {{ between: [eu, us], latency: 40ms }}, b: {{ between: [eu, asia], latency: 90ms }} }}
faults:
  far: {{ split: [eu, us], at: 9s, for: 11s }}
  farther: {{ split: [eu, asia], at: 9s, for: 11s }}
{crash}"
    ))
}

#[test]
fn a_write_below_its_quorum_that_was_told_to_have_failed_is_there_all_the_same() {
    let told_no = [("unacknowledged_effect", 1)];
    assert_eq!(below_quorum("").counts(), told_no, "acknowledged when nobody listens any more");
    let crash = |at: &str| below_quorum(&format!("  gone: {{ crash: s, at: {at}, for: 1s }}\n")).counts();
    assert_eq!(crash("11s"), told_no, "one replica has it");
    assert_eq!(crash("9500ms"), [], "it was not asked");
}

/// Two prices, of 1 s and of a second later; instance 0 has the first. The later one of two by the clock stays.
fn by_the_clock(steps: &str, times: &str, skew: &str) -> crate::oracles::Judged {
    judge_seeds(&format!(
        "scenario: clocks
run: {{ horizon: 1m, drain: 2m }}
messages: {{ Set: {{ kind: command, fields: {{ n: int }} }} }}
services:
  s:
    instances: 2
    workers: 4
    store: {{ tables: {{ prices: {{ key: k, columns: {{ k: int, price: int, at: time }}, rows: [ {{ k: 1 }} ] }} }} }}
    handlers:
      Set:
        {steps}
clients:
  c: {{ arrivals: {{ times: {times} }}, do: [ {{ let: {{ n: {{ counter: 1 }} }} }}, {{ call: s.Set, with: {{ n: n }}, timeout: 5s }} ] }}
network: {{ default: {{ latency: 1ms }} }}
faults: {{ f: {{ {skew}, at: 500ms }} }}
"
    ))
}

#[test]
fn an_acknowledged_write_that_a_wrong_clock_takes_for_older_is_lost() {
    const LAST: &str =
        "- { update: prices, key: 1, where: now > row.at, set: { price: message.n, at: now } }";
    const AHEAD: &str = "skew: s, by: 10s, instance: 0";
    let lost = by_the_clock(LAST, "[1s, 2s]", AHEAD);
    assert_eq!(lost.counts(), [("lost_effects", 1), ("acknowledged_loss", 1)], "{:?}", lost.sum);
    // The other one is ahead: its write is the later one indeed.
    assert_eq!(by_the_clock(LAST, "[1s, 2s]", "skew: s, by: 10s, instance: 1").counts(), []);
    // Clocks that are right: what began before the other was written is older.
    let slow = "- let: { at: now }
        - { if: message.n == 1, then: [ { wait: 500ms } ] }
        - { update: prices, key: 1, where: at > row.at, set: { price: message.n, at: at } }";
    let superseded = by_the_clock(slow, "[1s, 1100ms]", "skew: s, by: 0s, instance: 0");
    assert_eq!(superseded.counts(), [], "{:?}", superseded.sum);
    assert!(superseded.of(LostEffects).exposures > 0);
    // A time that says until when nobody else may is no contest: it refuses by right.
    let lease = "- { update: prices, key: 1, where: row.at < now, set: { price: message.n, at: now + 10s } }";
    let refused = by_the_clock(lease, "[1s, 2s]", "skew: s, by: 0s, instance: 0");
    assert_eq!((refused.counts(), refused.of(LostEffects).exposures), (vec![], 0), "{:?}", refused.sum);
    // Versions instead of times do not ask the clock.
    let counted = "- { update: prices, key: 1, where: message.n > row.price, set: { price: message.n } }";
    assert_eq!(by_the_clock(counted, "[1s, 2s]", AHEAD).counts(), []);
}
