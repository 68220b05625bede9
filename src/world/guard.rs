//! What holds calls back at the caller: circuit breakers, retry budgets and limits on calls in flight. Each
//! belongs to one calling instance and one service, lives in that instance's memory, and is new when it restarts.
//!
//! ```text
//!   closed ── `failures` of the last `of` tries failed ──► open ── `open` later ──► half open
//!      ▲                                                     ▲                          │
//!      └──────────────── `probes` tries went well ───────────┼──────────────────────────┤
//!                                                            └───────── one failed ─────┘
//! ```
//!
//! A try failed if it timed out, nobody was there, it was turned away, or the handler failed; a reason that the
//! handler gave, `exists`, `missing` and `conflict` are answers. A try that is held back is `rejected` at once
//! and counts for nothing.
//!
//! The budget starts empty. Each call adds its share of a retry, up to what ten retries need; each retry and
//! each hedge takes one. Where none is left the call ends with the error that it met.

use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::RingId;
use crate::kernel::time::SECOND;
use crate::model::{Breaker, Error, Model, NONE};
use std::collections::VecDeque;

/// What one retry takes from a budget.
const ONE_RETRY: u64 = SECOND;

/// What a budget saves up at most.
const MOST_SAVED: u64 = 10 * ONE_RETRY;

/// The guard of one instance's calls to one service.
#[derive(Clone, Debug, Default)]
pub struct GuardState {
    in_flight: u32,
    budget: u64,
    phase: Phase,
    /// Counts phases: what was begun in an earlier one says nothing about this one.
    era: u32,
    /// Of the last tries: whether each failed.
    failed: VecDeque<bool>,
    failures: u32,
    /// Half open: tries let through, and those of them that went well.
    probing: u32,
    succeeded: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Phase {
    #[default]
    Closed,
    Open,
    HalfOpen,
}

impl GuardState {
    pub fn all(model: &Model) -> Vec<Self> {
        vec![Self::default(); model.guard_states as usize]
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.era = self.era.wrapping_add(1);
        self.failed.clear();
        (self.failures, self.probing, self.succeeded) = (0, 0, 0);
    }

    /// Whether the breaker lets a try through.
    fn lets_through(&self, breaker: Option<Breaker>) -> bool {
        match (self.phase, breaker) {
            (Phase::Closed, _) | (_, None) => true,
            (Phase::Open, _) => false,
            (Phase::HalfOpen, Some(breaker)) => self.probing < breaker.probes,
        }
    }

    /// A try ended in this phase. Whether the breaker opens.
    fn note(&mut self, breaker: Breaker, has_failed: bool) -> bool {
        match self.phase {
            Phase::Closed => {
                self.failed.push_back(has_failed);
                self.failures += has_failed as u32;
                if self.failed.len() > breaker.of as usize {
                    self.failures -= self.failed.pop_front().unwrap_or(false) as u32;
                }
                self.failed.len() == breaker.of as usize && self.failures >= breaker.failures
            }
            Phase::HalfOpen if has_failed => true,
            Phase::HalfOpen => {
                self.succeeded += 1;
                if self.succeeded == breaker.probes {
                    self.enter(Phase::Closed);
                }
                false
            }
            Phase::Open => false,
        }
    }
}

/// Whether an error says that the callee is unwell.
fn is_failure(error: Error) -> bool {
    matches!(error, Error::Timeout | Error::Unavailable | Error::Rejected | Error::Failed)
}

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    fn guard_state(&self, attempt: u32, guard: u32) -> usize {
        let of = &self.model.guards[guard as usize];
        let number = match of.first_instance {
            NONE => 0,
            first => self.world.attempts[attempt].instance - first,
        };
        (of.first_state + number) as usize
    }

