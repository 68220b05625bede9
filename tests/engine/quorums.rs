//! Stores of equal replicas when something goes wrong on the way: who asked is gone, or what is said gets lost.

use super::{MS, Run, S, run};

/// Three replicas, in `eu`, `us` (40 ms away) and `asia` (90 ms away), each of which all must have a write; 4 ms of
/// each way are its own. A write of 7 sets out in `eu` at 10 s. Readers in `eu` and in `asia` ask the nearest replica,
/// and log what they have found under the number of their look, the one in `asia` with 10 more.
fn cut(times: &str, writes: &str, faults: &str) -> Run {
    let look = |sign: &str| {
        format!(
            "handlers: {{ Look: [ {{ read: t, key: 1, as: r }}, {{ send: l.Seen, with: {{ n: message.n{sign}, v: r.v }} }} ] }}"
        )
    };
    run(&format!(
        "scenario: test
run: {{ horizon: 1m, drain: 2m }}
messages:
  Put: {{ kind: command, fields: {{ v: int }} }}
  Look: {{ kind: command, fields: {{ n: int }} }}
  Seen: {{ kind: command, fields: {{ n: int, v: int }} }}
services:
  s:
    workers: 9
    place: eu
    store:
      place: [eu, us, asia]
      replication: {{ n: 3, write_quorum: 3, read_quorum: 1, write: 4ms, ack: 4ms, read: 2ms, respond: 1ms }}
      tables: {{ t: {{ key: k, columns: {{ v: int }}, rows: [ {{ k: 1 }} ] }} }}
    handlers: {{ Put: [ {{ update: t, key: 1, set: {{ v: row.v + message.v }} }} ] }}
  near: {{ workers: 9, place: eu, store: s, {} }}
  far: {{ workers: 9, place: asia, store: s, {} }}
  l: {{ store: {{ tables: {{ log: {{ key: n, columns: {{ n: int, v: int }} }} }} }}, handlers: {{ Seen: [ {{ insert: log, key: message.n, set: {{ v: message.v }} }} ] }} }}
clients:
  writer: {{ arrivals: {{ times: {writes} }}, do: [ {{ call: s.Put, with: {{ v: 7 }}, timeout: 1m, catch: {{ any: [] }} }} ] }}
  reader:
    arrivals: {{ times: {times} }}
    do: [ {{ let: {{ n: {{ counter: 1 }} }} }}, {{ send: near.Look, with: {{ n: n }} }}, {{ send: far.Look, with: {{ n: n }} }} ]
network:
  default: {{ latency: 0s }}
  links: {{ a: {{ between: [eu, us], latency: 40ms }}, b: {{ between: [eu, asia], latency: 90ms }}, c: {{ between: [us, asia], latency: 70ms }} }}
faults: {{ {faults} }}
",
        look(""),
        look(" + 10")
    ))
}

/// What the readers found in `eu`, and in `asia`.
fn seen(run: &Run) -> Vec<(i64, i64)> {
    let mut rows: Vec<(i64, i64)> = run.rows("l.log").iter().map(|row| (row[0], row[1])).collect();
    rows.sort_unstable();
    let (near, far) = rows.split_at(rows.len() / 2);
    near.iter().zip(far).map(|(near, far)| (near.1, far.1)).collect()
}

#[test]
fn a_write_arrives_where_it_was_sent_though_who_sent_it_is_gone() {
    // It comes to `eu` at 10.004 s and to `asia` at 10.094 s, and would be acknowledged at 10.188 s.
    let crash = "f: { crash: s, at: 10020ms, for: 1s }";
    let gone = cut("[10030ms, 10080ms, 10100ms]", "[10s]", crash);
    assert_eq!(seen(&gone), [(7, 0), (7, 0), (7, 7)]);
    assert_eq!(gone.rows("s.t"), [[1, 7]]);
    assert!(gone.is_quiet());
    // Without the crash nobody sees it before it is acknowledged.
    let well = cut("[10100ms, 10180ms, 10190ms]", "[10s]", "");
    assert_eq!(seen(&well), [(0, 0), (0, 0), (7, 7)]);
}

