//! Several questions at once: what one may still believe.
//!
//! Of twenty differences that are none, one looks clear at 95 %. *Bonferroni*: intervals at level 1 − α/m all hold
//! together with probability at least 1 − α, however they hang together. *Holm*: a p-value may be believed if it
//! is small enough for all those that are left when the smaller ones are settled; never weaker than Bonferroni, and
//! as safe. Sources: Dunn, Journal of the American Statistical Association 56 (1961); Holm, Scandinavian Journal of
//! Statistics 6 (1979).
//!
//! ```
//! use eventflow::stats::multiplicity::{holm, level_of_each};
//! assert!((level_of_each(0.95, 5) - 0.99).abs() < 1e-12);
//! let adjusted = holm(&[0.01, 0.04, 0.03]);
//! assert!((adjusted[0] - 0.03).abs() < 1e-12 && (adjusted[1] - 0.06).abs() < 1e-12);
//! ```

/// The level of each of `count` intervals that shall all hold at `level` together.
pub fn level_of_each(level: f64, count: usize) -> f64 {
    1.0 - (1.0 - level) / count.max(1) as f64
}

/// Adjusted p-values, in their order: one that is at most α may be believed, and the chance that any is
/// wrongly believed is at most α.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 0.0_f64;
    for (settled, &position) in order.iter().enumerate() {
        let left = (p_values.len() - settled) as f64;
        least = least.max(p_values[position] * left).min(1.0);
        adjusted[position] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of `p.adjust` in R: 0.01 … 0.05 become 0.05, 0.08, 0.09, 0.09, 0.09.
    #[test]
    fn holm_is_as_elsewhere() {
        let adjusted = holm(&[0.05, 0.01, 0.03, 0.02, 0.04]);
        for (ours, known) in adjusted.iter().zip([0.09, 0.05, 0.09, 0.08, 0.09]) {
            assert!((ours - known).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }

    /// Of 2,000 experiments with ten questions each and nothing to find, hardly more than 5 % find anything.
    #[test]
    fn nothing_is_found_where_nothing_is() {
        let mut state = 7_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let (mut corrected, mut plain) = (0, 0);
        for _ in 0..2_000 {
            let p_values: Vec<f64> = (0..10).map(|_| uniform()).collect();
            corrected += u32::from(holm(&p_values).iter().any(|&p| p <= 0.05));
            plain += u32::from(p_values.iter().any(|&p| p <= 0.05));
        }
        assert!((70..=130).contains(&corrected), "{corrected} of 2000, 100 expected");
        assert!(plain > 700, "without the correction: {plain}");
    }
}
