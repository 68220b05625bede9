//! What a check says, for those who read it: people, build servers, programs.
//!
//! | format | function | reader |
//! |---|---|---|
//! | one line a verdict | [`lines::render`] | whoever typed the command |
//! | JUnit | [`junit::render`] | a build server |
//! | workflow commands | [`github::render`] | GitHub, which shows them at the scenario's line |
//! | HTML page, with the report of each file beside it | [`page::render`] | whoever opens what a build server kept |
//! | JSON, everything | [`json`] | a program |

pub mod github;
pub mod junit;
pub mod lines;
pub mod page;

use crate::experiment::results::check::{CheckResults, CheckedFile, Standing};
use crate::experiment::results::verdict::{Outcome, Verdict};

/// The whole of a check as indented JSON with a final newline.
pub fn json(results: &CheckResults) -> String {
    let mut text = serde_json::to_string_pretty(results).expect("results are plain data with text keys");
    text.push('\n');
    text
}

/// What a verdict says after its name: what was promised, and why it is as it is.
fn told(verdict: &Verdict) -> String {
    format!("{}. {}", verdict.bound, verdict.reason)
}

/// How many files there were, and how many of each verdict.
fn total(results: &CheckResults) -> String {
    format!("{} checked: {}", counted(results.files.len(), "file"), tally(results))
}

/// How many of each verdict there were.
fn tally(results: &CheckResults) -> String {
    let verdicts = || results.files.iter().filter_map(|file| file.run.as_ref()).flat_map(|run| &run.verdicts);
    let of = |standing| verdicts().filter(|verdict| verdict.standing() == standing).count();
    let mut tally = format!(
        "{} verdicts as promised or expected, {} not, {} inconclusive",
        of(Outcome::Pass),
        of(Outcome::Fail),
        of(Outcome::Inconclusive)
    );
    let files = |is_such: fn(&CheckedFile) -> bool| results.files.iter().filter(|file| is_such(file)).count();
    let silent = files(|file| file.run.as_ref().is_some_and(|run| run.verdicts.is_empty()));
    if silent > 0 {
        tally += &format!("; {} without promises", counted(silent, "file"));
    }
    let unusable = files(|file| file.standing == Standing::Unusable);
    if unusable > 0 {
        tally += &format!("; {} not usable", counted(unusable, "file"));
    }
    tally
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
