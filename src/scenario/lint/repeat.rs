//! What a body does once more when it runs once more for the same message.
//!
//! A step is *safe* if doing it again changes nothing: it writes what is so, it is conditional, the other side
//! knows its key. A *mark* is a write that a second run meets and stops at: an insert of a row that is there, a
//! conditional write that no longer applies. A mark protects the steps of its own transaction. Those behind it
//! in another transaction it protects too well: cut in between, they are never done.

use super::design::{Code, Design};
use super::walk::{blocks, ends, expressions};
use crate::kernel::ids::*;
use crate::scenario::resolved::*;

/// What a second run means.
#[derive(Default)]
pub struct Repeat<'s> {
    /// Steps that it does once more.
    pub again: Vec<&'s Step>,
    /// Steps that it never does if the first was cut before them: the mark, and the step.
    pub never: Vec<(&'s Step, &'s Step)>,
    /// Where a second run stops.
    pub marks: Vec<&'s Step>,
}

/// Reads a body as if a crash could cut it anywhere.
pub fn repeat<'s>(design: &Design<'s>, code: &Code<'s>) -> Repeat<'s> {
    let mut fresh = Vec::new();
    code.each(&mut |step, _| {
        if let StepKind::Let(named) = &step.kind {
            let unique = |value: &Value| match value {
                Value::Expression(expression) => {
                    expression.any(&|kind| matches!(kind, ExpressionKind::Unique))
                }
                Value::Draw(_) => false,
            };
            fresh.extend(named.iter().filter(|(_, value)| unique(value)).map(|(local, _)| *local));
        }
    });
    let mut reader = Reader { design, locals: code.locals, fresh, found: Repeat::default() };
    reader.block(code.steps, Protection::default());
    code.each(&mut |step, _| {
        if reader.is_mark(step) {
            reader.found.marks.push(step);
        }
    });
    reader.found
}

/// The mark that a step stands behind.
#[derive(Clone, Copy, Default)]
struct Protection<'s> {
    /// Committed before.
    earlier: Option<&'s Step>,
    /// Of the same transaction.
    together: bool,
}

struct Reader<'d, 's> {
    design: &'d Design<'s>,
    locals: &'s [Local],
    /// Locals that are another one in every run.
    fresh: Vec<LocalId>,
    found: Repeat<'s>,
}

impl<'s> Reader<'_, 's> {
    /// What the steps behind the block stand behind.
    fn block(&mut self, block: &'s [Step], mut protection: Protection<'s>) -> Protection<'s> {
        for step in block {
            match &step.kind {
                StepKind::Transaction { body, catch, .. } => {
                    let mark = self.mark_in(body);
                    self.block(body, Protection { together: mark.is_some(), ..protection });
                    catch.iter().for_each(|catch| {
                        self.block(&catch.body, protection);
                    });
                    protection.earlier = protection.earlier.or(mark);
                }
                StepKind::Try { body, catch, .. } => {
                    let behind = self.block(body, protection);
                    catch.iter().for_each(|catch| {
                        self.block(&catch.body, protection);
                    });
                    protection = behind;
                }
                _ => {
                    self.step(step, protection);
                    blocks(step).into_iter().for_each(|block| {
                        self.block(block, protection);
                    });
                    if !protection.together && self.is_mark(step) {
                        protection.earlier = protection.earlier.or(Some(step));
                    }
                }
            }
        }
        protection
    }

    fn step(&mut self, step: &'s Step, protection: Protection<'s>) {
        let is_effect = matches!(step.kind, StepKind::Effect { .. });
        let acts = is_effect || self.design.effect_on(step).is_some();
        if let (Some(mark), true) = (protection.earlier, acts) {
            self.found.never.push((mark, step));
        } else if (!protection.together || is_effect) && self.is_done_again(step) {
            self.found.again.push(step);
        }
    }

    fn is_done_again(&self, step: &Step) -> bool {
        if let StepKind::Effect { idempotency_key, .. } = &step.kind {
            return idempotency_key.as_ref().is_none_or(|key| self.is_fresh(key));
        }
        let Some(table) = self.design.effect_on(step) else { return false };
        match &step.kind {
            StepKind::Update { filter: None, set, .. } | StepKind::Upsert { filter: None, set, .. } => {
                let columns = &self.design.table(table).columns;
                let counted = set.iter().filter(|(column, _)| !columns[*column].incidental).cloned();
                expressions(&counted.collect()).any(|value| self.is_relative(value, table))
            }
            StepKind::Insert { key, .. } => key.iter().any(|part| self.is_fresh(part)),
            StepKind::Append(append) => append.expect.is_none(),
            _ => false,
        }
    }

    /// Whether a value depends on what the row was before.
    fn is_relative(&self, value: &Expression, table: TableId) -> bool {
        value.any(&|kind| match kind {
            ExpressionKind::Row(_) => true,
            ExpressionKind::RowColumn(local, _) => self.locals[local.index()].ty == Type::Row(table),
            _ => false,
        })
    }

    /// Whether it is another value in every run.
    fn is_fresh(&self, value: &Expression) -> bool {
        value.any(&|kind| match kind {
            ExpressionKind::Unique => true,
            ExpressionKind::Local(local) => self.fresh.contains(local),
            _ => false,
        })
    }

    /// Whether a second run stops at it.
    fn is_mark(&self, step: &Step) -> bool {
        let stops = |otherwise: &Option<Block>| otherwise.as_ref().is_some_and(|block| ends(block));
        let (table, is_mark) = match &step.kind {
            StepKind::Insert { table, key, otherwise, .. } => {
                let is_known = !key.iter().any(|part| self.is_fresh(part));
                (*table, is_known && (otherwise.is_none() || stops(otherwise)))
            }
            StepKind::Update { table, key: Some(_), filter: Some(_), otherwise, .. }
            | StepKind::Upsert { table, filter: Some(_), otherwise, .. }
            | StepKind::Delete { table, key: Some(_), otherwise, .. } => (*table, stops(otherwise)),
            _ => return false,
        };
        is_mark && !self.design.table(table).memory
    }

    /// A mark within a transaction, or a decision there by a row that was read there.
    fn mark_in(&self, block: &'s [Step]) -> Option<&'s Step> {
        let decides = |step: &Step| match &step.kind {
            StepKind::If { condition, .. } => condition
                .any(&|kind| matches!(kind, ExpressionKind::RowExists(_) | ExpressionKind::RowColumn(..))),
            _ => false,
        };
        block.iter().find_map(|step| match self.is_mark(step) || decides(step) {
            true => Some(step),
            false => blocks(step).into_iter().find_map(|inner| self.mark_in(inner)),
        })
    }
}
