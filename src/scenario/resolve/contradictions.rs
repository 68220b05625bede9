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
use crate::kernel::consumption::{self, Consumption};
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
    let consumption = Consumption {
        order_lock: *order_lock,
        ack_scope: *ack_scope,
        stale_ack: *stale_ack,
        is_taken_one_by_one: matches!(
            lease.kind,
            LeaseKind::Timer | LeaseKind::Claim | LeaseKind::Transaction
        ),
        is_acknowledged_after: matches!(group.ack, AckMode::After | AckMode::Periodic),
        rewinds_keys: redeliver.to == RedeliverTo::RewindKey,
    };
    if let Some(contradiction) = consumption.contradiction() {
        return Some(told(contradiction));
    }
    if *ack_scope == AckScope::Cursor && group.knobs.shards > 1 {
        let why = "a cursor acknowledges by its position, of which no server can miss a part: `shards` are of a queue";
        return Some((&["shards", "ack_scope"], why));
    }
    None
}

/// The knobs that say so, and what is wrong with it.
fn told(contradiction: consumption::Contradiction) -> Contradiction {
    use consumption::Contradiction::*;
    match contradiction {
        SessionOfCursor => {
            (&["order_lock", "ack_scope"], "a cursor's partition has one owner for all its keys")
        }
        OwnerWithoutLease => {
            let why = "a partition has an owner, so its lease is a session or a connection";
            (&["ack_scope", "order_lock", "lease"], why)
        }
        LeaseOfForgotten => {
            (&["ack_scope", "lease"], "what is acknowledged on delivery needs no lease of its own")
        }
        LockOfForgotten => {
            let why = "what is acknowledged on delivery cannot lock what follows it";
            (&["ack_scope", "order_lock"], why)
        }
        AcknowledgedByAnother => {
            let why = "a cursor (`ack_scope: cursor`) has one owner: what another says of it cannot count";
            (&["stale_ack", "ack_scope"], why)
        }
        PassesLockedKeys => {
            let why = "a cursor would pass messages that wait for their key: acknowledge `after` the work, or `periodic`";
            (&["ack", "order_lock", "ack_scope"], why)
        }
        RewindsNoKeys => {
            let why = "only messages that are acknowledged one by one under `order_lock: key` are rewound by key, \
                       and here `redeliver` goes `to: rewind_key`";
            (&["order_lock", "ack_scope", "redeliver"], why)
        }
    }
}
