//! What an experiment found: plain data, the one input of every report. The JSON file is this,
//! serialized; the page shows nothing that is not in here.
//!
//! Units: durations in seconds, rates per second, shares from 0 to 1, times in seconds from the
//! start of the replication. Every figure is an estimate over replications.

pub mod account;
pub mod check;
pub mod compare;
pub mod data;
pub mod inspection;
pub mod measure;
pub mod mutation;
pub mod sweep;
pub mod truth;
pub mod verdict;

#[cfg(test)]
mod tests;

use account::Accounts;
use serde::{Deserialize, Serialize};
use truth::{AnomalyOverTime, ArrivalResults, Obligations, ReadResults, ViewResults};
use verdict::{Unasked, Verdict};

/// Format version of the JSON file; raised when a field changes its meaning.
pub const RESULTS_VERSION: u32 = 1;

/// A figure with its confidence interval over independent replications.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Estimate {
    /// Mean over the replications in which it is defined; `None`: never defined (no observations).
    pub mean: Option<f64>,
    /// Half-width of the Student t interval; `None` with fewer than two replications.
    pub half_width: Option<f64>,
    /// Replications in which it was defined.
    pub n: u32,
}

/// Everything about one `run`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunResults {
    pub version: u32,
    pub scenario: String,
    pub about: String,
    /// File as given on the command line.
    pub file: String,
    pub parameters: Vec<(String, String)>,
    /// What was changed in the file for this run (`rate=400/s`, `run.horizon=1m`), in order; filled in by
    /// whoever read the file.
    pub settings: Vec<String>,
    pub seed: u64,
    /// Replications asked for and done; fewer done means interrupted.
    pub replications_asked: u32,
    pub replications_done: u32,
    /// Interrupted before all replications were done.
    pub partial: bool,
    /// Confidence level of every interval, 0.95.
    pub confidence: f64,
    pub horizon: f64,
    pub warm_up: f64,
    /// How the warm-up was found; `None`: it was given.
    pub warm_up_search: Option<WarmUpSearch>,
    /// How the number of replications was found; `None`: it was given.
    pub precision: Option<PrecisionResults>,
    /// Longest drain over replications, and whether the limit was hit in any.
    pub drained: f64,
    pub drain_limit_hit: u32,
    /// Digest over all replications, hexadecimal.
    pub digest: String,
    /// eventflow's version.
    pub eventflow: String,
    pub events: u64,
    /// One on each promise of the scenario: anomalies, views, sessions, staleness, invariants.
    pub verdicts: Vec<Verdict>,
    /// The first counterexamples of promises that failed, told in full; filled in by whoever has them gathered.
    pub accounts: Accounts,
    /// What was counted though nothing was promised about it.
    pub anomalies: Vec<Unasked>,
    /// How all that was owed ended.
    pub obligations: Obligations,
    /// One for each view whose convergence is promised.
    pub views: Vec<ViewResults>,
    /// One for each table whose staleness is promised, or measured.
    pub reads: Vec<ReadResults>,
    /// One for each subscription at which messages of some key arrived.
    pub arrivals: Vec<ArrivalResults>,
    /// Duplicates and losses; empty if nothing in the scenario makes an effect.
    pub anomalies_over_time: Vec<AnomalyOverTime>,
    pub clients: Vec<ClientResults>,
    pub calls: Vec<CallResults>,
    pub services: Vec<ServiceResults>,
    pub subscriptions: Vec<SubscriptionResults>,
    pub links: Vec<LinkResults>,
    pub faults: Vec<FaultResults>,
    /// Expressions that had no value, by their places.
    pub failed_expressions: Vec<FailedExpression>,
    pub topology: Topology,
    /// Things a reader must know: warm-up 0, a queue that grew to the end, ...
    pub notes: Vec<String>,
}

/// A warm-up that was looked for, by MSER-5 in pilot replications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WarmUpSearch {
    /// Pilot replications, which are no part of the results.
    pub pilots: u32,
    /// What took longest to settle; `None`: nothing had to be left out, or a pilot came to no end.
    pub told_by: Option<String>,
    /// It had not settled in the first half: the horizon is too short to tell, and half of it is left out.
    pub is_late: bool,
}

/// A precision that was asked for, and whether it was reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PrecisionResults {
    /// Most half-width, as a share of the mean.
    pub relative: f64,
    /// Replications after which it would have ended anyhow.
    pub most: u32,
    pub is_met: bool,
    /// The figures that are not known so well.
    pub open: Vec<String>,
}

impl RunResults {
    /// What all verdicts together come to; [`verdict::Outcome::Pass`] if nothing was promised.
    pub fn standing(&self) -> verdict::Outcome {
        verdict::Outcome::of_all(self.verdicts.iter().map(Verdict::standing))
    }
}

/// Shape of a set of durations.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DurationResults {
    /// Observations over all replications.
    pub count: u64,
    pub mean: Estimate,
    pub p50: Estimate,
    pub p90: Estimate,
    pub p99: Estimate,
    pub p999: Estimate,
    pub max: Estimate,
    /// Pooled over replications: (upper edge in seconds, share of observations at or below it), rising;
    /// at most 200 points, dense in the tail.
    pub distribution: Vec<(f64, f64)>,
}

