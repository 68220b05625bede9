//! Sagas, resolved: long-running processes that a service orchestrates.

use super::super::source::Span;
use super::Local;
use super::expression::*;
use super::step::Block;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::kernel::vocabulary::{Late, OnTimeout};

/// A saga of a service. All its steps share one frame: what one names, the ones behind it know.
#[derive(Clone, Debug)]
pub struct Saga {
    pub name: String,
    pub span: Span,
    /// The message that starts it, which is in hand in every step.
    pub start: MessageId,
    /// The key as a value of each message that starts it or that it waits for, each message once.
    pub keys: Vec<(MessageId, Expression)>,
    pub locals: Vec<Local>,
    pub steps: Vec<SagaStep>,
    /// Empty: nothing is done.
    pub completed: Block,
    pub compensated: Block,
}

impl Saga {
    /// All its steps: what each does and what takes it back, then what is done at the end.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let steps = self.steps.iter().flat_map(|step| [&step.body, &step.undo]);
        steps.chain([&self.completed, &self.compensated])
    }
}

#[derive(Clone, Debug)]
pub struct SagaStep {
    pub name: String,
    pub body: Block,
    /// Empty: nothing takes it back.
    pub undo: Block,
    pub on_timeout: OnTimeout,
    pub awaits: Option<Await>,
}

/// The messages that end a step.
#[derive(Clone, Debug)]
pub struct Await {
    pub success: MessageId,
    pub failure: Option<MessageId>,
    /// `None`: it waits for ever.
    pub timeout: Option<Nanos>,
    pub late: Late,
}
