//! Meters: how much, how late and how far, beside how often. Oracles [find](super::findings) what verdicts are
//! made of; with it they hand over how obligations ended and the distributions behind what they found.
//!
//! All of it is whole numbers that add up, so that meters merge in any order to the same sum.
//!
//! | meter | of |
//! |---|---|
//! | [`Sum`] | every obligation that was owed |
//! | [`ViewMeter`] | each `convergence` guarantee: lag, inconsistency window, convergence |
//! | [`ReadMeter`] | each table whose staleness is asked for: reads, age and versions missed |
//! | [`GroupOrder`] | each group: extents (RFC 4737) and displacements (RFC 5236) of first arrivals |
//! | [`Dated`] | duplicates and losses, by when they happened |

use super::metrics::DurationFigures;
use super::oracles::lineage::{Dated, Sum};
use super::oracles::ordering::GroupOrder;
use super::oracles::sessions::staleness::Staleness;
use super::promise::views::ViewFindings;
use crate::kernel::ids::TableId;
use crate::stats::histogram::Histogram;
use crate::stats::series::LevelSeries;
use serde::{Deserialize, Serialize};

/// Least extents of the bars that a distribution of extents is told in: each holds those up to the next.
pub const EXTENTS: [u64; 8] = [1, 2, 3, 4, 8, 16, 32, 64];

/// All that the oracles of one replication measured; merged, of several.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Meters {
    pub ends: Sum,
    /// By position in the model's `convergence`.
    pub views: Vec<ViewMeter>,
    /// In the order of their tables.
    pub reads: Vec<ReadMeter>,
    /// By group; empty if nothing judged order.
    pub order: Vec<GroupOrder>,
    /// `None`: nothing in the scenario makes an effect.
    pub dated: Option<Dated>,
}

/// One view that follows a source. Durations in nanoseconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ViewMeter {
    pub changes: u64,
    /// Changes that the view never showed.
    pub never_shown: u64,
    /// Of each change; one that was never shown is as old as the run came to.
    pub lag: Histogram,
    /// Of each time that a row was wrong; one that is not over lasts to the end of the run.
    pub window: Histogram,
    /// Of each key that changed and agrees at the end.
    pub convergence: Histogram,
    /// Keys that do not agree at the end.
    pub disagreeing: u64,
    /// Keys that are wrong over time, of all replications together.
    pub wrong_keys: Option<LevelSeries>,
}

/// The reads of one table, and of copies of its rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadMeter {
    pub table: TableId,
    pub reads: u64,
    pub stale: u64,
    /// Of stale reads: since when the first version missed had been there, in nanoseconds.
    pub age: Histogram,
    /// Of stale reads: how many versions were missed.
    pub versions: Histogram,
}

impl Meters {
    /// Takes in those of another replication of the same model. In which order does not matter.
    pub fn merge(&mut self, other: Self) {
        self.ends.merge(&other.ends);
        merge(&mut self.views, other.views, ViewMeter::merge);
        merge(&mut self.reads, other.reads, ReadMeter::merge);
        merge(&mut self.order, other.order, GroupOrder::merge);
        match (&mut self.dated, other.dated) {
            (Some(ours), Some(theirs)) => ours.merge(&theirs),
            (ours, theirs) => *ours = ours.take().or(theirs),
        }
    }

    /// Whether they can be merged with others: meters of the same things, as finely told.
    pub fn fit(&self, other: &Self) -> bool {
        let dated = match (&self.dated, &other.dated) {
            (Some(ours), Some(theirs)) => ours.fits(theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        dated
            && fit(&self.views, &other.views, ViewMeter::fits)
            && fit(&self.reads, &other.reads, |ours, theirs| ours.table == theirs.table)
            && fit(&self.order, &other.order, GroupOrder::fits)
    }

    /// One number for each thing that replications are compared by.
    pub fn figures(&self) -> MeterFigures {
        MeterFigures {
            ends: self.ends,
            views: self.views.iter().map(ViewFigures::of).collect(),
            reads: self.reads.iter().map(ReadFigures::of).collect(),
            order: self.order.iter().map(ArrivalFigures::of).collect(),
        }
    }
}

fn merge<T>(ours: &mut Vec<T>, theirs: Vec<T>, join: impl Fn(&mut T, &T)) {
    if ours.is_empty() {
        *ours = theirs;
        return;
    }
    ours.iter_mut().zip(&theirs).for_each(|(ours, theirs)| join(ours, theirs));
}

fn fit<T>(ours: &[T], theirs: &[T], fits: impl Fn(&T, &T) -> bool) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| fits(ours, theirs))
}

impl ViewMeter {
    fn fits(&self, other: &Self) -> bool {
        match (&self.wrong_keys, &other.wrong_keys) {
            (Some(ours), Some(theirs)) => ours.fits(theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        }
    }

    pub fn new(found: ViewFindings) -> Self {
        let ViewFindings {
            finding, mut lag, never_shown, window, convergence, disagreeing, wrong_keys, ..
        } = found;
        lag.merge(&never_shown);
        let changes = finding.of;
        let never_shown = never_shown.count();
        Self { changes, never_shown, lag, window, convergence, disagreeing, wrong_keys }
    }

    fn merge(&mut self, other: &Self) {
        self.changes += other.changes;
        self.never_shown += other.never_shown;
        self.lag.merge(&other.lag);
        self.window.merge(&other.window);
        self.convergence.merge(&other.convergence);
        self.disagreeing += other.disagreeing;
        match (&mut self.wrong_keys, &other.wrong_keys) {
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (ours, theirs) => *ours = ours.take().or_else(|| theirs.clone()),
        }
    }
}

impl ReadMeter {
    pub fn new(found: &Staleness) -> Self {
        let Staleness { table, reads, age_nanos, versions, .. } = found;
        let (age, versions) = (age_nanos.clone(), versions.clone());
        Self { table: *table, reads: reads.of, stale: reads.count, age, versions }
    }

