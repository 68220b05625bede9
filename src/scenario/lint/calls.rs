//! Calls that are tried again, given up, or kept waiting.

use super::Finding;
use super::design::{Code, Design};
use super::repeat::repeat;
use super::walk;
use crate::kernel::ids::*;
use crate::kernel::sampler::Sampler;
use crate::kernel::time::Nanos;
use crate::scenario::resolved::*;

/// Whether nothing bounds the retries of a body's calls to a service.
fn is_unguarded(design: &Design<'_>, code: &Code<'_>, call: &Call) -> bool {
    let policy = design.policy(code, call.service);
    !policy.is_some_and(CallPolicy::guards)
}

fn tries(call: &Call) -> Option<u32> {
    call.retry.as_ref().map_or(Some(1), |retry| retry.attempts)
}

/// Three tries or more, of every call.
pub fn retry_without_budget(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (code, _, call) in design.calls() {
        let many = tries(call).is_none_or(|tries| tries >= 3);
        let Some(retry) = call.retry.as_ref().filter(|_| many && is_unguarded(design, code, call)) else {
            continue;
        };
        let name = &design.service(call.service).name;
        let told = match retry.attempts {
            Some(tries) => {
                format!("`{name}` may be asked {tries} times as often as there is something to ask")
            }
            None => format!("`{name}` is asked again without end"),
        };
        found.push(Finding::new(retry.span, code.within, told));
    }
}

/// Retries in step with one another.
pub fn retry_without_jitter(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (code, _, call) in design.calls() {
        let Some(retry) = call.retry.as_ref().filter(|_| tries(call) != Some(1)) else { continue };
        if retry.jitter == Jitter::None && is_unguarded(design, code, call) {
            let told =
                format!("those who `{}` failed come again all at once", design.service(call.service).name);
            found.push(Finding::new(retry.span, code.within, told));
        }
    }
}

/// A second try of what adds up.
pub fn retry_of_non_idempotent_call(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (code, step, call) in design.calls() {
        if tries(call) == Some(1) && call.hedge.is_none() {
            continue;
        }
        let Some(callee) = design.callee(call) else { continue };
        if let Some(again) = repeat(design, callee).again.first() {
            let told = format!(
                "`{}` does it once more when it is asked once more",
                design.service(call.service).name
            );
            found.push(Finding::new(step.span, code.within, told).related(again.span, "done again"));
        }
    }
}

/// A caller that is gone while its callee still waits.
pub fn timeout_below_callee(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (code, step, call) in design.calls() {
        let Some(callee) = design.callee(call) else { continue };
        let longest = inner(callee).into_iter().max_by_key(|(_, time)| *time);
        if let Some((inner, time)) = longest.filter(|(_, time)| call.timeout < *time) {
            let told = format!(
                "given up after {} s, while `{}` may wait {} s for another service",
                call.timeout as f64 / 1e9,
                design.service(call.service).name,
                time as f64 / 1e9
            );
            found.push(Finding::new(step.span, code.within, told).related(inner.span, "waits here"));
        }
    }
}

/// The calls that a handler makes before it has answered, with how long all their tries take.
fn inner<'s>(code: &Code<'s>) -> Vec<(&'s Step, Nanos)> {
    let answered = code.steps.iter().position(|step| matches!(step.kind, StepKind::Reply(_)));
    let before = &code.steps[..answered.unwrap_or(code.steps.len())];
    let mut calls = Vec::new();
    for step in before.iter().filter(|step| !matches!(step.kind, StepKind::After { .. })) {
        walk::each(std::slice::from_ref(step), &mut |step, _| {
            if let StepKind::Call(call) = &step.kind
                && let Some(tries) = tries(call)
            {
                calls.push((step, call.timeout.saturating_mul(u64::from(tries))));
            }
        });
    }
    calls
}

/// A queue that outlasts those who wait in it.
pub fn unbounded_queue(design: &Design<'_>, found: &mut Vec<Finding>) {
    let calls = design.calls();
    for (index, service) in design.scenario.services.iter().enumerate() {
        let id = ServiceId::new(index);
        let (Some(workers), None) = (service.workers, service.autoscale) else { continue };
        if service.queue.shed == Shed::Deadline || service.queue.order == QueueOrder::Lifo {
            continue;
        }
        let is_too_long = |call: &Call| {
            let Some(places) = service.queue.capacity else { return true };
            let work = design.callee(call).map_or(0.0, mean_work);
            f64::from(places) * work / f64::from(workers) > call.timeout as f64
        };
        let is_storm = |(code, _, call): &(&Code<'_>, &Step, &Call)| {
            call.service == id
                && tries(call).is_none_or(|tries| tries >= 3)
                && is_unguarded(design, code, call)
                && is_too_long(call)
        };
        if let Some((_, step, _)) = calls.iter().find(|call| is_storm(call)) {
            let queue = match service.queue.capacity {
                None => "without an end",
                Some(_) => "that is longer than their callers wait",
            };
            let told =
                format!("requests wait for `{}` in a queue {queue}, and are tried again", service.name);
            let finding = Finding::new(service.span, Within::Service(id), told);
            found.push(finding.related(step.span, "tried again here"));
        }
    }
}

/// How long a handler works on the average, in nanoseconds: the `work` that it does in any case.
fn mean_work(code: &Code<'_>) -> f64 {
    let works = code.steps.iter().map(|step| match &step.kind {
        StepKind::Work(Value::Draw(Generator { kind: GeneratorKind::Distribution(of), .. })) => {
            Sampler::new(of).mean()
        }
        StepKind::Work(Value::Expression(Expression {
            kind: ExpressionKind::Literal(Literal::Int(time)),
            ..
        })) => *time as f64,
        _ => 0.0,
    });
    works.sum()
}
