//! Operations: planned changes while the system is live.

use super::{Run, S, run};

/// `orders` publishes one order a second from 1 s to 20 s; `view` counts them and sends a mail for each.
fn text(handler: &str, operation: &str) -> String {
    format!(
        "scenario: replay
run: {{ horizon: 30s, drain: 1m }}
messages:
  Placed: {{ kind: integration, key: order, fields: {{ order: int }} }}
brokers: {{ b: {{ preset: kafka }} }}
topics: {{ placed: {{ messages: [ Placed ], partitions: 2 }} }}
services:
  view:
    workers: 4
    store:
      tables:
        seen: {{ key: order, columns: {{ order: int, times: int, again: int }} }}
        handled: {{ key: order, columns: {{ order: int }}, bookkeeping: true }}
    consumes: {{ placed: {{ ack: after }} }}
    handlers:
      Placed:
        {handler}
clients:
  buyer:
    arrivals: {{ every: 1s, count: 20 }}
    do:
      - let: {{ order: {{ counter: 1 }} }}
      - {{ publish: Placed, with: {{ order: order }} }}
network: {{ default: {{ latency: 1ms }} }}
{operation}
"
    )
}

const COUNT: &str = "- { upsert: seen, key: message.order, set: { times: row.times + 1 } }
        - { if: delivery.replayed, then: [ { update: seen, key: message.order, set: { again: row.again + 1 } } ] }";

fn totals(run: &Run) -> (usize, i64, i64) {
    let rows = run.rows("view.seen");
    (rows.len(), rows.iter().map(|row| row[1]).sum(), rows.iter().map(|row| row[2]).sum())
}

#[test]
fn a_replay_hands_everything_out_once_more_marked_and_goes_on_with_what_is_new() {
    let run = run(&text(COUNT, "operations: { rebuild: { replay: view, topic: placed, at: 10500ms } }"));
    assert!(run.is_quiet());
    assert_eq!(totals(&run), (20, 30, 10), "ten orders were handled before, and only those are marked");
}

#[test]
fn a_cleared_table_is_empty_when_the_replay_begins() {
    let operation = "operations: { rebuild: { replay: view, topic: placed, clear: [ seen ], at: 10500ms } }";
    let run = run(&text(COUNT, operation));
    assert_eq!(totals(&run), (20, 20, 10));
}

#[test]
fn a_replay_can_come_again_and_a_crash_does_not_stop_it() {
    let operation =
        "operations: { rebuild: { replay: view, topic: placed, clear: [ seen ], at: [ 5500ms, 20500ms ] } }
faults: { f: { crash: view, at: 20600ms, for: 1s } }";
    let run = run(&text(COUNT, operation));
    let (rows, times, _) = totals(&run);
    assert_eq!(rows, 20);
    assert!((20..=22).contains(&times), "{times}: what the crash cut comes again, as ever");
}

#[test]
fn what_retention_gave_up_is_not_replayed() {
    let operation = "operations: { rebuild: { replay: view, topic: placed, clear: [ seen ], at: 20500ms } }";
    let text = text(COUNT, operation).replace("partitions: 2", "partitions: 2, retain: { for: 8s }");
    let run = run(&text);
    let (rows, times, again) = totals(&run);
    assert_eq!((rows as i64, times), (again, again));
    // The group pauses for 3 s before it starts over.
    assert!((4..=6).contains(&rows), "{rows}: those of the last eight seconds, and a part of a segment");
}

#[test]
fn without_a_replay_the_log_lets_go_of_what_was_handled() {
    let replayed = run(&text(COUNT, "operations: { rebuild: { replay: view, topic: placed, at: 29s } }"));
    let plain = run(&text(COUNT, ""));
    assert!(replayed.is_quiet() && plain.is_quiet());
    assert!(replayed.end() >= 30 * S);
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    use eventflow::scenario::open::read_text;
    let told = |text: &str| -> Vec<&'static str> {
        let (_, diagnostics, _) = read_text("test.yaml", text, &[]);
        diagnostics.list.iter().map(|mistake| mistake.code).collect()
    };
    let replay = "operations: { rebuild: { replay: view, topic: placed, at: 10500ms } }";
    assert_eq!(told(&text(COUNT, replay)), Vec::<&str>::new());
    assert_eq!(told(&text(COUNT, replay).replace("kafka", "rabbitmq-classic")), ["contradiction"]);
    let unknown = "operations: { rebuild: { replay: view, topic: placed, clear: [ sene ], at: 1s } }";
    assert_eq!(told(&text(COUNT, unknown)), ["unknown-table"]);
    assert_eq!(told(&text(COUNT, replay).replace("topic: placed", "topic: other")), ["unknown-topic"]);
}
