//! Who consumes: joining, leaving, falling silent, crashing, and what the broker makes of it.

use super::consume::POLL_PARTS;
use super::delivery::{NONE, Place, holder, mark};
use super::state::{Balance, Consumer};
use super::timers::TimerKind;
use super::{Action, Broker, Choose};
use crate::kernel::ids::{GroupId, InstanceId};
use crate::model::messaging::*;

impl Broker {
    /// An instance connects, at its start or after a crash. One that is connected stays so.
    pub fn join(&mut self, group: GroupId, instance: InstanceId, choose: Choose, out: &mut Vec<Action>) {
        let number = self.number_of(group, instance);
        if self.groups[group.index()].current[number as usize] != NONE {
            return;
        }
        let consumer = self.connect(group.0, number);
        self.welcome(consumer, choose, out);
    }

    /// An instance disconnects as planned; attempts still running are cut.
    pub fn leave(&mut self, group: GroupId, instance: InstanceId, choose: Choose, out: &mut Vec<Action>) {
        let Some(consumer) = self.cut(group, instance, out) else { return };
        self.close(consumer, choose, out);
        self.free_if_forgotten(consumer);
    }

    /// An instance crashes: what it held is gone at once, and the broker will notice by its lease.
    /// Acknowledgements on their way may still arrive.
    pub fn lost(&mut self, group: GroupId, instance: InstanceId, choose: Choose, out: &mut Vec<Action>) {
        let Some(consumer) = self.cut(group, instance, out) else { return };
        if !self.watch_for(consumer, out) {
            self.close(consumer, choose, out);
        }
        self.free_if_forgotten(consumer);
    }

    /// Nothing is heard from an instance: it is paused, or cut off from the broker.
    pub fn silent(&mut self, group: GroupId, instance: InstanceId, out: &mut Vec<Action>) {
        let number = self.number_of(group, instance);
        let consumer = self.groups[group.index()].current[number as usize];
        if consumer != NONE {
            self.consumers[consumer as usize].silent = true;
            self.watch_for(consumer, out);
        }
    }

    /// An instance that was silent is heard again. If it had been given up, it finds out and joins anew
    /// (with a partition of its own only when its attempts have ended: they keep it from polling).
    pub fn heard(&mut self, group: GroupId, instance: InstanceId, choose: Choose, out: &mut Vec<Action>) {
        let number = self.number_of(group, instance);
        let consumer = self.groups[group.index()].current[number as usize];
        if consumer == NONE || !self.consumers[consumer as usize].silent {
            return;
        }
        let state = &mut self.consumers[consumer as usize];
        state.silent = false;
        if !state.open {
            return self.come_back(consumer, choose, out);
        }
        let timer = std::mem::replace(&mut state.lease_timer, NONE);
        let overdue = state.ack_timer == NONE;
        let subscription = state.subscription;
        self.cancel_timer(timer, out);
        if overdue {
            self.say_handled(consumer, out);
        }
        self.serve_consumer(consumer, choose, out);
        self.proceed(subscription, choose, out);
    }

    pub(super) fn number_of(&self, group: GroupId, instance: InstanceId) -> u32 {
        let state = &self.groups[group.index()];
        let number = instance.0.wrapping_sub(state.first_instance);
        assert!((number as usize) < state.current.len(), "an instance of another service");
        number
    }

    /// A new connection, a member from now on.
    pub(super) fn connect(&mut self, group: u32, instance: u32) -> u32 {
        let state = &self.groups[group as usize];
        let subscription = match state.members {
            Members::Share => state.first_subscription,
            Members::EachAlone => state.first_subscription + instance,
        };
        let name = (GroupId(group), InstanceId(state.first_instance + instance));
        let consumer = Consumer::new(subscription, instance, name);
        let slot = match self.free_consumers.pop() {
            Some(slot) => {
                self.consumers[slot as usize] = consumer;
                slot
            }
            None => {
                self.consumers.push(consumer);
                (self.consumers.len() - 1) as u32
            }
        };
        let topic = self.topic_of(self.subscriptions[subscription as usize].first_lane);
        self.consumers[slot as usize].muted = self.topics[topic as usize].is_out;
        self.groups[group as usize].current[instance as usize] = slot;
        let subscription = &mut self.subscriptions[subscription as usize];
        subscription.members.push(slot);
        if !subscription.knobs.owns_partitions() {
            self.consumers[slot as usize].listed = true;
            subscription.available.push_back(slot);
        }
        slot
    }

