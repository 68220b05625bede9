//! Quantities over time, in equal buckets over [0, horizon): how a run went, not only how it was on average.
//!
//! Law: buckets are judged by the time they really cover, so a shorter last one is not biased; what
//! happens at or after the horizon is left out. Replications are averaged bucket by bucket.
//!
//! ```
//! use eventflow::stats::series::{Buckets, EventSeries};
//! let mut ended = EventSeries::new(Buckets::new(100, 4));
//! ended.record(10, 3.0);
//! ended.record(99, 5.0);
//! assert_eq!((ended.rates(), ended.means()), (vec![0.04, 0.0, 0.0, 0.04], vec![3.0, 0.0, 0.0, 5.0]));
//! ```

use serde::{Deserialize, Serialize};

/// Equal stretches of [0, horizon), the last one possibly shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    horizon: u64,
    width: u64,
    count: usize,
}

impl Buckets {
    /// At most `most` (≥ 1) buckets of equal whole width over [0, horizon).
    pub fn new(horizon: u64, most: usize) -> Self {
        let width = horizon.div_ceil(most.max(1) as u64).max(1);
        Self { horizon, width, count: horizon.div_ceil(width) as usize }
    }

    pub fn width(&self) -> u64 {
        self.width
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// What of bucket `i` lies before the horizon.
    pub fn length(&self, i: usize) -> u64 {
        self.width.min(self.horizon - i as u64 * self.width)
    }
}

/// Things that happen at instants, each with a value: completions with their response times, errors.
#[derive(Clone, Debug)]
pub struct EventSeries {
    buckets: Buckets,
    /// The bucket of the last instant and where it begins: instants mostly come in order, and a
    /// division for each would be felt.
    current: usize,
    begin: u64,
    /// By bucket: how many, and the sum of their values.
    sums: Vec<(u64, f64)>,
}

impl EventSeries {
    pub fn new(buckets: Buckets) -> Self {
        Self { buckets, current: 0, begin: 0, sums: vec![(0, 0.0); buckets.count] }
    }

    /// Something with this value happened at `at`.
    #[inline]
    pub fn record(&mut self, at: u64, value: f64) {
        if at >= self.buckets.horizon {
            return;
        }
        if at.wrapping_sub(self.begin) >= self.buckets.width {
            self.current = (at / self.buckets.width) as usize;
            self.begin = self.current as u64 * self.buckets.width;
        }
        let (count, sum) = &mut self.sums[self.current];
        *count += 1;
        *sum += value;
    }

    /// Happenings per unit of time.
    pub fn rates(&self) -> Vec<f64> {
        let rate = |(i, &(count, _)): (usize, &(u64, f64))| count as f64 / self.buckets.length(i) as f64;
        self.sums.iter().enumerate().map(rate).collect()
    }

    /// Mean value of what happened in each bucket; 0 where nothing did.
    pub fn means(&self) -> Vec<f64> {
        let mean = |&(count, sum): &(u64, f64)| if count == 0 { 0.0 } else { sum / count as f64 };
        self.sums.iter().map(mean).collect()
    }

    /// How many happened in each bucket.
    pub fn counts(&self) -> Vec<u64> {
        self.sums.iter().map(|(count, _)| *count).collect()
    }
}

/// A level that changes by steps, averaged over each bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LevelSeries {
    buckets: Buckets,
    level: u64,
    since: u64,
    /// Bucket that `since` lies in.
    current: usize,
    areas: Vec<u128>,
}

impl LevelSeries {
    /// Level 0 from time 0.
    pub fn new(buckets: Buckets) -> Self {
        Self { buckets, level: 0, since: 0, current: 0, areas: vec![0; buckets.count] }
    }

    /// From `now` on the level is `level`. Time never goes back.
    #[inline]
    pub fn set(&mut self, now: u64, level: u64) {
        self.advance(now);
        self.level = level;
    }

    /// Counts the present level up to `now`.
    #[inline]
    pub fn advance(&mut self, now: u64) {
        let now = now.min(self.buckets.horizon);
        while self.since < now {
            let end = (self.current as u64 + 1).saturating_mul(self.buckets.width);
            let until = now.min(end);
            self.areas[self.current] += u128::from(self.level) * u128::from(until - self.since);
            self.since = until;
            self.current += usize::from(until == end);
        }
    }

