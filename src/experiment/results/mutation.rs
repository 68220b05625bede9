//! What became of a scenario without one safeguard or another, as data.

use super::Estimate;
use super::account::SourceLine;
use super::verdict::Outcome;
use serde::{Deserialize, Serialize};

/// All safeguards of a scenario, each taken away by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mutations {
    pub scenario: String,
    pub file: String,
    pub seed: u64,
    pub replications: u32,
    /// Of the intervals, in (0, 1).
    pub confidence: f64,
    pub mutants: Vec<Mutant>,
    /// Safeguards beyond the bound, which were not taken away.
    pub not_tried: usize,
}

impl Mutations {
    /// What all safeguards together come to. One that was not tested fails; what cannot be told, safeguards
    /// that were not tried and a scenario without any leave it open.
    pub fn outcome(&self) -> Outcome {
        let all = self.mutants.iter().map(|mutant| match mutant.effect {
            Effect::Breaks | Effect::Worsens => Outcome::Pass,
            Effect::NotTested => Outcome::Fail,
            Effect::CannotTell => Outcome::Inconclusive,
        });
        let is_open = self.mutants.is_empty() || self.not_tried > 0;
        Outcome::of_all(all.chain(is_open.then_some(Outcome::Inconclusive)))
    }
}

/// The scenario without one safeguard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mutant {
    /// `the guard of stock/Placed/insert#1`
    pub lacks: String,
    pub line: SourceLine,
    pub effect: Effect,
    /// The promises that it breaks and that were not broken with the safeguard.
    pub broken: Vec<Broken>,
    /// The counts that are not what they were in every replication.
    pub changed: Vec<CountChange>,
    /// Why it cannot be told what the safeguard is good for, if that is so.
    pub doubts: Vec<String>,
    /// Why it could not be run to its end, if it could not.
    pub halted: Option<String>,
}

/// What taking a safeguard away does, the plainest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A promise is broken that was not, or the scenario does not come to its end any more.
    Breaks,
    /// Something goes wrong more often, beyond noise.
    Worsens,
    /// Something differs, but not so that one could tell.
    CannotTell,
    /// Nothing goes worse: the scenario does not test this safeguard.
    NotTested,
}

/// A promise that is broken without the safeguard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Broken {
    /// As verdicts are named.
    pub promise: String,
    /// What the verdict on it is with the safeguard.
    pub with: Outcome,
    /// Why it is broken without.
    pub reason: String,
}

/// A measure, counted with the safeguard and without it, in the same replications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountChange {
    /// As promises about it are named.
    pub measure: String,
    /// Over all replications.
    pub with: u64,
    pub without: u64,
    /// How many more a replication has without, replication by replication.
    pub more: Estimate,
    pub direction: Direction,
}

/// Which way a count went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Worse,
    Better,
    /// Within noise: the interval of the difference holds 0, or there is none.
    Open,
}
