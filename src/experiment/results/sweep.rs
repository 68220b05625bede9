//! What a sweep found: plain data, the one input of its reports. The JSON file is this, serialized.

use super::Estimate;
use super::measure::{Unit, Wanted};
use super::verdict::Outcome;
use serde::{Deserialize, Serialize};

/// Format version of the JSON file; raised when a field changes its meaning.
pub const SWEEP_VERSION: u32 = 1;

/// A scenario at many points, under the same seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SweepResults {
    pub version: u32,
    /// eventflow's version.
    pub eventflow: String,
    pub scenario: String,
    pub about: String,
    /// File as given on the command line.
    pub file: String,
    /// What was changed in the file at all points, in order.
    pub settings: Vec<String>,
    pub design: Design,
    pub axes: Vec<Axis>,
    pub seed: u64,
    /// Of each point.
    pub replications: u32,
    /// Points asked for; fewer in `points` means interrupted.
    pub points_asked: u32,
    /// Interrupted before all points were done.
    pub partial: bool,
    /// Confidence level of every interval, 0.95.
    pub confidence: f64,
    /// Digest over the digests of all points, hexadecimal.
    pub digest: String,
    /// All that any point measured, in the order of [`PointResults::estimates`].
    pub measures: Vec<SweptMeasure>,
    /// In the order of the design.
    pub points: Vec<PointResults>,
    /// Where curves bend, for each measure that is charted and each axis of numbers.
    pub knees: Vec<Knee>,
    /// `None`: there are no two measures of which more or less is better.
    pub front: Option<Front>,
}

impl SweepResults {
    /// What the verdicts at all points come to. A point that came to no end failed.
    pub fn standing(&self) -> Outcome {
        let of_point = |point: &PointResults| match point.trouble {
            Some(_) => Outcome::Fail,
            None => point.standing,
        };
        Outcome::of_all(self.points.iter().map(of_point))
    }
}

/// How the points were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Every combination.
    Grid,
    LatinHypercube,
}

/// Something that was varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Axis {
    /// The parameter or path.
    pub name: String,
    /// As it was given.
    pub written: String,
    pub scale: Scale,
    /// Of its numbers: `/s`, `ms`; empty for counts and words.
    pub unit: String,
    /// Of a grid, in order; of a random design, those of the points.
    pub values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    Linear,
    Logarithmic,
    /// No numbers, or not of one unit.
    Words,
}

/// A measure that some point has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SweptMeasure {
    pub name: String,
    pub unit: Unit,
    pub wanted: Wanted,
    /// Whether it is drawn and tabulated.
    pub charted: bool,
}

/// One point of the design.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PointResults {
    /// From 0.
    pub number: u32,
    /// In the order of the axes.
    pub values: Vec<String>,
    /// Each as a number in the unit of its axis; `None`: it is a word.
    pub numbers: Vec<Option<f64>>,
    /// Digest over the point's replications; empty if it came to no end.
    pub digest: String,
    pub events: u64,
    /// What its verdicts come to.
    pub standing: Outcome,
    /// Verdicts that failed, and those that are inconclusive, by their names.
    pub failed: Vec<String>,
    pub inconclusive: Vec<String>,
    /// Why it has no estimates: a loop without delay, an overload without bound.
    pub trouble: Option<String>,
    /// In the order of [`SweepResults::measures`].
    pub estimates: Vec<Estimate>,
}

/// The knee of one curve, by Kneedle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Knee {
    pub measure: String,
    pub axis: String,
    /// `name=value` of the other axes: those that stay the same along the curve.
    pub beside: Vec<String>,
    /// Value of the axis at the knee, and the measure there.
    pub at: String,
    pub estimate: Estimate,
}

/// The points that no other one beats in two measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Front {
    pub measures: [String; 2],
    /// Numbers of points, from best to worst in the first measure.
    pub points: Vec<u32>,
}
