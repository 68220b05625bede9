//! eventflow: a deterministic discrete-event simulator for event-driven architectures.
//!
//! A scenario file describes services, their handlers and databases, topics and queues, the network, the
//! clients and the faults. The simulator runs it, and reports what the clients saw, what the services and
//! topics did, and what became of what was wanted: done twice, lost, torn, out of order, stale. The same file, seed and version give the same digest on any
//! machine and any number of threads.
//!
//! # The house
//!
//! Imports go downward only; a test enforces it.
//!
//! ```text
//!   command      run, check, lint, replay, inspect, show …: the only input and output
//!      │
//!   report       results → a page, a JSON file, a screen of text
//!      │
//!   experiment   replications in parallel → results with intervals; the only threads
//!      │
//!   observe      records → figures, digests, judgements, traces
//!      │
//!   world        what happens: loop, clients, network, broker, instances, handlers, stores, faults
//!      │
//!   model        flat immutable tables and handler code
//!      │      ╲  (only `model::compile` looks over there)
//!      │       scenario   file → syntax → meaning, with diagnostics
//!      │      ╱
//!   kernel       time, event list, random streams, distributions, agenda, fingerprint, ids
//!
//!   stats        tallies, histograms, intervals: imports nothing, used from `observe` upward
//! ```
//!
//! # One run, from file to page
//!
//! 1. [`scenario::open`] reads the file and all that it extends, and says every mistake at once. What comes
//!    out, [`scenario::resolved`], has every name resolved, every unit converted, every default filled in.
//! 2. [`model::compile`] turns that into tables with dense ids and flat code. Nothing is looked up by name
//!    from here on.
//! 3. [`experiment::run`] gives each replication its own random streams and runs them in parallel.
//! 4. [`world::Simulation`] takes one event after another from an [`kernel::agenda::Agenda`] and changes
//!    the world. It has no clock, no generator and no event list of its own: it asks the agenda, so the same
//!    world runs sampled ([`kernel::agenda::Timed`]) or from a recording.
//! 5. The world says all that happens as [`world::record::Record`]s. Observers read them; none can change
//!    anything.
//!    Those that judge are told [`world::deed::Deed`]s besides: who read and wrote which version for whom,
//!    and what a cut left undone. [`observe::oracles`] count from them what went wrong, and
//!    [`experiment::verdict`] makes pass, fail or inconclusive of it.
//! 6. [`report`] makes a page, a JSON file and a summary of the results, by pure functions.
//!
//! # Where to begin to read
//!
//! [`observe::oracles::lineage`] for what ought to happen once and how anybody can know,
//! [`world`] for what the simulated world does, [`kernel::agenda`] for the seam it stands on,
//! [`scenario::grammar`] for the language (the same data give the check, the JSON Schema and
//! `docs/language.md`), [`world::broker`] for messaging: one primitive with knobs, and every product is a set
//! of knobs in one table.
//!
//! # What is deliberately absent
//!
//! - No wall clock, environment, thread or hash-map order anywhere below `command` and `experiment`, and
//!   no platform `exp`, `ln` or `sin` in what is simulated: they differ in the last bits between machines.
//! - No code that knows a product. Kafka, RabbitMQ and SQS are rows of a table of knobs.
//! - No knob that makes an anomaly. Duplicates, losses and reordering come from crashes, timeouts and
//!   the network, or not at all.
//! - No mean without its interval, and no figure in a report that is not in the JSON file.
//! - No key of the language that is quietly ignored: what is not built yet is refused by name.

pub mod command;
pub mod experiment;
pub mod kernel;
pub mod model;
pub mod observe;
pub mod report;
pub mod scenario;
pub mod stats;
pub mod world;
