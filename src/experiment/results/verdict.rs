//! Verdicts as data: what was promised, whether it held, and what shows it.
//!
//! They are made in one place, [`crate::experiment::verdict`], and rendered in many.

use super::Estimate;
use serde::{Deserialize, Serialize};

/// Whether a promise held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It held, and was put to the test.
    Pass,
    /// Nobody can tell; the reason says why.
    Inconclusive,
    /// It was broken.
    Fail,
}

impl Outcome {
    /// The word that scenario files use.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Inconclusive => "inconclusive",
            Outcome::Fail => "fail",
        }
    }

    /// What several together come to: one that failed fails all, one that is inconclusive leaves all open.
    pub fn of_all(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
        outcomes.into_iter().max().unwrap_or(Outcome::Pass)
    }
}

/// The verdict on one promise of the scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// As the scenario's `expect` names it: `idempotency.duplicate_effects`.
    pub name: String,
    /// Where it was promised.
    pub place: Place,
    /// What was promised, in words: `0 in each replication`, `p99(shopper.response_time) < 500ms`.
    pub bound: String,
    pub outcome: Outcome,
    /// What the scenario expects it to be, if it says.
    pub expected: Option<Outcome>,
    /// Why, in a sentence or two.
    pub reason: String,
    /// What was counted; `None` for promises about figures of the run.
    pub tally: Option<Tally>,
    /// For promises about figures of the run: what each was, durations in seconds.
    pub figures: Vec<NamedEstimate>,
    /// How likely a replication is to break it; `None` if it was never put to the test.
    pub violation: Option<Violation>,
    /// The first time it was broken.
    pub counterexample: Option<Counterexample>,
}

impl Verdict {
    /// What it means for a check: what a scenario expects is well, whatever it is, and anything else fails.
    pub fn standing(&self) -> Outcome {
        match self.expected {
            None => self.outcome,
            Some(expected) if expected == self.outcome => Outcome::Pass,
            Some(_) => Outcome::Fail,
        }
    }
}

/// A place in a scenario file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// As the reader would name it.
    pub file: String,
    /// Both from 1; the column in characters.
    pub line: u32,
    pub column: u32,
}

/// What was counted, over all replications that were done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tally {
    pub count: u64,
    /// Replications that were done, and those in which there was something to count.
    pub replications: u32,
    pub replications_affected: u32,
    /// How often it had the chance to happen, and what such a chance is.
    pub exposures: u64,
    pub exposure: String,
    /// What a share is a share of.
    pub of: u64,
    /// Things whose end is not known.
    pub unsettled: u64,
    /// Count per exposure; `None` without any.
    pub rate: Option<f64>,
    /// If there were exposures and nothing was counted: the rate per exposure that is still possible, at the
    /// results' confidence.
    pub rate_at_most: Option<f64>,
    /// The exact interval of the share `count / of`, where a share was promised.
    pub share: Option<(f64, f64)>,
}

/// How likely a replication is to break a promise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Violation {
    /// Replications that break it by themselves: of a count and of a figure, those beyond the bound; of a share, those
    /// whose own share is.
    pub broken: u32,
    /// Replications that had something to say to it.
    pub replications: u32,
    /// The exact (Clopper–Pearson) interval of the probability, at the results' confidence; where none or all are
    /// broken, its only end that is not certain takes all that the level leaves.
    pub low: f64,
    pub high: f64,
}

/// A figure of the run that a promise speaks of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NamedEstimate {
    pub name: String,
    pub estimate: Estimate,
}

/// Where a promise was first seen broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counterexample {
    pub replication: u32,
    /// Seconds from the start of the replication.
    pub at: f64,
    /// The obligation concerned, sixteen hexadecimal digits; `None` if it is not about one.
    pub obligation: Option<String>,
    /// What was seen, in words of the scenario.
    pub what: String,
}

/// Something that was counted though nothing was promised about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unasked {
    /// As a promise about it would be named: `ordering.regressed`.
    pub name: String,
    /// What is counted.
    pub counts: String,
    pub tally: Tally,
    pub first: Option<Counterexample>,
}

#[cfg(test)]
mod tests {
    use super::Outcome::*;
    use super::*;

    #[test]
    fn one_that_fails_fails_all() {
        assert_eq!(Outcome::of_all([]), Pass);
        assert_eq!(Outcome::of_all([Pass, Inconclusive, Pass]), Inconclusive);
        assert_eq!(Outcome::of_all([Fail, Inconclusive, Pass]), Fail);
    }

    #[test]
    fn what_is_expected_is_well() {
        let verdict = |outcome, expected| Verdict {
            name: String::new(),
            place: Place::default(),
            bound: String::new(),
            outcome,
            expected,
            reason: String::new(),
            tally: None,
            figures: Vec::new(),
            violation: None,
            counterexample: None,
        };
        for outcome in [Pass, Inconclusive, Fail] {
            assert_eq!(verdict(outcome, None).standing(), outcome);
            for expected in [Pass, Inconclusive, Fail] {
                let standing = verdict(outcome, Some(expected)).standing();
                assert_eq!(standing, if outcome == expected { Pass } else { Fail });
            }
        }
    }
}
