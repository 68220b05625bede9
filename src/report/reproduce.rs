//! The command lines that give the same again: results, and what was seen to go wrong.

use crate::experiment::results::RunResults;
use crate::experiment::results::account::Account;
use crate::experiment::results::check::{CheckResults, CheckedRun};
use crate::experiment::results::compare::{Comparison, Draws};
use crate::experiment::results::verdict::Counterexample;

/// A command for a POSIX shell: `eventflow run chain.yaml --seed 42 --replications 10 --set rate=5/s`.
/// Words that the shell would take apart are quoted; characters that steer a terminal are left as
/// they are, so a caller that prints this escapes it first.
///
/// The replications are those asked for: an interrupted run is reproduced whole. Seed and replications are
/// given even where they are the file's own, so that the line stays right when the file changes them.
pub fn command_line(results: &RunResults) -> String {
    let mut line = format!(
        "eventflow run {} --seed {} --replications {}",
        quoted(&results.file),
        results.seed,
        results.replications_asked
    );
    add_settings(&mut line, &results.settings);
    line
}

/// The command that checks the same files again. Seed and replications are in it where all files have the same.
pub fn check(results: &CheckResults) -> String {
    let files: Vec<String> = results.files.iter().map(|file| quoted(&file.file)).collect();
    let mut line = format!("eventflow check {}", files.join(" "));
    let runs: Vec<&CheckedRun> = results.files.iter().filter_map(|file| file.run.as_ref()).collect();
    let Some(first) = runs.first() else { return line };
    if runs.iter().all(|run| run.seed == first.seed) {
        line.push_str(&format!(" --seed {}", first.seed));
    }
    if runs.iter().all(|run| run.replications_asked == first.replications_asked) {
        line.push_str(&format!(" --replications {}", first.replications_asked));
    }
    add_settings(&mut line, &first.settings);
    line
}

/// The command that gives a comparison again.
pub fn comparison(comparison: &Comparison) -> String {
    let files: Vec<String> = comparison.designs.iter().map(|design| quoted(&design.run.file)).collect();
    let mut line = format!(
        "eventflow compare {} --seed {} --replications {}",
        files.join(" "),
        comparison.seed,
        comparison.replications_asked
    );
    if comparison.draws == Draws::Independent {
        line.push_str(" --independent");
    }
    add_settings(&mut line, &comparison.settings);
    line
}

/// A command that shows the counterexample of a promise: `eventflow replay shop.yaml --seed 42 --replication 4
/// --focus idempotency.torn_effects`. Of the promise and not of the obligation, with which more than one thing may
/// have gone wrong. Escaping is the caller's, as of [`command_line`].
pub fn replay(file: &str, seed: u64, settings: &[String], promise: &str, shown: &Counterexample) -> String {
    focused(file, seed, settings, (shown.replication, promise))
}

/// The command that gives an account again.
pub fn replay_line(account: &Account) -> String {
    let Account { file, seed, settings, replication, focus, twin, .. } = account;
    let mut line = focused(file, *seed, settings, (*replication, focus));
    if let Some(twin) = twin {
        line.push_str(&format!(" --twin {}", quoted(&twin.file)));
    }
    line
}

fn focused(file: &str, seed: u64, settings: &[String], (replication, focus): (u32, &str)) -> String {
    let mut line = format!(
        "eventflow replay {} --seed {seed} --replication {replication} --focus {}",
        quoted(file),
        quoted(focus)
    );
    add_settings(&mut line, settings);
    line
}

fn add_settings(line: &mut String, settings: &[String]) {
    for setting in settings {
        line.push_str(" --set ");
        line.push_str(&quoted(setting));
    }
}

/// `word` as one word of a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,%+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_with_a_blank_or_a_quote_stays_one_word() {
        assert_eq!(quoted("rate=200/s"), "rate=200/s");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's; rm -rf"), r"'it'\''s; rm -rf'");
        assert_eq!(quoted(""), "''");
    }
}
