//! The warm-up found: short trial of the model before it is measured, with draws of its own.
//!
//! Law. What is left out is decided by pilot replications that are measured for nothing else, so that it is
//! independent of what it is applied to. It depends on the model and the seed alone: every shard of an experiment
//! finds the same. Faults at given times stay out of a pilot: they come when the file says, and are no part of how an
//! empty system fills.
//!
//! Looked at are the clients' response times, each client's by itself, and over all services and subscriptions the number
//! waiting, the number at work and the lag; of what [`truncation`] leaves out of each, the longest counts.

use super::RunOptions;
use super::in_turn;
use crate::experiment::replication;
use crate::experiment::results::WarmUpSearch;
use crate::experiment::stored::Place;
use crate::kernel::ids::FaultId;
use crate::kernel::stream::StreamPlan;
use crate::kernel::time::Nanos;
use crate::model::{FaultWhen, Model, WarmUp};
use crate::observe::metrics::{Figures, Metrics};
use crate::stats::series::mean_over_replications;
use crate::stats::warm_up::truncation;
use crate::world::without::Without;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Pilot replications: enough to even out the waves of one.
const PILOTS: u32 = 5;

/// The model with the warm-up that it asks to be found, and how that went; the same model if it gives one.
pub fn settled<'m>(
    model: &'m Model,
    options: &RunOptions,
    interrupt: &AtomicBool,
) -> (Cow<'m, Model>, Option<WarmUpSearch>) {
    if model.run.warm_up_by == WarmUp::Given {
        return (Cow::Borrowed(model), None);
    }
    let (warm_up, search) = find(model, options, interrupt);
    let mut model = model.clone();
    model.run.warm_up = warm_up;
    (Cow::Owned(model), Some(search))
}

/// Nothing is found where a pilot does not come to its end: the run itself will say why.
fn find(model: &Model, options: &RunOptions, interrupt: &AtomicBool) -> (Nanos, WarmUpSearch) {
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let seed = options.seed.unwrap_or(model.seed);
    let without = Without { firings: at_given_times(model), ..Without::default() };
    let pilot = |place: Place| {
        let mut metrics = Metrics::finely(model);
        let agenda = replication::agenda(model, &plan, seed, place.replication);
        let (limits, without) = (options.limits, without.clone());
        let run = replication::replicate_without(model, agenda, &mut metrics, limits, interrupt, without);
        run.ok().map(|_| metrics.finish().0)
    };
    let places: Vec<Place> =
        (0..PILOTS).map(|number| Place { point: 0, replication: u32::MAX - number }).collect();
    let figures: Option<Vec<Figures>> =
        in_turn(&places, options, pilot).ok().and_then(|all| all.into_iter().collect());
    let found = figures.and_then(|figures| longest(model, &figures));
    let Some((warm_up, told_by, is_late)) = found else {
        return (0, WarmUpSearch { pilots: PILOTS, told_by: None, is_late: false });
    };
    (warm_up, WarmUpSearch { pilots: PILOTS, told_by, is_late })
}

fn at_given_times(model: &Model) -> Vec<(FaultId, u64)> {
    let faults = model.faults.iter().enumerate();
    let firings = faults.flat_map(|(at, fault)| {
        let times = if let FaultWhen::At(times) = &fault.when { times.len() } else { 0 };
        (0..times as u64).map(move |number| (FaultId::new(at), number))
    });
    firings.collect()
}

/// The longest beginning that any series wants left out, which one that is, and whether some series is too short to
/// tell; then at most half of the horizon.
fn longest(model: &Model, figures: &[Figures]) -> Option<(Nanos, Option<String>, bool)> {
    let mut longest: Option<(f64, String, bool)> = None;
    for (name, width, series) in series(model, figures) {
        let Some(found) = truncation(&series) else { continue };
        let length = found.values as f64 * width;
        if longest.as_ref().is_none_or(|(most, ..)| length > *most) {
            longest = Some((length, name, found.is_late));
        }
    }
    let (length, name, is_late) = longest?;
    let nanos = (length * crate::kernel::time::SECOND as f64).round() as Nanos;
    Some((nanos.min(model.run.horizon / 2), (nanos > 0).then_some(name), is_late))
}

/// Series of the means over the pilots, each with its name and the length of a bucket in seconds.
fn series(model: &Model, figures: &[Figures]) -> Vec<(String, f64, Vec<f64>)> {
    let mean = |of: &dyn Fn(&Figures) -> Vec<f64>| {
        let pilots: Vec<Vec<f64>> = figures.iter().map(of).collect();
        mean_over_replications(&pilots)
    };
    let mut all = Vec::new();
    for (i, client) in model.clients.iter().enumerate() {
        let times = mean(&|one| without_gaps(&one.clients[i].response_time_over_time));
        all.push((format!("{}.response_time", client.name), figures[0].clients[i].width, times));
    }
    if let Some(first) = figures[0].services.first() {
        let waiting = mean(&|one| sum(one.services.iter().map(|of| &of.queue_length_over_time)));
        let busy = mean(&|one| sum(one.services.iter().map(|of| &of.utilization_over_time)));
        all.push(("the number waiting at services".to_owned(), first.width, waiting));
        all.push(("the utilization of services".to_owned(), first.width, busy));
    }
    if let Some(first) = figures[0].subscriptions.first() {
        let lag = mean(&|one| sum(one.subscriptions.iter().map(|of| &of.lag_over_time)));
        all.push(("the lag of subscriptions".to_owned(), first.width, lag));
    }
    all
}

/// Where nothing ended, what ended before stands for it.
fn without_gaps(series: &[f64]) -> Vec<f64> {
    let mut last = series.iter().copied().find(|value| *value > 0.0).unwrap_or(0.0);
    let filled = series.iter().map(|&value| {
        if value > 0.0 {
            last = value;
        }
        last
    });
    filled.collect()
}

fn sum<'s>(mut series: impl Iterator<Item = &'s Vec<f64>>) -> Vec<f64> {
    let mut sum = series.next().cloned().unwrap_or_default();
    for one in series {
        sum.iter_mut().zip(one).for_each(|(sum, value)| *sum += value);
    }
    sum
}
