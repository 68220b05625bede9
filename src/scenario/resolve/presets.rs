//! The products, as data: one set of knobs each. A preset is where a broker starts from; the broker,
//! its topics and their consumers override knob by knob. No other code knows a product's name.
//!
//! Values are the products' own defaults, by their manuals, unless a comment says otherwise:
//! Kafka — <https://kafka.apache.org/documentation/> (broker, topic, producer, consumer configs);
//! RabbitMQ — <https://www.rabbitmq.com/docs> (confirms, consumer prefetch, heartbeats, dlx, quorum-queues);
//! SQS — the Amazon SQS developer guide and API reference;
//! Pub/Sub — <https://cloud.google.com/pubsub/docs> (pull, lease-management, ordering, handling-failures);
//! NATS — <https://docs.nats.io/nats-concepts/jetstream> (streams, consumers, headers);
//! Redis — <https://redis.io/docs/latest/commands> (xreadgroup, xack, xautoclaim);
//! Service Bus — <https://learn.microsoft.com/azure/service-bus-messaging> (message-sessions,
//! message-transfers-locks-settlement, duplicate-detection, service-bus-dead-letter-queues);
//! PostgreSQL — <https://www.postgresql.org/docs/current> (sql-select, runtime-config-client);
//! KurrentDB — <https://docs.kurrent.io/server> (persistent subscriptions).

use crate::kernel::time::{MILLISECOND, Nanos, SECOND};
use crate::scenario::resolved::*;

const DAY: Nanos = 24 * 3600 * SECOND;

/// A negative acknowledgement ends a message's lease at once. (Without a delay of its own a failed message
/// waits until its lease is over.)
const AT_ONCE: Nanos = MILLISECOND;

/// Every preset that is built, by name.
pub const PRESETS: &[(&str, Knobs)] = &[
    ("kafka", KAFKA),
    ("rabbitmq-classic", RABBITMQ_CLASSIC),
    ("rabbitmq-quorum", RABBITMQ_QUORUM),
    ("sqs-standard", SQS_STANDARD),
    ("sqs-fifo", SQS_FIFO),
    ("pubsub", PUBSUB),
    ("pubsub-ordered", PUBSUB_ORDERED),
    ("nats-jetstream", NATS_JETSTREAM),
    ("redis-streams", REDIS_STREAMS),
    ("service-bus-session", SERVICE_BUS_SESSION),
    ("postgres-skip-locked", POSTGRES_SKIP_LOCKED),
    ("kurrent-subscription", KURRENT_SUBSCRIPTION),
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
        // A consumer publishes the dead letter, then commits.
        transfer: Transfer::AtLeastOnce,
    },
    producer: Producer {
        // `acks` all.
        confirm: true,
        // `request.timeout.ms` 30 s; `retries` is the largest there is, and `delivery.timeout.ms` 2 min ends them;
        // `retry.backoff.ms` 100 ms, `retry.backoff.max.ms` 1 s.
        timeout: 30 * SECOND,
        attempts: i32::MAX as u32,
        delay: 100 * MILLISECOND,
        max_delay: SECOND,
        give_up: Some(120 * SECOND),
        // `max.in.flight.requests.per.connection` 5 counts batches of many messages, which is no limit on
        // messages; `enable.idempotence` true: the broker remembers the sequence numbers of the last five
        // batches of a producer, per partition.
        in_flight: None,
        deduplicate_by: DeduplicateBy::ProducerSequence,
        deduplicate_per_partition: true,
        deduplicate_window: None,
        deduplicate_batches: Some(5),
        // Transactions of a producer: `sendOffsetsToTransaction` commits positions and messages together.
        transactions: true,
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
        transfer: Transfer::AtMostOnce,
    },
    producer: Producer {
        // Confirms are opt-in for a channel; whoever wants to keep messages turns them on, and a step
        // with `confirm: false` is the channel without.
        confirm: true,
        // `waitForConfirmsOrDie(5_000)` of the publisher confirms tutorial. Clients never resend.
        timeout: 5 * SECOND,
        attempts: 1,
        delay: 0,
        max_delay: 0,
        give_up: None,
        in_flight: None,
        deduplicate_by: DeduplicateBy::None,
        deduplicate_per_partition: false,
        deduplicate_window: None,
        deduplicate_batches: None,
        transactions: false,
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
        // The Java SDK's socket timeout; `standard` retry mode: three attempts, 100 ms doubling to 20 s (the
        // SDK draws each wait from zero to that).
        timeout: 30 * SECOND,
        attempts: 3,
        delay: 100 * MILLISECOND,
        max_delay: 20 * SECOND,
        give_up: None,
        in_flight: None,
        deduplicate_by: DeduplicateBy::None,
        deduplicate_per_partition: false,
        deduplicate_window: None,
        deduplicate_batches: None,
        transactions: false,
    },
    rebalance: Rebalance { cooperative: false, pause: 0 },
    // Copies lie on several servers, and a delete can miss one that is away; the model has one.
    shards: 1,
    flush_every: None,
    min_in_sync: 1,
    delay: 0,
};

