//! Every measure of every replication: what a statistician asks for.

use super::measure::Unit;
use super::sweep::Axis;
use crate::experiment::measures::Measured;

/// The replications of a run, or of all points of a sweep.
#[derive(Clone, Debug)]
pub struct Data {
    pub scenario: String,
    pub seed: u64,
    /// Empty for a run.
    pub axes: Vec<Axis>,
    pub points: Vec<DataPoint>,
}

/// The replications of one point; a run is one point.
#[derive(Clone, Debug)]
pub struct DataPoint {
    pub number: u32,
    /// In the order of the axes: as written, and as numbers in the unit of the axis where they are.
    pub values: Vec<String>,
    pub numbers: Vec<Option<f64>>,
    /// Numbers of the replications, rising.
    pub replications: Vec<u32>,
    pub columns: Vec<DataColumn>,
}

/// One measure in all replications of a point.
#[derive(Clone, Debug)]
pub struct DataColumn {
    pub measure: String,
    /// `s`, `1/s`, `erlang`; `1` for numbers and shares.
    pub unit: &'static str,
    /// In the order of the replications; `None` where there was nothing to measure.
    pub values: Vec<Option<f64>>,
}

/// One row: a measure in a replication.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub point: &'a DataPoint,
    pub replication: u32,
    pub measure: &'a str,
    pub unit: &'static str,
    pub value: Option<f64>,
}

impl DataColumn {
    pub fn of(measured: &Measured) -> Self {
        let unit = match measured.unit {
            Unit::Seconds => "s",
            Unit::PerSecond => "1/s",
            Unit::Erlang => "erlang",
            Unit::Share | Unit::Number => "1",
        };
        Self { measure: measured.name.clone(), unit, values: measured.values.clone() }
    }
}

impl Data {
    /// Every row: point by point, replication by replication, in the order of the measures.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.points.iter().flat_map(|point| {
            point.replications.iter().enumerate().flat_map(move |(at, &replication)| {
                let row = move |column: &'static str, value: Option<f64>, measure| Row {
                    point,
                    replication,
                    measure,
                    unit: column,
                    value: value.filter(|value| value.is_finite()),
                };
                point.columns.iter().map(move |column| row(column.unit, column.values[at], &column.measure))
            })
        })
    }
}
