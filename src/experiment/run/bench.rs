//! What the replications of one model share while they are run, and what is left of each.

use super::pilot::settled;
use super::sums::SeriesSums;
use super::{Progress, RunOptions, Undertaking, replications_of};
use crate::experiment::measures::Source;
use crate::experiment::readers::Readers;
use crate::experiment::reference::Again;
use crate::experiment::replication;
use crate::experiment::results::WarmUpSearch;
use crate::experiment::stored::fit::Shape;
use crate::experiment::stored::{Keeper, Kept, Place, StoredReplication};
use crate::experiment::verdict::measure;
use crate::experiment::verdict::promised::Found;
use crate::kernel::fingerprint::Digest;
use crate::kernel::stream::StreamPlan;
use crate::model::Model;
use crate::model::promise::MeasureUse;
use crate::observe::findings::Findings;
use crate::observe::meters::{MeterFigures, Meters};
use crate::observe::metrics::{Distributions, Figures};
use crate::stats::sequential::Stopping;
use crate::world::{Halt, Limits};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Who is told of a run, who ends it, and who keeps its replications.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub progress: &'a (dyn Progress + Sync),
    pub interrupt: &'a AtomicBool,
    pub keeper: &'a dyn Keeper,
}

/// Counts the replications that are done, of all runs together.
pub struct DoneInAll<'a> {
    pub progress: &'a (dyn Progress + Sync),
    pub done: AtomicU32,
    pub asked: u32,
}

/// What the replications of a run share.
pub struct Bench<'a> {
    /// Position among what is run together.
    pub point: u32,
    pub model: Cow<'a, Model>,
    /// How the warm-up was found, if it was looked for.
    pub warm_up: Option<WarmUpSearch>,
    pub file: &'a str,
    plan: Arc<StreamPlan>,
    pub seed: u64,
    /// Replications; under a precision those to be done by the next look.
    pub asked: u32,
    pub stopping: Option<Stopping>,
    limits: Limits,
    /// The figures that promises speak of.
    pub measures: Vec<MeasureUse>,
    tally: &'a DoneInAll<'a>,
    interrupt: &'a AtomicBool,
    keeper: &'a dyn Keeper,
    /// Of a replication of this model, once one comes that was not simulated here.
    shape: OnceLock<Shape>,
    /// Merged as they come: the sums do not depend on the order, and all at once would need much memory.
    pub pooled: Mutex<(Distributions, Meters)>,
    /// Sums of quantities over time; of floating point numbers, and so in the order of the replications.
    pub series: Mutex<SeriesSums>,
    /// The first replication known to have halted; later ones need not begin.
    first_halted: AtomicU32,
}

/// What remains of a replication: its figures without their quantities over time, which are most of them.
pub struct Finished {
    pub number: u32,
    pub digest: Digest,
    pub events: u64,
    /// What grows as long as a run goes on and keeps most, in words.
    pub hoard: (usize, String),
    pub figures: Figures,
    pub findings: Findings,
    pub meters: MeterFigures,
    /// In the order of [`Bench::measures`].
    pub measured: Vec<Option<f64>>,
}

impl Finished {
    /// What of it is measured.
    pub fn source(&self) -> Source<'_> {
        Source { figures: &self.figures, findings: &self.findings, promised: &self.measured }
    }

    /// What it found of what is promised.
    pub fn found(&self) -> Found<'_> {
        Found { replication: self.number, findings: &self.findings, figures: &self.measured }
    }
}

impl<'a> Bench<'a> {
    pub fn new(
        point: u32,
        of: Undertaking<'a>,
        options: &RunOptions,
        tally: &'a DoneInAll<'a>,
        interrupt: &'a AtomicBool,
        keeper: &'a dyn Keeper,
    ) -> Self {
        let Undertaking { model, file } = of;
        let (model, warm_up) = settled(model, options, interrupt);
        let stopping = options.precision.map(Stopping::new);
        Self {
            point,
            file,
            plan: Arc::new(StreamPlan::new(&model.streams)),
            seed: options.seed.unwrap_or(model.seed),
            asked: stopping.map_or(replications_of(&model, options), |stopping| stopping.wanted()),
            stopping,
            limits: options.limits,
            measures: measure::wanted(&model),
            tally,
            interrupt,
            keeper,
            shape: OnceLock::new(),
            pooled: Mutex::default(),
            series: Mutex::default(),
            first_halted: AtomicU32::new(u32::MAX),
            warm_up,
            model,
        }
    }

