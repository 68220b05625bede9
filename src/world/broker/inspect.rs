//! What the world may ask of deliveries and groups, without changing anything.

use super::Broker;
use super::delivery::{DeliveryId, NONE};
use super::state::Counts;
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
}
