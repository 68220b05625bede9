//! Handler code: flat operations over frames of 64-bit words. A handler of a scenario becomes a run
//! of [`Op`]s; names are gone, values are read by position.
//!
//! ```text
//! - work: { exponential: 5ms }        Work(Drawn(stream 3))
//! - if: message.qty > 2               JumpUnless(expression 7, → 4)
//!   then: [ { call: stock.Reserve } ] Call(step 0)
//! - reply                             Reply(step 0)
//!                                     End
//! ```

use super::storage::StreamStep;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::kernel::vocabulary::Jitter;
use serde::{Deserialize, Serialize};

/// One value at run time; its type is known when the model is compiled.
pub type Word = u64;

/// A position in the code.
pub type Pc = u32;

/// A word of a frame.
pub type Slot = u16;

/// "None" for indices kept as `u32`.
pub const NONE: u32 = u32::MAX;

/// A run of entries in one of the model's flat tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Range {
    pub start: u32,
    pub length: u32,
}

impl Range {
    #[inline(always)]
    pub fn indices(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.length) as usize
    }
}

/// One operation. Those that take simulated time leave the attempt waiting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Holds a CPU (or just the worker) for a duration.
    Work(Duration),
    Wait(Duration),
    /// Names a value.
    Let {
        slot: Slot,
        value: u32,
    },
    Jump(Pc),
    JumpUnless {
        condition: Operand,
        target: Pc,
    },
    /// Row verbs and scans: an index into `row_steps`.
    Row(u32),
    /// Opens the transaction of a region.
    Begin(u32),
    /// Commits the region's transaction.
    Commit(u32),
    /// Enters a region: its retry counter starts anew.
    Enter(u32),
    Publish(u32),
    Call(u32),
    Send(u32),
    Reply(u32),
    Effect(u32),
    /// Starts a timer that runs a body later.
    After(u32),
    /// The message in hand meets the saga of its key: an index into `saga_meetings`.
    Saga(u32),
    /// Starts branches and waits for all.
    Fork(u32),
    /// Begins a loop, or fans out: an index into `loops`.
    ForEach(u32),
    /// The next item of a loop, or past its end.
    Next(u32),
    /// An item is current again after an error was caught: the slot of its identity, or `Slot::MAX`.
    RestoreItem(Slot),
    /// Lets a fault fire that watches this place.
    Watch(FaultId),
    Acknowledge,
    /// Ends the attempt, or the branch, well.
    Stop,
    Fail(SymbolId),
}

/// A length of time that a step takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Duration {
    Constant(Nanos),
    /// A stream of nanoseconds; a draw belongs to the attempt.
    Drawn(StreamId),
    Computed(Operand),
}

/// Where an expression's value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    Literal(Small),
    Local(Slot),
    /// A field of the message in hand.
    Message(u16),
    /// Compiled code: an index into `programs`.
    Program(u32),
}

/// A literal that fits beside its tag; larger ones are programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Small(pub i32);

impl Small {
    #[inline(always)]
    pub fn word(self) -> Word {
        self.0 as i64 as Word
    }
}

/// A value of a step: computed or drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Computed(Operand),
    Drawn {
        stream: StreamId,
        per_attempt: bool,
    },
    /// A word of an enumeration or any list of values, by drawn position.
    Chosen {
        stream: StreamId,
        per_attempt: bool,
        words: Vec<Word>,
    },
    /// 1, 2, 3 … for each value of the operand.
    Counted {
        counter: u32,
        of: Operand,
    },
}

