//! Two things that ought to be one: rows and messages, rows here and rows there, rows and what no rollback
//! reaches.

use super::Finding;
use super::design::{Code, Design, is_direct};
use super::repeat::repeat;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// Rows and a publish that is not theirs.
pub fn dual_write(design: &Design<'_>, found: &mut Vec<Finding>) {
    for code in design.bodies.iter().filter(|code| code.service.is_some()) {
        let mut rows = None;
        let mut publishes = Vec::new();
        code.each(&mut |step, transaction| match &step.kind {
            StepKind::Publish(publish) if is_direct(publish) && !step.forward => {
                publishes.push((step, transaction.is_some()));
            }
            _ if design.effect_on(step).is_some() => rows = rows.or(Some(step)),
            _ => {}
        });
        let Some(row) = rows.filter(|_| is_never_made_good(design, code, &publishes)) else { continue };
        for (step, is_inside) in publishes {
            let told = match is_inside {
                true => "this message is out at once, whether the transaction commits or not",
                false => "this message and a row belong together, and a crash can come between them",
            };
            found.push(Finding::new(step.span, code.within, told).related(row.span, "the row"));
        }
    }
}

/// Whether what a crash cuts stays cut. A message that comes again does the rest, unless a mark stops it.
fn is_never_made_good(design: &Design<'_>, code: &Code<'_>, publishes: &[(&Step, bool)]) -> bool {
    let (Some(service), Some(message)) = (code.service, code.message()) else { return true };
    if design.delivered_again(service, message).is_none() || publishes.iter().any(|(_, is_inside)| *is_inside)
    {
        return true;
    }
    let never = repeat(design, code).marks;
    never.iter().any(|mark| publishes.iter().any(|(step, _)| mark.span.start < step.span.start))
}

/// Calls that change others, and rows of one's own or more such calls.
pub fn writes_across_services(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (service, handler, code) in design.handlers() {
        // Where the message comes again until all is done, all is done in the end.
        if design.delivered_again(service, handler.message).is_some() {
            continue;
        }
        let mut changes: Vec<Span> = Vec::new();
        let mut calls: Vec<Span> = Vec::new();
        code.each(&mut |step, _| match &step.kind {
            StepKind::Call(call) if design.callee(call).is_some_and(|callee| design.acts(callee)) => {
                calls.push(step.span);
                changes.push(step.span);
            }
            _ if design.effect_on(step).is_some() => changes.push(step.span),
            _ => {}
        });
        if let (Some(call), [_, _, ..]) = (calls.first(), &changes[..]) {
            let name = &design.message(handler.message).name;
            let told = format!("`{name}` changes others and then more, and nothing takes it back");
            let other = changes.iter().find(|span| *span != call).expect("two changes");
            found.push(Finding::new(*call, code.within, told).related(*other, "if this is not done"));
        }
    }
}

/// A position in ids that are seen in another order.
pub fn outbox_by_id(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (id, service, outbox) in outboxes(design) {
        let writes_alone = service.workers == Some(1) && service.most_instances() == 1;
        if outbox.select == OutboxSelect::Id && !writes_alone {
            let told =
                format!("the outbox of `{}` is read by id, and several write to it at a time", service.name);
            found.push(Finding::new(outbox.span, id, told));
        }
    }
}

/// A mark before the deed.
pub fn outbox_marked_before_publish(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (id, service, outbox) in outboxes(design) {
        if outbox.mark == OutboxMark::BeforePublish {
            let told = format!("the outbox of `{}` marks messages as sent before they are", service.name);
            found.push(Finding::new(outbox.span, id, told));
        }
    }
}

fn outboxes<'s>(design: &Design<'s>) -> impl Iterator<Item = (Within, &'s Service, &'s Outbox)> {
    let services = design.scenario.services.iter().enumerate();
    services.filter_map(|(index, service)| {
        let id = crate::kernel::ids::ServiceId::new(index);
        Some((Within::Service(id), service, service.outbox.as_ref()?))
    })
}

/// A call between a lock and its commit.
pub fn call_in_transaction(design: &Design<'_>, found: &mut Vec<Finding>) {
    inside(design, found, |step| match step.kind {
        StepKind::Call(_) => Some("this transaction is open until another service has answered"),
        _ => None,
    });
}

/// An effect that a rollback leaves.
pub fn effect_in_transaction(design: &Design<'_>, found: &mut Vec<Finding>) {
    inside(design, found, |step| match step.kind {
        StepKind::Effect { .. } => Some("this is not rolled back with the transaction around it"),
        _ => None,
    });
}

fn inside(design: &Design<'_>, found: &mut Vec<Finding>, told: fn(&Step) -> Option<&'static str>) {
    for code in &design.bodies {
        code.each(&mut |step, transaction| {
            if let (Some(transaction), Some(told)) = (transaction, told(step)) {
                let finding = Finding::new(step.span, code.within, told);
                found.push(finding.related(transaction.span, "the transaction"));
            }
        });
    }
}
