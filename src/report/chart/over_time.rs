//! Quantities over simulated time, with faults as shaded bands.

use super::axis::Axis;
use super::canvas::{BANDS, Ink};
use super::frame::{Format, Frame, Lane};
use super::live::{Drawn, Live, Names, Reads, Trace, drawn};
use super::{Chart, DataTable, LegendEntry, Panel, Swatch, largest, not_shown};
use crate::experiment::results::{RunResults, Series};
use crate::report::figure::{Quantity, instant, rough};
use crate::report::text;

/// Most points on a line; more buckets are averaged, which no screen could tell.
const MOST_POINTS: usize = 400;
/// Title of the horizontal axis, without its unit.
const TIME: &str = "simulated time";
/// Most rows of the table behind a chart.
const MOST_ROWS: usize = 60;

/// What a zero in a series means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// A value like any other.
    Zero,
    /// Nothing was observed in this bucket: the line has a gap.
    Gap,
}

/// One line, as it comes from the results.
pub struct Line<'a> {
    pub name: String,
    pub series: &'a Series,
}

/// A stretch of time that is shaded: a fault, or the warm-up.
pub struct Shade {
    pub name: String,
    pub spans: Vec<(f64, f64)>,
    pub is_fault: bool,
}

/// A chart to be drawn.
pub struct OverTime<'a> {
    pub id: &'static str,
    pub title: &'static str,
    /// Title of the vertical axis, without its unit.
    pub y_title: &'static str,
    pub quantity: Quantity,
    pub silence: Silence,
    pub lines: Vec<Line<'a>>,
    /// What the lines are: `services`.
    pub what: &'static str,
    /// What it means that every value is zero: `No call failed.`
    pub if_zero: &'static str,
}

/// The shaded stretches of a run: warm-up and faults. Faults beyond the ones with names of their own
/// share the last lane.
pub fn shades(results: &RunResults) -> Vec<Shade> {
    let mut shades = Vec::new();
    if results.warm_up > 0.0 {
        let spans = vec![(0.0, results.warm_up)];
        shades.push(Shade { name: "warm-up, not measured".to_owned(), spans, is_fault: false });
    }
    let faults: Vec<_> = results.faults.iter().filter(|fault| !fault.bands.is_empty()).collect();
    let named = if faults.len() > BANDS { BANDS - 1 } else { faults.len() };
    for fault in &faults[..named] {
        shades.push(Shade { name: text::name(&fault.name), spans: fault.bands.clone(), is_fault: true });
    }
    if faults.len() > named {
        let spans = faults[named..].iter().flat_map(|fault| &fault.bands).copied().take(500).collect();
        shades.push(Shade { name: format!("{} more faults", faults.len() - named), spans, is_fault: true });
    }
    shades
}

/// Draws `chart` with `shades` behind it.
pub fn over_time(chart: &OverTime, shades: &[Shade]) -> Panel {
    let peaks: Vec<f64> = chart.lines.iter().map(|line| peak(line.series).1).collect();
    let most = peaks.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        let why = if chart.lines.is_empty() {
            format!("There are no {}.", chart.what)
        } else {
            chart.if_zero.to_owned()
        };
        return Panel::Blank { title: chart.title.to_owned(), why };
    }
    let shown: Vec<&Line> = largest(&peaks).into_iter().map(|i| &chart.lines[i]).collect();
    let summary = summary(chart, &shown, shades);
    let Drawn { wide, narrow, live } = drawn(
        |format| frame(chart, &shown, shades, most, format),
        (chart.title, &summary, chart.id),
        |frames| known(frames, chart, &shown),
    );
    let mut notes = Vec::new();
    notes.extend(not_shown(chart.lines.len(), shown.len(), chart.what));
    let entry =
        |(i, line): (usize, &&Line)| LegendEntry { swatch: Swatch::Line(i), label: line.name.clone() };
    Panel::Drawn(Box::new(Chart {
        id: chart.id.to_owned(),
        title: chart.title.to_owned(),
        table: table(chart, &shown),
        summary,
        wide,
        narrow,
        live: Some(live),
        legend: shown.iter().enumerate().map(entry).collect(),
        notes,
        broad: false,
    }))
}

