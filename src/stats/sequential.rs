//! How many replications it takes: enough for a precision that was asked for.
//!
//! Replications are added until the half-width is at most a share of the mean. Who looks after each one and stops at the
//! first that pleases, stops when the spread happens to look small: such intervals hold the truth less often
//! than they say. So looks are few, at 10 replications and then each time half as many more, the share asked for is
//! made γ / (1 + γ) so that it holds of the true mean, and a look must be confirmed by the next: the replications
//! between them decide nothing and set the spread right. Sources: Law, Simulation Modeling and Analysis, 5th ed.,
//! 9.4.1 (the sequential procedure, its least number and γ / (1 + γ)); Chow and Robbins, Annals of Mathematical
//! Statistics 36 (1965); Glynn and Whitt, Annals of Applied Probability 2 (1992).
//!
//! ```
//! use eventflow::stats::sequential::{Precision, Stopping};
//! let mut stopping = Stopping::new(Precision { relative: 0.05, most: 100 });
//! let narrow = || [Some(100.0).zip(Some(1.0))].into_iter();
//! assert_eq!(stopping.wanted(), 10);
//! stopping.look(narrow());
//! assert_eq!(stopping.wanted(), 15, "one more batch confirms it");
//! stopping.look(narrow());
//! assert!(stopping.is_over() && stopping.is_met());
//! ```

/// Replications before the first look.
pub const FIRST_LOOK: u32 = 10;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// Most half-width as a share of the mean, in (0, 1).
    pub relative: f64,
    /// Replications after which it ends anyhow; at least 2.
    pub most: u32,
}

impl Precision {
    /// Whether a mean is known so well, given its half-width.
    pub fn is_met(&self, mean: f64, half_width: f64) -> bool {
        half_width <= self.relative / (1.0 + self.relative) * mean.abs()
    }
}

/// Decides at each look whether to go on.
#[derive(Clone, Copy, Debug)]
pub struct Stopping {
    precision: Precision,
    /// Replications at the next look, or at the last.
    wanted: u32,
    was_met: bool,
    is_met: bool,
    is_over: bool,
}

impl Stopping {
    pub fn new(precision: Precision) -> Self {
        let wanted = FIRST_LOOK.min(precision.most);
        Self { precision, wanted, was_met: false, is_met: false, is_over: false }
    }

    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// How many replications there must be for the next look.
    pub fn wanted(&self) -> u32 {
        self.wanted
    }

    /// Whether no more are needed, or may be made.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether the precision was met at the last two looks.
    pub fn is_met(&self) -> bool {
        self.is_met
    }

    /// Looks at (mean, half-width) of all that is to be known so well; one without an interval is not met.
    pub fn look(&mut self, mut estimates: impl Iterator<Item = Option<(f64, f64)>>) {
        let met = estimates.all(|one| one.is_some_and(|(mean, half)| self.precision.is_met(mean, half)));
        self.is_met = met && self.was_met;
        self.was_met = met;
        self.is_over = self.is_met || self.wanted >= self.precision.most;
        if !self.is_over {
            self.wanted = (self.wanted + self.wanted.div_ceil(2)).min(self.precision.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::confidence::Intervals;

    #[test]
    fn looks_are_few_and_end_at_the_most() {
        let mut stopping = Stopping::new(Precision { relative: 0.01, most: 60 });
        let mut looks = Vec::new();
        while !stopping.is_over() {
            looks.push(stopping.wanted());
            stopping.look([Some((1.0, 0.5))].into_iter());
        }
        assert_eq!((looks, stopping.is_met()), (vec![10, 15, 23, 35, 53, 60], false));
    }

    #[test]
    fn one_look_is_not_enough_and_a_gap_is_not_met() {
        let mut stopping = Stopping::new(Precision { relative: 0.1, most: 1_000 });
        for (half, over) in [(0.01, false), (0.5, false), (0.05, false), (0.09, true)] {
            stopping.look([Some((1.0, half)), Some((0.0, 0.0))].into_iter());
            assert_eq!(stopping.is_over(), over, "{half}");
        }
        let mut missing = Stopping::new(Precision { relative: 0.1, most: 15 });
        missing.look([None].into_iter());
        missing.look([None].into_iter());
        assert!(missing.is_over() && !missing.is_met());
    }

    /// Of 2,000 experiments that stop by themselves, nearly as many hold the truth as promised, whatever the number
    /// it takes; stopping at the first good look of all, replication by replication, holds it less often.
    #[test]
    fn stopping_costs_hardly_any_coverage() {
        let mut state = 11_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        let mut normal = || {
            let radius = (-2.0 * libm::log(uniform())).sqrt();
            radius * libm::cos(std::f64::consts::TAU * uniform())
        };
        let intervals = Intervals::new(0.95);
        for (relative, least) in LEAST_COVERAGE {
            let (mut held, mut naive) = (0, 0);
            for _ in 0..2_000 {
                let mut values: Vec<f64> = Vec::new();
                let mut stopping = Stopping::new(Precision { relative, most: 2_000 });
                let mut first_good = None;
                while !stopping.is_over() {
                    while values.len() < stopping.wanted() as usize {
                        values.push(10.0 + 3.0 * normal());
                        if values.len() > 2 && first_good.is_none() {
                            let interval = intervals.of(values.iter().copied());
                            let good = interval.half_width.unwrap() <= relative * interval.mean.unwrap();
                            first_good = good.then_some(interval);
                        }
                    }
                    let interval = intervals.of(values.iter().copied());
                    stopping.look([interval.mean.zip(interval.half_width)].into_iter());
                }
                held += u32::from(intervals.of(values.iter().copied()).contains(10.0));
                naive += u32::from(first_good.is_some_and(|interval| interval.contains(10.0)));
            }
            let (held, naive) = (f64::from(held) / 2_000.0, f64::from(naive) / 2_000.0);
            assert!(held > least, "{relative}: {held}, and {naive} without all care");
            assert!(naive < held, "{relative}: {held} against {naive}");
        }
    }

    /// By the precision asked for, the least share of intervals that hold the truth.
    const LEAST_COVERAGE: [(f64, f64); 2] = [(0.2, 0.935), (0.1, 0.935)];
}
