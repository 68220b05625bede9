//! A level that changes by steps (a queue length, busy workers), weighted by the time it lasts.
//!
//! Law: integrals are exact integers, and only what lies in the window counts: [from, to). The level that
//! holds when the window opens counts from its opening. Source: Law, Simulation Modeling and Analysis,
//! 5th ed., chapter 1.
//!
//! ```
//! use eventflow::stats::time_weighted::TimeWeighted;
//! let mut queue = TimeWeighted::new(10, 20);
//! queue.set(5, 3); // holds when the window opens
//! queue.set(12, 0);
//! queue.set(30, 9); // after the window
//! queue.advance(30);
//! assert_eq!((queue.area(), queue.mean(), queue.max()), (6, Some(0.6), 3));
//! ```

/// The integral of a level over a window, up to the last time it was told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWeighted {
    from: u64,
    to: u64,
    level: u64,
    since: u64,
    area: u128,
    max: u64,
}

impl TimeWeighted {
    /// Level 0 from time 0, and the window [from, to).
    pub fn new(from: u64, to: u64) -> Self {
        Self { from, to, level: 0, since: 0, area: 0, max: 0 }
    }

    /// From `now` on the level is `level`. Time never goes back.
    #[inline]
    pub fn set(&mut self, now: u64, level: u64) {
        self.advance(now);
        self.level = level;
    }

    /// One more from `now` on.
    #[inline]
    pub fn increase(&mut self, now: u64) {
        self.set(now, self.level + 1);
    }

    /// One less from `now` on.
    #[inline]
    pub fn decrease(&mut self, now: u64) {
        debug_assert!(self.level > 0, "a level that was never reached is left");
        self.set(now, self.level - 1);
    }

    /// Counts the present level up to `now`.
    #[inline]
    pub fn advance(&mut self, now: u64) {
        let lasted = overlap(self.since, now, self.from, self.to);
        if lasted > 0 {
            self.area += u128::from(self.level) * u128::from(lasted);
            self.max = self.max.max(self.level);
        }
        self.since = now;
    }

    pub fn level(&self) -> u64 {
        self.level
    }

    /// Level × time within the window.
    pub fn area(&self) -> u128 {
        self.area
    }

    /// Mean level over the part of the window that has passed; `None` if none has.
    pub fn mean(&self) -> Option<f64> {
        let lasted = overlap(0, self.since, self.from, self.to);
        (lasted > 0).then(|| self.area as f64 / lasted as f64)
    }

    /// Highest level that lasted for any time within the window; what comes and goes at one instant
    /// does not count.
    pub fn max(&self) -> u64 {
        self.max
    }
}

/// How long each level lasted: the distribution of the number in system over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelTimes {
    from: u64,
    to: u64,
    level: usize,
    since: u64,
    /// Time at level k; the last entry is for all levels from there on.
    times: Vec<u64>,
    most: usize,
}

impl LevelTimes {
    /// Level 0 from time 0, the window [from, to), and levels told apart below `most` (≥ 1).
    pub fn new(from: u64, to: u64, most: usize) -> Self {
        Self { from, to, level: 0, since: 0, times: Vec::new(), most: most.max(1) }
    }

    /// From `now` on the level is `level`. Time never goes back.
    #[inline]
    pub fn set(&mut self, now: u64, level: u64) {
        self.advance(now);
        self.level = level.min(self.most as u64 - 1) as usize;
    }

    /// Counts the present level up to `now`.
    #[inline]
    pub fn advance(&mut self, now: u64) {
        let lasted = overlap(self.since, now, self.from, self.to);
        if lasted > 0 {
            if self.level >= self.times.len() {
                self.times.resize(self.level + 1, 0);
            }
            self.times[self.level] += lasted;
        }
        self.since = now;
    }

    /// Share of the passed time at each level, up to the highest one that lasted; the last of `most`
    /// entries stands for all levels from there on.
    pub fn shares(&self) -> Vec<f64> {
        let total: u64 = self.times.iter().sum();
        self.times.iter().map(|&time| time as f64 / total as f64).collect()
    }
}

/// Length of [begin, end) within [from, to).
#[inline]
fn overlap(begin: u64, end: u64, from: u64, to: u64) -> u64 {
    end.min(to).saturating_sub(begin.max(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against a sum over single ticks, with the window anywhere.
    #[test]
    fn areas_are_sums_over_ticks() {
        let changes = [(0, 2), (3, 5), (3, 9), (3, 1), (8, 0), (9, 4), (15, 0)];
        for from in 0..18 {
            for to in from..20 {
                let mut level = TimeWeighted::new(from, to);
                let mut times = LevelTimes::new(from, to, 4);
                for (at, to_level) in changes {
                    level.set(at, to_level);
                    times.set(at, to_level);
                }
                level.advance(18);
                times.advance(18);
                let at =
                    |tick: u64| changes.iter().rfind(|(at, _)| *at <= tick).map_or(0, |&(_, level)| level);
                let levels: Vec<u64> = (from..to.min(18)).map(at).collect();
                assert_eq!(level.area(), u128::from(levels.iter().sum::<u64>()));
                assert_eq!(level.max(), levels.iter().copied().max().unwrap_or(0));
                let mean = (!levels.is_empty()).then(|| level.area() as f64 / levels.len() as f64);
                assert_eq!(level.mean(), mean);
                for (k, share) in times.shares().into_iter().enumerate() {
                    let ticks = levels.iter().filter(|&&level| level.min(3) == k as u64).count();
                    assert_eq!(share, ticks as f64 / levels.len() as f64);
                }
            }
        }
    }

    #[test]
    fn huge_levels_for_a_long_time_do_not_overflow() {
        let mut level = TimeWeighted::new(0, u64::MAX);
        level.set(0, u64::MAX);
        level.advance(u64::MAX);
        assert_eq!(level.mean(), Some(u64::MAX as f64));
    }

    #[test]
    fn increase_and_decrease_are_steps_of_one() {
        let mut level = TimeWeighted::new(0, 10);
        level.increase(0);
        level.increase(4);
        level.decrease(6);
        level.advance(10);
        assert_eq!((level.area(), level.level(), level.max()), (4 + 4 + 4, 1, 2));
    }
}
