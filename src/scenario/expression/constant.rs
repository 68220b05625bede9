//! Single values of a scenario: constants with the unit that their place expects, types, and literals
//! of initial values and rows. All are constant expressions: `2 * $timeout` is a duration.

use super::super::diagnostic::{Diagnostic, closest};
use super::super::node::{Node, NodeKind};
use super::super::resolved::*;
use super::super::source::Span;
use super::check::{Checker, Inside};
use super::quantity::Quantity;
use super::syntax::{self, Syntax, SyntaxKind};
use super::{Context, MOST_ELEMENTS, Scope, expression, fold};
use crate::kernel::time::{LONGEST, Nanos};
use std::ops::RangeInclusive;

/// The most words of an enumeration.
const MOST_WORDS_OF_TYPE: usize = 1_000;

/// A constant duration, from 0 to 100 years.
pub fn duration(node: &Node, context: &mut Context) -> Option<Nanos> {
    let nanos = signed_duration(node, context)?;
    if nanos < 0 {
        return refuse(context, "out-of-range", node.span, "this duration is never negative");
    }
    Some(nanos as Nanos)
}

/// A constant duration that may be negative.
pub fn signed_duration(node: &Node, context: &mut Context) -> Option<i64> {
    let nanos = integer(node, &Type::Duration, context)?;
    if nanos.unsigned_abs() > LONGEST {
        return refuse(context, "out-of-range", node.span, "the longest time is 36500d");
    }
    Some(nanos)
}

/// A constant whole number from 0 up.
pub fn count(node: &Node, context: &mut Context) -> Option<u64> {
    count_within(node, 0..=i64::MAX as u64, context)
}

/// A constant whole number within limits, which the diagnostic names.
pub fn count_within(node: &Node, limits: RangeInclusive<u64>, context: &mut Context) -> Option<u64> {
    let found = integer(node, &Type::Int, context)?;
    match u64::try_from(found) {
        Ok(count) if limits.contains(&count) => Some(count),
        _ if *limits.end() >= i64::MAX as u64 => {
            let message = format!("this count is at least {}", limits.start());
            refuse(context, "out-of-range", node.span, message)
        }
        _ => {
            let message = format!("this count is between {} and {}", limits.start(), limits.end());
            refuse(context, "out-of-range", node.span, message)
        }
    }
}

/// A share from 0 to 1, written as a percentage: `0.1%`.
pub fn share(node: &Node, context: &mut Context) -> Option<f64> {
    let (syntax, found) = constant_syntax(node, &Type::Number, context)?;
    if is_bare(&syntax) {
        let diagnostic = Diagnostic::new("missing-unit", syntax.span, "a percentage is expected: `0.1%`");
        context.diagnostics.push(diagnostic.label("a `%` is missing"));
        return None;
    }
    let share = fold::float(&found)?;
    if !(0.0..=1.0).contains(&share) {
        return refuse(context, "out-of-range", node.span, "a share is between 0% and 100%");
    }
    Some(share)
}

/// A bound of a guarantee: a count (`0`), or a share written as a percentage (`0.1%`).
pub fn bound(node: &Node, context: &mut Context) -> Option<Bound> {
    let node = syntax::substituted(node, context)?;
    match &node.kind {
        NodeKind::Text { text, .. } if text.contains('%') => share(node, context).map(Bound::Share),
        _ => count(node, context).map(Bound::Count),
    }
}

/// A rate per second, above 0: `200/s`.
pub fn rate(node: &Node, context: &mut Context) -> Option<f64> {
    let (syntax, found) = constant_syntax(node, &Type::Rate, context)?;
    if matches!(syntax.kind, SyntaxKind::Quantity(Quantity::ByteRate(_))) {
        return refuse(
            context,
            "wrong-unit",
            syntax.span,
            "a rate is expected: `200/s`, this is one of bytes",
        );
    }
    positive(fold::float(&found)?, node.span, "a rate", context)
}

/// A bandwidth in bytes per second, above 0: `10MB/s`.
pub fn bandwidth(node: &Node, context: &mut Context) -> Option<f64> {
    let (syntax, found) = constant_syntax(node, &Type::Rate, context)?;
    if matches!(syntax.kind, SyntaxKind::Quantity(Quantity::Rate(_))) {
        return refuse(
            context,
            "wrong-unit",
            syntax.span,
            "a bandwidth is expected: `10MB/s`, this is no rate of bytes",
        );
    }
    positive(fold::float(&found)?, node.span, "a bandwidth", context)
}

