//! How often nominal 95 % intervals hold the truth: 1,000 independent experiments each on M/M/1 and on a flow of two
//! stages whose second crashes now and then.
//!
//! `cargo bench --bench coverage [-- EXPERIMENTS]`. Means and 99th percentiles come from ten replications of 60 measured
//! seconds of M/M/1, and of 300 of the flow, whose tail is made of its crashes; the probability that a replication breaks a
//! promise from 400 of two seconds. The truth is a closed form for the durations of M/M/1, else a very long run. It ends with
//! an error if a coverage is not between 93 and 97 %.
//!
//! The interval of a probability is exact: for none does it hold the truth less often than it says, and so for most more
//! often, since a count of replications is a whole number. The last column says how often such an interval holds this very
//! truth, by the binomial distribution.

use eventflow::experiment::results::{DurationResults, Estimate, RunResults};
use eventflow::experiment::run::{RunOptions, run};
use eventflow::model::Model;
use eventflow::model::compile::compile;
use eventflow::scenario::open::read_text;
use eventflow::stats::beta::binomial_at_most;
use eventflow::stats::proportion::exact_interval;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

const EXPERIMENTS: u64 = 1_000;
/// Nominal confidence of all intervals.
const LEVEL: f64 = 0.95;
/// Replications of an experiment on the probability that a replication breaks a promise.
const SHORT_REPLICATIONS: u32 = 400;
/// Seeds of the experiments begin here; those of the very long runs are below.
const FIRST_SEED: u64 = 1_000;

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let experiments = wanted.unwrap_or(EXPERIMENTS);
    println!("{experiments} experiments, nominal 95 %");
    println!("{:<72} {:>10} {:>10} {:>14}", "figure", "truth", "coverage", "to be expected");
    let mut all_well = true;
    for system in [mm1(), two_stages()] {
        for Covered { figure, truth, held, expected } in system.coverage(experiments) {
            let share = held as f64 / experiments as f64;
            let is_well = (0.93..=0.97).contains(&share);
            all_well &= is_well;
            let mark = if is_well { "" } else { "  outside 93 to 97 %" };
            println!(
                "{figure:<72} {truth:>10.6} {:>8.1} % {:>12.1} %{mark}",
                100.0 * share,
                100.0 * expected
            );
        }
    }
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A figure with its truth, how many experiments held it, and which share of them should.
struct Covered {
    figure: String,
    truth: f64,
    held: u64,
    expected: f64,
}

/// A system whose durations and promise are looked at.
struct System {
    name: &'static str,
    /// The same design, run for long and for short.
    long: Model,
    short: Model,
    durations: fn(&RunResults) -> &DurationResults,
    /// Mean and 99th percentile, where they have a closed form.
    closed: Option<(f64, f64)>,
    /// The same design, run for a very long time.
    endless: Model,
}

impl System {
    /// Each figure with its truth, and how many experiments held it.
    fn coverage(&self, experiments: u64) -> Vec<Covered> {
        let endless = results(&self.endless, 1, 40);
        let times = (self.durations)(&endless);
        let estimated = |estimate: Estimate| estimate.mean.expect("it was measured");
        let (mean, p99) = self.closed.unwrap_or_else(|| (estimated(times.mean), estimated(times.p99)));
        let broken = results(&self.short, 2, 40_000).verdicts[0].violation.expect("it was put to the test");
        let broken = f64::from(broken.broken) / f64::from(broken.replications);
        let (mut of_mean, mut of_p99, mut of_broken) = (0, 0, 0);
        for seed in FIRST_SEED..FIRST_SEED + experiments {
            let run = results(&self.long, seed, 10);
            let times = (self.durations)(&run);
            of_mean += u64::from(holds(times.mean, mean));
            of_p99 += u64::from(holds(times.p99, p99));
            let violation = results(&self.short, seed, SHORT_REPLICATIONS).verdicts[0].violation;
            of_broken += u64::from(violation.is_some_and(|of| of.low <= broken && broken <= of.high));
        }
        let covered = |what: &str, truth: f64, held: u64, expected: f64| Covered {
            figure: format!("{}: {what}", self.name),
            truth,
            held,
            expected,
        };
        vec![
            covered("mean, s", mean, of_mean, LEVEL),
            covered("99th percentile, s", p99, of_p99, LEVEL),
            covered("probability of a violation", broken, of_broken, exact_coverage(broken)),
        ]
    }
}