/// A replicated queue that serves returned messages first.
const RABBITMQ_QUORUM: Knobs = Knobs {
    lease: Lease {
        kind: LeaseKind::Connection,
        after: 60 * SECOND,
        // The delivery acknowledgement timeout: 30 minutes, then the channel is closed.
        poll: Some(1800 * SECOND),
        detect: 60 * SECOND,
    },
    // Returned messages are kept apart from the log and served before it, in return order.
    redeliver: Redeliver { to: RedeliverTo::Front, delay: 0 },
    exhaust: Exhaust {
        // `delivery-limit` 20 since 4.0; beyond it a message is dead-lettered, or dropped where there is no
        // dead-letter exchange, and the strategy is at most once unless set otherwise.
        after: Some(20),
        count_failures: false,
        then: ExhaustThen::Drop,
        dead_letter: None,
        transfer: Transfer::AtMostOnce,
    },
    ..RABBITMQ_CLASSIC
};

/// A queue that hands out one message of a group at a time.
const SQS_FIFO: Knobs = Knobs {
    // "When a message with a specific MessageGroupId is being processed and is invisible, no other consumer
    // can process messages from that same group."
    order_lock: OrderLock::Key,
    redeliver: Redeliver { to: RedeliverTo::Original, delay: 0 },
    producer: Producer {
        // The deduplication interval is 5 minutes.
        deduplicate_by: DeduplicateBy::MessageId,
        deduplicate_window: Some(300 * SECOND),
        ..SQS_STANDARD.producer
    },
    shards: 1,
    ..SQS_STANDARD
};

/// A subscription without order, whose messages are leased by a deadline.
const PUBSUB: Knobs = Knobs {
    retain: Retain {
        log: false,
        // `messageRetentionDuration` 7 days.
        duration: Some(7 * DAY),
        bytes: None,
        compact: false,
        reset_earliest: true,
    },
    partitions: 1,
    route: PartitionRoute::RoundRobin,
    order_lock: OrderLock::None,
    // The client libraries' flow control: 1,000 messages outstanding.
    max_in_flight_per_consumer: Some(1000),
    max_in_flight_per_group: None,
    batch: 1,
    ack_scope: AckScope::Individual,
    lease: Lease {
        kind: LeaseKind::Timer,
        // `ackDeadlineSeconds` 10; a client that extends its leases has a longer one.
        after: 10 * SECOND,
        poll: None,
        detect: 10 * SECOND,
    },
    // Redelivered at once after a negative acknowledgement: the default retry policy.
    redeliver: Redeliver { to: RedeliverTo::Unordered, delay: AT_ONCE },
    // An acknowledgement after the deadline may still count: the service forgets the message.
    stale_ack: StaleAck::Accept,
    // No dead-letter policy unless a topic is given; its `maxDeliveryAttempts` is 5, on a best-effort basis.
    exhaust: Exhaust {
        after: Some(5),
        count_failures: false,
        then: ExhaustThen::DeadLetter,
        dead_letter: None,
        transfer: Transfer::AtLeastOnce,
    },
    producer: Producer {
        confirm: true,
        // The client libraries try a publish again for 10 minutes in all, 60 seconds each, waiting 100 ms at
        // first and a minute at most (they multiply by four, this doubles).
        timeout: 60 * SECOND,
        attempts: i32::MAX as u32,
        delay: 100 * MILLISECOND,
        max_delay: 60 * SECOND,
        give_up: Some(600 * SECOND),
        in_flight: None,
        deduplicate_by: DeduplicateBy::None,
        deduplicate_per_partition: false,
        deduplicate_window: None,
        deduplicate_batches: None,
        transactions: false,
    },
    rebalance: Rebalance { cooperative: false, pause: 0 },
    shards: 1,
    flush_every: None,
    min_in_sync: 1,
    delay: 0,
};

