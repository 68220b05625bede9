//! How a store is doing: crashes, outages, pauses and slowness, and what a crash forgets.
//!
//! A store that is down answers whoever reaches it with `unavailable`; one that is paused answers when it
//! wakes. A crash resets connections: whoever has a transaction open, or waits for an answer, meets
//! `unavailable`, though what was committed may be there. With `flush: every` it forgets what was committed
//! and not yet flushed: rows and outbox rows are as they were, and with them durable timers and where sagas stand.

use super::attempt::{StepResult, Wait};
use super::deed::Deed;
use super::identity::mix;
use super::record::Observer;
use super::saga::Standing;
use super::store::{Glance, INITIAL_WRITER, Word};
use super::tell::row_named;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, RingId};
use crate::kernel::ids::ServiceId;
use crate::kernel::time::{LONGEST, Nanos, nanos_from_f64};
use crate::model::{Error, FaultKind, StoreFault};

/// How a store is doing.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Crashes and outages that last.
    down: u32,
    paused: u32,
    slowness: f64,
    /// Who has reached it while it is paused.
    held: Vec<Event>,
    /// What is not durable yet, oldest first.
    unflushed: Vec<Unflushed>,
    /// When it will be, if anything is not.
    flush_due: Option<Nanos>,
}

#[derive(Clone, Debug)]
pub(super) enum Unflushed {
    Row { table: u32, version: u64, key: Vec<Word>, old: Option<(Vec<Word>, u64)> },
    Outbox { outbox: usize, number: u64 },
    Beside(Beside),
}

/// What a store keeps beside rows.
#[derive(Clone, Debug)]
pub enum Beside {
    /// A durable timer was set, or is done with.
    TimerSet {
        timer: u32,
    },
    TimerDone {
        timer: u32,
    },
    /// A saga has changed; `None`: it has begun.
    Saga {
        saga: u32,
        was: Option<Box<Standing>>,
    },
}

/// Which commit of its store an outbox row goes with, counted from the last.
#[derive(Clone, Copy, Debug)]
pub enum GoesWith {
    /// One that is told already; a row of no transaction goes with what was committed before it.
    Last = 0,
    /// The one in hand.
    Next = 1,
}

impl Unflushed {
    pub fn beside(self) -> Option<Beside> {
        match self {
            Unflushed::Beside(part) => Some(part),
            _ => None,
        }
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self { down: 0, paused: 0, slowness: 1.0, held: Vec::new(), unflushed: Vec::new(), flush_due: None }
    }
}

impl Condition {
    /// Whether it answers.
    #[inline]
    pub fn is_well(&self) -> bool {
        self.down == 0 && self.paused == 0
    }

    pub fn is_paused(&self) -> bool {
        self.paused > 0
    }

