//! Histories of what is executed, asked for or sent again.

use super::{CRASH, CRASH_ORDERS, placed, says};
use crate::oracles::{Shop, judge_seeds};
use eventflow::kernel::anomaly::Anomaly::*;

#[test]
fn an_older_value_set_again_over_a_newer_one_is_done_twice() {
    // The first order frees the item, the second takes it; then the first, not acknowledged, frees it again.
    let shop = Shop {
        placed: "- if: message.order == 1
          then: [ { name: free, update: items, key: message.item, set: { status: free, reserved: 1 } }, { name: here, work: 1ms } ]
          else: [ { name: take, update: items, key: message.item, set: { status: paid } } ]",
        preset: "sqs-standard",
        fault: CRASH,
        times: "[1s, 2200ms]",
        ..Shop::default()
    };
    says(&shop, &[("duplicate_effects", 1)]);
}

#[test]
fn of_a_list_that_has_changed_each_item_is_still_itself() {
    // Items 1 and 2 are done, and 1 is off the list; then it crashes. What is left of the list is 2 and 3.
    let shop = Shop {
        fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 2, for: 1s } }",
        ..placed(
            "- { scan: items, where: row.status == free && row.item <= 3, order_by: row.item, as: open }
        - for_each: open
          as: item
          do:
            - { update: items, key: item.item, set: { reserved: row.reserved + 1 } }
            - { if: item.item == 1, then: [ { update: items, key: 1, set: { status: paid } } ] }
            - { name: here, work: 1ms }",
        )
    };
    says(&shop, &[("duplicate_effects", 1)]);
}

#[test]
fn a_message_passed_on_is_the_same_obligation() {
    // The step has the same name in both handlers: it means the same.
    let shop = |forward: &str| {
        let placed = format!(
            "- {{ name: reserve, update: items, key: message.item, set: {{ reserved: row.reserved + 1 }} }}
        - {{ if: delivery.topic == placed, then: [ {{ publish: Placed, to: rejected, {forward}with: message }} ] }}"
        );
        Shop {
            placed: "PLACED",
            place: "- { publish: Placed, to: placed, with: message }",
            ..Shop::default()
        }
        .text()
        .replace("PLACED", &placed)
        .replace("- { publish: Placed, with: message }", "- { publish: Placed, to: placed, with: message }")
        .replace("rejected: { messages: [ Rejected ] }", "rejected: { messages: [ Placed ] }")
        .replace("  Rejected: { kind: integration, key: order, fields: { order: int } }\n", "")
        .replace(
            "consumes: { placed: { ack: after } }",
            "consumes: { placed: { ack: after }, rejected: { ack: after } }",
        )
    };
    let text = shop("forward: true, ");
    let judged = judge_seeds(&text);
    assert_eq!(judged.counts(), [("duplicate_effects", 1)], "{:?}\n{text}", judged.sum);
    assert_eq!(judge_seeds(&shop("")).counts(), [], "a message of its own asks for something of its own");
}

#[test]
fn an_hour_later_it_is_still_the_same_message() {
    // The client asks again when all that it had asked for was long done.
    let shop = Shop {
        place: "- { publish: Placed, with: message }
        - { name: here, work: 1ms }",
        fault: CRASH_ORDERS,
        ..Shop::default()
    };
    let text = shop
        .text()
        .replace("timeout: 2s, catch", "timeout: 2s, retry: { attempts: 2, delay: 1h }, catch")
        .replace("drain: 10m", "drain: 3h")
        .replace("every: 5m", "every: 5h");
    let judged = judge_seeds(&text);
    assert_eq!(
        judged.counts(),
        [("duplicate_effects", 1), ("duplicate_messages", 1)],
        "{:?}\n{text}",
        judged.sum
    );
}

