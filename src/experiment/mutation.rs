//! Mutation: the same seeds, with one safeguard less.
//!
//! A safeguard is tested by a scenario if something gets worse without it, and what is worse is told as verdicts
//! are:
//!
//! | without the safeguard | it |
//! |---|---|
//! | a verdict fails that did not, or no end is come to | *breaks* the promise |
//! | a count is higher, beyond noise | *worsens* it |
//! | a verdict that was a pass is inconclusive, or a count differs within noise | *cannot tell* |
//! | nothing goes worse | was *not tested* |
//!
//! Counts are compared replication by replication: both sides drew the same numbers, so what they differ by is the
//! safeguard's doing, up to what its absence shifts in time. Beyond noise is a difference whose interval lies
//! above 0. Counted are all anomalies and promises about rows; of isolation only what is promised, since many harmless
//! interleavings count there too. Figures of the run are judged by their promises alone.

use super::results::Estimate;
use super::results::account::SourceLine;
use super::results::mutation::{Broken, CountChange, Direction, Effect, Mutant};
use super::results::verdict::{Outcome, Verdict};
use super::run::{CONFIDENCE, Failure, Progress, RunOptions, Trialled, Undertaking, judge_all};
use crate::kernel::anomaly::{Anomaly, Family};
use crate::model::Model;
use crate::model::promise::InvariantKind;
use crate::observe::findings::Findings;
use crate::stats::confidence::interval;
use std::sync::atomic::AtomicBool;

/// A model that lacks a safeguard.
pub struct Lacking {
    pub lacks: String,
    pub line: SourceLine,
    pub model: Model,
}

/// Runs a model and those that lack something of it, and says what differs. The result does not depend on how
/// many threads there are.
///
/// # Errors
///
/// If the whole model cannot be run to its end, or any of them was interrupted.
pub fn mutate(
    whole: &Model,
    lacking: &[Lacking],
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
) -> Result<Vec<Mutant>, Failure> {
    let models = [whole].into_iter().chain(lacking.iter().map(|of| &of.model));
    let undertakings: Vec<Undertaking> = models.map(|model| Undertaking { model, file: "" }).collect();
    let mut trialled = judge_all(&undertakings, options, progress, interrupt).into_iter();
    let with = complete(trialled.next().expect("the whole model is first"))?;
    let with = Side::new(whole, &with);
    let mutants = lacking.iter().zip(trialled).map(|(of, trialled)| {
        let (lacks, line) = (of.lacks.clone(), of.line.clone());
        match complete(trialled) {
            Ok(without) => Ok(mutant(lacks, line, &with, &Side::new(&of.model, &without))),
            Err(failure @ (Failure::Interrupted | Failure::NoThreads(_))) => Err(failure),
            Err(halted) => Ok(Mutant {
                lacks,
                line,
                effect: Effect::Breaks,
                broken: Vec::new(),
                changed: Vec::new(),
                doubts: Vec::new(),
                halted: Some(halted.to_string()),
            }),
        }
    });
    mutants.collect()
}

/// Pairs are of whole runs: one that was broken off gives none.
fn complete(trialled: Result<Trialled, Failure>) -> Result<Trialled, Failure> {
    let is_whole = |of: &Trialled| of.replications.len() == of.asked as usize;
    trialled.and_then(|of| if is_whole(&of) { Ok(of) } else { Err(Failure::Interrupted) })
}

/// What was found with a safeguard, or without it.
struct Side {
    verdicts: Vec<Verdict>,
    counts: Vec<Count>,
}

/// One measure in each replication.
struct Count {
    measure: String,
    each: Vec<u64>,
}

impl Side {
    fn new(model: &Model, trialled: &Trialled) -> Self {
        let findings: Vec<&Findings> = trialled.replications.iter().map(|one| &one.findings).collect();
        Self { verdicts: trialled.verdicts(model), counts: counts(model, &findings) }
    }
}

fn counts(model: &Model, findings: &[&Findings]) -> Vec<Count> {
    let promises = &model.promises;
    let is_promised = |anomaly| promises.anomalies.iter().any(|bound| bound.anomaly == anomaly);
    let counted = Anomaly::ALL
        .iter()
        .filter(|anomaly| anomaly.family() != Family::Isolation || is_promised(**anomaly))
        .map(|&anomaly| Count {
            measure: format!("{}.{}", anomaly.family().name(), anomaly.name()),
            each: each(findings, |one| one.anomalies.get(anomaly.index()).map(|of| of.count)),
        });
    let is_figure = |at: usize| {
        let invariant = at.checked_sub(promises.first_invariant()).and_then(|at| promises.invariants.get(at));
        let invariant = invariant.map(|invariant| &invariant.kind);
        matches!(invariant, Some(InvariantKind::Measure(_)))
    };
    let headings = promises.headings().enumerate().filter(|(at, _)| !is_figure(*at));
    let others = headings.map(|(at, heading)| Count {
        measure: heading.verdict.clone(),
        each: each(findings, |one| one.promises.get(at).map(|of| of.count)),
    });
    counted.chain(others).collect()
}

