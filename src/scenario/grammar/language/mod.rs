//! The keys of the language, one file for each part of a scenario.
//!
//! Read [`SCENARIO`] first: everything else hangs below it. A record's groups are shared where the same
//! keys stand in several places (the knobs of messaging in brokers, topics and subscriptions).

mod client;
mod fault;
mod generator;
mod judgement;
mod messaging;
mod scenario;
mod service;
mod step;
mod store;

pub use client::{ARRIVALS, BURST, CLIENT, LINK, LINK_DEFAULT, NETWORK, RATE_POINT};
pub use fault::{FAULT, OPERATION};
pub use generator::{
    ERLANG, GAMMA, GENERATOR, LOGNORMAL_MEAN, LOGNORMAL_MEDIAN, MIXTURE_PART, NORMAL, PARETO, WEIBULL, ZIPF,
};
pub use judgement::{
    CONVERGENCE, GUARANTEES, IDEMPOTENCY, INVARIANT, ISOLATION, ORDERING, PROVE, REFERENCE, SAGA_BOUNDS,
    STALENESS,
};
pub use messaging::{
    BROKER, DEDUPLICATE, EXHAUST, KNOBS, LEASE, MAX_IN_FLIGHT, PRESETS, PRODUCER, REBALANCE, REDELIVER,
    RETAIN, SUBSCRIPTION, TOPIC,
};
pub use scenario::{MESSAGE, RUN, SCENARIO};
pub use service::{AUTOSCALE, AWAIT, BREAKER, CALLS, HANDLER, JOB, OUTBOX, QUEUE, SAGA, SAGA_STEP, SERVICE};
pub use step::{RETRY, STEP};
pub use store::{
    COLUMN, MEMORY_TABLE, READ_REPLICA, REPLICATION, SNAPSHOT, STORE, STORE_LATENCY, STREAM, TABLE,
};
