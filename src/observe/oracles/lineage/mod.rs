//! Lineage: the ground truth of what ought to happen once, and what became of it.
//!
//! An *obligation* is what ought to happen once, however often it is tried: an intent, and what every
//! attempt issues, to every group and callee that it goes to. An *effect* is one part of its work,
//! committed: a change of a row that matters, a message accepted, an act on the outside. The world carries
//! obligations where the modelled system cannot see them, so that neither an idempotent write nor a
//! deduplicated redelivery is ever taken for a fault.
//!
//! # Settling
//!
//! An attempt that does not come to its last step is *cut*; what its remainder, run dry, would still have
//! changed is *debt*. An attempt *resumes* if a decision of it read what an earlier attempt of its
//! obligation wrote; else it is *fresh*. An obligation is done when an attempt is cut without debt; when a
//! fresh one ends and came by all that was left behind; or when a resumed one ends and the debt is paid,
//! nothing was added that the cut could not have reached, and a decision on others' data excluded at most
//! debt. When nothing carries it any more, nor an ancestor that could issue it again, it is settled:
//!
//! | nothing is left behind | lost |
//! | something is, and debt is unpaid | torn |
//! | what is left, no single execution leaves together | mixed |
//! | a group set it aside | parked |
//!
//! ```text
//! inventory/OrderPlaced: read handled, update stock, ✂ — insert handled
//!   attempt 1  came by update#1: net 1; cut without debt (a mark is no effect): done
//!   attempt 2  fresh (it read no row that attempt 1 wrote), update#1 changes again: net 2, a duplicate
//! ```

mod attempt;
mod dated;
mod decisions;
mod duplicates;
mod ledger;
mod messages;
mod settle;
mod undo;

use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE, Pc};
use crate::observe::findings::{Finding, Sighting};
use crate::world::deed::{Deed, Part, Served};
use crate::world::identity::mix;
use crate::world::record::{Observer, Outcome, Record};
use attempt::{AttemptState, BySlot};
use ledger::{EntryId, Kind, Ledger};
use messages::MessageState;
use rustc_hash::{FxHashMap, FxHashSet};
use undo::Undoables;

pub use dated::Dated;
pub use settle::Sum;

/// Most that is kept of an obligation that is watched.
const MOST_SIGHTINGS: usize = 64;

/// The oracle of idempotency: duplicates, losses and everything between.
pub struct Lineage<'m> {
    model: &'m Model,
    ledger: Ledger,
    attempts: BySlot<AttemptState>,
    /// Attempts that have ended, whose room the next ones take over.
    room: Vec<AttemptState>,
    messages: BySlot<MessageState>,
    timers: BySlot<EntryId>,
    /// Ticks of each job that are held, newest last.
    ticks: Vec<Vec<(u64, EntryId)>>,
    findings: Vec<Finding>,
    /// How obligations ended.
    sum: Sum,
    /// When what was found happened.
    dated: Dated,
    /// What may be reached from a place.
    reach: FxHashMap<Pc, FxHashSet<SiteId>>,
    /// The sites of row changes that must follow a place.
    changes_follow: FxHashMap<Pc, Vec<SiteId>>,
    undoables: Undoables,
    drain_began: Nanos,
    last_settled: Nanos,
    watched: Option<u64>,
    sightings: Vec<(Anomaly, Sighting)>,
}

