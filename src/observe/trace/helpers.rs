//! What the second look keeps beside its entries: names of rows, and who wrote which version of them.

use super::wording::Business;
use crate::model::{Model, Word};
use crate::world::deed::RowName;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Versions of a row that are remembered.
const MOST_VERSIONS: usize = 64;

/// Who wrote a version.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    pub business: Business,
    /// An attempt of the obligation itself.
    pub own_attempt: Option<u32>,
}

/// The rows that the obligation's attempts meet.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    names: FxHashMap<RowName, String>,
    writers: FxHashMap<RowName, VecDeque<(u64, Writer)>>,
}

impl Rows {
    /// Learns what a row is called from its words.
    pub fn learn(&mut self, model: &Model, row: RowName, words: &[Word]) {
        if !words.is_empty() {
            self.names.entry(row).or_insert_with(|| model.row_name(row.table, words));
        }
    }

    /// `stock.items[1]`; of a row that never was, `stock.items[…]`.
    pub fn name(&self, model: &Model, row: RowName) -> String {
        let known = self.names.get(&row).cloned();
        known.unwrap_or_else(|| format!("{}[…]", model.tables[row.table.index()].name))
    }

    pub fn write(&mut self, row: RowName, version: u64, writer: Writer) {
        let versions = self.writers.entry(row).or_default();
        if versions.len() == MOST_VERSIONS {
            versions.pop_front();
        }
        versions.push_back((version, writer));
    }

    /// The attempt of the obligation itself that wrote a row last.
    pub fn last_own(&self, row: RowName) -> Option<u32> {
        self.writers.get(&row)?.iter().rev().find_map(|(_, writer)| writer.own_attempt)
    }

    pub fn writer(&self, row: RowName, version: u64) -> Option<Writer> {
        let versions = self.writers.get(&row)?;
        versions.iter().rev().find(|(number, _)| *number == version).map(|(_, writer)| *writer)
    }
}
