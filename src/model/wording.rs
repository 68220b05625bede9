//! Rows and values in words of the scenario, for people.

use super::promise::Reading;
use super::{Model, Word};
use crate::kernel::ids::{SymbolId, TableId};
use crate::kernel::time::{MICROSECOND, MILLISECOND, SECOND};

/// Ids above this are drawn, not counted: they are written short, in hexadecimal.
const COUNTED: Word = 1 << 48;

impl Model {
    /// A word as people write it: `17`, `placed`, `1500ms`.
    pub fn word(&self, reading: Reading, word: Word) -> String {
        match reading {
            Reading::Id if word >= COUNTED => format!("{word:016x}"),
            Reading::Id | Reading::List => word.to_string(),
            Reading::Integer => (word as i64).to_string(),
            Reading::Truth => (word != 0).to_string(),
            Reading::Symbol => {
                let symbols = &self.names.symbols;
                let symbol =
                    u32::try_from(word).ok().and_then(|symbol| symbols.get(SymbolId(symbol).index()));
                symbol.cloned().unwrap_or_default()
            }
            Reading::Moment => moment(word as i64),
            Reading::Duration => nanos(word as i64),
            Reading::Bytes => format!("{word}B"),
            Reading::Float => f64::from_bits(word).to_string(),
        }
    }

    /// `inventory.stock[17]`; of several key columns `orders.lines[5, 1]`.
    pub fn row_name(&self, table: TableId, row: &[Word]) -> String {
        let of = &self.tables[table.index()];
        let key = of.key.iter().map(|&column| self.cell(table, column as usize, row));
        format!("{}[{}]", of.name, key.collect::<Vec<_>>().join(", "))
    }

    /// `reserved = -2, status = placed`: these columns of a row.
    pub fn cells(&self, table: TableId, columns: impl IntoIterator<Item = usize>, row: &[Word]) -> String {
        let names = &self.tables[table.index()].column_names;
        let cell = |column: usize| format!("{} = {}", names[column], self.cell(table, column, row));
        columns.into_iter().map(cell).collect::<Vec<_>>().join(", ")
    }

    fn cell(&self, table: TableId, column: usize, row: &[Word]) -> String {
        self.word(self.tables[table.index()].readings[column], row[column])
    }
}

/// In seconds, to the nanosecond: `1.02s`, `0.154749139s`.
pub fn moment(nanos: i64) -> String {
    let (seconds, rest) = (nanos.unsigned_abs() / SECOND, nanos.unsigned_abs() % SECOND);
    let sign = if nanos < 0 { "-" } else { "" };
    let fraction = format!(".{rest:09}");
    format!("{sign}{seconds}{}s", fraction.trim_end_matches('0').trim_end_matches('.'))
}

/// In the largest unit that leaves nothing over.
pub fn nanos(nanos: i64) -> String {
    let units = [(SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "us")];
    let unit = units.into_iter().find(|(unit, _)| nanos % *unit as i64 == 0);
    unit.map_or(format!("{nanos}ns"), |(unit, name)| format!("{}{name}", nanos / unit as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_seconds() {
        let cases = [
            (0, "0s"),
            (-2_000_000_000, "-2s"),
            (1_020_000_000, "1.02s"),
            (154_749_139, "0.154749139s"),
            (i64::MIN, "-9223372036.854775808s"),
        ];
        for (value, written) in cases {
            assert_eq!(moment(value), written);
        }
    }

    #[test]
    fn times_are_written_in_the_largest_unit_that_fits() {
        let cases =
            [(0, "0s"), (-2_000_000_000, "-2s"), (1_500_000_000, "1500ms"), (7_000, "7us"), (12, "12ns")];
        for (value, written) in cases {
            assert_eq!(nanos(value), written);
        }
    }
}