    /// Runs a replication, or takes it from where it is kept, and makes of it what a result needs.
    pub fn replicate(&self, number: u32) -> Result<Finished, Halt> {
        Ok(self.take_in(number, self.provide(number)?))
    }

    /// A replication that was kept, or else simulates and keeps it.
    pub fn provide(&self, number: u32) -> Result<StoredReplication, Halt> {
        if self.first_halted.load(Ordering::Relaxed) < number {
            return Err(Halt::Interrupted);
        }
        let place = Place { point: self.point, replication: number };
        let kept = match self.kept(place) {
            Some(kept) => {
                self.tally.progress.advanced(self.model.run.horizon);
                kept
            }
            None if self.keeper.is_complete() || self.interrupt.load(Ordering::Relaxed) => {
                return Err(Halt::Interrupted);
            }
            None => {
                let kept = self.simulate(number);
                if !matches!(kept, Err(Halt::Interrupted)) {
                    self.keeper.keep(place, &kept);
                }
                kept
            }
        };
        match &kept {
            Ok(_) => {
                let done = self.tally.done.fetch_add(1, Ordering::Relaxed) + 1;
                self.tally.progress.replication_done(done, self.tally.asked);
            }
            Err(Halt::Interrupted) => {}
            Err(_) => drop(self.first_halted.fetch_min(number, Ordering::Relaxed)),
        }
        kept
    }

    /// What was kept of a replication. What cannot be one of this model is as good as nothing.
    fn kept(&self, place: Place) -> Option<Kept> {
        let kept = self.keeper.kept(place)?;
        let shape = || self.shape.get_or_init(|| Shape::of(&self.model));
        let is_one = kept.as_ref().map_or(true, |stored| stored.fits(shape()));
        is_one.then_some(kept)
    }

    fn simulate(&self, number: u32) -> Kept {
        let agenda = replication::agenda(&self.model, &self.plan, self.seed, number);
        let mut readers = Readers::new(&self.model, self.tally.progress);
        let (events, world) = readers.read(&self.model, agenda, self.limits, self.interrupt)?;
        let hoard = world.largest_hoard(&self.model);
        let Readers { digest, metrics, oracles, .. } = readers;
        let (figures, distributions) = metrics.finish();
        let (mut findings, meters) = oracles.finish();
        findings.promises.extend(self.again(number).judge()?);
        findings.faults_that_hit = figures.faults.iter().map(|fault| fault.touched > 0).collect();
        let digest = digest.fingerprint().finish();
        Ok(StoredReplication { digest, events, hoard, figures, distributions, findings, meters })
    }

    /// Adds what adds up to that of the others; what remains is a replication's own.
    fn take_in(&self, number: u32, stored: StoredReplication) -> Finished {
        let StoredReplication {
            digest,
            events,
            hoard,
            mut figures,
            distributions,
            findings,
            meters: metered,
        } = stored;
        let measured = measure::measure(&self.model, &self.measures, &figures, &distributions, &metered);
        let meters = metered.figures();
        let mut pooled = self.pooled.lock().expect("no replication panicked");
        pooled.0.merge(distributions);
        pooled.1.merge(metered);
        drop(pooled);
        let series = figures.series_mut().map(std::mem::take).collect();
        self.series.lock().expect("no replication panicked").add(number, series);
        Finished { number, digest, events, hoard, figures, findings, meters, measured }
    }

    /// A replication, to be run once more.
    fn again(&self, replication: u32) -> Again<'_> {
        let Self { plan, seed, limits, interrupt, .. } = self;
        Again { model: &self.model, plan: plan.clone(), seed: *seed, replication, limits: *limits, interrupt }
    }
}
