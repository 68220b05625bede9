//! The knobs of the messaging primitive, compiled: what a topic and a subscription do, and nothing
//! about which product does it so. A combination that the world cannot carry out has no value here
//! where types can say it; the rest is checked by [`GroupKnobs::contradiction`].
//!
//! ```
//! use eventflow::model::messaging::*;
//!
//! // A log whose groups keep a cursor per partition and lose it with their session.
//! let group = GroupKnobs {
//!     ack_scope: AckScope::Cursor,
//!     order_lock: OrderLock::Partition,
//!     lease: Lease::Session { after: 45_000_000_000, poll: Some(300_000_000_000) },
//!     ..GroupKnobs::default()
//! };
//! assert_eq!(group.contradiction(), None);
//! ```

use crate::kernel::ids::{InstanceId, TopicId};
use crate::kernel::time::Nanos;

pub use crate::kernel::vocabulary::{AckScope, OrderLock, PartitionRoute, StaleAck, Transfer};

/// What a topic does with what it accepts.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicKnobs {
    /// Some operation replays it: it keeps what every group has passed, as far as retention lets it.
    pub is_replayed: bool,
    /// At least 1: as many as it comes to have.
    pub partitions: u32,
    /// Those that it begins with; an operation adds the others.
    pub partitions_at_first: u32,
    pub route: PartitionRoute,
    /// A message becomes visible this long after it was accepted.
    pub delay: Nanos,
    /// Messages not yet consumed are given up after this long; `None`: kept until consumed.
    pub retain_for: Option<Nanos>,
    /// Older messages of a key are given up for newer ones; `retain_for` is then about tombstones alone.
    pub compact: bool,
    /// The oldest messages of a partition are given up beyond this many bytes.
    pub retain_bytes: Option<u64>,
    pub deduplicate: Option<Deduplicate>,
    /// What was accepted is durable after the next flush, so long apart; `None`: before it is confirmed.
    pub flush_every: Option<Nanos>,
    /// Confirmed when it is durable, and no earlier.
    pub confirms_durable: bool,
    /// Over how many servers each message is copied.
    pub shards: u32,
    /// What comes is kept until it is redriven.
    pub keeps_letters: bool,
}

impl Default for TopicKnobs {
    /// One partition that keeps everything until it is consumed.
    fn default() -> Self {
        Self {
            is_replayed: false,
            partitions: 1,
            partitions_at_first: 1,
            route: PartitionRoute::ByKey,
            delay: 0,
            retain_for: None,
            compact: false,
            retain_bytes: None,
            deduplicate: None,
            flush_every: None,
            confirms_durable: false,
            shards: 1,
            keeps_letters: false,
        }
    }
}

/// How the broker recognises what is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deduplicate {
    pub by: DeduplicateBy,
    pub scope: DeduplicateScope,
    pub window: Window,
}

/// What it compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeduplicateBy {
    /// The producer and its number of the sending: what another producer sends is another message.
    Sequence,
    /// The message's id, whoever sends it.
    MessageId,
}

/// How long it remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last so many: of each producer, if it compares sequences.
    Last(u32),
    For(Nanos),
    Ever,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeduplicateScope {
    Topic,
    Partition,
}

/// A group as the broker meets it: who may join, and how it consumes.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub topic: TopicId,
    /// Its members are this instance and the next ones.
    pub first_instance: InstanceId,
    pub instances: u32,
    /// The first ones, which are members from the beginning.
    pub instances_at_start: u32,
    pub members: Members,
    pub knobs: GroupKnobs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Members {
    /// Each message goes to one instance.
    Share,
    /// Every instance gets every message (`group: per_instance`).
    EachAlone,
}

/// How a group consumes a topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupKnobs {
    pub order_lock: OrderLock,
    /// Deliveries a consumer may have: not yet acknowledged, or with a cursor not yet handled.
    pub max_in_flight_per_consumer: Option<u32>,
    /// The same for all consumers of the group together: not yet acknowledged.
    pub max_in_flight_per_group: Option<u32>,
    /// Above 1, a consumer fetches up to so many when it has handled all it had.
    pub batch: u32,
    /// Attempts in flight per instance.
    pub concurrency: Option<u32>,
    pub ack_scope: AckScope,
    pub ack: AckMode,
    pub lease: Lease,
    pub redeliver_to: RedeliverTo,
    /// How long a message rests after a failed attempt.
    pub redeliver_delay: Nanos,
    pub stale_ack: StaleAck,
    pub exhaust: Option<Exhaust>,
    pub rebalance: Rebalance,
    /// Where a cursor goes that retention has passed.
    pub reset: Reset,
}

impl Default for GroupKnobs {
    /// Competing consumers on a connection, acknowledging each message, without limits.
    fn default() -> Self {
        Self {
            order_lock: OrderLock::None,
            max_in_flight_per_consumer: None,
            max_in_flight_per_group: None,
            batch: 1,
            concurrency: None,
            ack_scope: AckScope::Individual,
            ack: AckMode::After,
            lease: Lease::Connection { detect: 0, poll: None },
            redeliver_to: RedeliverTo::Original,
            redeliver_delay: 0,
            stale_ack: StaleAck::Fence,
            exhaust: None,
            rebalance: Rebalance { mode: RebalanceMode::Eager, pause: 0 },
            reset: Reset::Earliest,
        }
    }
}

