//! Brokers, the topics on them, and the subscriptions of services.

use super::Resolver;
use super::knobs::Level;
use super::nodes;
use super::presets::PRESETS;
use crate::kernel::ids::*;
use crate::kernel::time::SECOND;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;
use indexmap::IndexSet;

/// How often a consumer with `ack: periodic` acknowledges unless it says otherwise.
const DEFAULT_ACK_EVERY: u64 = 5 * SECOND;

/// The most places that a scenario's groups keep in partitions, and partitions themselves: the broker has a
/// table of each.
const MOST_PLACES: u64 = 500_000;

pub const UNKNOWN_VERSIONS: &[(&str, UnknownVersion)] = &[
    ("poison", UnknownVersion::Poison),
    ("skip", UnknownVersion::Skip),
    ("tolerate", UnknownVersion::Tolerate),
];

const ACK_MODES: &[(&str, AckMode)] = &[
    ("before", AckMode::Before),
    ("after", AckMode::After),
    ("manual", AckMode::Manual),
    ("periodic", AckMode::Periodic),
];

impl<'a> Resolver<'a> {
    /// Brokers, then topics: a topic starts from the knobs of its broker.
    pub fn resolve_brokers(&mut self) {
        for (name, entry) in self.names.brokers {
            self.resolve_broker(name, entry);
        }
        for (name, entry) in self.names.topics {
            let topic = self.resolve_topic(name, entry);
            let id = TopicId::new(self.topics.len());
            self.carried.extend(topic.messages.iter().map(|&message| (message, id)));
            self.dead_letters.extend(topic.knobs.exhaust.dead_letter);
            self.topics.push(topic);
        }
        self.check_confirmations();
    }

    /// Every group has a place in each partition of its topic; with `per_instance`, every instance has.
    pub fn check_places(&mut self, faults: &[Fault]) {
        let mut most: Vec<u32> = self.topics.iter().map(|topic| topic.knobs.partitions).collect();
        for fault in faults {
            if let FaultKind::Repartition { topic, partitions } = fault.kind {
                most[topic.index()] = most[topic.index()].max(partitions);
            }
        }
        let of_group = |group: &Group| {
            let instances = self.services[group.service.index()].instances;
            let partitions = most[group.topic.index()];
            u64::from(partitions) * u64::from(if group.per_instance { instances } else { 1 })
        };
        let partitions: u64 = most.iter().copied().map(u64::from).sum();
        let places = self.groups.iter().map(of_group).sum::<u64>() + partitions;
        let topics = self.topics.iter().zip(&most).map(|(topic, &most)| (u64::from(most), topic.span));
        let largest = self.groups.iter().map(|group| (of_group(group), group.span)).chain(topics);
        if places > MOST_PLACES
            && let Some((_, span)) = largest.max_by_key(|(places, _)| *places)
        {
            let message = format!("partitions and the places of groups in them are {places} together");
            let help = format!(
                "a scenario has at most {MOST_PLACES}: take fewer partitions, or fewer groups and instances that \
                 consume each"
            );
            self.report(
                Diagnostic::new("too-many-partitions", span, message).label("the most are here").help(help),
            );
        }
    }

    fn resolve_broker(&mut self, name: &str, entry: &'a Entry) {
        let written =
            nodes::get(&entry.value, "preset").and_then(|node| Some((nodes::text(node)?, node.span)));
        let preset = written.and_then(|(preset, _)| self.preset(preset));
        // What stands here after a mistake is never seen: a scenario with mistakes has no meaning.
        let mut knobs = preset.unwrap_or(&PRESETS[0].1).clone();
        self.turn_knobs(&mut knobs, &entry.value, Level::Broker);
        self.refuse_places(&entry.value, "a broker");
        self.broker_knobs.push(knobs);
        self.brokers.push(Broker {
            name: name.to_owned(),
            span: entry.key_span,
            preset: written.map_or(String::new(), |(preset, _)| preset.to_owned()),
            place: self.place(&entry.value),
        });
    }

