//! The broker under a small world of packets, attempts and timers.

mod conformance;
mod kept;
mod laws;
mod properties;
mod rig;

use crate::kernel::ids::{InstanceId, TopicId};
use crate::kernel::time::{MILLISECOND, SECOND};
use crate::model::messaging::*;

/// A group of so many instances on topic 0.
fn group(instances: u32, knobs: GroupKnobs) -> Group {
    Group {
        topic: TopicId(0),
        first_instance: InstanceId(0),
        instances,
        instances_at_start: instances,
        members: Members::Share,
        knobs,
    }
}

/// A log of partitions with one owner each, kept by a session.
fn kafka() -> GroupKnobs {
    GroupKnobs {
        order_lock: OrderLock::Partition,
        ack_scope: AckScope::Cursor,
        max_in_flight_per_consumer: Some(500),
        lease: Lease::Session { after: 45 * SECOND, poll: Some(300 * SECOND) },
        redeliver_delay: 100 * MILLISECOND,
        rebalance: Rebalance { mode: RebalanceMode::Eager, pause: 0 },
        ..GroupKnobs::default()
    }
}

/// Competing consumers with a prefetch; a reject goes to the dead letters.
fn rabbitmq() -> GroupKnobs {
    GroupKnobs {
        max_in_flight_per_consumer: Some(2),
        concurrency: Some(1),
        lease: Lease::Connection { detect: 10 * MILLISECOND, poll: None },
        ..GroupKnobs::default()
    }
}

/// A lease per message; what comes back comes in any order.
fn sqs() -> GroupKnobs {
    GroupKnobs {
        concurrency: Some(1),
        lease: Lease::Delivery { after: 30 * SECOND },
        redeliver_to: RedeliverTo::Unordered,
        stale_ack: StaleAck::Ignore,
        ..GroupKnobs::default()
    }
}

/// A row taken under a lock that its transaction holds.
fn postgres() -> GroupKnobs {
    GroupKnobs {
        concurrency: Some(1),
        lease: Lease::Transaction { detect: 10 * MILLISECOND, idle: Some(20 * SECOND) },
        ..GroupKnobs::default()
    }
}
