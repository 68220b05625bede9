//! What an event costs when there is more of everything: services (at the same total load), and
//! events pending; and what memory a very long run takes.
//!
//! `cargo bench --bench scale [-- --long]`; with `--long`, a hundred million customers of M/M/1.

use eventflow::experiment::replication;
use eventflow::kernel::stream::StreamPlan;
use eventflow::model::compile::compile;
use eventflow::observe::digest::Digest;
use eventflow::observe::metrics::Metrics;
use eventflow::scenario::open::read_text;
use eventflow::world::Limits;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn main() {
    if std::env::args().any(|word| word == "--long") {
        return long_run();
    }
    println!("{:>9} services: {:>10} {:>8}", "", "ns/event", "against the first");
    let mut first = None;
    for services in [10, 1_000, 10_000] {
        report(services, &many_services(services, 20_000.0), &mut first);
    }
    println!("{:>9} pending:  {:>10} {:>8}", "", "ns/event", "against the first");
    let mut first = None;
    for pending in [10, 1_000, 100_000, 1_000_000] {
        report(pending, &many_pending(pending), &mut first);
    }
}

fn report(size: u32, text: &str, first: &mut Option<f64>) {
    let mut rounds: Vec<f64> = (0..3).map(|_| nanoseconds_per_event(text)).collect();
    rounds.sort_by(f64::total_cmp);
    let nanoseconds = rounds[1];
    let against = nanoseconds / *first.get_or_insert(nanoseconds);
    println!("{size:>9}            {nanoseconds:>10.1} {against:>8.2}");
}

/// Each service has a client of its own; together they bring `rate` customers per second.
fn many_services(services: u32, rate: f64) -> String {
    let mut text = String::from(
        "scenario: scale\nrun: { horizon: 20s, replications: 1 }\nmessages: { Task: { kind: command } }\n\
         network: { default: { latency: { lognormal: { median: 500us, p99: 4ms } } } }\nservices:\n",
    );
    for service in 0..services {
        writeln!(
            text,
            "  s{service}: {{ workers: 64, handlers: {{ Task: [ {{ work: {{ exponential: 5ms }} }} ] }} }}"
        )
        .expect("writing to a string");
    }
    text.push_str("clients:\n");
    for service in 0..services {
        let rate = rate / f64::from(services);
        writeln!(
            text,
            "  c{service}: {{ arrivals: {{ poisson: {rate}/s }}, do: [ {{ send: s{service}.Task }} ] }}"
        )
        .expect("writing to a string");
    }
    text
}

/// As many users think at a time; what they then want takes nothing. The same number of events for each.
fn many_pending(users: u32) -> String {
    let think = f64::from(users) / 1_000.0;
    format!(
        "scenario: pending\nrun: {{ horizon: 2000s, replications: 1 }}\nclients:\n  user:\n    arrivals: {{ population: \
         {users}, think: {{ exponential: {think}s }} }}\n    do: [ {{ let: {{ x: 1 }} }} ]\n"
    )
}

fn nanoseconds_per_event(text: &str) -> f64 {
    let (_, diagnostics, scenario) = read_text("scale.yaml", text, &[]);
    let scenario = scenario.unwrap_or_else(|| panic!("{:?}", diagnostics.list));
    let (sources, ..) = read_text("scale.yaml", text, &[]);
    let model = compile(&scenario, &sources);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = replication::agenda(&model, &plan, 1, 0);
    let observer = (Digest::default(), Metrics::new(&model));
    let start = Instant::now();
    let (events, _) =
        replication::replicate(&model, agenda, observer, Limits::default(), &AtomicBool::new(false))
            .unwrap_or_else(|halt| panic!("{halt}"));
    start.elapsed().as_secs_f64() * 1e9 / events as f64
}

/// A hundred million customers; the process's peak memory stays where it was after the first million.
fn long_run() {
    let text = include_str!("scenarios/mm1.yaml");
    for (customers, horizon) in [("1 million", "12500s"), ("100 million", "1250000s")] {
        let start = Instant::now();
        nanoseconds_per_event(&text.replace("1000h", horizon));
        println!(
            "{customers:>12} customers: {:>6.1} s, peak memory {}",
            start.elapsed().as_secs_f64(),
            peak_memory()
        );
    }
}

/// As the operating system tells it; empty where it does not.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap_or("unknown").trim().to_string()
}
