//! Durations by percentile, with as much room for each further nine as for the one before: the form
//! in which practitioners read tails. (The scale is that of G. Tene's HdrHistogram plots.)

use super::axis::Axis;
use super::frame::{Format, Frame};
use super::live::{Drawn, Live, Names, Reads, Trace, drawn};
use super::{Chart, DataTable, LegendEntry, Panel, Swatch, largest, not_shown};
use crate::experiment::results::DurationResults;
use crate::report::figure::{Quantity, count, figure, rough};

/// The distribution of one kind of duration, with its name.
pub struct Tail<'a> {
    pub name: String,
    pub durations: &'a DurationResults,
}

/// Draws `tails`; `what` they are: `clients`.
pub fn percentile(id: &str, title: &str, y_title: &str, what: &str, tails: &[Tail]) -> Panel {
    let seen =
        |tail: &&Tail| tail.durations.distribution.iter().any(|(edge, _)| edge.is_finite() && *edge > 0.0);
    let seen: Vec<&Tail> = tails.iter().filter(seen).collect();
    if seen.is_empty() {
        return Panel::Blank {
            title: title.to_owned(),
            why: format!("Nothing to show: no durations above zero were observed for any of the {what}."),
        };
    }
    let sizes: Vec<f64> = seen.iter().map(|tail| tail.durations.p99.mean.unwrap_or(0.0)).collect();
    let shown: Vec<&Tail> = largest(&sizes).into_iter().map(|i| seen[i]).collect();
    let summary = summary(y_title, &shown);
    let Drawn { wide, narrow, live } =
        drawn(|format| frame(y_title, &shown, format), (title, &summary, id), |frames| known(frames, &shown));
    let mut notes = Vec::new();
    notes.extend(not_shown(seen.len(), shown.len(), what));
    notes.push(
        "How to read it: at 99 % on the horizontal axis, 99 of 100 took at most what the line shows. \
         Observations of all replications are pooled."
            .to_owned(),
    );
    let entry =
        |(i, tail): (usize, &&Tail)| LegendEntry { swatch: Swatch::Line(i), label: tail.name.clone() };
    Panel::Drawn(Box::new(Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        summary,
        wide,
        narrow,
        live: Some(live),
        legend: shown.iter().enumerate().map(entry).collect(),
        notes,
        table: table(&shown),
        broad: false,
    }))
}

fn frame(y_title: &str, shown: &[&Tail], format: Format) -> Frame {
    let positive = || {
        let edges = shown.iter().flat_map(|tail| &tail.durations.distribution).map(|(edge, _)| *edge);
        edges.filter(|edge| edge.is_finite() && *edge > 0.0)
    };
    let (least, most) = (positive().fold(f64::MAX, f64::min), positive().fold(0.0, f64::max));
    let most_observed = shown.iter().map(|tail| tail.durations.count).max().unwrap_or(0);
    Frame {
        format,
        x: Axis::percentiles(most_observed),
        y: Axis::logarithm(least, most, 8),
        x_title: "percentile, %".to_owned(),
        y_title: y_title.to_owned(),
        lanes: Vec::new(),
        bands: Vec::new(),
        dots: Vec::new(),
        lines: shown.iter().map(|tail| vec![steps(tail.durations, least)]).collect(),
    }
}

/// The lines as numbers, for the page's script.
fn known(frames: &[Frame; 2], shown: &[&Tail]) -> Live {
    let trace = |tail: &&Tail| {
        let (x, y) = steps(tail.durations, 0.0).into_iter().map(|(share, edge)| (share, Some(edge))).unzip();
        Trace { name: tail.name.clone(), x, y, band: Vec::new(), told: Vec::new() }
    };
    let traces = shown.iter().map(trace).collect();
    Live::new(frames, "percentile", Names::Nines, Quantity::Seconds, Reads::Lines, traces)
}

/// The quantile function as a line from the 0th percentile to the last that the observations can tell:
/// the quantile at p is the least edge whose share reaches p. A duration of zero has no logarithm and
/// is drawn at `least`.
fn steps(durations: &DurationResults, least: f64) -> Vec<(f64, f64)> {
    let beyond = 1.0 - 1.0 / durations.count.max(2) as f64;
    let mut line: Vec<(f64, f64)> = Vec::new();
    for &(edge, share) in &durations.distribution {
        if !edge.is_finite() || !share.is_finite() {
            continue;
        }
        if line.is_empty() {
            line.push((0.0, edge.max(least)));
        }
        line.push((share.clamp(0.0, beyond), edge.max(least)));
    }
    line
}

fn summary(y_title: &str, shown: &[&Tail]) -> String {
    let mut text = format!("{y_title} by percentile. ");
    text[..1].make_ascii_uppercase();
    for tail in shown.iter().take(4) {
        let told = |estimate| figure(estimate, Quantity::Seconds);
        let (half, p99, p999) =
            (told(&tail.durations.p50), told(&tail.durations.p99), told(&tail.durations.p999));
        text.push_str(&format!(
            "{}: half took at most {half}, 99 % at most {p99}, 99.9 % at most {p999}, of {} observed. ",
            tail.name,
            count(tail.durations.count)
        ));
    }
    if shown.len() > 4 {
        text.push_str(&format!("{} more are in the table.", shown.len() - 4));
    }
    text.trim_end().to_owned()
}

fn table(shown: &[&Tail]) -> DataTable {
    let mut head = vec!["percentile".to_owned()];
    head.extend(shown.iter().map(|tail| tail.name.clone()));
    let shares = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999];
    let row = |share: f64| {
        let mut row = vec![format!("{} %", (share * 1e5_f64).round() / 1e3)];
        row.extend(shown.iter().map(|tail| quantile(tail.durations, share)));
        row
    };
    DataTable { head, rows: shares.into_iter().map(row).collect() }
}

/// The pooled quantile, or `–` beyond what the observations can tell.
fn quantile(durations: &DurationResults, share: f64) -> String {
    let tells = durations.count as f64 * (1.0 - share) >= 1.0 - 1e-9;
    let edge = durations.distribution.iter().find(|(_, reached)| *reached >= share - 1e-12);
    match edge {
        Some((edge, _)) if tells => rough(*edge, Quantity::Seconds),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::results::Estimate;

    fn durations(count: u64, distribution: Vec<(f64, f64)>) -> DurationResults {
        let none = Estimate { mean: None, half_width: None, n: 0 };
        DurationResults {
            count,
            mean: none,
            p50: none,
            p90: none,
            p99: none,
            p999: none,
            max: none,
            distribution,
        }
    }

    #[test]
    fn the_line_is_the_quantile_function() {
        let seen = durations(10, vec![(0.0, 0.2), (0.5, 0.9), (2.0, 1.0)]);
        assert_eq!(steps(&seen, 0.1), [(0.0, 0.1), (0.2, 0.1), (0.9, 0.5), (0.9, 2.0)]);
        assert_eq!(quantile(&seen, 0.5), "500 ms");
        assert_eq!(quantile(&seen, 0.99), "–", "ten observations do not tell the 99th percentile");
    }
}
