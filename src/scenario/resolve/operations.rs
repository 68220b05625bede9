//! Operations: planned changes, of the shape of faults.

use super::Resolver;
use super::names::{Kind, unknown};
use super::nodes;
use crate::kernel::ids::*;
use crate::kernel::vocabulary::InstanceChoice;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;

impl<'a> Resolver<'a> {
    pub fn resolve_operations(&mut self, root: &'a Node, run: &Run) -> Vec<Fault> {
        let operations = nodes::section(root, "operations");
        operations.iter().filter_map(|(name, entry)| self.resolve_operation(name, entry, run)).collect()
    }

    fn resolve_operation(&mut self, name: &str, entry: &'a Entry, run: &Run) -> Option<Fault> {
        let node = &entry.value;
        self.refuse_keys("operation", node);
        let kind = nodes::get(node, "replay").and_then(|target| self.replay(target, node));
        let when = self.when(node, run);
        Some(Fault {
            name: name.to_owned(),
            span: entry.key_span,
            kind: kind?,
            when: when?,
            duration: None,
            instance: InstanceChoice::Any,
        })
    }

    fn replay(&mut self, target: &'a Node, node: &'a Node) -> Option<FaultKind> {
        let service = self.service_named(nodes::text(target)?, target.span);
        let topic = nodes::get(node, "topic")
            .and_then(|topic| Some((self.topic_named(nodes::text(topic)?, topic.span)?, topic.span)));
        let (service, (topic, span)) = (service?, topic?);
        let clear = nodes::get(node, "clear").map(nodes::words).unwrap_or_default();
        let clear: Vec<TableId> =
            clear.into_iter().filter_map(|(word, span)| self.cleared(service, word, span)).collect();
        let groups = &self.services[service.index()].groups;
        let Some(&group) = groups.iter().find(|group| self.groups[group.index()].topic == topic) else {
            let (service, topic) = (&self.services[service.index()], &self.topics[topic.index()]);
            let message = format!("`{}` does not consume `{}`", service.name, topic.name);
            let diagnostic = Diagnostic::new("contradiction", span, message);
            self.report(diagnostic.related(service.span, "the service").related(topic.span, "the topic"));
            return None;
        };
        let knobs = &self.groups[group.index()].knobs;
        if !knobs.retain.log || knobs.ack_scope != AckScope::Cursor {
            let topic = &self.topics[topic.index()];
            let message =
                format!("`{}` keeps nothing that was handled: there is nothing to replay", topic.name);
            let diagnostic = Diagnostic::new("contradiction", span, message).related(topic.span, "the topic");
            self.report(diagnostic.help("only a log that consumers have a position in can be replayed"));
            return None;
        }
        Some(FaultKind::Replay { group, clear })
    }

    /// A table that is emptied before a replay.
    fn cleared(
        &mut self,
        service: ServiceId,
        word: &str,
        span: crate::scenario::source::Span,
    ) -> Option<TableId> {
        let (service_name, visible) = &self.visible[service.index()];
        let is_cleared = |table: &&TableId| {
            let table = &self.tables[table.index()];
            !table.memory && table.stream.is_none()
        };
        let tables = || visible.iter().filter(is_cleared);
        let name = |table: &TableId| self.tables[table.index()].name.as_str();
        if let Some(&table) = tables().find(|table| name(table) == word) {
            return Some(table);
        }
        let diagnostic = unknown(Kind::Table, word, span, tables().map(name))
            .label(format!("in the store of `{service_name}`"));
        self.report(diagnostic);
        None
    }
}
