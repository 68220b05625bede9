//! What goes wrong, and what is changed on purpose.

use super::super::{Alternative, Choice, Expected, Key, Kind, Quantity, Record, Shape};
use Shape::{Boolean, List, Name, Names, OneOf, Quantity as Constant, Value, Word};

const COUNT: Shape = Constant(Quantity::Count);
const DURATION: Shape = Constant(Quantity::Duration);
const DRAWN_DURATION: Shape = Value(Expected::Duration);
const SHARE: Shape = Constant(Quantity::Share);
const FACTOR: Shape = Constant(Quantity::Number);

const SERVICE: Shape = Name(Kind::Service);
const SYSTEM: Shape = Name(Kind::System);
/// A service, or `service.store`.
const TARGET: Shape = Name(Kind::System);
const ENDS: Shape = List { of: &Name(Kind::End), least: 2 };

const ONE_WAY: Key = Key::default(
    "one_way",
    Boolean,
    "false",
    "Whether only the way from the first to the others is affected.",
);

const GRACE: Key = Key::default(
    "grace",
    DURATION,
    "30s",
    "How long an instance that is told to stop may take to end what it has begun. What is left then is cut, as in a crash; `0s` is a crash at once.",
);
const START_UP: Key =
    Key::default("start_up", DURATION, "5s", "How long a new process takes until it is there.");

/// An entry of `faults`.
pub static FAULT: Record = Record {
    name: "fault",
    called: "a fault",
    about: "Something that goes wrong: a verb with its target, when it strikes, and for how long. The drain heals everything.",
    groups: &[&[
        Key::otherwise(
            "for",
            DRAWN_DURATION,
            "a crash restarts after 5s, and a failover is over by then; anything else lasts until the horizon",
            "How long it lasts.",
        ),
        Key::default(
            "instance",
            OneOf(&[
                Word(&[("any", "one, drawn at random (at a step: the one at it)"), ("all", "all of them")]),
                COUNT,
            ]),
            "any",
            "Which instance of the service it strikes: one of them drawn at random, all, or this one, counted from 0.",
        ),
    ]],
    choices: &[
        Choice { called: "verb", alternatives: FAULT_VERBS },
        Choice { called: "occasion", alternatives: WHEN },
    ],
};

static FAULT_VERBS: &[Alternative] = &[
    Alternative::new(
        "crash",
        TARGET,
        &[],
        "An instance dies and starts again: attempts, memory, waiting requests and open transactions are gone; what was committed stays. A store (`service.store`) loses its open transactions and what was not flushed.",
    ),
    Alternative::new(
        "pause",
        TARGET,
        &[],
        "An instance falls silent, unnoticed, and later goes on where it was: a zombie. A store answers when it wakes.",
    ),
    Alternative::new(
        "slow",
        TARGET,
        &[Key::required("by", FACTOR, "What its work and store round trips are multiplied by.")],
        "An instance is slow, or a store (`service.store`).",
    ),
    Alternative::new(
        "outage",
        SYSTEM,
        &[],
        "A broker, store or service refuses everything, and loses nothing of what it holds. Calls to such a service are `unavailable`; of what it consumes, its jobs and its timers every attempt that begins fails. What it had begun or queued it goes on with.",
    ),
    Alternative::new(
        "failover",
        SYSTEM,
        &[],
        "A broker or store (`service.store`) refuses everything for a while and loses what was not flushed or replicated; connections are reset. Of a queue that is spread over several `shards` one is away instead, and misses what is acknowledged meanwhile.",
    ),
    Alternative::new(
        "skew",
        SERVICE,
        &[Key::required(
            "by",
            Constant(Quantity::SignedDuration),
            "How far the clock is ahead; behind, if negative.",
        )],
        "An instance's clock (`now`) is wrong.",
    ),
    Alternative::new(
        "poison",
        Name(Kind::Message),
        &[],
        "Messages that no handler can handle: every attempt at one fails.",
    ),
    Alternative::new(
        "surge",
        Name(Kind::Client),
        &[Key::required("by", FACTOR, "What the rate of its arrivals is multiplied by.")],
        "A client asks for more.",
    ),
    Alternative::new("split", ENDS, &[ONE_WAY], "Nothing gets through between these."),
    Alternative::new(
        "degrade",
        ENDS,
        &[
            ONE_WAY,
            Key::optional("latency", DRAWN_DURATION, "The latency while it lasts."),
            Key::optional("loss", SHARE, "The share of packets lost while it lasts."),
            Key::optional("bandwidth", Constant(Quantity::Bandwidth), "The bandwidth while it lasts."),
            Key::optional(
                "transport",
                Word(&[
                    ("stream", "ordered for each connection, lost packets are sent again"),
                    ("datagram", "each packet for itself: lost, doubled, overtaken"),
                ]),
                "What is promised about packets while it lasts.",
            ),
            Key::optional(
                "duplicate",
                SHARE,
                "The share of packets that arrive twice while it lasts. Of datagrams only.",
            ),
        ],
        "The way between these gets worse.",
    ),
];

