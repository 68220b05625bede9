//! What holds calls back at the caller, and what keeps instances as many as are needed.

use super::code::RingLength;
use crate::kernel::ids::ServiceId;

/// What all calls of one instance to one service go through.
#[derive(Clone, Debug)]
pub struct CallGuard {
    /// Its states are one for each calling instance, from this one on.
    pub first_state: u32,
    /// The first instance of the caller, or `NONE`: a client.
    pub first_instance: u32,
    pub breaker: Option<Breaker>,
    /// What each call adds to the budget, in thousand-millionths of a retry.
    pub budget: Option<u64>,
    /// `u32::MAX`: unlimited.
    pub max_in_flight: u32,
}

/// A circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    /// It opens when so many of the last `of` calls failed.
    pub failures: u32,
    pub of: u32,
    pub open: RingLength,
    /// So many calls must go well before it closes.
    pub probes: u32,
}

/// Instances that come and go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Autoscale {
    pub service: ServiceId,
    /// Instances at the start; the others of the service are not there yet.
    pub initial: u32,
    pub min: u32,
    pub max: u32,
    /// The share of workers that should be busy, above 0.
    pub utilization: f64,
    /// How often the busy workers are counted: a tenth of the interval between two decisions.
    pub sample: RingLength,
    pub start_up: RingLength,
}

/// Counts between two decisions.
pub const SAMPLES: u32 = 10;
