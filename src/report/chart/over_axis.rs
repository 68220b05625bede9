//! A measure over what was varied: a line for each setting of the rest, with the interval of each point as a band.

use super::axis::Axis;
use super::frame::{Format, Frame};
use super::live::{Drawn, Live, Names, Reads, Trace, drawn};
use super::{Chart, DataTable, LegendEntry, MOST_SERIES, Panel, Swatch};
use crate::experiment::results::Estimate;
use crate::report::figure::{Quantity, figure, rough};

/// Values so many times apart are drawn on a logarithmic scale, if they are durations.
const FAR_APART: f64 = 50.0;

/// About what is left and right of the plot, in pixels.
const MARGINS: f64 = 90.0;

/// A measure along an axis.
pub struct OverAxis<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub y_title: &'a str,
    pub quantity: Quantity,
    /// What is varied, and its values as they are written.
    pub x_title: &'a str,
    pub x: &'a [(f64, String)],
    pub is_logarithmic: bool,
    pub curves: Vec<Curve>,
}

/// One line: its points from left to right.
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, Estimate)>,
}

/// Draws the curves, the first eight of them.
pub fn over_axis(chart: &OverAxis) -> Panel {
    let shown: Vec<&Curve> = chart.curves.iter().take(MOST_SERIES).collect();
    let seen = || shown.iter().flat_map(|curve| &curve.points).filter_map(|(_, estimate)| reach(estimate));
    let (least, most) = (
        seen().map(|(mean, ..)| mean).fold(f64::INFINITY, f64::min),
        seen().map(|(.., high)| high).fold(f64::NEG_INFINITY, f64::max),
    );
    if !most.is_finite() {
        let why = "Nothing to show: no point has a value.".to_owned();
        return Panel::Blank { title: chart.title.to_owned(), why };
    }
    let summary = summary(chart, &shown);
    let Drawn { wide, narrow, live } = drawn(
        |format| frame(chart, &shown, (least, most), format),
        (chart.title, &summary, chart.id),
        |frames| known(frames, chart, &shown),
    );
    let mut notes = vec!["The band around a line is the interval of each point.".to_owned()];
    if chart.curves.len() > MOST_SERIES {
        let more = chart.curves.len() - MOST_SERIES;
        notes.push(format!("{more} more lines are not drawn. The JSON file has all."));
    }
    let entry =
        |(i, curve): (usize, &&Curve)| LegendEntry { swatch: Swatch::Line(i), label: curve.name.clone() };
    let has_legend = shown.len() > 1;
    Panel::Drawn(Box::new(Chart {
        id: chart.id.to_owned(),
        title: chart.title.to_owned(),
        wide,
        narrow,
        live: Some(live),
        legend: shown.iter().enumerate().filter(|_| has_legend).map(entry).collect(),
        notes,
        table: table(chart, &shown),
        summary,
        broad: false,
    }))
}

/// Mean, and the ends of the interval.
fn reach(estimate: &Estimate) -> Option<(f64, f64, f64)> {
    let mean = estimate.mean.filter(|mean| mean.is_finite())?;
    let half = estimate.half_width.filter(|half| half.is_finite()).unwrap_or(0.0);
    Some((mean, mean - half, mean + half))
}

fn frame(chart: &OverAxis, shown: &[&Curve], (least, most): (f64, f64), format: Format) -> Frame {
    let is_wide_apart = chart.quantity == Quantity::Seconds && least > 0.0 && most > FAR_APART * least;
    let y = match is_wide_apart {
        true => Axis::logarithm(least, most, 8),
        false => Axis::linear(most, 5, chart.quantity),
    };
    let x = Axis::through(chart.x, chart.is_logarithmic, format.width() - MARGINS);
    let points = |curve: &Curve| -> Vec<(f64, f64, f64, f64)> {
        let point =
            |(x, estimate): &(f64, Estimate)| reach(estimate).map(|(mean, low, high)| (*x, mean, low, high));
        curve.points.iter().filter_map(point).collect()
    };
    let mut frame = Frame {
        format,
        x,
        y,
        x_title: chart.x_title.to_owned(),
        y_title: chart.y_title.to_owned(),
        lanes: Vec::new(),
        lines: Vec::new(),
        bands: Vec::new(),
        dots: Vec::new(),
    };
    for (series, curve) in shown.iter().enumerate() {
        let points = points(curve);
        frame.lines.push(vec![points.iter().map(|(x, mean, ..)| (*x, *mean)).collect()]);
        frame.bands.push((series, points.iter().map(|(x, _, low, high)| (*x, *low, *high)).collect()));
        frame.dots.extend(points.iter().map(|(x, mean, ..)| (series, *x, *mean)));
    }
    frame
}

/// The lines as numbers, for the page's script.
fn known(frames: &[Frame; 2], chart: &OverAxis, shown: &[&Curve]) -> Live {
    let trace = |curve: &&Curve| {
        let points = || {
            let point = |(x, estimate): &(f64, Estimate)| Some((*x, *estimate, reach(estimate)?));
            curve.points.iter().filter_map(point)
        };
        let name = if curve.name.is_empty() { chart.y_title.to_owned() } else { curve.name.clone() };
        Trace {
            name,
            x: points().map(|(x, ..)| x).collect(),
            y: points().map(|(.., (mean, ..))| Some(mean)).collect(),
            band: points().map(|(.., (_, low, high))| (low, high)).collect(),
            told: points().map(|(_, estimate, _)| figure(&estimate, chart.quantity).to_string()).collect(),
        }
    };
    let names = Names::Given(chart.x.to_vec());
    let traces = shown.iter().map(trace).collect();
    Live::new(frames, chart.x_title, names, chart.quantity, Reads::Lines, traces)
}

fn summary(chart: &OverAxis, shown: &[&Curve]) -> String {
    let told = shown.iter().take(4).filter_map(|curve| {
        let defined: Vec<&(f64, Estimate)> =
            curve.points.iter().filter(|(_, estimate)| estimate.mean.is_some()).collect();
        let (first, last) = (defined.first()?, defined.last()?);
        let name = |x: f64| {
            chart.x.iter().find(|(value, _)| *value == x).map_or_else(String::new, |(_, name)| name.clone())
        };
        Some(format!(
            "{}from {} at {} to {} at {}",
            if shown.len() > 1 { format!("{}: ", curve.name) } else { String::new() },
            figure(&first.1, chart.quantity),
            name(first.0),
            figure(&last.1, chart.quantity),
            name(last.0)
        ))
    });
    format!("{} over {}: {}.", chart.title, chart.x_title, told.collect::<Vec<_>>().join("; "))
}

fn table(chart: &OverAxis, shown: &[&Curve]) -> DataTable {
    let mut head = vec![chart.x_title.to_owned()];
    head.extend(shown.iter().map(|curve| match curve.name.as_str() {
        "" => chart.y_title.to_owned(),
        name => name.to_owned(),
    }));
    let row = |(x, name): &(f64, String)| {
        let cell = |curve: &&Curve| {
            let point = curve.points.iter().find(|(value, _)| value == x);
            point.map_or_else(
                || "–".to_owned(),
                |(_, estimate)| match estimate.half_width {
                    Some(_) => figure(estimate, chart.quantity).to_string(),
                    None => estimate.mean.map_or("–".to_owned(), |mean| rough(mean, chart.quantity)),
                },
            )
        };
        [vec![name.clone()], shown.iter().map(cell).collect()].concat()
    };
    DataTable { head, rows: chart.x.iter().map(row).collect() }
}
