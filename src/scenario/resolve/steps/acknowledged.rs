//! `publish … via: ack`: with which deliveries a message can be seen, or not at all.
//!
//! There has to be a delivery in hand, of a broker that has transactions and carries what is published as well,
//! and it has to be acknowledged by the end of its attempt and by nobody but its owner.

use super::{BodyResolver, Owner, Written};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::resolve::Resolver;
use crate::scenario::resolve::names::listed;
use crate::scenario::resolve::nodes;
use crate::scenario::resolve::presets::PRESETS;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

impl<'r, 'a> BodyResolver<'r, 'a> {
    /// Which way a publish goes.
    pub(super) fn via(&mut self, written: Written<'a>, topic: Option<TopicId>) -> Via {
        let Some(via) = written.option("via") else { return Via::Direct };
        if nodes::is_word(via, "outbox") {
            self.need_outbox(via);
            return Via::Outbox;
        }
        if !nodes::is_word(via, "ack") {
            return Via::Direct;
        }
        if let Some(node) = written.option("confirm").filter(|node| nodes::is_word(node, "false")) {
            let why = "what is seen with an acknowledgement has to be with the broker before that";
            self.resolver.report(Diagnostic::new("contradiction", node.span, why));
        }
        if let Some(node) = written.option("delay") {
            self.resolver.not_built(node.span, "a `delay` of a message that goes `via: ack`");
        }
        match (self.place.owner, self.place.message) {
            (Owner::Service(service), Some(message)) if self.has_delivery && !self.in_after => {
                self.resolver.flow.with_ack.push((service, message, via.span));
                if let Some(topic) = topic {
                    self.check_with_ack(via.span, topic);
                }
            }
            _ => self.misplaced(via.span, "there is no delivery in hand here that will be acknowledged"),
        }
        Via::Ack
    }

    /// Every subscription that the message in hand can come by must be able to take the other one along.
    fn check_with_ack(&mut self, via: Span, to: TopicId) {
        let topics = &self.resolver.topics;
        let (to, mut found) = (&topics[to.index()], Vec::new());
        if !to.knobs.producer.transactions {
            let with = PRESETS.iter().filter(|(_, knobs)| knobs.producer.transactions);
            let names: Vec<&str> = with.map(|(name, _)| *name).collect();
            let why = "this broker cannot make a message visible together with an acknowledgement";
            let help = format!("{} can; elsewhere the consumer has to know what it has done", listed(&names));
            found.push(Diagnostic::new("no-transactions", via, why).related(to.span, "the topic").help(help));
        }
        for group in self.resolver.groups_of(&self.place) {
            let from = &topics[group.topic.index()];
            if from.broker != to.broker {
                let why = format!("`{}` and `{}` are on two brokers", from.name, to.name);
                found.push(
                    Diagnostic::new("contradiction", via, why)
                        .related(group.span, "acknowledged there")
                        .help("one broker alone can do both at once"),
                );
            }
            let why = match group.ack {
                AckMode::Before => "the acknowledgement comes before the message",
                AckMode::Manual => "an acknowledgement in the middle says nothing of what follows",
                _ if group.knobs.ack_scope == AckScope::OnDelivery => {
                    "what is acknowledged on delivery is not acknowledged by its consumer"
                }
                // One that is ignored counts all the same while nobody else has the message.
                _ if group.knobs.stale_ack != StaleAck::Fence => {
                    "a consumer that is no longer the owner could still acknowledge"
                }
                _ => continue,
            };
            found.push(
                Diagnostic::new("contradiction", via, why)
                    .related(group.span, "the subscription")
                    .help("`ack: after` or `ack: periodic`, by the owner alone (`stale_ack: fence`)"),
            );
        }
        found.into_iter().for_each(|diagnostic| self.resolver.report(diagnostic));
    }
}

impl Resolver<'_> {
    /// A call has no acknowledgement.
    pub fn check_with_acks(&mut self) {
        for (service, message, span) in std::mem::take(&mut self.flow.with_ack) {
            if self.flow.requests.contains(&(service, message)) {
                let name = &self.messages[message.index()].name;
                let why = format!("`{name}` is called or sent as well, and has no acknowledgement then");
                self.report(Diagnostic::new("contradiction", span, why).help("handle it by two messages"));
            }
        }
    }
}
