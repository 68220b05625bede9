//! The bodies: what handlers, jobs and clients do.

use super::Resolver;
use super::keys::MOST_ROUNDS;
use super::nodes;
use super::steps::Place;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::{Entry, Node, NodeKind};
use crate::scenario::resolved::*;

impl<'a> Resolver<'a> {
    /// Resolves every body, again and again until the types of key columns are settled. Handlers and
    /// jobs go to their services; what clients do is returned.
    pub fn resolve_bodies(&mut self) -> Vec<Body> {
        let reports = self.diagnostics.list.len();
        let flow = self.flow.clone();
        let mut rounds = 0;
        loop {
            let bodies = self.resolve_bodies_once();
            rounds += 1;
            if !self.settle_keys() {
                self.check_undone();
                self.check_jobs();
                return bodies;
            }
            if rounds == MOST_ROUNDS {
                self.report_unsettled_keys();
                return bodies;
            }
            self.diagnostics.list.truncate(reports);
            self.flow = flow.clone();
            self.fields_sent = 0;
            self.sites = Default::default();
        }
    }

    fn resolve_bodies_once(&mut self) -> Vec<Body> {
        self.resolve_folds();
        for (index, (name, entry)) in self.names.services.iter().enumerate() {
            let service = ServiceId::new(index);
            let handlers = self.resolve_handlers(service, name, &entry.value);
            self.services[index].handlers = handlers;
            let jobs = self.resolve_jobs(service, name, &entry.value);
            self.services[index].jobs = jobs;
            let sagas = self.resolve_sagas(service, name, &entry.value);
            self.services[index].sagas = sagas;
            let versions = self.resolve_versions(service, name, &entry.value);
            self.services[index].versions = versions;
        }
        let mut bodies = Vec::new();
        for (index, (name, entry)) in self.names.clients.iter().enumerate() {
            let place = Place::client(ClientId::new(index), name);
            let steps = nodes::get(&entry.value, "do");
            bodies.push(steps.map_or_else(nothing, |steps| self.resolve_body(place, steps)));
        }
        bodies
    }

    fn resolve_handlers(&mut self, service: ServiceId, name: &str, node: &'a Node) -> Vec<Handler> {
        let mut handlers = Vec::new();
        for (word, entry) in nodes::section(node, "handlers") {
            let Some(message) = self.message_named(word, entry.key_span) else {
                self.flow.is_unclear = true;
                continue;
            };
            let place = Place::handler(service, name, message, word);
            // Where steps alone do not say enough, a handler is a map with `do`.
            self.refuse_keys("handler", &entry.value);
            let steps = nodes::get(&entry.value, "do").unwrap_or(&entry.value);
            let body = self.resolve_body(place, steps);
            handlers.push(Handler { message, span: entry.key_span, body });
        }
        handlers
    }

    fn resolve_jobs(&mut self, service: ServiceId, name: &str, node: &'a Node) -> Vec<Job> {
        let handled = nodes::section(node, "handlers");
        let mut jobs = Vec::new();
        for (word, entry) in nodes::section(node, "jobs") {
            if let Some(handler) = handled.get(word) {
                let message = format!("`{word}` is the name of a handler and of a job of `{name}`");
                let diagnostic = Diagnostic::new("name-clash", entry.key_span, message);
                self.report(diagnostic.related(handler.key_span, "the handler"));
            }
            jobs.extend(self.resolve_job(service, name, word, entry));
        }
        jobs
    }

    pub fn resolve_job(
        &mut self,
        service: ServiceId,
        name: &str,
        job: &str,
        entry: &'a Entry,
    ) -> Option<Job> {
        let node = &entry.value;
        self.refuse_keys("handler", node);
        let every = nodes::get(node, "every")
            .and_then(|every| expression::generator(every, &Type::Duration, &mut self.context()));
        if let Some(every) = &every {
            self.check_time_passes(every, "an interval");
        }
        let runs = nodes::entry(node, "runs").filter(|runs| nodes::is_word(&runs.value, "once"));
        if let Some(runs) = runs {
            self.need_store(service, runs.key_span, "`runs: once` (a lease in the store)");
        }
        let once_per = match nodes::get(node, "once_per") {
            None => OncePer::Row,
            Some(node) if nodes::is_word(node, "row") => OncePer::Row,
            Some(node) if nodes::is_word(node, "tick") => OncePer::Tick,
            Some(node) => {
                let scope = Scope { instance: true, ..Scope::NOTHING };
                let identity = expression::expression(node, None, &scope, &mut self.context())?;
                self.not_built(node.span, "`once_per` an expression");
                OncePer::Expression(identity)
            }
        };
        let steps = nodes::get(node, "do");
        let body =
            steps.map_or_else(nothing, |steps| self.resolve_body(Place::job(service, name, job), steps));
        Some(Job {
            name: job.to_owned(),
            span: entry.key_span,
            every: every?,
            once: runs.is_some(),
            once_per,
            body,
            absent_in: Vec::new(),
        })
    }

    /// Reasons given to `fail` anywhere: the words that a `catch` may name beside the built-in ones.
    pub fn collect_reasons(&mut self, root: &Node) {
        match &root.kind {
            NodeKind::Map(map) => {
                for (key, entry) in map {
                    if key == "fail"
                        && let Some(reason) = nodes::text(&entry.value)
                    {
                        self.reasons.insert(reason.to_owned());
                    }
                    self.collect_reasons(&entry.value);
                }
            }
            NodeKind::List(list) => list.iter().for_each(|node| self.collect_reasons(node)),
            NodeKind::Text { .. } | NodeKind::Null => {}
        }
    }

    fn report_unsettled_keys(&mut self) {
        for (table, position) in self.keys.unknown.clone() {
            let table = &self.tables[table.index()];
            let column = &table.columns[position].name;
            let message =
                format!("the type of the key `{column}` of `{}` depends on too many others", table.name);
            let diagnostic = Diagnostic::new("undeclared-key", table.span, message)
                .help(format!("declare it: `columns: {{ {column}: id }}`"));
            self.report(diagnostic);
        }
    }
}

fn nothing() -> Body {
    Body { locals: Vec::new(), steps: Vec::new() }
}
