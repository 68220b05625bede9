//! Relays: they read a batch of an outbox's rows, publish them in order and mark them, before or after as the
//! scenario says.
//!
//! A relay runs on an instance that is up: the first relay on the first one, and so on. When its instance crashes,
//! what it had in hand is as the store knows it: rows that were published and not yet marked are published again,
//! rows that were marked and not yet published never are. It asks the outbox's store like anybody else: refused, it looks
//! again at its next poll, and what it had in hand is for whoever comes first.

mod troubles;

use super::network::Hop;
use super::outage::Unconfirmed;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, RingId};
use crate::kernel::ids::TopicId;
use crate::kernel::stream::DrawKey;
use crate::model::{Duration, NONE, OutboxMark, OutboxSelect, Place};

/// Where a relay stands.
#[derive(Clone)]
pub struct Relay {
    /// Matches the relay's present life and step.
    token: u32,
    instance: u32,
    /// The life of the instance that it began in.
    epoch: u32,
    /// How far it has come, of those that follow a position; saved or not.
    position: u64,
    stage: Stage,
    batch: Vec<(u64, u32)>,
    unconfirmed: Vec<u32>,
    /// How many of the unconfirmed, the last ones, wait until the others are confirmed.
    held_back: usize,
    rounds: u64,
    sends: u32,
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            token: 0,
            instance: NONE,
            epoch: 0,
            position: 0,
            stage: Stage::Resting,
            batch: Vec::new(),
            unconfirmed: Vec::new(),
            held_back: 0,
            rounds: 0,
            sends: 0,
        }
    }
}

/// A message as its relay sent it.
#[derive(Clone, Copy, Debug)]
pub struct Relayed {
    pub relay: u32,
    pub token: u32,
    pub message: u32,
}

impl Relay {
    /// Whether it has this row in hand.
    pub fn holds(&self, number: u64) -> bool {
        self.batch.iter().any(|(held, _)| *held == number)
    }

    /// Rows that it has in hand.
    pub fn in_hand(&self) -> usize {
        self.batch.len()
    }
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

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Relays look for the first time after one interval, and save what they save now and then after another.
    pub(super) fn begin_relays(&mut self) {
        let model = self.model;
        for (relay, &outbox) in model.relays.iter().enumerate() {
            let relay = relay as u32;
            self.schedule_poll(relay);
            let of = &model.outboxes[outbox as usize];
            if of.mark == OutboxMark::Periodic {
                self.agenda.after_constant(RingId(of.mark_every.ring), Event::RelayMark { relay });
            }
        }
    }

    fn outbox_of_relay(&self, relay: u32) -> usize {
        self.model.relays[relay as usize] as usize
    }

    /// The relay's next poll.
    fn schedule_poll(&mut self, relay: u32) {
        let ring = self.model.outboxes[self.outbox_of_relay(relay)].every.ring;
        let state = &mut self.world.relays[relay as usize];
        state.stage = Stage::Resting;
        state.token += 1;
        let token = state.token;
        self.agenda.after_constant(RingId(ring), Event::Relay { relay, token });
    }

    /// Where the relay runs now; a position is known to the process that came to it, and to no other.
    fn place_relay(&mut self, relay: u32) -> Option<u32> {
        let model = self.model;
        let outbox = self.outbox_of_relay(relay);
        let spec = &model.outboxes[outbox];
        let state = &self.world.relays[relay as usize];
        let has_position = spec.select != OutboxSelect::Unsent;
        let is_there = |at: u32| self.world.instances.get(at as usize).is_some_and(|here| here.up);
        if has_position
            && is_there(state.instance)
            && self.world.instances[state.instance as usize].epoch == state.epoch
        {
            return Some(state.instance);
        }
        let service = &model.services[spec.service.index()];
        let instances = service.first_instance..service.first_instance + service.instances;
        let up: Vec<u32> = instances.filter(|&at| self.world.instances[at as usize].takes_calls()).collect();
        let instance = *up.get((relay - spec.first_relay) as usize % up.len().max(1))?;
        let epoch = self.world.instances[instance as usize].epoch;
        let saved = self.world.outboxes[outbox].saved;
        let state = &mut self.world.relays[relay as usize];
        (state.instance, state.epoch, state.position) = (instance, epoch, saved);
        Some(instance)
    }

