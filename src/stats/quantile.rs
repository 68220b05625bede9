//! Intervals of a quantile over replications, whatever the distribution.
//!
//! How many of n independent values lie below the true quantile is binomial, so two of the values in their order
//! enclose it with a probability that can be told exactly, without any assumption about how they are
//! distributed. Source: Conover, Practical Nonparametric Statistics, 3rd ed., 3.2; Hahn and Meeker, Statistical
//! Intervals, table A.15.
//!
//! ```
//! use eventflow::stats::quantile::interval;
//! let values = [3.0, 9.0, 1.0, 7.0, 5.0, 2.0, 8.0, 10.0, 4.0, 6.0];
//! assert_eq!(interval(&values, 0.5, 0.95), Some((2.0, 9.0)));
//! assert_eq!(interval(&values[..5], 0.5, 0.95), None);
//! ```

use super::beta::binomial_at_most;

/// The ends of the interval at confidence `level` of the quantile at `share` (both in (0, 1)), both among the
/// values. `None`: there are too few to enclose it with such confidence.
pub fn interval(values: &[f64], share: f64, level: f64) -> Option<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = ranks(sorted.len() as u64, share, level)?;
    Some((sorted[low as usize - 1], sorted[high as usize - 1]))
}

/// Ranks from 1 of the two ordered values, of `count`, that enclose the quantile; in each tail at most half
/// of what the level leaves.
fn ranks(count: u64, share: f64, level: f64) -> Option<(u64, u64)> {
    let tail = (1.0 - level) / 2.0;
    let below = |rank: u64| binomial_at_most(rank, count, share);
    // The quantile lies below the value of rank r if fewer than r values are below it.
    let low = (1..=count).take_while(|&rank| below(rank - 1) <= tail).last()?;
    let high = (1..=count).find(|&rank| below(rank - 1) >= 1.0 - tail)?;
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks for the median at 95 % from the tables: (2, 9) of 10, (6, 15) of 20, (10, 21) of 30, (18, 33) of 50;
    /// fewer than 6 values do not do.
    #[test]
    fn ranks_are_those_of_the_tables() {
        for (count, ranks_of) in
            [(6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (30, (10, 21)), (50, (18, 33)), (100, (40, 61))]
        {
            assert_eq!(ranks(count, 0.5, 0.95), Some(ranks_of), "{count}");
        }
        assert_eq!(ranks(5, 0.5, 0.95), None);
        assert_eq!(ranks(0, 0.5, 0.95), None);
        assert_eq!(ranks(58, 0.95, 0.95), None, "the 95th percentile takes more than 58 values");
    }

    /// As often as promised, for a distribution without a mean.
    #[test]
    fn no_distribution_is_assumed() {
        let mut state = 3_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let held = (0..4_000).filter(|_| {
            let values: Vec<f64> = (0..25).map(|_| 1.0 / (1.0 - uniform())).collect();
            interval(&values, 0.5, 0.95).is_some_and(|(low, high)| low <= 2.0 && 2.0 <= high)
        });
        let share = held.count() as f64 / 4_000.0;
        assert!((0.95..0.975).contains(&share), "{share}");
    }
}
