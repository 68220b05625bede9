//! Who is handed work again, and what comes of it.

use super::Finding;
use super::design::{CodeKind, Design};
use super::repeat::repeat;
use super::walk;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::scenario::resolved::*;

/// Rows that a second delivery changes a second time.
pub fn non_idempotent_consumer(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (service, handler, code) in design.handlers() {
        let Some(group) = design.delivered_again(service, handler.message) else { continue };
        for step in repeat(design, code).again {
            let Some(table) = design.effect_on(step) else { continue };
            let told = format!(
                "`{}` is changed once more when the same `{}` comes again",
                design.name_of(table),
                design.message(handler.message).name
            );
            let finding = Finding::new(step.span, code.within, told);
            found.push(finding.related(group.span, "delivered at least once"));
        }
    }
}

/// Marks that are committed before what they stand for.
pub fn mark_before_act(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (service, handler, code) in design.handlers() {
        if design.delivered_again(service, handler.message).is_none() {
            continue;
        }
        for (mark, step) in repeat(design, code).never {
            let told = format!(
                "cut before this step, the handler of `{}` finds its own mark and never comes here again",
                design.message(handler.message).name
            );
            found.push(Finding::new(step.span, code.within, told).related(mark.span, "the mark"));
        }
    }
}

/// Effects that a second run makes once more.
pub fn effect_without_key(design: &Design<'_>, found: &mut Vec<Finding>) {
    for code in &design.bodies {
        let again = match code.kind {
            CodeKind::Handler(handler) => {
                code.service.and_then(|service| design.delivered_again(service, handler.message)).is_some()
            }
            // A saga repeats the step that a crash cut.
            CodeKind::Saga => true,
            CodeKind::Job(_) | CodeKind::Client => false,
        };
        let repeated = if again { repeat(design, code).again } else { Vec::new() };
        code.each(&mut |step, _| {
            let StepKind::Effect { effect, retry, idempotency_key, .. } = &step.kind else { return };
            let retried =
                idempotency_key.is_none() && retry.as_ref().is_some_and(|retry| retry.attempts != Some(1));
            if retried || repeated.iter().any(|other| std::ptr::eq(*other, step)) {
                let name = &design.scenario.effects[effect.index()];
                let told = format!("`{name}` is made again when it is asked for again");
                found.push(Finding::new(step.span, code.within, told));
            }
        });
    }
}

/// How long a message can be gone at the least before it comes again.
fn away(group: &Group) -> Nanos {
    let knobs = &group.knobs;
    let lease = match knobs.lease.kind {
        LeaseKind::Timer | LeaseKind::Session | LeaseKind::Claim if knobs.lease.after != NEVER => {
            knobs.lease.after
        }
        _ => knobs.lease.detect,
    };
    lease.saturating_add(knobs.redeliver.delay)
}

/// Marks that are forgotten before the message comes again.
pub fn deduplication_too_short(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (service, handler, code) in design.handlers() {
        let Some(group) = design.delivered_again(service, handler.message) else { continue };
        code.each(&mut |step, _| {
            let StepKind::Insert { table, otherwise: Some(otherwise), .. } = &step.kind else { return };
            let table = design.table(*table);
            let Some(ttl) = table.ttl.filter(|_| walk::ends(otherwise)) else { return };
            if ttl < away(group) {
                let told = format!(
                    "`{}` forgets after {} what can come again after {}",
                    table.name,
                    seconds(ttl),
                    seconds(away(group))
                );
                found.push(Finding::new(step.span, code.within, told).related(table.span, "forgets"));
            }
        });
    }
}

fn seconds(time: Nanos) -> String {
    format!("{} s", time as f64 / 1e9)
}

/// `ack: before`, a broker that forgets what it sent, an `ack` in front of the work.
pub fn ack_before_handling(design: &Design<'_>, found: &mut Vec<Finding>) {
    for group in &design.scenario.groups {
        let early = group.ack == AckMode::Before || group.knobs.ack_scope == AckScope::OnDelivery;
        let loses = design.handlers().any(|(service, handler, code)| {
            let comes =
                || design.deliveries(service, handler.message).iter().any(|of| std::ptr::eq(*of, group));
            service == group.service && design.acts(code) && comes()
        });
        if early && loses {
            let told = format!("`{}` is told that a message is handled before it is", group.name);
            found.push(Finding::new(group.span, Within::Service(group.service), told));
        }
    }
    for (.., code) in design.handlers() {
        let Some(at) = code.steps.iter().position(|step| matches!(step.kind, StepKind::Ack)) else {
            continue;
        };
        let mut later = None;
        walk::each(&code.steps[at..], &mut |step, _| {
            let acts = matches!(step.kind, StepKind::Effect { .. }) || design.effect_on(step).is_some();
            if acts {
                later = later.or(Some(step.span));
            }
        });
        if let Some(later) = later {
            let told = "acknowledged here, and not yet handled";
            let finding = Finding::new(code.steps[at].span, code.within, told);
            found.push(finding.related(later, "what is lost by a crash in between"));
        }
    }
}

