//! What a replication keeps, in words: rows of tables, lists, the values of attempts and messages, keys of
//! effects, counters. A table may grow as long as there is room for it; a run that would fill the machine's
//! memory ends instead, and names what grew.
//!
//! Sizes are those of what was ever needed at once, deleted rows included: their room is used again and
//! never given back.

use super::World;
use crate::kernel::ids::*;
use crate::model::{Model, Table};

/// What an entry of a hash table takes beside its key, in words.
const HASHED: usize = 2;

impl World {
    /// Words kept in all. Walks over every table.
    pub(super) fn kept(&self) -> usize {
        let stores: usize = self.stores.iter().map(|of| of.store.kept() + of.past.kept()).sum();
        let memories: usize = self.memories.iter().map(|memory| memory.kept()).sum();
        let counters: usize = self.counters.iter().map(|counter| counter.len() * (1 + HASHED)).sum();
        let others = self.effects.kept() + self.lists.kept() + self.words.kept() + self.sagas.kept();
        stores + memories + counters + others
    }

    /// The one thing that keeps most, and how many words it keeps.
    pub(super) fn largest_keeper(&self, model: &Model) -> (usize, String) {
        let stores = model.stores.iter().zip(&self.stores).flat_map(|(spec, of)| {
            let table = |id: &TableId| {
                let table = &model.tables[id.index()];
                (of.store.kept_in(table.number), described(table, of.store.len(table.number)))
            };
            spec.tables.iter().map(table).collect::<Vec<_>>()
        });
        let memories = model.instances.iter().zip(&self.memories).flat_map(|(instance, memory)| {
            let table = |id: &TableId| {
                let table = &model.tables[id.index()];
                (memory.kept_in(table.number), described(table, memory.len(table.number)))
            };
            model.services[instance.service.index()].memory.iter().map(table).collect::<Vec<_>>()
        });
        let counted: usize = self.counters.iter().map(|counter| counter.len()).sum();
        let others = [
            (counted * (1 + HASHED), format!("in {counted} values that generators count by")),
            (self.effects.kept(), "in the idempotency keys of effects".to_owned()),
            (self.stores.iter().map(|of| of.past.kept()).sum(), "in the states that streams had".to_owned()),
            (self.lists.kept(), "in lists".to_owned()),
            (self.sagas.kept(), format!("in {} sagas, which stay known by their keys", self.sagas.len())),
            (self.words.kept(), "in the values of attempts and messages".to_owned()),
        ];
        let all = stores.chain(memories).chain(others);
        all.max_by_key(|(words, _)| *words).expect("lists are always there")
    }
}

fn described(table: &Table, rows: usize) -> String {
    format!("in the {rows} rows of the table {}", table.name)
}
