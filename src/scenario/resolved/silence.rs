//! Findings about a design that its author answers for.

use super::super::source::Span;
use crate::kernel::ids::ServiceId;

/// A finding that is silenced, with the reason why it does not apply. It changes nothing in a run.
#[derive(Clone, Debug)]
pub struct Silence {
    pub rule: &'static str,
    pub reason: String,
    pub span: Span,
    pub within: Within,
}

/// Where a finding is, or is silenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Anywhere.
    Scenario,
    Service(ServiceId),
    /// The handler or job of a service that is declared here.
    Body(ServiceId, Span),
}