/// Messages that fail each time, where nothing takes them away.
pub fn no_dead_letter(design: &Design<'_>, found: &mut Vec<Finding>) {
    for group in &design.scenario.groups {
        let exhaust = &group.knobs.exhaust;
        let is_kept = match exhaust.then {
            ExhaustThen::DeadLetter => exhaust.dead_letter.is_some() && exhaust.after.is_some(),
            ExhaustThen::Park => exhaust.after.is_some(),
            ExhaustThen::Drop | ExhaustThen::Stay | ExhaustThen::Block => false,
        };
        if is_kept || group.ack == AckMode::Before {
            continue;
        }
        let poisons = |message: MessageId| {
            design.scenario.faults.iter().any(
                |fault| matches!(fault.kind, FaultKind::Poison { message: poisoned, .. } if poisoned == message),
            )
        };
        let failing = design.handlers().find_map(|(service, handler, code)| {
            let comes =
                || design.deliveries(service, handler.message).iter().any(|of| std::ptr::eq(*of, group));
            if service != group.service || !comes() {
                return None;
            }
            let poisoned = poisons(handler.message).then_some((handler.span, "poisoned by a fault"));
            let fails = uncaught_failure(code.steps, &transient(code.steps))
                .map(|step| (step.span, "fails each time"));
            fails.or(poisoned)
        });
        if let Some((span, label)) = failing {
            let told = format!("a message of `{}` that fails each time has nowhere to go", group.name);
            let finding = Finding::new(group.span, Within::Service(group.service), told);
            found.push(finding.related(span, label));
        }
    }
}

/// A `fail` that nothing around it catches and that meets the message each time.
fn uncaught_failure<'s>(block: &'s [Step], transient: &[LocalId]) -> Option<&'s Step> {
    block.iter().find_map(|step| match &step.kind {
        StepKind::Fail(_) => Some(step),
        StepKind::Try { catch, .. } | StepKind::Transaction { catch, .. } if !catch.is_empty() => None,
        StepKind::After { .. } => None,
        StepKind::If { condition, .. } if reads_any(condition, transient) => None,
        _ => walk::blocks(step).into_iter().find_map(|block| uncaught_failure(block, transient)),
    })
}

/// Locals that the next attempt draws anew.
fn transient(block: &[Step]) -> Vec<LocalId> {
    let mut locals = Vec::new();
    walk::each(block, &mut |step, _| {
        if let StepKind::Let(named) = &step.kind {
            let drawn = named.iter().filter(|(_, value)| matches!(value, Value::Draw(of) if of.per_attempt));
            locals.extend(drawn.map(|(local, _)| *local));
        }
    });
    locals
}

fn reads_any(expression: &Expression, locals: &[LocalId]) -> bool {
    expression.any(&|kind| matches!(kind, ExpressionKind::Local(local) if locals.contains(local)))
}

/// A job without `runs: once` that acts.
pub fn job_on_every_instance(design: &Design<'_>, found: &mut Vec<Finding>) {
    for code in &design.bodies {
        let (CodeKind::Job(job), Some(service)) = (code.kind, code.service) else { continue };
        let instances = design.service(service).most_instances();
        if job.once || instances < 2 {
            continue;
        }
        let repeated = !repeat(design, code).again.is_empty();
        let sends = |step: &Step| match &step.kind {
            StepKind::Publish(_) | StepKind::Send { .. } => true,
            StepKind::Call(call) => design.callee(call).is_some_and(|callee| design.acts(callee)),
            _ => false,
        };
        if repeated || code.any(&sends) {
            let told = format!("the job `{}` runs on each of {instances} instances", job.name);
            found.push(Finding::new(job.span, code.within, told));
        }
    }
}

/// A replay over what is there.
pub fn replay_repeats_effects(design: &Design<'_>, found: &mut Vec<Finding>) {
    for fault in &design.scenario.faults {
        let FaultKind::Replay { group, clear } = &fault.kind else { continue };
        let group = &design.scenario.groups[group.index()];
        let again = design.handlers().find_map(|(service, handler, code)| {
            let comes =
                || design.deliveries(service, handler.message).iter().any(|of| std::ptr::eq(*of, group));
            if service != group.service || !comes() || asks_whether_replayed(code.steps) {
                return None;
            }
            let steps = repeat(design, code).again;
            steps.into_iter().find(|step| design.effect_on(step).is_none_or(|table| !clear.contains(&table)))
        });
        if let Some(step) = again {
            let told = format!("`{}` hands `{}` messages that were handled already", fault.name, group.name);
            let finding = Finding::new(fault.span, Within::Scenario, told);
            found.push(finding.related(step.span, "done again"));
        }
    }
}

fn asks_whether_replayed(block: &[Step]) -> bool {
    let mut asks = false;
    walk::each(block, &mut |step, _| {
        if let StepKind::If { condition, .. } = &step.kind {
            asks |= condition.any(&|kind| matches!(kind, ExpressionKind::Delivery(DeliveryField::Replayed)));
        }
    });
    asks
}
