//! What a scenario promises: bounds on what goes wrong, views that follow, what sessions and readers may
//! rely on, and invariants in the scenario's own terms.
//!
//! ```text
//! idempotency: { duplicate_effects: 0, duplicate_messages: 1% }     bounds, by the word of the measure
//! convergence: { reserved: { view: …, of: …, by: row.sku, columns: { reserved: sum(row.qty) }, within: 90s } }
//! never_negative: { always: row.reserved >= 0, for_each: inventory.stock }
//! expect: { idempotency.duplicate_effects: fail }                   of verdicts that this file asks for
//! ```
//!
//! Promises are resolved last: they name everything else and nothing names them.

mod conditions;
mod sagas;
mod verdicts;

use super::Resolver;
use super::names::{Kind, unknown};
use super::nodes;
use crate::kernel::anomaly::{Anomaly, Family};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// The kinds of invariants, as they are written.
const INVARIANTS: [&str; 5] = ["always", "never", "eventually", "at_end", "measure"];

impl<'a> Resolver<'a> {
    pub fn resolve_promises(&mut self, root: &'a Node) -> Promises {
        let mut promises = Promises::default();
        if let Some(guarantees) = nodes::get(root, "guarantees") {
            self.refuse_keys("guarantees", guarantees);
            promises.anomalies = self.anomaly_bounds(guarantees);
            for (name, entry) in nodes::section(guarantees, "convergence") {
                promises.convergence.extend(self.convergence(name, entry));
            }
            for (client, entry) in nodes::section(guarantees, "sessions") {
                promises.sessions.extend(self.session(client, entry));
            }
            for (table, entry) in nodes::section(guarantees, "staleness") {
                promises.staleness.extend(self.staleness(table, entry));
            }
            promises.sagas = self.saga_promises(guarantees);
            promises.reference =
                nodes::entry(guarantees, "reference").and_then(|entry| self.reference(entry));
        }
        for (name, entry) in nodes::section(root, "invariants") {
            promises.invariants.extend(self.invariant(name, entry, root));
        }
        promises.expectations = self.expectations(root);
        promises
    }

    fn anomaly_bounds(&mut self, guarantees: &'a Node) -> Vec<AnomalyBound> {
        let mut bounds = Vec::new();
        for family in [Family::Idempotency, Family::Ordering, Family::Isolation] {
            for (word, entry) in nodes::section(guarantees, family.name()) {
                let anomaly = Anomaly::named(word).filter(|anomaly| anomaly.family() == family);
                let bound = expression::bound(&entry.value, &mut self.context());
                if let (Some(anomaly), Some(bound)) = (anomaly, bound) {
                    bounds.push(AnomalyBound { anomaly, bound, span: entry.key_span });
                }
            }
        }
        bounds
    }

    fn convergence(&mut self, name: &str, entry: &'a Entry) -> Option<Convergence> {
        let node = &entry.value;
        let table = |resolver: &mut Self, key: &str| {
            let table = nodes::get(node, key)?;
            resolver.stored_table(table, "a view or its source")
        };
        let (view, source) = (table(self, "view"), table(self, "of"));
        let within =
            nodes::get(node, "within").and_then(|within| expression::duration(within, &mut self.context()));
        let share = match nodes::get(node, "share") {
            Some(share) => expression::share(share, &mut self.context()),
            None => Some(1.0),
        };
        let (view, of) = (view?, source?);
        if view == of {
            let diagnostic =
                Diagnostic::new("contradiction", entry.key_span, "a table does not follow itself");
            self.report(diagnostic);
            return None;
        }
        let row = Use { row: Some(of), may: May::Row };
        let filter = nodes::get(node, "where");
        let filter = filter.map(|filter| self.condition(filter, row, Some(&Type::Bool)));
        let by = self.view_key(node, view, of, entry.key_span);
        let columns = self.view_columns(node, view, of);
        Some(Convergence {
            name: name.to_owned(),
            span: entry.key_span,
            view,
            of,
            filter: match filter {
                None => None,
                Some(filter) => Some(filter?),
            },
            by: by?,
            columns: columns?,
            within: within?,
            share: share?,
        })
    }

