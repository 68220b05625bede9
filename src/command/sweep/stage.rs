//! How far a sweep is, and where the replications of its points are kept while a few of them are run.

use super::{Arguments, Prepared};
use crate::command::progress::Bar;
use crate::command::run::interrupt;
use crate::experiment::run::Progress;
use crate::experiment::stored::{Keeper, Kept, Place};
use crate::kernel::time::Nanos;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Keeps the replications of some points under the numbers that these have in the whole design.
pub struct OfPoints<'a> {
    pub keeper: &'a dyn Keeper,
    pub points: &'a [u32],
}

impl OfPoints<'_> {
    /// A place among these points as one in the whole design.
    pub fn place(&self, place: Place) -> Place {
        Place { point: self.points[place.point as usize], ..place }
    }
}

impl Keeper for OfPoints<'_> {
    fn kept(&self, place: Place) -> Option<Kept> {
        self.keeper.kept(self.place(place))
    }

    fn keep(&self, place: Place, kept: &Kept) {
        self.keeper.keep(self.place(place), kept);
    }

    fn is_complete(&self) -> bool {
        self.keeper.is_complete()
    }
}

/// The progress of a sweep through its points, and what ends it.
pub struct Stage {
    bar: Option<Bar>,
    pub interrupt: Arc<AtomicBool>,
    /// Whether every measure of every replication is wanted.
    pub with_data: bool,
    /// Replications of points that are over.
    before: AtomicU32,
    asked: u32,
}

impl Stage {
    /// Of so many points, of whose replications `found` are there already.
    pub fn new(arguments: &Arguments, prepared: &Prepared, points: usize, found: usize) -> Self {
        let asked = points as u32 * prepared.plan.replications;
        let with_data = arguments.data.is_some();
        let bar = (!arguments.simulation.quiet)
            .then(|| Bar::new(&[(prepared.horizon, asked)]).going_on(found as u32));
        Self { bar, interrupt: interrupt(), with_data, before: AtomicU32::new(0), asked }
    }

    /// One of which nothing is shown: what is there is put together.
    pub fn of_kept(with_data: bool) -> Self {
        let interrupt = Arc::new(AtomicBool::new(false));
        Self { bar: None, interrupt, with_data, before: AtomicU32::new(0), asked: 0 }
    }

    pub fn passed(&self, replications: u32) {
        self.before.fetch_add(replications, Ordering::Relaxed);
    }

    pub fn is_over(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    pub fn clear(&self) {
        self.bar.iter().for_each(Bar::clear);
    }
}

impl Progress for Stage {
    fn advanced(&self, simulated: Nanos) {
        self.bar.iter().for_each(|bar| bar.advanced(simulated));
    }

    fn replication_done(&self, done: u32, _: u32) {
        let before = self.before.load(Ordering::Relaxed);
        self.bar.iter().for_each(|bar| bar.replication_done(before + done, self.asked));
    }
}
