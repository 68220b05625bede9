//! From one replication to a result.
//!
//! [`replication`] simulates the model once; [`run`] does so many times, in parallel, and makes
//! [`results`] of it: estimates over replications, the picture of the design, and notes for the reader.

pub mod account;
mod amplification;
mod estimates;
pub mod inspection;
pub mod mutation;
mod notes;
pub mod reference;
pub mod replication;
pub mod results;
pub mod run;
mod topology;
mod truth;
pub mod verdict;
