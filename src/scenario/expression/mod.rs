//! Expressions, quantities and generators: from the text of a scenario to typed, resolved values.

mod symbols;

pub use symbols::Symbols;

use super::diagnostic::Diagnostics;
use super::node::Node;
use super::resolved::*;
use super::source::Sources;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use indexmap::IndexMap;
use std::ops::RangeInclusive;

/// Everything that expressions may need while a scenario is resolved. Passes push diagnostics and go on.
pub struct Context<'a> {
    pub sources: &'a Sources,
    /// What `$name` stands for.
    pub parameters: &'a IndexMap<String, Node>,
    pub messages: &'a [Message],
    pub tables: &'a [Table],
    /// Services by name, with the tables that their steps see (for `service.table`).
    pub services: &'a [(String, Vec<TableId>)],
    pub symbols: &'a mut Symbols,
    pub diagnostics: &'a mut Diagnostics,
}

/// What names mean at one place.
pub struct Scope<'a> {
    /// The message in hand: `message.x`.
    pub message: Option<MessageId>,
    /// `delivery.x` means something.
    pub delivery: bool,
    /// The table whose row is written, scanned or checked: `row.x`.
    pub row: Option<TableId>,
    /// An instance runs this: `self.x` and `now`.
    pub instance: bool,
    /// All locals of the body, by id.
    pub locals: &'a [Local],
    /// Those that may be named here.
    pub visible: &'a [LocalId],
    /// Tables by `service.table`, `sum` and its kin, and measures: guarantees and invariants only.
    pub aggregates: bool,
}

/// An expression; with `expected`, of that type (bare words and numbers are read as it).
pub fn expression(node: &Node, expected: Option<&Type>, scope: &Scope, context: &mut Context) -> Option<Expression> {
    todo!()
}
/// An expression (a scalar) or a generator (a map).
pub fn value(node: &Node, expected: Option<&Type>, scope: &Scope, context: &mut Context) -> Option<Value> {
    todo!()
}
/// A generator (a map), or a constant.
pub fn generator(node: &Node, expected: &Type, context: &mut Context) -> Option<Generator> {
    todo!()
}
/// A constant duration, not negative, at most [`crate::kernel::time::LONGEST`].
pub fn duration(node: &Node, context: &mut Context) -> Option<Nanos> {
    todo!()
}
/// A constant duration that may be negative.
pub fn signed_duration(node: &Node, context: &mut Context) -> Option<i64> {
    todo!()
}
/// A constant whole number from 0 up.
pub fn count(node: &Node, context: &mut Context) -> Option<u64> {
    todo!()
}
/// A constant whole number within limits, which the diagnostic names.
pub fn count_within(node: &Node, limits: RangeInclusive<u64>, context: &mut Context) -> Option<u64> {
    todo!()
}
/// `0.1%`: a share from 0 to 1.
pub fn share(node: &Node, context: &mut Context) -> Option<f64> {
    todo!()
}
/// A rate per second, positive: `200/s`, and `10MB/s` for bytes.
pub fn rate(node: &Node, context: &mut Context) -> Option<f64> {
    todo!()
}
/// A size in bytes.
pub fn size(node: &Node, context: &mut Context) -> Option<u64> {
    todo!()
}
/// A plain finite number.
pub fn number(node: &Node, context: &mut Context) -> Option<f64> {
    todo!()
}
/// `true` or `false`.
pub fn boolean(node: &Node, context: &mut Context) -> Option<bool> {
    todo!()
}
/// A type: `id int bool text time duration`, `[a, b]`, `{ list: type }`.
pub fn ty(node: &Node, context: &mut Context) -> Option<Type> {
    todo!()
}
/// A constant of a type: initial values, rows.
pub fn literal(node: &Node, expected: &Type, context: &mut Context) -> Option<Literal> {
    todo!()
}
