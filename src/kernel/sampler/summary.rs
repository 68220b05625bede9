//! What is known of a sampler without drawing: quantiles, cumulative probabilities and the mean.
//! None of this is on the hot path; where a clamp cuts a distribution, the mean is integrated.

use super::{Component, Form, Sampler, Uniform};
use crate::kernel::special::{exp, normal_cumulative};

impl Sampler {
    /// The value that half of the variates do not exceed; what a neutral replay uses.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The value at probability `p`. At and beyond 0 and 1 it is the smallest and the largest that can
    /// be drawn: a quantile is always a value that the sampler can give.
    pub fn quantile(&self, p: f64) -> f64 {
        let u = Uniform::at(p);
        match &self.form {
            Form::Mixture(components) => self.adjust(mixture_quantile(components, u.lower)),
            form => self.adjust(form.at(u)),
        }
    }

    /// The probability that a variate is at most `x`, to 52 bits.
    pub fn cumulative(&self, x: f64) -> f64 {
        match &self.form {
            Form::Mixture(components) if self.min <= x && x < self.max => {
                let part = |c: &Component| c.share * c.sampler.cumulative(x - self.plus);
                components.iter().map(part).sum()
            }
            Form::Mixture(_) => f64::from(x >= self.max),
            form => share_at_most(|u| self.adjust(form.at(u)), x),
        }
    }

    /// The mean, after shift and clamp; infinite where it does not exist (a Pareto with shape ≤ 1).
    pub fn mean(&self) -> f64 {
        self.form.clamped_mean(self.plus, self.min, self.max.max(self.min))
    }
}

impl Form {
    /// Mean of this form shifted by `plus` and clamped to [`min`, `max`], with min ≤ max.
    fn clamped_mean(&self, plus: f64, min: f64, max: f64) -> f64 {
        let clamp = |x: f64| (x + plus).max(min).min(max);
        match self {
            &Self::Constant(value) => clamp(value),
            &Self::Chance(share) => share * clamp(1.0) + (1.0 - share) * clamp(0.0),
            Self::Empirical(values) => values.iter().map(|&x| clamp(x)).sum::<f64>() / values.len() as f64,
            Self::Choice { shares, .. } => {
                let total: f64 = shares.iter().sum();
                shares.iter().zip(0_u32..).map(|(share, i)| share * clamp(f64::from(i))).sum::<f64>() / total
            }
            Self::Mixture(components) => {
                components.iter().map(|c| c.share * c.sampler.clamped_mean_within(plus, min, max)).sum()
            }
            Self::Zipf(zipf) => zipf.clamped_mean(plus, min, max),
            &Self::UniformInteger { low, high, count } => {
                // Whole numbers from `first` to `last` are free; those outside count as the clamp.
                let first = (min - plus).ceil().clamp(low, high + 1.0);
                let last = (max - plus).floor().clamp(first - 1.0, high);
                let (under, over) = (first - low, high - last);
                let free = (last - first + 1.0) * (0.5 * (first + last) + plus);
                let under = if under > 0.0 { under * min } else { 0.0 };
                let over = if over > 0.0 { over * max } else { 0.0 };
                (under + free + over) / count
            }
            _ => self.continuous_clamped_mean(plus, min, max),
        }
    }

    /// E clamp(X) = min F(min) + ∫ Q du between F(min) and F(max) + max (1 − F(max)), Q the quantile; where
    /// nothing bounds X from above, the mean itself and what the clamp adds to it from below.
    fn continuous_clamped_mean(&self, plus: f64, min: f64, max: f64) -> f64 {
        let value = |u: f64| self.at(Uniform::at(u)) + plus;
        let lowest = self.at(Uniform::at(0.0)) + plus;
        let highest = self.at(Uniform::at(1.0)) + plus;
        let below = if min <= lowest { 0.0 } else { share_at_most(|u| self.at(u) + plus, min) };
        if max >= highest {
            return self.plain_mean() + plus + integral(0.0, below, |u| min - value(u));
        }
        let up_to = share_at_most(|u| self.at(u) + plus, max);
        let cut = if below > 0.0 { min * below } else { 0.0 };
        cut + integral(below, up_to, value) + max * (1.0 - up_to.max(below))
    }

