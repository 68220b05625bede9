//! Which design is better: an order that admits ties.
//!
//! Law. What is promised, and what was counted that went wrong, comes first: speed is no excuse. A design *beats*
//! another if it is clearly better in some of that and clearly worse in none; where nothing of it is clear, if the same
//! holds of how much is done and how fast. What nobody beats is first; without those, what nobody beats of the rest is
//! second, and so on. Designs in one place cannot be told apart, or each is better in something: which of it matters
//! more is not for a simulator to say.

use crate::experiment::results::compare::{Against, ComparedMeasure, ComparedPromise, Ranked};
use crate::experiment::results::measure::{Role, Wanted};

/// The places of `count` designs, best first, by what is clear.
pub fn ranking(count: usize, questions: &[ComparedMeasure], promises: &[ComparedPromise]) -> Vec<Ranked> {
    let against: Vec<Vec<Against>> = (0..count)
        .map(|design| {
            let others = (0..count).filter(|&other| other != design);
            others.map(|other| held_against(design, other, questions, promises)).collect()
        })
        .collect();
    let beats =
        |design: usize, other: usize| against[design].iter().any(|one| one.design == other && one.beats);
    let mut left: Vec<usize> = (0..count).collect();
    let mut places = vec![0; count];
    let mut place = 1;
    while !left.is_empty() {
        let is_beaten = |&design: &usize| left.iter().any(|&other| beats(other, design));
        let first: Vec<usize> = left.iter().copied().filter(|design| !is_beaten(design)).collect();
        // Each may beat the next in something else, all around: then none of them is first.
        let first = if first.is_empty() { left.clone() } else { first };
        first.iter().for_each(|&design| places[design] = place);
        left.retain(|design| !first.contains(design));
        place += first.len() as u32;
    }
    let ranked = |(design, against)| Ranked { design, place: places[design], against };
    let mut ranking: Vec<Ranked> = against.into_iter().enumerate().map(ranked).collect();
    ranking.sort_by_key(|ranked| ranked.place);
    ranking
}

/// Names of what is clearly better, and worse.
#[derive(Default)]
struct Held {
    better: Vec<String>,
    worse: Vec<String>,
}

impl Held {
    fn add(&mut self, name: &str, is_better: bool) {
        if is_better { &mut self.better } else { &mut self.worse }.push(name.to_owned());
    }

    /// `None`: nothing is clear.
    fn is_ahead(&self) -> Option<bool> {
        let is_open = self.better.is_empty() && self.worse.is_empty();
        (!is_open).then_some(self.worse.is_empty())
    }
}

