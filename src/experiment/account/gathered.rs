//! The accounts of a run: the first counterexample of each promise that failed, gathered after it.
//!
//! Bounded, since an account takes several runs of a replication: so many accounts, and so many events in all of
//! them. Promises that go back to the same (the stock that does not add up, and the duplicate that made it so) share
//! one account. Whatever is not gathered is named, with the reason.

use super::focus::{Charge, Focus, Look, charge, look};
use super::{Bench, Effort, NoAccount, Question, TwinDesign, headed, tell};
use crate::experiment::results::RunResults;
use crate::experiment::results::account::{Account, Accounts, Untold};
use crate::experiment::results::verdict::{Outcome, Verdict};
use crate::model::Model;
use crate::world::{Halt, Limits};
use rayon::prelude::*;
use std::sync::atomic::AtomicBool;

/// Events in all accounts of a run.
const MOST_EVENTS: u64 = 60_000_000;
/// Runs of a replication from beginning to end that an account takes: to look, to trace, to compare.
const WHOLE_RUNS: u64 = 6;
/// Runs that leave something out; most of them end early.
const MOST_RUNS: u32 = 24;

/// How the accounts are gathered.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    pub model: &'a Model,
    /// Another design to hold against it.
    pub twin: Option<TwinDesign<'a>>,
    /// How many at most.
    pub most: usize,
    /// `None`: as many as there are processors.
    pub threads: Option<usize>,
    pub limits: Limits,
    pub interrupt: &'a AtomicBool,
}

/// Gathers the accounts of the promises that failed in a run: those first that should not have.
pub fn gather(wish: &Wish, results: &RunResults) -> Accounts {
    let mut failed: Vec<(&Verdict, u32)> = results
        .verdicts
        .iter()
        .filter(|verdict| verdict.outcome == Outcome::Fail)
        .filter_map(|verdict| Some((verdict, verdict.counterexample.as_ref()?.replication)))
        .collect();
    failed.sort_by_key(|(verdict, _)| std::cmp::Reverse(verdict.standing()));
    let affordable = affordable(results).min(wish.most);
    let late = failed.split_off(failed.len().min(affordable));
    let mut accounts = Accounts::default();
    match rayon::ThreadPoolBuilder::new().num_threads(wish.threads.unwrap_or(0)).build() {
        Ok(pool) => pool.install(|| of_all(wish, results, &failed, &mut accounts)),
        Err(error) => accounts.untold.extend(failed.iter().map(|(verdict, _)| Untold {
            measure: verdict.name.clone(),
            why: format!("the system gave no threads: {error}"),
        })),
    }
    let why = match affordable < wish.most {
        true => "a replication is so long that gathering more would take longer than the run",
        false => "no more were asked for",
    };
    accounts
        .untold
        .extend(late.iter().map(|(verdict, _)| Untold { measure: verdict.name.clone(), why: why.into() }));
    accounts
}

/// How many accounts the bound on events has room for.
fn affordable(results: &RunResults) -> usize {
    let of_one = results.events / u64::from(results.replications_done.max(1));
    (MOST_EVENTS / (of_one.max(1) * (WHOLE_RUNS + u64::from(MOST_RUNS) / 8))) as usize
}

/// One after another decides who shares with whom; what takes long is done together.
fn of_all(wish: &Wish, results: &RunResults, failed: &[(&Verdict, u32)], accounts: &mut Accounts) {
    let focuses: Vec<Focus> =
        failed.iter().map(|(verdict, _)| Focus::Measure(verdict.name.clone())).collect();
    let questions: Vec<Question> = failed
        .iter()
        .zip(&focuses)
        .map(|((_, replication), focus)| question(wish, results, *replication, focus))
        .collect();
    let mut replications: Vec<u32> = failed.iter().map(|(_, replication)| *replication).collect();
    replications.sort_unstable();
    replications.dedup();
    let looks: Vec<(u32, Result<Look, Halt>)> = replications
        .into_par_iter()
        .map(|replication| {
            let first = questions.iter().find(|of| of.replication == replication).expect("it is of one");
            (replication, look(&Bench::new(first)))
        })
        .collect();
    let look_at = |replication: u32| {
        let (_, look) = looks.iter().find(|(of, _)| *of == replication).expect("all were looked at");
        look.as_ref().map_err(|halt| NoAccount::Halted(halt.clone()))
    };
    let charges: Vec<Result<Charge, NoAccount>> = questions
        .par_iter()
        .map(|question| charge(&Bench::new(question), look_at(question.replication)?))
        .collect();
    let shared = |at: usize| {
        let name = |at: usize| {
            let charge = charges[at].as_ref().ok()?;
            Some((charge.obligation, charge.tried(), questions[at].replication))
        };
        (0..at).find(|&earlier| name(at).is_some() && name(earlier) == name(at))
    };
    let told: Vec<Result<Account, NoAccount>> = (0..questions.len())
        .into_par_iter()
        .map(|at| {
            let bench = Bench::new(&questions[at]);
            let look = look_at(questions[at].replication)?;
            let charge = charges[at].as_ref().map_err(NoAccount::clone)?;
            match shared(at) {
                Some(earlier) => {
                    let same_as = Some(failed[earlier].0.name.clone());
                    Ok(Account { same_as, ..headed(&bench, look, charge) })
                }
                None => tell(&bench, look, charge),
            }
        })
        .collect();
    for ((verdict, _), account) in failed.iter().zip(told) {
        match account {
            Ok(account) => accounts.told.push(account),
            Err(why) => {
                accounts.untold.push(Untold { measure: verdict.name.clone(), why: why.to_string() });
            }
        }
    }
}

fn question<'a>(wish: &'a Wish, results: &'a RunResults, replication: u32, focus: &'a Focus) -> Question<'a> {
    Question {
        model: wish.model,
        file: &results.file,
        settings: &results.settings,
        seed: results.seed,
        replication,
        focus,
        twin: wish.twin,
        effort: Effort { runs: MOST_RUNS, events: MOST_EVENTS / wish.most.max(1) as u64 },
        limits: wish.limits,
        interrupt: wish.interrupt,
    }
}
