//! Stores in trouble, and their copies: what a crash forgets, what a replica lacks, what a quorum answers.

use super::{MS, Run, S, run, scenario};
use eventflow::model::Error;
use eventflow::world::record::Outcome;

const WELL: Outcome = Outcome::Well;
const UNAVAILABLE: Outcome = Outcome::Error(Error::Unavailable);

/// A service with a table `t` and three rows: a read takes 2 ms, a write 4 ms, a commit 6 ms.
fn text(more: &str, steps: &str, client: &str, faults: &str) -> String {
    let store = format!(
        "workers: 8\nstore:\n  latency: {{ read: 2ms, write: 4ms, commit: 6ms }}\n{more}  tables:\n    t: {{ key: k, columns: \
         {{ v: int }}, rows: [ {{ k: 1..3, v: 5 }} ] }}\n    log: {{ key: k, columns: {{ k: int, v: int }} }}"
    );
    format!("{}{faults}", scenario(&store, steps, client))
}

/// Calls at these times, each with its number, from 1.
fn calls(times: &str) -> String {
    format!(
        "arrivals: {{ times: {times} }}\ncalls: {{ s: {{ timeout: 1m }} }}\ndo:\n- let: {{ n: {{ counter: 1 }} }}\n- {{ call: s.Go, with: {{ n: n }} }}"
    )
}

fn outcomes(run: &Run) -> Vec<Outcome> {
    run.outcomes().into_iter().map(|(_, outcome)| outcome).collect()
}

const SET: &str = "- { update: t, key: 1, set: { v: message.n } }";

#[test]
fn a_crashed_store_forgets_what_was_not_flushed_and_refuses_until_it_is_back() {
    let times = calls("[1s, 2s, 3s, 4s, 9s]");
    let crash = "faults: { f: { crash: s.store, at: 3500ms, for: 2s } }\n";
    let kept = run(&text("", SET, &times, crash));
    assert_eq!(outcomes(&kept), [WELL, WELL, WELL, UNAVAILABLE, WELL]);
    assert_eq!(kept.rows("s.t")[0], [1, 5]);
    let add = "- { update: t, key: 1, set: { v: row.v + 1 } }";
    let all = run(&text("", add, &times, crash));
    assert_eq!(all.rows("s.t")[0], [1, 9], "always flushed: four of five were done");
    let some = run(&text("  flush: 1500ms\n", add, &times, crash));
    // Committed at 1, 2 and 3 s; what the first began is flushed at 2.5 s, the third is lost.
    assert_eq!(some.rows("s.t")[0], [1, 8]);
    let inserted = "- { insert: log, key: message.n }\n- { delete: t, key: 2 }";
    let run = run(&text(
        "  flush: 1m\n",
        inserted,
        &calls("[1s]"),
        "faults: { f: { crash: s.store, at: 2s, for: 1s } }\n",
    ));
    assert_eq!((run.rows("s.log").len(), run.rows("s.t").len()), (0, 3), "the row is back");
}

#[test]
fn a_crash_of_the_store_resets_open_transactions_and_answers_on_their_way() {
    let transaction = "- transaction: [ { update: t, key: 1, set: { v: 7 } }, { wait: 100ms }, { update: t, key: 2, set: { v: 7 } } ]";
    let crash = |at: &str| format!("faults: {{ f: {{ crash: s.store, at: {at}, for: 1ms }} }}\n");
    let open = run(&text("", transaction, &calls("[1s]"), &crash("1050ms")));
    assert_eq!(outcomes(&open), [UNAVAILABLE]);
    assert_eq!(open.rows("s.t"), [[1, 5], [2, 5], [3, 5]]);
    // Half-way at 1 + 5 ms; the answer would be back at 1 + 10 ms.
    let doubtful = run(&text("", SET, &calls("[1s]"), &crash("1008ms")));
    assert_eq!(outcomes(&doubtful), [UNAVAILABLE]);
    assert_eq!(doubtful.rows("s.t")[0], [1, 1], "it was done, and nobody knows");
    let waiting = "- transaction: [ { update: t, key: 1, set: { v: 7 } }, { wait: 100ms } ]";
    let two = run(&text("", waiting, &calls("[1s, 1010ms]"), &crash("1050ms")));
    assert_eq!(outcomes(&two), [UNAVAILABLE, UNAVAILABLE]);
}

