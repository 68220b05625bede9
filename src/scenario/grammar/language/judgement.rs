//! What must hold: guarantees, invariants, and the bounds of a proof.

use super::super::{Alternative, Choice, Expected, Key, Kind, Quantity, Record, Shape};
use Shape::{Bound, Expression, List, Map, Name, Names, Quantity as Constant, Tuple, Word};

const COUNT: Shape = Constant(Quantity::Count);
const DURATION: Shape = Constant(Quantity::Duration);
const ANYTHING: Shape = Expression(Expected::Anything);
const TRUTH: Shape = Expression(Expected::Truth);

/// `guarantees`.
pub static GUARANTEES: Record = Record {
    name: "guarantees",
    called: "`guarantees`",
    about: "Bounds on what is measured against the ground truth. A count bounds every replication; a percentage bounds the share of what was owed.",
    groups: &[&[
        Key::optional(
            "idempotency",
            Shape::Record(&IDEMPOTENCY),
            "Whether what was meant to happen once did.",
        ),
        Key::optional(
            "ordering",
            Shape::Record(&ORDERING),
            "Whether things happened in the order in which they were caused.",
        ),
        Key::optional(
            "isolation",
            Shape::Record(&ISOLATION),
            "Whether transactions got into each other's way.",
        ),
        Key::optional(
            "convergence",
            Map { name: Kind::Convergence, value: &Shape::Record(&CONVERGENCE) },
            "Whether views agree in the end with what they are views of.",
        ),
        Key::optional(
            "sessions",
            Map {
                name: Kind::Client,
                value: &List {
                    of: &Word(&[
                        ("read_your_writes", "a client sees what it wrote"),
                        ("monotonic_reads", "a client never sees an older state than it saw before"),
                    ]),
                    least: 1,
                },
            },
            "What each client may rely on.",
        ),
        Key::optional(
            "sagas",
            Map { name: Kind::ServiceSaga, value: &Shape::Record(&SAGA_BOUNDS) },
            "Whether long-running processes ended well.",
        ),
        Key::optional(
            "staleness",
            Map { name: Kind::ServiceTable, value: &Shape::Record(&STALENESS) },
            "How old what was read may be.",
        ),
        Key::optional(
            "reference",
            Shape::Record(&REFERENCE),
            "Whether tables end as in a serial run without faults.",
        ),
    ]],
    choices: &[],
};

/// `guarantees.idempotency`.
pub static IDEMPOTENCY: Record = Record {
    name: "idempotency",
    called: "`idempotency`",
    about: "Bounds on effects that happened too often, not at all, or in part.",
    groups: &[&[
        Key::optional("duplicate_effects", Bound, "Effects committed again though they were there."),
        Key::optional("lost_effects", Bound, "Owed, and nothing of it happened."),
        Key::optional("torn_effects", Bound, "Owed, and only part of it happened."),
        Key::optional("mixed_effects", Bound, "Effects left that no single execution would leave together."),
        Key::optional("swallowed", Bound, "Dropped by a guard that took it for something else."),
        Key::optional("phantom_effects", Bound, "Done for a message whose cause was rolled back."),
        Key::optional("premature", Bound, "Done for a message whose cause was not committed yet."),
        Key::optional("resurrected", Bound, "Effects committed after they had been undone."),
        Key::optional("divergent_copies", Bound, "Messages accepted twice with different contents."),
        Key::optional("duplicate_messages", Bound, "Messages accepted more than once."),
        Key::optional("parked", Bound, "Set aside, at the end, in dead-letter topics and the like."),
        Key::optional("stuck", Bound, "Still being tried at the end of the drain."),
        Key::optional("acknowledged_loss", Bound, "The client was told yes, and nothing happened."),
        Key::optional("unacknowledged_effect", Bound, "The client was told no, and it happened."),
    ]],
    choices: &[],
};

/// `guarantees.ordering`.
pub static ORDERING: Record = Record {
    name: "ordering",
    called: "`ordering`",
    about: "Bounds on what happened in another order than it was caused in, for each key.",
    groups: &[&[
        Key::optional(
            "arrived_out_of_order",
            Bound,
            "Messages handed to a consumer after a later one of their key.",
        ),
        Key::optional(
            "applied_out_of_order",
            Bound,
            "Effects committed after those of a later message of their key.",
        ),
        Key::optional("regressed", Bound, "Newer values overwritten by older ones."),
        Key::optional(
            "illegal_transitions",
            Bound,
            "Changes of a column that its `lifecycle` does not allow.",
        ),
    ]],
    choices: &[],
};

/// `guarantees.isolation`.
pub static ISOLATION: Record = Record {
    name: "isolation",
    called: "`isolation`",
    about: "Bounds on what transactions did to each other.",
    groups: &[&[
        Key::optional("lost_updates", Bound, "Changes overwritten by one who had not seen them."),
        Key::optional("stale_premises", Bound, "Decisions on rows that had changed before the commit."),
        Key::optional("conflict_cycles", Bound, "Groups of transactions that no serial order explains."),
    ]],
    choices: &[],
};

