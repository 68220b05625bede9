//! From a resolved scenario to the flat model, in the order of the calls in [`compile()`]: names and
//! tables first, then the code of every body, then the ways messages take through it.

mod captures;
mod expressions;
mod faults;
mod flow;
mod frames;
mod guards;
mod network;
mod parts;
mod promises;
mod sagas;
mod schemas;
mod steps;
mod storage;
mod streams;
mod versions;

use super::*;
use crate::kernel::distribution::Distribution;
use crate::kernel::stream::Draw;
use crate::scenario::resolved as scenario;
use crate::scenario::source::{Sources, Span};
use rustc_hash::FxHashMap;
use steps::push;

/// Compiles a resolved scenario. `sources` gives the places that run-time messages name.
pub fn compile(scenario: &scenario::Scenario, sources: &Sources) -> Model {
    let mut compiler = Compiler::new(scenario, sources);
    compiler.tables();
    compiler.stores();
    compiler.services();
    compiler.folds();
    compiler.fills();
    compiler.fault_names();
    compiler.bodies();
    compiler.versions();
    compiler.messaging();
    compiler.outboxes();
    compiler.feeds();
    compiler.captures();
    compiler.autoscales();
    compiler.faults();
    compiler.flow();
    compiler.undone();
    compiler.keys_of_effects();
    compiler.promises();
    compiler.model
}

/// The model under construction, with what is only needed meanwhile.
pub struct Compiler<'s> {
    pub scenario: &'s scenario::Scenario,
    pub model: Model,
    pub sources: &'s Sources,
    /// Message whose handler is being compiled, for `reply`.
    pub message_in_hand: MessageId,
    /// Table whose row a formula is over, for aggregates over its group.
    pub table_in_hand: TableId,
    /// What steps undo, by site: the service and the name of the step.
    undoes: FxHashMap<SiteId, String>,
    /// What the undo of a saga's step takes back without saying so.
    undone_in_sagas: Vec<(SiteId, SiteId)>,
    rings: FxHashMap<Nanos, u32>,
    sites: FxHashMap<String, SiteId>,
    streams: FxHashMap<String, Vec<StreamId>>,
    counters: FxHashMap<String, u32>,
    call_figures: FxHashMap<(String, ServiceId, MessageId), u32>,
    guards: FxHashMap<(Place, ServiceId), u32>,
    routes: FxHashMap<(Place, Place), u32>,
    /// Publish steps with their paths, in code order.
    pub publish_paths: Vec<(u32, String)>,
    regions: Vec<String>,
    /// Origins of numbered draws that are taken.
    draw_origins: rustc_hash::FxHashSet<u32>,
    handler_keys: rustc_hash::FxHashSet<u64>,
    line_starts: Vec<Vec<u32>>,
    /// Instructions of the program being compiled that may have no value, and where they were written.
    fallible: Vec<(u32, Span)>,
}

/// Which latency of a store.
#[derive(Clone, Copy)]
pub enum Latency {
    Read,
    Write,
    Commit,
}

impl<'s> Compiler<'s> {
    fn new(scenario: &'s scenario::Scenario, sources: &'s Sources) -> Self {
        let line_starts = sources
            .files
            .iter()
            .map(|file| {
                let breaks = file.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
                std::iter::once(0).chain(breaks.map(|(at, _)| at as u32 + 1)).collect()
            })
            .collect();
        Self {
            scenario,
            model: Model::empty(scenario, sources),
            message_in_hand: MessageId(NONE),
            table_in_hand: TableId(NONE),
            undoes: FxHashMap::default(),
            undone_in_sagas: Vec::new(),
            rings: FxHashMap::default(),
            sites: FxHashMap::default(),
            streams: FxHashMap::default(),
            counters: FxHashMap::default(),
            call_figures: FxHashMap::default(),
            guards: FxHashMap::default(),
            routes: FxHashMap::default(),
            publish_paths: Vec::new(),
            regions: regions_of(scenario),
            draw_origins: Default::default(),
            handler_keys: Default::default(),
            sources,
            line_starts,
            fallible: Vec::new(),
        }
    }

    /// A place as a run-time error names it.
    pub fn place(&self, span: Span) -> SourcePlace {
        let starts = &self.line_starts[span.file.0 as usize];
        let line = starts.partition_point(|start| *start <= span.start);
        let text = &self.sources.get(span.file).text;
        let before = text.get(starts[line - 1] as usize..span.start as usize).unwrap_or_default();
        let column = before.chars().count() as u32 + 1;
        SourcePlace { file: span.file.0, line: line as u32, column }
    }

