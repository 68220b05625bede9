//! The rules, by tables: what is found, what the bound is, and what the verdict must be.

use super::*;
use crate::experiment::results::verdict::Outcome::*;
use crate::kernel::time::MILLISECOND;
use crate::model::promise::{Measure, Statistic};
use crate::model::{Arithmetic, Comparison};
use crate::observe::findings::Facts;

fn finding(count: u64, exposures: u64, of: u64) -> Finding {
    let mut finding = Finding { exposures, of, ..Finding::default() };
    for number in 0..count {
        finding.count(|| Sighting {
            at: 1500 * MILLISECOND,
            obligation: 0x7f3a + number,
            what: seen(number),
            facts: Facts::default(),
        });
    }
    finding
}

fn seen(number: u64) -> String {
    format!("stock[17].reserved: 2 → 4, time {number}")
}

fn promise(rule: Rule) -> Promise {
    Promise {
        name: "idempotency.duplicate_effects".to_owned(),
        place: Place { file: "shop.yaml".to_owned(), line: 9, column: 3 },
        bound: "none in any replication".to_owned(),
        exposure: "attempts begun after an effect".to_owned(),
        expected: None,
        rule,
    }
}

/// The verdict on findings of replications 0, 1, 2 … under what else `evidence` says.
fn verdict(bound: Bound, findings: &[Finding], evidence: Evidence) -> Verdict {
    let replication = |(number, finding)| Replication { number: number as u32, finding, figures: &[] };
    let replications: Vec<Replication> = findings.iter().enumerate().map(replication).collect();
    let asked = evidence.asked.max(replications.len() as u32);
    judge(&promise(Rule::Findings(bound)), &Evidence { replications: &replications, asked, ..evidence })
}

/// (count, exposures) of each replication → the verdict on a count.
#[test]
fn a_count_bounds_every_replication() {
    for (most, found, outcome, reason) in [
        (
            0,
            &[(0, 100), (0, 88)][..],
            Pass,
            "None in 188 exposures: at most 1.58 % of them (at 95 % confidence).",
        ),
        (0, &[(0, 100), (0, 0)], Pass, "None in 100 exposures: at most 2.95 % of them (at 95 % confidence)."),
        (0, &[(0, 100), (1, 88)], Fail, "1 in 1 of 2 replications, in 188 exposures."),
        (0, &[(3, 3), (1, 1)], Fail, "4 in 2 of 2 replications, in 4 exposures."),
        (2, &[(2, 50), (2, 50)], Pass, "At most 2 in a replication, in 100 exposures."),
        (
            2,
            &[(2, 50), (3, 50), (0, 1)],
            Fail,
            "More than 2 in 1 of 3 replications, up to 3 in one; 5 in all, in 101 exposures.",
        ),
        (1, &[(0, 20)], Pass, "None in 20 exposures: at most 13.9 % of them (at 95 % confidence)."),
        (1, &[(1, 1)], Pass, "At most 1 in a replication, in 1 exposure."),
        (
            0,
            &[(0, 0), (0, 0)],
            Inconclusive,
            "Never put to the test: there were no attempts begun after an effect.",
        ),
        (5, &[(0, 0)], Inconclusive, "Never put to the test: there were no attempts begun after an effect."),
    ] {
        let findings: Vec<Finding> =
            found.iter().map(|&(count, exposed)| finding(count, exposed, 0)).collect();
        let verdict = verdict(Bound::Count(most), &findings, Evidence::NOTHING);
        assert_eq!((verdict.outcome, verdict.reason.as_str()), (outcome, reason), "{most}: {found:?}");
    }
}

