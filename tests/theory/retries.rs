//! Retries, jitter, breakers and budgets against their definitions, through scenario files.
//!
//! With attempts that fail with probability *p*, each for itself, and *n* of them at most, an intent takes
//! Σ p^(k−1) = (1 − p^n) / (1 − p) attempts in the mean, and 1 − p^n of the intents succeed; where layers retry each
//! for itself the attempts at the bottom multiply. Jitter: Brooker, Exponential Backoff and Jitter, AWS Architecture
//! Blog, 2015 (`full`, `equal`, `decorrelated`). Breakers: Nygard, Release It!, 2007. Budgets: Beyer et al., Site
//! Reliability Engineering, 2016, chapter 21.

use crate::engine::{MS, Run, S, run};
use eventflow::model::Error;
use eventflow::world::record::Outcome;

/// A client calls `s.Go` at these arrivals, with this policy; the handler has these steps.
fn scenario(arrivals: &str, calls: &str, steps: &str, more: &str) -> String {
    format!(
        "scenario: retries
seed: 11
run: {{ horizon: 300h, drain: 10h }}
messages: {{ Go: {{ kind: command }}, Below: {{ kind: command }} }}
services:
  s:
    workers: unlimited
    {more}
    handlers:
      Go: {steps}
  below:
    workers: unlimited
    handlers:
      Below: [ {{ let: {{ bad: {{ chance: 30%, per: attempt }} }} }}, {{ if: bad, then: [ {{ fail: down }} ] }} ]
clients:
  c:
    arrivals: {{ {arrivals} }}
    calls: {{ s: {{ timeout: 10s, {calls} }} }}
    do: [ {{ call: s.Go }} ]
  nobody: {{ arrivals: {{ times: [] }}, do: [ {{ call: below.Below }} ] }}
network: {{ default: {{ latency: 1ms }} }}
"
    )
}

const FLAKY: &str =
    "[ { let: { bad: { chance: 30%, per: attempt } } }, { if: bad, then: [ { fail: down } ] } ]";

fn succeeded(run: &Run) -> f64 {
    let outcomes = run.outcomes();
    let well = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Well).count();
    well as f64 / outcomes.len() as f64
}

#[test]
fn attempts_and_success_follow_the_truncated_geometric_series() {
    const INTENTS: f64 = 20_000.0;
    for tries in [1, 2, 4] {
        let calls = format!("retry: {{ attempts: {tries}, errors: [down] }}");
        let run = run(&scenario("every: 1s, count: 20000", &calls, FLAKY, ""));
        let p: f64 = 0.3;
        let lost = libm::pow(p, f64::from(tries));
        let attempts = (1.0 - lost) / (1.0 - p);
        // E[K²] − E[K]² over the truncated geometric distribution.
        let square: f64 = (1..=tries)
            .map(|k| {
                let share = libm::pow(p, f64::from(k - 1)) * if k == tries { 1.0 } else { 1.0 - p };
                f64::from(k * k) * share
            })
            .sum();
        let deviation = 4.0 * ((square - attempts * attempts) / INTENTS).sqrt() + 1e-12;
        let found = run.started("s").len() as f64 / INTENTS;
        assert!(
            (found - attempts).abs() <= deviation,
            "{tries} tries: {found} is not {attempts} ± {deviation}"
        );
        let deviation = 4.0 * (lost * (1.0 - lost) / INTENTS).sqrt();
        let well = succeeded(&run);
        assert!((well - (1.0 - lost)).abs() <= deviation, "{tries} tries: {well} is not {}", 1.0 - lost);
    }
}

/// Three tries at each of two layers over something that always fails: nine at the bottom.
#[test]
fn retries_of_layers_multiply() {
    let below = "[ { fail: down } ]";
    let steps = "[ { call: below.Below, retry: { attempts: 3, errors: [down] } } ]";
    let text = scenario("every: 1s, count: 100", "retry: { attempts: 3, errors: [down] }", steps, "")
        .replace(
            "[ { let: { bad: { chance: 30%, per: attempt } } }, { if: bad, then: [ { fail: down } ] } ]",
            below,
        );
    let run = run(&text);
    assert_eq!((run.started("s").len(), run.started("below").len()), (300, 900));
}

/// The waits before the second, third and fourth attempt of each of 2000 intents, in milliseconds.
fn waits(policy: &str) -> Vec<[f64; 3]> {
    let calls = format!("retry: {{ attempts: 4, errors: [down], delay: 100ms, {policy} }}");
    let run = run(&scenario("every: 100s, count: 2000", &calls, "[ { fail: down } ]", ""));
    let started = run.started("s");
    assert_eq!(started.len(), 8000);
    let gap = |pair: &[u64]| (pair[1] - pair[0] - 2 * MS) as f64 / MS as f64;
    started.chunks(4).map(|of| [gap(&of[..2]), gap(&of[1..3]), gap(&of[2..])]).collect()
}

