//! `via: ack`: what a consumer publishes with its acknowledgement is seen with it, or not at all.
//!
//! Hops take 1 ms. A message sent at 1 s is with the relay service at 1002 ms; what that publishes is at the
//! broker a millisecond after it set out.

use super::{MS, Run, S, run};
use eventflow::kernel::ids::TopicId;
use eventflow::kernel::time::Nanos;
use eventflow::world::record::Record;

/// A client publishes `Fact` to `facts`, numbered from 1; `relay` handles it and publishes `Told` to `news`, which
/// `reader` notes.
struct Pass {
    preset: &'static str,
    relay: &'static str,
    consumes: &'static str,
    steps: &'static str,
    times: &'static str,
    more: &'static str,
}

const PASS: Pass = Pass {
    preset: "kafka",
    relay: "workers: 1",
    consumes: "ack: after",
    steps: "- { publish: Told, with: message, via: ack }\n- { name: here, work: 100ms }",
    times: "[1s]",
    more: "",
};

fn play(pass: &Pass) -> Run {
    let Pass { preset, relay, consumes, times, more, .. } = pass;
    let indented: String = pass.steps.lines().map(|line| format!("        {line}\n")).collect();
    run(&format!(
        "scenario: test
run: {{ horizon: 2m, drain: 10m }}
messages:
  Fact: {{ kind: integration, key: k, fields: {{ n: int, k: int }} }}
  Told: {{ kind: integration, key: k, fields: {{ n: int, k: int }} }}
brokers: {{ b: {{ preset: {preset} }} }}
topics: {{ facts: {{ messages: [Fact] }}, news: {{ messages: [Told] }} }}
services:
  relay:
    {relay}
    consumes: {{ facts: {{ {consumes} }} }}
    handlers:
      Fact:
{indented}
  reader:
    workers: 8
    store: {{ latency: {{ read: 0s, write: 0s, commit: 0s }}, tables: {{ seen: {{ key: n, columns: {{ n: int, times: int }} }} }} }}
    consumes: {{ news: {{}} }}
    handlers: {{ Told: [ {{ upsert: seen, key: message.n, set: {{ times: row.times + 1 }} }} ] }}
clients:
  c:
    arrivals: {{ times: {times} }}
    do:
      - let: {{ n: {{ counter: 1 }} }}
      - {{ publish: Fact, with: {{ n: n, k: n % 2 }} }}
  other:
    arrivals: {{ times: [1050ms] }}
    do: [ {{ publish: Told, with: {{ n: 99, k: 1 }} }} ]
network: {{ default: {{ latency: 1ms }} }}
{more}
"
    ))
}

/// When messages came to `news`.
fn taken(run: &Run) -> Vec<Nanos> {
    let news = |record: &Record| matches!(record, Record::Accepted { topic: TopicId(1), .. }).then_some(());
    run.when(news).into_iter().map(|(at, ())| at).collect()
}

fn seen(run: &Run) -> Vec<(i64, i64)> {
    let mut seen: Vec<(i64, i64)> = run.rows("reader.seen").into_iter().map(|row| (row[0], row[1])).collect();
    seen.sort_unstable();
    seen
}

#[test]
fn it_is_seen_when_the_acknowledgement_counts_and_no_earlier() {
    let run = play(&PASS);
    // Handled from 1002 ms: published and confirmed by 1004, worked on until 1104, acknowledged at 1105.
    assert_eq!(taken(&run), [1051 * MS, 1105 * MS]);
    assert_eq!(seen(&run), [(1, 1), (99, 1)]);
    assert!(run.is_quiet());
}

/// Readers of what is committed stop at the first open transaction of a partition.
#[test]
fn what_comes_behind_it_waits_for_it() {
    let run = play(&PASS);
    assert_eq!(run.started("reader")[0], 1106 * MS, "the other was there at 1051 ms");
    let direct = play(&Pass { steps: "- { publish: Told, with: message }\n- work: 100ms", ..PASS });
    assert_eq!(direct.started("reader"), [1004 * MS, 1052 * MS]);
}

