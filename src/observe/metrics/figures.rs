//! What one replication measured: plain numbers, one of each kind for each thing in the model, in the
//! model's order. Seconds and rates per second; `None` where nothing was there to measure.

use super::seconds;
use crate::kernel::time::Nanos;
use crate::model::Error;
use crate::stats::histogram::Histogram;
use serde::{Deserialize, Serialize};

/// One replication in numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// How long after the horizon the replication ended.
    pub drained: f64,
    pub drain_limit_hit: bool,
    /// How often an expression had no value, by its instruction.
    pub miscalculated: Vec<(u32, u64)>,
    pub clients: Vec<ClientFigures>,
    pub calls: Vec<CallFigures>,
    pub services: Vec<ServiceFigures>,
    pub subscriptions: Vec<SubscriptionFigures>,
    pub links: Vec<LinkFigures>,
    pub faults: Vec<FaultFigures>,
}

impl Figures {
    /// Every quantity over time, in one order: most of what figures take.
    pub fn series_mut(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        let clients = self.clients.iter_mut().flat_map(|client| {
            [
                &mut client.throughput_over_time,
                &mut client.errors_over_time,
                &mut client.response_time_over_time,
            ]
        });
        let services = self
            .services
            .iter_mut()
            .flat_map(|service| [&mut service.queue_length_over_time, &mut service.utilization_over_time]);
        let subscriptions = self.subscriptions.iter_mut().map(|subscription| &mut subscription.lag_over_time);
        clients.chain(services).chain(subscriptions)
    }
}

/// The durations behind the figures: they merge over replications.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Distributions {
    pub clients: Vec<Histogram>,
    pub calls: Vec<Histogram>,
    pub services: Vec<ServiceTimes>,
    pub subscriptions: Vec<Histogram>,
}

impl Distributions {
    /// Takes in those of another replication of the same model. In which order does not matter.
    pub fn merge(&mut self, other: Self) {
        merge(&mut self.clients, other.clients, |ours, theirs| ours.merge(&theirs));
        merge(&mut self.calls, other.calls, |ours, theirs| ours.merge(&theirs));
        merge(&mut self.services, other.services, |ours, theirs| {
            ours.waiting.merge(&theirs.waiting);
            ours.service.merge(&theirs.service);
            ours.sojourn.merge(&theirs.sojourn);
        });
        merge(&mut self.subscriptions, other.subscriptions, |ours, theirs| ours.merge(&theirs));
    }
}

fn merge<T>(ours: &mut Vec<T>, theirs: Vec<T>, join: impl Fn(&mut T, T)) {
    if ours.is_empty() {
        *ours = theirs;
        return;
    }
    ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| join(ours, theirs));
}

/// How long things waited at a service, were worked on, and stayed in all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceTimes {
    pub waiting: Histogram,
    pub service: Histogram,
    pub sojourn: Histogram,
}

/// A set of durations in a few numbers, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DurationFigures {
    pub mean: Option<f64>,
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p99: Option<f64>,
    pub p999: Option<f64>,
    pub max: Option<f64>,
}

impl DurationFigures {
    /// Of durations in nanoseconds.
    pub fn of(durations: &Histogram) -> Self {
        let quantiles = durations.quantiles([0.5, 0.9, 0.99, 0.999]);
        let [p50, p90, p99, p999] = quantiles.map(|quantile| quantile.map(seconds));
        Self {
            mean: durations.mean().map(seconds),
            p50,
            p90,
            p99,
            p999,
            max: durations.max().map(|max: Nanos| seconds(max as f64)),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientFigures {
    pub offered: f64,
    pub throughput: f64,
    /// Measured intents.
    pub measured: u64,
    /// Shares of them.
    pub success: Option<f64>,
    pub timeouts: Option<f64>,
    pub errors: Option<f64>,
    /// How many of them ended with each error, timeouts included, by the errors' codes.
    pub reasons: Vec<(Error, u64)>,
    pub unfinished: Option<f64>,
    pub response_time: DurationFigures,
    /// Per second; and the mean response time of what ended well, 0 where nothing did.
    pub throughput_over_time: Vec<f64>,
    pub errors_over_time: Vec<f64>,
    pub response_time_over_time: Vec<f64>,
    /// Length of a bucket.
    pub width: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallFigures {
    pub throughput: f64,
    /// Measured calls.
    pub measured: u64,
    /// Shares of them; the rest was cut by a crash, or had not ended.
    pub success: Option<f64>,
    pub timeouts: Option<f64>,
    pub errors: Option<f64>,
    /// How many of them ended with each error, timeouts included, by the errors' codes.
    pub reasons: Vec<(Error, u64)>,
    /// Measured calls, and their tries.
    pub begun: u64,
    pub tried: u64,
    /// Tries per call.
    pub tries: Option<f64>,
    pub response_time: DurationFigures,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceFigures {
    pub throughput: f64,
    /// Begun, of those that came in the window.
    pub attempts: u64,
    /// `None` with unlimited workers, or if no instance was up.
    pub utilization: Option<f64>,
    pub offered_load: Option<f64>,
    pub queue_length: f64,
    pub in_system: f64,
    pub rejected: Option<f64>,
    /// Of what was begun: what was dropped, or still waited when the replication ended, is not among them.
    pub waiting_time: DurationFigures,
    pub service_time: DurationFigures,
    pub sojourn_time: DurationFigures,
    /// Share of the time with k in the system; the last of 64 stands for all from there on.
    pub number_in_system: Vec<f64>,
    pub queue_length_over_time: Vec<f64>,
    /// Mean queue length in the third and in the last quarter of the window.
    pub queue_length_late: [Option<f64>; 2],
    pub utilization_over_time: Vec<f64>,
    /// Length of a bucket.
    pub width: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubscriptionFigures {
    pub accepted: f64,
    /// Copies that the broker sent for the first time, and again. A consumer that keeps a message and tries
    /// it again without asking the broker (kafka's way, where the consumer owns its partition) adds to neither.
    pub deliveries: f64,
    pub redeliveries: f64,
    pub exhausted: f64,
    pub lag: f64,
    pub lag_max: f64,
    pub time_in_topic: DurationFigures,
    pub lag_over_time: Vec<f64>,
    /// Mean lag in the third and in the last quarter of the window.
    pub lag_late: [Option<f64>; 2],
    /// Length of a bucket.
    pub width: f64,
}

/// Packets in the window.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct LinkFigures {
    pub sent: u64,
    pub lost: u64,
    pub duplicated: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultFigures {
    pub fired: u64,
    /// Firings that hit something alive.
    pub touched: u64,
    /// (from, to) in seconds.
    pub bands: Vec<(f64, f64)>,
}
