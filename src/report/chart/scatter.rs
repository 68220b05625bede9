//! Points in two measures: the front through those that no other one beats, or a measure over a random design.

use super::axis::Axis;
use super::frame::{Format, Frame};
use super::live::{Drawn, Live, Names, Reads, Trace, drawn};
use super::{Chart, DataTable, Panel};
use crate::report::figure::{Quantity, rough};

/// Points in a plane.
pub struct Scatter<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub x_title: &'a str,
    pub x: Quantity,
    pub y_title: &'a str,
    pub y: Quantity,
    pub dots: Vec<Dot>,
    pub notes: Vec<String>,
}

/// One point.
pub struct Dot {
    pub name: String,
    pub x: f64,
    pub y: f64,
    /// On the line that is drawn through such points, from left to right.
    pub is_on_front: bool,
}

/// Draws the points.
pub fn scatter(chart: &Scatter) -> Panel {
    let dots: Vec<&Dot> = chart.dots.iter().filter(|dot| dot.x.is_finite() && dot.y.is_finite()).collect();
    if dots.is_empty() {
        let why = "Nothing to show: no point has both.".to_owned();
        return Panel::Blank { title: chart.title.to_owned(), why };
    }
    let mut front: Vec<&&Dot> = dots.iter().filter(|dot| dot.is_on_front).collect();
    front.sort_by(|one, other| one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y)));
    let told = |dot: &Dot| format!("{} ({}, {})", dot.name, rough(dot.x, chart.x), rough(dot.y, chart.y));
    let named: Vec<String> = front.iter().take(8).map(|dot| told(dot)).collect();
    let summary = match named.is_empty() {
        true => format!("{}: {} points.", chart.title, dots.len()),
        false => format!(
            "{}: {} points, of which no other one beats {}.",
            chart.title,
            dots.len(),
            named.join("; ")
        ),
    };
    let frame = |format: Format| {
        let most = |of: fn(&Dot) -> f64| dots.iter().map(|dot| of(dot)).fold(0.0, f64::max);
        let line: Vec<(f64, f64)> = front.iter().map(|dot| (dot.x, dot.y)).collect();
        let series = |dot: &Dot| usize::from(!dot.is_on_front);
        Frame {
            format,
            x: Axis::linear(most(|dot| dot.x), 5, chart.x),
            y: Axis::linear(most(|dot| dot.y), 5, chart.y),
            x_title: chart.x_title.to_owned(),
            y_title: chart.y_title.to_owned(),
            lanes: Vec::new(),
            lines: if line.len() > 1 { vec![vec![line]] } else { Vec::new() },
            bands: Vec::new(),
            dots: dots.iter().map(|dot| (series(dot), dot.x, dot.y)).collect(),
        }
    };
    let about = (chart.title, summary.as_str(), chart.id);
    let Drawn { wide, narrow, live } = drawn(frame, about, |frames| known(frames, chart, &dots));
    let row = |dot: &&Dot| {
        let on = if dot.is_on_front { "yes" } else { "" };
        vec![dot.name.clone(), rough(dot.x, chart.x), rough(dot.y, chart.y), on.to_owned()]
    };
    let head = ["point", chart.x_title, chart.y_title, "on the front"].map(str::to_owned).to_vec();
    Panel::Drawn(Box::new(Chart {
        id: chart.id.to_owned(),
        title: chart.title.to_owned(),
        wide,
        narrow,
        live: Some(live),
        legend: Vec::new(),
        notes: chart.notes.clone(),
        table: DataTable { head, rows: dots.iter().take(200).map(row).collect() },
        summary,
        broad: false,
    }))
}

/// The points as numbers, for the page's script: those on the front first, from left to right.
fn known(frames: &[Frame; 2], chart: &Scatter, dots: &[&Dot]) -> Live {
    let trace = |is_on_front: bool| {
        let mut some: Vec<&&Dot> = dots.iter().filter(|dot| dot.is_on_front == is_on_front).collect();
        some.sort_by(|one, other| one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y)));
        let told =
            |dot: &&&Dot| format!("{}: {}, {}", dot.name, rough(dot.x, chart.x), rough(dot.y, chart.y));
        Trace {
            name: if is_on_front { "on the front".to_owned() } else { String::new() },
            x: some.iter().map(|dot| dot.x).collect(),
            y: some.iter().map(|dot| Some(dot.y)).collect(),
            band: Vec::new(),
            told: some.iter().map(told).collect(),
        }
    };
    let names = Names::Measured(chart.x.into());
    Live::new(frames, chart.x_title, names, chart.y, Reads::Points, vec![trace(true), trace(false)])
}