/// (count, of) over all replications → the verdict on a share.
#[test]
fn a_percentage_bounds_the_share_over_all() {
    for (most, found, outcome, reason) in [
        // 3 of 300,000: 0.000206 % to 0.00292 %.
        (
            0.001,
            &[(3, 200_000), (0, 100_000)][..],
            Pass,
            "3 of 300000: the share is between 0.000206 % and 0.00292 % (at 95 % confidence).",
        ),
        (
            0.001,
            &[(300, 2000)],
            Fail,
            "300 of 2000: the share is between 13.5 % and 16.6 % (at 95 % confidence), above 0.1 %.",
        ),
        (
            0.001,
            &[(1, 1000), (0, 1000)],
            Inconclusive,
            "1 of 2000: the share is between 0.00127 % and 0.278 % (at 95 % confidence), which leaves open whether it \
             is above 0.1 %.",
        ),
        (
            0.01,
            &[(0, 100)],
            Inconclusive,
            "0 of 100: the share is between 0 % and 3.62 % (at 95 % confidence), which leaves open whether it is \
             above 1 %.",
        ),
        (0.05, &[(0, 100)], Pass, "0 of 100: the share is between 0 % and 3.62 % (at 95 % confidence)."),
        (
            0.0,
            &[(1, 1_000_000)],
            Fail,
            "1 of 1000000: the share is between 2.53e-6 % and 0.000557 % (at 95 % confidence), above 0 %.",
        ),
        (
            0.0,
            &[(0, 1_000_000)],
            Inconclusive,
            "0 of 1000000: the share is between 0 % and 0.000369 % (at 95 % confidence), which leaves open whether it \
             is above 0 %.",
        ),
        (1.0, &[(50, 50)], Pass, "50 of 50: the share is between 92.9 % and 100 % (at 95 % confidence)."),
    ] {
        let findings: Vec<Finding> = found.iter().map(|&(count, of)| finding(count, of, of)).collect();
        let verdict = verdict(Bound::Share(most), &findings, Evidence::NOTHING);
        assert_eq!((verdict.outcome, verdict.reason.as_str()), (outcome, reason), "{most}: {found:?}");
        let (low, high) = verdict.tally.unwrap().share.unwrap();
        assert!(low <= high);
    }
    let verdict = verdict(Bound::Share(0.5), &[finding(0, 0, 0)], Evidence::NOTHING);
    assert_eq!(verdict.outcome, Inconclusive);
    assert!(verdict.reason.starts_with("There was nothing to take a share of. Never put to the test"));
}

/// Each doubt alone makes a pass inconclusive and says why; none touches a fail.
#[test]
fn doubts_spoil_a_pass_and_never_a_fail() {
    let idle = ["stock_crash (crash inventory)".to_owned()];
    let unsettled = |count| Finding { unsettled: 4, ..finding(count, 100, 100) };
    let doubt = Evidence::NOTHING;
    let doubts = [
        (
            Evidence { idle_faults: &idle, ..doubt },
            [finding(0, 100, 100), finding(0, 100, 100)],
            "The fault stock_crash (crash inventory) never hit anything alive.",
        ),
        (
            Evidence { asked: 10, ..doubt },
            [finding(0, 100, 100), finding(0, 100, 100)],
            "Interrupted: only 2 of 10 replications were done.",
        ),
        (
            doubt,
            [unsettled(0), finding(0, 100, 100)],
            "Not settled: the end of 4 is not known, in 1 of 2 replications.",
        ),
        (
            doubt,
            [finding(0, 0, 100), finding(0, 0, 100)],
            "Never put to the test: there were no attempts begun after an effect.",
        ),
    ];
    for (evidence, clean, reason) in doubts {
        for bound in [Bound::Count(0), Bound::Count(7), Bound::Share(0.5)] {
            let doubtful = verdict(bound, &clean, evidence);
            assert_eq!((doubtful.outcome, doubtful.reason.as_str()), (Inconclusive, reason), "{bound:?}");
        }
        for bound in [Bound::Count(0), Bound::Count(7), Bound::Share(0.01)] {
            let [mut first, second] = clean.clone();
            let broken = finding(8, 0, 0);
            (first.count, first.first) = (broken.count, broken.first);
            let failed = verdict(bound, &[first, second], evidence);
            assert_eq!(failed.outcome, Fail, "{bound:?}: {reason}");
            assert!(!failed.reason.contains(reason), "{}", failed.reason);
        }
    }
}

#[test]
fn all_doubts_are_told() {
    let idle = ["a (crash a)".to_owned(), "b (pause b)".to_owned()];
    let finding = Finding { unsettled: 1, ..Finding::default() };
    let evidence = Evidence { idle_faults: &idle, asked: 3, ..Evidence::NOTHING };
    let verdict = verdict(Bound::Count(0), &[finding], evidence);
    assert_eq!(
        verdict.reason,
        "Never put to the test: there were no attempts begun after an effect. Not settled: the end of 1 is not known, in \
         1 of 1 replications. The faults a (crash a), b (pause b) never hit anything alive. Interrupted: only 1 of 3 \
         replications were done."
    );
}

