//! JUnit: a suite for each file, a case for each verdict.
//!
//! A fail is a `failure`; what is inconclusive or unusable is an `error`, since a build server that is told
//! `skipped` shows green, and nothing was shown to hold. What the scenario expects is a success.

use super::told;
use crate::experiment::results::check::{CheckResults, CheckedFile, CheckedRun, Trouble};
use crate::experiment::results::verdict::{Outcome, Place, Verdict};
use crate::report::account::text::first_lines;
use crate::report::{reproduce, text, verdict as words};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Longest line, in characters.
const LONGEST: usize = 4000;

/// The whole check as one XML document.
pub fn render(results: &CheckResults) -> String {
    let mut report = Report::new("eventflow");
    report.add_test_suites(results.files.iter().map(suite));
    report.to_string().expect("a report in memory can be written")
}

fn suite(file: &CheckedFile) -> TestSuite {
    let mut suite = TestSuite::new(text::visible(&file.file));
    match &file.run {
        None => suite.add_test_case(unusable(file)),
        Some(run) => {
            suite.add_property(("seed", run.seed.to_string().as_str()));
            suite.add_property(("replications", run.replications_done.to_string().as_str()));
            suite.add_property(("digest", text::visible(&run.digest).as_str()));
            if run.verdicts.is_empty() {
                suite.add_test_case(silent(file, run));
            }
            suite.add_test_cases(run.verdicts.iter().map(|verdict| case(verdict, run, file)))
        }
    };
    suite
}

fn case(verdict: &Verdict, run: &CheckedRun, file: &CheckedFile) -> TestCase {
    let standing = verdict.standing();
    let description = description(verdict, run, file);
    let status = match standing {
        Outcome::Pass => TestCaseStatus::success(),
        Outcome::Inconclusive => {
            broken(NonSuccessKind::Error, &words::word(verdict), verdict.outcome.name(), &description)
        }
        Outcome::Fail => {
            broken(NonSuccessKind::Failure, &words::word(verdict), verdict.outcome.name(), &description)
        }
    };
    let mut case = placed(TestCase::new(text::visible(&verdict.name), status), &run.scenario, &verdict.place);
    if standing == Outcome::Pass {
        case.set_system_out(format!("{}: {}", words::word(verdict), description.join("\n")));
    }
    case
}

/// What came out; where it was first seen, the beginning of its account if one was gathered, and how to see it again.
fn description(verdict: &Verdict, run: &CheckedRun, file: &CheckedFile) -> Vec<String> {
    let mut lines = vec![told(verdict)];
    if let Some(shown) = &verdict.counterexample {
        let account = run.accounts.iter().find(|account| account.measure == verdict.name);
        lines.push(format!("First in {}", words::seen(shown)));
        lines.extend(account.map(first_lines).unwrap_or_default());
        let replay = reproduce::replay(&file.file, run.seed, &run.settings, &verdict.name, shown);
        lines.push(format!("Shown by {replay}"));
    }
    visible(&lines)
}

/// Each line is made visible by itself, so that the line ends between them stay.
fn visible(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| text::shortened(line, LONGEST)).collect()
}

fn silent(file: &CheckedFile, run: &CheckedRun) -> TestCase {
    let status = broken(
        NonSuccessKind::Error,
        "inconclusive",
        "inconclusive",
        &["This scenario promises nothing.".into()],
    );
    let start = Place { file: file.file.clone(), line: 1, column: 1 };
    placed(TestCase::new("promises", status), &run.scenario, &start)
}

fn unusable(file: &CheckedFile) -> TestCase {
    let line = |trouble: &Trouble| match &trouble.place {
        Some(Place { file, line, column }) => format!("{file}:{line}:{column}: {}", trouble.message),
        None => trouble.message.clone(),
    };
    let lines: Vec<String> = file.troubles.iter().map(line).collect();
    let status = broken(NonSuccessKind::Error, "unusable", "unusable", &visible(&lines));
    let start = Place { file: file.file.clone(), line: 1, column: 1 };
    let place = file.troubles.first().and_then(|trouble| trouble.place.as_ref()).unwrap_or(&start);
    placed(TestCase::new("scenario", status), &file.file, place)
}

fn broken(kind: NonSuccessKind, message: &str, ty: &str, description: &[String]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_type(ty).set_description(description.join("\n"));
    status
}

/// The case with its class and its place in the scenario.
fn placed(mut case: TestCase, class: &str, place: &Place) -> TestCase {
    case.set_classname(text::name(class));
    case.extra.insert("file".into(), text::visible(&place.file).into());
    case.extra.insert("line".into(), place.line.to_string().into());
    case
}
