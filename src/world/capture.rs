//! Change logs: each committed change of a captured table, as a message for the relay that follows the commits.
//!
//! Nobody's step publishes it, so it is no part of what an attempt has to do; it is there if and only if its commit
//! is. What it obliges its consumers to is one thing for each version of a row: a relay that goes back to its last
//! saved position after a crash tells it again, under the same id.

use super::deed::{Deed, Part, Way};
use super::identity::{Cause, mix};
use super::message::Message;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::model::{Capture, NONE, Word};

/// Sets ids of captured changes apart from their obligations.
const ID: u64 = 0x6361_7074;

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Tells of one change of a store's last commit, to the row of this name.
    pub(super) fn capture_change(&mut self, attempt: u32, store: usize, at: usize, row: u64) {
        let model = self.model;
        let Some(change) = self.world.stores[store].store.changes().nth(at) else { return };
        let (version, old) = (change.version, change.old.map(|old| old.words));
        let Some(words) = change.new.or(old).filter(|_| change.new != old).map(<[Word]>::to_vec) else {
            return;
        };
        let is_gone = change.new.is_none();
        let table = model.stores[store].tables[version.table as usize];
        for capture in &model.tables[table.index()].captures {
            self.capture_as(capture, attempt, mix(row, version.number), (&words, is_gone));
        }
    }

    fn capture_as(&mut self, of: &Capture, attempt: u32, change: u64, (words, is_gone): (&[Word], bool)) {
        let model = self.model;
        let shape = &model.messages[of.message.index()];
        let payload = self.world.words.allocate(shape.fields);
        for (field, column) in (0..).zip(&of.fields) {
            let word = column.map_or(Word::from(is_gone), |column| words[column as usize]);
            self.world.words.set(payload, field, word);
        }
        let site = model.publishes[of.publish as usize].site;
        let key = model.site_keys[site.index()];
        let cause = match attempt {
            // Time itself.
            NONE => Cause::NOBODY.child(key, change),
            attempt => self.world.attempts[attempt].cause.child(key, change),
        };
        let poisoned = self.world.poisons > 0 && self.is_poisoned(of.message, cause.obligation);
        let key = shape.key.map(|field| self.world.words.get(payload, field));
        let id = mix(cause.obligation, ID);
        let message = Message::new(cause.aside(), of.message, payload, key, self.agenda.now());
        let message = self.world.messages.add(Message { id, step: of.publish, poisoned, ..message });
        self.tell_captured(attempt, message, Part::new(site, change | 1));
        self.commit_row(of.feed as usize, message);
    }

    fn tell_captured(&mut self, attempt: u32, message: u32, part: Part) {
        if !self.observer.judges() {
            return;
        }
        let of = &self.world.messages[message];
        let (kind, cause, key) = (of.kind, of.cause, of.key);
        let topic = Some(self.model.publishes[of.step as usize].topic);
        let (block, fields) = (of.payload, self.model.messages[kind.index()].fields);
        let (attempt, pc) = match attempt {
            NONE => (NONE, 0),
            attempt => (self.root_of(attempt), self.world.attempts[attempt].pc),
        };
        let Self { observer, world, agenda, .. } = self;
        let payload = world.words.block(block, fields);
        let content = payload.iter().fold(1, |hash, &word| mix(hash, word));
        let way = Way::Captured;
        observer.deed(
            agenda.now(),
            &Deed::Issued { attempt, message, kind, part, way, cause, key, topic, pc, payload, content },
        );
    }
}