    /// `by`, as many values as the view's key has columns; none if it is the key of the source.
    fn view_key(
        &mut self,
        node: &'a Node,
        view: TableId,
        of: TableId,
        place: Span,
    ) -> Option<Vec<Expression>> {
        let types = |resolver: &Self, table: TableId| -> Vec<Type> {
            let table = &resolver.tables[table.index()];
            table.key.iter().map(|&column| table.columns[column].ty.clone()).collect()
        };
        let (wanted, own) = (types(self, view), types(self, of));
        let Some(by) = nodes::get(node, "by") else {
            let fits =
                own.len() == wanted.len() && own.iter().zip(&wanted).all(|(own, key)| own.serves_as(key));
            if !fits {
                let diagnostic =
                    Diagnostic::new("missing-key", place, "the two tables have keys of different types")
                        .related(self.tables[view.index()].span, "the view")
                        .help("say which row of the view a row is shown in: `by: row.column`");
                self.report(diagnostic);
                return None;
            }
            return Some(Vec::new());
        };
        let scope = Scope { row: Some(of), aggregates: true, ..Scope::NOTHING };
        let by = expression::key(by, &wanted, &scope, &mut self.context())?;
        by.iter().all(|part| self.may_say(part, May::Row)).then_some(by)
    }

    fn view_columns(
        &mut self,
        node: &'a Node,
        view: TableId,
        of: TableId,
    ) -> Option<Vec<(usize, Expression)>> {
        let mut columns = Vec::new();
        let mut is_right = true;
        for (name, entry) in nodes::section(node, "columns") {
            let table = &self.tables[view.index()];
            let Some(column) = table.columns.iter().position(|known| known.name == *name) else {
                let names = table.columns.iter().map(|column| column.name.as_str());
                let diagnostic = unknown(Kind::Column, name, entry.key_span, names);
                let place = table.span;
                self.report(diagnostic.related(place, "the view"));
                is_right = false;
                continue;
            };
            let ty = table.columns[column].ty.clone();
            let group = Use { row: Some(of), may: May::Group };
            match self.condition(&entry.value, group, Some(&ty)) {
                Some(expected) => columns.push((column, expected)),
                None => is_right = false,
            }
        }
        is_right.then_some(columns)
    }

    fn session(&mut self, client: &str, entry: &'a Entry) -> Option<SessionPromise> {
        let client = self.client_named(client, entry.key_span)?;
        let words = nodes::words(&entry.value);
        let has = |word: &str| words.iter().any(|(written, _)| *written == word);
        Some(SessionPromise {
            client,
            span: entry.key_span,
            read_your_writes: has("read_your_writes"),
            monotonic_reads: has("monotonic_reads"),
        })
    }

    fn staleness(&mut self, table: &str, entry: &'a Entry) -> Option<StalenessPromise> {
        let table = self.table_named(table, entry.key_span);
        let key = |key: &str| nodes::get(&entry.value, key);
        let stale_reads = key("stale_reads").and_then(|node| expression::bound(node, &mut self.context()));
        let age = key("age").and_then(|node| expression::duration(node, &mut self.context()));
        let versions = key("versions").and_then(|node| expression::count(node, &mut self.context()));
        if nodes::map(&entry.value).is_empty() {
            let diagnostic = Diagnostic::new("missing-key", entry.key_span, "nothing is bounded here");
            self.report(diagnostic.help("bound `stale_reads`, `age` or `versions`"));
        }
        Some(StalenessPromise { table: table?, span: entry.key_span, stale_reads, age, versions })
    }

    fn reference(&mut self, entry: &'a Entry) -> Option<ReferencePromise> {
        let words = nodes::get(&entry.value, "tables").map(nodes::words).unwrap_or_default();
        let mut tables = Vec::new();
        for (word, span) in words {
            let table = self.table_named(word, span)?;
            if self.tables[table.index()].memory {
                self.not_built(span, "a table in memory as one that is compared");
                return None;
            }
            tables.push(table);
        }
        let rows = nodes::get(&entry.value, "rows")?;
        let rows = expression::bound(rows, &mut self.context())?;
        Some(ReferencePromise { tables, rows, span: entry.key_span })
    }

