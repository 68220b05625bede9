//! How fast scenario files run, beside hand-written loops in the same process: each figure is a ratio
//! taken in one run, the median of several rounds.
//!
//! `cargo bench --bench throughput [-- ROUNDS]`

mod hand_written;

use eventflow::experiment::replication;
use eventflow::kernel::stream::StreamPlan;
use eventflow::model::Model;
use eventflow::observe::digest::Digest;
use eventflow::observe::metrics::Metrics;
use eventflow::scenario::{grammar, load, resolve};
use eventflow::world::Limits;
use hand_written::{HandResult, mm1, tandem, three_groups};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const CUSTOMERS: u64 = 1_000_000;

struct Workload {
    file: &'static str,
    by_hand: fn() -> HandResult,
    /// Simulated seconds that bring about `CUSTOMERS` customers.
    horizon: &'static str,
}

const WORKLOADS: [Workload; 4] = [
    Workload { file: "mm1", by_hand: || mm1(1, CUSTOMERS, 80.0, 100.0), horizon: "12500s" },
    Workload { file: "mm1-call", by_hand: || mm1(1, CUSTOMERS, 80.0, 100.0), horizon: "12500s" },
    Workload { file: "tandem", by_hand: || tandem(1, CUSTOMERS / 5, 320.0, 100.0), horizon: "625s" },
    Workload {
        file: "three-groups",
        by_hand: || three_groups(1, CUSTOMERS / 3, 80.0, 100.0),
        horizon: "4166s",
    },
];

fn main() {
    let rounds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5);
    println!("{:<14} {:>12} {:>12} {:>8}", "workload", "by hand, ns", "scenario, ns", "ratio");
    for workload in &WORKLOADS {
        let model = compile(workload);
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let mut times: Vec<(f64, f64)> =
            (0..rounds).map(|_| (seconds(|| by_hand(workload)), seconds(|| run(&model, &plan)))).collect();
        times.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (by_hand, scenario) = times[times.len() / 2];
        let ns = |seconds: f64| seconds * 1e9 / CUSTOMERS as f64;
        let (name, ratio) = (workload.file, by_hand / scenario);
        println!("{name:<14} {:>12.1} {:>12.1} {ratio:>8.3}", ns(by_hand), ns(scenario));
    }
}

/// A loop that measured nothing was optimized away.
fn by_hand(workload: &Workload) {
    let measured = (workload.by_hand)();
    assert!(measured.events > 0 && measured.mean_sojourn > 0.0);
}

fn compile(workload: &Workload) -> Model {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/scenarios/{}.yaml", workload.file));
    let (sources, mut diagnostics, loaded) =
        load::load(&file, &[format!("run.horizon={}", workload.horizon)]);
    let loaded = loaded.expect("the scenario can be read");
    grammar::check(&loaded.root, &mut diagnostics);
    let scenario = resolve::resolve(&loaded, &sources, &mut diagnostics);
    let scenario = scenario.unwrap_or_else(|| panic!("{:?}", diagnostics.list));
    eventflow::model::compile::compile(&scenario, &sources)
}

fn run(model: &Model, plan: &Arc<StreamPlan>) {
    let observer = (Digest::default(), Metrics::new(model));
    let agenda = replication::agenda(model, plan, model.seed, 0);
    let done = replication::replicate(model, agenda, observer, Limits::default(), &AtomicBool::new(false));
    assert!(done.is_ok_and(|(events, _)| events > CUSTOMERS));
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}
