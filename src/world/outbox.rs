//! Outboxes: rows committed with the business data, for relays to publish.
//!
//! How relays find rows decides what can go wrong:
//!
//! - `unsent`: rows not marked as sent. A row in one relay's hands is skipped by the others.
//! - `id`: rows above a position. Ids are given at the insert and seen at the commit, so that a row committed late
//!   can lie below the position, where nobody ever looks again.
//! - `log`: rows by the order of their commits, above a position that none can fall behind.

use super::attempt::{StepResult, Wait};
use super::commit::TransactionEnd;
use super::condition::GoesWith;
use super::deed::Deed;
use super::interpret::Flow;
use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::model::{Error, NONE, OutboxSelect, Pc};
use std::collections::BTreeMap;

/// The rows of an outbox.
#[derive(Clone, Default)]
pub struct OutboxState {
    /// Committed and unmarked, by number: their id, or of a log the order of their commits.
    pub rows: BTreeMap<u64, Row>,
    /// Inserted by transactions that are still open.
    pending: Vec<(u32, u64, u32)>,
    next_id: u64,
    commits: u64,
    /// The position as it is saved: what lies below is not looked at any more.
    pub saved: u64,
}

/// A committed row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub message: u32,
    /// Which relay has locked it, or `NONE`.
    pub relay: u32,
}

impl OutboxState {
    /// Adds what an open transaction appends to a stream. It is published in the order of the commits.
    pub fn follow(&mut self, attempt: u32, message: u32) {
        let id = self.number();
        self.pending.push((attempt, id, message));
    }

    /// The next number of a row.
    fn number(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Rows not yet published and marked.
    pub fn unsent(&self) -> usize {
        self.rows.len()
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// `publish … via: outbox`: a row, in the transaction in hand or one of its own.
    pub(super) fn insert_into_outbox(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        if self.is_reset(attempt) {
            return Err(Error::Unavailable);
        }
        if self.world.attempts[attempt].transaction.is_none() && !self.take_connection(attempt, pc) {
            return Ok(Flow::Leave);
        }
        let model = self.model;
        let publish = &model.publishes[step as usize];
        let Some(times) = publish.outbox else { unreachable!("called for outbox publishes") };
        let made = self.make_publication(attempt, publish, step);
        if made.is_err() && self.world.attempts[attempt].transaction.is_none() {
            self.release_connection(attempt);
        }
        let message = made?;
        self.world.attempts[attempt].pc = pc;
        self.tell_published(attempt, message, publish);
        let of = &mut self.world.attempts[attempt];
        of.outgoing = message;
        of.state.alone = of.transaction.is_none();
        let length = self.step_length(times.write, attempt)? + self.step_length(times.commit, attempt)?;
        self.world.attempts[attempt].last_wait = length - length / 2;
        self.round_trip(attempt, pc, length / 2, Wait::Outbox { step });
        Ok(Flow::Leave)
    }

    pub(super) fn outbox_arrives(&mut self, attempt: u32, step: u32) {
        let outbox = self.outbox_of(attempt);
        let of = &mut self.world.attempts[attempt];
        let message = std::mem::replace(&mut of.outgoing, NONE);
        let alone = of.state.alone;
        let state = &mut self.world.outboxes[outbox];
        let id = state.number();
        if alone {
            self.put_row(outbox, id, message, GoesWith::Last);
            self.tell_transaction_ended(attempt, TransactionEnd::Committed);
        } else {
            state.pending.push((attempt, id, message));
        }
        let half = self.world.attempts[attempt].last_wait;
        self.return_trip(attempt, half, Wait::OutboxAnswer { step }, StepResult::Done);
        let model = self.model;
        self.unanswered(attempt, &model.publishes[step as usize].unanswered);
    }

    pub(super) fn outbox_answered(&mut self, attempt: u32) {
        if std::mem::replace(&mut self.world.attempts[attempt].state.alone, false) {
            self.release_connection(attempt);
        }
        let of = &self.world.attempts[attempt];
        let answer = match of.result {
            StepResult::Error(error) => Err(error),
            _ => Ok(of.pc + 1),
        };
        self.proceed(attempt, answer);
    }

    fn outbox_of(&self, attempt: u32) -> usize {
        let instance = self.world.attempts[attempt].instance;
        let service = self.model.instances[instance as usize].service;
        self.model.services[service.index()].outbox.expect("resolved: an outbox is declared") as usize
    }

    /// A transaction has ended: its rows are there for the relay, or never were.
    pub(super) fn enqueue_outbox(&mut self, attempt: u32, end: TransactionEnd) {
        for outbox in 0..self.world.outboxes.len() {
            if self.world.outboxes[outbox].pending.is_empty() {
                continue;
            }
            let pending = std::mem::take(&mut self.world.outboxes[outbox].pending);
            let (own, others): (Vec<_>, Vec<_>) = pending.into_iter().partition(|row| row.0 == attempt);
            self.world.outboxes[outbox].pending = others;
            for (_, id, message) in own {
                match end {
                    TransactionEnd::Committed => self.put_row(outbox, id, message, GoesWith::Next),
                    TransactionEnd::RolledBack => self.release_message(message),
                }
            }
        }
    }

    /// A row that comes to be with a commit that is done.
    pub(super) fn commit_row(&mut self, outbox: usize, message: u32) {
        let id = self.world.outboxes[outbox].number();
        self.put_row(outbox, id, message, GoesWith::Last);
    }

    /// A row is committed: its relays may find it, if it is not too late.
    fn put_row(&mut self, outbox: usize, id: u64, message: u32, goes_with: GoesWith) {
        let select = self.model.outboxes[outbox].select;
        let state = &mut self.world.outboxes[outbox];
        state.commits += 1;
        let number = if select == OutboxSelect::Log { state.commits } else { id };
        let is_passed = number <= state.saved;
        if !is_passed {
            state.rows.insert(number, Row { message, relay: NONE });
            self.keep_row_for_crash(outbox, number, goes_with);
        }
        self.tell(&Deed::Enqueued { message });
        if is_passed {
            self.release_message(message);
        }
    }

    /// A row is gone with what its store had not flushed. What a relay has in hand it publishes all the same.
    pub(super) fn lose_row(&mut self, outbox: usize, number: u64) {
        let Some(row) = self.world.outboxes[outbox].rows.remove(&number) else { return };
        let spec = &self.model.outboxes[outbox];
        let relays = spec.first_relay..spec.first_relay + spec.relays;
        if !relays.into_iter().any(|relay| self.world.relays[relay as usize].holds(number)) {
            self.tell(&Deed::Unsaid { message: row.message });
            self.release_message(row.message);
        }
    }

    /// The position is saved: rows up to it are not looked at any more. Those that a relay has in hand stay its
    /// own; the others are done with, whether anybody published them or not.
    pub(super) fn save_position(&mut self, outbox: usize, position: u64, in_hand: &[(u64, u32)]) {
        let state = &mut self.world.outboxes[outbox];
        state.saved = state.saved.max(position);
        let above = state.rows.split_off(&(state.saved + 1));
        let passed = std::mem::replace(&mut state.rows, above);
        for (number, row) in passed {
            if !in_hand.iter().any(|(own, _)| *own == number) {
                self.release_message(row.message);
            }
        }
    }
}
