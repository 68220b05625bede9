//! Consumers that stop on purpose: they take nothing new, give back what they have not begun, acknowledge
//! what they have handled, and disconnect.

use super::delivery::{NONE, Place, holder};
use super::{Action, Broker, Choose};
use crate::kernel::ids::{GroupId, InstanceId};
use crate::model::messaging::Lease;

impl Broker {
    /// An instance takes nothing new from now on. Its partitions go to others when its attempts have ended;
    /// of what it holds on a connection, others get what it has not begun.
    pub fn retire(&mut self, group: GroupId, instance: InstanceId, choose: Choose, out: &mut Vec<Action>) {
        let Some(consumer) = self.connection(group, instance) else { return };
        let state = &mut self.consumers[consumer as usize];
        state.retiring = true;
        state.listed = false;
        let subscription = state.subscription;
        let shared = &mut self.subscriptions[subscription as usize];
        shared.available.retain(|&other| other != consumer);
        self.say_handled(consumer, out);
        if self.subscriptions[subscription as usize].knobs.owns_partitions() {
            self.subscriptions[subscription as usize].members.retain(|&other| other != consumer);
            self.rebalance(subscription, choose, out);
        } else {
            self.give_back(consumer, choose, out);
        }
    }

    /// What a consumer that competes with others has not begun. Under a lease for each message nobody else
    /// gets it before that is over.
    fn give_back(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let held = self.deliveries.select(|delivery| {
            delivery.consumer == consumer
                && delivery.has(holder::CONSUMER)
                && delivery.place != Place::Running
        });
        let subscription = self.consumers[consumer as usize].subscription;
        let is_leased =
            matches!(self.subscriptions[subscription as usize].knobs.lease, Lease::Delivery { .. });
        for slot in held {
            let is_owed = self.deliveries[slot].has(holder::BROKER);
            self.forget(slot, out);
            if is_owed && !is_leased && self.deliveries[slot].consumer == consumer {
                self.take_back(slot, 0, choose, out);
            }
        }
        for lane in self.lanes_of(subscription) {
            self.serve_lane(lane, choose, out);
        }
        self.serve_members(subscription, choose, out);
    }

    /// Says what an instance that stops has handled since; whether all of it is ended and heard.
    pub fn winds_up(&mut self, group: GroupId, instance: InstanceId, out: &mut Vec<Action>) -> bool {
        let Some(consumer) = self.connection(group, instance) else { return true };
        self.say_handled(consumer, out);
        let state = &self.consumers[consumer as usize];
        let mut lanes = self.lanes_of(state.subscription).map(|lane| &self.lanes[lane as usize]);
        state.running == 0
            && state.speaking == 0
            && lanes.all(|lane| lane.owner != consumer || lane.acks == 0 && lane.busy == 0)
    }

    /// An instance that has wound up disconnects.
    pub fn sign_off(&mut self, group: GroupId, instance: InstanceId, choose: Choose, out: &mut Vec<Action>) {
        let Some(consumer) = self.connection(group, instance) else { return };
        let subscription = self.consumers[consumer as usize].subscription;
        let owns = |lane: u32| self.lanes[lane as usize].owner == consumer;
        let is_apart = self.subscriptions[subscription as usize].knobs.owns_partitions()
            && self.consumers[consumer as usize].lease_timer == NONE
            && !self.lanes_of(subscription).any(owns);
        if is_apart {
            // The others have its partitions already: they need not share them out again.
            self.consumers[consumer as usize].open = false;
        }
        self.leave(group, instance, choose, out);
    }

    fn connection(&self, group: GroupId, instance: InstanceId) -> Option<u32> {
        let consumer = self.groups[group.index()].current[self.number_of(group, instance) as usize];
        (consumer != NONE).then_some(consumer)
    }
}
