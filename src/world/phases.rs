//! The phases of a replication: arrivals, then the drain until nothing is in flight.

use super::record::{Observer, Record};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::ids::*;

/// What a phase event says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// Arrivals stop, faults heal.
    Drain,
    /// The drain has lasted as long as it may.
    Limit,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// First events, in an order that no later one depends on.
    pub(super) fn begin(&mut self) {
        let model = self.model;
        self.agenda.after(model.run.horizon, Class::Fault, Event::Phase(Phase::Drain));
        for fault in 0..model.faults.len() {
            self.begin_fault(FaultId::new(fault));
        }
        self.begin_autoscaling();
        for client in 0..model.clients.len() {
            self.begin_client(ClientId::new(client));
        }
        for instance in 0..model.instances.len() as u32 {
            if self.world.instances[instance as usize].up {
                self.begin_jobs(instance);
            }
        }
        self.schedule_first_expiries();
        self.begin_relays();
    }

    pub(super) fn phase(&mut self, phase: Phase) {
        match phase {
            Phase::Drain => {
                self.world.draining = true;
                self.record(Record::Drain);
                self.heal();
                self.end_operations();
                let limit = self.model.run.drain;
                self.agenda.after(limit, Class::Fault, Event::Phase(Phase::Limit));
            }
            Phase::Limit => self.world.ended = Some(self.is_quiet()),
        }
    }

    /// Whether the drain is over: nothing is in flight and no job found anything to do when it last
    /// looked, or the limit is reached. A job that is never idle, or that looks too seldom to be seen
    /// idle, makes the drain long and not unquiet.
    pub(super) fn is_over(&self) -> bool {
        self.world.ended.is_some() || self.is_quiet() && self.jobs_are_idle()
    }

    /// Whether nothing is in flight.
    pub(super) fn is_quiet(&self) -> bool {
        let world = &self.world;
        world.attempts.len() == 0
            && world.in_flight == 0
            && world.answers == 0
            && world.replays.is_empty()
            && world.replicating.len() == 0
            && world.tickets.len() == 0
            && world.timers.len() == 0
            && world.network.requests.len() == 0
            && world.network.delayed() == 0
            && world.effects.under_way() == 0
            && world.outboxes.iter().all(|outbox| outbox.unsent() == 0)
            && world.relays.iter().all(|relay| relay.in_hand() == 0)
            && (0..self.model.groups.len()).all(|group| world.broker.lag(GroupId::new(group)) == 0)
            && world.broker.deliveries_held() == 0
            && world.broker.has_heard_all()
    }
}
