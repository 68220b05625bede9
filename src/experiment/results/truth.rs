//! What the oracles measured: how obligations ended, how late views and reads were, how far from order
//! messages arrived, and when duplicates and losses happened.
//!
//! Of the whole of each replication, from its start to the end of its drain: nothing is left out as warm-up.
//! Units are those of all [results](super).

use super::{DurationResults, Estimate, Series};
use serde::{Deserialize, Serialize};

/// How all that was owed ended, over all replications.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Obligations {
    pub owed: u64,
    /// Each way to end; their counts come to `owed`. Empty if nothing was owed.
    pub ends: Vec<EndResults>,
}

/// One way in which obligations end.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EndResults {
    /// `done`, `refused`, `swallowed`, `parked`, `lost`, `torn`, `mixed` or `unsettled`.
    pub end: String,
    /// What that means.
    pub meaning: String,
    pub count: u64,
    /// Of what was owed.
    pub share: Estimate,
}

/// A view, and how it followed its source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ViewResults {
    /// Of the guarantee: `stock_shown`.
    pub name: String,
    /// The tables, `service.table`.
    pub view: String,
    pub of: String,
    /// Changes of the source that the view should show, and those it never showed.
    pub changes: u64,
    pub never_shown: u64,
    /// From a change until the view shows it, or something newer; one that was never shown is as old as its
    /// replication came to.
    pub lag: DurationResults,
    /// Each time that a row was wrong; one that is not over lasts to the end.
    pub window: DurationResults,
    /// From the last change of a key until its row is right for good; of keys that agree at the end.
    pub convergence: DurationResults,
    /// Keys that do not agree at the end, per replication.
    pub disagreeing: Estimate,
    /// Keys that do not agree, over time: mean over replications.
    pub disagreeing_over_time: Series,
}

/// The reads of one table, and of copies of its rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReadResults {
    /// `service.table`
    pub table: String,
    pub reads: u64,
    /// Share of reads that missed something committed before they began.
    pub stale: Estimate,
    /// Of stale reads: since when the first version missed had been there.
    pub age: DurationResults,
    /// Of stale reads: versions missed, on average and at most.
    pub versions_mean: Estimate,
    pub versions_max: Estimate,
}

/// First arrivals at one subscription, in the order of each key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ArrivalResults {
    pub topic: String,
    pub group: String,
    pub arrived: u64,
    /// Share of arrivals after one of the same key that should have come later (RFC 4737, 4.1).
    pub reordered: Estimate,
    /// Of reordered arrivals: how many arrivals of the key ago the first such one came (4.2), on average and at
    /// most.
    pub extent_mean: Estimate,
    pub extent_max: Estimate,
    /// The same as a distribution; empty if nothing was reordered.
    pub extents: Vec<ExtentResults>,
    /// How long ago that was (4.3).
    pub late_time: DurationResults,
    /// Reorder density (RFC 5236), pooled over replications: (displacement in arrivals, share of arrivals), from the
    /// earliest; those displaced by more than 32 are not among them.
    pub displacements: Vec<(i64, f64)>,
    /// Messages that a buffer which restores the order would hold on average.
    pub held: Estimate,
}

/// Reordered arrivals of like extent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExtentResults {
    pub from: u64,
    /// The greatest; `None`: no bound.
    pub to: Option<u64>,
    /// Of reordered arrivals.
    pub share: Estimate,
}

/// How often something happened, over time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnomalyOverTime {
    /// `duplicate_effects`, `lost_effects`, `torn_effects` or `mixed_effects`.
    pub anomaly: String,
    /// Over all replications, and of these after the horizon, while the run drained.
    pub count: u64,
    pub later: u64,
    /// Per second of each bucket: mean over replications. A loss is dated where its last carrier died.
    pub over_time: Series,
}
