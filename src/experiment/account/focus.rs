//! What an account is about: the thing that went wrong, and whom it concerns.

use super::{Bench, NoAccount, digest_of};
use crate::kernel::anomaly::{Anomaly, Family};
use crate::kernel::ids::TableId;
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::model::promise::{Bound, Formula, Promises};
use crate::observe::digest::Digest;
use crate::observe::findings::{Finding, Findings, Sighting};
use crate::observe::oracles::Oracles;
use crate::observe::promise::invariants::formula_of;
use crate::world::deed::Deed;
use crate::world::record::{Observer, Record};
use crate::world::without::Without;
use rustc_hash::FxHashMap;

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The first promise that is broken; if nothing was promised, the first thing that goes wrong.
    First,
    Obligation(u64),
    /// A promise or a measure by its name: `invariants.adds_up`, `idempotency.torn_effects`.
    Measure(String),
}

impl Focus {
    /// From what is written after `--focus`: `o:` and hexadecimal digits, or a name.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let Some(digits) = text.strip_prefix("o:") else { return Ok(Focus::Measure(text.to_owned())) };
        u64::from_str_radix(digits, 16)
            .map(Focus::Obligation)
            .map_err(|_| format!("`{digits}` is no number of up to sixteen hexadecimal digits"))
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Anomaly(Anomaly),
    /// By position in the model's promises.
    Promise(usize),
}

/// What went wrong, and with what.
#[derive(Clone, Debug)]
pub struct Charge {
    pub measure: Measure,
    pub sighting: Sighting,
    /// Whom it concerns; never 0.
    pub obligation: u64,
    pub count: u64,
    pub exposures: u64,
    pub of: u64,
}

impl Charge {
    /// As promises about it are named.
    pub fn name(&self, model: &Model) -> String {
        name_of(self.measure, model)
    }
}

fn name_of(measure: Measure, model: &Model) -> String {
    match measure {
        Measure::Anomaly(anomaly) => format!("{}.{}", anomaly.family().name(), anomaly.name()),
        Measure::Promise(at) => {
            model.promises.headings().nth(at).map_or(String::new(), |heading| heading.verdict.clone())
        }
    }
}

/// What a replication that lacks something says of a charge.
pub struct Standing {
    /// The same goes wrong with the same obligation. Of measures that do not name all that they concern: it
    /// goes wrong at all.
    pub same: bool,
    /// What else goes wrong with it.
    pub others: Vec<String>,
}

/// What went wrong in the replication in question, and the replication's digest.
pub(super) fn charge(bench: &Bench) -> Result<(Charge, String), NoAccount> {
    let model = bench.question.model;
    let mut digest = Digest::default();
    let mut oracles = Oracles::new(model);
    if let Focus::Obligation(obligation) = bench.question.focus {
        oracles.watch(*obligation);
    }
    bench.run((&mut digest, &mut oracles), &Without::default())?;
    let watched = oracles.sightings().to_vec();
    let (findings, _) = oracles.finish();
    let (measure, sighting) = match bench.question.focus {
        Focus::First => first(model, &findings).ok_or(NoAccount::NothingWrong)?,
        Focus::Measure(name) => named(model, &findings, name)?,
        Focus::Obligation(obligation) => of_obligation(model, &findings, &watched, *obligation)
            .ok_or(NoAccount::NoSuchObligation(*obligation))?,
    };
    let finding = finding_of(&findings, measure).cloned().unwrap_or_default();
    let obligation = match sighting.obligation {
        0 => last_to_change(bench, measure, sighting.at)?.ok_or(NoAccount::NothingWrong)?,
        known => known,
    };
    let Finding { count, exposures, of, .. } = finding;
    Ok((Charge { measure, sighting, obligation, count, exposures, of }, digest_of(&digest)))
}

fn finding_of(findings: &Findings, measure: Measure) -> Option<&Finding> {
    match measure {
        Measure::Anomaly(anomaly) => findings.anomalies.get(anomaly.index()),
        Measure::Promise(at) => findings.promises.get(at),
    }
}

fn seen(findings: &Findings, measure: Measure) -> Option<(Measure, Sighting)> {
    let first = finding_of(findings, measure).filter(|finding| finding.count > 0)?.first.clone()?;
    Some((measure, first))
}

/// Promises first: those that are broken, then those of which anything was seen; then everything else.
fn first(model: &Model, findings: &Findings) -> Option<(Measure, Sighting)> {
    let earliest =
        |found: &mut dyn Iterator<Item = (Measure, Sighting)>| found.min_by_key(|(_, sighting)| sighting.at);
    let broken = model.promises.anomalies.iter().filter(|promise| {
        let most = match promise.bound {
            Bound::Count(most) => most,
            Bound::Share(_) => 0,
        };
        findings.anomalies.get(promise.anomaly.index()).is_some_and(|finding| finding.count > most)
    });
    let bounds = broken.filter_map(|promise| seen(findings, Measure::Anomaly(promise.anomaly)));
    let promises = (0..findings.promises.len()).filter_map(|at| seen(findings, Measure::Promise(at)));
    let any = Anomaly::ALL.iter().filter_map(|&anomaly| seen(findings, Measure::Anomaly(anomaly)));
    earliest(&mut bounds.chain(promises)).or_else(|| any.into_iter().next())
}

