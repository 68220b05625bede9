//! Named steps, which faults and `undoes` refer to.

use super::{BodyResolver, Owner, Resolver};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::closest;
use crate::scenario::resolve::names::{Kind, unknown};
use crate::scenario::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// The names of steps, body by body.
#[derive(Default)]
pub struct Sites {
    /// By service (`None`: a client's) and handler or job.
    named: BTreeMap<(Option<ServiceId>, String), BTreeSet<String>>,
    /// Those of them that ask somebody and wait for the answer.
    answered: BTreeMap<(Option<ServiceId>, String), BTreeSet<String>>,
    /// What `undoes` refers to.
    undone: Vec<(String, Span)>,
}

/// Verbs of steps whose answer can get lost.
const ANSWERED: &[&str] = &[
    "read",
    "insert",
    "update",
    "upsert",
    "delete",
    "scan",
    "transaction",
    "load",
    "append",
    "publish",
    "call",
    "effect",
];

impl Sites {
    /// Names of the steps in a handler or job of a service.
    pub fn of(&self, service: ServiceId, body: &str) -> Vec<&str> {
        let names = self.named.get(&(Some(service), body.to_owned()));
        names.into_iter().flatten().map(String::as_str).collect()
    }

    /// Whether any step of this name waits for an answer.
    pub fn is_answered(&self, service: ServiceId, body: &str, name: &str) -> bool {
        self.answered.get(&(Some(service), body.to_owned())).is_some_and(|names| names.contains(name))
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
            let body = (service, self.place.body.clone());
            if ANSWERED.contains(&verb) {
                sites.answered.entry(body.clone()).or_default().insert(name.to_owned());
            }
            sites.named.entry(body).or_default().insert(name.to_owned());
        }
        sites.undone.extend(undoes.cloned());
    }
}

impl<'a> Resolver<'a> {
    /// Whether any step has this name, wherever it is; if none has, that is reported.
    pub fn check_step_named(&mut self, word: &str, span: Span) -> Option<()> {
        let names: BTreeSet<&str> = self.sites.named.values().flatten().map(String::as_str).collect();
        if names.contains(word) {
            return Some(());
        }
        let diagnostic = unknown(Kind::Step, word, span, names.iter().copied());
        let is_close = closest(word, names.iter().copied()).is_some();
        self.report(if is_close { diagnostic } else { diagnostic.help("steps get names by `name:`") });
        None
    }

    /// Every `undoes` names a step, wherever it is.
    pub fn check_undone(&mut self) {
        let names: BTreeSet<&str> = self.sites.named.values().flatten().map(String::as_str).collect();
        let mut found = Vec::new();
        for (name, span) in &self.sites.undone {
            if names.contains(name.as_str()) {
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
