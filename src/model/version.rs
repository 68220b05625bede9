//! Versions of a service, and how its instances go from one to another.

use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::kernel::vocabulary::Restart;

/// Another version of a service: the code that its instances run instead.
#[derive(Clone, Debug)]
pub struct Version {
    pub name: String,
    /// By message, all that it handles.
    pub handlers: Vec<(MessageId, HandlerId)>,
    /// The jobs that do something else.
    pub jobs: Vec<(JobId, HandlerId)>,
    /// For calls of what it does not handle: it fails.
    pub failing: HandlerId,
}

impl Version {
    /// What it runs when it is asked for this.
    pub fn handler(&self, message: MessageId) -> HandlerId {
        let handled = self.handlers.iter().find(|(handled, _)| *handled == message);
        handled.map_or(self.failing, |one| one.1)
    }

    /// What a job does that does `body` in the version that the service begins with.
    pub fn job(&self, job: JobId, body: HandlerId) -> HandlerId {
        self.jobs.iter().find(|(changed, _)| *changed == job).map_or(body, |one| one.1)
    }
}

/// A rolling deployment.
#[derive(Clone, Copy, Debug)]
pub struct Rollout {
    /// Counted from 1; 0 is what the service begins with.
    pub version: u32,
    /// Instances at a time.
    pub batch: u32,
    /// `None`: as soon as the last ones are up.
    pub every: Option<Nanos>,
    pub restart: Restart,
}
