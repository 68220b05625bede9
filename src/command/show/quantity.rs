//! Quantities as a scenario would write them.

use crate::kernel::distribution::{Distribution, Shape};
use crate::kernel::stream::Draw;
use crate::kernel::time::{Nanos, Pretty, nanos_from_f64};
use crate::scenario::resolved::{Count, Generator, GeneratorKind};

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

pub fn time(nanos: Nanos) -> String {
    Pretty(nanos).to_string()
}

pub fn count(count: Count) -> String {
    count.map_or("unlimited".to_owned(), |count| count.to_string())
}

/// A count as the model has it: the largest stands for `unlimited`.
pub fn model_count(count: u32) -> String {
    self::count(Some(count).filter(|&count| count != u32::MAX))
}

pub fn share(share: f64) -> String {
    format!("{}%", share * 100.0)
}

/// A generator of durations.
pub fn length(generator: &Generator) -> String {
    match &generator.kind {
        GeneratorKind::Distribution(distribution) => drawn(distribution, &nanos),
        GeneratorKind::Choice { .. } | GeneratorKind::Counter(_) => "?".to_owned(),
    }
}

/// What a stream draws.
pub fn draw(draw: &Draw) -> String {
    match draw {
        Draw::Nanos(distribution) => drawn(distribution, &nanos),
        Draw::Integer(distribution) | Draw::Number(distribution) => {
            drawn(distribution, &|number| number.to_string())
        }
        Draw::Bits => "any of all words".to_owned(),
    }
}

fn nanos(nanos: f64) -> String {
    time(nanos_from_f64(nanos))
}

/// A distribution with its quantities in words.
fn drawn(distribution: &Distribution, unit: &dyn Fn(f64) -> String) -> String {
    let mut text = shape(&distribution.shape, unit);
    if distribution.plus != 0.0 {
        text += &format!(" plus {}", unit(distribution.plus));
    }
    if distribution.min.is_finite() {
        text += &format!(" min {}", unit(distribution.min));
    }
    if distribution.max.is_finite() {
        text += &format!(" max {}", unit(distribution.max));
    }
    text
}

fn shape(shape: &Shape, unit: &dyn Fn(f64) -> String) -> String {
    match shape {
        Shape::Constant(value) => unit(*value),
        Shape::Exponential { mean } => format!("exponential(mean {})", unit(*mean)),
        Shape::Uniform { low, high } => format!("uniform({} to {})", unit(*low), unit(*high)),
        Shape::UniformInteger { low, high } => format!("uniform({low} to {high})"),
        Shape::Normal { mean, sd, .. } => format!("normal(mean {}, sd {})", unit(*mean), unit(*sd)),
        Shape::Lognormal { mu, sigma } => {
            let (median, p99) = (libm::exp(*mu), libm::exp(mu + NORMAL_P99 * sigma));
            format!("lognormal(median {}, p99 {})", unit(median.round()), unit(p99.round()))
        }
        Shape::Gamma { shape, scale } => format!("gamma(mean {}, shape {shape})", unit(shape * scale)),
        Shape::Weibull { scale, shape } => format!("weibull(scale {}, shape {shape})", unit(*scale)),
        Shape::Pareto { min, shape } => format!("pareto(min {}, shape {shape})", unit(*min)),
        Shape::Triangular { low, mode, high } => {
            format!("triangular({}, {}, {})", unit(*low), unit(*mode), unit(*high))
        }
        Shape::Empirical(values) => format!("empirical({} values)", values.len()),
        Shape::Mixture(parts) => {
            let parts = parts.iter().map(|(part, of)| format!("{} {}", share(*part), drawn(of, unit)));
            format!("mixture({})", parts.collect::<Vec<_>>().join(", "))
        }
        Shape::Zipf { n, s } => format!("zipf(n {n}, s {s})"),
        Shape::Choice(shares) => {
            let shares: Vec<String> = shares.iter().map(|&of| share(of)).collect();
            format!("choice({})", shares.join(", "))
        }
        Shape::Chance(probability) => format!("chance({})", share(*probability)),
    }
}
