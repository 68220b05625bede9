//! What a scenario promises, compiled: bounds, views, sessions, staleness and invariants, each under the
//! name of its verdict, with the place in the file that asks for it.
//!
//! Conditions over rows are [formulas](Formula), programs for the same stack machine as handlers', with a few
//! instructions more for rows of tables by key and aggregates. Conditions over figures of the run are trees,
//! so that they can be judged over intervals.

use super::code::{Range, Word};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
pub use crate::kernel::vocabulary::{Bound, ExpectedOutcome, Measure, SagaMeasure, Statistic};

/// All promises, each kind in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    pub anomalies: Vec<AnomalyBound>,
    pub convergence: Vec<Convergence>,
    pub sessions: Vec<SessionPromise>,
    pub staleness: Vec<StalenessPromise>,
    pub sagas: Vec<SagaPromise>,
    pub watched_sagas: Vec<WatchedSaga>,
    pub invariants: Vec<Invariant>,
    pub reference: Option<ReferencePromise>,
    pub expectations: Vec<Expectation>,
    /// Aggregates that formulas read, by the number in [`super::Code::Aggregate`].
    pub aggregates: Vec<Aggregate>,
}

impl Promises {
    /// The headings of all promises but the bounds on anomalies, in the order of
    /// `Findings::promises`: views, sessions, staleness, sagas, invariants, the reference.
    pub fn headings(&self) -> impl Iterator<Item = &Heading> {
        let views = self.convergence.iter().map(|promise| &promise.heading);
        let sessions = self.sessions.iter().map(|promise| &promise.heading);
        let staleness = self.staleness.iter().map(|promise| &promise.heading);
        let sagas = self.sagas.iter().map(|promise| &promise.heading);
        let invariants = self.invariants.iter().map(|promise| &promise.heading);
        let reference = self.reference.iter().map(|promise| &promise.heading);
        views.chain(sessions).chain(staleness).chain(sagas).chain(invariants).chain(reference)
    }

    /// Where sessions begin in the order of [`Promises::headings`]; views are first.
    pub fn first_session(&self) -> usize {
        self.convergence.len()
    }

    pub fn first_staleness(&self) -> usize {
        self.first_session() + self.sessions.len()
    }

    pub fn first_saga(&self) -> usize {
        self.first_staleness() + self.staleness.len()
    }

    pub fn first_invariant(&self) -> usize {
        self.first_saga() + self.sagas.len()
    }

    /// Where the reference is, if there is one: behind all others.
    pub fn reference_at(&self) -> usize {
        self.first_invariant() + self.invariants.len()
    }

    /// The figures of the run that invariants speak of, those of each invariant once.
    pub fn measures(&self) -> impl Iterator<Item = &MeasureUse> {
        self.invariants.iter().flat_map(|invariant| match &invariant.kind {
            InvariantKind::Measure(figure) => figure.measures(),
            _ => Vec::new(),
        })
    }
}

/// What a verdict is called, and where it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// `invariants.adds_up`
    pub verdict: String,
    /// The file, as the reader would name it.
    pub file: String,
    /// From 1; the column in characters.
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Debug)]
pub struct AnomalyBound {
    pub heading: Heading,
    pub anomaly: Anomaly,
    pub bound: Bound,
}

/// A view that follows a source.
#[derive(Clone, Debug)]
pub struct Convergence {
    pub heading: Heading,
    pub name: String,
    pub view: TableId,
    pub of: TableId,
    /// Over a row of the source: whether the view shows it.
    pub filter: Option<Formula>,
    /// The view's key, over a row of the source.
    pub by: Vec<Formula>,
    pub columns: Vec<ViewColumn>,
    pub within: Nanos,
    /// The share of changes that must be followed in time, from 0 to 1.
    pub share: f64,
}

/// A column of a view, and what it should be.
#[derive(Clone, Debug)]
pub struct ViewColumn {
    pub column: u16,
    /// Over the row of the group that was changed last, and aggregates over the group.
    pub expected: Formula,
    /// Whether it is made of aggregates alone, so that it has a value without a row too.
    pub is_aggregate: bool,
}

#[derive(Clone, Debug)]
pub struct SessionPromise {
    pub heading: Heading,
    pub client: ClientId,
    pub kind: SessionKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    ReadYourWrites,
    MonotonicReads,
}