    fn merge(&mut self, other: &Self) {
        self.reads += other.reads;
        self.stale += other.stale;
        self.age.merge(&other.age);
        self.versions.merge(&other.versions);
    }
}

/// The meters of one replication in numbers: seconds, and shares from 0 to 1.
#[derive(Clone, Debug)]
pub struct MeterFigures {
    pub ends: Sum,
    pub views: Vec<ViewFigures>,
    pub reads: Vec<ReadFigures>,
    pub order: Vec<ArrivalFigures>,
}

#[derive(Clone, Debug)]
pub struct ViewFigures {
    pub lag: DurationFigures,
    pub window: DurationFigures,
    pub convergence: DurationFigures,
    pub disagreeing: u64,
}

#[derive(Clone, Debug)]
pub struct ReadFigures {
    /// Of all reads; `None` without any.
    pub stale: Option<f64>,
    pub age: DurationFigures,
    pub versions_mean: Option<f64>,
    pub versions_max: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct ArrivalFigures {
    /// Of all arrivals; `None` without any.
    pub reordered: Option<f64>,
    pub extent_mean: Option<f64>,
    pub extent_max: Option<f64>,
    /// Of reordered arrivals whose extent is known, those with each of [`EXTENTS`]; `None` without any.
    pub extents: Option<[f64; EXTENTS.len()]>,
    pub late_time: DurationFigures,
    /// Messages that a buffer which restores the order would hold.
    pub held: Option<f64>,
}

impl ViewFigures {
    fn of(meter: &ViewMeter) -> Self {
        Self {
            lag: DurationFigures::of(&meter.lag),
            window: DurationFigures::of(&meter.window),
            convergence: DurationFigures::of(&meter.convergence),
            disagreeing: meter.disagreeing,
        }
    }
}

impl ReadFigures {
    fn of(meter: &ReadMeter) -> Self {
        Self {
            stale: (meter.reads > 0).then(|| meter.stale as f64 / meter.reads as f64),
            age: DurationFigures::of(&meter.age),
            versions_mean: meter.versions.mean(),
            versions_max: meter.versions.max().map(|most| most as f64),
        }
    }
}

impl ArrivalFigures {
    fn of(meter: &GroupOrder) -> Self {
        let extents = meter.order.extents();
        Self {
            reordered: meter.order.ratio(),
            extent_mean: extents.mean(),
            extent_max: extents.max().map(|most| most as f64),
            extents: shares(extents),
            late_time: DurationFigures::of(meter.order.late_times()),
            held: meter.occupancy.mean(),
        }
    }
}

/// The share of extents that belongs to each of [`EXTENTS`].
fn shares(extents: &Histogram) -> Option<[f64; EXTENTS.len()]> {
    // Numbers this small have buckets of their own: the shares are exact.
    let below = |least: u64| extents.share_at_most(least - 1);
    let mut shares = [0.0; EXTENTS.len()];
    for (i, least) in EXTENTS.into_iter().enumerate() {
        let upper = EXTENTS.get(i + 1).map_or(Some(1.0), |&next| below(next))?;
        shares[i] = upper - below(least)?;
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_shared_out_and_none_is_left() {
        let mut extents = Histogram::default();
        assert_eq!(shares(&extents), None);
        [1, 1, 2, 3, 7, 8, 63, 5000].into_iter().for_each(|extent| extents.record(extent));
        assert_eq!(shares(&extents), Some([0.25, 0.125, 0.125, 0.125, 0.125, 0.0, 0.125, 0.125]));
    }

    #[test]
    fn meters_merge_to_the_same_sum_in_any_order() {
        let meter = |lag: u64, stale: u64| {
            let mut view = ViewMeter { changes: 1, disagreeing: lag % 2, ..ViewMeter::default() };
            view.lag.record(lag);
            let (table, empty) = (TableId::new(0), Histogram::default());
            let mut reads = ReadMeter { table, reads: 10, stale, age: empty.clone(), versions: empty };
            reads.age.record(lag * 2);
            let ends = Sum { owed: lag, done: lag, ..Sum::default() };
            Meters { ends, views: vec![view], reads: vec![reads], ..Meters::default() }
        };
        let told = |order: [u64; 3]| {
            let mut sum = Meters::default();
            order.into_iter().for_each(|n| sum.merge(meter(n, n)));
            let (view, reads) = (&sum.views[0], &sum.reads[0]);
            let most = (view.lag.max(), reads.age.max());
            (sum.ends, view.changes, view.disagreeing, view.lag.sum(), reads.reads, reads.stale, most)
        };
        let expected = (Sum { owed: 60, done: 60, ..Sum::default() }, 3, 2, 60, 30, 60, (Some(31), Some(62)));
        for order in [[10, 19, 31], [31, 10, 19], [19, 31, 10]] {
            assert_eq!(told(order), expected);
        }
    }
}
