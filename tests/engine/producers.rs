//! Producers that send again by themselves: how long they try, and whether what they repeat is overtaken.

use super::messaging::{CASE, Case, text};
use super::{MS, Run, S, run};
use eventflow::model::Error;
use eventflow::world::record::Outcome;

fn play(case: Case) -> Run {
    run(&text(&case))
}

#[test]
fn a_producer_waits_longer_each_time_and_outlasts_an_outage() {
    let case = Case {
        preset: "kafka",
        times: "[2s]",
        publish: "{ publish: Fact, with: { n: n, k: 0 } }",
        more: "faults: { f: { outage: b, at: 1s, for: 4s } }",
        ..CASE
    };
    // Refused at 2, 2.1, 2.3, 2.7, 3.5 and 4.5 s, a round trip of 2 ms each; taken at the seventh try.
    let patient = play(case);
    assert_eq!(patient.outcomes(), [(5500 * MS + 14 * MS, Outcome::Well)]);
    assert_eq!(patient.rows("s.seen"), [[1, 0, 1]]);
    let unavailable = Outcome::Error(Error::Unavailable);
    for topic in [", producer: { give_up: 1s }", ", producer: { attempts: 4 }"] {
        let outcomes = play(Case { topic, ..case }).outcomes();
        assert_eq!(outcomes[0].1, unavailable, "{topic}");
        // After 100, 200 and 400 ms; 800 more would be too long.
        assert_eq!(outcomes[0].0, 2700 * MS + 8 * MS, "{topic}");
    }
    let at_once = play(Case { topic: ", producer: { attempts: 4, delay: 0s }", ..case }).outcomes();
    assert_eq!(at_once, [(2 * S + 8 * MS, unavailable)], "over before it has begun");
}

#[test]
fn timeouts_count_towards_the_time_in_which_a_producer_gives_up() {
    let run = play(Case {
        preset: "kafka",
        publish: "{ publish: Fact, with: { n: n, k: 0 } }",
        more: "faults: { f: { split: [c, b], at: 500ms, for: 50s } }",
        topic: ", producer: { timeout: 5s, give_up: 12s }",
        ..CASE
    });
    // Tries of 5 s and waits of 100 and 200 ms: after the third it is too late for another.
    assert_eq!(run.outcomes()[0], (S + 15 * S + 300 * MS, Outcome::Error(Error::Timeout)));
}

/// Three facts of one key, the first refused by a broker that is back when the second arrives.
const REPEATED: Case = Case {
    preset: "kafka",
    service: "workers: 1",
    steps: "- { upsert: seen, key: [delivery.offset, message.n], set: { times: 1 } }",
    times: "[1s, 1001ms, 1002ms]",
    publish: "{ publish: Fact, with: { n: n, k: 0 }, retry: { attempts: 3, delay: 5ms } }",
    more: "faults: { f: { outage: b, at: 500ms, for: 501500us } }",
    ..CASE
};

fn order(case: Case) -> Vec<i64> {
    let run = play(case);
    assert!(run.is_quiet());
    run.rows("s.seen").into_iter().map(|row| row[1]).collect()
}

#[test]
fn a_broker_that_goes_by_sequence_refuses_what_is_ahead_of_its_turn() {
    let by_none = ", producer: { deduplicate: { by: none } }";
    assert_eq!(order(Case { topic: by_none, ..REPEATED }), [2, 3, 1], "without sequences");
    assert_eq!(order(REPEATED), [1, 2, 3]);
}

#[test]
fn what_is_given_up_is_waited_for_no_longer() {
    let publish = "{ publish: Fact, with: { n: n, k: 0 }, retry: { attempts: 1 } }";
    assert_eq!(order(Case { publish, ..REPEATED }), [2, 3]);
    // Other keys go to other partitions, and wait for nobody.
    let apart = Case {
        topic: ", partitions: 64",
        publish: "{ publish: Fact, with: { n: n, k: n }, retry: { attempts: 3, delay: 5ms } }",
        steps: "- { scan: seen, as: before }\n- { upsert: seen, key: [size(before), message.n], set: { times: 1 } }",
        ..REPEATED
    };
    assert_eq!(order(apart), [2, 3, 1]);
}

#[test]
fn after_a_short_outage_an_idempotent_producer_is_as_fast_as_before() {
    let times: Vec<String> = (0..400).map(|n| format!("{}ms", 1000 + 50 * n)).collect();
    let run = play(Case {
        preset: "kafka",
        service: "workers: 1",
        steps: "- { upsert: seen, key: [delivery.offset, message.n], set: { times: 1 } }",
        times: format!("[{}]", times.join(", ")).leak(),
        publish: "{ publish: Fact, with: { n: n, k: 0 } }",
        more: "faults: { f: { outage: b, at: 5s, for: 1s } }",
        ..CASE
    });
    assert!(run.is_quiet());
    let outcomes = run.outcomes();
    assert!(outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Well));
    // The first is refused at 5.001 s and waits 100, 200, 400 and 800 ms; the others wait for it and for nothing else.
    let taken: Vec<u64> = outcomes.iter().zip(run.intents()).map(|((end, _), begun)| end - begun).collect();
    let begun: Vec<u64> = run.intents();
    let slow: Vec<u64> =
        begun.iter().zip(&taken).filter(|(_, took)| **took > 2 * MS).map(|of| *of.0).collect();
    assert!(slow.iter().all(|at| (4 * S..6700 * MS).contains(at)), "{slow:?}");
    assert!(slow.len() > 20, "the outage was met");
    let order: Vec<i64> = run.rows("s.seen").into_iter().map(|row| row[1]).collect();
    assert_eq!(order, (1..=400).collect::<Vec<i64>>());
}

#[test]
fn a_producer_that_crashes_while_it_repeats_keeps_nobody_waiting() {
    let run = run("scenario: test
run: { horizon: 1m, drain: 10m }
messages:
  Go: { kind: command, fields: { n: int } }
  Fact: { kind: integration, key: k, fields: { n: int, k: int } }
brokers: { b: { preset: kafka } }
topics: { facts: { messages: [Fact] } }
services:
  p: { workers: 8, handlers: { Go: [ { publish: Fact, with: { n: message.n, k: 0 } } ] } }
  s:
    store: { tables: { seen: { key: n } } }
    consumes: { facts: { group: g } }
    handlers: { Fact: [ { insert: seen, key: message.n } ] }
clients:
  c:
    arrivals: { times: [1s, 1010ms, 5s, 6s] }
    do:
      - let: { n: { counter: 1 } }
      - { call: p.Go, with: { n: n }, timeout: 10s, catch: { any: [ stop ] } }
network: { default: { latency: 1ms } }
faults:
  f: { outage: b, at: 500ms, for: 2s }
  g: { crash: p, at: 2s, for: 1s }
");
    assert!(run.is_quiet());
    assert_eq!(run.rows("s.seen"), [[3], [4]], "what the crash cut nobody waits for");
    let ends: Vec<u64> = run.outcomes().into_iter().map(|(at, _)| at).collect();
    assert_eq!(ends[2..], [5 * S + 4 * MS, 6 * S + 4 * MS]);
}
