//! Brokers that are out: what reaches them is refused, what they were told in vain is said again or lost, and
//! confirmations that wait until what they confirm is durable.

use super::broker::DeliveryId;
use super::record::Observer;
use super::relay::Relayed;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::ids::*;
use crate::kernel::stream::DrawKey;
use crate::model::messaging::Lease;
use crate::model::{Model, NONE, Place};

/// Who waits for a confirmation.
#[derive(Clone, Copy, Debug)]
pub enum Unconfirmed {
    Attempt { attempt: u32, token: u32, step: u32 },
    Relay { relayed: Relayed, draw: DrawKey },
}

/// Which brokers are out, and who waits for them.
#[derive(Clone, Debug)]
pub struct Outages {
    /// How many faults keep each broker out, and all together.
    brokers: Vec<u32>,
    in_all: u32,
    /// How many faults keep a server of each broker away.
    away: Vec<u32>,
    /// Acknowledgements of those who say them again until they are heard.
    unheard: Vec<(BrokerId, Event)>,
    /// By topic: what is confirmed with the next flush.
    unconfirmed: Vec<Vec<Unconfirmed>>,
}

impl Outages {
    pub fn new(model: &Model) -> Self {
        let brokers = model.topics.iter().map(|topic| topic.broker.index() + 1).max().unwrap_or(0);
        Self {
            brokers: vec![0; brokers],
            in_all: 0,
            away: vec![0; brokers],
            unheard: Vec::new(),
            unconfirmed: vec![Vec::new(); model.topics.len()],
        }
    }

    #[inline]
    pub fn any(&self) -> bool {
        self.in_all > 0
    }

