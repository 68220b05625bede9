//! Work that starts by itself: jobs and timers; and acts of the outside.

use super::{MS, Run, S, run, scenario};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

fn jobs(service: &str, more: &str) -> Run {
    run(&format!(
        "scenario: test\nrun: {{ horizon: 20s, drain: 1m }}\nservices:\n  s:\n{}clients: {{}}\n{more}",
        service.lines().map(|line| format!("    {line}\n")).collect::<String>()
    )
    .replace("clients: {}\n", ""))
}

fn within(run: &Run, from: u64, to: u64) -> Vec<u64> {
    run.started("s").into_iter().filter(|at| (from..to).contains(at)).collect()
}

#[test]
fn a_round_starts_one_interval_after_the_last_one_ended_on_every_instance() {
    let run = jobs("instances: 2\njobs: { tick: { every: 4s, do: [ { wait: 1s } ] } }", "");
    assert_eq!(within(&run, 0, 20 * S), [4 * S, 4 * S, 9 * S, 9 * S, 14 * S, 14 * S, 19 * S, 19 * S]);
    assert!(run.is_quiet());
}

const ONCE: &str = "instances: 2\nworkers: 1\nstore: { tables: { t: { key: k } } }\njobs: { tick: { every: 4s, runs: once, do: [ { wait: 1s } ] } }";

fn on(run: &Run, from: u64, to: u64) -> Vec<(u64, u32)> {
    let started = run.when(|record| match record {
        Record::Started { instance, .. } => Some(instance.0),
        _ => None,
    });
    started.into_iter().filter(|(at, _)| (from..to).contains(at)).collect()
}

#[test]
fn once_is_the_holder_of_the_lease() {
    assert_eq!(on(&jobs(ONCE, ""), 0, 20 * S), [(4 * S, 0), (9 * S, 0), (14 * S, 0), (19 * S, 0)]);
}

#[test]
fn a_crashed_holder_is_followed_by_another_when_its_lease_is_over() {
    // The lease of 10 s was taken at 4 s; the other one looks at 4, 8, 12 and 16 s.
    let run = jobs(ONCE, "faults: { f: { crash: s, at: 4500ms, for: 30s, instance: 0 } }\n");
    assert_eq!(on(&run, 0, 20 * S), [(4 * S, 0), (16 * S, 1)]);
}

#[test]
fn a_paused_holder_is_outlived_and_goes_on_all_the_same() {
    let run = jobs(ONCE, "faults: { f: { pause: s, at: 4500ms, for: 12s, instance: 0 } }\n");
    assert_eq!(on(&run, 0, 17 * S), [(4 * S, 0), (16 * S, 1)]);
    let ended = run.ended("s");
    assert!(ended.contains(&(17 * S, (0, Outcome::Well))), "both worked from 16.5 to 17 s: {ended:?}");
}

#[test]
fn a_holder_that_is_well_keeps_its_lease_through_a_long_round() {
    let long = ONCE.replace("wait: 1s", "wait: 15s");
    assert_eq!(on(&jobs(&long, ""), 0, 20 * S), [(4 * S, 0)]);
}

#[test]
fn a_job_with_something_to_do_keeps_the_drain_open() {
    // Ten rows, one a round, every 5 s: three are done at the horizon.
    let service = "store: { latency: { read: 0s, write: 0s, commit: 0s }, tables: { t: { key: k, rows: [ { k: 1..10 } ] } } }
jobs:
  sweep:
    every: 5s
    do:
      - { scan: t, limit: 1, as: due }
      - { for_each: due, as: r, do: [ { delete: t, key: r.k } ] }";
    let run = jobs(service, "");
    assert_eq!(run.rows("s.t").len(), 0);
    assert_eq!((run.end(), run.is_quiet()), (55 * S, true), "the eleventh round found nothing");
}

#[test]
fn a_job_that_is_never_idle_ends_at_the_limit_and_quiet() {
    let service = "store: { tables: { t: { key: k, columns: { v: int } } } }\njobs: { beat: { every: 5s, do: [ { upsert: t, key: 1, set: { v: row.v + 1 } } ] } }";
    let run = jobs(service, "");
    assert_eq!((run.end(), run.is_quiet()), (80 * S, true));
}

#[test]
fn after_starts_later_with_the_values_of_then() {
    let service = "store: { latency: { read: 0s, write: 0s, commit: 0s }, tables: { t: { key: k, columns: { v: int, at: time } } } }";
    let steps = "- let: { x: 1 }\n- { after: 5s, do: [ { insert: t, key: x, set: { v: message.n, at: now } } ] }\n- wait: 1s";
    let run = run(&scenario(service, steps, ""));
    assert_eq!(run.rows("s.t"), [[1, 0, (6 * S + MS) as i64]]);
    assert_eq!(run.outcomes(), [(2 * S + 2 * MS, Outcome::Well)], "it holds nobody up");
}

