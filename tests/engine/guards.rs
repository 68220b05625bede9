//! What holds calls back, asks twice, and brings more instances: against their definitions.

use super::{MS, Run, S, run, scenario};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

/// Calls each 100 ms of a service that takes 10 ms; hops take 1 ms.
fn text(calls: &str, service: &str, work: &str, more: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 20s, drain: 1m }}
messages: {{ Ask: {{ kind: query, fields: {{ n: int }} }} }}
services:
  s:
{service}
    handlers: {{ Ask: [ {work} ] }}
clients:
  c:
    arrivals: {{ every: 100ms }}
    calls: {{ s: {{ timeout: 50ms, {calls} }} }}
    do: [ {{ let: {{ n: {{ counter: 1 }} }} }}, {{ call: s.Ask, with: {{ n: n }} }} ]
network: {{ default: {{ latency: 1ms }} }}
{more}"
    )
}

fn tries(run: &Run) -> Vec<u64> {
    run.when(|record| matches!(record, Record::CallTried { .. }).then_some(()))
        .into_iter()
        .map(|one| one.0)
        .collect()
}

fn ended(run: &Run, wanted: Outcome) -> Vec<u64> {
    run.outcomes().into_iter().filter(|(_, outcome)| *outcome == wanted).map(|(at, _)| at).collect()
}

const WORKERS: &str = "    workers: 5";

#[test]
fn a_breaker_opens_after_its_share_of_failures_and_closes_after_its_probes() {
    // From 5 s to 10 s every call is answered with an error.
    let work = "{ wait: 10ms }, { if: 'message.n > 49 && message.n <= 99', then: [ { let: { y: 1 / (message.n - message.n) } } ] }";
    let breaker = "breaker: { failures: 50%, of: 4, open: 1s, probes: 2 }";
    let run = run(&text(breaker, WORKERS, work, ""));
    let failed = ended(&run, Outcome::Error(Error::Failed));
    let rejected = ended(&run, Outcome::Error(Error::Rejected));
    // Two of the last four failed: open. Each second one probe finds that it still fails.
    assert_eq!(failed[1] - failed[0], 100 * MS);
    let gaps: Vec<u64> = failed.windows(2).skip(1).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (S..S + 200 * MS).contains(gap)), "{gaps:?}");
    assert_eq!(failed.len() + rejected.len() + ended(&run, Outcome::Well).len(), run.intents().len());
    assert!(rejected.iter().all(|at| run.intents().contains(at)), "turned away without a hop");
    // A call that is turned away is not sent.
    assert_eq!(tries(&run).len(), run.intents().len() - rejected.len());
    let last = rejected.last().copied().unwrap();
    assert!(last < 11 * S + 100 * MS && last > 9 * S, "{last}");
}

#[test]
fn half_open_no_more_than_the_probes_are_under_way() {
    // Nobody answers in time; three calls come at once.
    let calls = "breaker: { failures: 100%, of: 1, open: 300ms, probes: 1 }";
    let text = text(calls, WORKERS, "{ wait: 10s }", "").replace("workers: 5", "workers: unlimited");
    let text = text.replace(
        "{ call: s.Ask, with: { n: n } }",
        "{ parallel: { a: [ { call: s.Ask, with: { n: n } } ], b: [ { call: s.Ask, with: { n: n } } ], d: [ { call: s.Ask, with: { n: n } } ] } }",
    );
    let run = run(&text);
    let tries = tries(&run);
    assert_eq!(tries[..3], [100 * MS; 3], "closed, all three set out");
    assert!(tries[3..].windows(2).all(|pair| pair[1] - pair[0] >= 350 * MS), "then one by one: {tries:?}");
}

#[test]
fn a_budget_bounds_retries_to_its_share_of_the_calls() {
    // Everything times out, three more tries each: without a budget four tries a call.
    let retry = "retry: { attempts: 4, delay: 5ms }";
    let service = "    workers: unlimited";
    let free = run(&text(retry, service, "{ wait: 10s }", ""));
    let calls = free.intents().len();
    assert_eq!(tries(&free).len(), 4 * calls);
    for (budget, share) in [("10%", 0.1), ("50%", 0.5)] {
        let run = run(&text(&format!("{retry}, budget: {budget}"), service, "{ wait: 10s }", ""));
        let retries = tries(&run).len() - run.intents().len();
        assert_eq!(retries, (share * calls as f64) as usize, "all of the budget and no more");
        assert_eq!(ended(&run, Outcome::Error(Error::Timeout)).len(), calls, "the error is the one it met");
    }
}

#[test]
fn a_budget_saves_up_ten_retries_and_no_more() {
    // All is well for fifteen seconds, and then nobody answers.
    let work = "{ if: message.n > 150, then: [ { wait: 10s } ], else: [ { wait: 10ms } ] }";
    let calls = "retry: { attempts: 9, delay: 1ms }, budget: 100%";
    let run = run(&text(calls, "    workers: unlimited", work, ""));
    let late = run.intents().iter().filter(|at| **at > 15 * S + 50 * MS).count();
    let retries = tries(&run).len() - run.intents().len();
    assert_eq!(retries, 10 - 1 + late, "ten, of which the first call of the bad times adds none");
}

