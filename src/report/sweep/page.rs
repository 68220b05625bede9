//! The page of a sweep: what was varied, where it bends, the charts, and every point in a table.

use super::{charted, named, quantity, verdicts};
use crate::experiment::results::sweep::{Design, PointResults, Scale, SweepResults, SweptMeasure};
use crate::report::chart::{Curve, Dot, HeatMap, OverAxis, Panel, Scatter, heat_map, over_axis, scatter};
use crate::report::figure::figure;
use crate::report::page::draw_panel;
use crate::report::page::shell::Page;
use crate::report::text;
use maud::{Markup, html};

/// Most rows of the table of points, and most heat maps of one measure.
const MOST_ROWS: usize = 500;
const MOST_MAPS: usize = 4;

/// The page for `results`.
pub fn page(results: &SweepResults) -> String {
    let main = html! {
        @if results.partial {
            p.banner role="status" {
                strong { "Partial result. " }
                "Interrupted after " (results.points.len()) " of " (results.points_asked) " points."
            }
        }
        (what_was_run(results))
        (findings(results))
        section aria-labelledby="charts" {
            h2 #charts { "Charts" }
            div.charts { @for panel in &panels(results) { (draw_panel(panel)) } }
        }
        (points(results))
    };
    let foot = html! {
        "All points drew the same random numbers. Every interval is a Student t interval at " (confidence(results))
        " confidence over " (results.replications) " replications of its point."
    };
    let title = text::name(&results.scenario);
    Page { kind: "sweep", title, about: &results.about, version: &results.eventflow, main, foot }.render()
}

fn confidence(results: &SweepResults) -> String {
    format!("{} %", (results.confidence * 1000.0).round() / 10.0)
}

fn what_was_run(results: &SweepResults) -> Markup {
    let design = match results.design {
        Design::Grid => "every combination",
        Design::LatinHypercube => "a Latin hypercube",
    };
    html! {
        section aria-labelledby="run" {
            h2 #run { "What was run" }
            dl.facts {
                div.double { dt { "File" } dd { (text::name(&results.file)) } }
                @for axis in &results.axes {
                    div.double { dt { "Over" } dd { code { (text::shortened(&axis.written, 200)) } } }
                }
                @if !results.settings.is_empty() {
                    div.double { dt { "Set" } dd { code { (text::shortened(&results.settings.join(" "), 400)) } } }
                }
                div { dt { "Points" } dd { (results.points.len()) ", " (design) } }
                div { dt { "Replications" } dd { (results.replications) " of each" } }
                div { dt { "Seed" } dd { (results.seed) } }
                div { dt { "Version" } dd { "eventflow " (text::name(&results.eventflow)) } }
                div.long { dt { "Digest" } dd { code { (text::name(&results.digest)) } } }
            }
        }
    }
}

/// Knees, the front, and points without an end.
fn findings(results: &SweepResults) -> Markup {
    let measure = |name: &str| results.measures.iter().find(|measure| measure.name == name);
    let point = |number: &u32| results.points.iter().find(|point| point.number == *number);
    html! {
        section aria-labelledby="findings" {
            h2 #findings { "Findings" }
            ul {
                @for knee in results.knees.iter().take(MOST_ROWS) {
                    li {
                        (text::name(&knee.measure)) " bends at " strong { (text::name(&knee.axis)) "=" (text::name(&knee.at)) }
                        @if let Some(measure) = measure(&knee.measure) { ", where it is " (figure(&knee.estimate, quantity(measure)).to_string()) }
                        @if !knee.beside.is_empty() { " (" (text::shortened(&knee.beside.join(", "), 200)) ")" }
                        "."
                    }
                }
                @if results.knees.is_empty() && results.design == Design::Grid {
                    li { "No curve has a knee that stands out from its noise." }
                }
                @if let Some(front) = &results.front {
                    li {
                        "No point beats these in both " (text::name(&front.measures[0])) " and " (text::name(&front.measures[1])) ": "
                        @for (i, point) in front.points.iter().filter_map(point).take(20).enumerate() {
                            @if i > 0 { "; " } (text::shortened(&named(&results.axes, point), 200))
                        }
                        @if front.points.len() > 20 { "; and " (front.points.len() - 20) " more" }
                        "."
                    }
                }
                @for point in results.points.iter().filter(|point| point.trouble.is_some()).take(MOST_ROWS) {
                    li {
                        strong { "No end" } " at " (text::shortened(&named(&results.axes, point), 200)) ": "
                        (text::prose(point.trouble.as_deref().unwrap_or_default()))
                    }
                }
            }
        }
    }
}

