//! Distributions, drawn by inversion from one uniform: exactly one 64-bit draw per variate, and
//! monotone in it (but for mixtures), which is what common random numbers need. Transcendental
//! functions come from `libm`, pinned, so that a draw is the same on every platform.

/// A distribution in base units, with shift and clamp.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    pub shape: Shape,
    /// Added to what is drawn (`plus`).
    pub plus: f64,
    /// Clamps after `plus`.
    pub min: f64,
    pub max: f64,
}

/// The families. Parameters were checked when the scenario was read: finite, and in range.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Constant(f64),
    Exponential {
        mean: f64,
    },
    Uniform {
        low: f64,
        high: f64,
    },
    /// Whole numbers from `low` to `high`, both included.
    UniformInteger {
        low: i64,
        high: i64,
    },
    /// With `positive` (durations), draws below zero are redrawn: the normal truncated at 0.
    Normal {
        mean: f64,
        sd: f64,
        positive: bool,
    },
    /// Of the logarithm.
    Lognormal {
        mu: f64,
        sigma: f64,
    },
    /// An Erlang is a gamma with a whole shape.
    Gamma {
        shape: f64,
        scale: f64,
    },
    Weibull {
        scale: f64,
        shape: f64,
    },
    Pareto {
        min: f64,
        shape: f64,
    },
    Triangular {
        low: f64,
        mode: f64,
        high: f64,
    },
    /// One of these, equally likely.
    Empirical(Vec<f64>),
    /// Shares sum to 1.
    Mixture(Vec<(f64, Distribution)>),
    /// Ranks 1..=n with P(k) ∝ k^-s.
    Zipf {
        n: u64,
        s: f64,
    },
    /// Position of the chosen share; shares sum to 1.
    Choice(Vec<f64>),
    /// 1 with this probability, else 0.
    Chance(f64),
}
