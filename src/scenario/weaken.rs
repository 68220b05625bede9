//! Safeguards, and a scenario with one of them taken away.
//!
//! | safeguard | without it |
//! |---|---|
//! | `else: [ stop ]` of a row step | it goes on |
//! | an `if` that does nothing but stop | it is not there |
//! | a transaction | its steps, each for itself |
//! | `via: outbox`, `via: ack` | published at once |
//! | an `idempotency_key` | none |
//! | `where` on a write of one row | none |
//! | `ack: after` | `before` |
//! | a step with `undoes` | it is not there |
//!
//! Nothing else changes: steps keep their names, so they draw what they drew.

use super::resolved::{AckMode, Block, Body, Catch, Scenario, Step, StepKind, Via};
use super::source::Span;

/// A scenario that lacks a safeguard.
#[derive(Clone, Debug)]
pub struct Weakened {
    /// `the guard of stock/Placed/insert#1`
    pub lacks: String,
    pub span: Span,
    pub scenario: Scenario,
}

/// The scenario without its safeguard of this number, in the order of the file; `None`: it has no more.
pub fn without_safeguard(scenario: &Scenario, number: usize) -> Option<Weakened> {
    let mut weaker = scenario.clone();
    let mut knife = Knife { left: number, taken: None };
    for service in &mut weaker.services {
        for handler in &mut service.handlers {
            knife.body(&mut handler.body);
        }
        for job in &mut service.jobs {
            knife.body(&mut job.body);
        }
        for saga in &mut service.sagas {
            for step in &mut saga.steps {
                knife.block(&mut step.body);
                knife.block(&mut step.undo);
            }
            knife.block(&mut saga.completed);
            knife.block(&mut saga.compensated);
        }
    }
    for client in &mut weaker.clients {
        knife.body(&mut client.body);
    }
    for group in &mut weaker.groups {
        if group.ack == AckMode::After
            && knife.meets(|| format!("`ack: after` of {}", group.name), group.span)
        {
            group.ack = AckMode::Before;
        }
    }
    let (lacks, span) = knife.taken?;
    Some(Weakened { lacks, span, scenario: weaker })
}

/// Takes away one safeguard: the one that it meets when none are left to pass by.
struct Knife {
    left: usize,
    taken: Option<(String, Span)>,
}

impl Knife {
    /// Whether this is the one.
    fn meets(&mut self, name: impl FnOnce() -> String, span: Span) -> bool {
        if self.taken.is_some() {
            return false;
        }
        if self.left > 0 {
            self.left -= 1;
            return false;
        }
        self.taken = Some((name(), span));
        true
    }

    fn body(&mut self, body: &mut Body) {
        self.block(&mut body.steps);
    }

    fn block(&mut self, block: &mut Block) {
        let mut at = 0;
        while at < block.len() && self.taken.is_none() {
            if self.is_removed(&block[at]) {
                let step = block.remove(at);
                if let StepKind::If { otherwise, .. } = step.kind {
                    block.splice(at..at, otherwise);
                }
                return;
            }
            self.step(&mut block[at]);
            at += 1;
        }
    }

    /// Whether the step is itself the safeguard.
    fn is_removed(&mut self, step: &Step) -> bool {
        let is_guard = matches!(&step.kind, StepKind::If { then, .. } if only_stops(then));
        is_guard && self.meets(|| format!("the guard {}", step.path), step.span)
            || step.undoes.is_some() && self.meets(|| format!("the undoing {}", step.path), step.span)
    }