    /// The stream of this name; each place that draws has its own.
    pub fn stream(&mut self, name: String, draw: Draw) -> StreamId {
        // Two versions of a step can draw differently: from the same numbers.
        let known = self.streams.get(&name).into_iter().flatten();
        if let Some(stream) = known.copied().find(|stream| self.model.streams[stream.index()].draw == draw) {
            return stream;
        }
        let id = StreamId::new(self.model.streams.len());
        self.model.streams.push(StreamSpec { name: name.clone(), draw });
        self.streams.entry(name).or_default().push(id);
        id
    }

    /// The ring that keeps timers of this length.
    pub fn ring(&mut self, length: Nanos) -> RingLength {
        let rings = &mut self.model.rings;
        let ring = *self.rings.entry(length).or_insert_with(|| push(rings, length));
        RingLength { ring, length }
    }

    /// What a step is called where obligations and faults name it.
    pub fn site(&mut self, site: &steps::Site, step: &scenario::Step) -> SiteId {
        let name = match &step.name {
            Some(name) => format!("{}/{name}", site.path),
            None => step.path.clone(),
        };
        let id = self.site_named(name);
        if let Some(undone) = &step.undoes {
            self.undoes.insert(id, undone.clone());
        }
        id
    }

    /// The site of this name.
    pub fn site_named(&mut self, name: String) -> SiteId {
        let Model { names: Names { sites, .. }, site_keys, .. } = &mut self.model;
        *self.sites.entry(name.clone()).or_insert_with(|| {
            site_keys.push(parts::key_of("site", &name));
            sites.push(name);
            SiteId::new(sites.len() - 1)
        })
    }

    /// What each site undoes: the steps of that name in the same body, else in the same service, else
    /// anywhere.
    fn undone(&mut self) {
        let sites = &self.model.names.sites;
        let named = |within: &str, name: &str| -> Vec<SiteId> {
            let is_meant = |site: &&String| {
                site.starts_with(within) && site.rsplit('/').next().is_some_and(|last| last == name)
            };
            let found = sites.iter().enumerate().filter(|(_, site)| is_meant(site));
            found.map(|(index, _)| SiteId::new(index)).collect()
        };
        let mut undoes = vec![Vec::new(); sites.len()];
        for (site, name) in &self.undoes {
            let path = &sites[site.index()];
            let body = path.rfind('/').map_or("", |end| &path[..=end]);
            let service = path.find('/').map_or("", |end| &path[..=end]);
            let places = [body, service, ""].into_iter().map(|within| named(within, name));
            undoes[site.index()] = places.into_iter().find(|found| !found.is_empty()).unwrap_or_default();
        }
        for &(site, undone) in &self.undone_in_sagas {
            if !undoes[site.index()].contains(&undone) {
                undoes[site.index()].push(undone);
            }
        }
        self.model.undoes = undoes;
    }

    /// The line of the report that calls from here to there are counted under.
    pub fn call_figures(&mut self, site: &steps::Site, service: ServiceId, message: MessageId) -> u32 {
        let caller = site.path.split('/').next().unwrap_or(site.path).to_string();
        let callee = format!(
            "{}.{}",
            self.scenario.services[service.index()].name,
            self.scenario.messages[message.index()].name
        );
        let calls = &mut self.model.names.calls;
        *self
            .call_figures
            .entry((caller.clone(), service, message))
            .or_insert_with(|| push(calls, (caller, callee)))
    }

    /// A duration drawn from a generator.
    pub fn generated_duration(&mut self, generator: &scenario::Generator, name: &str) -> Duration {
        match &generator.kind {
            scenario::GeneratorKind::Distribution(distribution) => match constant(distribution) {
                Some(nanos) => Duration::Constant(nanos),
                None => Duration::Drawn(self.stream(name.to_string(), Draw::Nanos(distribution.clone()))),
            },
            other => unreachable!("resolved: not a duration: {other:?}"),
        }
    }

    /// One of a store's latencies, drawn at a step.
    pub fn store_latency(&mut self, store: u32, which: Latency, path: &str) -> Duration {
        let service = self.model.stores[store as usize].service;
        let Some(scenario::StoreUse::Own(own)) = &self.scenario.services[service.index()].store else {
            unreachable!("a store is owned by the service it is listed under")
        };
        let (generator, role) = match which {
            Latency::Read => (&own.read, "read"),
            Latency::Write => (&own.write, "write"),
            Latency::Commit => (&own.commit, "commit"),
        };
        self.generated_duration(generator, &format!("{path}/{role}"))
    }

