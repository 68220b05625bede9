//! Sagas that cannot take back what they did.

use super::Finding;
use super::design::Design;
use super::walk;
use crate::kernel::ids::*;
use crate::scenario::resolved::*;

fn sagas<'s>(design: &Design<'s>) -> impl Iterator<Item = (Within, &'s Saga)> {
    let services = design.scenario.services.iter().enumerate();
    services.flat_map(|(index, service)| {
        service.sagas.iter().map(move |saga| (Within::Service(ServiceId::new(index)), saga))
    })
}

/// `on_timeout: skip` of a step that acts.
pub fn doubt_skipped(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (within, saga) in sagas(design) {
        for step in saga.steps.iter().filter(|step| step.on_timeout == OnTimeout::Skip) {
            if let Some(act) = acting(design, &step.body) {
                let told = format!(
                    "`{}` of the saga `{}` is taken for not done when it times out",
                    step.name, saga.name
                );
                found.push(Finding::new(act.span, within, told));
            }
        }
    }
}

/// A step that acts and is not taken back when a later one fails.
pub fn step_without_undo(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (within, saga) in sagas(design) {
        let Some((_, earlier)) = saga.steps.split_last() else { continue };
        for step in earlier.iter().filter(|step| step.undo.is_empty()) {
            if let Some(act) = acting(design, &step.body) {
                let told =
                    format!("nothing takes back `{}` when a later step of `{}` fails", step.name, saga.name);
                found.push(Finding::new(act.span, within, told));
            }
        }
    }
}

/// The first step that changes something.
fn acting<'s>(design: &Design<'s>, block: &'s [Step]) -> Option<&'s Step> {
    let mut first = None;
    walk::each(block, &mut |step, _| {
        let acts = match &step.kind {
            StepKind::Call(call) => design.callee(call).is_none_or(|callee| design.acts(callee)),
            StepKind::Effect { .. } | StepKind::Publish(_) | StepKind::Send { .. } => true,
            _ => design.effect_on(step).is_some(),
        };
        if acts {
            first = first.or(Some(step));
        }
    });
    first
}