/// The counterexample is of the first replication that breaks the bound by itself.
#[test]
fn the_first_that_breaks_the_bound_is_shown() {
    let findings = [finding(0, 9, 9), finding(1, 9, 9), finding(3, 9, 9), finding(2, 9, 9)];
    for (bound, replication) in [
        (Bound::Count(0), Some(1)),
        (Bound::Count(1), Some(2)),
        (Bound::Share(0.01), Some(1)),
        (Bound::Count(3), None),
    ] {
        let shown = verdict(bound, &findings, Evidence::NOTHING).counterexample;
        assert_eq!(shown.as_ref().map(|shown| shown.replication), replication, "{bound:?}");
        if let Some(shown) = shown {
            assert_eq!(shown.at, 1.5);
            assert_eq!(shown.obligation.as_deref(), Some("0000000000007f3a"));
            assert_eq!(shown.what, seen(0));
        }
    }
    let mut nobody = finding(1, 1, 1);
    nobody.first.as_mut().unwrap().obligation = 0;
    let shown = verdict(Bound::Count(0), &[nobody], Evidence::NOTHING).counterexample.unwrap();
    assert_eq!(shown.obligation, None);
}

#[test]
fn a_tally_is_over_all_replications() {
    let findings = [finding(2, 10, 40), finding(0, 30, 40), Finding { unsettled: 5, ..finding(1, 0, 40) }];
    let tally = verdict(Bound::Count(9), &findings, Evidence::NOTHING).tally.unwrap();
    assert_eq!((tally.count, tally.exposures, tally.of, tally.unsettled), (3, 40, 120, 5));
    assert_eq!((tally.replications, tally.replications_affected), (3, 2));
    assert_eq!((tally.rate, tally.rate_at_most, tally.share), (Some(3.0 / 40.0), None, None));
    let tally = verdict(Bound::Count(0), &[finding(0, 59, 0)], Evidence::NOTHING).tally.unwrap();
    let most = tally.rate_at_most.unwrap();
    assert!((most - (1.0 - libm::pow(0.05, 1.0 / 59.0))).abs() < 1e-12, "{most}");
}

/// `p99(shopper.response_time)`, in nanoseconds.
fn response() -> MeasureUse {
    MeasureUse {
        owner: "shopper".to_owned(),
        measure: Measure::ResponseTime,
        statistic: Statistic::Quantile(0.99),
    }
}

fn failed() -> MeasureUse {
    MeasureUse { owner: "shopper".to_owned(), measure: Measure::Failed, statistic: Statistic::Whole }
}

/// The verdict on a condition over those two, one pair for each replication.
fn judged(condition: Figure, figures: &[[Option<f64>; 2]]) -> Verdict {
    let nothing = Finding::default();
    let pairs = figures.iter().zip(0..);
    let replications: Vec<Replication> =
        pairs.map(|(pair, number)| Replication { number, finding: &nothing, figures: pair }).collect();
    let measures = [response(), failed()];
    let asked = replications.len() as u32;
    let evidence = Evidence { replications: &replications, asked, measures: &measures, ..Evidence::NOTHING };
    judge(&promise(Rule::Figures(condition)), &evidence)
}

fn below(milliseconds: f64) -> Figure {
    let bound = Figure::Constant(milliseconds * 1e6);
    Figure::Compare(Comparison::Less, Box::new(Figure::Measure(response())), Box::new(bound))
}

fn none_failed() -> Figure {
    let zero = Box::new(Figure::Constant(0.0));
    Figure::Compare(Comparison::Equal, Box::new(Figure::Measure(failed())), zero)
}

/// 90, 100 and 110 ms: 100 ± 24.8 ms. Nothing failed, failed now and then, failed always.
const TIMES: [f64; 3] = [90e6, 100e6, 110e6];

fn with_failures(failures: [f64; 3]) -> Vec<[Option<f64>; 2]> {
    TIMES.iter().zip(failures).map(|(&time, failures)| [Some(time), Some(failures)]).collect()
}

#[test]
fn a_figure_is_judged_by_its_interval() {
    let clean = with_failures([0.0; 3]);
    for (bound, outcome, reason) in [
        (130.0, Pass, "p99(shopper.response_time) was 0.1 ± 0.0248 s (3 replications)."),
        (70.0, Fail, "p99(shopper.response_time) was 0.1 ± 0.0248 s (3 replications)."),
        (
            110.0,
            Inconclusive,
            "p99(shopper.response_time) was 0.1 ± 0.0248 s (3 replications), which leaves open whether it holds.",
        ),
    ] {
        let verdict = judged(below(bound), &clean);
        assert_eq!((verdict.outcome, verdict.reason.as_str()), (outcome, reason), "{bound}");
        assert_eq!(verdict.tally, None);
        assert_eq!(verdict.figures[0].name, "p99(shopper.response_time)");
        assert!((verdict.figures[0].estimate.mean.unwrap() - 0.1).abs() < 1e-12, "in seconds");
    }
}

