//! The quantile of the gamma distribution, which has no closed form: the regularized incomplete gamma
//! function, inverted by iteration. Some 0.2–2 µs, so a gamma is the slow family.
//!
//! ```
//! use eventflow::kernel::gamma::GammaQuantile;
//! let erlang = GammaQuantile::new(2.0);
//! assert!((erlang.at(0.5, 0.5) - 1.678_346_990_016_660_7).abs() < 1e-12);
//! ```

use super::special::{exp, ln, normal_quantile};

/// The quantile of a gamma distribution with scale 1, by Newton's method on the logarithm of the
/// regularized incomplete gamma function as a function of the logarithm of x. A gamma's logarithm has
/// log-concave tails, so after the first step the iterates approach from one side and always converge.
#[derive(Clone, Debug)]
pub struct GammaQuantile {
    shape: f64,
    log_gamma: f64,
}

/// From this shape on, an expansion about the normal is exact to 14 digits, and iterating is not.
const LARGE_SHAPE: f64 = 1e5;

impl GammaQuantile {
    /// For a positive `shape`.
    pub fn new(shape: f64) -> Self {
        Self { shape, log_gamma: libm::lgamma(shape) }
    }

    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// The quantile at `lower`, where `upper` is 1 − `lower`; relative error about 1e-12.
    pub fn at(&self, lower: f64, upper: f64) -> f64 {
        const ITERATIONS: u32 = 40;
        let z = normal_quantile(lower, upper);
        if self.shape >= LARGE_SHAPE {
            return self.expansion(z);
        }
        let from_below = lower < upper;
        let target = if from_below { ln(lower) } else { ln(upper) };
        let mut log_x = self.first_guess(lower, z);
        for _ in 0..ITERATIONS {
            // Below this e^log_x is no positive float; a duration of 0 is what is meant.
            if log_x < -700.0 {
                return 0.0;
            }
            let x = exp(log_x);
            let log_density = self.log_density_times_x(x);
            let density = exp(log_density);
            let (p, q) = self.regularized(x, density);
            let (tail, direction) = if from_below { (p, -1.0) } else { (q, 1.0) };
            if tail < f64::MIN_POSITIVE || log_density < -700.0 {
                // Far out in the tail nothing can be computed: come back towards the middle.
                log_x += if from_below { 0.5 } else { -0.5 };
                continue;
            }
            let step = direction * (ln(tail) - target) * tail / density;
            let step = step.clamp(-3.0 - 3.0 / self.shape, 3.0 + 3.0 / self.shape);
            log_x += step;
            if step.abs() < 1e-9 {
                break;
            }
        }
        exp(log_x)
    }

    /// Wilson and Hilferty's cube where it is good, else the leading term at 0, as a logarithm.
    fn first_guess(&self, lower: f64, z: f64) -> f64 {
        let a = self.shape;
        let cube_root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
        let leading = (ln(lower) + self.log_gamma + ln(a)) / a;
        if a > 0.5 && cube_root > 0.2 { ln(a) + 3.0 * ln(cube_root) } else { leading.min(ln(a + 1.0)) }
    }

    /// ln(x f(x)) with f the density, without cancellation for large shapes.
    fn log_density_times_x(&self, x: f64) -> f64 {
        let a = self.shape;
        if a < 20.0 {
            return a * ln(x) - x - self.log_gamma;
        }
        let mu = (x - a) / a;
        let b = 1.0 / (a * a);
        let stirling = (1.0 / 12.0 - b * (1.0 / 360.0 - b * (1.0 / 1260.0 - b / 1680.0))) / a;
        a * (libm::log1p(mu) - mu) + 0.5 * ln(a / (2.0 * std::f64::consts::PI)) - stirling
    }

    /// The regularized incomplete gamma functions P and Q = 1 − P at x, given x f(x).
    ///
    /// Source: Press et al., Numerical Recipes, 3rd ed., 6.2: the series below a + 1, Lentz's continued
    /// fraction above. Both need some 9 √a terms at most.
    fn regularized(&self, x: f64, density_times_x: f64) -> (f64, f64) {
        let a = self.shape;
        let most_terms = 200 + (12.0 * a.sqrt()) as u32;
        if x < a + 1.0 {
            let mut term = 1.0 / a;
            let mut sum = term;
            let mut n = a;
            for _ in 0..most_terms {
                n += 1.0;
                term *= x / n;
                sum += term;
                if term < sum * 1e-17 {
                    break;
                }
            }
            let p = sum * density_times_x;
            (p, 1.0 - p)
        } else {
            let tiny = 1e-300;
            let mut b = x + 1.0 - a;
            let mut c = 1.0 / tiny;
            let mut d = 1.0 / b;
            let mut h = d;
            for i in 1..=most_terms {
                let i = f64::from(i);
                let an = -i * (i - a);
                b += 2.0;
                d = an * d + b;
                d = 1.0 / if d.abs() < tiny { tiny } else { d };
                c = b + an / c;
                c = if c.abs() < tiny { tiny } else { c };
                h *= d * c;
                if (d * c - 1.0).abs() < 1e-16 {
                    break;
                }
            }
            let q = h * density_times_x;
            (1.0 - q, q)
        }
    }

