//! A sweep on a terminal: a line for each point, then the knees, the front, and where the rest is.

use super::{charted, named, quantity, verdicts};
use crate::experiment::results::sweep::SweepResults;
use crate::report::figure::{cell, figure};
use crate::report::terminal::{Style, Written};
use crate::report::text::{fitted_to_columns, visible};
use unicode_width::UnicodeWidthStr;

/// Points that are listed; the files have all.
const MOST_POINTS: usize = 60;
/// Columns of measures, and the knees that are told.
const MOST_MEASURES: usize = 6;
const MOST_KNEES: usize = 8;
/// Widest column.
const WIDEST: usize = 28;

/// The points that were run and what they say, each line ended.
pub fn text(results: &SweepResults, style: Style, written: &Written) -> String {
    let mut lines = vec![head(results)];
    if results.partial {
        let (done, asked) = (results.points.len(), results.points_asked);
        lines.push(format!("PARTIAL: interrupted after {done} of {asked} points."));
    }
    lines.push(String::new());
    let table = table(results);
    let (first, rest) = table.split_first().expect("it has a head");
    lines.push(match style {
        Style::Plain => first.clone(),
        Style::Coloured => format!("\u{1b}[1m{first}\u{1b}[0m"),
    });
    lines.extend(rest.iter().cloned());
    if results.points.len() > MOST_POINTS {
        lines.push(format!("… and {} more points in the report", results.points.len() - MOST_POINTS));
    }
    lines.push(String::new());
    lines.extend(troubles(results));
    lines.extend(knees(results));
    lines.extend(front(results));
    lines.push(format!("report     {}", visible(&written.page.display().to_string())));
    lines.push(format!("data       {}", visible(&written.json.display().to_string())));
    lines.push(format!("digest     {}", results.digest));
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn head(results: &SweepResults) -> String {
    let over: Vec<String> = results.axes.iter().map(|axis| visible(&axis.written)).collect();
    format!(
        "{}: {} points over {}, seed {}, {} replications each, ± at {} %",
        visible(&results.scenario),
        results.points_asked,
        over.join(" and "),
        results.seed,
        results.replications,
        (results.confidence * 1000.0).round() / 10.0
    )
}

/// The lines of the table, its head first.
fn table(results: &SweepResults) -> Vec<String> {
    let shown: Vec<_> = charted(results).into_iter().take(MOST_MEASURES).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let names = results.axes.iter().map(|axis| visible(&axis.name).to_uppercase());
    let measures = shown.iter().map(|(_, measure)| visible(&measure.name));
    rows.push(names.chain(measures).chain(["verdicts".to_owned()]).collect());
    for point in results.points.iter().take(MOST_POINTS) {
        let values = point.values.iter().map(|value| visible(value));
        let figures = shown
            .iter()
            .map(|(at, measure)| cell(&point.estimates[*at], quantity(measure), results.replications));
        rows.push(values.chain(figures).chain([visible(&verdicts(point))]).collect());
    }
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| fitted_to_columns(cell, WIDEST)).collect()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let last = widths.len() - 1;
    let axes = results.axes.len();
    let padded = |(column, cell): (usize, &String)| {
        let room = " ".repeat(widths[column] - cell.width());
        match column {
            column if column == last => cell.clone(),
            column if column < axes => format!("{cell}{room}"),
            _ => format!("{room}{cell}"),
        }
    };
    rows.iter().map(|row| row.iter().enumerate().map(padded).collect::<Vec<_>>().join("  ")).collect()
}

fn troubles(results: &SweepResults) -> Vec<String> {
    let troubled = results.points.iter().filter_map(|point| {
        let trouble = point.trouble.as_ref()?;
        Some(format!("NO END     {}: {}", visible(&named(&results.axes, point)), visible(trouble)))
    });
    troubled.take(MOST_KNEES).collect()
}

fn knees(results: &SweepResults) -> Vec<String> {
    let told = results.knees.iter().take(MOST_KNEES).map(|knee| {
        let measure = results.measures.iter().find(|measure| measure.name == knee.measure);
        let estimate = measure.map(|measure| figure(&knee.estimate, quantity(measure)).to_string());
        let beside = match knee.beside.is_empty() {
            true => String::new(),
            false => format!("  ({})", visible(&knee.beside.join(", "))),
        };
        format!(
            "KNEE       {} bends at {}={}: {}{beside}",
            visible(&knee.measure),
            visible(&knee.axis),
            visible(&knee.at),
            estimate.unwrap_or_default()
        )
    });
    let mut lines: Vec<String> = told.collect();
    if results.knees.len() > MOST_KNEES {
        lines.push(format!("           and {} more in the report", results.knees.len() - MOST_KNEES));
    }
    lines
}

fn front(results: &SweepResults) -> Vec<String> {
    let Some(front) = &results.front else { return Vec::new() };
    let of_point = |number: &u32| results.points.iter().find(|point| point.number == *number);
    let points: Vec<String> =
        front.points.iter().filter_map(of_point).take(MOST_KNEES).map(|p| named(&results.axes, p)).collect();
    let more = match front.points.len().saturating_sub(MOST_KNEES) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let [one, other] = &front.measures;
    vec![format!(
        "FRONT      no point beats these in both {} and {}: {}{more}",
        visible(one),
        visible(other),
        visible(&points.join("; "))
    )]
}