fn panels(results: &SweepResults) -> Vec<Panel> {
    let shown = charted(results);
    if shown.is_empty() {
        let why = "No measure that one asks about first differs between the points.".to_owned();
        return vec![Panel::Blank { title: "Nothing changes".to_owned(), why }];
    }
    let mut panels: Vec<Panel> = front_panel(results).into_iter().collect();
    for (at, measure) in shown {
        match results.design {
            Design::LatinHypercube => panels.extend(random_panels(results, at, measure)),
            Design::Grid if results.axes.len() == 1 => panels.push(curves(results, at, measure)),
            Design::Grid => {
                panels.push(curves(results, at, measure));
                panels.extend(maps(results, at, measure));
            }
        }
    }
    panels
}

/// The axis that curves are drawn along: the first of numbers, or else the first.
fn along(results: &SweepResults) -> usize {
    results.axes.iter().position(|axis| axis.scale != Scale::Words).unwrap_or(0)
}

/// Values of an axis as places: their numbers, or for words their positions.
fn places(results: &SweepResults, axis: usize) -> Vec<(f64, String)> {
    let swept = &results.axes[axis];
    let mut places: Vec<(f64, String)> = Vec::new();
    for value in &swept.values {
        let number = results
            .points
            .iter()
            .find(|point| point.values[axis] == *value)
            .and_then(|point| point.numbers[axis]);
        let place = match swept.scale {
            Scale::Words => Some(places.len() as f64),
            Scale::Linear | Scale::Logarithmic => number,
        };
        places.extend(place.map(|place| (place, text::shortened(value, 16))));
    }
    places.sort_by(|one, other| one.0.total_cmp(&other.0));
    places
}

fn place_of(results: &SweepResults, axis: usize, point: &PointResults) -> Option<f64> {
    let swept = &results.axes[axis];
    match swept.scale {
        Scale::Words => {
            swept.values.iter().position(|value| *value == point.values[axis]).map(|at| at as f64)
        }
        Scale::Linear | Scale::Logarithmic => point.numbers[axis],
    }
}

fn curves(results: &SweepResults, at: usize, measure: &SweptMeasure) -> Panel {
    let axis = along(results);
    let mut curves: Vec<Curve> = Vec::new();
    for point in &results.points {
        let beside = results.axes.iter().zip(&point.values).enumerate().filter(|(other, _)| *other != axis);
        let name: Vec<String> = beside.map(|(_, (axis, value))| format!("{}={value}", axis.name)).collect();
        let name = text::name(&name.join(", "));
        let Some(place) = place_of(results, axis, point) else { continue };
        match curves.iter_mut().find(|curve| curve.name == name) {
            Some(curve) => curve.points.push((place, point.estimates[at])),
            None => curves.push(Curve { name, points: vec![(place, point.estimates[at])] }),
        }
    }
    let title = text::name(&measure.name);
    let (x_title, x) = (text::name(&results.axes[axis].name), places(results, axis));
    over_axis(&OverAxis {
        id: &format!("curve-{at}"),
        title: &title,
        y_title: &title,
        quantity: quantity(measure),
        x_title: &x_title,
        x: &x,
        is_logarithmic: results.axes[axis].scale == Scale::Logarithmic,
        curves,
    })
}

/// The first two axes, for each setting of the others.
fn maps(results: &SweepResults, at: usize, measure: &SweptMeasure) -> Vec<Panel> {
    let (rows, columns) = (&results.axes[1], &results.axes[0]);
    let mut others: Vec<&[String]> = results.points.iter().map(|point| &point.values[2..]).collect();
    others.sort_unstable();
    others.dedup();
    let map = |(number, beside): (usize, &&[String])| {
        let cell = |(row, column): (&String, &String)| {
            let point = results.points.iter().find(|point| {
                point.values[0] == *column && point.values[1] == *row && point.values[2..] == **beside
            });
            point.and_then(|point| point.estimates[at].mean)
        };
        let pairs = rows.values.iter().flat_map(|row| columns.values.iter().map(move |column| (row, column)));
        let beside: Vec<String> = results.axes[2..]
            .iter()
            .zip(*beside)
            .map(|(axis, value)| format!("{}={value}", axis.name))
            .collect();
        let title = match beside.is_empty() {
            true => text::name(&measure.name),
            false => text::name(&format!("{} at {}", measure.name, beside.join(", "))),
        };
        let told = |values: &[String]| values.iter().map(|value| text::shortened(value, 24)).collect();
        heat_map(&HeatMap {
            id: &format!("map-{at}-{number}"),
            title: &title,
            quantity: quantity(measure),
            x_title: &text::name(&columns.name),
            columns: told(&columns.values),
            y_title: &text::name(&rows.name),
            rows: told(&rows.values),
            cells: pairs.map(cell).collect(),
        })
    };
    others.iter().take(MOST_MAPS).enumerate().map(map).collect()
}