#[test]
fn a_new_id_is_no_new_message() {
    // It is executed again, and sends with an id of its own, so the mark is not found.
    let shop = Shop {
        place: "- { publish: Placed, with: message }
        - { name: here, work: 1ms }",
        placed: "- { transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
        fault: CRASH_ORDERS,
        ..Shop::default()
    };
    let again = "timeout: 2s, retry: { attempts: 3, delay: 2s }, catch";
    let judged = judge_seeds(&shop.text().replace("timeout: 2s, catch", again));
    assert_eq!(judged.counts(), [("duplicate_effects", 1), ("duplicate_messages", 1)], "{:?}", judged.sum);
}

#[test]
fn a_durable_timer_that_fires_again_is_the_same_timer() {
    let timer = |steps: &str| {
        let placed = format!("- after: 2s\n          durable: true\n          do:\n{steps}");
        let text = Shop { placed: "PLACED", fault: "FAULT", ..Shop::default() }.text();
        let crash =
            "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s } }";
        text.replace("PLACED", &placed).replace("FAULT", crash)
    };
    let add = "update: items, key: message.item, set: { reserved: row.reserved + 1 }";
    let bare = timer(&format!("            - {{ name: here, {add} }}"));
    let judged = judge_seeds(&bare);
    assert_eq!(judged.counts(), [("duplicate_effects", 1)], "{:?}\n{bare}", judged.sum);
    let kept = timer(&format!(
        "            - {{ name: here, transaction: [ {{ insert: handled, key: message.id, else: [ stop ] }}, {{ {add} }} ] }}"
    ));
    let judged = judge_seeds(&kept);
    assert_eq!(judged.counts(), [], "{:?}\n{kept}", judged.sum);
    assert!(judged.of(DuplicateEffects).exposures > 0);
}

#[test]
fn an_order_reserved_released_and_reserved_once_more_is_reserved_once() {
    let text = Shop {
        place: "- { publish: Placed, with: message }
        - { wait: 100ms }
        - { publish: Rejected, with: { order: message.order } }
        - { wait: 100ms }
        - { publish: Placed, with: message }",
        placed: "- { name: reserve, insert: held, key: message.order, else: [ stop ] }
      Rejected:
        - { undoes: reserve, delete: held, key: message.order }",
        ..Shop::default()
    }
    .text()
    .replace("handled: {", "held: { key: order, columns: { order: int } }\n        handled: {")
    .replace(
        "consumes: { placed: { ack: after } }",
        "consumes: { placed: { ack: after }, rejected: { ack: after } }",
    );
    let judged = judge_seeds(&text);
    assert_eq!(judged.counts(), [], "{:?}\n{text}", judged.sum);
    assert!(judged.of(Resurrected).exposures > 0);
}

/// `stock` goes over to another version while the instance is away that crashed in the middle.
fn deployed(first: &'static str, second: &str) -> crate::oracles::Judged {
    let text = Shop { placed: first, fault: CRASH, ..Shop::default() }.text();
    let versions = format!("  stock:\n    versions: {{ v2: {{ handlers: {{ Placed: [ {second} ] }} }} }}\n");
    let over = "operations: { over: { deploy: stock, version: v2, at: 1500ms } }\n";
    judge_seeds(&(text.replace("  stock:\n", &versions) + over))
}

/// Where a step stands in its handler is no part of what it is.
#[test]
fn a_step_that_another_version_has_elsewhere_is_the_same_step() {
    let adds = "- { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { name: here, work: 1ms }
        - { update: items, key: 9, set: { status: paid } }";
    let later = "{ read: items, key: 8, as: other }, { work: 2ms }, { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }, { update: items, key: 9, set: { status: paid } }";
    let twice = deployed(adds, later);
    assert_eq!(twice.counts(), [("duplicate_effects", 1)], "{:?}", twice.sum);
    let guarded = "- { name: here, transaction: [ { insert: handled, key: message.id, else: [ stop ] }, { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }";
    let guarded_later = "{ work: 2ms }, { transaction: [ { insert: handled, key: message.id, else: [ stop ] }, { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }";
    let once = deployed(guarded, guarded_later);
    assert_eq!(once.counts(), [], "{:?}", once.sum);
    assert!(once.of(DuplicateEffects).exposures > 0);
}
