//! Words that a scenario and its model say alike: what was written is what is carried out.

use super::time::Nanos;

/// Who is next among those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOrder {
    Fifo,
    Lifo,
    /// The smallest value first, then by arrival.
    Priority,
}

/// What becomes of work that a full queue has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    Reject,
    DropOldest,
    /// Rejects what has already waited longer than its caller's timeout, when a worker takes it.
    Deadline,
}

/// How a call finds one of the instances of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    RoundRobin,
    Random,
    LeastLoaded,
    /// The less loaded of two taken at random.
    TwoChoices,
    ByKey,
}

/// What concurrent transactions see of one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    ReadCommitted,
    Snapshot,
    Serializable,
}

/// How the wait between two tries is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    None,
    /// Anywhere up to the whole wait.
    Full,
    /// Half of it, and anywhere up to the other half.
    Equal,
    /// From the first wait to three times the last one.
    Decorrelated,
}

/// What an acknowledgement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckScope {
    /// This message.
    Individual,
    /// Everything of the partition up to this message.
    Cursor,
    /// The broker forgets a message as soon as it has sent it.
    OnDelivery,
}

/// Which partition a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionRoute {
    /// By a hash of the key; a message without a key goes to any partition.
    ByKey,
    RoundRobin,
}

/// When a fault strikes that watches a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Before,
    /// Done there, the answer lost here.
    Unanswered,
    After,
}

/// What can go wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StoreFault {
    /// What was not flushed is lost, and another server takes over.
    Failover,
    /// Open transactions and what was not durable are gone; connections are reset.
    Crash,
    /// It refuses everything, and loses nothing.
    Outage,
    /// It falls silent.
    Pause,
    /// Its operations take so many times as long.
    Slow(f64),
}

/// Which instances of a service a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceChoice {
    Any,
    All,
    Number(u32),
}

/// What becomes of a saga's step of which nobody knows whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTimeout {
    /// It is undone with the earlier ones.
    Undo,
    /// Only the earlier ones are undone.
    Skip,
}

/// What a success does that comes after the saga has given up waiting for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    Ignore,
    /// The step is undone once more.
    Undo,
}

/// What can become of a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SagaMeasure {
    Stuck,
    Inconsistent,
    Leaked,
    OverUndone,
    DirtyReads,
}

impl SagaMeasure {
    /// All of them, as scenario files call them.
    pub const ALL: [(SagaMeasure, &str); 5] = [
        (SagaMeasure::Stuck, "stuck"),
        (SagaMeasure::Inconsistent, "inconsistent"),
        (SagaMeasure::Leaked, "leaked"),
        (SagaMeasure::OverUndone, "over_undone"),
        (SagaMeasure::DirtyReads, "dirty_reads"),
    ];

    /// What had the chance to count.
    pub fn exposure(self) -> &'static str {
        match self {
            SagaMeasure::Stuck => "sagas started",
            SagaMeasure::Inconsistent | SagaMeasure::Leaked | SagaMeasure::OverUndone => "undo steps run",
            SagaMeasure::DirtyReads => "reads by others of what a saga could still undo",
        }
    }
}

/// How a relay finds what to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxSelect {
    /// Rows not marked as sent.
    Unsent,
    /// Rows with an id above the position.
    Id,
    /// Rows committed after the position.
    Log,
}

/// When rows are marked as sent, or the position is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxMark {
    AfterPublish,
    BeforePublish,
    /// Every so often: what came since is published again after a crash.
    Periodic,
}

/// The most of something that is a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// In every replication.
    Count(u64),
    /// Of all that could have counted, from 0 to 1.
    Share(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedOutcome {
    Pass,
    Fail,
    Inconclusive,
}

/// What is done with many values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// The measure as it stands: a count, a rate, or the time-weighted mean of a level.
    Whole,
    Sum,
    Count,
    Mean,
    /// Per second.
    Rate,
    /// Of all that could have counted, from 0 to 1.
    Share,
    Minimum,
    Maximum,
    /// From 0 to 1.
    Quantile(f64),
}

/// The measures of clients, services, groups, guarantees and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    ResponseTime,
    Throughput,
    Succeeded,
    Failed,
    Timeouts,
    Amplification,
    Utilization,
    QueueLength,
    WaitingTime,
    ServiceTime,
    InFlight,
    /// Of a group: messages not yet handled.
    GroupLag,
    TimeInTopic,
    Deliveries,
    Redeliveries,
    /// Of a guarantee: age of the oldest change that the view lacks.
    ViewLag,
    Window,
    FreshReads,
    Staleness,
}

/// What an acknowledgement is worth whose delivery has been taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleAck {
    /// As good as any.
    Accept,
    /// Nothing, silently.
    Ignore,
    /// Nothing, and its sender is told.
    Fence,
}

/// How a dead letter gets to the other topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// In one instant.
    Atomic,
    /// Taken out here, and put in there a moment later.
    AtMostOnce,
    /// Put in there, and taken out here a moment later.
    AtLeastOnce,
}

/// What may not be worked on at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderLock {
    None,
    /// Messages of one key of one partition.
    Key,
    /// The same, and as long as more of a key wait they go to the consumer that had the last.
    Session,
    /// Messages of one partition, which belongs to one consumer.
    Partition,
    /// Messages of all partitions, which belong to one consumer.
    Queue,
}

impl OrderLock {
    /// Whether keys are locked one by one.
    pub fn is_of_keys(self) -> bool {
        matches!(self, OrderLock::Key | OrderLock::Session)
    }

    /// Whether partitions are locked.
    pub fn is_of_partitions(self) -> bool {
        matches!(self, OrderLock::Partition | OrderLock::Queue)
    }
}

/// How an instance is stopped and started on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// How long it may take to end what it has begun.
    pub grace: Nanos,
    /// From its end, or from nothing, to the first thing it does.
    pub start_up: Nanos,
}
