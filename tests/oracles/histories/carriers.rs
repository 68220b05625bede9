//! Histories that turn on what carries a message: a batch, a compacted log, the subscriptions to it, the dead
//! letters.

use super::{placed, says};
use crate::oracles::{Shop, Watched, judge_seeds};
use eventflow::experiment::replication;
use eventflow::kernel::anomaly::Anomaly::*;
use eventflow::kernel::stream::StreamPlan;
use eventflow::observe::oracles::lineage::Lineage;
use eventflow::world::Limits;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Ten orders are with one instance as a batch of ten, and handled; it crashes before it acknowledges any. They come
/// again in two parts, of seven and three, to two instances.
#[test]
fn a_batch_that_comes_again_in_other_parts_is_each_member_once_more() {
    let shop = |placed: &'static str| {
        let times: Vec<String> = (0..10).map(|n| format!("{}ms", 1000 + n)).collect();
        let shop = Shop {
            placed,
            preset: "rabbitmq-classic",
            consumes: "ack: periodic, ack_every: 10s, batch: 10, max_in_flight: { per_consumer: 7 }, concurrency: 1",
            times: format!("[{}]", times.join(", ")).leak(),
            fault: "faults: { f: { crash: stock, at: 3s, for: 1s, instance: all } }",
            ..Shop::default()
        };
        shop.text().replace("  stock:\n    workers: 4", "  stock:\n    instances: 2\n    workers: 4")
    };
    let bulk = "- { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }";
    let judged = judge_seeds(&shop(bulk));
    assert_eq!(judged.counts(), [("duplicate_effects", 10)], "{:?}", judged.sum);
    let guarded = "- { transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }";
    let judged = judge_seeds(&shop(guarded));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
    assert_eq!(judged.of(DuplicateEffects).exposures, 10, "each member, and nothing else");
}

/// The last word on a key is that it is gone. Who is away for longer than a compacted log keeps that never hears it.
#[test]
fn a_tombstone_that_compaction_drops_is_lost() {
    let shop = |preset: &'static str| Shop {
        place: "- { publish: Placed, with: message, key: 1, tombstone: true }",
        placed: "- { delete: items, key: message.item }",
        preset,
        fault: "faults: { f: { crash: stock, at: 500ms, for: 30s } }",
        ..Shop::default()
    };
    says(&shop("kafka, retain: { compact: true, for: 5s }"), &[("lost_effects", 1)]);
    let kept = shop("kafka, retain: { compact: true, for: 1h }");
    says(&kept, &[]);
    assert_eq!(kept.judge().sum.done, 2, "the call, and the share");
}

/// A group owes what it handles, wherever it begins: everything since the start is there to be handled.
#[test]
fn a_group_owes_what_it_has_a_handler_for() {
    let steps = "- { update: items, key: message.item, set: { reserved: row.reserved + 1 } }
        - { publish: Rejected, with: { order: message.order } }";
    let both = |more: &str| {
        let topics =
            "topics: { placed: { messages: [ Placed, Rejected ] }, rejected: { messages: [ Again2 ] } }";
        let text = placed(steps).text();
        text.replace(
            "topics: { placed: { messages: [ Placed ] }, rejected: { messages: [ Rejected ] } }",
            topics,
        )
        .replace(
            "  Rejected: {",
            "  Again2: { kind: integration, key: order, fields: { order: int } }\n  Rejected: {",
        )
        .replace("clients:", &format!("{more}clients:"))
    };
    let filtered = judge_seeds(&both(""));
    assert_eq!(filtered.counts(), []);
    assert_eq!(filtered.sum.owed, 2, "the call and the share of what is handled: {:?}", filtered.sum);
    for from in ["earliest", "latest"] {
        let other = format!(
            "  other:
    store: {{ tables: {{ seen: {{ key: order, columns: {{ order: int }} }} }} }}
    consumes: {{ placed: {{ from: {from} }} }}
    handlers: {{ Rejected: [ {{ insert: seen, key: message.order }} ] }}
"
        );
        let judged = judge_seeds(&both(&other));
        assert_eq!(judged.counts(), []);
        assert_eq!(judged.sum.owed, 3, "{from}: {:?}", judged.sum);
    }
}

/// A letter is redriven six hours later, when the mark that told it was handled has gone; many others came by
/// meanwhile, and are not remembered.
#[test]
fn what_is_redriven_after_its_mark_is_gone_is_done_twice() {
    let text = |ttl: &str, others: &str| {
        let shop = Shop {
            placed: "- { transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }
        - { if: message.order == 1 && message.published_at + 1h > now, then: [ { fail: not_yet } ] }",
            preset: "sqs-standard",
            consumes: "ack: after, exhaust: { after: 1, then: dead_letter, dead_letter: rejected }",
            fault: "operations: { again: { redrive: rejected, to: placed, at: 6h } }",
            ..Shop::default()
        };
        shop.text()
            .replace("horizon: 1m", "horizon: 7h")
            .replace("bookkeeping: true", &format!("bookkeeping: true, ttl: {ttl}"))
            .replace("arrivals: { times: [1s] }", others)
            .replace("arrivals: { every: 5m }", "arrivals: { times: [1h] }")
    };
    let one = "arrivals: { times: [1s] }";
    let judged = judge_seeds(&text("1h", one));
    assert_eq!(judged.counts(), [("duplicate_effects", 1)], "{:?}", judged.sum);
    let judged = judge_seeds(&text("12h", one));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
    assert!(judged.of(DuplicateEffects).exposures > 0);
    // One of five thousand; the letter is all that is remembered of the first.
    let model = crate::engine::model(&text("1h", "arrivals: { every: 5s }"));
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let mut watched = Watched { lineage: Lineage::new(&model), most: 0 };
    let agenda = replication::agenda(&model, &plan, 1, 0);
    let interrupt = AtomicBool::new(false);
    replication::replicate(&model, agenda, &mut watched, Limits::default(), &interrupt).expect("it ends");
    let (findings, sum, _) = watched.lineage.finish();
    assert_eq!(findings[DuplicateEffects.index()].count, 1);
    assert!(sum.owed > 10_000 && sum.owed == sum.ended(), "{sum:?}");
    assert!(watched.most < 20, "{} at once", watched.most);
}
