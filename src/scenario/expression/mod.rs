//! Expressions, quantities and generators: from the text of a scenario to typed, resolved values.
//!
//! An expression is CEL with three additions: quantities with units (`5ms`, `200/s`, `0.1%`), `$name` for
//! a parameter, and the list `1..1000`. It goes through four hands, each a module here:
//!
//! ```text
//! `row.reserved + message.qty`
//!    token      words; numbers become quantities in base units
//!    syntax     a tree with places, parsed by the `cel` crate; parameters are put in
//!    check      types, names → ids (names, operators, functions, aggregate), constants worked out (fold)
//!    resolved::Expression
//! ```
//!
//! `constant` reads single values of scenarios (`5s`, `16`, `0.1%`), `generator` random ones
//! (`{ lognormal: { median: 2ms, p99: 12ms } }`). Mistakes are pushed as diagnostics that underline the
//! part that is wrong, and `None` is returned; nothing here panics, whatever the text.

mod aggregate;
mod check;
mod constant;
mod empirical;
mod fold;
mod functions;
mod generator;
mod lists;
mod names;
mod operators;
pub mod quantity;
mod symbols;
mod syntax;
#[cfg(test)]
mod tests;
mod token;
mod types;

pub use constant::*;
pub use names::ORIGINS;
pub use symbols::Symbols;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::node::{Node, NodeKind};
use super::resolved::*;
use super::source::Sources;
use crate::kernel::ids::*;
use check::{Checker, Inside};
use indexmap::IndexMap;
use syntax::SyntaxKind;

/// The most elements of a constant list or range.
pub const MOST_ELEMENTS: u64 = 1_000_000;

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
    /// Set where a number that is written, drawn or calculated serves as an id: that id can come to be twice.
    pub makes_ids: &'a mut bool,
}

/// What names mean at one place.
pub struct Scope<'a> {
    /// The message in hand: `message.x`.
    pub message: Option<MessageId>,
    /// `delivery.x` means something.
    pub delivery: bool,
    /// The table whose row is written, scanned or checked: `row.x`.
    pub row: Option<TableId>,
    /// The stream whose state is being folded: `state.x`.
    pub state: Option<TableId>,
    /// An instance runs this: `self.x` and `now`.
    pub instance: bool,
    /// All locals of the body, by id.
    pub locals: &'a [Local],
    /// Those that may be named here.
    pub visible: &'a [LocalId],
    /// Tables by `service.table`, `sum` and its kin, and measures: guarantees and invariants only.
    pub aggregates: bool,
}

impl Scope<'static> {
    /// Where nothing has a name: constants.
    pub const NOTHING: Scope<'static> = Scope {
        message: None,
        delivery: false,
        row: None,
        state: None,
        instance: false,
        locals: &[],
        visible: &[],
        aggregates: false,
    };
}

/// An expression: a scalar, or a list of scalars. With `expected` it is of that type, and bare words
/// and numbers are read as it.
pub fn expression(
    node: &Node,
    expected: Option<&Type>,
    scope: &Scope,
    context: &mut Context,
) -> Option<Expression> {
    let syntax = syntax::parse(node, context)?;
    let mut checker = Checker { scope, context, root: node.span, inside: Inside::Nothing };
    match expected {
        Some(expected) => checker.check(&syntax, expected),
        None => checker.infer(&syntax, None),
    }
}

/// The values of a key, one for each type: an expression, or of several columns a list of them.
pub fn key(node: &Node, types: &[Type], scope: &Scope, context: &mut Context) -> Option<Vec<Expression>> {
    let syntax = syntax::parse(node, context)?;
    let mut checker = Checker { scope, context, root: node.span, inside: Inside::Nothing };
    let parts = match &syntax.kind {
        SyntaxKind::List(parts) if types.len() != 1 => parts.as_slice(),
        _ => std::slice::from_ref(&syntax),
    };
    if parts.len() != types.len() {
        let message = format!("the key has {} columns, and {} are given", types.len(), parts.len());
        checker.report(Diagnostic::new("missing-key", syntax.span, message));
        return None;
    }
    let parts: Vec<_> = parts.iter().zip(types).map(|(part, ty)| checker.check(part, ty)).collect();
    parts.into_iter().collect()
}

/// A value of a step: an expression (a scalar or a list), or a generator (a map).
pub fn value(node: &Node, expected: Option<&Type>, scope: &Scope, context: &mut Context) -> Option<Value> {
    let node = syntax::substituted(node, context)?;
    match node.kind {
        NodeKind::Map(_) => Some(Value::Draw(generator::draw(node, expected, scope, context)?)),
        _ => Some(Value::Expression(expression(node, expected, scope, context)?)),
    }
}

/// A generator (a map), or a constant for one that always draws it.
pub fn generator(node: &Node, expected: &Type, context: &mut Context) -> Option<Generator> {
    let node = syntax::substituted(node, context)?;
    match node.kind {
        NodeKind::Map(_) => generator::draw(node, Some(expected), &Scope::NOTHING, context),
        _ => generator::always(node, Some(expected), &Scope::NOTHING, context),
    }
}
