//! Knobs that cannot go together, or mean nothing beside each other, asked when all of them are laid over one
//! another: what a broker or topic says is only a beginning, and a consumer may mend it.
//!
//! ```text
//! kafka              ack_scope: cursor, stale_ack: fence
//! └─ topic
//!    └─ consumer     stale_ack: accept        ← a cursor has one owner: reported here, the nearest of the two
//! ```

use super::Resolver;
use super::nodes;
use crate::kernel::ids::TopicId;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;

/// Which knobs contradict each other, the likeliest mistake first, and why.
type Contradiction = (&'static [&'static str], &'static str);

impl<'a> Resolver<'a> {
    /// Of a subscription, once all its knobs are known; `node` is its own.
    pub fn check_group(&mut self, group: &Group, node: &'a Node) {
        let Some((keys, why)) = contradiction(group) else { return };
        let topic = group.topic;
        let written = self.nearest(node, topic, keys);
        // A wrong place to redeliver to is reported where it is written.
        if written.is_some_and(|(key, _)| key == "redeliver") {
            return;
        }
        let span = written.map_or(group.span, |(_, entry)| entry.key_span);
        // What a topic says is wrong once, however many consume it.
        let is_told = |told: &Diagnostic| told.code == "contradiction" && told.span == span;
        if !self.diagnostics.list.iter().any(is_told) {
            self.report(Diagnostic::new("contradiction", span, why));
        }
    }

    /// The entry for one of these knobs that counts: the consumer's own, else the topic's, else the broker's.
    fn nearest(
        &self,
        node: &'a Node,
        topic: TopicId,
        keys: &[&'static str],
    ) -> Option<(&'static str, &'a Entry)> {
        let broker = self.topics[topic.index()].broker;
        let (_, topic) = self.names.topics.get_index(topic.index())?;
        let broker = self.names.brokers.get_index(broker.index()).map(|(_, entry)| &entry.value);
        let levels = [Some(node), Some(&topic.value), broker];
        levels
            .into_iter()
            .flatten()
            .find_map(|level| keys.iter().find_map(|key| nodes::entry(level, key).map(|entry| (*key, entry))))
    }

    /// A confirmation that waits for the next flush means nothing where none is waited for.
    pub fn check_confirmations(&mut self) {
        let useless = |topic: &Topic| topic.knobs.min_in_sync > 1 && topic.knobs.flush_every.is_none();
        let mut found: Vec<&'a Entry> = Vec::new();
        for (topic, (_, entry)) in self.topics.iter().zip(self.names.topics) {
            found.extend(nodes::entry(&entry.value, "min_in_sync").filter(|_| useless(topic)));
        }
        for (broker, (_, entry)) in self.names.brokers.iter().enumerate() {
            let all = self.topics.iter().zip(self.names.topics);
            let mut heirs = all
                .filter(|(topic, (_, own))| {
                    topic.broker.index() == broker && nodes::entry(&own.value, "min_in_sync").is_none()
                })
                .peekable();
            if heirs.peek().is_some() && heirs.all(|(topic, _)| useless(topic)) {
                found.extend(nodes::entry(&entry.value, "min_in_sync"));
            }
        }
        for entry in found {
            let message = "with `flush: always` a message is durable before its publisher is told, however many copies there are";
            self.report(
                Diagnostic::new("contradiction", entry.key_span, message)
                    .help("say how long copies lag: `flush: 100ms`, or leave `min_in_sync` out"),
            );
        }
    }
}

fn contradiction(group: &Group) -> Option<Contradiction> {
    let Knobs { order_lock, ack_scope, lease, stale_ack, redeliver, .. } = &group.knobs;
    let is_cursor = *ack_scope == AckScope::Cursor;
    let owns_partitions = is_cursor || matches!(order_lock, OrderLock::Partition | OrderLock::Queue);
    let one_by_one = matches!(lease.kind, LeaseKind::Timer | LeaseKind::Claim | LeaseKind::Transaction);
    let on_delivery = *ack_scope == AckScope::OnDelivery;
    let by_position = matches!(group.ack, AckMode::After | AckMode::Periodic);
    let keeps_keys = *order_lock == OrderLock::Key && *ack_scope == AckScope::Individual;
    if is_cursor && *order_lock == OrderLock::Session {
        return Some((&["order_lock", "ack_scope"], "a cursor's partition has one owner for all its keys"));
    }
    if owns_partitions && one_by_one {
        let why = "a partition has an owner, so its lease is a session or a connection";
        return Some((&["ack_scope", "order_lock", "lease"], why));
    }
    if on_delivery && one_by_one {
        let why = "what is acknowledged on delivery needs no lease of its own";
        return Some((&["ack_scope", "lease"], why));
    }
    if on_delivery && *order_lock != OrderLock::None {
        let why = "what is acknowledged on delivery cannot lock what follows it";
        return Some((&["ack_scope", "order_lock"], why));
    }
    if is_cursor && *stale_ack == StaleAck::Accept {
        let why = "a cursor (`ack_scope: cursor`) has one owner: what another says of it cannot count";
        return Some((&["stale_ack", "ack_scope"], why));
    }
    if is_cursor && *order_lock == OrderLock::Key && !by_position {
        let why = "a cursor would pass messages that wait for their key: acknowledge `after` the work, or `periodic`";
        return Some((&["ack", "order_lock", "ack_scope"], why));
    }
    if redeliver.to == RedeliverTo::RewindKey && !keeps_keys {
        let why = "only messages that are acknowledged one by one under `order_lock: key` are rewound by key, \
                   and here `redeliver` goes `to: rewind_key`";
        return Some((&["order_lock", "ack_scope", "redeliver"], why));
    }
    if is_cursor && group.knobs.shards > 1 {
        let why = "a cursor acknowledges by its position, of which no server can miss a part: `shards` are of a queue";
        return Some((&["shards", "ack_scope"], why));
    }
    None
}
