//! Histories that break simpler definitions: one effect id for each step and cause, "an attempt completed".
//! Each says what the oracle has to say of it.

mod again;
mod carriers;
mod dry;
mod parts;
mod told;

use super::Shop;
use eventflow::kernel::anomaly::Anomaly::*;

const CRASH: &str =
    "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s } }";

const CRASH_ORDERS: &str =
    "faults: { f: { crash: orders, at_step: orders.Place.here, edge: after, nth: 1, for: 1s } }";

fn placed(steps: &'static str) -> Shop {
    Shop { placed: steps, ..Shop::default() }
}

fn crashed(steps: &'static str) -> Shop {
    Shop { placed: steps, fault: CRASH, ..Shop::default() }
}

fn says(shop: &Shop, expected: &[(&str, u64)]) {
    let judged = shop.judge();
    assert_eq!(judged.counts(), expected, "{:?}\n{}", judged.sum, shop.text());
}

#[test]
fn a_compare_and_set_refused_on_retry_was_done() {
    says(
        &Shop {
            placed: "- { name: here, update: items, key: message.item, where: row.reserved == 0, set: { reserved: 5 }, else: [ { fail: changed } ] }",
            fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: unanswered, nth: 1, for: 1s } }",
            preset: "sqs-standard",
            consumes: "ack: after, exhaust: { after: 3, then: dead_letter, dead_letter: rejected }",
            ..Shop::default()
        },
        &[],
    );
}

#[test]
fn the_same_meaning_at_another_step_is_mixed() {
    says(
        &crashed(
            "- if: delivery.attempt == 1
          then: [ { update: items, key: 1, set: { reserved: row.reserved + 1 } }, { name: here, work: 1ms }, { update: items, key: 5, set: { status: paid } } ]
          else: [ { update: items, key: 2, set: { reserved: row.reserved + 1 } } ]",
        ),
        &[("mixed_effects", 1)],
    );
}

#[test]
fn a_guard_by_the_state_of_the_business_tears() {
    says(
        &crashed(
            "- { read: items, key: message.item, as: item }
        - { if: item.status == paid, then: [ stop ] }
        - { name: here, update: items, key: message.item, set: { status: paid } }
        - { publish: Rejected, with: { order: message.order } }",
        ),
        &[("torn_effects", 1)],
    );
}

/// The second order's attempt closes the row while the first one's is away.
const CANCEL: &str = "- if: message.order == 2
          then: [ { update: items, key: 9, set: { status: paid } }, stop ]
        ";

#[test]
fn what_another_has_called_off_before_anything_was_done_is_not_owed() {
    let steps = format!(
        "{CANCEL}- {{ name: here, work: 1ms }}
        - {{ read: items, key: 9, as: closed }}
        - {{ if: closed.status == paid, then: [ stop ] }}
        - {{ update: items, key: message.item, set: {{ reserved: row.reserved + 1 }} }}"
    );
    let shop = Shop {
        placed: steps.leak(),
        fault: CRASH,
        preset: "sqs-standard",
        times: "[1s, 2200ms]",
        ..Shop::default()
    };
    says(&shop, &[]);
}

#[test]
fn what_another_has_called_off_after_it_was_done_is_left_behind() {
    let steps = format!(
        "{CANCEL}- {{ read: items, key: 9, as: closed }}
        - {{ if: closed.status == paid, then: [ stop ] }}
        - {{ name: here, update: items, key: message.item, set: {{ reserved: row.reserved + 1 }} }}
        - {{ publish: Rejected, with: {{ order: message.order }} }}"
    );
    let shop = Shop {
        placed: steps.leak(),
        fault: CRASH,
        preset: "sqs-standard",
        times: "[1s, 2200ms]",
        ..Shop::default()
    };
    says(&shop, &[("mixed_effects", 1)]);
}

#[test]
fn a_handler_that_goes_on_where_it_was_cut_pays_its_debt() {
    says(
        &crashed(
            "- { read: items, key: message.item, as: item }
        - if: item.status == free
          then: [ { name: here, update: items, key: message.item, set: { status: paid, reserved: row.reserved + 1 } } ]
        - { publish: Rejected, with: { order: message.order } }",
        ),
        &[],
    );
}

#[test]
fn branches_in_another_order_are_the_same_parts() {
    says(
        &crashed(
            "- parallel:
            a: [ { wait: 5ms }, { update: items, key: 1, set: { reserved: 7 } }, { name: here, work: 1ms } ]
            b: [ { update: items, key: 2, set: { reserved: 7 } }, { wait: 20ms } ]",
        ),
        &[],
    );
    says(
        &crashed(
            "- parallel:
            a: [ { wait: 5ms }, { update: items, key: 1, set: { reserved: row.reserved + 1 } }, { name: here, work: 1ms } ]
            b: [ { update: items, key: 2, set: { reserved: row.reserved + 1 } }, { wait: 20ms } ]",
        ),
        &[("duplicate_effects", 2)],
    );
}

#[test]
fn a_zombie_that_wakes_does_it_again() {
    let shop = Shop {
        placed: "- { work: 10ms }
        - { update: items, key: message.item, set: { reserved: row.reserved + 1 } }",
        preset: "sqs-standard",
        fault: "faults: { f: { pause: stock, instance: 0, at: 1006ms, for: 50s } }",
        ..Shop::default()
    };
    // One instance sleeps on its delivery until its lease is over; the other works on the copy meanwhile.
    let text = shop.text().replace("  stock:\n", "  stock:\n    instances: 2\n");
    let judged = super::judge_seeds(&text);
    assert_eq!(judged.counts(), [("duplicate_effects", 1)], "{:?}\n{text}", judged.sum);
}

