//! From one replication to a result.

pub mod replication;
pub mod results;
