//! What the oracles measured, as results: sums over replications, and figures with their intervals.

use super::estimates::{durations, estimate, group_names};
use super::results::truth::{
    AnomalyOverTime, ArrivalResults, EndResults, ExtentResults, Obligations, ReadResults, ViewResults,
};
use super::results::{DurationResults, Estimate, Series};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::time::SECOND;
use crate::model::Model;
use crate::model::promise::Convergence;
use crate::observe::meters::{
    ArrivalFigures, EXTENTS, MeterFigures, Meters, ReadFigures, ReadMeter, ViewFigures, ViewMeter,
};
use crate::observe::metrics::DurationFigures;
use crate::observe::oracles::lineage::Sum;
use crate::observe::oracles::ordering::GroupOrder;
use crate::stats::confidence::Intervals;
use crate::stats::histogram::Histogram;
use crate::stats::series::LevelSeries;

/// What each way to end means, in the order of `Sum::ends`, for those who meet the words for the first time.
const MEANINGS: [&str; Sum::ENDS] = [
    "All that it asks for is there.",
    "Nothing was done, and who asked was told.",
    "A guard took it for another, and ended it.",
    "Set aside, as in a dead-letter queue, its work not done.",
    "Its time was over before anybody worked on it, as was declared.",
    "A newer message of its key was there instead, as was declared.",
    "Nothing was done, and nobody works on it any more.",
    "Half of it was done, and nobody goes on with it.",
    "What is left of it, no single execution leaves.",
    "Still being worked on when the run was cut off.",
];

/// The meters of the replications that were done.
pub struct Truth<'a> {
    pub model: &'a Model,
    /// Of all together.
    pub pooled: &'a Meters,
    /// Of each, in their order.
    pub replications: &'a [&'a MeterFigures],
    pub intervals: &'a Intervals,
}

