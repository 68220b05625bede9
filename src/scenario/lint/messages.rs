//! What messages are for, and where they go.

use super::Finding;
use super::design::Design;
use crate::scenario::resolved::*;

/// A domain message stays inside its service.
pub fn domain_message_crosses_boundary(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (service, handler, code) in design.handlers() {
        let message = design.message(handler.message);
        if message.kind != MessageKind::Domain {
            continue;
        }
        let sends = |step: &Step| match &step.kind {
            StepKind::Publish(publish) => publish.message == handler.message,
            StepKind::Append(append) => {
                let stream = design.table(append.table).stream.as_ref();
                append.message == handler.message && stream.is_some_and(|of| of.publish_to.is_some())
            }
            StepKind::Call(call) => call.service == service && call.message == handler.message,
            StepKind::Send { service: to, message, .. } => *to == service && *message == handler.message,
            _ => false,
        };
        let sender = design.bodies.iter().find(|body| body.service != Some(service) && body.any(&sends));
        let Some(from) = sender.and_then(|body| body.service) else { continue };
        let (here, there) = (&design.service(service).name, &design.service(from).name);
        let told = format!("`{here}` handles `{}`, a domain message of `{there}`", message.name);
        found.push(Finding::new(handler.span, code.within, told).related(message.span, "of kind `domain`"));
    }
}

/// A notification says what it is about, and nothing of it.
pub fn fat_notification(design: &Design<'_>, found: &mut Vec<Finding>) {
    for message in design.scenario.messages.iter().filter(|of| of.kind == MessageKind::Notification) {
        let more: Vec<&Field> = (message.fields.iter().enumerate())
            .filter(|(position, _)| message.key != Some(*position))
            .map(|(_, field)| field)
            .collect();
        let Some(first) = more.first() else { continue };
        let names: Vec<String> = more.iter().map(|field| format!("`{}`", field.name)).collect();
        let told =
            format!("the notification `{}` carries {} besides its key", message.name, names.join(", "));
        found.push(Finding::new(first.span, Within::Scenario, told));
    }
}
