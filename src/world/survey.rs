//! The world at one moment, looked at from outside: who holds what, and where it stands.
//!
//! Nothing here is asked for while a replication runs; a look costs what it looks at.

use super::World;
use super::attempt::{Source, Wait};
use super::deed::SagaStage;
use super::store::{Row, Word};
use crate::kernel::ids::{GroupId, MessageId, SagaId, TableId, TopicId};
use crate::model::{Model, NONE, Pc};
use crate::world::broker::{Owed, Share};

/// A process as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceSight {
    pub is_up: bool,
    pub is_paused: bool,
    /// How often it has crashed.
    pub crashes: u32,
    /// Of its service; 0 is what that begins with.
    pub version: u32,
    /// Workers and CPUs in use.
    pub busy: u32,
    pub computing: u32,
    /// What waits for a worker.
    pub waiting: usize,
}

/// The rows of an outbox that were not published and marked, by their messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxSight {
    pub unsent: Vec<u32>,
    /// How many of them a relay has in hand.
    pub in_hand: usize,
}

impl World {
    /// The committed rows of a table, in the order of their insertion. Of a table in memory: those of an
    /// instance, by its number among all; of others the instance says nothing.
    pub fn table_rows<'a>(
        &'a self,
        model: &Model,
        table: TableId,
        instance: u32,
    ) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
        let of = &model.tables[table.index()];
        if of.memory {
            return Box::new(self.memories[instance as usize].rows(of.number));
        }
        let store = model.stores.iter().position(|store| store.tables.contains(&table));
        let store = store.expect("compiled: a table is in memory or of a store");
        Box::new(self.stores[store].store.rows(of.number))
    }

    /// An instance, by its number among all.
    pub fn instance(&self, instance: u32) -> InstanceSight {
        let of = &self.instances[instance as usize];
        InstanceSight {
            is_up: of.up,
            is_paused: of.paused > 0,
            crashes: of.crashes,
            version: of.version,
            busy: of.busy,
            computing: of.computing,
            waiting: of.waiting(),
        }
    }

    /// The attempts on an instance, each with where in its code it stands. Of one that has forked each branch is
    /// told, under the attempt that it belongs to.
    pub fn attempts_on(&self, instance: u32) -> Vec<(u32, Pc)> {
        let here = self.attempts.select(|of| of.instance == instance && of.wait != Wait::Branches);
        here.into_iter().map(|slot| (self.whole(slot), self.attempts[slot].pc)).collect()
    }

    fn whole(&self, mut attempt: u32) -> u32 {
        while let Source::Branch { parent } = self.attempts[attempt].source {
            attempt = parent;
        }
        attempt
    }

    /// A message that somebody holds: its kind, and the word of its key field.
    pub fn message_held(&self, model: &Model, message: u32) -> (MessageId, Option<Word>) {
        let of = &self.messages[message];
        let key = model.messages[of.kind.index()].key;
        (of.kind, key.map(|field| self.words.get(of.payload, field)))
    }

    /// An outbox, by its number among all.
    pub fn outbox(&self, outbox: usize) -> OutboxSight {
        let rows = &self.outboxes[outbox].rows;
        OutboxSight {
            unsent: rows.values().map(|row| row.message).collect(),
            in_hand: rows.values().filter(|row| row.relay != NONE).count(),
        }
    }

    /// The sagas of one kind, by the messages that started them: where each stands, and at which of its steps.
    pub fn sagas_of(&self, saga: SagaId) -> Vec<(u32, SagaStage, u16)> {
        let mut all: Vec<_> = self.sagas.of(saga).collect();
        all.sort_by_key(|(message, ..)| *message);
        all
    }

    /// Rows of which each copy of a store does not have the newest version.
    pub fn rows_behind(&self, store: usize) -> Vec<u64> {
        self.stores[store].behind.rows_lacking()
    }

    /// Messages that a group was given and is not done with.
    pub fn lag(&self, group: GroupId) -> u64 {
        self.broker.lag(group)
    }

    /// What a group has of each partition, or of each partition each of its instances.
    pub fn shares(&self, group: GroupId) -> Vec<Share> {
        self.broker.shares(group)
    }

    /// The messages that a group is not done with, by partition and place.
    pub fn owed(&self, group: GroupId) -> Vec<Owed> {
        self.broker.owed(group)
    }

    /// Messages that came to a topic as dead letters and wait there to be redriven.
    pub fn letters(&self, topic: TopicId) -> usize {
        self.broker.letters(topic)
    }
}
