//! How a group consumes, as far as one choice excludes another.
//!
//! A file is asked whether its knobs can go together when all of them are laid over one another, and the broker asks
//! once more when it takes a group in. Both ask here.
//!
//! ```
//! use eventflow::kernel::consumption::{Consumption, Contradiction};
//! use eventflow::kernel::vocabulary::{AckScope, OrderLock, StaleAck};
//!
//! let cursor = Consumption {
//!     order_lock: OrderLock::Partition,
//!     ack_scope: AckScope::Cursor,
//!     stale_ack: StaleAck::Fence,
//!     is_taken_one_by_one: false,
//!     is_acknowledged_after: true,
//!     rewinds_keys: false,
//! };
//! assert_eq!(cursor.contradiction(), None);
//! let anybody_s = Consumption { stale_ack: StaleAck::Accept, ..cursor };
//! assert_eq!(anybody_s.contradiction(), Some(Contradiction::AcknowledgedByAnother));
//! ```

use super::vocabulary::{AckScope, OrderLock, StaleAck};

/// What decides which knobs of a group can go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumption {
    pub order_lock: OrderLock,
    pub ack_scope: AckScope,
    pub stale_ack: StaleAck,
    /// Its lease is of each message, not of its consumer.
    pub is_taken_one_by_one: bool,
    /// A consumer acknowledges behind its work, at once or now and then.
    pub is_acknowledged_after: bool,
    /// What comes back takes the later messages of its key with it.
    pub rewinds_keys: bool,
}

/// Why they cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// A session is of one key, and a cursor of all.
    SessionOfCursor,
    /// A partition has an owner, and each message a lease of its own.
    OwnerWithoutLease,
    /// A lease of what the broker has forgotten.
    LeaseOfForgotten,
    /// A lock on what the broker has forgotten.
    LockOfForgotten,
    /// Another than the owner of a cursor is believed.
    AcknowledgedByAnother,
    /// A cursor goes past messages that wait for their key.
    PassesLockedKeys,
    /// Keys are rewound that nobody keeps apart.
    RewindsNoKeys,
}

impl Consumption {
    /// Why its knobs cannot go together, if they cannot: the likeliest mistake first.
    pub fn contradiction(&self) -> Option<Contradiction> {
        let is_cursor = self.ack_scope == AckScope::Cursor;
        let is_forgotten = self.ack_scope == AckScope::OnDelivery;
        let owns_partitions = is_cursor || self.order_lock.is_of_partitions();
        let keeps_keys = self.order_lock == OrderLock::Key && self.ack_scope == AckScope::Individual;
        let all = [
            (is_cursor && self.order_lock == OrderLock::Session, Contradiction::SessionOfCursor),
            (owns_partitions && self.is_taken_one_by_one, Contradiction::OwnerWithoutLease),
            (is_forgotten && self.is_taken_one_by_one, Contradiction::LeaseOfForgotten),
            (is_forgotten && self.order_lock != OrderLock::None, Contradiction::LockOfForgotten),
            (is_cursor && self.stale_ack == StaleAck::Accept, Contradiction::AcknowledgedByAnother),
            (
                is_cursor && self.order_lock == OrderLock::Key && !self.is_acknowledged_after,
                Contradiction::PassesLockedKeys,
            ),
            (self.rewinds_keys && !keeps_keys, Contradiction::RewindsNoKeys),
        ];
        all.into_iter().find(|(is_so, _)| *is_so).map(|(_, contradiction)| contradiction)
    }
}
