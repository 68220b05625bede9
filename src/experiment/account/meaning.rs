//! Meant against got: what one whole execution does, and what was done.

use super::ablation::Ablation;
use super::focus::{Charge, Measure};
use super::seconds;
use crate::experiment::results::account::AtEnd;
use crate::kernel::anomaly::Anomaly;
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::model::promise::SagaMeasure;
use crate::model::reach::may_reach;
use crate::observe::findings::Sighting;
use crate::observe::trace::{Act, Done, Entry, Role, Trace, wording};
use std::collections::BTreeSet;

/// Of lists of what was done and is there, so much is shown.
const MOST: usize = 12;

/// What was to be done, and where that is known from.
pub fn meant(
    model: &Model,
    trace: &Trace,
    whole: Option<&Trace>,
    ablation: &Ablation,
) -> (Vec<String>, String) {
    if let Some(whole) = whole.filter(|whole| whole.done.iter().any(|done| !done.is_mark)) {
        let names: Vec<&str> = ablation
            .needed
            .iter()
            .map(|firing| model.faults[firing.fault.index()].name.as_str())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let lasting: Vec<Done> = whole.done.iter().filter(|done| !done.is_mark).cloned().collect();
        let by = format!("what it does in this replication without {}", names.join(" and "));
        return (shortened(together(&lasting)), by);
    }
    let Some(handler) = trace.handler else { return (Vec::new(), "nobody began with it".into()) };
    let of = &model.handlers[handler.index()];
    let mut sites: Vec<_> = may_reach(model, of.entry).into_iter().collect();
    sites.sort_unstable();
    let names = sites.into_iter().map(|site| format!("{}, once", wording::step(model, site)));
    (shortened(names.collect()), format!("what the steps of {} are for", of.name))
}

/// What was meant, and what came of it.
pub struct Meaning {
    pub meant: Vec<String>,
    pub got: Vec<String>,
}

/// Of measures that are not about what was done but about what was seen, told, or in which order. `None`: others.
pub fn beside_the_work(model: &Model, trace: &Trace, charge: &Charge) -> Option<Meaning> {
    let Sighting { facts, what, .. } = charge.moment();
    let one = |meant: &str, got: Vec<String>| Some(Meaning { meant: vec![meant.to_owned()], got });
    if facts.missed.is_some() {
        return of_reads(trace, charge);
    }
    let anomaly = match charge.tried() {
        Measure::Anomaly(anomaly) => anomaly,
        Measure::Promise(position) => return of_saga(model, position, trace, charge),
    };
    match anomaly {
        Anomaly::LostUpdates | Anomaly::StalePremises | Anomaly::Regressed => of_values(trace, charge),
        Anomaly::ArrivedOutOfOrder => {
            one("messages of a key arrive in the order in which they were sent", vec![what.clone()])
        }
        Anomaly::AppliedOutOfOrder => {
            one("messages of a key are applied in the order in which they were sent", vec![what.clone()])
        }
        Anomaly::ConflictCycles => {
            one("there is an order of the attempts, one after the other, that explains what each read", {
                // Those who came in between are part of the cycle.
                let own = trace.entries.iter().filter(|entry| entry.role == Role::Own);
                let began = own.map(|entry| entry.at).min().unwrap_or_default();
                let while_it_lasted = began..=charge.moment().at;
                let parts = trace.entries.iter().filter(|entry| {
                    entry.role == Role::Own
                        || entry.role == Role::Other && while_it_lasted.contains(&entry.at)
                });
                let told = parts.filter(|entry| matches!(entry.act, Act::Reads | Act::Commits)).map(told);
                told.chain([what.clone()]).collect()
            })
        }
        Anomaly::AcknowledgedLoss => one("who is told ok can rely on it", got(trace, None)),
        Anomaly::UnacknowledgedEffect => {
            let told_no = format!("and who asked was {}", what.split(',').next().unwrap_or(what));
            one("who is told no can ask again", got(trace, None).into_iter().chain([told_no]).collect())
        }
        _ => None,
    }
}

/// What a saga's steps and their undoing wrote, and what of it is there. `None`: no promise on sagas.
fn of_saga(model: &Model, position: usize, trace: &Trace, charge: &Charge) -> Option<Meaning> {
    let Sighting { at, what, .. } = charge.moment();
    let promise = model.promises.sagas.get(position.checked_sub(model.promises.first_saga())?)?;
    let meant = match promise.measure {
        SagaMeasure::Stuck => "it comes to an end: all of it is done, or all of it is undone",
        SagaMeasure::Inconsistent | SagaMeasure::Leaked | SagaMeasure::OverUndone => {
            "all of its steps take effect, once each, or nothing of them is left"
        }
        SagaMeasure::DirtyReads => "nobody else decides on what may yet be undone",
    };
    let written = own(trace, *at).filter(|entry| entry.act == Act::Commits).map(told);
    let got = shortened(written.collect()).into_iter().chain([what.clone()]);
    Some(Meaning { meant: vec![meant.to_owned()], got: got.collect() })
}

fn told(entry: &Entry) -> String {
    format!("{} at {:.6}s", entry.text, seconds(entry.at))
}

