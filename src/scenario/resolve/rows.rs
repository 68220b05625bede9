//! The rows that a table starts with.
//!
//! A list as a value stands for one row for each element; several lists in one row stand for all
//! combinations, the last one varying fastest:
//!
//! ```yaml
//! rows: [ { sku: 1..1000 }, { shelf: 1..3, place: [a, b] } ]   # 1000 rows, and six
//! ```

use super::Resolver;
use super::names::{Kind, unknown};
use super::nodes;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::Node;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;
use std::cmp::Ordering;

impl<'a> Resolver<'a> {
    /// The rows of a table, every column filled.
    pub fn resolve_rows(&mut self, node: &'a Node, columns: &[Column], key: &[usize]) -> Vec<Vec<Literal>> {
        let mut rows = Vec::new();
        for row in nodes::list(node) {
            let Some(choices) = self.resolve_row(row, columns, key) else { continue };
            let added = rows.len();
            combine(&choices, &mut rows);
            self.rows += (rows.len() - added) as u64;
            self.cells += ((rows.len() - added) * columns.len()) as u64;
        }
        self.check_unique(node.span, key, &rows);
        rows
    }

    /// For each column its values: one, or those of a list.
    fn resolve_row(&mut self, row: &'a Node, columns: &[Column], key: &[usize]) -> Option<Vec<Vec<Literal>>> {
        if !nodes::is_map(row) || self.has_too_many_rows || self.diagnostics.is_full() {
            return None;
        }
        for (name, entry) in nodes::map(row) {
            if columns.iter().all(|column| column.name != *name) {
                let names = columns.iter().map(|column| column.name.as_str());
                self.report(unknown(Kind::Column, name, entry.key_span, names));
            }
        }
        for &column in key {
            if nodes::get(row, &columns[column].name).is_none() {
                let message = format!("the row has no `{}`, which is part of the key", columns[column].name);
                self.report(Diagnostic::new("missing-key", row.span, message));
            }
        }
        let mut choices = Vec::with_capacity(columns.len());
        let mut combinations = 1u64;
        for column in columns {
            let values = match nodes::get(row, &column.name) {
                Some(node) => self.resolve_cell(node, column)?,
                None => vec![column.initial.clone()],
            };
            combinations = combinations.saturating_mul(values.len() as u64);
            // Asked column by column, so that what is too much is never laid out.
            if !self.admits_rows(combinations, columns.len(), row.span) {
                return None;
            }
            choices.push(values);
        }
        Some(choices)
    }

    fn resolve_cell(&mut self, node: &'a Node, column: &Column) -> Option<Vec<Literal>> {
        if matches!(column.ty, Type::List(_)) {
            return Some(vec![expression::literal(node, &column.ty, &mut self.context())?]);
        }
        if nodes::is_list(node) {
            let elements = nodes::list(node).iter();
            return elements.map(|node| expression::literal(node, &column.ty, &mut self.context())).collect();
        }
        let text = nodes::text(node)?.trim();
        if text.starts_with('[') || (column.ty == Type::Int && text.contains("..")) {
            let list = Type::List(Box::new(column.ty.clone()));
            let expression = expression::expression(node, Some(&list), &Scope::NOTHING, &mut self.context())?;
            return self.constants(&expression);
        }
        Some(vec![expression::literal(node, &column.ty, &mut self.context())?])
    }

    /// The elements of a constant list.
    fn constants(&mut self, list: &Expression) -> Option<Vec<Literal>> {
        let elements = match &list.kind {
            ExpressionKind::Range(from, to) => match (whole_number(from), whole_number(to)) {
                // A constant range was bounded when it was read.
                (Some(from), Some(to)) => Some((from..=to).map(Literal::Int).collect()),
                _ => None,
            },
            ExpressionKind::List(elements) => elements
                .iter()
                .map(|element| match &element.kind {
                    ExpressionKind::Literal(literal) => Some(literal.clone()),
                    _ => whole_number(element).map(Literal::Int),
                })
                .collect(),
            _ => None,
        };
        if elements.is_none() {
            self.report(Diagnostic::new("not-constant", list.span, "the rows at the start are constants"));
        }
        elements
    }

    fn check_unique(&mut self, span: Span, key: &[usize], rows: &[Vec<Literal>]) {
        let bits = |row: &u32, column: usize| bits(&rows[*row as usize][column]);
        let order = |a: &u32, b: &u32| {
            let mut parts = key.iter().map(|&column| bits(a, column).cmp(&bits(b, column)));
            parts.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        let mut sorted: Vec<u32> = (0..rows.len() as u32).collect();
        sorted.sort_unstable_by(order);
        if sorted.windows(2).any(|pair| order(&pair[0], &pair[1]).is_eq()) {
            self.report(Diagnostic::new("repeated-key", span, "two of these rows have the same key"));
        }
    }
}

/// What tells values of one type apart.
fn bits(literal: &Literal) -> u64 {
    match literal {
        Literal::Int(value) => *value as u64,
        Literal::Bool(value) => u64::from(*value),
        Literal::Number(value) => value.to_bits(),
        Literal::Symbol(symbol) => u64::from(symbol.0),
        Literal::EmptyList => 0,
    }
}

fn whole_number(expression: &Expression) -> Option<i64> {
    match &expression.kind {
        ExpressionKind::Literal(Literal::Int(number)) => Some(*number),
        ExpressionKind::Negate(inner) => whole_number(inner)?.checked_neg(),
        _ => None,
    }
}

/// One row for each way to take one value from each list, the last list varying fastest.
fn combine(choices: &[Vec<Literal>], rows: &mut Vec<Vec<Literal>>) {
    if choices.iter().any(Vec::is_empty) {
        return;
    }
    let mut taken = vec![0; choices.len()];
    loop {
        rows.push(choices.iter().zip(&taken).map(|(values, &index)| values[index].clone()).collect());
        let Some(column) = (0..taken.len()).rev().find(|&column| taken[column] + 1 < choices[column].len())
        else {
            return;
        };
        taken[column] += 1;
        taken[column + 1..].fill(0);
    }
}
