//! What is promised of sagas: those of a service by their name, and those that nobody orchestrates by the
//! message that starts them and the names of their steps.

use super::super::Resolver;
use super::super::names::{Kind, unknown};
use super::super::nodes;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;

/// What says which sagas are meant that nobody orchestrates.
const CHOREOGRAPHY: [&str; 3] = ["start", "key", "steps"];

impl<'a> Resolver<'a> {
    pub(super) fn saga_promises(&mut self, guarantees: &'a Node) -> Vec<SagaPromise> {
        let mut promises: Vec<SagaPromise> = Vec::new();
        for (name, entry) in nodes::section(guarantees, "sagas") {
            let Some(promise) = self.saga_promise(name, entry) else { continue };
            if let SagaWay::Choreographed { start, .. } = promise.way {
                let begins = |other: &&SagaPromise| matches!(other.way, SagaWay::Choreographed { start: of, .. } if of == start);
                if let Some(other) = promises.iter().find(begins) {
                    let message = "two sagas begin with the same message";
                    let diagnostic = Diagnostic::new("contradiction", promise.span, message);
                    let diagnostic = diagnostic.related(other.span, "the other one");
                    self.report(diagnostic.help("name the steps of both in one entry"));
                }
            }
            promises.push(promise);
        }
        promises
    }

    fn saga_promise(&mut self, name: &str, entry: &'a Entry) -> Option<SagaPromise> {
        let node = &entry.value;
        let way = match name.split_once('.') {
            Some((service, saga)) => self.orchestrated(service, saga, entry),
            None => self.choreographed(name, entry),
        };
        let mut bounds = Vec::new();
        for (measure, word) in SagaMeasure::ALL {
            let Some(bound) = nodes::get(node, word) else { continue };
            bounds.push((measure, expression::bound(bound, &mut self.context())?));
        }
        if bounds.is_empty() {
            let diagnostic = Diagnostic::new("missing-key", entry.key_span, "nothing is bounded here");
            self.report(
                diagnostic.help("bound `stuck`, `inconsistent`, `leaked`, `over_undone` or `dirty_reads`"),
            );
        }
        Some(SagaPromise { name: name.to_owned(), span: entry.key_span, way: way?, bounds })
    }

    fn orchestrated(&mut self, service: &str, saga: &str, entry: &'a Entry) -> Option<SagaWay> {
        for key in CHOREOGRAPHY {
            if let Some(written) = nodes::entry(&entry.value, key) {
                let message = format!("the saga says itself what its `{key}` is");
                self.report(Diagnostic::new("misplaced-option", written.key_span, message));
            }
        }
        let service = self.service_named(service, entry.key_span)?;
        let declared = &self.names.services[service.index()];
        let sagas = nodes::section(&declared.value, "sagas");
        if !sagas.contains_key(saga) {
            let names = sagas.keys().map(String::as_str);
            let diagnostic = unknown(Kind::Saga, saga, entry.key_span, names);
            self.report(diagnostic.related(declared.key_span, "the service"));
            return None;
        }
        Some(SagaWay::Orchestrated { service, saga: saga.to_owned() })
    }

    fn choreographed(&mut self, name: &str, entry: &'a Entry) -> Option<SagaWay> {
        let node = &entry.value;
        for key in CHOREOGRAPHY {
            if nodes::get(node, key).is_none() {
                let message = format!("`{name}` is no saga of a service, and has no `{key}`");
                let diagnostic = Diagnostic::new("missing-key", entry.key_span, message);
                self.report(diagnostic.help("write `service.saga`, or say `start`, `key` and `steps`"));
                return None;
            }
        }
        let start = nodes::get(node, "start")?;
        let start = self.message_named(nodes::text(start)?, start.span)?;
        let scope = Scope { message: Some(start), ..Scope::NOTHING };
        let key = nodes::get(node, "key")?;
        let key = expression::expression(key, None, &scope, &mut self.context())?;
        let reads_else = |kind: &ExpressionKind| {
            let of_message = matches!(
                kind,
                ExpressionKind::Message(field) if !matches!(field, MessageField::Field(_))
            );
            of_message || matches!(kind, ExpressionKind::Unique)
        };
        if !key.ty.is_scalar() || key.any(&reads_else) {
            let message = "what tells one saga from another is made of fields of the message that starts it";
            self.report(Diagnostic::new("wrong-type", key.span, message));
            return None;
        }
        let mut steps = Vec::new();
        for step in nodes::get(node, "steps").map_or(&[][..], nodes::list) {
            let word = nodes::text(step)?;
            self.check_step_named(word, step.span)?;
            steps.push(word.to_owned());
        }
        Some(SagaWay::Choreographed { start, key, steps })
    }
}