    #[inline]
    pub fn is_out(&self, broker: BrokerId) -> bool {
        self.any() && self.brokers[broker.index()] > 0
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// The topics of a broker.
    fn topics_of(&self, broker: BrokerId) -> Vec<TopicId> {
        let topics = self.model.topics.iter().enumerate().filter(|(_, topic)| topic.broker == broker);
        topics.map(|(topic, _)| TopicId::new(topic)).collect()
    }

    /// A broker without topics holds nothing and is asked for nothing.
    fn broker_of(&self, place: Place) -> Option<BrokerId> {
        let Place::Broker(broker) = place else { unreachable!("resolved: only brokers are out") };
        (broker.index() < self.world.outages.brokers.len()).then_some(broker)
    }

    /// The instances of a service.
    fn instances_of(&mut self, service: ServiceId) -> &mut [super::instance::Instance] {
        let spec = &self.model.services[service.index()];
        let first = spec.first_instance as usize;
        &mut self.world.instances[first..first + spec.instances as usize]
    }

    /// A broker or a service refuses everything from now on.
    pub(super) fn begin_outage(&mut self, place: Place) {
        if let Place::Service(service) = place {
            return self.instances_of(service).iter_mut().for_each(|here| here.outages += 1);
        }
        let Some(broker) = self.broker_of(place) else { return };
        self.go_out(broker);
    }

    fn go_out(&mut self, broker: BrokerId) {
        let outages = &mut self.world.outages;
        outages.in_all += 1;
        outages.brokers[broker.index()] += 1;
        self.finds_something(broker);
        let outages = &self.world.outages;
        if outages.brokers[broker.index()] == 1 {
            for topic in self.topics_of(broker) {
                self.with_broker(|broker, choose, actions| broker.suspend(topic, choose, actions));
            }
        }
    }

    /// What a broker has in hand when it goes meets its absence.
    fn finds_something(&mut self, broker: BrokerId) {
        let has =
            |topic: &TopicId| self.world.broker.has_in_hand(*topic) || self.could_lose_postponed(*topic);
        if self.topics_of(broker).iter().any(has) {
            self.outage_met(Place::Broker(broker));
        }
    }

    /// Whether an instance turns away what has come to it, because its service is out.
    #[inline]
    pub(super) fn refuses(&mut self, instance: u32) -> bool {
        let refuses = self.world.instances[instance as usize].outages > 0;
        if refuses {
            self.outage_met(Place::Service(self.model.instances[instance as usize].service));
        }
        refuses
    }

    pub(super) fn end_outage(&mut self, place: Place) {
        if let Place::Service(service) = place {
            return self.instances_of(service).iter_mut().for_each(|here| here.outages -= 1);
        }
        let Some(broker) = self.broker_of(place) else { return };
        self.come_in(broker);
    }

    fn come_in(&mut self, broker: BrokerId) {
        let outages = &mut self.world.outages;
        outages.in_all -= 1;
        outages.brokers[broker.index()] -= 1;
        if outages.brokers[broker.index()] > 0 {
            return;
        }
        let unheard = std::mem::take(&mut self.world.outages.unheard);
        let (here, elsewhere) = unheard.into_iter().partition(|(other, _)| *other == broker);
        self.world.outages.unheard = elsewhere;
        let here: Vec<(BrokerId, Event)> = here;
        for (_, event) in here {
            self.later(0, Class::Delivery, event);
        }
        for topic in self.topics_of(broker) {
            self.with_broker(|broker, choose, actions| broker.resume(topic, choose, actions));
        }
    }

    /// A broker loses what is not durable, and is out until another server has taken over; of what is copied to
    /// several servers one is away.
    pub(super) fn begin_failover(&mut self, place: Place) {
        let Some(broker) = self.broker_of(place) else { return };
        let outages = &mut self.world.outages;
        outages.away[broker.index()] += 1;
        let is_first = outages.away[broker.index()] == 1;
        if !self.is_spread(broker) {
            self.go_out(broker);
        } else {
            self.finds_something(broker);
        }
        for topic in self.topics_of(broker) {
            self.world.outages.unconfirmed[topic.index()].clear();
            if self.is_spread(broker) && is_first {
                self.with_broker(|broker, _, _| broker.part_is_away(topic));
            }
            self.lose_postponed(topic);
            self.with_broker(|broker, choose, actions| broker.lose(topic, choose, actions));
        }
    }

    pub(super) fn end_failover(&mut self, place: Place) {
        let Some(broker) = self.broker_of(place) else { return };
        let outages = &mut self.world.outages;
        outages.away[broker.index()] -= 1;
        let is_last = outages.away[broker.index()] == 0;
        if !self.is_spread(broker) {
            return self.come_in(broker);
        }
        if is_last {
            for topic in self.topics_of(broker) {
                self.with_broker(|broker, choose, actions| broker.part_is_back(topic, choose, actions));
            }
        }
    }

    /// Whether all that a broker has is on several servers.
    fn is_spread(&self, broker: BrokerId) -> bool {
        let mut topics = self.model.topics.iter().filter(|topic| topic.broker == broker);
        topics.all(|topic| topic.knobs.shards > 1)
    }

    /// Whether an acknowledgement finds its broker out. The member of a session says it again until it is heard;
    /// whose lease is a connection has lost that; who leases each message has tried in vain.
    pub(super) fn finds_outage(&mut self, delivery: DeliveryId, event: Event) -> bool {
        let Some((group, _)) = self.world.broker.consumer(delivery) else { return false };
        let spec = &self.model.groups[group.index()];
        let broker = self.model.topics[spec.topic.index()].broker;
        if !self.world.outages.is_out(broker) {
            return false;
        }
        self.outage_met(Place::Broker(broker));
        match spec.member.knobs.lease {
            Lease::Session { .. } => self.world.outages.unheard.push((broker, event)),
            _ => self.ack_lost(delivery),
        }
        true
    }

    /// A confirmation waits until what it confirms is durable.
    pub(super) fn confirm_later(&mut self, topic: TopicId, who: Unconfirmed) {
        if self.model.topics[topic.index()].knobs.flush_every.is_none() {
            return self.confirm(topic, who);
        }
        self.world.outages.unconfirmed[topic.index()].push(who);
    }

    /// What a topic has accepted is durable.
    pub(super) fn confirm_durable(&mut self, topic: TopicId) {
        self.postponed_are_durable(topic);
        let waiting = std::mem::take(&mut self.world.outages.unconfirmed[topic.index()]);
        waiting.into_iter().for_each(|who| self.confirm(topic, who));
    }

    fn confirm(&mut self, topic: TopicId, who: Unconfirmed) {
        match who {
            Unconfirmed::Attempt { attempt, token, step } => {
                if self.world.attempts.is_waiting(attempt, token) {
                    self.answer_publisher(attempt, step, Event::Answer { attempt, token, payload: NONE });
                }
            }
            Unconfirmed::Relay { relayed, draw } => {
                if self.is_relay_waiting(relayed.relay, relayed.token) {
                    self.confirm_relayed(topic, relayed, draw);
                }
            }
        }
    }
}
