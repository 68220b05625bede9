//! Histories that turn on what a part of the work is, and on whose data a decision was made.

use super::{CANCEL, CRASH, CRASH_ORDERS, placed, says};
use crate::oracles::{Shop, judge_seeds};
use eventflow::kernel::anomaly::Anomaly::*;

#[test]
fn what_a_loop_sends_for_each_item_is_a_message_of_its_own() {
    let shop = placed(
        "- { scan: items, where: row.item <= 3, as: some }
        - { for_each: some, as: item, do: [ { publish: Rejected, with: { order: item.item } } ] }",
    );
    says(&shop, &[]);
}

#[test]
fn a_step_on_many_rows_has_a_part_for_each() {
    const ADD: &str =
        "- { name: here, update: items, where: row.item <= 3, set: { reserved: row.reserved + 1 } }";
    says(&placed(ADD), &[]);
    let again = Shop { fault: CRASH, ..placed(ADD) };
    says(&again, &[("duplicate_effects", 3)]);
    assert!(again.judge().of(DuplicateEffects).exposures > 0);
}

/// Two steps of one name mean the same: what a transaction does at both is one part of the work.
#[test]
fn what_one_transaction_does_at_steps_of_one_name_is_done_once() {
    says(
        &placed(
            "- transaction:
            - { name: here, update: items, key: message.item, set: { reserved: row.reserved + 1 } }
            - { name: here, update: items, key: message.item, set: { reserved: row.reserved + 1 } }",
        ),
        &[],
    );
}

/// Two crashes: behind the mark, and before the second attempt looks for it.
#[test]
fn who_is_cut_before_he_finds_his_own_mark_has_paid_nothing() {
    let shop = Shop {
        fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s },
  g: { crash: stock, at_step: stock.Placed.start, edge: after, nth: 2, for: 1s } }",
        ..placed(
            "- { name: start, work: 1ms }
        - { read: handled, key: message.id, as: seen }
        - { if: seen.exists, then: [ stop ] }
        - { name: here, insert: handled, key: message.id }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
        )
    };
    says(&shop, &[("torn_effects", 1)]);
}

/// The first attempt reserved and still had to tell of it; the order was called off before the second.
#[test]
fn what_another_has_called_off_of_what_was_still_to_do_is_not_owed() {
    let steps = format!(
        "{CANCEL}- {{ read: items, key: message.item, as: item }}
        - {{ if: item.reserved == 0, then: [ {{ name: here, update: items, key: message.item, set: {{ reserved: row.reserved + 1 }} }} ] }}
        - {{ read: items, key: 9, as: closed }}
        - {{ if: closed.status == paid, then: [ stop ] }}
        - {{ publish: Rejected, with: {{ order: message.order }} }}"
    );
    let shop = Shop {
        placed: steps.leak(),
        fault: CRASH,
        preset: "sqs-standard",
        times: "[1s, 2200ms]",
        ..Shop::default()
    };
    says(&shop, &[]);
    assert!(shop.judge().of(TornEffects).exposures > 0);
}

/// The second order is cut before it comes to the guard, which then takes it for the first.
#[test]
fn who_is_cut_before_he_finds_anothers_mark_is_swallowed_all_the_same() {
    let shop = |key: &str| {
        let placed = format!(
            "- {{ name: here, work: 1ms }}
        - {{ insert: handled, key: {key}, else: [ stop ] }}
        - {{ update: items, key: message.item, set: {{ reserved: row.reserved + 1 }} }}"
        );
        Shop {
            placed: "PLACED",
            fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 2, for: 1s } }",
            times: "[1s, 3s]",
            ..Shop::default()
        }
        .text()
        .replace("PLACED", &placed)
        .replace("columns: { id: id }", "columns: { id: int }")
    };
    let text = shop("message.item");
    let judged = judge_seeds(&text);
    assert_eq!(judged.counts(), [("swallowed", 1)], "{:?}\n{text}", judged.sum);
    let judged = judge_seeds(&shop("message.order"));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
    assert!(judged.of(Swallowed).exposures > 0);
}

/// A transaction that is given up takes back its rows, but not what was sent on the way: that was still to do.
#[test]
fn what_would_have_been_sent_before_a_rollback_is_owed() {
    let shop = |via: &str| {
        let place = format!(
            "- {{ insert: orders, key: message.order, set: {{ qty: message.qty }} }}
        - {{ name: here, work: 1ms }}
        - {{ transaction: [ {{ publish: Placed, via: {via}, with: message }}, {{ fail: no }} ] }}"
        );
        Shop { place: "PLACE", fault: CRASH_ORDERS, ..Shop::default() }.text().replace("PLACE", &place)
    };
    let text = shop("direct");
    let judged = judge_seeds(&text);
    assert_eq!(judged.counts(), [("torn_effects", 1)], "{:?}\n{text}", judged.sum);
    let judged = judge_seeds(&shop("outbox"));
    assert_eq!(judged.counts(), [("unacknowledged_effect", 1)], "{:?}", judged.sum);
}
