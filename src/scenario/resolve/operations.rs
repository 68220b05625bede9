//! Operations: what is changed on purpose, and when.

use super::Resolver;
use super::nodes;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;

impl<'a> Resolver<'a> {
    pub fn resolve_operations(&mut self, root: &'a Node, run: &Run) -> Vec<Operation> {
        let operations = nodes::section(root, "operations");
        operations.iter().filter_map(|(name, entry)| self.resolve_operation(name, entry, run)).collect()
    }

    fn resolve_operation(&mut self, name: &str, entry: &'a Entry, run: &Run) -> Option<Operation> {
        let node = &entry.value;
        self.refuse_keys("operation", node);
        let kind = nodes::get(node, "redrive").and_then(|target| self.redrive(target, node));
        for key in ["at_step", "share"] {
            if let Some(occasion) = nodes::entry(node, key) {
                let message = "an operation is planned: it happens at a time, not when something happens";
                let diagnostic = Diagnostic::new("misplaced-option", occasion.key_span, message);
                self.report(diagnostic.help("say when: `at: 5m`, or `every: 10m`"));
                return None;
            }
        }
        let when = self.when(node, run);
        Some(Operation { name: name.to_owned(), span: entry.key_span, kind: kind?, when: when? })
    }

    /// From a topic that dead letters come to, and that nobody consumes: what its consumers take is not there
    /// any more.
    fn redrive(&mut self, target: &'a Node, node: &'a Node) -> Option<OperationKind> {
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
        Some(OperationKind::Redrive { from, to })
    }
}
