//! Conditions over figures of the run, judged over intervals: what holds wherever in their intervals the
//! figures are holds, what holds nowhere fails, and else it is open.
//!
//! ```
//! use eventflow::model::Comparison;
//! use eventflow::model::promise::{Figure, Measure, MeasureUse, Statistic};
//! use eventflow::observe::promise::figure::{Interval, Judgement, judge};
//!
//! let measure = MeasureUse { owner: "shopper".into(), measure: Measure::Failed, statistic: Statistic::Share };
//! let few = Figure::Compare(Comparison::Less, Box::new(Figure::Measure(measure)), Box::new(Figure::Constant(0.01)));
//! let between = |low, high| judge(&few, &mut |_| Some(Interval { low, high }));
//! assert_eq!(between(0.001, 0.002), Judgement::Holds);
//! assert_eq!(between(0.001, 0.02), Judgement::Open);
//! assert_eq!(between(0.01, 0.02), Judgement::Fails);
//! ```
//!
//! Truth is a number here, 1 or 0, and what is open lies between, so that there is one kind of value.

use crate::model::promise::{Figure, MeasureUse};
use crate::model::{Arithmetic, Comparison};

/// Where a figure lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    Holds,
    Fails,
    /// The intervals are too wide, or a figure is not known.
    Open,
}

/// Judges a condition; `estimate` says where a measure lies, `None` if that is not known.
pub fn judge(condition: &Figure, estimate: &mut impl FnMut(&MeasureUse) -> Option<Interval>) -> Judgement {
    match value(condition, estimate) {
        Some(TRUE) => Judgement::Holds,
        Some(FALSE) => Judgement::Fails,
        _ => Judgement::Open,
    }
}

const TRUE: Interval = Interval { low: 1.0, high: 1.0 };
const FALSE: Interval = Interval { low: 0.0, high: 0.0 };
const OPEN: Interval = Interval { low: 0.0, high: 1.0 };

impl Interval {
    pub fn at(value: f64) -> Self {
        Self { low: value, high: value }
    }

    fn hull(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut hull = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };
        for value in values {
            if !value.is_finite() {
                return None;
            }
            hull = Self { low: hull.low.min(value), high: hull.high.max(value) };
        }
        Some(hull)
    }
}

/// Where a figure lies; `None` if that cannot be told.
pub fn value(
    figure: &Figure,
    estimate: &mut impl FnMut(&MeasureUse) -> Option<Interval>,
) -> Option<Interval> {
    Some(match figure {
        Figure::Constant(value) => Interval::at(*value),
        Figure::Measure(measure) => estimate(measure)?,
        Figure::Negate(inner) => {
            let inner = value(inner, estimate)?;
            Interval { low: -inner.high, high: -inner.low }
        }
        Figure::Absolute(inner) => {
            let inner = value(inner, estimate)?;
            let (low, high) = (inner.low.abs().min(inner.high.abs()), inner.low.abs().max(inner.high.abs()));
            Interval { low: if inner.low <= 0.0 && inner.high >= 0.0 { 0.0 } else { low }, high }
        }
        Figure::Not(inner) => {
            let inner = truth(inner, estimate);
            Interval { low: 1.0 - inner.high, high: 1.0 - inner.low }
        }
        Figure::And(left, right) => {
            let (left, right) = (truth(left, estimate), truth(right, estimate));
            Interval { low: left.low.min(right.low), high: left.high.min(right.high) }
        }
        Figure::Or(left, right) => {
            let (left, right) = (truth(left, estimate), truth(right, estimate));
            Interval { low: left.low.max(right.low), high: left.high.max(right.high) }
        }
        Figure::Calculate(arithmetic, left, right) => {
            calculate(*arithmetic, value(left, estimate)?, value(right, estimate)?)?
        }
        Figure::Compare(comparison, left, right) => {
            compare(*comparison, value(left, estimate)?, value(right, estimate)?)
        }
        Figure::Conditional(condition, then, otherwise) => match truth(condition, estimate) {
            TRUE => value(then, estimate)?,
            FALSE => value(otherwise, estimate)?,
            _ => {
                let (then, otherwise) = (value(then, estimate)?, value(otherwise, estimate)?);
                Interval { low: then.low.min(otherwise.low), high: then.high.max(otherwise.high) }
            }
        },
        Figure::Least(all) => extreme(all, f64::min, estimate)?,
        Figure::Greatest(all) => extreme(all, f64::max, estimate)?,
    })
}

/// Whether something holds; what cannot be told is open.
fn truth(figure: &Figure, estimate: &mut impl FnMut(&MeasureUse) -> Option<Interval>) -> Interval {
    value(figure, estimate).unwrap_or(OPEN)
}

fn extreme(
    all: &[Figure],
    choose: fn(f64, f64) -> f64,
    estimate: &mut impl FnMut(&MeasureUse) -> Option<Interval>,
) -> Option<Interval> {
    let (first, rest) = all.split_first()?;
    let mut best = value(first, estimate)?;
    for other in rest {
        let other = value(other, estimate)?;
        best = Interval { low: choose(best.low, other.low), high: choose(best.high, other.high) };
    }
    Some(best)
}

