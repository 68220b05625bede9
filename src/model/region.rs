//! What lies between regions.

use super::code::Duration;
use crate::kernel::ids::LinkId;
use crate::kernel::time::Nanos;

/// A link from one region to another; it adds to whatever else a message crosses.
#[derive(Clone, Debug)]
pub struct RegionLink {
    pub from: u16,
    pub to: u16,
    pub latency: Duration,
    pub loss: f64,
    /// How long a sender waits before it sends again what was lost, at first.
    pub retransmit_after: Nanos,
    /// Of messages that are each for themselves, as they all are between these regions if it says so.
    pub datagram: bool,
    pub duplicate: f64,
    /// Bytes per second, shared by all that passes; infinite: unlimited.
    pub bandwidth: f64,
    /// Whether it is ever limited.
    pub narrows: bool,
    pub link: LinkId,
}