/// A quantity over time: mean over replications in equal buckets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Series {
    /// Length of a bucket in seconds; bucket i covers [i, i + 1) × width.
    pub width: f64,
    pub values: Vec<f64>,
}

/// One way to end badly.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorResults {
    /// `timeout`, `unavailable`, `rejected`, `conflict`, `exists`, `missing`, `failed`, or the reason given to
    /// `fail`.
    pub reason: String,
    /// How often, over all replications.
    pub count: u64,
    /// Share of the measured intents or calls.
    pub share: Estimate,
}

/// An expression that had no value: an overflow, a division by zero, an index past the end of a list, a
/// list too long to make. Each time the attempt went on with the error `failed`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedExpression {
    /// `file:line:column`.
    pub place: String,
    /// How often from the start to the end of the drain, over all replications.
    pub count: u64,
    /// In how many replications.
    pub replications: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientResults {
    pub name: String,
    /// Measured intents begun per second, and ended well per second.
    pub offered: Estimate,
    pub throughput: Estimate,
    /// Share of measured intents that ended well, with a timeout, with another error, or had not ended.
    pub success: Estimate,
    pub timeouts: Estimate,
    pub errors: Estimate,
    /// The errors one by one, timeouts included.
    pub errors_by_reason: Vec<ErrorResults>,
    pub unfinished: Estimate,
    /// From begin to end, of intents that ended well.
    pub response_time: DurationResults,
    /// Ended well per second; ended badly per second; mean response time (NaN-free: 0 where none).
    pub throughput_over_time: Series,
    pub errors_over_time: Series,
    pub response_time_over_time: Series,
}

/// Calls from one caller to one message of one service; a retry is a try of the same call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CallResults {
    pub caller: String,
    /// `service.Message`.
    pub callee: String,
    pub throughput: Estimate,
    pub success: Estimate,
    pub timeouts: Estimate,
    pub errors: Estimate,
    /// The errors one by one, timeouts included.
    pub errors_by_reason: Vec<ErrorResults>,
    /// Tries per call.
    pub tries: Estimate,
    /// From first sending to the end, retries included, of calls that ended well.
    pub response_time: DurationResults,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceResults {
    pub name: String,
    pub instances: u32,
    /// Per instance; `None`: unlimited.
    pub workers: Option<u32>,
    /// Attempts ended per second.
    pub throughput: Estimate,
    /// Attempts begun per intent of the clients from which work comes to it.
    pub amplification: Estimate,
    /// Busy share of workers of instances that were up; `mean: None` when workers are unlimited.
    pub utilization: Estimate,
    /// Arrival rate × mean service time, in workers (erlang).
    pub offered_load: Estimate,
    /// Time-weighted number waiting, all instances.
    pub queue_length: Estimate,
    /// Time-weighted number waiting or in service.
    pub in_system: Estimate,
    /// Share of arrivals rejected or shed.
    pub rejected: Estimate,
    /// Of what was begun: what was dropped, or still waited when the replication ended, is not among them, so
    /// that under overload the true times are longer. The queue length counts all that waits.
    pub waiting_time: DurationResults,
    pub service_time: DurationResults,
    /// Waiting + service.
    pub sojourn_time: DurationResults,
    /// Share of the time with k waiting or in service, k = 0, 1, 2, …; at most 64 entries.
    pub number_in_system: Vec<Estimate>,
    pub queue_length_over_time: Series,
    pub utilization_over_time: Series,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SubscriptionResults {
    pub topic: String,
    pub group: String,
    /// Accepted by the topic per second.
    pub accepted: Estimate,
    /// First deliveries, and further ones, per second: copies that the broker sent. A consumer that keeps a
    /// message and tries it again without asking the broker (kafka's way) adds to neither.
    pub deliveries: Estimate,
    pub redeliveries: Estimate,
    /// Messages per second given up: dead-lettered, dropped, passed by retention.
    pub exhausted: Estimate,
    /// Time-weighted number of messages accepted and not yet acknowledged.
    pub lag: Estimate,
    pub lag_max: Estimate,
    /// From acceptance to the acknowledgement that settled it.
    pub time_in_topic: DurationResults,
    pub lag_over_time: Series,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkResults {
    /// `a → b` or the link's name.
    pub name: String,
    pub sent: Estimate,
    pub lost: Estimate,
    pub duplicated: Estimate,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FaultResults {
    pub name: String,
    /// What it does, as in the file: `crash inventory`.
    pub what: String,
    /// Firings and firings that hit something alive, per replication.
    pub fired: Estimate,
    pub touched: Estimate,
    /// Replication 0: (from, to) in seconds, for the shaded bands; at most 500.
    pub bands: Vec<(f64, f64)>,
}

/// The picture of the design.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Topology {
    pub nodes: Vec<TopologyNode>,
    pub edges: Vec<TopologyEdge>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TopologyNode {
    pub name: String,
    pub kind: NodeKind,
    /// A second line: `2 × 16 workers`, `kafka, 6 partitions`.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    Client,
    Service,
    Topic,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TopologyEdge {
    /// Positions in `nodes`.
    pub from: usize,
    pub to: usize,
    pub kind: EdgeKind,
    /// Message names.
    pub label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    Call,
    Send,
    Publish,
    Consume,
}
