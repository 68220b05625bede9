//! How many wait and how many are worked on at a service, over time.
//!
//! Both levels change together, and three times for each customer, so they are integrated together:
//! over *segments* that end wherever a bucket of the series or the warm-up does. Within a segment a
//! change costs two products and a comparison. Integrals are exact whole numbers.

use super::Window;
use crate::kernel::time::Nanos;
use crate::stats::series::Buckets;

/// Numbers in the system that are told apart.
const MOST_LEVELS: usize = 64;
/// Those below are most services' only ones.
const LOW_LEVELS: usize = 8;

/// The levels of one service. What every change touches stands first: two lines of the cache, as there may be ten
/// thousand services.
#[repr(C)]
pub struct Occupancy {
    waiting: u64,
    busy: u64,
    since: Nanos,
    segment_end: Nanos,
    /// Level × time in the present segment.
    waiting_area: u128,
    busy_area: u128,
    /// Time with k in the system, since the warm-up ended.
    low_levels: [Nanos; LOW_LEVELS],
    /// The same from `LOW_LEVELS` on; the last stands for all from there on.
    high_levels: Vec<Nanos>,
    bucket: usize,
    window: Window,
    buckets: Buckets,
    /// Areas in each bucket, and in the window.
    series: Vec<(f64, f64)>,
    waiting_in_window: u128,
    busy_in_window: u128,
}

impl Occupancy {
    pub fn new(window: Window, buckets: Buckets) -> Self {
        let mut occupancy = Self {
            waiting: 0,
            busy: 0,
            since: 0,
            segment_end: 0,
            waiting_area: 0,
            busy_area: 0,
            low_levels: [0; LOW_LEVELS],
            high_levels: Vec::new(),
            bucket: 0,
            window,
            buckets,
            series: vec![(0.0, 0.0); buckets.count()],
            waiting_in_window: 0,
            busy_in_window: 0,
        };
        occupancy.segment_end = occupancy.end_of_segment();
        occupancy
    }

    #[inline(always)]
    pub fn begin_waiting(&mut self, now: Nanos) {
        self.advance(now);
        self.waiting += 1;
    }

    #[inline(always)]
    pub fn stop_waiting(&mut self, now: Nanos) {
        self.advance(now);
        self.waiting -= 1;
    }

    #[inline(always)]
    pub fn begin_work(&mut self, now: Nanos) {
        self.advance(now);
        self.busy += 1;
    }

    #[inline(always)]
    pub fn end_work(&mut self, now: Nanos) {
        self.advance(now);
        self.busy -= 1;
    }

    #[inline(always)]
    pub fn begin_work_after_waiting(&mut self, now: Nanos) {
        self.advance(now);
        self.waiting -= 1;
        self.busy += 1;
    }

    /// Counts the present levels up to `now`.
    #[inline(always)]
    pub fn advance(&mut self, now: Nanos) {
        if now >= self.segment_end {
            self.end_segments(now);
        }
        self.count(now);
    }

    /// Number waiting × time in the window, and number worked on × time.
    pub fn areas(&self) -> (u128, u128) {
        (self.waiting_in_window, self.busy_in_window)
    }

    /// Share of the window with k in the system.
    pub fn shares(&self) -> Vec<f64> {
        let mut levels = [&self.low_levels[..], &self.high_levels].concat();
        let highest = levels.iter().rposition(|&time| time > 0);
        levels.truncate(highest.map_or(0, |highest| highest + 1));
        let total: Nanos = levels.iter().sum();
        levels.iter().map(|&time| time as f64 / total as f64).collect()
    }

    /// Mean number waiting, and being worked on, in each bucket.
    pub fn series(&self) -> (Vec<f64>, Vec<f64>) {
        let mean = |(i, area): (usize, f64)| area / self.buckets.length(i) as f64;
        let waiting = self.series.iter().map(|areas| areas.0).enumerate().map(mean).collect();
        (waiting, self.series.iter().map(|areas| areas.1).enumerate().map(mean).collect())
    }

    /// Counts up to a time within the present segment.
    #[inline(always)]
    fn count(&mut self, now: Nanos) {
        // After the horizon nothing counts.
        if now == self.since || self.segment_end == Nanos::MAX {
            return;
        }
        let lasted = now - self.since;
        self.since = now;
        self.waiting_area += u128::from(self.waiting) * u128::from(lasted);
        self.busy_area += u128::from(self.busy) * u128::from(lasted);
        let level = ((self.waiting + self.busy) as usize).min(MOST_LEVELS - 1);
        match self.low_levels.get_mut(level) {
            Some(time) => *time += lasted,
            None => self.count_high_level(level - LOW_LEVELS, lasted),
        }
    }

