//! Transactions: connections, commits, roll backs, and what serializable scans asked for.

use super::attempt::{StepResult, Wait};
use super::condition::Condition;
use super::interpret::Flow;
use super::record::{Observer, Outcome};
use super::replicas::Behind;
use super::store::{Store, TableShape};
use super::streams::Past;
use super::words::Slab;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::model::{self, Error, Model, NONE, Pc};
use std::collections::VecDeque;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEnd {
    Committed,
    RolledBack,
}

/// A store with what is around it.
#[derive(Clone)]
pub struct StoreState {
    pub store: Store,
    connections: u32,
    waiting: VecDeque<(u32, u32)>,
    predicates: Slab<Predicate>,
    /// The states that streams had.
    pub past: Past,
    pub condition: Condition,
    /// What its copies do not have yet.
    pub behind: Behind,
    /// Waiters are being served.
    pub serving: bool,
}

/// What a serializable scan asked for, with the locals it had then.
#[derive(Clone, Copy)]
struct Predicate {
    attempt: u32,
    step: u32,
    frame: u32,
    handler: u32,
}

impl StoreState {
    pub fn new(model: &Model, spec: &model::Store) -> Self {
        let shapes: Vec<TableShape> =
            spec.tables.iter().map(|table| shape_of(&model.tables[table.index()])).collect();
        Self {
            store: Store::new(spec.isolation, &shapes),
            connections: 0,
            waiting: VecDeque::new(),
            predicates: Slab::default(),
            past: Past::default(),
            condition: Condition::default(),
            behind: Behind::new(spec.copies.as_ref().map_or(0, model::Copies::count)),
            serving: false,
        }
    }
}

impl StoreState {
    pub fn connections_in_use(&self) -> usize {
        self.connections as usize
    }
}

