//! The world, point by point: small scenarios with constant latencies, run once, with exact times.

mod arrivals;
mod autoscaling;
mod calls;
mod captures;
mod combinations;
mod failovers;
mod faults;
mod flow;
mod forgetting;
mod generated;
mod guards;
mod identity;
mod inspection;
mod jobs;
mod kafka;
mod messaging;
mod network;
mod operations;
mod outages;
mod outbox;
mod presets;
mod producers;
mod queues;
mod replicas;
mod rollouts;
mod sagas;
mod schemas;
mod shipped;
mod store_troubles;
mod stores;
mod streams;
mod transactions;

use eventflow::experiment::replication;
use eventflow::kernel::agenda::Agenda;
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::model::{Error, Model, compile};
use eventflow::scenario::{grammar, load, render, resolve};
use eventflow::world::record::{Observer, Outcome, Record};
use eventflow::world::{Event, Halt, Limits, Simulation, World};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One millisecond.
pub const MS: Nanos = 1_000_000;
/// One second.
pub const S: Nanos = 1_000 * MS;

/// Every record with its time.
#[derive(Default)]
pub struct Collected(pub Vec<(Nanos, Record)>);

impl Observer for Collected {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.0.push((now, *record));
    }
}

/// A replication that has come to its end.
pub struct Run {
    pub model: Model,
    pub world: World,
    pub records: Vec<(Nanos, Record)>,
}

/// Compiles a scenario, or says what is wrong with it.
pub fn compiled(text: &str) -> Result<Model, String> {
    let (sources, mut diagnostics, loaded) = load::load_text("test.yaml", text, &[]);
    let scenario = loaded.and_then(|loaded| {
        grammar::check(&loaded.root, &mut diagnostics);
        resolve::resolve(&loaded, &sources, &mut diagnostics)
    });
    let scenario = scenario.filter(|_| diagnostics.is_empty());
    let said = || render::render(&sources, &diagnostics, render::Style::Plain, 100);
    scenario.map(|scenario| compile::compile(&scenario, &sources)).ok_or_else(said)
}

/// Compiles a scenario that has to be right.
pub fn model(text: &str) -> Model {
    compiled(text).unwrap_or_else(|said| panic!("{said}\n{text}"))
}

/// What a simulation left when it stopped.
pub struct Simulated<A> {
    pub result: Result<(), Halt>,
    pub world: World,
    pub records: Vec<(Nanos, Record)>,
    pub agenda: A,
}

/// Simulates a model under an agenda.
pub fn simulate<A: Agenda<Event>>(model: &Model, agenda: A) -> Simulated<A> {
    let mut collected = Collected::default();
    let mut simulation = Simulation::new(model, agenda, &mut collected as &mut dyn Observer);
    let limits = Limits { events: 20_000_000, ..Limits::default() };
    let result = simulation.run(limits, &AtomicBool::new(false));
    let Simulation { world, agenda, .. } = simulation;
    Simulated { result, world, records: collected.0, agenda }
}

/// Runs the first replication of a scenario to its end; a quiet end must leave nothing behind.
pub fn run(text: &str) -> Run {
    run_model(model(text), text)
}

fn run_model(model: Model, text: &str) -> Run {
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = replication::agenda(&model, &plan, model.seed, 0);
    let Simulated { result, world, records, .. } = simulate(&model, agenda);
    if let Err(halt) = result {
        panic!("{halt}\n{text}");
    }
    let run = Run { model, world, records };
    if run.is_quiet() {
        assert_eq!(run.world.leftovers(), [], "left behind by\n{text}");
    }
    run
}

impl Run {
    /// Whether nothing was in flight at the end.
    pub fn is_quiet(&self) -> bool {
        matches!(self.records.last(), Some((_, Record::End { quiet: true })))
    }

    pub fn end(&self) -> Nanos {
        self.records.last().expect("the end is a record").0
    }

    /// When records happened that `pick` makes something of.
    pub fn when<T>(&self, mut pick: impl FnMut(&Record) -> Option<T>) -> Vec<(Nanos, T)> {
        self.records.iter().filter_map(|(at, record)| pick(record).map(|picked| (*at, picked))).collect()
    }

    pub fn count(&self, wanted: impl Fn(&Record) -> bool) -> usize {
        self.records.iter().filter(|(_, record)| wanted(record)).count()
    }

    pub fn intents(&self) -> Vec<Nanos> {
        let begun = self.when(|record| matches!(record, Record::IntentBegun { .. }).then_some(()));
        begun.into_iter().map(|(at, ())| at).collect()
    }

    /// When intents ended, and how.
    pub fn outcomes(&self) -> Vec<(Nanos, Outcome)> {
        self.when(|record| match record {
            Record::IntentEnded { outcome, .. } => Some(*outcome),
            _ => None,
        })
    }

    /// When attempts of a service started.
    pub fn started(&self, service: &str) -> Vec<Nanos> {
        let spec = self.model.services.iter().find(|spec| spec.name == service).expect("a service");
        let own = spec.first_instance..spec.first_instance + spec.instances;
        let started = self.when(|record| match record {
            Record::Started { instance, .. } if own.contains(&instance.0) => Some(()),
            _ => None,
        });
        started.into_iter().map(|(at, ())| at).collect()
    }

    /// When attempts of a service ended, on which of its instances, and how.
    pub fn ended(&self, service: &str) -> Vec<(Nanos, (u32, Outcome))> {
        let spec = self.model.services.iter().find(|spec| spec.name == service).expect("a service");
        let own = spec.first_instance..spec.first_instance + spec.instances;
        self.when(|record| match record {
            Record::Ended { instance, outcome, .. } if own.contains(&instance.0) => {
                Some((instance.0 - spec.first_instance, *outcome))
            }
            _ => None,
        })
    }

    /// Committed rows of a store's table.
    pub fn rows(&self, table: &str) -> Vec<Vec<i64>> {
        let rows = self.world.rows(&self.model, table).unwrap_or_else(|| panic!("no table {table}"));
        rows.into_iter().map(|row| row.into_iter().map(|word| word as i64).collect()).collect()
    }

    pub fn reason(&self, word: &str) -> Error {
        let position = self.model.names.symbols.iter().position(|symbol| symbol == word);
        Error::Reason(eventflow::kernel::ids::SymbolId::new(position.expect("a known word")))
    }
}

/// A scenario of one service `s`, called with `Go` by a client: once at 1 s, unless `client` says
/// otherwise. Every hop takes 1 ms. `service` and `client` are lines of the maps of those names.
pub fn scenario(service: &str, steps: &str, client: &str) -> String {
    let indent = |text: &str, by: usize| {
        let lines = text.trim_end().lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| format!("{}{line}\n", " ".repeat(by))).collect::<String>()
    };
    let client = match client {
        "" => {
            "arrivals: { times: [1s] }\ncalls: { s: { timeout: 1m } }\ndo: [ { call: s.Go, with: { n: 0 } } ]"
        }
        own => own,
    };
    format!(
        "scenario: test\nrun: {{ horizon: 1m, drain: 10m }}\nmessages:\n  Go: {{ kind: command, fields: {{ n: int }}, reply: {{ x: int }} }}\n\
         services:\n  s:\n{}    handlers:\n      Go:\n{}clients:\n  c:\n{}network: {{ default: {{ latency: 1ms }} }}\n",
        indent(service, 4),
        indent(steps, 8),
        indent(client, 4),
    )
}
