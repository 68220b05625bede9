//! The interpreter: runs an attempt's operations until one of them takes time.

use super::attempt::{Source, State, StepResult, Wait};
use super::identity::mix;
use super::network::StoreLeg;
use super::record::{Observer, Outcome};
use super::words::EMPTY;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::time::Nanos;
use crate::model::{Duration, Error, Loop, NONE, Op, Pc, Slot};

/// Operations without time that an attempt does in one event, and the events that they count as towards
/// the budget of one instant.
const OPERATIONS_AT_ONCE: u32 = 1 << 16;
const EVENTS_FOR_OPERATIONS: u64 = 1 << 14;

/// Whether the interpreter goes on with the next operation of the same attempt.
pub(super) enum Flow {
    /// On to this operation.
    Go(Pc),
    /// The attempt waits, or is gone.
    Leave,
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Runs an attempt from where it stands.
    pub(super) fn run_attempt(&mut self, attempt: u32) {
        let pc = self.world.attempts[attempt].pc;
        self.run_from(attempt, pc);
    }

    /// Runs an attempt from an operation.
    pub(super) fn run_from(&mut self, attempt: u32, mut pc: Pc) {
        let mut left = OPERATIONS_AT_ONCE;
        loop {
            left -= 1;
            if left == 0 {
                // The loop may have no end: it comes back as an event, and is counted as many.
                self.events += EVENTS_FOR_OPERATIONS;
                self.world.attempts[attempt].pc = pc;
                return self.go_on_at_this_instant(attempt);
            }
            if self.observer.judges() {
                // Deeds say where in its code an attempt stands.
                self.world.attempts[attempt].pc = pc;
            }
            match self.operation(attempt, pc) {
                Ok(Flow::Go(next)) => pc = next,
                Ok(Flow::Leave) => return,
                Err(error) => {
                    self.world.attempts[attempt].pc = pc;
                    self.drop_temporaries();
                    match self.caught(attempt, pc, error) {
                        Flow::Go(next) => pc = next,
                        Flow::Leave => return,
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn operation(&mut self, attempt: u32, pc: Pc) -> Result<Flow, Error> {
        let model = self.model;
        match model.code[pc as usize] {
            Op::Work(duration) => self.work(attempt, pc, duration),
            Op::Wait(duration) => {
                let length = self.clock_length(duration, attempt)?;
                self.sleep(attempt, pc, length, Wait::Sleep);
                Ok(Flow::Leave)
            }
            Op::Let { slot, value } => {
                let word = self.value(value, attempt)?;
                self.set_owned(attempt, slot, word);
                self.drop_temporaries();
                self.tell_named(attempt, slot, value);
                Ok(Flow::Go(pc + 1))
            }
            Op::Jump(target) => Ok(Flow::Go(target)),
            Op::JumpUnless { condition, target } => {
                let holds = self.holds(condition, attempt)?;
                self.drop_temporaries();
                self.tell_decided(attempt, pc, holds);
                Ok(Flow::Go(if holds { pc + 1 } else { target }))
            }
            Op::Row(step) => self.row_step(attempt, pc, step),
            Op::Begin(region) => self.begin_transaction(attempt, pc, region),
            Op::Commit(region) => self.begin_commit(attempt, pc, region),
            Op::Enter(region) => Ok(self.enter_region(attempt, pc, region)),
            Op::Publish(step) => self.publish(attempt, pc, step),
            Op::Call(step) => self.call(attempt, pc, step),
            Op::Send(step) => self.send(attempt, pc, step),
            Op::Reply(step) => self.reply(attempt, pc, step),
            Op::Effect(step) => self.effect(attempt, pc, step),
            Op::After(step) => self.after(attempt, pc, step),
            Op::Saga(meeting) => self.meet_saga(attempt, pc, meeting),
            Op::Fork(step) => self.fork(attempt, pc, step),
            Op::ForEach(step) => self.for_each(attempt, pc, step),
            Op::Next(step) => Ok(Flow::Go(self.next_item(attempt, step))),
            Op::RestoreItem(slot) => {
                let item = if slot == Slot::MAX { 0 } else { self.local(attempt, slot) };
                self.world.attempts[attempt].item = item;
                Ok(Flow::Go(pc + 1))
            }
            Op::Watch(fault) => Ok(self.watched(attempt, pc + 1, fault)),
            Op::Acknowledge => {
                self.acknowledge_now(attempt);
                Ok(Flow::Go(pc + 1))
            }
            Op::Stop => self.stop(attempt, pc),
            Op::Fail(reason) => Err(Error::Reason(reason)),
        }
    }

    /// `stop`, or the end of the code: commits what is open, and ends well.
    fn stop(&mut self, attempt: u32, pc: Pc) -> Result<Flow, Error> {
        if self.world.attempts[attempt].transaction.is_some() {
            let region = self.transaction_region(pc);
            self.world.attempts[attempt].state.stopping = true;
            return self.begin_commit(attempt, pc, region);
        }
        self.end_or_store(attempt, Outcome::Well);
        Ok(Flow::Leave)
    }

    fn work(&mut self, attempt: u32, pc: Pc, duration: Duration) -> Result<Flow, Error> {
        let length = self.step_length(duration, attempt)?;
        if self.needs_cpu(attempt) && !self.take_cpu(attempt, pc, length) {
            return Ok(Flow::Leave);
        }
        self.sleep(attempt, pc, length, Wait::Work);
        Ok(Flow::Leave)
    }

    /// Waits on the attempt's own instance; a pause holds it up.
    #[inline(always)]
    pub(super) fn sleep(&mut self, attempt: u32, pc: Pc, length: Nanos, wait: Wait) {
        let of = self.world.attempts.begin_wait(attempt, wait);
        of.pc = pc;
        let event = Event::Resume { attempt, token: of.token };
        of.pending = self.agenda.after(length, Class::Completion, event);
    }

    /// A round trip that takes effect in its middle.
    pub(super) fn round_trip(&mut self, attempt: u32, pc: Pc, half: Nanos, wait: Wait) {
        self.world.attempts[attempt].pc = pc;
        let half = self.slowed(attempt, half).saturating_add(self.store_leg(attempt, StoreLeg::There));
        let token = self.world.attempts.wait(attempt, wait);
        self.carry_statement(attempt, StoreLeg::There, half, Event::Midpoint { attempt, token });
    }

    /// The second half of a round trip.
    pub(super) fn return_trip(&mut self, attempt: u32, half: Nanos, wait: Wait, result: StepResult) {
        self.world.attempts[attempt].result = result;
        let half = self.slowed(attempt, half).saturating_add(self.store_leg(attempt, StoreLeg::Back));
        let token = self.world.attempts.wait(attempt, wait);
        self.carry_statement(attempt, StoreLeg::Back, half, Event::Resume { attempt, token });
    }

    /// What an attempt waited for on its own instance is over.
    #[inline]
    pub(super) fn resume(&mut self, attempt: u32, token: u32) {
        if self.world.network.is_disturbed() && self.is_store_answer_held(attempt, token) {
            return;
        }
        let of = &mut self.world.attempts[attempt];
        if of.token != token {
            return;
        }
        if let Some(paused) = self.world.instances.get_mut(of.instance as usize)
            && paused.paused > 0
        {
            return paused.deferred.push(Event::Resume { attempt, token });
        }
        let wait = std::mem::replace(&mut of.wait, Wait::Nothing);
        of.token = 0;
        of.pending = Handle::NONE;
        match wait {
            Wait::Choking => self.end_attempt(attempt, Outcome::Error(Error::Failed)),
            Wait::Work => {
                let next = of.pc + 1;
                if of.state.cpu {
                    self.release_cpu(attempt);
                }
                self.run_from(attempt, next);
            }
            Wait::Sleep => {
                let next = of.pc + 1;
                self.run_from(attempt, next);
            }
            Wait::Cpu => {
                let (pc, length) = (of.pc, of.last_wait);
                self.sleep(attempt, pc, length, Wait::Work);
            }
            // These begin their operation again, or go on where a region says.
            Wait::Connection | Wait::Region { .. } | Wait::Nothing => self.run_attempt(attempt),
            Wait::RowAnswer { step } => self.row_answered(attempt, step),
            Wait::Quorum { step } => self.ask_quorum_again(attempt, step),
            Wait::CommitAnswer { region } => self.commit_answered(attempt, region),
            Wait::StoreAnswer { .. } => self.timer_stored(attempt),
            Wait::SagaAnswer { meeting } => self.saga_answered(attempt, meeting),
            Wait::OutboxAnswer { .. } => self.outbox_answered(attempt),
            Wait::EffectAnswer { .. } => self.effect_answered(attempt),
            Wait::CallAgain { step } => self.try_call(attempt, step),
            Wait::ConfirmAgain { step } => self.try_publish(attempt, step),
            Wait::EffectAgain { step } => self.try_effect(attempt, step),
            other => unreachable!("not resumed: {other:?}"),
        }
    }

    /// Whether what is to resume is a store's answer that a split holds back.
    fn is_store_answer_held(&mut self, attempt: u32, token: u32) -> bool {
        let of = &self.world.attempts[attempt];
        let answers = matches!(
            of.wait,
            Wait::RowAnswer { .. }
                | Wait::CommitAnswer { .. }
                | Wait::StoreAnswer { .. }
                | Wait::SagaAnswer { .. }
                | Wait::OutboxAnswer { .. }
        );
        let paused = self.world.instances.get(of.instance as usize).is_some_and(|here| here.paused > 0);
        of.token == token
            && answers
            && !paused
            && self.held_from_store(attempt, StoreLeg::Back, Event::Resume { attempt, token })
    }

    /// A round trip's middle: it takes effect wherever the other side is.
    pub(super) fn midpoint(&mut self, attempt: u32, token: u32) {
        if !self.world.attempts.is_waiting(attempt, token) {
            return;
        }
        let event = Event::Midpoint { attempt, token };
        if self.held_from_store(attempt, StoreLeg::There, event) {
            return;
        }
        if self.lacks_answers(attempt) {
            return self.hold_statement(event);
        }
        if self.world.store_troubles > 0 {
            let store = self.store_of(attempt);
            if !self.world.stores[store].condition.is_well() {
                return self.arrives_in_trouble(attempt, token, store);
            }
        }
        // The store has crashed and is back: it does not know the connection, nor the transaction.
        if self.world.attempts[attempt].state.reset {
            return self.refuse_statement(attempt);
        }
        match self.world.attempts[attempt].wait {
            Wait::Row { step } => self.row_arrives(attempt, step),
            Wait::QuorumWrite { step } => self.quorum_acknowledges(attempt, step),
            Wait::Commit { region } => self.commit_arrives(attempt, region),
            Wait::Store { after } => self.timer_arrives(attempt, after),
            Wait::Saga { meeting } => self.saga_arrives(attempt, meeting),
            Wait::Outbox { step } => self.outbox_arrives(attempt, step),
            other => unreachable!("no round trip: {other:?}"),
        }
    }

    /// Lets the attempt go on with an error, or with the operation after the one in hand.
    pub(super) fn proceed(&mut self, attempt: u32, result: Result<Pc, Error>) {
        let pc = self.world.attempts[attempt].pc;
        match result {
            Ok(next) => self.run_from(attempt, next),
            Err(error) => {
                if let Flow::Go(next) = self.caught(attempt, pc, error) {
                    self.run_from(attempt, next);
                }
            }
        }
    }

    /// Sets a local; one that owns a list lets the old one go.
    pub(super) fn set_owned(&mut self, attempt: u32, slot: Slot, word: u64) {
        let handler = self.world.attempts[attempt].handler;
        let model = self.model;
        let lists = &model.handlers[handler as usize].lists;
        if lists.is_empty() || !lists.contains(&slot) {
            return self.set_local(attempt, slot, word);
        }
        let word = self.own_list(word);
        let old = self.local(attempt, slot);
        self.world.lists.release(old);
        self.set_local(attempt, slot, word);
    }

    /// Gives an attempt a frame of its handler's size, which is not 0.
    pub(super) fn give_frame(&mut self, attempt: u32) {
        let handler = &self.model.handlers[self.world.attempts[attempt].handler as usize];
        let frame = self.world.words.allocate(handler.words);
        for &list in &handler.lists {
            self.world.words.set(frame, list, EMPTY);
        }
        let of = &mut self.world.attempts[attempt];
        of.frame = frame;
        of.state.owns_frame = true;
    }

    /// A copy of an attempt's frame, lists included, at least as long as another handler's.
    pub(super) fn copy_frame(&mut self, attempt: u32, handler: u32) -> u32 {
        let of = &self.world.attempts[attempt];
        let (frame, from) = (of.frame, &self.model.handlers[of.handler as usize]);
        let to = &self.model.handlers[handler as usize];
        let words = from.words.min(to.words);
        let copy = self.world.words.copy(frame, words, to.words);
        for &list in &to.lists {
            let of_old = if list < words && from.lists.contains(&list) {
                self.world.words.get(copy, list)
            } else {
                EMPTY
            };
            let own = self.world.lists.duplicate(of_old);
            self.world.words.set(copy, list, own);
        }
        copy
    }

    pub(super) fn free_frame(&mut self, frame: u32, handler: u32) {
        if frame == NONE {
            return;
        }
        let model = self.model;
        let handler = &model.handlers[handler as usize];
        for &list in &handler.lists {
            let list = self.world.words.get(frame, list);
            self.world.lists.release(list);
        }
        self.world.words.release(frame, handler.words);
    }

    fn fork(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        let model = self.model;
        let fork = &model.forks[step as usize];
        if fork.branches.is_empty() {
            return Ok(Flow::Go(fork.next));
        }
        self.begin_branches(attempt, pc, fork.running, fork.error, fork.branches.len());
        for &branch in &fork.branches {
            let frame = self.world.attempts[attempt].frame;
            let item = self.world.attempts[attempt].item;
            self.start_branch(attempt, branch, frame, State::ALIVE, item);
        }
        Ok(Flow::Leave)
    }

    fn begin_branches(&mut self, attempt: u32, pc: Pc, running: Slot, error: Slot, count: usize) {
        self.world.attempts[attempt].pc = pc;
        self.world.attempts.wait(attempt, Wait::Branches);
        self.set_local(attempt, running, count as u64);
        self.set_local(attempt, error, 0);
    }

    /// Starts a branch; it runs at once, up to where it first waits.
    fn start_branch(&mut self, parent: u32, pc: Pc, frame: u32, state: State, item: u64) {
        let of = self.world.attempts[parent].clone();
        let source = Source::Branch { parent };
        let branch = self.world.attempts.add(of.handler, pc, of.instance, of.message, of.cause, source);
        let new = &mut self.world.attempts[branch];
        (new.frame, new.item, new.tries, new.state) = (frame, item, of.tries, state);
        if of.message != NONE {
            self.world.messages[of.message].references += 1;
        }
        let token = self.world.attempts.wait(branch, Wait::Nothing);
        self.agenda.after(0, Class::Completion, Event::Resume { attempt: branch, token });
    }

    fn for_each(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        let model = self.model;
        let of = &model.loops[step as usize];
        self.begin_loop(attempt, of)?;
        match of.parallel {
            None => Ok(Flow::Go(self.next_item(attempt, step))),
            Some(at_most) => {
                let stride = item_stride(of) as usize;
                let list = self.local(attempt, of.list_slot);
                let items = self.world.lists.get(list).len() / stride;
                if items == 0 {
                    return Ok(Flow::Go(of.next));
                }
                let first = items.min(at_most as usize);
                self.begin_branches(attempt, pc, of.running, of.error, first);
                (0..first).for_each(|_| self.branch_off_item(attempt, step));
                Ok(Flow::Leave)
            }
        }
    }

    /// Takes the list of a loop, and stands before its first item.
    pub(super) fn begin_loop(&mut self, attempt: u32, of: &Loop) -> Result<(), Error> {
        let list = self.evaluate(of.list, attempt)?;
        let list = self.own_list(list);
        self.drop_temporaries();
        let old = self.local(attempt, of.list_slot);
        self.world.lists.release(old);
        self.set_local(attempt, of.list_slot, list);
        self.set_local(attempt, of.position, 0);
        let outer = self.world.attempts[attempt].item;
        self.set_local(attempt, of.outer_identity, outer);
        Ok(())
    }

    /// Whether a loop has items that nobody has taken up.
    pub(super) fn items_left(&self, attempt: u32, of: &Loop) -> bool {
        let list = self.local(attempt, of.list_slot);
        let position = self.local(attempt, of.position) as usize;
        position * (item_stride(of) as usize) < self.world.lists.get(list).len()
    }

    /// Starts the branch of the next item, on a copy of the frame.
    fn branch_off_item(&mut self, attempt: u32, step: u32) {
        let model = self.model;
        let of = &model.loops[step as usize];
        let identity = self.load_item(attempt, step);
        let handler = self.world.attempts[attempt].handler;
        // The branch has its item; the list stays with the loop.
        let list = self.local(attempt, of.list_slot);
        self.set_local(attempt, of.list_slot, EMPTY);
        let frame = self.copy_frame(attempt, handler);
        self.set_local(attempt, of.list_slot, list);
        self.start_branch(attempt, of.body, frame, State { owns_frame: true, ..State::ALIVE }, identity);
    }

    /// Loads the next item into the frame and gives its identity.
    pub(super) fn load_item(&mut self, attempt: u32, step: u32) -> u64 {
        let model = self.model;
        let of = &model.loops[step as usize];
        let list = self.local(attempt, of.list_slot);
        let position = self.local(attempt, of.position);
        self.set_local(attempt, of.position, position + 1);
        let stride = item_stride(of) as usize;
        let start = position as usize * stride;
        let outer = self.local(attempt, of.outer_identity);
        let frame = self.world.attempts[attempt].frame;
        let items = self.world.lists.get(list);
        let identity = match of.rows_of {
            None => {
                self.world.words.set(frame, of.item, items[start]);
                mix(outer, items[start]) | 1
            }
            Some(table) => {
                self.world.words.set(frame, of.item, 1);
                for column in 0..stride {
                    self.world.words.set(frame, of.item + 1 + column as u16, items[start + column]);
                }
                let key = &model.tables[table.index()].key;
                key.iter().fold(outer, |hash, column| mix(hash, items[start + *column as usize])) | 1
            }
        };
        self.world.words.set(frame, of.identity, identity);
        identity
    }

    /// The next item of a loop, or on behind it.
    pub(super) fn next_item(&mut self, attempt: u32, step: u32) -> Pc {
        let model = self.model;
        let of = &model.loops[step as usize];
        if !self.items_left(attempt, of) {
            let list = self.local(attempt, of.list_slot);
            self.world.lists.release(list);
            self.set_local(attempt, of.list_slot, EMPTY);
            self.world.attempts[attempt].item = self.local(attempt, of.outer_identity);
            return of.next;
        }
        let identity = self.load_item(attempt, step);
        self.world.attempts[attempt].item = identity;
        of.body
    }

    /// A branch has ended: the next item starts, or the parent goes on when it was the last.
    pub(super) fn branch_ended(&mut self, parent: u32, outcome: Outcome) {
        let of = &self.world.attempts[parent];
        if !of.state.alive || of.wait != Wait::Branches {
            return;
        }
        let pc = of.pc;
        let model = self.model;
        let (running, error, next) = match model.code[pc as usize] {
            Op::Fork(step) => {
                let fork = &model.forks[step as usize];
                (fork.running, fork.error, fork.next)
            }
            Op::ForEach(step) => {
                let each = &model.loops[step as usize];
                if self.items_left(parent, each) {
                    self.note_branch_error(parent, each.error, outcome);
                    return self.branch_off_item(parent, step);
                }
                (each.running, each.error, each.next)
            }
            other => unreachable!("no branches: {other:?}"),
        };
        self.note_branch_error(parent, error, outcome);
        let left = self.local(parent, running) - 1;
        self.set_local(parent, running, left);
        if left > 0 {
            return;
        }
        let failed = self.local(parent, error);
        self.world.attempts[parent].token = 0;
        self.world.attempts[parent].wait = Wait::Nothing;
        let result = if failed == 0 { Ok(next) } else { Err(Error::from_code(failed as u32)) };
        self.proceed(parent, result);
    }

    /// The first error of a branch is the step's.
    fn note_branch_error(&mut self, parent: u32, slot: Slot, outcome: Outcome) {
        if let Outcome::Error(error) = outcome
            && self.local(parent, slot) == 0
        {
            self.set_local(parent, slot, error.code() as u64);
        }
    }
}

/// Words of an item in the list: a row without `exists`.
fn item_stride(of: &Loop) -> u16 {
    if of.rows_of.is_some() { of.item_words - 1 } else { of.item_words }
}
