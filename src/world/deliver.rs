//! Deliveries: what the broker decides, carried out; attempts on what it delivers.

use super::attempt::Source;
use super::broker::{self, Action, Broker, DeliveryId, Parcel, TimerId};
use super::deed::Acceptance;
use super::identity::{Cause, mix};
use super::instance::Work;
use super::network::Hop;
use super::record::{Observer, Outcome, Record, Settlement};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::ids::*;
use crate::kernel::stream::DrawKey;
use crate::model::{Code, DeliveryPath, NONE, Word};

/// So many of the broker's decisions are carried out before the loop of events is asked to go on.
const DECISIONS_AT_ONCE: usize = 4096;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Calls the broker and carries out what it decides.
    pub(super) fn with_broker<R>(
        &mut self,
        call: impl FnOnce(&mut Broker, broker::Choose, &mut Vec<Action>) -> R,
    ) -> R {
        let result = self.begin_broker(call);
        self.carry_out();
        result
    }

    /// Calls the broker; its decisions wait for [`Self::carry_out`].
    pub(super) fn begin_broker<R>(
        &mut self,
        call: impl FnOnce(&mut Broker, broker::Choose, &mut Vec<Action>) -> R,
    ) -> R {
        let mut actions = std::mem::take(&mut self.world.scratch.actions);
        let Self { agenda, world, .. } = self;
        let mut choices = world.broker_choices;
        let stream = self.model.broker_stream;
        let mut choose = |n: u32| {
            choices += 1;
            agenda.choose(stream, DrawKey::hashed(choices, 0, 0), n)
        };
        let result = call(&mut world.broker, &mut choose, &mut actions);
        self.world.broker_choices = choices;
        self.world.scratch.actions = actions;
        result
    }

    /// Does what the broker has decided. An action can lead to further ones: each is done in turn.
    pub(super) fn carry_out(&mut self) {
        if self.world.carrying_out {
            return;
        }
        self.world.carrying_out = true;
        let mut at = 0;
        while let Some(&action) = self.world.scratch.actions.get(at) {
            at += 1;
            self.act_for_broker(action);
            // A handler that fails in no time is tried again in no time: the run's budgets must see it.
            if at == DECISIONS_AT_ONCE {
                self.events += at as u64;
                self.agenda.after(0, Class::Fault, Event::CarryOut);
                break;
            }
        }
        self.world.scratch.actions.drain(..at);
        self.world.carrying_out = false;
    }

    fn act_for_broker(&mut self, action: Action) {
        match action {
            Action::Deliver { delivery } => self.deliver(delivery),
            Action::Start { delivery } => self.start_delivery(delivery),
            Action::SendAck { delivery } => self.send_ack(delivery, Event::Ack { delivery }),
            Action::SendNack { delivery } => self.send_ack(delivery, Event::Nack { delivery }),
            Action::StartTimer { timer, length, .. } => {
                let handle = self.agenda.after(length, Class::Timer, Event::Broker { timer });
                let handles = &mut self.world.broker_timers;
                if handles.len() <= timer.slot as usize {
                    handles.resize(timer.slot as usize + 1, Handle::NONE);
                }
                handles[timer.slot as usize] = handle;
            }
            Action::CancelTimer { timer } => {
                self.agenda.cancel(self.world.broker_timers[timer.slot as usize]);
            }
            Action::Release { message } => {
                self.record(Record::Released { message });
                self.release_message(message);
            }
            Action::Settled { group, message, end } => {
                let how = match end {
                    broker::Settlement::Acknowledged => Settlement::Acknowledged,
                    broker::Settlement::DeadLettered => Settlement::DeadLettered,
                    broker::Settlement::Dropped => Settlement::Dropped,
                    broker::Settlement::Skipped => Settlement::Skipped,
                };
                self.record(Record::Settled { group, message, how });
            }
            Action::StaleAck { group, .. } => self.record(Record::AckStale { group }),
            Action::RebalanceBegun { group } => self.record(Record::Rebalanced { group }),
            Action::Transferred { message, topic, .. } => {
                let obligation = self.world.messages[message].cause.obligation;
                self.record(Record::Accepted { topic, message, obligation });
                self.tell_accepted(message, topic, Acceptance::Transferred);
            }
            Action::Unclaimed { .. } | Action::Expelled { .. } | Action::RebalanceEnded { .. } => {}
        }
    }

    pub(super) fn broker_timer(&mut self, timer: TimerId) {
        self.with_broker(|broker, choose, actions| broker.timer(timer, choose, actions));
    }

    /// Sends a copy to its consumer.
    fn deliver(&mut self, delivery: DeliveryId) {
        let Some(Parcel { message, group, instance, deliveries, partition }) =
            self.world.broker.parcel(delivery)
        else {
            return;
        };
        self.record(Record::Delivered { group, instance, again: deliveries > 1 });
        let Some(path) = self.path_of(group, message) else { return };
        let cause = self.delivery_cause(group, path, message, deliveries);
        let model = self.model;
        let topic = &model.topics[model.groups[group.index()].topic.index()];
        let hop = Hop {
            route: path.route,
            latency: path.hops.there,
            trouble: path.hops.trouble,
            draw: cause.attempt_key(0, 0),
            from: topic.region,
            to: model.instances[instance.index()].region,
            bytes: model.messages[path.message.index()].size_bytes,
            channel: model.routes[path.route as usize]
                .reorders
                .then(|| mix((group.0 as u64) << 32 | 2, (instance.0 as u64) << 32 | partition as u64)),
        };
        self.transmit(hop, Event::Delivery { delivery });
    }

    /// How a group's instances handle the kind of message that a slot holds.
    fn path_of(&self, group: GroupId, message: u32) -> Option<&'_ DeliveryPath> {
        let kind = self.world.messages[message].kind;
        self.model.groups[group.index()].deliveries.iter().find(|path| path.message == kind)
    }

    /// Whom an attempt on a delivery serves: the message's obligation to this group.
    fn delivery_cause(&self, group: GroupId, path: &DeliveryPath, message: u32, attempts: u32) -> Cause {
        let of = &self.world.messages[message];
        let main =
            path.main.iter().any(|(step, origins)| *step == of.step && origins.contains(of.cause.origin()));
        let cause = of.cause.child(self.model.groups[group.index()].key, u64::MAX);
        let cause = if main { cause } else { cause.aside() };
        cause.again(attempts.saturating_sub(1))
    }

    /// A copy reaches its consumer.
    pub(super) fn delivery_arrives(&mut self, delivery: DeliveryId) {
        if let Some((_, instance)) = self.world.broker.consumer(delivery) {
            let here = &mut self.world.instances[instance.index()];
            if here.paused > 0 {
                here.deferred.push(Event::Delivery { delivery });
                return;
            }
        }
        self.with_broker(|broker, _, actions| broker.received(delivery, actions));
    }

    /// The broker lets an attempt begin.
    fn start_delivery(&mut self, delivery: DeliveryId) {
        let Some(Parcel { message, group, instance, deliveries, .. }) = self.world.broker.parcel(delivery)
        else {
            return;
        };
        self.world.messages[message].references += 1;
        match self.path_of(group, message) {
            Some(path)
                if path.handler.0 != NONE && !self.is_left_out(group, path, message, deliveries) =>
            {
                // One reference from here on is the work's, then the attempt's.
                self.enter(instance.0, Work::Delivery { delivery, message });
            }
            // No handler, or left out: acknowledged and dropped.
            _ => {
                self.release_message(message);
                self.with_broker(|broker, choose, actions| {
                    broker.ended(delivery, broker::Outcome::Done, choose, actions)
                });
            }
        }
    }

    fn is_left_out(&self, group: GroupId, path: &DeliveryPath, message: u32, deliveries: u32) -> bool {
        !self.without.deliveries.is_empty()
            && self.without.is_delivery(
                self.delivery_cause(group, path, message, deliveries).obligation,
                deliveries,
            )
    }

    /// What an attempt on a delivery runs; `None` if the broker has forgotten it meanwhile.
    pub(super) fn begin_delivery(
        &mut self,
        delivery: DeliveryId,
        message: u32,
    ) -> Option<(HandlerId, Cause, Source, u32)> {
        let Some(Parcel { group, deliveries, .. }) = self.world.broker.parcel(delivery) else {
            self.release_message(message);
            return None;
        };
        let path = self.path_of(group, message).expect("a topic carries only the messages it declares");
        let cause = self.delivery_cause(group, path, message, deliveries);
        Some((path.handler, cause, Source::Delivery { group, delivery }, message))
    }

    pub(super) fn delivery_ended(&mut self, delivery: DeliveryId, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Well => broker::Outcome::Done,
            Outcome::Error(_) => broker::Outcome::Failed,
            // The broker learns of a crash by its lease.
            Outcome::Cut => return,
        };
        self.with_broker(|broker, choose, actions| broker.ended(delivery, outcome, choose, actions));
    }

    /// The `ack` step.
    pub(super) fn acknowledge_now(&mut self, attempt: u32) {
        let root = self.root_of(attempt);
        if let Source::Delivery { delivery, .. } = self.world.attempts[root].source {
            self.with_broker(|broker, _, actions| broker.acknowledge_now(delivery, actions));
        }
    }

    /// Carries an acknowledgement to the broker.
    fn send_ack(&mut self, delivery: DeliveryId, event: Event) {
        let Some(Parcel { message, group, instance, deliveries, .. }) = self.world.broker.parcel(delivery)
        else {
            return self.ack_lost(delivery);
        };
        let model = self.model;
        let spec = &model.groups[group.index()];
        let Some(path) = self.path_of(group, message) else { return self.ack_lost(delivery) };
        let cause = self.delivery_cause(group, path, message, deliveries);
        let hop = Hop {
            route: spec.acknowledge_route,
            latency: path.hops.back,
            trouble: path.hops.trouble_back,
            draw: cause.attempt_key(0, 0),
            from: model.instances[instance.index()].region,
            to: model.topics[spec.topic.index()].region,
            bytes: 0,
            channel: model.routes[spec.acknowledge_route as usize]
                .reorders
                .then(|| mix((group.0 as u64) << 32 | 3, instance.0 as u64)),
        };
        self.transmit(hop, event);
    }

    pub(super) fn ack_arrives(&mut self, delivery: DeliveryId) {
        self.with_broker(|broker, choose, actions| broker.ack(delivery, choose, actions));
    }

    pub(super) fn nack_arrives(&mut self, delivery: DeliveryId) {
        self.with_broker(|broker, choose, actions| broker.nack(delivery, choose, actions));
    }

    pub(super) fn ack_lost(&mut self, delivery: DeliveryId) {
        self.with_broker(|broker, choose, actions| broker.ack_lost(delivery, choose, actions));
    }

    /// `delivery.x`; outside deliveries 1, and 0.
    pub(super) fn delivery_value(&self, code: Code, attempt: u32) -> Word {
        let root = self.root_of(attempt);
        let Source::Delivery { delivery, .. } = self.world.attempts[root].source else {
            return (code == Code::DeliveryAttempt) as Word;
        };
        let broker = &self.world.broker;
        match code {
            Code::DeliveryAttempt => broker.attempts(delivery).unwrap_or(1) as Word,
            Code::DeliveryTopic => {
                broker.topic(delivery).map_or(0, |topic| self.model.topics[topic.index()].symbol.0 as Word)
            }
            Code::DeliveryPartition => {
                broker.position(delivery).map_or(0, |(partition, _)| partition as Word)
            }
            _ => broker.position(delivery).map_or(0, |(_, offset)| offset),
        }
    }
}
