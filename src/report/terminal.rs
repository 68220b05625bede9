//! The summary on a terminal: one screen, what a stranger wants first.
//!
//! Every list is cut to what the screen holds, and says how much more the report has. Columns that do
//! not fit are left out from the right, the least asked for first.

use super::figure::{Quantity, cell, count, instant};
use super::{reproduce, text, verdict as words};
use crate::experiment::results::verdict::{Outcome, Verdict};
use crate::experiment::results::{ErrorResults, Estimate, RunResults, SubscriptionResults};
use std::path::Path;
use unicode_width::UnicodeWidthStr;

const COLUMNS: usize = 80;
const LINES: usize = 24;
/// Narrowest column of names that are longer; of verdicts, all measures in full.
const NAME: usize = 16;
const VERDICT_NAME: usize = 33;
/// Most verdicts that other sections make room for.
const MOST_VERDICTS: usize = 7;
/// The reasons of one client or call.
const REASONS: usize = 58;

/// Whether the summary may use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// Bold heads and dim asides, as ANSI sequences.
    Coloured,
}

/// Where the report went.
pub struct Written<'a> {
    pub page: &'a Path,
    pub json: &'a Path,
}

/// How a line looks where looks are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Title,
    Head,
    Text,
    Aside,
    Warning,
}

/// One list: its heads, and its rows in order of interest.
struct Section {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// How short names are cut before columns are left out.
    shortest_name: usize,
}

/// The summary of `results`, each line ended. The lines about files and the command may be longer
/// than the screen is wide: they are there to be copied.
pub fn render(results: &RunResults, style: Style, written: &Written) -> String {
    let mut head = head(results);
    head.extend(notes(results));
    let foot = foot(results, written);
    let sections = [
        verdicts(results),
        clients(results),
        errors(results),
        services(results),
        subscriptions(results),
        faults(results),
    ];
    let mut sections: Vec<Section> =
        sections.into_iter().filter(|section| !section.rows.is_empty()).collect();
    // Verdicts are what was asked for: sections that would leave them no lines are only named.
    let first = results.verdicts.len().min(MOST_VERDICTS);
    let room = LINES.saturating_sub(head.len() + foot.len() + 2);
    let mut left_out = Vec::new();
    while sections.len() > 1 && first > 0 && needed(&sections, first) + left_out.len().min(1) > room {
        left_out.extend(sections.pop());
    }
    let wanted: Vec<usize> = sections.iter().map(|section| section.rows.len()).collect();
    // Blank lines stand after the head and before the foot, and between sections if all else has room.
    let room = room.saturating_sub(sections.len() + left_out.len().min(1));
    let airy = wanted.iter().sum::<usize>() + sections.len().saturating_sub(1) <= room;
    let mut lines = head;
    for (i, (section, granted)) in sections.iter().zip(granted(&wanted, first, room)).enumerate() {
        if i == 0 || airy {
            lines.push((Look::Text, String::new()));
        }
        lines.extend(table(section, granted));
    }
    if !left_out.is_empty() {
        let named: Vec<&str> = left_out.iter().rev().map(|section| section.heads[0]).collect();
        lines.push((Look::Aside, format!("in the report: {}", named.join(", "))));
    }
    lines.push((Look::Text, String::new()));
    lines.extend(foot);
    lines.iter().map(|(look, line)| dressed(*look, line.trim_end(), style) + "\n").collect()
}

fn head(results: &RunResults) -> Vec<(Look, String)> {
    let title = match results.about.trim() {
        "" => results.scenario.clone(),
        about => format!("{}: {}", text::name(&results.scenario), text::prose(about)),
    };
    let run = format!(
        "seed {} · {} of {} replications · measured {} to {} · ± at {} %",
        results.seed,
        results.replications_done,
        results.replications_asked,
        instant(results.warm_up),
        instant(results.horizon),
        (results.confidence * 1000.0).round() / 10.0
    );
    let fitted = |line: &str| text::fitted_to_columns(line, COLUMNS);
    let mut lines = vec![(Look::Title, fitted(&title)), (Look::Aside, fitted(&run))];
    if results.partial {
        let line = "PARTIAL: interrupted; only the replications that were done are counted.";
        lines.push((Look::Warning, line.to_owned()));
    }
    if results.replications_done < 2 {
        let line = "? = no interval: that takes at least two replications.";
        lines.push((Look::Warning, line.to_owned()));
    }
    lines
}