/// A subscription that keeps the order of keys.
const PUBSUB_ORDERED: Knobs = Knobs {
    order_lock: OrderLock::Key,
    // "When the Pub/Sub service redelivers a message with an ordering key, the Pub/Sub service also redelivers
    // every subsequent message with the same ordering key, including acknowledged messages."
    redeliver: Redeliver { to: RedeliverTo::RewindKey, delay: AT_ONCE },
    ..PUBSUB
};

/// A stream with pull consumers.
const NATS_JETSTREAM: Knobs = Knobs {
    // `MaxAge` 0: no limit.
    retain: Retain { log: false, duration: None, bytes: None, compact: false, reset_earliest: true },
    max_in_flight_per_consumer: None,
    // `MaxAckPending` 1000, of a consumer: what its clients share.
    max_in_flight_per_group: Some(1000),
    lease: Lease {
        kind: LeaseKind::Timer,
        // `AckWait`.
        after: 30 * SECOND,
        poll: None,
        detect: 30 * SECOND,
    },
    // The redelivery queue is served before the stream.
    redeliver: Redeliver { to: RedeliverTo::Front, delay: AT_ONCE },
    // `MaxDeliver` -1; a message beyond it stays in the stream and an advisory is sent.
    exhaust: Exhaust {
        after: None,
        count_failures: false,
        then: ExhaustThen::Stay,
        dead_letter: None,
        transfer: Transfer::Atomic,
    },
    producer: Producer {
        // `DefaultTimeout` of the Go client; it does not try again unless asked to.
        timeout: 5 * SECOND,
        attempts: 1,
        // `Nats-Msg-Id` within the stream's `Duplicates` window, 2 minutes.
        deduplicate_by: DeduplicateBy::MessageId,
        deduplicate_window: Some(120 * SECOND),
        ..PUBSUB.producer
    },
    ..PUBSUB
};

/// A stream whose pending entries are claimed by whoever asks.
const REDIS_STREAMS: Knobs = Knobs {
    // Trimming is the producer's business (`XADD … MAXLEN`).
    retain: Retain { log: false, duration: None, bytes: None, compact: false, reset_earliest: true },
    max_in_flight_per_consumer: None,
    // `XREADGROUP COUNT`: without it, all there is; clients ask for some.
    batch: 10,
    lease: Lease {
        kind: LeaseKind::Claim,
        // `XAUTOCLAIM min-idle-time`: every client library or application has its own; a minute is common.
        after: 60 * SECOND,
        poll: None,
        detect: 60 * SECOND,
    },
    // `XAUTOCLAIM` scans the pending entries by id.
    redeliver: Redeliver { to: RedeliverTo::Original, delay: 0 },
    // `XACK` names no consumer: whoever says it.
    stale_ack: StaleAck::Accept,
    exhaust: Exhaust {
        after: None,
        count_failures: false,
        then: ExhaustThen::Stay,
        dead_letter: None,
        transfer: Transfer::Atomic,
    },
    producer: Producer { timeout: 2 * SECOND, attempts: 1, ..PUBSUB.producer },
    // `appendfsync everysec`.
    flush_every: Some(SECOND),
    ..PUBSUB
};

