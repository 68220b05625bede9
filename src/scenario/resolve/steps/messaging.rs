//! Steps that send: publish, call, send, reply, effect.

use super::{BodyResolver, Owner, Written};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::Node;
use crate::scenario::resolve::bounds::FIELDS_SENT;
use crate::scenario::resolve::names::{Kind, listed, unknown};
use crate::scenario::resolve::nodes;
use crate::scenario::resolve::quantities::{flag, lognormal_node};
use crate::scenario::resolve::services::DEFAULT_CALL_TIMEOUT;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// How long an external effect takes unless `takes` says: about ten times a hop of the network, because
/// the other side works too. (Median and 99th percentile of a lognormal.)
const DEFAULT_EFFECT_TIME: (&str, &str) = ("5ms", "50ms");

impl<'r, 'a> BodyResolver<'r, 'a> {
    pub(super) fn publish(&mut self, written: Written<'a>) -> Option<StepKind> {
        self.resolver.refuse_keys("publish", written.node);
        let message = self.message(written.value);
        let topic = message.and_then(|message| self.topic_of(written, message));
        let with = message.and_then(|message| self.fields(written, message));
        let key = written.option("key").map(|node| self.expression(node, None));
        let id = written.option("id").map(|node| self.expression(node, Some(&Type::Id)));
        let delay = written.option("delay").map(|node| self.value(node, Some(&Type::Duration), None));
        let expires = written.option("expires").map(|node| self.value(node, Some(&Type::Duration), None));
        let via = self.via(written, topic);
        let confirm = topic.is_none_or(|topic| self.resolver.topics[topic.index()].knobs.producer.confirm);
        let confirm = flag(written.option("confirm"), confirm);
        let tombstone = flag(written.option("tombstone"), false);
        let keeps_all = topic.is_some_and(|topic| !self.resolver.topics[topic.index()].knobs.retain.compact);
        if let Some(node) = written.option("tombstone").filter(|_| tombstone && keeps_all) {
            let why = "nothing drops older messages of the key: the topic is not compacted";
            let help = "say so on the topic: `retain: { compact: true }`";
            self.resolver.report(Diagnostic::new("contradiction", node.span, why).help(help));
        }
        let timeout = self.timeout(written);
        let retry = self.retry(written);
        let catch = self.catch(written);
        Some(StepKind::Publish(Box::new(Publish {
            message: message?,
            topic: topic?,
            with: with?,
            key: all_or_none(key)?,
            id: all_or_none(id)?,
            via,
            confirm,
            delay: all_or_none(delay)?,
            expires: all_or_none(expires)?,
            tombstone,
            timeout,
            retry,
            catch,
        })))
    }

    pub(super) fn message(&mut self, node: &'a Node) -> Option<MessageId> {
        let message = self.resolver.message_named(nodes::text(node)?, node.span);
        self.resolver.flow.is_unclear |= message.is_none();
        message
    }

    /// The topic that carries the message; `to` chooses among several. A dead-letter topic is none of
    /// them: what it carries comes from other topics, and whoever publishes to it says so.
    fn topic_of(&mut self, written: Written<'a>, message: MessageId) -> Option<TopicId> {
        let topic = match written.option("to") {
            Some(to) => self.topic_chosen(to, message),
            None => self.topic_found(written, message),
        };
        match topic {
            Some(topic) => _ = self.resolver.flow.published.insert((topic, message)),
            None => self.resolver.flow.is_unclear = true,
        }
        topic
    }

    fn topic_chosen(&mut self, to: &'a Node, message: MessageId) -> Option<TopicId> {
        let topic = self.resolver.topic_named(nodes::text(to)?, to.span)?;
        let described = &self.resolver.topics[topic.index()];
        if !self.resolver.carried.contains(&(message, topic)) {
            let message = &self.resolver.messages[message.index()].name;
            let why = format!("the topic `{}` does not carry `{message}`", described.name);
            let diagnostic =
                Diagnostic::new("not-carried", to.span, why).related(described.span, "the topic");
            self.resolver.report(diagnostic.help(format!("add `{message}` to its `messages`")));
            return None;
        }
        Some(topic)
    }