impl GroupKnobs {
    /// Why these knobs cannot go together, if they cannot.
    pub fn contradiction(&self) -> Option<&'static str> {
        if self.owns_partitions() && self.lease.is_taken_one_by_one() {
            return Some("a partition has an owner, so its lease is a session or a connection");
        }
        if self.ack_scope == AckScope::Cursor && self.order_lock == OrderLock::Session {
            return Some("a cursor's partition has one owner for all its keys");
        }
        if self.ack_scope == AckScope::OnDelivery && self.order_lock != OrderLock::None {
            return Some("what is acknowledged on delivery cannot lock what follows it");
        }
        if self.ack_scope == AckScope::OnDelivery && self.lease.is_taken_one_by_one() {
            return Some("what is acknowledged on delivery needs no lease");
        }
        if self.ack_scope == AckScope::Cursor && self.stale_ack == StaleAck::Accept {
            return Some("a cursor has one owner: what another says of it cannot count");
        }
        let by_position = matches!(self.ack, AckMode::After | AckMode::Periodic { .. });
        if self.ack_scope == AckScope::Cursor && self.order_lock == OrderLock::Key && !by_position {
            return Some("a cursor would pass messages that wait for their key: acknowledge after the work");
        }
        let keeps_keys = self.order_lock == OrderLock::Key && self.ack_scope == AckScope::Individual;
        if self.redeliver_to == RedeliverTo::RewindKey && !keeps_keys {
            return Some(
                "only messages that are acknowledged one by one under a lock on keys are rewound by key",
            );
        }
        if self.batch == 0 || self.concurrency == Some(0) || self.max_in_flight_per_consumer == Some(0) {
            return Some("a consumer must be able to take one message");
        }
        if self.max_in_flight_per_group == Some(0) {
            return Some("a group must be able to take one message");
        }
        None
    }

    /// Whether each partition belongs to one consumer of the group, instead of all competing.
    pub fn owns_partitions(&self) -> bool {
        self.ack_scope == AckScope::Cursor || self.order_lock.is_of_partitions()
    }
}

/// When a consumer acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckMode {
    /// When the attempt starts.
    Before,
    /// When it ended well.
    After,
    /// When the handler says so.
    Manual,
    /// This long after the first that ended well, for all that did.
    Periodic { every: Nanos },
}

/// What makes the broker believe that a consumer is gone, or a message is not being handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Each delivery is invisible to others for this long.
    Delivery { after: Nanos },
    /// A silent consumer is expelled after `after`; one whose attempt takes longer than `poll`, too.
    Session { after: Nanos, poll: Option<Nanos> },
    /// A lost connection is noticed after `detect`; one with an attempt longer than `poll` is closed.
    Connection { detect: Nanos, poll: Option<Nanos> },
    /// What was taken comes back when its transaction ends otherwise: `detect` after its process is gone, or
    /// after the process has been silent for `idle`.
    Transaction { detect: Nanos, idle: Option<Nanos> },
}

impl Lease {
    /// The longest that an attempt may take before its consumer is given up.
    pub fn poll(self) -> Option<Nanos> {
        match self {
            Lease::Session { poll, .. } | Lease::Connection { poll, .. } => poll,
            Lease::Delivery { .. } | Lease::Transaction { .. } => None,
        }
    }

    /// Whether a consumer takes a message when it has a worker free for it, and no earlier: what it took
    /// ahead would only lose its lease while waiting.
    pub fn is_taken_one_by_one(self) -> bool {
        matches!(self, Lease::Delivery { .. } | Lease::Transaction { .. })
    }
}

/// Where a message goes that was not acknowledged. A cursor always rewinds its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedeliverTo {
    /// To its place in the queue.
    Original,
    /// Before all others, in order of return.
    Front,
    /// Behind all that are there now.
    Back,
    /// To its place, and all later messages of its key with it, acknowledged ones too.
    RewindKey,
    /// Anywhere: chosen among those that came back and the next in line.
    Unordered,
}

/// When a message is given up, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhaust {
    /// At least 1.
    pub after: u16,
    pub count: ExhaustCount,
    pub then: ExhaustThen,
    /// How a dead letter moves; a cursor's consumer always copies it before it passes it.
    pub transfer: Transfer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExhaustCount {
    Deliveries,
    /// Negative acknowledgements; with a cursor, failed attempts of the present owner.
    Failures,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExhaustThen {
    DeadLetter(TopicId),
    Drop,
    /// Set aside where it is.
    Park,
    /// It stays where it is, and is not handed out any more.
    Stay,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebalance {
    pub mode: RebalanceMode,
    /// From the moment all members are ready to the new assignment.
    pub pause: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebalanceMode {
    /// Every partition of the group stops.
    Eager,
    /// Only those that move stop.
    Cooperative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    Earliest,
    Latest,
}
