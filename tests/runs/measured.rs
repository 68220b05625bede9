//! What figures promise, and what they cannot.

use super::{model_of, results_of};
use eventflow::experiment::results::verdict::{Outcome, Verdict};
use eventflow::experiment::run::RunOptions;

fn scenario(more: &str) -> String {
    format!(
        "scenario: measured
run: {{ horizon: 20s, drain: 10s, replications: 2 }}
messages: {{ Go: {{ kind: command }} }}
services:
  s: {{ workers: unlimited, handlers: {{ Go: [ {{ work: 10ms }} ] }} }}
  t: {{ handlers: {{ Go: [ {{ work: 10ms }} ] }} }}
clients:
  somebody:
    arrivals: {{ every: 1s }}
    calls: {{ s: {{ timeout: 5ms, retry: {{ attempts: 3 }} }} }}
    do: [ {{ call: s.Go, catch: {{ any: [ stop ] }} }} ]
  nobody: {{ arrivals: {{ every: 5m }}, do: [ {{ call: t.Go }} ] }}
network: {{ default: {{ latency: 1ms }} }}
{more}
"
    )
}

fn verdicts(more: &str) -> Vec<Verdict> {
    results_of(&model_of(&scenario(more)), RunOptions::default()).verdicts
}

fn outcome_of(condition: &str) -> (Outcome, String) {
    let verdict = verdicts(&format!("invariants: {{ it: {{ measure: \"{condition}\" }} }}")).remove(0);
    (verdict.outcome, verdict.reason)
}

/// Every call is tried three times, since none is answered in time.
#[test]
fn a_service_feels_what_retries_multiply() {
    assert_eq!(outcome_of("s.amplification == 3").0, Outcome::Pass);
    assert_eq!(outcome_of("somebody.amplification == 3").0, Outcome::Pass);
    assert_eq!(outcome_of("s.amplification < 3").0, Outcome::Fail);
    let results = results_of(&model_of(&scenario("")), RunOptions::default());
    let of = |name: &str| results.services.iter().find(|service| service.name == name).unwrap().amplification;
    assert_eq!((of("s").mean, of("s").half_width), (Some(3.0), Some(0.0)));
    assert_eq!(of("t").mean, None, "nobody wanted anything of it");
}

/// Where nothing came there are no zeros to be proud of.
#[test]
fn a_figure_of_nothing_passes_nothing() {
    for condition in [
        "nobody.failed == 0",
        "nobody.timeouts < 1",
        "nobody.throughput < 100/s",
        "share(nobody.failed) < 1%",
        "count(nobody.response_time) == 0",
        "t.queue_length < 1",
        "t.utilization < 50%",
        "t.in_flight == 0",
        "t.amplification < 2",
        "nobody.amplification < 2",
    ] {
        let (outcome, reason) = outcome_of(condition);
        assert_eq!(outcome, Outcome::Inconclusive, "{condition}: {reason}");
        assert!(reason.starts_with("There was nothing to measure: "), "{condition}: {reason}");
    }
    assert_eq!(outcome_of("somebody.failed == 0").0, Outcome::Pass, "what is caught ends well");
    assert_eq!(outcome_of("s.queue_length < 1").0, Outcome::Pass);
}

/// A fault that was there and met nothing did not put anything to the test, and it is said which.
#[test]
fn what_a_fault_missed_was_not_tested() {
    for (fault, reason) in [
        ("split: [ somebody, s ], at: 1500ms, for: 100ms", "nothing sent there came to feel it"),
        ("degrade: [ somebody, s ], loss: 0%, at: 1s, for: 5s", "nothing sent there came to feel it"),
        ("surge: somebody, by: 10, at: 19500ms, for: 1ms", "no arrival came of it"),
    ] {
        let more = format!(
            "faults: {{ f: {{ {fault} }} }}\ninvariants: {{ it: {{ measure: s.amplification < 9 }} }}"
        );
        let verdict = verdicts(&more).remove(0);
        assert_eq!(verdict.outcome, Outcome::Inconclusive, "{fault}: {}", verdict.reason);
        assert!(verdict.reason.contains(reason), "{fault}: {}", verdict.reason);
    }
    for fault in ["split: [ somebody, s ], at: 900ms, for: 200ms", "surge: somebody, by: 10, at: 5s, for: 5s"]
    {
        let more = format!(
            "faults: {{ f: {{ {fault} }} }}\ninvariants: {{ it: {{ measure: s.amplification < 9 }} }}"
        );
        let verdict = verdicts(&more).remove(0);
        assert_eq!(verdict.outcome, Outcome::Pass, "{fault}: {}", verdict.reason);
    }
    // One that does not lie on the way to what is promised is no matter.
    let more = "faults: { f: { split: [ nobody, t ], at: 1s, for: 1s } }\ninvariants: { it: { measure: s.amplification < 9 } }";
    assert_eq!(verdicts(more).remove(0).outcome, Outcome::Pass);
}

/// Ten intents are measured, of which two end with an error and two with a timeout: every figure is what can be counted
/// by hand.
#[test]
fn figures_are_what_was_counted() {
    let text = "scenario: counted
run: { horizon: 20s, warm_up: 10s, drain: 10s, replications: 2 }
messages:
  Go: { kind: command, fields: { n: int } }
  Went: { kind: integration, fields: { n: int } }
brokers: { b: { preset: rabbitmq-classic } }
topics: { went: { messages: [ Went ] } }
services:
  s:
    workers: unlimited
    handlers:
      Go:
        - { if: message.n % 5 == 0, then: [ { fail: no } ] }
        - { if: message.n % 5 == 1, then: [ { wait: 50ms } ] }
        - { work: 1ms }
  t:
    consumes: { went: { ack: after } }
    handlers: { Went: [ stop ] }
clients:
  c:
    arrivals: { every: 1s }
    do:
      - let: { n: { counter: 1 } }
      - { publish: Went, with: { n: n } }
      - { call: s.Go, with: { n: n }, timeout: 20ms }
network: { default: { latency: 1ms } }
";
    for condition in [
        "c.failed == 4",
        "c.timeouts == 2",
        "c.succeeded == 6",
        "share(c.failed) > 39.9% && share(c.failed) < 40.1%",
        "share(c.timeouts) > 19.9% && share(c.timeouts) < 20.1%",
        "rate(c.succeeded) > 0.599/s && rate(c.succeeded) < 0.601/s",
        "count(c.response_time) == 6",
        "went.t.deliveries == 10",
        "went.t.redeliveries == 0",
        "rate(went.t.deliveries) > 0.99/s && rate(went.t.deliveries) < 1.01/s",
        "c.amplification == 1",
    ] {
        let more = format!("{text}invariants: {{ it: {{ measure: \"{condition}\" }} }}\n");
        let verdict = results_of(&model_of(&more), RunOptions::default()).verdicts.remove(0);
        assert_eq!(verdict.outcome, Outcome::Pass, "{condition}: {}", verdict.reason);
    }
}
