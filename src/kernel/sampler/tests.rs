//! Every family against closed forms: quantiles, moments of a seeded stream, and the whole shape by
//! Kolmogorov and Smirnov.

use super::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const DRAWS: usize = 200_000;

fn plain(shape: Shape) -> Distribution {
    Distribution { shape, plus: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY }
}

fn sampler(shape: Shape) -> Sampler {
    Sampler::new(&plain(shape))
}

fn draws(sampler: &Sampler) -> Vec<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(7);
    (0..DRAWS).map(|_| sampler.sample(generator.next_u64())).collect()
}

/// One of each family, with its mean and variance from the textbook.
fn families() -> Vec<(Shape, f64, f64)> {
    let zipf_weight = |k: i32, power: f64| libm::pow(f64::from(k), power);
    let zipf_sum = |power: f64| (1..=50).map(|k| zipf_weight(k, power)).sum::<f64>();
    let (h, m, m2) = (zipf_sum(-1.1), zipf_sum(-0.1), zipf_sum(0.9));
    let (normal_mean, normal_variance) = truncated_normal(1.0, 2.0);
    let (far_mean, far_variance) = truncated_normal(-6.0, 2.0);
    vec![
        (Shape::Constant(3.0), 3.0, 0.0),
        (Shape::Exponential { mean: 2.0 }, 2.0, 4.0),
        (Shape::Uniform { low: -1.0, high: 3.0 }, 1.0, 16.0 / 12.0),
        (Shape::UniformInteger { low: -2, high: 3 }, 0.5, 35.0 / 12.0),
        (Shape::Normal { mean: 1.0, sd: 2.0, positive: false }, 1.0, 4.0),
        (Shape::Normal { mean: 1.0, sd: 2.0, positive: true }, normal_mean, normal_variance),
        (Shape::Normal { mean: -6.0, sd: 2.0, positive: true }, far_mean, far_variance),
        (Shape::Lognormal { mu: 0.5, sigma: 0.4 }, libm::exp(0.58), libm::expm1(0.16) * libm::exp(1.16)),
        (Shape::Gamma { shape: 0.7, scale: 3.0 }, 2.1, 6.3),
        (Shape::Gamma { shape: 4.0, scale: 0.5 }, 2.0, 1.0),
        (Shape::Gamma { shape: 1.0, scale: 5.0 }, 5.0, 25.0),
        (Shape::Weibull { scale: 2.0, shape: 2.0 }, std::f64::consts::PI.sqrt(), 4.0 - std::f64::consts::PI),
        (Shape::Pareto { min: 1.0, shape: 5.0 }, 1.25, 5.0 / 48.0),
        (Shape::Triangular { low: 0.0, mode: 1.0, high: 4.0 }, 5.0 / 3.0, 13.0 / 18.0),
        (Shape::Empirical(vec![4.0, 1.0, 1.0, 2.0]), 2.0, 1.5),
        (
            Shape::Mixture(vec![
                (0.25, plain(Shape::Constant(10.0))),
                (0.0, plain(Shape::Constant(1e9))),
                (0.75, plain(Shape::Exponential { mean: 2.0 })),
            ]),
            4.0,
            0.25 * 100.0 + 0.75 * 8.0 - 16.0,
        ),
        (Shape::Zipf { n: 50, s: 1.1 }, m / h, m2 / h - (m / h) * (m / h)),
        (Shape::Choice(vec![0.2, 0.5, 0.3]), 1.1, 0.5 + 1.2 - 1.21),
        (Shape::Chance(0.3), 0.3, 0.21),
    ]
}

/// Mean and variance of a normal truncated at 0 (Johnson, Kotz and Balakrishnan, 1994, 13.10.1).
fn truncated_normal(mean: f64, sd: f64) -> (f64, f64) {
    let alpha = -mean / sd;
    let density = libm::exp(-0.5 * alpha * alpha) / (2.0 * std::f64::consts::PI).sqrt();
    let hazard = density / (0.5 * libm::erfc(alpha / 2.0_f64.sqrt()));
    (mean + sd * hazard, sd * sd * (1.0 + alpha * hazard - hazard * hazard))
}

#[test]
fn means_and_variances_are_the_textbooks() {
    for (shape, mean, variance) in families() {
        let sampler = sampler(shape.clone());
        assert!((sampler.mean() - mean).abs() <= 1e-9 * mean.abs(), "{shape:?}: mean {}", sampler.mean());
        let draws = draws(&sampler);
        let n = DRAWS as f64;
        let sample_mean = draws.iter().sum::<f64>() / n;
        assert!(
            (sample_mean - mean).abs() <= 4.5 * (variance / n).sqrt(),
            "{shape:?}: drew mean {sample_mean}"
        );
        let squares: Vec<f64> = draws.iter().map(|x| (x - mean) * (x - mean)).collect();
        let sample_variance = squares.iter().sum::<f64>() / n;
        let fourth = squares.iter().map(|s| s * s).sum::<f64>() / n;
        let error = ((fourth - sample_variance * sample_variance) / n).sqrt();
        assert!(
            (sample_variance - variance).abs() <= 5.0 * error + 1e-12,
            "{shape:?}: drew variance {sample_variance}"
        );
    }
}

