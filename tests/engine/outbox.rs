//! The outbox: rows that are committed with the data, and the relay that publishes them.

use super::{MS, Run, run};
use eventflow::world::record::{Outcome, Record};

/// Orders are stored and told of through the outbox, whose relay polls each 100 ms; `t` takes them in.
/// Reads, writes and commits take 2 ms, hops 1 ms.
fn text(outbox: &str, body: &str, times: &str, more: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 1m, drain: 10m }}
messages:
  Go: {{ kind: command, fields: {{ n: int }} }}
  Fact: {{ kind: integration, fields: {{ n: int }} }}
brokers: {{ b: {{ preset: kafka }} }}
topics: {{ facts: {{ messages: [Fact] }} }}
services:
  s:
    instances: 2
    workers: 8
    store: {{ latency: {{ read: 2ms, write: 2ms, commit: 2ms }}, tables: {{ orders: {{ key: n }} }} }}
    outbox: {{ every: 100ms{outbox} }}
    handlers:
      Go:
{body}
  t:
    workers: 8
    store: {{ latency: {{ read: 0s, write: 0s, commit: 0s }}, tables: {{ seen: {{ key: n, columns: {{ times: int }} }} }} }}
    consumes: {{ facts: {{}} }}
    handlers:
      Fact: [ {{ upsert: seen, key: message.n, set: {{ times: row.times + 1 }} }} ]
clients:
  c:
    arrivals: {{ times: {times} }}
    do:
      - let: {{ n: {{ counter: 1 }} }}
      - {{ call: s.Go, with: {{ n: n }}, timeout: 10s }}
network: {{ default: {{ latency: 1ms }} }}
{more}"
    )
}

const STORE: &str = "        - transaction: [ { insert: orders, key: message.n }, { publish: Fact, via: outbox, with: message } ]";

fn accepted(run: &Run) -> Vec<u64> {
    run.when(|record| matches!(record, Record::Accepted { .. }).then_some(()))
        .into_iter()
        .map(|(at, ())| at)
        .collect()
}

fn seen(run: &Run) -> Vec<(i64, i64)> {
    run.rows("t.seen").into_iter().map(|row| (row[0], row[1])).collect()
}

#[test]
fn a_row_is_read_published_and_marked() {
    let run = run(&text("", STORE, "[1050ms]", ""));
    assert_eq!(run.outcomes(), [(1050 * MS + 8 * MS, Outcome::Well)]);
    // Committed at 1056; the poll at 1100 has its rows at 1102, the broker at 1103.
    assert_eq!(accepted(&run), [1103 * MS]);
    assert_eq!(seen(&run), [(1, 1)]);
    assert!(run.is_quiet());
}

#[test]
fn what_is_rolled_back_is_never_published() {
    let body = "        - transaction: [ { insert: orders, key: message.n }, { publish: Fact, via: outbox, with: message }, { fail: no } ]";
    let run = run(&text("", body, "[1s]", ""));
    assert_eq!((accepted(&run), run.rows("s.orders").len()), (vec![], 0));
    assert!(run.is_quiet());
}

#[test]
fn outside_a_transaction_a_row_is_one_of_its_own() {
    let body = "        - { publish: Fact, via: outbox, with: message }";
    let run = run(&text("", body, "[1050ms]", ""));
    assert_eq!(run.outcomes(), [(1050 * MS + 6 * MS, Outcome::Well)]);
    assert_eq!(seen(&run), [(1, 1)]);
}

#[test]
fn batches_go_in_order_and_a_full_one_is_followed_at_once() {
    let run = run(&text(", batch: 2", STORE, "[1010ms, 1011ms, 1012ms, 1013ms, 1014ms]", ""));
    // 1100 read; 1102 sent, 1103 there, 1104 confirmed; marked (2 + 2) 1108; read 1110, there 1111; …
    assert_eq!(accepted(&run), [1103, 1103, 1111, 1111, 1119].map(|at| at * MS));
    assert_eq!(seen(&run), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], "in the order of their ids");
}

#[test]
fn marked_after_publishing_a_crash_repeats() {
    // Published at 1103, and marked not before 1106; the relay's instance is gone at 1105.
    let more = "faults: { f: { crash: s, at: 1105ms, for: 5s, instance: 0 } }";
    let run = run(&text("", STORE, "[1050ms]", more));
    assert_eq!(
        accepted(&run),
        [1103 * MS, 1208 * MS],
        "the other instance polls 100 ms later and publishes it again"
    );
    assert_eq!(seen(&run), [(1, 2)], "a broker that knows its producers does not know a new one");
    assert!(run.is_quiet());
}

#[test]
fn marked_before_publishing_a_crash_loses() {
    // Read 1102, marked 1104, answered 1106, published from then on; gone at 1105.
    let more = "faults: { f: { crash: s, at: 1105ms, for: 5s, instance: 0 } }";
    let run = run(&text(", mark: before_publish", STORE, "[1050ms]", more));
    assert_eq!((accepted(&run), run.rows("s.orders").len()), (vec![], 1));
    assert!(run.is_quiet(), "nobody will ever publish it");
}

#[test]
fn confirmations_that_do_not_come_are_waited_for_and_the_batch_sent_again() {
    let body = "        - transaction: [ { insert: orders, key: message.n }, { publish: Fact, via: outbox, with: message, timeout: 1s } ]";
    let more = "faults: { f: { split: [b, s], one_way: true, at: 500ms, for: 3s } }";
    let run = run(&text("", body, "[1050ms]", more));
    assert_eq!(seen(&run), [(1, 1)]);
    assert_eq!(
        run.count(|record| matches!(record, Record::Deduplicated { .. })),
        2,
        "the same relay is the same producer"
    );
    assert!(run.is_quiet());
}

#[test]
fn who_wants_no_confirmation_does_not_hold_up_the_others() {
    let body = "        - transaction: [ { insert: orders, key: message.n }, { publish: Fact, via: outbox, with: message }, { publish: Fact, via: outbox, with: { n: 100 + message.n }, confirm: false } ]";
    let run = run(&text("", body, "[1050ms]", ""));
    assert_eq!(seen(&run), [(1, 1), (101, 1)]);
    assert!(run.is_quiet());
}

#[test]
fn a_paused_relay_goes_on_where_it_was() {
    let more = "faults: { f: { pause: s, at: 1101ms, for: 5s, instance: 0 } }";
    let run = run(&text("", STORE, "[1050ms]", more));
    assert_eq!(accepted(&run), [6102 * MS]);
}