    /// The value of an operand that is a literal.
    pub fn constant_of(&self, operand: Operand) -> Option<Word> {
        match operand {
            Operand::Literal(small) => Some(small.word()),
            Operand::Program(program) => {
                match &self.model.instructions[self.model.programs[program as usize].indices()] {
                    [Code::Literal(word)] => Some(*word),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The length of a distribution that never varies.
pub fn constant(distribution: &Distribution) -> Option<Nanos> {
    match distribution.shape {
        crate::kernel::distribution::Shape::Constant(value) => Some(crate::kernel::time::nanos_from_f64(
            (value + distribution.plus).clamp(distribution.min, distribution.max),
        )),
        _ => None,
    }
}

/// How values of a type are kept as words when drawn.
pub fn draw_of(ty: &scenario::Type, distribution: &Distribution) -> Draw {
    match ty {
        scenario::Type::Number | scenario::Type::Rate => Draw::Number(distribution.clone()),
        scenario::Type::Duration | scenario::Type::Time => Draw::Nanos(distribution.clone()),
        _ => Draw::Integer(distribution.clone()),
    }
}

/// Every region that anything is placed in, in the order first named.
fn regions_of(scenario: &scenario::Scenario) -> Vec<String> {
    let mut regions: Vec<String> = Vec::new();
    let services = scenario.services.iter().map(|service| &service.place);
    let clients = scenario.clients.iter().map(|client| &client.place);
    let brokers = scenario.brokers.iter().map(|broker| &broker.place);
    let stores = scenario.services.iter().filter_map(|service| match &service.store {
        Some(scenario::StoreUse::Own(own)) => Some(&own.place),
        _ => None,
    });
    for region in services.chain(clients).chain(brokers).chain(stores).flatten() {
        if !regions.contains(region) {
            regions.push(region.clone());
        }
    }
    regions
}

impl Model {
    fn empty(scenario: &scenario::Scenario, sources: &Sources) -> Self {
        let run = &scenario.run;
        Self {
            seed: scenario.seed,
            run: RunPhases {
                warm_up: run.warm_up.unwrap_or(0),
                warm_up_by: if run.warm_up.is_some() { WarmUp::Given } else { WarmUp::Found },
                horizon: run.horizon,
                drain: run.drain,
                replications: run.replications,
            },
            names: Names {
                scenario: scenario.name.clone(),
                about: scenario.about.clone(),
                parameters: scenario.parameters.clone(),
                symbols: scenario.symbols.clone(),
                effects: scenario.effects.clone(),
                files: sources.files.iter().map(|file| file.name.clone()).collect(),
                ..Names::default()
            },
            site_keys: Vec::new(),
            streams: Vec::new(),
            rings: Vec::new(),
            code: Vec::new(),
            region_of: Vec::new(),
            regions: Vec::new(),
            step_places: Vec::new(),
            places: Vec::new(),
            programs: Vec::new(),
            instructions: Vec::new(),
            values: Vec::new(),
            assignments: Vec::new(),
            retries: Vec::new(),
            row_steps: Vec::new(),
            publishes: Vec::new(),
            calls: Vec::new(),
            sends: Vec::new(),
            replies: Vec::new(),
            effects: Vec::new(),
            mortal_keys: vec![!scenario.makes_ids; scenario.effects.len()],
            afters: Vec::new(),
            forks: Vec::new(),
            loops: Vec::new(),
            guards: Vec::new(),
            guard_states: 0,
            autoscales: Vec::new(),
            sagas: Vec::new(),
            saga_meetings: Vec::new(),
            handlers: Vec::new(),
            messages: Vec::new(),
            services: Vec::new(),
            instances: Vec::new(),
            stores: Vec::new(),
            tables: Vec::new(),
            topics: Vec::new(),
            groups: Vec::new(),
            clients: Vec::new(),
            jobs: Vec::new(),
            outboxes: Vec::new(),
            relays: Vec::new(),
            routes: Vec::new(),
            region_links: Vec::new(),
            faults: Vec::new(),
            broker_stream: StreamId(NONE),
            counters: 0,
            identities: Vec::new(),
            undoes: Vec::new(),
            promises: promise::Promises::default(),
        }
    }
}
