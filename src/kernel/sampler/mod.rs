//! A distribution made ready for drawing: fixed parameters folded in, tables built.
//!
//! Laws. One 64-bit uniform makes one variate, by inversion, and a variate never falls as its uniform
//! rises (but for mixtures). A block of 32 gives the very bits that 32 single draws give; it only takes
//! less time, because no variate waits for the one before it.
//!
//! ```
//! use eventflow::kernel::distribution::{Distribution, Shape};
//! use eventflow::kernel::sampler::Sampler;
//! let think = Distribution { shape: Shape::Exponential { mean: 2.0 }, plus: 1.0, min: 0.0, max: 5.0 };
//! let sampler = Sampler::new(&think);
//! assert_eq!(sampler.sample(u64::MAX), 5.0);
//! assert!((sampler.median() - (1.0 + 2.0 * std::f64::consts::LN_2)).abs() < 1e-12);
//! ```

mod summary;

use super::discrete::{Cumulative, Zipf};
use super::distribution::{Distribution, Shape};
use super::gamma::GammaQuantile;
use super::special::{
    exp, ln, normal_central, normal_cumulative, normal_is_central, normal_quantile, normal_tail,
};

/// Variates in a block.
pub const BLOCK: usize = 32;

/// Draws from one distribution.
#[derive(Clone, Debug)]
pub struct Sampler {
    form: Form,
    plus: f64,
    min: f64,
    max: f64,
}

/// A shape with everything that does not depend on the uniform computed.
#[derive(Clone, Debug)]
enum Form {
    Constant(f64),
    Exponential {
        mean: f64,
    },
    Uniform {
        low: f64,
        width: f64,
    },
    UniformInteger {
        low: f64,
        high: f64,
        count: f64,
    },
    Normal {
        mean: f64,
        sd: f64,
    },
    /// `below` is the probability that the untruncated normal is negative, `above` the rest.
    PositiveNormal {
        mean: f64,
        sd: f64,
        below: f64,
        above: f64,
    },
    Lognormal {
        mu: f64,
        sigma: f64,
    },
    Gamma {
        scale: f64,
        quantile: GammaQuantile,
    },
    Weibull {
        scale: f64,
        inverse_shape: f64,
    },
    Pareto {
        min: f64,
        inverse_shape: f64,
    },
    Triangular {
        low: f64,
        mode: f64,
        high: f64,
    },
    /// Sorted.
    Empirical(Box<[f64]>),
    Mixture(Box<[Component]>),
    Zipf(Box<Zipf>),
    Choice {
        shares: Box<[f64]>,
        cumulative: Cumulative,
    },
    Chance(f64),
}

/// One component of a mixture: it owns the uniforms from `begin` to `begin + share`.
#[derive(Clone, Debug)]
struct Component {
    begin: f64,
    share: f64,
    sampler: Sampler,
}

/// A number in (0, 1) and its distance from 1, each exact: tails are as fine above as below.
#[derive(Clone, Copy, Debug)]
struct Uniform {
    lower: f64,
    upper: f64,
}

impl Uniform {
    /// The middle of one of 2^52 equal parts of (0, 1). One part more and the last middle would round to 1.
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        Self { lower: open_unit(bits), upper: open_unit(!bits) }
    }

    /// For any `p`: clamped to what can be drawn.
    fn at(p: f64) -> Self {
        const EDGE: f64 = 1.0 / (1_u64 << 53) as f64;
        let lower = p.clamp(EDGE, 1.0 - EDGE);
        Self { lower, upper: 1.0 - lower }
    }
}

/// (k + ½) 2^-52 for the upper 52 bits k, without a conversion: as the mantissa of a number in [1, 2).
#[inline(always)]
fn open_unit(bits: u64) -> f64 {
    f64::from_bits((bits >> 12) | 0x3FF0_0000_0000_0000) - (1.0 - f64::EPSILON / 2.0)
}

impl Sampler {
    /// Takes parameters as the scenario reader leaves them: finite and in range.
    pub fn new(distribution: &Distribution) -> Self {
        let &Distribution { ref shape, plus, min, max } = distribution;
        Self { form: Form::new(shape), plus, min, max }
    }

    /// The variate of this uniform.
    #[inline]
    pub fn sample(&self, bits: u64) -> f64 {
        self.adjust(self.form.at(Uniform::from_bits(bits)))
    }

