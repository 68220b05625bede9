//! Statistics, which import nothing of ours: what is collected during a run, and what is said of it
//! afterwards. Times and durations are whole numbers of whatever unit the caller counts in.
//!
//! What is collected merges; [`confidence`] turns one number per replication into an interval,
//! [`proportion`] a count of what could have been counted, [`paired`] two numbers into what lies between them.
//! [`sequential`] says when there are enough replications, [`warm_up`] how much of each to leave out, and
//! [`multiplicity`] what to believe where much is asked at once.

pub mod beta;
pub mod confidence;
pub mod front;
pub mod histogram;
pub mod knee;
pub mod multiplicity;
pub mod paired;
pub mod proportion;
pub mod quantile;
pub mod reordering;
pub mod sequential;
pub mod series;
pub mod tally;
pub mod time_weighted;
pub mod warm_up;