fn named(model: &Model, findings: &Findings, name: &str) -> Result<(Measure, Sighting), NoAccount> {
    let anomalies = Anomaly::ALL.iter().map(|&anomaly| Measure::Anomaly(anomaly));
    let promises = (0..model.promises.headings().count()).map(Measure::Promise);
    let all: Vec<Measure> = anomalies.chain(promises).collect();
    let Some(&measure) = all.iter().find(|measure| name_of(**measure, model) == name) else {
        let known = all.iter().map(|measure| name_of(*measure, model)).collect();
        return Err(NoAccount::NoSuchMeasure(name.to_owned(), known));
    };
    seen(findings, measure).ok_or_else(|| NoAccount::NotBroken(name.to_owned()))
}

/// What was seen of one obligation: what is promised goes before what is not.
fn of_obligation(
    model: &Model,
    findings: &Findings,
    watched: &[(Anomaly, Sighting)],
    obligation: u64,
) -> Option<(Measure, Sighting)> {
    let is_promised =
        |anomaly: Anomaly| model.promises.anomalies.iter().any(|promise| promise.anomaly == anomaly);
    let first = watched.iter().find(|(anomaly, _)| is_promised(*anomaly)).or(watched.first());
    if let Some((anomaly, sighting)) = first {
        return Some((Measure::Anomaly(*anomaly), sighting.clone()));
    }
    let anomalies = Anomaly::ALL.iter().map(|&anomaly| Measure::Anomaly(anomaly));
    let promises = (0..findings.promises.len()).map(Measure::Promise);
    let mut all = promises.chain(anomalies).filter_map(|measure| seen(findings, measure));
    all.find(|(_, sighting)| sighting.obligation == obligation)
}

/// What oracles that watched the obligation say of a charge.
pub fn standing(charge: &Charge, model: &Model, oracles: Oracles) -> Standing {
    let mut seen: Vec<Anomaly> = oracles.sightings().iter().map(|(anomaly, _)| *anomaly).collect();
    seen.sort_unstable();
    seen.dedup();
    let (findings, _) = oracles.finish();
    let goes_wrong = finding_of(&findings, charge.measure).is_some_and(|finding| finding.count > 0);
    let same = match charge.measure {
        Measure::Anomaly(anomaly) if anomaly.family() == Family::Idempotency => seen.contains(&anomaly),
        _ => goes_wrong,
    };
    let others = seen.into_iter().map(Measure::Anomaly).filter(|measure| *measure != charge.measure);
    Standing { same, others: others.map(|measure| name_of(measure, model)).collect() }
}

/// The obligation that last changed a table which a promise speaks of.
fn last_to_change(bench: &Bench, measure: Measure, at: Nanos) -> Result<Option<u64>, NoAccount> {
    let Measure::Promise(promise) = measure else { return Ok(None) };
    let tables = tables_of(&bench.question.model.promises, promise);
    let mut last = LastChange { tables, until: at, attempts: FxHashMap::default(), obligation: None };
    bench.run(&mut last, &Without::default())?;
    Ok(last.obligation)
}

/// The tables that a promise speaks of.
fn tables_of(promises: &Promises, promise: usize) -> Vec<TableId> {
    if let Some(view) = promises.convergence.get(promise) {
        return vec![view.view, view.of];
    }
    let Some(at) = promise.checked_sub(promises.first_invariant()) else { return Vec::new() };
    let invariant = &promises.invariants[at];
    let formula: Option<&Formula> = formula_of(invariant);
    let own = formula.into_iter().flat_map(|formula| formula.tables.iter().copied());
    let aggregates = formula.into_iter().flat_map(|formula| &formula.aggregates);
    let aggregated = aggregates.map(|&aggregate| promises.aggregates[aggregate as usize].table);
    own.chain(aggregated).chain(invariant.for_each).collect()
}

/// Finds who changed some tables last.
struct LastChange {
    tables: Vec<TableId>,
    until: Nanos,
    attempts: FxHashMap<u32, u64>,
    obligation: Option<u64>,
}

impl Observer for LastChange {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, _: Nanos, _: &Record) {}

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptBegun { attempt, cause, .. } => {
                self.attempts.insert(attempt, cause.obligation);
            }
            Deed::Committed { attempt, row, .. } if now <= self.until && self.tables.contains(&row.table) => {
                self.obligation = self.attempts.get(&attempt).copied().or(self.obligation);
            }
            Deed::AttemptEnded { attempt, .. } => drop(self.attempts.remove(&attempt)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Focus;

    #[test]
    fn a_focus_is_an_obligation_or_a_name() {
        assert_eq!(Focus::read("o:7f3a"), Ok(Focus::Obligation(0x7f3a)));
        assert_eq!(Focus::read("invariants.x"), Ok(Focus::Measure("invariants.x".into())));
        assert!(Focus::read("o:").is_err() && Focus::read("o:xyz").is_err());
        assert!(Focus::read("o:11112222333344445").is_err());
    }
}
