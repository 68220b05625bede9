//! Count, mean, variance and extremes of observations, in one pass.
//!
//! Law: numerically stable however far the mean is from 0, and two tallies merge into that of all
//! their observations. Sources: Welford, Technometrics 4 (1962) 419–420; Chan, Golub and LeVeque,
//! The American Statistician 37 (1983) 242–247, for the merge.
//!
//! ```
//! use eventflow::stats::tally::Tally;
//! let tally: Tally = [2.0, 4.0, 9.0].into_iter().collect();
//! assert_eq!((tally.mean(), tally.variance()), (Some(5.0), Some(13.0)));
//! ```

/// Observations, summed up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally {
    count: u64,
    mean: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Tally {
    /// Takes in one observation, a finite number.
    #[inline]
    pub fn record(&mut self, x: f64) {
        self.count += 1;
        let deviation = x - self.mean;
        self.mean += deviation / self.count as f64;
        self.squares += deviation * (x - self.mean);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
    }

    /// Takes in all observations of another tally.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let deviation = other.mean - self.mean;
        self.count += other.count;
        self.mean += deviation * (m / (n + m));
        self.squares += other.squares + deviation * deviation * (n * m / (n + m));
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// `None` without observations.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Unbiased, with n − 1; `None` with fewer than two observations.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count - 1) as f64)
    }

    /// `None` without observations.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// `None` without observations.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }
}

impl FromIterator<f64> for Tally {
    fn from_iter<I: IntoIterator<Item = f64>>(observations: I) -> Self {
        let mut tally = Self::default();
        observations.into_iter().for_each(|x| tally.record(x));
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_observed_is_nothing_said() {
        let empty = Tally::default();
        assert_eq!((empty.mean(), empty.variance(), empty.min(), empty.max()), (None, None, None, None));
        let one: Tally = [3.0].into_iter().collect();
        assert_eq!((one.mean(), one.variance(), one.min()), (Some(3.0), None, Some(3.0)));
    }

    /// 4, 7, 13, 16 have variance 30 wherever they stand; sums of squares would lose it at 1e9.
    #[test]
    fn variance_survives_a_large_mean() {
        let tally: Tally = [4.0, 7.0, 13.0, 16.0].map(|x| x + 1e9).into_iter().collect();
        assert_eq!(tally.variance(), Some(30.0));
        assert_eq!((tally.min(), tally.max()), (Some(1e9 + 4.0), Some(1e9 + 16.0)));
    }

    #[test]
    fn merging_is_observing_all() {
        let observations: Vec<f64> = (0..1_000).map(|i| f64::from(i * 7_919 % 1_000) - 300.0).collect();
        let all: Tally = observations.iter().copied().collect();
        for cut in [0, 1, 400, 999, 1_000] {
            let (left, right) = observations.split_at(cut);
            let mut merged: Tally = left.iter().copied().collect();
            merged.merge(&right.iter().copied().collect());
            assert_eq!((merged.count(), merged.min(), merged.max()), (1_000, all.min(), all.max()));
            assert!((merged.mean().unwrap() - all.mean().unwrap()).abs() < 1e-9);
            assert!((merged.variance().unwrap() / all.variance().unwrap() - 1.0).abs() < 1e-12);
        }
    }
}