fn frame(chart: &OverTime, shown: &[&Line], shades: &[Shade], most: f64, format: Format) -> Frame {
    let x = Axis::time(end(shown), format.time_ticks());
    let y = vertical(chart, shown, most);
    let lines = shown.iter().map(|line| pieces(line.series, chart.silence)).collect();
    let mut faults = 0;
    let lane = |shade: &Shade| {
        let (fill, edge) = if shade.is_fault {
            faults += 1;
            (Ink::Band(faults - 1), Ink::BandEdge(faults - 1))
        } else {
            (Ink::WarmUp, Ink::WarmUp)
        };
        Lane { name: shade.name.clone(), fill, edge, spans: within(&shade.spans, x.to) }
    };
    let lanes: Vec<Lane> = shades.iter().map(lane).filter(|lane| !lane.spans.is_empty()).collect();
    let y_title =
        if y.unit.is_empty() { chart.y_title.to_owned() } else { format!("{}, {}", chart.y_title, y.unit) };
    Frame {
        format,
        x_title: format!("{TIME}, {}", x.unit),
        y_title,
        x,
        y,
        lanes,
        lines,
        bands: Vec::new(),
        dots: Vec::new(),
    }
}

/// The lines as numbers, for the page's script.
fn known(frames: &[Frame; 2], chart: &OverTime, shown: &[&Line]) -> Live {
    let mut bucket: f64 = 0.0;
    let mut trace = |line: &&Line| {
        let (width, y) = condensed(line.series, MOST_POINTS, chart.silence);
        bucket = bucket.max(width);
        let x = (0..y.len()).map(|i| (i as f64 + 0.5) * width).collect();
        Trace { name: line.name.clone(), x, y, band: Vec::new(), told: Vec::new() }
    };
    let traces = shown.iter().map(&mut trace).collect();
    Live::new(frames, TIME, Names::Time(bucket), chart.quantity, Reads::Lines, traces)
}

/// Linear, or logarithmic for durations that differ by more than a linear axis can show.
fn vertical(chart: &OverTime, shown: &[&Line], most: f64) -> Axis {
    let values = shown.iter().flat_map(|line| &line.series.values).copied();
    let least = values.filter(|value| *value > 0.0).fold(most, f64::min);
    match chart.quantity {
        Quantity::Seconds if most > 20.0 * least => Axis::logarithm(least, most, 7),
        quantity => Axis::linear(most, 5, quantity),
    }
}

/// What lies on the axis, of spans that may be broken, reversed or beyond it.
fn within(spans: &[(f64, f64)], end: f64) -> Vec<(f64, f64)> {
    let inside = spans.iter().filter(|(from, to)| *from < end && to >= from && *to >= 0.0);
    inside.map(|&(from, to)| (from.max(0.0), to.min(end))).collect()
}

/// End of the longest series.
fn end(shown: &[&Line]) -> f64 {
    shown.iter().map(|line| line.series.width * line.series.values.len() as f64).fold(0.0, f64::max)
}

