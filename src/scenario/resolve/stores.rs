//! What a store keeps its rows on: when commits become durable, and the copies that reads can ask.

use super::Resolver;
use super::nodes;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression;
use crate::scenario::node::Node;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// Copies that one store may have.
const MOST_COPIES: u64 = 100;

impl<'a> Resolver<'a> {
    /// `flush`: `None` where a commit is durable before it is answered.
    pub fn resolve_flush(&mut self, node: &'a Node) -> Option<Nanos> {
        let flush = nodes::get(node, "flush").filter(|flush| !nodes::is_word(flush, "always"))?;
        self.positive_duration(flush, "an interval")
    }

    /// `read_replica` or `replication`.
    pub fn resolve_copies(&mut self, node: &'a Node) -> Option<Copies> {
        let follow = nodes::entry(node, "read_replica");
        let quorum = nodes::entry(node, "replication");
        if let (Some(follow), Some(quorum)) = (follow, quorum) {
            let message = "the replicas of a quorum store are read as they are";
            let diagnostic = Diagnostic::new("contradiction", follow.key_span, message);
            self.report(diagnostic.related(quorum.key_span, "the quorum"));
            return None;
        }
        if let Some(quorum) = quorum {
            self.refuse_beside_quorum(node, quorum.key_span);
            return self.resolve_quorum(&quorum.value);
        }
        let follow = &follow?.value;
        let count = nodes::get(follow, "count").map(|count| self.count_from_one(count, MOST_COPIES));
        let lag = nodes::get(follow, "lag")
            .and_then(|lag| expression::generator(lag, &Type::Duration, &mut self.context()));
        let sticky = nodes::get(follow, "routing").is_some_and(|routing| nodes::is_word(routing, "sticky"));
        Some(Copies::Follow { count: count.map_or(Some(1), |count| count)?, lag: lag?, sticky })
    }

    /// What has no meaning for rows that are each on their own.
    fn refuse_beside_quorum(&mut self, node: &'a Node, quorum: Span) {
        for (key, why) in [
            ("streams", "the streams of a store are kept in the order of its commits"),
            ("isolation", "a quorum store has no transactions to isolate"),
            ("latency", "the four delays of `replication` say how long everything takes"),
            ("flush", "a write counts when its quorum has it"),
        ] {
            if let Some(entry) = nodes::entry(node, key) {
                let diagnostic = Diagnostic::new("contradiction", entry.key_span, why);
                self.report(diagnostic.related(quorum, "a quorum store"));
            }
        }
    }

    fn resolve_quorum(&mut self, node: &'a Node) -> Option<Copies> {
        let count = |resolver: &mut Self, key: &str| {
            nodes::get(node, key).and_then(|count| resolver.count_from_one(count, MOST_COPIES))
        };
        let replicas = count(self, "n");
        let (write_quorum, read_quorum) = (count(self, "write_quorum"), count(self, "read_quorum"));
        for (key, quorum) in [("write_quorum", write_quorum), ("read_quorum", read_quorum)] {
            if let (Some(node), Some(replicas)) = (nodes::get(node, key), replicas)
                && quorum.is_some_and(|quorum| quorum > replicas)
            {
                self.impossible(node.span, format!("there are {replicas} replicas"));
            }
        }
        let delay = |resolver: &mut Self, key: &str| {
            let node = nodes::get(node, key)?;
            expression::generator(node, &Type::Duration, &mut resolver.context())
        };
        let (write, acknowledge) = (delay(self, "write"), delay(self, "ack"));
        let (read, respond) = (delay(self, "read"), delay(self, "respond"));
        Some(Copies::Quorum(Box::new(Quorum {
            replicas: replicas?,
            write_quorum: write_quorum?,
            read_quorum: read_quorum?,
            write: write?,
            acknowledge: acknowledge?,
            read: read?,
            respond: respond?,
        })))
    }

    /// Refuses what a quorum store cannot do.
    pub fn need_one_copy(&mut self, service: ServiceId, span: Span, what: &str) {
        let Some(store) = self.own_store(service) else { return };
        if matches!(store.copies, Some(Copies::Quorum(_))) {
            let message = format!("{what} needs a store in one piece, and this one is a quorum of replicas");
            let owner = self.services[service.index()].span;
            let diagnostic = Diagnostic::new("contradiction", span, message).related(owner, "declared here");
            self.report(diagnostic.help("each step on one row, by its key, is on its own there"));
        }
    }

    /// The store that a service uses, wherever it is declared.
    fn own_store(&self, service: ServiceId) -> Option<&Store> {
        match self.services.get(service.index())?.store.as_ref()? {
            StoreUse::Own(store) => Some(store),
            StoreUse::Shared(owner) => match self.services.get(owner.index())?.store.as_ref()? {
                StoreUse::Own(store) => Some(store),
                StoreUse::Shared(_) => None,
            },
        }
    }
}
