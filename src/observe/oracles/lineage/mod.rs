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
mod discarded;
mod duplicates;
mod durability;
mod early;
mod encode;
mod ended;
mod ledger;
mod messages;
mod sagas;
mod settle;
mod undo;
mod uses;
mod values;

use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE, Pc};
use crate::observe::findings::{Facts, Finding, Sighting};
use crate::observe::slots::SlotTable;
use crate::world::deed::{Deed, Part, RowName, Served};
use crate::world::record::{Observer, Record};
use attempt::AttemptState;
use discarded::Clocked;
use durability::Volatile;
use ledger::{EntryId, Issuer, Kind, Ledger};
use messages::MessageState;
use rustc_hash::{FxHashMap, FxHashSet};
use sagas::SagaOracle;
use undo::Undoables;
use uses::Uses;

pub use dated::Dated;
pub use settle::Sum;

/// Most that is kept of what is watched.
const MOST_SIGHTINGS: usize = 4096;

/// Of which obligations everything is kept that is seen to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    None,
    One(u64),
    All,
}

/// The oracle of idempotency: duplicates, losses and everything between.
#[derive(Clone)]
pub struct Lineage<'m> {
    model: &'m Model,
    uses: Uses,
    ledger: Ledger,
    attempts: SlotTable<AttemptState>,
    messages: SlotTable<MessageState>,
    timers: SlotTable<EntryId>,
    /// Ticks of each job that are held, newest last.
    ticks: Vec<Vec<(u64, EntryId)>>,
    findings: Vec<Finding>,
    /// How obligations ended.
    sum: Sum,
    /// When what was found happened.
    dated: Dated,
    /// What may be reached from a place.
    reach: FxHashMap<Pc, FxHashSet<SiteId>>,
    /// By operation: the sites of row changes that must follow it, once somebody has asked.
    changes_follow: Vec<Option<Box<[SiteId]>>>,
    undoables: Undoables,
    volatile: Volatile,
    clocked: Clocked,
    /// `None`: nothing is promised of sagas.
    sagas: Option<SagaOracle<'m>>,
    /// What was left undone for a value, and nobody has done since.
    values_owed: Vec<EntryId>,
    drain_began: Nanos,
    last_settled: Nanos,
    watch: Watch,
    sightings: Vec<(Anomaly, Sighting)>,
    /// Room for the parts of the work that one commit is, for the sites of changes that are to come, and for
    /// messages that are early no more.
    parts: Vec<Part>,
    to_come: Vec<SiteId>,
    over: Vec<EntryId>,
}

impl<'m> Lineage<'m> {
    pub fn new(model: &'m Model) -> Self {
        let has_undos = model.undoes.iter().any(|undone| !undone.is_empty());
        let sagas = SagaOracle::new(model);
        let clocked = Clocked::new(model);
        let by_root = has_undos || sagas.is_some() || clocked.any();
        Self {
            model,
            uses: Uses::new(model),
            parts: Vec::new(),
            to_come: Vec::new(),
            over: Vec::new(),
            ledger: if by_root { Ledger::by_root() } else { Ledger::default() },
            attempts: SlotTable::default(),
            messages: SlotTable::default(),
            timers: SlotTable::default(),
            ticks: vec![Vec::new(); model.jobs.len()],
            findings: vec![Finding::default(); Anomaly::ALL.len()],
            sum: Sum::default(),
            dated: Dated::new(model.run.horizon),
            reach: FxHashMap::default(),
            changes_follow: vec![None; model.code.len()],
            undoables: Undoables::new(&model.undoes),
            volatile: Volatile::new(model),
            clocked,
            sagas,
            values_owed: Vec::new(),
            drain_began: 0,
            last_settled: 0,
            watch: Watch::None,
            sightings: Vec::new(),
        }
    }

    /// Keeps everything that is seen to go wrong, up to a bound, not just what is first of each measure.
    pub fn watch(&mut self, watch: Watch) {
        if let Watch::One(obligation) = watch {
            self.ledger.follow(obligation);
        }
        self.watch = watch;
    }

    /// Whether the one obligation that is watched can still be worked on.
    pub fn is_open(&self, obligation: u64) -> bool {
        self.ledger.find(obligation).is_some() || self.has_value_owed(obligation)
    }

