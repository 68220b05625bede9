//! A broker that is out of order: one that refuses everything for a while, one that loses what it had not
//! yet made durable, one of whose servers is away.
//!
//! An *outage* loses nothing: nothing is sent, connections are lost, and when it is over their consumers come
//! back. A *failover* is an outage at whose beginning what was accepted since the last flush is gone, what was
//! acknowledged since is not acknowledged (`unheard`), and
//! dead letters on their way start over, or are gone as well. Where every message is copied to several
//! servers, one of them is *away* instead: all goes on, but what is acknowledged meanwhile is still there
//! when that server is back.

use super::delivery::{NONE, Place, holder, mark};
use super::timers::TimerKind;
use super::{Action, Broker, Choose, Settlement};
use crate::kernel::ids::TopicId;
use crate::model::messaging::*;

impl Broker {
    /// A topic refuses everything from now on. Consumers whose lease is their connection lose it.
    pub fn suspend(&mut self, topic: TopicId, choose: Choose, out: &mut Vec<Action>) {
        self.topics[topic.index()].is_out = true;
        let subscriptions = self.subscriptions_to(topic);
        for &subscription in &subscriptions {
            for i in 0..self.subscriptions[subscription as usize].members.len() {
                let member = self.subscriptions[subscription as usize].members[i];
                self.consumers[member as usize].muted = true;
            }
        }
        for &subscription in &subscriptions {
            let lease = self.subscriptions[subscription as usize].knobs.lease;
            if matches!(lease, Lease::Connection { .. } | Lease::Transaction { .. }) {
                for member in self.subscriptions[subscription as usize].members.clone() {
                    self.close(member, choose, out);
                    self.free_if_forgotten(member);
                }
            }
        }
    }

    /// A topic is there again: those who lost their connection come back, and all are served.
    pub fn resume(&mut self, topic: TopicId, choose: Choose, out: &mut Vec<Action>) {
        self.topics[topic.index()].is_out = false;
        for subscription in self.subscriptions_to(topic) {
            for member in self.subscriptions[subscription as usize].members.clone() {
                self.consumers[member as usize].muted = false;
            }
            let group = self.subscriptions[subscription as usize].group as usize;
            for consumer in self.groups[group].current.clone() {
                if consumer != NONE && self.consumers[consumer as usize].subscription == subscription {
                    self.come_back(consumer, choose, out);
                }
            }
            for lane in self.lanes_of(subscription) {
                self.serve_lane(lane, choose, out);
            }
            self.serve_members(subscription, choose, out);
            self.proceed(subscription, choose, out);
        }
    }

    /// What a topic has not made durable is gone.
    pub fn lose(&mut self, topic: TopicId, choose: Choose, out: &mut Vec<Action>) {
        let state = &self.topics[topic.index()];
        let logs = state.first_log..state.first_log + state.knobs.partitions;
        let takes_time = state.knobs.flush_every.is_some();
        if takes_time {
            self.topics[topic.index()].memory.lose();
            self.lose_delayed(topic.0, out);
            self.forget_unheard(topic.0, out);
        }
        for log in logs {
            for lane in self.logs[log as usize].lanes.clone() {
                self.break_off_moves(lane, choose, out);
            }
            if takes_time {
                self.lose_rest(log, choose, out);
            }
        }
    }

    /// Dead letters on their way: what was taken out and not yet put in is gone, what was copied is copied
    /// again.
    fn break_off_moves(&mut self, lane: u32, choose: Choose, out: &mut Vec<Action>) {
        let moving =
            self.deliveries.select(|delivery| delivery.lane == lane && delivery.place == Place::Moving);
        let transfer = self.knobs_of(lane).exhaust.map(|exhaust| exhaust.transfer);
        for slot in moving {
            if transfer == Some(Transfer::AtMostOnce) {
                self.settle(slot, Settlement::Destroyed, choose, out);
            } else {
                self.deliveries[slot].bits &= !mark::COPIED;
            }
        }
    }

