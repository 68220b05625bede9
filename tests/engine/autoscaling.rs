//! Autoscaling beside everything that an instance may have: deliveries, memory, deployments, scaling by hand.

use super::{Run, S, run};
use eventflow::world::record::Record;

/// `s` is called and consumes; forty deliveries a second of 50 ms keep two workers busy.
fn text(preset: &str, service: &str, steps: &str, more: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 60s, drain: 2m }}
messages:
  Ask:  {{ kind: query, reply: {{ n: int }} }}
  Fact: {{ kind: integration, key: n, fields: {{ n: int }} }}
brokers: {{ b: {{ preset: {preset}, lease: {{ after: 6s }} }} }}
topics: {{ facts: {{ messages: [Fact], partitions: 12 }} }}
services:
  s:
    workers: 1
    autoscale: {{ min: 2, max: 8, utilization: 50%, every: 2s, start_up: 1s }}
    store: {{ latency: {{ read: 0s, write: 0s, commit: 0s }}, tables: {{ seen: {{ key: n, columns: {{ n: int, times: int }} }} }} }}
{service}
    consumes: {{ facts: {{}} }}
    handlers:
      Ask: [ reply ]
      Fact:
{steps}
clients:
  c: {{ arrivals: {{ profile: [ {{ at: 0s, rate: 40/s }}, {{ at: 30s, rate: 40/s }}, {{ at: 31s, rate: 4/s }} ] }}, do: [ {{ let: {{ n: {{ counter: 1 }} }} }}, {{ publish: Fact, with: {{ n: n }} }} ] }}
  d: {{ arrivals: {{ times: [59s] }}, do: [ {{ call: s.Ask }} ] }}
network: {{ default: {{ latency: 1ms }} }}
{more}
"
    )
}

const HANDLE: &str =
    "        - work: 50ms\n        - { upsert: seen, key: message.n, set: { times: row.times + 1 } }";

/// How many instances there were at a time.
fn there(run: &Run, time: u64) -> i32 {
    let changes = run.when(|record| match record {
        Record::InstanceUp { .. } => Some(1),
        Record::InstanceDown { .. } => Some(-1i32),
        _ => None,
    });
    2 + changes.iter().filter(|(when, _)| *when <= time).map(|(_, by)| by).sum::<i32>()
}

#[test]
fn consumers_come_and_go_with_the_load_and_nothing_is_done_twice() {
    // An eager rebalance would stop the world at each of these decisions, and call for more.
    for preset in ["kafka, rebalance: { mode: cooperative, pause: 0s }", "sqs-standard"] {
        let run = run(&text(preset, "", HANDLE, ""));
        assert!((3..=6).contains(&there(&run, 29 * S)), "{preset}: {}", there(&run, 29 * S));
        assert_eq!(there(&run, 59 * S), 2, "{preset}");
        let rows = run.rows("s.seen");
        assert!(
            rows.len() > 1000 && rows.iter().all(|row| row[1] == 1),
            "{preset}: nobody is sent away at work"
        );
        let again = run.count(|record| matches!(record, Record::Delivered { again: true, .. }));
        // A log's consumer fetches ahead; what it had not begun others get.
        let fetches_ahead = preset.starts_with("kafka");
        assert!(fetches_ahead || again == 0, "{preset}: what was not begun had not been delivered");
        assert!(run.is_quiet(), "{preset}");
    }
}

#[test]
fn an_instance_that_comes_begins_with_an_empty_memory() {
    let service = "    memory: { known: { key: n, columns: { n: int, times: int }, ttl: 10m } }";
    let steps = "        - { upsert: known, key: 1, set: { times: row.times + 1 } }\n        - work: 50ms";
    let run = run(&text("sqs-standard", service, steps, ""));
    assert!(there(&run, 29 * S) > 2);
    let counted: i64 = (0..8)
        .flat_map(|instance| run.world.memory_rows(&run.model, "s.known", instance).unwrap_or_default())
        .map(|row| row[1] as i64)
        .sum();
    let handled = run.started("s").len() as i64 - 1;
    assert!(0 < counted && counted < handled, "{counted} of {handled}: those that went took theirs along");
}

#[test]
fn a_deployment_reaches_those_that_are_there_and_those_that_come() {
    let service = "    versions: { v2: { handlers: { Fact: [ { work: 50ms }, { upsert: seen, key: message.n, set: { times: 2 } } ] } } }";
    let deploy = "operations: { d: { deploy: s, version: v2, at: 6500ms, start_up: 1s, batch: 2 } }";
    let run = run(&text("sqs-standard", service, HANDLE, deploy));
    let mut rows = run.rows("s.seen");
    rows.sort_unstable();
    let late = rows.iter().filter(|row| row[0] > 1000);
    let of_old = late.clone().filter(|row| row[1] != 2).count();
    assert_eq!((late.count() > 100, of_old), (true, 0), "all of them are new by then");
    assert!(rows[..100].iter().all(|row| row[1] == 1));
    assert!(run.is_quiet());
}

#[test]
fn scaling_by_hand_is_where_it_goes_on_from() {
    let run =
        run(&text("sqs-standard", "", HANDLE, "operations: { up: { scale: s, instances: 8, at: 40500ms } }"));
    assert_eq!(there(&run, 41_800_000_000), 8);
    assert_eq!(there(&run, 50 * S), 2, "the load asks for two");
    assert!(run.is_quiet());
}

#[test]
fn one_that_was_sent_away_while_it_started_and_is_asked_for_again_starts_anew() {
    let run = run("scenario: test
seed: 1
run: { horizon: 60s, drain: 2m }
messages: { Q: { kind: command } }
services:
  s:
    workers: 4
    autoscale: { min: 1, max: 3, utilization: 50%, every: 5s, start_up: 30s }
    handlers: { Q: [ { work: 100ms } ] }
clients:
  c: { arrivals: { profile: [ { at: 0s, rate: 38/s }, { at: 4900ms, rate: 38/s }, { at: 5s, rate: 1/s }, { at: 9900ms, rate: 1/s }, { at: 10s, rate: 38/s }, { at: 60s, rate: 38/s } ] }, do: [ { call: s.Q, timeout: 20s } ] }
");
    // Wanted at 5 s, not at 10 s, and at 15 s again.
    let up = run.when(|record| matches!(record, Record::InstanceUp { .. }).then_some(()));
    assert_eq!(up.first().map(|(at, ())| *at), Some(45 * S));
}

#[test]
fn an_instance_that_leaves_does_first_what_it_has_put_off() {
    let run = run("scenario: test
seed: 1
run: { horizon: 100s, drain: 2m }
messages: { Q: { kind: command, fields: { k: id } } }
services:
  s:
    workers: 4
    autoscale: { min: 1, max: 6, utilization: 50%, every: 5s, start_up: 4s }
    store: { tables: { t: { key: k }, late: { key: k } } }
    handlers: { Q: [ { work: 200ms }, { insert: t, key: message.k }, { after: 4s, do: [ { insert: late, key: message.k } ] } ] }
clients:
  c: { arrivals: { profile: [ { at: 0s, rate: 2/s }, { at: 20s, rate: 50/s }, { at: 32s, rate: 1/s }, { at: 38s, rate: 60/s }, { at: 60s, rate: 1/s } ] }, do: [ { let: { k: unique() } }, { call: s.Q, with: { k: k }, timeout: 20s } ] }
");
    let gone = run.count(|record| matches!(record, Record::InstanceDown { .. }));
    assert!(gone > 0 && run.is_quiet(), "{gone}");
    assert_eq!(run.rows("s.t").len(), run.rows("s.late").len());
}
