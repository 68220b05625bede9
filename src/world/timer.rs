//! Timers: what `after` starts later, on a copy of the frame.
//!
//! In memory, a timer is gone with its instance. A durable one is stored with the enclosing commit
//! and fires at least once, on any instance that is up; it is removed when its attempt ends well.

use super::attempt::{StepResult, Wait};
use super::commit::TransactionEnd;
use super::condition::Beside;
use super::deed::Deed;
use super::identity::Cause;
use super::instance::Work;
use super::interpret::Flow;
use super::record::{Observer, Outcome};
use super::{Event, NOWHERE, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle};
use crate::kernel::ids::*;
use crate::kernel::time::{Nanos, SECOND};
use crate::model::{AfterStep, Error, NONE, Pc};

/// A durable timer whose attempt failed, or that found nobody up, fires again after this long.
const FIRE_AGAIN: Nanos = SECOND;

/// One timer.
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    pub body: HandlerId,
    pub cause: Cause,
    pub message: u32,
    /// Block of the frame's copy, with the layout of the body.
    frame: u32,
    delay: Nanos,
    service: ServiceId,
    /// The instance and its life, of timers in memory.
    memory: Option<(u32, u32)>,
    /// The attempt whose transaction has yet to commit it.
    uncommitted: u32,
    fired: u32,
    /// Names the event that makes it fire, until it does.
    due: Handle,
    /// The saga that it carries on, or `NONE`.
    pub saga: u32,
    /// The user who set it, or `NONE`.
    pub user: u32,
    /// It fires at this instant, which cannot be called off.
    is_coming: bool,
    /// What it has started has not ended.
    is_under_way: bool,
    /// Its store has forgotten that it was set.
    is_forgotten: bool,
    /// Changes that its store may forget, and that would bring it back.
    pub kept: u32,
}

