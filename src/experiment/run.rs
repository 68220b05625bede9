//! A run: independent replications in parallel, and one result. Several runs share the threads.
//!
//! Law. The result depends on the model, the seed and the number of replications, and on nothing
//! else: each replication has its own streams, and what they measured is put together in their order, so the
//! number of threads never shows.
//!
//! An interrupt keeps the replications that were done and marks the result as partial. A replication that
//! cannot come to its end (a loop without delay, an overload without bound) fails the run; of several, the
//! first is named.

use super::estimates::Replications;
use super::notes::{hoarded, notes};
use super::reference::Again;
use super::replication;
use super::results::account::Accounts;
use super::results::verdict::Verdict;
use super::results::{RESULTS_VERSION, RunResults};
use super::topology::topology;
use super::truth::Truth;
use super::verdict::measure;
use super::verdict::promised::{Found, Trial};
use crate::kernel::agenda::Timed;
use crate::kernel::fingerprint::Digest;
use crate::kernel::stream::StreamPlan;
use crate::kernel::time::{Nanos, SECOND};
use crate::model::Model;
use crate::model::promise::MeasureUse;
use crate::observe::digest;
use crate::observe::findings::Findings;
use crate::observe::meters::{MeterFigures, Meters};
use crate::observe::metrics::{Distributions, Figures, Metrics};
use crate::observe::oracles::Oracles;
use crate::stats::confidence::Intervals;
use crate::world::record::{Observer, Record};
use crate::world::{Event, Halt, Limits, Simulation};
use rayon::prelude::*;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Confidence level of every interval.
pub const CONFIDENCE: f64 = 0.95;
/// How often a replication says how far it is: so many times until its horizon.
const STEPS_OF_PROGRESS: Nanos = 200;

/// What the command line may say beside the scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// `None`: the scenario's.
    pub seed: Option<u64>,
    /// `None`: the scenario's. At least 1.
    pub replications: Option<u32>,
    /// `None`: as many as there are processors.
    pub threads: Option<usize>,
    pub limits: Limits,
}

/// Is told how far a run is, from any thread.
pub trait Progress {
    /// Some replication has simulated this much more; all together simulate their number × the horizon.
    fn advanced(&self, simulated: Nanos);
    /// So many replications are done.
    fn replication_done(&self, done: u32, asked: u32);
}