#[derive(Clone, Debug)]
pub struct StalenessPromise {
    pub heading: Heading,
    pub table: TableId,
    pub bound: StalenessBound,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StalenessBound {
    StaleReads(Bound),
    /// The longest time that what was read had been changed.
    Age(Nanos),
    /// How many changes behind, at most.
    Versions(u64),
}

/// How far tables may end from what the intents that took effect come to, one after another and without faults.
#[derive(Clone, Debug)]
pub struct ReferencePromise {
    pub heading: Heading,
    pub tables: Vec<TableId>,
    /// On the rows that differ.
    pub bound: Bound,
}

/// A kind of saga that is watched: one verdict for each bound.
#[derive(Clone, Debug)]
pub struct WatchedSaga {
    /// As `guarantees` names it.
    pub name: String,
    pub way: SagaWay,
}

/// Who leads a saga.
#[derive(Clone, Debug)]
pub enum SagaWay {
    Orchestrated(SagaId),
    /// Nobody: it is what comes of a message, as far as steps of these sites do it.
    Choreographed {
        start: MessageId,
        key: super::Operand,
        steps: Vec<Vec<SiteId>>,
    },
}

/// A bound on how sagas end.
#[derive(Clone, Debug)]
pub struct SagaPromise {
    pub heading: Heading,
    /// Index into the watched sagas.
    pub watched: u32,
    pub measure: SagaMeasure,
    pub bound: Bound,
}

#[derive(Clone, Debug)]
pub struct Invariant {
    pub heading: Heading,
    pub name: String,
    /// The condition, as it is written.
    pub written: String,
    pub kind: InvariantKind,
    /// Judged for every row of it.
    pub for_each: Option<TableId>,
    /// Only between these instants, both included.
    pub during: Option<(Nanos, Nanos)>,
}

#[derive(Clone, Debug)]
pub enum InvariantKind {
    Always(Formula),
    Never(Formula),
    /// Within this long, if given: of the start, or of the time at which it ceased to hold.
    Eventually(Formula, Option<Nanos>),
    AtEnd(Formula),
    /// Over figures of the run.
    Measure(Figure),
}

/// A program over a row: a run of the model's instructions.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    pub code: Range,
    /// The tables of which it reads rows by key.
    pub tables: Vec<TableId>,
    /// The aggregates that it reads.
    pub aggregates: Vec<u32>,
}

/// A figure of many rows, for each value of the keys one.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// As it is written.
    pub written: String,
    pub statistic: Statistic,
    /// Whose rows; the programs below read one of them as the row in hand.
    pub table: TableId,
    pub keys: Vec<Formula>,
    /// What must hold of a row for it to be counted in.
    pub conditions: Vec<Formula>,
    /// What is taken of each; of counts nothing.
    pub value: Option<Formula>,
    /// Whether what is taken is a float.
    pub is_float: bool,
    /// Whether what comes out is.
    pub gives_float: bool,
}

/// A condition or a value over figures of the run. Truth is 1 or 0; durations are in nanoseconds, sizes in
/// bytes, rates per second. What is whole in one replication is a mean over several, so division does
/// not truncate.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    Constant(f64),
    Measure(MeasureUse),
    Negate(Box<Figure>),
    Absolute(Box<Figure>),
    Not(Box<Figure>),
    Calculate(super::code::Arithmetic, Box<Figure>, Box<Figure>),
    Compare(super::code::Comparison, Box<Figure>, Box<Figure>),
    And(Box<Figure>, Box<Figure>),
    Or(Box<Figure>, Box<Figure>),
    Conditional(Box<Figure>, Box<Figure>, Box<Figure>),
    Least(Vec<Figure>),
    Greatest(Vec<Figure>),
}

impl Figure {
    /// The measures of a condition, each once, in the order in which it is written.
    pub fn measures(&self) -> Vec<&MeasureUse> {
        let mut uses = Vec::new();
        self.collect_measures(&mut uses);
        uses
    }

    fn collect_measures<'f>(&'f self, uses: &mut Vec<&'f MeasureUse>) {
        if let Figure::Measure(of) = self
            && !uses.contains(&of)
        {
            uses.push(of);
        }
        self.parts().into_iter().for_each(|part| part.collect_measures(uses));
    }

    fn parts(&self) -> Vec<&Figure> {
        match self {
            Figure::Constant(_) | Figure::Measure(_) => Vec::new(),
            Figure::Negate(one) | Figure::Absolute(one) | Figure::Not(one) => vec![one],
            Figure::Calculate(_, one, two)
            | Figure::Compare(_, one, two)
            | Figure::And(one, two)
            | Figure::Or(one, two) => vec![one, two],
            Figure::Conditional(one, two, three) => vec![one, two, three],
            Figure::Least(all) | Figure::Greatest(all) => all.iter().collect(),
        }
    }
}

/// `p99(shopper.response_time)`.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureUse {
    /// Whose, as written: `shopper`, `orders.inventory`.
    pub owner: String,
    pub measure: Measure,
    pub statistic: Statistic,
}

/// What a verdict is expected to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    pub heading: Heading,
    pub outcome: ExpectedOutcome,
}

/// How a word is to be read, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Id,
    Integer,
    Truth,
    /// Text, or a word of an enumeration.
    Symbol,
    /// Nanoseconds.
    Moment,
    Duration,
    Bytes,
    Float,
    List,
}

/// A change of an enumerated column.
pub type Transition = (Word, Word);
