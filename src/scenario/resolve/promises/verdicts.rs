//! What verdicts are called, and the ones that a scenario expects.

use super::super::Resolver;
use super::super::names::{Kind, unknown};
use super::super::nodes;
use crate::kernel::anomaly::{Anomaly, Family};
use crate::scenario::diagnostic::closest;
use crate::scenario::node::Node;
use crate::scenario::resolved::*;

impl<'a> Resolver<'a> {
    /// `expect`: each names a verdict that the file asks for.
    pub(super) fn expectations(&mut self, root: &'a Node) -> Vec<Expectation> {
        let asked = verdicts(root);
        let mut expectations = Vec::new();
        for (verdict, entry) in nodes::section(root, "expect") {
            if !asked.contains(verdict) {
                let diagnostic =
                    unknown(Kind::Verdict, verdict, entry.key_span, asked.iter().map(String::as_str));
                self.report(match closest(verdict, asked.iter().map(String::as_str)) {
                    None if is_a_measure(verdict) => {
                        diagnostic.help("this file does not ask for it: bound it in `guarantees`")
                    }
                    _ => diagnostic,
                });
                continue;
            }
            let outcomes = [
                ("pass", ExpectedOutcome::Pass),
                ("fail", ExpectedOutcome::Fail),
                ("inconclusive", ExpectedOutcome::Inconclusive),
            ];
            if let Some(outcome) = self.word(&entry.value, &outcomes) {
                expectations.push(Expectation { verdict: verdict.clone(), outcome, span: entry.key_span });
            }
        }
        expectations
    }
}

/// The names of all verdicts that a file asks for. What is promised wrongly is named too: one mistake is
/// reported once.
fn verdicts(root: &Node) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(guarantees) = nodes::get(root, "guarantees") {
        for section in ["idempotency", "ordering", "isolation", "convergence"] {
            names.extend(nodes::section(guarantees, section).keys().map(|name| format!("{section}.{name}")));
        }
        for (client, entry) in nodes::section(guarantees, "sessions") {
            let words = nodes::words(&entry.value).into_iter();
            names.extend(words.map(|(word, _)| format!("sessions.{client}.{word}")));
        }
        for (table, entry) in nodes::section(guarantees, "staleness") {
            names.extend(nodes::map(&entry.value).keys().map(|bound| format!("staleness.{table}.{bound}")));
        }
        for (saga, entry) in nodes::section(guarantees, "sagas") {
            let bounds = SagaMeasure::ALL.iter().filter(|(_, word)| nodes::get(&entry.value, word).is_some());
            names.extend(bounds.map(|(_, word)| format!("sagas.{saga}.{word}")));
        }
    }
    if nodes::get(root, "guarantees").is_some_and(|of| nodes::get(of, "reference").is_some()) {
        names.push("reference.rows".to_owned());
    }
    names.extend(nodes::section(root, "invariants").keys().map(|name| format!("invariants.{name}")));
    names
}

/// Whether it is the name of a verdict that any file could ask for.
fn is_a_measure(verdict: &str) -> bool {
    let families = [Family::Idempotency, Family::Ordering, Family::Isolation];
    verdict.split_once('.').is_some_and(|(family, word)| {
        families.iter().any(|known| known.name() == family)
            && Anomaly::named(word).is_some_and(|anomaly| anomaly.family().name() == family)
    })
}
