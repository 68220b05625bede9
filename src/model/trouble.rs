//! What faults have in common that the world and those who watch it ask of them.
//!
//! Some hit what is there when they begin: a crash hits its instances, and if none is up it has hit nothing. Others
//! *lie in wait*: what a split, an outage or a surge hits turns out while it lasts, and if nobody comes it has hit
//! nothing either.

use super::{FaultKind, StoreFault};

impl FaultKind {
    /// Whether it lies in wait: what it hits turns out while it lasts, not when it begins.
    pub fn lies_in_wait(&self) -> bool {
        matches!(
            self,
            FaultKind::Surge(..)
                | FaultKind::Poison(..)
                | FaultKind::Split { .. }
                | FaultKind::Degrade { .. }
                | FaultKind::Outage(_)
                | FaultKind::Failover(_)
        ) || self.refuses_of_store().is_some()
    }

    /// The store that answers nobody while it lasts.
    pub fn refuses_of_store(&self) -> Option<u32> {
        match self {
            FaultKind::Store(_, StoreFault::Slow(_)) => None,
            FaultKind::Store(store, _) => Some(*store),
            _ => None,
        }
    }
}