impl Truth<'_> {
    pub fn obligations(&self) -> Obligations {
        let sum = &self.pooled.ends;
        if sum.owed == 0 {
            return Obligations::default();
        }
        let end = |(i, (end, count)): (usize, (&str, u64))| EndResults {
            end: end.to_owned(),
            meaning: MEANINGS[i].to_owned(),
            count,
            share: self.estimate(|figures| {
                let (owed, ended) = (figures.ends.owed, figures.ends.ends()[i].1);
                (owed > 0).then(|| ended as f64 / owed as f64)
            }),
        };
        Obligations { owed: sum.owed, ends: sum.ends().into_iter().enumerate().map(end).collect() }
    }

    pub fn views(&self) -> Vec<ViewResults> {
        let promises = &self.model.promises.convergence;
        let views = promises.iter().zip(&self.pooled.views).enumerate();
        views.map(|(i, (promise, pooled))| self.view(i, promise, pooled)).collect()
    }

    fn view(&self, i: usize, promise: &Convergence, pooled: &ViewMeter) -> ViewResults {
        let verdict = promise.heading.verdict.as_str();
        let over = |pooled: &Histogram, of: fn(&ViewFigures) -> DurationFigures| {
            self.durations(pooled, |figures| of(&figures.views[i]))
        };
        ViewResults {
            name: verdict.strip_prefix("convergence.").unwrap_or(verdict).to_owned(),
            view: self.model.tables[promise.view.index()].name.clone(),
            of: self.model.tables[promise.of.index()].name.clone(),
            changes: pooled.changes,
            never_shown: pooled.never_shown,
            lag: over(&pooled.lag, |view| view.lag),
            window: over(&pooled.window, |view| view.window),
            convergence: over(&pooled.convergence, |view| view.convergence),
            disagreeing: self.estimate(|figures| Some(figures.views[i].disagreeing as f64)),
            disagreeing_over_time: self.over_time(pooled.wrong_keys.as_ref()),
        }
    }

    /// A level that all replications have added up to.
    fn over_time(&self, pooled: Option<&LevelSeries>) -> Series {
        let Some(pooled) = pooled else { return Series { width: 0.0, values: Vec::new() } };
        let replications = self.replications.len() as f64;
        Series {
            width: pooled.buckets().width() as f64 / SECOND as f64,
            values: pooled.means().into_iter().map(|sum| sum / replications).collect(),
        }
    }

    pub fn reads(&self) -> Vec<ReadResults> {
        self.pooled.reads.iter().enumerate().map(|(i, pooled)| self.reads_of(i, pooled)).collect()
    }

    fn reads_of(&self, i: usize, pooled: &ReadMeter) -> ReadResults {
        let over = |of: fn(&ReadFigures) -> Option<f64>| self.estimate(|figures| of(&figures.reads[i]));
        ReadResults {
            table: self.model.tables[pooled.table.index()].name.clone(),
            reads: pooled.reads,
            stale: over(|reads| reads.stale),
            age: self.durations(&pooled.age, |figures| figures.reads[i].age),
            versions_mean: over(|reads| reads.versions_mean),
            versions_max: over(|reads| reads.versions_max),
        }
    }

    /// Of the groups at which messages of some key arrived.
    pub fn arrivals(&self) -> Vec<ArrivalResults> {
        let groups = self.pooled.order.iter().enumerate();
        let some = groups.filter(|(_, pooled)| pooled.order.arrived() > 0);
        some.map(|(i, pooled)| self.arrivals_at(i, pooled)).collect()
    }

    fn arrivals_at(&self, i: usize, pooled: &GroupOrder) -> ArrivalResults {
        let (topic, group) = group_names(self.model, pooled.group.index());
        let over = |of: fn(&ArrivalFigures) -> Option<f64>| self.estimate(|figures| of(&figures.order[i]));
        let extent = |(bar, from): (usize, u64)| ExtentResults {
            from,
            to: EXTENTS.get(bar + 1).map(|next| next - 1),
            share: self.estimate(|figures| figures.order[i].extents.map(|shares| shares[bar])),
        };
        let has_extents = pooled.order.extents().count() > 0;
        let received = pooled.density.received() as f64;
        ArrivalResults {
            topic,
            group,
            arrived: pooled.order.arrived(),
            reordered: over(|order| order.reordered),
            extent_mean: over(|order| order.extent_mean),
            extent_max: over(|order| order.extent_max),
            extents: EXTENTS.into_iter().enumerate().filter(|_| has_extents).map(extent).collect(),
            late_time: self.durations(pooled.order.late_times(), |figures| figures.order[i].late_time),
            displacements: pooled
                .density
                .frequencies()
                .map(|(displacement, frequency)| (displacement, frequency as f64 / received))
                .collect(),
            held: over(|order| order.held),
        }
    }

    pub fn anomalies_over_time(&self) -> Vec<AnomalyOverTime> {
        let Some(dated) = &self.pooled.dated else { return Vec::new() };
        let (buckets, replications) = (dated.buckets(), self.replications.len() as f64);
        let seconds = |nanos: u64| nanos as f64 / SECOND as f64;
        let rate = |(i, &count): (usize, &u64)| count as f64 / (seconds(buckets.length(i)) * replications);
        let one = |(anomaly, counts, later): (Anomaly, &[u64], u64)| AnomalyOverTime {
            anomaly: anomaly.name().to_owned(),
            count: counts.iter().sum::<u64>() + later,
            later,
            over_time: Series {
                width: seconds(buckets.width()),
                values: counts.iter().enumerate().map(rate).collect(),
            },
        };
        dated.counts().map(one).collect()
    }

    fn estimate(&self, of: impl Fn(&MeterFigures) -> Option<f64>) -> Estimate {
        estimate(self.intervals, self.replications.iter().map(|figures| of(figures)))
    }

    fn durations(
        &self,
        pooled: &Histogram,
        of: impl Fn(&MeterFigures) -> DurationFigures,
    ) -> DurationResults {
        let figures: Vec<DurationFigures> = self.replications.iter().map(|figures| of(figures)).collect();
        durations(self.intervals, pooled, &figures)
    }
}
