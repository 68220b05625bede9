//! Services: instances, workers, queues, calls, handlers, jobs, sagas.

use super::super::{Expected, Key, Kind, Quantity, Record, Shape};
use super::scenario::LINT;
use super::{MEMORY_TABLE, RETRY, STORE, SUBSCRIPTION};
use Shape::{Expression, List, Map, Name, Names, OneOf, Quantity as Constant, Steps, Value, Word};

const COUNT: Shape = Constant(Quantity::Count);
const DURATION: Shape = Constant(Quantity::Duration);
const SHARE: Shape = Constant(Quantity::Share);
const COUNT_OR_UNLIMITED: Shape = OneOf(&[Word(&[("unlimited", "no limit")]), COUNT]);

/// `retry` of a step or of `calls`.
pub(super) const RETRY_OR_NONE: Shape = OneOf(&[Word(&[("none", "one try")]), Shape::Record(&RETRY)]);

/// An entry of `services`.
pub static SERVICE: Record = Record {
    name: "service",
    called: "a service",
    about: "A service: equal instances with workers, what they keep, what they consume and how they handle it.",
    groups: &[&[
        Key::default("instances", COUNT, "1", "How many processes run it."),
        Key::default(
            "workers",
            COUNT_OR_UNLIMITED,
            "1",
            "How many attempts each instance has in flight. An attempt that waits (for a call, a store, a lock) holds its worker.",
        ),
        Key::default(
            "cpus",
            COUNT_OR_UNLIMITED,
            "unlimited",
            "How many of an instance's attempts can `work` at a time; others wait for a CPU, first come first served.",
        ),
        Key::optional("queue", Shape::Record(&QUEUE), "Where requests wait for a worker, in each instance."),
        Key::default(
            "routing",
            Word(&[
                ("round_robin", "instances take turns"),
                ("random", "any, equally likely"),
                ("least_loaded", "the one with the fewest requests waiting or in flight"),
                ("two_choices", "the less loaded of two drawn at random"),
                ("by_key", "the same message key goes to the same instance"),
            ]),
            "round_robin",
            "Which instance a call or send goes to.",
        ),
        Key::optional("autoscale", Shape::Record(&AUTOSCALE), "Adds and removes instances by utilization."),
        Key::optional("place", Names(Kind::Region), "The regions its instances are in, in turn."),
        Key::optional(
            "store",
            OneOf(&[Name(Kind::Service), Shape::Record(&STORE)]),
            "Its database, or the name of the service whose store it shares.",
        ),
        Key::optional(
            "memory",
            Map { name: Kind::Table, value: &Shape::Record(&MEMORY_TABLE) },
            "Tables in the memory of each instance.",
        ),
        Key::optional(
            "outbox",
            Shape::Record(&OUTBOX),
            "A table of messages that are committed with the rows and published afterwards.",
        ),
        Key::optional(
            "consumes",
            Map { name: Kind::Topic, value: &Shape::Record(&SUBSCRIPTION) },
            "The topics it consumes.",
        ),
        Key::optional("calls", CALLS_OF, "What all its calls to one service share."),
        Key::optional(
            "handlers",
            Map { name: Kind::Message, value: &OneOf(&[Steps, Shape::Record(&HANDLER)]) },
            "What it does with each message, called or consumed. `OrderPlaced@2` handles that schema alone.",
        ),
        Key::optional(
            "jobs",
            Map { name: Kind::Job, value: &Shape::Record(&JOB) },
            "What it does again and again, unasked.",
        ),
        Key::optional(
            "sagas",
            Map { name: Kind::Saga, value: &Shape::Record(&SAGA) },
            "Long-running processes with steps that can be undone.",
        ),
        Key::optional(
            "versions",
            Map { name: Kind::Version, value: &Shape::Patch(&SERVICE) },
            "Other versions of the service, each as what differs (a merge patch), for `deploy`. Handlers, what jobs do, and `unknown_version` of a subscription can differ; an empty one (`{}`) is the service as it is, to go back to. An `after` that is under way does what the version that began it says.",
        ),
        LINT,
    ]],
    choices: &[],
};