#[test]
fn an_outage_refuses_a_pause_holds_and_slowness_takes_longer() {
    let outage = run(&text(
        "  flush: 1m\n",
        SET,
        &calls("[1s, 2s, 9s]"),
        "faults: { f: { outage: s.store, at: 1500ms, for: 1s } }\n",
    ));
    assert_eq!(outcomes(&outage), [WELL, UNAVAILABLE, WELL]);
    assert_eq!(outage.rows("s.t")[0], [1, 3]);
    let pause =
        run(&text("", SET, &calls("[1s]"), "faults: { f: { pause: s.store, at: 500ms, for: 2s } }\n"));
    assert_eq!(
        pause.outcomes()[0],
        (2500 * MS + 5 * MS + MS, WELL),
        "the second half of its round trip, and home"
    );
    let slow =
        run(&text("", SET, &calls("[1s]"), "faults: { f: { slow: s.store, by: 3, at: 500ms, for: 2s } }\n"));
    assert_eq!(slow.outcomes()[0], (S + 2 * MS + 30 * MS, WELL));
}

const READ: &str = "- { if: message.n == 1, then: [ { update: t, key: 1, set: { v: 7 } }, stop ] }
- { read: t, key: 1, from: replica, as: r }
- { insert: log, key: message.n, set: { v: r.v } }";

fn seen(run: &Run) -> Vec<i64> {
    run.rows("s.log").iter().map(|row| row[1]).collect()
}

#[test]
fn a_replica_has_a_commit_its_lag_later() {
    let one =
        run(&text("  read_replica: { lag: 200ms }\n", READ, &calls("[1s, 1050ms, 1190ms, 1300ms]"), ""));
    // Committed at 1.006 s; read in the middle of a read of 2 ms, 1 ms after the call was sent.
    assert_eq!(seen(&one), [5, 5, 7]);
    let gone = READ
        .replace("update: t, key: 1, set: { v: 7 }", "delete: t, key: 1")
        .replace("set: { v: r.v }", "set: { v: 'r.exists ? 1 : 0' }");
    let deleted = run(&text("  read_replica: { lag: 200ms }\n", &gone, &calls("[1s, 1100ms, 1300ms]"), ""));
    assert_eq!(seen(&deleted), [1, 0]);
}

#[test]
fn replicas_take_turns_or_stick_and_follow_the_order_of_the_commits() {
    let lag = "  read_replica: { count: 2, lag: { mixture: [ { share: 50%, constant: 10ms }, { share: 50%, constant: 5s } ] }, routing: round_robin }\n";
    let turns = run(&text(lag, READ, &calls("[1s, 2s, 2100ms, 2200ms, 2300ms, 20s]"), ""));
    let seen_in_turn = seen(&turns);
    assert_eq!((seen_in_turn[0], seen_in_turn[1]), (seen_in_turn[2], seen_in_turn[3]));
    assert_eq!(seen_in_turn[4], 7);
    let sticky =
        run(&text(&lag.replace("round_robin", "sticky"), READ, &calls("[1s, 2s, 2100ms, 2200ms]"), ""));
    let seen = seen(&sticky);
    assert!(seen.iter().all(|one| *one == seen[0]));
    // A lag that is drawn shorter does not overtake.
    let writes =
        "- { if: message.n <= 20, then: [ { update: t, key: 1, set: { v: 10 + message.n } }, stop ] }
- { read: t, key: 1, from: replica, as: r }
- { insert: log, key: message.n, set: { v: r.v } }";
    let times: Vec<String> = (0..20)
        .map(|i| format!("{}ms", 1000 + 20 * i))
        .chain((0..40).map(|i| format!("{}ms", 1400 + 50 * i)))
        .collect();
    let random = "  read_replica: { lag: { uniform: [ 0ms, 1s ] } }\n";
    let run = run(&text(random, writes, &calls(&format!("[{}]", times.join(", "))), ""));
    let rows = run.rows("s.log");
    assert!(rows.windows(2).all(|pair| pair[0][1] <= pair[1][1]), "{rows:?}");
}