#[test]
fn a_figure_needs_two_replications_that_have_it() {
    let once = judged(below(500.0), &[[Some(1e6), None]]);
    assert_eq!(once.outcome, Inconclusive);
    assert_eq!(
        once.reason,
        "p99(shopper.response_time) was 0.001 s (1 replication): it takes two replications to have an interval."
    );
    let never = judged(below(500.0), &[[None, None], [None, None]]);
    assert_eq!(never.outcome, Inconclusive);
    assert_eq!(never.reason, "There was nothing to measure: p99(shopper.response_time) has no value.");
    let twice = judged(below(500.0), &[[Some(1e6), None], [Some(1e6), None]]);
    assert_eq!(twice.outcome, Pass);
    assert!(twice.reason.contains("(2 replications)"));
}

/// What one replication cannot say is not made up for by the others, unless they say no.
#[test]
fn a_replication_without_a_value_is_not_dropped() {
    let gap = [[Some(1e6), Some(0.0)], [None, Some(0.0)], [Some(1e6), Some(0.0)]];
    let Verdict { outcome, reason, .. } = judged(below(500.0), &gap);
    let gaps = "(2 replications); p99(shopper.response_time) has no value in 1 of 3 replications.";
    assert!(outcome == Inconclusive && reason.ends_with(gaps), "{reason}");
    assert_eq!(judged(below(0.5), &gap).outcome, Fail, "what the others break is broken");
    let not = |inner| Figure::Not(Box::new(inner));
    assert_eq!(judged(not(below(0.5)), &gap).outcome, Inconclusive, "turned round it passes no more");
    let pair = |of: fn(Box<Figure>, Box<Figure>) -> Figure, one, two| of(Box::new(one), Box::new(two));
    for (condition, outcome) in [
        (pair(Figure::Or, below(500.0), none_failed()), Pass),
        (pair(Figure::And, below(500.0), none_failed()), Inconclusive),
        (pair(Figure::And, below(0.5), none_failed()), Fail),
        (pair(Figure::Or, below(500.0), not(none_failed())), Inconclusive),
    ] {
        assert_eq!(judged(condition.clone(), &gap).outcome, outcome, "{condition:?}");
    }
}

/// One that is sure decides where it can, whatever the other says.
#[test]
fn conditions_are_put_together_with_what_is_open() {
    let (yes, no, open) = (130.0, 70.0, 110.0);
    let and = |time, left: bool| {
        let (one, two) = (Box::new(below(time)), Box::new(none_failed()));
        if left { Figure::And(one, two) } else { Figure::And(two, one) }
    };
    let or = |time| Figure::Or(Box::new(below(time)), Box::new(none_failed()));
    let not = |inner| Figure::Not(Box::new(inner));
    // The failures are: none, which is sure; at times, which is open; always, which is sure.
    let (none, at_times, always) = ([0.0; 3], [0.0, 0.0, 3.0], [3.0; 3]);
    for (time, failures, both, either) in [
        (yes, none, Pass, Pass),
        (yes, at_times, Inconclusive, Pass),
        (yes, always, Fail, Pass),
        (open, none, Inconclusive, Pass),
        (open, at_times, Inconclusive, Inconclusive),
        (open, always, Fail, Inconclusive),
        (no, none, Fail, Pass),
        (no, at_times, Fail, Inconclusive),
        (no, always, Fail, Fail),
    ] {
        let outcome = |condition| judged(condition, &with_failures(failures)).outcome;
        assert_eq!(outcome(and(time, true)), both, "{time} and {failures:?}");
        assert_eq!(outcome(and(time, false)), both, "{failures:?} and {time}");
        assert_eq!(outcome(or(time)), either, "{time} or {failures:?}");
        let turned = |outcome| match outcome {
            Pass => Fail,
            Fail => Pass,
            Inconclusive => Inconclusive,
        };
        assert_eq!(outcome(not(and(time, true))), turned(both));
        assert_eq!(outcome(not(or(time))), turned(either));
        // `none_failed ? below : !below` is what the time says, turned if something failed.
        let choice =
            Figure::Conditional(Box::new(none_failed()), Box::new(below(time)), Box::new(not(below(time))));
        let of_time = judged(below(time), &with_failures(none)).outcome;
        let expected = match failures {
            _ if failures == none => of_time,
            _ if failures == always => turned(of_time),
            _ => Inconclusive,
        };
        assert_eq!(outcome(choice), expected, "{time}, {failures:?}");
        // Either way the same.
        let same = Figure::Conditional(Box::new(none_failed()), Box::new(below(time)), Box::new(below(time)));
        assert_eq!(outcome(same), of_time);
    }
}

