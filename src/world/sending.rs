//! Producers that may have only so many unconfirmed sends: what is beyond waits for its turn, in order.
//!
//! With one at a time, what is sent again is not overtaken by what came after it: it keeps its turn until it
//! is confirmed or given up.
//!
//! A broker that goes by sequence numbers keeps that order whatever is in flight: what comes before a send that its
//! producer has to repeat is refused (Kafka: `OutOfOrderSequenceException`). The producer keeps it too: as long as it
//! repeats a send, what it sent or sends later to that partition waits behind it, without a wait of its own, and goes
//! out in order when the first is confirmed or given up (Kafka's accumulator, whose batches wait behind the first of
//! their partition). So an outage costs what comes later nothing but the wait for the first.
//!
//! ```text
//! 1 refused, repeated after 100 ms ─┐
//! 2 in flight, refused: waits for 1 ├─▶ 1 confirmed ─▶ 2 again, confirmed ─▶ 3 4 5 … at once
//! 3 4 5 … new: wait                 ┘
//! ```

use super::attempt::Wait;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::time::Nanos;
use crate::model::{Error, NONE};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A message among all: its producer, topic and partition, and its number there.
type Place = (u32, u32, u32, u64);

/// What brokers have refused, or never got, and their producers send again.
pub type Overdue = BTreeSet<Place>;

/// The sends that producers repeat, and those that wait behind them.
pub type Turns = BTreeMap<Place, Turn>;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// It was sent before: what is behind waits until it is confirmed.
    is_repeated: bool,
    /// Attempt, token and step, if it waits for those before it.
    waiting: Option<(u32, u32, u32)>,
}

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
    fn place_in_sequence(&self, message: u32) -> Option<Place> {
        let of = &self.world.messages[message];
        let publish = self.model.publishes.get(of.step as usize)?;
        publish.in_sequence.then_some((of.producer, publish.topic.0, of.partition, of.sequence))
    }

    /// Whether an attempt's send must wait for an earlier one that its producer repeats; it does so from now on.
    pub(super) fn waits_for_earlier(&mut self, attempt: u32, step: u32) -> bool {
        if self.world.turns.is_empty() {
            return false;
        }
        let message = self.world.attempts[attempt].outgoing;
        self.partition_of(message, self.model.publishes[step as usize].topic);
        let Some(place) = self.place_in_sequence(message) else { return false };
        if self.world.turns.range(first_of(place)..place).next().is_none() {
            return false;
        }
        let token = self.world.attempts.wait(attempt, Wait::Turn { step });
        let new = Turn { is_repeated: false, waiting: None };
        self.world.turns.entry(place).or_insert(new).waiting = Some((attempt, token, step));
        true
    }

    /// A send has failed behind one that its producer repeats: it is repeated after that, and loses no try.
    pub(super) fn repeats_behind(&mut self, attempt: u32, step: u32) -> bool {
        if !self.waits_for_earlier(attempt, step) {
            return false;
        }
        self.end_timers(attempt);
        self.is_repeated(self.world.attempts[attempt].outgoing);
        true
    }

    /// A message is repeated until it is confirmed or given up.
    fn is_repeated(&mut self, message: u32) {
        if self.world.messages[message].taken {
            return;
        }
        self.message_is_overdue(message);
        if let Some(place) = self.place_in_sequence(message) {
            let new = Turn { is_repeated: true, waiting: None };
            self.world.turns.entry(place).or_insert(new).is_repeated = true;
        }
    }

    /// An attempt's send goes out: what waits behind it may follow, unless it was sent before.
    pub(super) fn send_goes_out(&mut self, attempt: u32) {
        if self.world.turns.is_empty() {
            return;
        }
        let message = self.world.attempts[attempt].outgoing;
        let Some(place) = self.place_in_sequence(message) else { return };
        let Some(turn) = self.world.turns.get_mut(&place) else { return };
        turn.waiting = None;
        if !turn.is_repeated {
            self.turn_is_over(place);
        }
    }

    /// The next in line, if it waits, has its turn.
    fn turn_is_over(&mut self, place: Place) {
        if self.world.turns.remove(&place).is_none() {
            return;
        }
        let (first, end) = (first_of(place), (place.0, place.1, place.2, u64::MAX));
        let Some((_, turn)) = self.world.turns.range_mut(first..end).next() else { return };
        let Some((attempt, token, step)) = turn.waiting else { return };
        if self.world.attempts.is_waiting(attempt, token) {
            let token = self.world.attempts.wait(attempt, Wait::ConfirmAgain { step });
            turn.waiting = Some((attempt, token, step));
            self.agenda.after(0, Class::Completion, Event::Resume { attempt, token });
        }
    }

    /// Whether a message comes before one that its producer has sent earlier and must send again.
    pub(super) fn is_ahead_of_its_turn(&self, message: u32) -> bool {
        if self.world.overdue.is_empty() {
            return false;
        }
        let Some(place) = self.place_in_sequence(message) else { return false };
        self.world.overdue.range(first_of(place)..place).next().is_some()
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
        if matches!(wait, Wait::Confirm { .. }) {
            self.is_repeated(self.world.attempts[attempt].outgoing);
        }
    }

    /// An attempt is done with its send, well or not: nothing waits for it any more.
    pub(super) fn send_is_settled(&mut self, attempt: u32) {
        if self.world.overdue.is_empty() && self.world.turns.is_empty() {
            return;
        }
        let message = self.world.attempts[attempt].outgoing;
        if message == NONE {
            return;
        }
        if let Some(place) = self.place_in_sequence(message) {
            self.world.overdue.remove(&place);
            self.turn_is_over(place);
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

/// The first place of a producer's partition.
fn first_of(place: Place) -> Place {
    (place.0, place.1, place.2, 0)
}
