//! Histories that turn on what the remainder of a cut would still have changed.

use super::{CRASH, says};
use crate::oracles::Shop;
use eventflow::kernel::anomaly::Anomaly::*;

/// Acknowledged before it is worked on: what a cut leaves undone, nobody does any more.
fn cut_for_good(placed: &'static str) -> Shop {
    Shop { placed, fault: CRASH, consumes: "ack: before", ..Shop::default() }
}

#[test]
fn a_step_on_many_rows_is_owed_if_it_would_have_found_one() {
    says(
        &cut_for_good(
            "- { name: here, work: 1ms }
        - { update: items, where: row.item <= 3, set: { reserved: row.reserved + 1 } }",
        ),
        &[("lost_effects", 1)],
    );
    says(
        &cut_for_good(
            "- { name: here, work: 1ms }
        - { update: items, where: row.item > 1000, set: { reserved: row.reserved + 1 } }",
        ),
        &[],
    );
}

/// The mark that the remainder would have set is found by its own scan, and what it would have deleted is not.
#[test]
fn a_remainder_sees_its_own_rows() {
    says(
        &cut_for_good(
            "- { name: here, work: 1ms }
        - { insert: handled, key: message.id }
        - { scan: handled, where: row.id == message.id, as: mine }
        - { for_each: mine, as: one, do: [ { update: items, key: 1, set: { reserved: row.reserved + 1 } } ] }",
        ),
        &[("lost_effects", 1)],
    );
    says(
        &cut_for_good(
            "- { name: first, insert: handled, key: message.id }
        - { name: here, work: 1ms }
        - { delete: handled, key: message.id }
        - { scan: handled, where: row.id == message.id, as: mine }
        - { for_each: mine, as: one, do: [ { update: items, key: 1, set: { reserved: row.reserved + 1 } } ] }",
        ),
        &[],
    );
}

/// The outside would have recognised the second order's charge by its key.
#[test]
fn what_the_outside_would_have_recognised_is_not_owed() {
    let shop = |key: &str| {
        let placed = format!(
            "- {{ name: here, work: 1ms }}\n        - {{ effect: charge, idempotency_key: {key}, takes: 1ms }}"
        );
        Shop {
            placed: placed.leak(),
            times: "[1s, 5s]",
            fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 2, for: 1s } }",
            consumes: "ack: before",
            ..Shop::default()
        }
    };
    says(&shop("message.item"), &[]);
    says(&shop("message.order"), &[("lost_effects", 1)]);
}

/// The transaction is there though nobody has heard of it: the remainder goes on behind it, and does not meet its own
/// mark.
#[test]
fn a_commit_that_is_on_its_way_is_behind_the_remainder() {
    let transaction = |after: &str| {
        let placed = format!(
            "- name: here
          transaction:
            - {{ insert: handled, key: message.id, else: [ stop ] }}
            - {{ update: items, key: message.item, set: {{ reserved: row.reserved + message.qty }} }}{after}"
        );
        Shop {
            placed: placed.leak(),
            fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: unanswered, nth: 1, for: 1s } }",
            consumes: "ack: before",
            ..Shop::default()
        }
    };
    says(&transaction(""), &[]);
    let more = transaction("\n        - { publish: Rejected, with: { order: message.order } }");
    says(&more, &[("torn_effects", 1)]);
    assert!(more.judge().of(TornEffects).exposures > 0);
}

/// Two branches are under way and one item is not begun: all of it is owed, and what follows them.
#[test]
fn branches_that_are_under_way_are_owed_with_what_follows_them() {
    says(
        &cut_for_good(
            "- for_each: 1..4
          as: i
          parallel: 2
          do:
            - { wait: 5ms }
            - { name: here, update: items, key: i, set: { reserved: row.reserved + 1 } }
        - { update: items, key: 9, set: { reserved: row.reserved + 1 } }",
        ),
        &[("torn_effects", 1)],
    );
}

/// Nothing follows the branches: the one that had not written yet is owed, and in what was not begun both are.
#[test]
fn a_branch_that_is_cut_is_owed() {
    says(
        &cut_for_good(
            "- for_each: 1..2
          as: i
          parallel: 2
          do:
            - { wait: 5ms * i }
            - { name: here, update: items, key: i, set: { reserved: row.reserved + 1 } }",
        ),
        &[("torn_effects", 1)],
    );
    says(
        &cut_for_good(
            "- { name: here, work: 1ms }
        - parallel:
            one: [ { update: items, key: 1, set: { reserved: row.reserved + 1 } } ]
            other: [ { update: items, key: 2, set: { reserved: row.reserved + 1 } } ]",
        ),
        &[("lost_effects", 1)],
    );
}
