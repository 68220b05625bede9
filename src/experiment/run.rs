//! A run: independent replications in parallel, and one result. Several runs share the threads.
//!
//! Law. The result depends on the model, the seed and the number of replications, and on nothing
//! else: each replication has its own streams, and what they measured is put together in their order, so the
//! number of threads never shows.
//!
//! An interrupt keeps the replications that were done and marks the result as partial. A replication that
//! cannot come to its end (a loop without delay, an overload without bound) fails the run; of several, the
//! first is named.

mod bench;
mod pilot;
mod precision;
mod sums;

use super::estimates::Replications;
use super::measures::{Measured, Source, measured};
use super::notes::{hoarded, not_reached, notes};
use super::results::account::Accounts;
use super::results::verdict::Verdict;
use super::results::{RESULTS_VERSION, RunResults, WarmUpSearch};
use super::stored::{Keeper, Place};
use super::topology::topology;
use super::truth::Truth;
use super::verdict::promised::{Found, Trial};
use crate::kernel::fingerprint::Digest;
use crate::kernel::time::{Nanos, SECOND};
use crate::model::Model;
use crate::model::promise::MeasureUse;
use crate::observe::findings::Findings;
use crate::observe::meters::MeterFigures;
use crate::observe::metrics::Figures;
use crate::stats::confidence::Intervals;
use crate::stats::sequential::Precision;
use crate::world::{Halt, Limits};
use bench::{Around, Bench, DoneInAll, Finished};
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// Confidence level of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// What the command line may say beside the scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// `None`: the scenario's.
    pub seed: Option<u64>,
    /// `None`: the scenario's. At least 1.
    pub replications: Option<u32>,
    /// As many replications as it takes for the figures that one asks about first, in place of a number of them; it
    /// steers all but [`judge_all`] and [`run_share`].
    pub precision: Option<Precision>,
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
    run_kept(undertakings, options, progress, interrupt, &())
}

/// Runs several models as [`run_all`] does, and keeps each replication as it is done. What was kept before is not
/// simulated again; the results do not show which that was.
pub fn run_kept(
    undertakings: &[Undertaking],
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
    keeper: &dyn Keeper,
) -> Vec<Result<RunResults, Failure>> {
    whole(undertakings, options, Around { progress, interrupt, keeper }, results)
}

/// Runs a share of the replications of several models and makes no result of them: whoever keeps them does, once
/// all are there. Gives those that halted, which are kept as such; later ones of their model may not be run.
///
/// # Errors
///
/// [`Failure::Interrupted`] if not all were run, [`Failure::NoThreads`].
pub fn run_share(
    undertakings: &[Undertaking],
    share: &[Place],
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
    keeper: &dyn Keeper,
) -> Result<Vec<(Place, Halt)>, Failure> {
    let tally = DoneInAll { progress, done: AtomicU32::new(0), asked: share.len() as u32 };
    let benches: Vec<Bench> = undertakings
        .iter()
        .enumerate()
        .map(|(point, of)| Bench::new(point as u32, *of, options, &tally, interrupt, keeper))
        .collect();
    let provide = |place: Place| benches[place.point as usize].provide(place.replication).map(drop);
    let all = in_turn(share, options, provide)?;
    if all.contains(&Err(Halt::Interrupted)) && interrupt.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted);
    }
    let halted = share.iter().zip(all).filter_map(|(place, outcome)| Some((*place, outcome.err()?)));
    Ok(halted.filter(|(_, halt)| *halt != Halt::Interrupted).collect())
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
    let options = RunOptions { precision: None, ..*options };
    each(
        undertakings,
        &options,
        Around { progress, interrupt, keeper: &() },
        judged,
        |_, _| Vec::new(),
        trialled,
    )
}

/// The model with its warm-up, looked for if it asks for that; the same model if not.
pub fn with_warm_up<'m>(
    model: &'m Model,
    options: &RunOptions,
    interrupt: &AtomicBool,
) -> (Cow<'m, Model>, Option<WarmUpSearch>) {
    pilot::settled(model, options, interrupt)
}

