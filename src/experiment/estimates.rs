//! Estimates over replications: each figure of each replication becomes one number with its interval.

use super::amplification::Sources;
use super::results::*;
use crate::kernel::time::SECOND;
use crate::model::{Error, Model};
use crate::observe::metrics::{Distributions, DurationFigures, Figures, ServiceTimes};
use crate::stats::confidence::Intervals;
use crate::stats::histogram::Histogram;
use std::collections::BTreeMap;

/// Points of a distribution that a chart gets.
const MOST_POINTS: usize = 200;

/// The figures of the replications that were done, in their order.
pub struct Replications<'a> {
    intervals: Intervals,
    figures: &'a [&'a Figures],
    /// Figures whose quantities over time are the sums over all replications.
    sums: &'a Figures,
}

impl<'a> Replications<'a> {
    pub fn new(figures: &'a [&'a Figures], sums: &'a Figures, confidence: f64) -> Self {
        Self { intervals: Intervals::new(confidence), figures, sums }
    }

    /// One number of each replication; those in which it is not defined are left out.
    pub fn estimate(&self, of: impl Fn(&Figures) -> Option<f64>) -> Estimate {
        estimate(&self.intervals, self.figures.iter().map(|figures| of(figures)))
    }

    fn durations(&self, pooled: &Histogram, of: impl Fn(&Figures) -> DurationFigures) -> DurationResults {
        let figures: Vec<DurationFigures> = self.figures.iter().map(|figures| of(figures)).collect();
        durations(&self.intervals, pooled, &figures)
    }

    fn series(&self, width: f64, of: impl Fn(&Figures) -> &Vec<f64>) -> Series {
        let replications = self.figures.len() as f64;
        Series { width, values: of(self.sums).iter().map(|sum| sum / replications).collect() }
    }

    pub fn clients(&self, model: &Model, pooled: &Distributions) -> Vec<ClientResults> {
        let client = |(i, responses): (usize, &Histogram)| ClientResults {
            name: model.clients[i].name.clone(),
            offered: self.estimate(|figures| Some(figures.clients[i].offered)),
            throughput: self.estimate(|figures| Some(figures.clients[i].throughput)),
            success: self.estimate(|figures| figures.clients[i].success),
            timeouts: self.estimate(|figures| figures.clients[i].timeouts),
            errors: self.estimate(|figures| figures.clients[i].errors),
            errors_by_reason: self.errors_by_reason(model, |figures| {
                (figures.clients[i].measured, &figures.clients[i].reasons)
            }),
            unfinished: self.estimate(|figures| figures.clients[i].unfinished),
            response_time: self.durations(responses, |figures| figures.clients[i].response_time),
            throughput_over_time: self
                .series(self.figures[0].clients[i].width, |figures| &figures.clients[i].throughput_over_time),
            errors_over_time: self
                .series(self.figures[0].clients[i].width, |figures| &figures.clients[i].errors_over_time),
            response_time_over_time: self.series(self.figures[0].clients[i].width, |figures| {
                &figures.clients[i].response_time_over_time
            }),
        };
        pooled.clients.iter().enumerate().map(client).collect()
    }

    pub fn calls(&self, model: &Model, pooled: &Distributions) -> Vec<CallResults> {
        let call = |(i, responses): (usize, &Histogram)| {
            let (caller, callee) = model.names.calls[i].clone();
            CallResults {
                caller,
                callee,
                throughput: self.estimate(|figures| Some(figures.calls[i].throughput)),
                success: self.estimate(|figures| figures.calls[i].success),
                timeouts: self.estimate(|figures| figures.calls[i].timeouts),
                errors: self.estimate(|figures| figures.calls[i].errors),
                errors_by_reason: self.errors_by_reason(model, |figures| {
                    (figures.calls[i].measured, &figures.calls[i].reasons)
                }),
                tries: self.estimate(|figures| figures.calls[i].tries),
                response_time: self.durations(responses, |figures| figures.calls[i].response_time),
            }
        };
        pooled.calls.iter().enumerate().map(call).collect()
    }

    /// Each error that was the end of any, in the order of their codes; a replication in which it never
    /// occurred has none of it.
    fn errors_by_reason(
        &self,
        model: &Model,
        of: impl Fn(&Figures) -> (u64, &Vec<(Error, u64)>),
    ) -> Vec<ErrorResults> {
        let mut totals: BTreeMap<u32, (Error, u64)> = BTreeMap::new();
        for (error, count) in self.figures.iter().flat_map(|figures| of(figures).1) {
            totals.entry(error.code()).or_insert((*error, 0)).1 += count;
        }
        let result = |(error, count): (Error, u64)| ErrorResults {
            reason: error_name(model, error),
            count,
            share: self.estimate(|figures| {
                let (measured, reasons) = of(figures);
                let count = reasons.iter().find(|(reason, _)| *reason == error).map_or(0, |reason| reason.1);
                (measured > 0).then(|| count as f64 / measured as f64)
            }),
        };
        totals.into_values().map(result).collect()
    }

    /// By their places in the text.
    pub fn failed_expressions(&self, model: &Model) -> Vec<FailedExpression> {
        let mut totals: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
        for (instruction, count) in self.figures.iter().flat_map(|figures| &figures.miscalculated) {
            let total = totals.entry(*instruction).or_insert((0, 0));
            *total = (total.0 + count, total.1 + 1);
        }
        let result = |(instruction, (count, replications))| FailedExpression {
            place: model.place_of(instruction).unwrap_or_default(),
            count,
            replications,
        };
        totals.into_iter().map(result).collect()
    }

    pub fn services(&self, model: &Model, pooled: &Distributions) -> Vec<ServiceResults> {
        let sources = Sources::new(model);
        let service = |(i, times): (usize, &ServiceTimes)| {
            let spec = &model.services[i];
            let width = self.figures[0].services[i].width;
            ServiceResults {
                name: spec.name.clone(),
                instances: spec.instances,
                workers: (spec.workers != u32::MAX).then_some(spec.workers),
                throughput: self.estimate(|figures| Some(figures.services[i].throughput)),
                amplification: self.estimate(|figures| sources.amplification(figures, i)),
                utilization: self.estimate(|figures| figures.services[i].utilization),
                offered_load: self.estimate(|figures| figures.services[i].offered_load),
                queue_length: self.estimate(|figures| Some(figures.services[i].queue_length)),
                in_system: self.estimate(|figures| Some(figures.services[i].in_system)),
                rejected: self.estimate(|figures| figures.services[i].rejected),
                waiting_time: self.durations(&times.waiting, |figures| figures.services[i].waiting_time),
                service_time: self.durations(&times.service, |figures| figures.services[i].service_time),
                sojourn_time: self.durations(&times.sojourn, |figures| figures.services[i].sojourn_time),
                number_in_system: self.number_in_system(i),
                queue_length_over_time: self
                    .series(width, |figures| &figures.services[i].queue_length_over_time),
                utilization_over_time: self
                    .series(width, |figures| &figures.services[i].utilization_over_time),
            }
        };
        pooled.services.iter().enumerate().map(service).collect()
    }

    /// A number that one replication never had, another may have had: there it is 0.
    fn number_in_system(&self, service: usize) -> Vec<Estimate> {
        let shares = |figures: &'a Figures| &figures.services[service].number_in_system;
        let most = self.figures.iter().map(|figures| shares(figures).len()).max().unwrap_or(0);
        let share = |k: usize| {
            self.estimate(|figures| {
                Some(figures.services[service].number_in_system.get(k).copied().unwrap_or(0.0))
            })
        };
        (0..most).map(share).collect()
    }

    pub fn subscriptions(&self, model: &Model, pooled: &Distributions) -> Vec<SubscriptionResults> {
        let subscription = |(i, times): (usize, &Histogram)| {
            let (topic, group) = group_names(model, i);
            SubscriptionResults {
                topic,
                group,
                accepted: self.estimate(|figures| Some(figures.subscriptions[i].accepted)),
                deliveries: self.estimate(|figures| Some(figures.subscriptions[i].deliveries)),
                redeliveries: self.estimate(|figures| Some(figures.subscriptions[i].redeliveries)),
                exhausted: self.estimate(|figures| Some(figures.subscriptions[i].exhausted)),
                lag: self.estimate(|figures| Some(figures.subscriptions[i].lag)),
                lag_max: self.estimate(|figures| Some(figures.subscriptions[i].lag_max)),
                time_in_topic: self.durations(times, |figures| figures.subscriptions[i].time_in_topic),
                lag_over_time: self.series(self.figures[0].subscriptions[i].width, |figures| {
                    &figures.subscriptions[i].lag_over_time
                }),
            }
        };
        pooled.subscriptions.iter().enumerate().map(subscription).collect()
    }

    pub fn links(&self, model: &Model) -> Vec<LinkResults> {
        let link = |(i, name): (usize, &String)| LinkResults {
            name: name.clone(),
            sent: self.estimate(|figures| Some(figures.links[i].sent as f64)),
            lost: self.estimate(|figures| Some(figures.links[i].lost as f64)),
            duplicated: self.estimate(|figures| Some(figures.links[i].duplicated as f64)),
        };
        model.names.links.iter().enumerate().map(link).collect()
    }

    /// Bands are those of the first replication: each has its own.
    pub fn faults(&self, model: &Model) -> Vec<FaultResults> {
        let fault = |(i, spec): (usize, &crate::model::Fault)| FaultResults {
            name: spec.name.clone(),
            what: spec.what.clone(),
            fired: self.estimate(|figures| Some(figures.faults[i].fired as f64)),
            touched: self.estimate(|figures| Some(figures.faults[i].touched as f64)),
            bands: self.figures[0].faults[i].bands.clone(),
        };
        model.faults.iter().enumerate().map(fault).collect()
    }
}

