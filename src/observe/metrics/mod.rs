//! Metrics: what one replication measures, for clients, calls, services, subscriptions, links and faults.
//!
//! Law. The *window* is [warm-up, horizon). Intents and calls count if they begin in it, and are followed
//! to their end. Of a service and of a subscription, durations belong to what arrives in the window;
//! rates count what happens in it; levels are weighted by time over it. Series cover [0, horizon).
//!
//! Records carry slots, not times: the times are kept beside, by slot, in tables that grow to the
//! number of things held at once and no further.
//!
//! ```text
//! IntentBegun, IntentEnded       ─▶ clients
//! CallBegun, CallTried, CallEnded ─▶ calls
//! Waits, Rejected, Dropped, Started, Ended, InstanceDown, InstanceUp ─▶ services
//! Accepted, Delivered, Settled, Released ─▶ subscriptions
//! ```

mod clients;
mod faults;
mod figures;
mod lag;
mod occupancy;
mod services;
mod topics;

pub use figures::*;

use crate::kernel::time::{Nanos, SECOND};
use crate::model::Model;
use crate::stats::series::Buckets;
use crate::world::record::{Observer, Record, SlotNumber};
use clients::{CallMeter, ClientMeter};
use faults::FaultMeter;
use services::Services;
use std::collections::BTreeMap;
use topics::Topics;

/// Buckets of a series; fewer where there are very many clients, services or subscriptions.
const MOST_BUCKETS: usize = 120;
const FINE_BUCKETS: usize = 1_000;
const LEAST_BUCKETS: usize = 8;
/// Buckets of all clients together, of all services, and of all subscriptions.
const BUCKETS_IN_ALL: usize = 60_000;

/// Measures one replication.
pub struct Metrics {
    window: Window,
    attempts: BySlot<AttemptTimes>,
    clients: Vec<ClientMeter>,
    calls: Vec<CallMeter>,
    services: Services,
    topics: Topics,
    links: Vec<LinkFigures>,
    faults: Vec<FaultMeter>,
    /// How often an expression had no value, by its instruction.
    miscalculated: BTreeMap<u32, u64>,
    ended_at: Nanos,
    quiet: bool,
}

impl Metrics {
    pub fn new(model: &Model) -> Self {
        Self::in_buckets(model, MOST_BUCKETS)
    }

    /// With series of finer buckets, to look for the end of the warm-up.
    pub fn finely(model: &Model) -> Self {
        Self::in_buckets(model, FINE_BUCKETS)
    }

    fn in_buckets(model: &Model, most: usize) -> Self {
        let window = Window { from: model.run.warm_up, to: model.run.horizon };
        let buckets = shared_buckets(window, model.clients.len(), most);
        Self {
            window,
            attempts: BySlot::default(),
            clients: model.clients.iter().map(|_| ClientMeter::new(buckets)).collect(),
            calls: model.names.calls.iter().map(|_| CallMeter::default()).collect(),
            services: Services::new(model, window, shared_buckets(window, model.services.len(), most)),
            topics: Topics::new(model, window, shared_buckets(window, model.groups.len(), most)),
            links: vec![LinkFigures::default(); model.names.links.len()],
            faults: model.faults.iter().map(|fault| FaultMeter::of(&fault.kind)).collect(),
            miscalculated: BTreeMap::new(),
            ended_at: 0,
            quiet: true,
        }
    }

    /// What was measured, once the replication is over.
    pub fn finish(self) -> (Figures, Distributions) {
        let window = self.window;
        let (clients, responses) = unzipped(self.clients.into_iter().map(|meter| meter.finish(window)));
        let (calls, call_responses) = unzipped(self.calls.into_iter().map(|meter| meter.finish(window)));
        let (services, service_times) = self.services.finish(window);
        let (subscriptions, times_in_topic) = self.topics.finish(window);
        let figures = Figures {
            drained: seconds(self.ended_at.saturating_sub(window.to) as f64),
            drain_limit_hit: !self.quiet,
            miscalculated: self.miscalculated.into_iter().collect(),
            clients,
            calls,
            services,
            subscriptions,
            links: self.links,
            faults: self.faults.into_iter().map(|meter| meter.finish(window)).collect(),
        };
        let distributions = Distributions {
            clients: responses,
            calls: call_responses,
            services: service_times,
            subscriptions: times_in_topic,
        };
        (figures, distributions)
    }
}

/// Both halves in as much room as they take, and no more: figures are kept for every replication.
fn unzipped<A, B>(pairs: impl ExactSizeIterator<Item = (A, B)>) -> (Vec<A>, Vec<B>) {
    let mut halves = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
    halves.extend(pairs);
    halves
}