    fn invariant(&mut self, name: &str, entry: &'a Entry, root: &'a Node) -> Option<Invariant> {
        let node = &entry.value;
        let table = nodes::get(node, "for_each");
        let for_each = table.map(|table| self.stored_table(table, "`for_each`"));
        let for_each = match for_each {
            Some(table) => Some(table?),
            None => None,
        };
        let (word, condition) = INVARIANTS.iter().find_map(|word| Some((*word, nodes::get(node, word)?)))?;
        self.check_options(node, word);
        let within = self
            .option(node, "within", |node, resolver| expression::duration(node, &mut resolver.context()))?;
        let during = self.option(node, "during", |node, resolver| resolver.during(node))?;
        let may = if word == "measure" { May::Measures(root) } else { May::Tables };
        let condition = self.condition(condition, Use { row: for_each, may }, Some(&Type::Bool))?;
        if let ExpressionKind::Literal(_) = condition.kind {
            let message = "this reads nothing, so it is the same for ever";
            self.report(Diagnostic::new("contradiction", condition.span, message));
            return None;
        }
        let kind = match word {
            "always" => InvariantKind::Always,
            "never" => InvariantKind::Never,
            "eventually" => InvariantKind::Eventually(within),
            "at_end" => InvariantKind::AtEnd,
            _ => InvariantKind::Measure,
        };
        Some(Invariant { name: name.to_owned(), span: entry.key_span, kind, condition, for_each, during })
    }

    /// What an option comes to; `None` after a mistake in it.
    fn option<T>(
        &mut self,
        node: &'a Node,
        key: &str,
        read: impl FnOnce(&'a Node, &mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        match nodes::get(node, key) {
            Some(node) => read(node, self).map(Some),
            None => Some(None),
        }
    }

    /// Options that say nothing beside this kind of invariant.
    fn check_options(&mut self, node: &'a Node, word: &str) {
        let without_effect = [
            ("within", word != "eventually", "only what must hold `eventually` has a time for it"),
            ("during", matches!(word, "at_end" | "measure"), "this is judged when the run is over"),
            ("for_each", word == "measure", "a measure is no figure of a row"),
        ];
        for (key, has_none, why) in without_effect {
            if let Some(entry) = nodes::entry(node, key).filter(|_| has_none) {
                let message = format!("`{key}` says nothing beside `{word}`");
                self.report(Diagnostic::new("contradiction", entry.key_span, message).help(why));
            }
        }
    }

    fn during(&mut self, node: &'a Node) -> Option<(Nanos, Nanos)> {
        let [from, to] = nodes::list(node) else { return None };
        let from_time = expression::duration(from, &mut self.context())?;
        let to_time = expression::duration(to, &mut self.context())?;
        if from_time >= to_time {
            self.impossible(to.span, "this time ends before it begins");
            return None;
        }
        Some((from_time, to_time))
    }

    fn condition(&mut self, node: &'a Node, use_: Use<'a>, expected: Option<&Type>) -> Option<Expression> {
        let scope = Scope { row: use_.row, aggregates: true, ..Scope::NOTHING };
        let condition = expression::expression(node, expected, &scope, &mut self.context())?;
        self.may_say(&condition, use_.may).then_some(condition)
    }

    /// A table that is in a store; `what` it is meant to be.
    pub fn stored_table(&mut self, node: &'a Node, what: &str) -> Option<TableId> {
        let table = self.table_named(nodes::text(node)?, node.span)?;
        if self.tables[table.index()].memory {
            self.not_built(node.span, &format!("a table in memory as {what}"));
            return None;
        }
        Some(table)
    }

    /// `service.table`.
    fn table_named(&mut self, word: &str, span: Span) -> Option<TableId> {
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

/// Where an expression stands.
#[derive(Clone, Copy)]
struct Use<'a> {
    /// Whose row is in hand.
    row: Option<TableId>,
    may: May<'a>,
}

/// What an expression may speak of.
#[derive(Clone, Copy)]
enum May<'a> {
    /// The row in hand.
    Row,
    /// The row in hand and the group it belongs to.
    Group,
    /// The row in hand, rows of tables by key, and aggregates over tables.
    Tables,
    /// Figures of the run, also those of the guarantees at this root.
    Measures(&'a Node),
}
