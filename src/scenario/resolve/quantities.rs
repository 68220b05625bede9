//! Constants within the limits that make sense where they stand.

use super::Resolver;
use super::nodes;
use crate::kernel::distribution::Distribution;
use crate::kernel::distribution::Shape;
use crate::kernel::time::Nanos;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression;
use crate::scenario::node::{Entry, Map, Node, NodeKind};
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// The largest count that any key takes.
pub const MOST: u64 = u32::MAX as u64 - 1;

impl<'a> Resolver<'a> {
    /// A constant duration above zero; `what` it is ends up in the message.
    pub fn positive_duration(&mut self, node: &Node, what: &str) -> Option<Nanos> {
        let duration = expression::duration(node, &mut self.context())?;
        if duration == 0 {
            self.impossible(node.span, format!("{what} of 0 is no time at all"));
            return None;
        }
        Some(duration)
    }

    /// A whole number from 1 to `most`.
    pub fn count_from_one(&mut self, node: &Node, most: u64) -> Option<u32> {
        let count = expression::count_within(node, 1..=most.min(MOST), &mut self.context())?;
        u32::try_from(count).ok()
    }

    /// A whole number from `least` up, or `unlimited` (`None`).
    pub fn count_or_unlimited(&mut self, node: &Node, least: u64) -> Count {
        if nodes::is_word(node, "unlimited") {
            return None;
        }
        let count = expression::count_within(node, least..=MOST, &mut self.context())?;
        u32::try_from(count).ok()
    }

    /// Refuses a generator that is the constant 0, where time has to pass.
    pub fn check_time_passes(&mut self, generator: &Generator, what: &str) {
        if let GeneratorKind::Distribution(distribution) = &generator.kind
            && let Shape::Constant(value) = distribution.shape
            && value + distribution.plus <= 0.0
        {
            self.impossible(generator.span, format!("{what} of 0 would repeat without end at one instant"));
        }
    }

    pub fn impossible(&mut self, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::new("impossible-number", span, message));
    }
}

/// `true` or `false`, else `default`.
pub fn flag(node: Option<&Node>, default: bool) -> bool {
    match node.and_then(nodes::text) {
        Some("true") => true,
        Some("false") => false,
        _ => default,
    }
}

/// A duration that is always the same.
pub fn constant_duration(nanos: Nanos, span: Span) -> Generator {
    let shape = Shape::Constant(nanos as f64);
    let distribution = Distribution { shape, plus: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY };
    Generator { kind: GeneratorKind::Distribution(distribution), ty: Type::Duration, per_attempt: true, span }
}

/// `{ lognormal: { median, p99 } }`, as a default would be written in the file.
pub fn lognormal_node(median: &str, p99: &str, span: Span) -> Node {
    let scalar = |text: &str| Node {
        span,
        kind: NodeKind::Text { text: text.to_owned(), quoted: false, offsets_exact: false },
    };
    let map = |entries: Vec<(&str, Node)>| {
        let entries =
            entries.into_iter().map(|(key, value)| (key.to_owned(), Entry { key_span: span, value }));
        Node { span, kind: NodeKind::Map(entries.collect::<Map>()) }
    };
    map(vec![("lognormal", map(vec![("median", scalar(median)), ("p99", scalar(p99))]))])
}
