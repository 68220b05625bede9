//! One replication: a simulation of the model under its own streams, read by the observers.

use crate::kernel::agenda::{Agenda, Timed};
use crate::kernel::stream::{StreamPlan, Streams};
use crate::model::Model;
use crate::world::record::Observer;
use crate::world::without::Without;
use crate::world::{Event, Halt, Limits, Simulation};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// An agenda at time 0 for one replication of a model.
pub fn agenda(model: &Model, plan: &Arc<StreamPlan>, seed: u64, replication: u32) -> Timed<Event> {
    Timed::new(Streams::new(plan.clone(), seed, replication), &model.rings)
}

/// Runs a replication to its end under an agenda; gives the number of events and the agenda back.
///
/// # Errors
///
/// What no run can bear, or that `interrupt` was set.
pub fn replicate<A: Agenda<Event>, O: Observer>(
    model: &Model,
    agenda: A,
    observer: O,
    limits: Limits,
    interrupt: &AtomicBool,
) -> Result<(u64, A), Halt> {
    replicate_without(model, agenda, observer, limits, interrupt, Without::default())
}

/// The same replication as it would have been without something.
///
/// # Errors
///
/// As of [`replicate`].
pub fn replicate_without<A: Agenda<Event>, O: Observer>(
    model: &Model,
    agenda: A,
    observer: O,
    limits: Limits,
    interrupt: &AtomicBool,
    without: Without,
) -> Result<(u64, A), Halt> {
    let mut simulation = Simulation::lacking(model, agenda, observer, without);
    simulation.run(limits, interrupt)?;
    Ok((simulation.events, simulation.agenda))
}
