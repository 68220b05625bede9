//! Parameters of distributions: constants with the unit of what is drawn, and what they may be.

use super::super::super::diagnostic::Diagnostic;
use super::super::super::node::{Node, NodeKind};
use super::super::super::resolved::*;
use super::super::super::source::Span;
use super::super::check::{Checker, Inside};
use super::super::constant::refuse;
use super::super::{Scope, constant, fold, syntax};
use super::Drawing;

/// A parameter in base units.
#[derive(Clone, Copy)]
pub struct Parameter {
    pub value: f64,
    pub whole: Option<i64>,
    pub span: Span,
}
impl Drawing<'_, '_> {
    /// A constant with the unit of what is drawn.
    pub fn parameter(&mut self, node: &Node) -> Option<Parameter> {
        let syntax = syntax::parse(node, self.context)?;
        let mut checker = Checker {
            scope: &Scope::NOTHING,
            context: self.context,
            root: node.span,
            inside: Inside::Nothing,
        };
        let hint = self.unit.clone().filter(|unit| *unit != Type::Number);
        let mut found = checker.infer(&syntax, hint.as_ref())?;
        let plain = matches!(found.ty, Type::Int | Type::Number);
        match &self.unit {
            Some(Type::Number) if plain => {}
            Some(unit) => found = checker.coerce(found, &unit.clone())?,
            None if plain => self.unit = Some(Type::Number),
            None if matches!(found.ty, Type::Duration | Type::Size | Type::Rate) => {
                self.unit = Some(found.ty.clone())
            }
            None => {
                let message = format!("a quantity is expected, this is {}", checker.words(&found.ty));
                return refuse(self.context, "wrong-type", found.span, message);
            }
        }
        let ExpressionKind::Literal(value) = &found.kind else {
            return refuse(self.context, "not-constant", found.span, "a constant is expected");
        };
        let whole = match value {
            Literal::Int(value) => Some(*value),
            _ => None,
        };
        Some(Parameter { value: fold::float(value)?, whole, span: found.span })
    }

    /// A plain number: a shape, an exponent.
    pub fn plain_number(&mut self, node: &Node) -> Option<Parameter> {
        let value = constant::number(node, self.context)?;
        Some(Parameter { value, whole: None, span: node.span })
    }

    /// The parameters of a map by name, all needed, no others known.
    pub fn fields<'n>(&mut self, node: &'n Node, family: &str, keys: &[&str]) -> Option<Vec<&'n Node>> {
        let NodeKind::Map(map) = &node.kind else {
            let message = format!("`{family}` takes {{ {} }}", keys.join(", "));
            return refuse(self.context, "wrong-type", node.span, message);
        };
        let mut complete = true;
        for (key, entry) in map {
            if !keys.contains(&key.as_str()) {
                self.unknown_key(key, entry.key_span, &format!("`{family}`"), keys.to_vec());
                complete = false;
            }
        }
        for key in keys.iter().filter(|_| complete).filter(|key| !map.contains_key(**key)) {
            let message = format!("`{family}` needs `{key}`");
            self.context.diagnostics.push(Diagnostic::new("missing-key", node.span, message));
        }
        keys.iter()
            .filter(|_| complete)
            .map(|key| map.get(*key).map(|entry| &entry.value))
            .collect::<Option<Vec<_>>>()
            .filter(|found| found.len() == keys.len())
    }

    /// Parameters by name, all with the unit of what is drawn.
    pub fn named<const N: usize>(
        &mut self,
        node: &Node,
        family: &str,
        keys: [&str; N],
    ) -> Option<[Parameter; N]> {
        let nodes = self.fields(node, family, &keys)?;
        self.parameters(nodes.into_iter())
    }

    /// Parameters in a list, all with the unit of what is drawn.
    pub fn listed<const N: usize>(&mut self, node: &Node, form: &str) -> Option<[Parameter; N]> {
        match &node.kind {
            NodeKind::List(items) if items.len() == N => self.parameters(items.iter()),
            _ => refuse(self.context, "wrong-type", node.span, format!("{form} is expected")),
        }
    }

    pub fn parameters<'n, const N: usize>(
        &mut self,
        nodes: impl Iterator<Item = &'n Node>,
    ) -> Option<[Parameter; N]> {
        let parameters: Vec<_> = nodes.map(|node| self.parameter(node)).collect();
        let parameters = parameters.into_iter().collect::<Option<Vec<_>>>()?;
        for parameter in &parameters {
            self.signed_if_plain(*parameter)?;
        }
        parameters.try_into().ok()
    }

    /// Durations, sizes and rates that are drawn are not negative.
    pub fn signed_if_plain(&mut self, parameter: Parameter) -> Option<()> {
        if self.unit == Some(Type::Number) { Some(()) } else { self.not_negative(parameter) }
    }

    pub fn not_negative(&mut self, parameter: Parameter) -> Option<()> {
        if parameter.value >= 0.0 {
            return Some(());
        }
        refuse(self.context, "out-of-range", parameter.span, "this is never negative")
    }

    pub fn above_zero(&mut self, parameter: Parameter) -> Option<()> {
        if parameter.value > 0.0 {
            return Some(());
        }
        refuse(self.context, "out-of-range", parameter.span, "this is above 0")
    }

    pub fn in_order(&mut self, parameters: &[Parameter]) -> Option<()> {
        for pair in parameters.windows(2) {
            if pair[1].value < pair[0].value {
                return refuse(
                    self.context,
                    "out-of-range",
                    pair[1].span,
                    "this is below the bound before it",
                );
            }
        }
        Some(())
    }

    pub fn finite(&mut self, value: f64, span: Span) -> Option<f64> {
        if value.is_finite() {
            return Some(value);
        }
        refuse(self.context, "out-of-range", span, "these parameters give no finite distribution")
    }
}
