//! What became of a scenario without one safeguard or another, as data.

use super::account::SourceLine;
use serde::{Deserialize, Serialize};

/// All safeguards of a scenario, each taken away by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mutations {
    pub scenario: String,
    pub file: String,
    pub seed: u64,
    pub replications: u32,
    pub mutants: Vec<Mutant>,
    /// Safeguards beyond the bound, which were not taken away.
    pub not_tried: usize,
}

/// The scenario without one safeguard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mutant {
    /// `the guard of stock/Placed/insert#1`
    pub lacks: String,
    pub line: SourceLine,
    /// Measures whose counts are not what they were; none: the scenario does not test this safeguard.
    pub changed: Vec<CountChange>,
    /// Why it could not be run to its end, if it could not.
    pub halted: Option<String>,
}

impl Mutant {
    /// Whether anything shows that the safeguard is gone.
    pub fn is_noticed(&self) -> bool {
        !self.changed.is_empty() || self.halted.is_some()
    }
}

/// A measure, counted over all replications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountChange {
    /// As promises about it are named.
    pub measure: String,
    pub with: u64,
    pub without: u64,
    /// The promise about it that held with the safeguard, in every replication, and is broken without.
    pub breaks_promise: bool,
}
