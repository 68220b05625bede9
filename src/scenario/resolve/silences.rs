//! `lint: { <rule>: reason }`: findings that the author has looked at and answers for, at the top, in a
//! service, or on a handler or job.

use super::{Resolver, nodes};
use crate::kernel::ids::ServiceId;
use crate::scenario::diagnostic::{Diagnostic, closest};
use crate::scenario::lint::RULES;
use crate::scenario::node::Node;
use crate::scenario::resolved::{Silence, Within};

impl<'a> Resolver<'a> {
    pub fn resolve_silences(&mut self, root: &'a Node) -> Vec<Silence> {
        let mut silences = Vec::new();
        self.silences_of(root, Within::Scenario, &mut silences);
        for (index, (_, service)) in self.names.services.iter().enumerate() {
            let id = ServiceId::new(index);
            self.silences_of(&service.value, Within::Service(id), &mut silences);
            for section in ["handlers", "jobs"] {
                for (_, body) in nodes::section(&service.value, section) {
                    self.silences_of(&body.value, Within::Body(id, body.key_span), &mut silences);
                }
            }
        }
        silences
    }

    fn silences_of(&mut self, node: &'a Node, within: Within, silences: &mut Vec<Silence>) {
        for (name, entry) in nodes::section(node, "lint") {
            let Some(reason) = nodes::text(&entry.value) else { continue };
            let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
                let known = || RULES.iter().map(|rule| rule.name);
                let help = match closest(name, known()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "`eventflow lint --rules` lists them all".to_owned(),
                };
                let message = format!("there is no finding `{name}`");
                self.report(Diagnostic::new("unknown-finding", entry.key_span, message).help(help));
                continue;
            };
            if reason.trim().is_empty() {
                let message = format!("`{name}` is silenced without a reason");
                let diagnostic = Diagnostic::new("missing-reason", entry.value.span, message);
                self.report(diagnostic.help("say why it does not apply here"));
                continue;
            }
            let (rule, reason) = (rule.name, reason.to_owned());
            silences.push(Silence { rule, reason, span: entry.key_span, within });
        }
    }
}
