//! What an event costs when there is more of everything: services (at the same total load), and
//! events pending; and what memory a very long run takes.
//!
//! An event's cost is that of a run that has warmed up: what a run of some length takes is taken from what
//! one three times as long takes. What comes once for each thing (its tables, the first use of its streams and
//! histograms) is *once*, told apart.
//!
//! `cargo bench --bench scale [-- --long [millions]]`; with `--long`, so many million customers of M/M/1, and as
//! many messages of `checkout` under every oracle: a hundred million, if nothing else is said. For a profiler,
//! `-- --services NUMBER SECONDS`.

mod clock;

use clock::timed;
use eventflow::experiment::readers::Readers;
use eventflow::experiment::replication;
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::model::compile::compile;
use eventflow::observe::digest::Digest;
use eventflow::observe::metrics::Metrics;
use eventflow::observe::oracles::Oracles;
use eventflow::scenario::open::read_text;
use eventflow::world::Limits;
use eventflow::world::deed::Deed;
use eventflow::world::record::{Observer, Record};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--long") {
        let millions = words.get(at + 1).and_then(|word| word.parse().ok()).unwrap_or(100);
        long_run(millions);
        return judged_run(millions);
    }
    if let Some(at) = words.iter().position(|word| word == "--services") {
        let number = |word: &String| word.parse().expect("a number");
        let run = Run::of(&many_services(number(&words[at + 1]), 20_000.0, number(&words[at + 2])));
        return println!("{} events, {:.2} s", run.events, run.seconds);
    }
    head("services");
    let mut first = None;
    for services in [10, 1_000, 10_000] {
        report(services, |length| many_services(services, 20_000.0, 20 * length), &mut first);
    }
    head("pending");
    let mut first = None;
    for pending in [10, 1_000, 100_000, 1_000_000] {
        report(pending, |length| many_pending(pending, 1_000 * length), &mut first);
    }
}

fn head(of: &str) {
    println!("{of:>10} {:>10} {:>18} {:>12}", "ns/event", "against the first", "once, ms");
}

/// Runs a scenario of so many things for 1 and for 3 lengths of time, some rounds of both.
fn report(size: u32, text: impl Fn(u32) -> String, first: &mut Option<f64>) {
    let texts = [text(1), text(3)];
    let round = |_| {
        let [short, long] = [Run::of(&texts[0]), Run::of(&texts[1])];
        let event = (long.seconds - short.seconds) / (long.events - short.events) as f64;
        (event, short.seconds - event * short.events as f64)
    };
    let mut rounds: Vec<(f64, f64)> = (0..3).map(round).collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (event, once) = rounds[1];
    let against = event / *first.get_or_insert(event);
    println!("{size:>10} {:>10.1} {against:>18.2} {:>12.1}", event * 1e9, once * 1e3);
}

/// Each service has a client of its own; together they bring `rate` customers per second.
fn many_services(services: u32, rate: f64, seconds: u32) -> String {
    let mut text = format!(
        "scenario: scale\nrun: {{ horizon: {seconds}s, replications: 1 }}\nmessages: {{ Task: {{ kind: command }} }}\n\
         network: {{ default: {{ latency: {{ lognormal: {{ median: 500us, p99: 4ms }} }} }} }}\nservices:\n",
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
fn many_pending(users: u32, seconds: u32) -> String {
    let think = f64::from(users) / 1_000.0;
    format!(
        "scenario: pending\nrun: {{ horizon: {seconds}s, replications: 1 }}\nclients:\n  user:\n    arrivals: {{ population: \
         {users}, think: {{ exponential: {think}s }} }}\n    do: [ {{ let: {{ x: 1 }} }} ]\n"
    )
}

/// One replication with digest and metrics, from its empty tables to its figures.
struct Run {
    events: u64,
    seconds: f64,
}

impl Run {
    fn of(text: &str) -> Self {
        let (sources, diagnostics, scenario) = read_text("scale.yaml", text, &[]);
        let scenario = scenario.unwrap_or_else(|| panic!("{:?}", diagnostics.list));
        let model = compile(&scenario, &sources);
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let (events, seconds) = timed(|| {
            let agenda = replication::agenda(&model, &plan, 1, 0);
            let mut readers = Readers::new(&model, &()).without_judging();
            let done = readers.read(&model, agenda, Limits::default(), &AtomicBool::new(false));
            assert!(readers.metrics.finish().0.clients.iter().any(|client| client.measured > 0));
            done.unwrap_or_else(|halt| panic!("{halt}")).0
        });
        Self { events, seconds }
    }
}

/// So many million customers; the process's peak memory stays where it was after the first million.
fn long_run(millions: u64) {
    let text = include_str!("scenarios/mm1.yaml");
    for millions in [1, millions] {
        let run = Run::of(&text.replace("1000h", &format!("{}s", millions * 12_500)));
        println!("{millions:>4} million customers: {:>6.1} s, peak memory {}", run.seconds, memory("VmHWM:"));
    }
}

/// So many million messages (a command and an event for each order) with crashes and every oracle, and what
/// memory they take on the way there.
fn judged_run(millions: u64) {
    let horizon = format!("{}s", millions * 1_000_000 / 2 / 200);
    let text = include_str!("scenarios/checkout.yaml").replace("1000h", &horizon);
    let (sources, diagnostics, scenario) = read_text("scale.yaml", &text, &[]);
    let scenario = scenario.unwrap_or_else(|| panic!("{:?}", diagnostics.list));
    let model = compile(&scenario, &sources);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = replication::agenda(&model, &plan, 1, 0);
    let milestones = Milestones { messages: 0, next: 1_000_000, start: Instant::now() };
    let mut observer = ((Digest::default(), Metrics::new(&model)), (Oracles::new(&model), milestones));
    replication::replicate(
        &model,
        agenda,
        &mut observer,
        Limits { events: u64::MAX, ..Limits::default() },
        &AtomicBool::new(false),
    )
    .unwrap_or_else(|halt| panic!("{halt}"));
    println!("at the end, peak memory {}", memory("VmHWM:"));
}

/// Tells what memory the process takes after 1, 2, 5, 10, 20, 50 … million messages.
struct Milestones {
    messages: u64,
    next: u64,
    start: Instant,
}

impl Observer for Milestones {
    fn record(&mut self, _: Nanos, _: &Record) {}

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, _: Nanos, deed: &Deed<'_>) {
        if !matches!(deed, Deed::Issued { .. }) {
            return;
        }
        self.messages += 1;
        if self.messages == self.next {
            let seconds = self.start.elapsed().as_secs_f64();
            println!(
                "{:>4} million messages, judged: {seconds:>6.1} s, memory {}, peak {}",
                self.messages / 1_000_000,
                memory("VmRSS:"),
                memory("VmHWM:")
            );
            let leading = self.next / 10u64.pow(self.next.ilog10());
            self.next = if leading == 2 { self.next / 2 * 5 } else { self.next * 2 };
        }
    }
}

/// As the operating system tells it; unknown where it does not.
fn memory(which: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let told = status.lines().find_map(|line| line.strip_prefix(which));
    told.unwrap_or("unknown").trim().to_string()
}