    /// The variates of 32 uniforms, bit for bit those of [`Sampler::sample`].
    pub fn block(&self, bits: &[u64; BLOCK], out: &mut [f64; BLOCK]) {
        match &self.form {
            &Form::Exponential { mean } => fill(bits, out, |u| exponential(mean, u)),
            &Form::Uniform { low, width } => fill(bits, out, |u| low + width * u.lower),
            &Form::Normal { mean, sd } => {
                fill_normal(bits, out);
                out.iter_mut().for_each(|z| *z = mean + sd * *z);
            }
            &Form::Lognormal { mu, sigma } => {
                fill_normal(bits, out);
                out.iter_mut().for_each(|z| *z = exp(mu + sigma * *z));
            }
            &Form::Weibull { scale, inverse_shape } => fill(bits, out, |u| weibull(scale, inverse_shape, u)),
            &Form::Pareto { min, inverse_shape } => fill(bits, out, |u| pareto(min, inverse_shape, u)),
            &Form::Chance(share) => fill(bits, out, |u| chance(share, u)),
            form => fill(bits, out, |u| form.at(u)),
        }
        for x in out {
            *x = self.adjust(*x);
        }
    }

    /// Shifts, then clamps.
    #[inline(always)]
    fn adjust(&self, x: f64) -> f64 {
        let x = x + self.plus;
        let x = if x < self.min { self.min } else { x };
        if x > self.max { self.max } else { x }
    }
}

impl Form {
    fn new(shape: &Shape) -> Self {
        match *shape {
            Shape::Constant(value) => Self::Constant(value),
            Shape::Exponential { mean } => Self::Exponential { mean },
            Shape::Uniform { low, high } => Self::Uniform { low, width: high - low },
            Shape::UniformInteger { low, high } => {
                let count = (i128::from(high) - i128::from(low) + 1) as f64;
                Self::UniformInteger { low: low as f64, high: high as f64, count }
            }
            Shape::Normal { mean, sd: 0.0, .. } => Self::Constant(mean),
            Shape::Normal { mean, sd, positive: false } => Self::Normal { mean, sd },
            Shape::Normal { mean, sd, positive: true } => {
                let below = normal_cumulative(-mean / sd);
                Self::PositiveNormal { mean, sd, below, above: normal_cumulative(mean / sd) }
            }
            Shape::Lognormal { mu, sigma } => Self::Lognormal { mu, sigma },
            Shape::Gamma { shape: 1.0, scale } => Self::Exponential { mean: scale },
            Shape::Gamma { shape, scale } => Self::Gamma { scale, quantile: GammaQuantile::new(shape) },
            Shape::Weibull { scale, shape } => Self::Weibull { scale, inverse_shape: 1.0 / shape },
            Shape::Pareto { min, shape } => Self::Pareto { min, inverse_shape: 1.0 / shape },
            Shape::Triangular { low, mode, high } => Self::Triangular { low, mode, high },
            Shape::Empirical(ref values) => {
                let mut values = values.clone();
                values.sort_by(f64::total_cmp);
                Self::Empirical(values.into())
            }
            Shape::Mixture(ref parts) => Self::Mixture(components(parts)),
            Shape::Zipf { n, s } => Self::Zipf(Box::new(Zipf::new(n, s))),
            Shape::Choice(ref shares) => {
                Self::Choice { shares: shares.as_slice().into(), cumulative: Cumulative::new(shares) }
            }
            Shape::Chance(share) => Self::Chance(share),
        }
    }

    /// Inversion, before shift and clamp.
    #[inline]
    fn at(&self, u: Uniform) -> f64 {
        match self {
            &Self::Constant(value) => value,
            &Self::Exponential { mean } => exponential(mean, u),
            &Self::Uniform { low, width } => low + width * u.lower,
            &Self::UniformInteger { low, high, count } => (low + (u.lower * count).floor()).min(high),
            &Self::Normal { mean, sd } => mean + sd * normal_quantile(u.lower, u.upper),
            &Self::PositiveNormal { mean, sd, below, above } => positive_normal(mean, sd, below, above, u),
            &Self::Lognormal { mu, sigma } => exp(mu + sigma * normal_quantile(u.lower, u.upper)),
            Self::Gamma { scale, quantile } => scale * quantile.at(u.lower, u.upper),
            &Self::Weibull { scale, inverse_shape } => weibull(scale, inverse_shape, u),
            &Self::Pareto { min, inverse_shape } => pareto(min, inverse_shape, u),
            &Self::Triangular { low, mode, high } => triangular(low, mode, high, u),
            Self::Empirical(values) => {
                values[((u.lower * values.len() as f64) as usize).min(values.len() - 1)]
            }
            Self::Mixture(components) => mixture(components, u),
            Self::Zipf(zipf) => zipf.rank(u.lower, u.upper),
            Self::Choice { cumulative, .. } => cumulative.position(u.lower) as f64,
            &Self::Chance(share) => chance(share, u),
        }
    }
}