    fn topic_found(&mut self, written: Written<'a>, message: MessageId) -> Option<TopicId> {
        let ends = (message, TopicId(0))..=(message, TopicId(u32::MAX));
        let mut carrying: Vec<TopicId> = self.resolver.carried.range(ends).map(|&(_, topic)| topic).collect();
        if carrying.len() > 1 {
            carrying.retain(|topic| !self.resolver.dead_letters.contains(topic));
        }
        let topics = &self.resolver.topics;
        let name = &self.resolver.messages[message.index()].name;
        let diagnostic = match carrying[..] {
            [topic] => return Some(topic),
            [] => Diagnostic::new("no-topic", written.value.span, format!("no topic carries `{name}`"))
                .help(format!("add it to the `messages` of a topic: `messages: [{name}]`")),
            _ => {
                let names: Vec<&str> =
                    carrying.iter().map(|&topic| topics[topic.index()].name.as_str()).collect();
                let why = format!("several topics carry `{name}`");
                Diagnostic::new("several-topics", written.value.span, why)
                    .help(format!("say which by `to`: one of {}", listed(&names)))
            }
        };
        self.resolver.report(diagnostic);
        None
    }

    pub(super) fn need_outbox(&mut self, via: &'a Node) {
        let Owner::Service(service) = self.place.owner else {
            self.misplaced(via.span, "a client has no outbox");
            return;
        };
        let service = &self.resolver.services[service.index()];
        if service.outbox.is_none() {
            let why = format!("`{}` has no outbox", service.name);
            let diagnostic = Diagnostic::new("no-outbox", via.span, why)
                .related(service.span, "declared here")
                .help("give the service one: `outbox: {}`");
            self.resolver.report(diagnostic);
        }
    }

    pub(super) fn call(&mut self, written: Written<'a>) -> Option<StepKind> {
        let target = self.target(written);
        let with = target.and_then(|(_, message)| self.fields(written, message));
        let timeout = self.timeout(written);
        let retry = self.retry(written);
        let catch = self.catch(written);
        let hedge = written.option("hedge");
        let hedge = hedge.and_then(|hedge| self.resolver.positive_duration(hedge, "a hedge"));
        let result = self.result(written, target.map(|(_, message)| Type::Reply(message)));
        let (service, message) = target?;
        let policy = self.policy(service);
        let inherits = written.option("retry").is_none();
        Some(StepKind::Call(Call {
            service,
            message,
            with: with?,
            timeout: timeout.or(policy.as_ref().map(|policy| policy.timeout)).unwrap_or(DEFAULT_CALL_TIMEOUT),
            retry: retry.or(policy.and_then(|policy| policy.retry).filter(|_| inherits)),
            hedge,
            result,
            catch,
        }))
    }

    pub(super) fn send(&mut self, written: Written<'a>) -> Option<StepKind> {
        let target = self.target(written);
        let with = target.and_then(|(_, message)| self.fields(written, message));
        let (service, message) = target?;
        Some(StepKind::Send { service, message, with: with? })
    }

    /// `service.Message`, which the service has to handle.
    fn target(&mut self, written: Written<'a>) -> Option<(ServiceId, MessageId)> {
        let target = self.target_named(written);
        match target {
            Some(target) => _ = self.resolver.flow.requests.insert(target),
            None => self.resolver.flow.is_unclear = true,
        }
        target
    }

    fn target_named(&mut self, written: Written<'a>) -> Option<(ServiceId, MessageId)> {
        let node = written.value;
        let text = nodes::text(node)?;
        let (service_name, message_name) = text.split_once('.')?;
        let start = nodes::place_of(node, 0..service_name.len());
        let end = nodes::place_of(node, service_name.len() + 1..text.len());
        let service = self.resolver.service_named(service_name, start);
        let message = self.resolver.message_named(message_name, end);
        let (service, message) = (service?, message?);
        let entry = &self.resolver.names.services[service.index()];
        let handlers = nodes::section(&entry.value, "handlers");
        let taken = taken_by_sagas(&entry.value);
        let mut in_versions = self.resolver.merged.handled(service);
        let is_handled = handlers.contains_key(message_name)
            || taken.contains(&message_name)
            || in_versions.any(|handled| handled == message_name);
        if !is_handled {
            let handled: Vec<&str> = handlers.keys().map(String::as_str).chain(taken).collect();
            let why = format!("`{service_name}` has no handler for `{message_name}`");
            let diagnostic = Diagnostic::new("no-handler", end, why).related(entry.key_span, "the service");
            self.resolver.report(match handled.is_empty() {
                true => diagnostic.help("it handles no message at all"),
                false => diagnostic.help(format!("it handles {}", listed(&handled))),
            });
            return None;
        }
        Some((service, message))
    }

