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

/// Six facts of one key, handled in a second each, the ranks in which they ended, and where.
fn ranks(preset: &'static str, operation: &'static str) -> Run {
    use super::messaging::{CASE, Case};
    run(&super::messaging::text(&Case {
        preset,
        service: "instances: 2\nworkers: 1",
        steps: "- work: 1s\n- { scan: seen, as: before }\n- { upsert: seen, key: [message.n, delivery.partition], set: { times: size(before) } }",
        times: "[1s, 1100ms, 1200ms, 1400ms, 1500ms, 1600ms]",
        publish: "{ publish: Fact, with: { n: n, k: 0 } }",
        more: operation,
        ..CASE
    }))
}

const REPARTITION: &str = "operations: { more: { repartition: facts, partitions: 8, at: 1300ms } }";

#[test]
fn keys_move_with_more_partitions_and_newer_messages_overtake_older_ones() {
    let before = ranks("kafka", "");
    assert_eq!(before.rows("s.seen"), [[1, 0, 0], [2, 0, 1], [3, 0, 2], [4, 0, 3], [5, 0, 4], [6, 0, 5]]);
    let moved = ranks("kafka", REPARTITION);
    assert!(moved.is_quiet());
    let mut rows = moved.rows("s.seen");
    rows.sort_unstable();
    let partitions: Vec<i64> = rows.iter().map(|row| row[1]).collect();
    assert_eq!(partitions, [0, 0, 0, 7, 7, 7], "what was sent before stays where it is");
    assert!(rows[3][2] < rows[2][2], "the fourth was handled before the third: {rows:?}");
    use eventflow::world::record::Record;
    assert_eq!(
        moved.when(|record| match record {
            Record::FaultBegan { touched, .. } => Some(*touched),
            _ => None,
        })[0]
            .1,
        7
    );
    let again = "operations: { more: { repartition: facts, partitions: 8, at: [1300ms, 20s] }, fewer: { repartition: facts, partitions: 2, at: 30s } }";
    assert_eq!(ranks("kafka", again).rows("s.seen").len(), 6, "there is nothing to add later");
}

#[test]
fn every_message_of_a_queue_that_gets_more_partitions_is_handled_once() {
    for preset in ["sqs-fifo", "service-bus-session", "nats-jetstream", "rabbitmq-quorum"] {
        let run = ranks(preset, REPARTITION);
        assert!(run.is_quiet(), "{preset}");
        assert_eq!(run.rows("s.seen").len(), 6, "{preset}");
    }
}

#[test]
#[should_panic(expected = "partitions are only ever added")]
fn partitions_are_not_taken_away() {
    ranks("kafka", "operations: { fewer: { repartition: facts, partitions: 1, at: 2s } }");
}
