//! Replays: a group goes back to the start of its log and handles everything once more.
//!
//! A topic that some operation replays keeps what all groups have passed, as far as its retention lets it.
//! A replay is a rebalance in which every partition of the group stops: attempts in flight end and are
//! acknowledged, then, at one instant, the group is owed everything again that it was done with, and its
//! owners start at the oldest message there is. Meanwhile the topic goes on taking messages in.
//!
//! ```text
//! handled 0 1 2 │ 3 in flight   replay ─▶ 3 ends ─▶ owed again 0 1 2 3, marked replayed; 4 5 … as ever
//! ```

use super::state::Balance;
use super::{Action, Broker, Choose, DeliveryId};
use crate::kernel::ids::{GroupId, TopicId};

impl Broker {
    /// Has a group handle everything that its topic still has once more. Only a group with a cursor can.
    pub fn replay(&mut self, group: GroupId, choose: Choose, out: &mut Vec<Action>) {
        for subscription in self.subscriptions_of(group) {
            let state = &mut self.subscriptions[subscription as usize];
            state.replays = true;
            if state.balance == Balance::Stable {
                state.balance = Balance::Preparing;
                out.push(Action::RebalanceBegun { group });
            }
            for lane in self.lanes_of(subscription) {
                if !std::mem::replace(&mut self.lanes[lane as usize].moving, true) {
                    self.stop(lane, out);
                }
            }
            self.serve_members(subscription, choose, out);
            self.proceed(subscription, choose, out);
        }
    }

    /// Whether a group has handled anything that could be replayed.
    pub fn has_past(&self, group: GroupId) -> bool {
        self.subscriptions_of(group).any(|subscription| {
            self.lanes_of(subscription).any(|lane| {
                let state = &self.lanes[lane as usize];
                self.logs[state.log as usize].held_from < state.committed
            })
        })
    }

    /// Whether a delivery is of a message that its group had handled before the last replay.
    pub fn is_replayed(&self, delivery: DeliveryId) -> bool {
        self.deliveries.find(delivery).is_some_and(|slot| {
            let delivery = &self.deliveries[slot];
            delivery.offset < self.lanes[delivery.lane as usize].replayed
        })
    }

    /// There will be no more replays of a topic: what is only kept for them is let go.
    pub fn end_replays(&mut self, topic: TopicId, out: &mut Vec<Action>) {
        let state = &mut self.topics[topic.index()];
        if !std::mem::replace(&mut state.knobs.is_replayed, false) {
            return;
        }
        for log in state.first_log..state.first_log + state.knobs.partitions {
            self.forget_past(log, self.logs[log as usize].end, out);
        }
    }

    /// A message is held once more where the log may be replayed.
    #[inline]
    pub(super) fn hold_for_replays(&mut self, log: u32, message: u32) {
        let topic = self.logs[log as usize].topic as usize;
        if self.topics[topic].knobs.is_replayed {
            self.kept[message as usize].holders += 1;
        }
    }

    /// The oldest offset that a replay may ask for.
    #[inline]
    pub(super) fn held_from(&self, log: u32) -> u64 {
        let state = &self.logs[log as usize];
        if self.topics[state.topic as usize].knobs.is_replayed { state.held_from } else { state.end }
    }

    /// Lets go of what lies before an offset, as far as it was held for replays.
    pub(super) fn forget_past(&mut self, log: u32, to: u64, out: &mut Vec<Action>) {
        while self.logs[log as usize].held_from < to {
            let state = &mut self.logs[log as usize];
            let message = state.at(state.held_from);
            state.held_from += 1;
            self.let_go(message, out);
        }
    }

    /// A rebalance is over: a subscription that is to replay starts over.
    pub(super) fn start_over(&mut self, subscription: u32, out: &mut Vec<Action>) {
        if !std::mem::replace(&mut self.subscriptions[subscription as usize].replays, false) {
            return;
        }
        let group = self.group_of(subscription);
        out.push(Action::ReplayBegun { group });
        for lane in self.lanes_of(subscription) {
            let state = &self.lanes[lane as usize];
            let (log, to) = (state.log as usize, state.committed);
            let from = self.logs[log].held_from.max(self.logs[log].kept_from).min(to);
            for offset in from..to {
                let message = self.logs[log].at(offset);
                self.kept[message as usize].holders += 1;
                self.subscriptions[subscription as usize].counts.owed += 1;
                out.push(Action::Reopened { group, message });
            }
            let state = &mut self.lanes[lane as usize];
            state.replayed = state.replayed.max(to);
            state.committed = from;
            state.fetched = state.fetched.min(from);
        }
    }

    fn subscriptions_of(&self, group: GroupId) -> std::ops::Range<u32> {
        let state = &self.groups[group.index()];
        state.first_subscription..state.first_subscription + state.subscriptions
    }
}
