//! Brokers, topics and subscriptions: one messaging primitive and its knobs. Products are presets of
//! the knobs.

use super::super::{Key, Kind, Quantity, Record, Shape};
use Shape::{Boolean, Name, Names, OneOf, Quantity as Constant, Word};

const COUNT: Shape = Constant(Quantity::Count);
const DURATION: Shape = Constant(Quantity::Duration);
const COUNT_OR_UNLIMITED: Shape = OneOf(&[Word(&[("unlimited", "no limit")]), COUNT]);

/// A knob, or a part of one.
const fn knob(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key::otherwise(name, shape, "as the preset has it", about)
}

/// Knobs of a broker, a topic or a subscription; the nearest wins. What none of them sets is as the
/// preset has it.
pub static KNOBS: &[Key] = &[
    knob("retain", Shape::Record(&RETAIN), "How long messages are kept."),
    knob("partitions", COUNT, "Into how many parts the topic is split. Order is kept within one."),
    knob(
        "route",
        Word(&[("by_key", "equal keys go to the same partition"), ("round_robin", "partitions take turns")]),
        "How a message finds its partition.",
    ),
    knob(
        "order_lock",
        Word(&[
            ("none", "messages are handed out regardless of each other"),
            ("key", "one message of a key at a time"),
            ("partition", "a partition belongs to one consumer"),
            ("session", "a key belongs to one consumer until it lets go"),
            ("queue", "one consumer for the whole queue"),
        ]),
        "What is held back while a message is being handled, to keep order.",
    ),
    knob(
        "max_in_flight",
        Shape::Record(&MAX_IN_FLIGHT),
        "How many messages may be handed out and not yet acknowledged.",
    ),
    knob("batch", COUNT, "How many messages a consumer fetches at once. It handles them one by one."),
    knob(
        "ack_scope",
        Word(&[
            ("individual", "an acknowledgement settles one message"),
            ("cursor", "an acknowledgement settles everything up to a position"),
            ("on_delivery", "handing out settles"),
        ]),
        "What one acknowledgement settles.",
    ),
    knob(
        "lease",
        Shape::Record(&LEASE),
        "How long a consumer may hold what it was handed, and how the broker notices that it is gone.",
    ),
    knob("redeliver", Shape::Record(&REDELIVER), "Where a message goes that was not acknowledged."),
    knob(
        "stale_ack",
        Word(&[
            ("accept", "it counts"),
            ("ignore", "it is dropped"),
            ("fence", "it is refused, and its sender knows that it lost the lease"),
        ]),
        "What an acknowledgement does that comes after its lease has ended.",
    ),
    knob("exhaust", Shape::Record(&EXHAUST), "What becomes of a message that fails again and again."),
    knob("producer", Shape::Record(&PRODUCER), "How messages are published."),
    knob("rebalance", Shape::Record(&REBALANCE), "What happens when consumers come and go."),
    knob(
        "shards",
        COUNT,
        "Over how many servers a queue's messages are spread. Receiving samples them, and a delete may miss one.",
    ),
    knob(
        "flush",
        OneOf(&[Word(&[("always", "before the publisher is told")]), DURATION]),
        "When what was accepted becomes durable. A `failover` loses what is not.",
    ),
    knob(
        "min_in_sync",
        COUNT,
        "How many copies must have a message before its publisher is told. With 1 it is told at once, above that after the next `flush`.",
    ),
    knob("delay", DURATION, "How long after it was accepted a message becomes visible."),
];

/// `retain`.
pub static RETAIN: Record = Record {
    name: "retain",
    called: "`retain`",
    about: "How long messages are kept.",
    groups: &[&[
        knob(
            "mode",
            Word(&[
                ("until_ack", "a queue: a message goes once it is acknowledged"),
                ("log", "a log: messages stay, and consumers keep a position"),
            ]),
            "Queue or log.",
        ),
        knob(
            "for",
            DURATION,
            "How long a message is kept. A compacted log keeps the newest of each key for ever, but for tombstones.",
        ),
        knob("bytes", Constant(Quantity::Size), "How much a partition of a log keeps."),
        knob("compact", Boolean, "Whether a log keeps only the newest message of each key."),
        knob(
            "reset",
            Word(&[("earliest", "at the oldest message there is"), ("latest", "behind the newest")]),
            "Where a consumer goes on whose position was deleted.",
        ),
    ]],
    choices: &[],
};

/// `max_in_flight` of a topic.
pub static MAX_IN_FLIGHT: Record = Record {
    name: "max-in-flight",
    called: "`max_in_flight`",
    about: "How many messages may be handed out and not yet acknowledged.",
    groups: &[&[
        knob("per_consumer", COUNT_OR_UNLIMITED, "To one instance."),
        knob("per_group", COUNT_OR_UNLIMITED, "To all instances of a group together."),
    ]],
    choices: &[],
};

