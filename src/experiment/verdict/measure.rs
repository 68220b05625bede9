//! The figures of one replication that promises speak of.
//!
//! | measure | of |
//! |---|---|
//! | `response_time` | a client's measured intents that ended well |
//! | `throughput`, `succeeded`, `failed`, `timeouts` | a client's measured intents: ended well (per second, and how many), with an error (timeouts among them), with a timeout |
//! | `amplification` | tries for each call that a client's measured intents made |
//! | `amplification` | attempts at a service for each measured intent of the clients from which work comes to it |
//! | `waiting_time`, `service_time` | a service's attempts |
//! | `utilization`, `queue_length`, `in_flight` | a service, over the measured time |
//! | `time_in_topic`, `lag`, `deliveries`, `redeliveries` | a subscription, `topic.group` |
//! | `lag`, `window` | a `convergence` guarantee, over the whole run: each change of the source, one that was never shown being as old as the run came to; each time that a row was wrong |
//! | `fresh_reads`, `staleness` | a table's reads, over the whole run: those that missed nothing, and how old what each missed was, 0 for those |
//!
//! Nothing is measured where nothing came: a client without intents in the measured time, a service or a subscription to which
//! nothing came, a source that never changed and a table that nobody read have no figures at all, not zeros. A zero
//! says that something could have been there.

use crate::experiment::amplification::Sources;
use crate::kernel::time::SECOND;
use crate::model::Model;
use crate::model::promise::{Measure, MeasureUse, Statistic};
use crate::observe::meters::{Meters, ReadMeter, ViewMeter};
use crate::observe::metrics::{
    ClientFigures, Distributions, Figures, ServiceFigures, ServiceTimes, SubscriptionFigures,
};
use crate::stats::histogram::Histogram;

/// The measures that a model's promises speak of, each once.
pub fn wanted(model: &Model) -> Vec<MeasureUse> {
    let mut uses: Vec<MeasureUse> = Vec::new();
    for of in model.promises.measures() {
        if !uses.contains(of) {
            uses.push(of.clone());
        }
    }
    uses
}

/// What each came to in one replication: durations in nanoseconds, rates per second. `None` where there was
/// nothing to measure.
pub fn measure(
    model: &Model,
    wanted: &[MeasureUse],
    figures: &Figures,
    distributions: &Distributions,
    meters: &Meters,
) -> Vec<Option<f64>> {
    let source = Source { model, figures, distributions, meters };
    wanted.iter().map(|of| source.value(of)).collect()
}

/// All that was measured in one replication.
struct Source<'a> {
    model: &'a Model,
    figures: &'a Figures,
    distributions: &'a Distributions,
    meters: &'a Meters,
}

impl Source<'_> {
    fn value(&self, of: &MeasureUse) -> Option<f64> {
        match of.measure {
            Measure::ResponseTime => {
                self.client(&of.owner)?;
                statistic(&self.distributions.clients[self.number_of_client(&of.owner)?], of.statistic)
            }
            Measure::Throughput | Measure::Succeeded | Measure::Failed | Measure::Timeouts => {
                self.intents(of, self.client(&of.owner)?)
            }
            Measure::Amplification if self.number_of_client(&of.owner).is_some() => {
                self.amplification(&of.owner)
            }
            Measure::Amplification => {
                let number = self.model.services.iter().position(|service| service.name == of.owner)?;
                Sources::new(self.model).amplification(self.figures, number)
            }
            Measure::WaitingTime => statistic(&self.service(&of.owner)?.1.waiting, of.statistic),
            Measure::ServiceTime => statistic(&self.service(&of.owner)?.1.service, of.statistic),
            Measure::Utilization => self.service(&of.owner)?.0.utilization,
            Measure::QueueLength => Some(self.service(&of.owner)?.0.queue_length),
            Measure::InFlight => {
                let (service, _) = self.service(&of.owner)?;
                Some(service.in_system - service.queue_length)
            }
            Measure::TimeInTopic => statistic(self.group(&of.owner)?.1, of.statistic),
            Measure::GroupLag => {
                let (group, _) = self.group(&of.owner)?;
                Some(if of.statistic == Statistic::Maximum { group.lag_max } else { group.lag })
            }
            Measure::Deliveries | Measure::Redeliveries => self.deliveries(of),
            Measure::ViewLag => statistic(&self.view(&of.owner)?.lag, of.statistic),
            Measure::Window => window(self.view(&of.owner)?, of.statistic),
            Measure::FreshReads => fresh(self.reads(&of.owner)?, of.statistic),
            Measure::Staleness => staleness(self.reads(&of.owner)?, of.statistic),
        }
    }

    fn intents(&self, of: &MeasureUse, client: &ClientFigures) -> Option<f64> {
        let share = match of.measure {
            Measure::Timeouts => client.timeouts,
            Measure::Failed => client.timeouts.zip(client.errors).map(|(timeouts, errors)| timeouts + errors),
            _ => client.success,
        }?;
        Some(match (of.measure, of.statistic) {
            (Measure::Throughput, _) => client.throughput,
            (_, Statistic::Share) => share,
            (_, Statistic::Rate) => share * client.offered,
            _ => self.in_window(share * client.offered),
        })
    }

    /// First and further deliveries, or the further ones alone.
    fn deliveries(&self, of: &MeasureUse) -> Option<f64> {
        let (group, _) = self.group(&of.owner)?;
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

    fn number_of_client(&self, name: &str) -> Option<usize> {
        self.model.clients.iter().position(|client| client.name == name)
    }

    /// A client's figures, if it wanted anything.
    fn client(&self, name: &str) -> Option<&ClientFigures> {
        Some(&self.figures.clients[self.number_of_client(name)?]).filter(|client| client.measured > 0)
    }

    /// A service's figures and durations, if anything came to it.
    fn service(&self, name: &str) -> Option<(&ServiceFigures, &ServiceTimes)> {
        let number = self.model.services.iter().position(|service| service.name == name)?;
        let (figures, times) = (&self.figures.services[number], &self.distributions.services[number]);
        let came = times.waiting.count() > 0 || figures.in_system > 0.0 || figures.rejected > Some(0.0);
        came.then_some((figures, times))
    }

    /// A subscription's figures and times in the topic, if anything came to it.
    fn group(&self, name: &str) -> Option<(&SubscriptionFigures, &Histogram)> {
        let number = self.model.groups.iter().position(|group| group.name == name)?;
        let group = &self.figures.subscriptions[number];
        let came = group.accepted + group.deliveries + group.redeliveries > 0.0 || group.lag_max > 0.0;
        came.then_some((group, &self.distributions.subscriptions[number]))
    }

    /// A view, if there was something for it to show.
    fn view(&self, name: &str) -> Option<&ViewMeter> {
        let is_named = |verdict: &str| verdict.strip_prefix("convergence.") == Some(name);
        let views = &self.model.promises.convergence;
        let view = self.meters.views.get(views.iter().position(|view| is_named(&view.heading.verdict))?);
        view.filter(|view| view.changes > 0)
    }

    /// A table's reads, if there were any.
    fn reads(&self, name: &str) -> Option<&ReadMeter> {
        let table = self.model.tables.iter().position(|table| table.name == name)?;
        self.meters.reads.iter().find(|reads| reads.table.index() == table && reads.reads > 0)
    }
}