/// Nobody wants to know.
impl Progress for () {
    fn advanced(&self, _: Nanos) {}
    fn replication_done(&self, _: u32, _: u32) {}
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Before any replication was done.
    Interrupted,
    /// A replication could not come to its end.
    Halted { replication: u32, halt: Halt },
    /// The system gave no threads.
    NoThreads(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Interrupted => f.write_str("interrupted before the first replication was done"),
            Failure::Halted { replication, halt } => write!(f, "replication {replication}: {halt}"),
            Failure::NoThreads(why) => write!(f, "no threads to run on: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A model to be run. `file` is named in its results as it is given.
#[derive(Clone, Copy, Debug)]
pub struct Undertaking<'a> {
    pub model: &'a Model,
    pub file: &'a str,
}

/// Runs the replications of a model. `file` is named in the results as it is given.
///
/// # Errors
///
/// When there is nothing to report: see [`Failure`].
pub fn run(
    model: &Model,
    file: &str,
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
) -> Result<RunResults, Failure> {
    let mut results = run_all(&[Undertaking { model, file }], options, progress, interrupt);
    results.pop().expect("one result for each undertaking")
}

/// Runs several models with the same options, all replications in turn on the same threads. Gives a result
/// for each, in their order: that one of them cannot be run does not touch the others.
pub fn run_all(
    undertakings: &[Undertaking],
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
) -> Vec<Result<RunResults, Failure>> {
    each(undertakings, options, progress, interrupt, |finished| finished, results)
}

/// What one replication found of what is promised.
#[derive(Clone, Debug)]
pub struct Judged {
    pub number: u32,
    pub findings: Findings,
    /// In the order of [`Trialled::measures`].
    pub measured: Vec<Option<f64>>,
}

/// What all replications of a model found of what is promised.
#[derive(Clone, Debug)]
pub struct Trialled {
    /// Those that were done, in their order.
    pub replications: Vec<Judged>,
    /// How many were asked for.
    pub asked: u32,
    pub measures: Vec<MeasureUse>,
}

impl Trialled {
    /// One verdict for each promise of the model that was run.
    pub fn verdicts(&self, model: &Model) -> Vec<Verdict> {
        let found: Vec<Found> = self
            .replications
            .iter()
            .map(|one| Found { replication: one.number, findings: &one.findings, figures: &one.measured })
            .collect();
        let Trialled { asked, measures, .. } = self;
        Trial { model, found: &found, asked: *asked, confidence: CONFIDENCE, measures }.verdicts()
    }
}

/// Runs several models as [`run_all`] does, and keeps of each replication only what verdicts are made of.
pub fn judge_all(
    undertakings: &[Undertaking],
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
) -> Vec<Result<Trialled, Failure>> {
    let judged = |one: Finished| {
        let Finished { number, findings, measured, .. } = one;
        Judged { number, findings, measured }
    };
    let trialled = |bench: Bench, replications: Vec<Judged>| Trialled {
        replications,
        asked: bench.asked,
        measures: bench.measures,
    };
    each(undertakings, options, progress, interrupt, judged, trialled)
}

/// Runs several models, keeps something of each replication, and makes one result for each model of what is
/// kept, in their order.
fn each<'a, Kept: Send, Made>(
    undertakings: &[Undertaking<'a>],
    options: &RunOptions,
    progress: &'a (dyn Progress + Sync),
    interrupt: &'a AtomicBool,
    keep: impl Fn(Finished) -> Kept + Sync,
    make: impl Fn(Bench, Vec<Kept>) -> Made,
) -> Vec<Result<Made, Failure>> {
    let tally = DoneInAll { progress, done: AtomicU32::new(0), asked: asked_in_all(undertakings, options) };
    let benches: Vec<Bench> =
        undertakings.iter().map(|of| Bench::new(*of, options, &tally, interrupt)).collect();
    let turns: Vec<(usize, u32)> = (0..benches.len())
        .flat_map(|bench| (0..benches[bench].asked).map(move |replication| (bench, replication)))
        .collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.unwrap_or(0)).build();
    let pool = match pool {
        Ok(pool) => pool,
        Err(error) => {
            return benches.iter().map(|_| Err(Failure::NoThreads(error.to_string()))).collect();
        }
    };
    let replicate = |(bench, replication): (usize, u32)| benches[bench].replicate(replication).map(&keep);
    let all: Vec<_> = pool.install(|| turns.into_par_iter().with_max_len(1).map(replicate).collect());
    let mut all = all.into_iter();
    benches
        .into_iter()
        .map(|bench| {
            let of_bench = all.by_ref().take(bench.asked as usize).collect();
            Ok(make(bench, finished(of_bench)?))
        })
        .collect()
}

fn asked_in_all(undertakings: &[Undertaking], options: &RunOptions) -> u32 {
    undertakings.iter().fold(0, |sum: u32, of| sum.saturating_add(replications_of(of.model, options)))
}

/// How many replications a model is run under options.
pub fn replications_of(model: &Model, options: &RunOptions) -> u32 {
    options.replications.unwrap_or(model.run.replications).max(1)
}

/// Counts the replications that are done, of all runs together.
struct DoneInAll<'a> {
    progress: &'a (dyn Progress + Sync),
    done: AtomicU32,
    asked: u32,
}

/// What the replications of a run share.
struct Bench<'a> {
    model: &'a Model,
    file: &'a str,
    plan: Arc<StreamPlan>,
    seed: u64,
    asked: u32,
    limits: Limits,
    /// The figures that promises speak of.
    measures: Vec<MeasureUse>,
    tally: &'a DoneInAll<'a>,
    interrupt: &'a AtomicBool,
    /// Merged as they come: the sums do not depend on the order, and all at once would need much memory.
    pooled: Mutex<(Distributions, Meters)>,
    /// The first replication known to have halted; later ones need not begin.
    first_halted: AtomicU32,
}