/// `calls`, of services and of clients.
pub(super) const CALLS_OF: Shape = Map { name: Kind::Service, value: &Shape::Record(&CALLS) };

/// `queue`.
pub static QUEUE: Record = Record {
    name: "queue",
    called: "`queue`",
    about: "Where requests wait for a worker, in each instance.",
    groups: &[&[
        Key::default(
            "order",
            Word(&[
                ("fifo", "first come, first served"),
                ("lifo", "last come, first served"),
                (
                    "priority",
                    "smaller `by` first, then as they came; what is being served is not interrupted",
                ),
            ]),
            "fifo",
            "Which request is taken next.",
        ),
        Key::optional(
            "by",
            Expression(Expected::Anything),
            "Of `order: priority`: what is compared, in terms of `message.x`.",
        ),
        Key::default(
            "capacity",
            COUNT_OR_UNLIMITED,
            "unlimited",
            "How many requests may wait. What is being served does not count; 0 means that a request meets a free worker or is shed.",
        ),
        Key::default(
            "shed",
            Word(&[
                ("reject", "the one that comes is refused"),
                ("drop_oldest", "the one that has waited longest is refused"),
                (
                    "deadline",
                    "refused too: what has already waited longer than its caller will, when a worker takes it",
                ),
            ]),
            "reject",
            "Which request is refused (`rejected`) when the queue is full.",
        ),
    ]],
    choices: &[],
};

/// `autoscale`.
pub static AUTOSCALE: Record = Record {
    name: "autoscale",
    called: "`autoscale`",
    about: "Adds and removes instances so that their workers are used to a given share.",
    groups: &[&[
        Key::required("min", COUNT, "The fewest instances."),
        Key::required("max", COUNT, "The most instances."),
        Key::required("utilization", SHARE, "The share of busy workers aimed at."),
        Key::required("every", DURATION, "How often it looks and decides."),
        Key::required("start_up", DURATION, "How long a new instance takes until it serves."),
    ]],
    choices: &[],
};

/// `outbox`.
pub static OUTBOX: Record = Record {
    name: "outbox",
    called: "`outbox`",
    about: "A table in the service's store. A `publish` with `via: outbox` inserts into it, in the transaction it stands in; a relay publishes what was committed.",
    groups: &[&[
        Key::default("every", DURATION, "50ms", "How often the relay looks."),
        Key::default("batch", COUNT, "100", "How many messages it takes at a time."),
        Key::default(
            "select",
            Word(&[
                ("unsent", "rows not marked as sent"),
                (
                    "id",
                    "rows with an id above the last one seen: a late commit with a lower id is skipped for ever",
                ),
                ("log", "changes in the order of their commits"),
            ]),
            "unsent",
            "How the relay finds what to publish.",
        ),
        Key::default(
            "mark",
            Word(&[
                ("after_publish", "a crash in between publishes twice"),
                ("before_publish", "a crash in between loses"),
                ("periodic", "every `mark_every`: a crash publishes again what came since"),
            ]),
            "after_publish",
            "When rows are marked as sent, or the position is saved.",
        ),
        Key::default("mark_every", DURATION, "5s", "The interval of `mark: periodic`."),
        Key::default("relays", COUNT, "1", "How many relays work side by side."),
    ]],
    choices: &[],
};

/// An entry of `calls`.
pub static CALLS: Record = Record {
    name: "calls",
    called: "an entry of `calls`",
    about: "What all calls to one service share. A call can set its own `timeout` and `retry`. Breaker, budget and `max_in_flight` belong to each calling instance.",
    groups: &[&[
        Key::default(
            "timeout",
            DURATION,
            "1s",
            "How long each try waits for its answer, from sending. The callee works on all the same.",
        ),
        Key::default("retry", RETRY_OR_NONE, "none", "Whether and how a failed call is tried again."),
        Key::optional("breaker", Shape::Record(&BREAKER), "Stops calling a service that fails."),
        Key::optional("budget", SHARE, "How many retries and hedges there may be, as a share of the calls."),
        Key::default(
            "max_in_flight",
            COUNT_OR_UNLIMITED,
            "unlimited",
            "How many calls to the service an instance may have under way; one more is `rejected`.",
        ),
    ]],
    choices: &[],
};

