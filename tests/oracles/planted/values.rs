//! What ought to happen once for a value: `once_per` on steps that change rows or act on the outside.
//!
//! Two orders are for one item, and each is an obligation of its own; what is said to happen once for the item is
//! done by the second order again.

use super::{CRASH, bug, twin};
use crate::oracles::Shop;
use eventflow::kernel::anomaly::Anomaly::*;

const TWO: &str = "[1s, 2s]";

#[test]
fn an_act_on_the_outside_for_each_of_two_orders_is_one_too_many_for_their_item() {
    let charge = |placed| Shop { placed, times: TWO, ..Shop::default() };
    bug(&charge("- { effect: charge, takes: 1ms }"), &[]);
    bug(&charge("- { effect: charge, once_per: message.item, takes: 1ms }"), &[("duplicate_effects", 1)]);
    twin(
        &charge("- { effect: charge, once_per: message.item, idempotency_key: message.item, takes: 1ms }"),
        DuplicateEffects,
    );
}

#[test]
fn a_change_for_each_of_two_orders_is_one_too_many_for_their_item() {
    let change = |placed| Shop { placed, times: TWO, ..Shop::default() };
    bug(
        &change(
            "- { update: items, key: message.item, set: { reserved: row.reserved + 2 }, once_per: message.item }",
        ),
        &[("duplicate_effects", 1)],
    );
    twin(
        &change(
            "- { update: items, key: message.item, where: row.reserved == 0, set: { reserved: row.reserved + 2 }, \
             once_per: message.item }",
        ),
        DuplicateEffects,
    );
}

/// Each row of a change without a key is an item of its own.
#[test]
fn a_change_of_many_rows_counts_each_of_them() {
    bug(
        &Shop {
            placed: "- { update: items, where: row.item <= 3, set: { reserved: row.reserved + 1 }, once_per: message.item }",
            times: TWO,
            ..Shop::default()
        },
        &[("duplicate_effects", 3)],
    );
}

/// A guard that lets only the first order of an item through swallows the second one's work; unless that is what
/// was meant.
#[test]
fn a_guard_that_says_for_what_value_it_stands_swallows_nothing() {
    let guarded = |placed| Shop { placed, times: TWO, ..Shop::default() };
    bug(
        &guarded(
            "- { transaction: [ { insert: handled, key: message.item, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + 2 } } ] }",
        ),
        &[("swallowed", 1)],
    );
    twin(
        &guarded(
            "- { transaction: [ { insert: handled, key: message.item, once_per: message.item, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + 2 }, once_per: message.item } ] }",
        ),
        DuplicateEffects,
    );
}

/// What one order left undone the next one of its item makes good.
#[test]
fn what_nobody_did_for_a_value_is_lost_and_what_somebody_did_is_not() {
    let crashed = |times| Shop {
        placed: "- { name: here, work: 1ms }\n        - { effect: charge, once_per: message.item, takes: 1ms }",
        consumes: "ack: before",
        fault: CRASH,
        times,
        ..Shop::default()
    };
    let lost = bug(&crashed("[1s]"), &[("lost_effects", 1)]);
    let first = lost.of(LostEffects).first.as_ref().expect("it was counted");
    assert!(first.at < 1_100_000_000, "dated where its last carrier died: {}", first.at);
    twin(&crashed("[1s, 3s]"), LostEffects);
}

/// Within one obligation it is as it is without: a redelivery does it again.
#[test]
fn a_redelivery_does_it_again_for_the_same_value() {
    let shop = |placed| Shop { placed, fault: super::CRASH_UNANSWERED, ..Shop::default() };
    bug(
        &shop("- { name: here, effect: charge, once_per: message.item, takes: 1ms }"),
        &[("duplicate_effects", 1)],
    );
    twin(
        &shop(
            "- { name: here, effect: charge, once_per: message.item, idempotency_key: message.item, takes: 1ms }",
        ),
        DuplicateEffects,
    );
}