#[test]
fn blocks_give_the_bits_of_single_draws() {
    let mut generator = ChaCha8Rng::seed_from_u64(11);
    for (shape, ..) in families() {
        for (plus, min, max) in [(0.0, f64::NEG_INFINITY, f64::INFINITY), (0.5, 1.0, 2.5)] {
            let sampler = Sampler::new(&Distribution { shape: shape.clone(), plus, min, max });
            for _ in 0..50 {
                let mut bits = std::array::from_fn(|_| generator.next_u64());
                (bits[0], bits[1]) = (0, u64::MAX);
                let mut out = [0.0; BLOCK];
                sampler.block(&bits, &mut out);
                for (bits, x) in bits.iter().zip(out) {
                    assert_eq!(sampler.sample(*bits).to_bits(), x.to_bits(), "{shape:?} at {bits:x}");
                    assert!(x.is_finite() && x >= min && x <= max);
                }
            }
        }
    }
}

/// One uniform, one variate, rising: what common random numbers need.
#[test]
fn variates_rise_with_their_uniform() {
    for (shape, ..) in families().into_iter().filter(|(shape, ..)| !matches!(shape, Shape::Mixture(_))) {
        let sampler = sampler(shape.clone());
        let steps = (0..5_000_u64).map(|i| i * (u64::MAX / 5_000)).chain([u64::MAX]);
        let variates: Vec<f64> = steps.map(|bits| sampler.sample(bits)).collect();
        // The two halves of a piecewise quantile meet within rounding.
        assert!(variates.is_sorted_by(|a, b| *a <= b + 1e-14 * b.abs()), "{shape:?}");
    }
}

type DistributionFunction = fn(f64) -> f64;

/// Closed-form distribution functions of the continuous families.
fn distribution_functions() -> Vec<(Shape, DistributionFunction)> {
    vec![
        (Shape::Exponential { mean: 2.0 }, |x| -libm::expm1(-x / 2.0)),
        (Shape::Uniform { low: -1.0, high: 3.0 }, |x| (x + 1.0) / 4.0),
        (Shape::Normal { mean: 1.0, sd: 2.0, positive: false }, |x| {
            0.5 * libm::erfc((1.0 - x) / 8.0_f64.sqrt())
        }),
        (Shape::Normal { mean: 1.0, sd: 2.0, positive: true }, |x| {
            let phi = |z: f64| 0.5 * libm::erfc(-z / 2.0_f64.sqrt());
            (phi((x - 1.0) / 2.0) - phi(-0.5)) / phi(0.5)
        }),
        (Shape::Lognormal { mu: 0.5, sigma: 0.4 }, |x| {
            0.5 * libm::erfc((0.5 - libm::log(x)) / (0.4 * 2.0_f64.sqrt()))
        }),
        (Shape::Gamma { shape: 3.0, scale: 2.0 }, |x| {
            let y = x / 2.0;
            1.0 - libm::exp(-y) * (1.0 + y + 0.5 * y * y)
        }),
        (Shape::Gamma { shape: 0.5, scale: 2.0 }, |x| libm::erf((x / 2.0).sqrt())),
        (Shape::Weibull { scale: 2.0, shape: 1.7 }, |x| -libm::expm1(-libm::pow(x / 2.0, 1.7))),
        (Shape::Pareto { min: 1.5, shape: 2.5 }, |x| 1.0 - libm::pow(1.5 / x, 2.5)),
        (Shape::Triangular { low: 0.0, mode: 1.0, high: 4.0 }, |x| {
            if x < 1.0 { x * x / 4.0 } else { 1.0 - (4.0 - x) * (4.0 - x) / 12.0 }
        }),
    ]
}

#[test]
fn quantiles_invert_the_distribution_functions() {
    for (shape, function) in distribution_functions() {
        let sampler = sampler(shape.clone());
        for i in 1..500 {
            let p = f64::from(i) / 500.0;
            let x = sampler.quantile(p);
            assert!((function(x) - p).abs() < 1e-12, "{shape:?} at {p}");
            assert!((sampler.cumulative(x) - p).abs() < 1e-12, "{shape:?} at {p}");
        }
        assert_eq!(sampler.median(), sampler.quantile(0.5));
    }
}