/// A table of a store of three replicas.
fn quorum(write: u32, read: u32, steps: &str, client: &str) -> String {
    let store = format!(
        "workers: 64\nstore:\n  replication: {{ n: 3, write_quorum: {write}, read_quorum: {read}, write: 4ms, ack: 3ms, read: 2ms, respond: 1ms }}\n  \
         tables:\n    t: {{ key: k, columns: {{ v: int }}, rows: [ {{ k: 1..3, v: 5 }} ] }}\n    log: {{ key: k, columns: {{ k: int, v: int }} }}"
    );
    scenario(&store, steps, client)
}

#[test]
fn a_quorum_takes_as_long_as_its_slowest_needed_answer() {
    let run = run(&quorum(
        2,
        2,
        "- { update: t, key: 1, set: { v: 7 } }\n- { read: t, key: 1, as: r }\n- { insert: log, key: 1, set: { v: r.v } }",
        "",
    ));
    assert_eq!(run.outcomes()[0], (S + (2 + 7 + 3 + 7) * MS, WELL));
    assert_eq!(run.rows("s.log"), [[1, 7]]);
}

#[test]
fn a_quorum_store_refuses_what_needs_one_copy() {
    use eventflow::scenario::open::read_text;
    let told = |steps: &str| -> Vec<&'static str> {
        let (_, diagnostics, _) = read_text("test.yaml", &quorum(1, 1, steps, ""), &[]);
        diagnostics.list.iter().map(|mistake| mistake.code).collect()
    };
    assert_eq!(told("- { update: t, key: 1, set: { v: 7 } }"), Vec::<&str>::new());
    assert_eq!(told("- transaction: [ { update: t, key: 1, set: { v: 7 } } ]"), ["contradiction"]);
    assert_eq!(told("- { scan: t, as: all }"), ["contradiction"]);
    assert_eq!(told("- { update: t, set: { v: 7 } }"), ["contradiction"]);
    assert_eq!(told("- { read: t, key: 1, from: replica, as: r }"), ["contradiction"]);
}

/// A replica takes the place of the store: what had not come to it never was, rows and outbox rows alike.
#[test]
fn a_failover_loses_what_the_replica_that_takes_over_does_not_have() {
    let text = |lag: &str, fault: &str| {
        format!(
            "scenario: test
run: {{ horizon: 1m, drain: 10m }}
messages:
  Go: {{ kind: command, fields: {{ n: int }} }}
  Done: {{ kind: integration, key: n, fields: {{ n: int }} }}
brokers: {{ b: {{ preset: kafka }} }}
topics: {{ done: {{ messages: [Done] }} }}
services:
  s:
    store:
      tables: {{ seen: {{ key: n, columns: {{ n: int, times: int }} }} }}
      read_replica: {{ count: 2, lag: {lag} }}
    outbox: {{ every: 3s }}
    handlers:
      Go: [ {{ transaction: [ {{ upsert: seen, key: message.n % 3, set: {{ times: row.times + 1 }} }}, {{ publish: Done, via: outbox, with: message }} ] }} ]
  t: {{ store: {{ tables: {{ told: {{ key: n, columns: {{ n: int }} }} }} }}, consumes: {{ done: {{}} }}, handlers: {{ Done: [ {{ upsert: told, key: message.n }} ] }} }}
clients:
  c:
    arrivals: {{ times: [1s, 2s, 3s, 4s, 8s] }}
    do: [ {{ let: {{ n: {{ counter: 1 }} }} }}, {{ call: s.Go, with: {{ n: n }}, catch: {{ any: [] }} }} ]
network: {{ default: {{ latency: 1ms }} }}
{fault}
"
        )
    };
    let rows = |run: &super::Run| {
        let mut rows = run.rows("s.seen");
        rows.sort_unstable();
        rows
    };
    let fault = "faults: { f: { failover: s.store, at: 4500ms, for: 1s } }";
    let well = run(&text("1500ms", ""));
    assert_eq!(rows(&well), [[0, 1], [1, 2], [2, 2]]);
    // The commits of 3 s and 4 s had not come to any replica at 4.5 s.
    let failed = run(&text("1500ms", fault));
    assert_eq!(rows(&failed), [[1, 1], [2, 2]]);
    let mut told: Vec<i64> = failed.rows("t.told").iter().map(|row| row[0]).collect();
    told.sort_unstable();
    assert_eq!(told, [1, 2, 5], "nobody is told of what never was");
    let kept = run(&text("100ms", fault));
    assert_eq!(rows(&kept), rows(&well), "all of it had come to a replica");
    assert!(failed.is_quiet() && kept.is_quiet());
}
