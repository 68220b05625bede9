//! What every experiment reads of a replication: its digest, its figures, the oracles' findings, and how far it is.
//!
//! A simulation is compiled anew for each kind of observer, which makes it fast and the program large. This is the kind
//! that experiments spend their time in: compiled with the oracles, and without them for designs in which
//! nothing is to be judged. Whatever runs once more to look closer is [`super::replication::Watched`].

use super::run::Progress;
use crate::kernel::agenda::Timed;
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::observe::digest::Digest;
use crate::observe::metrics::Metrics;
use crate::observe::oracles::Oracles;
use crate::world::record::{Observer, Record};
use crate::world::{Event, Halt, Limits, Simulation, World};
use std::sync::atomic::AtomicBool;

/// How often a replication says how far it is: so many times until its horizon.
const STEPS_OF_PROGRESS: Nanos = 200;

/// The observers of one replication.
pub struct Readers<'m, 'p> {
    pub digest: Digest,
    pub metrics: Metrics,
    pub oracles: Oracles<'m>,
    judges: bool,
    pace: Pace<'p>,
}

impl<'m, 'p> Readers<'m, 'p> {
    /// With the oracles, if the model has anything for them to judge.
    pub fn new(model: &'m Model, progress: &'p (dyn Progress + Sync)) -> Self {
        let oracles = Oracles::new(model);
        Self {
            digest: Digest::default(),
            metrics: Metrics::new(model),
            judges: oracles.judges(),
            oracles,
            pace: Pace::new(progress, model.run.horizon),
        }
    }

    /// The oracles do not look, whatever there is to be judged.
    #[must_use]
    pub fn without_judging(self) -> Self {
        Self { judges: false, ..self }
    }

    /// Runs a replication to its end; gives the number of events, and the world as it is then.
    ///
    /// # Errors
    ///
    /// What no run can bear, or that `interrupt` was set.
    pub fn read(
        &mut self,
        model: &'m Model,
        agenda: Timed<Event>,
        limits: Limits,
        interrupt: &AtomicBool,
    ) -> Result<(u64, World), Halt> {
        fn run(
            mut simulation: Simulation<'_, Timed<Event>, impl Observer>,
            limits: Limits,
            interrupt: &AtomicBool,
        ) -> Result<(u64, World), Halt> {
            simulation.run(limits, interrupt)?;
            Ok((simulation.events, simulation.world))
        }
        let measured = (&mut self.digest, (&mut self.metrics, &mut self.pace));
        match self.judges {
            true => run(Simulation::new(model, agenda, (measured, &mut self.oracles)), limits, interrupt),
            false => run(Simulation::new(model, agenda, measured), limits, interrupt),
        }
    }
}

/// Tells the progress of one replication.
struct Pace<'p> {
    progress: &'p (dyn Progress + Sync),
    horizon: Nanos,
    step: Nanos,
    told: Nanos,
    next: Nanos,
}

impl<'p> Pace<'p> {
    fn new(progress: &'p (dyn Progress + Sync), horizon: Nanos) -> Self {
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
