//! What an account is about: the thing that went wrong, and whom it concerns.

use super::{Bench, NoAccount, cause};
use crate::kernel::anomaly::{Anomaly, Family};
use crate::model::Model;
use crate::model::promise::Bound;
use crate::observe::digest::Digest;
use crate::observe::findings::{Finding, Findings, Sighting};
use crate::observe::oracles::Oracles;
use crate::observe::oracles::lineage::Watch;
use crate::world::Halt;
use crate::world::without::Without;

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
    /// Whose work is told of; never 0.
    pub obligation: u64,
    /// What went wrong before with that work, if the measure is about rows or sums.
    pub cause: Option<Cause>,
    /// Nothing better is known than that this work changed it last.
    pub is_last_to_change: bool,
    pub count: u64,
    pub exposures: u64,
    pub of: u64,
}

/// What went wrong with the work on one obligation, and broke a promise by it.
#[derive(Clone, Debug)]
pub struct Cause {
    pub measure: Measure,
    pub sighting: Sighting,
}

impl Charge {
    /// As promises about it are named.
    pub fn name(&self, model: &Model) -> String {
        name_of(self.measure, model)
    }

    /// Where the work went wrong.
    pub fn moment(&self) -> &Sighting {
        self.cause.as_ref().map_or(&self.sighting, |cause| &cause.sighting)
    }

    /// What must go wrong again for the same to go wrong.
    pub fn tried(&self) -> Measure {
        self.cause.as_ref().map_or(self.measure, |cause| cause.measure)
    }
}

/// All that judges see in the replication in question.
pub struct Look {
    findings: Findings,
    /// What lineage saw, one by one, up to a bound.
    pub sightings: Vec<(Anomaly, Sighting)>,
    /// As every run of it prints it.
    pub digest: String,
}

impl Look {
    pub fn finding(&self, measure: Measure) -> Option<&Finding> {
        finding_of(&self.findings, measure)
    }
}

/// As promises about it are named.
pub fn name_of(measure: Measure, model: &Model) -> String {
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

/// Looks at the whole replication.
pub(super) fn look(bench: &Bench) -> Result<Look, Halt> {
    let mut digest = Digest::default();
    let mut oracles = Oracles::new(bench.question.model);
    oracles.watch(match *bench.question.focus {
        Focus::Obligation(obligation) => Watch::One(obligation),
        Focus::First | Focus::Measure(_) => Watch::All,
    });
    bench.run(&mut (&mut digest, &mut oracles), &Without::default())?;
    let sightings = oracles.sightings().to_vec();
    let (mut findings, _) = oracles.finish();
    findings.promises.extend(bench.again().judge()?);
    Ok(Look { findings, sightings, digest: digest.fingerprint().finish().to_string() })
}

/// What is asked about, and whose work it was.
pub(super) fn charge(bench: &Bench, look: &Look) -> Result<Charge, NoAccount> {
    let model = bench.question.model;
    let findings = &look.findings;
    let (measure, sighting) = match bench.question.focus {
        Focus::First => first(model, findings).ok_or(NoAccount::NothingWrong)?,
        Focus::Measure(name) => named(model, findings, name)?,
        Focus::Obligation(obligation) => of_obligation(model, findings, &look.sightings, *obligation)
            .ok_or(NoAccount::NoSuchObligation(*obligation))?,
    };
    let Finding { count, exposures, of, .. } = *look.finding(measure).unwrap_or(&Finding::default());
    let found = cause::find(bench, look, measure, &sighting)?;
    Ok(Charge {
        measure,
        sighting,
        obligation: found.obligation,
        cause: found.cause,
        is_last_to_change: found.is_last_to_change,
        count,
        exposures,
        of,
    })
}

fn finding_of(findings: &Findings, measure: Measure) -> Option<&Finding> {
    match measure {
        Measure::Anomaly(anomaly) => findings.anomalies.get(anomaly.index()),
        Measure::Promise(at) => findings.promises.get(at),
    }
}

/// What was found about what is called so; `None`: nothing is.
pub fn finding_in<'f>(model: &Model, findings: &'f Findings, name: &str) -> Option<&'f Finding> {
    let measure = all(model).into_iter().find(|measure| name_of(*measure, model) == name)?;
    finding_of(findings, measure)
}

/// All that can be asked about.
fn all(model: &Model) -> Vec<Measure> {
    let anomalies = Anomaly::ALL.iter().map(|&anomaly| Measure::Anomaly(anomaly));
    anomalies.chain((0..model.promises.headings().count()).map(Measure::Promise)).collect()
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
    let all = all(model);
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
    let tried = charge.tried();
    let goes_wrong = finding_of(&findings, tried).is_some_and(|finding| finding.count > 0);
    let same = match tried {
        Measure::Anomaly(anomaly) if is_of_obligations(tried) => seen.contains(&anomaly),
        _ => goes_wrong,
    };
    let others = seen.into_iter().map(Measure::Anomaly).filter(|measure| *measure != tried);
    Standing { same, others: others.map(|measure| name_of(measure, model)).collect() }
}

/// Whether each thing that a measure counts is one obligation's, and known once that is settled.
pub fn is_of_obligations(measure: Measure) -> bool {
    matches!(measure, Measure::Anomaly(anomaly) if anomaly.family() == Family::Idempotency)
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
