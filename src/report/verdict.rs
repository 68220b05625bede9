//! Verdicts in words: the same in every format, and never by colour alone.

use crate::experiment::results::verdict::{Counterexample, Outcome, Tally, Verdict};
use crate::report::figure::{count, instant};

/// A mark beside the word, for the eye.
pub fn mark(standing: Outcome) -> &'static str {
    match standing {
        Outcome::Pass => "✓",
        Outcome::Inconclusive => "?",
        Outcome::Fail => "✗",
    }
}

/// `pass`, `FAIL`, `fail, as expected`, `pass, expected fail`.
pub fn word(verdict: &Verdict) -> String {
    let outcome = verdict.outcome.name();
    match verdict.expected {
        None if verdict.outcome == Outcome::Fail => "FAIL".to_owned(),
        None => outcome.to_owned(),
        Some(expected) if expected == verdict.outcome => format!("{outcome}, as expected"),
        Some(expected) => format!("{}, expected {}", outcome.to_uppercase(), expected.name()),
    }
}

/// `4 in 2 of 10 replications`.
pub fn found(tally: &Tally) -> String {
    match tally.count {
        0 => "none".to_owned(),
        all => format!("{} in {} of {}", count(all), tally.replications_affected, tally.replications),
    }
}

/// Where a promise was first seen broken: `replication 4 at 83.063 s: …`.
pub fn seen(counterexample: &Counterexample) -> String {
    let Counterexample { replication, at, what, .. } = counterexample;
    format!("replication {replication} at {}: {what}", instant(*at))
}
