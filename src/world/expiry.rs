//! Rows with a time to live: each version that is written has its own, and is gone when it is over
//! unless a newer one has taken its place.

use super::record::Observer;
use super::store::{Expiry, RowVersion};
use super::tell::Place;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::RingId;
use crate::kernel::ids::*;
use crate::model::NONE;

/// A row version with a time to live.
#[derive(Clone, Copy, Debug)]
pub struct Expiring {
    pub version: RowVersion,
    pub table: TableId,
    /// The instance and its life, of memory tables.
    pub memory: Option<(u32, u32)>,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Rows of a memory have changed: their time to live begins.
    pub(super) fn remembered(&mut self, instance: usize) {
        let model = self.model;
        let service = model.instances[instance].service;
        let memory = Some((instance as u32, self.world.instances[instance].epoch));
        let world = &self.world;
        let new = world.memories[instance].changes().filter(|change| change.new.is_some());
        let versions: Vec<RowVersion> = new.map(|change| change.version).collect();
        for version in versions {
            let table = model.services[service.index()].memory[version.table as usize];
            self.schedule_expiry(Expiring { version, table, memory });
        }
    }

    pub(super) fn schedule_expiry(&mut self, expiring: Expiring) {
        if let Some(ttl) = self.model.tables[expiring.table.index()].ttl {
            let expiry = self.world.expiries.add(expiring);
            self.agenda.after_constant(RingId(ttl.ring), Event::Expire { expiry });
        }
    }

    /// The rows that are there at the start have their time to live as well.
    pub(super) fn schedule_first_expiries(&mut self) {
        let model = self.model;
        for (store, spec) in model.stores.iter().enumerate() {
            for &table in spec.tables.iter().filter(|table| model.tables[table.index()].ttl.is_some()) {
                let rows = self.world.stores[store].store.rows(model.tables[table.index()].number);
                let versions: Vec<RowVersion> = rows.map(|row| row.version).collect();
                for version in versions {
                    self.schedule_expiry(Expiring { version, table, memory: None });
                }
            }
        }
        for instance in 0..model.instances.len() as u32 {
            if self.world.instances[instance as usize].up {
                self.schedule_memory_expiries(instance);
            }
        }
    }

    /// The rows that the memory of an instance starts with.
    pub(super) fn schedule_memory_expiries(&mut self, instance: u32) {
        let model = self.model;
        let memory = Some((instance, self.world.instances[instance as usize].epoch));
        let service = model.instances[instance as usize].service;
        let tables = model.services[service.index()].memory.iter();
        for &table in tables.filter(|table| model.tables[table.index()].ttl.is_some()) {
            let rows = self.world.memories[instance as usize].rows(model.tables[table.index()].number);
            let versions: Vec<RowVersion> = rows.map(|row| row.version).collect();
            for version in versions {
                self.schedule_expiry(Expiring { version, table, memory });
            }
        }
    }

    /// A row version's time to live is over.
    pub(super) fn expire(&mut self, expiry: u32) {
        let expiring = self.world.expiries[expiry];
        self.world.expiries.release(expiry);
        self.expire_now(expiring);
    }

    pub(super) fn expire_now(&mut self, expiring: Expiring) {
        // Nobody's obligation: time itself.
        const TIME: u64 = 0;
        match expiring.memory {
            Some((instance, epoch)) => {
                if self.world.instances[instance as usize].epoch == epoch {
                    let memory = &mut self.world.memories[instance as usize];
                    if memory.remove_expired(expiring.version, TIME) == Expiry::Removed {
                        self.tell_committed(NONE, Place::Memory(instance));
                    }
                }
            }
            None => {
                let owns = |store: &crate::model::Store| store.tables.contains(&expiring.table);
                let Some(store) = self.model.stores.iter().position(owns) else { return };
                let expiry = self.world.stores[store].store.remove_expired(expiring.version, TIME);
                if expiry == Expiry::Removed {
                    self.committed(NONE, store);
                }
            }
        }
    }
}
