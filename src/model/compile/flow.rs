//! The ways that messages take from each origin, and which of several ways to a handler is the main
//! one. Only on the main way is a draw numbered by intent: then designs that reach a handler by
//! other ways still meet the same work there, and no two attempts of an intent share a draw.

use super::Compiler;
use crate::kernel::ids::*;
use crate::model::code::{NONE, Op};
use crate::model::*;
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

impl Compiler<'_> {
    pub fn flow(&mut self) {
        self.targets();
        let clients = self.model.clients.iter().enumerate();
        let clients = clients.map(|(origin, client)| (origin as u32, vec![client.body]));
        let jobs = self.model.jobs.iter().enumerate().map(|(number, job)| {
            let versions = self.model.services[job.service.index()].versions.iter();
            let later = versions.map(|version| version.job(JobId::new(number), job.body));
            (job.origin, [job.body].into_iter().chain(later).collect())
        });
        let bodies: Vec<(u32, Vec<HandlerId>)> = clients.chain(jobs).collect();
        let ends = handler_ends(&self.model);
        for (origin, bodies) in bodies {
            self.spread(origin, &bodies, &ends);
        }
    }

    /// Calls and sends know their handler once all handlers are there.
    fn targets(&mut self) {
        let services = &self.model.services;
        let find = |service: ServiceId, message: MessageId| {
            let of = &services[service.index()];
            let handled = of.handlers.iter().find(|(handled, _)| *handled == message);
            // What only a later version handles fails in the one before.
            let failing = of.versions.first().map_or(HandlerId(NONE), |version| version.failing);
            handled.map_or(failing, |entry| entry.1)
        };
        for call in &mut self.model.calls {
            call.handler = find(call.service, call.message);
        }
        for send in &mut self.model.sends {
            send.handler = find(send.service, send.message);
        }
    }

    /// Breadth first from an origin's body: the first way to a handler is the main one.
    fn spread(&mut self, origin: u32, bodies: &[HandlerId], ends: &[Pc]) {
        let mut ahead = Ahead::from(bodies);
        while let Some(handler) = ahead.waiting.pop_front() {
            let entry = self.model.handlers[handler.index()].entry;
            for pc in entry..ends[handler.index()] {
                match self.model.code[pc as usize] {
                    Op::Call(call) => {
                        let call = &mut self.model.calls[call as usize];
                        let versions = versions_of(&self.model.services, call.service, call.message);
                        if ahead.reach(handler, call.site, call.handler, &versions) {
                            call.main.add(origin);
                        }
                    }
                    Op::Send(send) => {
                        let send = &mut self.model.sends[send as usize];
                        let versions = versions_of(&self.model.services, send.service, send.message);
                        if ahead.reach(handler, send.site, send.handler, &versions) {
                            send.main.add(origin);
                        }
                    }
                    Op::After(after) => {
                        let body = self.model.afters[after as usize].body;
                        ahead.reach(handler, SiteId(NONE), body, &[]);
                    }
                    Op::Publish(_) | Op::Row(_) => {
                        let Some(publish) = publish_at(&self.model, pc) else { continue };
                        let step = &self.model.publishes[publish as usize];
                        for group in &self.model.topics[step.topic.index()].groups {
                            let paths = &mut self.model.groups[group.index()].deliveries;
                            let path = paths.iter_mut().find(|path| path.message == step.message);
                            let Some(path) = path
                                .filter(|path| ahead.reach(handler, step.site, path.handler, &path.versions))
                            else {
                                continue;
                            };
                            match path.main.iter_mut().find(|(main, _)| *main == publish) {
                                Some((_, origins)) => origins.add(origin),
                                None => path.main.push((publish, Origins::One(origin))),
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// What an origin has reached, and what is still to be looked through.
#[derive(Default)]
struct Ahead {
    waiting: VecDeque<HandlerId>,
    reached: FxHashSet<HandlerId>,
    /// Those of later versions of a service.
    of_versions: FxHashSet<HandlerId>,
    /// The steps on a main way, with where it leads.
    main: FxHashSet<(SiteId, HandlerId)>,
}

impl Ahead {
    /// From a body, and what the later versions do instead.
    fn from(bodies: &[HandlerId]) -> Self {
        let mut ahead = Ahead::default();
        if let Some((first, versions)) = bodies.split_first() {
            ahead.reach(HandlerId(NONE), SiteId(NONE), *first, versions);
        }
        ahead
    }

    /// A step leads to a handler, or to what later versions have instead. Whether that is the main way there:
    /// it is the first, or the same step in another version is on it.
    fn reach(&mut self, from: HandlerId, step: SiteId, to: HandlerId, versions: &[HandlerId]) -> bool {
        let there = [to].into_iter().chain(versions.iter().copied()).find(|handler| handler.0 != NONE);
        let Some(there) = there else { return false };
        let is_new = self.reached.insert(there);
        if is_new {
            self.waiting.push_back(there);
        }
        let is_main = is_new || self.of_versions.contains(&from) && self.main.contains(&(step, there));
        for &version in versions.iter().filter(|version| version.0 != NONE && **version != to) {
            if self.reached.insert(version) {
                self.waiting.push_back(version);
            }
            self.of_versions.insert(version);
        }
        if is_main {
            self.main.insert((step, there));
        }
        is_main
    }
}

/// What the later versions of a service run for a message.
fn versions_of(services: &[Service], service: ServiceId, message: MessageId) -> Vec<HandlerId> {
    services[service.index()].versions.iter().map(|version| version.handler(message)).collect()
}

/// What an operation publishes: by itself, or by adding to a stream that is published.
fn publish_at(model: &Model, pc: Pc) -> Option<u32> {
    match model.code[pc as usize] {
        Op::Publish(publish) => Some(publish),
        Op::Row(step) => {
            let append = model.row_steps[step as usize].appended()?;
            (append.publish != NONE).then_some(append.publish)
        }
        _ => None,
    }
}

/// Where each handler's code ends: code is laid out handler by handler, bodies of `after` behind.
fn handler_ends(model: &Model) -> Vec<Pc> {
    let mut starts: Vec<Pc> = model.handlers.iter().map(|handler| handler.entry).collect();
    starts.push(model.code.len() as Pc);
    starts.sort_unstable();
    model
        .handlers
        .iter()
        .map(|handler| starts[starts.partition_point(|start| *start <= handler.entry)])
        .collect()
}