/// A constant size in bytes.
pub fn size(node: &Node, context: &mut Context) -> Option<u64> {
    let bytes = integer(node, &Type::Size, context)?;
    match u64::try_from(bytes) {
        Ok(bytes) => Some(bytes),
        Err(_) => refuse(context, "out-of-range", node.span, "a size is never negative"),
    }
}

/// A plain finite number.
pub fn number(node: &Node, context: &mut Context) -> Option<f64> {
    let (found, _) = constant(node, &Type::Number, context)?;
    fold::float(&found)
}

/// `true` or `false`.
pub fn boolean(node: &Node, context: &mut Context) -> Option<bool> {
    match constant(node, &Type::Bool, context)?.0 {
        Literal::Bool(value) => Some(value),
        _ => None,
    }
}

/// A constant of a type: initial values, cells of rows. An instant is written as the time since the
/// run began.
pub fn literal(node: &Node, expected: &Type, context: &mut Context) -> Option<Literal> {
    constant(node, expected, context).map(|(literal, _)| literal)
}

/// One constant, or each of a list or range of them: a cell of `rows`.
pub fn literals(node: &Node, expected: &Type, context: &mut Context) -> Option<Vec<Literal>> {
    let node = syntax::substituted(node, context)?;
    if let NodeKind::List(items) = &node.kind {
        // Each element is an expression of its own, so that a long list is not one long expression.
        if items.len() as u64 > MOST_ELEMENTS {
            let message = format!("a list has at most {MOST_ELEMENTS} elements");
            return refuse(context, "too-large", node.span, message);
        }
        let literals: Vec<_> = items.iter().map(|item| literal(item, expected, context)).collect();
        return literals.into_iter().collect();
    }
    let syntax = syntax::parse(node, context)?;
    if !matches!(syntax.kind, SyntaxKind::List(_) | SyntaxKind::Range(..)) {
        return literal(node, expected, context).map(|literal| vec![literal]);
    }
    let list = expression(node, Some(&Type::List(Box::new(expected.clone()))), &Scope::NOTHING, context)?;
    elements(&list, context)
}

/// The elements of a constant list or range.
fn elements(list: &Expression, context: &mut Context) -> Option<Vec<Literal>> {
    let found = match &list.kind {
        ExpressionKind::Literal(Literal::EmptyList) => Some(Vec::new()),
        ExpressionKind::List(items) => items
            .iter()
            .map(|item| match &item.kind {
                ExpressionKind::Literal(literal) => Some(literal.clone()),
                _ => None,
            })
            .collect(),
        ExpressionKind::Range(low, high) => match (&low.kind, &high.kind) {
            (ExpressionKind::Literal(Literal::Int(low)), ExpressionKind::Literal(Literal::Int(high))) => {
                Some((*low..=*high).map(Literal::Int).collect())
            }
            _ => None,
        },
        _ => None,
    };
    found.or_else(|| refuse(context, "not-constant", list.span, "a constant is expected"))
}

/// A type: `id int bool text time duration`, the words of an enumeration `[a, b]`, or `{ list: type }`.
pub fn ty(node: &Node, context: &mut Context) -> Option<Type> {
    let node = syntax::substituted(node, context)?;
    match &node.kind {
        NodeKind::Text { text, .. } => named_type(text.trim(), node.span, context),
        NodeKind::List(words) => enumeration(words, node.span, context),
        NodeKind::Map(map) => match map.get_index(0) {
            Some((key, entry)) if key == "list" && map.len() == 1 => match ty(&entry.value, context)? {
                Type::List(_) => {
                    refuse(context, "wrong-type", entry.value.span, "a list holds plain values, no lists")
                }
                item => Some(Type::List(Box::new(item))),
            },
            _ => refuse(context, "unknown-type", node.span, "a type is expected: of a list, `{ list: int }`"),
        },
        NodeKind::Null => refuse(context, "unknown-type", node.span, "a type is expected: `int`"),
    }
}