/// A queue whose sessions belong to one receiver each.
const SERVICE_BUS_SESSION: Knobs = Knobs {
    retain: Retain { log: false, duration: None, bytes: None, compact: false, reset_earliest: true },
    order_lock: OrderLock::Session,
    // `MaxConcurrentSessions` of the session processor.
    max_in_flight_per_consumer: Some(8),
    lease: Lease {
        kind: LeaseKind::Session,
        // `LockDuration` 1 minute, renewed by the processor for `MaxAutoLockRenewalDuration`, 5 minutes.
        after: 60 * SECOND,
        poll: Some(300 * SECOND),
        detect: 60 * SECOND,
    },
    // An abandoned message is the session's next again.
    redeliver: Redeliver { to: RedeliverTo::Original, delay: 0 },
    // SessionLockLost.
    stale_ack: StaleAck::Fence,
    // `MaxDeliveryCount` 10, then the queue's own dead-letter queue: parked, unless a topic is given.
    exhaust: Exhaust {
        after: Some(10),
        count_failures: false,
        then: ExhaustThen::Park,
        dead_letter: None,
        transfer: Transfer::Atomic,
    },
    producer: Producer {
        // `TryTimeout` 60 s, `MaxRetries` 3, `Delay` 0.8 s, `MaxDelay` 1 min. Duplicate detection is off unless the queue was made with it:
        // `deduplicate: { by: message_id, window: 10m }`.
        timeout: 60 * SECOND,
        attempts: 4,
        delay: 800 * MILLISECOND,
        max_delay: 60 * SECOND,
        // Transactions within a namespace: settling a message and sending others.
        transactions: true,
        ..PUBSUB.producer
    },
    ..PUBSUB
};

/// A table whose rows are taken under a lock that other takers skip.
const POSTGRES_SKIP_LOCKED: Knobs = Knobs {
    retain: Retain { log: false, duration: None, bytes: None, compact: false, reset_earliest: true },
    max_in_flight_per_consumer: None,
    lease: Lease {
        kind: LeaseKind::Transaction,
        // `idle_in_transaction_session_timeout` is off: a process that hangs keeps its rows for ever.
        after: NEVER,
        poll: None,
        // The kernel of a crashed process closes its sockets, and the server ends the transaction.
        detect: 0,
    },
    // An aborted transaction leaves the row where it was.
    redeliver: Redeliver { to: RedeliverTo::Original, delay: 0 },
    stale_ack: StaleAck::Fence,
    exhaust: Exhaust {
        after: None,
        count_failures: false,
        then: ExhaustThen::Stay,
        dead_letter: None,
        transfer: Transfer::Atomic,
    },
    producer: Producer {
        attempts: 1,
        // A unique key on the message's id, of rows that are marked and kept.
        deduplicate_by: DeduplicateBy::MessageId,
        // The row taken and the rows put are of one transaction.
        transactions: true,
        ..PUBSUB.producer
    },
    ..PUBSUB
};

/// A stream read by competing consumers, with a checkpoint.
const KURRENT_SUBSCRIPTION: Knobs = Knobs {
    retain: Retain { log: false, duration: None, bytes: None, compact: false, reset_earliest: true },
    // The buffer size of a connection, in the clients.
    max_in_flight_per_consumer: Some(10),
    lease: Lease {
        kind: LeaseKind::Timer,
        // `messageTimeout`.
        after: 30 * SECOND,
        poll: None,
        detect: 30 * SECOND,
    },
    // Retried events go before the buffer, by position.
    redeliver: Redeliver { to: RedeliverTo::Original, delay: AT_ONCE },
    stale_ack: StaleAck::Ignore,
    // `maxRetryCount` 10 beside the first delivery, then the parked stream.
    exhaust: Exhaust {
        after: Some(11),
        count_failures: false,
        then: ExhaustThen::Park,
        dead_letter: None,
        transfer: Transfer::Atomic,
    },
    producer: Producer {
        timeout: 10 * SECOND,
        attempts: 1,
        // An append of an event id that the stream has is recognised.
        deduplicate_by: DeduplicateBy::MessageId,
        ..PUBSUB.producer
    },
    ..PUBSUB
};
