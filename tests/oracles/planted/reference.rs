//! The reference: the intents that took effect, once each, alone, without faults.

use crate::runs::{model_of, results_of};
use eventflow::experiment::results::verdict::{Outcome, Verdict};
use eventflow::experiment::run::RunOptions;

/// Two orders, of which the first is handled last; with what a handler does, and a fault.
fn text(placed: &str, fault: &str) -> String {
    format!(
        "scenario: reference
run: {{ horizon: 1m, drain: 10m, replications: 2 }}
messages:
  Place:  {{ kind: command, key: order, fields: {{ order: id, number: int, pause: duration }} }}
  Placed: {{ kind: integration, key: order, fields: {{ order: id, number: int, pause: duration }} }}
brokers: {{ broker: {{ preset: rabbitmq-classic }} }}
topics: {{ placed: {{ messages: [ Placed ] }} }}
services:
  orders:
    workers: 4
    store: {{ tables: {{ orders: {{ key: order, columns: {{ number: int }} }} }} }}
    handlers:
      Place:
        - {{ insert: orders, key: message.order, set: {{ number: message.number }} }}
        - {{ publish: Placed, with: message }}
  stock:
    workers: 4
    store:
      tables:
        items: {{ key: item, columns: {{ item: int, reserved: int, last: int }}, rows: [ {{ item: 1..3 }} ] }}
        slips: {{ key: slip, columns: {{ slip: id, number: int }} }}
    consumes: {{ placed: {{ ack: after }} }}
    handlers:
      Placed:
        - work: message.pause
        {placed}
clients:
  shopper:
    arrivals: {{ times: [1s, 2s] }}
    do:
      - let: {{ order: unique(), number: {{ counter: 1 }} }}
      - let: {{ pause: 'number == 1 ? 5s : 1ms' }}
      - {{ call: orders.Place, with: {{ order: order, number: number, pause: pause }}, timeout: 100ms, catch: {{ any: [ stop ] }} }}
network: {{ default: {{ latency: 1ms }} }}
{fault}
guarantees: {{ reference: {{ tables: [ orders.orders, stock.items, stock.slips ], rows: 0 }} }}
"
    )
}

fn verdict(text: &str) -> Verdict {
    let verdicts = results_of(&model_of(text), RunOptions::default()).verdicts;
    verdicts.into_iter().find(|verdict| verdict.name == "reference.rows").expect("it was asked for")
}

const ADD: &str = "- { name: here, update: items, key: 1, set: { reserved: row.reserved + 1 } }";
const CRASH: &str =
    "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: unanswered, nth: 1, for: 1s } }";

#[test]
fn what_is_done_twice_differs_from_what_the_intents_do_alone() {
    let bug = verdict(&text(ADD, CRASH));
    assert_eq!(bug.outcome, Outcome::Fail, "{}", bug.reason);
    let tally = bug.tally.expect("rows are counted");
    // Two orders and the item, in each of two replications; the item differs.
    assert_eq!((tally.count, tally.exposures), (2, 6));
    let first = bug.counterexample.expect("it failed");
    assert!(first.what.contains("stock.items[1] is reserved = 3"), "{}", first.what);
    assert!(first.what.ends_with("leave reserved = 2"), "{}", first.what);
    let twin = verdict(&text(ADD, ""));
    assert_eq!(twin.outcome, Outcome::Pass, "{}", twin.reason);
    assert!(twin.tally.expect("rows are counted").exposures > 0);
}

/// Whoever comes last stands there; who that is nobody can say is right.
#[test]
fn what_depends_on_the_order_is_named_and_not_judged() {
    let last =
        "- { name: here, update: items, key: 1, set: { reserved: row.reserved + 1, last: message.number } }";
    let twin = verdict(&text(last, ""));
    assert_eq!(twin.outcome, Outcome::Pass, "{}", twin.reason);
    assert!(twin.reason.contains("stock.items.last"), "{}", twin.reason);
    assert!(!twin.reason.contains("reserved"), "{}", twin.reason);
    let bug = verdict(&text(last, CRASH));
    assert_eq!(bug.outcome, Outcome::Fail, "{}", bug.reason);
    assert!(bug.reason.contains("stock.items.last"), "{}", bug.reason);
}

/// Ids that handlers make up are made up once more, and what is counted is counted as it was.
#[test]
fn rows_under_made_up_ids_are_found_again() {
    let slip = "- { insert: slips, key: unique(), set: { number: message.number } }
        - { name: here, update: items, key: 1, set: { reserved: row.reserved + 1 } }";
    let twin = verdict(&text(slip, ""));
    assert_eq!(twin.outcome, Outcome::Pass, "{}", twin.reason);
    assert!(!twin.reason.contains("slips"), "{}", twin.reason);
    assert_eq!(
        twin.tally.expect("rows are counted").exposures,
        10,
        "two orders, two slips and an item, twice"
    );
    let bug = verdict(&text(slip, CRASH));
    // The slip of the attempt that was cut is one too many.
    assert_eq!(bug.tally.expect("rows are counted").count, 4, "{}", bug.reason);
}

/// A client that gives up does something else than it would have done alone.
#[test]
fn where_time_decided_there_is_no_reference() {
    let slow = text(ADD, "").replace("      Place:\n", "      Place:\n        - wait: 200ms\n");
    let open = verdict(&slow);
    assert_eq!(open.outcome, Outcome::Inconclusive, "{}", open.reason);
    assert!(open.reason.contains("an answer that did not come in time"), "{}", open.reason);
    let job = text(ADD, "").replace(
        "    consumes:",
        "    jobs: { sweep: { every: 1h, do: [ { update: items, key: 2, set: { reserved: 0 } } ] } }\n    consumes:",
    );
    let open = verdict(&job);
    assert_eq!(open.outcome, Outcome::Inconclusive, "{}", open.reason);
    assert!(open.reason.contains("the job stock/sweep") || open.reason.contains("sweep"), "{}", open.reason);
}