const AFTER: &str = "store: { latency: { read: 0s, write: 0s, commit: 2ms }, tables: { t: { key: k } } }";

fn after(durable: bool, steps: &str, more: &str) -> Run {
    let steps = steps.replace(
        "AFTER",
        &format!("{{ after: 5s, durable: {durable}, do: [ {{ work: 10ms }}, {{ upsert: t, key: 1 }} ] }}"),
    );
    run(&(scenario(&format!("instances: 2\n{AFTER}"), &steps, "") + more))
}

#[test]
fn a_timer_in_memory_is_gone_with_its_instance_and_a_durable_one_is_not() {
    let crash = "faults: { f: { crash: s, at: 3s, for: 30s, instance: 0 } }\n";
    let run1 = after(false, "- AFTER", crash);
    assert_eq!((run1.rows("s.t").len(), run1.end()), (0, 60 * S), "and keeps no run open");
    let run2 = after(true, "- AFTER", crash);
    assert_eq!(run2.rows("s.t").len(), 1);
    assert_eq!(
        run2.started("s")[1],
        6 * S + 2 * MS,
        "stored in the middle of the commit, 1 ms after the call"
    );
}

#[test]
fn a_durable_timer_whose_attempt_is_cut_fires_again() {
    let run = after(true, "- AFTER", "faults: { f: { crash: s, at: 6005ms, for: 1s, instance: all } }\n");
    assert_eq!(run.rows("s.t").len(), 1);
    assert_eq!(run.started("s").len(), 3);
    assert!(run.is_quiet());
}

#[test]
fn a_durable_timer_is_stored_with_its_transaction_or_not_at_all() {
    let run1 = after(true, "- transaction: [ AFTER, { fail: no } ]", "");
    assert_eq!((run1.rows("s.t").len(), run1.started("s").len()), (0, 1));
    let run2 = after(true, "- transaction: [ AFTER, { insert: t, key: 7 } ]", "");
    assert_eq!(run2.rows("s.t").len(), 2);
}

#[test]
fn a_durable_timer_cut_on_its_way_to_the_store_never_was() {
    let run = after(true, "- AFTER", "faults: { f: { crash: s, at: 1001500us, for: 1s, instance: all } }\n");
    assert_eq!(run.started("s").len(), 1);
    assert!(run.is_quiet());
}

fn effects(steps: &str, more: &str) -> Run {
    run(&(scenario(
        "workers: 8",
        steps,
        "arrivals: { times: [1s, 1001ms] }\ndo: [ { call: s.Go, with: { n: 0 }, timeout: 1m } ]",
    ) + more))
}

fn effected(run: &Run) -> Vec<(u64, bool)> {
    run.when(|record| match record {
        Record::Effected { first, .. } => Some(*first),
        _ => None,
    })
    .into_iter()
    .map(|(at, first)| ((at - S) / MS, first))
    .collect()
}

#[test]
fn an_effect_happens_in_the_middle_and_once_for_each_key() {
    let run = effects("- { effect: charge, idempotency_key: 7, takes: 10ms }", "");
    assert_eq!(effected(&run), [(6, true), (7, false)]);
    assert_eq!(run.outcomes()[0], (S + 12 * MS, Outcome::Well));
    let run = effects("- { effect: charge, takes: 10ms }", "");
    assert_eq!(effected(&run), [(6, true), (7, true)]);
}

#[test]
fn an_effect_goes_on_when_its_sender_has_given_up() {
    let steps = "- { effect: charge, takes: 10ms, timeout: 3ms, retry: { attempts: 2, delay: 1ms } }";
    let run = effects(steps, "");
    assert_eq!(effected(&run), [(6, true), (7, true), (10, true), (11, true)]);
    assert_eq!(run.outcomes()[0], (S + 9 * MS, Outcome::Error(Error::Timeout)));
    let run = effects("- { effect: charge, takes: 10ms, timeout: 10ms }", "");
    assert_eq!(
        run.outcomes()[0],
        (S + 12 * MS, Outcome::Well),
        "at the very instant of its timeout it is there"
    );
}

#[test]
fn a_crash_in_the_first_half_of_an_effect_is_in_time_and_in_the_second_too_late() {
    let crash = |at: &str| format!("faults: {{ f: {{ crash: s, at: {at}, for: 1s }} }}\n");
    let steps = "- { effect: charge, takes: 10ms }";
    assert_eq!(effected(&effects(steps, &crash("1005ms"))), []);
    assert_eq!(effected(&effects(steps, &crash("1006500us"))), [(6, true)]);
}
