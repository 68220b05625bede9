//! Debt: what an attempt that is cut would still have changed, found by running its remainder dry.
//!
//! The remainder runs on a copy of the attempt's frame and on the committed rows with an overlay of its
//! own; no time passes, nothing is sent, and nothing of it is left behind. It stops at a `call`, whose
//! answer nobody knows: past it counts only what every path must change. A transaction that was open is
//! rolled back, so it is begun again. What a remainder would send before it rolls back is sent all the same. A
//! remainder that does not come to its end within a bound is given up, and that is told.

use super::Event;
use super::Simulation;
use super::attempt::{Source, StepResult, Wait};
use super::deed::{EndsOn, Part};
use super::record::Observer;
use super::remainder::{Debt, Remainder};
use super::rows::Change;
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::*;
use crate::model::reach::{effect_sites, must_reach};
use crate::model::{Error, Model, NONE, Op, Pc, RowStep, RowVerb, Slot, Word};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// What the attempt would still change if it went on from where it stands.
    pub(super) fn debt(&mut self, attempt: u32) -> Debt {
        let mut remainder = Remainder::default();
        let unique = self.world.unique.clone();
        let counters = self.world.counters.clone();
        self.world.scratch.is_dry = true;
        self.remainder_of(attempt, &mut remainder);
        self.world.scratch.is_dry = false;
        self.world.unique = unique;
        self.world.counters = counters;
        let is_whole = !remainder.is_given_up();
        remainder.into_debt(is_whole)
    }

    /// Runs an attempt's remainder on a copy of its frame, with its branches.
    fn remainder_of(&mut self, attempt: u32, remainder: &mut Remainder) {
        let of = &self.world.attempts[attempt];
        let (frame, item, pc, handler) = (of.frame, of.item, of.pc, of.handler);
        let copy = self.copy_frame(attempt, handler);
        self.world.attempts[attempt].frame = copy;
        if self.world.attempts[attempt].wait == Wait::Branches {
            self.remaining_branches(attempt, frame, pc, remainder);
        } else if let Some(from) = self.resumption(attempt, pc) {
            self.run_dry(attempt, from, remainder);
        }
        let of = &mut self.world.attempts[attempt];
        of.frame = frame;
        of.item = item;
        self.free_frame(copy, handler);
    }

    /// The branches that are under way, the items not yet begun, and what follows them.
    fn remaining_branches(&mut self, parent: u32, frame: u32, pc: Pc, remainder: &mut Remainder) {
        let own = |of: &super::attempt::Attempt| of.source == Source::Branch { parent };
        let copy = self.world.attempts[parent].frame;
        for branch in self.world.attempts.select(own) {
            let shares_frame = self.world.attempts[branch].frame == frame;
            if shares_frame {
                self.world.attempts[branch].frame = copy;
            }
            self.remainder_of(branch, remainder);
            if shares_frame {
                self.world.attempts[branch].frame = frame;
            }
        }
        let model = self.model;
        let next = match model.code[pc as usize] {
            Op::Fork(step) => model.forks[step as usize].next,
            Op::ForEach(step) => {
                self.remaining_items(parent, step, remainder);
                model.loops[step as usize].next
            }
            other => unreachable!("no branches: {other:?}"),
        };
        self.run_dry(parent, next, remainder);
    }

    /// Items of a parallel loop that no branch has taken up, one after another.
    fn remaining_items(&mut self, attempt: u32, step: u32, remainder: &mut Remainder) {
        let model = self.model;
        let of = &model.loops[step as usize];
        while self.items_left(attempt, of) && !remainder.is_given_up() {
            let identity = self.load_item(attempt, step);
            self.world.attempts[attempt].item = identity;
            self.run_dry(attempt, of.body, remainder);
        }
        self.world.attempts[attempt].item = self.local(attempt, of.outer_identity);
    }

    /// Where an attempt would go on; `None`: it is done.
    fn resumption(&mut self, attempt: u32, pc: Pc) -> Option<Pc> {
        let model = self.model;
        let of = &self.world.attempts[attempt];
        let (wait, result, stopping) = (of.wait, of.result, of.state.stopping);
        match wait {
            Wait::CommitAnswer { .. } if stopping => None,
            // A step of a saga that has come to its end, and is stored.
            Wait::SagaAnswer { meeting: NONE } => None,
            Wait::CommitAnswer { .. } => match result {
                StepResult::Error(error) => self.dry_caught(pc, error, &mut Remainder::default()),
                _ => Some(pc + 1),
            },
            _ if self.transaction_around(pc).is_some() => {
                let region = self.transaction_around(pc).expect("just found");
                Some(model.regions[region as usize].first)
            }
            Wait::RowAnswer { step } => match self.after_row(&model.row_steps[step as usize], result) {
                Ok(next) => Some(next),
                Err(error) => self.dry_caught(pc, error, &mut Remainder::default()),
            },
            Wait::StoreAnswer { .. } | Wait::OutboxAnswer { .. }
                if matches!(result, StepResult::Error(_)) =>
            {
                Some(pc)
            }
            // A publish that waits for its confirmation is on its way.
            Wait::StoreAnswer { .. }
            | Wait::SagaAnswer { .. }
            | Wait::OutboxAnswer { .. }
            | Wait::EffectAnswer { .. }
            | Wait::Turn { .. }
            | Wait::Confirm { .. }
            | Wait::ConfirmAgain { .. } => Some(pc + 1),
            _ => Some(pc),
        }
    }

    /// The outermost transaction around an operation.
    fn transaction_around(&self, pc: Pc) -> Option<u32> {
        let mut found = None;
        let mut at = self.model.region_of[pc as usize];
        while at != NONE {
            let region = &self.model.regions[at as usize];
            if region.transaction.is_some() {
                found = Some(at);
            }
            at = region.parent;
        }
        found
    }

    /// Runs operations from here to the end of the attempt, or of the branch.
    fn run_dry(&mut self, attempt: u32, from: Pc, remainder: &mut Remainder) {
        let mut pc = from;
        loop {
            remainder.operations += 1;
            if remainder.is_given_up() {
                return;
            }
            let next = match self.dry_operation(attempt, pc, remainder) {
                Ok(next) => next,
                Err(error) => self.dry_caught(pc, error, remainder),
            };
            self.drop_temporaries();
            match next {
                Some(next) => pc = next,
                None => return,
            }
        }
    }

    /// One operation; `None`: nothing is known of what follows, or nothing does.
    fn dry_operation(
        &mut self,
        attempt: u32,
        pc: Pc,
        remainder: &mut Remainder,
    ) -> Result<Option<Pc>, Error> {
        let model = self.model;
        match model.code[pc as usize] {
            Op::Let { slot, value } => {
                let word = self.value(value, attempt)?;
                self.set_owned(attempt, slot, word);
            }
            Op::Jump(target) => return Ok(Some(target)),
            Op::JumpUnless { condition, target } => {
                remainder.decide(model, condition);
                let holds = self.holds(condition, attempt)?;
                return Ok(Some(if holds { pc + 1 } else { target }));
            }
            Op::Row(step) => return self.dry_row(attempt, &model.row_steps[step as usize], remainder),
            Op::Begin(_) => remainder.transactions.push((remainder.rows.clone(), remainder.debt.len())),
            Op::Commit(_) => drop(remainder.transactions.pop()),
            Op::Publish(_) | Op::Send(_) | Op::After(_) => self.owe(attempt, pc, remainder),
            Op::Effect(step) => {
                let of = &model.effects[step as usize];
                let key = of.idempotency_key.map(|key| self.evaluate(key, attempt)).transpose()?;
                if key.is_none_or(|key| !self.world.effects.knows(of.effect, key)) {
                    let part = self.part_of(attempt, of.site, of.once_per);
                    remainder.ends_on = EndsOn::Other;
                    remainder.sent.push(part);
                }
            }
            Op::Call(_) => {
                let item = self.world.attempts[attempt].item;
                let sure = must_reach(model, pc + 1).into_iter().map(|site| Part::new(site, item));
                remainder.debt.extend(sure);
                return Ok(None);
            }
            Op::Saga(meeting) => {
                if self.would_start(attempt, meeting)? {
                    self.owe(attempt, pc, remainder);
                }
            }
            Op::Fork(step) => {
                let fork = &model.forks[step as usize];
                for &branch in &fork.branches {
                    self.run_dry(attempt, branch, remainder);
                }
                return Ok(Some(fork.next));
            }
            Op::ForEach(step) => {
                let of = &model.loops[step as usize];
                self.begin_loop(attempt, of)?;
                if of.parallel.is_some() {
                    self.remaining_items(attempt, step, remainder);
                    return Ok(Some(of.next));
                }
                return Ok(Some(self.next_item(attempt, step)));
            }
            Op::Next(step) => return Ok(Some(self.next_item(attempt, step))),
            Op::RestoreItem(slot) => {
                let item = if slot == Slot::MAX { 0 } else { self.local(attempt, slot) };
                self.world.attempts[attempt].item = item;
            }
            Op::Stop => return Ok(None),
            Op::Fail(reason) => return Err(Error::Reason(reason)),
            Op::Work(_) | Op::Wait(_) | Op::Enter(_) | Op::Reply(_) | Op::Watch(_) | Op::Acknowledge => {}
        }
        Ok(Some(pc + 1))
    }

    fn owe(&mut self, attempt: u32, pc: Pc, remainder: &mut Remainder) {
        remainder.ends_on = EndsOn::Other;
        let is_rolled_back = is_rolled_back(self.model, pc);
        for site in effect_sites(self.model, pc) {
            let part = self.part(attempt, site);
            if is_rolled_back { remainder.debt.push(part) } else { remainder.sent.push(part) }
        }
    }

    /// Where an error leads; transactions on the way are undone.
    fn dry_caught(&self, pc: Pc, error: Error, remainder: &mut Remainder) -> Option<Pc> {
        let model = self.model;
        let mut at = model.region_of[pc as usize];
        while at != NONE {
            let region = &model.regions[at as usize];
            if region.transaction.is_some()
                && let Some((rows, debt)) = remainder.transactions.pop()
            {
                remainder.rows = rows;
                remainder.debt.truncate(debt);
            }
            let case = region.catches.iter().find(|case| case.error.is_none_or(|caught| caught == error));
            if let Some(case) = case {
                return Some(case.target);
            }
            at = region.parent;
        }
        None
    }

    fn dry_row(
        &mut self,
        attempt: u32,
        of: &RowStep,
        remainder: &mut Remainder,
    ) -> Result<Option<Pc>, Error> {
        let result = if of.key.is_some() {
            self.load_key(attempt, of)?;
            self.dry_row_in_hand(attempt, of, remainder)?
        } else if of.verb == RowVerb::Scan {
            let rows = self.dry_rows(attempt, of, remainder)?;
            let rows = self.sorted_to_limit(attempt, of, rows)?;
            self.keep_scan(attempt, of, &rows)
        } else {
            let key = &self.model.tables[of.table.index()].key;
            let columns = self.model.tables[of.table.index()].columns as usize;
            let mut result = StepResult::Nothing;
            for row in self.dry_rows(attempt, of, remainder)?.chunks(columns) {
                self.world.scratch.key.clear();
                self.world.scratch.key.extend(key.iter().map(|&column| row[column as usize]));
                if self.dry_row_in_hand(attempt, of, remainder)? == StepResult::Done {
                    result = StepResult::Done;
                }
            }
            result
        };
        self.after_row(of, result).map(Some)
    }

    /// One row, whose key is in `scratch.key`.
    fn dry_row_in_hand(
        &mut self,
        attempt: u32,
        of: &RowStep,
        remainder: &mut Remainder,
    ) -> Result<StepResult, Error> {
        let name = (of.table, self.world.scratch.key.clone());
        let old = match remainder.rows.get(&name) {
            Some(row) => row.clone(),
            None => {
                let (row, writer) = self.committed_row(attempt, of.table);
                let own = self.world.attempts[attempt].cause.obligation;
                remainder.resumes |= writer == Some(own) && decides(of);
                remainder.find(of, writer.filter(|writer| *writer != own));
                row
            }
        };
        self.world.scratch.row.clear();
        self.world.scratch.row.extend_from_slice(old.as_deref().unwrap_or(&[]));
        let exists = old.is_some();
        if let Some(append) = of.appended() {
            return self.dry_append(attempt, of, append, name, exists, remainder);
        }
        if let RowVerb::Read | RowVerb::ReadLocked = of.verb {
            self.keep_row(attempt, of, exists);
            return Ok(if exists { StepResult::Done } else { StepResult::Nothing });
        }
        let new = match self.change(attempt, of, exists)? {
            Change::Put => Some(self.world.scratch.row.clone()),
            Change::Delete => None,
            Change::Nothing => return Ok(StepResult::Nothing),
        };
        if self.model.tables[of.table.index()].is_effect(old.as_deref(), new.as_deref()) {
            let part = self.row_part(attempt, of);
            remainder.debt.push(part);
        }
        remainder.ends_on = EndsOn::Other;
        remainder.rows.insert(name, new);
        Ok(StepResult::Done)
    }

    /// The row whose key is in hand as it is committed, and who wrote it.
    fn committed_row(&self, attempt: u32, table: TableId) -> (Option<Vec<Word>>, Option<u64>) {
        let key = &self.world.scratch.key;
        let number = self.model.tables[table.index()].number;
        let row = if self.model.tables[table.index()].memory {
            self.world.memories[self.world.attempts[attempt].instance as usize].read(number, key)
        } else {
            self.world.stores[self.store_of(attempt)].store.peek(number, key)
        };
        (row.map(|row| row.words.to_vec()), row.map(|row| row.writer))
    }

    /// The rows that a step without a key admits, those that the remainder changed as it left them.
    fn dry_rows(
        &mut self,
        attempt: u32,
        of: &RowStep,
        remainder: &mut Remainder,
    ) -> Result<Vec<Word>, Error> {
        let spec = &self.model.tables[of.table.index()];
        let own = self.world.attempts[attempt].cause.obligation;
        let mut has_own = false;
        let mut keep = |row: super::store::Row<'_>| {
            has_own |= row.writer == own;
            row.words.to_vec()
        };
        let all: Vec<Vec<Word>> = if spec.memory {
            let instance = self.world.attempts[attempt].instance as usize;
            self.world.memories[instance].rows(spec.number).map(&mut keep).collect()
        } else {
            let store = self.store_of(attempt);
            self.world.stores[store].store.rows(spec.number).map(&mut keep).collect()
        };
        remainder.resumes |= has_own && of.filter.is_some();
        let key_of = |row: &[Word]| spec.key.iter().map(|&column| row[column as usize]).collect::<Vec<_>>();
        let known: rustc_hash::FxHashSet<Vec<Word>> = all.iter().map(|row| key_of(row)).collect();
        let as_left = |row: Vec<Word>| match remainder.rows.get(&(of.table, key_of(&row))) {
            Some(left) => left.clone(),
            None => Some(row),
        };
        let new =
            remainder.rows.iter().filter(|((table, key), _)| *table == of.table && !known.contains(key));
        let mut new: Vec<Vec<Word>> = new.filter_map(|(_, row)| row.clone()).collect();
        new.sort_unstable();
        let mut admitted = Vec::new();
        for row in all.into_iter().filter_map(as_left).chain(new) {
            let admits = match of.filter {
                Some(filter) => self.admits(filter, &row, attempt)?,
                None => true,
            };
            if admits {
                admitted.extend_from_slice(&row);
            }
        }
        Ok(admitted)
    }
}

/// Whether a step is part of the transaction around it, as a row change is.
fn is_rolled_back(model: &Model, pc: Pc) -> bool {
    match model.code[pc as usize] {
        Op::Publish(step) => model.publishes[step as usize].outbox.is_some(),
        Op::After(step) => model.afters[step as usize].durable.is_some(),
        Op::Send(_) | Op::Effect(_) | Op::Saga(_) => false,
        _ => true,
    }
}

/// Whether what a step finds can change what is done next.
fn decides(of: &RowStep) -> bool {
    let reads = matches!(of.verb, RowVerb::Read | RowVerb::ReadLocked);
    let expects = of.appended().is_some_and(|append| append.expect.is_some());
    reads || expects || of.verb == RowVerb::Insert || of.filter.is_some() || of.otherwise.is_some()
}
