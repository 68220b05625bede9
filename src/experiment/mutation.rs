//! Mutation: the same seeds, with one safeguard less.
//!
//! A safeguard whose loss changes no count was not put to the test: the scenario would be as green without it.
//! Counts are those of all judges over all replications, so that the comparison is paired.

use super::replication;
use super::results::account::SourceLine;
use super::results::mutation::{CountChange, Mutant};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::stream::StreamPlan;
use crate::model::Model;
use crate::model::promise::Bound;
use crate::observe::findings::Findings;
use crate::observe::oracles::Oracles;
use crate::world::{Halt, Limits};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How each model is run.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    pub seed: u64,
    pub replications: u32,
    pub limits: Limits,
    pub interrupt: &'a AtomicBool,
}

/// A model that lacks a safeguard.
pub struct Lacking {
    pub lacks: String,
    pub line: SourceLine,
    pub model: Model,
}

/// What was counted of one measure.
struct Count {
    measure: String,
    all: u64,
    /// What was promised about it was broken in some replication.
    is_broken: bool,
}

/// Runs a model and those that lack something of it, and says what differs. Runs in parallel, in the current
/// pool; the result does not depend on how many threads that has.
///
/// # Errors
///
/// If the whole model cannot be run to its end.
pub fn mutate(whole: &Model, lacking: &[Lacking], trial: &Trial) -> Result<Vec<Mutant>, Halt> {
    let models: Vec<&Model> = [whole].into_iter().chain(lacking.iter().map(|of| &of.model)).collect();
    let turns: Vec<(usize, u32)> = (0..models.len())
        .flat_map(|model| (0..trial.replications).map(move |replication| (model, replication)))
        .collect();
    let found: Vec<Result<Findings, Halt>> = turns
        .into_par_iter()
        .with_max_len(1)
        .map(|(model, replication)| findings(models[model], trial, replication))
        .collect();
    let mut found = found.into_iter();
    let mut counts = models.iter().map(|model| {
        let all: Result<Vec<Findings>, Halt> = found.by_ref().take(trial.replications as usize).collect();
        all.map(|all| counted(model, &all))
    });
    let with = counts.next().expect("the whole model is first")?;
    let counts: Vec<Result<Vec<Count>, Halt>> = counts.collect();
    let mutants = lacking.iter().zip(counts).map(|(of, counts)| {
        let (changed, halted) = match counts {
            Ok(without) => (changes(&with, &without), None),
            Err(halt) => (Vec::new(), Some(halt)),
        };
        if halted == Some(Halt::Interrupted) {
            return Err(Halt::Interrupted);
        }
        let halted = halted.map(|halt| halt.to_string());
        Ok(Mutant { lacks: of.lacks.clone(), line: of.line.clone(), changed, halted })
    });
    mutants.collect()
}

fn findings(model: &Model, trial: &Trial, replication: u32) -> Result<Findings, Halt> {
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = replication::agenda(model, &plan, trial.seed, replication);
    let mut oracles = Oracles::new(model);
    replication::replicate(model, agenda, &mut oracles, trial.limits, trial.interrupt)?;
    Ok(oracles.finish().0)
}

fn counted(model: &Model, all: &[Findings]) -> Vec<Count> {
    let mut counts = Vec::new();
    for &anomaly in Anomaly::ALL {
        let each = || all.iter().map(|findings| findings.of(anomaly).count);
        let bound = model.promises.anomalies.iter().find(|promise| promise.anomaly == anomaly);
        let most = match bound.map(|promise| promise.bound) {
            Some(Bound::Count(most)) => most,
            _ => u64::MAX,
        };
        let measure = format!("{}.{}", anomaly.family().name(), anomaly.name());
        counts.push(Count { measure, all: each().sum(), is_broken: each().any(|count| count > most) });
    }
    for (at, heading) in model.promises.headings().enumerate() {
        let each = all.iter().filter_map(|findings| findings.promises.get(at));
        let sum = each.map(|finding| finding.count).sum();
        counts.push(Count { measure: heading.verdict.clone(), all: sum, is_broken: sum > 0 });
    }
    counts
}

fn changes(with: &[Count], without: &[Count]) -> Vec<CountChange> {
    let pairs = with.iter().zip(without).filter(|(with, without)| with.all != without.all);
    pairs
        .map(|(with, without)| CountChange {
            measure: with.measure.clone(),
            with: with.all,
            without: without.all,
            breaks_promise: without.is_broken && !with.is_broken,
        })
        .collect()
}