impl Timer {
    /// The timer of a saga's step; without a delay it waits for ever.
    pub fn of_saga(
        saga: u32,
        service: ServiceId,
        (body, cause): (HandlerId, Cause),
        (message, frame): (u32, u32),
        delay: Option<Nanos>,
    ) -> Self {
        Self {
            body,
            cause,
            message,
            frame,
            delay: delay.unwrap_or(0),
            service,
            memory: None,
            uncommitted: NONE,
            fired: 0,
            due: Handle::NONE,
            saga,
            user: NONE,
            is_coming: false,
            is_under_way: false,
            is_forgotten: false,
            kept: 0,
        }
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    pub(super) fn after(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        self.world.attempts[attempt].pc = pc;
        let model = self.model;
        let of = &model.afters[step as usize];
        let delay = self.clock_length(of.delay, attempt)?;
        let cause = self.issued(attempt, of.site);
        let from = &self.world.attempts[attempt];
        let (instance, message) = (from.instance, from.message);
        let epoch = self.world.instances.get(instance as usize).map_or(0, |here| here.epoch);
        let service = match instance {
            NOWHERE => ServiceId(NONE),
            _ => model.instances[instance as usize].service,
        };
        let user = self.user_of(attempt);
        let frame = self.copy_frame(attempt, of.body.0);
        if message != NONE {
            self.world.messages[message].references += 1;
        }
        let timer = self.world.timers.add(Timer {
            body: of.body,
            cause,
            message,
            frame,
            delay,
            service,
            memory: of.durable.is_none().then_some((instance, epoch)),
            uncommitted: NONE,
            fired: 0,
            due: Handle::NONE,
            saga: NONE,
            user,
            is_coming: false,
            is_under_way: false,
            is_forgotten: false,
            kept: 0,
        });
        self.tell_timer_set(attempt, timer, of);
        let Some(times) = of.durable else {
            self.start_timer(timer);
            return Ok(Flow::Go(pc + 1));
        };
        self.world.timers[timer].uncommitted = attempt;
        self.world.attempts[attempt].state.timers = true;
        if self.world.attempts[attempt].transaction.is_some() {
            return Ok(Flow::Go(pc + 1));
        }
        let length = self.step_length(times.commit, attempt)?;
        self.world.attempts[attempt].last_wait = length - length / 2;
        self.round_trip(attempt, pc, length / 2, Wait::Store { after: step });
        Ok(Flow::Leave)
    }

    fn tell_timer_set(&mut self, attempt: u32, timer: u32, step: &AfterStep) {
        if self.observer.judges() {
            let (part, cause) = (self.part(attempt, step.site), self.world.timers[timer].cause);
            let (attempt, durable) = (self.root_of(attempt), step.durable.is_some());
            self.tell(&Deed::TimerSet { attempt, timer, cause, durable, part });
        }
    }

    pub(super) fn start_timer(&mut self, timer: u32) {
        let delay = self.world.timers[timer].delay;
        let due = self.agenda.after(delay, Class::Timer, Event::Timer { timer });
        let of = &mut self.world.timers[timer];
        (of.due, of.is_coming) = (due, due == Handle::NONE);
    }

    /// Whether timers in an instance's memory are still to fire.
    pub(super) fn has_timers(&self, instance: u32) -> bool {
        let is_here = |timer: &Timer| timer.memory.is_some_and(|(at, _)| at == instance);
        self.world.timers.all().any(|(_, timer)| timer.due != Handle::NONE && is_here(timer))
    }

    /// An instance has crashed: timers in its memory will not fire.
    pub(super) fn forget_timers(&mut self, instance: u32) {
        if self.world.timers.len() == 0 {
            return;
        }
        let lost = |(_, timer): &(u32, &Timer)| {
            timer.due != Handle::NONE && timer.memory.is_some_and(|(at, _)| at == instance)
        };
        let lost: Vec<(u32, Handle)> =
            self.world.timers.all().filter(lost).map(|(slot, timer)| (slot, timer.due)).collect();
        for (timer, due) in lost {
            self.agenda.cancel(due);
            self.remove_timer(timer);
        }
    }

    /// A durable timer outside a transaction reaches the store.
    pub(super) fn timer_arrives(&mut self, attempt: u32, after: u32) {
        self.store_timers(attempt, TransactionEnd::Committed);
        let store = self.store_of(attempt);
        self.commit_beside(store);
        self.tell_transaction_ended(attempt, TransactionEnd::Committed);
        let half = self.world.attempts[attempt].last_wait;
        self.return_trip(attempt, half, Wait::StoreAnswer { after }, StepResult::Done);
    }

    pub(super) fn timer_stored(&mut self, attempt: u32) {
        let of = &self.world.attempts[attempt];
        let answer = match of.result {
            StepResult::Error(error) => Err(error),
            _ => Ok(of.pc + 1),
        };
        self.proceed(attempt, answer);
    }

    /// A transaction has ended: its timers run from now, or never were.
    pub(super) fn store_timers(&mut self, attempt: u32, end: TransactionEnd) {
        if !std::mem::take(&mut self.world.attempts[attempt].state.timers) {
            return;
        }
        let timers = self.world.timers.all();
        let own: Vec<u32> =
            timers.filter(|(_, timer)| timer.uncommitted == attempt).map(|(slot, _)| slot).collect();
        for timer in own {
            self.world.timers[timer].uncommitted = NONE;
            match end {
                TransactionEnd::Committed => {
                    self.start_timer(timer);
                    if let Some(store) = self.forgetful_store(self.world.timers[timer].service) {
                        self.keep_beside(store, Beside::TimerSet { timer });
                    }
                }
                TransactionEnd::RolledBack => self.remove_timer(timer),
            }
        }
    }

    /// A timer fires.
    pub(super) fn timer_due(&mut self, timer: u32) {
        let of = &mut self.world.timers[timer];
        of.due = Handle::NONE;
        let was_coming = std::mem::take(&mut of.is_coming);
        if was_coming && (self.world.timers[timer].is_forgotten || self.is_step_done(timer)) {
            return self.let_timer_go(timer);
        }
        if let Some(saga) = self.awaiting_saga(timer) {
            return self.saga_timed_out(saga);
        }
        let of = self.world.timers[timer];
        match of.memory {
            Some((NOWHERE, _)) => self.fire_on_client(timer),
            Some((instance, epoch)) => {
                let here = &mut self.world.instances[instance as usize];
                if here.epoch != epoch || !here.up {
                    return self.remove_timer(timer);
                }
                if here.paused > 0 {
                    here.deferred.push(Event::Timer { timer });
                    return;
                }
                self.enter(instance, Work::Timer { timer });
            }
            None => {
                let spec = &self.model.services[of.service.index()];
                // Sagas are spread over the instances; other timers go to the first.
                let turn =
                    if of.saga == NONE { 0 } else { (of.cause.obligation % spec.instances as u64) as u32 };
                let mut instances =
                    (0..spec.instances).map(|at| spec.first_instance + (at + turn) % spec.instances);
                let up = |&instance: &u32| {
                    let here = &self.world.instances[instance as usize];
                    here.takes_calls() && here.paused == 0
                };
                match instances.find(up) {
                    Some(instance) => {
                        let of = &mut self.world.timers[timer];
                        (of.fired, of.is_under_way) = (of.fired + 1, true);
                        self.enter(instance, Work::Timer { timer });
                    }
                    None => self.fire_again(timer),
                }
            }
        }
    }

    /// A client has no workers: its timers' bodies just run.
    fn fire_on_client(&mut self, timer: u32) {
        let of = self.world.timers[timer];
        let pc = self.model.handlers[of.body.index()].entry;
        let source = super::attempt::Source::Timer { timer };
        let attempt = self.world.attempts.add(of.body.0, pc, NOWHERE, NONE, of.cause, source);
        self.tell_begun(attempt);
        self.take_timer_frame(attempt, timer);
        self.run_attempt(attempt);
    }

    /// What an attempt that a timer starts is for.
    pub(super) fn begin_timer(&mut self, timer: u32) -> (HandlerId, Cause, u32) {
        let of = self.world.timers[timer];
        if of.message != NONE {
            self.world.messages[of.message].references += 1;
        }
        (of.body, of.cause.again(of.fired.saturating_sub(1)), of.message)
    }

    /// Gives an attempt its own copy of the timer's frame.
    pub(super) fn take_timer_frame(&mut self, attempt: u32, timer: u32) {
        let of = self.world.timers[timer];
        self.world.attempts[attempt].frame = of.frame;
        let copy = self.copy_frame(attempt, of.body.0);
        let new = &mut self.world.attempts[attempt];
        new.frame = copy;
        new.state.owns_frame = true;
    }

    pub(super) fn timer_ended(&mut self, timer: u32, outcome: Outcome) {
        let of = &mut self.world.timers[timer];
        of.is_under_way = false;
        let (durable, is_forgotten) = (of.memory.is_none(), of.is_forgotten);
        if durable && !is_forgotten && outcome != Outcome::Well && !self.is_step_done(timer) {
            return self.fire_again(timer);
        }
        if durable && !is_forgotten && self.world.timers[timer].saga == NONE {
            self.keep_done(timer);
        }
        self.let_timer_go(timer);
    }

    fn fire_again(&mut self, timer: u32) {
        let due = self.agenda.after(FIRE_AGAIN, Class::Timer, Event::Timer { timer });
        self.world.timers[timer].due = due;
    }

    /// A timer is done with; a store that may forget that keeps it.
    fn keep_done(&mut self, timer: u32) {
        if let Some(store) = self.forgetful_store(self.world.timers[timer].service) {
            self.world.timers[timer].kept += 1;
            self.keep_beside(store, Beside::TimerDone { timer });
            self.commit_beside(store);
        }
    }

    /// A timer is not needed, unless it is under way or may come back.
    fn let_timer_go(&mut self, timer: u32) {
        let of = &self.world.timers[timer];
        if of.kept == 0 && !of.is_under_way && !of.is_coming {
            self.remove_timer(timer);
        }
    }

    /// A change that would have brought a timer back is durable, or has done so.
    pub(super) fn is_kept_no_more(&mut self, timer: u32) {
        if timer == NONE {
            return;
        }
        self.world.timers[timer].kept -= 1;
        let of = &self.world.timers[timer];
        let carries_on = of.saga != NONE && !self.is_step_done(timer);
        if of.due == Handle::NONE && !carries_on {
            self.let_timer_go(timer);
        }
    }

    /// A timer is back: if it is not still under way it fires again, or waits once more for as long as at first.
    pub(super) fn resume_timer(&mut self, timer: u32) {
        if timer == NONE {
            return;
        }
        let of = &self.world.timers[timer];
        if of.is_under_way || of.is_coming || of.due != Handle::NONE {
            return;
        }
        match of.body.0 {
            // One that waits for ever never fires.
            NONE if of.delay == 0 => {}
            NONE => self.start_timer(timer),
            _ => self.fire_again(timer),
        }
    }

    /// A store has forgotten that a timer was done: it fires again.
    pub(super) fn timer_is_back(&mut self, timer: u32) {
        self.world.timers[timer].kept -= 1;
        self.fire_again(timer);
    }

    /// A store has forgotten that a timer was set.
    pub(super) fn forget_timer(&mut self, timer: u32) {
        self.world.timers[timer].is_forgotten = true;
        self.stop_timer(timer);
    }

    /// A timer that waited for a worker when its instance crashed.
    pub(super) fn timer_cut(&mut self, timer: u32) {
        self.timer_ended(timer, Outcome::Cut);
    }

    /// A timer is not needed any more, whether it was to fire or not.
    pub(super) fn stop_timer(&mut self, timer: u32) {
        if timer != NONE {
            let due = std::mem::replace(&mut self.world.timers[timer].due, Handle::NONE);
            self.agenda.cancel(due);
            self.let_timer_go(timer);
        }
    }

    fn remove_timer(&mut self, timer: u32) {
        self.tell(&Deed::TimerGone { timer });
        let of = self.world.timers[timer];
        self.free_frame(of.frame, of.body.0);
        if of.message != NONE {
            self.release_message(of.message);
        }
        // A freed slot must not look like one that waits for a commit, or to fire.
        self.world.timers[timer].uncommitted = NONE;
        self.world.timers[timer].due = Handle::NONE;
        self.world.timers[timer].saga = NONE;
        self.world.timers.release(timer);
    }
}
