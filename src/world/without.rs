//! What is left out of a replication, to see what would have happened without it.
//!
//! Law. Nothing else is touched: whatever is left out is still counted, so what comes after it keeps its number
//! and its draws. A world without anything left out is the world.

use crate::kernel::ids::FaultId;

/// Firings of faults and deliveries that do not take place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Without {
    /// Each fault with the number of its firing, from 0.
    pub firings: Vec<(FaultId, u64)>,
    /// Each obligation to a group with the number of the delivery, from 1: the broker hands it over, nobody works
    /// on it, and it is acknowledged.
    pub deliveries: Vec<(u64, u32)>,
}

impl Without {
    pub(super) fn is_firing(&self, fault: FaultId, number: u64) -> bool {
        self.firings.contains(&(fault, number))
    }

    pub(super) fn is_delivery(&self, obligation: u64, number: u32) -> bool {
        self.deliveries.contains(&(obligation, number))
    }
}
