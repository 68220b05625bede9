//! Outboxes: rows committed with the business data, and the relay that publishes them.
//!
//! One relay a service, run by its first instance that is up. It reads a batch of unsent rows,
//! publishes them in the order of their ids and marks them, before or after as the scenario says.
//! When its instance crashes, what it had in hand is as the store knows it: rows that were published
//! and not yet marked are published again, rows that were marked and not yet published never are.

use super::attempt::{StepResult, Wait};
use super::commit::TransactionEnd;
use super::deed::Deed;
use super::interpret::Flow;
use super::network::Hop;
use super::outage::Unconfirmed;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, RingId};
use crate::kernel::ids::TopicId;
use crate::kernel::stream::DrawKey;
use crate::model::{Duration, Error, NONE, Pc};
use std::collections::BTreeMap;

/// The rows of an outbox and where its relay stands.
#[derive(Clone, Default)]
pub struct OutboxState {
    /// Committed and unmarked, by id: the message of each.
    rows: BTreeMap<u64, u32>,
    /// Inserted by transactions that are still open.
    pending: Vec<(u32, u64, u32)>,
    next_id: u64,
    /// Matches the relay's present life and step.
    token: u32,
    instance: u32,
    stage: Stage,
    batch: Vec<(u64, u32)>,
    unconfirmed: Vec<u32>,
    rounds: u64,
    sends: u32,
}