impl<'m> Lineage<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            ledger: Ledger::default(),
            attempts: BySlot::default(),
            room: Vec::new(),
            messages: BySlot::default(),
            timers: BySlot::default(),
            ticks: vec![Vec::new(); model.jobs.len()],
            findings: vec![Finding::default(); Anomaly::ALL.len()],
            sum: Sum::default(),
            dated: Dated::new(model.run.horizon),
            reach: FxHashMap::default(),
            changes_follow: FxHashMap::default(),
            undoables: Undoables::new(&model.undoes),
            drain_began: 0,
            last_settled: 0,
            watched: None,
            sightings: Vec::new(),
        }
    }

    /// Keeps everything that is seen to go wrong with one obligation, up to a bound, not just what is first.
    pub fn watch(&mut self, obligation: u64) {
        self.watched = Some(obligation);
    }

    /// What has been seen of the obligation that is watched.
    pub fn sightings(&self) -> &[(Anomaly, Sighting)] {
        &self.sightings
    }

    /// What was found: one finding for each measure, in the order of [`Anomaly::ALL`]; those that are not
    /// about idempotency are empty. With it how obligations ended, and when what was found happened.
    pub fn finish(self) -> (Vec<Finding>, Sum, Dated) {
        (self.findings, self.sum, self.dated)
    }

    /// Obligations that can still be worked on.
    pub fn open(&self) -> usize {
        self.ledger.len()
    }

    fn finding(&mut self, anomaly: Anomaly) -> &mut Finding {
        &mut self.findings[anomaly.index()]
    }

    fn expose(&mut self, anomaly: Anomaly) {
        self.finding(anomaly).exposures += 1;
    }

    fn sight(&mut self, anomaly: Anomaly, at: Nanos, obligation: u64, what: impl FnOnce(&Model) -> String) {
        let model = self.model;
        self.dated.count(anomaly, at);
        if self.watched == Some(obligation) && self.sightings.len() < MOST_SIGHTINGS {
            let sighting = Sighting { at, obligation, what: what(model) };
            self.sightings.push((anomaly, sighting.clone()));
            self.finding(anomaly).count(|| sighting);
            return;
        }
        self.finding(anomaly).count(|| Sighting { at, obligation, what: what(model) });
    }

    fn begun(&mut self, now: Nanos, deed: &Deed<'_>) {
        let &Deed::AttemptBegun { attempt, handler, instance, cause, served, message } = deed else { return };
        let obligation = match served {
            Served::Delivery { group, .. } => self.share_of(cause.obligation, group, instance),
            _ => cause.obligation,
        };
        let kind = match served {
            Served::Intent { .. } | Served::Tick { .. } => Kind::Root,
            Served::Call => Kind::Call,
            Served::Send => Kind::Send,
            Served::Delivery { group, .. } => Kind::Share { group },
            Served::Timer { .. } => Kind::Timer,
        };
        let entry = self.ledger.enter(obligation, kind, NONE, now);
        self.ledger.hold(entry);
        if let Served::Tick { job } = served {
            self.hold_tick(now, job.index(), obligation, entry);
        }
        self.note_acted_on(now, message);
        let of = &mut self.ledger[entry];
        of.attempts += 1;
        let number = of.attempts;
        let from_client = matches!(served, Served::Intent { .. });
        let mut state = AttemptState::new(entry, cause.obligation, number, handler, served, from_client);
        if let Some(mut room) = self.room.pop() {
            state.take_room(&mut room);
        }
        self.attempts.put(attempt, state);
        self.note_exposed(attempt);
    }

    /// Whether an attempt could do again what another one has done, each attempt once.
    fn note_exposed(&mut self, attempt: u32) {
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        let others = |effect: &ledger::Effect| effect.net > 0 && effect.by != state.number;
        if state.exposed || !self.ledger[state.entry].effects.iter().any(others) {
            return;
        }
        state.exposed = true;
        self.expose(Anomaly::DuplicateEffects);
        self.expose(Anomaly::MixedEffects);
    }

    /// The same tick runs on every instance of a service: it is held until the next but one begins.
    fn hold_tick(&mut self, now: Nanos, job: usize, obligation: u64, entry: EntryId) {
        let held = &mut self.ticks[job];
        if held.iter().any(|(known, _)| *known == obligation) {
            return;
        }
        self.ledger.hold(entry);
        held.push((obligation, entry));
        if held.len() > 2 {
            let (_, oldest) = held.remove(0);
            self.ledger.release(oldest, now);
        }
    }

    /// What was left undone; without any, the obligation is done.
    ///
    /// What it would have skipped because an earlier attempt had begun it is still owed.
    fn cut(&mut self, attempt: u32, at: Pc, debt: &[Part], resumes: bool) {
        let Some(state) = self.attempts.get(attempt).filter(|state| !state.from_client) else { return };
        let (entry, resumed) = (state.entry, state.resumed);
        let is_first = |issue: &&attempt::StagedIssue| issue.is_first;
        let given_up: Vec<Part> =
            state.staged_issues.iter().filter(is_first).map(|issue| issue.part).collect();
        let of = &mut self.ledger[entry];
        if !resumes && !resumed {
            of.debt.clear();
        }
        for part in debt {
            // A message that was sent in the transaction that is given up is there; an outbox row is not.
            let is_there = !given_up.contains(part)
                && of.effects.iter().any(|effect| effect.part == *part && effect.net > 0);
            if !is_there && !of.debt.contains(part) {
                of.debt.push(*part);
            }
        }
        let is_owed = !of.debt.is_empty();
        of.cut_at = at;
        if is_owed {
            self.expose(Anomaly::TornEffects);
            self.expose(Anomaly::LostEffects);
        }
        if matches!(self.ledger[entry].kind, Kind::Call) {
            self.expose(Anomaly::AcknowledgedLoss);
        }
    }

    fn ended(&mut self, now: Nanos, attempt: u32, outcome: Outcome) {
        let Some(state) = self.attempts.take(attempt) else { return };
        let entry = state.entry;
        self.give_up_staged(now, &state);
        match outcome {
            Outcome::Well => self.ended_well(entry, &state),
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
        self.room.push(state);
        self.ledger.release(entry, now);
        self.settle_released(now);
    }

    fn ended_well(&mut self, entry: EntryId, state: &AttemptState) {
        let excluded = |part: &Part| state.excluded.contains(&part.site);
        let of = &self.ledger[entry];
        if of.done && state.added.is_empty() {
            return;
        }
        let earlier = of.effects.iter().filter(|effect| effect.net > 0 && effect.by != state.number);
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
        let guarded = state.guarded && state.added.is_empty();
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

impl Observer for Lineage<'_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, now: Nanos, record: &Record) {
        match *record {
            Record::Settled { group, message, how } => self.share_settled(now, group, message, how),
            // A copy that is destroyed.
            Record::Lost { .. } => self.expose(Anomaly::LostEffects),
            Record::Drain => self.drain_began = now,
            Record::End { quiet } => self.end(now, quiet),
            _ => {}
        }
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptBegun { .. } => self.begun(now, deed),
            Deed::AttemptEnded { attempt, outcome } => self.ended(now, attempt, outcome),
            Deed::Cut { attempt, at, debt, resumes } => self.cut(attempt, at, debt, resumes),
            Deed::Decided { attempt, pc, holds, .. } => self.decided(attempt, pc, holds),
            Deed::Named { attempt, slot, value, .. } => {
                let model = self.model;
                if let Some(state) = self.attempts.get_mut(attempt) {
                    state.name(model, slot, value);
                }
            }
            Deed::Read { .. } => self.read(deed),
            Deed::Scanned { attempt, pc, table } => self.scanned(attempt, pc, table),
            Deed::Wrote { .. } => self.wrote(deed),
            Deed::Committed { .. } => self.committed(now, deed),
            Deed::TransactionEnded { attempt, committed } => self.transaction_ended(now, attempt, committed),
            Deed::Issued { .. } => self.issued(now, deed),
            Deed::Asked { .. } | Deed::Enqueued { .. } => {}
            Deed::Freed { message } => self.freed(now, message),
            Deed::Accepted { message, topic, how } => self.accepted(now, message, topic, how),
            Deed::Effected { attempt, obligation, part, first, .. } => {
                self.effected(now, attempt, obligation, part, first);
            }
            Deed::EffectAsked { obligation, .. } => {
                if let Some(entry) = self.ledger.find(obligation) {
                    self.ledger.hold(entry);
                }
            }
            Deed::EffectGone { obligation } => {
                if let Some(entry) = self.ledger.find(obligation) {
                    self.ledger.release(entry, now);
                    self.settle_released(now);
                }
            }
            Deed::Told { obligation, outcome, .. } => self.told(obligation, outcome),
            Deed::TimerSet { attempt, timer, cause, durable, part } => {
                self.timer_set(now, attempt, timer, cause.obligation, durable, part);
            }
            Deed::TimerGone { timer } => {
                if let Some(entry) = self.timers.take(timer) {
                    self.ledger.release(entry, now);
                    self.settle_released(now);
                }
            }
        }
    }
}

/// The obligation of one instance of a group in which each has its own.
pub fn of_instance(obligation: u64, instance: u32) -> u64 {
    mix(obligation, instance as u64 | 1 << 32)
}