/// One instruction of an expression, for a stack machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Code {
    Literal(Word),
    Local(Slot),
    /// A column of a row local; `missing` if the word at `exists` is 0.
    RowLocal {
        exists: Slot,
        slot: Slot,
    },
    Message(u16),
    MessageId,
    MessageKey,
    MessagePublishedAt,
    MessageSchema,
    DeliveryAttempt,
    DeliveryTopic,
    DeliveryPartition,
    DeliveryOffset,
    DeliveryReplayed,
    /// `row.x`
    Row(u16),
    Instance,
    InFlight,
    QueueLength,
    Now,
    Unique,
    Not,
    NegateInteger,
    NegateFloat,
    Integer(Arithmetic),
    Float(Arithmetic),
    CompareSigned(Comparison),
    CompareFloat(Comparison),
    /// Integer to float.
    ToFloat,
    /// Float to integer, half to even; `failed` if it does not fit.
    ToInteger,
    /// Jumps over instructions if the top is false, keeping it; else drops it.
    AndThen(u16),
    OrElse(u16),
    /// Drops the top; jumps if it was false.
    Unless(u16),
    Skip(u16),
    AbsoluteInteger,
    AbsoluteFloat,
    MinimumInteger(u16),
    MinimumFloat(u16),
    MaximumInteger(u16),
    MaximumFloat(u16),
    /// Makes a list of the topmost n words.
    List(u16),
    Range,
    Size,
    Index,
    In,
    /// Takes so many words of a key: whether the table has that row. Like what follows, of promises only.
    Exists {
        table: TableId,
        key: u16,
    },
    /// A column of the row with that key; of an absent one its initial value.
    Column {
        table: TableId,
        key: u16,
        column: u16,
    },
    /// Takes so many words of keys: the aggregate of the rows that have them.
    Aggregate {
        aggregate: u32,
        keys: u16,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Sets a column, a field or a local from a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assignment {
    pub position: u16,
    pub value: u32,
}

/// A group of operations whose errors are handled together: `try`, `transaction`, or one step with
/// a `catch`.
#[derive(Clone, Debug)]
pub struct Region {
    /// The region around it, or `NONE`.
    pub parent: u32,
    /// A retry goes back here.
    pub first: Pc,
    pub transaction: Option<TransactionTimes>,
    /// Index into `retries`, or `NONE`.
    pub retry: u32,
    /// Frame slots: tries so far, last wait.
    pub tries: Slot,
    pub last_wait: Slot,
    pub catches: Vec<CatchTarget>,
    /// Item identity of the loop around it, or `Slot::MAX`.
    pub item: Slot,
    /// Stream for jitter.
    pub jitter: StreamId,
    /// Faults that fire when the commit is done and not yet answered.
    pub unanswered: Vec<FaultId>,
}

/// How long the ends of a transaction take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransactionTimes {
    pub commit: Duration,
    /// Index into `stores`.
    pub store: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CatchTarget {
    /// `None`: any.
    pub error: Option<Error>,
    pub target: Pc,
}

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Error {
    Timeout,
    Unavailable,
    Rejected,
    Conflict,
    Exists,
    Missing,
    Failed,
    /// A reason given to `fail`.
    Reason(SymbolId),
}

impl Error {
    /// One word for records: 1–7, reasons from 8.
    pub fn code(self) -> u32 {
        match self {
            Error::Timeout => 1,
            Error::Unavailable => 2,
            Error::Rejected => 3,
            Error::Conflict => 4,
            Error::Exists => 5,
            Error::Missing => 6,
            Error::Failed => 7,
            Error::Reason(symbol) => 8 + symbol.0,
        }
    }

    /// The error of a word that `code` gave.
    pub fn from_code(code: u32) -> Self {
        match code {
            1 => Error::Timeout,
            2 => Error::Unavailable,
            3 => Error::Rejected,
            4 => Error::Conflict,
            5 => Error::Exists,
            6 => Error::Missing,
            7 => Error::Failed,
            reason => Error::Reason(SymbolId(reason - 8)),
        }
    }
}

/// A retry policy.
#[derive(Clone, Debug)]
pub struct Retry {
    /// `None`: unlimited.
    pub attempts: Option<u32>,
    pub delay: Nanos,
    pub factor: f64,
    pub max_delay: Option<Nanos>,
    /// Once its tries and waits have taken longer than this, there are no more.
    pub give_up: Option<Nanos>,
    pub jitter: Jitter,
    /// `None`: every error but `exists`, `missing` and reasons.
    pub errors: Option<Vec<Error>>,
}

impl Retry {
    /// Whether this error may be tried again.
    pub fn admits(&self, error: Error) -> bool {
        match &self.errors {
            Some(errors) => errors.contains(&error),
            None => !matches!(error, Error::Exists | Error::Missing | Error::Reason(_)),
        }
    }

    /// What to remember of a wait of `length` after a try that took `took`: the wait itself; or of a policy that
    /// gives up after a time, all that it has spent, given what it had spent before. `None`: that is too much.
    pub fn remember(&self, before: Nanos, took: Nanos, length: Nanos) -> Option<Nanos> {
        let Some(most) = self.give_up else { return Some(length) };
        let spent = before.saturating_add(took).saturating_add(length);
        (spent <= most).then_some(spent)
    }

    /// The wait before try `tries + 1`, given one uniform in [0, 1) and the last wait.
    pub fn wait(&self, tries: u32, last_wait: Nanos, uniform: f64) -> Nanos {
        use crate::kernel::time::{LONGEST, nanos_from_f64};
        let cap = self.max_delay.unwrap_or(LONGEST) as f64;
        let mut grown = self.delay as f64;
        for _ in 1..tries {
            grown *= self.factor;
            if grown >= cap || self.factor <= 1.0 && grown < 1.0 {
                break;
            }
        }
        let plain = grown.min(cap);
        nanos_from_f64(match self.jitter {
            Jitter::None => plain,
            Jitter::Full => uniform * plain,
            Jitter::Equal => plain / 2.0 + uniform * (plain / 2.0),
            Jitter::Decorrelated => {
                let low = self.delay as f64;
                let high = 3.0 * (last_wait as f64).max(low);
                (low + uniform * (high - low)).min(cap)
            }
        })
    }
}

/// What a row step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowVerb {
    Read,
    ReadLocked,
    Insert,
    Update,
    Upsert,
    Delete,
    Scan,
    /// Adds a message to a stream: the row gets the state that it folds to.
    Append,
}

