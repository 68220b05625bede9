//! One replication: a simulation of the model under its own streams, read by the observers.
//!
//! What experiments spend their time in is compiled for its observers ([`super::readers`]). Whatever runs once more
//! to look closer is [`Watched`]: its observer is chosen at run time, and it is compiled once.

use crate::kernel::agenda::Timed;
use crate::kernel::stream::{StreamPlan, Streams};
use crate::kernel::time::Nanos;
use crate::kernel::until::Until;
use crate::model::Model;
use crate::world::record::Observer;
use crate::world::without::Without;
use crate::world::{Event, Halt, Limits, Simulation};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A simulation that any observer may read, up to any moment.
pub type Watched<'m, 'o> = Simulation<'m, Until<Timed<Event>>, &'o mut dyn Observer>;

/// An agenda at time 0 for one replication of a model.
pub fn agenda(model: &Model, plan: &Arc<StreamPlan>, seed: u64, replication: u32) -> Timed<Event> {
    Timed::new(Streams::new(plan.clone(), seed, replication), &model.rings)
}

/// An agenda that never stops before its events do.
pub fn unbounded(agenda: Timed<Event>) -> Until<Timed<Event>> {
    Until::new(agenda, Nanos::MAX)
}

/// Runs a replication to its end under an agenda; gives the number of events.
///
/// # Errors
///
/// What no run can bear, or that `interrupt` was set.
pub fn replicate(
    model: &Model,
    agenda: Timed<Event>,
    observer: &mut dyn Observer,
    limits: Limits,
    interrupt: &AtomicBool,
) -> Result<u64, Halt> {
    replicate_without(model, agenda, observer, limits, interrupt, Without::default())
}

/// The same replication as it would have been without something.
///
/// # Errors
///
/// As of [`replicate`].
pub fn replicate_without(
    model: &Model,
    agenda: Timed<Event>,
    observer: &mut dyn Observer,
    limits: Limits,
    interrupt: &AtomicBool,
    without: Without,
) -> Result<u64, Halt> {
    let mut simulation = Watched::lacking(model, unbounded(agenda), observer, without);
    simulation.run(limits, interrupt)?;
    Ok(simulation.events)
}
