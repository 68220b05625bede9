//! Where work comes from, and the ways it takes: clients and the network.

use super::super::{Alternative, Choice, Expected, Key, Kind, Quantity, Record, Shape};
use super::service::CALLS_OF;
use Shape::{Boolean, List, Name, Names, OneOf, Path, Quantity as Constant, Steps, Value, Word};

const DURATION: Shape = Constant(Quantity::Duration);
const DRAWN_DURATION: Shape = Value(Expected::Duration);
const RATE: Shape = Constant(Quantity::Rate);
const SHARE: Shape = Constant(Quantity::Share);

/// An entry of `clients`.
pub static CLIENT: Record = Record {
    name: "client",
    called: "a client",
    about: "A source of work. Each arrival is an intent: one thing that is wanted once, however often it is tried.",
    groups: &[&[
        Key::required("arrivals", Shape::Record(&ARRIVALS), "When intents begin."),
        Key::optional(
            "place",
            Names(Kind::Region),
            "The regions it is in: its intents come from them in turn, and those of one user from one.",
        ),
        Key::optional("calls", CALLS_OF, "What all its calls to one service share."),
        Key::required("do", Steps, "What is done for one intent."),
    ]],
    choices: &[],
};

/// `arrivals`.
pub static ARRIVALS: Record = Record {
    name: "arrivals",
    called: "`arrivals`",
    about: "When intents begin.",
    groups: &[&[Key::default(
        "count",
        OneOf(&[Word(&[("unlimited", "until the horizon")]), Constant(Quantity::Count)]),
        "unlimited",
        "How many intents in all.",
    )]],
    choices: &[Choice {
        called: "kind of arrivals",
        alternatives: &[
            Alternative::new(
                "poisson",
                RATE,
                &[],
                "A Poisson process of this rate: independent users, many of them.",
            ),
            Alternative::new(
                "every",
                DRAWN_DURATION,
                &[],
                "One each interval, the first after one interval: a clock.",
            ),
            Alternative::new(
                "renewal",
                DRAWN_DURATION,
                &[],
                "Independent intervals drawn from this generator.",
            ),
            Alternative::new(
                "times",
                List { of: &DURATION, least: 0 },
                &[],
                "At these instants, from the start of the run.",
            ),
            Alternative::new("file", Path, &[], "At the instants in this file, one a line."),
            Alternative::new(
                "population",
                Constant(Quantity::Count),
                &[Key::required("think", DRAWN_DURATION, "How long a user thinks before each intent.")],
                "So many users, each of whom thinks, then carries out one intent to its end: a closed system.",
            ),
            Alternative::new(
                "bursty",
                List { of: &Shape::Record(&BURST), least: 1 },
                &[],
                "Poisson phases of different rates in turn, again and again.",
            ),
            Alternative::new(
                "profile",
                List { of: &Shape::Record(&RATE_POINT), least: 1 },
                &[],
                "A Poisson process whose rate follows a line through these points; the last rate stays.",
            ),
        ],
    }],
};

/// A phase of `bursty`.
pub static BURST: Record = Record {
    name: "burst",
    called: "a phase of `bursty`",
    about: "A phase of bursty arrivals.",
    groups: &[&[
        Key::required("rate", RATE, "Its rate."),
        Key::required("for", DRAWN_DURATION, "How long it lasts."),
    ]],
    choices: &[],
};

/// A point of `profile`.
pub static RATE_POINT: Record = Record {
    name: "rate-point",
    called: "a point of `profile`",
    about: "A point of a rate profile.",
    groups: &[&[
        Key::required("at", DURATION, "When, from the start of the run."),
        Key::required("rate", RATE, "The rate there."),
    ]],
    choices: &[],
};

/// `network`.
pub static NETWORK: Record = Record {
    name: "network",
    called: "`network`",
    about: "The ways between the parts. Latencies that are left out are not zero: at zero nothing would race.",
    groups: &[&[
        Key::optional("default", Shape::Record(&LINK_DEFAULT), "Every way that no link describes."),
        Key::optional(
            "links",
            Shape::Map { name: Kind::Link, value: &Shape::Record(&LINK) },
            "Ways that are different. What a link leaves out is as in `default`.",
        ),
    ]],
    choices: &[],
};

static WAY: &[Key] = &[
    Key::otherwise(
        "latency",
        DRAWN_DURATION,
        "lognormal with a median of 500us and a 99th percentile of 4ms",
        "How long a packet takes, one way.",
    ),
    Key::default(
        "loss",
        SHARE,
        "0%",
        "The share of packets lost. On a stream a loss costs a retransmission timeout; a datagram is gone.",
    ),
    Key::default(
        "bandwidth",
        OneOf(&[Word(&[("unlimited", "no limit")]), Constant(Quantity::Bandwidth)]),
        "unlimited",
        "How many bytes it carries per second; packets queue. Between regions, all that passes shares it; to a store, a statement or an answer is 100 bytes, and 8 for each value.",
    ),
    Key::default(
        "transport",
        Word(&[
            ("stream", "ordered for each connection, lost packets are sent again"),
            ("datagram", "each packet for itself: lost, doubled, overtaken"),
        ]),
        "stream",
        "What is promised about packets.",
    ),
    Key::default("duplicate", SHARE, "0%", "The share of packets that arrive twice. Of datagrams only."),
];

/// `network.default`.
pub static LINK_DEFAULT: Record = Record {
    name: "network-default",
    called: "`default` of the network",
    about: "Every way that no link describes.",
    groups: &[WAY],
    choices: &[],
};

/// An entry of `links`.
pub static LINK: Record = Record {
    name: "link",
    called: "a link",
    about: "The way between some parts.",
    groups: &[
        &[
            Key::required(
                "between",
                List { of: &Name(Kind::End), least: 2 },
                "What it joins: services, clients, brokers, regions, `service.store` or `service.outbox`; every pair of them. The latency between regions is added to each way.",
            ),
            Key::default(
                "one_way",
                Boolean,
                "false",
                "Whether it describes the way from the first to the others alone.",
            ),
        ],
        WAY,
    ],
    choices: &[],
};