/// What remains of a replication.
struct Finished {
    number: u32,
    digest: Digest,
    events: u64,
    /// What grows as long as a run goes on and keeps most, in words.
    hoard: (usize, String),
    figures: Figures,
    findings: Findings,
    meters: MeterFigures,
    /// In the order of [`Bench::measures`].
    measured: Vec<Option<f64>>,
}

impl<'a> Bench<'a> {
    fn new(
        of: Undertaking<'a>,
        options: &RunOptions,
        tally: &'a DoneInAll<'a>,
        interrupt: &'a AtomicBool,
    ) -> Self {
        let Undertaking { model, file } = of;
        Self {
            model,
            file,
            plan: Arc::new(StreamPlan::new(&model.streams)),
            seed: options.seed.unwrap_or(model.seed),
            asked: replications_of(model, options),
            limits: options.limits,
            measures: measure::wanted(model),
            tally,
            interrupt,
            pooled: Mutex::default(),
            first_halted: AtomicU32::new(u32::MAX),
        }
    }

    fn replicate(&self, number: u32) -> Result<Finished, Halt> {
        if self.first_halted.load(Ordering::Relaxed) < number || self.interrupt.load(Ordering::Relaxed) {
            return Err(Halt::Interrupted);
        }
        let mut digest = digest::Digest::default();
        let mut metrics = Metrics::new(self.model);
        let mut pace = Pace::new(self.tally.progress, self.model.run.horizon);
        let agenda = replication::agenda(self.model, &self.plan, self.seed, number);
        let mut oracles = Oracles::new(self.model);
        let measured = (&mut digest, (&mut metrics, &mut pace));
        // Where nothing is judged, a program runs that was compiled without judges.
        let outcome = match oracles.judges() {
            true => self.run(agenda, (measured, &mut oracles)),
            false => self.run(agenda, measured),
        };
        let (events, hoard) = outcome.inspect_err(|halt| {
            if *halt != Halt::Interrupted {
                self.first_halted.fetch_min(number, Ordering::Relaxed);
            }
        })?;
        let (figures, distributions) = metrics.finish();
        let (mut findings, metered) = oracles.finish();
        findings.promises.extend(self.again(number).judge()?);
        findings.faults_that_hit = figures.faults.iter().map(|fault| fault.touched > 0).collect();
        let measured = measure::measure(self.model, &self.measures, &figures, &distributions, &metered);
        let meters = metered.figures();
        let mut pooled = self.pooled.lock().expect("no replication panicked");
        pooled.0.merge(distributions);
        pooled.1.merge(metered);
        drop(pooled);
        let done = self.tally.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.tally.progress.replication_done(done, self.tally.asked);
        let digest = digest.fingerprint().finish();
        Ok(Finished { number, digest, events, hoard, figures, findings, meters, measured })
    }

    /// A replication, to be run once more.
    fn again(&self, replication: u32) -> Again<'_> {
        let Self { model, plan, seed, limits, interrupt, .. } = self;
        Again { model, plan: plan.clone(), seed: *seed, replication, limits: *limits, interrupt }
    }

    /// Runs one replication under its observer; gives the number of events, and what it hoards.
    fn run(&self, agenda: Timed<Event>, observer: impl Observer) -> Result<(u64, (usize, String)), Halt> {
        let mut simulation = Simulation::new(self.model, agenda, observer);
        simulation.run(self.limits, self.interrupt)?;
        Ok((simulation.events, simulation.world.largest_hoard(self.model)))
    }
}

/// The replications that were done.
fn finished<Kept>(all: Vec<Result<Kept, Halt>>) -> Result<Vec<Kept>, Failure> {
    let mut finished = Vec::new();
    for (replication, outcome) in all.into_iter().enumerate() {
        match outcome {
            Ok(one) => finished.push(one),
            Err(Halt::Interrupted) => {}
            Err(halt) => return Err(Failure::Halted { replication: replication as u32, halt }),
        }
    }
    if finished.is_empty() { Err(Failure::Interrupted) } else { Ok(finished) }
}

