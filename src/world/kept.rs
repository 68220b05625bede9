//! What a replication keeps, in words: rows of tables, lists, the values of attempts and messages, keys of
//! effects, counters. A table may grow as long as there is room for it; a run that would fill the machine's
//! memory ends instead, and names what grew.
//!
//! Sizes are those of what was ever needed at once, deleted rows included: their room is used again and
//! never given back.

use super::World;
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
        self.most_kept(model, |_| true)
    }

    /// Of what grows as long as a run goes on, what keeps most, and how many words it keeps. Rows that go by
    /// themselves, when their time is over or there is no room, do not.
    pub fn largest_hoard(&self, model: &Model) -> (usize, String) {
        self.most_kept(model, |table| table.ttl.is_none() && table.capacity == u32::MAX)
    }

    fn most_kept(&self, model: &Model, counts: impl Fn(&Table) -> bool) -> (usize, String) {
        let mut all = Vec::new();
        for (spec, of) in model.stores.iter().zip(&self.stores) {
            let tables = spec.tables.iter().map(|id| &model.tables[id.index()]).filter(|table| counts(table));
            all.extend(
                tables.map(|table| {
                    (of.store.kept_in(table.number), described(table, of.store.len(table.number)))
                }),
            );
        }
        for (instance, memory) in model.instances.iter().zip(&self.memories) {
            let tables = model.services[instance.service.index()].memory.iter();
            let tables = tables.map(|id| &model.tables[id.index()]).filter(|table| counts(table));
            all.extend(
                tables
                    .map(|table| (memory.kept_in(table.number), described(table, memory.len(table.number)))),
            );
        }
        let counted: usize = self.counters.iter().map(|counter| counter.len()).sum();
        all.extend([
            (counted * (1 + HASHED), format!("in {counted} values that generators count by")),
            (
                self.effects.kept(),
                format!("in the idempotency keys of effects, {} of them", self.effects.known()),
            ),
            (self.stores.iter().map(|of| of.past.kept()).sum(), "in the states that streams had".to_owned()),
            (self.lists.kept(), "in lists".to_owned()),
            (self.sagas.kept(), format!("in {} sagas, which stay known by their keys", self.sagas.len())),
            (self.words.kept(), "in the values of attempts and messages".to_owned()),
        ]);
        all.into_iter().max_by_key(|(words, _)| *words).expect("lists are always there")
    }
}

fn described(table: &Table, rows: usize) -> String {
    format!("in the {rows} rows of the table {}", table.name)
}
