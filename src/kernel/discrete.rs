//! Discrete distributions by inversion: a table of cumulative shares, found through a guide table
//! in constant expected time, and Zipf's law over any number of ranks on top of it.
//!
//! Law: the drawn position rises with the uniform. Source: Chen and Asau, "On generating random
//! variates from an empirical distribution", AIIE Transactions 6 (1974), the guide table.
//!
//! ```
//! use eventflow::kernel::discrete::Cumulative;
//! let coin = Cumulative::new(&[0.25, 0.75]);
//! assert_eq!((coin.position(0.2), coin.position(0.3)), (0, 1));
//! ```

use super::special::{exp, ln};

/// Positions 0, 1, 2, … with given shares.
#[derive(Clone, Debug)]
pub struct Cumulative {
    /// Sum of the shares up to and including each position; from the last positive share on, infinite.
    upper_edges: Box<[f64]>,
    /// `guide[j]` is the first position whose upper edge lies above j / `guide.len()`.
    guide: Box<[u32]>,
}

impl Cumulative {
    /// Shares are weights: not negative, at least one positive, and divided by their sum.
    pub fn new(shares: &[f64]) -> Self {
        let total: f64 = shares.iter().sum();
        let mut sum = 0.0;
        let edges = shares.iter().map(|share| {
            sum += share;
            sum / total
        });
        let mut upper_edges: Vec<f64> = edges.collect();
        // Rounding must not leave a gap below 1 that no position owns, nor give it to a share of 0.
        let last = shares.iter().rposition(|&share| share > 0.0).unwrap_or(0);
        upper_edges[last..].fill(f64::INFINITY);
        let guide = guide(&upper_edges);
        Self { upper_edges: upper_edges.into(), guide }
    }

    /// The position at `uniform`, which lies in (0, 1).
    #[inline]
    pub fn position(&self, uniform: f64) -> usize {
        // The product rounds to the length itself for a uniform next to 1.
        let slot = ((uniform * self.guide.len() as f64) as usize).min(self.guide.len() - 1);
        let mut position = self.guide[slot] as usize;
        while self.upper_edges[position] <= uniform {
            position += 1;
        }
        position
    }
}

/// One guide entry for each position.
fn guide(upper_edges: &[f64]) -> Box<[u32]> {
    let n = upper_edges.len();
    let mut position = 0;
    let first_above = |j: usize| {
        // A little below j / n, so that rounding in `position` never starts too far right.
        let from = j as f64 / n as f64 * (1.0 - 4.0 * f64::EPSILON);
        while upper_edges[position] <= from {
            position += 1;
        }
        position as u32
    };
    (0..n).map(first_above).collect()
}

/// Ranks up to this one are drawn from a table of exact shares.
const TABLE_RANKS: u64 = 1 << 16;

/// Zipf's law: ranks 1 to n with P(k) ∝ k^-s, s ≥ 0.
///
/// The first 65,536 ranks come from a table (768 KiB). For the rest, Σ k^-s over ranks is replaced by
/// ∫ x^-s over [k − ½, k + ½], inverted in closed form: no rejection, and each share is off by a factor
/// 1 + s (s + 1) / 24k², some 2e-11 for s = 1, which no simulation can see.
#[derive(Clone, Debug)]
pub struct Zipf {
    head: Cumulative,
    tail: Option<Tail>,
    /// Σ k^-s over all ranks.
    total: f64,
    n: u64,
    s: f64,
}

#[derive(Clone, Debug)]
struct Tail {
    /// Probability of the ranks in the table.
    head_share: f64,
    /// Integral of x^-s over the tail, and where it begins.
    weight: f64,
    begin: f64,
    s: f64,
}

impl Zipf {
    /// For n ≥ 1 ranks and a finite s ≥ 0.
    pub fn new(n: u64, s: f64) -> Self {
        let weights: Vec<f64> = (1..=n.min(TABLE_RANKS)).map(|k| power(k as f64, -s)).collect();
        // Smallest first, so that the sum keeps the small ones.
        let head_weight: f64 = weights.iter().rev().sum();
        let begin = TABLE_RANKS as f64 + 0.5;
        let weight = if n > TABLE_RANKS { power_integral(-s, begin, n as f64 + 0.5) } else { 0.0 };
        let total = head_weight + weight;
        let tail = (n > TABLE_RANKS).then(|| Tail { head_share: head_weight / total, weight, begin, s });
        Self { head: Cumulative::new(&weights), tail, total, n, s }
    }

    /// The rank at `uniform`, where `complement` is 1 − `uniform`; both in (0, 1).
    #[inline]
    pub fn rank(&self, uniform: f64, complement: f64) -> f64 {
        match &self.tail {
            None => (self.head.position(uniform) + 1) as f64,
            Some(tail) if uniform < tail.head_share => {
                // Within the head the uniform is spread again over (0, 1).
                (self.head.position(uniform / tail.head_share) + 1) as f64
            }
            Some(tail) => {
                let rank = tail.rank(1.0 - complement / (1.0 - tail.head_share));
                if rank > self.n as f64 { self.n as f64 } else { rank }
            }
        }
    }