    /// Whether a try may set out; it counts as under way then.
    pub(super) fn passes_guard(&mut self, attempt: u32, guard: u32) -> bool {
        let state = self.guard_state(attempt, guard);
        let of = &self.model.guards[guard as usize];
        let is_first = self.world.attempts[attempt].step_tries == 0;
        let guard = &mut self.world.guards[state];
        if let Some(share) = of.budget.filter(|_| is_first) {
            guard.budget = (guard.budget + share).min(MOST_SAVED);
        }
        let passes = guard.in_flight < of.max_in_flight && guard.lets_through(of.breaker);
        if passes {
            guard.in_flight += 1;
            guard.probing += (guard.phase == Phase::HalfOpen) as u32;
        }
        let era = guard.era;
        let of = &mut self.world.attempts[attempt];
        (of.state.guarded, of.era) = (passes, era);
        passes
    }

    /// Takes a retry, or a hedge, from the budget of a call. Without a budget there is always one left.
    pub(super) fn takes_from_budget(&mut self, attempt: u32, guard: u32) -> bool {
        if guard == NONE || self.model.guards[guard as usize].budget.is_none() {
            return true;
        }
        let state = self.guard_state(attempt, guard);
        let guard = &mut self.world.guards[state];
        let is_left = guard.budget >= ONE_RETRY;
        if is_left {
            guard.budget -= ONE_RETRY;
        }
        is_left
    }

    /// A try has ended: with an error, or well (`None`).
    pub(super) fn leaves_guard(&mut self, attempt: u32, guard: u32, error: Option<Error>) {
        if guard == NONE || !std::mem::replace(&mut self.world.attempts[attempt].state.guarded, false) {
            return;
        }
        let state = self.guard_state(attempt, guard);
        let era = self.world.attempts[attempt].era;
        let of = &mut self.world.guards[state];
        of.in_flight -= 1;
        let Some(breaker) = self.model.guards[guard as usize].breaker.filter(|_| of.era == era) else {
            return;
        };
        if of.note(breaker, error.is_some_and(is_failure)) {
            of.enter(Phase::Open);
            let era = of.era;
            let event = Event::Breaker { state: state as u32, era };
            self.agenda.after_constant(RingId(breaker.open.ring), event);
        }
    }

    /// A breaker has been open long enough.
    pub(super) fn breaker_due(&mut self, state: u32, era: u32) {
        let of = &mut self.world.guards[state as usize];
        if of.era == era && of.phase == Phase::Open {
            of.enter(Phase::HalfOpen);
        }
    }

    /// A process is gone, and its guards with it.
    pub(super) fn forget_guards(&mut self, instance: u32) {
        let spec = &self.model.instances[instance as usize];
        let first = self.model.services[spec.service.index()].first_instance;
        for of in self.model.guards.iter().filter(|of| of.first_instance == first) {
            let state = &mut self.world.guards[(of.first_state + spec.number) as usize];
            let era = state.era.wrapping_add(1);
            *state = GuardState { era, ..GuardState::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RingLength;

    const BREAKER: Breaker =
        Breaker { failures: 2, of: 4, open: RingLength { ring: 0, length: 1 }, probes: 2 };

    #[test]
    fn a_breaker_opens_at_its_share_of_its_last_calls() {
        let mut guard = GuardState::default();
        let opens: Vec<bool> =
            [true, false, false, false, true, false, true].map(|failed| guard.note(BREAKER, failed)).into();
        assert_eq!(opens, [false, false, false, false, false, false, true], "one of four, then two of four");
    }

    #[test]
    fn half_open_it_lets_probes_through_and_closes_when_all_went_well() {
        let mut guard = GuardState::default();
        guard.enter(Phase::Open);
        assert!(!guard.lets_through(Some(BREAKER)));
        guard.enter(Phase::HalfOpen);
        for _ in 0..2 {
            assert!(guard.lets_through(Some(BREAKER)));
            guard.probing += 1;
        }
        assert!(!guard.lets_through(Some(BREAKER)));
        assert!(!guard.note(BREAKER, false) && !guard.note(BREAKER, false));
        assert_eq!(guard.phase, Phase::Closed);
        guard.enter(Phase::HalfOpen);
        assert!(guard.note(BREAKER, true), "one that fails opens it again");
    }
}
