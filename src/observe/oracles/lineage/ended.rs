//! Attempts that end: whether their obligation is done, or what of it is left undone.

use super::Lineage;
use super::attempt::{AttemptState, StagedIssue};
use super::ledger::{EntryId, Kind};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::time::Nanos;
use crate::model::NONE;
use crate::world::deed::{Deed, EndsOn, Part, Served};
use crate::world::record::Outcome;

impl Lineage<'_> {
    /// What was left undone; without any, the obligation is done.
    ///
    /// What it would have skipped because an earlier attempt had begun it is still owed.
    ///
    /// What would have stopped at another obligation's mark is not done: it was taken for that other one.
    pub(super) fn cut(&mut self, now: Nanos, deed: &Deed<'_>) {
        let &Deed::Cut { attempt, at, debt, resumes, ends_on } = deed else { return };
        let Some(state) = self.attempts.get(attempt).filter(|state| !state.from_client) else { return };
        let (entry, resumed) = (state.entry, state.resumed);
        debt.iter().for_each(|part| self.owe_for_value(now, entry, at, *part));
        let Some(state) = self.attempts.get(attempt) else { return };
        let is_stopped = match ends_on {
            EndsOn::AnothersRow(table) => self.uses.writes(state.handler, table),
            EndsOn::Local(slot) => state.is_guard(&[slot]),
            EndsOn::Other => false,
        };
        let is_first = |issue: &&StagedIssue| issue.is_first;
        let given_up: Vec<Part> =
            state.staged_issues.iter().filter(is_first).map(|issue| issue.part).collect();
        let of = &mut self.ledger[entry];
        if !resumes && !resumed {
            of.debt.clear();
        }
        for part in debt.iter().filter(|part| !part.is_of_value) {
            // A message that was sent in the transaction that is given up is there; an outbox row is not.
            let is_there = !given_up.contains(part)
                && of.effects.iter().any(|effect| effect.part == *part && effect.net > 0);
            if !is_there && !of.debt.contains(part) {
                of.debt.push(*part);
            }
        }
        let is_owed = !of.debt.is_empty();
        of.cut_at = at;
        of.swallowed |= is_stopped && !is_owed && !of.has_left() && !of.marked && !of.done;
        if is_stopped {
            self.expose(Anomaly::Swallowed);
        }
        if is_owed {
            self.expose(Anomaly::TornEffects);
            self.expose(Anomaly::LostEffects);
        }
        if matches!(self.ledger[entry].kind, Kind::Call) {
            self.expose(Anomaly::AcknowledgedLoss);
        }
    }

    /// Of a cut whose remainder is too long to be run dry nobody knows whether it left something undone.
    pub(super) fn debt_unknown(&mut self) {
        for anomaly in
            [Anomaly::LostEffects, Anomaly::TornEffects, Anomaly::MixedEffects, Anomaly::AcknowledgedLoss]
        {
            self.finding(anomaly).unsettled += 1;
        }
    }

    pub(super) fn ended(&mut self, now: Nanos, attempt: u32, outcome: Outcome) {
        self.forget_reads(attempt);
        // Taken out while it is looked at; nothing of this asks for another attempt.
        let mut attempts = std::mem::take(&mut self.attempts);
        if let Some(state) = attempts.end(attempt) {
            self.close(now, state, outcome);
        }
        self.attempts = attempts;
        self.settle_released(now);
    }

    /// What an attempt that has ended leaves.
    fn close(&mut self, now: Nanos, state: &AttemptState, outcome: Outcome) {
        let entry = state.entry;
        self.give_up_staged(now, state);
        match outcome {
            Outcome::Well => self.ended_well(entry, state),
            // A crash without debt came after the last effect.
            Outcome::Cut => {
                let of = &mut self.ledger[entry];
                of.done |= of.debt.is_empty();
            }
            // A delivery comes again. Whoever else ends with an error did what there was to do, if it did
            // anything and nothing is left.
            Outcome::Error(_) if matches!(state.served, Served::Delivery { .. }) => {
                self.expose(Anomaly::Parked);
            }
            Outcome::Error(_) => {
                let of = &mut self.ledger[entry];
                of.done |= of.debt.is_empty() && of.has_left();
            }
        }
        self.ledger.release(entry, now);
    }

    fn ended_well(&mut self, entry: EntryId, state: &AttemptState) {
        let excluded = |part: &Part| state.excluded.contains(&part.site);
        let of = &self.ledger[entry];
        let guarded = state.guarded && state.added.is_empty();
        if of.done && state.added.is_empty() {
            // Of one that was cut before it came to the guard, that had nothing left to do because of the same mark.
            let is_done_by_cut = of.cut_at != NONE && !of.has_left();
            self.ledger[entry].swallowed |= guarded && is_done_by_cut;
            return;
        }
        // Its store has forgotten since what it did: it does not know, and whoever it tells believes it.
        let is_there = |part: &Part| of.effects.iter().any(|effect| effect.part == *part && effect.net > 0);
        let is_gone = |part: &Part| state.came_by.contains(part) && !excluded(part) && !is_there(part);
        if of.forgotten && of.debt.iter().any(is_gone) {
            return;
        }
        let earlier =
            of.effects.iter().filter(|effect| effect.net > 0 && effect.by != state.number && !effect.past);
        let left: Vec<Part> = earlier.map(|effect| effect.part).collect();
        let came_by_all = left.iter().all(|part| state.came_by.contains(part));
        let (done, mixed) = if !state.resumed {
            (came_by_all, !came_by_all)
        } else {
            let paid = of.debt.iter().all(excluded);
            let spoiled = left.iter().any(|part| excluded(part) && !state.came_by.contains(part));
            let beyond = match of.cut_at {
                NONE => !state.added.is_empty(),
                at => {
                    let reachable = self.reachable(at);
                    state.added.iter().any(|part| !reachable.contains(&part.site))
                }
            };
            (paid && !spoiled && !beyond, beyond || paid && spoiled)
        };
        let of = &mut self.ledger[entry];
        of.mixed |= mixed && (of.has_left());
        if done {
            of.done = true;
            of.swallowed = guarded && !of.has_left();
            of.debt.clear();
            of.cut_at = NONE;
        }
    }
}
