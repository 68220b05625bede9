//! The steps of handlers, jobs and clients, resolved.

use super::super::source::Span;
use super::expression::*;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::kernel::vocabulary::Jitter;

/// One step: a verb with its options.
#[derive(Clone, Debug)]
pub struct Step {
    pub kind: StepKind,
    pub span: Span,
    /// `name:`, if given.
    pub name: Option<String>,
    /// `service/Message/verb#k`, the k-th of that verb in the text of the handler (from 1). Random
    /// streams of the step are named after it.
    pub path: String,
    /// A business identity for what the step does.
    pub once_per: Option<Expression>,
    /// A publish that passes on the same obligation.
    pub forward: bool,
    /// The step that this one takes back.
    pub undoes: Option<String>,
}

/// Columns or fields set, by position.
pub type Assignments = Vec<(usize, Value)>;

/// A group of steps; its locals live in the enclosing body's frame.
pub type Block = Vec<Step>;

#[derive(Clone, Debug)]
pub enum StepKind {
    Work(Value),
    Wait(Value),
    /// The body gets a copy of the whole frame: the same locals, by the same ids.
    After {
        delay: Value,
        body: Block,
        durable: bool,
    },
    Let(Vec<(LocalId, Value)>),
    Read {
        table: TableId,
        key: Vec<Expression>,
        result: Option<LocalId>,
        lock: bool,
        /// Asks a read replica.
        replica: bool,
        otherwise: Option<Block>,
    },
    Insert {
        table: TableId,
        key: Vec<Expression>,
        set: Assignments,
        result: Option<LocalId>,
        otherwise: Option<Block>,
    },
    /// Without a key: every row that `filter` admits.
    Update {
        table: TableId,
        key: Option<Vec<Expression>>,
        filter: Option<Expression>,
        set: Assignments,
        result: Option<LocalId>,
        otherwise: Option<Block>,
    },
    Upsert {
        table: TableId,
        key: Vec<Expression>,
        filter: Option<Expression>,
        set: Assignments,
        result: Option<LocalId>,
        otherwise: Option<Block>,
    },
    Delete {
        table: TableId,
        key: Option<Vec<Expression>>,
        filter: Option<Expression>,
        otherwise: Option<Block>,
    },
    /// `order_by` reads `row.x`; `descending` if written `-row.x`… a list of rows results.
    Scan {
        table: TableId,
        filter: Option<Expression>,
        order_by: Option<Expression>,
        limit: Option<Expression>,
        result: Option<LocalId>,
    },
    /// Folds a stream, which is a table.
    Load {
        table: TableId,
        key: Vec<Expression>,
        at: Option<AsOf>,
        result: Option<LocalId>,
    },
    Append(Box<Append>),
    Transaction {
        body: Block,
        retry: Option<Retry>,
        catch: Vec<Catch>,
    },
    /// Boxed, since it is several times larger than any other step.
    Publish(Box<Publish>),
    Call(Call),
    Send {
        service: ServiceId,
        message: MessageId,
        with: Assignments,
    },
    Reply(Assignments),
    Effect {
        effect: EffectId,
        idempotency_key: Option<Expression>,
        takes: Option<Value>,
        timeout: Option<Nanos>,
        retry: Option<Retry>,
        catch: Vec<Catch>,
    },
    If {
        condition: Expression,
        then: Block,
        otherwise: Block,
    },
    ForEach {
        list: Expression,
        item: LocalId,
        body: Block,
        parallel: Parallelism,
    },
    Parallel(Vec<(String, Block)>),
    Try {
        body: Block,
        retry: Option<Retry>,
        catch: Vec<Catch>,
    },
    Stop,
    Fail(SymbolId),
    Ack,
}

/// Which state of a stream a `load` asks for.
#[derive(Clone, Debug)]
pub enum AsOf {
    Version(Expression),
    Time(Expression),
}

#[derive(Clone, Debug)]
pub struct Append {
    pub message: MessageId,
    /// The stream.
    pub table: TableId,
    pub key: Vec<Expression>,
    pub with: Assignments,
    /// The version that the stream must have.
    pub expect: Option<Expression>,
    pub retry: Option<Retry>,
    pub catch: Vec<Catch>,
}

#[derive(Clone, Debug)]
pub struct Publish {
    pub message: MessageId,
    pub topic: TopicId,
    /// All fields of the message, `with` applied; fields not given are initial (0, false, first word).
    pub with: Assignments,
    /// Overrides the message's key field.
    pub key: Option<Expression>,
    pub id: Option<Expression>,
    pub via: Via,
    pub confirm: bool,
    pub delay: Option<Value>,
    pub expires: Option<Value>,
    pub tombstone: bool,
    /// The producer's unless given.
    pub timeout: Option<Nanos>,
    pub retry: Option<Retry>,
    pub catch: Vec<Catch>,
}

/// Which way a message gets to its broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Direct,
    Outbox,
    /// With the acknowledgement of the delivery in hand.
    Ack,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub service: ServiceId,
    pub message: MessageId,
    pub with: Assignments,
    /// Own, else of `calls`, else 1 s.
    pub timeout: Nanos,
    pub retry: Option<Retry>,
    /// A second instance is asked if no answer has come for so long.
    pub hedge: Option<Nanos>,
    pub result: Option<LocalId>,
    pub catch: Vec<Catch>,
}

/// Which items of a `for_each` are done at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parallelism {
    /// One after another.
    No,
    All,
    AtMost(u32),
}

/// `retry`: repeats after waiting, up to a number of attempts that counts the first.
#[derive(Clone, Debug)]
pub struct Retry {
    pub span: Span,
    /// `None`: unlimited (the run's event budget still ends it).
    pub attempts: Option<u32>,
    pub delay: Nanos,
    pub factor: f64,
    pub max_delay: Option<Nanos>,
    pub jitter: Jitter,
    /// `None`: all but `exists`, `missing` and reasons given to `fail`.
    pub errors: Option<Vec<ErrorKind>>,
}

/// `catch`: which errors go to which steps.
#[derive(Clone, Debug)]
pub struct Catch {
    /// `None`: any.
    pub error: Option<ErrorKind>,
    pub body: Block,
}

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
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
