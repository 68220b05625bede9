//! Versions of a service, and how its instances go from one to another.

use super::{Body, Handler, UnknownVersion};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::kernel::vocabulary::Restart;
use crate::scenario::source::Span;

/// Another version of a service: what differs from the one that it begins with.
#[derive(Clone, Debug)]
pub struct Version {
    pub name: String,
    pub span: Span,
    /// Handlers that differ, and new ones.
    pub handlers: Vec<Handler>,
    /// What it does not handle any more.
    pub without: Vec<MessageId>,
    /// Positions in the service's jobs, and what they do instead.
    pub jobs: Vec<(usize, Body)>,
    /// What it does with schemas that no handler knows, where that differs.
    pub unknown_version: Vec<(GroupId, UnknownVersion)>,
}

/// A rolling deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Position in the service's versions.
    pub version: usize,
    /// Instances at a time.
    pub batch: u32,
    /// `None`: as soon as the last ones are up.
    pub every: Option<Nanos>,
    pub restart: Restart,
}
