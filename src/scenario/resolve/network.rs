//! The network: what every link is like, and the links that differ.

use super::Resolver;
use super::names::{Kind, unknown};
use super::nodes;
use super::quantities::{flag, lognormal_node};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression;
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;
use crate::scenario::source::Span;
use std::collections::BTreeMap;

/// One way through the network unless the scenario says otherwise: median and 99th percentile of a
/// lognormal.
const DEFAULT_LATENCY: (&str, &str) = ("500us", "4ms");

impl<'a> Resolver<'a> {
    pub fn resolve_network(&mut self, root: &'a Node) -> Network {
        let network = nodes::get(root, "network");
        let span = network.map_or(root.span, |network| network.span);
        let (median, p99) = DEFAULT_LATENCY;
        let latency = lognormal_node(median, p99, span);
        let latency = expression::generator(&latency, &Type::Duration, &mut self.context());
        let plain = LinkKnobs {
            latency: latency.unwrap_or_else(|| super::quantities::constant_duration(0, span)),
            loss: 0.0,
            bandwidth: None,
            datagram: false,
            duplicate: 0.0,
        };
        let default = network.and_then(|network| nodes::get(network, "default"));
        let default = default.map_or(plain.clone(), |node| self.link_knobs(&plain, node));
        let mut links = Vec::new();
        for (name, entry) in network.map(|network| nodes::section(network, "links")).into_iter().flatten() {
            links.push(self.resolve_link(name, entry, &default));
        }
        self.check_links(&links);
        Network { default, links }
    }

    fn resolve_link(&mut self, name: &str, entry: &'a Entry, default: &LinkKnobs) -> Link {
        let node = &entry.value;
        let between = nodes::get(node, "between");
        let ends = between.map_or(Vec::new(), |between| self.ends(between));
        if let Some(between) = between {
            self.refuse_mixed_ends(between, &ends);
        }
        self.refuse_datagrams_to_stores(&ends, node);
        // What lies below other links, or behind them, is what is written of it.
        let is_apart = ends.iter().any(|end| matches!(end, End::Store(_) | End::Region(_)));
        let of_its_own = LinkKnobs { bandwidth: None, datagram: false, duplicate: 0.0, ..default.clone() };
        let default = if is_apart { &of_its_own } else { default };
        Link {
            name: name.to_owned(),
            span: entry.key_span,
            between: ends,
            one_way: flag(nodes::get(node, "one_way"), false),
            knobs: self.link_knobs(default, node),
        }
    }

    /// A statement that is lost without a word would never be answered.
    pub fn refuse_datagrams_to_stores(&mut self, ends: &[End], node: &'a Node) {
        if !ends.iter().any(|end| matches!(end, End::Store(_))) {
            return;
        }
        let transport = nodes::get(node, "transport").filter(|node| nodes::is_word(node, "datagram"));
        for node in transport.into_iter().chain(nodes::get(node, "duplicate")) {
            let message = "a store is spoken to over a connection, which loses nothing and doubles nothing";
            self.report(Diagnostic::new("contradiction", node.span, message));
        }
    }

    fn link_knobs(&mut self, default: &LinkKnobs, node: &'a Node) -> LinkKnobs {
        let latency = nodes::get(node, "latency")
            .and_then(|latency| expression::generator(latency, &Type::Duration, &mut self.context()));
        let loss = nodes::get(node, "loss").and_then(|loss| expression::share(loss, &mut self.context()));
        let transport = nodes::get(node, "transport");
        let datagram = transport.map_or(default.datagram, |transport| nodes::is_word(transport, "datagram"));
        let written = nodes::get(node, "duplicate");
        let duplicate = written.and_then(|share| expression::share(share, &mut self.context()));
        if let Some(place) = written.filter(|_| !datagram && duplicate.is_some_and(|share| share > 0.0)) {
            let message = "a stream delivers nothing twice";
            let diagnostic = Diagnostic::new("duplicate-on-stream", place.span, message);
            self.report(diagnostic.help("duplication happens on datagrams: `transport: datagram`"));
        }
        LinkKnobs {
            latency: latency.unwrap_or_else(|| default.latency.clone()),
            loss: loss.unwrap_or(default.loss),
            bandwidth: self.bandwidth(node).unwrap_or(default.bandwidth),
            datagram,
            // What is duplicated by default is not duplicated on a link that is a stream.
            duplicate: duplicate.unwrap_or(if datagram { default.duplicate } else { 0.0 }),
        }
    }

