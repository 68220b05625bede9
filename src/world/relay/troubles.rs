//! What comes between a relay and its rows: its instance goes or crashes, its store crashes or does not answer.
//!
//! What a relay had in hand is then as the store knows it: locks are gone, marks that were set are set.

use super::{OutboxMark, OutboxSelect, Stage};
use crate::kernel::agenda::Agenda;
use crate::model::NONE;
use crate::world::record::Observer;
use crate::world::{Event, Simulation};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Whether the store of an outbox answers.
    pub(super) fn is_answered(&self, outbox: usize) -> bool {
        self.world.stores[self.model.outboxes[outbox].store as usize].condition.is_well()
    }

    /// A relay's statement reaches a store that is down, or that is paused and does it when it wakes.
    pub(super) fn relay_is_refused(&mut self, relay: u32, token: u32) -> bool {
        let outbox = self.outbox_of_relay(relay);
        if self.is_answered(outbox) {
            return false;
        }
        let store = self.model.outboxes[outbox].store as usize;
        if !self.world.stores[store].condition.holds(Event::Relay { relay, token }) {
            self.put_back(relay);
        }
        true
    }

    /// A store has crashed: what relays hold locked there is free, and what they have asked is not answered.
    pub(in crate::world) fn reset_relays(&mut self, store: usize) {
        for relay in 0..self.world.relays.len() as u32 {
            let spec = &self.model.outboxes[self.outbox_of_relay(relay)];
            let holds_rows = spec.select == OutboxSelect::Unsent && spec.mark == OutboxMark::AfterPublish;
            let is_cut = match self.world.relays[relay as usize].stage {
                Stage::Resting => false,
                Stage::Publishing => holds_rows,
                Stage::Reading | Stage::Marking | Stage::Marked => true,
            };
            if is_cut && spec.store as usize == store {
                self.put_back(relay);
            }
        }
    }

    /// Whether no relay of an instance is in the middle of a round.
    pub(in crate::world) fn relays_rest(&self, instance: u32) -> bool {
        self.world.relays.iter().all(|relay| relay.instance != instance || relay.stage == Stage::Resting)
    }

    /// The relays of an instance that stops save what they would save sooner or later.
    pub(in crate::world) fn relays_save(&mut self, instance: u32) {
        let epoch = self.world.instances[instance as usize].epoch;
        for relay in 0..self.world.relays.len() as u32 {
            let outbox = self.outbox_of_relay(relay);
            let state = &self.world.relays[relay as usize];
            let is_here = state.instance == instance && state.epoch == epoch;
            let is_periodic = self.model.outboxes[outbox].mark == OutboxMark::Periodic;
            if is_here && is_periodic && self.is_answered(outbox) {
                self.save_position(outbox, state.position, &[]);
            }
        }
    }

    /// The relays' instance crashed: what they had in hand is as the store knows it.
    pub(in crate::world) fn relay_crashed(&mut self, instance: u32) {
        for relay in 0..self.world.relays.len() as u32 {
            let state = &self.world.relays[relay as usize];
            if state.stage != Stage::Resting && state.instance == instance {
                self.put_back(relay);
            }
        }
    }

    /// What a relay has in hand is as the store knows it; it looks again at its next poll.
    fn put_back(&mut self, relay: u32) {
        let batch = std::mem::take(&mut self.world.relays[relay as usize].batch);
        self.lock_rows(relay, &batch, NONE);
        let outbox = self.outbox_of_relay(relay);
        for (number, message) in batch {
            // Rows whose mark was set are no longer in the table: nobody will publish them.
            if !self.world.outboxes[outbox].rows.contains_key(&number) {
                self.release_message(message);
            }
        }
        self.schedule_poll(relay);
    }
}
