//! Operations: planned changes. They fire as faults do; nothing of them heals.
//!
//! A *redrive* moves the dead letters that are in a topic now. A *repartition* gives a topic more partitions: the groups that deal
//! them out do so anew, and messages sent from then on go where their keys are now, past what older ones wait for.
//! A *replay* waits until its group has paused. Then, at one instant, its tables are emptied and the group
//! is owed the topic's messages once more; rows that a transaction has locked go when it ends, unless it
//! has changed them.

use super::deed::Deed;
use super::expiry::Expiring;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::*;
use crate::model::FaultKind;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Has a group begin a replay.
    pub(super) fn replay(&mut self, operation: FaultId, group: GroupId) {
        self.world.replays.push(operation);
        self.with_broker(|broker, choose, actions| broker.replay(group, choose, actions));
    }

    /// Moves dead letters on; gives how many.
    pub(super) fn redrive(&mut self, from: TopicId, to: TopicId) -> u32 {
        let mut moved = 0;
        self.with_broker(|broker, choose, actions| moved = broker.redrive(from, to, choose, actions));
        moved
    }

    /// Gives a topic more partitions; gives how many.
    pub(super) fn repartition(&mut self, topic: TopicId, partitions: u32) -> u32 {
        let mut added = 0;
        self.with_broker(|broker, choose, actions| {
            added = broker.repartition(topic, partitions, choose, actions);
        });
        added
    }

    /// The group has paused, and starts over: what it fills is empty now.
    pub(super) fn replay_begun(&mut self, group: GroupId) {
        let model = self.model;
        let begun: Vec<FaultId> = std::mem::take(&mut self.world.replays);
        for operation in begun {
            match &model.faults[operation.index()].kind {
                FaultKind::Replay { group: replayed, clear } if *replayed == group => {
                    clear.iter().for_each(|&table| self.clear_table(table, group));
                }
                _ => self.world.replays.push(operation),
            }
        }
        self.end_operations();
    }

    /// Deletes every row of a store's table.
    fn clear_table(&mut self, table: TableId, group: GroupId) {
        let owns = |store: &crate::model::Store| store.tables.contains(&table);
        let store = self.model.stores.iter().position(owns).expect("resolved: a table of a store");
        let number = self.model.tables[table.index()].number;
        let rows = self.world.stores[store].store.rows(number);
        let versions: Vec<_> = rows.map(|row| row.version).collect();
        for version in versions {
            self.expire_now(Expiring { version, table, memory: None });
        }
        self.tell(&Deed::Cleared { table, group });
    }

    /// After the measured phase no operation begins: what was kept for replays is let go when the last one
    /// has begun.
    pub(super) fn end_operations(&mut self) {
        if !self.world.draining || !self.world.replays.is_empty() {
            return;
        }
        self.with_broker(|broker, _, actions| broker.remember_positions(actions));
        for topic in 0..self.model.topics.len() {
            if self.model.topics[topic].knobs.is_replayed {
                self.with_broker(|broker, _, actions| broker.end_replays(TopicId::new(topic), actions));
            }
        }
    }
}
