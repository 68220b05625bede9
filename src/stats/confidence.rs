//! Confidence intervals over independent replications.
//!
//! Each replication gives one number; they are independent and, being means over many observations,
//! nearly normal, so Student's t gives the interval of their mean. Source: Law, Simulation Modeling and
//! Analysis, 5th ed., chapter 9. Student's quantile is one of the [`super::beta`] distribution: t² / (ν + t²)
//! of a t with ν degrees of freedom has shapes ½ and ν/2 (DLMF 8.17).
//!
//! ```
//! use eventflow::stats::confidence::interval;
//! let interval = interval([9.0, 10.0, 11.0], 0.95);
//! assert_eq!(interval.mean, Some(10.0));
//! assert!((interval.half_width.unwrap() - 4.302_652_7 / 3_f64.sqrt()).abs() < 1e-6);
//! ```

use super::beta;
use super::tally::Tally;
use std::cell::RefCell;

/// A mean and how far from it the true mean may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// `None`: no replication gave a number.
    pub mean: Option<f64>,
    /// `None` with fewer than two numbers.
    pub half_width: Option<f64>,
    /// Replications that gave a number.
    pub count: u32,
}

impl Interval {
    /// Whether `value` lies inside; never without a half-width.
    pub fn contains(&self, value: f64) -> bool {
        matches!((self.mean, self.half_width), (Some(mean), Some(half)) if (value - mean).abs() <= half)
    }
}

/// The interval at confidence `level` (in (0, 1)) of the mean of one number for each replication.
pub fn interval(replications: impl IntoIterator<Item = f64>, level: f64) -> Interval {
    Intervals::new(level).of(replications)
}

/// Makes many intervals at one confidence level: Student's quantiles are found once.
pub struct Intervals {
    level: f64,
    /// By degrees of freedom less one, as far as they were wanted.
    quantiles: RefCell<Vec<Option<f64>>>,
}

impl Intervals {
    /// At confidence `level`, in (0, 1).
    pub fn new(level: f64) -> Self {
        Self { level, quantiles: RefCell::default() }
    }

    /// The confidence level.
    pub fn level(&self) -> f64 {
        self.level
    }

    /// The interval of the mean of one number for each replication.
    pub fn of(&self, replications: impl IntoIterator<Item = f64>) -> Interval {
        let tally: Tally = replications.into_iter().collect();
        let count = tally.count();
        let half_width =
            tally.variance().map(|variance| self.quantile(count - 1) * (variance / count as f64).sqrt());
        Interval { mean: tally.mean(), half_width, count: count as u32 }
    }

    fn quantile(&self, freedom: u64) -> f64 {
        let mut quantiles = self.quantiles.borrow_mut();
        let position = freedom as usize - 1;
        if position >= quantiles.len() {
            quantiles.resize(position + 1, None);
        }
        *quantiles[position].get_or_insert_with(|| student_quantile(0.5 + 0.5 * self.level, freedom))
    }
}

/// The quantile of Student's t at `p` in (0, 1) with `freedom` ≥ 1 degrees of freedom.
pub fn student_quantile(p: f64, freedom: u64) -> f64 {
    let freedom = freedom as f64;
    // What lies beyond ±t, and ν / (ν + t²).
    let beyond = 2.0 * p.min(1.0 - p);
    let x = beta::quantile(beyond, freedom / 2.0, 0.5);
    let t = (freedom * (1.0 - x) / x).sqrt();
    if p < 0.5 { -t } else { t }
}

/// The probability that Student's t with `freedom` ≥ 1 degrees of freedom is as far from 0 as `t`, or further, on
/// either side.
pub fn student_two_sided(t: f64, freedom: u64) -> f64 {
    let freedom = freedom as f64;
    beta::regularized(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of Student's t (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, freedom, t) in [
            (0.975, 1, 12.706),
            (0.975, 2, 4.303),
            (0.975, 4, 2.776),
            (0.975, 9, 2.262),
            (0.975, 29, 2.045),
            (0.995, 9, 3.250),
            (0.95, 100, 1.660),
            (0.5, 7, 0.0),
        ] {
            assert!((student_quantile(p, freedom) - t).abs() < 6e-4, "{p}, {freedom}");
        }
    }

    /// Cauchy's distribution has its quantiles in closed form, tan π(p − ½); those of very many degrees are normal.
    #[test]
    fn the_ends_of_the_family_are_met() {
        assert!((student_quantile(0.75, 1) - 1.0).abs() < 1e-12);
        assert!((student_quantile(0.9999, 1) / 3_183.098_757 - 1.0).abs() < 1e-8);
        assert!((student_quantile(0.975, 1_000_000_000) - 1.959_963_985).abs() < 1e-6);
        for (t, freedom) in [(0.0, 3), (2.262, 9), (-2.262, 9), (40.0, 2)] {
            let both = student_two_sided(t, freedom);
            let again = student_quantile(1.0 - both / 2.0, freedom);
            assert!((again - t.abs()).abs() < 1e-6 * t.abs().max(1.0), "{t}: {both}, {again}");
        }
        assert!((student_two_sided(2.262_157, 9) - 0.05).abs() < 1e-7);
    }

    #[test]
    fn too_few_replications_say_less() {
        assert_eq!(interval([], 0.95), Interval { mean: None, half_width: None, count: 0 });
        assert_eq!(interval([4.0], 0.95), Interval { mean: Some(4.0), half_width: None, count: 1 });
        assert!(!interval([4.0], 0.95).contains(4.0));
        assert_eq!(interval([4.0, 4.0], 0.95).half_width, Some(0.0));
    }

    /// Of intervals from five normals each, 95 % hold the true mean: the coverage is what is promised.
    #[test]
    fn intervals_hold_the_truth_as_often_as_promised() {
        let mut state = 1_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        // Twelve uniforms make a near enough normal.
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let trials = 4_000;
        let held =
            (0..trials).filter(|_| interval((0..5).map(|_| 3.0 + normal()), 0.95).contains(3.0)).count();
        let share = held as f64 / f64::from(trials);
        assert!((share - 0.95).abs() < 4.0 * (0.95 * 0.05 / f64::from(trials)).sqrt(), "{share}");
    }
}
