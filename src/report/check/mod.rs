//! What a check says, for those who read it: people, build servers, programs.
//!
//! | format | function | reader |
//! |---|---|---|
//! | one line a verdict | [`lines::render`] | whoever typed the command |
//! | JUnit | [`junit::render`] | a build server |
//! | workflow commands | [`github::render`] | GitHub, which shows them at the scenario's line |
//! | JSON, everything | [`json`] | a program |

pub mod github;
pub mod junit;
pub mod lines;

use crate::experiment::results::check::CheckResults;
use crate::experiment::results::verdict::Verdict;

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