#[inline(always)]
fn exponential(mean: f64, u: Uniform) -> f64 {
    -mean * ln(u.upper)
}

#[inline(always)]
fn weibull(scale: f64, inverse_shape: f64, u: Uniform) -> f64 {
    scale * exp(inverse_shape * ln(-ln(u.upper)))
}

#[inline(always)]
fn pareto(min: f64, inverse_shape: f64, u: Uniform) -> f64 {
    min * exp(-inverse_shape * ln(u.upper))
}

#[inline(always)]
fn chance(share: f64, u: Uniform) -> f64 {
    if u.upper < share { 1.0 } else { 0.0 }
}

fn triangular(low: f64, mode: f64, high: f64, u: Uniform) -> f64 {
    let width = high - low;
    if u.lower * width < mode - low {
        low + (u.lower * width * (mode - low)).sqrt()
    } else {
        high - (u.upper * width * (high - mode)).sqrt()
    }
}

/// The normal truncated at 0. It is counted from the tail that keeps its digits: from below while most
/// of the normal is positive, from above when only a tail of it is.
fn positive_normal(mean: f64, sd: f64, below: f64, above: f64, u: Uniform) -> f64 {
    let z = if above >= 0.5 {
        normal_quantile(below + u.lower * above, u.upper * above)
    } else if above > f64::MIN_POSITIVE * 1e17 {
        -normal_quantile(u.upper * above, below + u.lower * above)
    } else {
        // More than 37 standard deviations out, the tail is exponential with rate |mean| / sd².
        return exponential(sd * sd / -mean, u);
    };
    (mean + sd * z).max(0.0)
}

fn components(parts: &[(f64, Distribution)]) -> Box<[Component]> {
    let total: f64 = parts.iter().map(|(share, _)| share).sum();
    let mut begin = 0.0;
    let positive = parts.iter().filter(|(share, _)| *share > 0.0);
    let component = positive.map(|(share, distribution)| {
        let component = Component { begin, share: share / total, sampler: Sampler::new(distribution) };
        begin += component.share;
        component
    });
    component.collect()
}

/// The uniform chooses a component; its place within that component's share is the next uniform.
fn mixture(components: &[Component], u: Uniform) -> f64 {
    const EDGE: f64 = 1.0 / (1_u64 << 53) as f64;
    let after = components.partition_point(|component| component.begin <= u.lower);
    let component = &components[after - 1];
    let lower = ((u.lower - component.begin) / component.share).clamp(EDGE, 1.0 - EDGE);
    component.sampler.adjust(component.sampler.form.at(Uniform { lower, upper: 1.0 - lower }))
}

/// A loop over a block without branches, so that it becomes vector code.
#[inline(always)]
fn fill(bits: &[u64; BLOCK], out: &mut [f64; BLOCK], variate: impl Fn(Uniform) -> f64) {
    for (x, &bits) in out.iter_mut().zip(bits) {
        *x = variate(Uniform::from_bits(bits));
    }
}

/// Standard normals: the central function for all of a block, then the 15 % in the tails again. These are
/// listed first, without a branch that would be guessed wrong.
#[inline(always)]
fn fill_normal(bits: &[u64; BLOCK], out: &mut [f64; BLOCK]) {
    fill(bits, out, |u| normal_central(u.lower - 0.5));
    let mut tails = [0; BLOCK];
    let mut count = 0;
    for (i, &bits) in bits.iter().enumerate() {
        tails[count] = i;
        count += usize::from(!normal_is_central(open_unit(bits) - 0.5));
    }
    for &i in &tails[..count] {
        let u = Uniform::from_bits(bits[i]);
        out[i] = normal_tail(u.lower, u.upper);
    }
}

#[cfg(test)]
mod tests;
