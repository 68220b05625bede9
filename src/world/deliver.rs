//! Deliveries: what the broker decides, carried out; attempts on what it delivers.

use super::attempt::Source;
use super::broker::{self, Action, Broker, Chooser, DeliveryId, Parcel, TimerId};
use super::deed::Acceptance;
use super::identity::{Cause, mix};
use super::instance::{Served, Work};
use super::network::{Hop, steady_latency};
use super::record::{Observer, Outcome, Record, Settlement};
use super::{Event, Simulation, World};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::ids::*;
use crate::kernel::stream::DrawKey;
use crate::model::{Code, DeliveryPath, Duration, Group, Model, NONE, Origins, Word};

/// So many of the broker's decisions are carried out before the loop of events is asked to go on.
const DECISIONS_AT_ONCE: usize = 4096;

/// What the broker has chosen so far, and how its packets travel.
#[derive(Clone)]
pub struct Dispatch {
    /// Choices made, by topic and by group.
    topics: Vec<u64>,
    groups: Vec<u64>,
    ways: Vec<GroupWay>,
}

impl Dispatch {
    pub fn new(model: &Model) -> Self {
        Self {
            topics: vec![0; model.topics.len()],
            groups: vec![0; model.groups.len()],
            ways: model.groups.iter().map(|group| GroupWay::new(model, group)).collect(),
        }
    }

    /// Keys the next choice of a topic or group.
    fn next_choice(&mut self, model: &Model, chooser: Chooser) -> DrawKey {
        let (key, count) = match chooser {
            Chooser::Topic(topic) => (model.topics[topic.index()].key, &mut self.topics[topic.index()]),
            Chooser::Group(group) => (model.groups[group.index()].key, &mut self.groups[group.index()]),
        };
        *count += 1;
        DrawKey::hashed(mix(key, *count), 0, 0)
    }
}

/// What the two ways of fetching again are drawn beside.
const REQUEST: u32 = 11;
const RESPONSE: u32 = 12;

/// How a group's deliveries and acknowledgements travel, as far as that is the same for all of them.
#[derive(Clone, Copy)]
struct GroupWay {
    /// What its obligations are made with.
    site: u64,
    /// The links that they arrive over as they are sent: it takes no time, and nothing can fall between.
    there_at_once: Option<LinkId>,
    back_at_once: Option<LinkId>,
}

impl GroupWay {
    fn new(model: &Model, group: &Group) -> Self {
        let at_once = |route: u32, latency: Duration| {
            let route = &model.routes[route as usize];
            let is_at_once = steady_latency(model, route, latency) == Some(0) && model.faults.is_empty();
            is_at_once.then_some(route.link)
        };
        // Every message of the group takes the same route.
        let all = |links: Vec<Option<LinkId>>| links.into_iter().collect::<Option<Vec<_>>>()?.pop();
        let paths = group.deliveries.iter();
        Self {
            site: mix(group.key, u64::MAX),
            there_at_once: all(paths.clone().map(|path| at_once(path.route, path.hops.there)).collect()),
            back_at_once: all(paths.map(|path| at_once(group.acknowledge_route, path.hops.back)).collect()),
        }
    }
}

/// What a consumer says of a delivery.
#[derive(Clone, Copy)]
enum Answer {
    Ack,
    Nack,
}

impl<'m, A: Agenda<Event>, O: Observer> Simulation<'m, A, O> {
    /// Calls the broker and carries out what it decides.
    pub(super) fn with_broker<R>(
        &mut self,
        call: impl FnOnce(&mut Broker, broker::Choose, &mut Vec<Action>) -> R,
    ) -> R {
        let result = self.begin_broker(call);
        if !self.world.carrying_out {
            self.carry_out();
        }
        result
    }

    /// Calls the broker; its decisions wait for [`Self::carry_out`].
    pub(super) fn begin_broker<R>(
        &mut self,
        call: impl FnOnce(&mut Broker, broker::Choose, &mut Vec<Action>) -> R,
    ) -> R {
        let Self { agenda, world, model, .. } = self;
        let World { broker, dispatch, scratch, .. } = world;
        let mut choose =
            |chooser, n| agenda.choose(model.broker_stream, dispatch.next_choice(model, chooser), n);
        call(broker, &mut choose, &mut scratch.actions)
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
        let actions = &mut self.world.scratch.actions;
        if at == actions.len() {
            actions.clear();
        } else {
            actions.drain(..at);
        }
        self.world.carrying_out = false;
    }