/// `breaker`.
pub static BREAKER: Record = Record {
    name: "breaker",
    called: "`breaker`",
    about: "A circuit breaker: opens when too many of the last calls failed, refuses calls (`rejected`) while open, then lets a few through to see.",
    groups: &[&[
        Key::required("failures", SHARE, "The share of failures at which it opens."),
        Key::required("of", COUNT, "Of how many last calls."),
        Key::required("open", DURATION, "How long it stays open."),
        Key::required("probes", COUNT, "How many calls must then succeed before it closes."),
    ]],
    choices: &[],
};

/// A handler, where steps alone do not say enough.
pub static HANDLER: Record = Record {
    name: "handler",
    called: "a handler",
    about: "A handler with more than its steps.",
    groups: &[&[Key::required("do", Steps, "What it does."), LINT]],
    choices: &[],
};

/// An entry of `jobs`.
pub static JOB: Record = Record {
    name: "job",
    called: "a job",
    about: "Something a service does again and again. The next round starts `every` after the last one ended.",
    groups: &[&[
        Key::required(
            "every",
            Value(Expected::Duration),
            "How long after the end of a round the next one starts.",
        ),
        Key::default(
            "runs",
            Word(&[
                ("per_instance", "on every instance, each for itself"),
                ("once", "on one instance, by a lease in the store that a paused holder can outlive"),
            ]),
            "per_instance",
            "Where it runs.",
        ),
        Key::default(
            "once_per",
            OneOf(&[
                Word(&[("row", "once for each row that it works on"), ("tick", "once for each round")]),
                Expression(Expected::Anything),
            ]),
            "row",
            "What its work is meant to happen once for. It speaks to the judges alone and changes nothing in the world.",
        ),
        Key::required("do", Steps, "What it does."),
        LINT,
    ]],
    choices: &[],
};

/// An entry of `sagas`.
pub static SAGA: Record = Record {
    name: "saga",
    called: "a saga",
    about: "A long-running process, orchestrated: its steps in order, and when one fails for a reason, the earlier ones undone in reverse. Its position is stored before and after each step.",
    groups: &[&[
        Key::required("start", Name(Kind::Message), "The message that starts it."),
        Key::required(
            "key",
            Expression(Expected::Anything),
            "What tells one saga from another. A second start with the same key is ignored.",
        ),
        Key::required("steps", List { of: &Shape::Record(&SAGA_STEP), least: 1 }, "Its steps, in order."),
        Key::optional("completed", Steps, "What is done when all went well."),
        Key::optional("compensated", Steps, "What is done when everything has been undone."),
    ]],
    choices: &[],
};

/// A step of a saga.
pub static SAGA_STEP: Record = Record {
    name: "saga-step",
    called: "a step of a saga",
    about: "A step of a saga: what is done, what it waits for, and what takes it back.",
    groups: &[&[
        Key::required("step", Name(Kind::Step), "Its name."),
        Key::required("do", Steps, "What it does."),
        Key::optional(
            "undo",
            Steps,
            "What takes it back. It is tried until the end of the drain; then the saga is stuck.",
        ),
        Key::default(
            "on_timeout",
            Word(&[
                ("undo", "the step itself is undone too, since it may have been done"),
                ("skip", "only the earlier ones are"),
            ]),
            "undo",
            "What happens to a step whose outcome is in doubt.",
        ),
        Key::optional("await", Shape::Record(&AWAIT), "The messages it waits for after `do`."),
    ]],
    choices: &[],
};

/// `await` of a saga's step.
pub static AWAIT: Record = Record {
    name: "await",
    called: "`await`",
    about: "The messages that end a saga's step.",
    groups: &[&[
        Key::required("success", Name(Kind::Message), "Goes on with the next step."),
        Key::optional("failure", Name(Kind::Message), "Undoes the earlier steps."),
        Key::otherwise("timeout", DURATION, "it waits for ever", "How long it waits."),
        Key::default(
            "late",
            Word(&[("ignore", "it is dropped"), ("undo", "the step is undone once more")]),
            "ignore",
            "What a success does that comes after the timeout.",
        ),
    ]],
    choices: &[],
};
