//! Sagas: processes that a service takes through their steps, and back if one fails.
//!
//! Where a saga stands is a row of the service's store: it changes at a commit, and everything else about
//! it can be lost. Each of its steps is a durable timer that fires at once: on any instance that is up, at least
//! once, until its end is stored. An instance that crashes within a step leaves it to another, which runs it
//! again from its beginning. Between steps a saga holds no worker.
//!
//! ```text
//!            a reason, `failed`, `rejected` …: nothing was done     ► undo the earlier steps, the last one first
//!   do k ──┤ `timeout`, `unavailable`, no answer in time: in doubt  ► undo this one too, unless `on_timeout: skip`
//!            the end, and the message it awaits                     ► do k + 1
//! ```
//!
//! An undo that fails is tried again after a second, until the drain ends. Sagas that have ended stay known by
//! their keys: a second start is ignored, and an answer that comes too late still undoes its step, if it is to.

mod volatile;

pub use volatile::Standing;

use super::attempt::{Source, StepResult, Wait};
use super::deed::{Deed, Part, SagaStage};
use super::identity::Cause;
use super::interpret::Flow;
use super::record::{Observer, Outcome};
use super::timer::Timer;
use super::words::{EMPTY, Slab};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Error, Late, NONE, OnTimeout, Pc, Told, Word};
use rustc_hash::FxHashMap;

/// All sagas, under way and ended.
#[derive(Clone, Default)]
pub struct Sagas {
    all: Slab<Saga>,
    /// By saga of the model and key.
    known: FxHashMap<(SagaId, Word), u32>,
}

/// One saga.
#[derive(Clone)]
pub struct Saga {
    of: SagaId,
    key: Word,
    /// The message that started it, and the values of its locals as they were stored last.
    message: u32,
    frame: u32,
    cause: Cause,
    stage: SagaStage,
    step: u16,
    /// What carries it on; `NONE` once it has ended.
    timer: u32,
    /// What came of the step in hand before it waited for it.
    early: Option<Answer>,
    /// Steps that it gave up waiting for, by bit; and those to be undone once more.
    doubtful: u64,
    again: u64,
    /// It has told how it ended.
    has_ended: bool,
    /// Changes of it that its store may forget.
    unsettled: u32,
}

/// What a saga's step was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Success,
    Failure,
}

impl Sagas {
    /// Words kept, of those that have ended too.
    pub fn kept(&self) -> usize {
        self.known.len() * (std::mem::size_of::<Saga>() / 8 + 4)
    }