    fn welcome(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let subscription = self.consumers[consumer as usize].subscription;
        if self.subscriptions[subscription as usize].knobs.owns_partitions() {
            self.rebalance(subscription, choose, out);
        } else {
            self.serve_consumer(consumer, choose, out);
        }
    }

    /// The process of an instance ends: its buffers and attempts are gone. Returns its connection.
    fn cut(&mut self, group: GroupId, instance: InstanceId, out: &mut Vec<Action>) -> Option<u32> {
        let number = self.number_of(group, instance);
        let consumer = std::mem::replace(&mut self.groups[group.index()].current[number as usize], NONE);
        if consumer == NONE {
            return None;
        }
        let subscription = self.consumers[consumer as usize].subscription;
        // Attempts of an earlier connection, which it lost without noticing, end with it.
        let consumers = &self.consumers;
        let held = self.deliveries.select(|delivery| {
            delivery.has(holder::CONSUMER) && {
                let state = &consumers[delivery.consumer as usize];
                state.subscription == subscription && state.instance == number
            }
        });
        let state = &mut self.consumers[consumer as usize];
        state.alive = false;
        state.current = false;
        let unsaid = std::mem::take(&mut state.unsaid);
        let timers =
            [std::mem::replace(&mut state.poll_timer, NONE), std::mem::replace(&mut state.ack_timer, NONE)];
        for timer in timers {
            self.cancel_timer(timer, out);
        }
        for slot in held {
            self.forget(slot, out);
        }
        for slot in unsaid {
            self.deliveries[slot].bits &= !holder::UNSAID;
            self.free_if_unheld(slot, out);
        }
        Some(consumer)
    }

    /// Starts the lease of a consumer that has fallen silent; returns whether there is one that will close
    /// the connection.
    fn watch_for(&mut self, consumer: u32, out: &mut Vec<Action>) -> bool {
        let state = &self.consumers[consumer as usize];
        let length = match self.subscriptions[state.subscription as usize].knobs.lease {
            Lease::Delivery { .. } => return false,
            Lease::Session { after, .. } => Some(after),
            Lease::Connection { detect, .. } => Some(detect),
            // The sockets of a process that is gone are closed; one that hangs keeps its transaction.
            Lease::Transaction { idle, .. } if state.alive => idle,
            Lease::Transaction { detect, .. } => Some(detect),
        };
        if let (Some(length), true, NONE) = (length, state.open, state.lease_timer) {
            let timer = self.start_timer(TimerKind::Detection, consumer, length, out);
            self.consumers[consumer as usize].lease_timer = timer;
        }
        true
    }

    pub(super) fn detected(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        self.consumers[consumer as usize].lease_timer = NONE;
        self.expel(consumer, choose, out);
    }

    /// An eighth of the poll interval has passed: an attempt that has seen eight of them is overdue.
    pub(super) fn poll_tick(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let state = &mut self.consumers[consumer as usize];
        state.poll_timer = NONE;
        state.poll_tick = state.poll_tick.wrapping_add(1);
        let (tick, subscription) = (state.poll_tick, state.subscription);
        if state.running == 0 || !state.open {
            return;
        }
        let age = |born: u16| tick.wrapping_sub(born) as i16;
        let running = self.deliveries.select(|delivery| {
            delivery.consumer == consumer && delivery.place == Place::Running && !delivery.has(mark::REVOKED)
        });
        if running.iter().any(|&slot| age(self.deliveries[slot].born) >= POLL_PARTS as i16) {
            return self.expel(consumer, choose, out);
        }
        if let Some(poll) = self.subscriptions[subscription as usize].knobs.lease.poll() {
            let part = poll.div_ceil(u64::from(POLL_PARTS));
            let timer = self.start_timer(TimerKind::Poll, consumer, part, out);
            self.consumers[consumer as usize].poll_timer = timer;
        }
    }

