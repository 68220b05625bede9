//! External effects: acts on the outside that cannot be rolled back. The other side carries out each
//! idempotency key once; it goes on with a request whose sender has given up waiting.

use super::attempt::{Source, StepResult, Wait};
use super::deed::{Deed, Part};
use super::identity::of_instance;
use super::interpret::Flow;
use super::record::{Observer, Record};
use super::words::Slab;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::{Class, RingId};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::messaging::Members;
use crate::model::{Error, NONE, Pc};
use rustc_hash::FxHashSet;

/// The outside.
#[derive(Clone, Default)]
pub struct Effects {
    /// Keys carried out, by effect.
    pub(super) done: FxHashSet<(EffectId, u64)>,
    /// How many keys there may be before it is seen which of them can still be asked with; 0: not known yet.
    pub(super) crowded: usize,
    requests: Slab<Request>,
}

/// A request to the outside that is under way.
#[derive(Clone, Copy)]
struct Request {
    effect: EffectId,
    key: Option<u64>,
    obligation: u64,
    /// What judges know it by.
    owed: u64,
    part: Part,
    attempt: u32,
    token: u32,
    second_half: Nanos,
}

impl Effects {
    /// Whether the outside would recognise a request.
    pub fn knows(&self, effect: EffectId, key: u64) -> bool {
        self.done.contains(&(effect, key))
    }

    /// How many keys it remembers.
    pub fn known(&self) -> usize {
        self.done.len()
    }

    /// The keys of requests under way.
    pub(super) fn asked(&self) -> impl Iterator<Item = u64> {
        self.requests.all().filter_map(|(_, request)| request.key)
    }

    /// Requests under way.
    pub fn under_way(&self) -> usize {
        self.requests.len()
    }

    /// Words that the keys take.
    pub fn kept(&self) -> usize {
        3 * self.done.len()
    }
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    pub(super) fn effect(&mut self, attempt: u32, pc: Pc, step: u32) -> Result<Flow, Error> {
        let of = &mut self.world.attempts[attempt];
        of.pc = pc;
        of.step_tries = 0;
        of.last_wait = 0;
        self.try_effect(attempt, step);
        Ok(Flow::Leave)
    }

    /// Asks the outside, for the first time or again.
    pub(super) fn try_effect(&mut self, attempt: u32, step: u32) {
        let model = self.model;
        let of = &model.effects[step as usize];
        let prepared = self.prepare_effect(attempt, step);
        self.drop_temporaries();
        let (length, key) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.end_wait(attempt);
                return self.proceed(attempt, Err(error));
            }
        };
        let token = self.world.attempts.wait(attempt, Wait::Nothing);
        if let Some(timeout) = of.timeout {
            let ring = RingId(timeout.ring);
            let timeout = self.agenda.after_constant(ring, Event::Timeout { attempt, token });
            self.world.attempts[attempt].timeout = timeout;
        }
        let asking = self.root_of(attempt);
        let (obligation, owed) = (self.world.attempts[attempt].cause.obligation, self.owed_by(asking));
        let second_half = length - length / 2;
        let part = self.part_of(attempt, of.site, of.once_per);
        let request = Request { effect: of.effect, key, obligation, owed, part, attempt, token, second_half };
        let request = self.world.effects.requests.add(request);
        self.tell(&Deed::EffectAsked { attempt: asking, obligation: owed });
        self.world.attempts[attempt].wait = Wait::Effect { step, request };
        self.later(length / 2, Class::Completion, Event::Effect { request });
    }

    fn prepare_effect(&mut self, attempt: u32, step: u32) -> Result<(Nanos, Option<u64>), Error> {
        let model = self.model;
        let of = &model.effects[step as usize];
        // A try's duration is its own.
        let tries = self.world.attempts[attempt].step_tries;
        let cause = self.world.attempts[attempt].cause;
        self.world.attempts[attempt].cause = cause.again(tries);
        let length = self.clock_length(of.takes, attempt);
        self.world.attempts[attempt].cause = cause;
        let key = match of.idempotency_key {
            Some(key) => Some(self.evaluate(key, attempt)?),
            None => None,
        };
        Ok((length?, key))
    }

    /// The outside acts.
    pub(super) fn effect_happens(&mut self, request: u32) {
        let Request { effect, key, obligation, owed, part, attempt, token, second_half } =
            self.world.effects.requests[request];
        self.world.effects.requests.release(request);
        if attempt == NONE {
            return;
        }
        self.world.stir += 1;
        let first = key.is_none_or(|key| self.world.effects.done.insert((effect, key)));
        self.record(Record::Effected { effect, first, obligation });
        let waiting = self.world.attempts.is_waiting(attempt, token);
        let asking = if waiting { self.root_of(attempt) } else { NONE };
        self.tell(&Deed::Effected { attempt: asking, obligation: owed, part, effect, first });
        if !waiting {
            return;
        }
        let Wait::Effect { step, .. } = self.world.attempts[attempt].wait else { return };
        self.world.attempts[attempt].wait = Wait::EffectAnswer { step };
        self.world.attempts[attempt].result = StepResult::Done;
        // The token stays: the timeout that runs is for the whole round trip.
        self.agenda.after(second_half, Class::Completion, Event::Resume { attempt, token });
        let model = self.model;
        self.unanswered(attempt, &model.effects[step as usize].unanswered);
    }

    pub(super) fn effect_answered(&mut self, attempt: u32) {
        self.end_wait(attempt);
        let pc = self.world.attempts[attempt].pc;
        self.proceed(attempt, Ok(pc + 1));
    }

    /// A request that an attempt waits for and that was less than half way when it was cut never arrives.
    /// One it had given up on is the outside's by then.
    pub(super) fn cut_requests(&mut self, attempt: u32) {
        if let Wait::Effect { request, .. } = self.world.attempts[attempt].wait {
            self.world.effects.requests[request].attempt = NONE;
            let obligation = self.world.effects.requests[request].owed;
            self.tell(&Deed::EffectGone { obligation });
        }
    }

    /// What a whole attempt is obliged to: in a group of which each instance has its own, that instance's.
    fn owed_by(&self, attempt: u32) -> u64 {
        let of = &self.world.attempts[attempt];
        let obligation = of.cause.obligation;
        match of.source {
            Source::Delivery { group, .. }
                if self.model.groups[group.index()].member.members == Members::EachAlone =>
            {
                of_instance(obligation, of.instance)
            }
            _ => obligation,
        }
    }
}