    /// Those of one kind, in no order that means anything: the message that started each, where it stands and at which
    /// of its steps.
    pub fn of(&self, saga: SagaId) -> impl Iterator<Item = (u32, SagaStage, u16)> {
        let all = self.all.all().map(|(_, of)| of).filter(move |of| of.of == saga);
        all.map(|of| (of.message, of.stage, of.step))
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// The message in hand goes to the store to meet the saga of its key.
    pub(super) fn meet_saga(&mut self, attempt: u32, pc: Pc, meeting: u32) -> Result<Flow, Error> {
        self.world.attempts[attempt].pc = pc;
        let of = &self.model.saga_meetings[meeting as usize];
        let key = self.evaluate(of.key, attempt);
        self.drop_temporaries();
        key?;
        let length = self.step_length(of.write, attempt)? + self.step_length(of.commit, attempt)?;
        self.world.attempts[attempt].result = StepResult::Done;
        self.world.attempts[attempt].last_wait = length - length / 2;
        self.round_trip(attempt, pc, length / 2, Wait::Saga { meeting });
        Ok(Flow::Leave)
    }

    /// Whether the message in hand would start a saga, which is not known yet.
    pub(super) fn would_start(&mut self, attempt: u32, meeting: u32) -> Result<bool, Error> {
        let of = &self.model.saga_meetings[meeting as usize];
        let key = self.evaluate(of.key, attempt)?;
        Ok(of.told == Told::Start && !self.world.sagas.known.contains_key(&(of.saga, key)))
    }

    /// The end of an attempt; of a saga's step, on its way to be stored.
    #[inline]
    pub(super) fn end_or_store(&mut self, attempt: u32, outcome: Outcome) {
        if let Source::Timer { timer } = self.world.attempts[attempt].source
            && self.stores_its_end(timer, outcome)
        {
            return self.store_step(attempt, timer, outcome);
        }
        self.end_attempt(attempt, outcome);
    }

    /// Whether an end of a timer's attempt moves a saga on: what fails behind the steps is tried again.
    fn stores_its_end(&self, timer: u32, outcome: Outcome) -> bool {
        let saga = self.world.timers[timer].saga;
        saga != NONE && {
            let of = &self.world.sagas.all[saga];
            of.timer == timer && (outcome == Outcome::Well || of.stage == SagaStage::Doing)
        }
    }

    #[cold]
    fn store_step(&mut self, attempt: u32, timer: u32, outcome: Outcome) {
        let model = self.model;
        let of = &model.sagas[self.world.sagas.all[self.world.timers[timer].saga].of.index()];
        if self.world.attempts[attempt].holds_store() {
            self.roll_back(attempt);
        }
        let mut length = |duration| match self.step_length(duration, attempt) {
            Ok(length) => length,
            Err(_) => unreachable!("a store's latency is not calculated"),
        };
        let length = length(of.write) + length(of.commit);
        let attempt_state = &mut self.world.attempts[attempt];
        attempt_state.result = match outcome {
            Outcome::Error(error) => StepResult::Error(error),
            _ => StepResult::Done,
        };
        attempt_state.last_wait = length - length / 2;
        let pc = attempt_state.pc;
        self.round_trip(attempt, pc, length / 2, Wait::Saga { meeting: NONE });
    }

    /// The middle of the round trip: the saga's row changes.
    pub(super) fn saga_arrives(&mut self, attempt: u32, meeting: u32) {
        self.world.stir += 1;
        match meeting {
            NONE => self.step_stored(attempt),
            meeting => self.met(attempt, meeting),
        }
        let of = &self.world.attempts[attempt];
        let (half, result) = (of.last_wait, of.result);
        self.return_trip(attempt, half, Wait::SagaAnswer { meeting }, result);
    }

    pub(super) fn saga_answered(&mut self, attempt: u32, meeting: u32) {
        let of = &self.world.attempts[attempt];
        match (meeting, of.result) {
            (NONE, StepResult::Error(error)) => self.end_attempt(attempt, Outcome::Error(error)),
            (NONE, _) => self.end_attempt(attempt, Outcome::Well),
            (_, StepResult::Error(error)) => self.proceed(attempt, Err(error)),
            _ => {
                let pc = of.pc;
                self.proceed(attempt, Ok(pc + 1));
            }
        }
    }

    fn met(&mut self, attempt: u32, meeting: u32) {
        let model = self.model;
        let of = &model.saga_meetings[meeting as usize];
        let key = match self.evaluate(of.key, attempt) {
            Ok(key) => key,
            Err(_) => unreachable!("the key had a value when the message set out"),
        };
        self.drop_temporaries();
        let known = self.world.sagas.known.get(&(of.saga, key)).copied();
        match (of.told, known) {
            (Told::Start, None) => self.start_saga(attempt, meeting, key),
            (Told::Start, Some(_)) | (_, None) => {}
            (Told::Success(step), Some(saga)) => self.answered_saga(attempt, saga, step, Answer::Success),
            (Told::Failure(step), Some(saga)) => self.answered_saga(attempt, saga, step, Answer::Failure),
        }
    }

    fn start_saga(&mut self, attempt: u32, meeting: u32, key: Word) {
        let model = self.model;
        let meeting = &model.saga_meetings[meeting as usize];
        let of = &model.sagas[meeting.saga.index()];
        let layout = &model.handlers[of.layout.index()];
        let frame = self.world.words.allocate(layout.words);
        for &list in &layout.lists {
            self.world.words.set(frame, list, EMPTY);
        }
        let message = self.world.attempts[attempt].message;
        self.world.messages[message].references += 1;
        let cause = self.issued(attempt, meeting.site).aside();
        let part = self.part(attempt, meeting.site);
        let saga = self.world.sagas.all.add(Saga {
            of: meeting.saga,
            key,
            message,
            frame,
            cause,
            stage: SagaStage::Doing,
            step: 0,
            timer: NONE,
            early: None,
            doubtful: 0,
            again: 0,
            has_ended: false,
            unsettled: 0,
        });
        self.world.sagas.known.insert((meeting.saga, key), saga);
        self.note_beginning(saga);
        self.enter_stage(attempt, saga, SagaStage::Doing, 0, Some(part));
    }

    /// A step's end has reached the store.
    fn step_stored(&mut self, attempt: u32) {
        let Source::Timer { timer } = self.world.attempts[attempt].source else {
            unreachable!("a saga's step is started by a timer")
        };
        let saga = self.world.timers[timer].saga;
        self.note_standing(saga);
        self.keep_locals(attempt, saga);
        let model = self.model;
        let of = &mut self.world.sagas.all[saga];
        let (stage, step) = (of.stage, of.step);
        let early = of.early.take();
        let result = self.world.attempts[attempt].result;
        let spec = &model.sagas[of.of.index()].steps
            [usize::from(step).min(model.sagas[of.of.index()].steps.len() - 1)];
        match (stage, result) {
            (SagaStage::Doing, StepResult::Error(error)) => {
                self.tell_step_refused(attempt);
                let in_doubt = matches!(error, Error::Timeout | Error::Unavailable);
                self.undo_from(attempt, saga, step, in_doubt);
            }
            (SagaStage::Doing, _) => match (spec.awaits, early) {
                (Some(_), None) => self.enter_stage(attempt, saga, SagaStage::Awaiting, step, None),
                (Some(_), Some(Answer::Failure)) => self.undo_from(attempt, saga, step, false),
                _ => self.do_next(attempt, saga, step + 1),
            },
            (SagaStage::Undoing, _) => self.undo_below(attempt, saga, step),
            _ => self.end_saga(attempt, saga),
        }
    }

    /// An answer that the saga waits for, has not begun to wait for, or has given up waiting for.
    fn answered_saga(&mut self, attempt: u32, saga: u32, step: u16, answer: Answer) {
        let model = self.model;
        self.note_standing(saga);
        let of = &mut self.world.sagas.all[saga];
        match of.stage {
            SagaStage::Doing if of.step == step => {
                of.early.get_or_insert(answer);
            }
            SagaStage::Awaiting if of.step == step => match answer {
                Answer::Success => self.do_next(attempt, saga, step + 1),
                Answer::Failure => self.undo_from(attempt, saga, step, false),
            },
            _ if answer == Answer::Success && of.doubtful >> step & 1 == 1 => {
                of.doubtful &= !(1 << step);
                let spec = &model.sagas[of.of.index()].steps[usize::from(step)];
                let is_undone = spec.awaits.is_some_and(|awaits| awaits.late == Late::Undo);
                if is_undone && spec.undo.0 != NONE {
                    of.again |= 1 << step;
                    if of.timer == NONE {
                        self.undo_below(attempt, saga, 0);
                    }
                }
            }
            _ => {}
        }
    }

    /// Nobody has answered in time.
    pub(super) fn saga_timed_out(&mut self, saga: u32) {
        self.world.stir += 1;
        self.note_standing(saga);
        let of = &mut self.world.sagas.all[saga];
        let step = of.step;
        of.doubtful |= 1 << step;
        self.undo_from(NONE, saga, step, true);
    }

    /// A step came to nothing, or nobody knows.
    fn undo_from(&mut self, attempt: u32, saga: u32, step: u16, in_doubt: bool) {
        let of = &self.world.sagas.all[saga];
        let spec = &self.model.sagas[of.of.index()].steps[usize::from(step)];
        let itself = in_doubt && spec.on_timeout == OnTimeout::Undo;
        self.undo_below(attempt, saga, step + itself as u16);
    }

    fn do_next(&mut self, attempt: u32, saga: u32, step: u16) {
        let spec = &self.model.sagas[self.world.sagas.all[saga].of.index()];
        if usize::from(step) < spec.steps.len() {
            self.enter_stage(attempt, saga, SagaStage::Doing, step, None);
        } else if spec.completed.0 != NONE {
            self.enter_stage(attempt, saga, SagaStage::Completing, step, None);
        } else {
            self.world.sagas.all[saga].stage = SagaStage::Completing;
            self.end_saga(attempt, saga);
        }
    }

    /// The last step below this one that can be undone is undone next; then those that were done after all.
    fn undo_below(&mut self, attempt: u32, saga: u32, step: u16) {
        let of = &mut self.world.sagas.all[saga];
        let spec = &self.model.sagas[of.of.index()];
        let below = (0..step).rev().find(|&step| spec.steps[usize::from(step)].undo.0 != NONE);
        let next = below.or_else(|| {
            let late = (of.again != 0).then(|| of.again.trailing_zeros() as u16)?;
            of.again &= !(1 << late);
            // It alone is undone once more, and not what lies below it.
            Some(late | ONCE_MORE)
        });
        match next {
            Some(step) => self.enter_stage(attempt, saga, SagaStage::Undoing, step, None),
            None if spec.compensated.0 != NONE && !of.has_ended => {
                self.enter_stage(attempt, saga, SagaStage::Compensating, 0, None);
            }
            None => {
                of.stage = SagaStage::Compensating;
                self.end_saga(attempt, saga);
            }
        }
    }

    /// A saga begins with something else: a timer of its own carries it on.
    fn enter_stage(&mut self, attempt: u32, saga: u32, stage: SagaStage, step: u16, part: Option<Part>) {
        let model = self.model;
        let once_more = step & ONCE_MORE != 0;
        let step = step & !ONCE_MORE;
        let of = &mut self.world.sagas.all[saga];
        // Undone once more, it is as if nothing lay below it.
        (of.stage, of.step, of.early) = (stage, if once_more { 0 } else { step }, None);
        let (before, message, cause, id, key) = (of.timer, of.message, of.cause, of.of, of.key);
        let spec = &model.sagas[id.index()];
        let at = spec.steps.get(usize::from(step));
        let (body, oblige, delay): (HandlerId, u64, Option<Nanos>) = match (stage, at) {
            (SagaStage::Doing, Some(at)) => (at.body, at.key, Some(0)),
            (SagaStage::Awaiting, Some(at)) => {
                (HandlerId(NONE), at.await_key, at.awaits.and_then(|awaits| awaits.timeout))
            }
            (SagaStage::Undoing, Some(at)) => (at.undo, at.undo_key, Some(0)),
            (SagaStage::Completing, _) => (spec.completed, spec.completed_key, Some(0)),
            _ => (spec.compensated, spec.compensated_key, Some(0)),
        };
        let cause = cause.child(oblige, once_more as u64);
        let frame = match body.0 {
            NONE => NONE,
            _ => self.copy_saga_frame(saga),
        };
        if message != NONE {
            self.world.messages[message].references += 1;
        }
        let timer =
            self.world.timers.add(Timer::of_saga(saga, spec.service, (body, cause), (message, frame), delay));
        self.world.sagas.all[saga].timer = timer;
        if self.observer.judges() {
            let told = if attempt == NONE { NONE } else { self.root_of(attempt) };
            let deed =
                Deed::SagaMoved { attempt: told, saga, of: id, key, stage, step, timer, before, cause, part };
            self.tell(&deed);
        }
        if delay.is_some() {
            self.start_timer(timer);
        }
        self.let_await_go(before);
    }

    /// A timer that only waited is gone when its saga goes on; one whose attempt runs, when that ends.
    fn let_await_go(&mut self, timer: u32) {
        if timer != NONE && self.world.timers[timer].body.0 == NONE {
            self.stop_timer(timer);
        }
    }

    fn end_saga(&mut self, attempt: u32, saga: u32) {
        let of = &mut self.world.sagas.all[saga];
        let completed = of.stage == SagaStage::Completing;
        let again = of.again != 0;
        (of.stage, of.has_ended) = (SagaStage::Ended, true);
        let timer = std::mem::replace(&mut of.timer, NONE);
        let (id, key) = (of.of, of.key);
        self.tell(&Deed::SagaEnded { saga, of: id, key, completed });
        self.let_await_go(timer);
        if again {
            return self.undo_below(attempt, saga, 0);
        }
        self.let_ended_go(saga);
    }

    /// Whether a timer is a saga's that waits for an answer.
    pub(super) fn awaiting_saga(&self, timer: u32) -> Option<u32> {
        let of = &self.world.timers[timer];
        (of.saga != NONE && of.body.0 == NONE).then_some(of.saga)
    }

    /// Whether what a timer was for is stored as done.
    pub(super) fn is_step_done(&self, timer: u32) -> bool {
        let saga = self.world.timers[timer].saga;
        saga != NONE && self.world.sagas.all[saga].timer != timer
    }

    fn tell_step_refused(&mut self, attempt: u32) {
        let attempt = self.root_of(attempt);
        self.tell(&Deed::SagaStepRefused { attempt });
    }
}

/// Beside the number of a step: it is undone once more, by itself.
const ONCE_MORE: u16 = 1 << 15;