    /// Mean of the rank after `plus` and a clamp to [`min`, `max`], with min ≤ max.
    pub fn clamped_mean(&self, plus: f64, min: f64, max: f64) -> f64 {
        let head = (1..=self.n.min(TABLE_RANKS)).rev().map(|k| {
            let value = (k as f64 + plus).max(min).min(max);
            value * power(k as f64, -self.s)
        });
        let head: f64 = head.sum();
        let Some(tail) = &self.tail else { return head / self.total };
        let end = self.n as f64 + 0.5;
        let low = (min - plus).clamp(tail.begin, end);
        let high = (max - plus).clamp(low, end);
        let weight = |from: f64, to: f64| if from < to { power_integral(-self.s, from, to) } else { 0.0 };
        let ranks = if low < high { power_integral(1.0 - self.s, low, high) } else { 0.0 };
        // A clamp that cuts nothing off may be infinite, and must not meet the weight 0.
        let cut_low = if low > tail.begin { min * weight(tail.begin, low) } else { 0.0 };
        let cut_high = if high < end { max * weight(high, end) } else { 0.0 };
        (head + cut_low + ranks + plus * weight(low, high) + cut_high) / self.total
    }
}

impl Tail {
    /// Solves ∫ from `begin` to x of t^-s = `share` × weight, and rounds to the rank around x.
    fn rank(&self, share: f64) -> f64 {
        let exponent = 1.0 - self.s;
        let relative = share.max(0.0) * self.weight * power(self.begin, -exponent);
        let growth =
            if exponent.abs() < 1e-9 { relative } else { libm::log1p(exponent * relative) / exponent };
        (self.begin * exp(growth) + 0.5).floor().max(TABLE_RANKS as f64 + 1.0)
    }
}

/// x^y for positive x.
fn power(x: f64, y: f64) -> f64 {
    exp(y * ln(x))
}

/// ∫ x^p over [a, b], 0 < a ≤ b.
fn power_integral(p: f64, a: f64, b: f64) -> f64 {
    let q = p + 1.0;
    let log_ratio = ln(b / a);
    // (b^q − a^q) / q without cancellation as q goes to 0.
    let growth = if (q * log_ratio).abs() < 1e-12 { log_ratio } else { libm::expm1(q * log_ratio) / q };
    power(a, q) * growth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_a_linear_search() {
        let shares = [0.0, 0.125, 0.0, 0.5, 0.25, 0.0, 0.125, 0.0];
        let table = Cumulative::new(&shares);
        for i in 0..1_000 {
            let u = (f64::from(i) + 0.5) / 1_000.0;
            let mut sum = 0.0;
            let expected = shares.iter().position(|share| {
                sum += share;
                u < sum
            });
            assert_eq!(Some(table.position(u)), expected);
        }
        assert_eq!(table.position(0.125), 3, "an edge belongs to the position above it");
        assert_eq!(table.position(1.0 - f64::EPSILON / 2.0), 6, "a share of 0 is never drawn");
        assert_eq!(table.position(f64::EPSILON), 1);
    }

    /// Each share of a small Zipf is the width of its stretch of uniforms.
    #[test]
    fn small_zipf_has_exact_shares() {
        let zipf = Zipf::new(5, 1.0);
        let harmonic = 1.0 + 1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0 + 1.0 / 5.0;
        let mut edge = 0.0;
        for k in 1..=5 {
            let middle = edge + 0.5 / (f64::from(k) * harmonic);
            assert_eq!(zipf.rank(middle, 1.0 - middle), f64::from(k));
            edge += 1.0 / (f64::from(k) * harmonic);
        }
    }

    /// The tail against the sums it stands for: the rank at the cumulative share of k is k.
    #[test]
    fn large_zipf_inverts_the_harmonic_sum() {
        let n = 300_000;
        for s in [0.0, 0.5, 1.0 - 1e-7, 1.0, 1.1, 2.0] {
            let zipf = Zipf::new(n, s);
            let weights: Vec<f64> = (1..=n).map(|k| libm::pow(k as f64, -s)).collect();
            let total: f64 = weights.iter().rev().sum();
            assert!((zipf.total / total - 1.0).abs() < 1e-11);
            let mut sum = 0.0;
            for (k, weight) in (1..=n).zip(&weights) {
                if k % 9_973 == 0 {
                    let u = (sum + 0.5 * weight) / total;
                    assert_eq!(zipf.rank(u, 1.0 - u), k as f64, "s = {s}");
                }
                sum += weight;
            }
            assert_eq!(zipf.rank(1.0 - f64::EPSILON / 2.0, f64::EPSILON / 2.0), n as f64);
            let mean: f64 = weights.iter().zip(1..).map(|(w, k)| w * f64::from(k)).sum::<f64>() / total;
            let got = zipf.clamped_mean(0.0, f64::NEG_INFINITY, f64::INFINITY);
            assert!((got / mean - 1.0).abs() < 1e-9, "s = {s}: {got} is not {mean}");
        }
    }

    #[test]
    fn clamped_mean_of_the_tail_agrees_with_a_sum() {
        let (n, s) = (200_000_u32, 0.8);
        let clamp = |k: u32| (f64::from(k) + 3.0).clamp(70_000.0, 150_000.0);
        let weights = (1..=n).map(|k| (libm::pow(f64::from(k), -s), clamp(k)));
        let (total, sum) = weights.fold((0.0, 0.0), |(t, m), (w, v)| (t + w, m + w * v));
        let got = Zipf::new(u64::from(n), s).clamped_mean(3.0, 70_000.0, 150_000.0);
        assert!((got / (sum / total) - 1.0).abs() < 1e-8, "{got} is not {}", sum / total);
    }

    #[test]
    fn huge_zipf_stays_in_range() {
        let zipf = Zipf::new(1 << 53, 0.3);
        let mut last = 0.0;
        for i in 0..1_000 {
            let u = (f64::from(i) + 0.5) / 1_000.0;
            let rank = zipf.rank(u, 1.0 - u);
            assert!(rank >= last && rank <= (1_u64 << 53) as f64 && rank.fract() == 0.0);
            last = rank;
        }
    }
}
