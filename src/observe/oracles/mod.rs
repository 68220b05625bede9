//! Oracles: they know what should have happened, and count what did not.

pub mod ordering;
