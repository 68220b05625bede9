//! Laying knobs over knobs: preset → broker → topic → consumer, and the nearest wins.

use super::Resolver;
use super::nodes;
use super::quantities::{MOST, flag};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression;
use crate::scenario::node::Node;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// The most partitions of a topic, and the most shards of a queue.
pub const MOST_PARTITIONS: u64 = 10_000;
/// The most tries after which a message can be exhausted.
const MOST_TRIES: u64 = 65_535;
/// The most messages fetched at once.
const MOST_BATCH: u64 = 1_000_000;

/// Where knobs are turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Broker,
    Topic,
    Consumer,
}

/// Knobs of what is kept and of those who send it: the same for all consumers of a topic.
const OF_THE_TOPIC: &[&str] = &["partitions", "route", "producer", "shards", "flush", "min_in_sync", "delay"];

/// The same of `retain`: only where a group goes on that retention has passed is its own.
const RETAINED_BY_THE_TOPIC: &[&str] = &["mode", "for", "bytes", "compact"];

impl<'a> Resolver<'a> {
    /// Turns the knobs that stand among the keys of a broker, topic or subscription.
    pub fn turn_knobs(&mut self, knobs: &mut Knobs, node: &'a Node, level: Level) {
        for (key, entry) in nodes::map(node) {
            if level == Level::Consumer && OF_THE_TOPIC.contains(&key.as_str()) {
                self.is_of_the_topic(key, entry.key_span);
            } else {
                self.turn(knobs, key, &entry.value);
            }
            if level == Level::Consumer && key == "retain" {
                for part in RETAINED_BY_THE_TOPIC {
                    if let Some(written) = nodes::entry(&entry.value, part) {
                        self.is_of_the_topic(&format!("retain: {{ {part}: … }}"), written.key_span);
                    }
                }
            }
        }
        self.check_knobs(knobs, node);
    }

    fn is_of_the_topic(&mut self, knob: &str, span: Span) {
        let message = format!("`{knob}` belongs to the topic, which is the same for all its consumers");
        self.report(Diagnostic::new("misplaced-option", span, message).help("set it on the topic"));
    }

    fn turn(&mut self, knobs: &mut Knobs, key: &str, node: &'a Node) {
        match key {
            "retain" => self.turn_retain(&mut knobs.retain, node),
            "partitions" => set(&mut knobs.partitions, self.count_from_one(node, MOST_PARTITIONS)),
            "route" => set(
                &mut knobs.route,
                self.word(
                    node,
                    &[("by_key", PartitionRoute::ByKey), ("round_robin", PartitionRoute::RoundRobin)],
                ),
            ),
            "order_lock" => set(&mut knobs.order_lock, self.word(node, ORDER_LOCKS)),
            "max_in_flight" => {
                if let Some(node) = nodes::get(node, "per_consumer") {
                    knobs.max_in_flight_per_consumer = self.count_or_unlimited(node, 1);
                }
                if let Some(node) = nodes::get(node, "per_group") {
                    knobs.max_in_flight_per_group = self.count_or_unlimited(node, 1);
                }
            }
            "batch" => set(&mut knobs.batch, self.count_from_one(node, MOST_BATCH)),
            "ack_scope" => set(&mut knobs.ack_scope, self.word(node, ACK_SCOPES)),
            "lease" => self.turn_lease(&mut knobs.lease, node),
            "redeliver" => {
                let to = nodes::get(node, "to").and_then(|to| self.word(to, REDELIVER_TO));
                set(&mut knobs.redeliver.to, to);
                self.turn_duration(&mut knobs.redeliver.delay, node, "delay");
            }
            "stale_ack" => set(
                &mut knobs.stale_ack,
                self.word(
                    node,
                    &[("accept", StaleAck::Accept), ("ignore", StaleAck::Ignore), ("fence", StaleAck::Fence)],
                ),
            ),
            "exhaust" => self.turn_exhaust(&mut knobs.exhaust, node),
            "producer" => self.turn_producer(&mut knobs.producer, node),
            "rebalance" => {
                let mode = nodes::get(node, "mode");
                set(&mut knobs.rebalance.cooperative, mode.map(|mode| nodes::is_word(mode, "cooperative")));
                self.turn_duration(&mut knobs.rebalance.pause, node, "pause");
            }
            "shards" => set(&mut knobs.shards, self.count_from_one(node, MOST_PARTITIONS)),
            "flush" => {
                let every = Some(node).filter(|node| !nodes::is_word(node, "always"));
                knobs.flush_every = every.and_then(|node| self.positive_duration(node, "a flush interval"));
            }
            "min_in_sync" => set(&mut knobs.min_in_sync, self.count_from_one(node, MOST_PARTITIONS)),
            "delay" => set(&mut knobs.delay, expression::duration(node, &mut self.context())),
            _ => {}
        }
    }

