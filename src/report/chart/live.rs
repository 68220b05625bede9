//! A chart as the page's script reads it: its points as numbers, and where its plot lies in both drawings.
//!
//! The drawings are whole without it. With it a reader can zoom, read values off, and switch a line off.

use super::axis::Axis;
use super::frame::{Format, Frame};
use crate::report::figure::Quantity;
use serde::Serialize;

/// Significant digits of values and of places along the horizontal axis: more than a screen can show.
const DIGITS: usize = 5;
const DIGITS_ALONG: usize = 8;

/// What the script knows of one chart.
#[derive(Serialize)]
pub struct Live {
    x: Along,
    y: Upward,
    /// What is read at a place: all lines there, or the one point that is nearest.
    reads: Reads,
    /// Whether points are marked.
    marked: bool,
    traces: Vec<Trace>,
    lanes: Vec<Lane>,
    wide: Plot,
    narrow: Plot,
}

/// How a horizontal axis is named, which is all that differs between axes for the script.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// Seconds of simulated time, in buckets of this length.
    Time(f64),
    /// Shares from 0 to 1, each further nine as wide as the one before.
    Nines,
    /// These values, as they are written; to the script their places are told.
    Given(Vec<(f64, String)>),
    Measured(Measure),
}

/// [`Quantity`], by the name that the script knows.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Seconds,
    PerSecond,
    Share,
    Number,
    Erlang,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    Lines,
    Points,
}

#[derive(Serialize)]
struct Along {
    /// Without a unit.
    title: String,
    names: Names,
}

#[derive(Serialize)]
struct Upward {
    scale: &'static str,
    from: f64,
    to: f64,
    measure: Measure,
}

/// One line: its points from left to right.
#[derive(Serialize)]
pub struct Trace {
    pub name: String,
    /// Values of the axis; to the script their places are told.
    pub x: Vec<f64>,
    /// `None`: the line has a gap.
    pub y: Vec<Option<f64>>,
    /// Least and most of the interval of each point; empty without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub band: Vec<(f64, f64)>,
    /// What is said of each point in place of its value; empty if its value is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
}

/// A named stretch, shaded.
#[derive(Serialize)]
struct Lane {
    name: String,
    /// Classes of its area and of the bar above the plot.
    fill: String,
    edge: String,
    spans: Vec<(f64, f64)>,
}

/// Where the plot lies in a drawing, in its own units, and which places are at its ends.
#[derive(Serialize)]
struct Plot {
    /// Left, top, right, bottom.
    area: [i32; 4],
    x: [f64; 2],
    /// Top of the name of each lane.
    lanes: Vec<i32>,
}

impl Live {
    /// Of a chart that is drawn in two frames, wide and narrow.
    pub fn new(
        frames: &[Frame; 2],
        title: &str,
        names: Names,
        quantity: Quantity,
        reads: Reads,
        traces: Vec<Trace>,
    ) -> Self {
        let [wide, narrow] = frames;
        let lane = |lane: &super::frame::Lane| Lane {
            name: lane.name.clone(),
            fill: lane.fill.class(),
            edge: lane.edge.class(),
            spans: lane.spans.iter().map(|&(from, to)| (along(from), along(to))).collect(),
        };
        Self {
            x: Along { title: title.to_owned(), names: names.placed(&wide.x) },
            y: Upward {
                scale: wide.y.scale_name(),
                from: wide.y.from,
                to: wide.y.to,
                measure: quantity.into(),
            },
            reads,
            marked: !wide.dots.is_empty(),
            traces: traces.into_iter().map(|trace| trace.placed(&wide.x)).collect(),
            lanes: wide.lanes.iter().map(lane).collect(),
            wide: Plot::of(wide),
            narrow: Plot::of(narrow),
        }
    }

    /// As JSON that can stand in a `script` element: no character of it begins or ends markup.
    pub fn json(&self) -> String {
        let text = serde_json::to_string(self).expect("plain data with text keys");
        // Only within strings do these characters stand in JSON.
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }
}

impl Plot {
    fn of(frame: &Frame) -> Self {
        let Axis { from, to, .. } = frame.x;
        // As places are rounded: the last lies on the axis and not behind its end.
        Self { area: frame.plot_area(), x: [from, to].map(along), lanes: frame.tops_of_lanes() }
    }
}