static WHEN: &[Alternative] = &[
    Alternative::new(
        "at",
        OneOf(&[DURATION, List { of: &DURATION, least: 1 }]),
        &[],
        "At this instant, or these, from the start of the run.",
    ),
    Alternative::new("every", DRAWN_DURATION, &[], "Again and again, this long after it struck last."),
    Alternative::new(
        "at_step",
        Name(Kind::Site),
        &[
            Key::default(
                "edge",
                Word(&[
                    ("before", "before the step has done anything"),
                    ("unanswered", "when it was done over there, and the answer is not here yet"),
                    ("after", "when its answer is here"),
                ]),
                "after",
                "On which side of the step.",
            ),
            Key::default(
                "nth",
                OneOf(&[Word(&[("every", "each time")]), COUNT]),
                "1",
                "At which of the times it gets there, counted from 1.",
            ),
            Key::optional("share", SHARE, "The share of those times, drawn."),
        ],
        "When an attempt gets to the step of this name.",
    ),
    Alternative::new(
        "share",
        SHARE,
        &[],
        "On this share of the occasions, drawn: of the messages, of a `poison`.",
    ),
];

/// An entry of `operations`.
pub static OPERATION: Record = Record {
    name: "operation",
    called: "an operation",
    about: "A planned change: a verb with its target, and when it happens. The drain does not take it back.",
    groups: &[&[]],
    choices: &[
        Choice { called: "verb", alternatives: OPERATION_VERBS },
        Choice { called: "occasion", alternatives: WHEN },
    ],
};

static OPERATION_VERBS: &[Alternative] = &[
    Alternative::new(
        "deploy",
        SERVICE,
        &[
            Key::required("version", Name(Kind::Version), "The version to go to."),
            Key::otherwise("batch", COUNT, "one", "How many instances at a time."),
            Key::otherwise(
                "every",
                DURATION,
                "as soon as the last ones are up",
                "How long after one batch the next follows.",
            ),
            GRACE,
            START_UP,
        ],
        "Rolls a service over to another version, beginning with the first instances. Each takes nothing new, gives back what it has not begun, ends what it has begun, disconnects, and starts again with the other code: its memory is gone, what it stored is not. Meanwhile the instances of both versions work side by side.",
    ),
    Alternative::new(
        "replay",
        SERVICE,
        &[
            Key::required("topic", Name(Kind::Topic), "The topic to read again from the start."),
            Key::optional("clear", Names(Kind::Table), "The tables to empty first."),
        ],
        "Has a service handle a topic once more: its group pauses, the tables are emptied, and it starts at the oldest message that the topic still has. Deliveries of what it had handled before are marked `replayed`. Only of logs.",
    ),
    Alternative::new(
        "redrive",
        Name(Kind::Topic),
        &[Key::required("to", Name(Kind::Topic), "The topic they go to.")],
        "Moves dead letters back.",
    ),
    Alternative::new(
        "scale",
        SERVICE,
        &[Key::required("instances", COUNT, "How many instances from now on."), GRACE, START_UP],
        "Adds instances, or has the last ones end what they have begun and go.",
    ),
    Alternative::new(
        "repartition",
        Name(Kind::Topic),
        &[Key::required("partitions", COUNT, "How many partitions from now on.")],
        "Gives a topic more partitions. Keys move: what is sent from then on may overtake what was sent before. Messages stay where they are.",
    ),
];
