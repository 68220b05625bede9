//! What a design is likely to get wrong, found by reading it: nothing is run.
//!
//! A rule looks for one hazard. What it finds has a place, the reason why that is a hazard, what would
//! repair it, and a scenario of the library in which the hazard strikes. The law: where a rule speaks, there is
//! an order of crashes, repeats and delays that the design allows and in which it goes wrong. Where the design
//! cannot be read with certainty a rule keeps quiet, because a finding that is none costs more than one
//! that a run will show.
//!
//! Findings never change a run. `lint: { <rule>: reason }` at the top, in a service or on a handler silences
//! one; a silence that silences nothing is itself told, lest it outlive its reason.
//!
//! ```
//! use eventflow::scenario::{lint::lint, open::read_text};
//!
//! let text = "scenario: a\nmessages: { Sent: { kind: notification, key: id, fields: { id: id, text: text } } }\n";
//! let (_, _, scenario) = read_text("a.yaml", text, &[]);
//! let linted = lint(&scenario.unwrap());
//! assert_eq!(linted.findings[0].rule.name, "fat-notification");
//! ```

mod calls;
mod consumers;
mod design;
mod messages;
mod order;
mod outbox;
mod repeat;
mod rules;
mod sagas;
mod stores;
mod walk;

pub use rules::{RULES, Rule, reference};

use super::diagnostic::Diagnostic;
use super::resolved::{Scenario, Silence, Within};
use super::source::Span;
use design::Design;

/// What a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    pub rule: &'static Rule,
    pub span: Span,
    /// What is the matter, as a sentence without a full stop.
    pub message: String,
    /// Other places that have a part in it, each with a few words.
    pub related: Vec<(Span, String)>,
    /// Where it can be silenced, but for at the top.
    pub within: Within,
}

impl Finding {
    fn new(span: Span, within: Within, message: impl Into<String>) -> Self {
        Finding { rule: &RULES[0], span, message: message.into(), related: Vec::new(), within }
    }

    fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// As it is shown: with why it is a hazard, what repairs it, and where that can be seen.
    pub fn diagnostic(&self) -> Diagnostic {
        let Rule { name, why, repair, shown_by, .. } = self.rule;
        let told = Diagnostic::new(name, self.span, self.message.clone());
        let told = self.related.iter().fold(told, |told, (span, label)| told.related(*span, label.clone()));
        let shown = match shown_by.is_empty() {
            true => String::new(),
            false => format!("\nsee scenarios/{shown_by}"),
        };
        told.help(format!("{why}\n{repair}{shown}"))
    }
}

/// What a scenario was found to be.
#[derive(Clone, Debug, Default)]
pub struct Linted {
    /// By place.
    pub findings: Vec<Finding>,
    /// Findings that the file answers for, each with its silence.
    pub silenced: Vec<(Finding, Silence)>,
    /// Silences that silence nothing.
    pub idle: Vec<Silence>,
}

/// Reads a design with every rule.
pub fn lint(scenario: &Scenario) -> Linted {
    let design = Design::of(scenario);
    let mut found = Vec::new();
    for rule in RULES {
        let start = found.len();
        (rule.find)(&design, &mut found);
        found[start..].iter_mut().for_each(|finding: &mut Finding| finding.rule = rule);
    }
    found.sort_by_key(|finding| finding.span);
    found.dedup_by(|one, two| one.rule.name == two.rule.name && one.span == two.span);
    let mut linted = Linted::default();
    for finding in found {
        let mut answers = scenario.silences.iter().filter(|silence| silences(silence, &finding));
        match answers.next() {
            Some(silence) => linted.silenced.push((finding, silence.clone())),
            None => linted.findings.push(finding),
        }
    }
    let is_idle = |silence: &&Silence| !linted.silenced.iter().any(|(finding, _)| silences(silence, finding));
    linted.idle = scenario.silences.iter().filter(is_idle).cloned().collect();
    linted
}

fn silences(silence: &Silence, finding: &Finding) -> bool {
    let covers = match (silence.within, finding.within) {
        (Within::Scenario, _) => true,
        (Within::Service(one), Within::Service(two) | Within::Body(two, _)) => one == two,
        (one, two) => one == two,
    };
    covers && silence.rule == finding.rule.name
}