fn calculate(arithmetic: Arithmetic, left: Interval, right: Interval) -> Option<Interval> {
    let ends = |apply: fn(f64, f64) -> f64| {
        let pairs =
            [(left.low, right.low), (left.low, right.high), (left.high, right.low), (left.high, right.high)];
        Interval::hull(pairs.into_iter().map(|(left, right)| apply(left, right)))
    };
    match arithmetic {
        Arithmetic::Add => ends(|left, right| left + right),
        Arithmetic::Subtract => ends(|left, right| left - right),
        Arithmetic::Multiply => ends(|left, right| left * right),
        Arithmetic::Divide if right.low <= 0.0 && right.high >= 0.0 => None,
        Arithmetic::Divide => ends(|left, right| left / right),
        Arithmetic::Remainder if left.low == left.high && right.low == right.high => {
            ends(|left, right| left % right)
        }
        Arithmetic::Remainder => None,
    }
}

fn compare(comparison: Comparison, left: Interval, right: Interval) -> Interval {
    let told = |holds: bool, fails: bool| match (holds, fails) {
        (true, _) => TRUE,
        (_, true) => FALSE,
        _ => OPEN,
    };
    let are_apart = left.high < right.low || right.high < left.low;
    let are_one = left.low == left.high && left == right;
    match comparison {
        Comparison::Equal => told(are_one, are_apart),
        Comparison::NotEqual => told(are_apart, are_one),
        Comparison::Less => told(left.high < right.low, left.low >= right.high),
        Comparison::LessOrEqual => told(left.high <= right.low, left.low > right.high),
        Comparison::Greater => told(left.low > right.high, left.high <= right.low),
        Comparison::GreaterOrEqual => told(left.low >= right.high, left.high < right.low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::promise::{Measure, Statistic};
    use proptest::prelude::*;

    fn measure(owner: &str) -> Box<Figure> {
        let owner = owner.to_owned();
        Box::new(Figure::Measure(MeasureUse { owner, measure: Measure::Failed, statistic: Statistic::Whole }))
    }

    type Obvious = fn(f64, f64) -> bool;

    /// Some conditions over `a` and `b`, and what each is of two numbers.
    fn conditions() -> Vec<(Figure, Obvious)> {
        let calculated = |arithmetic| Box::new(Figure::Calculate(arithmetic, measure("a"), measure("b")));
        let constant = |value| Box::new(Figure::Constant(value));
        vec![
            (Figure::Compare(Comparison::Less, measure("a"), measure("b")), |a, b| a < b),
            (
                Figure::Compare(Comparison::GreaterOrEqual, calculated(Arithmetic::Multiply), constant(4.0)),
                |a, b| a * b >= 4.0,
            ),
            (
                Figure::Compare(Comparison::LessOrEqual, calculated(Arithmetic::Subtract), constant(1.0)),
                |a, b| a - b <= 1.0,
            ),
            (
                Figure::Or(
                    Box::new(Figure::Not(Box::new(Figure::Compare(
                        Comparison::Greater,
                        measure("a"),
                        constant(0.0),
                    )))),
                    Box::new(Figure::Compare(
                        Comparison::Greater,
                        Box::new(Figure::Absolute(measure("b"))),
                        constant(2.0),
                    )),
                ),
                |a, b| a <= 0.0 || b.abs() > 2.0,
            ),
            (
                Figure::Compare(
                    Comparison::Less,
                    Box::new(Figure::Greatest(vec![*measure("a"), *measure("b")])),
                    Box::new(Figure::Negate(constant(-3.0))),
                ),
                |a, b| a.max(b) < 3.0,
            ),
        ]
    }

    proptest! {
        /// What is told holds of every pair of numbers within the intervals.
        #[test]
        fn what_is_told_is_so_everywhere(
            a in (-5.0_f64..5.0, 0.0_f64..3.0), b in (-5.0_f64..5.0, 0.0_f64..3.0), at in (0.0_f64..=1.0, 0.0_f64..=1.0),
        ) {
            for (condition, is_so) in conditions() {
                let judgement = judge(&condition, &mut |of| {
                    let (low, width) = if of.owner == "a" { a } else { b };
                    Some(Interval { low, high: low + width })
                });
                let holds = is_so(a.0 + at.0 * a.1, b.0 + at.1 * b.1);
                match judgement {
                    Judgement::Holds => prop_assert!(holds),
                    Judgement::Fails => prop_assert!(!holds),
                    Judgement::Open => {}
                }
            }
        }

        /// Of numbers that are known exactly everything is told.
        #[test]
        fn nothing_is_open_of_exact_numbers(a in -5.0_f64..5.0, b in -5.0_f64..5.0) {
            for (condition, is_so) in conditions() {
                let judgement =
                    judge(&condition, &mut |of| Some(Interval::at(if of.owner == "a" { a } else { b })));
                prop_assert_eq!(judgement == Judgement::Holds, is_so(a, b));
                prop_assert_ne!(judgement, Judgement::Open);
            }
        }
    }

    #[test]
    fn what_is_not_known_is_open_unless_it_does_not_matter() {
        let unknown = Figure::Compare(Comparison::Less, measure("a"), Box::new(Figure::Constant(1.0)));
        let either = |truth| Figure::Or(Box::new(unknown.clone()), Box::new(Figure::Constant(truth)));
        assert_eq!(judge(&unknown, &mut |_| None), Judgement::Open);
        assert_eq!(judge(&either(1.0), &mut |_| None), Judgement::Holds);
        assert_eq!(judge(&either(0.0), &mut |_| None), Judgement::Open);
        let quotient = Figure::Calculate(Arithmetic::Divide, Box::new(Figure::Constant(1.0)), measure("a"));
        assert_eq!(
            value(&quotient, &mut |_| Some(Interval { low: -1.0, high: 1.0 })),
            None,
            "it may divide by 0"
        );
    }
}
