//! When intents begin, and when a replication is over.

use super::{MS, S, run};
use eventflow::world::record::Record;

fn client(client: &str) -> String {
    format!(
        "scenario: test\nrun: {{ horizon: 10s, drain: 30s }}\nclients:\n  c:\n    do: [ {{ wait: 1s }} ]\n    arrivals: {client}\n"
    )
}

#[test]
fn every_fires_first_after_one_interval_and_not_at_the_horizon() {
    let run = run(&client("{ every: 2500ms }"));
    assert_eq!(run.intents(), [2500 * MS, 5 * S, 7500 * MS], "the horizon itself is outside");
    assert_eq!(run.end(), 10 * S, "everything was over when the drain began");
}

#[test]
fn times_are_taken_as_written_and_the_horizon_is_outside() {
    let run = run(&client("{ times: [0s, 1s, 1s, 9999ms, 10s, 11s] }"));
    assert_eq!(run.intents(), [0, S, S, 9999 * MS]);
    assert_eq!(run.end(), 10 * S + 999 * MS, "an intent begun in time is followed to its end");
}

#[test]
fn a_count_ends_the_arrivals() {
    let run = run(&client("{ every: 1s, count: 3 }"));
    assert_eq!(run.intents(), [S, 2 * S, 3 * S]);
}

#[test]
fn users_of_a_closed_population_first_think() {
    let run = run(&client("{ population: 2, think: 3s }"));
    assert_eq!(run.intents(), [3 * S, 3 * S, 7 * S, 7 * S]);
}

#[test]
fn a_population_stops_at_its_count() {
    let run = run(&client("{ population: 2, think: 1s, count: 3 }"));
    assert_eq!(run.intents(), [S, S, 3 * S]);
}

#[test]
fn a_profile_has_no_arrivals_where_its_rate_is_nought() {
    let run = run(&client(
        "{ profile: [ { at: 0s, rate: 0/s }, { at: 5s, rate: 0/s }, { at: 5001ms, rate: 100/s } ] }",
    ));
    let intents = run.intents();
    assert!(intents.iter().all(|at| *at >= 5 * S));
    assert!((400..600).contains(&intents.len()), "{} in five seconds at 100/s", intents.len());
}

#[test]
fn a_profile_is_linear_between_its_points() {
    let run = run(&client("{ profile: [ { at: 0s, rate: 0/s }, { at: 10s, rate: 200/s } ] }"));
    let intents = run.intents();
    let early = intents.iter().filter(|at| **at < 5 * S).count();
    assert!((900..1100).contains(&intents.len()), "{} of 1000", intents.len());
    assert!((190..310).contains(&early), "{early} of 250 in the first half");
}

#[test]
fn bursts_take_turns() {
    let run = run(&client("{ bursty: [ { rate: 100/s, for: 1s }, { rate: 0/s, for: 4s } ] }"));
    let in_burst = |at: &&u64| **at % (5 * S) < S;
    let intents = run.intents();
    assert!(intents.iter().all(|at| in_burst(&at)), "all in the first second of five");
    assert!((150..250).contains(&intents.len()), "{}", intents.len());
}

#[test]
fn a_surge_shortens_what_is_left_of_the_interval_and_ends() {
    let text = client("{ every: 4s }") + "faults: { rush: { surge: c, by: 4, at: 2s, for: 4s } }\n";
    // 2 s are left at 2 s: half a second in the rush; then 1 s each; 1 s is over at 6 s ... 5.5 + 0.5 · 4.
    let run = run(&text);
    assert_eq!(run.intents(), [2500 * MS, 3500 * MS, 4500 * MS, 5500 * MS, 8 * S]);
}

#[test]
fn the_drain_goes_to_its_limit_and_says_so() {
    let text = "scenario: test\nrun: { horizon: 2s, drain: 3s }\nclients: { c: { arrivals: { times: [1s] }, do: [ { wait: 1h } ] } }\n";
    let run = run(text);
    assert_eq!(run.records.last(), Some(&(5 * S, Record::End { quiet: false })));
    assert_eq!(run.count(|record| *record == Record::Drain), 1);
}

#[test]
fn events_of_one_instant_come_by_rank() {
    // At 2 s: the crash (fault), the work's end (completion) and an arrival. The crash comes first.
    let text = "scenario: test
run: { horizon: 10s }
messages: { Go: { kind: command } }
services: { s: { workers: 2, handlers: { Go: [ { work: 999ms } ] } } }
clients: { c: { arrivals: { times: [1s, 2s] }, do: [ { call: s.Go, timeout: 5s } ] } }
network: { default: { latency: 1ms } }
faults: { f: { crash: s, at: 2s, for: 1s } }
";
    let run = run(text);
    let at_two: Vec<_> =
        run.records.iter().filter(|(at, _)| *at == 2 * S).map(|(_, record)| *record).collect();
    let position = |wanted: fn(&Record) -> bool| at_two.iter().position(wanted).expect("it happens at 2 s");
    let down = position(|record| matches!(record, Record::InstanceDown { .. }));
    let cut = position(|record| matches!(record, Record::Ended { .. }));
    let begun = position(|record| matches!(record, Record::IntentBegun { .. }));
    assert!(down < cut && cut < begun);
    assert!(run.outcomes().iter().all(|(at, _)| *at == 2 * S + MS), "both are unavailable one latency later");
}
