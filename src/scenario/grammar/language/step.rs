//! The steps of handlers, jobs, sagas and clients: a map with exactly one verb, and its options.

use super::super::{Alternative, Choice, Expected, Key, Kind, Quantity, Record, Shape};
use super::service::RETRY_OR_NONE;
use Shape::{
    Boolean, Expression, List, Map, Name, Names, Nothing, OneOf, Quantity as Constant, Steps, Value, Word,
};

const DURATION: Shape = Constant(Quantity::Duration);
const ANYTHING: Shape = Expression(Expected::Anything);
const ROW_KEY: Shape = OneOf(&[ANYTHING, List { of: &ANYTHING, least: 1 }]);
const FIELDS: Shape = OneOf(&[
    Word(&[("message", "every field that the message in hand has by the same name")]),
    Map { name: Kind::Field, value: &Value(Expected::Anything) },
]);
const COLUMNS: Shape = Map { name: Kind::Column, value: &Value(Expected::Anything) };

const AS: Key = Key::optional("as", Name(Kind::Local), "Names the result.");
const KEY: Key =
    Key::required("key", ROW_KEY, "The row's key; a list, if the table's key has several columns.");
const ROW_KEY_OR_ALL: Key = Key::otherwise("key", ROW_KEY, "every row that `where` admits", "The row's key.");
const WHERE: Key = Key::optional(
    "where",
    Expression(Expected::Truth),
    "Only if this holds of the row (`row.x`), seen under its write lock.",
);
const SET: Key = Key::optional("set", COLUMNS, "The columns' new values; `row.x` is the value before.");
const ELSE: Key = Key::optional(
    "else",
    Steps,
    "What is done instead when there was nothing to do: the row is absent (of `insert`: is there), or `where` is false.",
);
const WITH: Key = Key::optional("with", FIELDS, "The message's fields, every one of them.");
const CATCH: Key = Key::optional(
    "catch",
    Map { name: Kind::Error, value: &Steps },
    "What is done about an error, by its name: `timeout`, `unavailable`, `rejected`, `conflict`, `exists`, `missing`, `failed`, a reason given to `fail`, or `any`. The handler goes on afterwards.",
);
const RETRY_OPTION: Key =
    Key::optional("retry", RETRY_OR_NONE, "Whether and how it is tried again when it fails.");

/// A step.
pub static STEP: Record = Record {
    name: "step",
    called: "a step",
    about: "A step is a map with exactly one verb, whose value says what is acted on; options stand beside the verb. A verb that needs nothing (`stop`, `fail`, `ack`, `reply`) may be written as a bare word. Each step takes simulated time where the real one would, and a crash can fall between any two, and between what a step did and its answer.",
    groups: &[&[
        Key::optional(
            "name",
            Name(Kind::Step),
            "A name: faults can strike at it, and steps that mean the same thing share one.",
        ),
        Key::optional(
            "once_per",
            ANYTHING,
            "A business identity for what the step does (a message, a call, a timer, a change of rows, an act on the outside): it is meant to happen once for each value, whoever's work it is in. A guard that stops who comes second says it too. It speaks to the judges alone and changes nothing in the world.",
        ),
        Key::optional(
            "undoes",
            Name(Kind::Step),
            "The step whose effect this one takes back. It speaks to the judges alone.",
        ),
    ]],
    choices: &[Choice { called: "verb", alternatives: VERBS }],
};

