//! Queueing theory: closed forms, and simulations held against them.

mod coverage;
mod engine;
mod formulas;
#[path = "../../benches/hand_written/mod.rs"]
mod hand_written;
mod hand_written_loops;
mod quorum;
mod retries;
