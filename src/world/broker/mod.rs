//! The one messaging primitive: topics, groups and what they owe, as a state machine without clock,
//! network or randomness. The world calls in when a packet arrives, an attempt ends or a timer
//! rings, and carries out the [`Action`]s that are pushed. Products are nothing but knobs
//! ([`crate::model::messaging`]).
//!
//! A message's life in one group. On the left the broker, on the right the consumer; between them
//! the world's network, where anything may be late or lost.
//!
//! ```text
//!  accept ─▶ log ──take──▶ Waiting ──Deliver──▶ Sent ──received──▶ Buffered / Queued ──Start──▶ Running
//!            ▲               ▲  ▲                                                                │
//!     cursor │     Delayed ──┘  │                              Resting ◀── cursor: failed ─── ended
//!    rewinds │        ▲         │ lease over,                     └──Start──▶ Running            │
//!            │        │ nack    │ connection lost                                   SendAck / SendNack
//!            └────────┴─────────┴──────────────────── ack ─▶ Settled ─▶ Release ◀────────────────┘
//! ```
//!
//! Each delivery is held by up to three parties: the *broker* while it owes the message, the
//! *consumer* from sending to the end of the attempt, and an *acknowledgement* on its way. When the
//! broker takes a message away from a consumer that may still work on it, the copies part: a new
//! one waits at the broker, the old one is *revoked*, and what it says is stale. That is all there
//! is to zombies.
//!
//! A **log** per partition is shared by all subscriptions. A **subscription** is what the instances
//! of a group share; it has a **lane** per partition: how far it has taken from the log, what came
//! back, and under a cursor or a partition lock its **window** of deliveries in order. Lanes are
//! either owned by one consumer each (cursor, partition lock), and a change of members rebalances
//! them; or their consumers compete, in turn, for each message.
//!
//! What a message is held back for is a *lock*: on its key, its partition or the whole topic. What it is given up for
//! is in `settle` (tries), `retention` (age and size), `compaction` (newer ones, its own time) and `durability`
//! (a broker that loses it). What is sent twice is recognised by `recognise`; what is seen with an acknowledgement or
//! not at all is in `transactions`.
//!
//! The law, kept by every call: of what a group is owed, each message is exactly once acknowledged,
//! exhausted or skipped by retention, or still in the log or in one delivery the broker holds.
//! Messages live in slots of the world; the broker holds a slot from `accept` to [`Action::Release`], and longer
//! where a consumer or an acknowledgement still has a copy: from [`Action::Carry`] to [`Action::PutDown`]. As long
//! as a delivery is there, so is its message.
//!
//! All instances are members from the start, without a rebalance, and every group is owed everything
//! accepted from then on.

mod action;
mod compaction;
mod consume;
mod delayed;
mod delivery;
mod dispatch;
mod durability;
mod inspect;
mod log;
mod membership;
mod rebalance;
mod recognise;
mod replay;
mod retention;
mod retiring;
mod returned;
mod rewinding;
mod settle;
mod state;
mod steady;
#[cfg(test)]
mod tests;
mod timers;
mod transactions;
mod unheard;

pub use action::{Action, Choose, Chooser, Settlement};
pub use delivery::{DeliveryId, Outcome};
pub use inspect::{Owed, Parcel, Share, Stage};
pub use recognise::{Accepted, Origin};
pub use state::Counts;
pub use timers::{TimerId, TimerKind};

use crate::kernel::ids::{GroupId, InstanceId};
use crate::kernel::time::Nanos;
use crate::model::messaging::*;
use delivery::{Deliveries, NONE, holder, mark};
use log::Log;
use returned::Returned;
use rustc_hash::FxHashMap;
use state::*;
use std::collections::{BTreeSet, VecDeque};
use timers::Timers;

/// All topics and groups of a scenario.
#[derive(Clone, Debug)]
pub struct Broker {
    topics: Vec<Topic>,
    logs: Vec<Log>,
    groups: Vec<GroupState>,
    subscriptions: Vec<Subscription>,
    lanes: Vec<Lane>,
    consumers: Vec<Consumer>,
    free_consumers: Vec<u32>,
    deliveries: Deliveries,
    timers: Timers,
    /// By the world's message slot.
    kept: Vec<Kept>,
    /// Messages that somebody is owed and whose time is over.
    expired: u32,
    /// Those waiting for each locked key, by (lane, key).
    locks: FxHashMap<(u32, u64), VecDeque<u32>>,
    /// What is not done with of each key that may be rewound, by (lane, key).
    lines: FxHashMap<(u32, u64), VecDeque<u32>>,
    /// Deliveries with which something is decided.
    transactions: transactions::Transactions,
    /// The copy that the broker holds, by (lane, offset), of what was taken away from a consumer whose
    /// stale acknowledgement may count.
    copies: FxHashMap<(u32, u64), u32>,
}

