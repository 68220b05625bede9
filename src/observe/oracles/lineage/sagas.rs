//! Sagas: how each ended, by what it left behind.
//!
//! For every effect of a saga its *net* is kept: one more with each commit that changes something, one less when a
//! step that undoes it changes the same row. Where several handlers have a step of the name that is undone, one
//! undoing takes back what one of them did. When nothing of the intent is under way any more, the saga is judged:
//!
//! | every step is there once, none twice taken back | completed |
//! | nothing is there | compensated |
//! | one that nobody leads has some steps done, and nobody ever undid anything; one that is led has not ended | stuck |
//! | something was undone more often than done | inconsistent, *over-undone* |
//! | something else | inconsistent, *leaked* if something that should be gone is there |
//!
//! A *dirty read* is one by another intent of what was undone later, if its attempt then did something.
//!
//! ```text
//! do reserve  stock[7]: net 1        undo reserve  stock[7]: net 0        compensated
//! undo reserve (nothing there)       do reserve    stock[7]: net 1        leaked
//! ```

mod encode;
mod volatile;
mod wording;

use super::Lineage;
use super::duplicates::row_text;
use super::ledger::{EntryId, Issuer, Kind};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::promise::{SagaMeasure, SagaWay};
use crate::model::{Model, NONE};
use crate::observe::findings::{Facts, Finding, Sighting};
use crate::observe::promise::formula::Evaluator;
use crate::world::deed::{Deed, Part, RowName, SagaStage};
use crate::world::record::Outcome;
use rustc_hash::FxHashMap;
use wording::{dirty, words};

/// No step of a saga.
const NO_STEP: u16 = u16::MAX;

/// Watches the sagas of which something is promised.
#[derive(Clone)]
pub struct SagaOracle<'m> {
    model: &'m Model,
    evaluator: Evaluator<'m>,
    records: Vec<Option<Record>>,
    free: Vec<u32>,
    by_root: FxHashMap<u64, Vec<u32>>,
    /// Of sagas that are led: by the world's number.
    led: FxHashMap<u32, u32>,
    /// Rows as sagas that are not judged have left them.
    rows: FxHashMap<RowName, Vec<u32>>,
    /// What attempts have read of them, each with the number of the effect.
    reads: FxHashMap<u32, Vec<Sight>>,
    /// By watched saga, then by measure.
    findings: Vec<[Finding; SagaMeasure::ALL.len()]>,
}

/// One saga.
#[derive(Clone)]
struct Record {
    watched: u32,
    key: u64,
    root: u64,
    obligation: u64,
    effects: Vec<Net>,
    undo_ran: bool,
    /// Of one that is led: whether it has completed; `None`: it has not ended.
    ended: Option<bool>,
}

/// What is left of one effect.
#[derive(Clone)]
struct Net {
    step: u16,
    site: SiteId,
    row: RowName,
    net: i32,
    /// Who read it and then did something.
    readers: Vec<u64>,
}

/// An effect that somebody has seen.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sight {
    record: u32,
    obligation: u64,
    effect: u32,
}

/// How a saga ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Completed,
    Compensated,
    Stuck,
    Inconsistent { leaked: bool, over_undone: bool },
}

impl<'m> SagaOracle<'m> {
    /// `None` if nothing is promised.
    pub fn new(model: &'m Model) -> Option<Self> {
        let watched = model.promises.watched_sagas.len();
        (watched > 0).then(|| Self {
            model,
            evaluator: Evaluator::new(model),
            records: Vec::new(),
            free: Vec::new(),
            by_root: FxHashMap::default(),
            led: FxHashMap::default(),
            rows: FxHashMap::default(),
            reads: FxHashMap::default(),
            findings: (0..watched).map(|_| Default::default()).collect(),
        })
    }

    /// The record of a saga within an intent, made if there is none.
    fn record(&mut self, watched: u32, key: u64, root: u64, obligation: u64) -> u32 {
        let own = self.by_root.entry(root).or_default();
        let is_it = |&id: &u32| {
            self.records[id as usize].as_ref().is_some_and(|of| of.watched == watched && of.key == key)
        };
        if let Some(known) = own.iter().copied().find(|id| is_it(id)) {
            return known;
        }
        let record =
            Record { watched, key, root, obligation, effects: Vec::new(), undo_ran: false, ended: None };
        let id = match self.free.pop() {
            Some(id) => {
                self.records[id as usize] = Some(record);
                id
            }
            None => {
                self.records.push(Some(record));
                self.records.len() as u32 - 1
            }
        };
        own.push(id);
        self.findings[watched as usize][SagaMeasure::Stuck as usize].exposures += 1;
        id
    }