#[test]
fn no_more_calls_are_under_way_than_may_be() {
    let calls = "max_in_flight: 2";
    let text =
        text(calls, "    workers: unlimited", "{ wait: 10s }", "").replace("timeout: 50ms", "timeout: 1s");
    let run = run(&text);
    let mut under_way: Vec<u64> = Vec::new();
    for at in tries(&run) {
        under_way.retain(|since| at - since < S);
        under_way.push(at);
        assert!(under_way.len() <= 2, "{at}");
    }
    assert_eq!(under_way.len(), 2);
    assert!(!ended(&run, Outcome::Error(Error::Rejected)).is_empty());
}

#[test]
fn a_hedge_asks_another_instance_and_takes_the_first_answer() {
    // Instance 0 is slow: it takes ten times as long.
    let service = "    instances: 2\n    workers: unlimited";
    let more = "faults: { f: { slow: s, by: 10, at: 0s, instance: 0 } }";
    let plain = text("retry: none", service, "{ work: 20ms }", more).replace("50ms, retry", "1s, retry");
    let hedged = plain.replace("call: s.Ask,", "call: s.Ask, hedge: 30ms,");
    let (plain, hedged) = (run(&plain), run(&hedged));
    let slowest = |run: &Run| {
        run.outcomes().iter().zip(run.intents()).map(|(ended, begun)| ended.0 - begun).max().unwrap()
    };
    assert_eq!((slowest(&plain), slowest(&hedged)), (202 * MS, 52 * MS), "30 ms, and another 22");
    let calls = hedged.intents().len();
    assert_eq!(
        tries(&hedged).len(),
        2 * calls,
        "the hedge takes the other one's turn: all meet the slow one first"
    );
    assert_eq!(
        hedged.started("s").len(),
        tries(&hedged).len(),
        "what the slow one does is done all the same"
    );
    assert!(hedged.is_quiet());
}

#[test]
fn a_hedge_spends_the_budget() {
    let service = "    instances: 2\n    workers: unlimited";
    let text = text("budget: 20%", service, "{ wait: 40ms }", "")
        .replace("call: s.Ask,", "call: s.Ask, hedge: 10ms,");
    let run = run(&text);
    assert_eq!(tries(&run).len(), run.intents().len() + run.intents().len() / 5);
}

#[test]
fn a_guard_is_its_instances_own_and_new_when_it_restarts() {
    let text = "scenario: test
run: { horizon: 10s, drain: 1m }
messages: { Go: { kind: command }, Ask: { kind: query } }
services:
  front:
    instances: 2
    workers: 9
    calls: { back: { timeout: 100ms, breaker: { failures: 100%, of: 1, open: 1m, probes: 1 } } }
    handlers: { Go: [ { call: back.Ask } ] }
  back: { workers: unlimited, handlers: { Ask: [ { wait: 10s } ] } }
clients: { c: { arrivals: { every: 1s }, calls: { front: { timeout: 5s } }, do: [ { call: front.Go } ] } }
network: { default: { latency: 1ms } }
faults: { f: { crash: front, at: 5500ms, for: 100ms, instance: 0 } }";
    let run = run(text);
    let asked: Vec<u64> = run.started("back").into_iter().map(|at| at / S).collect();
    assert_eq!(asked, [1, 2, 7], "each instance once, and one of them again after its restart");
}

#[test]
fn instances_come_and_go_with_the_load() {
    // 100 calls a second of 50 ms keep five workers busy: ten at half of them.
    let text = "scenario: test
run: { horizon: 60s, drain: 1m }
messages: { Ask: { kind: query } }
services:
  s:
    workers: 1
    routing: least_loaded
    autoscale: { min: 2, max: 20, utilization: 50%, every: 2s, start_up: 1s }
    handlers: { Ask: [ { work: 50ms } ] }
clients:
  c: { arrivals: { profile: [ { at: 0s, rate: 100/s }, { at: 30s, rate: 100/s }, { at: 31s, rate: 10/s } ] }, do: [ { call: s.Ask, timeout: 30s } ] }
network: { default: { latency: 1ms } }";
    let run = run(text);
    let changes = run.when(|record| match record {
        Record::InstanceUp { .. } => Some(1),
        Record::InstanceDown { .. } => Some(-1i32),
        _ => None,
    });
    let at = |time: u64| 2 + changes.iter().filter(|(when, _)| *when <= time).map(|(_, by)| by).sum::<i32>();
    assert_eq!(at(0), 2);
    assert!(at(4 * S) > 2, "after two seconds it decides, a second later they are there");
    assert!((9..=13).contains(&at(29 * S)), "{}", at(29 * S));
    assert_eq!(at(59 * S), 2, "half a worker's load: the fewest");
    assert!(
        run.outcomes().iter().all(|(_, outcome)| *outcome == Outcome::Well),
        "nobody is sent away at work"
    );
    assert!(run.is_quiet());
}

#[test]
fn a_hedge_does_not_ask_an_instance_that_is_told_to_stop() {
    let asked = |operation: &str| {
        let client =
            "arrivals: { times: [1s, 2s] }\ndo: [ { call: s.Go, with: { n: 0 }, timeout: 1m, hedge: 30ms } ]";
        let text = scenario("instances: 2\nworkers: 8", "- wait: 2s", client) + operation;
        run(&text).started("s").len()
    };
    assert_eq!(asked(""), 4);
    // The second instance is busy until 3 s, and leaves then.
    assert_eq!(asked("operations: { down: { scale: s, instances: 1, at: 1500ms } }\n"), 3);
}
