//! The account of a counterexample: one replication run again, with one obligation in mind.
//!
//! Nothing is kept while a scenario is judged; what convinces is gathered here. The replication is run with the
//! same seed to find what went wrong ([`focus`]), and what went wrong before where a promise about rows or sums is
//! broken (`cause`); twice more for its trace ([`crate::observe::trace`]); and again without the faults that fired, to
//! see which are needed (`ablation`). Each run that leaves something out leaves all other draws as they were, so what
//! is said about it was run and not guessed.
//!
//! ```text
//! focus      invariants.adds_up: sum(stock.reserved) = 25, sum(orders.quantity) = 23
//! cause      idempotency.duplicate_effects: stock[17].reserved of order 5, done twice
//! trace      what the work on order 5 read and wrote, in turn
//! ablation   without the crash at 83.063s all is well; without the 41 others it is not
//! ```

mod ablation;
mod cause;
mod chain;
pub mod focus;
pub mod gathered;
mod meaning;
mod twin;

use super::reference::Again;
use super::replication::{self, Watched};
use super::results::account::{Account, Because, Compared, Entry, Told};
use crate::kernel::stream::StreamPlan;
use crate::kernel::time::{Nanos, SECOND};
use crate::model::Model;
use crate::observe::trace::gather::Gather;
use crate::observe::trace::kin::{Kin, Search};
use crate::observe::trace::{Trace, wording};
use crate::world::record::Observer;
use crate::world::without::Without;
use crate::world::{Halt, Limits};
use focus::{Charge, Focus, Look};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use twin::TwinDesign;

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
    /// Another design to hold against it.
    pub twin: Option<TwinDesign<'a>>,
    pub effort: Effort,
    pub limits: Limits,
    pub interrupt: &'a AtomicBool,
}

/// How much is run to find which faults are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    pub runs: u32,
    /// Events in all of them: a long scenario is run less often.
    pub events: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { runs: 48, events: 400_000_000 }
    }
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
    /// It was broken, and no work is known to have had a part in it.
    NobodysWork(String),
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
            NoAccount::NobodysWork(what) => {
                write!(f, "nobody's work is known to have had a part in this: {what}")
            }
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
    let look = focus::look(&bench)?;
    let charge = focus::charge(&bench, &look)?;
    tell(&bench, &look, &charge)
}

/// The account of a charge.
fn tell(bench: &Bench, look: &Look, charge: &Charge) -> Result<Account, NoAccount> {
    let mut account = headed(bench, look, charge);
    let kin = bench.kin(charge)?.ok_or(NoAccount::NoSuchObligation(charge.obligation))?;
    let (trace, _) = bench.trace(&kin, &Without::default())?;
    let ablation = ablation::ablate(bench, charge, &trace)?;
    let whole = match ablation.passing() {
        Some(without) => Some(bench.trace(&kin, &without)?.0),
        None => None,
    };
    let model = bench.question.model;
    (account.meant, account.meant_by) = meaning::meant(model, &trace, whole.as_ref(), &ablation);
    let (chain, left_out) = chain::chain(model, &trace, charge, &ablation);
    // What was not gathered would stand at the end.
    account.gap_after = if left_out > 0 { chain::MOST_FIRST } else { chain.len() };
    account.chain = chain;
    account.left_out = left_out + trace.left_out;
    account.got = meaning::got(&trace, whole.as_ref());
    if let Some(meaning) = meaning::beside_the_work(model, &trace, charge) {
        (account.meant, account.got) = (meaning.meant, meaning.got);
        account.meant_by.clear();
    }
    account.at_end = meaning::at_end(&trace, whole.as_ref());
    account.told =
        trace.told.map(|(at, outcome)| Told { at: seconds(at), what: wording::outcome(model, outcome) });
    let entries = trace.changes.iter().map(|change| Entry {
        at: seconds(change.at),
        by: change.by.clone(),
        is_own: change.is_own,
        what: change.what.clone(),
    });
    account.ledger = entries.collect();
    account.ledger_left_out = trace.changes_left_out;
    account.subject = trace.subject;
    account.without = ablation.said;
    account.runs = ablation.runs;
    account.is_minimal = ablation.is_minimal;
    account.untried = ablation.untried;
    account.twin = match &bench.question.twin {
        Some(design) => Some(twin::beside(bench, design, look, charge)?),
        None => None,
    };
    Ok(account)
}

