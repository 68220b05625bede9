//! Promises about figures of the run: `p99(shopper.response_time) < 500ms`.
//!
//! Each replication gives one value of what stands on either side of a comparison. The difference of the
//! two sides has an interval over the replications: if it lies on one side of zero the comparison holds, or
//! it does not; across zero nobody can tell. Comparisons are put together by `&&`, `||` and `!` with that third
//! answer, and a condition that comes out either way whatever the open ones are is not open.
//!
//! A replication in which there was nothing to measure is not left out in silence. What the others say against a
//! condition stands; what they say for it does not pass, since nobody knows what that one would have shown.

use super::words::{is_duration, measure_name, measured};
use super::{Evidence, Holding};
use crate::experiment::results::Estimate;
use crate::experiment::results::verdict::NamedEstimate;
use crate::kernel::time::SECOND;
use crate::model::promise::{Figure, MeasureUse};
use crate::model::{Arithmetic, Comparison};
use crate::stats::confidence::{Interval, interval};

/// An answer that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Open,
}

/// An answer, and whether some replication had nothing to say to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    truth: Truth,
    lacks: bool,
}

impl Answer {
    fn certain(truth: Truth) -> Self {
        Self { truth, lacks: false }
    }

    fn not(self) -> Self {
        let truth = match self.truth {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Open => Truth::Open,
        };
        Self { truth, ..self }
    }

