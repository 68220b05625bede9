//! Operations: planned changes, of the shape of faults.

use super::Resolver;
use super::knobs::MOST_PARTITIONS;
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
        let target = |verb: &str| nodes::get(node, verb);
        let kind = if let Some(target) = target("replay") {
            self.replay(target, node)
        } else if let Some(target) = target("redrive") {
            self.redrive(target, node)
        } else if let Some(target) = target("deploy") {
            self.deploy(target, node)
        } else if let Some(target) = target("repartition") {
            self.repartition(target, node)
        } else {
            target("scale").and_then(|target| self.scale(target, node))
        };
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

    /// From a topic that dead letters come to, and that nobody consumes: what its consumers take is not there
    /// any more.
    fn redrive(&mut self, target: &'a Node, node: &'a Node) -> Option<FaultKind> {
        let from = self.topic_named(nodes::text(target)?, target.span);
        let written = nodes::get(node, "to")?;
        let to = self.topic_named(nodes::text(written)?, written.span);
        let (from, to) = (from?, to?);
        if from == to {
            let message = "these dead letters are there already";
            self.report(Diagnostic::new("contradiction", written.span, message));
            return None;
        }
        if !self.dead_letters.contains(&from) {
            let message = "no dead letters come to this topic";
            let help = "name it where messages are given up: `exhaust: { dead_letter: topic }`";
            self.report(Diagnostic::new("contradiction", target.span, message).help(help));
            return None;
        }
        let consumer = self.groups.iter().find(|group| group.topic == from).map(|group| group.span);
        if let Some(consumer) = consumer {
            let message = "there is nothing to redrive: this topic has a consumer that takes what comes";
            let diagnostic = Diagnostic::new("contradiction", target.span, message);
            self.report(diagnostic.related(consumer, "the consumer"));
            return None;
        }
        Some(FaultKind::Redrive { from, to })
    }

    /// More partitions than the topic has at first: none is ever taken away with what is in it.
    fn repartition(&mut self, target: &'a Node, node: &'a Node) -> Option<FaultKind> {
        let partitions = nodes::get(node, "partitions")?;
        let topic = self.topic_named(nodes::text(target)?, target.span);
        let count = self.count_from_one(partitions, MOST_PARTITIONS)?;
        let topic = topic?;
        let of = &self.topics[topic.index()];
        if count <= of.knobs.partitions {
            let message = format!("`{}` has {} partitions from the start", of.name, of.knobs.partitions);
            let diagnostic = Diagnostic::new("contradiction", partitions.span, message);
            let diagnostic = diagnostic.related(of.span, "the topic");
            self.report(diagnostic.help("partitions are only ever added: what lies in one stays there"));
            return None;
        }
        Some(FaultKind::Repartition { topic, partitions: count })
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