    fn turn_retain(&mut self, retain: &mut Retain, node: &'a Node) {
        set(&mut retain.log, nodes::get(node, "mode").map(|mode| nodes::is_word(mode, "log")));
        if let Some(node) = nodes::get(node, "for") {
            retain.duration = self.positive_duration(node, "a retention");
        }
        if let Some(node) = nodes::get(node, "bytes") {
            retain.bytes = expression::size(node, &mut self.context());
        }
        retain.compact = flag(nodes::get(node, "compact"), retain.compact);
        set(
            &mut retain.reset_earliest,
            nodes::get(node, "reset").map(|reset| nodes::is_word(reset, "earliest")),
        );
    }

    fn turn_lease(&mut self, lease: &mut Lease, node: &'a Node) {
        set(&mut lease.kind, nodes::get(node, "kind").and_then(|kind| self.word(kind, LEASE_KINDS)));
        if let Some(node) = nodes::get(node, "after") {
            set(&mut lease.after, self.positive_duration(node, "a lease"));
        }
        if let Some(node) = nodes::get(node, "poll") {
            lease.poll = self.positive_duration(node, "a poll deadline");
        }
        self.turn_duration(&mut lease.detect, node, "detect");
    }

    /// `dead_letter: topic` says by itself that exhausted messages go there.
    fn turn_exhaust(&mut self, exhaust: &mut Exhaust, node: &'a Node) {
        if let Some(after) = nodes::get(node, "after") {
            exhaust.after =
                if nodes::is_word(after, "never") { None } else { self.count_from_one(after, MOST_TRIES) };
        }
        set(
            &mut exhaust.count_failures,
            nodes::get(node, "count_on").map(|on| nodes::is_word(on, "failure")),
        );
        if let Some(topic) = nodes::get(node, "dead_letter") {
            exhaust.dead_letter = nodes::text(topic).and_then(|name| self.topic_named(name, topic.span));
            exhaust.then = ExhaustThen::DeadLetter;
        }
        set(&mut exhaust.then, nodes::get(node, "then").and_then(|then| self.word(then, EXHAUST_THEN)));
        let transfer = nodes::get(node, "transfer").and_then(|transfer| self.word(transfer, TRANSFERS));
        set(&mut exhaust.transfer, transfer);
    }

    fn turn_producer(&mut self, producer: &mut Producer, node: &'a Node) {
        producer.confirm = flag(nodes::get(node, "confirm"), producer.confirm);
        if let Some(node) = nodes::get(node, "timeout") {
            set(&mut producer.timeout, self.positive_duration(node, "a timeout"));
        }
        if let Some(node) = nodes::get(node, "attempts") {
            set(&mut producer.attempts, self.count_from_one(node, MOST));
        }
        self.turn_duration(&mut producer.delay, node, "delay");
        self.turn_duration(&mut producer.max_delay, node, "max_delay");
        if let Some(node) = nodes::get(node, "give_up") {
            producer.give_up = self.positive_duration(node, "a time to give up");
        }
        if let Some(node) = nodes::get(node, "in_flight") {
            producer.in_flight = self.count_or_unlimited(node, 1);
        }
        let Some(node) = nodes::get(node, "deduplicate") else { return };
        set(
            &mut producer.deduplicate_by,
            nodes::get(node, "by").and_then(|by| self.word(by, DEDUPLICATE_BY)),
        );
        let scope = nodes::get(node, "scope").map(|scope| nodes::is_word(scope, "partition"));
        set(&mut producer.deduplicate_per_partition, scope);
        if let Some(window) = nodes::get(node, "window") {
            self.turn_window(producer, window);
        }
    }