    /// Both must hold. One that does not is enough, and then only what it lacks itself counts.
    fn and(self, other: Self) -> Self {
        let lacks = match (self.truth, other.truth) {
            (Truth::No, Truth::No) => self.lacks && other.lacks,
            (Truth::No, _) => self.lacks,
            (_, Truth::No) => other.lacks,
            _ => self.lacks || other.lacks,
        };
        let truth = match (self.truth, other.truth) {
            (Truth::Yes, Truth::Yes) => Truth::Yes,
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            _ => Truth::Open,
        };
        Self { truth, lacks }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// Whether the condition holds, and the figures that it speaks of.
pub fn holding(condition: &Figure, evidence: &Evidence) -> (Holding, Vec<NamedEstimate>) {
    let uses = condition.measures();
    let intervals: Vec<Interval> =
        uses.iter().map(|of| evidence.interval(|at| evidence.figure(at, of))).collect();
    let told: Vec<String> =
        uses.iter().zip(&intervals).map(|(of, interval)| measured(of, interval)).collect();
    let told = told.join("; ");
    let nothing = intervals.iter().zip(&uses).find(|(interval, _)| interval.count == 0);
    let all = evidence.replications.len() as u32;
    let gaps: Vec<String> = uses
        .iter()
        .zip(&intervals)
        .filter(|(_, interval)| interval.count < all)
        .map(|(of, interval)| {
            format!("{} has no value in {} of {all} replications", measure_name(of), all - interval.count)
        })
        .collect();
    let few = intervals.iter().any(|interval| interval.count < 2);
    let answer = evidence.truth(condition);
    let holding = match answer.truth {
        Truth::No => Holding::Broken(format!("{told}.")),
        Truth::Yes if !answer.lacks => Holding::Held(format!("{told}.")),
        _ => Holding::Open(match nothing {
            Some((_, of)) => format!("There was nothing to measure: {} has no value.", measure_name(of)),
            None if few => format!("{told}: it takes two replications to have an interval."),
            None if answer.lacks => format!("{told}; {}.", gaps.join("; ")),
            None => format!("{told}, which leaves open whether it holds."),
        }),
    };
    let named = |(of, interval): (&&MeasureUse, &Interval)| {
        let unit = if is_duration(of) { SECOND as f64 } else { 1.0 };
        let scaled = |value: Option<f64>| value.map(|value| value / unit);
        let (mean, half_width) = (scaled(interval.mean), scaled(interval.half_width));
        NamedEstimate { name: measure_name(of), estimate: Estimate { mean, half_width, n: interval.count } }
    };
    (holding, uses.iter().zip(&intervals).map(named).collect())
}

impl Evidence<'_> {
    fn truth(&self, condition: &Figure) -> Answer {
        match condition {
            Figure::Not(inner) => self.truth(inner).not(),
            Figure::And(left, right) => self.truth(left).and(self.truth(right)),
            Figure::Or(left, right) => self.truth(left).or(self.truth(right)),
            Figure::Conditional(condition, then, otherwise) => {
                let (asked, then, otherwise) =
                    (self.truth(condition), self.truth(then), self.truth(otherwise));
                match asked.truth {
                    Truth::Yes => Answer { lacks: then.lacks || asked.lacks, ..then },
                    Truth::No => Answer { lacks: otherwise.lacks || asked.lacks, ..otherwise },
                    Truth::Open if then.truth == otherwise.truth => {
                        Answer { lacks: then.lacks || otherwise.lacks, ..then }
                    }
                    Truth::Open => Answer { truth: Truth::Open, lacks: true },
                }
            }
            Figure::Constant(value) if *value == 0.0 => Answer::certain(Truth::No),
            Figure::Constant(_) => Answer::certain(Truth::Yes),
            Figure::Compare(comparison, left, right) => {
                let difference = |at: usize| Some(self.value(left, at)? - self.value(right, at)?);
                self.answer(*comparison, difference)
            }
            value => self.answer(Comparison::NotEqual, |at| self.value(value, at)),
        }
    }

    /// On which side of zero a number lies of which each replication has one, or has none.
    fn answer(&self, comparison: Comparison, of: impl Fn(usize) -> Option<f64>) -> Answer {
        let interval = self.interval(of);
        let lacks = (interval.count as usize) < self.replications.len();
        Answer { truth: side(comparison, &interval), lacks }
    }

    /// The interval of one number for each replication that has it.
    fn interval(&self, of: impl Fn(usize) -> Option<f64>) -> Interval {
        interval((0..self.replications.len()).filter_map(of), self.confidence)
    }

    /// What a figure is in one replication.
    fn figure(&self, at: usize, of: &MeasureUse) -> Option<f64> {
        let position = self.measures.iter().position(|known| known == of)?;
        self.replications[at].figures.get(position).copied().flatten()
    }

    /// What an expression comes to in one replication; truth is 1 or 0. `None` where a figure is missing or
    /// it comes to no number.
    pub(super) fn value(&self, figure: &Figure, at: usize) -> Option<f64> {
        let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
        let all =
            |parts: &[Figure]| parts.iter().map(|part| self.value(part, at)).collect::<Option<Vec<f64>>>();
        let value = match figure {
            Figure::Constant(value) => *value,
            Figure::Measure(of) => self.figure(at, of)?,
            Figure::Negate(inner) => -self.value(inner, at)?,
            Figure::Absolute(inner) => self.value(inner, at)?.abs(),
            Figure::Not(inner) => truth(self.value(inner, at)? == 0.0),
            Figure::Calculate(arithmetic, left, right) => {
                calculate(*arithmetic, self.value(left, at)?, self.value(right, at)?)
            }
            Figure::Compare(comparison, left, right) => {
                truth(compare(*comparison, self.value(left, at)?, self.value(right, at)?))
            }
            Figure::And(left, right) => truth(self.value(left, at)? != 0.0 && self.value(right, at)? != 0.0),
            Figure::Or(left, right) => truth(self.value(left, at)? != 0.0 || self.value(right, at)? != 0.0),
            Figure::Conditional(condition, then, otherwise) => match self.value(condition, at)? {
                0.0 => self.value(otherwise, at)?,
                _ => self.value(then, at)?,
            },
            Figure::Least(parts) => all(parts)?.into_iter().fold(f64::INFINITY, f64::min),
            Figure::Greatest(parts) => all(parts)?.into_iter().fold(f64::NEG_INFINITY, f64::max),
        };
        value.is_finite().then_some(value)
    }
}

fn calculate(arithmetic: Arithmetic, left: f64, right: f64) -> f64 {
    match arithmetic {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    }
}

fn compare(comparison: Comparison, left: f64, right: f64) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
    }
}

