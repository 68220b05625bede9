//! From the syntax tree to what a scenario means: names become ids, defaults are filled in, presets are
//! laid under what brokers, topics and consumers say, and every mistake is reported at once.
//!
//! The structure (which keys stand where, and whether a value is a scalar, a list or a map) was checked
//! before; here a wrong shape is passed over in silence. What is judged here is meaning: names that are
//! declared nowhere, types, impossible numbers, steps that make no sense where they stand, handlers that
//! nothing reaches, and what is part of the language but not built yet.
//!
//! The order is: messages → tables → brokers, topics and subscriptions → services → bodies of handlers,
//! jobs and clients → network → faults → what reaches what → promises. The bodies are resolved once more each time
//! one of them settled the type of a key column that nobody declared (see `keys`).

mod arrivals;
mod bodies;
mod bounds;
mod brokers;
mod captures;
mod clients;
mod contradictions;
mod faults;
mod keys;
mod knobs;
mod messages;
mod names;
mod network;
mod nodes;
mod operations;
mod presets;
mod promises;
mod quantities;
mod reach;
mod rollouts;
mod rows;
mod schemas;
mod services;
mod silences;
mod steps;
mod stores;
mod streams;
mod tables;
mod unsupported;
mod versions;

pub use unsupported::{built_in_part, not_built};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::expression::{self, Context, Symbols};
use super::load::Loaded;
use super::node::Node;
use super::resolved::*;
use super::source::{Sources, Span};
use crate::kernel::ids::*;
use crate::kernel::time::SECOND;
use indexmap::{IndexMap, IndexSet};
use names::Names;
use std::collections::{BTreeMap, BTreeSet};

/// What a scenario means, or `None` if anything is wrong with it (also what was found before).
pub fn resolve(loaded: &Loaded, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Scenario> {
    let merged = versions::Merged::of(&loaded.root, diagnostics);
    let mut resolver = Resolver::new(loaded, &merged, sources);
    let scenario = resolver.scenario(&loaded.root);
    for diagnostic in resolver.diagnostics.list {
        diagnostics.push(diagnostic);
    }
    if diagnostics.is_empty() { scenario } else { None }
}

/// The knobs that a preset sets, if it is built.
pub fn preset_knobs(name: &str) -> Option<&'static Knobs> {
    presets::PRESETS.iter().find(|(preset, _)| *preset == name).map(|(_, knobs)| knobs)
}

/// What is known so far. Sections are resolved in turn and read what earlier ones left here.
struct Resolver<'a> {
    sources: &'a Sources,
    parameters: &'a IndexMap<String, Node>,
    names: Names<'a>,
    merged: &'a versions::Merged,
    symbols: Symbols,
    /// Words of enumerations, with the place that declares them.
    enumeration_words: BTreeMap<String, Span>,
    diagnostics: Diagnostics,
    makes_ids: bool,
    messages: Vec<Message>,
    brokers: Vec<Broker>,
    broker_knobs: Vec<Knobs>,
    topics: Vec<Topic>,
    groups: Vec<Group>,
    group_names: BTreeMap<String, GroupId>,
    tables: Vec<Table>,
    /// Which topics carry a message.
    carried: BTreeSet<(MessageId, TopicId)>,
    /// Topics that exhausted messages of others come to.
    dead_letters: BTreeSet<TopicId>,
    /// Rows that the tables start with, and values in them, in all.
    rows: u64,
    cells: u64,
    has_too_many_rows: bool,
    /// Fields of the messages that all steps send.
    fields_sent: usize,
    keys: keys::Keys,
    /// Per service: tables of its own store, and of its memory.
    stored: Vec<Vec<TableId>>,
    memory: Vec<Vec<TableId>>,
    /// Per service: its name and every table that its steps see.
    visible: Vec<(String, Vec<TableId>)>,
    services: Vec<Service>,
    /// Per client: what `calls` says.
    client_calls: Vec<Vec<CallPolicy>>,
    effects: IndexSet<String>,
    /// Reasons given to `fail` anywhere.
    reasons: IndexSet<String>,
    flow: reach::Flow,
    sites: steps::Sites,
}

impl<'a> Resolver<'a> {
    fn new(loaded: &'a Loaded, merged: &'a versions::Merged, sources: &'a Sources) -> Self {
        Resolver {
            sources,
            parameters: &loaded.parameters,
            names: Names::of(&loaded.root),
            merged,
            symbols: Symbols::default(),
            enumeration_words: BTreeMap::new(),
            diagnostics: Diagnostics::default(),
            makes_ids: false,
            messages: Vec::new(),
            brokers: Vec::new(),
            broker_knobs: Vec::new(),
            topics: Vec::new(),
            groups: Vec::new(),
            group_names: BTreeMap::new(),
            tables: Vec::new(),
            carried: BTreeSet::new(),
            dead_letters: BTreeSet::new(),
            rows: 0,
            cells: 0,
            has_too_many_rows: false,
            fields_sent: 0,
            keys: keys::Keys::default(),
            stored: Vec::new(),
            memory: Vec::new(),
            visible: Vec::new(),
            services: Vec::new(),
            client_calls: Vec::new(),
            effects: IndexSet::new(),
            reasons: IndexSet::new(),
            flow: reach::Flow::default(),
            sites: steps::Sites::default(),
        }
    }

