//! Event streams: what a load costs and sees, what an append does and refuses, and what carries it to a
//! topic.

use super::{MS, Run, S, run, scenario};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

const WELL: Outcome = Outcome::Well;

/// A service with a stream of additions: a read takes 2 ms and 1 ms for each message, a write 4 ms, a
/// commit 6 ms.
fn text(stream: &str, steps: &str, client: &str) -> String {
    let service = format!(
        "workers: 8\nstore:\n  latency: {{ read: 2ms, write: 4ms, commit: 6ms }}\n  streams:\n    log: {{ key: k, \
         state: {{ sum: int, last: int }}, read: 1ms, apply: {{ Added: {{ sum: state.sum + message.n, last: message.n }} }}{stream} }}\n  \
         tables:\n    t: {{ key: k, columns: {{ k: int, v: int, w: int }} }}"
    );
    let messages = "messages:\n  Added: { kind: domain, key: k, fields: { k: int, n: int } }\n";
    scenario(&service, steps, client).replacen("messages:\n", messages, 1)
}

fn once(stream: &str, steps: &str) -> Run {
    run(&text(stream, steps, ""))
}

fn add(n: i64) -> String {
    format!("- {{ append: Added, to: log, key: 1, with: {{ k: 1, n: {n} }} }}\n")
}

fn took(run: &Run) -> (f64, Outcome) {
    let (at, outcome) = run.outcomes()[0];
    ((at - S) as f64 / MS as f64 - 2.0, outcome)
}

#[test]
fn an_append_pays_a_write_and_a_commit_and_folds_into_the_state() {
    let run = once("", &format!("{}{}", add(5), add(7)));
    assert_eq!(took(&run), (20.0, WELL));
    assert_eq!(run.rows("s.log"), [[1, 12, 7, 2]], "key, sum, last, and two messages");
}

#[test]
fn a_load_pays_for_each_message_since_the_last_snapshot() {
    let steps = format!("{}{}{}- {{ load: log, key: 1, as: l }}\n", add(1), add(2), add(3));
    assert_eq!(took(&once("", &steps)), (30.0 + 2.0 + 3.0, WELL));
    assert_eq!(took(&once(", snapshot: { every: 2 }", &steps)), (30.0 + 2.0 + 1.0, WELL));
    assert_eq!(took(&once(", snapshot: { every: 3 }", &steps)), (30.0 + 2.0, WELL));
    let absent = "- { load: log, key: 1, as: l }\n- { if: '!l.exists', then: [ { fail: absent } ] }";
    let run = once("", absent);
    assert_eq!(took(&run), (2.0, Outcome::Error(run.reason("absent"))));
}

#[test]
fn another_version_than_the_expected_one_is_a_conflict_that_can_be_caught_and_retried() {
    let expecting = |expect: &str, more: &str| {
        format!("- {{ append: Added, to: log, key: 1, with: {{ k: 1, n: 9 }}, expect: {expect}{more} }}\n")
    };
    let run = once("", &format!("{}{}", add(5), expecting("0", "")));
    assert_eq!(run.outcomes()[0].1, Outcome::Error(Error::Conflict));
    assert_eq!(run.rows("s.log"), [[1, 5, 5, 1]]);
    let run = once("", &format!("{}{}", add(5), expecting("1", "")));
    assert_eq!(run.rows("s.log"), [[1, 14, 9, 2]]);
    let caught = expecting("0", ", catch: { conflict: [ { insert: t, key: 3 } ] }");
    let run = once("", &format!("{}{}{}", add(5), caught, add(1)));
    assert_eq!((run.rows("s.t").len(), run.rows("s.log")), (1, vec![vec![1, 6, 1, 2]]));
    // A retry of the step alone expects what it expected.
    let run = once("", &format!("{}{}", add(5), expecting("0", ", retry: { attempts: 3, delay: 10ms }")));
    assert_eq!(took(&run), (10.0 + 3.0 * 10.0 + 2.0 * 10.0, Outcome::Error(Error::Conflict)));
}

#[test]
fn in_a_transaction_an_append_commits_and_rolls_back_with_the_rows_beside_it() {
    let both = "{ append: Added, to: log, key: 1, with: { k: 1, n: 5 } }, { insert: t, key: 1 }";
    let run = once("", &format!("- transaction: [ {both} ]"));
    assert_eq!(took(&run), (4.0 + 4.0 + 6.0, WELL));
    assert_eq!((run.rows("s.log").len(), run.rows("s.t").len()), (1, 1));
    let run =
        once("", &format!("- {{ transaction: [ {both}, {{ fail: no }} ], catch: {{ no: [ stop ] }} }}"));
    assert_eq!((run.rows("s.log").len(), run.rows("s.t").len()), (0, 0));
    // Its own message is there for whoever reads in the same transaction.
    let run = once(
        "",
        &format!(
            "- transaction: [ {both}, {{ load: log, key: 1, as: l }}, {{ insert: t, key: 2, set: {{ v: l.sum, w: l.version }} }} ]"
        ),
    );
    assert_eq!(run.rows("s.t"), [[1, 0, 0], [2, 5, 1]]);
}

