//! Data frames: one row for each replication and measure.
//!
//! | column | holds |
//! |---|---|
//! | `scenario`, `seed` | of the experiment |
//! | `point` | number of the point in a sweep, from 0; in a run 0 |
//! | one for each axis of a sweep | its value at the point: a number in the unit in which it was given, or a word |
//! | `replication` | from 0; the same number drew the same random numbers at every point |
//! | `measure`, `unit` | as in the report: `p99(shopper.response_time)`, `s` |
//! | `value` | missing where there was nothing to measure |

mod csv;
mod parquet;

pub use csv::csv;
pub use parquet::parquet;

use crate::experiment::results::data::Data;
use crate::experiment::results::sweep::Scale;

/// Names of columns that every table has.
const FIXED: [&str; 7] = ["scenario", "seed", "point", "replication", "measure", "unit", "value"];

/// The column of each axis: its name, unless that is taken.
fn axis_columns(data: &Data) -> Vec<String> {
    let column = |name: &str| match FIXED.contains(&name) {
        true => format!("{name}_"),
        false => name.to_owned(),
    };
    data.axes.iter().map(|axis| column(&axis.name)).collect()
}

fn is_numeric(scale: Scale) -> bool {
    scale != Scale::Words
}