    fn scenario(&mut self, root: &'a Node) -> Option<Scenario> {
        if !self.is_within_bounds(root) {
            return None;
        }
        self.refuse_keys("scenario", root);
        let run = self.resolve_run(root);
        let seed = nodes::get(root, "seed").and_then(|seed| expression::count(seed, &mut self.context()));
        self.check_clashes();
        self.resolve_messages();
        self.resolve_tables();
        self.resolve_brokers();
        self.collect_reasons(root);
        self.resolve_services(root);
        self.resolve_client_calls();
        let bodies = self.resolve_bodies();
        let network = self.resolve_network(root);
        let mut faults = self.resolve_faults(root, &run);
        faults.extend(self.resolve_operations(root, &run));
        self.check_places(&faults);
        self.resolve_captures();
        self.check_reach();
        self.check_with_acks();
        let promises = self.resolve_promises(root);
        let silences = self.resolve_silences(root);
        let parameters = self.written_parameters();
        let clients = self.resolve_clients(bodies, run.horizon);
        Some(Scenario {
            name: nodes::get(root, "scenario").and_then(nodes::text)?.to_owned(),
            about: nodes::get(root, "about").and_then(nodes::text).unwrap_or_default().to_owned(),
            seed: seed.unwrap_or(0),
            run,
            parameters,
            symbols: std::mem::take(&mut self.symbols).into_words(),
            messages: std::mem::take(&mut self.messages),
            brokers: std::mem::take(&mut self.brokers),
            topics: std::mem::take(&mut self.topics),
            services: std::mem::take(&mut self.services),
            tables: std::mem::take(&mut self.tables),
            groups: std::mem::take(&mut self.groups),
            effects: std::mem::take(&mut self.effects).into_iter().collect(),
            makes_ids: self.makes_ids,
            clients: clients.into_iter().collect::<Option<_>>()?,
            network,
            faults,
            promises,
            silences,
        })
    }

    fn resolve_run(&mut self, root: &'a Node) -> Run {
        const MOST_REPLICATIONS: u64 = 1_000_000;
        let run = nodes::get(root, "run");
        let node = |key: &str| run.and_then(|run| nodes::get(run, key));
        let horizon = node("horizon").and_then(|node| self.positive_duration(node, "the horizon"));
        let is_found = node("warm_up").and_then(nodes::text) == Some("auto");
        let warm_up = node("warm_up").filter(|_| !is_found);
        let warm_up = warm_up.and_then(|node| expression::duration(node, &mut self.context()));
        let drain = node("drain").and_then(|node| expression::duration(node, &mut self.context()));
        let replications = node("replications").and_then(|node| self.count_from_one(node, MOST_REPLICATIONS));
        let horizon = horizon.unwrap_or(600 * SECOND);
        let warm_up = warm_up.unwrap_or(0);
        if warm_up >= horizon
            && let Some(place) = node("warm_up").or(node("horizon"))
        {
            let mut diagnostic = Diagnostic::new(
                "impossible-number",
                place.span,
                "the warm-up leaves nothing of the horizon to measure",
            );
            if let Some(other) = node("horizon").filter(|other| other.span != place.span) {
                diagnostic = diagnostic.related(other.span, "the horizon");
            }
            self.report(diagnostic.help("`warm_up` is part of `horizon` and must be shorter"));
        }
        Run {
            horizon,
            warm_up: (!is_found).then_some(warm_up),
            drain: drain.unwrap_or(120 * SECOND),
            replications: replications.unwrap_or(10),
        }
    }

    /// Parameters as they were written, for the report.
    fn written_parameters(&self) -> Vec<(String, String)> {
        let written = |node: &Node| match nodes::text(node) {
            Some(text) => text.to_owned(),
            None => self.sources.text(node.span).trim().to_owned(),
        };
        self.parameters.iter().map(|(name, node)| (name.clone(), written(node))).collect()
    }

    /// What the expression parser needs to know.
    fn context(&mut self) -> Context<'_> {
        Context {
            sources: self.sources,
            parameters: self.parameters,
            messages: &self.messages,
            tables: &self.tables,
            services: &self.visible,
            symbols: &mut self.symbols,
            diagnostics: &mut self.diagnostics,
            makes_ids: &mut self.makes_ids,
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Tries something whose mistakes are not the user's.
    fn without_reports<T>(&mut self, attempt: impl FnOnce(&mut Self) -> T) -> T {
        let kept = self.diagnostics.list.len();
        let result = attempt(self);
        self.diagnostics.list.truncate(kept);
        result
    }
}