/// The first notes, and how many more there are.
fn notes(results: &RunResults) -> Vec<(Look, String)> {
    const MOST_NOTES: usize = 2;
    let note = |note: &String| {
        (Look::Warning, text::fitted_to_columns(&format!("! {}", text::prose(note)), COLUMNS))
    };
    let mut lines: Vec<(Look, String)> = results.notes.iter().take(MOST_NOTES).map(note).collect();
    if results.notes.len() > MOST_NOTES {
        let line = format!("! … and {} more notes in the report", results.notes.len() - MOST_NOTES);
        lines.push((Look::Warning, line));
    }
    lines
}

fn foot(results: &RunResults, written: &Written) -> Vec<(Look, String)> {
    let path = |path: &Path| text::visible(&path.display().to_string());
    let mut lines = broken(results);
    lines.extend([
        (Look::Text, format!("report     {}", path(written.page))),
        (Look::Text, format!("data       {}", path(written.json))),
        (Look::Text, format!("digest     {}", text::fitted_to_columns(&results.digest, COLUMNS - 11))),
        (Look::Text, format!("reproduce  {}", text::shortened(&reproduce::command_line(results), 2000))),
    ]);
    lines
}

/// How many promises were broken that should not have been; where the first of them was seen, and how to see it.
fn broken(results: &RunResults) -> Vec<(Look, String)> {
    let failed: Vec<&Verdict> =
        results.verdicts.iter().filter(|verdict| verdict.standing() == Outcome::Fail).collect();
    let first = failed.iter().find_map(|verdict| Some((verdict, verdict.counterexample.as_ref()?)));
    let Some((verdict, shown)) = first else { return Vec::new() };
    let seen = format!("{} of {}; first in {}", failed.len(), results.verdicts.len(), words::seen(shown));
    let seen = text::fitted_to_columns(&seen, COLUMNS - 11);
    let replay = reproduce::replay(&results.file, results.seed, &results.settings, &verdict.name, shown);
    vec![
        (Look::Warning, format!("broken     {seen}")),
        (Look::Text, format!("replay     {}", text::shortened(&replay, 2000))),
    ]
}

/// What failed first, then what cannot be told.
fn verdicts(results: &RunResults) -> Section {
    let mut order: Vec<_> = results.verdicts.iter().collect();
    order.sort_by_key(|verdict| std::cmp::Reverse(verdict.standing()));
    let row = |verdict: &&Verdict| {
        let tally = verdict.tally.as_ref();
        vec![
            format!("{} {}", words::mark(verdict.standing()), verdict.name),
            words::word(verdict),
            tally.map_or("–".to_owned(), words::found),
            tally.map_or("–".to_owned(), |tally| count(tally.exposures)),
            verdict.violation.as_ref().map_or("–".to_owned(), words::violation),
        ]
    };
    let heads = vec!["VERDICT", "outcome", "found", "exposures", "replications broken"];
    Section { heads, rows: order.iter().map(row).collect(), shortest_name: VERDICT_NAME }
}

fn clients(results: &RunResults) -> Section {
    let shown = |estimate: &Estimate, quantity| cell(estimate, quantity, results.replications_done);
    let row = |client: &crate::experiment::results::ClientResults| {
        let times = &client.response_time;
        vec![
            client.name.clone(),
            shown(&client.throughput, Quantity::PerSecond),
            shown(&client.success, Quantity::Share),
            shown(&times.p50, Quantity::Seconds),
            shown(&times.p99, Quantity::Seconds),
            shown(&times.p999, Quantity::Seconds),
        ]
    };
    let heads = vec!["CLIENT", "throughput", "success", "p50", "p99", "p99.9"];
    Section { heads, rows: results.clients.iter().map(row).collect(), shortest_name: NAME }
}

