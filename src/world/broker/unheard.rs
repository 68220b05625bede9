//! Acknowledgements that are not durable: a broker that fails over before its next flush has never heard them.
//!
//! What a group settled since the last flush is kept until the next one. If the broker fails over before that, a
//! queue hands it out once more. A log's position goes back; its owner goes on where it was and says so with its next
//! acknowledgement, but whoever gets the partition before that begins at the old position.

use super::delivery::Delivery;
use super::{Action, Broker, Settlement};
use crate::model::messaging::AckScope;

/// What was settled since the last flush.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unheard {
    lane: u32,
    message: u32,
    offset: u64,
}

impl Broker {
    /// Whether every acknowledgement is durable.
    pub fn has_heard_all(&self) -> bool {
        self.topics.iter().all(|topic| topic.unheard.is_empty())
    }

    /// A group is done with a message: that is durable after the next flush.
    pub(super) fn keep_until_flush(&mut self, slot: u32, end: Settlement, out: &mut Vec<Action>) {
        let Delivery { lane, message, offset, .. } = self.deliveries[slot];
        let log = self.lanes[lane as usize].log;
        let topic = &mut self.topics[self.logs[log as usize].topic as usize];
        let is_done = matches!(
            end,
            Settlement::Acknowledged
                | Settlement::DeadLettered
                | Settlement::Dropped
                | Settlement::Parked
                | Settlement::Stayed
        );
        if topic.knobs.flush_every.is_some() && is_done {
            topic.unheard.push(Unheard { lane, message, offset });
            self.kept[message as usize].holders += 1;
            self.watch_durability(log, out);
        }
    }

    /// What was settled so far is settled for good.
    pub(super) fn hear_all(&mut self, topic: u32, out: &mut Vec<Action>) {
        for unheard in std::mem::take(&mut self.topics[topic as usize].unheard) {
            self.let_go(unheard.message, out);
        }
        let state = &self.topics[topic as usize];
        for log in state.first_log..state.first_log + state.knobs.partitions {
            for &lane in &self.logs[log as usize].lanes {
                let state = &mut self.lanes[lane as usize];
                state.durable = state.committed;
            }
        }
    }

    /// The broker forgets what it has not made durable. Runs before messages are lost.
    pub(super) fn forget_unheard(&mut self, topic: u32, out: &mut Vec<Action>) {
        for Unheard { lane, message, offset } in std::mem::take(&mut self.topics[topic as usize].unheard) {
            let is_cursor = self.knobs_of(lane).ack_scope == AckScope::Cursor;
            let state = &mut self.lanes[lane as usize];
            if is_cursor {
                state.committed = state.committed.min(offset);
                state.forgotten.push((offset, message));
            } else if offset < self.logs[state.log as usize].durable {
                self.hand_out_again(Unheard { lane, message, offset }, out);
            } else {
                self.let_go(message, out);
            }
        }
    }

    /// A message that its group has handled is owed to it once more, and waits in its place.
    fn hand_out_again(&mut self, unheard: Unheard, out: &mut Vec<Action>) {
        let Unheard { lane, message, offset } = unheard;
        let mut delivery = Delivery::new(message, lane, offset);
        delivery.deliveries = 1;
        let slot = self.deliveries.add(delivery);
        self.reopen(lane, message, out);
        if self.rewinds(lane) {
            self.stand_in_line(slot);
        } else if self.knobs_of(lane).order_lock.is_of_keys() && !self.lock_key(lane, slot) {
            return;
        }
        self.wait_again(slot);
    }

    fn reopen(&mut self, lane: u32, message: u32, out: &mut Vec<Action>) {
        let subscription = self.lanes[lane as usize].subscription;
        self.subscriptions[subscription as usize].counts.owed += 1;
        out.push(Action::Reopened { group: self.group_of(subscription), message });
    }

    /// The owner of a partition has said again where it is.
    #[inline]
    pub(super) fn position_is_known(&mut self, lane: u32, out: &mut Vec<Action>) {
        if self.lanes[lane as usize].forgotten.is_empty() {
            return;
        }
        for (offset, message) in std::mem::take(&mut self.lanes[lane as usize].forgotten) {
            let state = &mut self.lanes[lane as usize];
            state.committed = state.committed.max(offset + 1);
            self.let_go(message, out);
        }
    }

    /// Nothing will go wrong any more: every owner gets to say where it is.
    pub fn remember_positions(&mut self, out: &mut Vec<Action>) {
        (0..self.lanes.len() as u32).for_each(|lane| self.position_is_known(lane, out));
    }

    /// A partition begins at `to`: what the broker has forgotten is owed once more, but for what lies before.
    pub(super) fn reopen_forgotten(&mut self, lane: u32, to: u64, out: &mut Vec<Action>) {
        let subscription = self.lanes[lane as usize].subscription;
        for (offset, message) in std::mem::take(&mut self.lanes[lane as usize].forgotten) {
            self.reopen(lane, message, out);
            if offset < to {
                self.end_message(subscription, message, Settlement::Skipped, out);
            }
        }
    }
}
