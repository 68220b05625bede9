//! What a service keeps: stores with tables and event streams, and tables in memory.

use super::super::{Expected, Key, Kind, Quantity, Record, Shape};
use Shape::{Boolean, Expression, List, Map, Name, Names, OneOf, Quantity as Constant, Value, Word};

const COUNT: Shape = Constant(Quantity::Count);
const DURATION: Shape = Constant(Quantity::Duration);
const DRAWN_DURATION: Shape = Value(Expected::Duration);
const UNLIMITED: &[super::super::Word] = &[("unlimited", "no limit")];
const COLUMNS: Shape = Map { name: Kind::Column, value: &OneOf(&[Shape::Type, Shape::Record(&COLUMN)]) };

/// `store`, where a service has its own.
pub static STORE: Record = Record {
    name: "store",
    called: "`store`",
    about: "A database. It outlives the instances of its service: what was committed stays.",
    groups: &[&[
        Key::optional(
            "latency",
            Shape::Record(&STORE_LATENCY),
            "How long its operations take, the way there and back included.",
        ),
        Key::default(
            "isolation",
            Word(&[
                ("read_committed", "write locks until commit; reads see the newest committed rows"),
                (
                    "snapshot",
                    "reads see the rows as they were at the first row step; the first writer of a row wins",
                ),
                ("serializable", "as snapshot, and what was read or scanned must still be so at commit"),
            ]),
            "read_committed",
            "How transactions see one another.",
        ),
        Key::default(
            "connections",
            OneOf(&[Word(UNLIMITED), COUNT]),
            "unlimited",
            "How many steps and transactions it serves at a time, over all instances; others wait.",
        ),
        Key::default(
            "flush",
            OneOf(&[Word(&[("always", "before the commit is answered")]), DURATION]),
            "always",
            "When a commit becomes durable. With an interval, a crash of the store loses what was committed since the last flush: rows, outbox rows, durable timers, and how far sagas had come.",
        ),
        Key::optional("place", Names(Kind::Region), "The regions it is in."),
        Key::optional("replication", Shape::Record(&REPLICATION), "Makes it a quorum store."),
        Key::optional(
            "read_replica",
            Shape::Record(&READ_REPLICA),
            "Adds replicas that can be read (`from: replica`) and lag behind.",
        ),
        Key::optional("tables", Map { name: Kind::Table, value: &Shape::Record(&TABLE) }, "Its tables."),
        Key::optional(
            "streams",
            Map { name: Kind::Stream, value: &Shape::Record(&STREAM) },
            "Its event streams.",
        ),
    ]],
    choices: &[],
};

/// `store.latency`.
pub static STORE_LATENCY: Record = Record {
    name: "store-latency",
    called: "`latency` of a store",
    about: "How long a store's operations take, the way there and back included. A step takes effect half-way. A row step outside of a transaction pays `write` and `commit`.",
    groups: &[&[
        Key::default("read", DRAWN_DURATION, "300us", "Reading a row."),
        Key::default("write", DRAWN_DURATION, "500us", "Writing a row."),
        Key::default("commit", DRAWN_DURATION, "1ms", "Committing."),
    ]],
    choices: &[],
};

/// `store.replication`.
pub static REPLICATION: Record = Record {
    name: "replication",
    called: "`replication`",
    about: "A store of equal replicas: every operation asks all `n` and takes the first `write_quorum` or `read_quorum` answers. How stale a read is follows from the four delays.",
    groups: &[&[
        Key::required("n", COUNT, "How many replicas."),
        Key::required("write_quorum", COUNT, "How many must have a write before it counts."),
        Key::required("read_quorum", COUNT, "How many are asked by a read; the newest answer is taken."),
        Key::required("write", DRAWN_DURATION, "From the coordinator to a replica, for a write."),
        Key::required("ack", DRAWN_DURATION, "The acknowledgement's way back."),
        Key::required("read", DRAWN_DURATION, "From the coordinator to a replica, for a read."),
        Key::required("respond", DRAWN_DURATION, "The answer's way back."),
    ]],
    choices: &[],
};

/// `store.read_replica`.
pub static READ_REPLICA: Record = Record {
    name: "read-replica",
    called: "`read_replica`",
    about: "Replicas that follow the store at a distance, for reads that may be stale.",
    groups: &[&[
        Key::default("count", COUNT, "1", "How many."),
        Key::required("lag", DRAWN_DURATION, "How far behind they are."),
        Key::default(
            "routing",
            Word(&[
                ("round_robin", "replicas take turns: reads can go back in time"),
                ("sticky", "each instance keeps to one"),
            ]),
            "round_robin",
            "Which one a read asks.",
        ),
    ]],
    choices: &[],
};

