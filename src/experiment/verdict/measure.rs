//! The figures of one replication that promises speak of.
//!
//! | measure | of |
//! |---|---|
//! | `response_time` | a client's measured intents that ended well |
//! | `throughput`, `succeeded`, `failed`, `timeouts` | a client's measured intents: ended well (per second, and how many), with an error (timeouts among them), with a timeout |
//! | `amplification` | tries for each call that a client's measured intents made |
//! | `waiting_time`, `service_time` | a service's attempts |
//! | `utilization`, `queue_length`, `in_flight` | a service, over the measured time |
//! | `time_in_topic`, `lag`, `deliveries`, `redeliveries` | a subscription, `topic.group` |

use super::figures::collect;
use crate::kernel::time::SECOND;
use crate::model::Model;
use crate::model::promise::{InvariantKind, Measure, MeasureUse, Statistic};
use crate::observe::metrics::{ClientFigures, Distributions, Figures};
use crate::stats::histogram::Histogram;

/// The measures that a model's promises speak of, each once.
pub fn wanted(model: &Model) -> Vec<MeasureUse> {
    let mut uses = Vec::new();
    for invariant in &model.promises.invariants {
        if let InvariantKind::Measure(figure) = &invariant.kind {
            collect(figure, &mut uses);
        }
    }
    uses.into_iter().cloned().collect()
}

/// What each came to in one replication: durations in nanoseconds, rates per second. `None` where there was
/// nothing to measure.
pub fn measure(
    model: &Model,
    wanted: &[MeasureUse],
    figures: &Figures,
    distributions: &Distributions,
) -> Vec<Option<f64>> {
    let source = Source { model, figures, distributions };
    wanted.iter().map(|of| source.value(of)).collect()
}

/// All that was measured in one replication.
struct Source<'a> {
    model: &'a Model,
    figures: &'a Figures,
    distributions: &'a Distributions,
}

impl Source<'_> {
    fn value(&self, of: &MeasureUse) -> Option<f64> {
        match of.measure {
            Measure::ResponseTime => {
                statistic(&self.distributions.clients[self.client(&of.owner)?], of.statistic)
            }
            Measure::Throughput | Measure::Succeeded | Measure::Failed | Measure::Timeouts => {
                self.intents(of, &self.figures.clients[self.client(&of.owner)?])
            }
            Measure::Amplification => self.amplification(&of.owner),
            Measure::WaitingTime => {
                statistic(&self.distributions.services[self.service(&of.owner)?].waiting, of.statistic)
            }
            Measure::ServiceTime => {
                statistic(&self.distributions.services[self.service(&of.owner)?].service, of.statistic)
            }
            Measure::Utilization => self.figures.services[self.service(&of.owner)?].utilization,
            Measure::QueueLength => Some(self.figures.services[self.service(&of.owner)?].queue_length),
            Measure::InFlight => {
                let service = &self.figures.services[self.service(&of.owner)?];
                Some(service.in_system - service.queue_length)
            }
            Measure::TimeInTopic => {
                statistic(&self.distributions.subscriptions[self.group(&of.owner)?], of.statistic)
            }
            Measure::GroupLag => {
                let group = &self.figures.subscriptions[self.group(&of.owner)?];
                Some(if of.statistic == Statistic::Maximum { group.lag_max } else { group.lag })
            }
            Measure::Deliveries | Measure::Redeliveries => self.deliveries(of),
            Measure::ViewLag | Measure::Window | Measure::FreshReads | Measure::Staleness => None,
        }
    }

    fn intents(&self, of: &MeasureUse, client: &ClientFigures) -> Option<f64> {
        let share = match of.measure {
            Measure::Timeouts => client.timeouts,
            Measure::Failed => client.timeouts.zip(client.errors).map(|(timeouts, errors)| timeouts + errors),
            _ => client.success,
        };
        match (of.measure, of.statistic) {
            (Measure::Throughput, _) => Some(client.throughput),
            (_, Statistic::Share) => share,
            (_, Statistic::Rate) => Some(share.unwrap_or(0.0) * client.offered),
            _ => Some(self.in_window(share.unwrap_or(0.0) * client.offered)),
        }
    }

    /// First and further deliveries, or the further ones alone.
    fn deliveries(&self, of: &MeasureUse) -> Option<f64> {
        let group = &self.figures.subscriptions[self.group(&of.owner)?];
        let all = group.deliveries + group.redeliveries;
        let rate = if of.measure == Measure::Redeliveries { group.redeliveries } else { all };
        match of.statistic {
            Statistic::Rate => Some(rate),
            Statistic::Share => (all > 0.0).then(|| rate / all),
            _ => Some(self.in_window(rate)),
        }
    }

    fn amplification(&self, client: &str) -> Option<f64> {
        let calls = self.model.names.calls.iter().zip(&self.figures.calls);
        let of_client = calls.filter(|((caller, _), _)| caller == client).map(|(_, call)| call);
        let (begun, tried) =
            of_client.fold((0, 0), |(begun, tried), call| (begun + call.begun, tried + call.tried));
        (begun > 0).then(|| tried as f64 / begun as f64)
    }

    /// How many that were, of so many per second.
    fn in_window(&self, per_second: f64) -> f64 {
        let run = &self.model.run;
        (per_second * (run.horizon - run.warm_up) as f64 / SECOND as f64).round()
    }

    fn client(&self, name: &str) -> Option<usize> {
        self.model.clients.iter().position(|client| client.name == name)
    }

    fn service(&self, name: &str) -> Option<usize> {
        self.model.services.iter().position(|service| service.name == name)
    }

    fn group(&self, name: &str) -> Option<usize> {
        self.model.groups.iter().position(|group| group.name == name)
    }
}

fn statistic(durations: &Histogram, statistic: Statistic) -> Option<f64> {
    match statistic {
        Statistic::Count => Some(durations.count() as f64),
        Statistic::Sum => Some(durations.sum() as f64),
        Statistic::Minimum => durations.min().map(|least| least as f64),
        Statistic::Maximum => durations.max().map(|most| most as f64),
        Statistic::Quantile(share) => durations.quantile(share),
        Statistic::Whole | Statistic::Mean | Statistic::Rate | Statistic::Share => durations.mean(),
    }
}
