//! `lint: { <finding>: reason }`: what it silences, and what it does not.

use super::small::{BASE, with};
use super::{places, read};
use eventflow::experiment::run::{RunOptions, run};
use eventflow::model::compile::compile;
use eventflow::scenario::open::read_text;
use std::sync::atomic::AtomicBool;

const RULE: &str = "non-idempotent-consumer";
const ADDS: (&str, &str) = (
    "      Gone:\n        - { upsert: seen, key: message.id, where: message.n > row.n, set: { n: message.n } }\n",
    "      Gone:\n        do:\n          - { upsert: seen, key: message.id, set: { n: row.n + message.n } }\n",
);
const SILENT: &str = "lint: { non-idempotent-consumer: an estimate is enough here }\n";

fn on_the_handler() -> String {
    with(&[ADDS]).replace("      Gone:\n        do:", &format!("      Gone:\n        {SILENT}        do:"))
}

fn in_a_service(name: &str) -> String {
    with(&[ADDS]).replace(&format!("  {name}:\n"), &format!("  {name}:\n    {SILENT}"))
}

#[test]
fn a_finding_is_silenced_on_its_handler_in_its_service_and_at_the_top() {
    let (sources, linted) = read(&with(&[ADDS]));
    assert_eq!(places(&sources, &linted, RULE).len(), 1);
    for text in [on_the_handler(), in_a_service("other"), with(&[ADDS]) + SILENT] {
        let (sources, linted) = read(&text);
        assert_eq!(places(&sources, &linted, RULE), [], "{text}");
        let [(finding, silence)] = &linted.silenced[..] else { panic!("{text}") };
        assert_eq!((finding.rule.name, silence.reason.as_str()), (RULE, "an estimate is enough here"));
        assert!(linted.idle.is_empty());
    }
}

#[test]
fn what_silences_nothing_is_told() {
    for (text, found) in [(in_a_service("desk"), 1), (BASE.to_owned() + SILENT, 0)] {
        let (sources, linted) = read(&text);
        assert_eq!(places(&sources, &linted, RULE).len(), found);
        let [idle] = &linted.idle[..] else { panic!("{text}") };
        assert_eq!(sources.text(idle.span), RULE);
    }
}

#[test]
fn a_finding_that_there_is_not_and_a_silence_without_reason_are_mistakes() {
    for (lint, code, place) in [
        ("{ non-idempotent-consumers: why not }", "unknown-finding", "non-idempotent-consumers"),
        ("{ dual-write: ' ' }", "missing-reason", " "),
    ] {
        let (sources, mistakes, scenario) = read_text("test.yaml", &format!("{BASE}lint: {lint}\n"), &[]);
        assert!(scenario.is_none());
        let [mistake] = &mistakes.list[..] else { panic!("{:?}", mistakes.list) };
        assert_eq!((mistake.code, sources.text(mistake.span)), (code, place));
    }
}

#[test]
fn a_silence_changes_nothing_in_a_run() {
    let digest = |text: &str| {
        let settings = ["run.horizon=5s".to_owned(), "run.replications=2".to_owned()];
        let (sources, _, scenario) = read_text("test.yaml", text, &settings);
        let model = compile(&scenario.unwrap(), &sources);
        run(&model, "test.yaml", &RunOptions::default(), &(), &AtomicBool::new(false)).unwrap().digest
    };
    assert_eq!(digest(&with(&[ADDS])), digest(&on_the_handler()));
}
