//! The tables of the broker: topics, subscriptions, lanes, consumers.

use super::delivery::NONE;
use super::recognise::Memory;
use super::returned::Returned;
use super::unheard::Unheard;
use crate::kernel::ids::{GroupId, InstanceId};
use crate::model::messaging::*;
use std::collections::{BTreeSet, VecDeque};

#[derive(Clone, Debug)]
pub(super) struct Topic {
    pub first_log: u32,
    pub knobs: TopicKnobs,
    /// In use; the others are empty and nobody's.
    pub partitions: u32,
    pub next_partition: u32,
    /// Messages that become visible when their delay is over, in order of acceptance.
    pub delayed: VecDeque<Delayed>,
    /// How many of them, from the first, are durable.
    pub delayed_durable: usize,
    /// What was settled since the last flush, where that takes time.
    pub unheard: Vec<Unheard>,
    /// What was sent before.
    pub memory: Memory,
    /// What came and waits to be redriven.
    pub letters: VecDeque<u32>,
    /// It refuses everything: nothing is sent.
    pub is_out: bool,
    /// Runs until all it has accepted is durable.
    pub flush_timer: u32,
}

/// A message whose delay is not over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delayed {
    pub message: u32,
    pub partition: u32,
    pub timer: u32,
}

/// What a group's instances share; of a group whose instances are each alone, what one has.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub group: u32,
    pub knobs: GroupKnobs,
    /// Nothing but what a cursor's owner holds decides whether a message is sent at once.
    pub is_plain: bool,
    /// It is plain, and its consumers handle one message of a partition after the other and acknowledge each.
    pub is_in_turn: bool,
    /// Its consumers compete, nothing is locked, and each message is acknowledged when it was handled.
    pub is_free: bool,
    /// Its consumers are watched for the time between polls.
    pub is_watched: bool,
    pub first_lane: u32,
    pub lanes: u32,
    /// Competing consumers with room, in turn.
    pub available: VecDeque<u32>,
    /// Lanes with work for competing consumers, in turn.
    pub backlog: VecDeque<u32>,
    /// Consumers that the broker takes for members, gone ones included until their lease ends.
    pub members: Vec<u32>,
    pub unsettled: u32,
    pub balance: Balance,
    /// It starts over when its rebalance ends.
    pub replays: bool,
    pub counts: Counts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Balance {
    Stable,
    /// Waits until what moves is quiet and nobody is missing.
    Preparing,
    /// Waits for its pause to end.
    Pausing,
}

/// What became of the messages a group was owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub owed: u64,
    pub acknowledged: u64,
    /// Dead-lettered, dropped or set aside after too many tries.
    pub exhausted: u64,
    /// Given up by retention, compaction, their time or a failover.
    pub skipped: u64,
}

impl Counts {
    /// Accepted and not yet settled.
    pub fn lag(&self) -> u64 {
        self.owed - self.acknowledged - self.exhausted - self.skipped
    }
}

/// One partition as one subscription has it.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub subscription: u32,
    pub log: u32,
    /// The consumer it is assigned to, if the subscription assigns.
    pub owner: u32,
    /// Next offset to take from the log.
    pub fetched: u64,
    /// With a cursor: all before is acknowledged.
    pub committed: u64,
    /// What was acknowledged at the last flush, where that takes time; else beyond all.
    pub durable: u64,
    /// Offset and message of what was acknowledged, and the broker has forgotten that.
    pub forgotten: Vec<(u64, u32)>,
    /// What lies before was handled before the last replay.
    pub replayed: u64,
    /// One past the last offset that was ever sent.
    pub seen: u64,
    /// Deliveries in order of offset: with a cursor, what was taken and is not acknowledged; else,
    /// under a partition lock, what was sent and has not ended.
    pub window: VecDeque<u32>,
    /// What was passed and settled before a rewind, and lies ahead again.
    pub passed: BTreeSet<u64>,
    /// How many at the front of the window have been started, under a partition lock.
    pub started: u32,
    /// How many at the front of the window have been handled, with a cursor.
    pub handled: u32,
    /// Attempts in flight or resting in place.
    pub busy: u32,
    /// Acknowledgements on their way from the owner.
    pub acks: u32,
    pub returned: Returned,
    /// In the backlog of its subscription, or among the hungry lanes of its owner.
    pub listed: bool,
    /// Stopped until a rebalance ends.
    pub moving: bool,
}

/// One connection of an instance to the broker; a restarted instance has another.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    pub subscription: u32,
    /// Number of the instance in its group.
    pub instance: u32,
    /// Group and instance, as the world names them.
    pub name: (GroupId, InstanceId),
    /// Deliveries on their way to it or with it.
    pub held: u32,
    /// Deliveries sent to it that the broker still owes.
    pub unsettled: u32,
    /// Attempts in flight.
    pub running: u32,
    /// Acknowledgements of either kind on their way from it.
    pub speaking: u32,
    /// Deliveries that name it.
    pub references: u32,
    /// Received, free of locks, waiting for concurrency.
    pub queued: VecDeque<u32>,
    /// Its lanes with work it had no room for.
    pub hungry: VecDeque<u32>,
    /// Handled and not yet acknowledged, of periodic acknowledgements.
    pub unsaid: Vec<u32>,
    /// Among the available of its subscription.
    pub listed: bool,
    /// The process runs.
    pub alive: bool,
    /// Nothing is heard from it: paused, or cut off.
    pub silent: bool,
    /// Its topic refuses everything.
    pub muted: bool,
    /// It takes nothing new: it is about to leave.
    pub retiring: bool,
    /// The broker takes it for a member.
    pub open: bool,
    /// The instance has no newer connection.
    pub current: bool,
    pub lease_timer: u32,
    pub poll_timer: u32,
    pub ack_timer: u32,
    pub poll_tick: u16,
}

impl Consumer {
    pub fn new(subscription: u32, instance: u32, name: (GroupId, InstanceId)) -> Self {
        Self {
            subscription,
            instance,
            name,
            held: 0,
            unsettled: 0,
            running: 0,
            speaking: 0,
            references: 0,
            queued: VecDeque::new(),
            hungry: VecDeque::new(),
            unsaid: Vec::new(),
            listed: false,
            alive: true,
            silent: false,
            muted: false,
            retiring: false,
            open: true,
            current: true,
            lease_timer: NONE,
            poll_timer: NONE,
            ack_timer: NONE,
            poll_tick: 0,
        }
    }

    /// Nobody can speak of it any more.
    pub fn is_forgotten(&self) -> bool {
        !self.current && !self.open && self.references == 0
    }
}

#[derive(Clone, Debug)]
pub(super) struct GroupState {
    pub members: Members,
    pub first_instance: u32,
    pub first_subscription: u32,
    pub subscriptions: u32,
    /// Connection of each instance.
    pub current: Vec<u32>,
}

/// A message that some subscription is owed, by the world's slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub key: u64,
    pub size: u32,
    pub holders: u32,
    /// The log it was appended to last.
    pub log: u32,
    /// Runs to the end of its time, or `NONE`.
    pub expiry: u32,
    pub keyed: bool,
    /// Its time is over.
    pub expired: bool,
    /// It says that its key is gone.
    pub tombstone: bool,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            key: 0,
            size: 0,
            holders: 0,
            log: NONE,
            expiry: NONE,
            keyed: false,
            expired: false,
            tombstone: false,
        }
    }
}
