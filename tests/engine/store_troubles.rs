//! Stores that crash or refuse while something is on its way to them: statements, sagas, relays, leases, flushes; and
//! replicas of a quorum that are cut off.

use super::{MS, Run, S, run, scenario};
use eventflow::model::Error;
use eventflow::scenario::open::read_text;
use eventflow::world::record::{Outcome, Record};

const WELL: Outcome = Outcome::Well;
const UNAVAILABLE: Outcome = Outcome::Error(Error::Unavailable);

/// A service with a table `t`: a write takes 4 ms, a commit 6 ms.
fn text(store: &str, steps: &str, client: &str, fault: &str) -> String {
    let service = format!(
        "workers: 8\nstore:\n  latency: {{ read: 2ms, write: 4ms, commit: 6ms }}\n{store}  tables: {{ t: {{ key: k, \
         columns: {{ k: int, v: int }}, rows: [ {{ k: 1..3, v: 5 }} ] }} }}"
    );
    format!("{}faults: {{ f: {{ {fault} }} }}\n", scenario(&service, steps, client))
}

fn outcomes(run: &Run) -> Vec<Outcome> {
    run.outcomes().into_iter().map(|(_, outcome)| outcome).collect()
}

const TWO: &str =
    "{ update: t, key: 1, set: { v: row.v + 1 } }, { update: t, key: 2, set: { v: row.v + 1 } }";

#[test]
fn a_store_that_is_back_before_a_statement_arrives_does_not_know_its_transaction() {
    let steps = format!("- transaction: [ {TWO} ]");
    let again = format!("{steps}\n  retry: {{ attempts: 2, delay: 5ms }}");
    // On their way: the first write until 1003 ms, the second from 1005 to 1007, the commit from 1009 to 1012.
    for at in ["1002ms", "1006ms", "1010ms"] {
        let fault = format!("crash: s.store, at: {at}, for: 500us");
        let once = run(&text("", &steps, "", &fault));
        assert_eq!((outcomes(&once), once.rows("s.t")[0][1]), (vec![UNAVAILABLE], 5), "{at}");
        let twice = run(&text("", &again, "", &fault));
        assert_eq!((outcomes(&twice), twice.rows("s.t")[0][1]), (vec![WELL], 6), "{at}");
    }
}

#[test]
fn a_connection_that_was_reset_says_nothing_of_the_next_one() {
    let steps =
        "- transaction: [ { update: t, key: 1, set: { v: row.v + 1 } }, { wait: 100ms }, { fail: broke } ]
  catch: { any: [ { transaction: [ { update: t, key: 2, set: { v: row.v + 1 } } ] } ] }";
    let run = run(&text("", steps, "", "crash: s.store, at: 1050ms, for: 1ms"));
    assert_eq!(outcomes(&run), [WELL]);
    let rows = run.rows("s.t");
    assert_eq!((rows[0][1], rows[1][1]), (5, 6));
}

#[test]
fn a_crash_takes_the_flush_with_it_that_it_has_left_nothing_to() {
    let client = "arrivals: { times: [1s, 10s] }\ncalls: { s: { timeout: 1m } }\ndo:\n- let: { n: { counter: 1 } }\n- { call: s.Go, with: { n: n } }";
    let steps = "- { insert: t, key: message.n + 10 }";
    let run = run(&text("  flush: 10s\n", steps, client, "crash: s.store, at: [9s, 15s], for: 100ms"));
    assert_eq!(
        (outcomes(&run), run.rows("s.t").len()),
        (vec![WELL, WELL], 3),
        "flushed at 20 s, and never at 11 s"
    );
}

/// A saga of one step, which writes; it ends by writing.
fn saga(store: &str, fault: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 10s, drain: 2m }}
messages: {{ Go: {{ kind: command, key: k, fields: {{ k: int }} }} }}
services:
  s:
    workers: 8
    store:
      latency: {{ read: 2ms, write: 4ms, commit: 6ms }}
{store}      tables: {{ done: {{ key: k, columns: {{ k: int, n: int }} }} }}
    sagas:
      p:
        start: Go
        key: message.k
        steps: [ {{ step: a, do: [ {{ wait: 10ms }}, {{ upsert: done, key: 1, set: {{ n: row.n + 1 }} }} ] }} ]
        completed: [ {{ upsert: done, key: 9, set: {{ n: row.n + 1 }} }} ]
clients: {{ c: {{ arrivals: {{ times: [1s] }}, do: [ {{ call: s.Go, with: {{ k: 1 }}, timeout: 10s }} ] }} }}
network: {{ default: {{ latency: 1ms }} }}
faults: {{ f: {{ {fault} }} }}
"
    )
}

