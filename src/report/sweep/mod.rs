//! What a sweep found, as a page, as JSON and as a table on the terminal.
//!
//! All three tell the same points in the same order; what a terminal has no room for is in the files.

mod page;
mod text;

pub use page::page;
pub use text::text;

use super::figure::Quantity;
use crate::experiment::results::measure::Unit;
use crate::experiment::results::sweep::{Axis, PointResults, SweepResults, SweptMeasure};

/// All of it as JSON.
pub fn json(results: &SweepResults) -> String {
    serde_json::to_string_pretty(results).expect("plain data with text keys") + "\n"
}

/// The measures that are shown, with their positions.
fn charted(results: &SweepResults) -> Vec<(usize, &SweptMeasure)> {
    results.measures.iter().enumerate().filter(|(_, measure)| measure.charted).collect()
}

fn quantity(measure: &SweptMeasure) -> Quantity {
    match measure.unit {
        Unit::Seconds => Quantity::Seconds,
        Unit::PerSecond => Quantity::PerSecond,
        Unit::Share => Quantity::Share,
        Unit::Number => Quantity::Number,
        Unit::Erlang => Quantity::Erlang,
    }
}

/// `rate=400/s, preset=kafka`
fn named(axes: &[Axis], point: &PointResults) -> String {
    let values = axes.iter().zip(&point.values).map(|(axis, value)| format!("{}={value}", axis.name));
    values.collect::<Vec<String>>().join(", ")
}
