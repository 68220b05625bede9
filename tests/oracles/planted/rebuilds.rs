//! Views that are built anew.

use super::*;

/// `view` counts what was placed and sends a mail; it is rebuilt after the orders have come.
fn rebuilt(placed: &'static str, fault: &'static str) -> Shop {
    Shop { placed, fault, preset: "kafka", times: "[1s, 2s, 3s]", ..Shop::default() }
}

const CLEARED: &str = "operations: { rebuild: { replay: stock, topic: placed, clear: [ items ], at: 10s } }";
const OVER_A_LIVE_VIEW: &str = "operations: { rebuild: { replay: stock, topic: placed, at: 10s } }";
const AND_MARKS: &str =
    "operations: { rebuild: { replay: stock, topic: placed, clear: [ items, handled ], at: 10s } }";

const ADD: &str = "- { upsert: items, key: message.item, set: { reserved: row.reserved + message.qty } }";
const ADD_AND_MAIL: &str =
    "- { upsert: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { effect: mail, takes: 1ms }";
const ADD_AND_MAIL_ONCE: &str =
    "- { upsert: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { if: '!delivery.replayed', then: [ { effect: mail, takes: 1ms } ] }";

#[test]
fn a_view_that_is_cleared_and_replayed_is_no_duplicate_unless_it_mails_again() {
    bug(&rebuilt(ADD_AND_MAIL, CLEARED), &[("duplicate_effects", 3)]);
    twin(&rebuilt(ADD_AND_MAIL_ONCE, CLEARED), DuplicateEffects);
}

#[test]
fn a_replay_over_a_live_view_adds_everything_again() {
    bug(&rebuilt(ADD, OVER_A_LIVE_VIEW), &[("duplicate_effects", 3)]);
    let cleared = rebuilt(ADD, CLEARED).judge();
    assert_eq!(cleared.counts(), []);
}

#[test]
fn marks_that_outlive_their_view_keep_it_empty() {
    let once = "- { transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { upsert: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }";
    bug(&rebuilt(once, CLEARED), &[("torn_effects", 3)]);
    let both = rebuilt(once, AND_MARKS).judge();
    assert_eq!(both.counts(), []);
}
