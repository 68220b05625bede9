//! The integration tests, one crate: they go through the public path, a storey a module.

mod cli;
mod determinism;
mod engine;
mod front_end;
mod language;
mod lint;
mod oracles;
mod replay;
mod report;
mod runs;
mod theory;
mod tidy;
