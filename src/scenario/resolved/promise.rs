//! What a scenario promises, resolved: guarantees, invariants, and the verdicts that it expects.

use super::super::source::Span;
use super::expression::*;
use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::kernel::vocabulary::{Bound, ExpectedOutcome, SagaMeasure};

/// All of it, each in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    pub anomalies: Vec<AnomalyBound>,
    pub convergence: Vec<Convergence>,
    pub sessions: Vec<SessionPromise>,
    pub staleness: Vec<StalenessPromise>,
    pub sagas: Vec<SagaPromise>,
    pub invariants: Vec<Invariant>,
    pub reference: Option<ReferencePromise>,
    pub expectations: Vec<Expectation>,
}

#[derive(Clone, Debug)]
pub struct AnomalyBound {
    pub anomaly: Anomaly,
    pub bound: Bound,
    pub span: Span,
}

/// A view that follows a source.
#[derive(Clone, Debug)]
pub struct Convergence {
    pub name: String,
    pub span: Span,
    pub view: TableId,
    pub of: TableId,
    /// Over a row of the source.
    pub filter: Option<Expression>,
    /// The view's key, over a row of the source; empty: the source's key.
    pub by: Vec<Expression>,
    /// View columns, each with what it should be: an expression over the row, or an aggregate over the rows.
    pub columns: Vec<(usize, Expression)>,
    pub within: Nanos,
    /// The share of changes that must be followed in time, from 0 to 1.
    pub share: f64,
}

#[derive(Clone, Debug)]
pub struct SessionPromise {
    pub client: ClientId,
    pub span: Span,
    pub read_your_writes: bool,
    pub monotonic_reads: bool,
}

#[derive(Clone, Debug)]
pub struct StalenessPromise {
    pub table: TableId,
    pub span: Span,
    pub stale_reads: Option<Bound>,
    pub age: Option<Nanos>,
    pub versions: Option<u64>,
}

/// How far tables may end from what the intents that took effect come to, one after another and without faults.
#[derive(Clone, Debug)]
pub struct ReferencePromise {
    pub tables: Vec<TableId>,
    pub rows: Bound,
    pub span: Span,
}

/// Bounds on how the sagas of one kind end.
#[derive(Clone, Debug)]
pub struct SagaPromise {
    pub name: String,
    pub span: Span,
    pub way: SagaWay,
    /// In the order in which they are reported.
    pub bounds: Vec<(SagaMeasure, Bound)>,
}

/// Who leads a saga.
#[derive(Clone, Debug)]
pub enum SagaWay {
    /// `service.saga`
    Orchestrated { service: ServiceId, saga: String },
    /// Nobody: it is known by the names of its steps.
    Choreographed { start: MessageId, key: Expression, steps: Vec<String> },
}

#[derive(Clone, Debug)]
pub struct Invariant {
    pub name: String,
    pub span: Span,
    pub kind: InvariantKind,
    pub condition: Expression,
    /// Judged for every row of it.
    pub for_each: Option<TableId>,
    /// Only between these instants.
    pub during: Option<(Nanos, Nanos)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InvariantKind {
    Always,
    Never,
    /// Within this long, if given: of the start, or of the time at which it ceased to hold.
    Eventually(Option<Nanos>),
    AtEnd,
    Measure,
}

/// `expect: { idempotency.duplicate_effects: fail }`
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As verdicts are named: `idempotency.duplicate_effects`, `convergence.reserved`, `invariants.adds_up`.
    pub verdict: String,
    pub outcome: ExpectedOutcome,
    pub span: Span,
}