fn named_type(name: &str, span: Span, context: &mut Context) -> Option<Type> {
    Some(match name {
        "id" => Type::Id,
        "int" => Type::Int,
        "bool" => Type::Bool,
        "text" => Type::Text,
        "time" => Type::Time,
        "duration" => Type::Duration,
        "number" => {
            let diagnostic = Diagnostic::new("wrong-type", span, "a `number` is never stored or sent");
            context.diagnostics.push(diagnostic.help("use an `int` of a smaller unit, or a `duration`"));
            return None;
        }
        _ => {
            let diagnostic =
                Diagnostic::new("unknown-type", span, format!("there is no type `{}`", name.escape_debug()));
            let known = ["id", "int", "bool", "text", "time", "duration"];
            let help = match closest(name, known) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "types: id int bool text time duration, words [a, b], { list: type }".into(),
            };
            context.diagnostics.push(diagnostic.help(help));
            return None;
        }
    })
}

fn enumeration(words: &[Node], span: Span, context: &mut Context) -> Option<Type> {
    if words.is_empty() || words.len() > MOST_WORDS_OF_TYPE {
        let message = format!("an enumeration has between 1 and {MOST_WORDS_OF_TYPE} words");
        return refuse(context, "out-of-range", span, message);
    }
    let mut symbols = Vec::with_capacity(words.len());
    for word in words {
        let symbol = word_symbol(word, context);
        match symbol {
            Some(symbol) if symbols.contains(&symbol) => {
                refuse::<()>(context, "duplicate", word.span, "this word is there twice");
            }
            Some(symbol) => symbols.push(symbol),
            None => {}
        }
    }
    (symbols.len() == words.len()).then_some(Type::Enumeration(symbols))
}

/// A word that can be a value: letters, digits and `_`.
fn word_symbol(node: &Node, context: &mut Context) -> Option<crate::kernel::ids::SymbolId> {
    let node = syntax::substituted(node, context)?;
    if let NodeKind::Text { text, .. } = &node.kind {
        if is_word(text) {
            return Some(context.symbols.intern(text));
        }
        if matches!(text.as_str(), "true" | "false" | "null" | "in" | "now") {
            return refuse(
                context,
                "wrong-type",
                node.span,
                format!("`{text}` means something else in expressions"),
            );
        }
    }
    refuse(context, "wrong-type", node.span, "a word is expected: letters, digits and `_`, a letter first")
}

/// Whether a text can be a word of an enumeration, as it is read in expressions.
pub fn is_word(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    starts && goes_on && !matches!(text, "true" | "false" | "null" | "in" | "now")
}

/// A constant of a type, with its place.
fn constant(node: &Node, expected: &Type, context: &mut Context) -> Option<(Literal, Span)> {
    let span = node.span;
    constant_syntax(node, expected, context).map(|(_, literal)| (literal, span))
}

/// A constant of a type and how it was written.
pub(super) fn constant_syntax(
    node: &Node,
    expected: &Type,
    context: &mut Context,
) -> Option<(Syntax, Literal)> {
    let syntax = syntax::parse(node, context)?;
    let mut checker = Checker { scope: &Scope::NOTHING, context, root: node.span, inside: Inside::Nothing };
    let found = checker.check(&syntax, expected)?;
    match found.kind {
        ExpressionKind::Literal(literal) => Some((syntax, literal)),
        _ => refuse(context, "not-constant", found.span, "a constant is expected"),
    }
}

/// Whether it is a plain number, without a unit and not calculated.
pub(super) fn is_bare(syntax: &Syntax) -> bool {
    matches!(syntax.kind, SyntaxKind::Quantity(Quantity::Int(_) | Quantity::Number(_)))
}

pub(super) fn refuse<T>(
    context: &mut Context,
    code: &'static str,
    span: Span,
    message: impl Into<String>,
) -> Option<T> {
    context.diagnostics.push(Diagnostic::new(code, span, message));
    None
}

fn integer(node: &Node, ty: &Type, context: &mut Context) -> Option<i64> {
    match constant(node, ty, context)?.0 {
        Literal::Int(value) => Some(value),
        _ => None,
    }
}

fn positive(value: f64, span: Span, what: &str, context: &mut Context) -> Option<f64> {
    if value > 0.0 {
        return Some(value);
    }
    refuse(context, "out-of-range", span, format!("{what} is above 0"))
}
