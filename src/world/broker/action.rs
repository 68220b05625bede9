//! What passes between the broker and the world: what the broker wants done, and what it is told and asked.

use super::{DeliveryId, TimerId, TimerKind};
use crate::kernel::ids::{GroupId, InstanceId, TopicId};
use crate::kernel::time::Nanos;

/// Picks one of so many alternatives: the world asks its agenda.
pub type Choose<'a> = &'a mut dyn FnMut(Chooser, u32) -> u32;

/// What a choice is for: those of one topic or group are a sequence of their own, so that another topic shifts
/// nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chooser {
    /// The partition of a message without a key.
    Topic(TopicId),
    /// Which of those that came back is sent.
    Group(GroupId),
}

/// What the world must do now, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Carry this delivery to its consumer, then call `received`.
    Deliver {
        delivery: DeliveryId,
    },
    /// Begin an attempt: nothing that the broker knows of stands in its way.
    Start {
        delivery: DeliveryId,
    },
    /// Carry an acknowledgement to the broker, then call `ack`; or `ack_lost`.
    SendAck {
        delivery: DeliveryId,
    },
    /// The same, negative: `nack` or `ack_lost`.
    SendNack {
        delivery: DeliveryId,
    },
    /// The consumer goes back to this delivery and fetches it again: say by `fetch_takes` how long that is.
    FetchAgain {
        delivery: DeliveryId,
    },
    /// Call `timer` after `length`.
    StartTimer {
        timer: TimerId,
        kind: TimerKind,
        length: Nanos,
    },
    CancelTimer {
        timer: TimerId,
    },
    /// No topic holds this message any more.
    Release {
        message: u32,
    },
    /// A delivery that is no longer the broker's still has this message: hold it beside the topics.
    Carry {
        message: u32,
    },
    /// Such a delivery is forgotten by all.
    PutDown {
        message: u32,
    },
    /// A topic takes in a message that came before and was undecided.
    LetIn {
        message: u32,
        topic: TopicId,
    },
    /// Call `admit_decided`: what waits in this partition may come in.
    Unblocked {
        topic: TopicId,
        partition: u32,
    },
    /// A group is done with a message.
    Settled {
        group: GroupId,
        message: u32,
        end: Settlement,
    },
    /// A group begins to handle its topic once more.
    ReplayBegun {
        group: GroupId,
    },
    /// It is owed this message again.
    Reopened {
        group: GroupId,
        message: u32,
    },
    /// A message was accepted by a topic that no group consumes.
    Unclaimed {
        topic: TopicId,
        message: u32,
    },
    /// A dead letter was appended to another topic.
    Transferred {
        message: u32,
        topic: TopicId,
        partition: u32,
    },
    /// An acknowledgement came after its delivery had been taken away.
    StaleAck {
        group: GroupId,
        instance: InstanceId,
        message: u32,
    },
    /// The broker gave up a consumer that had not left.
    Expelled {
        group: GroupId,
        instance: InstanceId,
    },
    RebalanceBegun {
        group: GroupId,
    },
    RebalanceEnded {
        group: GroupId,
    },
    /// All that a topic has accepted is durable.
    Flushed {
        topic: TopicId,
    },
}

/// How a group came to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Settlement {
    Acknowledged,
    /// Moved to another topic after too many tries.
    DeadLettered,
    /// Given up after too many tries.
    Dropped,
    /// Set aside after too many tries.
    Parked,
    /// Not handed out any more after too many tries.
    Stayed,
    /// Given up by retention before it was acknowledged.
    Skipped,
    /// Its time was over before a consumer had it.
    Expired,
    /// Compaction has left a newer message of its key in its place.
    Superseded,
    /// Gone with a broker that had it alone.
    Destroyed,
}
