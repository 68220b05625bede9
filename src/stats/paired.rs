//! Two designs under the same work: the difference within each replication.
//!
//! Where both met the same arrivals and demands, what is common to them goes out of the difference, and its
//! interval is the narrower the more they have in common. How much that is worth can be told from the same
//! values: the variance that the difference would have between independent replications, var A + var B, over the one
//! that it has. Of values that are independent the same formulas hold; they only gain nothing. Sources: Law, Simulation
//! Modeling and Analysis, 5th ed., 10.2 (paired t) and 11.2 (common random numbers); Cochran, Sampling Techniques,
//! 3rd ed., 6.3 (ratios); McNemar, Psychometrika 12 (1947), in its exact form.
//!
//! ```
//! use eventflow::stats::confidence::Intervals;
//! use eventflow::stats::paired::compare;
//! let pairs = [(10.0, 8.0), (20.0, 18.5), (30.0, 27.5), (40.0, 38.0)];
//! let compared = compare(&pairs, &Intervals::new(0.95));
//! assert_eq!(compared.difference.mean, Some(-2.0));
//! assert!(compared.variance_reduction.unwrap() > 1_000.0);
//! ```

use super::beta::binomial_at_most;
use super::confidence::{Interval, Intervals, student_two_sided};
use super::quantile;
use super::tally::Tally;

/// The second of two designs against the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Second less first.
    pub difference: Interval,
    /// Difference over the mean of the first; without a mean where that mean cannot be told from 0.
    pub relative: Interval,
    /// How likely a difference so far from 0, or further, would be if there were none; `None` with fewer
    /// than two pairs.
    pub p_value: Option<f64>,
    /// Of the median of the differences, whatever their distribution; `None` with too few pairs.
    pub median: Option<(f64, f64)>,
    /// Var A + var B over the variance of the difference; `None` where that is 0.
    pub variance_reduction: Option<f64>,
}

/// Compares two designs by one pair of values for each replication.
pub fn compare(pairs: &[(f64, f64)], intervals: &Intervals) -> Compared {
    let differences: Vec<f64> = pairs.iter().map(|(first, second)| second - first).collect();
    let difference = intervals.of(differences.iter().copied());
    let variance = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).collect::<Tally>().variance();
    let apart = variance(|pair| pair.0).zip(variance(|pair| pair.1)).map(|(first, second)| first + second);
    let together = variance(|pair| pair.1 - pair.0);
    Compared {
        difference,
        relative: relative(pairs, intervals),
        p_value: p_value(&difference, together),
        median: quantile::interval(&differences, 0.5, intervals.level()),
        variance_reduction: apart.zip(together).filter(|(_, together)| *together > 0.0).map(|(a, t)| a / t),
    }
}

/// How likely it is that of two designs that break a promise equally often, in the replications in which just
/// one of them does, it would be one and the same so often, or more.
pub fn broken_alike(only_first: u64, only_second: u64) -> f64 {
    let fewer = only_first.min(only_second);
    (2.0 * binomial_at_most(fewer, only_first + only_second, 0.5)).min(1.0)
}

/// The ratio of the means less 1. Its variance is that of what each second value is off the ratio.
fn relative(pairs: &[(f64, f64)], intervals: &Intervals) -> Interval {
    let nothing = Interval { mean: None, half_width: None, count: pairs.len() as u32 };
    let first = intervals.of(pairs.iter().map(|pair| pair.0));
    let second: Tally = pairs.iter().map(|pair| pair.1).collect();
    let (Some(base), Some(mean)) = (first.mean, second.mean()) else { return nothing };
    if base == 0.0 || first.contains(0.0) {
        return nothing;
    }
    let ratio = mean / base;
    let off = intervals.of(pairs.iter().map(|(first, second)| second - ratio * first));
    Interval { mean: Some(ratio - 1.0), half_width: off.half_width.map(|half| half / base.abs()), ..nothing }
}

fn p_value(difference: &Interval, variance: Option<f64>) -> Option<f64> {
    let (mean, variance) = (difference.mean?, variance?);
    Some(match (mean == 0.0, variance == 0.0) {
        (true, _) => 1.0,
        // Always the same difference: as surely one as can be.
        (false, true) => 0.0,
        (false, false) => {
            let count = f64::from(difference.count);
            student_two_sided(mean / (variance / count).sqrt(), u64::from(difference.count) - 1)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Student's own example (1908, after Cushny and Peebles): hours of sleep gained by ten patients with one drug
    /// and with another. Difference 1.58, t = 4.0621 on 9 degrees of freedom, p = 0.002833, interval 0.7001 to
    /// 2.4599.
    #[test]
    fn students_sleep_is_as_published() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let pairs: Vec<(f64, f64)> = first.into_iter().zip(second).collect();
        let compared = compare(&pairs, &Intervals::new(0.95));
        let (mean, half) = (compared.difference.mean.unwrap(), compared.difference.half_width.unwrap());
        assert!((mean - 1.58).abs() < 1e-9 && (mean - half - 0.7001).abs() < 5e-5, "{mean} ± {half}");
        assert!((compared.p_value.unwrap() - 0.002_833).abs() < 5e-7, "{:?}", compared.p_value);
        // Variances 3.2006 and 4.0090, of the difference 1.5129.
        assert!((compared.variance_reduction.unwrap() - 7.2096 / 1.5129).abs() < 1e-3);
        assert_eq!(compared.relative.mean, None, "the first drug's mean can be 0");
    }

    #[test]
    fn what_is_always_alike_needs_no_luck() {
        let intervals = Intervals::new(0.95);
        let same = compare(&[(3.0, 3.0), (5.0, 5.0), (4.0, 4.0)], &intervals);
        assert_eq!((same.p_value, same.difference.half_width), (Some(1.0), Some(0.0)));
        let shifted = compare(&[(3.0, 2.0), (5.0, 4.0)], &intervals);
        assert_eq!((shifted.p_value, shifted.variance_reduction), (Some(0.0), None));
        let once = compare(&[(3.0, 2.0)], &intervals);
        assert_eq!((once.p_value, once.median, once.difference.half_width), (None, None, None));
        assert_eq!(compare(&[], &intervals).difference.mean, None);
    }

    /// Exactly 38 % less in every replication is 38 ± 0 %.
    #[test]
    fn a_steady_ratio_has_no_width() {
        let pairs: Vec<(f64, f64)> = (1..10).map(|i| (f64::from(i), 0.62 * f64::from(i))).collect();
        let relative = compare(&pairs, &Intervals::new(0.95)).relative;
        assert!((relative.mean.unwrap() + 0.38).abs() < 1e-12 && relative.half_width.unwrap() < 1e-12);
    }

    /// The sign test's tables: 1 of 10 has p = 0.0215, 0 of 6 0.03125, 5 of 10 is 1.
    #[test]
    fn broken_in_one_alone() {
        assert!((broken_alike(1, 9) - 0.021_484).abs() < 1e-6);
        assert!((broken_alike(6, 0) - 0.031_25).abs() < 1e-9);
        assert_eq!((broken_alike(5, 5), broken_alike(0, 0)), (1.0, 1.0));
    }
}
