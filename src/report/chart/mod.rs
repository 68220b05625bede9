//! Charts, as inline SVG.
//!
//! Each chart is drawn twice: once for a column of a wide page and once for a phone, with fewer ticks
//! and the same size of letters; the stylesheet shows one of them. Colours are classes, so that light,
//! dark and print are the stylesheet's business. Legends are text of the page below the chart: they
//! wrap, and never cover data.
//!
//! Every chart carries a sentence, computed from its data, for those who do not see it, and its
//! numbers as a table.

mod axis;
mod bars;
pub mod canvas;
mod frame;
mod heat;
mod live;
mod over_axis;
mod over_time;
mod percentile;
mod scatter;
mod topology;

pub use bars::{Bar, bars};
pub use heat::{HeatMap, heat_map};
pub use over_axis::{Curve, OverAxis, over_axis};
pub use over_time::{Line, OverTime, Shade, Silence, over_time, shades};
pub use percentile::{Tail, percentile};
pub use scatter::{Dot, Scatter, scatter};
pub use topology::topology;

/// Most series that a chart shows; more than eight colours cannot be told apart.
pub const MOST_SERIES: usize = 8;

/// What goes to the page for one chart.
pub enum Panel {
    Drawn(Box<Chart>),
    /// There is nothing to draw, and this sentence says why.
    Blank {
        title: String,
        why: String,
    },
}

/// A chart, ready to be put into a page.
pub struct Chart {
    /// Unique in the page; ids inside the SVG begin with it.
    pub id: String,
    pub title: String,
    /// What the chart shows, in sentences with numbers.
    pub summary: String,
    /// SVG for a wide column, and for a phone.
    pub wide: String,
    pub narrow: String,
    /// What the page's script knows of it, as JSON for a `script` element; `None`: it is to be looked at only.
    pub live: Option<String>,
    pub legend: Vec<LegendEntry>,
    /// What a reader must know to read it rightly.
    pub notes: Vec<String>,
    pub table: DataTable,
    /// Whether it needs the full width of the page.
    pub broad: bool,
}

/// One entry of a legend.
pub struct LegendEntry {
    pub swatch: Swatch,
    pub label: String,
}

/// What stands before a label of a legend.
pub enum Swatch {
    /// A line, in the colour and dashes of the series with this number.
    Line(usize),
    /// A node of the topology, or an edge; the name of its class.
    Node(&'static str),
    Edge(&'static str),
}

/// The numbers behind a chart.
pub struct DataTable {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Sentence about series that are not shown, if there are any.
fn not_shown(all: usize, shown: usize, what: &str) -> Option<String> {
    (all > shown).then(|| {
        format!(
            "The {shown} largest of {all} {what} are shown; {} are not. The JSON file has all.",
            all - shown
        )
    })
}

/// Positions of the at most [`MOST_SERIES`] largest by `size`, in their first order; equal ones keep theirs.
fn largest(sizes: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]));
    order.truncate(MOST_SERIES);
    order.sort_unstable();
    order
}