/// The two sides are compared in each replication, so that what they share does not blur their difference.
#[test]
fn both_sides_are_of_the_same_replication() {
    let figures: Vec<[Option<f64>; 2]> =
        [100.0, 200.0, 300.0, 400.0].iter().map(|&time| [Some(time), Some(time + 1.0)]).collect();
    let (one, two) = (Box::new(Figure::Measure(response())), Box::new(Figure::Measure(failed())));
    let verdict = judged(Figure::Compare(Comparison::Less, one, two), &figures);
    assert_eq!(verdict.outcome, Pass, "{}", verdict.reason);
    assert_eq!(verdict.figures.len(), 2);
}

#[test]
fn what_comes_to_no_number_is_left_open() {
    let time = || Box::new(Figure::Measure(response()));
    let failures = || Box::new(Figure::Measure(failed()));
    let ratio = Figure::Calculate(Arithmetic::Divide, time(), failures());
    let condition = Figure::Compare(Comparison::Greater, Box::new(ratio), Box::new(Figure::Constant(1.0)));
    let verdict = judged(condition, &with_failures([0.0; 3]));
    assert_eq!(verdict.outcome, Inconclusive, "a division by zero is no number: {}", verdict.reason);
    for (figure, value) in [
        (Figure::Least(vec![Figure::Constant(3.0), Figure::Constant(-1.0)]), -1.0),
        (Figure::Greatest(vec![Figure::Constant(3.0), Figure::Constant(-1.0)]), 3.0),
        (Figure::Absolute(Box::new(Figure::Negate(Box::new(Figure::Constant(2.0))))), 2.0),
        (
            Figure::Calculate(
                Arithmetic::Remainder,
                Box::new(Figure::Constant(7.0)),
                Box::new(Figure::Constant(4.0)),
            ),
            3.0,
        ),
        (
            Figure::Conditional(
                Box::new(none_failed()),
                Box::new(Figure::Constant(1.0)),
                Box::new(Figure::Constant(2.0)),
            ),
            1.0,
        ),
    ] {
        let equal = Figure::Compare(Comparison::Equal, Box::new(figure), Box::new(Figure::Constant(value)));
        assert_eq!(judged(equal, &with_failures([0.0; 3])).outcome, Pass, "{value}");
    }
}

/// A fault that missed casts its doubt on figures, too.
#[test]
fn a_figure_relies_on_the_faults() {
    let idle = ["a (crash a)".to_owned()];
    let nothing = Finding::default();
    let replication = |number| Replication { number, finding: &nothing, figures: &[Some(1e6), Some(0.0)] };
    let replications = [replication(0), replication(1)];
    let measures = [response(), failed()];
    let evidence = Evidence {
        replications: &replications,
        asked: 2,
        measures: &measures,
        idle_faults: &idle,
        confidence: 0.95,
    };
    let verdict = judge(&promise(Rule::Figures(below(500.0))), &evidence);
    assert_eq!(verdict.outcome, Inconclusive);
    assert_eq!(verdict.reason, "The fault a (crash a) never hit anything alive.");
    let verdict = judge(&promise(Rule::Figures(below(0.5))), &evidence);
    assert_eq!(verdict.outcome, Fail);
}

#[test]
fn a_verdict_says_where_it_was_asked_for_and_what_was_expected() {
    let mut promise = promise(Rule::Findings(Bound::Count(0)));
    promise.expected = Some(Fail);
    let finding = finding(1, 1, 1);
    let replications = [Replication { number: 0, finding: &finding, figures: &[] }];
    let verdict = judge(&promise, &Evidence { replications: &replications, asked: 1, ..Evidence::NOTHING });
    assert_eq!((verdict.outcome, verdict.standing()), (Fail, Pass));
    assert_eq!((verdict.place.line, verdict.place.column), (9, 3));
    assert_eq!(verdict.bound, "none in any replication");
}