/// `lease`.
pub static LEASE: Record = Record {
    name: "lease",
    called: "`lease`",
    about: "How long a consumer may hold what it was handed.",
    groups: &[&[
        knob(
            "kind",
            Word(&[
                ("timer", "each message has its own time limit"),
                ("session", "the consumer shows that it lives, and polls now and then"),
                ("connection", "as long as the connection stands"),
                ("claim", "until another consumer claims what has been idle for long"),
                ("transaction", "as long as the transaction that took it"),
            ]),
            "What the lease hangs on.",
        ),
        knob("after", DURATION, "The time limit, session timeout or idle time."),
        knob("poll", DURATION, "The longest time between two polls of a session's owner."),
        knob("detect", DURATION, "How long until a lost connection is noticed."),
    ]],
    choices: &[],
};

/// `redeliver`.
pub static REDELIVER: Record = Record {
    name: "redeliver",
    called: "`redeliver`",
    about: "Where a message goes that was not acknowledged, and when.",
    groups: &[&[
        knob(
            "to",
            Word(&[
                ("original", "where it was"),
                ("front", "ahead of what has not been handed out yet"),
                ("back", "behind everything"),
                ("rewind_partition", "the partition is handed out again from it on"),
                ("rewind_key", "its key is handed out again from it on"),
                ("unordered", "anywhere"),
            ]),
            "Its new place.",
        ),
        knob("delay", DURATION, "How long it stays hidden first."),
    ]],
    choices: &[],
};

/// `exhaust`.
pub static EXHAUST: Record = Record {
    name: "exhaust",
    called: "`exhaust`",
    about: "What becomes of a message that fails again and again.",
    groups: &[&[
        knob("after", OneOf(&[Word(&[("never", "it is tried for ever")]), COUNT]), "After how many tries."),
        knob(
            "count_on",
            Word(&[
                ("delivery", "every time it is handed out"),
                ("failure", "every negative acknowledgement"),
            ]),
            "What is counted as a try.",
        ),
        knob(
            "then",
            Word(&[
                ("dead_letter", "it moves to another topic"),
                ("park", "it is set aside where it is"),
                ("drop", "it is deleted"),
                ("stay", "it stays, and is not handed out any more"),
                ("block", "it is tried on, and what is behind it waits"),
            ]),
            "What happens then.",
        ),
        knob("dead_letter", Name(Kind::Topic), "The topic it moves to."),
        knob(
            "transfer",
            Word(&[
                ("atomic", "moved in one go"),
                ("at_most_once", "deleted first: it may get lost"),
                ("at_least_once", "copied first: it may be there twice"),
            ]),
            "How it moves.",
        ),
    ]],
    choices: &[],
};

/// `producer`.
pub static PRODUCER: Record = Record {
    name: "producer",
    called: "`producer`",
    about: "How messages are published.",
    groups: &[&[
        knob("confirm", Boolean, "Whether the publisher waits until the broker has accepted."),
        knob("timeout", DURATION, "How long it waits for that, for each try."),
        knob("attempts", COUNT, "How often it tries, the first time included."),
        knob("delay", DURATION, "How long it waits before it tries again; twice as long each time."),
        knob("max_delay", DURATION, "The longest such wait."),
        knob(
            "give_up",
            DURATION,
            "It tries no more, whatever attempts are left, once its tries and the waits between them have taken this long.",
        ),
        knob(
            "in_flight",
            COUNT_OR_UNLIMITED,
            "How many unconfirmed sends one producer may have to the broker; what is beyond waits. With more than one, what is sent again is overtaken.",
        ),
        knob(
            "deduplicate",
            Shape::Record(&DEDUPLICATE),
            "How the broker recognizes a message that it has already.",
        ),
    ]],
    choices: &[],
};

/// `producer.deduplicate`.
pub static DEDUPLICATE: Record = Record {
    name: "deduplicate",
    called: "`deduplicate`",
    about: "How the broker recognizes a message that it has already.",
    groups: &[&[
        knob(
            "by",
            Word(&[
                ("none", "not at all"),
                ("producer_sequence", "by the producer's number and sequence"),
                ("message_id", "by the message's id"),
            ]),
            "What it compares.",
        ),
        knob(
            "scope",
            Word(&[
                ("topic", "among all messages of the topic"),
                ("partition", "among the messages of a partition"),
            ]),
            "Among which messages.",
        ),
        knob("window", OneOf(&[DURATION, COUNT]), "For how long, or among how many of the last batches."),
    ]],
    choices: &[],
};

