//! Planted bugs of consumers that publish: what is seen with the acknowledgement, and what that does not cover.

use super::{bug, twin};
use crate::oracles::Shop;
use eventflow::kernel::anomaly::Anomaly::*;

/// `stock` passes on what it has done, and crashes once, behind that.
const CRASH: &str =
    "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s } }";

#[test]
fn what_is_published_before_the_acknowledgement_is_published_twice() {
    let shop = |placed: &'static str| Shop { placed, preset: "kafka", fault: CRASH, ..Shop::default() };
    bug(
        &shop("- { publish: Rejected, with: { order: message.order } }\n        - { name: here, work: 1ms }"),
        &[("duplicate_messages", 1)],
    );
    twin(
        &shop(
            "- { publish: Rejected, with: { order: message.order }, via: ack }\n        - { name: here, work: 1ms }",
        ),
        DuplicateMessages,
    );
}

/// The transaction is the broker's alone: rows are not in it.
#[test]
fn a_row_is_no_part_of_it() {
    let shop = |placed: &'static str| Shop { placed, preset: "kafka", fault: CRASH, ..Shop::default() };
    bug(
        &shop(
            "- { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { publish: Rejected, with: { order: message.order }, via: ack }
        - { name: here, work: 1ms }",
        ),
        &[("duplicate_effects", 1)],
    );
    // With a mark that stops the second attempt, what the first would have told is never told.
    bug(
        &shop(
            "- transaction: [ { insert: handled, key: message.order, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ]
        - { publish: Rejected, with: { order: message.order }, via: ack }
        - { name: here, work: 1ms }",
        ),
        &[("lost_effects", 1)],
    );
    // The repair: the row may be written twice, and is the same.
    twin(
        &shop(
            "- { update: items, key: message.item, set: { status: paid, at: now } }
        - { publish: Rejected, with: { order: message.order }, via: ack }
        - { name: here, work: 1ms }",
        ),
        DuplicateMessages,
    );
}

/// The second attempt takes another turn; what the first would have said was never said.
#[test]
fn what_was_never_seen_is_no_half_of_anything() {
    let shop = |via: &str| {
        Shop {
        placed: format!(
            "- {{ read: items, key: message.item, as: item }}
        - {{ update: items, key: message.item, set: {{ status: paid, at: now }} }}
        - {{ if: item.status == free, then: [ {{ publish: Rejected, with: {{ order: message.order }}{via} }} ] }}
        - {{ name: here, work: 1ms }}"
        )
        .leak(),
        preset: "kafka",
        fault: CRASH,
        ..Shop::default()
    }
    };
    let seen = shop("").judge();
    assert_eq!(seen.of(LostEffects).count, 0, "{:?}", seen.counts());
    let never_seen = shop(", via: ack").judge();
    assert_eq!(never_seen.of(MixedEffects).count, 0, "{:?}", never_seen.counts());
    assert_eq!(never_seen.of(LostEffects).count, 1, "{:?}", never_seen.counts());
}