/// What ended badly and why, of clients first, then of calls; those without errors are left out.
fn errors(results: &RunResults) -> Section {
    let shown = |estimate: &Estimate, quantity| cell(estimate, quantity, results.replications_done);
    let of_clients = results.clients.iter().map(|client| (client.name.clone(), &client.errors_by_reason));
    let of_calls = results
        .calls
        .iter()
        .map(|call| (format!("{} → {}", call.caller, call.callee), &call.errors_by_reason));
    let row = |(who, errors): (String, &Vec<ErrorResults>)| {
        let reason = |error: &ErrorResults| {
            format!("{} {}", text::name(&error.reason), shown(&error.share, Quantity::Share))
        };
        let reasons = errors.iter().map(reason).collect::<Vec<_>>().join(", ");
        vec![who, text::fitted_to_columns(&reasons, REASONS)]
    };
    let rows = of_clients.chain(of_calls).filter(|(_, errors)| !errors.is_empty()).map(row).collect();
    Section { heads: vec!["ERRORS OF", "by reason"], rows, shortest_name: NAME }
}

/// The busiest first; those without a bound on workers have no utilization, and come last.
fn services(results: &RunResults) -> Section {
    let shown = |estimate: &Estimate, quantity| cell(estimate, quantity, results.replications_done);
    let mut order: Vec<_> = results.services.iter().collect();
    order.sort_by(|a, b| size(&b.utilization).total_cmp(&size(&a.utilization)));
    let row = |service: &&crate::experiment::results::ServiceResults| {
        vec![
            service.name.clone(),
            shown(&service.utilization, Quantity::Share),
            shown(&service.queue_length, Quantity::Number),
            shown(&service.waiting_time.mean, Quantity::Seconds),
            shown(&service.service_time.mean, Quantity::Seconds),
            shown(&service.throughput, Quantity::PerSecond),
            shown(&service.amplification, Quantity::Number),
        ]
    };
    let heads = vec!["SERVICE", "utilization", "queue", "waiting", "service", "throughput", "per intent"];
    Section { heads, rows: order.iter().map(row).collect(), shortest_name: NAME }
}

/// The furthest behind first.
fn subscriptions(results: &RunResults) -> Section {
    let shown = |estimate: &Estimate, quantity| cell(estimate, quantity, results.replications_done);
    let mut order: Vec<&SubscriptionResults> = results.subscriptions.iter().collect();
    order.sort_by(|a, b| size(&b.lag).total_cmp(&size(&a.lag)));
    let row = |group: &&SubscriptionResults| {
        vec![
            format!("{}.{}", group.topic, group.group),
            shown(&group.lag, Quantity::Number),
            shown(&group.lag_max, Quantity::Number),
            shown(&group.time_in_topic.p99, Quantity::Seconds),
            shown(&group.redeliveries, Quantity::PerSecond),
        ]
    };
    let heads = vec!["TOPIC.GROUP", "lag", "lag max", "p99 in topic", "redelivered"];
    Section { heads, rows: order.iter().map(row).collect(), shortest_name: NAME }
}

fn faults(results: &RunResults) -> Section {
    let shown = |estimate: &Estimate, quantity| cell(estimate, quantity, results.replications_done);
    let row = |fault: &crate::experiment::results::FaultResults| {
        vec![
            format!("{}: {}", text::name(&fault.name), fault.what),
            shown(&fault.fired, Quantity::Number),
            shown(&fault.touched, Quantity::Number),
        ]
    };
    Section {
        heads: vec!["FAULT", "fired", "touched"],
        rows: results.faults.iter().map(row).collect(),
        shortest_name: NAME,
    }
}

