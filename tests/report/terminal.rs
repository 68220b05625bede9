//! The summary on a terminal.

use super::fixture::{crowd, judged, nothing, order_flow};
use eventflow::experiment::results::RunResults;
use eventflow::report::terminal::{Style, Written, render};
use std::path::Path;
use unicode_width::UnicodeWidthStr;

fn plain(results: &RunResults) -> String {
    let written =
        Written { page: Path::new("reports/order-flow.html"), json: Path::new("reports/order-flow.json") };
    render(results, Style::Plain, &written)
}

#[test]
fn the_order_flow_fits_one_screen() {
    let summary = plain(&order_flow());
    insta::assert_snapshot!(summary);
    for line in summary.lines().filter(|line| !line.starts_with("reproduce")) {
        assert!(line.width() <= 80, "{line}");
    }
}

#[test]
fn a_crowd_fits_too_and_is_counted() {
    let summary = plain(&crowd(10_000));
    insta::assert_snapshot!(summary);
    assert!(summary.lines().count() <= 24, "{summary}");
}

#[test]
fn one_replication_is_said_to_have_no_intervals() {
    insta::assert_snapshot!(plain(&nothing()));
}

#[test]
fn colours_come_only_when_asked_for() {
    let written = Written { page: Path::new("a.html"), json: Path::new("a.json") };
    assert!(!plain(&order_flow()).contains('\x1b'));
    let coloured = render(&order_flow(), Style::Coloured, &written);
    assert!(coloured.contains("\x1b[1m"));
}

/// Verdicts come first and have the lines they need; what they leave no room for is named.
#[test]
fn verdicts_are_not_crowded_out() {
    let mut results = judged();
    let summary = plain(&results);
    insta::assert_snapshot!(summary);
    assert!(summary.lines().count() <= 24, "{summary}");
    let broken = results.verdicts[1].clone();
    results.verdicts.extend((0..40).map(|_| broken.clone()));
    results.notes.extend(["a note".to_owned(), "another".to_owned()]);
    let summary = plain(&results);
    assert!(summary.lines().count() <= 24, "{summary}");
    assert_eq!(summary.matches("✗ idempotency.duplicate_effects").count(), 7, "{summary}");
    assert!(summary.contains("… and 37 more in the report") && summary.contains("42 of 45; first in "));
    assert!(summary.lines().any(|line| line.starts_with("in the report: ") && line.ends_with("FAULT")));
}
