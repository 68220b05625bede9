//! The integration tests, one crate: they go through the public path, a storey a module.

mod determinism;
mod front_end;
mod language;
mod report;
mod runs;
mod theory;