#[test]
fn the_position_of_a_saga_is_refused_and_unknown_like_any_other_statement() {
    let known = |fault: &str| {
        let run = run(&saga("", fault));
        assert!(run.is_quiet(), "{fault}");
        let mut rows = run.rows("s.done");
        rows.sort_unstable();
        (outcomes(&run)[0], rows)
    };
    // The start is stored at 1006 ms and known at 1011; the step is done at 1021, and its end stored at 1031 and known at
    // 1036.
    assert_eq!(known("outage: s.store, at: 1004ms, for: 1s"), (UNAVAILABLE, vec![]), "it never began");
    assert_eq!(known("crash: s.store, at: 1008ms, for: 1ms"), (UNAVAILABLE, vec![vec![1, 1], vec![9, 1]]));
    let again = vec![vec![1, 2], vec![9, 1]];
    assert_eq!(known("outage: s.store, at: 1028ms, for: 1s"), (WELL, again.clone()), "its end is not stored");
    assert_eq!(known("crash: s.store, at: 1028ms, for: 1s"), (WELL, again));
    assert_eq!(known("crash: s.store, at: 1033ms, for: 1ms"), (WELL, vec![vec![1, 1], vec![9, 1]]));
}

/// What a saga has done when its store has lost what some fault took.
fn done(store: &str, fault: &str) -> Vec<Vec<i64>> {
    let run = run(&saga(store, fault));
    assert!(run.is_quiet(), "{store}{fault}");
    let mut rows = run.rows("s.done");
    rows.sort_unstable();
    rows
}

#[test]
fn a_saga_goes_on_from_where_the_store_that_survives_says() {
    // Its start is stored at 1006 ms, the row of its step at 1021, the end of that at 1031, the last row at 1036 and its
    // end at 1046; the replica has each half a second later.
    let lags = "      read_replica: { lag: 500ms }\n";
    let at = |at: &str| done(lags, &format!("failover: s.store, at: {at}, for: 100ms"));
    let nothing: Vec<Vec<i64>> = Vec::new();
    let once = vec![vec![1, 1], vec![9, 1]];
    assert_eq!(at("1200ms"), nothing, "it never began");
    assert_eq!(at("1510ms"), once, "it has only begun");
    assert_eq!(at("1525ms"), [[1, 2], [9, 1]], "its row is there, and it does not know");
    assert_eq!(at("1533ms"), once, "its step is done");
    assert_eq!(at("1540ms"), [[1, 1], [9, 2]], "the last row is there, and it does not know");
    assert_eq!(at("2s"), once);
    // All that a flush takes is there, or nothing.
    let flushes = "      flush: 1s\n";
    assert_eq!(done(flushes, "crash: s.store, at: 1200ms, for: 100ms"), nothing);
    assert_eq!(done(flushes, "crash: s.store, at: 2100ms, for: 100ms"), once);
    let flushes = "      flush: 20ms\n";
    assert_eq!(done(flushes, "crash: s.store, at: 1024ms, for: 100ms"), nothing, "flushed at 1026 ms");
    assert_eq!(done(flushes, "crash: s.store, at: 1040ms, for: 100ms"), [[1, 2], [9, 1]], "its row was");
    assert_eq!(done(flushes, "crash: s.store, at: 1055ms, for: 100ms"), once, "and the rest at 1051 ms");
}

/// A timer of 3 s is set at 1006 ms; what it does is committed at 4013 ms.
fn timer(store: &str, faults: &str) -> (usize, Vec<i64>) {
    let run = run(&format!(
        "scenario: test
run: {{ horizon: 20s, drain: 2m }}
messages: {{ Go: {{ kind: command, key: k, fields: {{ k: int }} }} }}
services:
  s:
    workers: 8
    store:
      latency: {{ read: 2ms, write: 4ms, commit: 6ms }}
{store}      tables: {{ asked: {{ key: k, columns: {{ k: int }} }}, done: {{ key: k, columns: {{ k: int, n: int }} }} }}
    handlers:
      Go:
        - transaction: [ {{ insert: asked, key: message.k }}, {{ after: 3s, durable: true, do: [ {{ upsert: done, key: message.k, set: {{ n: row.n + 1 }} }}, {{ effect: mail, takes: 2ms }} ] }} ]
clients: {{ c: {{ arrivals: {{ times: [1s] }}, do: [ {{ call: s.Go, with: {{ k: 1 }}, timeout: 10s }} ] }} }}
network: {{ default: {{ latency: 1ms }} }}
faults: {{ {faults} }}
"
    ));
    assert!(run.is_quiet(), "{store}{faults}");
    let mails = run.count(|record| matches!(record, Record::Effected { .. }));
    let asked = run.rows("s.asked").len() as i64;
    (mails, run.rows("s.done").iter().map(|row| row[1]).chain([asked]).collect())
}