/// A message as its relay sent it.
#[derive(Clone, Copy, Debug)]
pub struct Relayed {
    pub outbox: u32,
    pub token: u32,
    pub message: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Stage {
    #[default]
    Resting,
    /// Rows are read in the middle of a read.
    Reading,
    /// Marks are set in the middle of a write.
    Marking,
    /// Marks are set; the answer is on its way.
    Marked,
    /// Waits for confirmations.
    Publishing,
}

impl OutboxState {
    /// Rows not yet published and marked.
    pub fn unsent(&self) -> usize {
        self.rows.len() + self.batch.len()
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// `publish … via: outbox`: a row, in the transaction in hand or one of its own.
    pub(super) fn insert_into_outbox(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        if self.world.attempts[attempt].transaction.is_none() && !self.take_connection(attempt, pc) {
            return Ok(Flow::Leave);
        }
        let model = self.model;
        let publish = &model.publishes[step as usize];
        let Some(times) = publish.outbox else { unreachable!("called for outbox publishes") };
        let made = self.make_publication(attempt, publish, step);
        if made.is_err() && self.world.attempts[attempt].transaction.is_none() {
            self.release_connection(attempt);
        }
        let message = made?;
        self.world.attempts[attempt].pc = pc;
        self.tell_published(attempt, message, publish);
        let of = &mut self.world.attempts[attempt];
        of.outgoing = message;
        of.state.alone = of.transaction.is_none();
        let length = self.step_length(times.write, attempt)? + self.step_length(times.commit, attempt)?;
        self.world.attempts[attempt].last_wait = length - length / 2;
        self.round_trip(attempt, pc, length / 2, Wait::Outbox { step });
        Ok(Flow::Leave)
    }

    pub(super) fn outbox_arrives(&mut self, attempt: u32, step: u32) {
        let outbox = self.outbox_of(attempt);
        let of = &mut self.world.attempts[attempt];
        let message = std::mem::replace(&mut of.outgoing, NONE);
        let alone = of.state.alone;
        let state = &mut self.world.outboxes[outbox];
        state.next_id += 1;
        let id = state.next_id;
        if alone {
            state.rows.insert(id, message);
            self.tell(&Deed::Enqueued { message });
            self.tell_transaction_ended(attempt, TransactionEnd::Committed);
        } else {
            state.pending.push((attempt, id, message));
        }
        let half = self.world.attempts[attempt].last_wait;
        self.return_trip(attempt, half, Wait::OutboxAnswer { step }, StepResult::Done);
        let model = self.model;
        self.unanswered(attempt, &model.publishes[step as usize].unanswered);
    }

    pub(super) fn outbox_answered(&mut self, attempt: u32) {
        if std::mem::replace(&mut self.world.attempts[attempt].state.alone, false) {
            self.release_connection(attempt);
        }
        let pc = self.world.attempts[attempt].pc;
        self.proceed(attempt, Ok(pc + 1));
    }

    fn outbox_of(&self, attempt: u32) -> usize {
        let instance = self.world.attempts[attempt].instance;
        let service = self.model.instances[instance as usize].service;
        self.model.services[service.index()].outbox.expect("resolved: an outbox is declared") as usize
    }

    /// A transaction has ended: its rows are there for the relay, or never were.
    pub(super) fn enqueue_outbox(&mut self, attempt: u32, end: TransactionEnd) {
        for outbox in 0..self.world.outboxes.len() {
            if self.world.outboxes[outbox].pending.is_empty() {
                continue;
            }
            let pending = std::mem::take(&mut self.world.outboxes[outbox].pending);
            let (own, others): (Vec<_>, Vec<_>) = pending.into_iter().partition(|row| row.0 == attempt);
            self.world.outboxes[outbox].pending = others;
            for (_, id, message) in own {
                match end {
                    TransactionEnd::Committed => {
                        self.world.outboxes[outbox].rows.insert(id, message);
                        self.tell(&Deed::Enqueued { message });
                    }
                    TransactionEnd::RolledBack => self.release_message(message),
                }
            }
        }
    }

    /// The relay's next poll.
    pub(super) fn schedule_poll(&mut self, outbox: u32) {
        let ring = self.model.outboxes[outbox as usize].every.ring;
        let state = &mut self.world.outboxes[outbox as usize];
        state.stage = Stage::Resting;
        state.token += 1;
        let token = state.token;
        self.agenda.after_constant(RingId(ring), Event::Relay { outbox, token });
    }

    /// The relay's next step is due.
    pub(super) fn relay(&mut self, outbox: u32, token: u32) {
        if self.world.outboxes[outbox as usize].token != token {
            return;
        }
        let model = self.model;
        let spec = &model.outboxes[outbox as usize];
        let stage = self.world.outboxes[outbox as usize].stage;
        match stage {
            Stage::Resting => {
                let service = &model.services[spec.service.index()];
                let mut instances = service.first_instance..service.first_instance + service.instances;
                let up = instances.find(|&instance| self.world.instances[instance as usize].up);
                let (Some(instance), false) = (up, self.world.outboxes[outbox as usize].rows.is_empty())
                else {
                    return self.schedule_poll(outbox);
                };
                let state = &mut self.world.outboxes[outbox as usize];
                state.instance = instance;
                state.rounds += 1;
                self.relay_step(outbox, Stage::Reading, spec.read);
            }
            _ if self.relay_is_held_up(outbox, token) => {}
            Stage::Reading => {
                let state = &mut self.world.outboxes[outbox as usize];
                state.batch =
                    state.rows.iter().take(spec.batch as usize).map(|(&id, &row)| (id, row)).collect();
                state.sends = 0;
                if spec.mark_before_publish {
                    self.relay_step(outbox, Stage::Marking, spec.mark);
                } else {
                    self.relay_batch(outbox);
                }
            }
            Stage::Marking => {
                let state = &mut self.world.outboxes[outbox as usize];
                for (id, _) in &state.batch {
                    state.rows.remove(id);
                }
                self.relay_step(outbox, Stage::Marked, spec.mark_commit);
            }
            Stage::Marked if spec.mark_before_publish => self.relay_batch(outbox),
            Stage::Marked => self.finish_batch(outbox),
            // The confirmations are late: what is unconfirmed is sent again.
            Stage::Publishing => self.relay_batch(outbox),
        }
    }

    /// A paused instance's relay goes on when it wakes.
    fn relay_is_held_up(&mut self, outbox: u32, token: u32) -> bool {
        let instance = self.world.outboxes[outbox as usize].instance as usize;
        let here = &mut self.world.instances[instance];
        if here.paused > 0 {
            here.deferred.push(Event::Relay { outbox, token });
        }
        here.paused > 0
    }

    fn relay_step(&mut self, outbox: u32, stage: Stage, length: Duration) {
        let state = &mut self.world.outboxes[outbox as usize];
        state.stage = stage;
        state.token += 1;
        let (token, rounds) = (state.token, state.rounds);
        let length = self.length(length, DrawKey::numbered(0, rounds));
        self.agenda.after(length, Class::Completion, Event::Relay { outbox, token });
    }

    /// Publishes what is in hand, in order, and waits for the confirmations.
    fn relay_batch(&mut self, outbox: u32) {
        let model = self.model;
        let state = &mut self.world.outboxes[outbox as usize];
        state.stage = Stage::Publishing;
        state.token += 1;
        let token = state.token;
        if state.sends == 0 {
            state.unconfirmed = state.batch.iter().map(|(_, message)| *message).collect();
        }
        state.sends += 1;
        let (sends, instance) = (state.sends, state.instance);
        let batch = state.unconfirmed.clone();
        if sends == 1 {
            // The relay is the producer. One that takes a row up again after a crash is a new producer, which
            // no broker takes for the old one.
            for &message in &batch {
                let sequence = &mut self.world.producers[instance as usize];
                *sequence += 1;
                let of = &mut self.world.messages[message];
                (of.producer, of.sequence) = (instance, *sequence);
            }
        }
        // Nobody waits for the confirmation of what asks for none.
        let confirms = |message: &u32| model.publishes[self.world.messages[*message].step as usize].confirm;
        self.world.outboxes[outbox as usize].unconfirmed = batch.iter().copied().filter(confirms).collect();
        let mut timeout: Option<crate::model::RingLength> = None;
        for message in batch {
            let publish = &model.publishes[self.world.messages[message].step as usize];
            let topic = publish.topic;
            let partition = self.partition_of(message, topic);
            let broker = model.topics[topic.index()].broker;
            let (route, _, hops) = model.outboxes[outbox as usize].ways[broker.index()];
            if publish.confirm && timeout.is_none_or(|longest| longest.length < publish.timeout.length) {
                timeout = Some(publish.timeout);
            }
            self.world.messages[message].references += 1;
            self.world.in_flight += 1;
            let of = &self.world.messages[message];
            let instance = self.world.outboxes[outbox as usize].instance;
            let hop = Hop {
                route,
                latency: hops.there,
                trouble: hops.trouble,
                draw: of.cause.again(sends - 1).attempt_key(0, 0),
                from: model.instances[instance as usize].region,
                to: model.topics[topic.index()].region,
                bytes: model.messages[of.kind.index()].size_bytes,
                channel: Some(super::identity::mix(
                    (outbox as u64) << 32 | 4,
                    (topic.0 as u64) << 32 | partition as u64,
                )),
            };
            self.transmit(hop, Event::RelayPublished { outbox, token, message });
        }
        match timeout {
            Some(timeout) => {
                self.agenda.after_constant(RingId(timeout.ring), Event::Relay { outbox, token });
            }
            None => self.batch_published(outbox),
        }
    }

    /// Whether the relay still waits for what it sent with this token.
    pub(super) fn is_relay_waiting(&self, outbox: u32, token: u32) -> bool {
        self.world.outboxes[outbox as usize].token == token
    }

    /// One of the relay's messages reaches its broker.
    pub(super) fn relay_published(&mut self, outbox: u32, token: u32, message: u32) {
        self.world.in_flight -= 1;
        let model = self.model;
        let publish = &model.publishes[self.world.messages[message].step as usize];
        let topic = &model.topics[publish.topic.index()];
        if self.world.outages.is_out(topic.broker) {
            // The relay sends again what is not confirmed in time.
            return self.release_message(message);
        }
        let draw = self.world.messages[message].cause.attempt_key(0, 0).beside(1);
        self.arrive(message, publish.topic);
        let state = &self.world.outboxes[outbox as usize];
        if !publish.confirm || state.token != token {
            return;
        }
        let relayed = Relayed { outbox, token, message };
        if topic.knobs.confirms_durable {
            return self.confirm_later(publish.topic, Unconfirmed::Relay { relayed, draw });
        }
        self.confirm_relayed(publish.topic, relayed, draw);
    }

    /// A broker's confirmation sets out for a relay.
    pub(super) fn confirm_relayed(&mut self, topic: TopicId, relayed: Relayed, draw: DrawKey) {
        let Relayed { outbox, token, message } = relayed;
        let model = self.model;
        let state = &self.world.outboxes[outbox as usize];
        let topic = &model.topics[topic.index()];
        let (_, back, hops) = model.outboxes[outbox as usize].ways[topic.broker.index()];
        let to = model.instances[state.instance as usize].region;
        let trouble = hops.trouble_back;
        let hop = Hop {
            route: back,
            latency: hops.back,
            trouble,
            draw,
            from: topic.region,
            to,
            bytes: 0,
            channel: None,
        };
        self.transmit(hop, Event::RelayConfirmed { outbox, token, message });
    }

    pub(super) fn relay_confirmed(&mut self, outbox: u32, token: u32, message: u32) {
        let state = &mut self.world.outboxes[outbox as usize];
        if state.token != token || state.stage != Stage::Publishing {
            return;
        }
        let instance = &mut self.world.instances[state.instance as usize];
        if instance.paused > 0 {
            instance.deferred.push(Event::RelayConfirmed { outbox, token, message });
            return;
        }
        state.unconfirmed.retain(|unconfirmed| *unconfirmed != message);
        if state.unconfirmed.is_empty() {
            self.batch_published(outbox);
        }
    }

    fn batch_published(&mut self, outbox: u32) {
        let spec = &self.model.outboxes[outbox as usize];
        if spec.mark_before_publish {
            self.finish_batch(outbox);
        } else {
            self.relay_step(outbox, Stage::Marking, spec.mark);
        }
    }

    /// The batch is done; a full one is followed by the next at once.
    fn finish_batch(&mut self, outbox: u32) {
        let batch = std::mem::take(&mut self.world.outboxes[outbox as usize].batch);
        let full = batch.len() == self.model.outboxes[outbox as usize].batch as usize;
        batch.into_iter().for_each(|(_, message)| self.release_message(message));
        if full {
            let spec = &self.model.outboxes[outbox as usize];
            self.world.outboxes[outbox as usize].rounds += 1;
            self.relay_step(outbox, Stage::Reading, spec.read);
        } else {
            self.schedule_poll(outbox);
        }
    }

    /// The relay's instance crashed: what it had in hand is as the store knows it.
    pub(super) fn relay_crashed(&mut self, instance: u32) {
        for outbox in 0..self.world.outboxes.len() as u32 {
            let state = &mut self.world.outboxes[outbox as usize];
            if state.stage == Stage::Resting || state.instance != instance {
                continue;
            }
            let batch = std::mem::take(&mut state.batch);
            for (id, message) in batch {
                // Rows whose mark was set are no longer in the table: nobody will publish them.
                if !self.world.outboxes[outbox as usize].rows.contains_key(&id) {
                    self.release_message(message);
                }
            }
            self.schedule_poll(outbox);
        }
    }
}