    fn is_led(&self, record: &Record) -> bool {
        let watched = &self.model.promises.watched_sagas[record.watched as usize];
        matches!(watched.way, SagaWay::Orchestrated(_))
    }

    /// The step that a site is, of a saga that nobody leads.
    fn step_of(&self, record: &Record, site: SiteId) -> u16 {
        match &self.model.promises.watched_sagas[record.watched as usize].way {
            SagaWay::Orchestrated(_) => NO_STEP,
            SagaWay::Choreographed { steps, .. } => {
                steps.iter().position(|sites| sites.contains(&site)).map_or(NO_STEP, |at| at as u16)
            }
        }
    }

    fn ending(&self, record: &Record) -> Ending {
        let over_undone = record.effects.iter().any(|effect| effect.net < 0);
        let has_left = record.effects.iter().any(|effect| effect.net > 0);
        let all_there = !over_undone && record.effects.iter().all(|effect| effect.net > 0);
        let watched = &self.model.promises.watched_sagas[record.watched as usize];
        let inconsistent = |leaked| Ending::Inconsistent { leaked, over_undone };
        match (&watched.way, record.ended) {
            (SagaWay::Orchestrated(_), None) => Ending::Stuck,
            (SagaWay::Orchestrated(_), Some(true)) if all_there => Ending::Completed,
            (SagaWay::Orchestrated(_), Some(true)) => inconsistent(false),
            (_, _) if !over_undone && !has_left => Ending::Compensated,
            (SagaWay::Orchestrated(_), Some(false)) => inconsistent(has_left),
            (SagaWay::Choreographed { steps, .. }, _) => {
                let is_done = |step: usize| record.effects.iter().any(|of| usize::from(of.step) == step);
                if all_there && (0..steps.len()).all(is_done) {
                    Ending::Completed
                } else if record.undo_ran || over_undone {
                    inconsistent(has_left)
                } else {
                    Ending::Stuck
                }
            }
        }
    }

    /// One is over.
    fn judge(&mut self, now: Nanos, id: u32, is_known: bool) {
        let Some(record) = self.records[id as usize].take() else { return };
        self.free.push(id);
        for effect in &record.effects {
            if let Some(holders) = self.rows.get_mut(&effect.row) {
                holders.retain(|&holder| holder != id);
                if holders.is_empty() {
                    self.rows.remove(&effect.row);
                }
            }
        }
        let ending = self.ending(&record);
        let model = self.model;
        let is_led = self.is_led(&record);
        let findings = &mut self.findings[record.watched as usize];
        let what = || {
            let watched = &model.promises.watched_sagas[record.watched as usize];
            let (name, key) = (&watched.name, model.word(watched.key, record.key));
            let left = record.effects.iter().map(|of| {
                let what =
                    if of.row.table.0 == NONE { "the outside".into() } else { row_text(model, of.row, None) };
                format!("{} on {what}: net {}", model.names.sites[of.site.index()], of.net)
            });
            let left = left.collect::<Vec<_>>().join(", ");
            format!("saga {name}[{key}]: {}; {left}", words(ending))
        };
        let rows = || record.effects.iter().map(|of| of.row).filter(|row| row.table.0 != NONE).collect();
        let sighting = || Sighting {
            at: now,
            obligation: record.obligation,
            what: what(),
            facts: Facts { rows: rows(), ..Facts::default() },
        };
        let mut count = |measure: SagaMeasure, is_so: bool| {
            if is_so {
                findings[measure as usize].count(sighting);
            }
        };
        match ending {
            Ending::Completed | Ending::Compensated => {}
            Ending::Stuck if is_led || is_known => count(SagaMeasure::Stuck, true),
            _ if !is_known && !is_led => {
                let measures = [SagaMeasure::Stuck, SagaMeasure::Inconsistent, SagaMeasure::Leaked];
                measures.iter().for_each(|&measure| findings[measure as usize].unsettled += 1);
            }
            Ending::Stuck => {}
            Ending::Inconsistent { leaked, over_undone } => {
                count(SagaMeasure::Inconsistent, true);
                count(SagaMeasure::Leaked, leaked);
                count(SagaMeasure::OverUndone, over_undone);
            }
        }
    }
}