fn size(estimate: &Estimate) -> f64 {
    estimate.mean.unwrap_or(f64::NEG_INFINITY)
}

/// The lines that sections take at least, with their heads: `first` for the first, and for each other a row
/// and, if it has more, the line that says so.
fn needed(sections: &[Section], first: usize) -> usize {
    let others = sections[1..].iter().map(|section| section.rows.len().min(2));
    sections.len() + first + others.sum::<usize>()
}

/// Lines for each section: so many at once for the first, then turn by turn, one each, until all are content or
/// the room is used up. Every section gets one.
fn granted(wanted: &[usize], first: usize, room: usize) -> Vec<usize> {
    let mut granted: Vec<usize> = wanted.iter().map(|&wanted| wanted.min(1)).collect();
    if let (Some(granted), Some(&wanted)) = (granted.first_mut(), wanted.first()) {
        *granted = wanted.min(first.max(1));
    }
    let mut left = room.saturating_sub(granted.iter().sum());
    while left > 0 && granted != wanted {
        for (granted, &wanted) in granted.iter_mut().zip(wanted) {
            if *granted < wanted && left > 0 {
                *granted += 1;
                left -= 1;
            }
        }
    }
    granted
}

/// Heads and rows of a section in `granted` lines below the heads.
fn table(section: &Section, granted: usize) -> Vec<(Look, String)> {
    let all = section.rows.len();
    // The line that tells of the rest stands in place of a row.
    let rows = if granted < all { granted - 1 } else { all };
    let mut columns = section.heads.len();
    let shown = &section.rows[..rows];
    let widths: Vec<usize> = (1..columns)
        .map(|i| shown.iter().map(|row| row[i].width()).max().unwrap_or(0).max(section.heads[i].width()))
        .collect();
    let taken = |columns: usize| widths[..columns - 1].iter().map(|width| width + 2).sum::<usize>();
    let longest = shown
        .iter()
        .map(|row| text::fitted_to_columns(&row[0], section.shortest_name).width())
        .max()
        .unwrap_or(0);
    let narrowest = longest.clamp(section.heads[0].width(), section.shortest_name);
    while columns > 2 && taken(columns) + narrowest > COLUMNS {
        columns -= 1;
    }
    let name = COLUMNS.saturating_sub(taken(columns)).max(narrowest);
    let line = |cells: Vec<&str>| {
        let mut line = padded_right(&text::fitted_to_columns(cells[0], name), name);
        for (cell, &width) in cells[1..columns].iter().zip(&widths) {
            line.push_str("  ");
            line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
            line.push_str(cell);
        }
        line
    };
    let mut lines = vec![(Look::Head, line(section.heads.clone()))];
    lines.extend(shown.iter().map(|row| (Look::Text, line(row.iter().map(String::as_str).collect()))));
    if rows < all {
        let more = if rows == 0 {
            format!("{all} in the report")
        } else {
            format!("… and {} more in the report", all - rows)
        };
        lines.push((Look::Aside, more));
    }
    lines
}

fn padded_right(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn dressed(look: Look, line: &str, style: Style) -> String {
    let code = match look {
        _ if style == Style::Plain || line.is_empty() => return line.to_owned(),
        Look::Text => return line.to_owned(),
        Look::Title => "1",
        Look::Head => "1;36",
        Look::Aside => "2",
        Look::Warning => "33",
    };
    format!("\x1b[{code}m{line}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use super::granted;

    #[test]
    fn room_is_shared_turn_by_turn() {
        assert_eq!(granted(&[2, 10, 3], 0, 9), [2, 4, 3]);
        assert_eq!(granted(&[1, 1], 0, 20), [1, 1]);
        assert_eq!(granted(&[5, 5, 5], 0, 0), [1, 1, 1]);
        assert_eq!(granted(&[9, 5, 5], 6, 10), [7, 2, 1], "the first comes first");
        assert_eq!(granted(&[3, 5], 6, 6), [3, 3]);
    }
}
