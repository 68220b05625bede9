//! What is found in designs by reading them: each rule at its line in a design that has the hazard, and not in the
//! twin that is repaired; silences; and that none of it changes a run.

mod library;
mod silences;
mod small;

use eventflow::scenario::lint::{Linted, RULES, lint, reference};
use eventflow::scenario::open::{read_scenario, read_text};
use eventflow::scenario::source::Sources;
use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = "docs/findings.md";

/// Reads a scenario of the library.
fn shipped(name: &str) -> (Sources, Linted) {
    let path = Path::new("scenarios").join(name);
    let (sources, mistakes, scenario) = read_scenario(&path, &[]);
    let scenario = scenario.unwrap_or_else(|| panic!("{name}: {:?}", mistakes.list));
    let linted = lint(&scenario);
    (sources, linted)
}

/// Reads a scenario in memory.
fn read(text: &str) -> (Sources, Linted) {
    let (sources, mistakes, scenario) = read_text("test.yaml", text, &[]);
    let scenario = scenario.unwrap_or_else(|| panic!("{:#?}\n{text}", mistakes.list));
    let linted = lint(&scenario);
    (sources, linted)
}

/// The places at which a rule found something: file and line.
fn places(sources: &Sources, linted: &Linted, rule: &str) -> Vec<(String, usize)> {
    let found = linted.findings.iter().filter(|finding| finding.rule.name == rule);
    let place = |finding: &eventflow::scenario::lint::Finding| {
        let file = &sources.get(finding.span.file).name;
        let file = file.replace('\\', "/").trim_start_matches("scenarios/").to_owned();
        (file, sources.line_column(finding.span).0)
    };
    found.map(place).collect()
}

/// Run with `UPDATE_DOCS=1` after a change of the rules to write the page.
#[test]
fn the_page_of_findings_is_up_to_date() {
    let page = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "{PAGE} is not what the rules give: run UPDATE_DOCS=1 cargo test --test main lint"
    );
}

#[test]
fn every_rule_has_a_case_in_which_it_speaks_and_one_in_which_it_is_silent() {
    let cases = library::CASES.iter().map(|case| case.0).chain(small::CASES.iter().map(|case| case.0));
    let tried: BTreeSet<&str> = cases.collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(rules.len(), RULES.len(), "two rules of one name");
    assert_eq!(tried, rules);
}

#[test]
fn the_scenario_that_a_rule_points_at_has_its_hazard() {
    for rule in RULES.iter().filter(|rule| !rule.shown_by.is_empty()) {
        let (sources, linted) = shipped(rule.shown_by);
        assert!(!places(&sources, &linted, rule.name).is_empty(), "{} in {}", rule.name, rule.shown_by);
    }
}
