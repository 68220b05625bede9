//! Typed expressions and generators.

use super::super::source::Span;
use crate::kernel::distribution::Distribution;
use crate::kernel::ids::*;
use crate::kernel::vocabulary::{Measure, Statistic};

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

impl Expression {
    /// The expressions that it is made of directly; what an aggregate takes of each row is one.
    pub fn parts(&self) -> Vec<&Expression> {
        match &self.kind {
            ExpressionKind::Not(one)
            | ExpressionKind::Negate(one)
            | ExpressionKind::Abs(one)
            | ExpressionKind::Size(one)
            | ExpressionKind::ToNumber(one) => vec![one],
            ExpressionKind::Binary(_, one, two)
            | ExpressionKind::Range(one, two)
            | ExpressionKind::Index(one, two)
            | ExpressionKind::In(one, two) => vec![one, two],
            ExpressionKind::Conditional(one, two, three) => vec![one, two, three],
            ExpressionKind::Minimum(all)
            | ExpressionKind::Maximum(all)
            | ExpressionKind::List(all)
            | ExpressionKind::TableExists(_, all)
            | ExpressionKind::TableColumn(_, all, _) => all.iter().collect(),
            ExpressionKind::Aggregate(aggregate) => vec![&aggregate.of],
            _ => Vec::new(),
        }
    }

    /// Whether this or anything that it is made of is such.
    pub fn any(&self, is_such: &dyn Fn(&ExpressionKind) -> bool) -> bool {
        is_such(&self.kind) || self.parts().into_iter().any(|part| part.any(is_such))
    }
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
    /// An int, duration or size as a number of its base unit.
    ToNumber(Box<Expression>),
    /// `service.table[key].exists`; in guarantees and invariants only, like all that follow.
    TableExists(TableId, Vec<Expression>),
    /// `service.table[key].column`; an absent row has its column's initial value.
    TableColumn(TableId, Vec<Expression>, usize),
    /// A column of each row that the enclosing aggregate goes over (`service.table.column`).
    Each(usize),
    Aggregate(Box<Aggregate>),
    Measure(MeasureUse),
}

/// `sum(orders.orders.qty)`: a value over many rows. Over none, sums and counts are 0.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// `Sum`, `Count`, `Mean`, `Share`, `Minimum`, `Maximum` or `Quantile`.
    pub statistic: Statistic,
    /// Whose rows, read as `Each`; `None`: the group of rows in hand, read as `Row` (the columns of
    /// a `convergence` guarantee).
    pub over: Option<TableId>,
    /// What is taken of each row; of `Count` and `Share` whether it counts.
    pub of: Expression,
}

/// An aggregate that can be kept up to date row by row: for each value of its keys a figure of the rows
/// that have it.
#[derive(Clone, Debug)]
pub struct Grouped<'e> {
    /// What is equal, of each row and of the row in hand. Without any, there is one group of all rows.
    pub keys: Vec<(&'e Expression, &'e Expression)>,
    /// What must hold of a row for it to be counted in.
    pub conditions: Vec<&'e Expression>,
    /// What is taken of each; of `Count` nothing.
    pub value: Option<&'e Expression>,
}

impl Aggregate {
    /// The aggregate by groups: `count(t.order == row.order && t.open)` counts the open rows of each order.
    /// `None` if it does anything else with the row in hand.
    pub fn grouped(&self) -> Option<Grouped<'_>> {
        let reads_row =
            |expression: &Expression| expression.any(&|kind| matches!(kind, ExpressionKind::Row(_)));
        if self.over.is_none() || !reads_row(&self.of) {
            let (conditions, value) = match self.statistic {
                Statistic::Count => (vec![&self.of], None),
                _ => (Vec::new(), Some(&self.of)),
            };
            return Some(Grouped { keys: Vec::new(), conditions, value });
        }
        let (condition, value) = match (self.statistic, &self.of.kind) {
            (Statistic::Count, _) => (&self.of, None),
            (Statistic::Sum, ExpressionKind::Conditional(condition, value, otherwise)) => {
                let is_nothing = matches!(otherwise.kind, ExpressionKind::Literal(Literal::Int(0)))
                    || matches!(otherwise.kind, ExpressionKind::Literal(Literal::Number(zero)) if zero == 0.0);
                if !is_nothing || reads_row(value) {
                    return None;
                }
                (&**condition, Some(&**value))
            }
            _ => return None,
        };
        let mut grouped = Grouped { keys: Vec::new(), conditions: Vec::new(), value };
        grouped.add(condition).then_some(grouped)
    }
}

impl<'e> Grouped<'e> {
    /// Adds the parts of a conjunction; whether each is a key or a condition.
    fn add(&mut self, condition: &'e Expression) -> bool {
        let reads = |expression: &Expression, row: bool| {
            expression.any(&|kind| match kind {
                ExpressionKind::Row(_) => row,
                ExpressionKind::Each(_) => !row,
                _ => false,
            })
        };
        match &condition.kind {
            ExpressionKind::Binary(BinaryOperator::And, left, right) => self.add(left) && self.add(right),
            ExpressionKind::Binary(BinaryOperator::Equal, left, right) if reads(condition, true) => {
                let (each, row) = if reads(left, true) { (right, left) } else { (left, right) };
                let is_exact = !matches!(each.ty, Type::Number | Type::Rate);
                let fits = is_exact && !reads(each, true) && !reads(row, false);
                self.keys.push((each, row));
                fits
            }
            _ => {
                self.conditions.push(condition);
                !reads(condition, true)
            }
        }
    }
}

/// `p99(shopper.response_time)`: a figure of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureUse {
    /// Whose, as written: `shopper`, `orders.inventory`. Checked by who knows all names.
    pub owner: String,
    pub owner_span: Span,
    pub measure: Measure,
    pub statistic: Statistic,
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

/// Where the result is a `Number` or a `Rate`, the operands are too and the arithmetic is floating
/// point. Else it is checked 64-bit integer arithmetic (division truncates), but for
/// `Duration` or `Size` times or divided by a `Number`, which rounds half to even. Beside equal types
/// there are only `Time ± Duration`, `Time − Time` and a `Duration`, `Size` or `Rate` on the left with an
/// `Int` or `Number` on the right. Compared are equal types.
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