#[test]
fn a_client_that_asks_again_wants_one_thing() {
    let place = |steps: &'static str| Shop {
        place: steps,
        fault: "faults: { f: { crash: orders, at_step: orders.Place.here, edge: unanswered, nth: 1, for: 1s } }",
        ..Shop::default()
    };
    let again = "timeout: 2s, retry: { attempts: 5, delay: 1s }, catch";
    let text = |shop: &Shop| shop.text().replace("timeout: 2s, catch", again);
    let add = place("- { name: here, upsert: orders, key: 1, set: { qty: row.qty + message.qty } }");
    let judged = super::judge_seeds(&text(&add));
    assert_eq!(judged.counts(), [("duplicate_effects", 1)], "{:?}", judged.sum);
    let keyed = place(
        "- { name: here, insert: orders, key: message.order, set: { qty: message.qty }, else: [ stop ] }",
    );
    let judged = super::judge_seeds(&text(&keyed));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
    assert!(judged.of(UnacknowledgedEffect).exposures > 0);
}

/// A service with a job on two instances, or one.
fn job(instances: u32, job: &str, steps: &str, faults: &str) -> String {
    format!(
        "scenario: jobs
run: {{ horizon: 10s, drain: 1m }}
messages: {{ Go: {{ kind: command, fields: {{ n: int }} }} }}
services:
  s:
    instances: {instances}
    store: {{ tables: {{ t: {{ key: k, columns: {{ k: int, n: int, open: bool }}, rows: [ {{ k: 1..2, open: true }} ] }} }} }}
    handlers: {{ Go: [ stop ] }}
    jobs: {{ j: {{ every: 4s, {job} do: {steps} }} }}
clients: {{ c: {{ arrivals: {{ every: 1m }}, do: [ {{ call: s.Go, with: {{ n: 1 }} }} ] }} }}
{faults}"
    )
}

#[test]
fn a_tick_on_two_instances_is_done_twice() {
    let add = "[ { update: t, key: 1, set: { n: row.n + 1 } } ]";
    let judged = super::judge_seeds(&job(2, "once_per: tick,", add, ""));
    let duplicates = judged.of(DuplicateEffects);
    // Each tick is done by both, the first time by one of them.
    assert!(duplicates.count >= 2, "{duplicates:?}");
    assert!(duplicates.exposures >= duplicates.count, "{duplicates:?}");
    let judged = super::judge_seeds(&job(1, "once_per: tick,", add, ""));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
}

#[test]
fn a_sweeper_that_crashes_before_it_marks_does_the_row_again() {
    let sweep = "[ { scan: t, where: row.open, as: open }, { for_each: open, as: row1, do: [
        { update: t, key: row1.k, set: { n: row.n + 1 } }, { name: here, update: t, key: row1.k, set: { open: false } } ] } ]";
    let crash = "faults: { f: { crash: s, at_step: s.j.here, edge: before, nth: 1, for: 100ms } }";
    let judged = super::judge_seeds(&job(1, "", sweep, crash));
    assert_eq!(judged.counts(), [("duplicate_effects", 1)], "{:?}", judged.sum);
    let judged = super::judge_seeds(&job(1, "", sweep, ""));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
}

#[test]
fn a_bill_for_each_month_is_no_duplicate() {
    let bill = "[ { scan: t, as: all }, { for_each: all, as: row1, do: [ { update: t, key: row1.k, set: { n: row.n + 1 } } ] } ]";
    let judged = super::judge_seeds(&job(1, "once_per: tick,", bill, ""));
    assert_eq!(judged.counts(), [], "{:?}", judged.sum);
}

#[test]
fn what_comes_back_after_it_was_undone_is_resurrected() {
    let shop = |release: &'static str| Shop {
        placed: release,
        place: "- { publish: Placed, with: message }
        - { wait: 1ms }
        - { publish: Rejected, with: { order: message.order } }",
        ..Shop::default()
    };
    // The order to release overtakes the order to reserve, which waits for something slow.
    let late = shop(
        "- { wait: 100ms }
        - { name: reserve, insert: held, key: message.order, else: [ stop ] }
      Rejected:
        - { undoes: reserve, delete: held, key: message.order }",
    );
    let with_table = |shop: &Shop| {
        shop.text()
            .replace(
                "handled: {",
                "held: { key: order, columns: { order: int, gone: bool } }\n        handled: {",
            )
            .replace(
                "consumes: { placed: { ack: after } }",
                "consumes: { placed: { ack: after }, rejected: { ack: after } }",
            )
    };
    let judged = super::judge_seeds(&with_table(&late));
    assert_eq!(judged.counts(), [("resurrected", 1)], "{:?}\n{}", judged.sum, with_table(&late));
    let tombstone = shop(
        "- { wait: 100ms }
        - { name: reserve, insert: held, key: message.order, else: [ stop ] }
      Rejected:
        - { undoes: reserve, upsert: held, key: message.order, set: { gone: true } }",
    );
    let judged = super::judge_seeds(&with_table(&tombstone));
    assert_eq!(judged.of(Resurrected).count, 0, "{:?}", judged.sum);
    assert!(judged.of(Resurrected).exposures > 0);
}

#[test]
fn two_groups_owe_each_their_own() {
    let text =
        placed("- { update: items, key: message.item, set: { reserved: row.reserved + 1 } }").text().replace(
            "clients:",
            "  other:
    store: { tables: { seen: { key: order, columns: { order: int } } } }
    consumes: { placed: { ack: after } }
    handlers: { Placed: [ { insert: seen, key: message.order } ] }
clients:",
        );
    let judged = super::judge_seeds(&text);
    assert_eq!(judged.counts(), []);
    assert_eq!(judged.sum.done, 3, "the call and two shares: {:?}", judged.sum);
}
