//! Messages with a delay of their own: their broker has them, and nobody sees them before it is over.
//!
//! Where a broker makes what it has durable only now and then, those that have come since the last flush are gone
//! with a failover.

use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::ids::TopicId;

/// A message that a failover of its broker could still destroy.
#[derive(Clone, Copy, Debug)]
pub struct Postponed {
    message: u32,
    topic: TopicId,
    handle: Handle,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// A message has reached its broker: it is visible at once, or when its delay is over.
    pub(super) fn arrive(&mut self, message: u32, topic: TopicId) {
        let delay = self.world.messages[message].delay;
        if delay == 0 {
            return self.accept(message, topic);
        }
        self.world.in_flight += 1;
        let handle = self.agenda.after(delay, Class::Timer, Event::Visible { message });
        if self.model.topics[topic.index()].knobs.flush_every.is_some() {
            self.world.postponed.push(Postponed { message, topic, handle });
            self.begin_broker(|broker, _, actions| broker.has_something(topic, actions));
            self.carry_out();
        }
    }

    /// The delay of a published message is over.
    pub(super) fn visible(&mut self, message: u32) {
        self.world.in_flight -= 1;
        if let Some(at) = self.world.postponed.iter().position(|postponed| postponed.message == message) {
            self.world.postponed.remove(at);
        }
        let step = self.world.messages[message].step;
        self.accept(message, self.model.publishes[step as usize].topic);
    }

    /// Whether messages of a topic wait for their delay that it could still lose.
    pub(super) fn could_lose_postponed(&self, topic: TopicId) -> bool {
        self.world.postponed.iter().any(|postponed| postponed.topic == topic)
    }

    /// What a topic has is durable.
    pub(super) fn postponed_are_durable(&mut self, topic: TopicId) {
        self.world.postponed.retain(|postponed| postponed.topic != topic);
    }

    /// A broker has failed over: what it had not made durable of a topic will never be visible.
    pub(super) fn lose_postponed(&mut self, topic: TopicId) {
        let all = std::mem::take(&mut self.world.postponed);
        let (lost, left) = all.into_iter().partition(|postponed| postponed.topic == topic);
        self.world.postponed = left;
        let lost: Vec<Postponed> = lost;
        for Postponed { message, handle, .. } in lost {
            self.agenda.cancel(handle);
            self.world.in_flight -= 1;
            self.release_message(message);
        }
    }
}
