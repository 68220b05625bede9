//! Topics and subscriptions: what a group is owed, and how long it takes.

use super::figures::{DurationFigures, SubscriptionFigures};
use super::lag::{Lag, Steps};
use super::{BySlot, Window, late_quarters, seconds, unzipped};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::messaging::Members;
use crate::model::{Model, NONE};
use crate::stats::histogram::Histogram;
use crate::stats::series::Buckets;
use crate::world::record::{Settlement, SlotNumber};
use rustc_hash::FxHashMap;

/// All topics.
pub struct Topics {
    window: Window,
    topics: Vec<TopicMeter>,
    /// By message slot: where it was accepted first, and when. Accepted again by the same topic while it
    /// is held, it counts from the first time.
    messages: BySlot<Acceptance>,
    /// Dead letters have been accepted by two topics.
    moved: FxHashMap<SlotNumber, Vec<Acceptance>>,
    meters: Vec<GroupMeter>,
}

#[derive(Clone, Copy)]
struct Acceptance {
    topic: u32,
    at: Nanos,
}

impl Default for Acceptance {
    fn default() -> Self {
        Self { topic: NONE, at: 0 }
    }
}

struct TopicMeter {
    groups: Vec<GroupId>,
    /// Accepted in the window.
    accepted: u64,
    /// All acceptances, for the lag of its groups.
    steps: Steps,
}

struct GroupMeter {
    topic: TopicId,
    lag: Lag,
    /// In the window.
    first_deliveries: u64,
    redeliveries: u64,
    exhausted: u64,
    times: Histogram,
    buckets: Buckets,
}

impl Topics {
    pub fn new(model: &Model, window: Window, buckets: Buckets) -> Self {
        let meter = |group: &crate::model::Group| GroupMeter {
            topic: group.topic,
            lag: Lag::new(copies(group), window, buckets),
            first_deliveries: 0,
            redeliveries: 0,
            exhausted: 0,
            times: Histogram::default(),
            buckets,
        };
        let topic = |topic: &crate::model::Topic| TopicMeter {
            groups: topic.groups.clone(),
            accepted: 0,
            steps: Steps::new(window, if topic.groups.is_empty() { Buckets::new(0, 1) } else { buckets }),
        };
        Self {
            window,
            topics: model.topics.iter().map(topic).collect(),
            messages: BySlot::default(),
            moved: FxHashMap::default(),
            meters: model.groups.iter().map(meter).collect(),
        }
    }

    #[inline]
    pub fn accepted(&mut self, now: Nanos, topic: TopicId, message: SlotNumber) {
        let here = &mut self.topics[topic.index()];
        here.accepted += u64::from(self.window.contains(now));
        if !here.groups.is_empty() {
            here.steps.record(now);
        }
        for group in &here.groups {
            self.meters[group.index()].lag.accepted(now);
        }
        let first = self.messages.at(message);
        if first.topic == NONE {
            *first = Acceptance { topic: topic.0, at: now };
        } else if first.topic != topic.0 {
            self.accepted_elsewhere(now, topic, message);
        }
    }

    #[cold]
    fn accepted_elsewhere(&mut self, now: Nanos, topic: TopicId, message: SlotNumber) {
        let moves = self.moved.entry(message).or_default();
        if moves.iter().all(|acceptance| acceptance.topic != topic.0) {
            moves.push(Acceptance { topic: topic.0, at: now });
        }
    }

    #[inline]
    pub fn delivered(&mut self, now: Nanos, group: GroupId, again: bool) {
        let measured = u64::from(self.window.contains(now));
        let group = &mut self.meters[group.index()];
        match again {
            false => group.first_deliveries += measured,
            true => group.redeliveries += measured,
        }
    }

    #[inline]
    pub fn settled(&mut self, now: Nanos, group: GroupId, message: SlotNumber, how: Settlement) {
        let accepted = self.acceptance(self.meters[group.index()].topic, message);
        let window = self.window;
        let group = &mut self.meters[group.index()];
        group.lag.settled(now);
        match how {
            Settlement::Acknowledged if window.contains(accepted) => group.times.record(now - accepted),
            Settlement::Acknowledged => {}
            _ => {
                group.exhausted += u64::from(window.contains(now));
            }
        }
    }

    /// A group is owed a message once more.
    pub fn reopened(&mut self, now: Nanos, group: GroupId) {
        self.meters[group.index()].lag.reopened(now);
    }

    /// When a topic accepted what a slot holds.
    #[inline]
    fn acceptance(&mut self, topic: TopicId, message: SlotNumber) -> Nanos {
        let first = *self.messages.at(message);
        if first.topic == topic.0 {
            return first.at;
        }
        let moves = self.moved.get(&message).into_iter().flatten();
        moves.filter(|moved| moved.topic == topic.0).map(|moved| moved.at).next().unwrap_or(first.at)
    }

    #[inline]
    pub fn released(&mut self, message: SlotNumber) {
        self.messages.at(message).topic = NONE;
        if !self.moved.is_empty() {
            self.moved.remove(&message);
        }
    }

    pub fn finish(self, window: Window) -> (Vec<SubscriptionFigures>, Vec<Histogram>) {
        let Self { topics, meters, .. } = self;
        let finish = |meter: GroupMeter| {
            let topic = &topics[meter.topic.index()];
            meter.finish(topic, window)
        };
        unzipped(meters.into_iter().map(finish))
    }
}

impl GroupMeter {
    fn finish(mut self, topic: &TopicMeter, window: Window) -> (SubscriptionFigures, Histogram) {
        let (area, max) = self.lag.finish(&topic.steps);
        let lag_over_time = self.lag.means(&topic.steps);
        let figures = SubscriptionFigures {
            accepted: window.rate(topic.accepted),
            deliveries: window.rate(self.first_deliveries),
            redeliveries: window.rate(self.redeliveries),
            exhausted: window.rate(self.exhausted),
            lag: area as f64 / window.length() as f64,
            lag_max: max as f64,
            time_in_topic: DurationFigures::of(&self.times),
            lag_late: late_quarters(&lag_over_time, self.buckets, window),
            lag_over_time,
            width: seconds(self.buckets.width() as f64),
        };
        (figures, self.times)
    }
}

/// Copies of each message that a group is owed.
fn copies(group: &crate::model::Group) -> u64 {
    match group.member.members {
        Members::Share => 1,
        Members::EachAlone => u64::from(group.member.instances),
    }
}
