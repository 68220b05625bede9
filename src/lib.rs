//! eventflow: a deterministic discrete-event simulator for event-driven architectures.

pub mod command;
pub mod experiment;
pub mod kernel;
pub mod model;
pub mod observe;
pub mod report;
pub mod scenario;
pub mod stats;
pub mod world;