    /// What reaches it while it is paused happens when it wakes. False if it is down, and refuses.
    pub fn holds(&mut self, event: Event) -> bool {
        if self.down == 0 {
            self.held.push(event);
        }
        self.down == 0
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// A part of a round trip to an attempt's store, as long as the store's slowness makes it.
    #[inline]
    pub(super) fn slowed(&self, attempt: u32, length: Nanos) -> Nanos {
        if self.world.store_troubles == 0 {
            return length;
        }
        let slowness = self.world.stores[self.store_of(attempt)].condition.slowness;
        if slowness == 1.0 { length } else { nanos_from_f64(length as f64 * slowness).min(LONGEST) }
    }

    /// Whether its store has crashed under an attempt's transaction, which it now learns.
    #[inline]
    pub(super) fn is_reset(&mut self, attempt: u32) -> bool {
        std::mem::take(&mut self.world.attempts[attempt].state.reset)
    }

    /// A statement reaches a store that does not answer as it should.
    pub(super) fn arrives_in_trouble(&mut self, attempt: u32, token: u32, store: usize) {
        self.store_met(store);
        if !self.world.stores[store].condition.holds(Event::Midpoint { attempt, token }) {
            self.refuse_statement(attempt);
        }
    }

    /// Answers a statement with `unavailable`, nothing done.
    pub(super) fn refuse_statement(&mut self, attempt: u32) {
        let result = StepResult::Error(Error::Unavailable);
        let of = &mut self.world.attempts[attempt];
        // Whoever is refused has learned that its transaction is gone.
        of.state.reset = false;
        let half = of.last_wait;
        match of.wait {
            Wait::Row { step } | Wait::Lock { step } => {
                self.row_done(attempt, step, Err(Error::Unavailable));
            }
            Wait::QuorumWrite { step } => {
                self.world.attempts[attempt].last_wait = 0;
                self.row_done(attempt, step, Err(Error::Unavailable));
            }
            Wait::Commit { region } => {
                self.return_trip(attempt, half, Wait::CommitAnswer { region }, result);
            }
            Wait::Store { after } => {
                self.store_timers(attempt, super::commit::TransactionEnd::RolledBack);
                self.return_trip(attempt, half, Wait::StoreAnswer { after }, result);
            }
            Wait::Outbox { step } => {
                self.drop_outgoing(attempt);
                self.return_trip(attempt, half, Wait::OutboxAnswer { step }, result);
            }
            Wait::Saga { meeting } => {
                self.return_trip(attempt, half, Wait::SagaAnswer { meeting }, result);
            }
            other => unreachable!("no statement: {other:?}"),
        }
    }

    pub(super) fn store_trouble(&mut self, store: usize, what: StoreFault) {
        self.world.store_troubles += 1;
        match what {
            StoreFault::Crash | StoreFault::Failover => {
                self.world.stores[store].condition.down += 1;
                self.crash_store(store);
                if what == StoreFault::Failover && self.model.stores[store].is_succeeded {
                    self.succeed(store);
                } else {
                    self.forget_unflushed(store);
                }
            }
            StoreFault::Outage => self.world.stores[store].condition.down += 1,
            StoreFault::Pause => self.world.stores[store].condition.paused += 1,
            StoreFault::Slow(_) => self.reckon_store_slowness(store),
        }
    }

    pub(super) fn store_mended(&mut self, store: usize, what: StoreFault) {
        self.world.store_troubles -= 1;
        let condition = &mut self.world.stores[store].condition;
        match what {
            StoreFault::Crash | StoreFault::Failover | StoreFault::Outage => condition.down -= 1,
            StoreFault::Pause => condition.paused -= 1,
            StoreFault::Slow(_) => self.reckon_store_slowness(store),
        }
        let condition = &mut self.world.stores[store].condition;
        if condition.paused == 0 {
            for event in std::mem::take(&mut condition.held) {
                self.later(0, Class::Delivery, event);
            }
        }
    }

    fn reckon_store_slowness(&mut self, store: usize) {
        let slowing = self.active().filter_map(|(kind, _)| match kind {
            FaultKind::Store(slow, StoreFault::Slow(by)) if *slow as usize == store => Some(*by),
            _ => None,
        });
        let slowness = slowing.fold(1.0, |product, by| product * by);
        self.world.stores[store].condition.slowness = slowness;
    }

    /// The store's process is gone: connections are reset.
    fn crash_store(&mut self, store: usize) {
        let model = self.model;
        let uses = |instance: u32| {
            let instance = model.instances.get(instance as usize);
            instance.is_some_and(|of| model.services[of.service.index()].store == Some(store as u32))
        };
        for attempt in self.world.attempts.select(|attempt| uses(attempt.instance)) {
            if self.reset_connection(attempt) {
                self.store_met(store);
            }
        }
        self.reset_relays(store);
    }

    /// What was committed and is not durable is gone, the newest first.
    fn forget_unflushed(&mut self, store: usize) {
        let condition = &mut self.world.stores[store].condition;
        condition.flush_due = None;
        let unflushed = std::mem::take(&mut condition.unflushed);
        if !unflushed.is_empty() {
            self.store_met(store);
        }
        self.forget_commits(store, unflushed);
    }

    /// Parts of commits, oldest first, never were. Nobody relays what is not there: outbox rows go first.
    pub(super) fn forget_commits(&mut self, store: usize, parts: Vec<Unflushed>) {
        for part in &parts {
            if let Unflushed::Outbox { outbox, number } = *part {
                self.lose_row(outbox, number);
            }
        }
        for part in parts.into_iter().rev() {
            match part {
                Unflushed::Row { table, version, key, old } => {
                    self.forget_row(store, table, version, &key, old)
                }
                Unflushed::Outbox { .. } => {}
                Unflushed::Beside(Beside::TimerSet { timer }) => self.forget_timer(timer),
                Unflushed::Beside(Beside::TimerDone { timer }) => self.timer_is_back(timer),
                Unflushed::Beside(Beside::Saga { saga, was }) => self.forget_standing(saga, was),
            }
        }
    }

    /// The store of a service, if it may forget what it has committed.
    pub(super) fn forgetful_store(&self, service: ServiceId) -> Option<usize> {
        let store = self.model.services[service.index()].store? as usize;
        let of = &self.model.stores[store];
        (of.flush.is_some() || of.is_succeeded).then_some(store)
    }

    /// A part of the commit that comes next is beside the rows of a store that may forget it.
    pub(super) fn keep_beside(&mut self, store: usize, part: Beside) {
        if self.model.stores[store].is_succeeded {
            return self.world.stores[store].behind.keep(1, Unflushed::Beside(part));
        }
        self.world.stores[store].condition.unflushed.push(Unflushed::Beside(part));
        self.will_flush(store);
    }

    /// It is not lost any more.
    pub(super) fn beside_is_durable(&mut self, part: Beside) {
        match part {
            Beside::TimerSet { .. } => {}
            Beside::TimerDone { timer } => self.is_kept_no_more(timer),
            Beside::Saga { saga, was } => self.standing_is_durable(saga, was),
        }
    }

    /// Whether an attempt had something there that it loses.
    fn reset_connection(&mut self, attempt: u32) -> bool {
        let of = &mut self.world.attempts[attempt];
        match of.wait {
            // Done there, and not known here.
            Wait::RowAnswer { .. }
            | Wait::CommitAnswer { .. }
            | Wait::StoreAnswer { .. }
            | Wait::SagaAnswer { .. }
            | Wait::OutboxAnswer { .. } => {
                of.result = StepResult::Error(Error::Unavailable);
                self.roll_back_only(attempt);
            }
            Wait::Lock { .. } => {
                self.roll_back_only(attempt);
                self.refuse_statement(attempt);
            }
            _ if of.transaction.is_some() => {
                of.state.reset = true;
                self.roll_back_only(attempt);
            }
            // On its way there over a connection that is gone: it is refused where it arrives.
            Wait::Row { .. }
            | Wait::QuorumWrite { .. }
            | Wait::Store { .. }
            | Wait::Saga { .. }
            | Wait::Outbox { .. } => of.state.reset = true,
            _ => return false,
        }
        true
    }

    /// Puts a row back as it was before a commit that is forgotten.
    fn forget_row(
        &mut self,
        store: usize,
        table: u32,
        version: u64,
        key: &[Word],
        old: Option<(Vec<Word>, u64)>,
    ) {
        let state = &mut self.world.stores[store];
        state.past.forget(table, key);
        let Glance::Free(row) = state.store.glance(table, key) else {
            unreachable!("every transaction was rolled back")
        };
        let writer = match &old {
            Some((words, writer)) => {
                state.store.put_alone(row, words, *writer);
                *writer
            }
            None => {
                state.store.delete_alone(row, INITIAL_WRITER);
                INITIAL_WRITER
            }
        };
        let id = self.model.stores[store].tables[table as usize];
        let hash = key.iter().fold(0, |hash, &word| mix(hash, word));
        self.record(super::record::Record::Committed { table: id, row: hash, version, obligation: writer });
        self.tell_committed(super::NOWHERE, super::tell::Place::Store(store));
        self.tell(&Deed::Forgotten { row: row_named(id, key), version });
    }

    /// Keeps what a commit has changed until it is durable.
    pub(super) fn keep_for_crash(&mut self, store: usize) {
        let (flush, is_succeeded) = (self.model.stores[store].flush, self.model.stores[store].is_succeeded);
        if flush.is_none() && !is_succeeded {
            return;
        }
        let state = &mut self.world.stores[store];
        for change in state.store.changes() {
            let table = change.version.table;
            let spec = &self.model.tables[self.model.stores[store].tables[table as usize].index()];
            let words = change.new.or(change.old.map(|old| old.words)).unwrap_or(&[]);
            let key = spec.key.iter().map(|&column| words[column as usize]).collect();
            let old = change.old.map(|old| (old.words.to_vec(), old.writer));
            let version = change.version.number;
            let row = Unflushed::Row { table, version, key, old };
            if is_succeeded {
                state.behind.keep(1, row.clone());
            }
            if flush.is_some() {
                state.condition.unflushed.push(row);
            }
        }
        self.will_flush(store);
    }

    /// What is not durable yet will be after one interval from the first of it.
    fn will_flush(&mut self, store: usize) {
        let Some(flush) = self.model.stores[store].flush else { return };
        let condition = &mut self.world.stores[store].condition;
        if condition.flush_due.is_none() && !condition.unflushed.is_empty() {
            condition.flush_due = Some(self.agenda.now() + flush.length);
            self.agenda.after_constant(RingId(flush.ring), Event::Flush { store: store as u32 });
        }
    }

    /// The same of a row of an outbox.
    pub(super) fn keep_row_for_crash(&mut self, outbox: usize, number: u64, goes_with: GoesWith) {
        let store = self.model.outboxes[outbox].store as usize;
        if self.model.stores[store].is_succeeded {
            let row = Unflushed::Outbox { outbox, number };
            self.world.stores[store].behind.keep(goes_with as u64, row);
        }
        if self.model.stores[store].flush.is_some() {
            let unflushed = &mut self.world.stores[store].condition.unflushed;
            unflushed.push(Unflushed::Outbox { outbox, number });
            self.will_flush(store);
        }
    }

    /// The interval of a flush is over; one that a crash has cut short is not.
    pub(super) fn flush_due(&mut self, store: u32) {
        if self.world.stores[store as usize].condition.flush_due == Some(self.agenda.now()) {
            self.flush(store);
        }
    }

    /// What a store has committed so far is durable.
    pub(super) fn flush(&mut self, store: u32) {
        let condition = &mut self.world.stores[store as usize].condition;
        condition.flush_due = None;
        if condition.unflushed.is_empty() {
            return;
        }
        let beside: Vec<Beside> = condition.unflushed.drain(..).filter_map(Unflushed::beside).collect();
        self.tell(&Deed::Flushed { store });
        beside.into_iter().for_each(|part| self.beside_is_durable(part));
    }
}
