//! Guards that take one obligation for another, and acts of groups in which each instance has its own.

use super::{bug, twin};
use crate::oracles::Shop;
use eventflow::kernel::anomaly::Anomaly::*;

/// The second order of an item is cut before it comes to the mark that the first has left, and never comes again:
/// whoever would have stopped there has not done what was owed.
#[test]
fn who_is_cut_before_anothers_mark_is_swallowed_by_it() {
    let shop = |placed, consumes| Shop {
        placed,
        consumes,
        times: "[1s, 2s]",
        fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 2, for: 1s } }",
        ..Shop::default()
    };
    let look = "- { name: here, work: 1ms }
        - { read: handled, key: message.item, as: seen }
        - { if: seen.exists, then: [ stop ] }
        - { transaction: [ { insert: handled, key: message.item },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }";
    let insert = "- { name: here, work: 1ms }
        - { transaction: [ { insert: handled, key: message.item, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }";
    let read = "- { read: handled, key: message.item, as: seen }
        - { name: here, work: 1ms }
        - { if: seen.exists, then: [ stop ] }
        - { transaction: [ { insert: handled, key: message.item },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }";
    for placed in [look, insert, read] {
        for consumes in ["ack: before", "ack: after"] {
            bug(&shop(placed, consumes), &[("swallowed", 1)]);
        }
    }
    // With a mark of its own it is just lost, or done when it comes again.
    let own = "- { name: here, work: 1ms }
        - { transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }";
    bug(&shop(own, "ack: before"), &[("lost_effects", 1)]);
    twin(&shop(own, "ack: after"), LostEffects);
}

/// The outside acts, the answer comes too late, and the step is tried again: once for each instance of a group in
/// which each has its own.
#[test]
fn acts_of_each_instance_are_counted() {
    let shop = |placed| Shop { placed, consumes: "ack: after, group: per_instance", ..Shop::default() };
    let two = |shop: Shop| {
        shop.text().replace("  stock:\n    workers: 4", "  stock:\n    instances: 2\n    workers: 4")
    };
    let try_again =
        "- { effect: charge, takes: 10ms, timeout: 7ms, retry: { attempts: 2 }, catch: { any: [ stop ] } }";
    let judged = crate::oracles::judge_seeds(&two(shop(try_again)));
    assert_eq!(judged.counts(), [("duplicate_effects", 2)], "{:?}", judged.sum);
    let once =
        "- { effect: charge, takes: 10ms, timeout: 20ms, retry: { attempts: 2 }, catch: { any: [ stop ] } }";
    let judged = crate::oracles::judge_seeds(&two(shop(once)));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
}
