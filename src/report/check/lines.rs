//! One line a verdict; below one that did not stand, where it was first seen and how to see it again.

use super::{told, total};
use crate::experiment::results::check::{CheckResults, CheckedFile, CheckedRun, Standing};
use crate::experiment::results::verdict::{Outcome, Verdict};
use crate::report::account::text::first_lines;
use crate::report::terminal::Style;
use crate::report::{reproduce, text, verdict as words};
use unicode_width::UnicodeWidthStr;

/// Columns of the first word: `fail, as expected` and a blank.
const WORD: usize = 18;
/// Longest line, in characters: names and conditions may be as long as a file.
const LONGEST: usize = 1000;

/// All lines of a check, each ended.
pub fn render(results: &CheckResults, style: Style) -> String {
    let mut lines = String::new();
    for file in &results.files {
        match &file.run {
            Some(run) if run.verdicts.is_empty() => {
                lines += &line(Outcome::Inconclusive, "inconclusive", file, "it promises nothing", style);
            }
            Some(run) => {
                run.verdicts.iter().for_each(|verdict| lines += &of_verdict(verdict, run, file, style))
            }
            None => {
                let all = file.troubles.len();
                let why = match file.troubles.first() {
                    Some(first) if all == 1 => first.message.clone(),
                    _ => format!("{all} mistakes"),
                };
                let outcome = match file.standing {
                    Standing::Inconclusive => Outcome::Inconclusive,
                    _ => Outcome::Fail,
                };
                lines += &line(outcome, file.standing.name(), file, &why, style);
            }
        }
    }
    lines + &total(results) + "\n"
}

fn of_verdict(verdict: &Verdict, run: &CheckedRun, file: &CheckedFile, style: Style) -> String {
    let standing = verdict.standing();
    let mut said = format!("{}: {}", verdict.name, told(verdict));
    // How sure one can be that it does not happen, or how often it does, is as much of an answer as the word is.
    if let Some(violation) = &verdict.violation {
        said += &format!(" Replications that break it: {}.", words::violation(violation));
    }
    let mut lines = line(standing, &words::word(verdict), file, &said, style);
    if let Some(shown) = verdict.counterexample.as_ref().filter(|_| standing == Outcome::Fail) {
        let replay = reproduce::replay(&file.file, run.seed, &run.settings, &verdict.name, shown);
        lines += &format!("    first in {}\n", text::shortened(&words::seen(shown), LONGEST));
        let told = run.accounts.iter().find(|account| account.measure == verdict.name);
        for told in told.map(first_lines).unwrap_or_default() {
            lines += &format!("    {}\n", text::shortened(&told, LONGEST));
        }
        lines += &format!("    {}\n", text::shortened(&replay, LONGEST));
    }
    lines
}

fn line(standing: Outcome, word: &str, file: &CheckedFile, said: &str, style: Style) -> String {
    let padding = " ".repeat(WORD.saturating_sub(word.width()));
    let word = match (style, standing) {
        (Style::Plain, _) => format!("{} {word}", words::mark(standing)),
        (_, Outcome::Pass) => format!("\x1b[32m{} {word}\x1b[0m", words::mark(standing)),
        (_, Outcome::Inconclusive) => format!("\x1b[33m{} {word}\x1b[0m", words::mark(standing)),
        (_, Outcome::Fail) => format!("\x1b[1;31m{} {word}\x1b[0m", words::mark(standing)),
    };
    let said = text::shortened(said, LONGEST);
    format!("{word}{padding} {}  {said}\n", text::visible(&file.file))
}