    /// What a log has not made durable is gone: what nobody has fetched, and what consumers have in hand and
    /// can no longer give back.
    fn lose_rest(&mut self, log: u32, choose: Choose, out: &mut Vec<Action>) {
        let (from, end) = (self.logs[log as usize].durable, self.logs[log as usize].end);
        for lane in self.logs[log as usize].lanes.clone() {
            let owed = self.deliveries.select(|delivery| {
                delivery.lane == lane && delivery.offset >= from && delivery.has(holder::BROKER)
            });
            for slot in owed {
                // Those behind it in line may have come forward meanwhile.
                match self.deliveries[slot].place {
                    Place::Waiting => self.lanes[lane as usize].returned.remove(slot),
                    Place::Parked => self.leave_line(slot),
                    _ => {}
                }
                self.settle(slot, Settlement::Destroyed, choose, out);
            }
        }
        let log = &mut self.logs[log as usize];
        log.holes.extend((from..end).map(|offset| (offset, Settlement::Destroyed)));
        log.durable = end;
    }

    /// A topic has something that the next flush makes durable, beside what was appended.
    pub fn has_something(&mut self, topic: TopicId, out: &mut Vec<Action>) {
        self.watch_durability(self.topics[topic.index()].first_log, out);
    }

    /// A message was appended: the next flush makes it durable, or it is already.
    #[inline]
    pub(super) fn watch_durability(&mut self, log: u32, out: &mut Vec<Action>) {
        let topic = self.logs[log as usize].topic;
        if let Some(every) = self.topics[topic as usize].knobs.flush_every
            && self.topics[topic as usize].flush_timer == NONE
        {
            let timer = self.start_timer(TimerKind::Flush, topic, every, out);
            self.topics[topic as usize].flush_timer = timer;
        }
    }

    /// All that a topic has accepted is durable.
    pub(super) fn flushed(&mut self, topic: u32, out: &mut Vec<Action>) {
        let state = &mut self.topics[topic as usize];
        state.flush_timer = NONE;
        state.memory.flushed();
        state.delayed_durable = state.delayed.len();
        for log in state.first_log..state.first_log + state.knobs.partitions {
            self.logs[log as usize].durable = self.logs[log as usize].end;
        }
        self.hear_all(topic, out);
        out.push(Action::Flushed { topic: TopicId(topic) });
    }

    /// One of the servers that a topic's messages are copied to is away.
    pub fn part_is_away(&mut self, topic: TopicId) {
        let state = &self.topics[topic.index()];
        for log in state.first_log..state.first_log + state.knobs.partitions {
            let log = &mut self.logs[log as usize];
            log.copied_before = log.end;
        }
    }

    /// It is back, with all that was acknowledged meanwhile.
    pub fn part_is_back(&mut self, topic: TopicId, choose: Choose, out: &mut Vec<Action>) {
        let state = &self.topics[topic.index()];
        for log in state.first_log..state.first_log + state.knobs.partitions {
            self.logs[log as usize].copied_before = 0;
            for lane in self.logs[log as usize].lanes.clone() {
                let missed = self
                    .deliveries
                    .select(|delivery| delivery.lane == lane && delivery.place == Place::Missed);
                for slot in missed {
                    self.put_back(slot, out);
                }
                self.serve_lane(lane, choose, out);
            }
        }
    }

    /// Whether what is acknowledged has a copy on a server that is away.
    #[inline]
    pub(super) fn is_missed(&self, lane: u32, offset: u64) -> bool {
        offset < self.logs[self.lanes[lane as usize].log as usize].copied_before
    }

    /// An acknowledgement misses a copy: it is hidden, and there.
    pub(super) fn miss(&mut self, slot: u32, out: &mut Vec<Action>) {
        self.deliveries[slot].bits &= !holder::ACK;
        self.cancel_delivery_timer(slot, out);
        self.let_in(slot, out);
        let copy = self.part(slot, out);
        self.deliveries[copy].place = Place::Missed;
    }

    fn subscriptions_to(&self, topic: TopicId) -> Vec<u32> {
        let all = 0..self.subscriptions.len() as u32;
        all.filter(|&subscription| {
            self.topic_of(self.subscriptions[subscription as usize].first_lane) == topic.0
        })
        .collect()
    }
}