/// `rebalance`.
pub static REBALANCE: Record = Record {
    name: "rebalance",
    called: "`rebalance`",
    about: "What happens when consumers come and go.",
    groups: &[&[
        knob(
            "mode",
            Word(&[
                ("eager", "everybody stops, then all partitions are dealt out anew"),
                ("cooperative", "only what moves stops"),
            ]),
            "Who stops.",
        ),
        knob("pause", DURATION, "For how long."),
    ]],
    choices: &[],
};

/// An entry of `brokers`.
pub static BROKER: Record = Record {
    name: "broker",
    called: "a broker",
    about: "A broker: a product's preset, with any knob set otherwise.",
    groups: &[
        &[
            Key::required("preset", Word(PRESETS), "The product whose behaviour it starts from."),
            Key::optional("place", Names(Kind::Region), "The regions its servers are in, in turn."),
        ],
        KNOBS,
    ],
    choices: &[],
};

/// The products.
pub static PRESETS: &[super::super::Word] = &[
    ("kafka", "Apache Kafka: a log, partitions owned by one consumer each"),
    ("rabbitmq-classic", "RabbitMQ, classic queues"),
    ("rabbitmq-quorum", "RabbitMQ, quorum queues"),
    ("sqs-standard", "Amazon SQS, standard queues: unordered"),
    ("sqs-fifo", "Amazon SQS, FIFO queues: ordered by message group"),
    ("pubsub", "Google Cloud Pub/Sub"),
    ("pubsub-ordered", "Google Cloud Pub/Sub with ordering keys"),
    ("nats-jetstream", "NATS JetStream, pull consumers"),
    ("redis-streams", "Redis Streams, consumer groups"),
    ("service-bus-session", "Azure Service Bus, sessions"),
    ("postgres-skip-locked", "a PostgreSQL table as a queue, `SKIP LOCKED`"),
    ("kurrent-subscription", "KurrentDB, persistent subscriptions"),
];

/// An entry of `topics`.
pub static TOPIC: Record = Record {
    name: "topic",
    called: "a topic",
    about: "A topic or queue: what it carries, and any knob set otherwise than its broker has it.",
    groups: &[
        &[
            Key::optional(
                "messages",
                Names(Kind::Message),
                "The messages it carries. A message that only one topic carries needs no `to` when it is published.",
            ),
            Key::otherwise("broker", Name(Kind::Broker), "the only one", "The broker it lives on."),
            Key::optional(
                "capture",
                Name(Kind::ServiceTable),
                "Makes it the change log of this table: every committed change is a message, in the order of the commits, whose fields are the columns of those names; a `bool` field `deleted` that is no column says whether the row is gone. What carries it saves its position now and then, as the service's outbox says (`every`, `mark_every`).",
            ),
        ],
        KNOBS,
    ],
    choices: &[],
};

/// An entry of `consumes`.
pub static SUBSCRIPTION: Record = Record {
    name: "subscription",
    called: "a subscription (an entry of `consumes`)",
    about: "How a service consumes a topic, and any knob set otherwise for this consumer.",
    groups: &[
        &[
            Key::otherwise(
                "group",
                OneOf(&[Word(&[("per_instance", "every instance gets every message")]), Name(Kind::Group)]),
                "the service's name",
                "The consumer group: within one, each message goes to one instance.",
            ),
            Key::default(
                "ack",
                Word(&[
                    ("before", "before the handler runs: what is cut is lost"),
                    ("after", "after the handler ended well: what is cut comes again"),
                    ("manual", "where the handler says `ack`"),
                    ("periodic", "every now and then, for everything handled so far"),
                ]),
                "after",
                "When a message is acknowledged.",
            ),
            Key::default("ack_every", DURATION, "5s", "The interval of `ack: periodic`."),
            Key::otherwise(
                "concurrency",
                COUNT_OR_UNLIMITED,
                "the service's `workers`",
                "How many messages of this subscription one instance handles at a time.",
            ),
            Key::default(
                "from",
                Word(&[
                    ("earliest", "everything that is there"),
                    ("latest", "only what comes after the group joined"),
                ]),
                "earliest",
                "Where a new group begins.",
            ),
            Key::default(
                "unknown_version",
                Word(&[
                    ("poison", "the handler fails"),
                    ("skip", "acknowledged and dropped"),
                    ("tolerate", "handled as if it were the schema that is known"),
                ]),
                "poison",
                "What happens to a message of a schema that the service does not know.",
            ),
        ],
        KNOBS,
    ],
    choices: &[],
};
