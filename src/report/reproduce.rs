//! The command line that gives the same results again.

use crate::experiment::results::RunResults;
use crate::experiment::results::account::Account;

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
    for setting in &results.settings {
        line.push_str(" --set ");
        line.push_str(&quoted(setting));
    }
    line
}

/// A command for a POSIX shell that shows a counterexample again, as [`command_line`] is one:
/// `eventflow replay shop.yaml --seed 1 --replication 4 --focus o:7f3a`.
pub fn replay_line(account: &Account) -> String {
    let mut line = format!(
        "eventflow replay {} --seed {} --replication {} --focus o:{}",
        quoted(&account.file),
        account.seed,
        account.replication,
        account.obligation
    );
    for setting in &account.settings {
        line.push_str(" --set ");
        line.push_str(&quoted(setting));
    }
    line
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
