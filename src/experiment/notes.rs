//! Notes: what a reader must know before believing the figures.

use super::estimates::Replications;
use super::results::{Estimate, FailedExpression, PrecisionResults, WarmUpSearch};
use super::verdict::words::percent;
use crate::kernel::time::Pretty;
use crate::model::Model;
use crate::observe::metrics::Figures;

/// Of each kind: a design of thousands of services can have something to say about each.
const MOST_OF_A_KIND: usize = 5;

/// Notes on what was done: `done` of `asked` replications.
pub fn notes(
    model: &Model,
    replications: &Replications,
    figures: &[&Figures],
    failed_expressions: &[FailedExpression],
    asked: u32,
    search: Option<&WarmUpSearch>,
) -> Vec<String> {
    let done = figures.len();
    let mut notes = Vec::new();
    if done < asked as usize {
        notes.push(format!("Interrupted: {done} of {asked} replications were done."));
    }
    if done < 2 {
        notes.push(
            "One replication has no confidence intervals: nobody knows how far these figures are from the truth."
                .to_owned(),
        );
    }
    if let Some(search) = search.filter(|search| search.is_late) {
        notes.push(too_short(search, model));
    }
    if model.run.warm_up == 0 && search.is_none() {
        notes.push("No warm-up: the figures include the start, when every queue was still empty.".to_owned());
    }
    if model.clients.is_empty() && model.jobs.is_empty() {
        notes
            .push("Nobody asks for anything: there is no client and no job, so nothing happened.".to_owned());
    }
    let hit = figures.iter().filter(|figures| figures.drain_limit_hit).count();
    if hit > 0 {
        let limit = Pretty(model.run.drain);
        notes.push(format!(
            "In {hit} of {done} replications work was left when the drain reached its limit of {limit}."
        ));
    }
    notes.extend(limited(failed_expressions.iter().map(failed).collect(), "expressions"));
    notes.extend(limited(growing_queues(model, replications), "queues"));
    notes.extend(limited(growing_lags(model, replications), "subscriptions"));
    notes.extend(limited(idle_faults(model, replications), "faults"));
    notes
}

/// That a precision was asked for and not reached.
pub fn not_reached(precision: &PrecisionResults) -> Option<String> {
    let share = percent(precision.relative);
    let named = precision.open.iter().take(MOST_OF_A_KIND).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match precision.open.len().saturating_sub(MOST_OF_A_KIND) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!precision.is_met).then(|| match precision.open.is_empty() {
        true => {
            format!("The last look alone found every figure within {share} of its mean; none confirmed it.")
        }
        false => format!("Not known within {share} of the mean after all replications: {named}{more}."),
    })
}

fn too_short(search: &WarmUpSearch, model: &Model) -> String {
    let what = search.told_by.as_deref().unwrap_or("something");
    format!(
        "The run is too short to tell its warm-up: {what} had not settled in its first half (MSER-5). {} of {} are \
         left out; a longer horizon would tell.",
        Pretty(model.run.warm_up),
        Pretty(model.run.horizon)
    )
}

/// Words that are worth a note: 32 MiB.
const HOARD: usize = 1 << 22;

/// What keeps so much, in one replication, that a longer one may have no room for it.
pub fn hoarded<'a>(hoards: impl Iterator<Item = &'a (usize, String)>) -> Option<String> {
    let (words, what) = hoards.max_by_key(|(words, _)| *words).filter(|(words, _)| *words >= HOARD)?;
    Some(format!(
        "A replication kept {} MiB {what} at its end: that grows as long as the run lasts, and so does the memory it \
         takes.",
        words >> 17
    ))
}

fn failed(expression: &FailedExpression) -> String {
    let FailedExpression { place, count, .. } = expression;
    let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
    format!(
        "The expression at {place} had no value {times} (overflow, division by zero, or no such element): each \
         time the step failed."
    )
}

fn limited(mut notes: Vec<String>, what: &str) -> Vec<String> {
    if notes.len() > MOST_OF_A_KIND {
        let more = notes.len() - MOST_OF_A_KIND;
        notes.truncate(MOST_OF_A_KIND);
        notes.push(format!("The same holds for {more} more {what}."));
    }
    notes
}

fn growing_queues(model: &Model, replications: &Replications) -> Vec<String> {
    let note = |(i, service): (usize, &crate::model::Service)| {
        let quarter = |which: usize| move |figures: &Figures| figures.services[i].queue_length_late[which];
        let growth = growth(replications, quarter(0), quarter(1))?;
        Some(format!(
            "The queue of {} was still growing when the run ended ({growth}): its figures depend on how long \
             the run was.",
            service.name
        ))
    };
    model.services.iter().enumerate().filter_map(note).collect()
}

fn growing_lags(model: &Model, replications: &Replications) -> Vec<String> {
    let note = |(i, group): (usize, &crate::model::Group)| {
        let quarter = |which: usize| move |figures: &Figures| figures.subscriptions[i].lag_late[which];
        let growth = growth(replications, quarter(0), quarter(1))?;
        let topic = &model.topics[group.topic.index()].name;
        Some(format!(
            "The lag of {} on {topic} was still growing when the run ended ({growth}): its figures depend on \
             how long the run was.",
            group.name
        ))
    };
    model.groups.iter().enumerate().filter_map(note).collect()
}

/// Whether a level was clearly higher in the last quarter than in the third: by a quarter of it and by
/// more than chance can explain. Says from what to what.
fn growth(
    replications: &Replications,
    third: impl Fn(&Figures) -> Option<f64>,
    last: impl Fn(&Figures) -> Option<f64>,
) -> Option<String> {
    let growth = replications.estimate(|figures| Some(last(figures)? - third(figures)?));
    let (third, last) = (replications.estimate(third).mean?, replications.estimate(last).mean?);
    let Estimate { mean: Some(mean), half_width, .. } = growth else { return None };
    // Without an interval, only a growth that no steady queue shows.
    let at_least = mean - half_width.unwrap_or(0.5 * mean);
    (at_least > 1.0 && mean > 0.25 * third)
        .then(|| format!("{third:.1} on average in the third quarter, {last:.1} in the last"))
}

fn idle_faults(model: &Model, replications: &Replications) -> Vec<String> {
    let note = |(i, fault): (usize, &crate::model::Fault)| {
        let fired = replications.estimate(|figures| Some(figures.faults[i].fired as f64)).mean?;
        let touched = replications.estimate(|figures| Some(figures.faults[i].touched as f64)).mean?;
        let (name, what) = (&fault.name, &fault.what);
        if fired == 0.0 {
            Some(format!("The fault {name} ({what}) never fired: this run says nothing about it."))
        } else if touched == 0.0 {
            Some(format!(
                "The fault {name} ({what}) never hit anything alive: this run says nothing about it."
            ))
        } else {
            None
        }
    };
    model.faults.iter().enumerate().filter_map(note).collect()
}
