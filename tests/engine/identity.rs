//! What scenarios say of what ought to happen once: it reaches obligations, and moves nothing else.

use super::{Run, run};
use eventflow::world::record::Record;

const SHOP: &str = "scenario: identity
run: { horizon: 20s, drain: 1m }
messages:
  Paid:  { kind: command, key: order, fields: { order: int } }
  Ready: { kind: integration, key: order, fields: { order: int } }
brokers: { broker: { preset: rabbitmq-classic } }
topics: { ready: { messages: [ Ready ] }, retry: { messages: [ Ready ] } }
services:
  orders:
    workers: 4
    store: { tables: { open: { key: id, columns: { id: int }, rows: [ { id: 1..3 } ] } } }
    handlers:
      Paid:
        - work: { exponential: 5ms }
        - { publish: Ready, to: ready, with: message }
        - reply
  shipping:
    workers: 4
    consumes: { ready: {}, retry: {} }
    handlers:
      Ready:
        - work: { exponential: 5ms }
        - { if: delivery.topic == ready && message.order == 1, then: [ { publish: Ready, to: retry, with: message } ] }
clients:
  payer:
    arrivals: { poisson: 2/s }
    do:
      - let: { order: { uniform: [1, 3] } }
      - { call: orders.Paid, with: { order: order } }
network: { default: { latency: { exponential: 1ms } } }
";

/// Everything that happened, without whom it was for.
fn happened(run: &Run) -> Vec<(u64, String)> {
    let plain = |record: &Record| match *record {
        Record::Started { instance, attempt, ticket, .. } => {
            format!("{:?}", Record::Started { instance, attempt, ticket, obligation: 0 })
        }
        Record::Accepted { topic, message, .. } => {
            format!("{:?}", Record::Accepted { topic, message, obligation: 0 })
        }
        record => format!("{record:?}"),
    };
    run.records.iter().map(|(at, record)| (*at, plain(record))).collect()
}

/// The obligations of the messages that a topic accepted, each once, and how many messages it accepted.
fn accepted(run: &Run, of: u32) -> (usize, usize) {
    let taken = run.records.iter().filter_map(|(_, record)| match record {
        Record::Accepted { topic, obligation, .. } if topic.0 == of => Some(*obligation),
        _ => None,
    });
    let mut all: Vec<u64> = taken.collect();
    let messages = all.len();
    all.sort_unstable();
    all.dedup();
    (all.len(), messages)
}

#[test]
fn once_per_is_one_obligation_for_each_value_and_moves_nothing() {
    let plain = run(SHOP);
    let said =
        run(&SHOP
            .replace("publish: Ready, to: ready,", "publish: Ready, to: ready, once_per: message.order,"));
    let (obligations, messages) = accepted(&plain, 0);
    assert!(messages > 20);
    assert_eq!((obligations, accepted(&said, 0)), (messages, (3, messages)));
    assert_eq!(happened(&plain), happened(&said));
}

/// The obligations of all attempts of shipping.
fn obliged(run: &Run) -> (usize, usize) {
    let begun = run.records.iter().filter_map(|(_, record)| match record {
        Record::Started { instance, obligation, .. } if instance.0 == 1 => Some(*obligation),
        _ => None,
    });
    let mut all: Vec<u64> = begun.collect();
    let attempts = all.len();
    all.sort_unstable();
    all.dedup();
    (all.len(), attempts)
}

#[test]
fn what_is_passed_on_obliges_its_consumer_to_the_same() {
    let plain = run(SHOP);
    let said = run(&SHOP.replace("to: retry, with", "to: retry, forward: true, with"));
    let (obligations, attempts) = obliged(&plain);
    let (_, retried) = accepted(&plain, 1);
    assert!(retried > 5);
    assert_eq!((obligations, obliged(&said)), (attempts, (attempts - retried, attempts)));
    assert_eq!(happened(&plain), happened(&said));
}

#[test]
fn a_job_does_its_work_once_for_each_row_or_at_each_tick() {
    let job = |once_per: &str| {
        let job = format!(
            "    jobs: {{ sweep: {{ every: 4s, {once_per} do: [ {{ scan: open, as: rows }}, {{ for_each: rows, as: row_in_hand, do: [ {{ publish: Ready, to: retry, with: {{ order: row_in_hand.id }} }} ] }} ] }} }}\n  shipping:\n"
        );
        run(&SHOP.replacen("  shipping:\n", &job, 1).replace("message.order == 1", "message.order == 9"))
    };
    let (row, tick) = (job("once_per: row,"), job("once_per: tick,"));
    let (obligations, messages) = accepted(&tick, 1);
    assert!(messages >= 12);
    assert_eq!(
        (obligations, accepted(&row, 1), accepted(&job(""), 1)),
        (messages, (3, messages), (3, messages))
    );
    assert_eq!(happened(&row), happened(&tick));
}
