//! Tells [deeds](super::deed) to an observer that judges. Where none does, nothing is computed for it.

use super::attempt::Source;
use super::broker::Parcel;
use super::commit::TransactionEnd;

use super::deed::{Acceptance, Deed, Part, RowName, Served, Version, Way, Write};
use super::identity::mix;
use super::record::{Observer, Outcome};
use super::remainder::Debt;
use super::store::{Row, Word};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::*;
use crate::model::{Model, NONE, Operand, Pc, PublishStep, RowStep, RowVerb, Slot};

/// Tells values that name what ought to happen once from other items.
const ONCE: u64 = 0x6F6E_6365;

/// The version of a row that was found, or not.
pub(super) fn version_of(row: Option<&Row<'_>>) -> Version {
    match row {
        Some(row) => Version { number: row.version.number, writer: row.writer, exists: true },
        None => Version { number: 0, writer: 0, exists: false },
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    #[inline(always)]
    pub(super) fn tell(&mut self, deed: &Deed<'_>) {
        if self.observer.judges() {
            self.observer.deed(self.agenda.now(), deed);
        }
    }

    #[inline]
    pub(super) fn tell_begun(&mut self, attempt: u32) {
        if !self.observer.judges() {
            return;
        }
        let of = &self.world.attempts[attempt];
        let served = match of.source {
            Source::Intent { client, user } => {
                let number = self.world.clients[client.index()].begun - 1;
                Served::Intent { client, number, user }
            }
            Source::Call { .. } => Served::Call,
            Source::Send => Served::Send,
            Source::Delivery { group, delivery } => {
                let parcel = self.world.broker.parcel(delivery);
                Served::Delivery { group, delivery: parcel.map_or(1, |Parcel { deliveries, .. }| deliveries) }
            }
            Source::Job { job } => Served::Tick { job },
            Source::Timer { timer } => Served::Timer { timer },
            Source::Branch { .. } => return,
        };
        let deed = Deed::AttemptBegun {
            attempt,
            handler: HandlerId(of.handler),
            instance: of.instance,
            cause: of.cause,
            served,
            message: of.message,
        };
        self.tell(&deed);
    }

    #[inline]
    pub(super) fn tell_ended(&mut self, attempt: u32, outcome: Outcome) {
        if self.observer.judges() && !self.is_branch(attempt) {
            self.tell(&Deed::AttemptEnded { attempt, outcome });
        }
    }

    /// What is left undone by an attempt that will not come to its last step.
    #[inline]
    pub(super) fn tell_cut(&mut self, attempt: u32) {
        if self.observer.judges() && !self.is_branch(attempt) {
            let Debt { parts, resumes, ends_on, is_whole } = self.debt(attempt);
            let at = self.world.attempts[attempt].pc;
            self.tell(&Deed::Cut { attempt, at, debt: &parts, resumes, ends_on });
            if !is_whole {
                self.tell(&Deed::DebtUnknown { attempt });
            }
        }
    }

    pub(super) fn is_branch(&self, attempt: u32) -> bool {
        matches!(self.world.attempts[attempt].source, Source::Branch { .. })
    }

    #[inline]
    pub(super) fn tell_decided(&mut self, attempt: u32, pc: Pc, holds: bool) {
        if self.observer.judges() {
            let (item, attempt) = (self.world.attempts[attempt].item, self.root_of(attempt));
            self.tell(&Deed::Decided { attempt, pc, item, holds });
        }
    }

    #[inline]
    pub(super) fn tell_named(&mut self, attempt: u32, slot: Slot, value: u32) {
        if self.observer.judges() {
            let (item, attempt) = (self.world.attempts[attempt].item, self.root_of(attempt));
            self.tell(&Deed::Named { attempt, item, slot, value });
        }
    }

    /// A row step sets out; only reads and scans are told.
    #[inline]
    pub(super) fn tell_asked(&mut self, attempt: u32, pc: Pc, verb: RowVerb) {
        if self.observer.judges() && matches!(verb, RowVerb::Read | RowVerb::ReadLocked | RowVerb::Scan) {
            let (item, attempt) = (self.world.attempts[attempt].item, self.root_of(attempt));
            self.tell(&Deed::Asked { attempt, pc, item });
        }
    }

    /// A read of the row whose key is in `scratch.key` and whose words are in `scratch.row`.
    #[inline]
    pub(super) fn tell_read(&mut self, attempt: u32, table: TableId, version: Version, into: Option<Slot>) {
        if !self.observer.judges() {
            return;
        }
        let row = self.row_in_hand(attempt, table);
        let (pc, item) = (self.world.attempts[attempt].pc, self.world.attempts[attempt].item);
        let attempt = self.root_of(attempt);
        let Self { observer, world, agenda, .. } = self;
        let words: &[Word] = if version.exists { &world.scratch.row } else { &[] };
        observer.deed(agenda.now(), &Deed::Read { attempt, pc, item, row, version, into, words });
    }

    /// The rows that a scan found, each with the version that it saw.
    #[inline]
    pub(super) fn tell_scanned(&mut self, attempt: u32, table: TableId, rows: &[Word], into: Option<Slot>) {
        if !self.observer.judges() {
            return;
        }
        let (pc, of) = (self.world.attempts[attempt].pc, self.root_of(attempt));
        self.tell(&Deed::Scanned { attempt: of, pc, table });
        let spec = &self.model.tables[table.index()];
        for words in rows.chunks(spec.columns as usize) {
            let key: Vec<Word> = spec.key.iter().map(|&column| words[column as usize]).collect();
            let version = match spec.memory {
                true => {
                    let instance = self.world.attempts[attempt].instance as usize;
                    version_of(self.world.memories[instance].read(spec.number, &key).as_ref())
                }
                false => {
                    let store = self.store_of(attempt);
                    let state = &self.world.stores[store].store;
                    version_of(
                        match self.world.attempts[attempt].transaction {
                            Some(transaction) => state.seen(transaction, spec.number, &key),
                            None => state.peek(spec.number, &key),
                        }
                        .as_ref(),
                    )
                }
            };
            let row = self.row_name(attempt, table, &key);
            let item = self.world.attempts[attempt].item;
            self.tell(&Deed::Read { attempt: of, pc, item, row, version, into, words });
        }
    }

    /// What a write step decided on the row whose key is in `scratch.key`.
    #[inline]
    pub(super) fn tell_wrote(&mut self, attempt: u32, of: &RowStep, seen: Version, write: Write) {
        if !self.observer.judges() {
            return;
        }
        let row = self.row_in_hand(attempt, of.table);
        let (part, pc) = (self.row_part(attempt, of), self.world.attempts[attempt].pc);
        let attempt = self.root_of(attempt);
        self.tell(&Deed::Wrote { attempt, pc, part, row, seen, write });
    }

    /// The changes of a store's last commit, or of an instance's memory.
    #[inline]
    pub(super) fn tell_committed(&mut self, attempt: u32, place: Place) {
        if !self.observer.judges() {
            return;
        }
        let attempt = if attempt == NONE { NONE } else { self.root_of(attempt) };
        let Self { observer, world, agenda, model, .. } = self;
        let now = agenda.now();
        let mut tell = |change: super::store::Change<'_>, table: TableId, instance: u32| {
            let old = change.old.as_ref();
            let key_of = change.new.or(old.map(|old| old.words)).unwrap_or(&[]);
            let key = key_hash(model, table, key_of);
            observer.deed(
                now,
                &Deed::Committed {
                    attempt,
                    row: RowName { table, key, instance },
                    old: old.map(|old| old.words),
                    old_version: version_of(old),
                    new: change.new,
                    version: change.version.number,
                },
            );
        };
        match place {
            Place::Store(store) => {
                for change in world.stores[store].store.changes() {
                    let table = model.stores[store].tables[change.version.table as usize];
                    tell(change, table, NONE);
                }
            }
            Place::Memory(instance) => {
                let service = model.instances[instance as usize].service;
                for change in world.memories[instance as usize].changes() {
                    let table = model.services[service.index()].memory[change.version.table as usize];
                    tell(change, table, instance);
                }
            }
        }
    }

    #[inline]
    pub(super) fn tell_transaction_ended(&mut self, attempt: u32, end: TransactionEnd) {
        if self.observer.judges() {
            let attempt = self.root_of(attempt);
            self.tell(&Deed::TransactionEnded { attempt, committed: end == TransactionEnd::Committed });
        }
    }

    #[inline]
    pub(super) fn tell_issued(&mut self, attempt: u32, message: u32, site: SiteId, way: Way) {
        self.tell_issued_to(attempt, message, site, way, None);
    }

    #[inline]
    pub(super) fn tell_published(&mut self, attempt: u32, message: u32, publish: &PublishStep) {
        let way = match publish.outbox {
            Some(_) => Way::Outbox,
            None if publish.with_ack => Way::WithAck,
            None => Way::Direct,
        };
        self.tell_issued_to(attempt, message, publish.site, way, Some(publish.topic));
    }

    #[inline]
    fn tell_issued_to(&mut self, attempt: u32, message: u32, site: SiteId, way: Way, topic: Option<TopicId>) {
        if !self.observer.judges() {
            return;
        }
        let (part, pc) = (self.part(attempt, site), self.world.attempts[attempt].pc);
        let attempt = self.root_of(attempt);
        let of = &self.world.messages[message];
        let (kind, cause, key) = (of.kind, of.cause, of.key);
        let (block, shape) = (of.payload, &self.model.messages[kind.index()]);
        let Self { observer, world, agenda, .. } = self;
        let payload = world.words.block(block, shape.fields);
        let content = payload.iter().zip(0_u16..).fold(1, |hash, (&word, field)| {
            match shape.list_fields.contains(&field) {
                true => world.lists.get(word).iter().fold(mix(hash, 2), |hash, &item| mix(hash, item)),
                false => mix(hash, word),
            }
        });
        observer.deed(
            agenda.now(),
            &Deed::Issued { attempt, message, kind, part, way, cause, key, topic, pc, payload, content },
        );
    }

    #[inline]
    pub(super) fn tell_accepted(&mut self, message: u32, topic: TopicId, how: Acceptance) {
        self.tell(&Deed::Accepted { message, topic, how });
    }

    /// Where in its work an attempt stands: the site with the item in hand.
    pub(super) fn part(&self, attempt: u32, site: SiteId) -> Part {
        Part::new(site, self.world.attempts[attempt].item)
    }

    /// The same of a step that may say for what value it ought to happen once. What cannot be calculated
    /// identifies nothing.
    pub(super) fn part_of(&mut self, attempt: u32, site: SiteId, once_per: Option<Operand>) -> Part {
        let part = self.part(attempt, site);
        let Some(once_per) = once_per else { return part };
        match self.evaluate(once_per, attempt) {
            Ok(value) => Part { item: mix(mix(ONCE, value), part.item), is_of_value: true, ..part },
            Err(_) => part,
        }
    }

    /// The part that a write of the row in hand is: of a step on many rows each row is one.
    pub(super) fn row_part(&mut self, attempt: u32, of: &RowStep) -> Part {
        let part = self.part_of(attempt, of.site, of.once_per);
        match of.key {
            Some(_) => part,
            None => Part { item: mix(part.item, self.row_in_hand(attempt, of.table).key) | 1, ..part },
        }
    }

    fn row_in_hand(&self, attempt: u32, table: TableId) -> RowName {
        self.row_name(attempt, table, &self.world.scratch.key)
    }

    fn row_name(&self, attempt: u32, table: TableId, key: &[Word]) -> RowName {
        let memory = self.model.tables[table.index()].memory;
        let instance = if memory { self.world.attempts[attempt].instance } else { NONE };
        RowName { table, key: key.iter().fold(0, |hash, &word| mix(hash, word)), instance }
    }
}

/// Where rows were committed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Store(usize),
    Memory(u32),
}

/// The name of a store's row, from its key.
pub(super) fn row_named(table: TableId, key: &[Word]) -> RowName {
    RowName { table, key: key.iter().fold(0, |hash, &word| mix(hash, word)), instance: NONE }
}

/// The name of a row, from its words.
pub fn key_hash(model: &Model, table: TableId, words: &[Word]) -> u64 {
    model.tables[table.index()].key.iter().fold(0, |hash, &column| mix(hash, words[column as usize]))
}
