//! Which consumer owns which partition, and how that changes.
//!
//! A change of members begins a rebalance. The partitions that move stop: what their owners have
//! not started is dropped, attempts in flight may end and be acknowledged. When these are quiet and
//! no member is missing (a crashed one is waited for until its lease is over), the pause begins;
//! after it the partitions go to their new owners, which start at what was acknowledged.

use super::delivery::{NONE, Place, holder, mark};
use super::state::Balance;
use super::timers::TimerKind;
use super::{Action, Broker, Choose, Settlement};
use crate::kernel::ids::TopicId;
use crate::model::messaging::*;

impl Broker {
    /// The assignment that everybody starts with.
    pub(super) fn assign_first(&mut self, subscription: u32) {
        if !self.subscriptions[subscription as usize].knobs.owns_partitions() {
            return;
        }
        let plan = self.plan(subscription);
        for (lane, owner) in self.lanes_of(subscription).zip(plan) {
            self.lanes[lane as usize].owner = owner;
        }
    }

    /// The members have changed.
    pub(super) fn rebalance(&mut self, subscription: u32, choose: Choose, out: &mut Vec<Action>) {
        let state = &mut self.subscriptions[subscription as usize];
        let group = state.group;
        if state.balance == Balance::Stable {
            state.balance = Balance::Preparing;
            out.push(Action::RebalanceBegun { group: crate::kernel::ids::GroupId(group) });
        }
        let eager = state.knobs.rebalance.mode == RebalanceMode::Eager;
        let plan = self.plan(subscription);
        for (lane, owner) in self.lanes_of(subscription).zip(plan) {
            let state = &mut self.lanes[lane as usize];
            if !state.moving && (eager || state.owner != owner) {
                state.moving = true;
                self.stop(lane, out);
            }
        }
        // What was dropped has made room for the partitions that stay.
        self.serve_members(subscription, choose, out);
        self.proceed(subscription, choose, out);
    }

    /// Owners drop what they have not started of a partition that moves.
    pub(super) fn stop(&mut self, lane: u32, out: &mut Vec<Action>) {
        let state = &mut self.lanes[lane as usize];
        state.listed = false;
        let owner = state.owner;
        if owner == NONE {
            return;
        }
        self.consumers[owner as usize].hungry.retain(|&other| other != lane);
        self.drop_idle(lane, out);
        // An owner that acknowledges from time to time does so before it lets go.
        if self.consumers[owner as usize].alive && !self.consumers[owner as usize].silent {
            self.say_handled(owner, out);
        }
    }

    fn drop_idle(&mut self, lane: u32, out: &mut Vec<Action>) {
        let window: Vec<u32> = self.lanes[lane as usize].window.iter().copied().collect();
        for slot in window {
            let delivery = &self.deliveries[slot];
            if delivery.has(holder::CONSUMER) && delivery.place != Place::Running {
                self.forget(slot, out);
            }
        }
    }

    /// Goes on with a rebalance that waited, if what it waited for has come.
    #[inline]
    pub(super) fn proceed(&mut self, subscription: u32, choose: Choose, out: &mut Vec<Action>) {
        if !self.is_preparing(subscription) || !self.is_quiet(subscription) {
            return;
        }
        let pause = self.subscriptions[subscription as usize].knobs.rebalance.pause;
        if pause > 0 {
            self.subscriptions[subscription as usize].balance = Balance::Pausing;
            self.start_timer(TimerKind::Rebalance, subscription, pause, out);
        } else {
            self.assign(subscription, choose, out);
        }
    }

    fn is_quiet(&self, subscription: u32) -> bool {
        let present = |&member: &u32| {
            let consumer = &self.consumers[member as usize];
            consumer.alive && !consumer.silent && !consumer.muted
        };
        self.subscriptions[subscription as usize].members.iter().all(present)
            && self.lanes_of(subscription).all(|lane| {
                let lane = &self.lanes[lane as usize];
                !lane.moving || lane.owner == NONE || (lane.busy == 0 && lane.acks == 0)
            })
    }

    /// The pause is over: partitions go to their new owners, unless somebody went missing meanwhile.
    pub(super) fn assign(&mut self, subscription: u32, choose: Choose, out: &mut Vec<Action>) {
        self.subscriptions[subscription as usize].balance = Balance::Preparing;
        if !self.is_quiet(subscription) {
            return;
        }
        let plan = self.plan(subscription);
        for (lane, owner) in self.lanes_of(subscription).zip(plan) {
            if self.lanes[lane as usize].moving {
                self.revoke(lane, choose, out);
                self.lanes[lane as usize].owner = owner;
                self.lanes[lane as usize].moving = false;
            }
        }
        self.start_over(subscription, out);
        self.subscriptions[subscription as usize].balance = Balance::Stable;
        out.push(Action::RebalanceEnded { group: self.group_of(subscription) });
        for lane in self.lanes_of(subscription) {
            self.serve_lane(lane, choose, out);
        }
        self.serve_members(subscription, choose, out);
    }

