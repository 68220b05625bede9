//! The top of a scenario, its run and its messages.

use super::super::{Key, Kind, Quantity, Record, Shape, Word};
use super::{BROKER, CLIENT, FAULT, GUARANTEES, INVARIANT, NETWORK, OPERATION, PROVE, SERVICE, TOPIC};

/// The whole file.
pub static SCENARIO: Record = Record {
    name: "scenario",
    called: "the top of the scenario",
    about: "A scenario: a system, what is asked of it, what goes wrong, and what must hold all the same.",
    groups: &[&[
        Key::required(
            "scenario",
            Shape::Text,
            "The scenario's name, as reports show it. A file that extends another may leave it out.",
        ),
        Key::optional(
            "extends",
            Shape::Path,
            "The file that this one is a variant of, relative to this file. What is written here is merged over it (JSON merge patch, RFC 7396): maps key by key, everything else replaced whole; `null` removes a key.",
        ),
        Key::optional("about", Shape::Text, "What the scenario shows, for its readers."),
        Key::default(
            "seed",
            Shape::Quantity(Quantity::Count),
            "0",
            "The number that every random stream is derived from. The same scenario, seed and version give the same run, bit for bit.",
        ),
        Key::optional(
            "parameters",
            Shape::Map { name: Kind::Parameter, value: &Shape::Anything },
            "Values that are written `$name` wherever they are used, and can be set from the command line (`--set rate=400/s`) or swept. A parameter may hold any value.",
        ),
        Key::optional("run", Shape::Record(&RUN), "How long, and how often."),
        Key::optional(
            "messages",
            Shape::Map { name: Kind::Message, value: &Shape::Record(&MESSAGE) },
            "What the system's parts say to one another.",
        ),
        Key::optional(
            "brokers",
            Shape::Map { name: Kind::Broker, value: &Shape::Record(&BROKER) },
            "Where topics and queues live.",
        ),
        Key::optional(
            "topics",
            Shape::Map { name: Kind::Topic, value: &Shape::Record(&TOPIC) },
            "Topics and queues: one primitive, told apart by its knobs.",
        ),
        Key::optional(
            "services",
            Shape::Map { name: Kind::Service, value: &Shape::Record(&SERVICE) },
            "The parts that work.",
        ),
        Key::optional(
            "clients",
            Shape::Map { name: Kind::Client, value: &Shape::Record(&CLIENT) },
            "Where the work comes from.",
        ),
        Key::optional(
            "network",
            Shape::Record(&NETWORK),
            "How long the way between any two parts takes, and what is lost on it.",
        ),
        Key::optional(
            "faults",
            Shape::Map { name: Kind::Fault, value: &Shape::Record(&FAULT) },
            "What goes wrong, and when.",
        ),
        Key::optional(
            "operations",
            Shape::Map { name: Kind::Operation, value: &Shape::Record(&OPERATION) },
            "Planned changes: deployments, replays, scaling. Unlike faults they are not taken back for the drain.",
        ),
        Key::optional(
            "guarantees",
            Shape::Record(&GUARANTEES),
            "What must hold of idempotency, ordering, isolation and convergence, as bounds on measures.",
        ),
        Key::optional(
            "invariants",
            Shape::Map { name: Kind::Invariant, value: &Shape::Record(&INVARIANT) },
            "What must hold in the scenario's own terms.",
        ),
        Key::optional(
            "expect",
            Shape::Map { name: Kind::Verdict, value: &Shape::Word(OUTCOMES) },
            "What the verdicts should be, where that is not `pass`: so a scenario that shows a mistake is a test too. Verdicts are named `idempotency.<measure>`, `ordering.<measure>`, `isolation.<measure>`, `convergence.<name>`, `sessions.<client>.read_your_writes`, `sessions.<client>.monotonic_reads`, `staleness.<service>.<table>.stale_reads` (or `age`, `versions`) and `invariants.<name>`.",
        ),
        Key::optional("prove", Shape::Record(&PROVE), "The bounds of an exhaustive exploration."),
        LINT,
    ]],
    choices: &[],
};

/// What a verdict can be.
const OUTCOMES: &[Word] = &[
    ("pass", "it held, and was put to the test"),
    ("fail", "it was broken"),
    ("inconclusive", "nobody can tell: it was never put to the test, or something is not settled"),
];

/// `lint`, at the top, in a service and on a handler.
pub const LINT: Key = Key::optional(
    "lint",
    Shape::Map { name: Kind::Rule, value: &Shape::Text },
    "Findings to silence here, each with the reason why it does not apply.",
);

const WARM_UP: Shape = Shape::OneOf(&[
    Shape::Word(&[("auto", "found: as long as it takes until the beginning no longer shows")]),
    Shape::Quantity(Quantity::Duration),
]);

/// `run`.
pub static RUN: Record = Record {
    name: "run",
    called: "`run`",
    about: "How long a run lasts and how often it is repeated. Work arrives from 0 to `horizon`; measured is what begins from `warm_up` to `horizon`, each followed to its end; then arrivals stop, faults heal, and the world runs on until nothing is in flight, or for `drain` at most.",
    groups: &[&[
        Key::default("horizon", Shape::Quantity(Quantity::Duration), "10m", "When arrivals stop."),
        Key::default(
            "warm_up",
            WARM_UP,
            "0s",
            "How much of the beginning is left out of the figures. Found (`auto`), it is by MSER-5 in five replications of its own, without the faults at given times; the report says so where the horizon is too short to tell. Guarantees and invariants count from 0 all the same.",
        ),
        Key::default(
            "drain",
            Shape::Quantity(Quantity::Duration),
            "2m",
            "How long the world may take to come to rest after the horizon. If it does not, the run is as good as any other (exit code 0): the report notes in how many replications work was left, and what had not ended by then is counted as unfinished.",
        ),
        Key::default(
            "replications",
            Shape::Quantity(Quantity::Count),
            "10",
            "How many independent runs are made. Every figure carries its confidence interval over them.",
        ),
    ]],
    choices: &[],
};

/// An entry of `messages`.
pub static MESSAGE: Record = Record {
    name: "message",
    called: "a message",
    about: "A message that the system's parts send. `<Message>@2` is its second schema; what that leaves out is as in the first.",
    groups: &[&[
        Key::required(
            "kind",
            Shape::Word(&[
                ("command", "asks one service to do something; it may answer"),
                ("query", "asks one service for something; it answers"),
                ("domain", "tells what happened, within the boundary of its service"),
                ("integration", "tells other services what happened, with all they need to know"),
                (
                    "notification",
                    "tells other services that something happened, by its key alone; they call back for details",
                ),
            ]),
            "What the message is for.",
        ),
        Key::optional(
            "key",
            Shape::Name(Kind::Field),
            "The field whose value is the message's key: it decides the partition and the order. Without it messages have no key.",
        ),
        Key::optional(
            "fields",
            Shape::Map { name: Kind::Field, value: &Shape::Type },
            "What the message carries.",
        ),
        Key::optional(
            "reply",
            Shape::Map { name: Kind::Field, value: &Shape::Type },
            "What the answer to a command or query carries.",
        ),
        Key::default(
            "size",
            Shape::Quantity(Quantity::Size),
            "1KB",
            "How large it is on the network and in the broker, in bytes.",
        ),
        Key::optional(
            "upcast",
            Shape::Map { name: Kind::Field, value: &Shape::Expression(super::super::Expected::Anything) },
            "Of a later schema (`Name@2`, which has the fields of the one before and its own): what its own fields are in an older message, whose fields are `message.x`.",
        ),
    ]],
    choices: &[],
};
