//! A scenario as the rules look at it: all that runs in one list, and who reaches what.

use super::walk;
use crate::kernel::ids::*;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

pub struct Design<'s> {
    pub scenario: &'s Scenario,
    pub bodies: Vec<Code<'s>>,
}

/// Steps that run together: a handler, a job, a part of a saga, what a client does.
pub struct Code<'s> {
    pub kind: CodeKind<'s>,
    /// `None` of a client.
    pub service: Option<ServiceId>,
    pub locals: &'s [Local],
    pub steps: &'s [Step],
    pub within: Within,
}

#[derive(Clone, Copy)]
pub enum CodeKind<'s> {
    Handler(&'s Handler),
    Job(&'s Job),
    Saga,
    Client,
}

impl<'s> Code<'s> {
    /// Every step, outer ones first, each with the transaction that it stands in.
    pub fn each(&self, visit: &mut dyn FnMut(&'s Step, Option<&'s Step>)) {
        walk::each(self.steps, visit);
    }

    /// Whether any step is such.
    pub fn any(&self, is_such: &dyn Fn(&Step) -> bool) -> bool {
        let mut found = false;
        self.each(&mut |step, _| found |= is_such(step));
        found
    }

    /// The message that it handles.
    pub fn message(&self) -> Option<MessageId> {
        match self.kind {
            CodeKind::Handler(handler) => Some(handler.message),
            _ => None,
        }
    }
}

impl<'s> Design<'s> {
    pub fn of(scenario: &'s Scenario) -> Self {
        let mut bodies = Vec::new();
        for (index, service) in scenario.services.iter().enumerate() {
            let id = ServiceId::new(index);
            let mut add = |kind, body: &'s Body, span: Span| {
                let (locals, steps) = (&body.locals[..], &body.steps[..]);
                bodies.push(Code { kind, service: Some(id), locals, steps, within: Within::Body(id, span) });
            };
            service.handlers.iter().for_each(|of| add(CodeKind::Handler(of), &of.body, of.span));
            service.jobs.iter().for_each(|of| add(CodeKind::Job(of), &of.body, of.span));
            for saga in &service.sagas {
                bodies.extend(saga.blocks().map(|steps| Code {
                    kind: CodeKind::Saga,
                    service: Some(id),
                    locals: &saga.locals,
                    steps,
                    within: Within::Service(id),
                }));
            }
        }
        bodies.extend(scenario.clients.iter().map(|client| Code {
            kind: CodeKind::Client,
            service: None,
            locals: &client.body.locals,
            steps: &client.body.steps,
            within: Within::Scenario,
        }));
        Design { scenario, bodies }
    }

    pub fn service(&self, id: ServiceId) -> &'s Service {
        &self.scenario.services[id.index()]
    }

    pub fn table(&self, id: TableId) -> &'s Table {
        &self.scenario.tables[id.index()]
    }

    pub fn message(&self, id: MessageId) -> &'s Message {
        &self.scenario.messages[id.index()]
    }

    /// Handlers with what they run.
    pub fn handlers(&self) -> impl Iterator<Item = (ServiceId, &'s Handler, &Code<'s>)> {
        self.bodies.iter().filter_map(|code| match code.kind {
            CodeKind::Handler(handler) => Some((code.service?, handler, code)),
            _ => None,
        })
    }

    /// The subscriptions that deliver a message to a service, also by way of dead letters.
    pub fn deliveries(&self, service: ServiceId, message: MessageId) -> Vec<&'s Group> {
        let groups = self.service(service).groups.iter().map(|group| &self.scenario.groups[group.index()]);
        groups.filter(|group| self.carries(group.topic, message)).collect()
    }

    fn carries(&self, topic: TopicId, message: MessageId) -> bool {
        let carried = |topic: TopicId| self.scenario.topics[topic.index()].messages.contains(&message);
        carried(topic)
            || self.scenario.groups.iter().any(|group| {
                group.knobs.exhaust.dead_letter == Some(topic) && group.topic != topic && carried(group.topic)
            })
    }

    /// The subscription by which a handler is handed a message again that it may have handled before.
    pub fn delivered_again(&self, service: ServiceId, message: MessageId) -> Option<&'s Group> {
        self.deliveries(service, message)
            .into_iter()
            .find(|group| group.ack != AckMode::Before && group.knobs.ack_scope != AckScope::OnDelivery)
    }

    /// Every call with the body that it stands in.
    pub fn calls(&self) -> Vec<(&Code<'s>, &'s Step, &'s Call)> {
        let mut calls = Vec::new();
        for code in &self.bodies {
            code.each(&mut |step, _| {
                if let StepKind::Call(call) = &step.kind {
                    calls.push((code, step, call));
                }
            });
        }
        calls
    }

    /// What all calls of a body to a service share.
    pub fn policy(&self, code: &Code<'s>, service: ServiceId) -> Option<&'s CallPolicy> {
        let policies = match code.service {
            Some(caller) => &self.service(caller).calls,
            None => {
                let is_it = |client: &&Client| std::ptr::eq(client.body.steps.as_slice(), code.steps);
                &self.scenario.clients.iter().find(is_it)?.calls
            }
        };
        policies.iter().find(|policy| policy.service == service)
    }

    /// What runs when a service is called.
    pub fn callee(&self, call: &Call) -> Option<&Code<'s>> {
        let mut handlers = self.handlers();
        handlers
            .find(|(service, handler, _)| *service == call.service && handler.message == call.message)
            .map(|(.., code)| code)
    }

    /// How a table is called.
    pub fn name_of(&self, table: TableId) -> &'s str {
        &self.table(table).name
    }

    /// The store that a table is in.
    pub fn store_of(&self, table: TableId) -> Option<&'s Store> {
        match &self.service(self.table(table).service).store {
            Some(StoreUse::Own(store)) => Some(store),
            _ => None,
        }
    }

    /// The table that a step changes for good, if it is more than a mark.
    pub fn effect_on(&self, step: &Step) -> Option<TableId> {
        written(step).filter(|table| !self.table(*table).memory && !self.table(*table).bookkeeping)
    }

    /// Whether a body changes anything that others can see.
    pub fn acts(&self, code: &Code<'s>) -> bool {
        code.any(&|step| {
            self.effect_on(step).is_some()
                || matches!(
                    step.kind,
                    StepKind::Effect { .. }
                        | StepKind::Publish(_)
                        | StepKind::Call(_)
                        | StepKind::Send { .. }
                )
        })
    }
}

/// The table that a step writes.
pub fn written(step: &Step) -> Option<TableId> {
    match &step.kind {
        StepKind::Insert { table, .. }
        | StepKind::Update { table, .. }
        | StepKind::Upsert { table, .. }
        | StepKind::Delete { table, .. } => Some(*table),
        StepKind::Append(append) => Some(append.table),
        _ => None,
    }
}

/// Whether a publish goes out at once, whatever becomes of the rows around it.
pub fn is_direct(publish: &Publish) -> bool {
    publish.via != Via::Outbox
}
