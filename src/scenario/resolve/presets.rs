//! The products, as data: one set of knobs each. A preset is where a broker starts from; the broker,
//! its topics and their consumers override knob by knob. No other code knows a product's name.
//!
//! Values are the products' own defaults, by their manuals, unless a comment says otherwise:
//! Kafka — <https://kafka.apache.org/documentation/> (broker, topic, producer, consumer configs);
//! RabbitMQ — <https://www.rabbitmq.com/docs> (confirms, consumer prefetch, heartbeats, dlx);
//! SQS — the Amazon SQS developer guide and API reference.

use crate::kernel::time::{Nanos, SECOND};
use crate::scenario::resolved::*;

const DAY: Nanos = 24 * 3600 * SECOND;

/// Every preset whose semantics are built, by name.
pub const PRESETS: &[(&str, Knobs)] =
    &[("kafka", KAFKA), ("rabbitmq-classic", RABBITMQ_CLASSIC), ("sqs-standard", SQS_STANDARD)];

/// Presets that are known by name but not built yet.
pub const LATER_PRESETS: &[&str] = &[
    "rabbitmq-quorum",
    "sqs-fifo",
    "pubsub",
    "pubsub-ordered",
    "nats-jetstream",
    "redis-streams",
    "service-bus-session",
    "postgres-skip-locked",
    "kurrent-subscription",
];

/// A partitioned log with consumer groups.
const KAFKA: Knobs = Knobs {
    retain: Retain {
        log: true,
        // `log.retention.hours` 168; `log.retention.bytes` -1; `log.cleanup.policy` delete.
        duration: Some(7 * DAY),
        bytes: None,
        compact: false,
        // `auto.offset.reset` latest: where a group goes on whose position was deleted.
        reset_earliest: false,
    },
    // `num.partitions`.
    partitions: 1,
    route: PartitionRoute::ByKey,
    order_lock: OrderLock::Partition,
    max_in_flight_per_consumer: None,
    max_in_flight_per_group: None,
    // `max.poll.records`.
    batch: 500,
    ack_scope: AckScope::Cursor,
    lease: Lease {
        kind: LeaseKind::Session,
        // `session.timeout.ms` 45 s; `max.poll.interval.ms` 5 min.
        after: 45 * SECOND,
        poll: Some(300 * SECOND),
        // A closed connection means nothing to the group coordinator: only the session counts.
        detect: 45 * SECOND,
    },
    redeliver: Redeliver { to: RedeliverTo::RewindPartition, delay: 0 },
    // A commit of an older generation is answered ILLEGAL_GENERATION.
    stale_ack: StaleAck::Fence,
    exhaust: Exhaust {
        after: None,
        count_failures: false,
        then: ExhaustThen::Block,
        dead_letter: None,
        // The product's own is at least once; only atomic moves are built.
        transfer: Transfer::Atomic,
    },
    producer: Producer {
        // `acks` all.
        confirm: true,
        // `request.timeout.ms` 30 s; `delivery.timeout.ms` 2 min leaves room for four attempts.
        timeout: 30 * SECOND,
        attempts: 4,
        // `max.in.flight.requests.per.connection`; `enable.idempotence` true: the broker remembers the
        // sequence numbers of the last five batches of a producer, per partition.
        in_flight: 5,
        deduplicate_by: DeduplicateBy::ProducerSequence,
        deduplicate_per_partition: true,
        deduplicate_window: None,
        deduplicate_batches: Some(5),
    },
    // The range assignor is eager. Members hear of a rebalance at their next heartbeat
    // (`heartbeat.interval.ms` 3 s), and all stand still until the last has joined.
    rebalance: Rebalance { cooperative: false, pause: 3 * SECOND },
    shards: 1,
    // A record counts as stored once the in-sync replicas have it, which is before it is on disk; the
    // model has no loss of all replicas, so this is as good as a flush.
    flush_every: None,
    // `min.insync.replicas`.
    min_in_sync: 1,
    delay: 0,
};