/// A run, and what of it can be held against another replication by replication.
#[derive(Clone, Debug)]
pub struct Replicated {
    pub results: RunResults,
    /// The replications that were done, rising.
    pub numbers: Vec<u32>,
    /// Each with its value in each of them.
    pub measures: Vec<Measured>,
    /// For each promise by its verdict's name whether each of them breaks it by itself.
    pub broken: Vec<(String, Vec<Option<bool>>)>,
}

/// Runs several models as [`run_kept`] does, and gives what each replication measured besides.
pub fn run_measured_kept(
    undertakings: &[Undertaking],
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
    keeper: &dyn Keeper,
) -> Vec<Result<Replicated, Failure>> {
    whole(undertakings, options, Around { progress, interrupt, keeper }, replicated)
}

/// Runs several models, retains what results are made of, and makes one of each, in their order.
fn whole<'a, Made>(
    undertakings: &[Undertaking<'a>],
    options: &RunOptions,
    around: Around<'a>,
    make: impl Fn(Bench, Vec<Finished>) -> Made,
) -> Vec<Result<Made, Failure>> {
    each(undertakings, options, around, |finished| finished, precision::estimates, make)
}

/// Runs several models, retains something of each replication, and makes one result for each model of what is
/// retained, in their order.
fn each<'a, Retained: Send, Made>(
    undertakings: &[Undertaking<'a>],
    options: &RunOptions,
    around: Around<'a>,
    retain: impl Fn(Finished) -> Retained + Sync,
    estimates: impl Fn(&Bench, &[&Retained]) -> Vec<Option<(f64, f64)>>,
    make: impl Fn(Bench, Vec<Retained>) -> Made,
) -> Vec<Result<Made, Failure>> {
    let Around { progress, interrupt, keeper } = around;
    let tally = DoneInAll { progress, done: AtomicU32::new(0), asked: asked_in_all(undertakings, options) };
    let bench = |(point, of): (usize, &Undertaking<'a>)| {
        Bench::new(point as u32, *of, options, &tally, interrupt, keeper)
    };
    let mut benches: Vec<Bench> = undertakings.iter().enumerate().map(bench).collect();
    let mut done: Vec<Vec<Result<Retained, Halt>>> = benches.iter().map(|_| Vec::new()).collect();
    loop {
        let places = |(bench, done): (&Bench, &Vec<_>)| {
            let (point, from) = (bench.point, done.len() as u32);
            (from..bench.asked).map(move |replication| Place { point, replication })
        };
        let turns: Vec<Place> = benches.iter().zip(&done).flat_map(places).collect();
        if turns.is_empty() {
            break;
        }
        let replicate =
            |place: Place| benches[place.point as usize].replicate(place.replication).map(&retain);
        let all = match in_turn(&turns, options, replicate) {
            Ok(all) => all,
            Err(failure) => return benches.iter().map(|_| Err(failure.clone())).collect(),
        };
        for (place, outcome) in turns.iter().zip(all) {
            done[place.point as usize].push(outcome);
        }
        for (bench, done) in benches.iter_mut().zip(&done) {
            precision::look(bench, done, &estimates);
        }
    }
    let made = |(bench, done)| Ok(make(bench, finished(done)?));
    benches.into_iter().zip(done).map(made).collect()
}

/// Does something for each of some places, on as many threads as were asked for. They are begun in their order, and
/// what comes of them is given in it.
fn in_turn<T: Send>(
    places: &[Place],
    options: &RunOptions,
    work: impl Fn(Place) -> T + Sync,
) -> Result<Vec<T>, Failure> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .build()
        .map_err(|error| Failure::NoThreads(error.to_string()))?;
    let next = AtomicUsize::new(0);
    let done = pool.broadcast(|_| {
        let mut done = Vec::new();
        while let turn = next.fetch_add(1, Ordering::Relaxed)
            && let Some(place) = places.get(turn)
        {
            done.push((turn, work(*place)));
        }
        done
    });
    let mut done: Vec<(usize, T)> = done.into_iter().flatten().collect();
    done.sort_unstable_by_key(|(turn, _)| *turn);
    Ok(done.into_iter().map(|(_, made)| made).collect())
}

