//! Workflow commands of GitHub: each verdict that does not stand is shown at its line of the scenario.
//!
//! `::error file=shop.yaml,line=16,col=18,title=idempotency.duplicate_effects::1 in 1 of 2 replications.`

use super::told;
use crate::experiment::results::check::{CheckResults, CheckedFile, CheckedRun, Trouble};
use crate::experiment::results::verdict::{Outcome, Place, Verdict};
use crate::report::{text, verdict as words};

/// Longest message, in characters.
const LONGEST: usize = 2000;

/// One line for each verdict that failed, is inconclusive or not as expected, and for each mistake.
pub fn render(results: &CheckResults) -> String {
    results.files.iter().map(of_file).collect()
}

/// `text` without the words that begin a command in the middle of a line, as the older form of them does:
/// for whatever else is printed where commands are read.
pub fn inert(text: &str) -> String {
    text.replace("##[", "## [")
}

fn of_file(file: &CheckedFile) -> String {
    match &file.run {
        None => file.troubles.iter().map(|trouble| of_trouble(file, trouble)).collect(),
        Some(CheckedRun { verdicts, .. }) if verdicts.is_empty() => {
            let place = Place { file: file.file.clone(), line: 1, column: 1 };
            command("warning", &place, "no promises", "inconclusive: this scenario promises nothing")
        }
        Some(CheckedRun { verdicts, .. }) => verdicts.iter().map(of_verdict).collect(),
    }
}

fn of_verdict(verdict: &Verdict) -> String {
    let level = match verdict.standing() {
        Outcome::Pass => return String::new(),
        Outcome::Inconclusive => "warning",
        Outcome::Fail => "error",
    };
    let mut message = format!("{}: {}", words::word(verdict), told(verdict));
    if let Some(shown) = &verdict.counterexample {
        message += &format!(" First in {}", words::seen(shown));
    }
    command(level, &verdict.place, &verdict.name, &message)
}

fn of_trouble(file: &CheckedFile, trouble: &Trouble) -> String {
    let start = Place { file: file.file.clone(), line: 1, column: 1 };
    command("error", trouble.place.as_ref().unwrap_or(&start), "unusable", &trouble.message)
}

fn command(level: &str, place: &Place, title: &str, message: &str) -> String {
    let Place { file, line, column } = place;
    let (file, title) = (property(file), property(title));
    let message = inert(&data(&text::shortened(message, LONGEST)));
    format!("::{level} file={file},line={line},col={column},title={title}::{message}\n")
}

/// Text as the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as the value of a property.
fn property(value: &str) -> String {
    data(&text::visible(value)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_command_or_begins_one() {
        let place = Place { file: "a,b:c%\n::error::x.yaml".to_owned(), line: 3, column: 4 };
        let told = command("error", &place, "t::u", "100 %\r\n::set-env name=x::y\u{1b}[2J");
        assert_eq!(
            told,
            "::error file=a%2Cb%3Ac%25\\n%3A%3Aerror%3A%3Ax.yaml,line=3,col=4,title=t%3A%3Au::100 %25\\r\\n\
             ::set-env name=x::y\\u{1b}[2J\n"
        );
        assert_eq!(inert("a ##[error]b"), "a ## [error]b");
    }
}
