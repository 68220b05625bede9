//! How likely a replication is to break a promise: in how many it was broken, and the exact interval of that share.
//!
//! Replications are independent, so this interval holds as it says, unlike that of a share counted within them.

use super::{Evidence, Rule};
use crate::experiment::results::verdict::Violation;
use crate::model::promise::Bound;
use crate::observe::findings::Finding;
use crate::stats::proportion::{exact_interval, most_after_none};

/// For each replication whether it breaks what is promised by itself; `None` where it had nothing to say.
pub fn broken(rule: &Rule, evidence: &Evidence) -> Vec<Option<bool>> {
    let all = 0..evidence.replications.len();
    match rule {
        Rule::Findings(bound) => all.map(|at| is_over(*bound, evidence.replications[at].finding)).collect(),
        Rule::Figures(condition) => {
            all.map(|at| evidence.value(condition, at).map(|holds| holds == 0.0)).collect()
        }
    }
}

/// The probability, if there was anything to go by. With none broken its upper bound alone is asked for, with all of
/// them its lower one: the whole of what the level leaves is on one side.
pub fn violation(broken: &[Option<bool>], exposures: Option<u64>, confidence: f64) -> Option<Violation> {
    let told = broken.iter().flatten().count() as u64;
    if told == 0 || exposures == Some(0) {
        return None;
    }
    let count = broken.iter().flatten().filter(|is_broken| **is_broken).count() as u64;
    let (low, high) = if count == 0 {
        (0.0, most_after_none(told, confidence))
    } else if count == told {
        (1.0 - most_after_none(told, confidence), 1.0)
    } else {
        exact_interval(count, told, confidence)
    };
    Some(Violation { broken: count as u32, replications: told as u32, low, high })
}

fn is_over(bound: Bound, finding: &Finding) -> Option<bool> {
    match bound {
        Bound::Count(most) => Some(finding.count > most),
        Bound::Share(most) => (finding.of > 0).then(|| finding.count as f64 / finding.of as f64 > most),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Replication;
    use super::*;
    use crate::model::promise::Figure;

    fn of(broken: usize, held: usize) -> Violation {
        let each: Vec<Option<bool>> =
            std::iter::repeat_n(Some(true), broken).chain(std::iter::repeat_n(Some(false), held)).collect();
        violation(&each, Some(9), 0.95).unwrap()
    }

    #[test]
    fn none_in_forty_may_still_be_one_in_fourteen() {
        let none = of(0, 40);
        assert!(none.low == 0.0 && (none.high - 0.0722).abs() < 5e-5, "{none:?}");
        let all = of(40, 0);
        assert!(all.high == 1.0 && (all.low - 0.9278).abs() < 5e-5, "{all:?}");
        let few = of(1, 39);
        assert!((few.low - 0.0006).abs() < 5e-5 && (few.high - 0.1316).abs() < 5e-5, "{few:?}");
    }

    #[test]
    fn each_replication_breaks_it_or_not_by_itself() {
        let findings = [(0, 4), (1, 4), (3, 4), (0, 0)];
        let findings = findings.map(|(count, of)| Finding { count, of, ..Finding::default() });
        let replications: Vec<Replication> =
            findings.iter().map(|finding| Replication { number: 0, finding, figures: &[] }).collect();
        let evidence = Evidence { replications: &replications, ..Evidence::NOTHING };
        let of = |rule: Rule| broken(&rule, &evidence);
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(of(Rule::Findings(Bound::Count(0))), [no, yes, yes, no]);
        assert_eq!(of(Rule::Findings(Bound::Count(1))), [no, no, yes, no]);
        assert_eq!(
            of(Rule::Findings(Bound::Share(0.25))),
            [no, no, yes, None],
            "of nothing there is no share"
        );
        assert_eq!(of(Rule::Figures(Figure::Constant(0.0))), [yes; 4]);
        assert_eq!(of(Rule::Figures(Figure::Constant(1.0))), [no; 4]);
        assert_eq!(of(Rule::Figures(Figure::Constant(f64::NAN))), [None; 4]);
    }

    #[test]
    fn what_was_never_put_to_the_test_has_none() {
        assert_eq!(violation(&[Some(false); 9], Some(0), 0.95), None);
        assert_eq!(violation(&[None, None], None, 0.95), None);
        let some = violation(&[None, Some(true), Some(false)], None, 0.95).unwrap();
        assert_eq!((some.broken, some.replications), (1, 2));
    }
}