    /// What the relay would take now, up to a batch.
    fn rows_to_take(&self, relay: u32) -> Vec<(u64, u32)> {
        let outbox = self.outbox_of_relay(relay);
        let (spec, state) = (&self.model.outboxes[outbox], &self.world.outboxes[outbox]);
        let first = match spec.select {
            OutboxSelect::Unsent => 0,
            _ => self.world.relays[relay as usize].position + 1,
        };
        let free = state.rows.range(first..).filter(|(_, row)| row.relay == NONE);
        free.take(spec.batch as usize).map(|(&number, row)| (number, row.message)).collect()
    }

    /// Whether there is anything that it would take.
    fn finds_rows(&self, relay: u32) -> bool {
        let outbox = self.outbox_of_relay(relay);
        let state = &self.world.outboxes[outbox];
        let first = match self.model.outboxes[outbox].select {
            OutboxSelect::Unsent => 0,
            _ => self.world.relays[relay as usize].position + 1,
        };
        state.rows.range(first..).any(|(_, row)| row.relay == NONE)
    }

    /// A position that is saved now and then is.
    pub(super) fn relay_mark(&mut self, relay: u32) {
        let outbox = self.outbox_of_relay(relay);
        let ring = self.model.outboxes[outbox].mark_every.ring;
        self.agenda.after_constant(RingId(ring), Event::RelayMark { relay });
        let state = &self.world.relays[relay as usize];
        let (position, epoch) = (state.position, state.epoch);
        let is_well = |here: &super::instance::Instance| here.up && here.paused == 0 && here.epoch == epoch;
        if self.world.instances.get(state.instance as usize).is_some_and(is_well) && self.is_answered(outbox)
        {
            self.save_position(outbox, position, &[]);
        }
    }

    /// The relay's next step is due.
    pub(super) fn relay(&mut self, relay: u32, token: u32) {
        if self.world.relays[relay as usize].token != token {
            return;
        }
        let model = self.model;
        let spec = &model.outboxes[self.outbox_of_relay(relay)];
        let stage = self.world.relays[relay as usize].stage;
        match stage {
            Stage::Resting => {
                if self.place_relay(relay).is_none() || !self.finds_rows(relay) {
                    return self.schedule_poll(relay);
                }
                self.world.relays[relay as usize].rounds += 1;
                self.relay_step(relay, Stage::Reading, spec.read);
            }
            _ if self.relay_is_held_up(relay, token) => {}
            Stage::Reading | Stage::Marking if self.relay_is_refused(relay, token) => {}
            Stage::Reading => {
                let batch = self.rows_to_take(relay);
                if batch.is_empty() {
                    // Another relay was faster.
                    return self.schedule_poll(relay);
                }
                self.lock_rows(relay, &batch, relay);
                let state = &mut self.world.relays[relay as usize];
                (state.batch, state.sends) = (batch, 0);
                if spec.mark == OutboxMark::BeforePublish {
                    self.relay_step(relay, Stage::Marking, spec.mark_length);
                } else {
                    self.relay_batch(relay);
                }
            }
            Stage::Marking => {
                self.mark_rows(relay);
                self.relay_step(relay, Stage::Marked, spec.mark_commit);
            }
            Stage::Marked if spec.mark == OutboxMark::BeforePublish => self.relay_batch(relay),
            Stage::Marked => self.finish_batch(relay),
            // The confirmations are late: what is unconfirmed is sent again.
            Stage::Publishing => self.relay_batch(relay),
        }
    }

    /// Locks the rows of a batch for a relay, or lets them go (`NONE`). A position needs no locks.
    fn lock_rows(&mut self, relay: u32, batch: &[(u64, u32)], holder: u32) {
        let outbox = self.outbox_of_relay(relay);
        if self.model.outboxes[outbox].select != OutboxSelect::Unsent {
            return;
        }
        for (number, _) in batch {
            if let Some(row) = self.world.outboxes[outbox].rows.get_mut(number) {
                row.relay = holder;
            }
        }
    }