/// What is charged, with nothing of the work yet.
fn headed(bench: &Bench, look: &Look, charge: &Charge) -> Account {
    let Question { model, file, settings, seed, replication, focus, .. } = *bench.question;
    let measure = charge.name(model);
    let because = charge.cause.as_ref().map(|cause| Because {
        measure: focus::name_of(cause.measure, model),
        what: cause.sighting.what.clone(),
        at: seconds(cause.sighting.at),
        count: look.finding(cause.measure).map_or(0, |finding| finding.count),
    });
    let sides = charge.sighting.facts.sides.iter().map(|side| Compared {
        of: side.of.clone(),
        is: side.is.clone(),
        should_be: side.should_be.clone(),
    });
    Account {
        scenario: model.names.scenario.clone(),
        file: file.to_owned(),
        settings: settings.to_vec(),
        seed,
        replication,
        digest: look.digest.clone(),
        focus: match focus {
            Focus::Obligation(obligation) => format!("o:{obligation:016x}"),
            Focus::First | Focus::Measure(_) => measure.clone(),
        },
        measure,
        what: charge.sighting.what.clone(),
        at: seconds(charge.sighting.at),
        obligation: format!("{:016x}", charge.obligation),
        subject: String::new(),
        count: charge.count,
        exposures: charge.exposures,
        of: charge.of,
        sides: sides.collect(),
        because,
        whose: charge.is_last_to_change.then(|| {
            "Nothing is known to have gone wrong before with any work on what this promise speaks of. Shown is the \
             work that last changed it."
                .to_owned()
        }),
        same_as: None,
        meant: Vec::new(),
        meant_by: String::new(),
        got: Vec::new(),
        at_end: Vec::new(),
        told: None,
        chain: Vec::new(),
        left_out: 0,
        gap_after: 0,
        ledger: Vec::new(),
        ledger_left_out: 0,
        without: Vec::new(),
        runs: 0,
        is_minimal: true,
        untried: 0,
        twin: None,
    }
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
    fn run(&self, observer: &mut dyn Observer, without: &Without) -> Result<u64, Halt> {
        let (events, ending) = self.run_until(observer, without, self.question.interrupt);
        ending.map(|()| events)
    }

    /// As far as it is wanted: until `over` is set.
    fn run_until(
        &self,
        observer: &mut dyn Observer,
        without: &Without,
        over: &AtomicBool,
    ) -> (u64, Result<(), Halt>) {
        let Question { model, seed, replication, limits, .. } = *self.question;
        let agenda = replication::agenda(model, &self.plan, seed, replication);
        let agenda = replication::unbounded(agenda);
        let mut simulation = Watched::lacking(model, agenda, observer, without.clone());
        let ending = simulation.run(limits, over);
        (simulation.events, ending)
    }

    /// The replication, to be compared with its intents alone.
    fn again(&self) -> Again<'a> {
        let Question { model, seed, replication, limits, interrupt, .. } = *self.question;
        Again { model, plan: self.plan.clone(), seed, replication, limits, interrupt }
    }

    fn kin(&self, charge: &Charge) -> Result<Option<Kin>, Halt> {
        let mut search = Search::new(self.question.model, charge.obligation);
        search.look_for(&charge.sighting.facts);
        self.run(&mut search, &Without::default())?;
        Ok(search.finish())
    }

    fn trace(&self, kin: &Kin, without: &Without) -> Result<(Trace, u64), Halt> {
        let mut gather = Gather::new(self.question.model, kin.clone());
        let events = self.run(&mut gather, without)?;
        Ok((gather.finish(), events))
    }
}
