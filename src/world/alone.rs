//! Intents alone: each begins when nothing of the one before is under way, and no fault, job or operation
//! disturbs them. That is how they would have gone if nothing had come between.
//!
//! Law. An intent keeps its number, so that it draws what it drew before; and what an attempt made that nobody
//! else gets (`unique()`, a message's id, a count) it makes once more, as long as it makes no more than it did. What is
//! made beyond that begins at `fresh`.

use super::record::Observer;
use super::without::Without;
use super::{EVENTS_BETWEEN_CHECKS, Event, Halt, Limits, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE, Word};
use rustc_hash::FxHashMap;
use std::sync::atomic::AtomicBool;

/// One intent: of which client, and the how-manieth of it, from 0.
pub type Intent = (ClientId, u64);

/// What the attempts on each obligation made, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    pub made: FxHashMap<u64, Vec<Word>>,
    /// How much of it was made again.
    used: FxHashMap<u64, usize>,
}

impl Script {
    pub fn new(made: FxHashMap<u64, Vec<Word>>) -> Self {
        Self { made, used: FxHashMap::default() }
    }

    fn next(&mut self, obligation: u64) -> Option<Word> {
        let made = self.made.get(&obligation)?;
        let used = self.used.entry(obligation).or_insert(0);
        *used += 1;
        made.get(*used - 1).copied()
    }
}

impl<'m, A: Agenda<Event>, O: Observer> Simulation<'m, A, O> {
    /// A replication in which nothing happens by itself.
    pub fn alone(model: &'m Model, agenda: A, observer: O, script: Script, fresh: u64) -> Self {
        let world = super::World::new(model);
        let without = Without::default();
        let mut simulation = Self { model, world, agenda, observer, without, alone: Some(script), events: 0 };
        simulation.world.unique.fill(fresh);
        simulation.schedule_first_expiries();
        simulation.begin_relays();
        simulation
    }

    /// An intent begins after a while; then all that comes of it, to the end.
    ///
    /// # Errors
    ///
    /// What the design did that no run can bear, or that `interrupt` was set.
    pub fn perform(
        &mut self,
        (client, number): Intent,
        after: Nanos,
        limits: Limits,
        interrupt: &AtomicBool,
    ) -> Result<(), Halt> {
        self.world.clients[client.index()].begun = number;
        self.later(after, Class::Arrival, Event::Arrival { client });
        let (first, mut instant, mut instant_began) = (self.events, self.agenda.now(), self.events);
        while let Some(event) = self.agenda.next() {
            self.events += 1;
            self.apply(event);
            if self.world.clients[client.index()].begun > number && self.is_quiet() {
                break;
            }
            if (self.events - first).is_multiple_of(EVENTS_BETWEEN_CHECKS) {
                if self.agenda.now() != instant {
                    (instant, instant_began) = (self.agenda.now(), self.events);
                }
                self.check(limits, self.events - instant_began, interrupt)?;
            }
        }
        Ok(())
    }

    /// A value that an attempt makes: in a run that repeats another, what it made there.
    #[cold]
    pub(super) fn made_again(&mut self, attempt: u32, value: Word) -> Word {
        if self.world.scratch.is_dry || attempt == NONE {
            return value;
        }
        let whole = self.root_of(attempt);
        let obligation = self.world.attempts[whole].cause.obligation;
        let value = self.alone.as_mut().and_then(|script| script.next(obligation)).unwrap_or(value);
        self.tell(&super::deed::Deed::Made { attempt: whole, value });
        value
    }
}
