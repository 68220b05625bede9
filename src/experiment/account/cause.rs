//! Whose work broke a promise about rows or sums.
//!
//! Such a promise names no obligation, or that of a change which is not shown. What broke it went wrong before with
//! some obligation: done twice, lost, torn. Of all that lineage saw, this looks for the earliest that has to do with
//! the promise, the closest kinship first: it comes of the change that is not shown, it changed a row that is wrong,
//! it works on the tables of the promise. Who merely changed it last is innocent until nobody else is found.

use super::focus::{Cause, Look, Measure};
use super::{Bench, NoAccount};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::{HandlerId, TableId};
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::model::promise::{Formula, Promises};
use crate::model::reach::may_reach;
use crate::observe::findings::Sighting;
use crate::observe::promise::invariants::formula_of;
use crate::observe::trace::descent::{Descent, Line};
use crate::world::deed::{Deed, RowName};
use crate::world::record::{Observer, Record};
use crate::world::without::Without;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// What leaves rows and sums other than they should be.
const HARMS: [Anomaly; 8] = [
    Anomaly::DuplicateEffects,
    Anomaly::LostEffects,
    Anomaly::TornEffects,
    Anomaly::MixedEffects,
    Anomaly::Swallowed,
    Anomaly::PhantomEffects,
    Anomaly::Resurrected,
    Anomaly::Parked,
];

/// Whose work is to be told of.
pub struct Found {
    pub obligation: u64,
    pub cause: Option<Cause>,
    pub is_last_to_change: bool,
}

impl Found {
    fn known(obligation: u64) -> Self {
        Self { obligation, cause: None, is_last_to_change: false }
    }
}

/// How closely something that went wrong has to do with a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kinship {
    None,
    Tables,
    Rows,
    Descent,
}

/// Finds whose work broke a promise.
pub(super) fn find(
    bench: &Bench,
    look: &Look,
    measure: Measure,
    sighting: &Sighting,
) -> Result<Found, NoAccount> {
    let promises = &bench.question.model.promises;
    let is_of_reads = |at: usize| (promises.first_session()..promises.first_invariant()).contains(&at);
    let is_known = match measure {
        Measure::Anomaly(_) => true,
        Measure::Promise(at) => is_of_reads(at),
    };
    if is_known && sighting.obligation != 0 {
        return Ok(Found::known(sighting.obligation));
    }
    let mut inquiry = Inquiry::new(bench.question.model, look, measure, sighting);
    bench.run(&mut inquiry, &Without::default())?;
    if let Some(cause) = inquiry.cause() {
        let obligation = cause.sighting.obligation;
        return Ok(Found { obligation, cause: Some(cause), is_last_to_change: false });
    }
    if sighting.obligation != 0 {
        return Ok(Found::known(sighting.obligation));
    }
    let last = inquiry.last_of_rows.or(inquiry.last_of_tables);
    let obligation = last.ok_or_else(|| NoAccount::NobodysWork(sighting.what.clone()))?;
    // Of a change at that very instant it is certain.
    Ok(Found { is_last_to_change: !matches!(measure, Measure::Anomaly(_)), ..Found::known(obligation) })
}

/// All that went wrong with obligations and leaves rows other than they should be.
fn suspects(look: &Look) -> impl Iterator<Item = (Measure, &Sighting)> {
    let seen = look.sightings.iter().filter(|(anomaly, _)| HARMS.contains(anomaly));
    let seen = seen.map(|(anomaly, sighting)| (Measure::Anomaly(*anomaly), sighting));
    let first = [Anomaly::LostUpdates, Anomaly::Regressed].map(Measure::Anomaly);
    let first =
        first.into_iter().filter_map(|measure| Some((measure, look.finding(measure)?.first.as_deref()?)));
    seen.chain(first)
}

/// Looks through a replication for who has to do with a promise.
struct Inquiry<'m> {
    model: &'m Model,
    descent: Descent<'m>,
    /// The obligation of the change that is not shown; 0: none is known.
    change: u64,
    rows: Vec<RowName>,
    tables: Vec<TableId>,
    until: Nanos,
    suspects: FxHashMap<u64, Kinship>,
    /// By handler: whether it changes one of the tables.
    works_on: FxHashMap<HandlerId, bool>,
    last_of_rows: Option<u64>,
    last_of_tables: Option<u64>,
    candidates: Vec<(Measure, Sighting)>,
}

impl<'m> Inquiry<'m> {
    fn new(model: &'m Model, look: &Look, measure: Measure, sighting: &Sighting) -> Self {
        let candidates: Vec<(Measure, Sighting)> = match measure {
            Measure::Anomaly(_) => Vec::new(),
            Measure::Promise(_) => suspects(look).map(|(measure, one)| (measure, one.clone())).collect(),
        };
        let tables = match measure {
            Measure::Anomaly(_) => sighting.facts.rows.iter().map(|row| row.table).collect(),
            Measure::Promise(promise) => tables_of(&model.promises, promise),
        };
        Self {
            model,
            descent: Descent::new(model),
            change: sighting.obligation,
            rows: sighting.facts.rows.clone(),
            tables,
            until: sighting.at,
            suspects: candidates.iter().map(|(_, one)| (one.obligation, Kinship::None)).collect(),
            works_on: FxHashMap::default(),
            last_of_rows: None,
            last_of_tables: None,
            candidates,
        }
    }