    fn preset(&self, name: &str) -> Option<&'static Knobs> {
        PRESETS.iter().find(|(preset, _)| *preset == name).map(|(_, knobs)| knobs)
    }

    fn resolve_topic(&mut self, name: &str, entry: &'a Entry) -> Topic {
        let node = &entry.value;
        self.refuse_keys("topic", node);
        let broker = self.broker_of(name, entry);
        let mut messages: IndexSet<MessageId> = IndexSet::new();
        for (word, span) in nodes::get(node, "messages").map(nodes::words).unwrap_or_default() {
            match self.message_named(word, span) {
                Some(message) if !messages.insert(message) => {
                    let message = format!("`{name}` names the message `{word}` twice");
                    self.report(Diagnostic::new("repeated-name", span, message));
                }
                Some(_) => {}
                None => self.flow.is_unclear = true,
            }
        }
        // Who carries a message carries all its schemas.
        let schemas = (0..self.messages.len()).map(MessageId::new);
        let carried: Vec<MessageId> = schemas
            .filter(|schema| {
                messages.iter().any(|&message| self.first_schema(message) == self.first_schema(*schema))
            })
            .collect();
        messages.extend(carried);
        let known = broker.and_then(|broker| self.broker_knobs.get(broker.index()));
        let mut knobs = known.unwrap_or(&PRESETS[0].1).clone();
        self.turn_knobs(&mut knobs, node, Level::Topic);
        let id = TopicId::new(self.topics.len());
        self.check_dead_letter(&knobs, id, node);
        Topic {
            name: name.to_owned(),
            span: entry.key_span,
            broker: broker.unwrap_or(BrokerId::new(0)),
            messages: messages.into_iter().collect(),
            knobs,
            capture: None,
        }
    }

    /// The broker named, or the only one.
    fn broker_of(&mut self, topic: &str, entry: &'a Entry) -> Option<BrokerId> {
        if let Some(node) = nodes::get(&entry.value, "broker") {
            return self.broker_named(nodes::text(node)?, node.span);
        }
        if self.names.brokers.len() == 1 {
            return Some(BrokerId::new(0));
        }
        let names: Vec<&str> = self.names.brokers.keys().map(String::as_str).collect();
        let diagnostic = match names.is_empty() {
            true => Diagnostic::new(
                "no-broker",
                entry.key_span,
                format!("there is no broker for the topic `{topic}`"),
            )
            .help("declare one: `brokers: { kafka: { preset: kafka } }`"),
            false => Diagnostic::new(
                "no-broker",
                entry.key_span,
                format!("the topic `{topic}` could be on several brokers"),
            )
            .help(format!("say `broker:` and one of {}", super::names::listed(&names))),
        };
        self.report(diagnostic);
        None
    }

    fn check_dead_letter(&mut self, knobs: &Knobs, topic: TopicId, node: &'a Node) {
        let place = nodes::get(node, "exhaust").and_then(|exhaust| nodes::get(exhaust, "dead_letter"));
        if let Some(place) = place
            && knobs.exhaust.dead_letter == Some(topic)
        {
            let message = "a topic cannot be its own dead-letter topic";
            self.report(Diagnostic::new("contradiction", place.span, message));
        }
    }

    /// Regions that something is placed in.
    pub fn place(&self, node: &Node) -> Vec<String> {
        let regions = nodes::get(node, "place").map(nodes::words).unwrap_or_default();
        regions.into_iter().map(|(region, _)| region.to_owned()).collect()
    }

    /// The subscriptions of a service, in the order of the file.
    pub fn resolve_groups(&mut self, service: ServiceId, node: &'a Node, workers: Count) -> Vec<GroupId> {
        let mut groups = Vec::new();
        for (name, entry) in nodes::section(node, "consumes") {
            let Some(topic) = self.topic_named(name, entry.key_span) else {
                self.flow.is_unclear = true;
                continue;
            };
            let group = self.resolve_group(service, topic, entry, workers);
            let id = GroupId::new(self.groups.len());
            self.check_group_clash(&group, id);
            self.dead_letters.extend(group.knobs.exhaust.dead_letter);
            groups.push(id);
            self.groups.push(group);
        }
        groups
    }

    fn resolve_group(
        &mut self,
        service: ServiceId,
        topic: TopicId,
        entry: &'a Entry,
        workers: Count,
    ) -> Group {
        let node = &entry.value;
        self.refuse_keys("subscription", node);
        let mut knobs = self.topics[topic.index()].knobs.clone();
        self.turn_knobs(&mut knobs, node, Level::Consumer);
        self.check_dead_letter(&knobs, topic, node);
        let written = nodes::get(node, "group").and_then(nodes::text);
        let per_instance = written == Some("per_instance");
        let (service_name, _) =
            self.names.services.get_index(service.index()).expect("an id of this section");
        let group = written.unwrap_or(service_name);
        let ack = nodes::get(node, "ack").and_then(|ack| self.word(ack, ACK_MODES)).unwrap_or(AckMode::After);
        let ack_every = nodes::entry(node, "ack_every");
        if let Some(entry) = ack_every.filter(|_| ack != AckMode::Periodic) {
            let message = "only `ack: periodic` acknowledges at intervals";
            self.report(Diagnostic::new("misplaced-option", entry.key_span, message));
        }
        let ack_every = ack_every.and_then(|entry| self.positive_duration(&entry.value, "an interval"));
        let concurrency = nodes::get(node, "concurrency");
        let from = nodes::get(node, "from");
        let unknown_version =
            nodes::get(node, "unknown_version").and_then(|word| self.word(word, UNKNOWN_VERSIONS));
        // `per_instance` is not the name of a group: each service has its own such subscription.
        let group = if per_instance { format!("{service_name}.per_instance") } else { group.to_owned() };
        let group = Group {
            name: format!("{}.{group}", self.topics[topic.index()].name),
            span: entry.key_span,
            service,
            topic,
            per_instance,
            ack,
            ack_every: ack_every.unwrap_or(DEFAULT_ACK_EVERY),
            concurrency: concurrency.map_or(workers, |node| self.count_or_unlimited(node, 1)),
            unknown_version: unknown_version.unwrap_or(UnknownVersion::Poison),
            from_earliest: !from.is_some_and(|from| nodes::is_word(from, "latest")),
            knobs,
        };
        self.check_group(&group, node);
        group
    }

    fn check_group_clash(&mut self, group: &Group, id: GroupId) {
        let other = *self.group_names.entry(group.name.clone()).or_insert(id);
        if other == id {
            return;
        }
        let message = format!("the group `{}` is taken by another service", group.name);
        let diagnostic = Diagnostic::new("name-clash", group.span, message)
            .related(self.groups[other.index()].span, "first here")
            .help("messages would be shared between two services; give each its own `group`");
        self.report(diagnostic);
    }
}