/// A table as stores and memories see it.
pub fn shape_of(spec: &model::Table) -> TableShape {
    TableShape {
        columns: spec.columns as u32,
        key: spec.key.clone(),
        initial: spec.initial.clone(),
        rows: spec.rows.clone(),
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// The store that an attempt's service uses.
    pub(super) fn store_of(&self, attempt: u32) -> usize {
        let instance = self.world.attempts[attempt].instance;
        let service = self.model.instances[instance as usize].service;
        self.model.services[service.index()].store.expect("resolved: a row step needs a store") as usize
    }

    pub(super) fn begin_transaction(&mut self, attempt: u32, pc: Pc, _region: u32) -> Result<Flow, Error> {
        if !self.take_connection(attempt, pc) {
            return Ok(Flow::Leave);
        }
        let store = self.store_of(attempt);
        self.world.attempts[attempt].transaction = Some(self.world.stores[store].store.begin(attempt));
        Ok(Flow::Go(pc + 1))
    }

    pub(super) fn begin_commit(&mut self, attempt: u32, pc: Pc, region: u32) -> Result<Flow, Error> {
        if self.is_reset(attempt) {
            return Err(Error::Unavailable);
        }
        let times = self.model.regions[region as usize].transaction.expect("a region that commits");
        let length = self.step_length(times.commit, attempt)?;
        self.world.attempts[attempt].last_wait = length - length / 2;
        self.round_trip(attempt, pc, length / 2, Wait::Commit { region });
        Ok(Flow::Leave)
    }

    /// The commit reaches the store.
    pub(super) fn commit_arrives(&mut self, attempt: u32, region: u32) {
        let result = match self.commit_now(attempt) {
            Ok(()) => StepResult::Done,
            Err(error) => StepResult::Error(error),
        };
        let half = self.world.attempts[attempt].last_wait;
        self.return_trip(attempt, half, Wait::CommitAnswer { region }, result);
        let model = self.model;
        if result == StepResult::Done {
            self.unanswered(attempt, &model.regions[region as usize].unanswered);
        }
    }

    pub(super) fn commit_answered(&mut self, attempt: u32, _region: u32) {
        self.release_connection(attempt);
        let of = &mut self.world.attempts[attempt];
        let stopping = std::mem::replace(&mut of.state.stopping, false);
        let (pc, result) = (of.pc, of.result);
        match result {
            StepResult::Error(error) => self.proceed(attempt, Err(error)),
            _ if stopping => self.end_or_store(attempt, Outcome::Well),
            _ => self.proceed(attempt, Ok(pc + 1)),
        }
    }

    /// Commits an attempt's transaction at this instant; a conflict rolls it back.
    pub(super) fn commit_now(&mut self, attempt: u32) -> Result<(), Error> {
        let store = self.store_of(attempt);
        let transaction = self.world.attempts[attempt].transaction.take().expect("a transaction to commit");
        let writer = self.world.attempts[attempt].cause.obligation;
        // The store is taken out while it asks about predicates, which are evaluated in the world.
        let mut stores = std::mem::take(&mut self.world.stores);
        let StoreState { store: state, predicates, .. } = &mut stores[store];
        let result =
            state.commit(transaction, writer, |token, row| self.predicate_holds(predicates[token], row));
        if result.is_err() {
            state.roll_back(transaction);
        }
        self.world.stores = stores;
        self.drop_predicates(attempt, store);
        let end = if result.is_ok() { TransactionEnd::Committed } else { TransactionEnd::RolledBack };
        self.enqueue_outbox(attempt, end);
        self.store_timers(attempt, end);
        match result {
            Ok(()) => {
                self.committed(attempt, store);
                Ok(())
            }
            Err(_) => {
                self.tell_transaction_ended(attempt, TransactionEnd::RolledBack);
                self.serve_waiters(store);
                Err(Error::Conflict)
            }
        }
    }

    /// Rolls back what is open, and gives the connection back.
    pub(super) fn roll_back(&mut self, attempt: u32) {
        self.roll_back_only(attempt);
        self.world.attempts[attempt].state.reset = false;
        self.release_connection(attempt);
    }

    pub(super) fn roll_back_only(&mut self, attempt: u32) {
        let Some(transaction) = self.world.attempts[attempt].transaction.take() else { return };
        let store = self.store_of(attempt);
        self.world.stores[store].store.roll_back(transaction);
        self.drop_predicates(attempt, store);
        self.enqueue_outbox(attempt, TransactionEnd::RolledBack);
        self.store_timers(attempt, TransactionEnd::RolledBack);
        self.tell_transaction_ended(attempt, TransactionEnd::RolledBack);
        self.serve_waiters(store);
    }

    /// A connection of the store; without one the attempt waits, and begins its operation again.
    pub(super) fn take_connection(&mut self, attempt: u32, pc: Pc) -> bool {
        let store = self.store_of(attempt);
        let limit = self.model.stores[store].connections;
        if limit == u32::MAX || self.world.attempts[attempt].state.connection {
            return true;
        }
        let state = &mut self.world.stores[store];
        if state.connections < limit {
            state.connections += 1;
            self.world.attempts[attempt].state.connection = true;
            return true;
        }
        self.world.attempts[attempt].pc = pc;
        let token = self.world.attempts.wait(attempt, Wait::Connection);
        self.world.stores[store].waiting.push_back((attempt, token));
        false
    }

    /// Hands a connection to the next who waits for one.
    pub(super) fn release_connection(&mut self, attempt: u32) {
        if !std::mem::replace(&mut self.world.attempts[attempt].state.connection, false) {
            return;
        }
        let store = self.store_of(attempt);
        while let Some((next, token)) = self.world.stores[store].waiting.pop_front() {
            if self.world.attempts.is_waiting(next, token) {
                self.world.attempts[next].state.connection = true;
                self.agenda.after(0, Class::Completion, Event::Resume { attempt: next, token });
                return;
            }
        }
        self.world.stores[store].connections -= 1;
    }

    /// Remembers what a serializable scan asks for; gives the token that the store hands back.
    pub(super) fn keep_predicate(&mut self, attempt: u32, store: usize, step: u32) -> u32 {
        if self.model.stores[store].isolation != model::Isolation::Serializable {
            return NONE;
        }
        let handler = self.world.attempts[attempt].handler;
        let frame = self.copy_frame(attempt, handler);
        self.world.stores[store].predicates.add(Predicate { attempt, step, frame, handler })
    }

    fn predicate_holds(&mut self, predicate: Predicate, row: &[u64]) -> bool {
        let Some(filter) = self.model.row_steps[predicate.step as usize].filter else { return true };
        let frame = std::mem::replace(&mut self.world.attempts[predicate.attempt].frame, predicate.frame);
        // A predicate that cannot be evaluated on the changed row might have admitted it.
        let holds = self.admits(filter, row, predicate.attempt).unwrap_or(true);
        self.drop_temporaries();
        self.world.attempts[predicate.attempt].frame = frame;
        holds
    }

    fn drop_predicates(&mut self, attempt: u32, store: usize) {
        if self.world.stores[store].predicates.len() == 0 {
            return;
        }
        let predicates = self.world.stores[store].predicates.all();
        let own: Vec<(u32, Predicate)> =
            predicates.filter(|(_, of)| of.attempt == attempt).map(|(slot, of)| (slot, *of)).collect();
        for (slot, predicate) in own {
            self.free_frame(predicate.frame, predicate.handler);
            // A freed slot must not look like the attempt's own again.
            self.world.stores[store].predicates[slot].attempt = NONE;
            self.world.stores[store].predicates.release(slot);
        }
    }
}
