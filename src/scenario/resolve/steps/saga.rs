//! Sagas: their steps, and the key by which messages find them.
//!
//! All steps of a saga are one body as far as names go: a local is known in every step behind the one that
//! makes it, in what undoes that step, and in `completed` and `compensated`. The key is written once and
//! read of every message that starts the saga or that it waits for.

use super::{Place, Resolver};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolve::nodes;
use crate::scenario::resolved::*;

/// Steps of one saga: a word of bits says of each whether a late answer would undo it.
const MOST_STEPS: usize = 64;

const ON_TIMEOUT: &[(&str, OnTimeout)] = &[("undo", OnTimeout::Undo), ("skip", OnTimeout::Skip)];

const LATE: &[(&str, Late)] = &[("ignore", Late::Ignore), ("undo", Late::Undo)];

impl Place {
    fn saga(service: ServiceId, name: &str, saga: &str, start: MessageId) -> Self {
        Place { message: Some(start), in_saga: true, ..Place::job(service, name, saga) }
    }
}

impl<'a> Resolver<'a> {
    pub fn resolve_sagas(&mut self, service: ServiceId, name: &str, node: &'a Node) -> Vec<Saga> {
        let others = [("handler", nodes::section(node, "handlers")), ("job", nodes::section(node, "jobs"))];
        let mut sagas = Vec::new();
        for (word, entry) in nodes::section(node, "sagas") {
            for (noun, section) in &others {
                if let Some(other) = section.get(word) {
                    let message = format!("`{word}` is the name of a {noun} and of a saga of `{name}`");
                    let diagnostic = Diagnostic::new("name-clash", entry.key_span, message);
                    self.report(diagnostic.related(other.key_span, format!("the {noun}")));
                }
            }
            self.need_store(service, entry.key_span, "a saga (its position is stored)");
            match self.resolve_saga(service, name, word, entry) {
                Some(saga) => {
                    self.check_handled_once(&saga, node);
                    sagas.push(saga);
                }
                None => self.flow.is_unclear = true,
            }
        }
        sagas
    }

    fn resolve_saga(&mut self, service: ServiceId, name: &str, saga: &str, entry: &'a Entry) -> Option<Saga> {
        let node = &entry.value;
        self.flow.kept_beside_rows.push((service, entry.key_span));
        let start = nodes::get(node, "start")?;
        let start = self.message_named(nodes::text(start)?, start.span)?;
        let written = nodes::get(node, "steps").map_or(&[][..], nodes::list);
        if written.len() > MOST_STEPS {
            self.exceeds(entry.key_span, "steps in one saga", MOST_STEPS);
            return None;
        }
        let awaits: Vec<Option<Option<Await>>> = written.iter().map(|step| self.awaited(step)).collect();
        let mut messages = vec![start];
        for of in awaits.iter().flatten().flatten() {
            messages.extend([of.success].into_iter().chain(of.failure));
        }
        let keys = nodes::get(node, "key").and_then(|key| self.saga_keys(key, &messages));
        let mut body = self.body_resolver(Place::saga(service, name, saga, start));
        let mut steps = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for (step, awaits) in written.iter().zip(awaits) {
            let Some(node) = nodes::get(step, "step") else { continue };
            let Some(step_name) = nodes::text(node) else { continue };
            if names.contains(&step_name) {
                let message = format!("two steps of this saga are called `{step_name}`");
                body.resolver.report(Diagnostic::new("name-clash", node.span, message));
            }
            names.push(step_name);
            body.begin_part(format!("{name}/{saga}.{step_name}"));
            let done = nodes::get(step, "do").map_or_else(Vec::new, |steps| body.steps(steps));
            let undo = nodes::get(step, "undo").map_or_else(Vec::new, |steps| body.block(steps));
            let on_timeout =
                nodes::get(step, "on_timeout").and_then(|node| body.resolver.word(node, ON_TIMEOUT));
            steps.push(SagaStep {
                name: step_name.to_owned(),
                body: done,
                undo,
                on_timeout: on_timeout.unwrap_or(OnTimeout::Undo),
                awaits: awaits?,
            });
        }
        let mut last = |part: &str| {
            body.begin_part(format!("{name}/{saga}.{part}"));
            nodes::get(node, part).map_or_else(Vec::new, |steps| body.block(steps))
        };
        let (completed, compensated) = (last("completed"), last("compensated"));
        let locals = body.locals;
        Some(Saga {
            name: saga.to_owned(),
            span: entry.key_span,
            start,
            keys: keys?,
            locals,
            steps,
            completed,
            compensated,
        })
    }

    /// `await` of a step; `None` after a mistake in it.
    fn awaited(&mut self, step: &'a Node) -> Option<Option<Await>> {
        let Some(node) = nodes::get(step, "await") else { return Some(None) };
        let message = |resolver: &mut Self, key: &str| {
            let node = nodes::get(node, key)?;
            Some(resolver.message_named(nodes::text(node)?, node.span))
        };
        let (success, failure) = (message(self, "success"), message(self, "failure"));
        let timeout = nodes::get(node, "timeout").map(|node| self.positive_duration(node, "a timeout"));
        let late = nodes::entry(node, "late");
        if let Some(late) = late
            && timeout.is_none()
        {
            let message = "without a `timeout` no answer comes too late";
            self.report(Diagnostic::new("misplaced-option", late.key_span, message));
        }
        let late = late.and_then(|late| self.word(&late.value, LATE));
        Some(Some(Await {
            success: success??,
            failure: match failure {
                Some(failure) => Some(failure?),
                None => None,
            },
            timeout: match timeout {
                Some(timeout) => Some(timeout?),
                None => None,
            },
            late: late.unwrap_or(Late::Ignore),
        }))
    }

    /// The key as a value of each message, all of one type.
    fn saga_keys(&mut self, node: &'a Node, messages: &[MessageId]) -> Option<Vec<(MessageId, Expression)>> {
        let mut keys: Vec<(MessageId, Expression)> = Vec::new();
        for &message in messages {
            if keys.iter().any(|(known, _)| *known == message) {
                continue;
            }
            let scope = Scope { message: Some(message), ..Scope::NOTHING };
            let expected = keys.first().map(|(_, key)| key.ty.clone());
            let key = expression::expression(node, expected.as_ref(), &scope, &mut self.context())?;
            if !key.ty.is_scalar() || key.any(&|kind| matches!(kind, ExpressionKind::Unique)) {
                let message = "what tells one saga from another is one value, and the same each time";
                self.report(Diagnostic::new("wrong-type", node.span, message));
                return None;
            }
            keys.push((message, key));
        }
        Some(keys)
    }

    /// What a saga takes has no handler beside it, so that nobody asks which of the two comes first.
    fn check_handled_once(&mut self, saga: &Saga, service: &'a Node) {
        for (message, _) in &saga.keys {
            let name = &self.messages[message.index()].name;
            if let Some(handler) = nodes::section(service, "handlers").get(name) {
                let message = format!("`{name}` is taken by the saga `{}`", saga.name);
                let diagnostic = Diagnostic::new("name-clash", handler.key_span, message)
                    .label("and handled here")
                    .related(saga.span, "the saga")
                    .help("a message goes to the sagas of a service or to its handler: let another service, or a message of its own, do the rest");
                self.report(diagnostic);
            }
        }
    }
}
