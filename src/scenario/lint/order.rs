//! Who depends on the order of messages, and who keeps it.

use super::Finding;
use super::design::{Code, Design};
use super::walk::expressions;
use crate::kernel::ids::*;
use crate::scenario::resolved::*;

/// The write by which the last message to be handled wins, if there is one.
fn overwrites<'s>(design: &Design<'s>, code: &Code<'s>) -> Option<&'s Step> {
    let mut first = None;
    code.each(&mut |step, _| {
        let (StepKind::Update { filter: None, set, .. } | StepKind::Upsert { filter: None, set, .. }) =
            &step.kind
        else {
            return;
        };
        let is_told = |value: &Expression| {
            value.any(&|kind| matches!(kind, ExpressionKind::Message(MessageField::Field(_))))
                && !value.any(&|kind| matches!(kind, ExpressionKind::Row(_)))
        };
        if design.effect_on(step).is_some() && expressions(set).any(is_told) {
            first = first.or(Some(step));
        }
    });
    // Who decides by a row that it has read may well decide by its version.
    let decides = |step: &Step| match &step.kind {
        StepKind::If { condition, .. } => {
            condition.any(&|kind| matches!(kind, ExpressionKind::RowColumn(..)))
        }
        _ => false,
    };
    first.filter(|_| !code.any(&decides))
}

/// Whether a subscription hands on the messages of one key in their order, if they have a key.
fn is_ordered(design: &Design<'_>, group: &Group, has_key: bool) -> bool {
    let service = design.service(group.service);
    let by_key = has_key && group.knobs.route == PartitionRoute::ByKey;
    match group.knobs.order_lock {
        OrderLock::None => group.concurrency == Some(1) && service.most_instances() == 1,
        OrderLock::Key | OrderLock::Session => has_key,
        OrderLock::Partition => by_key || group.knobs.partitions == 1,
        OrderLock::Queue => true,
    }
}

/// An order-sensitive consumer of messages that are in no order.
pub fn order_without_key(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (service, handler, code) in design.handlers() {
        let Some(step) = overwrites(design, code) else { continue };
        for group in design.deliveries(service, handler.message) {
            let changing = design.bodies.iter().filter(|body| changes(design, body));
            let is_disordered = changing.into_iter().any(|body| {
                body.any(&|sent| match &sent.kind {
                    StepKind::Publish(publish) => {
                        let has_key = publish.key.is_some() || design.message(publish.message).key.is_some();
                        publish.message == handler.message
                            && publish.topic == group.topic
                            && !is_ordered(design, group, has_key)
                    }
                    _ => false,
                })
            });
            if is_disordered {
                let topic = &design.scenario.topics[group.topic.index()];
                let told = format!(
                    "the last `{}` to be handled wins, and `{}` keeps no order between those of one key",
                    design.message(handler.message).name,
                    topic.name
                );
                found.push(Finding::new(step.span, code.within, told).related(group.span, "consumed here"));
                break;
            }
        }
    }
}

/// Whether a body changes rows that are there already: what it tells of one thing, it tells more than once.
fn changes(design: &Design<'_>, code: &Code<'_>) -> bool {
    code.any(&|step| {
        matches!(step.kind, StepKind::Update { .. } | StepKind::Upsert { .. } | StepKind::Append(_))
            && design.effect_on(step).is_some()
    })
}

/// A handler that puts off a message by publishing it anew.
pub fn retry_topic_overtaken(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (_, handler, code) in design.handlers() {
        let Some(write) = overwrites(design, code) else { continue };
        code.each(&mut |step, _| {
            if let StepKind::Publish(publish) = &step.kind
                && step.forward
                && publish.message == handler.message
            {
                let told = "what is put off here is handled after newer messages of the same key";
                let finding = Finding::new(step.span, code.within, told);
                found.push(finding.related(write.span, "and overwrites what they wrote"));
            }
        });
    }
}

/// A condition that compares a stored time with one that a message brought.
pub fn clock_decides(design: &Design<'_>, found: &mut Vec<Finding>) {
    for code in &design.bodies {
        let stamped = |field: usize| {
            let message = code.message();
            design.bodies.iter().any(|body| body.any(&|step| sends_clock(step, message, field)))
        };
        code.each(&mut |step, _| {
            let (StepKind::Update { filter: Some(filter), .. }
            | StepKind::Upsert { filter: Some(filter), .. }) = &step.kind
            else {
                return;
            };
            let decides = filter.any(&|kind| match kind {
                ExpressionKind::Binary(operator, one, two) => {
                    let is_order = matches!(
                        operator,
                        BinaryOperator::Less
                            | BinaryOperator::LessOrEqual
                            | BinaryOperator::Greater
                            | BinaryOperator::GreaterOrEqual
                    );
                    let sides = [&one.kind, &two.kind];
                    let is_row = sides.iter().any(|side| matches!(side, ExpressionKind::Row(_)));
                    let is_stamp = sides.iter().any(|side| match side {
                        ExpressionKind::Message(MessageField::Field(field)) => stamped(*field),
                        ExpressionKind::Message(MessageField::PublishedAt) | ExpressionKind::Now => true,
                        _ => false,
                    });
                    is_order && one.ty == Type::Time && is_row && is_stamp
                }
                _ => false,
            });
            if decides && design.effect_on(step).is_some() {
                let told = "which write is newer is decided by the clocks of those who made them";
                found.push(Finding::new(filter.span, code.within, told));
            }
        });
    }
}

/// Whether a step sends a message with its own clock in this field.
fn sends_clock(step: &Step, message: Option<MessageId>, field: usize) -> bool {
    let (sent, with) = match &step.kind {
        StepKind::Publish(publish) => (publish.message, &publish.with),
        StepKind::Call(call) => (call.message, &call.with),
        StepKind::Send { message, with, .. } => (*message, with),
        _ => return false,
    };
    let is_now = |value: &Value| match value {
        Value::Expression(value) => value.any(&|kind| matches!(kind, ExpressionKind::Now)),
        Value::Draw(_) => false,
    };
    Some(sent) == message && with.iter().any(|(position, value)| *position == field && is_now(value))
}
