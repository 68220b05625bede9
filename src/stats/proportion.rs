//! Exact intervals of a share: so many of so many.
//!
//! Clopper and Pearson's interval holds the true share at least as often as its level says, however rare
//! the thing counted is: its ends are the shares at which the count seen, or one further out, would be just
//! too unlikely. It takes the things counted for independent. Source: Clopper and Pearson, Biometrika 26
//! (1934), by way of the beta distribution.
//!
//! ```
//! use eventflow::stats::proportion::{exact_interval, most_after_none};
//! let (low, high) = exact_interval(1, 10, 0.95);
//! assert!((low - 0.002_529).abs() < 1e-6 && (high - 0.445_016).abs() < 1e-6);
//! assert!((most_after_none(58, 0.95) - 0.0503).abs() < 1e-4);
//! ```

use super::beta::quantile;

/// The interval at confidence `level` (in (0, 1)) of a share of which `count` of `of` were seen; all that a
/// share can be if there was nothing to see.
pub fn exact_interval(count: u64, of: u64, level: f64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let count = count.min(of);
    let tail = (1.0 - level) / 2.0;
    let (seen, others) = (count as f64, (of - count) as f64);
    let low = if count == 0 { 0.0 } else { quantile(tail, seen, others + 1.0) };
    let high = if count == of { 1.0 } else { quantile(1.0 - tail, seen + 1.0, others) };
    (low, high)
}

/// The largest share at which none in `exposures` would still be seen with probability 1 − `level`:
/// 1 − (1 − level)^(1/n). With no exposures it is 1.
pub fn most_after_none(exposures: u64, level: f64) -> f64 {
    if exposures == 0 { 1.0 } else { -libm::expm1(libm::log(1.0 - level) / exposures as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of at most `k` of `n`, term by term.
    fn at_most(k: u64, n: u64, share: f64) -> f64 {
        let mut logarithm = n as f64 * libm::log1p(-share);
        let mut sum = libm::exp(logarithm);
        for i in 1..=k {
            logarithm += libm::log((n - i + 1) as f64 / i as f64 * share / (1.0 - share));
            sum += libm::exp(logarithm);
        }
        sum
    }

    #[test]
    fn the_ends_are_where_the_count_is_just_too_unlikely() {
        for n in [1, 2, 7, 40, 188, 1000] {
            for k in (0..=n).step_by(1 + n as usize / 9) {
                for level in [0.9, 0.95, 0.99] {
                    let tail = (1.0 - level) / 2.0;
                    let (low, high) = exact_interval(k, n, level);
                    let share = k as f64 / n as f64;
                    assert!(low <= share && share <= high, "{k} of {n}");
                    if k > 0 {
                        let at_least = 1.0 - at_most(k - 1, n, low);
                        assert!((at_least - tail).abs() < 1e-9, "{k} of {n}: {at_least}");
                    }
                    if k < n {
                        assert!((at_most(k, n, high) - tail).abs() < 1e-9, "{k} of {n}");
                    }
                }
            }
        }
    }

    /// With very many, the interval is that of the normal approximation, and the search still ends.
    #[test]
    fn large_counts_end_and_are_close_to_normal() {
        for (k, n) in [
            (1000, 1_000_000_000),
            (500_000, 1_000_000),
            (5_000_000_000, 10_000_000_000),
            (999_000, 1_000_000),
        ] {
            let (low, high) = exact_interval(k, n, 0.95);
            let share = k as f64 / n as f64;
            let half = 1.959_964 * (share * (1.0 - share) / n as f64).sqrt();
            assert!((low - (share - half)).abs() < 0.06 * half, "{k} of {n}: {low}");
            assert!((high - (share + half)).abs() < 0.06 * half, "{k} of {n}: {high}");
        }
        let (low, high) = exact_interval(7, u64::MAX, 0.95);
        assert!(low > 1e-19 && high < 1e-18, "{low} to {high}");
    }

    /// Clopper and Pearson's own limits at 95 %, as tabled since: 0 of 40 to 8.81 % two-sided and 7.22 % one-sided;
    /// 1 of 40 from 0.06 % to 13.16 %; 5 of 20 from 8.66 % to 49.10 %; 10 of 100 from 4.90 % to 17.62 %.
    #[test]
    fn tables_are_met() {
        for (k, n, low, high) in [
            (0, 40, 0.0, 0.0881),
            (1, 40, 0.0006, 0.1316),
            (5, 20, 0.0866, 0.4910),
            (10, 100, 0.0490, 0.1762),
        ] {
            let (ours_low, ours_high) = exact_interval(k, n, 0.95);
            assert!((ours_low - low).abs() < 5e-5 && (ours_high - high).abs() < 5e-5, "{k} of {n}");
        }
        assert!((most_after_none(40, 0.95) - 0.0722).abs() < 5e-5);
    }

    #[test]
    fn nothing_seen_says_nothing() {
        assert_eq!(exact_interval(0, 0, 0.95), (0.0, 1.0));
        assert_eq!(exact_interval(5, 0, 0.95), (0.0, 1.0));
        assert_eq!(most_after_none(0, 0.95), 1.0);
        assert!((most_after_none(1, 0.95) - 0.95).abs() < 1e-12);
        let many = most_after_none(1_000_000_000, 0.95);
        assert!((many * 1e9 - 2.995_732).abs() < 1e-5, "the rule of three: {many}");
        assert_eq!(exact_interval(9, 4, 0.95), exact_interval(4, 4, 0.95));
    }
}