    /// What has been seen of that which is watched.
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
        self.sight_at(anomaly, at, (obligation, None), what);
    }

    /// Something went wrong with an obligation, at a row.
    fn sight_at(
        &mut self,
        anomaly: Anomaly,
        at: Nanos,
        (obligation, row): (u64, Option<RowName>),
        what: impl FnOnce(&Model) -> String,
    ) {
        let model = self.model;
        self.dated.count(anomaly, at);
        let sighting = || {
            let facts = row.map_or_else(Facts::default, Facts::at);
            Sighting { at, obligation, what: what(model), facts }
        };
        let is_watched = match self.watch {
            Watch::None => false,
            Watch::One(watched) => watched == obligation,
            Watch::All => true,
        };
        if is_watched && self.sightings.len() < MOST_SIGHTINGS {
            let sighting = sighting();
            self.sightings.push((anomaly, sighting.clone()));
            self.finding(anomaly).count(|| sighting);
            return;
        }
        self.finding(anomaly).count(sighting);
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
        let entry = match self.carried(obligation, served, message) {
            Some(carried) => carried,
            // Nobody begins with an intent again.
            None if matches!(served, Served::Intent { .. }) => {
                self.ledger.add(obligation, kind, NONE, Issuer::Parent, now)
            }
            None => self.ledger.enter(obligation, kind, NONE, Issuer::Anyone, now),
        };
        self.ledger.hold(entry);
        if kind == Kind::Root {
            self.clocked.begin(obligation, now);
        }
        if let Served::Tick { job } = served {
            self.hold_tick(now, job.index(), obligation, entry);
        }
        self.note_acted_on(now, message);
        let of = &mut self.ledger[entry];
        of.attempts += 1;
        let number = of.attempts;
        self.attempts.begin(attempt).begin(entry, cause.obligation, number, handler, served);
        self.note_exposed(attempt);
    }

    /// The entry of an obligation that is at hand with what an attempt serves.
    fn carried(&self, obligation: u64, served: Served, message: u32) -> Option<EntryId> {
        let is_it = |entry: &EntryId| self.ledger.is(*entry, obligation);
        match served {
            Served::Intent { .. } | Served::Tick { .. } => None,
            Served::Call | Served::Send => self.messages.get(message).map(|state| state.entry).filter(is_it),
            Served::Delivery { group, .. } => {
                let shares = self.messages.get(message)?.shares.iter().filter(|share| share.0 == group);
                shares.map(|share| share.1).find(is_it)
            }
            Served::Timer { timer } => self.timers.get(timer).copied().filter(is_it),
        }
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
}

impl Observer for Lineage<'_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, now: Nanos, record: &Record) {
        match *record {
            Record::Settled { group, message, how } => self.share_settled(now, group, message, how),
            Record::Reopened { group, message } => self.share_reopened(group, message),
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
            Deed::Cut { .. } => self.cut(now, deed),
            Deed::DebtUnknown { .. } => self.debt_unknown(),
            Deed::Decided { attempt, pc, holds, .. } => self.decided(attempt, pc, holds),
            Deed::Named { attempt, slot, value, .. } => {
                if let Some(state) = self.attempts.get_mut(attempt) {
                    state.name(slot, self.uses.value(value));
                }
            }
            Deed::Read { .. } => {
                self.read(deed);
                self.read_of_saga(deed);
            }
            Deed::Scanned { attempt, pc, table } => self.scanned(attempt, pc, table),
            Deed::Wrote { .. } => self.wrote(deed),
            Deed::Committed { row, new, .. } => {
                self.clocked.committed(now, row, new.is_some());
                self.committed(now, deed);
            }
            Deed::TransactionEnded { attempt, committed } => self.transaction_ended(now, attempt, committed),
            Deed::Issued { .. } => self.issued(now, deed),
            Deed::Cleared { table, group } => self.cleared(table, group),
            Deed::Forgotten { row, version } => self.forgotten(now, row, version),
            Deed::Unsaid { message } => self.unsaid(message),
            Deed::Flushed { store } => self.flushed(now, store),
            Deed::Durable { row, version } => self.durable(now, row, version),
            Deed::Made { .. } | Deed::Asked { .. } | Deed::Enqueued { .. } | Deed::Replicated { .. } => {}
            Deed::Freed { message } => self.freed(now, message),
            Deed::Accepted { message, topic, how } => self.accepted(now, message, topic, how),
            Deed::Effected { attempt, obligation, part, first, .. } => {
                self.effected(now, attempt, obligation, part, first);
            }
            Deed::EffectAsked { attempt, obligation } => self.effect_asked(attempt, obligation),
            Deed::EffectGone { obligation } => {
                if let Some(entry) = self.ledger.find(obligation) {
                    self.ledger.release(entry, now);
                    self.settle_released(now);
                }
            }
            Deed::Told { attempt, obligation, outcome } => self.told(attempt, obligation, outcome),
            Deed::TimerSet { attempt, timer, cause, durable, part } => {
                self.timer_set(now, attempt, timer, cause.obligation, durable, part);
            }
            Deed::SagaMoved { .. } => self.saga_moved(now, deed),
            Deed::SagaReturned { saga, .. } => self.saga_returned(saga),
            Deed::SagaStepRefused { attempt } => self.saga_step_refused(attempt),
            Deed::SagaEnded { saga, completed, .. } => self.saga_ended(saga, completed),
            Deed::TimerGone { timer } => {
                if let Some(&mut entry) = self.timers.end(timer) {
                    self.ledger.release(entry, now);
                    self.settle_released(now);
                }
            }
        }
    }
}