    fn count_high_level(&mut self, level: usize, lasted: Nanos) {
        if level >= self.high_levels.len() {
            self.high_levels.resize(level + 1, 0);
        }
        self.high_levels[level] += lasted;
    }

    #[cold]
    #[inline(never)]
    fn end_segments(&mut self, now: Nanos) {
        while self.segment_end <= now && self.segment_end != Nanos::MAX {
            let end = self.segment_end;
            self.count(end);
            let (waiting, busy) =
                (std::mem::take(&mut self.waiting_area), std::mem::take(&mut self.busy_area));
            let sums = &mut self.series[self.bucket];
            sums.0 += waiting as f64;
            sums.1 += busy as f64;
            if end <= self.window.from {
                self.low_levels = [0; LOW_LEVELS];
                self.high_levels.clear();
            } else {
                self.waiting_in_window += waiting;
                self.busy_in_window += busy;
            }
            if end == self.end_of_bucket() {
                self.bucket += 1;
            }
            self.segment_end = self.end_of_segment();
        }
    }

    /// The end of the segment that begins at `since`; none ends after the horizon.
    fn end_of_segment(&self) -> Nanos {
        if self.since >= self.window.to {
            return Nanos::MAX;
        }
        match self.end_of_bucket() {
            end if self.since < self.window.from => end.min(self.window.from),
            end => end,
        }
    }

    fn end_of_bucket(&self) -> Nanos {
        self.buckets.width().saturating_mul(self.bucket as Nanos + 1).min(self.window.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against sums over single ticks, for every window and several widths of buckets.
    #[test]
    fn areas_levels_and_series_are_sums_over_ticks() {
        let changes = [(0, 1), (3, 1), (3, 1), (4, -1), (8, 1), (13, -1), (13, 1), (17, -1), (40, -1)];
        let horizon = 21;
        let level_at = |tick: Nanos| -> i64 {
            changes.iter().filter(|(at, _)| *at <= tick).map(|(_, change)| change).sum()
        };
        for from in 0..horizon {
            for most in [1, 4, 5, 21, 100] {
                let window = Window { from, to: horizon };
                let buckets = Buckets::new(horizon, most);
                let mut occupancy = Occupancy::new(window, buckets);
                for (at, change) in changes {
                    match change {
                        1 => occupancy.begin_waiting(at),
                        _ => occupancy.stop_waiting(at),
                    }
                }
                occupancy.advance(50);
                let ticks = |range: std::ops::Range<Nanos>| range.map(level_at);
                assert_eq!(occupancy.areas(), (ticks(from..horizon).sum::<i64>() as u128, 0));
                for (k, share) in occupancy.shares().into_iter().enumerate() {
                    let times = ticks(from..horizon).filter(|level| *level == k as i64).count();
                    assert_eq!(share, times as f64 / (horizon - from) as f64);
                }
                for (i, mean) in occupancy.series().0.into_iter().enumerate() {
                    let begin = i as Nanos * buckets.width();
                    let end = (begin + buckets.width()).min(horizon);
                    assert_eq!(mean, ticks(begin..end).sum::<i64>() as f64 / (end - begin) as f64);
                }
            }
        }
    }

    /// Waiting and work add up to the number in the system; from 63 on levels are not told apart.
    #[test]
    fn the_system_is_those_who_wait_and_those_in_work() {
        let window = Window { from: 0, to: 10 };
        let mut occupancy = Occupancy::new(window, Buckets::new(10, 1));
        (0..70).for_each(|_| occupancy.begin_waiting(0));
        occupancy.begin_work_after_waiting(2);
        occupancy.begin_work(2);
        (0..69).for_each(|_| occupancy.stop_waiting(4));
        occupancy.end_work(6);
        occupancy.advance(10);
        assert_eq!(occupancy.areas(), (70 * 2 + 69 * 2, 2 * 4 + 4));
        let shares = occupancy.shares();
        assert_eq!((shares.len(), shares[63], shares[2], shares[1]), (64, 0.4, 0.2, 0.4));
    }
}