/// How often the exact interval of a probability holds it.
fn exact_coverage(truth: f64) -> f64 {
    let of = u64::from(SHORT_REPLICATIONS);
    let at_most = |count: u64| binomial_at_most(count, of, truth);
    let probability = |count: u64| at_most(count) - if count > 0 { at_most(count - 1) } else { 0.0 };
    let holds = |count: &u64| {
        let (low, high) = exact_interval(*count, of, LEVEL);
        low <= truth && truth <= high
    };
    (0..=of).filter(holds).map(probability).sum()
}

fn holds(estimate: Estimate, truth: f64) -> bool {
    matches!((estimate.mean, estimate.half_width), (Some(mean), Some(half)) if (mean - truth).abs() <= half)
}

fn results(model: &Model, seed: u64, replications: u32) -> RunResults {
    // One thread, so that the machine can be used for something else meanwhile.
    let options = RunOptions {
        seed: Some(seed),
        replications: Some(replications),
        threads: Some(1),
        ..RunOptions::default()
    };
    match run(model, "coverage", &options, &(), &AtomicBool::new(false)) {
        Ok(results) => results,
        Err(failure) => panic!("{failure}"),
    }
}

/// Half load: the sojourn time is exponential with mean 1 / (μ − λ) = 20 ms.
fn mm1() -> System {
    let model = |horizon: u32| {
        compiled(&format!(
            "
scenario: mm1
run: {{ horizon: {horizon}s, warm_up: 2s, drain: 1m }}
messages: {{ Task: {{ kind: command }} }}
services: {{ server: {{ workers: 1, handlers: {{ Task: [ {{ work: {{ exponential: 10ms }} }} ] }} }} }}
clients:
  source:
    arrivals: {{ poisson: 50/s }}
    calls: {{ server: {{ timeout: 1h }} }}
    do: [ {{ call: server.Task }} ]
network: {{ default: {{ latency: 0s }} }}
invariants: {{ fast: {{ measure: mean(source.response_time) < 21ms }} }}
"
        ))
    };
    System {
        name: "M/M/1",
        long: model(62),
        short: model(4),
        durations: |results| &results.clients[0].response_time,
        closed: Some((0.02, 0.02 * libm::log(100.0))),
        endless: model(60),
    }
}

/// A desk that takes orders in, and a stock that works on them and crashes every two seconds on average.
fn two_stages() -> System {
    let model = |horizon: u32| {
        compiled(&format!(
            "
scenario: two-stages
run: {{ horizon: {horizon}s, warm_up: 2s, drain: 1m }}
messages:
  Buy: {{ kind: command, key: order, fields: {{ order: id }} }}
  Bought: {{ kind: integration, key: order, fields: {{ order: id }} }}
brokers: {{ rabbit: {{ preset: rabbitmq-classic, lease: {{ detect: 50ms }} }} }}
topics: {{ news: {{ messages: [ Bought ] }} }}
services:
  desk:
    workers: 2
    handlers:
      Buy: [ {{ work: {{ exponential: 10ms }} }}, {{ publish: Bought, to: news, with: message }}, reply ]
  stock:
    instances: 2
    workers: 1
    consumes: {{ news: {{ ack: after }} }}
    handlers: {{ Bought: [ {{ work: {{ exponential: 30ms }} }} ] }}
clients:
  shopper:
    arrivals: {{ poisson: 30/s }}
    calls: {{ desk: {{ timeout: 1h }} }}
    do: [ {{ let: {{ order: unique() }} }}, {{ call: desk.Buy, with: {{ order: order }} }} ]
faults: {{ stock_crash: {{ crash: stock, every: {{ exponential: 2s }}, for: 100ms }} }}
invariants: {{ soon: {{ measure: mean(news.stock.time_in_topic) < 50ms }} }}
"
        ))
    };
    System {
        name: "two stages with crashes, time in topic",
        long: model(302),
        short: model(4),
        durations: |results| &results.subscriptions[0].time_in_topic,
        closed: None,
        endless: model(6_002),
    }
}

fn compiled(text: &str) -> Model {
    let (sources, mistakes, scenario) = read_text("coverage.yaml", text, &[]);
    let told: Vec<&str> = mistakes.list.iter().map(|mistake| mistake.message.as_str()).collect();
    compile(&scenario.unwrap_or_else(|| panic!("{told:?}")), &sources)
}