    /// The closest, and of those the earliest.
    fn cause(&self) -> Option<Cause> {
        let kinship = |one: &Sighting| {
            let of_row = one.facts.rows.iter().any(|row| self.rows.contains(row));
            let of_table = one.facts.rows.iter().any(|row| self.tables.contains(&row.table));
            let known = self.suspects.get(&one.obligation).copied().unwrap_or(Kinship::None);
            known.max(if of_row {
                Kinship::Rows
            } else if of_table {
                Kinship::Tables
            } else {
                Kinship::None
            })
        };
        let is_of_sums = self.rows.is_empty() && self.change == 0;
        let least = if is_of_sums { Kinship::Tables } else { Kinship::Rows };
        let related = self.candidates.iter().map(|(measure, one)| (kinship(one), *measure, one));
        let closest = related
            .filter(|(kinship, _, one)| *kinship >= least && self.can_have_broken(*kinship, one))
            .max_by_key(|(kinship, _, one)| (*kinship, Reverse(one.at)));
        closest.map(|(_, measure, one)| Cause { measure, sighting: one.clone() })
    }

    /// What comes of a change may be known to be lost later than the change is known to be late.
    fn can_have_broken(&self, kinship: Kinship, one: &Sighting) -> bool {
        one.at <= self.until || kinship == Kinship::Descent
    }

    fn raise(&mut self, obligation: u64, kinship: Kinship) {
        if let Some(known) = self.suspects.get_mut(&obligation) {
            *known = (*known).max(kinship);
        }
    }

    fn comes_of_change(&self, line: &Line) -> bool {
        self.change != 0 && (line.obligation == self.change || line.ancestors.contains(&self.change))
    }

    /// Somebody begins to work, or is asked to.
    fn met(&mut self, line: &Line, handler: Option<HandlerId>) {
        if !self.suspects.contains_key(&line.obligation) {
            return;
        }
        if self.comes_of_change(line) {
            self.raise(line.obligation, Kinship::Descent);
        } else if handler.is_some_and(|handler| self.works_on_tables(handler)) {
            self.raise(line.obligation, Kinship::Tables);
        }
    }

    fn works_on_tables(&mut self, handler: HandlerId) -> bool {
        let (model, tables) = (self.model, &self.tables);
        *self.works_on.entry(handler).or_insert_with(|| {
            let sites = may_reach(model, model.handlers[handler.index()].entry);
            let mut steps = model.row_steps.iter().filter(|step| sites.contains(&step.site));
            steps.any(|step| tables.contains(&step.table))
        })
    }

    fn committed(&mut self, now: Nanos, obligation: u64, row: RowName) {
        let of_row = self.rows.contains(&row);
        if of_row || self.tables.contains(&row.table) {
            self.raise(obligation, if of_row { Kinship::Rows } else { Kinship::Tables });
            if now <= self.until {
                let last = if of_row { &mut self.last_of_rows } else { &mut self.last_of_tables };
                *last = Some(obligation);
            }
        }
    }
}

impl Observer for Inquiry<'_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, _: Nanos, _: &Record) {}

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.descent.enter(deed);
        match *deed {
            Deed::AttemptBegun { attempt, handler, .. } => {
                if let Some(line) = self.descent.of_attempt(attempt).cloned() {
                    self.met(&line, Some(handler));
                }
            }
            Deed::Issued { message, cause, topic, .. } => {
                if let Some(line) = self.descent.of_message(message).cloned() {
                    self.met(&line, None);
                    // What a message asks of a group is owed before anyone has begun with it.
                    for &group in topic.iter().flat_map(|topic| &self.model.topics[topic.index()].groups) {
                        let shares: Vec<u64> = self.descent.shares(group, cause).collect();
                        shares.into_iter().for_each(|share| self.met(&line.child(share), None));
                    }
                }
            }
            Deed::Committed { attempt, row, .. } => {
                if let Some(obligation) = self.descent.of_attempt(attempt).map(|line| line.obligation) {
                    self.committed(now, obligation, row);
                }
            }
            _ => {}
        }
        self.descent.leave(deed);
    }
}

/// The tables that a promise speaks of.
fn tables_of(promises: &Promises, promise: usize) -> Vec<TableId> {
    if let Some(view) = promises.convergence.get(promise) {
        return vec![view.view, view.of];
    }
    let Some(at) = promise.checked_sub(promises.first_invariant()) else { return Vec::new() };
    let Some(invariant) = promises.invariants.get(at) else {
        return promises.reference.iter().flat_map(|reference| reference.tables.clone()).collect();
    };
    let formula: Option<&Formula> = formula_of(invariant);
    let own = formula.into_iter().flat_map(|formula| formula.tables.iter().copied());
    let aggregates = formula.into_iter().flat_map(|formula| &formula.aggregates);
    let aggregated = aggregates.map(|&aggregate| promises.aggregates[aggregate as usize].table);
    own.chain(aggregated).chain(invariant.for_each).collect()
}
