//! Planted bugs of brokers: what was confirmed and not durable, what expires, is superseded or redriven.

use super::bug;
use crate::oracles::Shop;
use eventflow::kernel::anomaly::Anomaly::*;

/// The consumer is away from before the first message until long after the last.
const AWAY: &str = "faults: { f: { crash: stock, at: 500ms, for: 30s } }";

#[test]
fn what_a_failover_destroys_is_lost() {
    let shop = |preset: &'static str| Shop {
        preset,
        fault: "faults: { f: { crash: stock, at: 500ms, for: 30s }, g: { failover: broker, at: 5s, for: 1s } }",
        ..Shop::default()
    };
    bug(&shop("kafka, flush: 10s"), &[("lost_effects", 1)]);
    let twin = bug(&shop("kafka, flush: always"), &[]);
    assert!(twin.sum.done > 0 && twin.of(LostEffects).of > 0, "{:?}", twin.sum);
    let twin = bug(&shop("kafka, flush: 1s"), &[]);
    assert!(twin.sum.done > 0, "flushed before it failed over: {:?}", twin.sum);
}

#[test]
fn what_was_declared_to_expire_is_not_lost() {
    let shop = |place: &'static str| Shop { place, preset: "nats-jetstream", fault: AWAY, ..Shop::default() };
    let judged = bug(&shop("- { publish: Placed, with: message, expires: 5s }"), &[]);
    assert_eq!((judged.sum.expired, judged.sum.lost), (1, 0), "{:?}", judged.sum);
    let in_time = bug(&shop("- { publish: Placed, with: message, expires: 50s }"), &[]);
    assert_eq!((in_time.sum.expired, in_time.sum.lost), (0, 0), "{:?}", in_time.sum);
}

#[test]
fn what_a_newer_one_of_its_key_supersedes_is_not_lost() {
    let times: Vec<String> = (0..20).map(|n| format!("{}ms", 1000 + 50 * n)).collect();
    let shop = |preset: &'static str| Shop {
        place: "- { publish: Placed, with: message, key: 1 }",
        preset,
        fault: AWAY,
        times: format!("[{}]", times.join(", ")).leak(),
        ..Shop::default()
    };
    let judged = bug(&shop("kafka, retain: { compact: true }"), &[]);
    assert_eq!((judged.sum.superseded, judged.sum.lost), (15, 0), "{:?}", judged.sum);
    let all = bug(&shop("kafka"), &[]);
    assert_eq!((all.sum.superseded, all.sum.lost), (0, 0), "{:?}", all.sum);
}

#[test]
fn what_was_set_aside_is_done_after_a_redrive() {
    let shop = |fault: &'static str| Shop {
        placed: "- { if: message.published_at + 20s > now, then: [ { fail: not_yet } ] }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
        preset: "sqs-standard",
        consumes: "ack: after, exhaust: { after: 1, then: dead_letter, dead_letter: rejected }",
        fault,
        ..Shop::default()
    };
    let left = bug(&shop(""), &[("parked", 1)]);
    assert_eq!(left.sum.parked, 1);
    let redriven = bug(&shop("operations: { again: { redrive: rejected, to: placed, at: 45s } }"), &[]);
    assert_eq!((redriven.sum.parked, redriven.sum.lost), (0, 0), "{:?}", redriven.sum);
}