/// A queue that forgets what was acknowledged, pushed to competing consumers.
const RABBITMQ_CLASSIC: Knobs = Knobs {
    retain: Retain { log: false, duration: None, bytes: None, compact: false, reset_earliest: true },
    partitions: 1,
    route: PartitionRoute::RoundRobin,
    order_lock: OrderLock::None,
    // `basic.qos` 0: no limit on unacknowledged deliveries.
    max_in_flight_per_consumer: None,
    max_in_flight_per_group: None,
    // Deliveries are pushed one by one.
    batch: 1,
    ack_scope: AckScope::Individual,
    lease: Lease {
        kind: LeaseKind::Connection,
        // The delivery acknowledgement timeout, `consumer_timeout`.
        after: 1800 * SECOND,
        poll: None,
        // The heartbeat timeout: a peer that has been silent for this long is gone.
        detect: 60 * SECOND,
    },
    // "If it is possible, a requeued message is placed to its original position."
    redeliver: Redeliver { to: RedeliverTo::Original, delay: 0 },
    // An unknown delivery tag closes the channel (PRECONDITION_FAILED).
    stale_ack: StaleAck::Fence,
    // A message that is rejected (`requeue` false) is dead-lettered, and dropped where there is no
    // dead-letter exchange. Classic queues dead-letter without confirms: at most once.
    exhaust: Exhaust {
        after: Some(1),
        count_failures: true,
        then: ExhaustThen::Drop,
        dead_letter: None,
        // The product's own is at most once; only atomic moves are built.
        transfer: Transfer::Atomic,
    },
    producer: Producer {
        // Confirms are opt-in for a channel; whoever wants to keep messages turns them on, and a step
        // with `confirm: false` is the channel without.
        confirm: true,
        // `waitForConfirmsOrDie(5_000)` of the publisher confirms tutorial. Clients never resend.
        timeout: 5 * SECOND,
        attempts: 1,
        in_flight: 1,
        deduplicate_by: DeduplicateBy::None,
        deduplicate_per_partition: false,
        deduplicate_window: None,
        deduplicate_batches: None,
    },
    rebalance: Rebalance { cooperative: false, pause: 0 },
    shards: 1,
    // "A confirm for a persistent message is sent after it was written to disk."
    flush_every: None,
    min_in_sync: 1,
    delay: 0,
};

/// A queue without order, whose messages are hidden for a while when received.
const SQS_STANDARD: Knobs = Knobs {
    retain: Retain {
        log: false,
        // `MessageRetentionPeriod` 345,600 s.
        duration: Some(4 * DAY),
        bytes: None,
        compact: false,
        reset_earliest: true,
    },
    partitions: 1,
    route: PartitionRoute::RoundRobin,
    order_lock: OrderLock::None,
    max_in_flight_per_consumer: None,
    // "Approximately 120,000 in-flight messages" a queue.
    max_in_flight_per_group: Some(120_000),
    // The most that `MaxNumberOfMessages` admits, and what a Lambda trigger asks for.
    batch: 10,
    ack_scope: AckScope::Individual,
    lease: Lease {
        kind: LeaseKind::Timer,
        // `VisibilityTimeout`.
        after: 30 * SECOND,
        poll: None,
        detect: 30 * SECOND,
    },
    redeliver: Redeliver { to: RedeliverTo::Unordered, delay: 0 },
    // A delete with an old receipt handle succeeds and may delete nothing.
    stale_ack: StaleAck::Ignore,
    // No redrive policy unless one is given: `exhaust: { after: 10, dead_letter: topic }`.
    exhaust: Exhaust {
        after: None,
        count_failures: false,
        then: ExhaustThen::DeadLetter,
        dead_letter: None,
        transfer: Transfer::Atomic,
    },
    producer: Producer {
        confirm: true,
        // The Java SDK's socket timeout; `standard` retry mode: three attempts.
        timeout: 30 * SECOND,
        attempts: 3,
        in_flight: 1,
        deduplicate_by: DeduplicateBy::None,
        deduplicate_per_partition: false,
        deduplicate_window: None,
        deduplicate_batches: None,
    },
    rebalance: Rebalance { cooperative: false, pause: 0 },
    // Copies lie on several servers, and a delete can miss one that is away; the model has one.
    shards: 1,
    flush_every: None,
    min_in_sync: 1,
    delay: 0,
};