/// What was there to be seen, and what was seen.
fn of_reads(trace: &Trace, charge: &Charge) -> Option<Meaning> {
    let Sighting { at, facts, .. } = charge.moment();
    let (row, _) = facts.missed?;
    let is_read =
        |entry: &&Entry| entry.act == Act::Reads && entry.row.is_some_and(|read| facts.rows.contains(&read));
    let read = own(trace, *at).rfind(is_read)?;
    let mut missed = trace.entries.iter().filter(|entry| entry.role == Role::Missed);
    let write = missed.find(|entry| entry.row == Some(row) && entry.act == Act::Commits)?;
    let meant = format!("it sees what was there by then: {} at {:.6}s", written(write), seconds(write.at));
    Some(Meaning { meant: vec![meant], got: vec![told(read)] })
}

/// What another had written by then, and what was written without knowing of it.
fn of_values(trace: &Trace, charge: &Charge) -> Option<Meaning> {
    let Sighting { at, facts, .. } = charge.moment();
    let row = *facts.rows.first()?;
    let of_row = |entry: &&Entry| entry.row == Some(row);
    let read = own(trace, *at).filter(of_row).rfind(|entry| entry.act == Act::Reads);
    let wrote = own(trace, *at).rfind(|entry| entry.act == Act::Commits && entry.row == Some(row));
    let wrote = wrote.or_else(|| own(trace, *at).rfind(|entry| entry.act == Act::Commits))?;
    let others = trace.entries.iter().filter(|entry| entry.role == Role::Other && entry.act == Act::Commits);
    let mut others = others.filter(of_row).filter(|entry| entry.at <= *at);
    let between = others.rfind(|entry| read.is_none_or(|read| entry.at >= read.at))?;
    let meant =
        format!("what another has done by then counts: {} at {:.6}s", written(between), seconds(between.at));
    Some(Meaning { meant: vec![meant], got: read.into_iter().chain([wrote]).map(told).collect() })
}

/// What an entry says was written.
fn written(entry: &Entry) -> &str {
    entry.text.strip_prefix("writes ").unwrap_or(&entry.text)
}

/// Its own entries up to an instant.
fn own(trace: &Trace, at: Nanos) -> impl DoubleEndedIterator<Item = &Entry> {
    trace.entries.iter().filter(move |entry| entry.role == Role::Own && entry.at <= at)
}

/// What was done, marks too; and what was to be done and was not.
pub fn got(trace: &Trace, whole: Option<&Trace>) -> Vec<String> {
    let mut got = together(&trace.done);
    for done in whole.iter().flat_map(|whole| &whole.done).filter(|done| !done.is_mark) {
        let line = format!("{}: not done", done.what);
        if trace.done.iter().all(|known| known.what != done.what) && !got.contains(&line) {
            got.push(line);
        }
    }
    if got.is_empty() {
        got.push("nothing was done".into());
    }
    shortened(got)
}

/// The rows that it changed: the columns that are not as they would be, or all if that is not known.
pub fn at_end(trace: &Trace, whole: Option<&Trace>) -> Vec<AtEnd> {
    let mut rows = Vec::new();
    for (row, columns) in trace.at_end.iter().take(MOST) {
        let would_be = whole.and_then(|whole| whole.at_end.iter().find(|(name, _)| name == row));
        let differing = |columns: &[(String, String)], others: Option<&Vec<(String, String)>>| {
            let differs = |column: &&(String, String)| others.is_none_or(|others| !others.contains(column));
            let told = columns.iter().filter(differs).map(|(name, value)| format!("{name} = {value}"));
            told.collect::<Vec<_>>().join(", ")
        };
        let is = differing(columns, would_be.map(|known| &known.1));
        let would_be = would_be.map(|known| differing(&known.1, Some(columns)));
        if !is.is_empty() || would_be.as_ref().is_some_and(|would_be| !would_be.is_empty()) {
            rows.push(AtEnd { row: row.clone(), is: or_absent(is, columns), would_be });
        }
    }
    rows
}

fn or_absent(is: String, columns: &[(String, String)]) -> String {
    if columns.is_empty() { "absent".into() } else { is }
}

/// One line for each thing, however often it was done: `items[1].reserved: 0 → 2, 2 → 4 (twice, by attempts 1, 2)`.
fn together(done: &[Done]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for one in done {
        if seen.contains(&one.what.as_str()) {
            continue;
        }
        seen.push(&one.what);
        let all: Vec<&Done> = done.iter().filter(|other| other.what == one.what).collect();
        let changes: Vec<String> = all
            .iter()
            .filter_map(|of| of.change.as_ref())
            .map(|(from, to)| format!("{from} → {to}"))
            .collect();
        let mut line = one.what.clone();
        if !changes.is_empty() {
            line += &format!(": {}", changes.join(", "));
        }
        if one.is_mark {
            line += " (a mark)";
        }
        if all.len() > 1 {
            let mut attempts: Vec<u32> = all.iter().map(|of| of.attempt).collect();
            attempts.dedup();
            let numbers: Vec<String> = attempts.iter().map(u32::to_string).collect();
            let noun = if numbers.len() == 1 { "attempt" } else { "attempts" };
            line += &format!(" ({} times, by {noun} {})", all.len(), numbers.join(", "));
        }
        lines.push(line);
    }
    lines
}

fn shortened(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_twice_is_one_line() {
        let change = |from: &str, to: &str, attempt| Done {
            what: "items[1].reserved".into(),
            change: Some((from.into(), to.into())),
            is_mark: false,
            attempt,
        };
        let lines = together(&[change("0", "2", 1), change("2", "4", 2)]);
        assert_eq!(lines, ["items[1].reserved: 0 → 2, 2 → 4 (2 times, by attempts 1, 2)"]);
        assert_eq!(shortened(vec!["x".to_owned(); 20]).len(), MOST + 1);
    }
}
