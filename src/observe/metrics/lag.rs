//! Lag: what a group is owed and has not settled, over time.
//!
//! Law: exact integers, the same as weighting each level by the time it lasts. A step up at `t` adds
//! what is left of the time from `t` on, a step down takes it away: so the acceptances of a topic are
//! summed once for all its groups, and each group sums what it settles.
//!
//! ```text
//! lag of a group = copies × acceptances of its topic − its settlements
//! area [from, to) = Σ over steps (to − max(step, from))
//! ```

use super::Window;
use crate::kernel::time::Nanos;
use crate::stats::series::Buckets;

/// Steps of one size in one direction, summed up.
pub struct Steps {
    window: Window,
    buckets: Buckets,
    /// The bucket of the last step, and where it begins and ends.
    current: usize,
    begin: Nanos,
    end: Nanos,
    /// By bucket: how many steps, and the time that each left of the bucket.
    counts: Vec<u64>,
    rests: Vec<u128>,
    /// The time that all of them left of the window.
    area: u128,
}

impl Steps {
    /// None yet; the buckets cover the time up to the end of the window.
    pub fn new(window: Window, buckets: Buckets) -> Self {
        let (counts, rests) = (vec![0; buckets.count()], vec![0; buckets.count()]);
        Self { window, buckets, current: 0, begin: 0, end: 0, counts, rests, area: 0 }
    }

    /// A step at `now`; after the window it does not count.
    #[inline]
    pub fn record(&mut self, now: Nanos) {
        if now >= self.window.to {
            return;
        }
        if now >= self.end || now < self.begin {
            self.enter_bucket(now);
        }
        self.counts[self.current] += 1;
        self.rests[self.current] += u128::from(self.end - now);
        self.area += u128::from(self.window.to - now.max(self.window.from));
    }

    fn enter_bucket(&mut self, now: Nanos) {
        self.current = (now / self.buckets.width()) as usize;
        self.begin = self.current as Nanos * self.buckets.width();
        self.end = self.begin + self.buckets.length(self.current);
    }
}

/// The lag of one group.
pub struct Lag {
    /// Copies that the group is owed of each message.
    copies: u64,
    settled: Steps,
    /// What it was owed again by replays.
    reopened: Option<Box<Steps>>,
    level: u64,
    since: Nanos,
    max: u64,
}

impl Lag {
    pub fn new(copies: u64, window: Window, buckets: Buckets) -> Self {
        Self { copies, settled: Steps::new(window, buckets), reopened: None, level: 0, since: 0, max: 0 }
    }

    /// Its topic has accepted a message.
    #[inline]
    pub fn accepted(&mut self, now: Nanos) {
        self.advance(now);
        self.level += self.copies;
    }

    /// It is done with one copy.
    #[inline]
    pub fn settled(&mut self, now: Nanos) {
        self.advance(now);
        if self.level > 0 {
            self.level -= 1;
            self.settled.record(now);
        }
    }

    /// It is owed one copy again.
    #[cold]
    pub fn reopened(&mut self, now: Nanos) {
        self.advance(now);
        self.level += 1;
        let (window, buckets) = (self.settled.window, self.settled.buckets);
        self.reopened.get_or_insert_with(|| Box::new(Steps::new(window, buckets))).record(now);
    }

    /// The level up to `now` counts for the highest if it lasted within the window.
    #[inline]
    fn advance(&mut self, now: Nanos) {
        let window = self.settled.window;
        if now > self.since {
            if self.level > self.max && now > window.from && self.since < window.to {
                self.max = self.level;
            }
            self.since = now;
        }
    }

    /// Level × time within the window, and the highest level that lasted for any time within it.
    pub fn finish(&mut self, accepted: &Steps) -> (u128, u64) {
        self.advance(self.settled.window.to);
        let reopened = self.reopened.as_ref().map_or(0, |steps| steps.area);
        (u128::from(self.copies) * accepted.area + reopened - self.settled.area, self.max)
    }

    /// Time-weighted mean level in each bucket.
    pub fn means(&self, accepted: &Steps) -> Vec<f64> {
        let buckets = self.settled.buckets;
        let copies = u128::from(self.copies);
        // What comes up and what goes down, counted at the beginning of the bucket.
        let (mut up, mut down) = (0u128, 0u128);
        let mean = |bucket: usize| {
            let length = u128::from(buckets.length(bucket));
            let again =
                self.reopened.as_ref().map_or((0, 0), |steps| (steps.counts[bucket], steps.rests[bucket]));
            let area = (up * length + copies * accepted.rests[bucket] + again.1)
                - (down * length + self.settled.rests[bucket]);
            up += copies * u128::from(accepted.counts[bucket]) + u128::from(again.0);
            down += u128::from(self.settled.counts[bucket]);
            area as f64 / length as f64
        };
        (0..buckets.count()).map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::series::LevelSeries;
    use crate::stats::time_weighted::TimeWeighted;

    /// Sums of steps say what levels weighted by time say, bit for bit.
    #[test]
    fn steps_and_levels_agree() {
        for (from, to) in [(0, 1_000), (137, 995), (400, 401), (0, 7)] {
            let window = Window { from, to };
            let buckets = Buckets::new(to, 9);
            let mut accepted = Steps::new(window, buckets);
            let mut lag = Lag::new(3, window, buckets);
            let mut weighted = TimeWeighted::new(from, to);
            let mut series = LevelSeries::new(buckets);
            let mut random = 12_345u64;
            let mut now = 0;
            for _ in 0..1_000 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                now += (random >> 60) / 3;
                let level = weighted.level();
                let next = if (random >> 40).is_multiple_of(4) { level + 3 } else { level.saturating_sub(1) };
                if next > level {
                    accepted.record(now);
                    lag.accepted(now);
                } else {
                    lag.settled(now);
                }
                weighted.set(now, next);
                series.set(now, next);
            }
            weighted.advance(to.max(now));
            series.advance(to.max(now));
            assert!(now > to, "the last steps come after the window");
            assert_eq!(lag.finish(&accepted), (weighted.area(), weighted.max()));
            assert_eq!(lag.means(&accepted), series.means());
        }
    }
}