    /// A number of batches (`5`) or a time (`5m`).
    fn turn_window(&mut self, producer: &mut Producer, node: &'a Node) {
        let batches =
            nodes::text(node).is_some_and(|text| text.trim().bytes().all(|byte| byte.is_ascii_digit()));
        (producer.deduplicate_batches, producer.deduplicate_window) = match batches {
            true => (self.count_from_one(node, MOST), None),
            false => (None, self.positive_duration(node, "a window")),
        };
    }

    fn turn_duration(&mut self, duration: &mut u64, node: &'a Node, key: &str) {
        if let Some(node) = nodes::get(node, key) {
            set(duration, expression::duration(node, &mut self.context()));
        }
    }

    /// Knobs that contradict one another, reported at the one written here.
    fn check_knobs(&mut self, knobs: &Knobs, node: &'a Node) {
        if let Some(exhaust) = nodes::get(node, "exhaust") {
            let then = &knobs.exhaust.then;
            if *then == ExhaustThen::DeadLetter
                && knobs.exhaust.after.is_some()
                && knobs.exhaust.dead_letter.is_none()
                && nodes::get(exhaust, "dead_letter").is_none()
            {
                self.report(
                    Diagnostic::new(
                        "missing-dead-letter",
                        exhaust.span,
                        "exhausted messages have nowhere to go",
                    )
                    .help("name the topic: `dead_letter: topic`"),
                );
            }
            if let Some(topic) = nodes::entry(exhaust, "dead_letter") {
                if knobs.exhaust.after.is_none() {
                    let message = "no message is ever exhausted, so none reaches the dead-letter topic";
                    self.report(
                        Diagnostic::new("contradiction", topic.key_span, message)
                            .help("say when: `after: 5` deliveries, or `count_on: failure` too"),
                    );
                }
                if *then != ExhaustThen::DeadLetter {
                    let message = "`then` sends exhausted messages elsewhere";
                    self.report(Diagnostic::new("contradiction", topic.key_span, message));
                }
            }
        }
        if let Some(after) = nodes::get(node, "exhaust").and_then(|exhaust| nodes::entry(exhaust, "after"))
            && knobs.exhaust.then == ExhaustThen::Block
            && knobs.exhaust.after.is_some()
        {
            let message = "`then: block` tries for ever, so no number of tries matters";
            let help =
                "leave `after` out, or say what happens `then`: `dead_letter`, `park`, `drop` or `stay`";
            self.report(Diagnostic::new("contradiction", after.key_span, message).help(help));
        }
        for (key, option, is_wrong, why) in useless_options(knobs) {
            let written = nodes::get(node, key).and_then(|knob| nodes::entry(knob, option));
            if let Some(entry) = written.filter(|_| is_wrong) {
                self.report(Diagnostic::new("contradiction", entry.key_span, why));
            }
        }
    }
}

const ORDER_LOCKS: &[(&str, OrderLock)] = &[
    ("none", OrderLock::None),
    ("key", OrderLock::Key),
    ("partition", OrderLock::Partition),
    ("session", OrderLock::Session),
    ("queue", OrderLock::Queue),
];

const ACK_SCOPES: &[(&str, AckScope)] = &[
    ("individual", AckScope::Individual),
    ("cursor", AckScope::Cursor),
    ("on_delivery", AckScope::OnDelivery),
];