    /// `Some(None)` is `unlimited`.
    pub fn bandwidth(&mut self, node: &'a Node) -> Option<Option<f64>> {
        let bandwidth = nodes::get(node, "bandwidth")?;
        if nodes::is_word(bandwidth, "unlimited") {
            return Some(None);
        }
        expression::bandwidth(bandwidth, &mut self.context()).map(Some)
    }

    /// Two ends or more: of a link, a split, a degradation.
    pub fn ends(&mut self, node: &'a Node) -> Vec<End> {
        let mut ends: Vec<End> = Vec::new();
        for (word, span) in nodes::words(node) {
            match self.end(word, span) {
                Some(end) if ends.contains(&end) => {
                    let message = format!("`{word}` is named twice");
                    self.report(Diagnostic::new("repeated-name", span, message));
                }
                Some(end) => ends.push(end),
                None => {}
            }
        }
        if nodes::words(node).len() < 2 {
            let message = "a link has two ends or more";
            self.report(
                Diagnostic::new("missing-end", node.span, message).help("name them: `[orders, kafka]`"),
            );
        }
        ends
    }

    pub fn end(&mut self, word: &str, span: Span) -> Option<End> {
        if let Some((service, part)) = word.split_once('.') {
            let service = self.service_named(service, span)?;
            return self.part_of(service, part, span);
        }
        let position = |section: &crate::scenario::node::Map| section.get_index_of(word);
        if let Some(service) = position(self.names.services) {
            return Some(End::Service(ServiceId::new(service)));
        }
        if let Some(client) = position(self.names.clients) {
            return Some(End::Client(ClientId::new(client)));
        }
        if let Some(broker) = position(self.names.brokers) {
            return Some(End::Broker(BrokerId::new(broker)));
        }
        if self.names.regions.contains_key(word) {
            return Some(End::Region(word.to_owned()));
        }
        let sections = [self.names.services, self.names.clients, self.names.brokers];
        let names = sections.into_iter().flat_map(|section| section.keys().map(String::as_str));
        let names: Vec<&str> = names.chain(self.names.regions.keys().map(String::as_str)).collect();
        let diagnostic = unknown(Kind::End, word, span, names.into_iter())
            .label("a service, client, broker or region, `service.store` or `service.outbox`");
        self.report(diagnostic);
        None
    }

    /// `service.store` or `service.outbox`, which the service has to have.
    fn part_of(&mut self, service: ServiceId, part: &str, span: Span) -> Option<End> {
        let described = &self.services[service.index()];
        let (end, is_there) = match part {
            "store" => (End::Store(service), described.store.is_some()),
            "outbox" => (End::Outbox(service), described.outbox.is_some()),
            _ => {
                self.report(unknown(Kind::End, part, span, ["store", "outbox"].into_iter()));
                return None;
            }
        };
        if !is_there {
            let message = format!("`{}` has no {part}", described.name);
            let code = if part == "store" { "no-store" } else { "no-outbox" };
            let diagnostic = Diagnostic::new(code, span, message).related(described.span, "declared here");
            self.report(diagnostic);
            return None;
        }
        Some(end)
    }

    /// No two links may say what the same way is like.
    fn check_links(&mut self, links: &[Link]) {
        let mut first: BTreeMap<String, Span> = BTreeMap::new();
        let mut found = Vec::new();
        for link in links {
            let clash = link_ways(link).find_map(|way| first.get(&way).copied());
            if let Some(other) = clash {
                let message = format!("the link `{}` says again what another link says", link.name);
                found.push(
                    Diagnostic::new("repeated-link", link.span, message)
                        .related(other, "two of its ends are joined by this link")
                        .help("a way through the network has one description"),
                );
            }
            for way in link_ways(link) {
                first.entry(way).or_insert(link.span);
            }
        }
        found.into_iter().for_each(|diagnostic| self.report(diagnostic));
    }
}

/// Every way that a link describes: one-way links go from the first end to the others.
fn link_ways(link: &Link) -> impl Iterator<Item = String> + '_ {
    let ends = &link.between;
    let pairs = (0..ends.len()).flat_map(|from| (0..ends.len()).map(move |to| (from, to)));
    pairs
        .filter(|&(from, to)| from != to && (from == 0 || !link.one_way))
        .map(move |(from, to)| format!("{:?} {:?}", ends[from], ends[to]))
}
