//! Statistics, which import nothing of ours: what is collected during a run, and what is said of it
//! afterwards. Times and durations are whole numbers of whatever unit the caller counts in.
//!
//! What is collected merges; [`confidence`] turns one number per replication into an interval, and
//! [`proportion`] a count of what could have been counted.

pub mod confidence;
pub mod front;
pub mod histogram;
pub mod knee;
pub mod proportion;
pub mod reordering;
pub mod series;
pub mod tally;
pub mod time_weighted;