static VERBS: &[Alternative] = &[
    Alternative::new(
        "work",
        Value(Expected::Duration),
        &[],
        "Uses a CPU for so long: one of `cpus`, if the service says how many, else it just holds the worker.",
    ),
    Alternative::new("wait", Value(Expected::Duration), &[], "Lets so much time pass, holding the worker."),
    Alternative::new(
        "after",
        Value(Expected::Duration),
        &[
            Key::required("do", Steps, "What is done then."),
            Key::default(
                "durable",
                Boolean,
                "false",
                "Whether the timer is stored, with the commit it stands in, and so survives a crash. It fires at least once then.",
            ),
        ],
        "Starts `do` so much later as an attempt of its own, with the present values of all locals.",
    ),
    Alternative::new(
        "let",
        Map { name: Kind::Local, value: &Value(Expected::Anything) },
        &[],
        "Names values, in the order written.",
    ),
    Alternative::new(
        "read",
        Name(Kind::Table),
        &[
            KEY,
            AS,
            Key::default(
                "lock",
                Boolean,
                "false",
                "Takes the row's write lock until commit (`SELECT … FOR UPDATE`).",
            ),
            Key::default(
                "from",
                Word(&[("primary", "the store itself"), ("replica", "a read replica, which may lag")]),
                "primary",
                "What is asked.",
            ),
            ELSE,
        ],
        "Reads a row. `as.exists` says whether it is there; a column of an absent row is the error `missing`.",
    ),
    Alternative::new(
        "insert",
        Name(Kind::Table),
        &[KEY, SET, AS, ELSE],
        "Adds a row. If it is there already, `else` is done; without `else` that is the error `exists`.",
    ),
    Alternative::new(
        "update",
        Name(Kind::Table),
        &[
            ROW_KEY_OR_ALL,
            WHERE,
            Key::required("set", COLUMNS, "The columns' new values; `row.x` is the value before."),
            AS,
            ELSE,
        ],
        "Changes a row in one atomic step: with `where`, a compare-and-set.",
    ),
    Alternative::new(
        "upsert",
        Name(Kind::Table),
        &[KEY, WHERE, SET, AS, ELSE],
        "Changes a row, which if absent starts with its columns' initial values.",
    ),
    Alternative::new("delete", Name(Kind::Table), &[ROW_KEY_OR_ALL, WHERE, ELSE], "Deletes a row."),
    Alternative::new(
        "scan",
        Name(Kind::Table),
        &[
            Key::optional("where", Expression(Expected::Truth), "Only rows of which this holds."),
            Key::optional(
                "order_by",
                ANYTHING,
                "Sorted by this, smallest first; `-row.x` for the largest first.",
            ),
            Key::otherwise("limit", Expression(Expected::Count), "all of them", "How many rows at most."),
            AS,
        ],
        "Reads rows into a list. Its cost grows with the rows read.",
    ),
    Alternative::new(
        "transaction",
        Steps,
        &[RETRY_OPTION, CATCH],
        "Commits together what its row, stream and outbox steps do, or nothing. `stop` inside commits and ends the handler well; `fail` and errors roll back. Other steps inside happen at once and are not rolled back.",
    ),
    Alternative::new(
        "load",
        Name(Kind::Stream),
        &[
            Key::required("key", ANYTHING, "Which stream."),
            Key::otherwise("at", ANYTHING, "the newest", "As of this version or time."),
            AS,
        ],
        "Folds a stream, from its last snapshot; `as.version`, `as.exists` and the state's columns.",
    ),
    Alternative::new(
        "append",
        Name(Kind::Message),
        &[
            Key::required("to", Name(Kind::Stream), "The stream."),
            Key::required("key", ANYTHING, "Which of them."),
            WITH,
            Key::otherwise(
                "expect",
                ANYTHING,
                "any version will do",
                "The version it must be at; at another, the error `conflict`.",
            ),
            RETRY_OPTION,
            CATCH,
        ],
        "Adds a message to a stream.",
    ),
    Alternative::new(
        "publish",
        Name(Kind::Message),
        &[
            WITH,
            Key::otherwise("to", Name(Kind::Topic), "the one topic that carries the message", "The topic."),
            Key::otherwise(
                "key",
                ANYTHING,
                "the message's key field",
                "The key: it decides the partition and the order.",
            ),
            Key::otherwise(
                "id",
                ANYTHING,
                "a new one each time the step runs",
                "The message's id, for brokers and consumers that deduplicate by it.",
            ),
            Key::default(
                "via",
                Word(&[
                    ("direct", "sent to the broker here and now"),
                    (
                        "outbox",
                        "inserted into the outbox, with the transaction it stands in, and sent by the relay",
                    ),
                    (
                        "ack",
                        "visible if and only if the acknowledgement of the delivery in hand is (of brokers with transactions)",
                    ),
                ]),
                "direct",
                "Which way it goes.",
            ),
            Key::default("confirm", Boolean, "true", "Whether the step waits until the broker has accepted."),
            Key::optional(
                "delay",
                Value(Expected::Duration),
                "How long after it was accepted the message becomes visible.",
            ),
            Key::otherwise(
                "expires",
                Value(Expected::Duration),
                "never",
                "How long after it was published nobody is meant to handle it any more.",
            ),
            Key::default(
                "tombstone",
                Boolean,
                "false",
                "Marks the key as deleted: a compacted log forgets it.",
            ),
            Key::default(
                "forward",
                Boolean,
                "false",
                "Whether it passes on the same obligation, as a retry topic does. It speaks to the judges alone.",
            ),
            Key::otherwise(
                "timeout",
                DURATION,
                "as the topic's `producer` has it",
                "How long each try waits for the broker.",
            ),
            RETRY_OPTION,
            CATCH,
        ],
        "Publishes a message to the topic that carries it.",
    ),
    Alternative::new(
        "call",
        Name(Kind::ServiceMessage),
        &[
            WITH,
            Key::otherwise(
                "timeout",
                DURATION,
                "as `calls` has it, else 1s",
                "How long each try waits for its answer.",
            ),
            Key::otherwise(
                "retry",
                RETRY_OR_NONE,
                "as `calls` has it, else none",
                "Whether and how it is tried again when it fails.",
            ),
            Key::optional(
                "hedge",
                DURATION,
                "Asks a second instance if no answer came for so long, and takes the first answer.",
            ),
            Key::optional("as", Name(Kind::Local), "Names the answer; `as.x` are its fields."),
            CATCH,
        ],
        "Asks another service and waits for the answer.",
    ),
    Alternative::new(
        "send",
        Name(Kind::ServiceMessage),
        &[WITH],
        "Tells another service, past every broker, and does not wait.",
    ),
    Alternative::new(
        "reply",
        OneOf(&[Nothing, Map { name: Kind::Field, value: &Value(Expected::Anything) }]),
        &[],
        "Answers the caller. Steps after it still run. A handler that ends without one, or with a bare `reply`, answers with 0, false, the first word or empty; a map gives every field.",
    ),
    Alternative::new(
        "effect",
        Name(Kind::Effect),
        &[
            Key::optional("idempotency_key", ANYTHING, "The other side carries out each key once."),
            Key::otherwise(
                "takes",
                Value(Expected::Duration),
                "lognormal with a median of 5ms and a 99th percentile of 50ms",
                "How long it takes, the way there and back included; it happens half-way.",
            ),
            Key::optional("timeout", DURATION, "How long each try waits."),
            RETRY_OPTION,
            CATCH,
        ],
        "Does something in the world outside that cannot be rolled back: charges a card, sends a mail. Any name will do.",
    ),
    Alternative::new(
        "if",
        Expression(Expected::Truth),
        &[
            Key::required("then", Steps, "What is done if it holds."),
            Key::optional("else", Steps, "What is done if not."),
        ],
        "Decides.",
    ),
    Alternative::new(
        "for_each",
        Expression(Expected::List),
        &[
            Key::required("as", Name(Kind::Local), "Names the item in hand."),
            Key::required("do", Steps, "What is done for it."),
            Key::default(
                "parallel",
                OneOf(&[Boolean, Constant(Quantity::Count)]),
                "false",
                "Whether all items are done at once, or how many.",
            ),
        ],
        "Does something once for each item of a list.",
    ),
    Alternative::new(
        "parallel",
        Map { name: Kind::Branch, value: &Steps },
        &[],
        "Does all branches at once and goes on when all have ended; fails if one failed, which cancels no other. The locals of all are visible afterwards.",
    ),
    Alternative::new("try", Steps, &[RETRY_OPTION, CATCH], "Repeats or mends a group of steps."),
    Alternative::new("stop", Nothing, &[], "Ends the handler well."),
    Alternative::new(
        "fail",
        OneOf(&[Nothing, Name(Kind::Reason)]),
        &[],
        "Ends the attempt with an error: a reason of one's own, or `failed`.",
    ),
    Alternative::new("ack", Nothing, &[], "Acknowledges the delivery in hand now (with `ack: manual`)."),
];