/// An entry of `guarantees.convergence`.
pub static CONVERGENCE: Record = Record {
    name: "convergence",
    called: "a convergence guarantee",
    about: "A table that is meant to follow another one.",
    groups: &[&[
        Key::required("view", Name(Kind::ServiceTable), "The table that follows."),
        Key::required("of", Name(Kind::ServiceTable), "The table it follows."),
        Key::optional("where", TRUTH, "Only rows of `of` for which this holds."),
        Key::otherwise("by", ANYTHING, "the key", "The key of the view, from a row of `of`."),
        Key::optional(
            "columns",
            Map { name: Kind::Column, value: &ANYTHING },
            "What the view's columns should be, from the rows of `of` with that key.",
        ),
        Key::required("within", DURATION, "How long they may disagree."),
        Key::default(
            "share",
            Constant(Quantity::Share),
            "100%",
            "The share of changes of which that must hold.",
        ),
    ]],
    choices: &[],
};

/// An entry of `guarantees.sagas`.
pub static SAGA_BOUNDS: Record = Record {
    name: "saga-bounds",
    called: "an entry of `sagas` in `guarantees`",
    about: "Bounds on how long-running processes ended. One that nobody orchestrates gets a name of one's own, with `start`, `key` and `steps`.",
    groups: &[&[
        Key::optional("stuck", Bound, "Neither completed nor undone."),
        Key::optional("inconsistent", Bound, "Ended with some steps done and some undone."),
        Key::optional("leaked", Bound, "Undone before it was done, and so left behind."),
        Key::optional("over_undone", Bound, "Undone more often than done."),
        Key::optional("dirty_reads", Bound, "Others acted on what was undone later."),
        Key::optional("start", Name(Kind::Message), "Of a choreography: the message that starts it."),
        Key::optional("key", ANYTHING, "Of a choreography: what tells one from another."),
        Key::optional(
            "steps",
            List { of: &Name(Kind::Step), least: 1 },
            "Of a choreography: the names of its steps.",
        ),
    ]],
    choices: &[],
};

/// An entry of `guarantees.staleness`.
pub static STALENESS: Record = Record {
    name: "staleness",
    called: "a staleness guarantee",
    about: "How old what was read of a table may be.",
    groups: &[&[
        Key::optional("stale_reads", Bound, "Reads of a row that had been changed already."),
        Key::optional("age", DURATION, "For how long it had been changed, at most."),
        Key::optional("versions", COUNT, "How many changes behind, at most."),
    ]],
    choices: &[],
};

/// `guarantees.reference`.
pub static REFERENCE: Record = Record {
    name: "reference",
    called: "`reference`",
    about: "A comparison with a run of the same intents, one after another and without faults.",
    groups: &[&[
        Key::required("tables", Names(Kind::ServiceTable), "The tables compared."),
        Key::required("rows", Bound, "How many rows may differ."),
    ]],
    choices: &[],
};

/// An entry of `invariants`.
pub static INVARIANT: Record = Record {
    name: "invariant",
    called: "an invariant",
    about: "Something that must hold, in the scenario's own terms. `measure` is judged over the replications, the others in each of them.",
    groups: &[&[
        Key::optional("for_each", Name(Kind::ServiceTable), "Of every row of this table (`row.x`)."),
        Key::optional("within", DURATION, "Of `eventually`: how long it may take."),
        Key::optional(
            "during",
            Tuple { names: &["from", "to"], of: &DURATION },
            "Only between these instants.",
        ),
    ]],
    choices: &[Choice {
        called: "kind of invariant",
        alternatives: &[
            Alternative::new("always", TRUTH, &[], "Holds after every commit, of committed rows."),
            Alternative::new("never", TRUTH, &[], "Holds after no commit."),
            Alternative::new("eventually", TRUTH, &[], "Holds at some time."),
            Alternative::new("at_end", TRUTH, &[], "Holds at the end of the drain."),
            Alternative::new(
                "measure",
                TRUTH,
                &[],
                "Holds of measures (`p99(shopper.response_time) < 500ms`), by their confidence intervals.",
            ),
        ],
    }],
};

/// `prove`.
pub static PROVE: Record = Record {
    name: "prove",
    called: "`prove`",
    about: "The bounds within which every order of events and every point of failure is tried. A proof names each bound that cut something off.",
    groups: &[&[
        Key::default("intents", COUNT, "2", "How many intents."),
        Key::default("instances", COUNT, "2", "How many instances of each service, at most."),
        Key::default("partitions", COUNT, "2", "How many partitions of each topic, at most."),
        Key::default("workers", COUNT, "1", "How many workers of each instance, at most."),
        Key::default("faults", COUNT, "1", "How many faults."),
        Key::default(
            "early",
            COUNT,
            "0",
            "How many timeouts and leases may end though what they guard could still win.",
        ),
        Key::default("deliveries", COUNT, "3", "How often a message is delivered, at most."),
        Key::default("retries", COUNT, "1", "How often a step is retried, at most."),
        Key::default(
            "values",
            COUNT,
            "2",
            "Up to how many values of a draw are all tried; of others the two ends.",
        ),
        Key::default(
            "rare",
            Constant(Quantity::Number),
            "1e-9",
            "What is less likely than this counts as impossible.",
        ),
        Key::default("depth", COUNT, "400", "The longest path."),
        Key::default("states", COUNT, "5000000", "The most states."),
        Key::default("memory", Constant(Quantity::Size), "2GiB", "The most memory, in bytes."),
    ]],
    choices: &[],
};
