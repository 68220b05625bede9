//! Observers: what is made of the world's records while a replication runs.

pub mod digest;
pub mod facts;
pub mod few;
pub mod findings;
pub mod meters;
pub mod metrics;
pub mod oracles;
pub mod promise;
pub mod reference;
pub mod slots;
pub mod trace;