/// `retry`.
pub static RETRY: Record = Record {
    name: "retry",
    called: "`retry`",
    about: "How something that failed is tried again. Before attempt *k* + 1 it waits *v* = min(`max_delay`, `delay` · `factor`^(*k* − 1)), changed by `jitter`.",
    groups: &[&[
        Key::required(
            "attempts",
            OneOf(&[
                Word(&[("unlimited", "until the run's event budget ends it")]),
                Constant(Quantity::Count),
            ]),
            "How many tries in all, the first included.",
        ),
        Key::default("delay", DURATION, "0s", "The wait before the second try."),
        Key::default("factor", Constant(Quantity::Number), "1", "What each further wait is multiplied by."),
        Key::otherwise("max_delay", DURATION, "no limit", "The longest wait."),
        Key::default(
            "jitter",
            Word(&[
                ("none", "waits *v*"),
                ("full", "waits between 0 and *v*, uniformly"),
                ("equal", "waits *v*/2, and between 0 and *v*/2 more"),
                ("decorrelated", "waits between `delay` and three times the last wait, at most `max_delay`"),
            ]),
            "none",
            "How the wait is spread, so that many callers do not come back at once.",
        ),
        Key::otherwise(
            "errors",
            Names(Kind::Error),
            "all but `exists`, `missing` and reasons given to `fail`, which are answers",
            "The errors after which it is tried again.",
        ),
    ]],
    choices: &[],
};
