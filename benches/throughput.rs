//! How fast scenario files run, beside hand-written loops in the same process: each figure is a ratio
//! taken in one run, the median of several rounds. Times are the processor's.
//!
//! *Measured* is with digest and metrics; *judged* is with all oracles as well.
//!
//! `cargo bench --bench throughput [-- ROUNDS]`; for a profiler, `-- --once FILE HORIZON [judged]`.

mod clock;
mod hand_written;

use clock::timed;
use eventflow::experiment::readers::Readers;
use eventflow::experiment::replication;
use eventflow::kernel::fingerprint::Fingerprint;
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::model::Model;
use eventflow::scenario::{grammar, load, resolve};
use eventflow::world::Limits;
use eventflow::world::deed::Deed;
use eventflow::world::record::{Observer, Record};
use hand_written::{HandResult, mm1, tandem, three_groups};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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

/// Simulated seconds of the checkout, and so many orders a second.
const CHECKOUT: Workload =
    Workload { file: "checkout", by_hand: || unreachable!("no loop"), horizon: "600s" };

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--once") {
        return once(&words[at + 1..]);
    }
    let rounds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5);
    let head = ["by hand, ns", "measured, ns", "ratio", "judged, ns", "ratio"];
    println!(
        "{:<14} {:>12} {:>12} {:>8} {:>12} {:>8}",
        "workload", head[0], head[1], head[2], head[3], head[4]
    );
    for workload in &WORKLOADS {
        let model = compile(workload.file, workload.horizon);
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let round = |_| {
            let by_hand = seconds(|| by_hand(workload));
            let measured = seconds(|| run(&model, &plan, Judging::Nothing));
            [by_hand, measured, seconds(|| run(&model, &plan, Judging::Everything))]
        };
        let times: Vec<[f64; 3]> = (0..rounds).map(round).collect();
        let ns = |of: usize| median(times.iter().map(|times| times[of] * 1e9 / CUSTOMERS as f64));
        let ratio = |of: usize| median(times.iter().map(|times| times[0] / times[of]));
        println!(
            "{:<14} {:>12.1} {:>12.1} {:>8.3} {:>12.1} {:>8.3}",
            workload.file,
            ns(0),
            ns(1),
            ratio(1),
            ns(2),
            ratio(2)
        );
    }
    checkout(rounds);
}

/// One run for a profiler: the file, the simulated seconds, and `judged` if oracles are to look on.
fn once(words: &[String]) {
    let [file, horizon, mode @ ..] = words else { panic!("--once FILE HORIZON [judged]") };
    let model = compile(file, horizon);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let fingerprint =
        run(&model, &plan, if mode.is_empty() { Judging::Nothing } else { Judging::Everything });
    println!("{}", fingerprint.finish());
}

/// Handler steps a second with faults, metrics and every oracle.
fn checkout(rounds: usize) {
    let model = compile(CHECKOUT.file, CHECKOUT.horizon);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let mut steps = Steps(0);
    let agenda = replication::agenda(&model, &plan, model.seed, 0);
    let done = replication::replicate(&model, agenda, &mut steps, Limits::default(), &AtomicBool::new(false));
    assert!(done.is_ok());
    let million = steps.0 as f64 / 1e6;
    let rate =
        |judging: Judging| median((0..rounds).map(|_| million / seconds(|| run(&model, &plan, judging))));
    println!(
        "checkout: {:.2} M steps/s measured, {:.2} M steps/s judged",
        rate(Judging::Nothing),
        rate(Judging::Everything)
    );
}

/// Counts what attempts do: rows read and written, commits, decisions, messages, acts on the outside, work.
struct Steps(u64);

impl Observer for Steps {
    fn record(&mut self, _: Nanos, record: &Record) {
        self.0 += u64::from(matches!(record, Record::Started { .. }));
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, _: Nanos, deed: &Deed<'_>) {
        let is_step = matches!(
            deed,
            Deed::Read { .. }
                | Deed::Wrote { .. }
                | Deed::TransactionEnded { .. }
                | Deed::Decided { .. }
                | Deed::Issued { .. }
                | Deed::EffectAsked { .. }
        );
        self.0 += u64::from(is_step);
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A loop that measured nothing was optimized away.
fn by_hand(workload: &Workload) {
    let measured = (workload.by_hand)();
    assert!(measured.events > 0 && measured.mean_sojourn > 0.0);
}

fn compile(file: &str, horizon: &str) -> Model {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/scenarios/{file}.yaml"));
    let (sources, mut diagnostics, loaded) = load::load(&file, &[format!("run.horizon={horizon}")]);
    let loaded = loaded.expect("the scenario can be read");
    grammar::check(&loaded.root, &mut diagnostics);
    let scenario = resolve::resolve(&loaded, &sources, &mut diagnostics);
    let scenario = scenario.unwrap_or_else(|| panic!("{:?}", diagnostics.list));
    eventflow::model::compile::compile(&scenario, &sources)
}

/// Whether oracles look on: two different programs.
#[derive(Clone, Copy)]
enum Judging {
    Nothing,
    Everything,
}

fn run(model: &Model, plan: &Arc<StreamPlan>, judging: Judging) -> Fingerprint {
    let agenda = replication::agenda(model, plan, model.seed, 0);
    let (limits, interrupt) = (Limits::default(), AtomicBool::new(false));
    let readers = Readers::new(model, &());
    let mut readers = match judging {
        Judging::Everything => readers,
        Judging::Nothing => readers.without_judging(),
    };
    let done = readers.read(model, agenda, limits, &interrupt);
    assert!(done.is_ok_and(|(events, _)| events > 1_000));
    readers.digest.fingerprint()
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    timed(work).1
}
