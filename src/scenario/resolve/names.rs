//! What is declared, and looking names up in it. A name that is not there is reported with the one
//! that was probably meant and the place where that is declared.

use super::Resolver;
use super::nodes;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::{Diagnostic, begun, closest};
use crate::scenario::node::{Map, Node};
use crate::scenario::source::Span;
use indexmap::IndexMap;

/// The sections of a scenario; an id is a position in one of them.
pub struct Names<'a> {
    pub messages: &'a Map,
    pub brokers: &'a Map,
    pub topics: &'a Map,
    pub services: &'a Map,
    pub clients: &'a Map,
    /// Regions come into being by being named in a `place`.
    pub regions: IndexMap<String, Span>,
}

impl<'a> Names<'a> {
    pub fn of(root: &'a Node) -> Self {
        let mut names = Names {
            messages: nodes::section(root, "messages"),
            brokers: nodes::section(root, "brokers"),
            topics: nodes::section(root, "topics"),
            services: nodes::section(root, "services"),
            clients: nodes::section(root, "clients"),
            regions: IndexMap::new(),
        };
        for section in [names.brokers, names.services, names.clients] {
            for entry in section.values() {
                names.add_regions(&entry.value);
                if let Some(store) = nodes::get(&entry.value, "store") {
                    names.add_regions(store);
                }
            }
        }
        names
    }

    fn add_regions(&mut self, node: &Node) {
        for (region, span) in nodes::get(node, "place").map(nodes::words).unwrap_or_default() {
            self.regions.entry(region.to_owned()).or_insert(span);
        }
    }
}

/// Kinds of things that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Message,
    Broker,
    Topic,
    Service,
    Client,
    Table,
    Stream,
    Column,
    Field,
    Step,
    Error,
    Group,
    End,
    Convergence,
    Saga,
    Verdict,
    Version,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Kind::Message => "message",
            Kind::Broker => "broker",
            Kind::Topic => "topic",
            Kind::Service => "service",
            Kind::Client => "client",
            Kind::Table => "table",
            Kind::Stream => "event stream",
            Kind::Column => "column",
            Kind::Field => "field",
            Kind::Step => "step",
            Kind::Error => "error",
            Kind::Group => "subscription",
            Kind::End => "end of a link",
            Kind::Convergence => "convergence guarantee",
            Kind::Saga => "saga",
            Kind::Verdict => "verdict",
            Kind::Version => "version",
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Kind::Message => "unknown-message",
            Kind::Broker => "unknown-broker",
            Kind::Topic => "unknown-topic",
            Kind::Service => "unknown-service",
            Kind::Client => "unknown-client",
            Kind::Table => "unknown-table",
            Kind::Stream => "unknown-stream",
            Kind::Column => "unknown-column",
            Kind::Field => "unknown-field",
            Kind::Step => "unknown-step",
            Kind::Error => "unknown-error",
            Kind::Group => "unknown-group",
            Kind::End => "unknown-end",
            Kind::Convergence => "unknown-guarantee",
            Kind::Saga => "unknown-saga",
            Kind::Verdict => "unknown-verdict",
            Kind::Version => "unknown-version",
        }
    }
}

/// How many names a help lists when none of them is close.
const LISTED: usize = 12;
/// How much of each.
const LISTED_CHARACTERS: usize = 60;

/// A name that is not declared; `known` are the ones that are.
pub fn unknown<'n>(kind: Kind, word: &str, span: Span, known: impl Iterator<Item = &'n str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let diagnostic = Diagnostic::new(kind.code(), span, format!("there is no {} `{word}`", kind.noun()));
    match closest(word, known.iter().copied()).or_else(|| begun(word, known.iter().copied())) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.help(format!("known: {}", listed(&known))),
    }
}

/// Names in backticks, the first few of many.
pub fn listed(names: &[&str]) -> String {
    let short = |name: &&str| format!("`{}`", name.chars().take(LISTED_CHARACTERS).collect::<String>());
    let mut text = names.iter().take(LISTED).map(short).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text.push_str(", …");
    }
    text
}

impl<'a> Resolver<'a> {
    /// The position of a name in a section; if it is not there, that is reported.
    pub fn lookup(&mut self, kind: Kind, section: &Map, word: &str, span: Span) -> Option<usize> {
        if let Some(position) = section.get_index_of(word) {
            return Some(position);
        }
        let names = || section.keys().map(String::as_str);
        let mut diagnostic = unknown(kind, word, span, names());
        if let Some(entry) = closest(word, names()).and_then(|meant| section.get(meant)) {
            diagnostic = diagnostic.related(entry.key_span, "declared here");
        }
        self.report(diagnostic);
        None
    }

    pub fn message_named(&mut self, word: &str, span: Span) -> Option<MessageId> {
        self.lookup(Kind::Message, self.names.messages, word, span).map(MessageId::new)
    }

    pub fn broker_named(&mut self, word: &str, span: Span) -> Option<BrokerId> {
        self.lookup(Kind::Broker, self.names.brokers, word, span).map(BrokerId::new)
    }

    pub fn topic_named(&mut self, word: &str, span: Span) -> Option<TopicId> {
        self.lookup(Kind::Topic, self.names.topics, word, span).map(TopicId::new)
    }

    pub fn service_named(&mut self, word: &str, span: Span) -> Option<ServiceId> {
        self.lookup(Kind::Service, self.names.services, word, span).map(ServiceId::new)
    }

    pub fn client_named(&mut self, word: &str, span: Span) -> Option<ClientId> {
        self.lookup(Kind::Client, self.names.clients, word, span).map(ClientId::new)
    }

    /// One of the words that a key admits; another one was reported with the structure.
    pub fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let text = nodes::text(node)?;
        words.iter().find(|(word, _)| *word == text).map(|&(_, meaning)| meaning)
    }

    /// Services, clients, brokers and regions can all stand at the end of a link, so no two of them
    /// may have the same name.
    pub fn check_clashes(&mut self) {
        let mut seen: IndexMap<&str, (&'static str, Span)> = IndexMap::new();
        let mut clashes = Vec::new();
        let sections = [
            ("service", self.names.services),
            ("client", self.names.clients),
            ("broker", self.names.brokers),
        ];
        let declared = sections.into_iter().flat_map(|(noun, section)| {
            section.iter().map(move |(name, entry)| (name.as_str(), noun, entry.key_span))
        });
        let regions = self.names.regions.iter().map(|(name, &span)| (name.as_str(), "region", span));
        for (name, noun, span) in declared.chain(regions) {
            if let Some(&(other, first)) = seen.get(name) {
                clashes.push(
                    Diagnostic::new(
                        "name-clash",
                        span,
                        format!("`{name}` is the name of a {other} and of a {noun}"),
                    )
                    .related(first, format!("the {other}"))
                    .help("services, clients, brokers and regions share their names; choose another one"),
                );
            } else {
                seen.insert(name, (noun, span));
            }
        }
        clashes.into_iter().for_each(|clash| self.report(clash));
    }
}
