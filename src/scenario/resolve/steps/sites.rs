//! Named steps, which faults and `undoes` refer to.

use super::{BodyResolver, Owner, Resolver};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::closest;
use crate::scenario::resolve::names::{Kind, unknown};
use crate::scenario::source::Span;

/// The names of steps, body by body.
#[derive(Default)]
pub struct Sites {
    named: Vec<Site>,
    /// What `undoes` refers to.
    undone: Vec<(String, Span)>,
}

struct Site {
    service: Option<ServiceId>,
    body: String,
    name: String,
    /// Whether the step asks somebody and waits for the answer.
    is_answered: bool,
}

/// Verbs of steps whose answer can get lost.
const ANSWERED: &[&str] =
    &["read", "insert", "update", "upsert", "delete", "scan", "transaction", "publish", "call", "effect"];

impl Sites {
    /// Names of the steps in a handler or job of a service.
    pub fn of(&self, service: ServiceId, body: &str) -> Vec<&str> {
        let inside = |site: &&Site| site.service == Some(service) && site.body == body;
        self.named.iter().filter(inside).map(|site| site.name.as_str()).collect()
    }

    /// Whether any step of this name waits for an answer.
    pub fn is_answered(&self, service: ServiceId, body: &str, name: &str) -> bool {
        let meant = |site: &&Site| site.service == Some(service) && site.body == body && site.name == name;
        self.named.iter().filter(meant).any(|site| site.is_answered)
    }
}

impl<'r, 'a> BodyResolver<'r, 'a> {
    pub(super) fn note_site(&mut self, verb: &str, name: Option<&str>, undoes: Option<&(String, Span)>) {
        let sites = &mut self.resolver.sites;
        if let Some(name) = name {
            let service = match self.place.owner {
                Owner::Service(service) => Some(service),
                Owner::Client(_) => None,
            };
            let is_answered = ANSWERED.contains(&verb);
            let body = self.place.body.clone();
            sites.named.push(Site { service, body, name: name.to_owned(), is_answered });
        }
        sites.undone.extend(undoes.cloned());
    }
}

impl<'a> Resolver<'a> {
    /// Every `undoes` names a step, wherever it is.
    pub fn check_undone(&mut self) {
        let names: Vec<&str> = self.sites.named.iter().map(|site| site.name.as_str()).collect();
        let mut found = Vec::new();
        for (name, span) in &self.sites.undone {
            if names.contains(&name.as_str()) {
                continue;
            }
            let diagnostic = unknown(Kind::Step, name, *span, names.iter().copied());
            found.push(match closest(name, names.iter().copied()) {
                None => diagnostic.help("steps get names by `name:`"),
                Some(_) => diagnostic,
            });
        }
        found.into_iter().for_each(|diagnostic| self.report(diagnostic));
    }
}