    /// The rows in hand are marked, or the position is saved behind them.
    fn mark_rows(&mut self, relay: u32) {
        let outbox = self.outbox_of_relay(relay);
        let batch = std::mem::take(&mut self.world.relays[relay as usize].batch);
        if self.model.outboxes[outbox].select == OutboxSelect::Unsent {
            for (number, _) in &batch {
                self.world.outboxes[outbox].rows.remove(number);
            }
        } else if let Some(&(last, _)) = batch.last() {
            self.save_position(outbox, last, &batch);
            self.world.relays[relay as usize].position = last;
        }
        self.world.relays[relay as usize].batch = batch;
    }

    /// A paused instance's relay goes on when it wakes.
    fn relay_is_held_up(&mut self, relay: u32, token: u32) -> bool {
        let instance = self.world.relays[relay as usize].instance as usize;
        let here = &mut self.world.instances[instance];
        if here.paused > 0 {
            here.deferred.push(Event::Relay { relay, token });
        }
        here.paused > 0
    }

    fn relay_step(&mut self, relay: u32, stage: Stage, length: Duration) {
        let number = relay - self.model.outboxes[self.outbox_of_relay(relay)].first_relay;
        let state = &mut self.world.relays[relay as usize];
        state.stage = stage;
        state.token += 1;
        let (token, rounds) = (state.token, state.rounds);
        let length = self.length(length, DrawKey::numbered(number, rounds));
        self.agenda.after(length, Class::Completion, Event::Relay { relay, token });
    }

    /// Publishes what is in hand, in order, and waits for the confirmations. Where only so many may be on their way,
    /// it does so by as many at a time.
    fn relay_batch(&mut self, relay: u32) {
        let model = self.model;
        let outbox = self.outbox_of_relay(relay);
        let state = &mut self.world.relays[relay as usize];
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
        let of = |message: u32| &model.publishes[self.world.messages[message].step as usize];
        let confirms = |message: &&u32| of(**message).confirm;
        let most = batch.iter().filter(confirms).map(|message| of(*message).in_flight as usize).min();
        let in_turn = batch.iter().enumerate().filter(|(_, message)| confirms(message));
        let first_held_back = most.and_then(|most| in_turn.map(|(at, _)| at).nth(most));
        let (batch, held_back) = batch.split_at(first_held_back.unwrap_or(batch.len()));
        let unconfirmed = batch.iter().filter(confirms).chain(held_back).copied().collect();
        let state = &mut self.world.relays[relay as usize];
        (state.unconfirmed, state.held_back) = (unconfirmed, held_back.len());
        let mut timeout: Option<crate::model::RingLength> = None;
        for &message in batch {
            let publish = &model.publishes[self.world.messages[message].step as usize];
            let topic = publish.topic;
            let partition = self.partition_of(message, topic);
            let broker = model.topics[topic.index()].broker;
            let (route, _, hops) = model.outboxes[outbox].ways[broker.index()];
            if publish.confirm && timeout.is_none_or(|longest| longest.length < publish.timeout.length) {
                timeout = Some(publish.timeout);
            }
            self.world.messages[message].references += 1;
            self.world.in_flight += 1;
            let of = &self.world.messages[message];
            let instance = self.world.relays[relay as usize].instance;
            let hop = Hop {
                route,
                latency: hops.there,
                trouble: hops.trouble,
                draw: of.cause.again(sends - 1).attempt_key(0, 0),
                from: model.instances[instance as usize].region,
                to: model.topics[topic.index()].region,
                bytes: model.messages[of.kind.index()].size_bytes,
                channel: Some(super::identity::mix(
                    (relay as u64) << 32 | 4,
                    (topic.0 as u64) << 32 | partition as u64,
                )),
            };
            self.transmit(hop, Event::RelayPublished { relay, token, message });
        }
        match timeout {
            Some(timeout) => {
                self.agenda.after_constant(RingId(timeout.ring), Event::Relay { relay, token });
            }
            None => self.batch_published(relay),
        }
    }

