//! Producers that may have only so many unconfirmed sends: what is beyond waits for its turn, in order.
//!
//! With one at a time, what is sent again is not overtaken by what came after it: it keeps its turn until it
//! is confirmed or given up.
//!
//! A broker that goes by sequence numbers keeps that order whatever is in flight: what comes before a send that its
//! producer has to repeat is refused, and tried again after it (Kafka: `OutOfOrderSequenceException`, which an
//! idempotent producer answers by sending again in order). A send that is given up is waited for no longer.

use super::attempt::Wait;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::time::Nanos;
use crate::model::{Error, NONE};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};

/// By producer, topic and partition, then in sequence.
pub type Overdue = BTreeSet<(u32, u32, u32, u64)>;

/// By producer and broker.
pub type Lines = FxHashMap<(u32, u32), Line>;

/// The sends of one producer to one broker.
#[derive(Clone, Debug, Default)]
pub struct Line {
    under_way: u32,
    /// Attempt, token and step of those that wait.
    waiting: VecDeque<(u32, u32, u32)>,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Whose line an attempt's message is in.
    fn line_of(&self, attempt: u32) -> (u32, u32) {
        let message = &self.world.messages[self.world.attempts[attempt].outgoing];
        let topic = self.model.publishes[message.step as usize].topic;
        (message.producer, self.model.topics[topic.index()].broker.0)
    }

    /// Whether it is an attempt's turn to send; if not, it waits for it.
    pub(super) fn may_send(&mut self, attempt: u32, step: u32) -> bool {
        let most = self.model.publishes[step as usize].in_flight;
        let key = self.line_of(attempt);
        let line = self.world.sending.entry(key).or_default();
        if line.under_way < most {
            line.under_way += 1;
            self.world.attempts[attempt].state.sending = true;
            return true;
        }
        let token = self.world.attempts.wait(attempt, Wait::Turn { step });
        line.waiting.push_back((attempt, token, step));
        false
    }

    /// A send was confirmed, or is given up: the next has its turn, if it is still there.
    pub(super) fn send_is_over(&mut self, attempt: u32) {
        self.world.attempts[attempt].state.sending = false;
        let key = self.line_of(attempt);
        let line = self.world.sending.get_mut(&key).expect("it was under way");
        while let Some((next, token, step)) = line.waiting.pop_front() {
            if self.world.attempts.is_waiting(next, token) {
                self.world.attempts[next].state.sending = true;
                let token = self.world.attempts.wait(next, Wait::ConfirmAgain { step });
                self.agenda.after(0, Class::Completion, Event::Resume { attempt: next, token });
                return;
            }
        }
        line.under_way -= 1;
        if line.under_way == 0 {
            self.world.sending.remove(&key);
        }
    }

    /// Where a message stands among what its producer sends, if its broker goes by that.
    fn place_in_sequence(&self, message: u32) -> Option<(u32, u32, u32, u64)> {
        let of = &self.world.messages[message];
        let publish = self.model.publishes.get(of.step as usize)?;
        publish.in_sequence.then_some((of.producer, publish.topic.0, of.partition, of.sequence))
    }

    /// Whether a message comes before one that its producer has sent earlier and must send again.
    pub(super) fn is_ahead_of_its_turn(&self, message: u32) -> bool {
        if self.world.overdue.is_empty() {
            return false;
        }
        let Some(place) = self.place_in_sequence(message) else { return false };
        let first = (place.0, place.1, place.2, 0);
        self.world.overdue.range(first..place).next().is_some()
    }

    /// A broker has refused a message that its producer will send again.
    pub(super) fn message_is_overdue(&mut self, message: u32) {
        if let Some(place) = self.place_in_sequence(message) {
            self.world.overdue.insert(place);
        }
    }

    /// Its broker takes a message in.
    pub(super) fn message_is_taken(&mut self, message: u32) {
        self.world.messages[message].taken = true;
        if self.world.overdue.is_empty() {
            return;
        }
        if let Some(place) = self.place_in_sequence(message) {
            self.world.overdue.remove(&place);
        }
    }

    /// A send has failed, and is repeated: unless its broker has the message, what follows waits for it.
    pub(super) fn send_is_overdue(&mut self, attempt: u32, wait: Wait) {
        let message = self.world.attempts[attempt].outgoing;
        if matches!(wait, Wait::Confirm { .. }) && !self.world.messages[message].taken {
            self.message_is_overdue(message);
        }
    }

    /// An attempt is done with its send, well or not: nothing waits for it any more.
    pub(super) fn send_is_settled(&mut self, attempt: u32) {
        let message = self.world.attempts[attempt].outgoing;
        if message == NONE {
            return;
        }
        if let Some(place) = self.place_in_sequence(message) {
            self.world.overdue.remove(&place);
        }
    }

    /// How long a try of a send took until it failed, as far as it counts: a refusal comes at once.
    pub(super) fn took_to_fail(&self, wait: Wait, error: Error) -> Nanos {
        match (wait, error) {
            (Wait::Confirm { step }, Error::Timeout) => self.model.publishes[step as usize].timeout.length,
            _ => 0,
        }
    }
}