impl Lineage<'_> {
    /// What was found of one measure of a watched saga; empty if nobody watched.
    pub fn saga_finding(&self, watched: u32, measure: SagaMeasure) -> Finding {
        let Some(sagas) = &self.sagas else { return Finding::default() };
        let mut finding = sagas.findings[watched as usize][measure as usize].clone();
        finding.exposures = finding.exposures.max(finding.count);
        // A share is one of the sagas; of reads, of the reads.
        finding.of = match measure {
            SagaMeasure::DirtyReads => finding.exposures,
            _ => sagas.findings[watched as usize][SagaMeasure::Stuck as usize].exposures,
        };
        finding
    }

    /// A message was issued: does a saga begin with it that nobody leads?
    pub(super) fn begin_choreography(&mut self, entry: EntryId, deed: &Deed<'_>) {
        let (Some(sagas), &Deed::Issued { kind, payload, .. }) = (&mut self.sagas, deed) else { return };
        let watched = &sagas.model.promises.watched_sagas;
        let begins = watched.iter().enumerate().find_map(|(at, of)| match of.way {
            SagaWay::Choreographed { start, key, .. } if start == kind => Some((at as u32, key)),
            _ => None,
        });
        let Some((watched, key)) = begins else { return };
        let Ok(key) = sagas.evaluator.of_message(key, payload) else { return };
        let of = &mut self.ledger[entry];
        of.saga = sagas.record(watched, key, of.root, of.obligation);
    }

    /// A saga that is led has begun, or gone on to something else.
    pub(super) fn saga_moved(&mut self, now: Nanos, deed: &Deed<'_>) {
        let &Deed::SagaMoved { attempt, saga, of, key, stage, step, timer, before, cause, part } = deed
        else {
            return;
        };
        let parent = self.attempts.get(attempt).map(|state| state.entry);
        let parent = parent.or_else(|| self.timers.get(before).copied()).unwrap_or(NONE);
        let entry = self.ledger.enter(cause.obligation, Kind::Timer, parent, Issuer::Anyone, now);
        self.ledger.hold(entry);
        *self.timers.begin(timer) = entry;
        if stage != SagaStage::Awaiting {
            self.ledger[entry].issued += 1;
        }
        if let (Some(state), Some(part)) = (self.attempts.get_mut(attempt), part) {
            state.came_by.push(part);
            state.added.push(part);
            let begun_by = state.entry;
            self.ledger[begun_by].debt.retain(|owed| *owed != part);
        }
        let Some(sagas) = &mut self.sagas else { return };
        if part.is_some() {
            let is_it = |way: &SagaWay| matches!(way, SagaWay::Orchestrated(watched) if *watched == of);
            let mut watched = sagas.model.promises.watched_sagas.iter();
            let Some(watched) = watched.position(|watched| is_it(&watched.way)) else { return };
            let of = &self.ledger[entry];
            let record = sagas.record(watched as u32, key, of.root, of.obligation);
            sagas.led.insert(saga, record);
        }
        let Some(&record) = sagas.led.get(&saga) else { return };
        self.ledger[entry].saga = record;
        self.ledger[entry].saga_step = if stage == SagaStage::Doing { step } else { NO_STEP };
    }

    /// A step failed, and its saga knows: nothing of it is owed any more.
    pub(super) fn saga_step_refused(&mut self, attempt: u32) {
        let Some(entry) = self.attempts.get(attempt).map(|state| state.entry) else { return };
        self.ledger[entry].told = Some(Outcome::Error(crate::model::Error::Failed));
    }

    pub(super) fn saga_ended(&mut self, saga: u32, completed: bool) {
        let Some(sagas) = &mut self.sagas else { return };
        if let Some(&record) = sagas.led.get(&saga)
            && let Some(record) = &mut sagas.records[record as usize]
        {
            record.ended = Some(completed);
        }
    }

    /// An effect was committed: of which saga, and does it take another one back?
    pub(super) fn note_in_saga(&mut self, now: Nanos, entry: EntryId, part: Part, row: RowName) {
        let Some(sagas) = &mut self.sagas else { return };
        let of = &self.ledger[entry];
        let (saga, led_step) = (of.saga, of.saga_step);
        if saga == NONE {
            return;
        }
        let model = sagas.model;
        let Some(record) = &sagas.records[saga as usize] else { return };
        let step = if sagas.is_led(record) { led_step } else { sagas.step_of(record, part.site) };
        let Some(record) = &mut sagas.records[saga as usize] else { return };
        let undone = &model.undoes[part.site.index()];
        for at in taken_back(model, &record.effects, undone, row) {
            let effect = &mut record.effects[at];
            effect.net -= 1;
            let readers = std::mem::take(&mut effect.readers);
            let finding = &mut sagas.findings[record.watched as usize][SagaMeasure::DirtyReads as usize];
            for _ in readers {
                finding.count(|| dirty(model, now, record.obligation, row));
            }
        }
        if let Some(&first) = undone.first() {
            record.undo_ran = true;
            if !record.effects.iter().any(|of| undone.contains(&of.site) && of.row == row) {
                record.effects.push(Net { step: NO_STEP, site: first, row, net: -1, readers: Vec::new() });
            }
        }
        if step == NO_STEP {
            return;
        }
        match record.effects.iter_mut().find(|of| of.site == part.site && of.row == row) {
            Some(effect) => (effect.net, effect.step) = (effect.net + 1, step),
            None => record.effects.push(Net { step, site: part.site, row, net: 1, readers: Vec::new() }),
        }
        let holders = sagas.rows.entry(row).or_default();
        if !holders.contains(&saga) {
            holders.push(saga);
        }
    }

    /// A step that undoes others ran, whether it found anything or not.
    pub(super) fn note_undo_run(&mut self, entry: EntryId) {
        let Some(sagas) = &mut self.sagas else { return };
        let saga = self.ledger[entry].saga;
        let Some(record) = sagas.records.get_mut(saga as usize).and_then(Option::as_mut) else { return };
        record.undo_ran = true;
        for measure in [SagaMeasure::Inconsistent, SagaMeasure::Leaked, SagaMeasure::OverUndone] {
            sagas.findings[record.watched as usize][measure as usize].exposures += 1;
        }
    }

    /// Somebody reads a row: as a saga of another intent has left it?
    pub(super) fn read_of_saga(&mut self, deed: &Deed<'_>) {
        let (Some(sagas), &Deed::Read { attempt, row, .. }) = (&mut self.sagas, deed) else { return };
        let Some(holders) = sagas.rows.get(&row) else { return };
        let Some(root) = self.attempts.get(attempt).map(|state| self.ledger[state.entry].root) else {
            return;
        };
        for &id in holders {
            let Some(record) = sagas.records[id as usize].as_ref().filter(|of| of.root != root) else {
                continue;
            };
            for (at, effect) in record.effects.iter().enumerate() {
                if effect.row != row || effect.net <= 0 {
                    continue;
                }
                sagas.findings[record.watched as usize][SagaMeasure::DirtyReads as usize].exposures += 1;
                let sight = Sight { record: id, obligation: record.obligation, effect: at as u32 };
                let seen = sagas.reads.entry(attempt).or_default();
                if !seen.contains(&sight) {
                    seen.push(sight);
                }
            }
        }
    }

    /// An attempt does something: what it has read was acted on.
    pub(super) fn acted_on_reads(&mut self, now: Nanos, attempt: u32) {
        let Some(sagas) = &mut self.sagas else { return };
        let Some(seen) = sagas.reads.remove(&attempt) else { return };
        let Some(reader) = self.attempts.get(attempt).map(|state| self.ledger[state.entry].root) else {
            return;
        };
        for Sight { record, obligation, effect } in seen {
            let Some(of) = sagas.records[record as usize].as_mut().filter(|of| of.obligation == obligation)
            else {
                continue;
            };
            let effect = &mut of.effects[effect as usize];
            if effect.net <= 0 {
                let finding = &mut sagas.findings[of.watched as usize][SagaMeasure::DirtyReads as usize];
                finding.count(|| dirty(sagas.model, now, obligation, effect.row));
            } else if !effect.readers.contains(&reader) {
                effect.readers.push(reader);
            }
        }
    }

    pub(super) fn forget_reads(&mut self, attempt: u32) {
        if let Some(sagas) = &mut self.sagas {
            sagas.reads.remove(&attempt);
        }
    }

    /// Nothing of an intent is under way any more.
    pub(super) fn judge_sagas_of(&mut self, now: Nanos, root: u64) {
        let Some(sagas) = &mut self.sagas else { return };
        for id in sagas.by_root.remove(&root).unwrap_or_default() {
            sagas.led.retain(|_, record| *record != id);
            sagas.judge(now, id, true);
        }
    }

    /// The replication is over; unless it is quiet, nobody knows how what nobody leads would have ended.
    pub(super) fn judge_all_sagas(&mut self, now: Nanos, quiet: bool) {
        let Some(sagas) = &mut self.sagas else { return };
        for id in 0..sagas.records.len() as u32 {
            sagas.judge(now, id, quiet);
        }
    }
}

/// The effects that one undoing takes back: of each step that it names one, the last that is there.
fn taken_back(model: &Model, effects: &[Net], undone: &[SiteId], row: RowName) -> Vec<usize> {
    let name = |at: usize| model.names.sites[effects[at].site.index()].rsplit('/').next();
    let is_undone = |at: &usize| undone.contains(&effects[*at].site) && effects[*at].row == row;
    let mut taken: Vec<usize> = Vec::new();
    for at in (0..effects.len()).filter(is_undone) {
        match taken.iter_mut().find(|other| name(**other) == name(at)) {
            Some(other) if effects[at].net > 0 => *other = at,
            Some(_) => {}
            None => taken.push(at),
        }
    }
    taken
}
