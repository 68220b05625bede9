//! The ways that messages take from each origin, and which of several ways to a handler is the main
//! one. Only on the main way is a draw numbered by intent: then designs that reach a handler by
//! other ways still meet the same work there, and no two attempts of an intent share a draw.

use super::Compiler;
use crate::kernel::ids::*;
use crate::model::code::{NONE, Op};
use crate::model::*;
use std::collections::VecDeque;

impl Compiler<'_> {
    pub fn flow(&mut self) {
        self.targets();
        let bodies: Vec<(u32, HandlerId)> = self
            .model
            .clients
            .iter()
            .enumerate()
            .map(|(origin, client)| (origin as u32, client.body))
            .chain(self.model.jobs.iter().map(|job| (job.origin, job.body)))
            .collect();
        let ends = handler_ends(&self.model);
        for (origin, body) in bodies {
            self.spread(origin, body, &ends);
        }
    }

    /// Calls and sends know their handler once all handlers are there.
    fn targets(&mut self) {
        let services = &self.model.services;
        let find = |service: ServiceId, message: MessageId| {
            let handlers = &services[service.index()].handlers;
            handlers.iter().find(|(handled, _)| *handled == message).map_or(HandlerId(NONE), |entry| entry.1)
        };
        for call in &mut self.model.calls {
            call.handler = find(call.service, call.message);
        }
        for send in &mut self.model.sends {
            send.handler = find(send.service, send.message);
        }
    }

    /// Breadth first from an origin's body: the first way to a handler is the main one.
    fn spread(&mut self, origin: u32, body: HandlerId, ends: &[Pc]) {
        let mut reached = rustc_hash::FxHashSet::default();
        let mut ahead = VecDeque::from([body]);
        reached.insert(body);
        while let Some(handler) = ahead.pop_front() {
            let entry = self.model.handlers[handler.index()].entry;
            for pc in entry..ends[handler.index()] {
                let mut reach = |target: HandlerId| {
                    let new = target.0 != NONE && reached.insert(target);
                    if new {
                        ahead.push_back(target);
                    }
                    new
                };
                match self.model.code[pc as usize] {
                    Op::Call(call) => {
                        let call = &mut self.model.calls[call as usize];
                        if reach(call.handler) {
                            call.main.add(origin);
                        }
                    }
                    Op::Send(send) => {
                        let send = &mut self.model.sends[send as usize];
                        if reach(send.handler) {
                            send.main.add(origin);
                        }
                    }
                    Op::After(after) => drop(reach(self.model.afters[after as usize].body)),
                    Op::Publish(_) | Op::Row(_) => {
                        let Some(publish) = publish_at(&self.model, pc) else { continue };
                        let step = &self.model.publishes[publish as usize];
                        for group in &self.model.topics[step.topic.index()].groups {
                            let paths = &mut self.model.groups[group.index()].deliveries;
                            let path = paths.iter_mut().find(|path| path.message == step.message);
                            let Some(path) = path.filter(|path| reach(path.handler)) else { continue };
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
