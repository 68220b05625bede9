//! Versions of a service: merge patches of it, of which what instances do can differ.
//!
//! ```yaml
//! handlers: { Placed: [ … ] }
//! versions: { v2: { handlers: { Placed: [ … ], Placed@2: [ … ] } }, v1: {} }
//! ```
//!
//! A version has its own handlers, its own jobs, each with its own `do`, and its own `unknown_version`; steps keep their
//! places and names, so that what is the same step in two versions draws the same.

use super::Resolver;
use super::brokers::UNKNOWN_VERSIONS;
use super::names::{Kind, unknown};
use super::nodes;
use super::steps::Place;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::merge::merge;
use crate::scenario::node::{Entry, Map, Node, NodeKind};
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// The most versions of one service beside the one that it begins with.
const MOST_VERSIONS: usize = 16;

/// The keys of a service in which versions can differ.
const CAN_DIFFER: &[&str] = &["handlers", "jobs", "consumes"];

/// Every service with its versions filled in, by service.
pub struct Merged(Vec<Vec<MergedVersion>>);

pub struct MergedVersion {
    name: String,
    span: Span,
    patch: Node,
    /// What can differ, with the patch in it.
    whole: Node,
}

impl Merged {
    pub fn of(root: &Node, diagnostics: &mut Diagnostics) -> Self {
        let services = nodes::section(root, "services").values();
        Merged(services.map(|service| versions_of(&service.value, diagnostics)).collect())
    }

    /// What a service handles in any version.
    pub fn handled(&self, service: ServiceId) -> impl Iterator<Item = &str> {
        let versions = self.0[service.index()].iter();
        versions.flat_map(|version| nodes::section(&version.whole, "handlers").keys()).map(String::as_str)
    }
}

fn versions_of(service: &Node, diagnostics: &mut Diagnostics) -> Vec<MergedVersion> {
    let NodeKind::Map(entries) = &service.kind else { return Vec::new() };
    let mut versions = Vec::new();
    for (name, Entry { key_span, value }) in nodes::section(service, "versions").iter().take(MOST_VERSIONS) {
        let same = |map: &Map| -> Map {
            let kept = map.iter().filter(|(key, _)| CAN_DIFFER.contains(&key.as_str()));
            kept.map(|(key, entry)| (key.clone(), entry.clone())).collect()
        };
        let patched = match &value.kind {
            NodeKind::Map(patch) => same(patch),
            _ => Map::new(),
        };
        let base = Node { span: service.span, kind: NodeKind::Map(same(entries)) };
        let patch = Node { span: value.span, kind: NodeKind::Map(patched) };
        versions.push(MergedVersion {
            name: name.clone(),
            span: *key_span,
            patch: value.clone(),
            whole: merge(base, patch, diagnostics),
        });
    }
    versions
}

/// The steps of a handler, which may stand below `do`.
fn steps_of(handler: &Node) -> &Node {
    nodes::get(handler, "do").unwrap_or(handler)
}

impl<'a> Resolver<'a> {
    pub fn resolve_versions(&mut self, service: ServiceId, name: &str, node: &'a Node) -> Vec<Version> {
        let merged = self.merged;
        if let Some(entry) = nodes::section(node, "versions").values().nth(MOST_VERSIONS) {
            self.exceeds(entry.key_span, "versions of one service", MOST_VERSIONS);
        }
        let versions = merged.0[service.index()].iter();
        let numbered = (1..).zip(versions);
        numbered
            .map(|(number, version)| self.resolve_version((service, number), name, node, version))
            .collect()
    }

    fn resolve_version(
        &mut self,
        (service, number): (ServiceId, u32),
        name: &str,
        base: &'a Node,
        version: &'a MergedVersion,
    ) -> Version {
        self.refuse_other_changes(base, &version.patch);
        let (handlers, without) = self.changed_handlers(service, name, base, &version.whole);
        Version {
            name: version.name.clone(),
            span: version.span,
            handlers,
            without,
            jobs: self.changed_jobs((service, number), name, base, &version.whole),
            unknown_version: self.changed_subscriptions(service, base, &version.patch),
        }
    }

    fn refuse_other_changes(&mut self, base: &'a Node, patch: &'a Node) {
        let change = |what: &str| format!("a version that changes {what}");
        for (key, entry) in nodes::map(patch) {
            if !CAN_DIFFER.contains(&key.as_str()) {
                self.not_built(entry.key_span, &change(&format!("`{key}`")));
            }
        }
        for (section, allowed) in [("jobs", "do"), ("consumes", "unknown_version")] {
            for (word, entry) in nodes::section(patch, section) {
                if section == "jobs" && !nodes::section(base, section).contains_key(word) {
                    continue;
                }
                if matches!(entry.value.kind, NodeKind::Null) && section == "jobs" {
                    continue;
                }
                if matches!(entry.value.kind, NodeKind::Null) {
                    self.not_built(entry.key_span, &change(&format!("which `{section}` there are")));
                }
                for (key, option) in nodes::map(&entry.value) {
                    if key != allowed || matches!(option.value.kind, NodeKind::Null) {
                        self.not_built(option.key_span, &change(&format!("`{key}` in `{section}`")));
                    }
                }
            }
        }
    }

