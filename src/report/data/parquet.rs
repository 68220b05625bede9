//! As Parquet: columns with their types, words once each.

use super::{axis_columns, is_numeric};
use crate::experiment::results::data::{Data, Row};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::sync::Arc;

/// Rows that are encoded together; so many are held twice.
const ROWS_IN_GROUP: usize = 1 << 18;

/// All rows, as the bytes of a file.
pub fn parquet(data: &Data) -> Vec<u8> {
    encoded(data).expect("writing to memory cannot fail")
}

/// What a column holds.
#[derive(Clone, Copy)]
enum Column {
    Scenario,
    Seed,
    Point,
    /// Of the axis at this position.
    AxisNumber(usize),
    AxisWord(usize),
    Replication,
    Measure,
    Unit,
    Value,
}

fn encoded(data: &Data) -> Result<Vec<u8>> {
    let columns = columns(data);
    let fields = columns.iter().map(|(name, column)| field(name, *column)).collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder("measurements").with_fields(fields).build()?;
    let created_by = format!("eventflow version {}", env!("CARGO_PKG_VERSION"));
    let properties = WriterProperties::builder().set_created_by(created_by).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut rows = data.rows().peekable();
    while rows.peek().is_some() {
        let some: Vec<Row> = rows.by_ref().take(ROWS_IN_GROUP).collect();
        write_group(&mut writer, data, &columns, &some)?;
    }
    writer.into_inner()
}

fn columns(data: &Data) -> Vec<(String, Column)> {
    let axis = |(at, name): (usize, String)| match is_numeric(data.axes[at].scale) {
        true => (name, Column::AxisNumber(at)),
        false => (name, Column::AxisWord(at)),
    };
    let named = |(name, column): (&str, Column)| (name.to_owned(), column);
    let head = [("scenario", Column::Scenario), ("seed", Column::Seed), ("point", Column::Point)];
    let tail = [
        ("replication", Column::Replication),
        ("measure", Column::Measure),
        ("unit", Column::Unit),
        ("value", Column::Value),
    ];
    let axes = axis_columns(data).into_iter().enumerate().map(axis);
    head.into_iter().map(named).chain(axes).chain(tail.into_iter().map(named)).collect()
}

fn field(name: &str, column: Column) -> Result<Arc<Type>> {
    let count = |bit_width| LogicalType::integer(bit_width, false);
    let (physical, logical, repetition) = match column {
        Column::Scenario | Column::AxisWord(_) | Column::Measure | Column::Unit => {
            (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::REQUIRED)
        }
        Column::Seed => (Physical::INT64, Some(count(64)), Repetition::REQUIRED),
        Column::Point | Column::Replication => (Physical::INT32, Some(count(32)), Repetition::REQUIRED),
        Column::AxisNumber(_) | Column::Value => (Physical::DOUBLE, None, Repetition::OPTIONAL),
    };
    let field = Type::primitive_type_builder(name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()?;
    Ok(Arc::new(field))
}

fn write_group(
    writer: &mut SerializedFileWriter<Vec<u8>>,
    data: &Data,
    columns: &[(String, Column)],
    rows: &[Row],
) -> Result<()> {
    let mut group = writer.next_row_group()?;
    for (_, column) in columns {
        let mut open = group.next_column()?.expect("there are as many as in the schema");
        match *column {
            Column::Scenario | Column::AxisWord(_) | Column::Measure | Column::Unit => {
                let words: Vec<ByteArray> = rows.iter().map(|row| word(data, *column, row).into()).collect();
                open.typed::<ByteArrayType>().write_batch(&words, None, None)?;
            }
            Column::Seed => {
                let seeds = vec![data.seed as i64; rows.len()];
                open.typed::<Int64Type>().write_batch(&seeds, None, None)?;
            }
            Column::Point | Column::Replication => {
                let is_point = matches!(column, Column::Point);
                let count = |row: &Row| if is_point { row.point.number } else { row.replication };
                let counts: Vec<i32> = rows.iter().map(|row| count(row) as i32).collect();
                open.typed::<Int32Type>().write_batch(&counts, None, None)?;
            }
            Column::AxisNumber(_) | Column::Value => {
                let numbers: Vec<Option<f64>> = rows.iter().map(|row| number(*column, row)).collect();
                let there: Vec<i16> = numbers.iter().map(|number| i16::from(number.is_some())).collect();
                let numbers: Vec<f64> = numbers.into_iter().flatten().collect();
                open.typed::<DoubleType>().write_batch(&numbers, Some(&there), None)?;
            }
        }
        open.close()?;
    }
    group.close().map(drop)
}

fn word<'a>(data: &'a Data, column: Column, row: &Row<'a>) -> &'a str {
    match column {
        Column::AxisWord(at) => &row.point.values[at],
        Column::Measure => row.measure,
        Column::Unit => row.unit,
        _ => &data.scenario,
    }
}

fn number(column: Column, row: &Row) -> Option<f64> {
    match column {
        Column::AxisNumber(at) => row.point.numbers[at],
        _ => row.value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::results::data::{DataColumn, DataPoint};
    use crate::experiment::results::sweep::{Axis, Scale};
    use bytes_of::read_back;

    /// Reads a file with the library's own reader.
    mod bytes_of {
        use parquet::file::reader::{FileReader, SerializedFileReader};
        use std::io::Write;

        pub fn read_back(bytes: &[u8]) -> Vec<String> {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let axis = |name: &str, scale| Axis {
            name: name.to_owned(),
            written: String::new(),
            scale,
            unit: String::new(),
            values: Vec::new(),
        };
        let point = |number: u32, word: &str, rate: f64| DataPoint {
            number,
            values: vec![format!("{rate}/s"), word.to_owned()],
            numbers: vec![Some(rate), None],
            replications: vec![0, 1],
            columns: vec![DataColumn {
                measure: "x".into(),
                unit: "s",
                values: vec![Some(rate / 8.0), None],
            }],
        };
        let data = Data {
            scenario: "shop".into(),
            seed: u64::MAX,
            axes: vec![axis("rate", Scale::Linear), axis("measure", Scale::Words)],
            points: vec![point(0, "kafka", 100.0), point(1, "sqs", 300.0)],
        };
        let row = |point: u32, rate: &str, word: &str, replication: u32, value: &str| {
            format!(
                "{{scenario: \"shop\", seed: 18446744073709551615, point: {point}, rate: {rate}, measure_: \"{word}\", \
                 replication: {replication}, measure: \"x\", unit: \"s\", value: {value}}}"
            )
        };
        assert_eq!(
            read_back(&parquet(&data)),
            [
                row(0, "100.0", "kafka", 0, "12.5"),
                row(0, "100.0", "kafka", 1, "null"),
                row(1, "300.0", "sqs", 0, "37.5"),
                row(1, "300.0", "sqs", 1, "null"),
            ]
        );
    }
}
