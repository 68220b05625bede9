//! What a comparison of designs found: plain data, the one input of its reports. The JSON file is this, serialized.
//!
//! Differences are second less first, in the order in which the designs were given.

use super::measure::{Role, Unit, Wanted};
use super::verdict::{Outcome, Violation};
use super::{Estimate, RunResults};
use serde::{Deserialize, Serialize};

/// Format version of the JSON file; raised when a field changes its meaning.
pub const COMPARISON_VERSION: u32 = 1;

/// Designs that did the same work, and how they differ.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    pub version: u32,
    /// eventflow's version.
    pub eventflow: String,
    /// In the order in which they were given: the first is what the others are held against in words.
    pub designs: Vec<Design>,
    pub draws: Draws,
    /// What was changed in all files (`rate=400/s`), in order; filled in by whoever read them.
    pub settings: Vec<String>,
    pub seed: u64,
    pub replications_asked: u32,
    /// Those that were done of every design: only they are compared.
    pub replications_done: u32,
    /// Interrupted before all replications of all designs were done.
    pub partial: bool,
    /// Of all that is called clear together, and of the intervals of single designs: 0.95.
    pub confidence: f64,
    /// Of the interval of each difference, so that those of all pairs of designs hold together at `confidence`.
    pub pair_confidence: f64,
    /// Measures that one asks about first. What is clear among them and the promises is so for all of them
    /// together (Holm).
    pub questions: Vec<ComparedMeasure>,
    pub promises: Vec<ComparedPromise>,
    /// All other measures that at least two designs share; what is clear is so for all of these together.
    pub further: Vec<ComparedMeasure>,
    /// Shared measures that are the same in every replication of every design.
    pub unchanged: Vec<String>,
    /// Measures that not all designs have.
    pub not_shared: Vec<String>,
    /// Every design once, best first.
    pub ranking: Vec<Ranked>,
    /// How much the variance of the differences in the questions is cut by common random numbers.
    pub variance_reduction: Option<VarianceReduction>,
    /// What the file of each design but the first says that the first's does not, as `eventflow show` tells it.
    pub differences: Vec<FileDifference>,
    pub notes: Vec<String>,
}

impl Comparison {
    /// What the verdicts on all designs come to.
    pub fn standing(&self) -> Outcome {
        Outcome::of_all(self.designs.iter().map(|design| design.run.standing()))
    }
}

/// A design, and what it did.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Design {
    /// Unlike that of any other.
    pub name: String,
    pub run: RunResults,
}

/// Whether the designs drew the same random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Draws {
    /// The same arrivals, the same demands at first attempts, the same faults.
    Common,
    /// Each design under a seed of its own: the seed, the seed + 1, …
    Independent,
}

/// A measure, in every design and between every two of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedMeasure {
    pub name: String,
    pub unit: Unit,
    pub wanted: Wanted,
    pub role: Role,
    /// One for each design, at `confidence`; `mean: None` where a design does not have it.
    pub designs: Vec<Estimate>,
    pub pairs: Vec<PairOfMeasures>,
}

/// Two designs by one measure.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PairOfMeasures {
    /// Positions of the designs.
    pub first: usize,
    pub second: usize,
    /// Second less first within each replication, at `pair_confidence`.
    pub difference: Estimate,
    /// The same as a share of the first's mean; `mean: None` where that cannot be told from 0.
    pub relative: Estimate,
    /// Student's paired t, two-sided, by itself and as adjusted for all that was asked together.
    pub p_value: Option<f64>,
    pub p_adjusted: Option<f64>,
    /// Whether they differ beyond what chance explains.
    pub is_clear: bool,
    /// Of the median of the differences, at `pair_confidence`, whatever their distribution; `None` with too few
    /// replications.
    pub median: Option<(f64, f64)>,
    /// The variance that the difference would have between independent replications over the one that it has.
    pub variance_reduction: Option<f64>,
}

/// A promise that at least two designs make.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedPromise {
    pub name: String,
    /// One for each design; `None`: it promises no such thing.
    pub designs: Vec<Option<Kept>>,
    pub pairs: Vec<PairOfPromises>,
}

/// How one design keeps a promise.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Kept {
    pub bound: String,
    pub outcome: Outcome,
    pub violation: Option<Violation>,
    /// How often it was broken over all replications, of how much; `None` for promises about figures.
    pub count: Option<u64>,
    pub of: Option<u64>,
}

/// Two designs by one promise: replications in which just one of them breaks it (McNemar's exact test).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PairOfPromises {
    pub first: usize,
    pub second: usize,
    pub only_first: u32,
    pub only_second: u32,
    pub p_value: f64,
    pub p_adjusted: f64,
    pub is_clear: bool,
}

/// A design's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ranked {
    pub design: usize,
    /// From 1; designs that nothing sets apart share one.
    pub place: u32,
    /// Against each other design: the promises and questions in which it is clearly better, and worse.
    pub against: Vec<Against>,
}

/// One design against another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Against {
    pub design: usize,
    /// What is promised, and what was counted that went wrong; and then how much and how fast.
    pub better: Vec<String>,
    pub worse: Vec<String>,
    /// Whether this one comes before the other: what goes wrong decides, and only if nothing of it is clear, the rest.
    pub beats: bool,
}

/// How much common random numbers are worth, over all differences in the questions that vary.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VarianceReduction {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

/// How a file differs from the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileDifference {
    /// Position of the design.
    pub design: usize,
    pub lines: Vec<DifferentLine>,
    /// Lines beyond the bound.
    pub more: usize,
}

/// A line of what `eventflow show` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DifferentLine {
    pub kind: LineKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// In both; it says where one is.
    Both,
    OnlyFirst,
    OnlySecond,
    /// Lines in between that are the same.
    Gap,
}
