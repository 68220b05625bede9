//! Several designs under the same work: which is better, by how much, and how sure that is.
//!
//! Laws.
//!
//! - Every design runs the same replications under the same seed, so that it meets the same arrivals, demands and
//!   faults, and what is compared are the differences within each replication. Independent draws on request give the
//!   same answers with wider intervals.
//! - What is called clear is so together with all else that is asked at once: questions and promises are one
//!   family, all further measures another, each held by Holm to the confidence of the whole. The intervals of the
//!   differences hold together over all pairs of designs, for each measure by itself.
//! - Only what was done of every design is compared, replication by replication.

pub mod difference;
mod pairs;
mod ranking;

use super::results::compare::{
    COMPARISON_VERSION, ComparedMeasure, ComparedPromise, Comparison, Design, Draws, VarianceReduction,
};
use super::run::{
    CONFIDENCE, Failure, Progress, Replicated, RunOptions, Undertaking, run_measured_kept, with_warm_up,
};
use crate::kernel::time::{Nanos, Pretty};
use crate::model::{Model, WarmUp};
use crate::stats::multiplicity::{holm, level_of_each};
use difference::difference;
use pairs::Sides;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Most designs that are compared: all pairs are asked about.
pub const MOST_DESIGNS: usize = 12;

/// A design to be compared.
pub struct Entrant {
    /// As given on the command line.
    pub file: String,
    pub model: Model,
    /// What `eventflow show` says of it.
    pub text: String,
}

/// Why designs cannot be compared as they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// They run for different times.
    Horizons(String),
    /// One of them cannot be run: its file, and why.
    Failed(String, Failure),
}

/// Runs all designs and holds them against each other. The result does not depend on how many threads there are.
///
/// # Errors
///
/// If a design cannot be run to its end, or if they do not run for the same time.
pub fn compare(
    entrants: &[Entrant],
    draws: Draws,
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
) -> Result<Comparison, Trouble> {
    let common = Common::new(entrants, options, interrupt)?;
    let models: Vec<Model> = entrants.iter().zip(0..).map(|(one, at)| common.model(one, draws, at)).collect();
    let undertakings: Vec<Undertaking> =
        models.iter().zip(entrants).map(|(model, one)| Undertaking { model, file: &one.file }).collect();
    let options = RunOptions { seed: None, replications: None, precision: None, ..*options };
    let all = run_measured_kept(&undertakings, &options, progress, interrupt, &());
    let all = all.into_iter().zip(entrants);
    let replicated: Vec<Replicated> = all
        .map(|(outcome, one)| outcome.map_err(|failure| Trouble::Failed(one.file.clone(), failure)))
        .collect::<Result<_, _>>()?;
    Ok(common.comparison(entrants, replicated, draws))
}

/// Units of progress: the horizon and the replications of each design.
pub fn work(entrants: &[Entrant], options: &RunOptions) -> Vec<(Nanos, u32)> {
    let replications = replications(entrants, options);
    entrants.iter().map(|one| (one.model.run.horizon, replications)).collect()
}

fn replications(entrants: &[Entrant], options: &RunOptions) -> u32 {
    let most = entrants.iter().map(|one| one.model.run.replications).max().unwrap_or(1);
    options.replications.unwrap_or(most).max(1)
}

/// What all designs have in common.
struct Common {
    seed: u64,
    replications: u32,
    warm_up: Nanos,
    notes: Vec<String>,
}

impl Common {
    fn new(entrants: &[Entrant], options: &RunOptions, interrupt: &AtomicBool) -> Result<Self, Trouble> {
        let first = &entrants[0].model;
        if let Some(other) = entrants.iter().find(|one| one.model.run.horizon != first.run.horizon) {
            return Err(Trouble::Horizons(format!(
                "the designs do not run for the same time: {} for {}, {} for {}",
                entrants[0].file,
                Pretty(first.run.horizon),
                other.file,
                Pretty(other.model.run.horizon)
            )));
        }
        let mut notes = Vec::new();
        let seed = options.seed.unwrap_or(first.seed);
        if options.seed.is_none() && entrants.iter().any(|one| one.model.seed != seed) {
            notes.push(format!(
                "The files have different seeds; all designs ran under {seed}, the first one's."
            ));
        }
        let of_all = RunOptions { seed: Some(seed), ..*options };
        let (warm_ups, searches): (Vec<Nanos>, Vec<_>) = entrants
            .iter()
            .map(|one| with_warm_up(&one.model, &of_all, interrupt))
            .map(|(model, search)| (model.run.warm_up, search))
            .unzip();
        let warm_up = warm_ups.iter().copied().max().unwrap_or(0);
        for (one, _) in
            entrants.iter().zip(&searches).filter(|(_, of)| of.as_ref().is_some_and(|of| of.is_late))
        {
            notes.push(format!("{}: the run is too short to tell its warm-up (MSER-5).", one.file));
        }
        if warm_ups.iter().any(|of| *of != warm_up) {
            let length = Pretty(warm_up);
            notes.push(format!(
                "The designs have different warm-ups; all designs were measured from {length} on, the latest of them."
            ));
        }
        let replications = replications(entrants, options);
        if options.replications.is_none()
            && entrants.iter().any(|one| one.model.run.replications != replications)
        {
            notes.push(format!(
                "The files ask for different numbers of replications; {replications} were made of each design."
            ));
        }
        Ok(Self { seed, replications, warm_up, notes })
    }

