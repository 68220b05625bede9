//! The beta distribution: what shares, Student's t and the binomial distribution have in common.
//!
//! The regularized incomplete beta function I_x(a, b) is the probability that a beta variate is at most x. Its
//! continued fraction (DLMF 8.17.22) is evaluated by Lentz's method from the end where it runs fast; the factor
//! before it by the deviance of the binomial (Loader, Fast and Accurate Computation of Binomial Probabilities,
//! 2000), so that counts of thousands of millions lose no digits. All on `libm`: a decision that rests on a
//! quantile is the same on any machine.
//!
//! ```
//! use eventflow::stats::beta::{quantile, regularized};
//! assert!((regularized(0.3, 1.0, 1.0) - 0.3).abs() < 1e-15);
//! assert!((quantile(0.975, 2.0, 9.0) - 0.445_016).abs() < 1e-6);
//! ```

use std::f64::consts::PI;

/// Terms of the continued fraction. It takes some multiple of the root of the smaller shape, far fewer than
/// these for all that can be counted in a lifetime.
const MOST_TERMS: u32 = 1_000_000;
/// More halvings than a share has bits: the search ends by itself long before.
const MOST_HALVINGS: u32 = 4000;
/// Where the fraction would divide by zero, it divides by this.
const TINY: f64 = 1e-300;

/// The probability that a beta variate with shapes `a` and `b` (both > 0) is at most `x`.
pub fn regularized(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if x >= 1.0 {
        1.0
    } else if x < (a + 1.0) / (a + b + 2.0) {
        factor(x, 1.0 - x, a, b) * fraction(x, a, b) / a
    } else {
        1.0 - factor(1.0 - x, x, b, a) * fraction(1.0 - x, b, a) / b
    }
}

/// The least `x` with [`regularized`] ≥ `p`, to the last digits, also of shares far below one in a million.
pub fn quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..MOST_HALVINGS {
        // Far from the bottom by size, near it by distance, so that small shares get all their digits.
        let middle = match low {
            0.0 => high / 16.0,
            low if high > 4.0 * low => (low * high).sqrt(),
            low => low + (high - low) / 2.0,
        };
        if middle <= low || middle >= high {
            break;
        }
        if regularized(middle, a, b) < p { low = middle } else { high = middle }
    }
    high
}

/// The probability of at most `count` successes in `of` trials, each with probability `share`.
pub fn binomial_at_most(count: u64, of: u64, share: f64) -> f64 {
    if count >= of { 1.0 } else { 1.0 - regularized(share, count as f64 + 1.0, (of - count) as f64) }
}

/// x^a · y^b / B(a, b), where y = 1 − x.
fn factor(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let n = a + b;
    let deviance = deviance(a, n * x) + deviance(b, n * y);
    let remainders = stirling_remainder(n) - stirling_remainder(a) - stirling_remainder(b);
    libm::exp(remainders - deviance) * (a / n * b / (2.0 * PI)).sqrt()
}

/// k · ln(k / m) + m − k, without cancellation where both are close.
fn deviance(k: f64, m: f64) -> f64 {
    let sum = k + m;
    if (k - m).abs() >= 0.1 * sum {
        return k * libm::log(k / m) + m - k;
    }
    let v = (k - m) / sum;
    let mut total = (k - m) * v;
    let mut power = 2.0 * k * v;
    for j in 1..1000 {
        power *= v * v;
        let next = total + power / f64::from(2 * j + 1);
        if next == total {
            break;
        }
        total = next;
    }
    total
}

/// What Stirling's formula lacks: ln Γ(z) − ((z − ½) ln z − z + ½ ln 2π).
fn stirling_remainder(z: f64) -> f64 {
    if z < 15.0 {
        return libm::lgamma(z) - ((z - 0.5) * libm::log(z) - z + 0.5 * libm::log(2.0 * PI));
    }
    let square = z * z;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square) / square)
            / square)
        / z
}

/// The continued fraction, by Lentz's method as modified by Thompson and Barnett.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..MOST_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        let change = d * c;
        result *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Beta, ContinuousCDF};

    /// Against closed forms: I_x(1, b), I_x(a, 1), and the arcsine law I_x(½, ½) at its quarter and middle.
    #[test]
    fn closed_forms_are_met() {
        for x in [1e-9, 0.01, 0.3, 0.5, 0.77, 0.999] {
            for shape in [0.5, 1.0, 3.0, 40.0, 1e6] {
                let rising = libm::pow(x, shape);
                let falling = -libm::expm1(shape * libm::log1p(-x));
                assert!(
                    (regularized(x, shape, 1.0) - rising).abs() < 1e-12 * rising.max(1e-3),
                    "{x}, {shape}"
                );
                assert!((regularized(x, 1.0, shape) - falling).abs() < 1e-12, "{x}, {shape}");
            }
        }
        assert!((regularized(0.5, 0.5, 0.5) - 0.5).abs() < 1e-14);
        assert!((regularized(0.25, 0.5, 0.5) - 1.0 / 3.0).abs() < 1e-14);
    }

    /// Pearson's Tables of the Incomplete Beta-Function (1934), as in Abramowitz and Stegun 26.5, by way of the
    /// binomial: P(at most 2 of 10 at 0.3) = 0.3828, P(at most 5 of 20 at 0.25) = 0.6172.
    #[test]
    fn binomial_tables_are_met() {
        for (count, of, share, table) in
            [(2, 10, 0.3, 0.3828), (5, 20, 0.25, 0.6172), (0, 10, 0.1, 0.3487), (9, 10, 0.5, 0.9990)]
        {
            assert!((binomial_at_most(count, of, share) - table).abs() < 5e-5, "{count} of {of}");
        }
        assert_eq!(binomial_at_most(3, 3, 0.2), 1.0);
    }

    /// To six digits: the other one loses more with large shapes (I_½(a, a) is ½ exactly).
    #[test]
    fn another_implementation_agrees() {
        for a in [0.5, 1.5, 2.0, 7.0, 33.0, 400.0, 1e5] {
            for b in [0.5, 1.0, 3.5, 20.0, 900.0, 1e5] {
                let other = Beta::new(a, b).unwrap();
                let middle = a / (a + b);
                for x in [0.1 * middle, 0.7 * middle, middle, middle + 0.2 * (1.0 - middle)] {
                    let (ours, theirs) = (regularized(x, a, b), other.cdf(x));
                    assert!((ours - theirs).abs() < 1e-6, "I_{x}({a}, {b}): {ours} against {theirs}");
                }
            }
        }
    }

    #[test]
    fn quantiles_undo_probabilities() {
        for (a, b) in [(0.5, 0.5), (1.0, 59.0), (3.0, 1e9), (4e5, 6e5), (0.5, 30.0)] {
            for p in [1e-9, 0.025, 0.5, 0.975] {
                let x = quantile(p, a, b);
                let back = regularized(x, a, b);
                assert!((back - p).abs() < 1e-9 * p.max(1e-2), "{p} of ({a}, {b}): {x}, {back}");
            }
        }
        assert!((quantile(0.5, 5e9, 5e9) - 0.5).abs() < 1e-9, "large counts end too");
    }
}
