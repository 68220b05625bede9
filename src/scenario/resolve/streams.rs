//! Event streams: what a store keeps of them is one row for each key, with the columns of `state` and a
//! count of the messages, `version`. So whatever knows tables knows streams: guarantees, invariants and
//! judges; only `load` and `append` are steps of their own.
//!
//! ```yaml
//! account:
//!   key: account
//!   state: { balance: int }
//!   apply: { Deposited: { balance: state.balance + message.amount } }
//! ```

use super::Resolver;
use super::nodes;
use super::quantities::constant_duration;
use crate::kernel::ids::*;
use crate::kernel::time::MICROSECOND;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::Node;
use crate::scenario::resolved::*;
use std::ops::Range;

/// The column that counts a stream's messages.
pub const VERSION: &str = "version";

impl<'a> Resolver<'a> {
    /// Declares the streams of a store, behind its tables.
    pub fn declare_streams(
        &mut self,
        service: ServiceId,
        store: &'a Node,
        tables: Range<usize>,
    ) -> Range<usize> {
        let first = self.tables.len();
        for (name, entry) in nodes::section(store, "streams") {
            let clash = self.tables[tables.clone()].iter().find(|table| table.name == *name);
            if let Some(other) = clash.map(|table| table.span) {
                let message = format!("`{name}` is a table and a stream of the same store");
                let diagnostic = Diagnostic::new("name-clash", entry.key_span, message);
                self.report(diagnostic.related(other, "the table"));
            }
            let id = TableId::new(self.tables.len());
            let table = self.declare_stream(name, &entry.value, id);
            self.tables.push(Table { span: entry.key_span, service, ..table });
        }
        first..self.tables.len()
    }

    fn declare_stream(&mut self, name: &str, node: &'a Node, id: TableId) -> Table {
        let state = nodes::section(node, "state");
        if let Some(taken) = state.get(VERSION) {
            let message = format!("every stream has a `{VERSION}`: the number of its messages");
            let diagnostic = Diagnostic::new("name-clash", taken.key_span, message);
            self.report(diagnostic.help("choose another name"));
        }
        let mut columns = self.resolve_columns(state);
        let key = self.resolve_key(name, node, &mut columns, id);
        let version = columns.len();
        columns.push(Column {
            name: VERSION.to_owned(),
            ty: Type::Int,
            initial: Literal::Int(0),
            incidental: false,
            lifecycle: Vec::new(),
        });
        let read = nodes::get(node, "read")
            .and_then(|read| expression::generator(read, &Type::Duration, &mut self.context()));
        let snapshot = nodes::get(node, "snapshot").and_then(|snapshot| nodes::get(snapshot, "every"));
        let publish_to = nodes::get(node, "publish_to")
            .and_then(|topic| self.topic_named(nodes::text(topic)?, topic.span));
        Table {
            name: name.to_owned(),
            span: node.span,
            service: ServiceId::new(0),
            memory: false,
            key,
            columns,
            bookkeeping: false,
            rows: Vec::new(),
            ttl: None,
            capacity: None,
            stream: Some(Box::new(Stream {
                apply: Vec::new(),
                version,
                read: read.unwrap_or_else(|| constant_duration(20 * MICROSECOND, node.span)),
                snapshot_every: snapshot.and_then(|every| self.count_from_one(every, u64::from(u32::MAX))),
                publish_to,
            })),
        }
    }

    /// What each message does to each stream's state.
    pub fn resolve_folds(&mut self) {
        for service in 0..self.stored.len() {
            let (_, entry) = self.names.services.get_index(service).expect("every service has its tables");
            let Some(store) = nodes::get(&entry.value, "store") else { continue };
            for table in self.stored[service].clone() {
                let name = self.tables[table.index()].name.clone();
                if self.tables[table.index()].stream.is_none() {
                    continue;
                }
                let Some(stream) = nodes::section(store, "streams").get(&name) else { continue };
                let apply = self.resolve_fold(table, &stream.value);
                if let Some(stream) = &mut self.tables[table.index()].stream {
                    stream.apply = apply;
                }
            }
        }
    }

    fn resolve_fold(&mut self, table: TableId, node: &'a Node) -> Vec<(MessageId, Assignments)> {
        let mut apply = Vec::new();
        for (word, entry) in nodes::section(node, "apply") {
            let Some(message) = self.message_named(word, entry.key_span) else { continue };
            let scope = Scope { message: Some(message), state: Some(table), ..Scope::NOTHING };
            let mut set = Vec::new();
            for (name, value) in nodes::map(&entry.value) {
                let Some((column, ty)) = self.state_column(table, name, value.key_span) else { continue };
                let value = expression::expression(&value.value, Some(&ty), &scope, &mut self.context());
                set.extend(value.map(|value| (column, Value::Expression(value))));
            }
            apply.push((message, set));
        }
        apply
    }

    /// A column of the state that a message may set.
    fn state_column(
        &mut self,
        table: TableId,
        name: &str,
        span: crate::scenario::source::Span,
    ) -> Option<(usize, Type)> {
        let described = &self.tables[table.index()];
        let is_set =
            |column: &usize| described.columns[*column].name != VERSION && !described.key.contains(column);
        let mut settable = (0..described.columns.len()).filter(is_set);
        if let Some(column) = settable.clone().find(|&column| described.columns[column].name == name) {
            return Some((column, described.columns[column].ty.clone()));
        }
        let names = settable.by_ref().map(|column| described.columns[column].name.as_str());
        let diagnostic = super::names::unknown(super::names::Kind::Column, name, span, names)
            .related(described.span, "the stream")
            .help("a message sets columns of `state`; the key and `version` follow by themselves");
        self.report(diagnostic);
        None
    }
}