/// Where nobody looked, nothing was counted.
fn each(findings: &[&Findings], count: impl Fn(&Findings) -> Option<u64>) -> Vec<u64> {
    findings.iter().map(|one| count(one).unwrap_or(0)).collect()
}

fn mutant(lacks: String, line: SourceLine, with: &Side, without: &Side) -> Mutant {
    let verdicts = || with.verdicts.iter().zip(&without.verdicts);
    let broken: Vec<Broken> = verdicts()
        .filter(|(with, without)| without.outcome == Outcome::Fail && with.outcome != Outcome::Fail)
        .map(|(with, without)| Broken {
            promise: without.name.clone(),
            with: with.outcome,
            reason: without.reason.clone(),
        })
        .collect();
    let counts = with.counts.iter().zip(&without.counts);
    let changed: Vec<CountChange> = counts.filter_map(|(with, without)| change(with, without)).collect();
    let is_worse = changed.iter().any(|change| change.direction == Direction::Worse);
    let doubts = if is_worse || !broken.is_empty() { Vec::new() } else { doubts(verdicts(), &changed) };
    let effect = if !broken.is_empty() {
        Effect::Breaks
    } else if is_worse {
        Effect::Worsens
    } else if doubts.is_empty() {
        Effect::NotTested
    } else {
        Effect::CannotTell
    };
    Mutant { lacks, line, effect, broken, changed, doubts, halted: None }
}

/// Why what is not worse for sure may be worse all the same.
fn doubts<'v>(
    verdicts: impl Iterator<Item = (&'v Verdict, &'v Verdict)>,
    changed: &[CountChange],
) -> Vec<String> {
    let open = |(with, without): &(&Verdict, &Verdict)| {
        with.outcome == Outcome::Pass && without.outcome == Outcome::Inconclusive
    };
    let opened = verdicts.filter(open).map(|(_, without)| {
        format!("{} passed with it and is inconclusive without. {}", without.name, without.reason)
    });
    let within_noise = changed.iter().filter(|change| change.direction == Direction::Open).map(|change| {
        let why = match change.more.half_width {
            Some(_) => "differs by no more than noise",
            None => "differs in the one replication there is: it takes two to tell that from noise",
        };
        format!("{} {why}.", change.measure)
    });
    opened.chain(within_noise).collect()
}

/// What a count differs by; `None` if it does not in any replication.
fn change(with: &Count, without: &Count) -> Option<CountChange> {
    if with.each == without.each {
        return None;
    }
    let pairs = with.each.iter().zip(&without.each);
    let more = interval(pairs.map(|(&with, &without)| without as f64 - with as f64), CONFIDENCE);
    let direction = match (more.mean, more.half_width) {
        (Some(mean), Some(half)) if mean - half > 0.0 => Direction::Worse,
        (Some(mean), Some(half)) if mean + half < 0.0 => Direction::Better,
        _ => Direction::Open,
    };
    Some(CountChange {
        measure: with.measure.clone(),
        with: with.each.iter().sum(),
        without: without.each.iter().sum(),
        more: Estimate { mean: more.mean, half_width: more.half_width, n: more.count },
        direction,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(with: &[u64], without: &[u64]) -> Option<(Direction, Option<f64>)> {
        let count = |each: &[u64]| Count { measure: "ordering.regressed".to_owned(), each: each.to_vec() };
        change(&count(with), &count(without)).map(|change| (change.direction, change.more.mean))
    }

    /// What varies from replication to replication does not blur what changed in each.
    #[test]
    fn counts_are_compared_replication_by_replication() {
        assert_eq!(compared(&[3, 90, 7], &[3, 90, 7]), None);
        assert_eq!(compared(&[3, 90, 7], &[5, 92, 9]), Some((Direction::Worse, Some(2.0))));
        assert_eq!(compared(&[5, 92, 9], &[3, 90, 7]), Some((Direction::Better, Some(-2.0))));
        assert_eq!(compared(&[3, 90, 7], &[90, 3, 7]), Some((Direction::Open, Some(0.0))));
        assert_eq!(compared(&[0, 0, 0, 0], &[0, 0, 1, 0]), Some((Direction::Open, Some(0.25))));
        assert_eq!(
            compared(&[0], &[9]),
            Some((Direction::Open, Some(9.0))),
            "one replication has no noise to see"
        );
    }
}