fn held_against(
    design: usize,
    other: usize,
    questions: &[ComparedMeasure],
    promises: &[ComparedPromise],
) -> Against {
    let (mut wrong, mut speed) = (Held::default(), Held::default());
    let is_pair = |first, second| (first, second) == (design.min(other), design.max(other));
    for promise in promises {
        let pair = promise.pairs.iter().find(|pair| is_pair(pair.first, pair.second) && pair.is_clear);
        if let Some(pair) = pair {
            let is_second_worse = pair.only_second > pair.only_first;
            wrong.add(&promise.name, is_second_worse == (design < other));
        }
    }
    for question in questions {
        let pair = question.pairs.iter().find(|pair| is_pair(pair.first, pair.second) && pair.is_clear);
        let Some(difference) = pair.and_then(|pair| pair.difference.mean) else { continue };
        let is_second_more = difference > 0.0;
        let held = if question.role == Role::Counted { &mut wrong } else { &mut speed };
        match question.wanted {
            Wanted::More => held.add(&question.name, is_second_more == (other < design)),
            Wanted::Less => held.add(&question.name, is_second_more == (design < other)),
            Wanted::Either => {}
        }
    }
    let beats = wrong.is_ahead().or(speed.is_ahead()).unwrap_or(false);
    let better = wrong.better.into_iter().chain(speed.better).collect();
    let worse = wrong.worse.into_iter().chain(speed.worse).collect();
    Against { design: other, better, worse, beats }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::results::Estimate;
    use crate::experiment::results::compare::{PairOfMeasures, PairOfPromises};
    use crate::experiment::results::measure::Unit;

    /// A question in which the pairs named differ clearly: (first, second, second less first).
    fn question(name: &str, wanted: Wanted, clear: &[(usize, usize, f64)]) -> ComparedMeasure {
        let estimate = |mean| Estimate { mean: Some(mean), half_width: Some(0.1), n: 10 };
        let pair = |&(first, second, mean)| PairOfMeasures {
            first,
            second,
            difference: estimate(mean),
            relative: estimate(mean),
            p_value: Some(0.001),
            p_adjusted: Some(0.01),
            is_clear: true,
            median: None,
            variance_reduction: None,
        };
        let pairs = clear.iter().map(pair).collect();
        ComparedMeasure {
            name: name.to_owned(),
            unit: Unit::Seconds,
            wanted,
            role: Role::Asked,
            designs: Vec::new(),
            pairs,
        }
    }

    fn places(ranking: &[Ranked]) -> Vec<(usize, u32)> {
        ranking.iter().map(|ranked| (ranked.design, ranked.place)).collect()
    }

    #[test]
    fn nothing_clear_is_a_tie_of_all() {
        assert_eq!(places(&ranking(3, &[], &[])), [(0, 1), (1, 1), (2, 1)]);
    }

    #[test]
    fn less_time_and_more_done_are_better() {
        let slow = question("time", Wanted::Less, &[(0, 1, -2.0), (0, 2, 1.0), (1, 2, 3.0)]);
        let through = question("done", Wanted::More, &[(0, 1, 5.0)]);
        let ranked = ranking(3, &[slow, through], &[]);
        assert_eq!(places(&ranked), [(1, 1), (0, 2), (2, 3)]);
        let of_first = &ranked[0].against[0];
        assert_eq!((of_first.design, of_first.better.len(), of_first.worse.len()), (0, 2, 0));
        assert_eq!(ranked[1].against[0].worse, ["time", "done"]);
    }

    #[test]
    fn a_trade_is_a_tie_and_a_circle_too() {
        let trade = [
            question("time", Wanted::Less, &[(0, 1, -2.0)]),
            question("done", Wanted::More, &[(0, 1, -5.0)]),
        ];
        assert_eq!(places(&ranking(2, &trade, &[])), [(0, 1), (1, 1)]);
        let circle = [
            question("a", Wanted::Less, &[(0, 1, 1.0)]),
            question("b", Wanted::Less, &[(1, 2, 1.0)]),
            question("c", Wanted::Less, &[(0, 2, -1.0)]),
        ];
        assert_eq!(places(&ranking(3, &circle, &[])), [(0, 1), (1, 1), (2, 1)]);
    }

    #[test]
    fn speed_is_no_excuse() {
        let fast = question("time", Wanted::Less, &[(0, 1, -2.0)]);
        let lost = ComparedMeasure { role: Role::Counted, ..question("lost", Wanted::Less, &[(0, 1, 3.0)]) };
        let ranked = ranking(2, &[fast, lost], &[]);
        assert_eq!(places(&ranked), [(0, 1), (1, 2)]);
        assert_eq!(
            (&ranked[0].against[0].better, &ranked[0].against[0].worse),
            (&vec!["lost".to_owned()], &vec!["time".to_owned()])
        );
    }

    #[test]
    fn a_promise_broken_more_often_is_worse() {
        let pair = PairOfPromises {
            first: 0,
            second: 1,
            only_first: 9,
            only_second: 0,
            p_value: 0.004,
            p_adjusted: 0.01,
            is_clear: true,
        };
        let promise = ComparedPromise { name: "kept".to_owned(), designs: Vec::new(), pairs: vec![pair] };
        assert_eq!(places(&ranking(2, &[], &[promise])), [(1, 1), (0, 2)]);
    }
}
