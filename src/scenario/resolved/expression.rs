//! Typed expressions and generators.

use super::super::source::Span;
use crate::kernel::distribution::Distribution;
use crate::kernel::ids::*;

/// The type of a value. At run time every scalar is one 64-bit word; the type says how to read it.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Opaque: equality and key routing only.
    Id,
    /// 64 bit, signed; overflow is an error.
    Int,
    Bool,
    Text,
    /// An instant, in nanoseconds.
    Time,
    /// A length of time, in nanoseconds; may be negative between steps.
    Duration,
    /// A float; only within a step and in measures.
    Number,
    /// Bytes.
    Size,
    /// Per second, a float.
    Rate,
    /// One of these words.
    Enumeration(Vec<SymbolId>),
    List(Box<Type>),
    /// A row of a table: `as` of row steps and items of scans. `exists` and the columns.
    Row(TableId),
    /// The answer to a command or query: its reply fields.
    Reply(MessageId),
}

/// An expression with its type.
#[derive(Clone, Debug)]
pub struct Expression {
    pub kind: ExpressionKind,
    pub ty: Type,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Int, Id, Time, Duration (nanoseconds), Size.
    Int(i64),
    Bool(bool),
    /// Number, Rate.
    Number(f64),
    /// Text or a word of an enumeration.
    Symbol(SymbolId),
    /// The empty list.
    EmptyList,
}

#[derive(Clone, Debug)]
pub enum ExpressionKind {
    Literal(Literal),
    /// A scalar or list local.
    Local(LocalId),
    /// A column of a row local, by position in the table.
    RowColumn(LocalId, usize),
    /// `local.exists` of a row local.
    RowExists(LocalId),
    /// A field of a reply local, by position.
    ReplyField(LocalId, usize),
    Message(MessageField),
    Delivery(DeliveryField),
    /// `row.x`: a column of the row being written, scanned or checked.
    Row(usize),
    This(SelfField),
    /// The instance's clock.
    Now,
    /// `unique()`: a fresh id.
    Unique,
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    Abs(Box<Expression>),
    Minimum(Vec<Expression>),
    Maximum(Vec<Expression>),
    /// `size(list)`.
    Size(Box<Expression>),
    List(Vec<Expression>),
    /// `a..b`, both included.
    Range(Box<Expression>, Box<Expression>),
    /// `list[i]`, from 0.
    Index(Box<Expression>, Box<Expression>),
    /// `x in list`.
    In(Box<Expression>, Box<Expression>),
    /// An int or duration used where a number is expected.
    ToNumber(Box<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageField {
    /// A declared field, by position.
    Field(usize),
    Id,
    Key,
    PublishedAt,
    Schema,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryField {
    Attempt,
    /// The topic's name, as a symbol.
    Topic,
    Partition,
    Offset,
    Replayed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfField {
    Instance,
    InFlight,
    QueueLength,
}

/// Arithmetic on `Int`, `Duration`, `Time`, `Size` is checked 64-bit integer arithmetic; on `Number` and
/// `Rate` it is floating point. `Duration × Number` and the like round half to even. The operands'
/// types (equal, after `ToNumber`) and the result's say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// A value of a step: computed or drawn.
#[derive(Clone, Debug)]
pub enum Value {
    Expression(Expression),
    Draw(Generator),
}

/// A random value. Everything but a counter is drawn by inversion from one uniform.
#[derive(Clone, Debug)]
pub struct Generator {
    pub kind: GeneratorKind,
    /// The type of what is drawn: `Duration`, `Int`, `Bool`, `Number`, `Enumeration`, …
    pub ty: Type,
    /// `per: attempt`: a retry draws again.
    pub per_attempt: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum GeneratorKind {
    /// In base units (nanoseconds, plain numbers), with `plus`, `min` and `max` folded in.
    /// For `choice`, the drawn number is a position in the words; for `chance`, 0 or 1.
    Distribution(Distribution),
    /// `{ choice: { word: share } }`: the words in order; drawn by the distribution beside it.
    Choice { words: Vec<SymbolId>, distribution: Distribution },
    /// 1, 2, 3 … for each value of the expression.
    Counter(Box<Expression>),
}
