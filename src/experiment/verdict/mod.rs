//! From what was found to verdicts: pure functions, no simulation.
//!
//! Laws.
//!
//! - A count bounds every replication. A percentage bounds the share over all of them, by its exact
//!   interval: above the bound it fails, below it passes, across it nobody can tell. Figures of the run are
//!   judged by their intervals over replications.
//! - A *fail* stands, whatever else is in doubt.
//! - Never a *pass* without exposures: if nothing had the chance to go wrong, a count of 0 says nothing.
//! - Never a pass while a fault that it relies on hit nothing alive (`reliance`), while the end of
//!   something is not known, or on fewer replications than were asked for. Each makes it *inconclusive*, and
//!   is named in the reason.
//!
//! ```
//! use eventflow::experiment::results::verdict::{Outcome, Place};
//! use eventflow::experiment::verdict::{Evidence, Promise, Replication, Rule, judge};
//! use eventflow::model::promise::Bound;
//! use eventflow::observe::findings::Finding;
//!
//! let promise = Promise {
//!     name: "idempotency.duplicate_effects".to_owned(),
//!     place: Place::default(),
//!     bound: "0 in each replication".to_owned(),
//!     exposure: "attempts begun after an effect".to_owned(),
//!     expected: None,
//!     rule: Rule::Findings(Bound::Count(0)),
//! };
//! let outcome = |exposures| {
//!     let finding = Finding { exposures, ..Finding::default() };
//!     let replications = [Replication { number: 0, finding: &finding, figures: &[] }];
//!     let evidence = Evidence { replications: &replications, asked: 1, ..Evidence::NOTHING };
//!     judge(&promise, &evidence).outcome
//! };
//! assert_eq!(outcome(188), Outcome::Pass);
//! assert_eq!(outcome(0), Outcome::Inconclusive);
//! ```

mod count;
mod figures;
pub mod measure;
pub mod promised;
mod reliance;
mod subjects;
mod violation;
pub mod words;

#[cfg(test)]
mod tests;

use super::results::verdict::{Counterexample, Outcome, Place, Tally, Verdict};
use crate::kernel::time::SECOND;
use crate::model::promise::{Bound, Figure, MeasureUse};
use crate::observe::findings::{Caveat, Finding, Sighting};

/// Something that a scenario promises, as it is judged.
#[derive(Clone, Debug)]
pub struct Promise {
    /// As verdicts are named: `idempotency.duplicate_effects`.
    pub name: String,
    pub place: Place,
    /// What is promised, in words.
    pub bound: String,
    /// What had the chance to break it, in words.
    pub exposure: String,
    pub expected: Option<Outcome>,
    pub rule: Rule,
}

/// What a promise is judged by.
#[derive(Clone, Debug)]
pub enum Rule {
    Findings(Bound),
    /// A condition over figures of the run.
    Figures(Figure),
}

/// What the replications that were done found about one promise, and what all promises rely on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// In their order.
    pub replications: &'a [Replication<'a>],
    /// How many were asked for.
    pub asked: u32,
    /// Of every interval, in (0, 1).
    pub confidence: f64,
    /// What [`Replication::figures`] are, in their order.
    pub measures: &'a [MeasureUse],
    /// Faults that promises rely on and that hit nothing alive in any replication, each as
    /// `name (what it does)`.
    pub idle_faults: &'a [String],
}

impl Evidence<'_> {
    /// No replication was asked for, and none was done.
    pub const NOTHING: Self =
        Self { replications: &[], asked: 0, confidence: 0.95, measures: &[], idle_faults: &[] };
}

/// What one replication found about one promise.
#[derive(Clone, Copy, Debug)]
pub struct Replication<'a> {
    pub number: u32,
    pub finding: &'a Finding,
    /// The figures that conditions speak of, in the order of [`Evidence::measures`]; `None` where there was
    /// nothing to measure.
    pub figures: &'a [Option<f64>],
}

/// What a rule alone says, before what may cast doubt on it.
enum Holding {
    /// It was broken, and why.
    Broken(String),
    /// It held, and how well.
    Held(String),
    /// It cannot be told, and why.
    Open(String),
}