    pub fn buckets(&self) -> Buckets {
        self.buckets
    }

    /// Whether the other is over the same time, in the same buckets: they can be merged.
    pub fn fits(&self, other: &Self) -> bool {
        self.buckets == other.buckets && self.areas.len() == other.areas.len()
    }

    /// Adds the levels of another, bucket by bucket. Both are over.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.buckets, other.buckets, "levels over the same time add up");
        self.areas.iter_mut().zip(&other.areas).for_each(|(ours, theirs)| *ours += theirs);
    }

    /// Time-weighted mean level in each bucket.
    pub fn means(&self) -> Vec<f64> {
        let mean = |(i, &area): (usize, &u128)| area as f64 / self.buckets.length(i) as f64;
        self.areas.iter().enumerate().map(mean).collect()
    }
}

/// Bucket by bucket, the mean of one series for each replication; all have the same number of buckets.
pub fn mean_over_replications(replications: &[Vec<f64>]) -> Vec<f64> {
    let Some(first) = replications.first() else { return Vec::new() };
    debug_assert!(replications.iter().all(|series| series.len() == first.len()));
    let mean = |i| replications.iter().map(|series| series[i]).sum::<f64>() / replications.len() as f64;
    (0..first.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_the_horizon_and_no_more() {
        for (horizon, most) in [(100, 7), (100, 100), (3, 10), (1, 1), (u64::MAX, 3), (101, 10)] {
            let buckets = Buckets::new(horizon, most);
            assert!(buckets.count() <= most);
            assert_eq!((0..buckets.count()).map(|i| buckets.length(i)).sum::<u64>(), horizon);
        }
        assert_eq!(Buckets::new(0, 5).count(), 0);
    }

    /// A steady rate stays steady in the shorter last bucket; what comes late or out of order is placed.
    #[test]
    fn events_land_in_their_buckets() {
        let mut series = EventSeries::new(Buckets::new(95, 10));
        for at in (0..200).rev().step_by(7).chain(0..200) {
            series.record(at, at as f64);
        }
        let expected =
            |i: u64| (0..200).rev().step_by(7).chain(0..200).filter(|at| *at < 95 && at / 10 == i).count();
        assert_eq!(series.counts(), (0..10).map(|i| expected(i) as u64).collect::<Vec<_>>());
        let mut steady = EventSeries::new(Buckets::new(95, 10));
        (0..200).for_each(|at| steady.record(at, 2.0));
        assert_eq!((steady.rates(), steady.means()), (vec![1.0; 10], vec![2.0; 10]));
        assert_eq!(steady.counts()[9], 5);
        EventSeries::new(Buckets::new(0, 5)).record(0, 1.0);
    }

    #[test]
    fn levels_are_weighted_by_time_in_each_bucket() {
        let changes = [(3, 4), (12, 1), (12, 7), (47, 0), (93, 2), (200, 9)];
        let mut series = LevelSeries::new(Buckets::new(95, 10));
        changes.iter().for_each(|&(at, level)| series.set(at, level));
        series.advance(300);
        let at = |tick: u64| changes.iter().rfind(|(at, _)| *at <= tick).map_or(0, |&(_, level)| level);
        let mean = |i: u64| {
            let ticks = (10 * i..(10 * i + 10).min(95)).map(at);
            ticks.clone().sum::<u64>() as f64 / ticks.count() as f64
        };
        assert_eq!(series.means(), (0..10).map(mean).collect::<Vec<_>>());
    }

    #[test]
    fn levels_add_up() {
        let level = |height: u64, from: u64| {
            let mut series = LevelSeries::new(Buckets::new(40, 4));
            series.set(from, height);
            series.advance(40);
            series
        };
        let mut both = level(2, 10);
        both.merge(&level(4, 25));
        assert_eq!(both.means(), [0.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn replications_are_averaged_bucket_by_bucket() {
        assert_eq!(mean_over_replications(&[vec![1.0, 2.0], vec![3.0, 6.0]]), [2.0, 4.0]);
        assert_eq!(mean_over_replications(&[]), Vec::<f64>::new());
    }
}
