//! What the world may ask of deliveries and groups, without changing anything.

use super::Broker;
use super::delivery::{Delivery, DeliveryId, NONE, Place, holder, mark};
use super::state::{Counts, Lane};
use crate::kernel::ids::{GroupId, InstanceId, TopicId};

/// A delivery as the world carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    pub message: u32,
    pub group: GroupId,
    pub instance: InstanceId,
    /// How often the message was sent to a consumer, this time included.
    pub deliveries: u32,
}

/// What a group has of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub partition: u32,
    /// Which instance it is assigned to; `None`: to none, or all compete.
    pub owner: Option<InstanceId>,
    /// The offset of the next message of the partition.
    pub end: u64,
    /// The next offset that it takes.
    pub next: u64,
    /// With a cursor, all before is acknowledged.
    pub acknowledged: u64,
}

/// Where a message stands that a group is not done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Waiting,
    /// Behind another of its key.
    Blocked,
    /// Until it may be sent again.
    Resting,
    OnItsWay,
    /// With a consumer, and not yet taken up.
    Received,
    Handling,
    /// Handled, and not yet acknowledged as far as the broker knows.
    Handled,
    /// On its way to the dead letters.
    Moving,
    /// Its consumer has forgotten it, and the broker does not know.
    Forgotten,
}

/// A message that a group is not done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    pub message: u32,
    pub partition: u32,
    pub offset: u64,
    pub stage: Stage,
    /// Who has it, or it is on its way to.
    pub consumer: Option<InstanceId>,
    /// How often it was sent to a consumer.
    pub deliveries: u32,
}

impl Broker {
    /// The message of a delivery; `None` once nobody holds the delivery.
    pub fn message(&self, delivery: DeliveryId) -> Option<u32> {
        self.deliveries.find(delivery).map(|slot| self.deliveries[slot].message)
    }

    /// What carries out a delivery must know of it; `None` once it has no consumer.
    #[inline]
    pub fn parcel(&self, delivery: DeliveryId) -> Option<Parcel> {
        let delivery = &self.deliveries[self.deliveries.find(delivery)?];
        if delivery.consumer == NONE {
            return None;
        }
        let (group, instance) = self.name_of(delivery.consumer);
        let deliveries = u32::from(delivery.deliveries);
        Some(Parcel { message: delivery.message, group, instance, deliveries })
    }

    /// How often the message was sent to a consumer or tried again in place, this time included. A
    /// cursor does not count across rebalances: what it sends again counts from 2.
    pub fn attempts(&self, delivery: DeliveryId) -> Option<u32> {
        self.deliveries.find(delivery).map(|slot| u32::from(self.deliveries[slot].deliveries))
    }

    /// Whether some topic or delivery holds this message.
    pub fn holds(&self, message: u32) -> bool {
        self.kept.get(message as usize).is_some_and(|kept| kept.holders > 0)
    }

    /// Dead letters that wait to be redriven.
    pub fn letters_kept(&self) -> usize {
        self.topics.iter().map(|topic| topic.letters.len()).sum()
    }

    /// Deliveries that anyone still speaks of: the broker, a consumer, an acknowledgement on its way.
    pub fn deliveries_held(&self) -> usize {
        self.deliveries.live()
    }

    /// Partition and offset of the message of a delivery.
    pub fn position(&self, delivery: DeliveryId) -> Option<(u32, u64)> {
        let delivery = &self.deliveries[self.deliveries.find(delivery)?];
        let lane = &self.lanes[delivery.lane as usize];
        let log = &self.logs[lane.log as usize];
        Some((lane.log - self.topics[log.topic as usize].first_log, delivery.offset))
    }

    pub fn topic(&self, delivery: DeliveryId) -> Option<TopicId> {
        let delivery = &self.deliveries[self.deliveries.find(delivery)?];
        Some(TopicId(self.logs[self.lanes[delivery.lane as usize].log as usize].topic))
    }

    /// Group and instance that a delivery goes to.
    #[inline]
    pub fn consumer(&self, delivery: DeliveryId) -> Option<(GroupId, InstanceId)> {
        let consumer = self.deliveries[self.deliveries.find(delivery)?].consumer;
        (consumer != NONE).then(|| self.name_of(consumer))
    }