    /// The broker gives a consumer up.
    pub(super) fn expel(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let (group, instance) = self.name_of(consumer);
        out.push(Action::Expelled { group, instance });
        self.close(consumer, choose, out);
        self.free_if_forgotten(consumer);
    }

    /// Ends a membership: what the consumer had goes to others. Attempts still running go on as zombies.
    pub(super) fn close(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let state = &mut self.consumers[consumer as usize];
        if !state.open {
            return;
        }
        state.open = false;
        state.listed = false;
        state.hungry.clear();
        let subscription = state.subscription;
        let timers =
            [std::mem::replace(&mut state.lease_timer, NONE), std::mem::replace(&mut state.poll_timer, NONE)];
        for timer in timers {
            self.cancel_timer(timer, out);
        }
        let shared = &mut self.subscriptions[subscription as usize];
        shared.members.retain(|&other| other != consumer);
        shared.available.retain(|&other| other != consumer);
        if shared.knobs.owns_partitions() {
            for lane in self.lanes_of(subscription) {
                if self.lanes[lane as usize].owner == consumer {
                    self.revoke(lane, choose, out);
                }
            }
            self.rebalance(subscription, choose, out);
        } else if !matches!(shared.knobs.lease, Lease::Delivery { .. }) {
            self.return_all(consumer, choose, out);
        }
    }

    /// All that competing consumers have left to others on a connection that is closed.
    fn return_all(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let idle = self.deliveries.select(|delivery| {
            delivery.consumer == consumer
                && delivery.has(holder::CONSUMER)
                && delivery.place != Place::Running
        });
        for slot in idle {
            self.forget(slot, out);
        }
        let owed =
            self.deliveries.select(|delivery| delivery.consumer == consumer && delivery.has(holder::BROKER));
        for slot in owed {
            // A key that was rewound has taken its later messages along.
            if self.deliveries[slot].consumer != consumer || !self.deliveries[slot].has(holder::BROKER) {
                continue;
            }
            self.take_back(slot, 0, choose, out);
        }
        let subscription = self.consumers[consumer as usize].subscription;
        for lane in self.lanes_of(subscription) {
            self.serve_lane(lane, choose, out);
        }
        self.serve_members(subscription, choose, out);
    }

    /// A live consumer that was given up joins anew, when it has noticed.
    #[inline]
    pub(super) fn come_back(&mut self, consumer: u32, choose: Choose, out: &mut Vec<Action>) {
        let state = &self.consumers[consumer as usize];
        if state.open || !state.alive || !state.current || state.silent || state.retiring {
            return;
        }
        let (subscription, instance) = (state.subscription, state.instance);
        let knobs = &self.subscriptions[subscription as usize].knobs;
        if knobs.owns_partitions() && state.running > 0 {
            return;
        }
        let timer = std::mem::replace(&mut self.consumers[consumer as usize].ack_timer, NONE);
        self.cancel_timer(timer, out);
        self.say_handled(consumer, out);
        self.consumers[consumer as usize].current = false;
        let group = self.subscriptions[subscription as usize].group;
        let new = self.connect(group, instance);
        self.free_if_forgotten(consumer);
        self.welcome(new, choose, out);
    }

    /// Whether the broker waits for something before it can assign partitions.
    pub(super) fn is_preparing(&self, subscription: u32) -> bool {
        self.subscriptions[subscription as usize].balance == Balance::Preparing
    }
}