/// The verdict on a promise.
pub fn judge(promise: &Promise, evidence: &Evidence) -> Verdict {
    let (holding, tally, figures, counterexample) = match &promise.rule {
        Rule::Findings(bound) => {
            let tally = count::tally(&promise.exposure, matches!(bound, Bound::Share(_)), evidence);
            let holding = count::holding(*bound, &tally, evidence);
            let first = count::first_broken(*bound, evidence);
            (holding, Some(tally), Vec::new(), first)
        }
        Rule::Figures(condition) => {
            let (holding, figures) = figures::holding(condition, evidence);
            (holding, None, figures, None)
        }
    };
    let exposures = tally.as_ref().map(|tally| tally.exposures);
    let broken = violation::broken(&promise.rule, evidence);
    let (outcome, reason) = match holding {
        Holding::Broken(why) => (Outcome::Fail, why),
        Holding::Held(why) => match doubts(tally.as_ref(), evidence) {
            doubts if doubts.is_empty() => (Outcome::Pass, why),
            doubts => (Outcome::Inconclusive, doubts.join(" ")),
        },
        Holding::Open(why) => {
            let all: Vec<String> = [why].into_iter().chain(doubts(tally.as_ref(), evidence)).collect();
            (Outcome::Inconclusive, all.join(" "))
        }
    };
    let reason = [reason].into_iter().chain(left_out(evidence)).collect::<Vec<_>>().join(" ");
    Verdict {
        name: promise.name.clone(),
        place: promise.place.clone(),
        bound: promise.bound.clone(),
        outcome,
        expected: promise.expected,
        reason,
        tally,
        figures,
        violation: violation::violation(&broken, exposures, evidence.confidence),
        counterexample: counterexample.filter(|_| outcome == Outcome::Fail),
    }
}

/// What was left out of the judgement.
fn left_out(evidence: &Evidence) -> Option<String> {
    evidence.replications.iter().find_map(|one| match &one.finding.caveat {
        Some(Caveat::LeftOut(what)) => Some(what.clone()),
        _ => None,
    })
}

/// Why nothing can be said, in the first replication of which that is so.
fn not_applicable(evidence: &Evidence) -> Option<String> {
    evidence.replications.iter().find_map(|one| match &one.finding.caveat {
        Some(Caveat::NotApplicable(why)) => Some(format!("Not applicable: {why}.")),
        _ => None,
    })
}

/// Why what held may not count as a pass.
fn doubts(tally: Option<&Tally>, evidence: &Evidence) -> Vec<String> {
    let mut doubts: Vec<String> = not_applicable(evidence).into_iter().collect();
    if let Some(tally) = tally {
        if tally.exposures == 0 && doubts.is_empty() {
            doubts.push(format!("Never put to the test: there were no {}.", tally.exposure));
        }
        let under_fault = evidence.replications.iter().filter_map(|one| one.finding.under_fault);
        if tally.exposures > 0 && under_fault.reduce(|all, one| all + one) == Some(0) {
            let exposure = &tally.exposure;
            doubts.push(format!("Never put to the test: no fault lasted while there were {exposure}."));
        }
        if tally.unsettled > 0 {
            let affected = evidence.replications.iter().filter(|one| one.finding.unsettled > 0).count();
            doubts.push(format!(
                "Not settled: the end of {} is not known, in {affected} of {} replications.",
                tally.unsettled, tally.replications
            ));
        }
    }
    if !evidence.idle_faults.is_empty() {
        doubts.push(words::idle(evidence.idle_faults));
    }
    let done = evidence.replications.len();
    if done < evidence.asked as usize {
        doubts.push(format!("Interrupted: only {done} of {} replications were done.", evidence.asked));
    }
    doubts
}

/// Where something was first seen, in which replication.
fn counterexample(replication: u32, sighting: &Sighting) -> Counterexample {
    Counterexample {
        replication,
        at: sighting.at as f64 / SECOND as f64,
        obligation: (sighting.obligation != 0).then(|| format!("{:016x}", sighting.obligation)),
        what: sighting.what.clone(),
    }
}
