//! Steps on event streams: `load` and `append`.

use super::{BodyResolver, Owner, Written};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::Node;
use crate::scenario::resolve::names::{Kind, unknown};
use crate::scenario::resolve::nodes;
use crate::scenario::resolved::*;

impl<'r, 'a> BodyResolver<'r, 'a> {
    pub(super) fn load(&mut self, written: Written<'a>) -> Option<StepKind> {
        let table = self.stream(written.value);
        let key = table.and_then(|table| self.required_key(written, table));
        let at = written.option("at").map(|at| self.as_of(at));
        let result = self.result(written, table.map(Type::Row));
        let at = match at {
            Some(at) => Some(at?),
            None => None,
        };
        Some(StepKind::Load { table: table?, key: key?, at, result })
    }

    /// A version or an instant.
    fn as_of(&mut self, node: &'a Node) -> Option<AsOf> {
        let value = self.expression(node, None)?;
        match value.ty {
            Type::Int => Some(AsOf::Version(value)),
            Type::Time => Some(AsOf::Time(value)),
            // A length of time from the start of the run.
            Type::Duration => Some(AsOf::Time(value)),
            _ => {
                let message = "a stream is loaded as of a version or a time";
                let diagnostic = Diagnostic::new("wrong-type", node.span, message);
                self.resolver.report(diagnostic.help("`at: 3`, `at: now - 10s`"));
                None
            }
        }
    }

    pub(super) fn append(&mut self, written: Written<'a>) -> Option<StepKind> {
        let message = self.message(written.value);
        let table = written.option("to").and_then(|to| self.stream(to));
        let key = table.and_then(|table| self.required_key(written, table));
        let with = message.and_then(|message| self.fields(written, message));
        let expect = written.option("expect").map(|expect| self.expression(expect, Some(&Type::Int)));
        let retry = self.retry(written);
        let catch = self.catch(written);
        if let (Some(message), Some(table)) = (message, table) {
            self.carried_to_topic(written, message, table);
        }
        let expect = match expect {
            Some(expect) => Some(expect?),
            None => None,
        };
        Some(StepKind::Append(Box::new(Append {
            message: message?,
            table: table?,
            key: key?,
            with: with?,
            expect,
            retry,
            catch,
        })))
    }

    /// What is appended to a stream with `publish_to` comes to that topic, which has to carry it.
    fn carried_to_topic(&mut self, written: Written<'a>, message: MessageId, table: TableId) {
        let stream = self.resolver.tables[table.index()].stream.as_ref();
        let Some(topic) = stream.and_then(|stream| stream.publish_to) else { return };
        self.resolver.flow.published.insert((topic, message));
        if !self.resolver.carried.contains(&(message, topic)) {
            let topic = &self.resolver.topics[topic.index()];
            let message = &self.resolver.messages[message.index()].name;
            let why =
                format!("the stream is published to `{}`, which does not carry `{message}`", topic.name);
            let diagnostic = Diagnostic::new("not-carried", written.value.span, why)
                .related(topic.span, "the topic")
                .help(format!("add `{message}` to its `messages`"));
            self.resolver.report(diagnostic);
        }
    }

    /// A stream of the service's store.
    fn stream(&mut self, node: &'a Node) -> Option<TableId> {
        let word = nodes::text(node)?;
        let Owner::Service(service) = self.place.owner else { return None };
        let resolver = &mut *self.resolver;
        let (service_name, visible) = &resolver.visible[service.index()];
        let tables = &resolver.tables;
        let is_stream = |table: &&TableId| tables[table.index()].stream.is_some();
        let name = |table: &TableId| tables[table.index()].name.as_str();
        if let Some(&table) = visible.iter().filter(is_stream).find(|table| name(table) == word) {
            return Some(table);
        }
        let names = visible.iter().filter(is_stream).map(name);
        let mut diagnostic =
            unknown(Kind::Stream, word, node.span, names).label(format!("in `{service_name}`"));
        if let Some(table) = visible.iter().find(|table| name(table) == word) {
            diagnostic = diagnostic.related(tables[table.index()].span, "a table, and no stream");
        }
        resolver.report(diagnostic);
        None
    }
}
