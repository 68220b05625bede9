//! As many replications as a precision takes: which figures have to be known so well, and how that ended.

use super::CONFIDENCE;
use super::bench::{Bench, Finished};
use crate::experiment::measures::{Measured, Source, measured};
use crate::experiment::results::PrecisionResults;
use crate::experiment::results::measure::Role;
use crate::stats::confidence::Intervals;
use crate::stats::sequential::Precision;
use crate::world::Halt;

/// Decides whether a run under a precision goes on, once all that were asked for are done. It depends on what
/// they gave, in their order, and on nothing else.
pub fn look<Retained>(
    bench: &mut Bench,
    done: &[Result<Retained, Halt>],
    estimates: &impl Fn(&Bench, &[&Retained]) -> Vec<Option<(f64, f64)>>,
) {
    let Some(mut stopping) = bench.stopping.filter(|stopping| !stopping.is_over()) else { return };
    // One that is missing or has no end decides by itself.
    let Ok(finished) = done.iter().map(Result::as_ref).collect::<Result<Vec<&Retained>, _>>() else { return };
    stopping.look(estimates(bench, &finished).into_iter());
    bench.stopping = Some(stopping);
    bench.asked = stopping.wanted();
}

/// Mean and half-width of every figure that is to be known; `None` where it has no interval. Those that no
/// replication could measure are not among them.
pub fn estimates(bench: &Bench, finished: &[&Finished]) -> Vec<Option<(f64, f64)>> {
    told(bench, finished).into_iter().map(|(_, estimate)| estimate).collect()
}

/// How it ended.
pub fn results(
    bench: &Bench,
    finished: &[&Finished],
    precision: Precision,
    is_met: bool,
) -> PrecisionResults {
    let is_open = |estimate: Option<(f64, f64)>| {
        estimate.is_none_or(|(mean, half_width)| !precision.is_met(mean, half_width))
    };
    let told = told(bench, finished).into_iter();
    PrecisionResults {
        relative: precision.relative,
        most: precision.most,
        is_met,
        open: told.filter(|(_, estimate)| is_open(*estimate)).map(|(name, _)| name).collect(),
    }
}

fn told(bench: &Bench, finished: &[&Finished]) -> Vec<(String, Option<(f64, f64)>)> {
    let intervals = Intervals::new(CONFIDENCE);
    let sources: Vec<Source> = finished.iter().map(|one| one.source()).collect();
    let is_steered = |of: &Measured| of.role == Role::Asked && of.values.iter().any(Option::is_some);
    let measures = measured(&bench.model, &bench.measures, &sources).into_iter().filter(is_steered);
    let estimate = |of: Measured| {
        let interval = intervals.of(of.values.iter().copied().flatten());
        (of.name, interval.mean.zip(interval.half_width))
    };
    measures.map(estimate).collect()
}
