//! Calls, their answers, timeouts and retries; replies.

use super::attempt::{Source, Wait};
use super::deed::{Deed, Way};
use super::identity::Cause;
use super::instance::Work;
use super::interpret::Flow;
use super::network::{Hop, Request};
use super::record::{Observer, Outcome, Record};
use super::region::may_retry;
use super::words::EMPTY;
use super::{Event, NOWHERE, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, Handle, RingId};
use crate::kernel::stream::DrawKey;
use crate::model::{Error, NONE, Pc};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    pub(super) fn call(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        self.world.attempts[attempt].pc = pc;
        let call = &self.model.calls[step as usize];
        let (figures, site) = (call.figures, call.site);
        let message = self.make_message(attempt, call.message, call.with, site)?;
        self.world.attempts[attempt].pc = pc;
        self.tell_issued(attempt, message, site, Way::Call);
        let of = &mut self.world.attempts[attempt];
        of.outgoing = message;
        of.step_tries = 0;
        of.last_wait = 0;
        self.record(Record::CallBegun { figures, attempt });
        self.try_call(attempt, step);
        Ok(Flow::Leave)
    }

    /// Sends a call, for the first time or again.
    pub(super) fn try_call(&mut self, attempt: u32, step: u32) {
        let model = self.model;
        let call = &model.calls[step as usize];
        if call.guard != NONE && !self.passes_guard(attempt, call.guard) {
            return self.hold_back(attempt, step);
        }
        self.world.stir += 1;
        self.record(Record::CallTried { figures: call.figures, attempt });
        let of = self.world.attempts.begin_wait(attempt, Wait::Call { step });
        let token = of.token;
        of.state.arrived = false;
        if let Some(hedge) = call.hedge {
            of.state.hedged = false;
            self.agenda.after_constant(RingId(hedge.ring), Event::Hedge { attempt, token });
        }
        let of = &mut self.world.attempts[attempt];
        of.timeout = self.agenda.after_constant(RingId(call.timeout.ring), Event::Timeout { attempt, token });
        let (message, tries) = (of.outgoing, of.step_tries);
        let (cause, item, region_tries) = (of.cause, of.item, of.tries);
        let draw = || cause.again(tries).attempt_key(item, region_tries);
        let target = self.route_to(call.service, &call.hops, draw, message);
        self.world.attempts[attempt].target = target.unwrap_or(NONE);
        let Some(instance) = target else {
            // The connection is refused: after one latency, the answer is no.
            let first = model.services[call.service.index()].first_instance;
            let hop = Hop { bytes: 0, ..self.hop_of_call(attempt, step, first, draw()) };
            let error = Error::Unavailable.code();
            return self.transmit(hop, Event::Refusal { attempt, token, error });
        };
        let of = &mut self.world.messages[message];
        of.references += 1;
        let of_message = of.cause;
        let main = if call.main.contains(of_message.origin()) { of_message } else { of_message.aside() };
        let epoch = self.world.instances[instance as usize].epoch;
        let cause = main.again(tries);
        let request =
            Request { caller: attempt, token, message, step, target: instance, epoch, cause, copies: 1 };
        let request = self.world.network.requests.add(request);
        let event = Event::Request { request };
        if !self.transmit_calmly(call.route, call.hops.there, draw, event) {
            let hop = self.hop_of_call(attempt, step, instance, draw());
            self.transmit(hop, event);
        }
    }

    /// A try that its guard holds back is turned away at once.
    #[cold]
    fn hold_back(&mut self, attempt: u32, step: u32) {
        let token = self.world.attempts.wait(attempt, Wait::Call { step });
        self.world.attempts[attempt].target = NONE;
        let event = Event::Refusal { attempt, token, error: Error::Rejected.code() };
        self.agenda.after(0, Class::Completion, event);
    }

    #[cold]
    pub(super) fn hop_of_call(&self, attempt: u32, step: u32, instance: u32, draw: DrawKey) -> Hop {
        let call = &self.model.calls[step as usize];
        Hop {
            route: call.route,
            latency: call.hops.there,
            trouble: call.hops.trouble,
            draw,
            from: self.region_of(attempt),
            to: self.model.instances[instance as usize].region,
            bytes: self.model.messages[call.message.index()].size_bytes,
            channel: None,
        }
    }

    /// A call reaches its instance.
    pub(super) fn request(&mut self, request: u32) {
        let target = self.world.network.requests[request].target;
        let here = &mut self.world.instances[target as usize];
        if here.is_full_and_paused() {
            return here.deferred.push(Event::Request { request });
        }
        let Request { caller, token, message, step, target, epoch, cause, .. } = self.take_request(request);
        let of = &mut self.world.attempts[caller];
        let waiting = of.token == token;
        let here = &self.world.instances[target as usize];
        if !here.up || here.epoch != epoch {
            self.release_message(message);
            if waiting {
                self.answer_error(target, step, caller, token, cause, Error::Unavailable);
            }
            return;
        }
        if waiting {
            of.state.arrived = true;
        }
        if self.refuses(target) {
            self.release_message(message);
            if waiting {
                self.answer_error(target, step, caller, token, cause, Error::Unavailable);
            }
            return;
        }
        if self.model.calls[step as usize].handler.0 == NONE {
            self.release_message(message);
            return self.answer_from(target, step, caller, token, cause, NONE);
        }
        self.enter(target, Work::Call { caller, token, message, step, cause });
    }

    pub(super) fn reply(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        let root = self.root_of(attempt);
        let of = &self.world.attempts[root];
        if of.state.replied {
            return Ok(Flow::Go(pc + 1));
        }
        // A reply to nobody (the same handler serves a topic, or a send) says nothing.
        let Source::Call { step: call, caller, token } = of.source else { return Ok(Flow::Go(pc + 1)) };
        let (instance, cause) = (of.instance, of.cause);
        let model = self.model;
        let reply = &model.replies[step as usize];
        let shape = &model.messages[reply.message.index()];
        // The first word says whose fields follow, for an answer that nobody waits for any more.
        let payload = self.world.words.allocate(shape.reply_fields + 1);
        self.world.answers += 1;
        self.world.words.set(payload, 0, reply.message.0 as u64);
        let assignments = &model.assignments[reply.with.indices()];
        if let Err(error) = self.assign(assignments, payload + 1, &shape.list_reply_fields, attempt) {
            self.free_answer(payload);
            return Err(error);
        }
        self.world.attempts[root].state.replied = true;
        self.answer_from(instance, call, caller, token, cause, payload);
        Ok(Flow::Go(pc + 1))
    }

    /// The attempt that a branch belongs to.
    pub(super) fn root_of(&self, attempt: u32) -> u32 {
        let mut at = attempt;
        while let Source::Branch { parent } = self.world.attempts[at].source {
            at = parent;
        }
        at
    }

    /// A handler that ends without a reply answers empty; one that fails, with its error.
    pub(super) fn answer_at_end(&mut self, attempt: u32, outcome: Outcome) {
        let of = &self.world.attempts[attempt];
        let Source::Call { step, caller, token } = of.source else { return };
        let (instance, cause) = (of.instance, of.cause);
        match outcome {
            Outcome::Well => self.answer_from(instance, step, caller, token, cause, NONE),
            Outcome::Error(error) => {
                self.answer_error(instance, step, caller, token, cause, error);
            }
            Outcome::Cut => {}
        }
    }

    fn answer_from(&mut self, instance: u32, step: u32, caller: u32, token: u32, cause: Cause, payload: u32) {
        self.answered(caller, token);
        self.send_back(instance, step, caller, cause, Event::Answer { attempt: caller, token, payload });
    }

    pub(super) fn answer_error(
        &mut self,
        instance: u32,
        step: u32,
        caller: u32,
        token: u32,
        cause: Cause,
        error: Error,
    ) {
        self.answered(caller, token);
        let event = Event::Refusal { attempt: caller, token, error: error.code() };
        self.send_back(instance, step, caller, cause, event);
    }

    /// An answer is on its way: a crash of the callee does not take it back.
    fn answered(&mut self, caller: u32, token: u32) {
        let of = &mut self.world.attempts[caller];
        if of.token == token {
            of.state.arrived = false;
        }
    }

    fn send_back(&mut self, instance: u32, step: u32, caller: u32, cause: Cause, event: Event) {
        let call = &self.model.calls[step as usize];
        let draw = || cause.attempt_key(1, 0);
        if self.transmit_calmly(call.back, call.hops.back, draw, event) {
            return;
        }
        let hop = Hop {
            route: call.back,
            latency: call.hops.back,
            trouble: call.hops.trouble_back,
            draw: draw(),
            from: self.model.instances[instance as usize].region,
            to: self.region_of(caller),
            bytes: self.model.messages[call.message.index()].size_bytes,
            channel: None,
        };
        self.transmit(hop, event);
    }

    /// An answer, or a confirmation, reaches who waits for it; too late, it is dropped.
    pub(super) fn answer(&mut self, attempt: u32, token: u32, payload: u32) {
        if !self.world.attempts.is_waiting(attempt, token) {
            return self.free_answer(payload);
        }
        if self.defer(attempt, Event::Answer { attempt, token, payload }) {
            return;
        }
        match self.world.attempts[attempt].wait {
            Wait::Call { step } => {
                let model = self.model;
                let call = &model.calls[step as usize];
                let shape = &model.messages[call.message.index()];
                if let Some(result) = call.result {
                    for field in 0..shape.reply_fields {
                        let is_list = shape.list_reply_fields.contains(&field);
                        // An empty answer has the fields' initial values.
                        let word = match payload {
                            NONE if is_list => EMPTY,
                            NONE => 0,
                            _ => self.world.words.get(payload + 1, field),
                        };
                        self.set_owned(attempt, result + field, word);
                    }
                }
                self.free_answer(payload);
                self.leaves_guard(attempt, call.guard, None);
                self.tell_told(attempt, Outcome::Well);
                self.end_wait(attempt);
                self.record(Record::CallEnded { figures: call.figures, attempt, outcome: Outcome::Well });
                let pc = self.world.attempts[attempt].pc;
                if self.unanswered(attempt, &call.unanswered) {
                    self.world.attempts[attempt].pc = pc + 1;
                    return self.go_on_at_this_instant(attempt);
                }
                self.proceed(attempt, Ok(pc + 1));
            }
            Wait::Confirm { step } => self.confirmed(attempt, step),
            _ => {}
        }
    }

    /// Frees the fields of an answer.
    pub(super) fn free_answer(&mut self, payload: u32) {
        if payload == NONE {
            return;
        }
        let model = self.model;
        let shape = &model.messages[self.world.words.get(payload, 0) as usize];
        for &list in &shape.list_reply_fields {
            let list = self.world.words.get(payload + 1, list);
            self.world.lists.release(list);
        }
        self.world.words.release(payload, shape.reply_fields + 1);
        self.world.answers -= 1;
    }

    /// An error instead of an answer.
    pub(super) fn refusal(&mut self, attempt: u32, token: u32, error: u32) {
        if !self.world.attempts.is_waiting(attempt, token) {
            return;
        }
        if self.defer(attempt, Event::Refusal { attempt, token, error }) {
            return;
        }
        // The other instance that was asked may still answer.
        if std::mem::replace(&mut self.world.attempts[attempt].state.hedged, false) {
            return;
        }
        self.step_failed(attempt, Error::from_code(error));
    }

    pub(super) fn timeout(&mut self, attempt: u32, token: u32) {
        if !self.world.attempts.is_waiting(attempt, token) {
            return;
        }
        if self.defer(attempt, Event::Timeout { attempt, token }) {
            return;
        }
        self.step_failed(attempt, Error::Timeout);
    }

    /// A call, publish or effect failed: it is tried again, or the error is the step's.
    pub(super) fn step_failed(&mut self, attempt: u32, error: Error) {
        let wait = self.world.attempts[attempt].wait;
        let model = self.model;
        if let Wait::Confirm { step } = wait
            && self.repeats_behind(attempt, step)
        {
            return;
        }
        let mut guard = NONE;
        let (retry, jitter, again) = match wait {
            Wait::Call { step } => {
                let call = &model.calls[step as usize];
                guard = call.guard;
                self.leaves_guard(attempt, guard, Some(error));
                (call.retry, call.jitter, Wait::CallAgain { step })
            }
            Wait::Confirm { step } => {
                let publish = &model.publishes[step as usize];
                (publish.retry, publish.jitter, Wait::ConfirmAgain { step })
            }
            Wait::Effect { step, .. } | Wait::EffectAnswer { step } => {
                let effect = &model.effects[step as usize];
                (effect.retry, effect.jitter, Wait::EffectAgain { step })
            }
            other => unreachable!("not tried again: {other:?}"),
        };
        self.end_timers(attempt);
        let of = &mut self.world.attempts[attempt];
        of.step_tries += 1;
        let (tries, last_wait) = (of.step_tries, of.last_wait);
        if retry != NONE
            && may_retry(&model.retries[retry as usize], tries, error)
            && self.takes_from_budget(attempt, guard)
        {
            let policy = &model.retries[retry as usize];
            let length = self.retry_wait(attempt, policy, jitter, tries, last_wait);
            let took = self.took_to_fail(wait, error);
            if let Some(kept) = policy.remember(last_wait, took, length) {
                self.send_is_overdue(attempt, wait);
                self.world.attempts[attempt].last_wait = kept;
                let token = self.world.attempts.wait(attempt, again);
                let pending = self.agenda.after(length, Class::Timer, Event::Resume { attempt, token });
                self.world.attempts[attempt].pending = pending;
                return;
            }
        }
        if let Wait::Call { step } = wait {
            let figures = model.calls[step as usize].figures;
            self.tell_told(attempt, Outcome::Error(error));
            self.record(Record::CallEnded { figures, attempt, outcome: Outcome::Error(error) });
        }
        if let Wait::Confirm { .. } = wait
            && self.world.attempts[attempt].instance == NOWHERE
        {
            // Who wanted it knows that the broker has not taken it in.
            self.tell_told(attempt, Outcome::Error(error));
        }
        self.end_wait(attempt);
        self.proceed(attempt, Err(error));
    }

    /// Who called knows how it went.
    fn tell_told(&mut self, attempt: u32, outcome: Outcome) {
        if self.observer.judges() {
            let message = self.world.attempts[attempt].outgoing;
            let obligation = self.world.messages[message].cause.obligation;
            let attempt = self.root_of(attempt);
            self.tell(&Deed::Told { attempt, obligation, outcome });
        }
    }

    #[inline]
    pub(super) fn end_timers(&mut self, attempt: u32) {
        let of = &mut self.world.attempts[attempt];
        self.agenda.cancel(std::mem::replace(&mut of.timeout, Handle::NONE));
        self.agenda.cancel(std::mem::replace(&mut of.pending, Handle::NONE));
    }

    /// A step that waited for an answer has one: its timers and its message are let go.
    pub(super) fn end_wait(&mut self, attempt: u32) {
        self.end_timers(attempt);
        let of = &mut self.world.attempts[attempt];
        of.token = 0;
        of.wait = Wait::Nothing;
        of.target = NONE;
        if of.state.sending {
            self.send_is_over(attempt);
        }
        self.send_is_settled(attempt);
        let of = &mut self.world.attempts[attempt];
        let outgoing = std::mem::replace(&mut of.outgoing, NONE);
        if outgoing != NONE {
            self.release_message(outgoing);
        }
    }

    /// Keeps an event for when the attempt's instance wakes.
    pub(super) fn defer(&mut self, attempt: u32, event: Event) -> bool {
        let instance = self.world.attempts[attempt].instance;
        if instance == NOWHERE || self.world.instances[instance as usize].paused == 0 {
            return false;
        }
        self.world.instances[instance as usize].deferred.push(event);
        true
    }
}
