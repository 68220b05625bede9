//! The mutable state and what happens to it.

pub mod broker;
