//! From one replication to a result.
pub mod results;