/// A measure over each axis of numbers, a dot for each point.
fn random_panels(results: &SweepResults, at: usize, measure: &SweptMeasure) -> Vec<Panel> {
    let axes = results.axes.iter().enumerate().filter(|(_, axis)| axis.scale != Scale::Words);
    let panel = |(axis, swept): (usize, &crate::experiment::results::sweep::Axis)| {
        let dot = |point: &PointResults| {
            let (x, y) = (point.numbers[axis]?, point.estimates[at].mean?);
            Some(Dot { name: text::name(&named(&results.axes, point)), x, y, is_on_front: false })
        };
        let unit = if swept.unit.is_empty() { String::new() } else { format!(", {}", swept.unit) };
        scatter(&Scatter {
            id: &format!("dots-{at}-{axis}"),
            title: &text::name(&format!("{} over {}", measure.name, swept.name)),
            x_title: &text::name(&format!("{}{unit}", swept.name)),
            x: crate::report::figure::Quantity::Number,
            y_title: &text::name(&measure.name),
            y: quantity(measure),
            dots: results.points.iter().filter_map(dot).collect(),
            notes: vec!["Each dot is a point of the design; the other axes differ, too.".to_owned()],
        })
    };
    axes.map(panel).collect()
}

fn front_panel(results: &SweepResults) -> Option<Panel> {
    let front = results.front.as_ref()?;
    let [x, y] = front
        .measures
        .each_ref()
        .map(|name| results.measures.iter().position(|measure| measure.name == *name));
    let (x, y) = (x?, y?);
    let dot = |point: &PointResults| {
        let (x, y) = (point.estimates[x].mean?, point.estimates[y].mean?);
        let is_on_front = front.points.contains(&point.number);
        Some(Dot { name: text::name(&named(&results.axes, point)), x, y, is_on_front })
    };
    let [x_measure, y_measure] = [x, y].map(|at| &results.measures[at]);
    Some(scatter(&Scatter {
        id: "front",
        title: "The front",
        x_title: &text::name(&x_measure.name),
        x: quantity(x_measure),
        y_title: &text::name(&y_measure.name),
        y: quantity(y_measure),
        dots: results.points.iter().filter_map(dot).collect(),
        notes: vec!["The line goes through the points that no other one beats in both measures; means are drawn without their intervals.".to_owned()],
    }))
}

fn points(results: &SweepResults) -> Markup {
    let shown = charted(results);
    html! {
        section aria-labelledby="points" {
            h2 #points { "Points" }
            div.scroll tabindex="0" role="region" aria-labelledby="points" {
                table {
                    thead { tr {
                        @for axis in &results.axes { th scope="col" { (text::name(&axis.name)) } }
                        @for (_, measure) in &shown { th.number scope="col" { (text::name(&measure.name)) } }
                        th scope="col" { "verdicts" }
                    } }
                    tbody { @for point in results.points.iter().take(MOST_ROWS) { tr {
                        @for value in &point.values { td { (text::shortened(value, 80)) } }
                        @for (at, measure) in &shown {
                            @let estimate = &point.estimates[*at];
                            td.number {
                                (figure(estimate, quantity(measure)).to_string())
                                @if estimate.mean.is_some() && estimate.n != results.replications {
                                    span.few { " (n = " (estimate.n) ")" }
                                }
                            }
                        }
                        td { (text::shortened(&verdicts(point), 200)) }
                    } } }
                }
            }
            @if results.points.len() > MOST_ROWS {
                p { (results.points.len() - MOST_ROWS) " more points are in the JSON file." }
            }
        }
    }
}