impl RowVerb {
    /// Whether it changes nothing.
    pub fn reads(self) -> bool {
        matches!(self, RowVerb::Read | RowVerb::ReadLocked | RowVerb::Scan)
    }
}

/// A step on rows of one table.
#[derive(Clone, Debug)]
pub struct RowStep {
    pub verb: RowVerb,
    pub table: TableId,
    /// `None`: every row that `filter` admits.
    pub key: Option<Vec<Operand>>,
    pub filter: Option<Operand>,
    pub set: Vec<Assignment>,
    /// Frame slot of the result: `exists` and the columns; of a scan, the list.
    pub result: Option<Slot>,
    /// Sort key of a scan.
    pub order_by: Option<Operand>,
    pub descending: bool,
    pub limit: Option<Operand>,
    pub next: Pc,
    /// Where it goes when there was nothing to do; `None`: what the verb does by itself.
    pub otherwise: Option<Pc>,
    /// The round trip within a transaction.
    pub latency: Duration,
    /// Added outside one.
    pub commit: Duration,
    pub site: SiteId,
    pub unanswered: Vec<FaultId>,
    /// A read that asks a replica.
    pub from_replica: bool,
    /// On a stream: what a table's rows do not have.
    pub stream: Option<Box<StreamStep>>,
    /// For what value it ought to happen once; `None`: for its cause.
    pub once_per: Option<Operand>,
}

/// `publish`.
#[derive(Clone, Debug)]
pub struct PublishStep {
    pub message: MessageId,
    pub topic: TopicId,
    pub with: Range,
    pub key: Option<Operand>,
    pub id: Option<Operand>,
    pub outbox: Option<OutboxTimes>,
    /// It is seen with the acknowledgement of the delivery in hand, or not at all.
    pub with_ack: bool,
    /// How long after it has reached its broker the message becomes visible.
    pub delay: Option<Duration>,
    /// How long after that it is given up, unless a consumer has it.
    pub expires: Option<Duration>,
    /// It says that its key is gone; compaction drops it in the end.
    pub tombstone: bool,
    /// How many sends of one producer to the broker may be unconfirmed.
    pub in_flight: u32,
    /// The broker takes what a producer sends to a partition in the order of its sequence numbers alone.
    pub in_sequence: bool,
    pub confirm: bool,
    pub timeout: RingLength,
    pub retry: u32,
    pub jitter: StreamId,
    pub site: SiteId,
    pub route: u32,
    pub back: u32,
    pub hops: Hops,
    pub unanswered: Vec<FaultId>,
}

/// What an outbox insert takes: inside a transaction `write`, outside `write` + `commit`.
#[derive(Clone, Copy, Debug)]
pub struct OutboxTimes {
    pub store: u32,
    pub write: Duration,
    pub commit: Duration,
}

/// A constant delay, as the ring of the event list that keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLength {
    pub ring: u32,
    pub length: Nanos,
}

