//! Regions of a handler's code: where an error goes, and when a group of steps is tried again.

use super::attempt::Wait;
use super::identity::mix;
use super::interpret::Flow;
use super::record::{Observer, Outcome};
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::ids::StreamId;
use crate::kernel::stream::DrawKey;
use crate::kernel::time::Nanos;
use crate::model::{Error, NONE, Pc, Retry, Slot};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Enters a region: its tries are counted from here.
    pub(super) fn enter_region(&mut self, attempt: u32, pc: Pc, region: u32) -> Flow {
        let region = &self.model.regions[region as usize];
        let (tries, last_wait) = (region.tries, region.last_wait);
        self.set_local(attempt, tries, 0);
        self.set_local(attempt, last_wait, 0);
        Flow::Go(pc + 1)
    }

    /// Finds what an error at an operation leads to: another try, a `catch`, or the attempt's end.
    pub(super) fn caught(&mut self, attempt: u32, pc: Pc, error: Error) -> Flow {
        let model = self.model;
        let mut at = model.region_of[pc as usize];
        while at != NONE {
            let region = &model.regions[at as usize];
            if region.transaction.is_some() {
                self.roll_back(attempt);
            }
            if region.retry != NONE
                && let Some(wait) = self.region_wait(attempt, at, error)
            {
                let item = if region.item == Slot::MAX { 0 } else { self.local(attempt, region.item) };
                self.world.attempts[attempt].item = item;
                self.world.attempts[attempt].pc = region.first;
                let token = self.world.attempts.wait(attempt, Wait::Region { region: at });
                let pending = self.agenda.after(wait, Class::Timer, Event::Resume { attempt, token });
                self.world.attempts[attempt].pending = pending;
                return Flow::Leave;
            }
            let case = region.catches.iter().find(|case| case.error.is_none_or(|caught| caught == error));
            if let Some(case) = case {
                return Flow::Go(case.target);
            }
            at = region.parent;
        }
        self.world.attempts[attempt].pc = pc;
        self.end_or_store(attempt, Outcome::Error(error));
        Flow::Leave
    }

    /// The region of the transaction that an operation stands in.
    pub(super) fn transaction_region(&self, pc: Pc) -> u32 {
        let mut at = self.model.region_of[pc as usize];
        while self.model.regions[at as usize].transaction.is_none() {
            at = self.model.regions[at as usize].parent;
        }
        at
    }

    /// How long a region waits before its next try, if it has one left for this error.
    fn region_wait(&mut self, attempt: u32, at: u32, error: Error) -> Option<Nanos> {
        let model = self.model;
        let region = &model.regions[at as usize];
        let retry = &model.retries[region.retry as usize];
        let tries = self.local(attempt, region.tries) as u32 + 1;
        if !may_retry(retry, tries, error) {
            return None;
        }
        self.set_local(attempt, region.tries, tries as u64);
        let last_wait = self.local(attempt, region.last_wait);
        let wait = self.retry_wait(attempt, retry, region.jitter, tries, last_wait);
        self.set_local(attempt, region.last_wait, wait);
        let of = &mut self.world.attempts[attempt];
        of.tries = mix(of.tries as u64, (at as u64) << 32 | tries as u64) as u32 | 1;
        Some(wait)
    }

    /// The wait before try `tries + 1`.
    pub(super) fn retry_wait(
        &mut self,
        attempt: u32,
        retry: &Retry,
        jitter: StreamId,
        tries: u32,
        last_wait: Nanos,
    ) -> Nanos {
        let uniform = match jitter.0 {
            NONE => 0.0,
            _ => {
                let of = &self.world.attempts[attempt];
                let key = DrawKey::hashed(mix(of.cause.thread, of.item), of.cause.repeat, of.tries);
                self.uniform(jitter, key.beside(tries))
            }
        };
        retry.wait(tries, last_wait, uniform)
    }
}

/// Whether `tries` done tries leave another one for this error.
pub(super) fn may_retry(retry: &Retry, tries: u32, error: Error) -> bool {
    retry.admits(error) && retry.attempts.is_none_or(|attempts| tries < attempts)
}