/// On which side of zero a difference lies, for one comparison.
fn side(comparison: Comparison, difference: &Interval) -> Truth {
    let (Some(mean), Some(half_width)) = (difference.mean, difference.half_width) else { return Truth::Open };
    let (low, high) = (mean - half_width, mean + half_width);
    let holds = |value: f64| compare(comparison, value, 0.0);
    let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    // Of an equality the ends alone do not tell: zero may lie between them.
    if is_equality && low < 0.0 && high > 0.0 {
        return Truth::Open;
    }
    match (holds(low), holds(high)) {
        (true, true) => Truth::Yes,
        (false, false) => Truth::No,
        _ => Truth::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::Comparison::*;
    use super::Truth::*;
    use super::*;
    use crate::observe::findings::Finding;

    /// One that does not hold is enough for `and`, one that does for `or`; only what decides can lack something.
    #[test]
    fn what_decides_an_answer_is_what_it_may_lack() {
        let of = |truth, lacks| Answer { truth, lacks };
        for (one, other, both) in [
            (of(Yes, false), of(Yes, true), of(Yes, true)),
            (of(Yes, false), of(Yes, false), of(Yes, false)),
            (of(Yes, true), of(No, false), of(No, false)),
            (of(Yes, false), of(No, true), of(No, true)),
            (of(Open, true), of(No, false), of(No, false)),
            (of(Open, false), of(No, true), of(No, true)),
            (of(No, true), of(No, true), of(No, true)),
            (of(No, true), of(No, false), of(No, false)),
            (of(Open, false), of(Yes, true), of(Open, true)),
            (of(Open, false), of(Open, false), of(Open, false)),
        ] {
            assert_eq!(one.and(other), both, "{one:?} and {other:?}");
            assert_eq!(other.and(one), both, "{other:?} and {one:?}");
        }
    }

    #[test]
    fn truth_is_one_or_zero_in_each_replication() {
        let constant = |value: f64| Box::new(Figure::Constant(value));
        let finding = Finding::default();
        let of = |figure: Figure| {
            let replications = [super::super::Replication { number: 0, finding: &finding, figures: &[] }];
            Evidence { replications: &replications, ..Evidence::NOTHING }.value(&figure, 0)
        };
        for (one, other) in [(0.0, 0.0), (0.0, 2.0), (2.0, 0.0), (2.0, 3.0)] {
            let truth = |holds: bool| Some(f64::from(u8::from(holds)));
            let (yes, no) = (one != 0.0, other != 0.0);
            assert_eq!(of(Figure::And(constant(one), constant(other))), truth(yes && no));
            assert_eq!(of(Figure::Or(constant(one), constant(other))), truth(yes || no));
            assert_eq!(of(Figure::Not(constant(one))), truth(!yes));
            let branch = Figure::Conditional(constant(one), constant(7.0), constant(8.0));
            assert_eq!(of(branch), Some(if yes { 7.0 } else { 8.0 }));
        }
        assert_eq!(of(Figure::Least(vec![Figure::Constant(3.0), Figure::Constant(2.0)])), Some(2.0));
        assert_eq!(of(Figure::Greatest(vec![Figure::Constant(3.0), Figure::Constant(2.0)])), Some(3.0));
        assert_eq!(of(Figure::Absolute(constant(-3.0))), Some(3.0));
        assert_eq!(of(Figure::Negate(constant(3.0))), Some(-3.0));
        assert_eq!(of(Figure::Constant(f64::INFINITY)), None, "no number");
    }

    #[test]
    fn an_interval_lies_on_one_side_or_leaves_it_open() {
        let of = |low: f64, high: f64| Interval {
            mean: Some((low + high) / 2.0),
            half_width: Some((high - low) / 2.0),
            count: 5,
        };
        let intervals =
            [of(-2.0, -1.0), of(-1.0, 0.0), of(-1.0, 1.0), of(0.0, 0.0), of(0.0, 1.0), of(1.0, 2.0)];
        for (comparison, answers) in [
            (Less, [Yes, Open, Open, No, No, No]),
            (LessOrEqual, [Yes, Yes, Open, Yes, Open, No]),
            (Greater, [No, No, Open, No, Open, Yes]),
            (GreaterOrEqual, [No, Open, Open, Yes, Yes, Yes]),
            (Equal, [No, Open, Open, Yes, Open, No]),
            (NotEqual, [Yes, Open, Open, No, Open, Yes]),
        ] {
            assert_eq!(intervals.map(|difference| side(comparison, &difference)), answers, "{comparison:?}");
        }
        let once = Interval { mean: Some(-5.0), half_width: None, count: 1 };
        assert_eq!(side(Less, &once), Open, "one replication has no interval");
    }
}
