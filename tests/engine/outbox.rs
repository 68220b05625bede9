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

/// Two transactions: the first takes its id first and commits last, 300 ms later.
const OVERTAKEN: &str = "        - transaction: [ { insert: orders, key: message.n }, { publish: Fact, via: outbox, with: message }, { if: message.n == 1, then: [ { wait: 300ms } ] } ]";

#[test]
fn by_id_a_late_commit_is_skipped_for_ever() {
    let skipped = run(&text(", select: id", OVERTAKEN, "[1010ms, 1020ms, 1030ms]", ""));
    assert_eq!(seen(&skipped), [(2, 1), (3, 1)], "order 1 lies below the position when it is committed");
    assert_eq!(skipped.rows("s.orders").len(), 3);
    assert!(skipped.is_quiet(), "and nobody looks for it");
    for select in ["log", "unsent"] {
        let all = run(&text(&format!(", select: {select}"), OVERTAKEN, "[1010ms, 1020ms, 1030ms]", ""));
        let mut orders = seen(&all);
        orders.sort_unstable();
        assert_eq!(orders, [(1, 1), (2, 1), (3, 1)], "{select}");
    }
}

#[test]
fn by_id_a_commit_that_is_late_but_not_too_late_is_published() {
    // The relay is slow to come: it looks when all are there.
    let run =
        run(&text(", select: id", OVERTAKEN, "[1310ms, 1320ms, 1330ms]", "")
            .replace("every: 100ms", "every: 1s"));
    assert_eq!(seen(&run), [(1, 1), (2, 1), (3, 1)], "in the order of the ids");
}

#[test]
fn a_log_follows_the_commits() {
    let run = run(&text(", select: log", OVERTAKEN, "[1310ms, 1320ms, 1330ms]", "")
        .replace("every: 100ms", "every: 1s"));
    assert_eq!(seen(&run), [(2, 1), (3, 1), (1, 1)]);
}

#[test]
fn a_position_saved_now_and_then_repeats_what_came_since() {
    let times = "[1s, 2s, 3s, 4s, 6s]";
    let more = "faults: { f: { crash: s, at: 4500ms, for: 20s, instance: 0 } }";
    let saved = |mark: &str| {
        let outbox = format!(", select: log{mark}");
        let run = run(&text(&outbox, STORE, times, more));
        assert!(run.is_quiet());
        seen(&run).into_iter().map(|row| row.1).collect::<Vec<_>>()
    };
    assert_eq!(saved(", mark: periodic, mark_every: 2500ms"), [1, 1, 2, 2, 1], "saved at 2.5 s");
    assert_eq!(saved(", mark: periodic, mark_every: 30s"), [2, 2, 2, 2, 1], "never saved");
    assert_eq!(saved(""), [1, 1, 1, 1, 1]);
}

#[test]
fn a_position_marked_before_publishing_loses_with_a_crash() {
    let more = "faults: { f: { crash: s, at: 1105ms, for: 5s, instance: 0 } }";
    let run = run(&text(", select: log, mark: before_publish", STORE, "[1050ms, 2s]", more));
    assert_eq!(seen(&run), [(2, 1)]);
}

#[test]
fn several_relays_share_the_rows() {
    let times: Vec<String> = (0..40).map(|n| format!("{}ms", 1001 + n)).collect();
    let times = format!("[{}]", times.join(", "));
    let one = run(&text(", batch: 2", STORE, &times, ""));
    let four = run(&text(", batch: 2, relays: 4", STORE, &times, ""));
    for run in [&one, &four] {
        let mut orders = seen(run);
        orders.sort_unstable();
        assert_eq!(orders, (1..=40).map(|n| (n, 1)).collect::<Vec<_>>(), "each once");
        assert!(run.is_quiet());
    }
    let last = |run: &Run| *accepted(run).last().unwrap();
    assert!(last(&four) + 100 * MS < last(&one), "four are faster: {} and {}", last(&four), last(&one));
    // The rows of one that is gone are taken up by the others.
    let more = "faults: { f: { crash: s, at: 1105ms, for: 5s, instance: 0 } }";
    let crashed = run(&text(", batch: 2, relays: 4", STORE, &times, more));
    assert_eq!(seen(&crashed).len(), 40);
    assert!(seen(&crashed).iter().any(|row| row.1 == 2), "published and not yet marked");
}
