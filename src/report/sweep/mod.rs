//! What a sweep found, as a page, as JSON and as a table on the terminal.
//!
//! All three tell the same points in the same order; what a terminal has no room for is in the files.

mod page;
mod text;

pub use page::page;
pub use text::text;

use super::figure::Quantity;
use crate::experiment::results::sweep::{Axis, PointResults, SweepResults, SweptMeasure};
use crate::experiment::results::verdict::Outcome;

/// All of it as JSON.
pub fn json(results: &SweepResults) -> String {
    serde_json::to_string_pretty(results).expect("plain data with text keys") + "\n"
}

/// The measures that are shown, with their positions.
fn charted(results: &SweepResults) -> Vec<(usize, &SweptMeasure)> {
    results.measures.iter().enumerate().filter(|(_, measure)| measure.charted).collect()
}

fn quantity(measure: &SweptMeasure) -> Quantity {
    measure.unit.into()
}

/// What the verdicts at a point come to, with those that decide it; names as they are.
fn verdicts(point: &PointResults) -> String {
    match (point.standing, &point.trouble) {
        (_, Some(_)) => "no end".to_owned(),
        (Outcome::Pass, None) => "pass".to_owned(),
        (Outcome::Fail, None) if point.failed.is_empty() => "not as expected".to_owned(),
        (Outcome::Fail, None) => format!("fail: {}", point.failed.join(", ")),
        (Outcome::Inconclusive, None) => format!("inconclusive: {}", point.inconclusive.join(", ")),
    }
}

/// `rate=400/s, preset=kafka`
fn named(axes: &[Axis], point: &PointResults) -> String {
    let values = axes.iter().zip(&point.values).map(|(axis, value)| format!("{}={value}", axis.name));
    values.collect::<Vec<String>>().join(", ")
}