    fn step(&mut self, step: &mut Step) {
        self.own(step);
        if self.taken.is_some() {
            return;
        }
        match &mut step.kind {
            StepKind::After { body, .. } | StepKind::ForEach { body, .. } => self.block(body),
            StepKind::Read { otherwise, .. }
            | StepKind::Insert { otherwise, .. }
            | StepKind::Update { otherwise, .. }
            | StepKind::Upsert { otherwise, .. }
            | StepKind::Delete { otherwise, .. } => {
                if let Some(otherwise) = otherwise {
                    self.block(otherwise);
                }
            }
            StepKind::Transaction { body, catch, .. } | StepKind::Try { body, catch, .. } => {
                self.block(body);
                self.catches(catch);
            }
            StepKind::Append(append) => self.catches(&mut append.catch),
            StepKind::Publish(publish) => self.catches(&mut publish.catch),
            StepKind::Call(call) => self.catches(&mut call.catch),
            StepKind::Effect { catch, .. } => self.catches(catch),
            StepKind::If { then, otherwise, .. } => {
                self.block(then);
                self.block(otherwise);
            }
            StepKind::Parallel(branches) => branches.iter_mut().for_each(|(_, branch)| self.block(branch)),
            _ => {}
        }
    }

    fn catches(&mut self, catches: &mut [Catch]) {
        catches.iter_mut().for_each(|catch| self.block(&mut catch.body));
    }

    /// The safeguards that the step has, but for those within it.
    fn own(&mut self, step: &mut Step) {
        let (span, path) = (step.span, &step.path);
        match &mut step.kind {
            StepKind::Update { key: Some(_), filter: filter @ Some(_), otherwise, .. }
            | StepKind::Upsert { filter: filter @ Some(_), otherwise, .. }
            | StepKind::Delete { key: Some(_), filter: filter @ Some(_), otherwise, .. } => {
                if self.meets(|| format!("`where` of {path}"), span) {
                    *filter = None;
                    return;
                }
                self.guard_of(otherwise, path, span);
            }
            StepKind::Read { otherwise, .. }
            | StepKind::Insert { otherwise, .. }
            | StepKind::Update { otherwise, .. }
            | StepKind::Upsert { otherwise, .. }
            | StepKind::Delete { otherwise, .. } => self.guard_of(otherwise, path, span),
            StepKind::Append(append)
                if append.expect.is_some() && self.meets(|| format!("`expect` of {path}"), span) =>
            {
                append.expect = None;
            }
            StepKind::Publish(publish)
                if publish.via == Via::Outbox && self.meets(|| format!("the outbox of {path}"), span) =>
            {
                publish.via = Via::Direct;
            }
            StepKind::Publish(publish)
                if publish.via == Via::Ack && self.meets(|| format!("`via: ack` of {path}"), span) =>
            {
                publish.via = Via::Direct;
            }
            StepKind::Effect { idempotency_key: key @ Some(_), .. }
                if self.meets(|| format!("the idempotency key of {path}"), span) =>
            {
                *key = None;
            }
            StepKind::Transaction { body, retry, catch }
                if self.meets(|| format!("the transaction {path}"), span) =>
            {
                unlock(body);
                let (body, catch) = (std::mem::take(body), std::mem::take(catch));
                step.kind = StepKind::Try { body, retry: retry.take(), catch };
            }
            _ => {}
        }
    }

    fn guard_of(&mut self, otherwise: &mut Option<Block>, path: &str, span: Span) {
        if let Some(otherwise) = otherwise.as_mut().filter(|otherwise| only_stops(otherwise))
            && self.meets(|| format!("the guard `else: [ stop ]` of {path}"), span)
        {
            otherwise.clear();
        }
    }
}

fn only_stops(block: &[Step]) -> bool {
    matches!(block, [only] if matches!(only.kind, StepKind::Stop))
}

/// Outside a transaction nothing is locked.
fn unlock(block: &mut Block) {
    for step in block {
        match &mut step.kind {
            StepKind::Read { lock, otherwise, .. } => {
                *lock = false;
                otherwise.iter_mut().for_each(unlock);
            }
            StepKind::If { then, otherwise, .. } => [then, otherwise].into_iter().for_each(unlock),
            StepKind::ForEach { body, .. } | StepKind::Try { body, .. } => unlock(body),
            StepKind::Parallel(branches) => branches.iter_mut().for_each(|(_, branch)| unlock(branch)),
            _ => {}
        }
    }
}