    /// The textbook mean of the continuous families.
    fn plain_mean(&self) -> f64 {
        match *self {
            Self::Exponential { mean } => mean,
            Self::Uniform { low, width } => low + 0.5 * width,
            Self::Normal { mean, .. } => mean,
            Self::PositiveNormal { mean, sd, above, .. } => positive_normal_mean(mean, sd, above),
            Self::Lognormal { mu, sigma } => exp(mu + 0.5 * sigma * sigma),
            Self::Gamma { scale, ref quantile } => scale * quantile.shape(),
            Self::Weibull { scale, inverse_shape } => scale * libm::tgamma(1.0 + inverse_shape),
            Self::Pareto { inverse_shape, .. } if inverse_shape >= 1.0 => f64::INFINITY,
            Self::Pareto { min, inverse_shape } => min / (1.0 - inverse_shape),
            Self::Triangular { low, mode, high } => (low + mode + high) / 3.0,
            _ => unreachable!("discrete forms and mixtures are summed, not integrated"),
        }
    }
}

impl Sampler {
    /// Mean of this sampler's variates, shifted and clamped once more: the two make one shift and one clamp.
    fn clamped_mean_within(&self, plus: f64, min: f64, max: f64) -> f64 {
        let inner_max = self.max.max(self.min);
        let low = (self.min + plus).max(min).min(max);
        let high = (inner_max + plus).max(min).min(max);
        self.form.clamped_mean(self.plus + plus, low, high)
    }
}

/// μ + σ φ(μ/σ) / Φ(μ/σ); far below 0 the exponential tail that the sampler uses too.
fn positive_normal_mean(mean: f64, sd: f64, above: f64) -> f64 {
    let z = mean / sd;
    if z < -35.0 {
        return sd * sd / -mean;
    }
    let density = exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
    let above = if above > 0.0 { above } else { normal_cumulative(z) };
    mean + sd * density / above
}

/// The share of uniforms whose value is at most `x`, by bisection over the 2^52 of them.
fn share_at_most(value: impl Fn(Uniform) -> f64, x: f64) -> f64 {
    let count = 1_u64 << 52;
    let (mut some, mut none) = (0, count);
    // Of the uniforms before `some` all are at most x, of those from `none` on not one.
    while some < none {
        let middle = some + (none - some) / 2;
        if value(Uniform::from_bits(middle << 12)) <= x {
            some = middle + 1;
        } else {
            none = middle;
        }
    }
    some as f64 / count as f64
}

/// The smallest float at which the components' cumulative probabilities reach `p`.
fn mixture_quantile(components: &[Component], p: f64) -> f64 {
    let quantiles = components.iter().map(|c| c.sampler.quantile(p));
    let (low, high) =
        quantiles.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let (mut low, mut high) = (ordered(low), ordered(high));
    while low < high {
        let middle = low + (high - low) / 2;
        let x = unordered(middle);
        let reached: f64 = components.iter().map(|c| c.share * c.sampler.cumulative(x)).sum();
        if reached < p {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    unordered(low)
}

/// Floats as integers of the same order, so that bisection ends after 64 halvings.
fn ordered(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn unordered(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

/// ∫ f over [a, b] within [0, 1]; f may be infinite, integrably, at the ends. Zero if b ≤ a.
///
/// Source: Takahasi and Mori, "Double exponential formulas for numerical integration", 1974.
fn integral(a: f64, b: f64, f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: i32 = 64;
    const STEP: f64 = 1.0 / 16.0;
    if b <= a {
        return 0.0;
    }
    let point = |i: i32| {
        let t = f64::from(i) * STEP;
        let stretched = std::f64::consts::PI * libm::sinh(t);
        // The share of [a, b] that lies left of the point, and its derivative by t.
        let left = 1.0 / (1.0 + exp(-stretched));
        let right = 1.0 / (1.0 + exp(stretched));
        let weight = std::f64::consts::PI * libm::cosh(t) * left * right;
        let x = if left < 0.5 { a + (b - a) * left } else { b - (b - a) * right };
        let x = x.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
        if weight < 1e-30 { 0.0 } else { weight * f(x) }
    };
    (b - a) * STEP * (-STEPS..=STEPS).map(point).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::special::ln;

    #[test]
    fn ordered_floats_keep_their_order_and_come_back() {
        let rising = [f64::NEG_INFINITY, -1e300, -1.0, -1e-300, 0.0, 1e-300, 1.0, 1e300, f64::INFINITY];
        assert!(rising.is_sorted_by_key(|&x| ordered(x)));
        assert!(rising.iter().all(|&x| unordered(ordered(x)) == x));
    }

    #[test]
    fn integrals_with_infinite_ends_are_right() {
        assert!((integral(0.0, 1.0, |u| -ln(u)) - 1.0).abs() < 1e-12);
        assert!((integral(0.0, 0.25, |u| 1.0 / u.sqrt()) - 1.0).abs() < 1e-9);
        assert!((integral(0.25, 0.75, |u| u * u) - (27.0 / 64.0 - 1.0 / 64.0) / 3.0).abs() < 1e-14);
        assert_eq!(integral(0.5, 0.5, |u| u), 0.0);
    }
}