impl Broker {
    /// Topics and groups by id. Knobs that contradict each other are a mistake of the compiler.
    pub fn new(topics: &[TopicKnobs], groups: &[Group]) -> Self {
        let mut broker = Self {
            topics: Vec::new(),
            logs: Vec::new(),
            groups: Vec::new(),
            subscriptions: Vec::new(),
            lanes: Vec::new(),
            consumers: Vec::new(),
            free_consumers: Vec::new(),
            deliveries: Deliveries::default(),
            timers: Timers::default(),
            kept: Vec::new(),
            expired: 0,
            locks: FxHashMap::default(),
            lines: FxHashMap::default(),
            transactions: Default::default(),
            copies: FxHashMap::default(),
        };
        for knobs in topics {
            broker.add_topic(knobs);
        }
        for group in groups {
            broker.add_group(group);
        }
        broker
    }

    fn add_topic(&mut self, knobs: &TopicKnobs) {
        assert!(knobs.partitions_at_first > 0, "a topic has a partition");
        let topic = self.topics.len() as u32;
        self.topics.push(Topic {
            first_log: self.logs.len() as u32,
            knobs: knobs.clone(),
            partitions: knobs.partitions_at_first,
            next_partition: 0,
            delayed: VecDeque::new(),
            delayed_durable: 0,
            unheard: Vec::new(),
            memory: recognise::Memory::new(knobs),
            letters: VecDeque::new(),
            is_out: false,
            flush_timer: NONE,
        });
        self.logs.extend((0..knobs.partitions).map(|_| Log::new(topic)));
    }

    fn add_group(&mut self, group: &Group) {
        assert!(group.knobs.are_possible());
        let subscriptions = match group.members {
            Members::Share => 1,
            Members::EachAlone => group.instances,
        };
        let id = self.groups.len() as u32;
        let first_subscription = self.subscriptions.len() as u32;
        for _ in 0..subscriptions {
            self.add_subscription(id, group);
        }
        self.groups.push(GroupState {
            members: group.members,
            first_instance: group.first_instance.0,
            first_subscription,
            subscriptions,
            current: vec![NONE; group.instances as usize],
        });
        for instance in 0..group.instances_at_start {
            self.connect(id, instance);
        }
        for subscription in first_subscription..first_subscription + subscriptions {
            self.assign_first(subscription);
        }
    }

    fn add_subscription(&mut self, group: u32, of: &Group) {
        let topic = &self.topics[of.topic.index()];
        let subscription = self.subscriptions.len() as u32;
        let first_lane = self.lanes.len() as u32;
        // A cursor has nothing come back; under a key lock, what waited for a key keeps its order.
        let redeliver_to = match of.knobs.ack_scope {
            AckScope::Cursor => RedeliverTo::Original,
            _ => of.knobs.redeliver_to,
        };
        for partition in 0..topic.knobs.partitions {
            let log = topic.first_log + partition;
            self.logs[log as usize].lanes.push(self.lanes.len() as u32);
            self.lanes.push(Lane {
                subscription,
                log,
                owner: NONE,
                fetched: 0,
                committed: 0,
                durable: if topic.knobs.flush_every.is_some() { 0 } else { u64::MAX },
                forgotten: Vec::new(),
                replayed: 0,
                seen: 0,
                passed: BTreeSet::new(),
                window: VecDeque::new(),
                started: 0,
                handled: 0,
                busy: 0,
                acks: 0,
                returned: Returned::new(redeliver_to),
                listed: false,
                moving: false,
            });
        }
        // What is durable only with the next flush is remembered until then.
        let forgets = topic.knobs.flush_every.is_some();
        let is_plain = !forgets
            && of.knobs.ack_scope == AckScope::Cursor
            && !of.knobs.order_lock.is_of_keys()
            && of.knobs.max_in_flight_per_group.is_none()
            && matches!(of.knobs.lease, Lease::Session { .. });
        // What belongs to one consumer is worked on one by one, whatever its partition.
        let one_by_one = of.knobs.order_lock == OrderLock::Queue;
        let concurrency = if one_by_one { Some(1) } else { of.knobs.concurrency };
        self.subscriptions.push(Subscription {
            group,
            knobs: GroupKnobs { concurrency, ..of.knobs },
            is_plain,
            is_in_turn: is_plain && of.knobs.order_lock.is_of_partitions() && of.knobs.ack == AckMode::After,
            is_free: !forgets
                && of.knobs.ack_scope == AckScope::Individual
                && of.knobs.order_lock == OrderLock::None
                && of.knobs.ack == AckMode::After
                && of.knobs.max_in_flight_per_group.is_none(),
            is_watched: of.knobs.lease.poll().is_some(),
            first_lane,
            lanes: topic.knobs.partitions,
            available: VecDeque::new(),
            backlog: VecDeque::new(),
            members: Vec::new(),
            unsettled: 0,
            balance: Balance::Stable,
            replays: false,
            counts: Counts::default(),
        });
    }