    /// Whether the relay still waits for what it sent with this token.
    pub(super) fn is_relay_waiting(&self, relay: u32, token: u32) -> bool {
        self.world.relays[relay as usize].token == token
    }

    /// One of the relay's messages reaches its broker.
    pub(super) fn relay_published(&mut self, relay: u32, token: u32, message: u32) {
        self.world.in_flight -= 1;
        let model = self.model;
        let publish = &model.publishes[self.world.messages[message].step as usize];
        let topic = &model.topics[publish.topic.index()];
        if self.world.outages.is_out(topic.broker) {
            self.outage_met(Place::Broker(topic.broker));
            // The relay sends again what is not confirmed in time.
            return self.release_message(message);
        }
        let draw = self.world.messages[message].cause.attempt_key(0, 0).beside(1);
        self.arrive(message, publish.topic);
        if !publish.confirm || !self.is_relay_waiting(relay, token) {
            return;
        }
        let relayed = Relayed { relay, token, message };
        if topic.knobs.confirms_durable {
            return self.confirm_later(publish.topic, Unconfirmed::Relay { relayed, draw });
        }
        self.confirm_relayed(publish.topic, relayed, draw);
    }

    /// A broker's confirmation sets out for a relay.
    pub(super) fn confirm_relayed(&mut self, topic: TopicId, relayed: Relayed, draw: DrawKey) {
        let Relayed { relay, token, message } = relayed;
        let model = self.model;
        let state = &self.world.relays[relay as usize];
        let topic = &model.topics[topic.index()];
        let (_, back, hops) = model.outboxes[self.outbox_of_relay(relay)].ways[topic.broker.index()];
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
        self.transmit(hop, Event::RelayConfirmed { relay, token, message });
    }

    pub(super) fn relay_confirmed(&mut self, relay: u32, token: u32, message: u32) {
        let state = &mut self.world.relays[relay as usize];
        if state.token != token || state.stage != Stage::Publishing {
            return;
        }
        let instance = &mut self.world.instances[state.instance as usize];
        if instance.paused > 0 {
            instance.deferred.push(Event::RelayConfirmed { relay, token, message });
            return;
        }
        state.unconfirmed.retain(|unconfirmed| *unconfirmed != message);
        if state.unconfirmed.is_empty() {
            self.batch_published(relay);
        } else if state.unconfirmed.len() == state.held_back {
            self.relay_batch(relay);
        }
    }

    fn batch_published(&mut self, relay: u32) {
        let spec = &self.model.outboxes[self.outbox_of_relay(relay)];
        match spec.mark {
            OutboxMark::AfterPublish => self.relay_step(relay, Stage::Marking, spec.mark_length),
            OutboxMark::BeforePublish => self.finish_batch(relay),
            OutboxMark::Periodic => {
                // Published, and remembered by nobody but this process.
                let state = &mut self.world.relays[relay as usize];
                let batch = std::mem::take(&mut state.batch);
                state.position = batch.last().map_or(state.position, |(last, _)| *last);
                self.go_on_relaying(relay, batch.len());
            }
        }
    }

    /// The batch is done.
    fn finish_batch(&mut self, relay: u32) {
        let batch = std::mem::take(&mut self.world.relays[relay as usize].batch);
        let length = batch.len();
        batch.into_iter().for_each(|(_, message)| self.release_message(message));
        self.go_on_relaying(relay, length);
    }

    /// A full batch is followed by the next at once.
    fn go_on_relaying(&mut self, relay: u32, length: usize) {
        let spec = &self.model.outboxes[self.outbox_of_relay(relay)];
        if length == spec.batch as usize {
            self.world.relays[relay as usize].rounds += 1;
            self.relay_step(relay, Stage::Reading, spec.read);
        } else {
            self.schedule_poll(relay);
        }
    }
}