    #[inline]
    fn act_for_broker(&mut self, action: Action) {
        match action {
            Action::Deliver { delivery } => self.deliver(delivery),
            Action::Start { delivery } => self.start_delivery(delivery),
            Action::SendAck { delivery } => self.send_ack(delivery, Answer::Ack),
            Action::SendNack { delivery } => self.send_ack(delivery, Answer::Nack),
            Action::FetchAgain { delivery } => self.fetch_again(delivery),
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
            Action::Carry { message } => self.world.messages[message].references += 1,
            Action::PutDown { message } => self.release_message(message),
            Action::Settled { group, message, end } => {
                let how = match end {
                    broker::Settlement::Acknowledged => Settlement::Acknowledged,
                    broker::Settlement::DeadLettered => Settlement::DeadLettered,
                    broker::Settlement::Dropped => Settlement::Dropped,
                    broker::Settlement::Parked => Settlement::Parked,
                    broker::Settlement::Stayed => Settlement::Stayed,
                    broker::Settlement::Skipped => Settlement::Skipped,
                    broker::Settlement::Expired => Settlement::Expired,
                    broker::Settlement::Superseded => Settlement::Superseded,
                    broker::Settlement::Destroyed => Settlement::Destroyed,
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
            Action::LetIn { message, topic } => self.let_in(message, topic),
            Action::Unblocked { topic, partition } => self.begin_broker(|broker, choose, actions| {
                broker.admit_decided(topic, partition, choose, actions);
            }),
            Action::ReplayBegun { group } => self.replay_begun(group),
            Action::Reopened { group, message } => self.record(Record::Reopened { group, message }),
            Action::Flushed { topic } => self.confirm_durable(topic),
            Action::Unclaimed { .. } | Action::Expelled { .. } | Action::RebalanceEnded { .. } => {}
        }
    }

    pub(super) fn broker_timer(&mut self, timer: TimerId) {
        self.with_broker(|broker, choose, actions| broker.timer(timer, choose, actions));
    }

    /// Sends a copy to its consumer.
    fn deliver(&mut self, delivery: DeliveryId) {
        let Some(parcel) = self.world.broker.parcel(delivery) else { return };
        let Parcel { message, group, instance, deliveries } = parcel;
        self.record(Record::Delivered { group, instance, again: deliveries > 1 });
        if let Some(link) = self.world.dispatch.ways[group.index()].there_at_once {
            self.record(Record::Sent { link });
            return self.begin_broker(|broker, _, actions| broker.received(delivery, actions));
        }
        let Some(path) = self.path_of(group, message) else { return };
        let event = Event::Delivery { delivery };
        match self.steady_latency(path.route, path.hops.there) {
            Some(latency) => self.transmit_steadily(path.route, latency, event),
            None => self.transmit(self.delivery_hop(delivery, parcel, path), event),
        }
    }

    fn delivery_hop(&self, delivery: DeliveryId, parcel: Parcel, path: &DeliveryPath) -> Hop {
        let Parcel { message, group, instance, deliveries } = parcel;
        let cause = self.delivery_cause(group, path, message, deliveries);
        let model = self.model;
        let topic = &model.topics[model.groups[group.index()].topic.index()];
        let partition = self.world.broker.position(delivery).map_or(0, |(partition, _)| partition);
        Hop {
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
        }
    }

    /// A consumer goes back in its partition: to the broker and back again.
    fn fetch_again(&mut self, delivery: DeliveryId) {
        let Some(parcel) = self.world.broker.parcel(delivery) else { return };
        let Some(path) = self.path_of(parcel.group, parcel.message) else { return };
        // Beside what the delivery and its acknowledgement draw for the same attempt.
        let draw =
            self.delivery_cause(parcel.group, path, parcel.message, parcel.deliveries).attempt_key(0, 0);
        let there = self.length(path.hops.back, draw.beside(REQUEST));
        let back = self.length(path.hops.there, draw.beside(RESPONSE));
        self.begin_broker(|broker, _, actions| broker.fetch_takes(delivery, there + back, actions));
    }

    /// How a group's instances handle the kind of message that a slot holds.
    #[inline]
    fn path_of(&self, group: GroupId, message: u32) -> Option<&'m DeliveryPath> {
        debug_assert!(self.world.messages[message].references > 0, "a delivery holds its message");
        let kind = self.world.messages[message].kind;
        match &self.model.groups[group.index()].deliveries[..] {
            [only] => (only.message == kind).then_some(only),
            several => several.iter().find(|path| path.message == kind),
        }
    }

    /// Whom an attempt on a delivery serves: the message's obligation to this group.
    #[inline(always)]
    fn delivery_cause(&self, group: GroupId, path: &DeliveryPath, message: u32, attempts: u32) -> Cause {
        let of = &self.world.messages[message];
        let is_main =
            |(step, origins): &(u32, Origins)| *step == of.step && origins.contains(of.cause.origin());
        let main = match &path.main[..] {
            [only] => is_main(only),
            several => several.iter().any(is_main),
        };
        let cause = of.cause.share_at(self.world.dispatch.ways[group.index()].site);
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
                if path.handler_in(self.world.instances[instance.index()].version).0 != NONE
                    && !self.is_left_out(group, path, message, deliveries) =>
            {
                // One reference from here on is the work's, then the attempt's.
                if !self.world.instances[instance.index()].is_free() {
                    return self.enter(instance.0, Work::Delivery { delivery, message });
                }
                let cause = self.delivery_cause(group, path, message, deliveries);
                let source = Source::Delivery { group, delivery };
                let handler = path.handler_in(self.world.instances[instance.index()].version);
                let served = Served { handler, cause, source, message };
                self.start_attempt(instance.0, served, NONE);
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

    #[inline(always)]
    fn is_left_out(&self, group: GroupId, path: &DeliveryPath, message: u32, deliveries: u32) -> bool {
        !self.without.deliveries.is_empty()
            && self
                .without
                .is_delivery(self.delivery_cause(group, path, message, deliveries).obligation, deliveries)
    }

    /// What an attempt on a delivery runs; `None` if the broker has forgotten it meanwhile.
    pub(super) fn begin_delivery(
        &mut self,
        instance: u32,
        delivery: DeliveryId,
        message: u32,
    ) -> Option<Served> {
        let Some(Parcel { group, deliveries, .. }) = self.world.broker.parcel(delivery) else {
            self.release_message(message);
            return None;
        };
        let path = self.path_of(group, message).expect("a topic carries only the messages it declares");
        let cause = self.delivery_cause(group, path, message, deliveries);
        let source = Source::Delivery { group, delivery };
        let handler = path.handler_in(self.world.instances[instance as usize].version);
        Some(Served { handler, cause, source, message })
    }

    pub(super) fn delivery_ended(&mut self, group: GroupId, delivery: DeliveryId, outcome: Outcome) {
        if outcome == Outcome::Well
            && let Some(link) = self.world.dispatch.ways[group.index()].back_at_once
            && self
                .begin_broker(|broker, choose, actions| broker.acknowledge_at_once(delivery, choose, actions))
        {
            self.record(Record::Sent { link });
            if !self.world.carrying_out {
                self.carry_out();
            }
            return;
        }
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
    fn send_ack(&mut self, delivery: DeliveryId, answer: Answer) {
        let Some(parcel) = self.world.broker.parcel(delivery) else { return self.ack_lost(delivery) };
        let Some(path) = self.path_of(parcel.group, parcel.message) else {
            return self.ack_lost(delivery);
        };
        let route = self.model.groups[parcel.group.index()].acknowledge_route;
        if let Some(link) = self.world.dispatch.ways[parcel.group.index()].back_at_once {
            self.record(Record::Sent { link });
            return match answer {
                Answer::Ack => self.ack_arrives(delivery),
                Answer::Nack => self.nack_arrives(delivery),
            };
        }
        let event = match answer {
            Answer::Ack => Event::Ack { delivery },
            Answer::Nack => Event::Nack { delivery },
        };
        match self.steady_latency(route, path.hops.back) {
            Some(latency) => self.transmit_steadily(route, latency, event),
            None => self.transmit(self.ack_hop(parcel, path), event),
        }
    }

    fn ack_hop(&self, parcel: Parcel, path: &DeliveryPath) -> Hop {
        let Parcel { message, group, instance, deliveries } = parcel;
        let model = self.model;
        let spec = &model.groups[group.index()];
        let cause = self.delivery_cause(group, path, message, deliveries);
        Hop {
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
        }
    }

    pub(super) fn ack_arrives(&mut self, delivery: DeliveryId) {
        if self.world.outages.any() && self.finds_outage(delivery, Event::Ack { delivery }) {
            return;
        }
        self.with_broker(|broker, choose, actions| broker.ack(delivery, choose, actions));
    }

    pub(super) fn nack_arrives(&mut self, delivery: DeliveryId) {
        if self.world.outages.any() && self.finds_outage(delivery, Event::Nack { delivery }) {
            return;
        }
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
            Code::DeliveryReplayed => broker.is_replayed(delivery) as Word,
            _ => broker.position(delivery).map_or(0, |(_, offset)| offset),
        }
    }
}