const LEASE_KINDS: &[(&str, LeaseKind)] = &[
    ("timer", LeaseKind::Timer),
    ("session", LeaseKind::Session),
    ("connection", LeaseKind::Connection),
    ("claim", LeaseKind::Claim),
    ("transaction", LeaseKind::Transaction),
];

const REDELIVER_TO: &[(&str, RedeliverTo)] = &[
    ("original", RedeliverTo::Original),
    ("front", RedeliverTo::Front),
    ("back", RedeliverTo::Back),
    ("rewind_partition", RedeliverTo::RewindPartition),
    ("rewind_key", RedeliverTo::RewindKey),
    ("unordered", RedeliverTo::Unordered),
];

const EXHAUST_THEN: &[(&str, ExhaustThen)] = &[
    ("dead_letter", ExhaustThen::DeadLetter),
    ("park", ExhaustThen::Park),
    ("drop", ExhaustThen::Drop),
    ("stay", ExhaustThen::Stay),
    ("block", ExhaustThen::Block),
];

const TRANSFERS: &[(&str, Transfer)] = &[
    ("atomic", Transfer::Atomic),
    ("at_most_once", Transfer::AtMostOnce),
    ("at_least_once", Transfer::AtLeastOnce),
];

const DEDUPLICATE_BY: &[(&str, DeduplicateBy)] = &[
    ("none", DeduplicateBy::None),
    ("producer_sequence", DeduplicateBy::ProducerSequence),
    ("message_id", DeduplicateBy::MessageId),
];

/// Parts of knobs that mean nothing beside other knobs: knob, part, whether that is so, and why.
fn useless_options(knobs: &Knobs) -> [(&'static str, &'static str, bool, &'static str); 10] {
    let kind = knobs.lease.kind;
    let (cursor, rewinds) =
        (knobs.ack_scope == AckScope::Cursor, knobs.redeliver.to == RedeliverTo::RewindPartition);
    [
        (
            "retain",
            "compact",
            knobs.retain.compact && !knobs.retain.log,
            "only a log (`mode: log`) is compacted: a queue keeps nothing that was acknowledged",
        ),
        ("lease", "after", kind == LeaseKind::Connection, "a connection lasts until it is lost: `detect`"),
        (
            "lease",
            "poll",
            !matches!(kind, LeaseKind::Session | LeaseKind::Connection),
            "only a session or a connection ends with an attempt that takes too long",
        ),
        (
            "lease",
            "detect",
            !matches!(kind, LeaseKind::Connection | LeaseKind::Transaction),
            "only the loss of a connection is detected",
        ),
        (
            "redeliver",
            "delay",
            kind == LeaseKind::Claim,
            "nothing comes back before it is claimed: `lease: { after: … }`",
        ),
        ("exhaust", "transfer", knobs.exhaust.then != ExhaustThen::DeadLetter, "only a dead letter is moved"),
        (
            "exhaust",
            "transfer",
            cursor
                && knobs.exhaust.then == ExhaustThen::DeadLetter
                && knobs.exhaust.transfer != Transfer::AtLeastOnce,
            "the consumer of a cursor copies a dead letter before its cursor passes it",
        ),
        ("redeliver", "to", cursor && !rewinds, "a cursor only goes back over its partition"),
        (
            "redeliver",
            "to",
            !cursor && rewinds,
            "only a cursor (`ack_scope: cursor`) goes back over a partition",
        ),
        (
            "redeliver",
            "to",
            !cursor
                && knobs.redeliver.to == RedeliverTo::RewindKey
                && (knobs.order_lock != OrderLock::Key || knobs.ack_scope != AckScope::Individual),
            "only messages that are acknowledged one by one under `order_lock: key` are rewound by key",
        ),
    ]
}

/// Keeps what was there where nothing (or nothing right) was written.
fn set<T>(knob: &mut T, written: Option<T>) {
    if let Some(written) = written {
        *knob = written;
    }
}