/// Kolmogorov's statistic against the uniform distribution, at one in a thousand.
fn assert_uniform(what: &str, mut shares: Vec<f64>) {
    shares.sort_by(f64::total_cmp);
    let n = shares.len() as f64;
    let distance = |(i, share): (usize, &f64)| {
        let (below, above) = (i as f64 / n, (i + 1) as f64 / n);
        (share - below).abs().max((above - share).abs())
    };
    let most = shares.iter().enumerate().map(distance).fold(0.0, f64::max);
    assert!(most < 1.95 / n.sqrt(), "{what}: {most}");
}

#[test]
fn jitter_is_what_it_is_defined_to_be() {
    let plain = waits("factor: 2, max_delay: 300ms");
    assert!(
        plain.iter().all(|waits| *waits == [100.0, 200.0, 300.0]),
        "v = min(max_delay, delay · factor^(k−1))"
    );
    for (k, v) in [100.0, 200.0, 300.0].into_iter().enumerate() {
        let full = waits("factor: 2, max_delay: 300ms, jitter: full");
        assert_uniform("full: U(0, v)", full.iter().map(|waits| waits[k] / v).collect());
        let equal = waits("factor: 2, max_delay: 300ms, jitter: equal");
        assert_uniform(
            "equal: v/2 + U(0, v/2)",
            equal.iter().map(|waits| waits[k] / v * 2.0 - 1.0).collect(),
        );
    }
    let decorrelated = waits("max_delay: 10h, jitter: decorrelated");
    let share = |wait: f64, last: f64| (wait - 100.0) / (3.0 * last - 100.0);
    assert_uniform(
        "decorrelated: U(delay, 3 · delay)",
        decorrelated.iter().map(|of| share(of[0], 100.0)).collect(),
    );
    for k in [1, 2] {
        let shares = decorrelated.iter().map(|of| share(of[k], of[k - 1])).collect();
        assert_uniform("decorrelated: U(delay, 3 · last wait)", shares);
    }
    let capped = waits("max_delay: 250ms, jitter: decorrelated");
    assert!(capped.iter().flatten().all(|wait| *wait <= 250.0));
    // U(100, 300) is above 250 a quarter of the time.
    let at_cap = capped.iter().filter(|waits| waits[0] == 250.0).count() as f64 / 2000.0;
    assert!((at_cap - 0.25).abs() < 4.0 * (0.25_f64 * 0.75 / 2000.0).sqrt(), "{at_cap}");
}

/// Calls every 100 ms; the service is gone from 10.05 s to 30.05 s. Five of ten failed: open for five seconds, then one
/// probe after the other.
#[test]
fn a_breaker_opens_probes_and_closes_as_defined() {
    let calls = "breaker: { failures: 50%, of: 10, open: 5s, probes: 2 }";
    let text = scenario("every: 100ms, count: 400", calls, "[ reply ]", "")
        + "faults: { f: { crash: s, at: 10050ms, for: 20s } }\n";
    let run = run(&text);
    let ended = run.outcomes();
    let with = |error: Error| {
        let all = ended.iter().filter(|(_, outcome)| *outcome == Outcome::Error(error));
        all.map(|(at, _)| at / (100 * MS)).collect::<Vec<u64>>()
    };
    // 10.1 … 10.5 s fail; then the probes at 15.6, 20.7 and 25.8 s.
    assert_eq!(with(Error::Unavailable), [101, 102, 103, 104, 105, 156, 207, 258]);
    let rejected = with(Error::Rejected);
    assert_eq!(rejected.len(), 200, "four times five seconds: {rejected:?}");
    assert_eq!((rejected[0], rejected[199]), (106, 308));
    assert!(ended.iter().filter(|(at, _)| *at > 31 * S).all(|(_, outcome)| *outcome == Outcome::Well));
}

/// A fifth of a retry for each call: two hundred retries for a thousand calls that all fail.
#[test]
fn a_budget_is_a_share_of_the_calls() {
    let run = run(&scenario(
        "every: 100ms, count: 1000",
        "retry: { attempts: 3, errors: [down] }, budget: 20%",
        "[ { fail: down } ]",
        "",
    ));
    assert_eq!(run.started("s").len(), 1200);
    // What was saved up while all went well is ten retries, whatever was asked before.
    let steps = "[ { if: now > 100s, then: [ { fail: down } ] } ]";
    let run = self::run(&scenario(
        "every: 100ms, count: 1100",
        "retry: { attempts: 3, errors: [down] }, budget: 20%",
        steps,
        "",
    ));
    let calls = 1100;
    let retries = run.started("s").len() - calls;
    // A hundred failing calls earn twenty more.
    assert!((29..=31).contains(&retries), "{retries}");
}