    /// What `calls` says about calls to a service.
    fn policy(&self, service: ServiceId) -> Option<CallPolicy> {
        let policies = match self.place.owner {
            Owner::Service(caller) => &self.resolver.services[caller.index()].calls,
            Owner::Client(client) => &self.resolver.client_calls[client.index()],
        };
        policies.iter().find(|policy| policy.service == service).cloned()
    }

    /// Fields of the message in hand are answered by its `reply`.
    pub(super) fn reply(&mut self, written: Written<'a>) -> Option<StepKind> {
        let message = self.place.message?;
        // A bare `reply` answers with what the fields start with.
        let with = Some(written.value).filter(|value| !nodes::map(value).is_empty());
        let fields = self.resolver.messages[message.index()].reply.clone();
        self.assigned(with, &fields, message, written).map(StepKind::Reply)
    }

    /// All fields of a message, as `with` says.
    pub(super) fn fields(&mut self, written: Written<'a>, message: MessageId) -> Option<Assignments> {
        let fields = self.resolver.messages[message.index()].fields.clone();
        self.assigned(written.option("with"), &fields, message, written)
    }

    fn assigned(
        &mut self,
        with: Option<&'a Node>,
        fields: &[Field],
        message: MessageId,
        written: Written<'a>,
    ) -> Option<Assignments> {
        self.resolver.fields_sent += fields.len();
        if self.resolver.fields_sent > FIELDS_SENT {
            if self.resolver.fields_sent - fields.len() <= FIELDS_SENT {
                self.resolver.exceeds(written.verb_span, "fields in all messages sent", FIELDS_SENT);
            }
            return None;
        }
        let mut given = match with {
            Some(with) if nodes::is_word(with, "message") => self.copied(with, fields)?,
            Some(with) => self.named(with, fields, message)?,
            None => Vec::new(),
        };
        let mut is_given = vec![false; fields.len()];
        given.iter().for_each(|&(position, _)| is_given[position] = true);
        let span = with.map_or(written.verb_span, |with| with.span);
        let missing: Vec<usize> = (0..fields.len()).filter(|&position| !is_given[position]).collect();
        let is_bare_reply = with.is_none() && written.verb == "reply";
        if !missing.is_empty() && !is_bare_reply {
            let names: Vec<&str> = missing.iter().map(|&position| fields[position].name.as_str()).collect();
            self.lacks_fields(span, &names, message, written);
            return None;
        }
        for (position, field) in missing.into_iter().map(|position| (position, &fields[position])) {
            let kind = ExpressionKind::Literal(self.resolver.initial(&field.ty));
            given.push((position, Value::Expression(Expression { kind, ty: field.ty.clone(), span })));
        }
        Some(given)
    }

    /// A field that nobody gives would be 0, false or empty, and look like a value.
    fn lacks_fields(&mut self, span: Span, names: &[&str], message: MessageId, written: Written<'a>) {
        let message = &self.resolver.messages[message.index()];
        let (what, key) = match written.verb {
            "reply" => ("the answer to", "reply"),
            _ => ("the", "with"),
        };
        let why = format!("{what} `{}` lacks {}", message.name, listed(names));
        let example = names.iter().take(3).map(|name| format!("{name}: …")).collect::<Vec<_>>().join(", ");
        let diagnostic = Diagnostic::new("missing-field", span, why)
            .related(message.span, format!("the fields of `{}`", message.name))
            .help(format!("give every field: `{key}: {{ {example} }}`"));
        self.resolver.report(diagnostic);
    }

