//! Verdicts in words: the same in every format, and never by colour alone.

use crate::experiment::results::verdict::{Counterexample, Outcome, Tally, Verdict, Violation};
use crate::report::figure::{Quantity, count, instant, rough};

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

/// How likely a replication is to break a promise: `3 of 40 (1.57 % to 20.4 %)`, `0 of 40 (at most 7.22 %)`.
pub fn violation(violation: &Violation) -> String {
    let share = |value: f64| rough(value, Quantity::Share);
    let Violation { broken, replications, low, high } = violation;
    let bounds = if *broken == 0 {
        format!("at most {}", share(*high))
    } else if broken == replications {
        format!("at least {}", share(*low))
    } else {
        format!("{} to {}", share(*low), share(*high))
    };
    format!("{broken} of {replications} ({bounds})")
}

/// Where a promise was first seen broken: `replication 4 at 83.063 s: …`.
pub fn seen(counterexample: &Counterexample) -> String {
    let Counterexample { replication, at, what, .. } = counterexample;
    format!("replication {replication} at {}: {what}", instant(*at))
}
