//! Stores that forget, at any moment: whatever is rolled back, everything comes to an end, nothing is left behind, and
//! what is there at the end is what some run without the fault could have left, as often as it was begun again.

use super::run;
use crate::oracles::judge;

/// A saga that asks, waits for an answer, sets a timer and is done. Its store makes commits durable `later`.
fn text(later: &str, fault: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 20s, drain: 5m }}
messages:
  Go: {{ kind: command, key: k, fields: {{ k: int }} }}
  Ask: {{ kind: integration, key: k, fields: {{ k: int }} }}
  Yes: {{ kind: integration, key: k, fields: {{ k: int }} }}
brokers: {{ b: {{ preset: sqs-standard }} }}
topics: {{ asks: {{ messages: [Ask] }}, answers: {{ messages: [Yes] }} }}
services:
  s:
    instances: 2
    workers: 8
    store:
      latency: {{ read: 2ms, write: 4ms, commit: 6ms }}
      {later}
      tables: {{ done: {{ key: what, columns: {{ what: int, times: int }} }} }}
    outbox: {{ every: 50ms }}
    consumes: {{ answers: {{}} }}
    sagas:
      p:
        start: Go
        key: message.k
        steps:
          - step: ask
            do:
              - transaction: [ {{ upsert: done, key: 1, set: {{ times: row.times + 1 }} }}, {{ publish: Ask, via: outbox, with: {{ k: message.k }} }} ]
            undo: [ {{ upsert: done, key: 2, set: {{ times: row.times + 1 }} }} ]
            await: {{ success: Yes, timeout: 2s }}
          - step: tell
            do:
              - transaction: [ {{ upsert: done, key: 3, set: {{ times: row.times + 1 }} }}, {{ after: 500ms, durable: true, do: [ {{ upsert: done, key: 4, set: {{ times: row.times + 1 }} }} ] }} ]
        completed: [ {{ upsert: done, key: 5, set: {{ times: row.times + 1 }} }} ]
        compensated: [ {{ upsert: done, key: 6, set: {{ times: row.times + 1 }} }} ]
  a:
    consumes: {{ asks: {{}} }}
    handlers: {{ Ask: [ {{ work: 200ms }}, {{ publish: Yes, with: {{ k: message.k }} }} ] }}
clients: {{ c: {{ arrivals: {{ times: [1s] }}, do: [ {{ call: s.Go, with: {{ k: 1 }}, timeout: 10s, catch: {{ any: [] }} }} ] }} }}
network: {{ default: {{ latency: 1ms }} }}
guarantees: {{ sagas: {{ s.p: {{ stuck: 0, inconsistent: 0 }} }} }}
{fault}"
    )
}

/// How often each thing was done, by what it is.
fn done(later: &str, fault: &str) -> Vec<(i64, i64)> {
    let text = text(later, fault);
    let run = run(&text);
    assert!(run.is_quiet(), "{text}");
    // Every obligation ends once, whatever the store has forgotten.
    judge(&text);
    let mut rows: Vec<(i64, i64)> = run.rows("s.done").iter().map(|row| (row[0], row[1])).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_saga_whose_store_forgets_at_any_moment_comes_to_an_end() {
    let well = vec![(1, 1), (3, 1), (4, 1), (5, 1)];
    let (mut never_began, mut went_through, mut went_back) = (0, 0, 0);
    // Whoever answers is there, or comes back when the answer is of no use any more.
    let there = (1000..2600, "");
    let away = (1000..3800, "g: { crash: a, at: 1s, for: 4s }");
    for ((later, fault), (instants, away)) in [
        (("flush: 300ms", "crash"), there.clone()),
        (("read_replica: { count: 2, lag: 300ms }", "failover"), there),
        (("flush: 300ms", "crash"), away.clone()),
        (("read_replica: { count: 2, lag: 300ms }", "failover"), away),
    ] {
        if away.is_empty() {
            assert_eq!(done(later, ""), well, "{later}");
        }
        for at in instants.step_by(37) {
            let forgets = format!("f: {{ {fault}: s.store, at: {at}ms, for: 40ms }}");
            let comma = if away.is_empty() { "" } else { ", " };
            let rows = done(later, &format!("faults: {{ {forgets}{comma}{away} }}\n"));
            let times = |what: i64| rows.iter().find(|row| row.0 == what).map_or(0, |row| row.1);
            match (times(5), times(6)) {
                (0, 0) => {
                    assert_eq!(rows, [], "{later} at {at}: it has begun and not ended");
                    never_began += 1;
                }
                (_, 0) => {
                    assert!(times(1) > 0 && times(3) > 0 && times(4) > 0, "{later} at {at}: {rows:?}");
                    went_through += 1;
                }
                (0, _) => {
                    assert!(times(2) > 0, "{later} at {at}: {rows:?}");
                    went_back += 1;
                }
                both => panic!("{later} at {at}: it ended both ways, {both:?}"),
            }
        }
    }
    assert!(never_began > 0 && went_through > 0 && went_back > 0, "{never_began} {went_through} {went_back}");
}
