//! Where no oracle looks, it is still known whether a fault hit anything.

use super::{model_of, results_of};
use eventflow::experiment::results::verdict::Outcome;
use eventflow::experiment::run::RunOptions;
use eventflow::observe::oracles::Oracles;
use eventflow::world::record::Observer;

/// A service without rows or topics.
fn text(faults: &str) -> String {
    format!(
        "scenario: unjudged
run: {{ horizon: 20s, drain: 10s, replications: 3 }}
messages: {{ Task: {{ kind: command }} }}
services:
  desk: {{ workers: 4, handlers: {{ Task: [ {{ work: 5ms }} ] }} }}
clients:
  shopper:
    arrivals: {{ every: 100ms }}
    calls: {{ desk: {{ timeout: 1s }} }}
    do: [ {{ call: desk.Task, catch: {{ any: [ stop ] }} }} ]
faults: {{ {faults} }}
invariants: {{ slow: {{ measure: p50(shopper.response_time) < 1s }} }}
"
    )
}

#[test]
fn a_fault_that_hit_is_known_to_have_hit_though_nothing_is_judged() {
    let outcome = |faults: &str| {
        let model = model_of(&text(faults));
        assert!(!Oracles::new(&model).judges(), "nothing is judged");
        let verdicts = results_of(&model, RunOptions::default()).verdicts;
        (verdicts[0].outcome, verdicts[0].reason.clone())
    };
    let (hit, reason) = outcome("f: { crash: desk, at: 5s, for: 1s }");
    assert_eq!(hit, Outcome::Pass, "{reason}");
    // Who is down already is not hit.
    let (missed, reason) =
        outcome("f: { crash: desk, at: 6s, for: 1s }, g: { crash: desk, at: 5s, for: 3s }");
    assert_eq!(missed, Outcome::Inconclusive, "{reason}");
    assert!(reason.contains("f (crash desk)"), "{reason}");
}