/// The unbroken pieces of a line; a piece of one bucket is drawn as long as the bucket.
fn pieces(series: &Series, silence: Silence) -> Vec<Vec<(f64, f64)>> {
    let (width, values) = condensed(series, MOST_POINTS, silence);
    let mut pieces: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (i, value) in values.into_iter().enumerate() {
        match value {
            Some(value) => {
                pieces.last_mut().expect("begins with one").push(((i as f64 + 0.5) * width, value))
            }
            None => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    for piece in &mut pieces {
        if let [(middle, value)] = piece[..] {
            *piece = vec![(middle - width / 2.0, value), (middle + width / 2.0, value)];
        }
    }
    pieces
}

/// At most `most` equal buckets, each the mean of the ones it stands for; `None`: nothing observed.
fn condensed(series: &Series, most: usize, silence: Silence) -> (f64, Vec<Option<f64>>) {
    let group = series.values.len().div_ceil(most).max(1);
    let observed = |value: &&f64| value.is_finite() && (silence == Silence::Zero || **value > 0.0);
    let mean = |values: &[f64]| {
        let (sum, n) = values.iter().filter(observed).fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
        (n > 0).then(|| sum / f64::from(n))
    };
    (series.width * group as f64, series.values.chunks(group).map(mean).collect())
}

/// Middle of the bucket with the greatest value, and that value; 0 where there is none.
fn peak(series: &Series) -> (f64, f64) {
    let mut peak = (0.0, 0.0);
    for (i, &value) in series.values.iter().enumerate() {
        if value.is_finite() && value > peak.1 {
            peak = ((i as f64 + 0.5) * series.width, value);
        }
    }
    peak
}

/// The chart in words.
fn summary(chart: &OverTime, shown: &[&Line], shades: &[Shade]) -> String {
    const MOST_TOLD: usize = 4;
    let mut text = format!("{} over {} of simulated time. ", chart.y_title, instant(end(shown)));
    text[..1].make_ascii_uppercase();
    for line in shown.iter().take(MOST_TOLD) {
        let (_, values) = condensed(line.series, usize::MAX, chart.silence);
        let values: Vec<f64> = values.into_iter().flatten().collect();
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let (at, most) = peak(line.series);
        text.push_str(&format!(
            "{}: {} on average over the run, at most {}, around {}. ",
            line.name,
            rough(mean, chart.quantity),
            rough(most, chart.quantity),
            instant(at)
        ));
    }
    if shown.len() > MOST_TOLD {
        text.push_str(&format!("{} more {} are in the table. ", shown.len() - MOST_TOLD, chart.what));
    }
    let faults = shades.iter().filter(|shade| shade.is_fault).filter_map(|shade| {
        let (from, to) = *shade.spans.first()?;
        let again = if shade.spans.len() > 1 {
            format!(", {} times in all", shade.spans.len())
        } else {
            String::new()
        };
        let (from, to) = (instant(from), instant(to));
        Some(format!("{} from {from} to {to}{again}", shade.name))
    });
    let faults: Vec<String> = faults.collect();
    if !faults.is_empty() {
        text.push_str(&format!("Faults are shaded: {}.", faults.join("; ")));
    }
    text.trim_end().to_owned()
}

fn table(chart: &OverTime, shown: &[&Line]) -> DataTable {
    let columns: Vec<(f64, Vec<Option<f64>>)> =
        shown.iter().map(|line| condensed(line.series, MOST_ROWS, chart.silence)).collect();
    let longest = columns.iter().max_by_key(|(_, values)| values.len());
    let (width, count) = longest.map_or((0.0, 0), |(width, values)| (*width, values.len()));
    let mut head = vec!["from".to_owned()];
    head.extend(shown.iter().map(|line| line.name.clone()));
    let row = |i: usize| {
        let mut row = vec![instant(i as f64 * width)];
        row.extend(columns.iter().map(|(_, values)| {
            let value = values.get(i).copied().flatten();
            value.map_or("–".to_owned(), |value| rough(value, chart.quantity))
        }));
        row
    };
    DataTable { head, rows: (0..count).map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_breaks_the_line_and_a_lone_bucket_is_still_seen() {
        let series = Series { width: 1.0, values: vec![2.0, 0.0, 3.0, 4.0, f64::NAN] };
        let with_gaps = pieces(&series, Silence::Gap);
        assert_eq!(with_gaps, [vec![(0.0, 2.0), (1.0, 2.0)], vec![(2.5, 3.0), (3.5, 4.0)]]);
        assert_eq!(pieces(&series, Silence::Zero), [vec![(0.5, 2.0), (1.5, 0.0), (2.5, 3.0), (3.5, 4.0)]]);
    }

    #[test]
    fn many_buckets_become_few_and_keep_their_mean() {
        let series = Series { width: 0.5, values: (0..1000).map(f64::from).collect() };
        let (width, values) = condensed(&series, 100, Silence::Zero);
        assert_eq!((width, values.len(), values[0]), (5.0, 100, Some(4.5)));
    }
}