#[test]
fn a_write_never_comes_where_it_could_not_be_sent_when_nobody_is_there_to_send_it_again() {
    let faults = "s: { split: [eu, asia], at: 9s, for: 10s }, c: { crash: s, at: 10500ms, for: 1s }";
    let never = cut("[10400ms, 10600ms, 30s]", "[10s]", faults);
    // Before the crash it is still under way; later it is in `eu`, and never in `asia`.
    assert_eq!(seen(&never), [(0, 0), (7, 0), (7, 0)]);
    assert!(never.is_quiet());
    // The next write makes up for it: all have that one.
    let next = cut("[30s, 41s]", "[10s, 40s]", faults);
    assert_eq!(seen(&next), [(7, 0), (14, 14)]);
    // Whoever lives sends it when the split is over.
    let lives = cut("[10600ms, 30s]", "[10s]", "s: { split: [eu, asia], at: 9s, for: 10s }");
    assert_eq!(seen(&lives), [(0, 0), (7, 7)]);
}

#[test]
fn a_replica_of_a_store_that_is_paused_says_what_it_has_when_it_wakes() {
    // `asia` never gets the write: neither before the pause, nor when it is read during it.
    let faults = "s: { split: [eu, asia], at: 9s, for: 10s }, c: { crash: s, at: 10500ms, for: 1s }, p: { pause: s.store, at: 29900ms, for: 5s }";
    let paused = cut("[29s, 30s]", "[10s]", faults);
    assert_eq!(seen(&paused), [(7, 0), (7, 0)]);
    let mut logged = paused.started("l");
    logged.sort_unstable();
    assert!(
        logged[..2].iter().all(|at| *at < 30 * S) && logged[2..].iter().all(|at| *at >= 34_900 * MS),
        "{logged:?}"
    );
    assert!(paused.is_quiet());
    // Who is refused by a store that is down meanwhile leaves nothing behind.
    let down = format!("{faults}, d: {{ crash: s.store, at: 29950ms, for: 10s }}");
    let down = cut("[29s, 30s]", "[10s]", &down);
    assert_eq!((seen(&down), down.is_quiet()), (vec![(7, 0)], true));
}

/// Writes that two of three replicas must have, one of them with the caller and two 10 ms away; a late one takes more
/// than it takes without loss.
fn late(links: &str, faults: &str) -> f64 {
    const WRITES: usize = 3000;
    let run = run(&format!(
        "scenario: test
run: {{ horizon: 31s, drain: 10m }}
messages: {{ Put: {{ kind: command, key: k, fields: {{ k: int }} }} }}
services:
  s:
    workers: unlimited
    place: eu
    store:
      place: [eu, us, asia]
      replication: {{ n: 3, write_quorum: 2, read_quorum: 2, write: 1ms, ack: 1ms, read: 1ms, respond: 1ms }}
      tables: {{ t: {{ key: k, columns: {{ k: int }} }}, late: {{ key: k, columns: {{ k: int }} }} }}
    handlers:
      Put:
        - {{ let: {{ began: now }} }}
        - {{ insert: t, key: message.k }}
        - {{ if: now - began > 30ms, then: [ {{ insert: late, key: message.k }} ] }}
clients:
  c: {{ arrivals: {{ every: 10ms, count: {WRITES} }}, do: [ {{ let: {{ k: {{ counter: 1 }} }} }}, {{ send: s.Put, with: {{ k: k }} }} ] }}
network:
  default: {{ latency: 0s }}
  links: {{ a: {{ between: [eu, us], latency: 10ms{links} }}, b: {{ between: [eu, asia], latency: 10ms{links} }} }}
{faults}"
    ));
    assert_eq!(run.rows("s.t").len(), WRITES);
    run.rows("s.late").len() as f64 / WRITES as f64
}

#[test]
fn what_is_said_to_a_replica_meets_the_loss_between_the_regions() {
    assert_eq!(late("", ""), 0.0);
    // In time is what loses neither way to one of the two: 1 − (1 − 0.6²)² = 0.5904.
    let expected = (1.0_f64 - 0.36) * (1.0 - 0.36);
    let near = |share: f64| {
        let deviation = 4.0 * (expected * (1.0 - expected) / 3000.0).sqrt();
        assert!((share - expected).abs() < deviation, "{share} is not {expected} ± {deviation}");
    };
    near(late(", loss: 40%", ""));
    near(late(
        "",
        "faults: { f: { degrade: [eu, us], loss: 40%, at: 0s, for: 40s }, g: { degrade: [eu, asia], loss: 40%, at: 0s, for: 40s } }\n",
    ));
}