/// `call`.
#[derive(Clone, Debug)]
pub struct CallStep {
    pub service: ServiceId,
    pub message: MessageId,
    /// Index into `handlers`, or `NONE`: acknowledged and dropped.
    pub handler: HandlerId,
    pub with: Range,
    pub timeout: RingLength,
    pub retry: u32,
    pub jitter: StreamId,
    pub result: Option<Slot>,
    pub site: SiteId,
    /// Index into `routes`.
    pub route: u32,
    pub back: u32,
    pub hops: Hops,
    pub main: Origins,
    /// Index into `guards`, or `NONE`.
    pub guard: u32,
    pub hedge: Option<RingLength>,
    /// Index into `names.calls`: what figures are kept under.
    pub figures: u32,
    pub unanswered: Vec<FaultId>,
}

/// `send`.
#[derive(Clone, Debug)]
pub struct SendStep {
    pub service: ServiceId,
    pub message: MessageId,
    pub handler: HandlerId,
    pub with: Range,
    pub site: SiteId,
    pub route: u32,
    pub hops: Hops,
    pub main: Origins,
}

/// The streams of a step that crosses the network: there and back, and which instance.
#[derive(Clone, Copy, Debug)]
pub struct Hops {
    pub there: Duration,
    pub back: Duration,
    pub routing: StreamId,
    pub routing_second: StreamId,
    /// Loss and duplication on the way there and back: drawn only where a link has them.
    pub trouble: StreamId,
    pub trouble_back: StreamId,
}

#[derive(Clone, Debug)]
pub struct ReplyStep {
    pub message: MessageId,
    pub with: Range,
}

/// `effect`.
#[derive(Clone, Debug)]
pub struct EffectStep {
    pub effect: EffectId,
    pub idempotency_key: Option<Operand>,
    /// For what value it ought to happen once; `None`: for its cause.
    pub once_per: Option<Operand>,
    pub takes: Duration,
    pub timeout: Option<RingLength>,
    pub retry: u32,
    pub jitter: StreamId,
    pub site: SiteId,
    pub unanswered: Vec<FaultId>,
}

/// `after`: a body run later, on a copy of the frame.
#[derive(Clone, Debug)]
pub struct AfterStep {
    pub delay: Duration,
    pub body: HandlerId,
    pub durable: Option<TransactionTimes>,
    pub site: SiteId,
}

/// `parallel`.
#[derive(Clone, Debug)]
pub struct ForkStep {
    pub branches: Vec<Pc>,
    /// Frame slots: branches still running, first error.
    pub running: Slot,
    pub error: Slot,
    pub next: Pc,
}

/// `for_each`.
#[derive(Clone, Debug)]
pub struct Loop {
    pub list: Operand,
    /// Words of an item; a row item starts with `exists`.
    pub item: Slot,
    pub item_words: u16,
    /// Row items: 1 + columns; the identity is the key of this table.
    pub rows_of: Option<TableId>,
    /// Frame slots: list handle, position, identity of the current item, identity around the loop.
    pub list_slot: Slot,
    pub position: Slot,
    pub identity: Slot,
    pub outer_identity: Slot,
    pub body: Pc,
    pub next: Pc,
    /// `Some`: at most this many items at once, each on a copy of the frame.
    pub parallel: Option<u32>,
    pub running: Slot,
    pub error: Slot,
}

/// For which origins (clients, jobs) a step is the main way to the handler it reaches: only there
/// is a draw numbered by intent; any other way draws by hash, so no two attempts share a draw.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Origins {
    #[default]
    None,
    One(u32),
    Many(Vec<u32>),
}

impl Origins {
    #[inline(always)]
    pub fn contains(&self, origin: u32) -> bool {
        match self {
            Origins::None => false,
            Origins::One(only) => *only == origin,
            Origins::Many(sorted) => sorted.binary_search(&origin).is_ok(),
        }
    }

    /// Adds an origin; they come in rising order.
    pub fn add(&mut self, origin: u32) {
        *self = match std::mem::take(self) {
            Origins::None => Origins::One(origin),
            Origins::One(first) => Origins::Many(vec![first, origin]),
            Origins::Many(mut sorted) => {
                sorted.push(origin);
                Origins::Many(sorted)
            }
        };
    }
}