/// One number of each replication; those in which it is not defined are left out.
pub fn estimate(intervals: &Intervals, values: impl Iterator<Item = Option<f64>>) -> Estimate {
    let interval = intervals.of(values.flatten());
    Estimate { mean: interval.mean, half_width: interval.half_width, n: interval.count }
}

/// Durations of all replications, in nanoseconds, and their figures in each of them.
pub fn durations(intervals: &Intervals, pooled: &Histogram, figures: &[DurationFigures]) -> DurationResults {
    let points = pooled.distribution(MOST_POINTS).into_iter();
    let over = |of: fn(&DurationFigures) -> Option<f64>| estimate(intervals, figures.iter().map(of));
    DurationResults {
        count: pooled.count(),
        mean: over(|figures| figures.mean),
        p50: over(|figures| figures.p50),
        p90: over(|figures| figures.p90),
        p99: over(|figures| figures.p99),
        p999: over(|figures| figures.p999),
        max: over(|figures| figures.max),
        distribution: points.map(|(edge, share)| (edge as f64 / SECOND as f64, share)).collect(),
    }
}

/// A group's topic, and its own name: in the model it is `topic.group`.
pub fn group_names(model: &Model, group: usize) -> (String, String) {
    let group = &model.groups[group];
    let topic = &model.topics[group.topic.index()].name;
    let own = group.name.strip_prefix(topic.as_str()).and_then(|name| name.strip_prefix('.'));
    (topic.clone(), own.expect("compiled: a group is named after its topic").to_owned())
}

/// What an error is called in scenario files.
fn error_name(model: &Model, error: Error) -> String {
    let name = match error {
        Error::Timeout => "timeout",
        Error::Unavailable => "unavailable",
        Error::Rejected => "rejected",
        Error::Conflict => "conflict",
        Error::Exists => "exists",
        Error::Missing => "missing",
        Error::Failed => "failed",
        Error::Reason(reason) => &model.names.symbols[reason.index()],
    };
    name.to_owned()
}