    /// `{ field: value }`.
    fn named(&mut self, with: &'a Node, fields: &[Field], message: MessageId) -> Option<Assignments> {
        let mut given = Vec::new();
        let mut is_right = true;
        for (name, entry) in nodes::map(with) {
            let Some(position) = fields.iter().position(|field| field.name == *name) else {
                let message = &self.resolver.messages[message.index()];
                let names = fields.iter().map(|field| field.name.as_str());
                let diagnostic = unknown(Kind::Field, name, entry.key_span, names)
                    .related(message.span, format!("the fields of `{}`", message.name));
                self.resolver.report(diagnostic);
                is_right = false;
                continue;
            };
            match self.value(&entry.value, Some(&fields[position].ty), None) {
                Some(value) => given.push((position, value)),
                None => is_right = false,
            }
        }
        is_right.then_some(given)
    }

    /// Fields of the message in hand, to those of the same name.
    fn copied(&mut self, node: &'a Node, fields: &[Field]) -> Option<Assignments> {
        let Some(message) = self.place.message else {
            let why = "there is no message in hand here";
            self.resolver.report(Diagnostic::new("no-message", node.span, why));
            return None;
        };
        let message = &self.resolver.messages[message.index()];
        let mut copied = Vec::new();
        for (position, field) in message.fields.iter().enumerate() {
            let Some(target) = fields.iter().position(|target| target.name == field.name) else { continue };
            if fields[target].ty != field.ty {
                let why = format!("`{}` has another type in `{}`", field.name, message.name);
                let diagnostic = Diagnostic::new("wrong-type", node.span, why)
                    .related(message.span, "the message in hand")
                    .help("name the fields one by one");
                self.resolver.report(diagnostic);
                return None;
            }
            let kind = ExpressionKind::Message(MessageField::Field(position));
            let value = Expression { kind, ty: field.ty.clone(), span: node.span };
            copied.push((target, Value::Expression(value)));
        }
        if copied.is_empty() {
            let why = format!("`{}` has no field of the same name", message.name);
            let diagnostic = Diagnostic::new("nothing-copied", node.span, why);
            self.resolver.report(diagnostic.related(message.span, "the message in hand"));
            return None;
        }
        Some(copied)
    }

    pub(super) fn effect(&mut self, written: Written<'a>) -> Option<StepKind> {
        let (index, _) = self.resolver.effects.insert_full(nodes::text(written.value)?.to_owned());
        let idempotency_key = written.option("idempotency_key").map(|node| self.expression(node, None));
        let takes = match written.option("takes") {
            Some(takes) => self.value(takes, Some(&Type::Duration), None),
            None => {
                let (median, p99) = DEFAULT_EFFECT_TIME;
                let takes = lognormal_node(median, p99, written.verb_span);
                self.value(&takes, Some(&Type::Duration), None)
            }
        };
        let timeout = self.timeout(written);
        let retry = self.retry(written);
        let catch = self.catch(written);
        Some(StepKind::Effect {
            effect: EffectId::new(index),
            idempotency_key: all_or_none(idempotency_key)?,
            takes: Some(takes?),
            timeout,
            retry,
            catch,
        })
    }

    fn timeout(&mut self, written: Written<'a>) -> Option<Nanos> {
        written.option("timeout").and_then(|node| self.resolver.positive_duration(node, "a timeout"))
    }
}

/// An option that is written must have been understood; one that is not written is none.
fn all_or_none<T>(option: Option<Option<T>>) -> Option<Option<T>> {
    match option {
        Some(None) => None,
        Some(understood) => Some(understood),
        None => Some(None),
    }
}

/// The messages that start a saga of a service, or that one waits for.
fn taken_by_sagas(service: &Node) -> Vec<&str> {
    let mut taken = Vec::new();
    for entry in nodes::section(service, "sagas").values() {
        taken.extend(nodes::get(&entry.value, "start").and_then(nodes::text));
        for step in nodes::get(&entry.value, "steps").map_or(&[][..], nodes::list) {
            let Some(awaited) = nodes::get(step, "await") else { continue };
            let words = ["success", "failure"].into_iter();
            taken.extend(words.filter_map(|key| nodes::get(awaited, key).and_then(nodes::text)));
        }
    }
    taken
}
