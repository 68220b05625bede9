//! Publishing: a message on its way to its broker, its confirmation, and sending it again.

use super::attempt::{Source, Wait};
use super::broker::{Accepted, Origin};
use super::deed::Acceptance;
use super::interpret::Flow;
use super::network::Hop;
use super::outage::Unconfirmed;
use super::record::{Observer, Record};
use super::{Event, NOWHERE, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::RingId;
use crate::kernel::ids::*;
use crate::model::{Error, NONE, Pc, Place, PublishStep};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    pub(super) fn publish(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        self.world.attempts[attempt].pc = pc;
        let model = self.model;
        let publish = &model.publishes[step as usize];
        if publish.outbox.is_some() {
            return self.insert_into_outbox(attempt, pc, step);
        }
        let message = self.make_publication(attempt, publish, step)?;
        self.world.attempts[attempt].pc = pc;
        self.tell_published(attempt, message, publish);
        let of = &mut self.world.attempts[attempt];
        of.step_tries = 0;
        of.last_wait = 0;
        if publish.confirm {
            of.outgoing = message;
            if publish.in_flight == u32::MAX || self.may_send(attempt, step) {
                self.try_publish(attempt, step);
            }
            return Ok(Flow::Leave);
        }
        self.world.in_flight += 1;
        self.transmit_publish(attempt, step, message, Event::Publish { message, attempt: NONE, token: 0 });
        Ok(Flow::Go(pc + 1))
    }

    /// The message of a `publish`, with its key, its id and its number among what its producer sends.
    pub(super) fn make_publication(
        &mut self,
        attempt: u32,
        publish: &PublishStep,
        step: u32,
    ) -> Result<u32, Error> {
        let message = self.make_message(attempt, publish.message, publish.with, publish.site)?;
        let given = |this: &mut Self, operand: Option<crate::model::Operand>| match operand {
            Some(operand) => this.evaluate(operand, attempt).map(Some),
            None => Ok(None),
        };
        let (key, id) = (given(self, publish.key), given(self, publish.id));
        let delay = match publish.delay {
            Some(delay) => self.clock_length(delay, attempt),
            None => Ok(0),
        };
        let expires = match publish.expires {
            Some(expires) => self.clock_length(expires, attempt).map(|expires| expires.max(1)),
            None => Ok(0),
        };
        let (key, id, delay, expires) = match (key, id, delay, expires) {
            (Ok(key), Ok(id), Ok(delay), Ok(expires)) => (key, id, delay, expires),
            (Err(error), ..) | (_, Err(error), ..) | (_, _, Err(error), _) | (.., Err(error)) => {
                self.release_message(message);
                return Err(error);
            }
        };
        let producer = self.producer_of(attempt);
        let sequence = &mut self.world.producers[producer as usize];
        *sequence += 1;
        let sequence = *sequence;
        let of = &mut self.world.messages[message];
        (of.step, of.producer, of.sequence) = (step, producer, sequence);
        (of.delay, of.expires) = (delay, expires);
        of.key = key.or(of.key);
        of.id = id.unwrap_or(of.id);
        of.partition = NONE;
        Ok(message)
    }

    /// Numbers whoever sends: an instance, or behind them all a client.
    pub(super) fn producer_of(&self, attempt: u32) -> u32 {
        let of = &self.world.attempts[attempt];
        match of.instance {
            NOWHERE => {
                self.model.instances.len() as u32 + of.cause.origin().min(self.model.clients.len() as u32 - 1)
            }
            instance => instance,
        }
    }

    /// Sends a publish that waits for its confirmation, for the first time or again.
    pub(super) fn try_publish(&mut self, attempt: u32, step: u32) {
        if self.waits_for_earlier(attempt, step) {
            return;
        }
        self.send_goes_out(attempt);
        let publish = &self.model.publishes[step as usize];
        let ring = RingId(publish.timeout.ring);
        let token = self.world.attempts.wait(attempt, Wait::Confirm { step });
        let timeout = self.agenda.after_constant(ring, Event::Timeout { attempt, token });
        let of = &mut self.world.attempts[attempt];
        of.timeout = timeout;
        let message = of.outgoing;
        self.world.messages[message].references += 1;
        self.world.in_flight += 1;
        self.transmit_publish(attempt, step, message, Event::Publish { message, attempt, token });
    }

    fn transmit_publish(&mut self, attempt: u32, step: u32, message: u32, event: Event) {
        let model = self.model;
        let publish = &model.publishes[step as usize];
        let partition = self.partition_of(message, publish.topic);
        match self.steady_latency(publish.route, publish.hops.there) {
            Some(latency) => self.transmit_steadily(publish.route, latency, event),
            None => {
                let hop = self.publish_hop(attempt, publish, message, partition);
                self.transmit(hop, event);
            }
        }
    }

    fn publish_hop(&self, attempt: u32, publish: &PublishStep, message: u32, partition: u32) -> Hop {
        let model = self.model;
        let of = &self.world.attempts[attempt];
        let producer = self.world.messages[message].producer;
        Hop {
            route: publish.route,
            latency: publish.hops.there,
            trouble: publish.hops.trouble,
            draw: of.cause.again(of.step_tries).attempt_key(of.item, of.tries),
            from: self.region_of(attempt),
            to: model.topics[publish.topic.index()].region,
            bytes: model.messages[publish.message.index()].size_bytes,
            channel: Some(super::identity::mix(
                (producer as u64) << 32 | 1,
                (publish.topic.0 as u64) << 32 | partition as u64,
            )),
        }
    }

    /// The partition a message goes to: chosen once, kept when it is sent again.
    pub(super) fn partition_of(&mut self, message: u32, topic: TopicId) -> u32 {
        let of = &self.world.messages[message];
        if of.partition != NONE {
            return of.partition;
        }
        let key = of.key;
        let partition = self.begin_broker(|broker, choose, _| broker.route(topic, key, choose));
        self.world.messages[message].partition = partition;
        partition
    }

    /// A publish reaches its broker.
    pub(super) fn publish_arrives(&mut self, message: u32, attempt: u32, token: u32) {
        self.world.in_flight -= 1;
        let model = self.model;
        let step = self.world.messages[message].step;
        let publish = &model.publishes[step as usize];
        let broker = model.topics[publish.topic.index()].broker;
        let mut is_out = self.world.outages.is_out(broker);
        if is_out {
            self.outage_met(Place::Broker(broker));
        }
        is_out |= attempt != NONE && self.is_ahead_of_its_turn(message);
        if is_out {
            if attempt != NONE && self.world.attempts.is_waiting(attempt, token) {
                self.message_is_overdue(message);
            }
            self.release_message(message);
        } else {
            self.message_is_taken(message);
            match publish.with_ack {
                true => self.join_delivery(message, publish.topic, attempt, token),
                false => self.arrive(message, publish.topic),
            }
        }
        if attempt == NONE || !self.world.attempts.is_waiting(attempt, token) {
            return;
        }
        let answer = if is_out {
            Event::Refusal { attempt, token, error: Error::Unavailable.code() }
        } else {
            Event::Answer { attempt, token, payload: NONE }
        };
        if !is_out && !publish.with_ack && model.topics[publish.topic.index()].knobs.confirms_durable {
            return self.confirm_later(publish.topic, Unconfirmed::Attempt { attempt, token, step });
        }
        self.answer_publisher(attempt, step, answer);
    }

    /// A broker's answer sets out for the attempt that waits for it.
    pub(super) fn answer_publisher(&mut self, attempt: u32, step: u32, answer: Event) {
        let model = self.model;
        let publish = &model.publishes[step as usize];
        let of = &self.world.attempts[attempt];
        let hop = Hop {
            route: publish.back,
            latency: publish.hops.back,
            trouble: publish.hops.trouble_back,
            draw: of.cause.again(of.step_tries).attempt_key(of.item, of.tries).beside(1),
            from: model.topics[publish.topic.index()].region,
            to: self.region_of(attempt),
            bytes: 0,
            channel: None,
        };
        self.transmit(hop, answer);
    }

    /// A broker takes a message in; the packet's reference becomes the broker's.
    pub(super) fn accept(&mut self, message: u32, topic: TopicId) {
        let of = &self.world.messages[message];
        let (key, partition) = (of.key, of.partition);
        let size = self.model.messages[of.kind.index()].size_bytes;
        let origin = Some(Origin { producer: of.producer, sequence: of.sequence, id: of.id });
        // A message that is in the broker already, sent again and not recognised, is held once.
        let held_before = self.world.broker.holds(message);
        // Before the actions that it leads to: observers first hear of the message.
        let accepted = self.begin_broker(|broker, choose, actions| {
            broker.accept(topic, partition, message, key, size, origin, choose, actions)
        });
        match accepted {
            Accepted::Appended { .. } => {
                self.let_in(message, topic);
                if held_before {
                    self.release_message(message);
                }
            }
            Accepted::Duplicate => {
                self.record(Record::Deduplicated { topic });
                self.tell_accepted(message, topic, Acceptance::Recognised);
                self.release_message(message);
            }
        }
        self.carry_out();
    }

    /// What is published with an acknowledgement has reached its broker, which keeps it until that is decided.
    /// What nobody waits for any more is no part of it.
    fn join_delivery(&mut self, message: u32, topic: TopicId, attempt: u32, token: u32) {
        let source = match self.world.attempts.is_waiting(attempt, token) {
            true => Some(self.world.attempts[self.root_of(attempt)].source),
            false => None,
        };
        let Some(Source::Delivery { delivery, .. }) = source else { return self.release_message(message) };
        let of = &self.world.messages[message];
        let (key, partition) = (of.key, of.partition);
        let size = self.model.messages[of.kind.index()].size_bytes;
        let is_held = self.begin_broker(|broker, _, _| {
            broker.accept_undecided(delivery, topic, partition, message, key, size)
        });
        if !is_held {
            self.release_message(message);
        }
    }

    /// A message is in its broker now: it has come, or the acknowledgement that it was published with counts.
    pub(super) fn let_in(&mut self, message: u32, topic: TopicId) {
        let of = &self.world.messages[message];
        let (expires, obligation) = (of.expires, of.cause.obligation);
        let tombstone = self.model.publishes[of.step as usize].tombstone;
        if expires > 0 {
            self.begin_broker(|broker, _, actions| broker.expires(message, expires, actions));
        }
        if tombstone {
            self.begin_broker(|broker, _, _| broker.buries(message));
        }
        self.world.stir += 1;
        self.record(Record::Accepted { topic, message, obligation });
        self.tell_accepted(message, topic, Acceptance::Taken);
    }

    pub(super) fn confirmed(&mut self, attempt: u32, step: u32) {
        self.end_wait(attempt);
        let model = self.model;
        let pc = self.world.attempts[attempt].pc;
        if self.unanswered(attempt, &model.publishes[step as usize].unanswered) {
            self.world.attempts[attempt].pc = pc + 1;
            return self.go_on_at_this_instant(attempt);
        }
        self.proceed(attempt, Ok(pc + 1));
    }
}
