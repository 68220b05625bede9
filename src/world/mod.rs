//! The mutable state of a simulated system and what happens to it.

pub mod store;