    /// A timer rings. One that was cancelled since is ignored.
    pub fn timer(&mut self, timer: TimerId, choose: Choose, out: &mut Vec<Action>) {
        let Some(timer) = self.timers.take(timer) else { return };
        match timer.kind {
            TimerKind::Visibility => self.visible_again(timer.owner, choose, out),
            TimerKind::Rest => self.rested(timer.owner, choose, out),
            TimerKind::Detection => self.detected(timer.owner, choose, out),
            TimerKind::Poll => self.poll_tick(timer.owner, choose, out),
            TimerKind::PeriodicAck => self.say_all(timer.owner, out),
            TimerKind::Rebalance => self.assign(timer.owner, choose, out),
            TimerKind::Delay => self.undelay(timer.owner, choose, out),
            TimerKind::Retention => self.retention_tick(timer.owner, choose, out),
            TimerKind::Memory => self.topics[timer.owner as usize].memory.forget_oldest(),
            TimerKind::Move => self.moved(timer.owner, choose, out),
            TimerKind::Expiry => self.time_is_over(timer.owner, out),
            TimerKind::Flush => self.flushed(timer.owner, out),
        }
    }

    #[inline]
    fn name_of(&self, consumer: u32) -> (GroupId, InstanceId) {
        self.consumers[consumer as usize].name
    }

    fn topic_of(&self, lane: u32) -> u32 {
        self.logs[self.lanes[lane as usize].log as usize].topic
    }

    #[inline]
    fn group_of(&self, subscription: u32) -> GroupId {
        GroupId(self.subscriptions[subscription as usize].group)
    }

    #[inline]
    fn knobs_of(&self, lane: u32) -> &GroupKnobs {
        &self.subscriptions[self.lanes[lane as usize].subscription as usize].knobs
    }

    fn lanes_of(&self, subscription: u32) -> std::ops::Range<u32> {
        let subscription = &self.subscriptions[subscription as usize];
        subscription.first_lane..subscription.first_lane + subscription.lanes
    }

    /// Starts a timer; returns its slot.
    fn start_timer(&mut self, kind: TimerKind, owner: u32, length: Nanos, out: &mut Vec<Action>) -> u32 {
        let timer = self.timers.add(kind, owner);
        out.push(Action::StartTimer { timer, kind, length });
        timer.slot
    }

    /// Cancels the timer in this slot, if it is one.
    fn cancel_timer(&mut self, slot: u32, out: &mut Vec<Action>) {
        if slot != NONE {
            out.push(Action::CancelTimer { timer: self.timers.remove(slot) });
        }
    }

    fn cancel_delivery_timer(&mut self, slot: u32, out: &mut Vec<Action>) {
        let timer = std::mem::replace(&mut self.deliveries[slot].timer, NONE);
        self.cancel_timer(timer, out);
    }

    /// The broker no longer owes the message of a delivery, which goes on holding it if others hold the delivery.
    #[inline]
    fn is_not_owed(&mut self, slot: u32, out: &mut Vec<Action>) {
        let delivery = &mut self.deliveries[slot];
        delivery.bits &= !holder::BROKER;
        if delivery.has(holder::ANY) {
            delivery.bits |= mark::CARRIED;
            out.push(Action::Carry { message: delivery.message });
        }
    }

    /// Frees a delivery that nobody holds, and then perhaps its consumer.
    #[inline]
    fn free_if_unheld(&mut self, slot: u32, out: &mut Vec<Action>) {
        let delivery = &self.deliveries[slot];
        if delivery.has(holder::ANY) {
            return;
        }
        let consumer = delivery.consumer;
        if delivery.has(mark::CARRIED) {
            out.push(Action::PutDown { message: delivery.message });
        }
        self.deliveries.remove(slot);
        if consumer != NONE {
            self.consumers[consumer as usize].references -= 1;
            self.free_if_forgotten(consumer);
        }
    }

    #[inline]
    fn free_if_forgotten(&mut self, consumer: u32) {
        let state = &mut self.consumers[consumer as usize];
        if state.is_forgotten() {
            // No delivery names a free slot; it must not be freed twice.
            state.references = NONE;
            self.free_consumers.push(consumer);
        }
    }
}