#[test]
fn a_durable_timer_is_lost_with_what_was_committed_beside_it_and_comes_back_with_what_it_did() {
    for store in ["      flush: 1s\n", "      read_replica: { lag: 1s }\n"] {
        let fault = if store.contains("flush") { "crash" } else { "failover" };
        let at = |at: &str| timer(store, &format!("f: {{ {fault}: s.store, at: {at}, for: 100ms }}"));
        assert_eq!(timer(store, ""), (1, vec![1, 1]), "{store}");
        assert_eq!(at("1500ms"), (0, vec![0]), "{store}: it was never set");
        assert_eq!(at("2500ms"), (1, vec![1, 1]), "{store}: it is durable");
        assert_eq!(at("4500ms"), (2, vec![1, 1]), "{store}: it was never done, but for the mail");
        assert_eq!(at("6s"), (1, vec![1, 1]), "{store}: that it is done is durable");
    }
}

#[test]
fn a_store_that_flushes_later_and_fails_over_keeps_no_sagas() {
    let text =
        saga("      flush: 1s\n      read_replica: { lag: 1s }\n", "failover: s.store, at: 5s, for: 1s");
    let (_, diagnostics, _) = read_text("test.yaml", &text, &[]);
    let told: Vec<&str> = diagnostics.list.iter().map(|mistake| mistake.code).collect();
    assert_eq!(told, ["not-built-yet"]);
}

/// Facts go through an outbox whose relay looks each 100 ms.
fn outbox(fault: &str) -> Run {
    run(&format!(
        "scenario: test
run: {{ horizon: 10s, drain: 1m }}
messages:
  Go: {{ kind: command, fields: {{ n: int }} }}
  Fact: {{ kind: integration, fields: {{ n: int }} }}
brokers: {{ b: {{ preset: kafka }} }}
topics: {{ facts: {{ messages: [Fact] }} }}
services:
  s:
    store: {{ latency: {{ read: 2ms, write: 2ms, commit: 2ms }}, tables: {{ orders: {{ key: n }} }} }}
    outbox: {{ every: 100ms }}
    handlers:
      Go: [ {{ transaction: [ {{ insert: orders, key: message.n }}, {{ publish: Fact, via: outbox, with: message }} ] }} ]
  t:
    store: {{ tables: {{ seen: {{ key: n, columns: {{ times: int }} }} }} }}
    consumes: {{ facts: {{}} }}
    handlers: {{ Fact: [ {{ upsert: seen, key: message.n, set: {{ times: row.times + 1 }} }} ] }}
clients: {{ c: {{ arrivals: {{ times: [1050ms] }}, do: [ {{ call: s.Go, with: {{ n: 1 }}, timeout: 10s }} ] }} }}
network: {{ default: {{ latency: 1ms }} }}
faults: {{ f: {{ {fault} }} }}
"
    ))
}

fn accepted(run: &Run) -> Vec<u64> {
    let accepted = run.when(|record| matches!(record, Record::Accepted { .. }).then_some(()));
    accepted.into_iter().map(|(at, ())| at).collect()
}

#[test]
fn a_relay_asks_its_store_like_anybody_else() {
    // Committed at 1056 ms; the poll at 1100 reads at 1102, the broker has it at 1103.
    let refused = outbox("outage: s.store, at: 1090ms, for: 1s");
    let at = accepted(&refused);
    assert!(at.len() == 1 && (2090 * MS..2300 * MS).contains(&at[0]), "{at:?}");
    let paused = outbox("pause: s.store, at: 1090ms, for: 1s");
    assert_eq!(accepted(&paused), [2091 * MS], "read when it wakes");
    // What it had locked is free, and not marked.
    let cut = outbox("crash: s.store, at: 1103ms, for: 50ms");
    assert_eq!((accepted(&cut).len(), cut.rows("t.seen")[0][1]), (2, 2));
    assert!(refused.is_quiet() && paused.is_quiet() && cut.is_quiet());
}

