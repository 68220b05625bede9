//! What reaches what: a handler that no message can reach, and a subscription to a topic that stays
//! empty, are mistakes, because a run would say nothing about them and look fine.
//!
//! A message reaches a handler by a `call` or a `send` of it to the service, or by a `publish` to a topic
//! that the service consumes, also by way of a dead-letter topic. Where a name in a step or subscription
//! is not known, what it was meant to reach is not known either, and nothing is reported here.

use super::Resolver;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Who sends what where, as far as the steps were understood.
#[derive(Clone, Default)]
pub struct Flow {
    /// Calls and sends.
    pub requests: BTreeSet<(ServiceId, MessageId)>,
    pub published: BTreeSet<(TopicId, MessageId)>,
    /// Handlers that publish with the acknowledgement of their delivery, and where they say so.
    pub with_ack: Vec<(ServiceId, MessageId, Span)>,
    /// Services with timers or sagas in their store, and where they say so.
    pub kept_beside_rows: Vec<(ServiceId, Span)>,
    /// A name was not understood, so that something may be missing here.
    pub is_unclear: bool,
}

impl<'a> Resolver<'a> {
    pub fn check_reach(&mut self) {
        if self.flow.is_unclear {
            return;
        }
        let arriving = self.arriving();
        let alive: BTreeSet<TopicId> = arriving.iter().map(|&(topic, _)| topic).collect();
        let mut found = Vec::new();
        for group in self.groups.iter().filter(|group| !alive.contains(&group.topic)) {
            let topic = &self.topics[group.topic.index()];
            let message = format!("nothing is ever published to the topic `{}`", topic.name);
            found.push(
                Diagnostic::new("silent-topic", group.span, message)
                    .label("consumed here")
                    .related(topic.span, "the topic")
                    .help("publish a message to it, or remove the subscription"),
            );
        }
        for (index, service) in self.services.iter().enumerate() {
            let consumed: Vec<TopicId> =
                service.groups.iter().map(|group| self.groups[group.index()].topic).collect();
            let of_versions = service.versions.iter().flat_map(|version| &version.handlers);
            let handlers = service.handlers.iter().chain(of_versions);
            let handled = handlers.map(|handler| (handler.message, handler.span));
            let of_sagas =
                service.sagas.iter().flat_map(|saga| saga.keys.iter().map(|key| (key.0, saga.span)));
            for (message, span) in handled.chain(of_sagas) {
                let is_requested = self.flow.requests.contains(&(ServiceId::new(index), message));
                let first = self.first_schema(message);
                let is_delivered = consumed.iter().any(|&topic| {
                    let ends = (topic, MessageId(0))..=(topic, MessageId(u32::MAX));
                    arriving.range(ends).any(|&(_, other)| self.first_schema(other) == first)
                });
                // Of a topic that stays empty we have complained already.
                let is_silent = consumed
                    .iter()
                    .any(|&topic| !alive.contains(&topic) && self.carried.contains(&(message, topic)));
                if !is_requested && !is_delivered && !is_silent {
                    found.push(self.unreached(&service.name, span, message));
                }
            }
        }
        found.into_iter().for_each(|diagnostic| self.report(diagnostic));
    }

    fn unreached(
        &self,
        service: &str,
        span: crate::scenario::source::Span,
        message: MessageId,
    ) -> Diagnostic {
        let name = &self.messages[message.index()].name;
        let diagnostic =
            Diagnostic::new("unreached-handler", span, format!("no `{name}` ever reaches this handler"));
        let elsewhere = self.flow.published.iter().find(|(_, published)| *published == message);
        match elsewhere {
            Some((topic, _)) => {
                let topic = &self.topics[topic.index()];
                diagnostic
                    .related(topic.span, "it is published to this topic")
                    .help(format!("let `{service}` consume it: `consumes: {{ {}: {{}} }}`", topic.name))
            }
            None => diagnostic
                .help(format!("nothing calls or sends `{service}.{name}`, and nothing publishes it")),
        }
    }

    /// Which messages come into which topics, dead letters included.
    fn arriving(&self) -> BTreeSet<(TopicId, MessageId)> {
        let mut moves: BTreeMap<TopicId, BTreeSet<TopicId>> = BTreeMap::new();
        for group in &self.groups {
            moves.entry(group.topic).or_default().extend(group.knobs.exhaust.dead_letter);
        }
        let mut arriving = self.flow.published.clone();
        let mut pending: Vec<(TopicId, MessageId)> = arriving.iter().copied().collect();
        while let Some((topic, message)) = pending.pop() {
            for &next in moves.get(&topic).into_iter().flatten() {
                if arriving.insert((next, message)) {
                    pending.push((next, message));
                }
            }
        }
        arriving
    }
}