    /// Source: DiDonato and Morris, ACM TOMS 12 (1986) 377–393, equation 31.
    fn expansion(&self, z: f64) -> f64 {
        let a = self.shape;
        let root = a.sqrt();
        let z2 = z * z;
        let z3 = z2 * z;
        a + z * root + (z2 - 1.0) / 3.0 + (z3 - 7.0 * z) / (36.0 * root)
            - (3.0 * z2 * z2 + 7.0 * z2 - 16.0) / (810.0 * a)
            + (9.0 * z3 * z2 + 256.0 * z3 - 433.0 * z) / (38_880.0 * a * root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2,000 numbers spread over (0, 1), the ends among them.
    fn unit_numbers() -> impl Iterator<Item = f64> {
        (0..2_000)
            .map(|i| (f64::from(i) + 0.5) / 2_000.0)
            .chain([f64::EPSILON / 2.0, 1.0 - f64::EPSILON / 2.0])
    }

    fn assert_close(got: f64, wanted: f64, relative: f64) {
        assert!((got - wanted).abs() <= relative * wanted.abs(), "{got} is not {wanted}");
    }

    /// Values computed with mpmath at 40 digits.
    #[test]
    fn gamma_quantiles_agree_with_arbitrary_precision() {
        for (shape, p, x) in [
            (0.05, 0.001, 5.844_632_057_286_547e-61),
            (0.05, 0.9, 0.076_317_113_909_188_5),
            (0.5, 1e-6, 7.853_981_633_978_595e-13),
            (0.5, 0.5, 0.227_468_211_559_786_4),
            (2.0, 1e-10, 1.414_220_229_083_074e-5),
            (2.0, 0.5, 1.678_346_990_016_660_7),
            (3.7, 0.9, 6.278_922_321_022_634),
            (30.0, 1e-8, 8.585_846_147_988_515),
            (30.0, 0.99, 44.189_709_450_724_66),
            (1_000.0, 0.001, 905.120_790_934_976_6),
            (1_000.0, 0.5, 999.666_686_426_965_2),
        ] {
            assert_close(GammaQuantile::new(shape).at(p, 1.0 - p), x, 1e-12);
        }
    }

    /// Gamma with shape 1 is exponential, with shape ½ half the square of a normal.
    #[test]
    fn gamma_quantiles_agree_with_closed_forms_everywhere() {
        let (one, half) = (GammaQuantile::new(1.0), GammaQuantile::new(0.5));
        for u in unit_numbers() {
            assert_close(one.at(u, 1.0 - u), -libm::log1p(-u), 1e-11);
            // Nearer to 0, ½ + ½u no longer holds u.
            if u < 1e-4 {
                continue;
            }
            let z = normal_quantile(0.5 + 0.5 * u, 0.5 * (1.0 - u));
            assert_close(half.at(u, 1.0 - u), 0.5 * z * z, 1e-11);
        }
    }

    /// The expansion takes over where the iteration still works: both must say the same there.
    #[test]
    fn gamma_expansion_meets_the_iteration() {
        let below = GammaQuantile::new(LARGE_SHAPE * (1.0 - 1e-12));
        for u in unit_numbers().step_by(50).chain([1e-15]) {
            assert_close(below.at(u, 1.0 - u), below.expansion(normal_quantile(u, 1.0 - u)), 1e-11);
        }
    }

    #[test]
    fn gamma_quantiles_rise_and_stay_finite_for_every_shape() {
        for shape in [1e-9, 1e-3, 0.1, 0.999, 1.0, 1.5, 7.0, 19.99, 20.0, 400.0, 3e4, 1e5, 1e9] {
            let gamma = GammaQuantile::new(shape);
            let mut last = -1.0;
            for u in [1e-16, 1e-9, 1e-3, 0.1, 0.4, 0.499, 0.5, 0.501, 0.7, 0.99, 1.0 - 1e-9, 1.0 - 1.2e-16] {
                let x = gamma.at(u, 1.0 - u);
                assert!(x.is_finite() && x >= last, "shape {shape} at {u}: {x} after {last}");
                last = x;
            }
        }
    }
}
