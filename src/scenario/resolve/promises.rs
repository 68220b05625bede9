//! What a scenario promises: guarantees and invariants. They are not judged yet and are refused as a
//! whole, but the names and expressions in them are checked all the same.

use super::Resolver;
use super::names::{Kind, unknown};
use super::nodes;
use crate::kernel::ids::*;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::Node;
use crate::scenario::resolved::*;

impl<'a> Resolver<'a> {
    pub fn check_promises(&mut self, root: &'a Node) {
        for entry in nodes::section(root, "invariants").values() {
            self.check_invariant(&entry.value);
        }
        let Some(guarantees) = nodes::get(root, "guarantees") else { return };
        for entry in nodes::section(guarantees, "convergence").values() {
            self.check_convergence(&entry.value);
        }
        for (client, entry) in nodes::section(guarantees, "sessions") {
            self.client_named(client, entry.key_span);
        }
        for (table, entry) in nodes::section(guarantees, "staleness") {
            self.table_named(table, entry.key_span);
        }
        let reference = nodes::get(guarantees, "reference").and_then(|node| nodes::get(node, "tables"));
        for (table, span) in reference.map(nodes::words).unwrap_or_default() {
            self.table_named(table, span);
        }
    }

    fn check_invariant(&mut self, node: &'a Node) {
        let table = nodes::get(node, "for_each");
        let row = table.and_then(|table| self.table_named(nodes::text(table)?, table.span));
        if table.is_some() && row.is_none() {
            return;
        }
        for key in ["always", "never", "eventually", "at_end", "measure"] {
            if let Some(condition) = nodes::get(node, key) {
                self.check_condition(condition, row, Some(&Type::Bool));
            }
        }
    }

    /// `by` and the columns are expressions over the source's rows.
    fn check_convergence(&mut self, node: &'a Node) {
        let table = |resolver: &mut Self, key: &str| {
            let table = nodes::get(node, key)?;
            resolver.table_named(nodes::text(table)?, table.span)
        };
        let (view, source) = (table(self, "view"), table(self, "of"));
        if let (Some(condition), Some(source)) = (nodes::get(node, "where"), source) {
            self.check_condition(condition, Some(source), Some(&Type::Bool));
        }
        if let (Some(by), Some(source)) = (nodes::get(node, "by"), source) {
            self.check_condition(by, Some(source), None);
        }
        for (column, entry) in nodes::section(node, "columns") {
            if let Some(view) = view {
                let columns = &self.tables[view.index()].columns;
                if columns.iter().all(|known| known.name != *column) {
                    let names = columns.iter().map(|column| column.name.as_str());
                    let diagnostic = unknown(Kind::Column, column, entry.key_span, names);
                    self.report(diagnostic.related(self.tables[view.index()].span, "the view"));
                }
            }
            if let Some(source) = source {
                self.check_condition(&entry.value, Some(source), None);
            }
        }
    }

    /// The expression itself is thrown away: only its mistakes matter.
    fn check_condition(&mut self, node: &'a Node, row: Option<TableId>, expected: Option<&Type>) {
        let scope = Scope { row, aggregates: true, ..Scope::NOTHING };
        let Some(condition) = expression::expression(node, expected, &scope, &mut self.context()) else {
            return;
        };
        let mut found = Vec::new();
        measures(&condition, &mut found);
        for measure in found {
            self.check_owner(measure);
        }
    }

    /// A measure belongs to a client, a service, a group (`topic.group`), a guarantee or a table.
    fn check_owner(&mut self, measure: &MeasureUse) {
        let (owner, span) = (&measure.owner, measure.owner_span);
        match measure.measure {
            Measure::ResponseTime
            | Measure::Throughput
            | Measure::Succeeded
            | Measure::Failed
            | Measure::Timeouts
            | Measure::Amplification => _ = self.client_named(owner, span),
            Measure::Utilization
            | Measure::QueueLength
            | Measure::WaitingTime
            | Measure::ServiceTime
            | Measure::InFlight => _ = self.service_named(owner, span),
            Measure::GroupLag | Measure::TimeInTopic | Measure::Deliveries | Measure::Redeliveries => {
                if self.groups.iter().all(|group| group.name != *owner) {
                    let names = self.groups.iter().map(|group| group.name.as_str());
                    let diagnostic = unknown(Kind::Group, owner, span, names);
                    self.report(diagnostic);
                }
            }
            Measure::FreshReads | Measure::Staleness => _ = self.table_named(owner, span),
            // Names of guarantees are judged with the guarantees.
            Measure::ViewLag | Measure::Window => {}
        }
    }

    /// `service.table`.
    fn table_named(&mut self, word: &str, span: crate::scenario::source::Span) -> Option<TableId> {
        let (service, table) = word.split_once('.')?;
        let service = self.service_named(service, span)?;
        let (_, visible) = &self.visible[service.index()];
        let name = |table: TableId| self.tables[table.index()].name.as_str();
        let found = visible.iter().copied().find(|&visible| name(visible) == table);
        if found.is_none() {
            let diagnostic = unknown(Kind::Table, table, span, visible.iter().map(|&table| name(table)));
            self.report(diagnostic);
        }
        found
    }
}

/// Every measure that an expression reads.
fn measures<'e>(expression: &'e Expression, found: &mut Vec<&'e MeasureUse>) {
    match &expression.kind {
        ExpressionKind::Measure(measure) => found.push(measure),
        ExpressionKind::Not(a)
        | ExpressionKind::Negate(a)
        | ExpressionKind::Abs(a)
        | ExpressionKind::Size(a)
        | ExpressionKind::ToNumber(a) => measures(a, found),
        ExpressionKind::Binary(_, a, b)
        | ExpressionKind::Range(a, b)
        | ExpressionKind::Index(a, b)
        | ExpressionKind::In(a, b) => {
            measures(a, found);
            measures(b, found);
        }
        ExpressionKind::Conditional(a, b, c) => [a, b, c].into_iter().for_each(|part| measures(part, found)),
        ExpressionKind::Minimum(all) | ExpressionKind::Maximum(all) | ExpressionKind::List(all) => {
            all.iter().for_each(|part| measures(part, found));
        }
        _ => {}
    }
}
