//! What the world is made of, compiled once: flat immutable tables.

pub mod messaging;