/// Kolmogorov and Smirnov: √n D stays below 1.95 with probability 0.999 if the shape is right.
#[test]
fn draws_follow_their_distribution_functions() {
    for (shape, function) in distribution_functions() {
        let mut draws = draws(&sampler(shape.clone()));
        draws.sort_by(f64::total_cmp);
        let n = DRAWS as f64;
        let distance = |(i, &x): (usize, &f64)| {
            let p = function(x);
            (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
        };
        let largest = draws.iter().enumerate().map(distance).fold(0.0, f64::max);
        assert!(n.sqrt() * largest < 1.95, "{shape:?}: {}", n.sqrt() * largest);
    }
}

#[test]
fn clamped_means_are_those_of_the_draws() {
    for (shape, _, variance) in families() {
        for (plus, min, max) in [(0.5, 1.5, 3.0), (0.0, 1.25, f64::INFINITY), (-1.0, f64::NEG_INFINITY, 1.1)]
        {
            let sampler = Sampler::new(&Distribution { shape: shape.clone(), plus, min, max });
            let drawn = draws(&sampler).iter().sum::<f64>() / DRAWS as f64;
            // A clamp lessens the variance.
            let bound = 4.5 * (variance / DRAWS as f64).sqrt() + 1e-9;
            assert!(
                (sampler.mean() - drawn).abs() <= bound,
                "{shape:?} in [{min}, {max}]: {} or {drawn}",
                sampler.mean()
            );
        }
    }
}

/// E min(X, c) and E max(X, c) of an exponential, by hand.
#[test]
fn clamped_mean_of_an_exponential_is_exact() {
    let exponential = |plus, min, max| {
        Sampler::new(&Distribution { shape: Shape::Exponential { mean: 2.0 }, plus, min, max }).mean()
    };
    let below = exponential(0.0, 0.0, 3.0);
    assert!((below + 2.0 * libm::expm1(-1.5)).abs() < 1e-12);
    let above = exponential(0.0, 3.0, f64::INFINITY);
    assert!((above - (3.0 + 2.0 * libm::exp(-1.5))).abs() < 1e-12);
    let shifted = exponential(1.0, 4.0, f64::INFINITY);
    assert!((shifted - 1.0 - above).abs() < 1e-12);
    let infinite = sampler(Shape::Pareto { min: 1.0, shape: 1.0 });
    assert_eq!(infinite.mean(), f64::INFINITY);
    let clamped = Distribution { max: std::f64::consts::E, ..plain(Shape::Pareto { min: 1.0, shape: 1.0 }) };
    assert!((Sampler::new(&clamped).mean() - 2.0).abs() < 1e-12, "1 + ln c");
}

#[test]
fn quantiles_of_a_mixture_add_up_its_components() {
    let parts = vec![
        (0.5, plain(Shape::Exponential { mean: 1.0 })),
        (0.5, Distribution { plus: 10.0, ..plain(Shape::Exponential { mean: 1.0 }) }),
    ];
    let mixture = sampler(Shape::Mixture(parts));
    assert!((mixture.quantile(0.25) - std::f64::consts::LN_2).abs() < 1e-4);
    assert!((mixture.quantile(0.75) - 10.0 - std::f64::consts::LN_2).abs() < 1e-4);
    for p in [0.1, 0.25, 0.499, 0.6, 0.99] {
        assert!((mixture.cumulative(mixture.quantile(p)) - p).abs() < 1e-12);
    }
    let steps =
        sampler(Shape::Mixture(vec![(0.3, plain(Shape::Constant(1.0))), (0.7, plain(Shape::Constant(5.0)))]));
    assert_eq!((steps.quantile(0.29), steps.median(), steps.mean()), (1.0, 5.0, 3.8));
}

/// The ends of the uniform's range give finite values in every family, however wild the parameters.
#[test]
fn extreme_uniforms_and_parameters_stay_finite() {
    let wild = [
        Shape::Lognormal { mu: 0.0, sigma: 1e3 },
        Shape::Pareto { min: 1.0, shape: 1e-3 },
        Shape::Weibull { scale: 1.0, shape: 1e-3 },
        Shape::Gamma { shape: 1e-6, scale: 1.0 },
        Shape::Normal { mean: -1e6, sd: 1.0, positive: true },
        Shape::UniformInteger { low: i64::MIN, high: i64::MAX },
        Shape::Zipf { n: u64::MAX, s: 0.0 },
    ];
    for shape in wild.into_iter().chain(families().into_iter().map(|(shape, ..)| shape)) {
        let sampler = sampler(shape.clone());
        for bits in [0, 1, 1 << 63, u64::MAX - 1, u64::MAX] {
            assert!(sampler.sample(bits).is_finite(), "{shape:?} at {bits:x}");
        }
    }
}