impl Names {
    /// With places for values.
    fn placed(self, axis: &Axis) -> Self {
        match self {
            Names::Given(values) => Names::Given(
                values.into_iter().map(|(value, name)| (along(axis.place(value)), name)).collect(),
            ),
            others => others,
        }
    }
}

impl Trace {
    /// With places along the axis for values, and no more digits than show.
    fn placed(self, axis: &Axis) -> Self {
        let upward = |value: f64| rounded(value, DIGITS);
        Self {
            x: self.x.into_iter().map(|value| along(axis.place(value))).collect(),
            y: self.y.into_iter().map(|value| value.filter(|it| it.is_finite()).map(upward)).collect(),
            band: self.band.into_iter().map(|(least, most)| (upward(least), upward(most))).collect(),
            ..self
        }
    }
}

impl From<Quantity> for Measure {
    fn from(quantity: Quantity) -> Self {
        match quantity {
            Quantity::Seconds => Measure::Seconds,
            Quantity::PerSecond => Measure::PerSecond,
            Quantity::Share => Measure::Share,
            Quantity::Number => Measure::Number,
            Quantity::Erlang => Measure::Erlang,
        }
    }
}

/// The two drawings of a chart, and what the script knows of it.
pub struct Drawn {
    pub wide: String,
    pub narrow: String,
    pub live: String,
}

/// Draws a chart for both formats. `know` makes of the frames what the script is to know.
pub fn drawn(
    frame: impl Fn(Format) -> Frame,
    (title, summary, id): (&str, &str, &str),
    know: impl FnOnce(&[Frame; 2]) -> Live,
) -> Drawn {
    let frames = Format::BOTH.map(frame);
    let [wide, narrow] = frames.each_ref().map(|frame| frame.draw(title, summary, id));
    Drawn { wide, narrow, live: know(&frames).json() }
}

fn along(value: f64) -> f64 {
    rounded(value, DIGITS_ALONG)
}

/// To so many significant digits.
fn rounded(value: f64, digits: usize) -> f64 {
    let text = format!("{value:.*e}", digits - 1);
    text.parse().expect("a number as it was written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::canvas::Ink;

    #[test]
    fn digits_beyond_those_that_show_are_left_out() {
        assert_eq!(rounded(0.012345678, 5), 0.012346);
        assert_eq!(rounded(-123_456.7, 5), -123_460.0);
        assert_eq!((rounded(0.0, 5), rounded(3.0, 5)), (0.0, 3.0));
    }

    /// Names are a scenario's: none may end the element that they stand in.
    #[test]
    fn no_name_ends_the_script() {
        let frame = |format| Frame {
            format,
            x: Axis::time(10.0, 5),
            y: Axis::linear(1.0, 5, Quantity::Number),
            x_title: String::new(),
            y_title: String::new(),
            lanes: vec![super::super::frame::Lane {
                name: "<!-- <script>".to_owned(),
                fill: Ink::Band(0),
                edge: Ink::BandEdge(0),
                spans: vec![(1.0, 2.0)],
            }],
            lines: Vec::new(),
            bands: Vec::new(),
            dots: Vec::new(),
        };
        let trace = Trace {
            name: "</script><script>alert(1)</script>&amp;".to_owned(),
            x: vec![0.5],
            y: vec![Some(f64::NAN)],
            band: Vec::new(),
            told: Vec::new(),
        };
        let drawn = drawn(frame, ("", "", "x"), |frames| {
            Live::new(frames, "time", Names::Time(1.0), Quantity::Number, Reads::Lines, vec![trace])
        });
        assert!(!drawn.live.contains(['<', '>', '&']), "{}", drawn.live);
        let read: serde_json::Value = serde_json::from_str(&drawn.live).unwrap();
        assert_eq!(read["traces"][0]["name"], "</script><script>alert(1)</script>&amp;");
        assert_eq!(read["traces"][0]["y"][0], serde_json::Value::Null);
        assert_eq!(read["lanes"][0]["fill"], "b0");
        let area = read["wide"]["area"].as_array().unwrap();
        assert!(area[0].as_i64() < area[2].as_i64() && area[1].as_i64() < area[3].as_i64());
    }
}
