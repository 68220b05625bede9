//! What must hold between any two calls.

use super::super::delivery::{NONE, Place, holder, mark};
use super::super::*;

impl Broker {
    /// Asserts that counters agree with what they count, and that no message is lost or doubled.
    pub fn check(&self) {
        let all: Vec<u32> = self.deliveries.select(|_| true);
        assert_eq!(all.len(), self.deliveries.live(), "a slot in use is held by somebody");
        let count = |wanted: &dyn Fn(&delivery::Delivery) -> bool| {
            all.iter().filter(|&&slot| wanted(&self.deliveries[slot])).count() as u64
        };
        for (i, subscription) in self.subscriptions.iter().enumerate() {
            let lanes = self.lanes_of(i as u32);
            let in_log: u64 = lanes
                .clone()
                .map(|lane| &self.lanes[lane as usize])
                .map(|lane| self.logs[lane.log as usize].end - lane.fetched - lane.passed.len() as u64)
                .sum();
            let owed = count(&|d| lanes.contains(&d.lane) && d.has(holder::BROKER));
            assert_eq!(
                subscription.counts.lag(),
                in_log + owed,
                "owed = settled + in the log + in deliveries"
            );
            let sent = count(&|d| lanes.contains(&d.lane) && d.has(holder::BROKER) && d.consumer != NONE);
            assert_eq!(u64::from(subscription.unsettled), sent);
        }
        for (i, consumer) in self.consumers.iter().enumerate() {
            if self.free_consumers.contains(&(i as u32)) {
                continue;
            }
            let mine = |d: &delivery::Delivery| d.consumer == i as u32;
            assert_eq!(u64::from(consumer.references), count(&mine));
            assert_eq!(u64::from(consumer.held), count(&|d| mine(d) && d.has(holder::CONSUMER)));
            assert_eq!(u64::from(consumer.unsettled), count(&|d| mine(d) && d.has(holder::BROKER)));
            assert_eq!(u64::from(consumer.speaking), count(&|d| mine(d) && d.has(holder::ACK)));
            assert_eq!(u64::from(consumer.running), count(&|d| mine(d) && d.place == Place::Running));
        }
        for (i, lane) in self.lanes.iter().enumerate() {
            let mine = |d: &delivery::Delivery| d.lane == i as u32 && !d.has(mark::REVOKED);
            let busy = |d: &delivery::Delivery| {
                mine(d) && matches!(d.place, Place::Running | Place::Queued | Place::Resting)
            };
            assert_eq!(u64::from(lane.busy), count(&busy), "busy");
            assert_eq!(u64::from(lane.acks), count(&|d| mine(d) && d.has(holder::ACK)), "acks");
            if self.knobs_of(i as u32).order_lock.is_of_partitions() {
                assert!(lane.busy <= 1, "one attempt of a partition at a time");
            }
            let offsets: Vec<u64> = lane.window.iter().map(|&slot| self.deliveries[slot].offset).collect();
            if self.knobs_of(i as u32).ack_scope == AckScope::Cursor {
                assert!(offsets.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a window has no gaps");
                assert!(lane.committed <= lane.fetched);
            }
        }
        let holders: u64 = self.kept.iter().map(|kept| u64::from(kept.holders)).sum();
        let lag: u64 = self.subscriptions.iter().map(|subscription| subscription.counts.lag()).sum();
        let waiting = |topic: &Topic| topic.delayed.len() + topic.letters.len();
        let delayed: usize = self.topics.iter().map(waiting).sum();
        let undecided: usize = self.logs.iter().map(|log| log.line.len()).sum();
        assert_eq!(
            holders,
            lag + (delayed + undecided) as u64,
            "a message is held by whoever is owed it, by its delay, and while it is undecided"
        );
    }

    /// Deliveries and timers in use.
    pub fn in_use(&self) -> (usize, usize) {
        (self.deliveries.live(), self.timers.live())
    }
}
