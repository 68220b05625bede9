//! Going through the steps of a body.

use crate::scenario::resolved::*;

/// The blocks that stand within a step, in the order of the text.
pub fn blocks(step: &Step) -> Vec<&Block> {
    match &step.kind {
        StepKind::After { body, .. } | StepKind::ForEach { body, .. } => vec![body],
        StepKind::Read { otherwise, .. }
        | StepKind::Insert { otherwise, .. }
        | StepKind::Update { otherwise, .. }
        | StepKind::Upsert { otherwise, .. }
        | StepKind::Delete { otherwise, .. } => otherwise.iter().collect(),
        StepKind::Transaction { body, catch, .. } | StepKind::Try { body, catch, .. } => {
            std::iter::once(body).chain(catch.iter().map(|catch| &catch.body)).collect()
        }
        StepKind::If { then, otherwise, .. } => vec![then, otherwise],
        StepKind::Parallel(branches) => branches.iter().map(|(_, branch)| branch).collect(),
        _ => catches(step).iter().map(|catch| &catch.body).collect(),
    }
}

/// What a step does about errors.
fn catches(step: &Step) -> &[Catch] {
    match &step.kind {
        StepKind::Transaction { catch, .. }
        | StepKind::Try { catch, .. }
        | StepKind::Effect { catch, .. } => catch,
        StepKind::Append(append) => &append.catch,
        StepKind::Publish(publish) => &publish.catch,
        StepKind::Call(call) => &call.catch,
        _ => &[],
    }
}

/// Every step of a block, outer ones first, each with the transaction that it stands in.
pub fn each<'s>(block: &'s [Step], visit: &mut dyn FnMut(&'s Step, Option<&'s Step>)) {
    within(block, None, visit);
}

fn within<'s>(
    block: &'s [Step],
    transaction: Option<&'s Step>,
    visit: &mut dyn FnMut(&'s Step, Option<&'s Step>),
) {
    for step in block {
        visit(step, transaction);
        match &step.kind {
            StepKind::Transaction { body, catch, .. } => {
                within(body, Some(step), visit);
                catch.iter().for_each(|catch| within(&catch.body, transaction, visit));
            }
            _ => blocks(step).into_iter().for_each(|block| within(block, transaction, visit)),
        }
    }
}

/// Whether a block ends the handler or the attempt, whatever it did before.
pub fn ends(block: &[Step]) -> bool {
    block.last().is_some_and(|last| matches!(last.kind, StepKind::Stop | StepKind::Fail(_)))
}

/// The expressions of what a step sets or sends.
pub fn expressions(assignments: &Assignments) -> impl Iterator<Item = &Expression> {
    assignments.iter().filter_map(|(_, value)| match value {
        Value::Expression(expression) => Some(expression),
        Value::Draw(_) => None,
    })
}
