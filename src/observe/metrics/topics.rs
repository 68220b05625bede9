//! Topics and subscriptions: what a group is owed, and how long it takes.

use super::figures::{DurationFigures, SubscriptionFigures};
use super::{BySlot, Window, seconds};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::messaging::Members;
use crate::model::{Model, NONE};
use crate::stats::histogram::Histogram;
use crate::stats::series::{Buckets, LevelSeries};
use crate::stats::time_weighted::TimeWeighted;
use crate::world::record::{Settlement, SlotNumber};
use rustc_hash::FxHashMap;

/// All topics.
pub struct Topics {
    window: Window,
    /// By topic: those accepted in the window, and its groups.
    accepted: Vec<u64>,
    groups_of: Vec<Vec<GroupId>>,
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

struct GroupMeter {
    topic: TopicId,
    /// Copies that the group is owed of each message.
    copies: u64,
    lag: TimeWeighted,
    lag_over_time: LevelSeries,
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
            copies: match group.member.members {
                Members::Share => 1,
                Members::EachAlone => u64::from(group.member.instances),
            },
            lag: TimeWeighted::new(window.from, window.to),
            lag_over_time: LevelSeries::new(buckets),
            first_deliveries: 0,
            redeliveries: 0,
            exhausted: 0,
            times: Histogram::default(),
            buckets,
        };
        Self {
            window,
            accepted: vec![0; model.topics.len()],
            groups_of: model.topics.iter().map(|topic| topic.groups.clone()).collect(),
            messages: BySlot::default(),
            moved: FxHashMap::default(),
            meters: model.groups.iter().map(meter).collect(),
        }
    }

    #[inline]
    pub fn accepted(&mut self, now: Nanos, topic: TopicId, message: SlotNumber) {
        self.accepted[topic.index()] += u64::from(self.window.contains(now));
        let first = self.messages.at(message);
        if first.topic == NONE {
            *first = Acceptance { topic: topic.0, at: now };
        } else if first.topic != topic.0 {
            self.accepted_elsewhere(now, topic, message);
        }
        for group in &self.groups_of[topic.index()] {
            let group = &mut self.meters[group.index()];
            group.set_lag(now, group.lag.level() + group.copies);
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
        group.set_lag(now, group.lag.level().saturating_sub(1));
        match how {
            Settlement::Acknowledged if window.contains(accepted) => group.times.record(now - accepted),
            Settlement::Acknowledged => {}
            Settlement::DeadLettered | Settlement::Dropped | Settlement::Skipped => {
                group.exhausted += u64::from(window.contains(now));
            }
        }
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
        let Self { accepted, meters, .. } = self;
        meters
            .into_iter()
            .map(|meter| {
                let accepted = accepted[meter.topic.index()];
                meter.finish(accepted, window)
            })
            .unzip()
    }
}

impl GroupMeter {
    #[inline(always)]
    fn set_lag(&mut self, now: Nanos, lag: u64) {
        self.lag.set(now, lag);
        self.lag_over_time.set(now, lag);
    }

    fn finish(mut self, accepted: u64, window: Window) -> (SubscriptionFigures, Histogram) {
        self.lag.advance(window.to);
        self.lag_over_time.advance(window.to);
        let figures = SubscriptionFigures {
            accepted: window.rate(accepted),
            deliveries: window.rate(self.first_deliveries),
            redeliveries: window.rate(self.redeliveries),
            exhausted: window.rate(self.exhausted),
            lag: self.lag.area() as f64 / window.length() as f64,
            lag_max: self.lag.max() as f64,
            time_in_topic: DurationFigures::of(&self.times),
            lag_over_time: self.lag_over_time.means(),
            width: seconds(self.buckets.width() as f64),
        };
        (figures, self.times)
    }
}
