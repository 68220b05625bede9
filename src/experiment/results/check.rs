//! What a check found: the verdicts of several files, or why there are none. The JSON of `check` is this.

use super::RunResults;
use super::account::Account;
use super::verdict::{Outcome, Place, Verdict};
use crate::experiment::run::Failure;
use serde::{Deserialize, Serialize};

/// Format version of the JSON; raised when a field changes its meaning.
pub const CHECK_VERSION: u32 = 1;

/// How a file stands after its check, from well to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every verdict is well: passed, or what the scenario expects.
    Pass,
    /// Some verdict is inconclusive, or the file promises nothing, or was interrupted before anything was known.
    Inconclusive,
    /// Some verdict failed, or is not what the scenario expects.
    Fail,
    /// There are no verdicts: the file has mistakes, or its run could not come to an end.
    Unusable,
}

impl Standing {
    pub fn name(self) -> &'static str {
        match self {
            Standing::Pass => "pass",
            Standing::Inconclusive => "inconclusive",
            Standing::Fail => "fail",
            Standing::Unusable => "unusable",
        }
    }
}

impl From<Outcome> for Standing {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => Standing::Pass,
            Outcome::Inconclusive => Standing::Inconclusive,
            Outcome::Fail => Standing::Fail,
        }
    }
}

/// All files of a check, in the order in which they were given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckResults {
    pub version: u32,
    /// eventflow's version.
    pub eventflow: String,
    pub standing: Standing,
    pub files: Vec<CheckedFile>,
}

impl CheckResults {
    pub fn new(files: Vec<CheckedFile>) -> Self {
        let standing = files.iter().map(|file| file.standing).max().unwrap_or(Standing::Pass);
        Self { version: CHECK_VERSION, eventflow: env!("CARGO_PKG_VERSION").to_owned(), standing, files }
    }
}

/// One file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckedFile {
    /// As given on the command line.
    pub file: String,
    pub standing: Standing,
    /// Its run, if there was one.
    pub run: Option<CheckedRun>,
    /// Why there was none.
    pub troubles: Vec<Trouble>,
}

impl CheckedFile {
    /// A file that was run. One that promises nothing is not a pass: nobody can tell.
    pub fn judged(results: RunResults) -> Self {
        let standing = match results.verdicts.is_empty() {
            true => Standing::Inconclusive,
            false => results.standing().into(),
        };
        let run = CheckedRun {
            scenario: results.scenario,
            settings: results.settings,
            seed: results.seed,
            replications_asked: results.replications_asked,
            replications_done: results.replications_done,
            digest: results.digest,
            verdicts: results.verdicts,
            accounts: results.accounts.told,
        };
        Self { file: results.file, standing, run: Some(run), troubles: Vec::new() }
    }

    /// A file that is sound, and of which the user wanted to know no more.
    pub fn interrupted(file: String) -> Self {
        let message = Failure::Interrupted.to_string();
        let troubles = vec![Trouble { place: None, message }];
        Self { file, standing: Standing::Inconclusive, run: None, troubles }
    }

    /// A file without verdicts.
    pub fn unusable(file: String, troubles: Vec<Trouble>) -> Self {
        Self { file, standing: Standing::Unusable, run: None, troubles }
    }
}

/// What is needed to know of a run to believe its verdicts, and to have it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckedRun {
    pub scenario: String,
    pub settings: Vec<String>,
    pub seed: u64,
    pub replications_asked: u32,
    pub replications_done: u32,
    pub digest: String,
    pub verdicts: Vec<Verdict>,
    /// What is told in full of verdicts that failed and should not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
}

/// A mistake in a file, or why its run has no end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    pub place: Option<Place>,
    pub message: String,
}