    /// Owners by lane, of those in use. Eager: ranges, the first members taking one more. Cooperative: as it is, as far as
    /// that is fair, the rest to those with least.
    fn plan(&self, subscription: u32) -> Vec<u32> {
        let state = &self.subscriptions[subscription as usize];
        let lanes = self.topics[self.topic_of(state.first_lane) as usize].partitions as usize;
        let mut members = state.members.clone();
        members.sort_by_key(|&member| self.consumers[member as usize].instance);
        if members.is_empty() {
            return vec![NONE; lanes];
        }
        if state.knobs.order_lock == OrderLock::Queue {
            let present = self.lanes[state.first_lane as usize].owner;
            let owner = if members.contains(&present) { present } else { members[0] };
            return vec![owner; lanes];
        }
        let (each, mut extra) = (lanes / members.len(), lanes % members.len());
        if state.knobs.rebalance.mode == RebalanceMode::Eager {
            let share = |(i, &member)| vec![member; each + usize::from(i < extra)];
            return members.iter().enumerate().flat_map(share).collect();
        }
        let mut load = vec![0; members.len()];
        let mut plan = vec![NONE; lanes];
        for (owner, lane) in plan.iter_mut().zip(self.lanes_of(subscription)) {
            let present = self.lanes[lane as usize].owner;
            let Some(i) = members.iter().position(|&member| member == present) else { continue };
            if load[i] == each && extra > 0 {
                extra -= 1;
            } else if load[i] >= each {
                continue;
            }
            load[i] += 1;
            *owner = present;
        }
        for owner in plan.iter_mut().filter(|owner| **owner == NONE) {
            let least = (0..members.len()).min_by_key(|&i| load[i]).expect("there are members");
            load[least] += 1;
            *owner = members[least];
        }
        plan
    }

    /// Puts more of a topic's partitions to use; returns how many. Groups that deal them out do so anew.
    pub fn repartition(
        &mut self,
        topic: TopicId,
        partitions: u32,
        choose: Choose,
        out: &mut Vec<Action>,
    ) -> u32 {
        let state = &mut self.topics[topic.index()];
        let added = partitions.min(state.knobs.partitions).saturating_sub(state.partitions);
        if added == 0 {
            return 0;
        }
        state.partitions += added;
        let first = state.first_log as usize;
        for lane in self.logs[first].lanes.clone() {
            let subscription = self.lanes[lane as usize].subscription;
            if self.subscriptions[subscription as usize].knobs.owns_partitions() {
                self.rebalance(subscription, choose, out);
            }
        }
        added
    }

    /// Takes a partition from its owner. What it has not acknowledged will be sent again; an attempt in
    /// flight goes on as a zombie.
    pub(super) fn revoke(&mut self, lane: u32, choose: Choose, out: &mut Vec<Action>) {
        let owner = std::mem::replace(&mut self.lanes[lane as usize].owner, NONE);
        if owner == NONE {
            return;
        }
        self.consumers[owner as usize].hungry.retain(|&other| other != lane);
        self.lanes[lane as usize].listed = false;
        self.drop_idle(lane, out);
        if self.knobs_of(lane).ack_scope == AckScope::Cursor {
            self.rewind(lane, out);
        } else {
            self.lanes[lane as usize].window.clear();
            self.lanes[lane as usize].started = 0;
            let owed = self.deliveries.select(|delivery| {
                delivery.lane == lane && delivery.has(holder::BROKER) && delivery.consumer != NONE
            });
            for slot in owed {
                self.take_back(slot, 0, choose, out);
            }
        }
        self.disown_rest(lane, out);
        debug_assert_eq!(self.lanes[lane as usize].busy, 0);
    }

    /// What was acknowledged before it ended, or is still being acknowledged, is out of the window.
    fn disown_rest(&mut self, lane: u32, out: &mut Vec<Action>) {
        let rest = self.deliveries.select(|delivery| {
            delivery.lane == lane
                && !delivery.has(mark::REVOKED)
                && delivery.has(holder::CONSUMER | holder::ACK)
        });
        for slot in rest {
            let idle =
                self.deliveries[slot].has(holder::CONSUMER) && self.deliveries[slot].place != Place::Running;
            self.disown(slot, out);
            if idle {
                self.forget(slot, out);
            }
        }
    }

    /// A cursor's lane goes back to what was acknowledged, or to where retention lets it.
    fn rewind(&mut self, lane: u32, out: &mut Vec<Action>) {
        let log = self.lanes[lane as usize].log as usize;
        let committed = self.lanes[lane as usize].committed;
        let expired = committed < self.logs[log].kept_from;
        let to = if expired { self.reset_of(lane) } else { committed };
        self.reopen_forgotten(lane, to, out);
        let subscription = self.lanes[lane as usize].subscription;
        let window = std::mem::take(&mut self.lanes[lane as usize].window);
        for &slot in &window {
            let delivery = &mut self.deliveries[slot];
            delivery.bits &= !holder::WINDOW;
            let (bits, offset, message) = (delivery.bits, delivery.offset, delivery.message);
            if bits & mark::LOCKS_KEY != 0 {
                // Those that wait for the key stand in this window too.
                self.locks.remove(&(lane, self.kept[message as usize].key));
            }
            if bits & holder::BROKER != 0 {
                self.uncount(slot);
            } else if offset >= to {
                self.lanes[lane as usize].passed.insert(offset);
            }
            self.disown(slot, out);
            if bits & holder::BROKER != 0 && offset < to {
                self.end_message(subscription, message, Settlement::Skipped, out);
            }
            self.free_if_unheld(slot, out);
        }
        let state = &mut self.lanes[lane as usize];
        state.returned = super::Returned::new(RedeliverTo::Original);
        state.window = window;
        state.window.clear();
        state.started = 0;
        state.handled = 0;
        if expired && to > state.fetched {
            self.skip(lane, out);
        }
        let state = &mut self.lanes[lane as usize];
        state.fetched = to;
        state.committed = to;
    }
}