impl Observer for Metrics {
    #[inline(always)]
    fn record(&mut self, now: Nanos, record: &Record) {
        match *record {
            Record::IntentBegun { client, attempt, .. } => {
                self.attempts.at(attempt).intent_began = now;
                self.clients[client.index()].begun += u64::from(self.window.contains(now));
            }
            Record::IntentEnded { client, attempt, outcome } => {
                let began = self.attempts.at(attempt).intent_began;
                self.clients[client.index()].ended(began, now, outcome, self.window);
            }
            Record::CallBegun { figures, attempt } => {
                self.attempts.at(attempt).call_began = now;
                self.calls[figures as usize].begun += u64::from(self.window.contains(now));
            }
            Record::CallTried { figures, attempt } => {
                let began = self.attempts.at(attempt).call_began;
                self.calls[figures as usize].tries += u64::from(self.window.contains(began));
            }
            Record::CallEnded { figures, attempt, outcome } => {
                let began = self.attempts.at(attempt).call_began;
                self.calls[figures as usize].ended(began, now, outcome, self.window);
            }
            Record::Waits { instance, ticket } => self.services.waits(now, instance, ticket),
            Record::Rejected { instance } => self.services.rejected(now, instance),
            Record::Dropped { instance, ticket } => self.services.dropped(now, instance, ticket),
            Record::Started { instance, attempt, ticket, .. } => {
                let arrived = self.services.started(now, instance, ticket);
                let times = self.attempts.at(attempt);
                times.arrived = arrived;
                times.started = now;
            }
            Record::Ended { instance, attempt, outcome } => {
                let times = *self.attempts.at(attempt);
                self.services.ended(now, instance, times, outcome);
            }
            Record::InstanceDown { instance, waiting, .. } => self.services.down(now, instance, waiting),
            Record::InstanceUp { instance } => self.services.up(now, instance),
            Record::Accepted { topic, message, .. } => self.topics.accepted(now, topic, message),
            Record::Delivered { group, again, .. } => self.topics.delivered(now, group, again),
            Record::Settled { group, message, how } => self.topics.settled(now, group, message, how),
            Record::Reopened { group, .. } => self.topics.reopened(now, group),
            Record::Released { message } => self.topics.released(message),
            Record::Sent { link } => {
                self.links[link.index()].sent += u64::from(self.window.contains(now));
            }
            Record::Lost { link } => {
                self.links[link.index()].lost += u64::from(self.window.contains(now));
            }
            Record::Duplicated { link } => {
                self.links[link.index()].duplicated += u64::from(self.window.contains(now));
            }
            Record::FaultBegan { fault, touched } => self.faults[fault.index()].began(now, touched),
            Record::FaultTouched { fault } => self.faults[fault.index()].touched(),
            Record::FaultEnded { fault } => self.faults[fault.index()].ended(now),
            Record::Miscalculated { instruction } => {
                *self.miscalculated.entry(instruction).or_insert(0) += 1;
            }
            Record::End { quiet } => {
                self.ended_at = now;
                self.quiet = quiet;
            }
            Record::Deduplicated { .. }
            | Record::AckStale { .. }
            | Record::Rebalanced { .. }
            | Record::Committed { .. }
            | Record::Effected { .. }
            | Record::Drain => {}
        }
    }
}

/// The measured stretch of time, [from, to).
#[derive(Clone, Copy, Debug)]
struct Window {
    from: Nanos,
    to: Nanos,
}

impl Window {
    #[inline(always)]
    fn contains(self, at: Nanos) -> bool {
        at >= self.from && at < self.to
    }

    /// Happenings per second.
    fn rate(self, count: u64) -> f64 {
        count as f64 * SECOND as f64 / self.length() as f64
    }

    fn length(self) -> Nanos {
        self.to - self.from
    }
}

/// When things began that an attempt's slot stands for.
#[derive(Clone, Copy, Default)]
struct AttemptTimes {
    intent_began: Nanos,
    call_began: Nanos,
    arrived: Nanos,
    started: Nanos,
}

/// Something for each slot of one of the world's tables.
#[derive(Clone, Default)]
struct BySlot<T>(Vec<T>);

impl<T: Copy + Default> BySlot<T> {
    #[inline(always)]
    fn at(&mut self, slot: SlotNumber) -> &mut T {
        let slot = slot as usize;
        if slot >= self.0.len() {
            self.grow(slot);
        }
        &mut self.0[slot]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, slot: usize) {
        self.0.resize(slot + 1, T::default());
    }
}

/// Nanoseconds as seconds.
fn seconds(nanos: f64) -> f64 {
    nanos / SECOND as f64
}

/// Means of a series over the third and the last quarter of the window: by them a level that still grows is told.
fn late_quarters(series: &[f64], buckets: Buckets, window: Window) -> [Option<f64>; 2] {
    let width = seconds(buckets.width() as f64);
    let first = (seconds(window.from as f64) / width).ceil() as usize;
    [2, 3].map(|which| {
        let measured = series.get(first..)?;
        let quarter = measured.get(which * measured.len() / 4..(which + 1) * measured.len() / 4)?;
        (!quarter.is_empty()).then(|| quarter.iter().sum::<f64>() / quarter.len() as f64)
    })
}

/// So many things share the room for series.
fn shared_buckets(window: Window, things: usize, most: usize) -> Buckets {
    let most = (BUCKETS_IN_ALL / things.max(1)).clamp(LEAST_BUCKETS, most);
    Buckets::new(window.to, most)
}

#[cfg(test)]
mod tests;
