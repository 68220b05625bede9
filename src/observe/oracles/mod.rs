//! Oracles: what went wrong, judged from [deeds](crate::world::deed) while a replication runs.

pub mod copies;
pub mod isolation;
pub mod lifetimes;
pub mod sessions;