#[test]
fn a_store_that_is_down_gives_no_lease() {
    let run = run("scenario: test
run: { horizon: 20s, drain: 1m }
services:
  s:
    instances: 2
    workers: 1
    store: { tables: { t: { key: k } } }
    jobs: { tick: { every: 4s, runs: once, do: [ { wait: 1s } ] } }
faults: { f: { outage: s.store, at: 5s, for: 10s } }
");
    let started = run.when(|record| match record {
        Record::Started { instance, .. } => Some(instance.0),
        _ => None,
    });
    let started: Vec<(u64, u32)> = started.into_iter().filter(|(at, _)| *at < 20 * S).collect();
    // The lease of 4 s is over at 14 s, and cannot be had before 15.
    assert_eq!(started, [(4 * S, 0), (16 * S, 1)]);
}

/// Three replicas, in three regions; the service is in the first, 40 ms from the second and 90 ms from the third.
fn replicas(write: u32, read: u32, times: &str, fault: &str) -> Run {
    run(&format!(
        "scenario: test
run: {{ horizon: 1m, drain: 2m }}
messages:
  Put: {{ kind: command, fields: {{ n: int }} }}
  Get: {{ kind: query, reply: {{ v: int }} }}
services:
  s:
    workers: 9
    place: eu
    store:
      place: [eu, us, asia]
      replication: {{ n: 3, write_quorum: {write}, read_quorum: {read}, write: 4ms, ack: 3ms, read: 2ms, respond: 1ms }}
      tables: {{ t: {{ key: k, columns: {{ v: int }}, rows: [ {{ k: 1 }} ] }} }}
    handlers:
      Put: [ {{ update: t, key: 1, set: {{ v: message.n }} }} ]
      Get: [ {{ read: t, key: 1, as: r }}, {{ reply: {{ v: r.v }} }} ]
clients:
  c: {{ place: eu, arrivals: {{ times: {times} }}, do: [ {{ call: s.Put, with: {{ n: 7 }}, timeout: 1m }}, {{ call: s.Get, timeout: 1m }} ] }}
network:
  default: {{ latency: 0s }}
  links: {{ a: {{ between: [eu, us], latency: 40ms }}, b: {{ between: [eu, asia], latency: 90ms }} }}
faults: {{ f: {{ {fault}, at: 10s, for: 10s }} }}
"
    ))
}

#[test]
fn a_replica_that_is_cut_off_does_not_answer() {
    let ends_of = |write: u32, read: u32, times: &str, fault: &str| -> Vec<u64> {
        let run = replicas(write, read, times, fault);
        assert!(run.is_quiet());
        run.outcomes().into_iter().map(|(at, _)| at / MS).collect()
    };
    let ends = |write: u32, read: u32, fault: &str| ends_of(write, read, "[9s, 9950ms, 11s]", fault);
    let split = "split: [eu, us]";
    // All three take 187 and 183 ms, the nearest two 87 and 83; the nearest one 7 and 3.
    // What the second one has said at 9994 ms is on its way; what it would say at 10014 is not.
    assert_eq!(ends_of(3, 1, "[9s, 9950ms, 9970ms, 11s]", split), [9190, 10_140, 20_003, 20_190]);
    assert_eq!(ends(2, 1, split), [9090, 10_040, 11_190]);
    assert_eq!(ends(2, 1, "split: [us, asia]"), [9090, 10_040, 11_090], "neither is asked by the other");
    assert_eq!(ends(2, 1, "degrade: [eu, us], loss: 100%"), ends(2, 1, split));
    assert_eq!(ends(1, 2, split), [9090, 10_040, 11_190]);
    assert_eq!(ends(2, 1, "degrade: [eu, us], latency: 60ms")[2], 11_130);
}

#[test]
fn a_statement_on_its_way_to_a_store_that_crashes_is_refused_in_a_transaction_or_not() {
    // On its way from 1001 ms to 1006 ms.
    let alone = |steps: &str, fault: &str| {
        let run = run(&text("", steps, "", fault));
        (outcomes(&run)[0], run.rows("s.t")[0][1])
    };
    let add = "- { update: t, key: 1, set: { v: row.v + 1 } }";
    assert_eq!(alone(add, "crash: s.store, at: 1003ms, for: 1ms"), (UNAVAILABLE, 5));
    assert_eq!(alone(add, "failover: s.store, at: 1003ms, for: 1ms"), (UNAVAILABLE, 5));
    // Done, and nobody knows; before it sets out, nothing has happened to it.
    assert_eq!(alone(add, "crash: s.store, at: 1008ms, for: 1ms"), (UNAVAILABLE, 6));
    assert_eq!(alone(add, "crash: s.store, at: 999ms, for: 1ms"), (WELL, 6));
    // Its connection is whole after an outage that is over before it comes.
    assert_eq!(alone(add, "outage: s.store, at: 1003ms, for: 1ms"), (WELL, 6));
    let read = "- { read: t, key: 2, as: r }\n- { update: t, key: 1, set: { v: r.v + 1 } }";
    assert_eq!(alone(read, "crash: s.store, at: 1001500us, for: 100us"), (UNAVAILABLE, 5));
    // Who was refused says it again, over a new connection.
    let again = format!("- try: [ {} ]\n  retry: {{ attempts: 2, delay: 5ms }}", &add[2..]);
    assert_eq!(alone(&again, "crash: s.store, at: 1003ms, for: 1ms"), (WELL, 6));
}
