//! As comma-separated values (RFC 4180), in UTF-8, with a head.

use super::{axis_columns, is_numeric};
use crate::experiment::results::data::Data;

/// All rows. A number has as many digits as it takes to read the same one again.
pub fn csv(data: &Data) -> String {
    let head = ["scenario", "seed", "point"].map(str::to_owned).into_iter();
    let tail = ["replication", "measure", "unit", "value"].map(str::to_owned);
    let mut text = line(head.chain(axis_columns(data)).chain(tail));
    for row in data.rows() {
        let axes = data.axes.iter().enumerate().map(|(at, axis)| match row.point.numbers[at] {
            Some(number) if is_numeric(axis.scale) => number.to_string(),
            _ => row.point.values[at].clone(),
        });
        let head = [data.scenario.clone(), data.seed.to_string(), row.point.number.to_string()];
        let value = row.value.map_or_else(String::new, |value| value.to_string());
        let tail = [row.replication.to_string(), row.measure.to_owned(), row.unit.to_owned(), value];
        text += &line(head.into_iter().chain(axes).chain(tail));
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cell = |cell: String| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    };
    cells.map(cell).collect::<Vec<String>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::results::data::{DataColumn, DataPoint};

    #[test]
    fn a_row_for_each_replication_and_measure() {
        let columns = vec![
            DataColumn { measure: "p99(a, b)".into(), unit: "s", values: vec![Some(0.1), None] },
            DataColumn { measure: "x".into(), unit: "1", values: vec![Some(1e-9), Some(f64::NAN)] },
        ];
        let point = DataPoint {
            number: 0,
            values: Vec::new(),
            numbers: Vec::new(),
            replications: vec![0, 2],
            columns,
        };
        let data = Data { scenario: "say \"hi\"".into(), seed: 7, axes: Vec::new(), points: vec![point] };
        let expected = [
            "scenario,seed,point,replication,measure,unit,value",
            "\"say \"\"hi\"\"\",7,0,0,\"p99(a, b)\",s,0.1",
            "\"say \"\"hi\"\"\",7,0,0,x,1,0.000000001",
            "\"say \"\"hi\"\"\",7,0,2,\"p99(a, b)\",s,",
            "\"say \"\"hi\"\"\",7,0,2,x,1,",
        ];
        assert_eq!(csv(&data), expected.map(|line| line.to_owned() + "\r\n").concat());
    }
}