/// An entry of `tables`.
pub static TABLE: Record = Record {
    name: "table",
    called: "a table",
    about: "A table of a store.",
    groups: &[&[
        Key::required(
            "key",
            Names(Kind::Column),
            "The column that tells rows apart, or several. One that `columns` does not declare gets its type from `rows`, else from its first use.",
        ),
        Key::optional("columns", COLUMNS, "The other columns: a type, or more about the column."),
        Key::default(
            "bookkeeping",
            Boolean,
            "false",
            "A table of marks (\"handled this message\"): writing one is not an effect.",
        ),
        Key::optional(
            "rows",
            List {
                of: &Map {
                    name: Kind::Column,
                    value: &OneOf(&[
                        Expression(Expected::Anything),
                        List { of: &Expression(Expected::Anything), least: 1 },
                    ]),
                },
                least: 0,
            },
            "Rows that are there from the start. A list as a value (`sku: 1..1000`) stands for one row for each element; columns left out start with their initial values.",
        ),
        Key::otherwise("ttl", DURATION, "rows stay", "How long after it was last written a row disappears."),
    ]],
    choices: &[],
};

/// A column, where a type does not say enough.
pub static COLUMN: Record = Record {
    name: "column",
    called: "a column",
    about: "A column with more than a type.",
    groups: &[&[
        Key::otherwise(
            "type",
            Shape::Type,
            "the words of `lifecycle`, else the type of `initial`",
            "What it holds.",
        ),
        Key::otherwise(
            "initial",
            Expression(Expected::Anything),
            "0, false, the first word, or empty",
            "What a new row starts with.",
        ),
        Key::optional(
            "lifecycle",
            List { of: &Shape::Transition, least: 1 },
            "The changes that are allowed: `[placed -> shipped, placed -> cancelled]`. Any other is an illegal transition.",
        ),
        Key::default(
            "incidental",
            Boolean,
            "false",
            "A column that is not what the business is about, such as a time stamp: writing it is not an effect.",
        ),
    ]],
    choices: &[],
};

/// An entry of `memory`.
pub static MEMORY_TABLE: Record = Record {
    name: "memory-table",
    called: "a table in `memory`",
    about: "A table in the memory of each instance: instant, and gone on restart. The same steps work on it.",
    groups: &[&[
        Key::required("key", Names(Kind::Column), "The column that tells rows apart, or several."),
        Key::optional("columns", COLUMNS, "The other columns."),
        Key::default(
            "capacity",
            OneOf(&[Word(UNLIMITED), COUNT]),
            "unlimited",
            "How many rows it holds; the least recently written goes first.",
        ),
        Key::otherwise("ttl", DURATION, "rows stay", "How long after it was last written a row disappears."),
    ]],
    choices: &[],
};

/// An entry of `streams`.
pub static STREAM: Record = Record {
    name: "stream",
    called: "an event stream",
    about: "An event stream of a store: messages appended under a key, and a state folded from them.",
    groups: &[&[
        Key::required("key", Name(Kind::Column), "What tells streams apart."),
        Key::optional("state", COLUMNS, "The state that the messages fold to."),
        Key::optional(
            "apply",
            Map {
                name: Kind::Message,
                value: &Map { name: Kind::Column, value: &Expression(Expected::Anything) },
            },
            "What each message does to the state: `state.x` is its value before, `message.x` the message.",
        ),
        Key::default("read", DRAWN_DURATION, "20us", "How long each message takes to be read and folded."),
        Key::optional(
            "snapshot",
            Shape::Record(&SNAPSHOT),
            "Folds from a stored state instead of from the beginning. It is stored with the message that completes its block.",
        ),
        Key::optional(
            "publish_to",
            Name(Kind::Topic),
            "The topic that appended messages are published to, in the order of their commits. What carries them keeps the pace of the service's `outbox`, if it has one, and goes on from its position after a crash.",
        ),
    ]],
    choices: &[],
};

/// `snapshot` of a stream.
pub static SNAPSHOT: Record = Record {
    name: "snapshot",
    called: "`snapshot`",
    about: "When the folded state of a stream is stored.",
    groups: &[&[Key::required("every", COUNT, "After this many messages.")]],
    choices: &[],
};
