//! Sagas: processes whose position a service keeps in its store.
//!
//! A saga goes through its steps one after another, each an attempt of its own on any instance:
//!
//! ```text
//!   start ──► do 0 ──► do 1 ──► … ──► completed
//!               │        │ failed
//!               ▼        ▼
//!   compensated ◄── undo 0
//! ```

use super::code::{Duration, Operand};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::kernel::vocabulary::{Late, OnTimeout};

/// A saga of a service.
#[derive(Clone, Debug)]
pub struct Saga {
    /// `service.saga`
    pub name: String,
    pub service: ServiceId,
    pub steps: Vec<SagaStep>,
    /// `NONE`: nothing is done.
    pub completed: HandlerId,
    pub compensated: HandlerId,
    /// What its ends oblige to; from its name.
    pub completed_key: u64,
    pub compensated_key: u64,
    /// Any of its bodies: they all have one layout of the frame.
    pub layout: HandlerId,
    /// What a change of its position takes.
    pub write: Duration,
    pub commit: Duration,
}

/// A step of a saga.
#[derive(Clone, Debug)]
pub struct SagaStep {
    pub name: String,
    pub body: HandlerId,
    /// `NONE`: nothing takes it back.
    pub undo: HandlerId,
    /// What doing, waiting and undoing oblige to; from its name.
    pub key: u64,
    pub await_key: u64,
    pub undo_key: u64,
    pub on_timeout: OnTimeout,
    pub awaits: Option<SagaAwait>,
}

/// Waiting for the message that ends a step.
#[derive(Clone, Copy, Debug)]
pub struct SagaAwait {
    /// `None`: for ever.
    pub timeout: Option<Nanos>,
    pub late: Late,
}

/// What a message is to a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Start,
    /// The step of this number went well, or failed.
    Success(u16),
    Failure(u16),
}

/// A message that meets the saga of its key.
#[derive(Clone, Debug)]
pub struct SagaMeeting {
    pub saga: SagaId,
    pub told: Told,
    /// A value of the message in hand.
    pub key: Operand,
    pub write: Duration,
    pub commit: Duration,
    pub site: SiteId,
}
