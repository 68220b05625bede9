//! The account of a counterexample: one replication run again, with one obligation in mind.
//!
//! Nothing is kept while a scenario is judged; what convinces is gathered here. The replication is run with the
//! same seed to find what went wrong ([`focus`]), twice more for its trace ([`crate::observe::trace`]), and again
//! without the faults that fired, to see which are needed (`ablation`). Each run that leaves something out
//! leaves all other draws as they were, so what is said about it was run and not guessed.

mod ablation;
mod chain;
pub mod focus;
mod meaning;

use super::replication;
use super::results::account::{Account, Entry, Told};
use crate::kernel::stream::StreamPlan;
use crate::kernel::time::{Nanos, SECOND};
use crate::model::Model;
use crate::observe::digest;
use crate::observe::trace::gather::Gather;
use crate::observe::trace::kin::{Kin, Search};
use crate::observe::trace::{Trace, wording};
use crate::world::record::Observer;
use crate::world::without::Without;
use crate::world::{Halt, Limits};
use focus::{Charge, Focus};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Which counterexample of which replication.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub model: &'a Model,
    /// The scenario, as it was given.
    pub file: &'a str,
    pub settings: &'a [String],
    pub seed: u64,
    pub replication: u32,
    pub focus: &'a Focus,
    pub limits: Limits,
    pub interrupt: &'a AtomicBool,
}

/// Why there is no account.
#[derive(Clone, Debug, PartialEq)]
pub enum NoAccount {
    /// Nothing was seen to go wrong in this replication.
    NothingWrong,
    /// Nothing is called so; what is.
    NoSuchMeasure(String, Vec<String>),
    /// It was not broken in this replication.
    NotBroken(String),
    /// No such obligation was seen to go wrong.
    NoSuchObligation(u64),
    Halted(Halt),
}

impl fmt::Display for NoAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAccount::NothingWrong => f.write_str("nothing was seen to go wrong in this replication"),
            NoAccount::NoSuchMeasure(name, known) => {
                write!(f, "nothing is called `{name}`; there are {}", known.join(", "))
            }
            NoAccount::NotBroken(name) => write!(f, "`{name}` was not broken in this replication"),
            NoAccount::NoSuchObligation(obligation) => write!(
                f,
                "nothing was seen to go wrong with an obligation o:{obligation:016x} in this replication"
            ),
            NoAccount::Halted(halt) => halt.fmt(f),
        }
    }
}

impl std::error::Error for NoAccount {}

impl From<Halt> for NoAccount {
    fn from(halt: Halt) -> Self {
        NoAccount::Halted(halt)
    }
}

/// Runs a replication again and gives the account of what went wrong in it.
///
/// # Errors
///
/// See [`NoAccount`].
pub fn account(question: &Question) -> Result<Account, NoAccount> {
    let bench = Bench::new(question);
    let (charge, digest) = focus::charge(&bench)?;
    let kin = bench.kin(charge.obligation)?.ok_or(NoAccount::NoSuchObligation(charge.obligation))?;
    let (trace, _) = bench.trace(&kin, &Without::default())?;
    let ablation = ablation::ablate(&bench, &charge, &trace)?;
    let whole = match ablation.passing() {
        Some(without) => Some(bench.trace(&kin, &without)?.0),
        None => None,
    };
    let Question { model, file, settings, seed, replication, .. } = *question;
    let (meant, meant_by) = meaning::meant(model, &trace, whole.as_ref(), &ablation);
    let (chain, left_out) = chain::chain(model, &trace, &charge, &ablation);
    // What was not gathered would stand at the end.
    let gap_after = if left_out > 0 { chain::MOST_FIRST } else { chain.len() };
    let entries = trace.changes.iter().map(|change| Entry {
        at: seconds(change.at),
        by: change.by.clone(),
        is_own: change.is_own,
        what: change.what.clone(),
    });
    Ok(Account {
        scenario: model.names.scenario.clone(),
        file: file.to_owned(),
        settings: settings.to_vec(),
        seed,
        replication,
        digest,
        measure: charge.name(model),
        what: charge.sighting.what.clone(),
        at: seconds(charge.sighting.at),
        obligation: format!("{:016x}", charge.obligation),
        subject: trace.subject.clone(),
        count: charge.count,
        exposures: charge.exposures,
        of: charge.of,
        got: meaning::got(&trace, whole.as_ref()),
        at_end: meaning::at_end(&trace, whole.as_ref()),
        told: trace
            .told
            .map(|(at, outcome)| Told { at: seconds(at), what: wording::outcome(model, outcome) }),
        meant,
        meant_by,
        chain,
        left_out: left_out + trace.left_out,
        gap_after,
        ledger: entries.collect(),
        ledger_left_out: trace.changes_left_out,
        without: ablation.said,
        runs: ablation.runs,
        is_minimal: ablation.is_minimal,
    })
}

fn seconds(at: Nanos) -> f64 {
    at as f64 / SECOND as f64
}

/// Runs the replication in question, again and again.
struct Bench<'a> {
    question: &'a Question<'a>,
    plan: Arc<StreamPlan>,
}

impl<'a> Bench<'a> {
    fn new(question: &'a Question<'a>) -> Self {
        Self { question, plan: Arc::new(StreamPlan::new(&question.model.streams)) }
    }

    /// Gives the number of events.
    fn run<O: Observer>(&self, observer: O, without: &Without) -> Result<u64, Halt> {
        let Question { model, seed, replication, limits, interrupt, .. } = *self.question;
        let agenda = replication::agenda(model, &self.plan, seed, replication);
        let without = without.clone();
        replication::replicate_without(model, agenda, observer, limits, interrupt, without)
            .map(|(events, _)| events)
    }

    fn kin(&self, obligation: u64) -> Result<Option<Kin>, Halt> {
        let mut search = Search::new(self.question.model, obligation);
        self.run(&mut search, &Without::default())?;
        Ok(search.finish())
    }

    fn trace(&self, kin: &Kin, without: &Without) -> Result<(Trace, u64), Halt> {
        let mut gather = Gather::new(self.question.model, kin.clone());
        let events = self.run(&mut gather, without)?;
        Ok((gather.finish(), events))
    }
}

/// The digest of a replication as every run of it prints it.
fn digest_of(digest: &digest::Digest) -> String {
    digest.fingerprint().finish().to_string()
}

/// Whether something of this charge is seen in a replication that lacks something.
fn stands(bench: &Bench, charge: &Charge, without: &Without) -> Result<(focus::Standing, u64), Halt> {
    let mut oracles = crate::observe::oracles::Oracles::new(bench.question.model);
    oracles.watch(charge.obligation);
    let events = bench.run(&mut oracles, without)?;
    Ok((focus::standing(charge, bench.question.model, oracles), events))
}