    /// Whether somebody is owed something of a topic, now or after its delay, or something that was settled there
    /// could be forgotten.
    pub fn has_in_hand(&self, topic: TopicId) -> bool {
        let of = &self.topics[topic.index()];
        let is_owed = |lane: &u32| {
            let subscription = self.lanes[*lane as usize].subscription;
            self.subscriptions[subscription as usize].counts.lag() > 0
        };
        let logs = of.first_log..of.first_log + of.knobs.partitions;
        !of.delayed.is_empty()
            || !of.unheard.is_empty()
            || logs.flat_map(|log| &self.logs[log as usize].lanes).any(is_owed)
    }

    /// What became of all the messages a group was owed (of each instance, if each is alone).
    pub fn counts(&self, group: GroupId) -> Counts {
        let group = &self.groups[group.index()];
        let mut total = Counts::default();
        for subscription in group.first_subscription..group.first_subscription + group.subscriptions {
            let counts = self.subscriptions[subscription as usize].counts;
            total.owed += counts.owed;
            total.acknowledged += counts.acknowledged;
            total.exhausted += counts.exhausted;
            total.skipped += counts.skipped;
        }
        total
    }

    /// Messages accepted and not yet settled by the group.
    pub fn lag(&self, group: GroupId) -> u64 {
        self.counts(group).lag()
    }

    /// What a group has of each partition; of a group whose instances are each alone, one after the other.
    pub fn shares(&self, group: GroupId) -> Vec<Share> {
        let share = |(_, lane): (u32, &Lane)| Share {
            partition: self.partition(lane),
            owner: (lane.owner != NONE).then(|| self.name_of(lane.owner).1),
            end: self.logs[lane.log as usize].end,
            next: lane.fetched,
            acknowledged: lane.committed,
        };
        self.lanes_of_group(group).map(share).collect()
    }

    /// The messages that a group is not done with, by partition and offset.
    pub fn owed(&self, group: GroupId) -> Vec<Owed> {
        let mut all = Vec::new();
        for (number, lane) in self.lanes_of_group(group) {
            let partition = self.partition(lane);
            let is_owed = |of: &Delivery| {
                of.lane == number && of.has(holder::BROKER) && !of.has(mark::REVOKED | mark::ACKNOWLEDGED)
            };
            for slot in self.deliveries.select(is_owed) {
                let of = &self.deliveries[slot];
                let consumer = (of.consumer != NONE).then(|| self.name_of(of.consumer).1);
                let deliveries = u32::from(of.deliveries);
                let (message, offset, stage) = (of.message, of.offset, stage(of.place));
                all.push(Owed { message, partition, offset, stage, consumer, deliveries });
            }
            let log = &self.logs[lane.log as usize];
            for offset in lane.fetched.max(log.kept_from)..log.end {
                if !log.holes.contains_key(&offset) {
                    let (message, stage) = (log.at(offset), Stage::Waiting);
                    all.push(Owed { message, partition, offset, stage, consumer: None, deliveries: 0 });
                }
            }
        }
        all
    }

    /// Dead letters of a topic that wait to be redriven.
    pub fn letters(&self, topic: TopicId) -> usize {
        self.topics[topic.index()].letters.len()
    }

    fn partition(&self, lane: &Lane) -> u32 {
        lane.log - self.topics[self.logs[lane.log as usize].topic as usize].first_log
    }

    fn lanes_of_group(&self, group: GroupId) -> impl Iterator<Item = (u32, &Lane)> {
        let of = &self.groups[group.index()];
        let own = of.first_subscription..of.first_subscription + of.subscriptions;
        own.flat_map(|subscription| self.lanes_of(subscription))
            .map(|lane| (lane, &self.lanes[lane as usize]))
    }
}

fn stage(place: Place) -> Stage {
    match place {
        Place::Waiting | Place::Missed => Stage::Waiting,
        Place::Parked => Stage::Blocked,
        Place::Delayed | Place::Resting => Stage::Resting,
        Place::Sent => Stage::OnItsWay,
        Place::Buffered | Place::Queued => Stage::Received,
        Place::Running => Stage::Handling,
        Place::Handled | Place::Kept => Stage::Handled,
        Place::Forgotten => Stage::Forgotten,
        Place::Moving => Stage::Moving,
    }
}