#[test]
fn a_stream_is_loaded_as_it_was_at_a_version_or_an_instant() {
    let steps = format!(
        "{}{}{}- {{ load: log, key: 1, at: 2, as: second }}
- {{ load: log, key: 1, at: now - 24ms, as: early }}
- {{ load: log, key: 1, at: 9, as: never }}
- {{ insert: t, key: 1, set: {{ v: second.sum, w: early.sum }} }}
- {{ if: '!never.exists', then: [ {{ insert: t, key: 2 }} ] }}",
        add(1),
        add(2),
        add(4)
    );
    let run = once("", &steps);
    // Committed at 5, 15 and 25 ms of the handler; the second load begins at 30 + 2 + 2 ms.
    assert_eq!(run.rows("s.t"), [[1, 3, 1], [2, 0, 0]]);
}

#[test]
fn two_who_expect_the_same_version_cannot_both_have_it() {
    let steps = "- { load: log, key: 1, as: l }\n- { append: Added, to: log, key: 1, with: { k: 1, n: 1 }, expect: 'l.exists ? l.version : 0' }";
    let client = "arrivals: { times: [1s, 1001ms, 1002ms] }\ncalls: { s: { timeout: 1m } }\ndo: [ { call: s.Go, with: { n: 0 }, catch: { conflict: [ stop ] } } ]";
    let run = run(&text("", steps, client));
    assert_eq!(run.rows("s.log"), [[1, 1, 1, 1]]);
}

/// The same service with a topic that the stream is published to, and who counts what comes.
fn published(more: &str) -> String {
    let brokers = "brokers: { b: { preset: kafka } }\ntopics: { added: { messages: [ Added ], partitions: 1 } }\nservices:\n  seen:\n    store: { tables: { \
                   got: { key: id, columns: { id: int, n: int } } } }\n    consumes: { added: { ack: after } }\n    handlers:\n      Added:\n        - { let: { at: { counter: 1 } } }\n        - { insert: got, key: at, set: { n: message.n } }\n";
    let text = text(
        ", publish_to: added",
        "- { append: Added, to: log, key: message.n % 2, with: { k: message.n % 2, n: message.n }, name: adding }",
        "arrivals: { times: [1s, 2s, 3s, 4s] }\ncalls: { s: { timeout: 1m } }\ndo:\n- let: { n: { counter: 1 } }\n- { call: s.Go, with: { n: n }, catch: { any: [ stop ] } }",
    );
    format!("{}{more}", text.replacen("services:\n", brokers, 1))
}

#[test]
fn what_is_appended_comes_to_the_topic_in_the_order_of_the_commits() {
    let run = run(&published(""));
    assert_eq!(run.rows("seen.got"), [[1, 1], [2, 2], [3, 3], [4, 4]]);
    assert_eq!(run.count(|record| matches!(record, Record::Accepted { .. })), 4);
}

#[test]
fn what_carries_it_can_be_cut_and_goes_on_from_its_position() {
    // The service is down when the relay would take up what was appended at 2 s, and back at 30 s.
    let run = run(&published("faults: { f: { crash: s, at: 2010ms, for: 28s } }\n"));
    let got: Vec<i64> = run.rows("seen.got").iter().map(|row| row[1]).collect();
    assert_eq!(got, [1, 2], "the clients that found nobody got no answer");
    let last = run.when(|record| matches!(record, Record::Accepted { .. }).then_some(()));
    assert!(last.last().expect("two came").0 > 30 * S);
}

#[test]
fn a_stream_is_no_table_for_steps_and_one_for_promises() {
    use eventflow::scenario::open::read_text;
    let told = |text: &str| -> Vec<&'static str> {
        let (_, diagnostics, _) = read_text("test.yaml", text, &[]);
        diagnostics.list.iter().map(|mistake| mistake.code).collect()
    };
    let promised = text("", &add(1), "") + "invariants: { i: { always: row.sum >= 0, for_each: s.log } }\n";
    assert_eq!(told(&promised), Vec::<&str>::new());
    assert_eq!(told(&text("", "- { read: log, key: 1, as: l }", "")), ["wrong-kind"]);
    assert_eq!(told(&text("", "- { load: t, key: 1, as: l }", "")), ["unknown-stream"]);
    assert_eq!(told(&text(", publish_to: nowhere", &add(1), "")), ["unknown-topic"]);
    assert_eq!(told(&text("", "- { load: log, key: 1, at: true, as: l }", "")), ["wrong-type"]);
    let setting = text("", &add(1), "").replace("last: message.n", "version: message.n");
    assert_eq!(told(&setting), ["unknown-column"]);
    assert_eq!(
        told(&text("", &add(1), "").replace("last: int", "version: int")),
        ["name-clash", "unknown-column"]
    );
}