#[test]
fn a_crash_before_the_acknowledgement_leaves_nothing_of_it() {
    let more = "faults: { f: { crash: relay, at_step: relay.Fact.here, edge: after, nth: 1, for: 1s } }";
    for preset in ["kafka", "service-bus-session", "postgres-skip-locked"] {
        let direct = Pass {
            preset,
            more,
            steps: "- { publish: Told, with: message }\n- { name: here, work: 100ms }",
            ..PASS
        };
        assert_eq!(seen(&play(&direct)), [(1, 2), (99, 1)], "{preset}: published by both attempts");
        let run = play(&Pass { preset, more, ..PASS });
        assert_eq!(seen(&run), [(1, 1), (99, 1)], "{preset}");
        assert!(run.is_quiet() && run.started("relay").len() == 2, "{preset}");
    }
}

#[test]
fn what_a_zombie_publishes_is_never_seen() {
    // Away for longer than its session: another has handled the message when it goes on.
    let more = "faults: { f: { pause: relay, at: 1003500us, for: 90s, instance: 0 } }";
    let late = "- wait: 10ms\n- { publish: Told, with: message, via: ack }";
    for steps in [PASS.steps, late] {
        let run = play(&Pass { relay: "instances: 2", more, steps, ..PASS });
        assert_eq!(seen(&run), [(1, 1), (99, 1)]);
        assert_eq!(run.started("relay").len(), 2, "both went through with it");
        assert!(run.count(|record| matches!(record, Record::AckStale { .. })) > 0, "the first was fenced");
        assert!(run.is_quiet());
    }
}

#[test]
fn an_attempt_that_fails_publishes_nothing() {
    let steps = "- { publish: Told, with: message, via: ack }\n- { if: delivery.attempt == 1, then: [ { fail: no } ] }";
    let run = play(&Pass { steps, ..PASS });
    assert_eq!(seen(&run), [(1, 1), (99, 1)]);
    let given_up = play(&Pass {
        steps: "- { publish: Told, with: message, via: ack }\n- fail: no",
        consumes: "exhaust: { after: 3, then: drop }",
        ..PASS
    });
    assert_eq!(seen(&given_up), [(99, 1)]);
    assert!(given_up.is_quiet());
}

/// One acknowledgement for all that was handled since the last lets all of it in.
#[test]
fn a_periodic_acknowledgement_lets_in_what_was_handled_since_the_last() {
    let run = play(&Pass {
        consumes: "ack: periodic, ack_every: 5s",
        steps: "- { publish: Told, with: message, via: ack }",
        times: "[1s, 2s, 3s]",
        ..PASS
    });
    assert_eq!(seen(&run), [(1, 1), (2, 1), (3, 1), (99, 1)]);
    let own: Vec<Nanos> = taken(&run).into_iter().filter(|at| *at > 1051 * MS).collect();
    assert_eq!(own.len(), 3);
    assert!(own.iter().all(|at| *at == own[0] && *at > 5 * S), "{own:?}");
}

/// The answer to the publish is late, and it is sent again: there is one of it.
#[test]
fn what_is_sent_again_is_in_it_once() {
    let run = play(&Pass {
        steps: "- { publish: Told, with: message, via: ack, timeout: 1500us, retry: { attempts: 3 } }\n- work: 50ms",
        ..PASS
    });
    assert_eq!(seen(&run), [(99, 1)], "every try was too late, and the partition is blocked by what fails");
    let run = play(&Pass {
        steps: "- { publish: Told, with: message, via: ack, timeout: 1500us, retry: { attempts: 3 }, catch: { timeout: [] } }\n- work: 50ms",
        ..PASS
    });
    assert_eq!(seen(&run), [(1, 1), (99, 1)]);
}
