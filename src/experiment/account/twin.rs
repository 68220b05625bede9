//! The twin: another design under the same seed, the same intents and the same faults.
//!
//! What convinces most that a repair is one: the same crash came, the same message came again, and the same order
//! was served as it was meant. The obligations of both designs have the same names as long as the way to them has,
//! so that the very work that went wrong here is found there.

use super::focus::{Charge, Look, Measure, finding_in, name_of};
use super::{Bench, NoAccount, Question, meaning};
use crate::experiment::results::account::{Beside, Counted, FaultBeside, SameWork, Twin};
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::observe::digest::Digest;
use crate::observe::findings::{Finding, Findings};
use crate::observe::oracles::Oracles;
use crate::observe::oracles::lineage::Watch;
use crate::observe::trace::kin::Search;
use crate::world::deed::Deed;
use crate::world::record::{Observer, Record};
use crate::world::without::Without;

/// Another design of the same thing.
#[derive(Clone, Copy)]
pub struct TwinDesign<'a> {
    pub model: &'a Model,
    /// As it was given.
    pub file: &'a str,
}

/// Runs the twin, and holds it against what is charged.
pub(super) fn beside(
    bench: &Bench,
    design: &TwinDesign,
    look: &Look,
    charge: &Charge,
) -> Result<Twin, NoAccount> {
    let twin = Question { model: design.model, file: design.file, twin: None, ..*bench.question };
    let there = Bench::new(&twin);
    let mut digest = Digest::default();
    let mut oracles = Oracles::new(design.model);
    oracles.watch(Watch::One(charge.obligation));
    let mut firings = Firings::new(design.model);
    let mut search = Search::new(design.model, charge.obligation);
    there.run(&mut (&mut digest, (&mut oracles, (&mut firings, &mut search))), &Without::default())?;
    let mut wrong: Vec<String> = Vec::new();
    for (anomaly, _) in oracles.sightings() {
        let name = name_of(Measure::Anomaly(*anomaly), design.model);
        if !wrong.contains(&name) {
            wrong.push(name);
        }
    }
    let (findings, _) = oracles.finish();
    let same_work = match search.finish() {
        None => None,
        Some(kin) => {
            let (trace, _) = there.trace(&kin, &Without::default())?;
            Some(SameWork { attempts: trace.attempts, did: meaning::got(&trace, None), wrong })
        }
    };
    let mut here = Firings::new(bench.question.model);
    bench.run(&mut here, &Without::default())?;
    Ok(Twin {
        scenario: design.model.names.scenario.clone(),
        file: design.file.to_owned(),
        digest: digest.fingerprint().finish().to_string(),
        measures: measures(bench.question.model, look, charge, (design.model, &findings)),
        faults: faults((bench.question.model, &here), (design.model, &firings)),
        same_work,
    })
}

/// What is charged, and what broke it, in both.
fn measures(
    model: &Model,
    look: &Look,
    charge: &Charge,
    (twin, findings): (&Model, &Findings),
) -> Vec<Beside> {
    let counted = |finding: &Finding| Counted { count: finding.count, exposures: finding.exposures };
    let cause = charge.cause.as_ref().map(|cause| cause.measure);
    let beside = |measure: Measure| {
        let name = name_of(measure, model);
        Beside {
            here: look.finding(measure).map(counted).unwrap_or_default(),
            there: finding_in(twin, findings, &name).map(counted),
            measure: name,
        }
    };
    [charge.measure].into_iter().chain(cause).map(beside).collect()
}

fn faults((model, here): (&Model, &Firings), (twin, there): (&Model, &Firings)) -> Vec<FaultBeside> {
    let beside = |(number, fault): (usize, &crate::model::Fault)| {
        let same = twin.faults.iter().position(|of| of.name == fault.name);
        FaultBeside {
            name: fault.name.clone(),
            what: fault.what.clone(),
            here: here.hit[number],
            there: same.map(|same| there.hit[same]),
        }
    };
    model.faults.iter().enumerate().map(beside).collect()
}

/// How often each fault hit something alive.
struct Firings {
    hit: Vec<u64>,
}

impl Firings {
    fn new(model: &Model) -> Self {
        Self { hit: vec![0; model.faults.len()] }
    }
}

impl Observer for Firings {
    fn record(&mut self, _: Nanos, record: &Record) {
        if let Record::FaultBegan { fault, touched } = *record {
            self.hit[fault.index()] += u64::from(touched > 0);
        }
    }

    fn deed(&mut self, _: Nanos, _: &Deed<'_>) {}
}