    /// Handlers that are not those of the base, and what is not handled any more.
    fn changed_handlers(
        &mut self,
        service: ServiceId,
        name: &str,
        base: &'a Node,
        whole: &'a Node,
    ) -> (Vec<Handler>, Vec<MessageId>) {
        let (before, after) = (nodes::section(base, "handlers"), nodes::section(whole, "handlers"));
        let is_same = |word: &str, entry: &Entry| {
            before.get(word).is_some_and(|other| steps_of(&other.value).span == steps_of(&entry.value).span)
        };
        let mut handlers = Vec::new();
        for (word, entry) in after.iter().filter(|(word, entry)| !is_same(word, entry)) {
            let Some(message) = self.message_named(word, entry.key_span) else {
                self.flow.is_unclear = true;
                continue;
            };
            if let Some(saga) = self.services[service.index()]
                .sagas
                .iter()
                .find(|saga| saga.keys.iter().any(|key| key.0 == message))
            {
                let why = format!("`{word}` is taken by a saga of `{name}`");
                let diagnostic = Diagnostic::new("name-clash", entry.key_span, why);
                self.report(diagnostic.related(saga.span, "the saga"));
            }
            self.refuse_keys("handler", &entry.value);
            let place = Place::handler(service, name, message, word);
            let steps = steps_of(&entry.value);
            if nodes::is_map(steps) {
                let why = "a handler does something: `do`";
                self.report(Diagnostic::new("missing-option", entry.value.span, why));
                continue;
            }
            let body = self.resolve_body(place, steps);
            handlers.push(Handler { message, span: entry.key_span, body });
        }
        let gone = before.iter().filter(|(word, _)| !after.contains_key(*word));
        let without = gone.filter_map(|(word, entry)| self.message_named(word, entry.key_span)).collect();
        (handlers, without)
    }

    fn changed_jobs(
        &mut self,
        (service, number): (ServiceId, u32),
        name: &str,
        base: &'a Node,
        whole: &'a Node,
    ) -> Vec<(usize, Body)> {
        let (before, after) = (nodes::section(base, "jobs"), nodes::section(whole, "jobs"));
        let mut changed = Vec::new();
        for (word, entry) in after {
            let jobs = &self.services[service.index()].jobs;
            let Some(position) = jobs.iter().position(|job| job.name == *word) else {
                if !before.contains_key(word) {
                    self.add_job((service, number), name, word, entry);
                }
                continue;
            };
            if !before.contains_key(word) {
                // Another version has brought it: it is told by all that differ in the same way.
                self.differs_from_first(service, position, entry);
                continue;
            }
            let (Some(steps), Some(other)) = (
                nodes::get(&entry.value, "do"),
                before.get(word).and_then(|job| nodes::get(&job.value, "do")),
            ) else {
                continue;
            };
            if steps.span != other.span {
                changed.push((position, self.resolve_body(Place::job(service, name, word), steps)));
            }
        }
        for job in &mut self.services[service.index()].jobs {
            if !after.contains_key(&job.name) {
                job.absent_in.push(number);
            }
        }
        changed
    }

    /// A job that versions from this one on may have, and none before.
    fn add_job(&mut self, (service, number): (ServiceId, u32), name: &str, word: &str, entry: &'a Entry) {
        if let Some(mut job) = self.resolve_job(service, name, word, entry) {
            job.absent_in = (0..number).collect();
            self.services[service.index()].jobs.push(job);
        }
    }

    /// A job that two versions bring is one job.
    fn differs_from_first(&mut self, service: ServiceId, position: usize, entry: &'a Entry) {
        let first = self.services[service.index()].jobs[position].span;
        if first != entry.key_span {
            let what = "a job that two versions bring, neither of them the first,";
            self.not_built(entry.key_span, what);
        }
    }

    fn changed_subscriptions(
        &mut self,
        service: ServiceId,
        base: &'a Node,
        patch: &'a Node,
    ) -> Vec<(GroupId, UnknownVersion)> {
        let mut changed = Vec::new();
        for (word, entry) in nodes::section(patch, "consumes") {
            if !nodes::section(base, "consumes").contains_key(word) {
                self.not_built(entry.key_span, "a version that changes which topics are consumed");
                continue;
            }
            let groups = self.services[service.index()].groups.clone();
            let is_meant =
                |group: &GroupId| self.topics[self.groups[group.index()].topic.index()].name == *word;
            let group = groups.into_iter().find(is_meant);
            let policy = nodes::get(&entry.value, "unknown_version")
                .and_then(|policy| self.word(policy, UNKNOWN_VERSIONS));
            changed.extend(group.zip(policy));
        }
        changed
    }

    /// The version of a service that an operation names.
    pub fn version_named(&mut self, service: ServiceId, node: &'a Node) -> Option<usize> {
        let word = nodes::text(node)?;
        let of = &self.services[service.index()];
        let found = of.versions.iter().position(|version| version.name == word);
        if found.is_none() {
            let names = of.versions.iter().map(|version| version.name.as_str());
            let diagnostic = unknown(Kind::Version, word, node.span, names);
            let diagnostic = diagnostic.related(of.span, "the service");
            self.report(diagnostic);
        }
        found
    }
}