/// Tells the progress of one replication.
struct Pace<'a> {
    progress: &'a (dyn Progress + Sync),
    horizon: Nanos,
    step: Nanos,
    told: Nanos,
    next: Nanos,
}

impl<'a> Pace<'a> {
    fn new(progress: &'a (dyn Progress + Sync), horizon: Nanos) -> Self {
        let step = (horizon / STEPS_OF_PROGRESS).max(1);
        Self { progress, horizon, step, told: 0, next: step }
    }

    #[cold]
    #[inline(never)]
    fn tell(&mut self, now: Nanos) {
        let now = now.min(self.horizon);
        self.progress.advanced(now - self.told);
        self.told = now;
        self.next = if now == self.horizon { Nanos::MAX } else { (now + self.step).min(self.horizon) };
    }
}

impl Observer for Pace<'_> {
    #[inline(always)]
    fn record(&mut self, now: Nanos, _: &Record) {
        if now >= self.next {
            self.tell(now);
        }
    }
}

fn results(bench: Bench, finished: Vec<Finished>) -> RunResults {
    let Bench { model, file, seed, asked, measures, .. } = bench;
    let (pooled, pooled_meters) = bench.pooled.into_inner().expect("no replication panicked");
    let figures: Vec<&Figures> = finished.iter().map(|one| &one.figures).collect();
    let replications = Replications::new(&figures, CONFIDENCE);
    let meters: Vec<&MeterFigures> = finished.iter().map(|one| &one.meters).collect();
    let intervals = Intervals::new(CONFIDENCE);
    let truth = Truth { model, pooled: &pooled_meters, replications: &meters, intervals: &intervals };
    let digests: Vec<Digest> = finished.iter().map(|one| one.digest).collect();
    let seconds = |nanos: Nanos| nanos as f64 / SECOND as f64;
    let failed_expressions = replications.failed_expressions(model);
    let found: Vec<Found> = finished
        .iter()
        .map(|one| Found { replication: one.number, findings: &one.findings, figures: &one.measured })
        .collect();
    let trial = Trial { model, found: &found, asked, confidence: CONFIDENCE, measures: &measures };
    RunResults {
        version: RESULTS_VERSION,
        scenario: model.names.scenario.clone(),
        about: model.names.about.clone(),
        file: file.to_owned(),
        parameters: model.names.parameters.clone(),
        settings: Vec::new(),
        seed,
        replications_asked: asked,
        replications_done: finished.len() as u32,
        partial: finished.len() < asked as usize,
        confidence: CONFIDENCE,
        horizon: seconds(model.run.horizon),
        warm_up: seconds(model.run.warm_up),
        drained: figures.iter().map(|figures| figures.drained).fold(0.0, f64::max),
        drain_limit_hit: figures.iter().filter(|figures| figures.drain_limit_hit).count() as u32,
        digest: Digest::combine(&digests).to_string(),
        eventflow: env!("CARGO_PKG_VERSION").to_owned(),
        events: finished.iter().map(|one| one.events).sum(),
        verdicts: trial.verdicts(),
        accounts: Accounts::default(),
        anomalies: trial.unasked(),
        obligations: truth.obligations(),
        views: truth.views(),
        reads: truth.reads(),
        arrivals: truth.arrivals(),
        anomalies_over_time: truth.anomalies_over_time(),
        clients: replications.clients(model, &pooled),
        calls: replications.calls(model, &pooled),
        services: replications.services(model, &pooled),
        subscriptions: replications.subscriptions(model, &pooled),
        links: replications.links(model),
        faults: replications.faults(model),
        topology: topology(model),
        notes: notes(model, &replications, &figures, &failed_expressions, asked)
            .into_iter()
            .chain(hoarded(finished.iter().map(|one| &one.hoard)))
            .collect(),
        failed_expressions,
    }
}