fn asked_in_all(undertakings: &[Undertaking], options: &RunOptions) -> u32 {
    undertakings.iter().fold(0, |sum: u32, of| sum.saturating_add(replications_of(of.model, options)))
}

/// How many replications a model is run under options; under a precision, at most.
pub fn replications_of(model: &Model, options: &RunOptions) -> u32 {
    let asked = options.replications.unwrap_or(model.run.replications).max(1);
    options.precision.map_or(asked, |precision| precision.most)
}

/// The replications that were done.
fn finished<Kept>(all: Vec<Result<Kept, Halt>>) -> Result<Vec<Kept>, Failure> {
    let numbered = all.into_iter().enumerate();
    let done = numbered.filter_map(|(replication, outcome)| match outcome {
        Ok(one) => Some(Ok(one)),
        Err(Halt::Interrupted) => None,
        Err(halt) => Some(Err(Failure::Halted { replication: replication as u32, halt })),
    });
    // In the room that they are in already.
    let finished: Vec<Kept> = done.collect::<Result<_, _>>()?;
    if finished.is_empty() { Err(Failure::Interrupted) } else { Ok(finished) }
}

fn replicated(bench: Bench, finished: Vec<Finished>) -> Replicated {
    let sources: Vec<Source> = finished.iter().map(Finished::source).collect();
    let measures = measured(&bench.model, &bench.measures, &sources);
    let found: Vec<Found> = finished.iter().map(Finished::found).collect();
    let trial = Trial {
        model: &bench.model,
        found: &found,
        asked: bench.asked,
        confidence: CONFIDENCE,
        measures: &bench.measures,
    };
    let broken = trial.broken();
    let numbers = finished.iter().map(|one| one.number).collect();
    Replicated { results: results(bench, finished), numbers, measures, broken }
}

fn results(bench: Bench, finished: Vec<Finished>) -> RunResults {
    let precision = bench.stopping.map(|stopping| {
        let finished: Vec<&Finished> = finished.iter().collect();
        precision::results(&bench, &finished, stopping.precision(), stopping.is_met())
    });
    let Bench { model, file, seed, asked, measures, warm_up, .. } = bench;
    let model = &*model;
    let (pooled, pooled_meters) = bench.pooled.into_inner().expect("no replication panicked");
    let figures: Vec<&Figures> = finished.iter().map(|one| &one.figures).collect();
    let series = bench.series.into_inner().expect("no replication panicked");
    let sums = series.finish(figures[0].clone());
    let replications = Replications::new(&figures, &sums, CONFIDENCE);
    let meters: Vec<&MeterFigures> = finished.iter().map(|one| &one.meters).collect();
    let intervals = Intervals::new(CONFIDENCE);
    let truth = Truth { model, pooled: &pooled_meters, replications: &meters, intervals: &intervals };
    let digests: Vec<Digest> = finished.iter().map(|one| one.digest).collect();
    let seconds = |nanos: Nanos| nanos as f64 / SECOND as f64;
    let failed_expressions = replications.failed_expressions(model);
    let found: Vec<Found> = finished.iter().map(Finished::found).collect();
    let trial = Trial { model, found: &found, asked, confidence: CONFIDENCE, measures: &measures };
    let noted = notes(model, &replications, &figures, &failed_expressions, asked, warm_up.as_ref());
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
        notes: noted
            .into_iter()
            .chain(hoarded(finished.iter().map(|one| &one.hoard)))
            .chain(precision.as_ref().and_then(not_reached))
            .collect(),
        warm_up_search: warm_up,
        precision,
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
        failed_expressions,
    }
}
