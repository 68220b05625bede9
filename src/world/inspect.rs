//! Looking at the world from outside: rows of tables by name, and what a quiet end must not leave.

use super::World;
use super::store::Word;
use crate::model::Model;

impl World {
    /// The committed rows of a store's table (`service.table`), in the order of their insertion; `None`
    /// if there is no such table.
    pub fn rows(&self, model: &Model, table: &str) -> Option<Vec<Vec<Word>>> {
        let found = model.tables.iter().position(|spec| !spec.memory && spec.name == table)?;
        let owns = |store: &crate::model::Store| store.tables.iter().any(|own| own.index() == found);
        let store = model.stores.iter().position(owns)?;
        let rows = self.stores[store].store.rows(model.tables[found].number);
        Some(rows.map(|row| row.words.to_vec()).collect())
    }

    /// The rows of a memory table (`service.table`) of one instance, counted within its service.
    pub fn memory_rows(&self, model: &Model, table: &str, instance: u32) -> Option<Vec<Vec<Word>>> {
        let spec = model.tables.iter().find(|spec| spec.memory && spec.name == table)?;
        let service = model.services.iter().find(|service| {
            let mut own = service.memory.iter();
            own.any(|id| std::ptr::eq(&model.tables[id.index()], spec))
        })?;
        let memory = self.memories.get((service.first_instance + instance) as usize)?;
        Some(memory.rows(spec.number).map(|row| row.words.to_vec()).collect())
    }

    /// What of the modelled world has begun and not ended, by kind.
    pub fn under_way(&self) -> [(&'static str, usize); 7] {
        [
            ("attempts", self.attempts.len()),
            ("calls on their way", self.network.requests.len()),
            ("messages on their way", self.in_flight as usize),
            ("timers", self.timers.len()),
            ("effects", self.effects.under_way()),
            ("open transactions", self.stores.iter().map(|of| of.store.open_transactions()).sum()),
            ("changes on their way to replicas", self.replicating.len()),
        ]
    }

    /// What is still held, by kind; kinds of which nothing is held are left out. Of a replication that
    /// ended quiet, nothing may be left.
    pub fn leftovers(&self) -> Vec<(&'static str, usize)> {
        let pending: usize = self.outboxes.iter().map(|outbox| outbox.unsent()).sum();
        let pending = pending + self.relays.iter().map(|relay| relay.in_hand()).sum::<usize>();
        // Dead letters that nobody redrives stay where they are.
        let keeps_letters = self.broker.letters_kept() > 0;
        let kinds = [
            ("attempts", self.attempts.len()),
            ("messages", if keeps_letters { 0 } else { self.messages.len() }),
            ("tickets", self.tickets.len()),
            ("timers", self.timers.len()),
            ("requests", self.network.requests.len()),
            ("packets held back", self.network.delayed()),
            ("answers", self.answers as usize),
            ("messages on their way", self.in_flight as usize),
            ("effects under way", self.effects.under_way()),
            ("deliveries", self.broker.deliveries_held()),
            ("outbox rows", pending),
            ("open transactions", self.stores.iter().map(|of| of.store.open_transactions()).sum()),
            ("connections", self.stores.iter().map(|of| of.connections_in_use()).sum()),
            ("lists", self.lists.len()),
            ("blocks of words", if keeps_letters { 0 } else { self.words.len() }),
            ("firings", self.firings.len()),
            ("changes under way", self.replicating.len()),
            ("quorum reads", self.quorum_reads.len()),
            ("busy workers", self.instances.iter().map(|instance| instance.busy as usize).sum()),
            ("CPUs in use", self.instances.iter().map(|instance| instance.computing as usize).sum()),
        ];
        kinds.into_iter().filter(|(_, held)| *held > 0).collect()
    }
}
