//! Producers that may have only so many unconfirmed sends: what is beyond waits for its turn, in order.
//!
//! With one at a time, what is sent again is not overtaken by what came after it: it keeps its turn until it
//! is confirmed or given up.

use super::attempt::Wait;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

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
}
