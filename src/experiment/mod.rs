//! From one replication to a result.
//!
//! [`replication`] simulates the model once; [`run`] does so many times, in parallel, and makes
//! [`results`] of it: estimates over replications, the picture of the design, and notes for the reader. What lies
//! between is [`stored`]: it can be kept, sent to another machine and taken up again. [`compare`] does so with several
//! designs under the same work, [`sweep`] with one design at many points.

pub mod account;
mod amplification;
pub mod compare;
mod estimates;
pub mod inspection;
pub mod measures;
pub mod mutation;
mod notes;
pub mod readers;
pub mod reference;
pub mod replication;
pub mod results;
pub mod run;
pub mod stored;
pub mod sweep;
mod topology;
mod truth;
pub mod verdict;