    /// The design as it is run beside the others.
    fn model(&self, entrant: &Entrant, draws: Draws, position: u64) -> Model {
        let mut model = entrant.model.clone();
        model.seed = match draws {
            Draws::Common => self.seed,
            Draws::Independent => self.seed.wrapping_add(position),
        };
        (model.run.warm_up, model.run.warm_up_by) = (self.warm_up, WarmUp::Given);
        model.run.replications = self.replications;
        model
    }

    fn comparison(self, entrants: &[Entrant], replicated: Vec<Replicated>, draws: Draws) -> Comparison {
        let names = names(entrants, &replicated);
        let count = entrants.len();
        let pair_confidence = level_of_each(CONFIDENCE, count * (count - 1) / 2);
        let sides = Sides::new(&replicated, CONFIDENCE, pair_confidence);
        let done = sides.replications();
        let mut measures = sides.measures();
        let mut promises = sides.promises();
        let (mut questions, mut further): (Vec<_>, Vec<_>) =
            measures.compared.drain(..).partition(|(is_question, _)| *is_question);
        settle(questions.iter_mut().map(|(_, measure)| measure), &mut promises);
        settle(further.iter_mut().map(|(_, measure)| measure), &mut []);
        let questions: Vec<ComparedMeasure> = questions.into_iter().map(|(_, measure)| measure).collect();
        let further = further.into_iter().map(|(_, measure)| measure).collect();
        let mut notes = self.notes;
        notes.extend(doubts(&questions, done, self.replications));
        let differences = entrants.iter().enumerate().skip(1);
        let differences = differences.map(|(at, one)| difference(at, &entrants[0].text, &one.text)).collect();
        let designs = names.into_iter().zip(replicated);
        Comparison {
            version: COMPARISON_VERSION,
            eventflow: env!("CARGO_PKG_VERSION").to_owned(),
            draws,
            settings: Vec::new(),
            seed: self.seed,
            replications_asked: self.replications,
            replications_done: done,
            partial: done < self.replications,
            confidence: CONFIDENCE,
            pair_confidence,
            ranking: ranking::ranking(count, &questions, &promises),
            variance_reduction: variance_reduction(&questions),
            designs: designs.map(|(name, of)| Design { name, run: of.results }).collect(),
            questions,
            promises,
            further,
            unchanged: measures.unchanged,
            not_shared: measures.not_shared,
            differences,
            notes,
        }
    }
}

/// Decides what is clear among all that is asked together.
fn settle<'m>(measures: impl Iterator<Item = &'m mut ComparedMeasure>, promises: &mut [ComparedPromise]) {
    let mut of_measures: Vec<_> = measures.flat_map(|measure| &mut measure.pairs).collect();
    let mut of_promises: Vec<_> = promises.iter_mut().flat_map(|promise| &mut promise.pairs).collect();
    let p_values: Vec<f64> = of_measures
        .iter()
        .filter_map(|pair| pair.p_value)
        .chain(of_promises.iter().map(|pair| pair.p_value))
        .collect();
    let mut adjusted = holm(&p_values).into_iter();
    let is_clear = |p: f64| p <= 1.0 - CONFIDENCE;
    for pair in of_measures.iter_mut().filter(|pair| pair.p_value.is_some()) {
        pair.p_adjusted = adjusted.next();
        pair.is_clear = pair.p_adjusted.is_some_and(is_clear);
    }
    for (pair, p) in of_promises.iter_mut().zip(adjusted) {
        (pair.p_adjusted, pair.is_clear) = (p, is_clear(p));
    }
}

fn variance_reduction(questions: &[ComparedMeasure]) -> Option<VarianceReduction> {
    let mut factors: Vec<f64> = questions
        .iter()
        .flat_map(|measure| &measure.pairs)
        .filter_map(|pair| pair.variance_reduction)
        .collect();
    factors.sort_by(f64::total_cmp);
    let (least, most) = (*factors.first()?, *factors.last()?);
    Some(VarianceReduction { median: factors[factors.len() / 2], least, most })
}

/// What a reader must know before believing the differences.
fn doubts(questions: &[ComparedMeasure], done: u32, asked: u32) -> Vec<String> {
    let mut notes = Vec::new();
    if done < asked {
        notes.push(format!("Interrupted: {done} of {asked} replications were done of every design."));
    }
    if done < 2 {
        notes.push(
            "It takes two replications to tell designs apart: nobody knows what here is chance.".to_owned(),
        );
    }
    let leans = |measure: &&ComparedMeasure| {
        measure.pairs.iter().any(|pair| {
            let is_apart = pair.median.is_none_or(|(low, high)| low > 0.0 || high < 0.0);
            pair.is_clear && !is_apart
        })
    };
    for measure in questions.iter().filter(leans) {
        notes.push(format!(
            "{}: the mean of the differences is clear of 0, the middle one of them is not: a few replications make \
             the difference.",
            measure.name
        ));
    }
    notes
}

/// A name for each design: that of its scenario; where two share it, that of the file, and then the whole path and
/// a number.
fn names(entrants: &[Entrant], replicated: &[Replicated]) -> Vec<String> {
    let scenarios: Vec<String> = replicated.iter().map(|one| one.results.scenario.clone()).collect();
    let stem = |one: &Entrant| {
        let stem = Path::new(&one.file).file_stem();
        stem.map_or(one.file.clone(), |stem| stem.to_string_lossy().into_owned())
    };
    let stems: Vec<String> = entrants.iter().map(stem).collect();
    let paths: Vec<String> = entrants.iter().map(|one| one.file.clone()).collect();
    for names in [scenarios, stems, paths.clone()] {
        if (1..names.len()).all(|at| !names[..at].contains(&names[at])) {
            return names;
        }
    }
    paths.iter().zip(1..).map(|(path, number)| format!("{path} #{number}")).collect()
}