/// How long a view was wrong each time; one that changed and never was has been wrong for no time.
fn window(view: &ViewMeter, of: Statistic) -> Option<f64> {
    let is_never_wrong = view.window.count() == 0 && view.changes > 0;
    if is_never_wrong { Some(0.0) } else { statistic(&view.window, of) }
}

/// Reads that missed nothing.
fn fresh(reads: &ReadMeter, of: Statistic) -> Option<f64> {
    let fresh = (reads.reads - reads.stale) as f64;
    match of {
        Statistic::Share => (reads.reads > 0).then(|| fresh / reads.reads as f64),
        _ => Some(fresh),
    }
}

/// How old what a read missed was, over all reads: those that missed nothing have 0 and come first.
fn staleness(reads: &ReadMeter, of: Statistic) -> Option<f64> {
    let (all, stale) = (reads.reads as f64, reads.stale as f64);
    let is_all_stale = reads.stale == reads.reads;
    if is_all_stale {
        return statistic(&reads.age, of);
    }
    match of {
        Statistic::Count => Some(all),
        Statistic::Sum => Some(reads.age.sum() as f64),
        Statistic::Minimum => Some(0.0),
        Statistic::Maximum => Some(reads.age.max().unwrap_or(0) as f64),
        Statistic::Quantile(share) => {
            // How many of the stale ones come before it: by count, since shares of shares are rounded.
            let before = share * all - (all - stale);
            if before <= 0.0 { Some(0.0) } else { reads.age.quantile(before / stale) }
        }
        Statistic::Whole | Statistic::Mean | Statistic::Rate | Statistic::Share => {
            Some(reads.age.sum() as f64 / all)
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::TableId;

    fn reads(all: u64, ages: &[u64]) -> ReadMeter {
        let mut age = Histogram::default();
        ages.iter().for_each(|&nanos| age.record(nanos));
        let stale = ages.len() as u64;
        ReadMeter { table: TableId::new(0), reads: all, stale, age, versions: Histogram::default() }
    }

    /// Six fresh reads, and four that missed 10, 20, 30 and 40 ns.
    #[test]
    fn a_fresh_read_is_no_time_behind() {
        let some = reads(10, &[10, 20, 30, 40]);
        for (of, value) in [
            (Statistic::Count, 10.0),
            (Statistic::Sum, 100.0),
            (Statistic::Mean, 10.0),
            (Statistic::Minimum, 0.0),
            (Statistic::Maximum, 40.0),
            (Statistic::Quantile(0.5), 0.0),
            (Statistic::Quantile(0.7), 10.0),
            (Statistic::Quantile(0.8), 20.0),
            (Statistic::Quantile(1.0), 40.0),
        ] {
            let found = staleness(&some, of).unwrap();
            assert!((found - value).abs() < 1e-6, "{of:?}: {found}");
        }
        assert_eq!(fresh(&some, Statistic::Count), Some(6.0));
        assert_eq!(fresh(&some, Statistic::Share), Some(0.6));
        assert_eq!(staleness(&reads(5, &[]), Statistic::Maximum), Some(0.0));
        assert_eq!(staleness(&reads(2, &[10, 20]), Statistic::Minimum), Some(10.0));
    }

    #[test]
    fn nothing_read_and_nothing_changed_have_no_value() {
        let none = reads(0, &[]);
        assert_eq!(staleness(&none, Statistic::Maximum), None);
        assert_eq!(fresh(&none, Statistic::Share), None);
        let mut view = ViewMeter::default();
        assert_eq!(window(&view, Statistic::Maximum), None);
        view.changes = 1;
        assert_eq!(window(&view, Statistic::Maximum), Some(0.0), "never wrong");
        view.window.record(7);
        assert_eq!(window(&view, Statistic::Maximum), Some(7.0));
    }
}
