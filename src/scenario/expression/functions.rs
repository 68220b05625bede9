//! Functions of values: `size`, `min`, `max`, `abs`, `unique`.

use super::super::diagnostic::{Diagnostic, closest};
use super::super::resolved::*;
use super::super::source::Span;
use super::check::{Checker, literal, to_number};
use super::syntax::{Syntax, SyntaxKind};
use super::{aggregate, fold};
use std::cmp::Ordering;

const FUNCTIONS: [&str; 5] = ["size", "min", "max", "abs", "unique"];

impl Checker<'_, '_> {
    pub fn call(
        &mut self,
        name: &str,
        name_span: Span,
        arguments: &[Syntax],
        span: Span,
        hint: Option<&Type>,
    ) -> Option<Expression> {
        if self.scope.aggregates && aggregate::is_aggregate(name, arguments.len()) {
            return self.aggregate(name, arguments, span);
        }
        match (name, arguments) {
            ("unique", []) => Some(Expression { kind: ExpressionKind::Unique, ty: Type::Id, span }),
            ("size", [list]) => self.size_of(list, span),
            ("abs", [operand]) => self.absolute(operand, span, hint),
            ("min" | "max", [_, _, ..]) => self.extreme(name, arguments, span, hint),
            _ if FUNCTIONS.contains(&name) => {
                let form = match name {
                    "unique" => "unique()",
                    "size" => "size(list)",
                    "abs" => "abs(value)",
                    _ => "two values or more",
                };
                let diagnostic =
                    Diagnostic::new("wrong-arguments", span, format!("`{name}` takes other arguments"));
                self.report(diagnostic.help(format!("it takes {form}")));
                None
            }
            _ => self.unknown_function(name, name_span),
        }
    }

    fn unknown_function(&mut self, name: &str, name_span: Span) -> Option<Expression> {
        if aggregate::NAMES.contains(&name) && !self.scope.aggregates {
            let message =
                format!("`{name}` goes over tables and measures: only guarantees and invariants have them");
            return self.refuse("out-of-place", name_span, message);
        }
        let diagnostic =
            Diagnostic::new("unknown-function", name_span, format!("there is no function `{name}`"));
        let aggregates = aggregate::NAMES.into_iter().filter(|_| self.scope.aggregates);
        let diagnostic = match (name, closest(name, FUNCTIONS.into_iter().chain(aggregates))) {
            ("has" | "exists", _) => diagnostic.help("whether a row is there is `name.exists`"),
            (_, Some(close)) => diagnostic.help(format!("did you mean `{close}`?")),
            _ => diagnostic.help("there are: size, min, max, abs, unique"),
        };
        self.report(diagnostic);
        None
    }

    fn size_of(&mut self, list: &Syntax, span: Span) -> Option<Expression> {
        if matches!(&list.kind, SyntaxKind::List(items) if items.is_empty()) {
            return Some(literal(Literal::Int(0), Type::Int, span));
        }
        let list = self.infer(list, None)?;
        if !matches!(list.ty, Type::List(_)) {
            let message = format!("a list is expected, this is {}", self.words(&list.ty));
            return self.refuse("wrong-type", list.span, message);
        }
        Some(match &list.kind {
            ExpressionKind::List(items) => literal(Literal::Int(items.len() as i64), Type::Int, span),
            _ => Expression { kind: ExpressionKind::Size(Box::new(list)), ty: Type::Int, span },
        })
    }

    fn absolute(&mut self, operand: &Syntax, span: Span, hint: Option<&Type>) -> Option<Expression> {
        let operand = self.infer(operand, hint)?;
        let ty = operand.ty.clone();
        if !matches!(ty, Type::Int | Type::Number | Type::Duration) {
            let message = format!("an int, number or duration is expected, this is {}", self.words(&ty));
            return self.refuse("wrong-type", operand.span, message);
        }
        match operand.kind {
            ExpressionKind::Literal(Literal::Int(value)) => match value.checked_abs() {
                Some(value) => Some(literal(Literal::Int(value), ty, span)),
                None => self.refuse("overflow", span, "this does not fit into 64 bits".into()),
            },
            ExpressionKind::Literal(Literal::Number(value)) => {
                Some(literal(Literal::Number(value.abs()), ty, span))
            }
            _ => Some(Expression { kind: ExpressionKind::Abs(Box::new(operand)), ty, span }),
        }
    }

    /// `min` and `max` of two values or more, all of one type.
    fn extreme(
        &mut self,
        name: &str,
        arguments: &[Syntax],
        span: Span,
        hint: Option<&Type>,
    ) -> Option<Expression> {
        let values: Vec<_> = arguments.iter().map(|argument| self.infer(argument, hint)).collect();
        let mut values = values.into_iter().collect::<Option<Vec<_>>>()?;
        if values.iter().any(|value| value.ty == Type::Number) {
            values = values
                .into_iter()
                .map(|value| if value.ty == Type::Int { to_number(value) } else { value })
                .collect();
        }
        let ty = values[0].ty.clone();
        for value in &values {
            if !value.ty.is_quantity() {
                let message = format!("{} has no order", self.words(&value.ty));
                return self.refuse("wrong-type", value.span, message);
            }
            self.unify(values[0].clone(), value.clone(), span)?;
        }
        let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
        if let Some(best) = extreme_literal(&values, wanted) {
            return Some(literal(best, ty, span));
        }
        let kind =
            if name == "min" { ExpressionKind::Minimum(values) } else { ExpressionKind::Maximum(values) };
        Some(Expression { kind, ty, span })
    }
}

/// The least or greatest of constants, `None` unless all are.
fn extreme_literal(values: &[Expression], wanted: Ordering) -> Option<Literal> {
    let mut best: Option<&Literal> = None;
    for value in values {
        let ExpressionKind::Literal(value) = &value.kind else { return None };
        let ordering = match (value, best) {
            (_, None) => Some(wanted),
            (Literal::Int(value), Some(Literal::Int(best))) => Some(value.cmp(best)),
            (value, Some(best)) => fold::float(value)?.partial_cmp(&fold::float(best)?),
        };
        if ordering == Some(wanted) {
            best = Some(value);
        }
    }
    best.cloned()
}
