//! Each measure and each promise between every two designs, over the replications that were done of all.

use crate::experiment::measures::Measured;
use crate::experiment::results::Estimate;
use crate::experiment::results::compare::{
    ComparedMeasure, ComparedPromise, Kept, PairOfMeasures, PairOfPromises,
};
use crate::experiment::results::measure::Role;
use crate::experiment::results::verdict::Verdict;
use crate::experiment::run::Replicated;
use crate::stats::confidence::{Interval, Intervals};
use crate::stats::paired::{broken_alike, compare};

/// The designs, side by side.
pub struct Sides<'a> {
    designs: &'a [Replicated],
    /// Of each design, where the replications are that were done of all.
    positions: Vec<Vec<usize>>,
    intervals: Intervals,
    pair_intervals: Intervals,
}

/// All measures that any design has.
pub struct Measures {
    /// With whether each is a question.
    pub compared: Vec<(bool, ComparedMeasure)>,
    pub unchanged: Vec<String>,
    pub not_shared: Vec<String>,
}

impl<'a> Sides<'a> {
    /// With intervals of single designs and of differences at these levels.
    pub fn new(designs: &'a [Replicated], level: f64, pair_level: f64) -> Self {
        let is_in_all = |number: &u32| designs.iter().all(|one| one.numbers.binary_search(number).is_ok());
        let positions_of = |one: &Replicated| {
            let numbers = one.numbers.iter().enumerate();
            numbers.filter(|(_, number)| is_in_all(number)).map(|(at, _)| at).collect()
        };
        Self {
            designs,
            positions: designs.iter().map(positions_of).collect(),
            intervals: Intervals::new(level),
            pair_intervals: Intervals::new(pair_level),
        }
    }

    /// How many replications were done of every design.
    pub fn replications(&self) -> u32 {
        self.positions[0].len() as u32
    }

    /// In the order in which the first design has them; behind them those that only others have.
    pub fn measures(&self) -> Measures {
        let mut measures = Measures { compared: Vec::new(), unchanged: Vec::new(), not_shared: Vec::new() };
        for name in in_order(self.designs.iter().map(|one| one.measures.iter().map(|of| &of.name))) {
            let known: Vec<Option<&Measured>> =
                self.designs.iter().map(|one| one.measures.iter().find(|of| of.name == *name)).collect();
            if known.iter().any(Option::is_none) {
                measures.not_shared.push(name.clone());
            }
            let sharing: Vec<usize> = (0..known.len()).filter(|&at| known[at].is_some()).collect();
            if sharing.len() < 2 {
                continue;
            }
            let values: Vec<Vec<Option<f64>>> =
                known.iter().enumerate().map(|(at, of)| self.values(at, *of)).collect();
            if sharing.iter().all(|&at| values[at] == values[sharing[0]]) {
                measures.unchanged.push(name.clone());
                continue;
            }
            let is_question = known.iter().flatten().any(|of| of.role != Role::Told);
            let of = known[sharing[0]].expect("it is among those that share it");
            measures.compared.push((is_question, self.measure(of, &values, &sharing)));
        }
        measures
    }

    /// A measure's values in the replications that were done of all; none where a design does not have it.
    fn values(&self, design: usize, of: Option<&Measured>) -> Vec<Option<f64>> {
        let positions = &self.positions[design];
        match of {
            Some(of) => positions.iter().map(|&at| of.values[at]).collect(),
            None => vec![None; positions.len()],
        }
    }

    fn measure(&self, of: &Measured, values: &[Vec<Option<f64>>], sharing: &[usize]) -> ComparedMeasure {
        let one = |values: &Vec<Option<f64>>| estimate(self.intervals.of(values.iter().copied().flatten()));
        ComparedMeasure {
            name: of.name.clone(),
            unit: of.unit,
            wanted: of.wanted,
            role: of.role,
            designs: values.iter().map(one).collect(),
            pairs: pairs_of(sharing).map(|(first, second)| self.pair(first, second, values)).collect(),
        }
    }

    fn pair(&self, first: usize, second: usize, values: &[Vec<Option<f64>>]) -> PairOfMeasures {
        let pairs: Vec<(f64, f64)> =
            values[first].iter().zip(&values[second]).filter_map(|(a, b)| (*a).zip(*b)).collect();
        let compared = compare(&pairs, &self.pair_intervals);
        PairOfMeasures {
            first,
            second,
            difference: estimate(compared.difference),
            relative: estimate(compared.relative),
            p_value: compared.p_value,
            p_adjusted: None,
            is_clear: false,
            median: compared.median,
            variance_reduction: compared.variance_reduction,
        }
    }

    /// Promises that at least two designs make, as measures are ordered.
    pub fn promises(&self) -> Vec<ComparedPromise> {
        let names = in_order(self.designs.iter().map(|one| one.broken.iter().map(|(name, _)| name)));
        let promises = names.into_iter().filter_map(|name| {
            let verdicts = self.designs.iter().map(|one| verdict(one, name));
            let designs: Vec<Option<Kept>> = verdicts.map(|verdict| Some(kept(verdict?))).collect();
            let sharing: Vec<usize> = (0..designs.len()).filter(|&at| designs[at].is_some()).collect();
            let pairs = pairs_of(&sharing).map(|(first, second)| self.broken_by_one(first, second, name));
            let pairs: Vec<PairOfPromises> = pairs.collect();
            (!pairs.is_empty()).then(|| ComparedPromise { name: name.clone(), designs, pairs })
        });
        promises.collect()
    }

    fn broken_by_one(&self, first: usize, second: usize, name: &str) -> PairOfPromises {
        let broken = |design: usize| {
            let one = &self.designs[design];
            let each = one.broken.iter().find(|(promise, _)| promise == name).map(|(_, each)| each);
            self.positions[design].iter().map(move |&at| each.and_then(|each| each[at]))
        };
        let (mut only_first, mut only_second) = (0, 0);
        for pair in broken(first).zip(broken(second)) {
            only_first += u32::from(pair == (Some(true), Some(false)));
            only_second += u32::from(pair == (Some(false), Some(true)));
        }
        let p_value = broken_alike(only_first.into(), only_second.into());
        PairOfPromises { first, second, only_first, only_second, p_value, p_adjusted: 1.0, is_clear: false }
    }
}

fn verdict<'v>(of: &'v Replicated, name: &str) -> Option<&'v Verdict> {
    of.results.verdicts.iter().find(|verdict| verdict.name == name)
}

fn kept(verdict: &Verdict) -> Kept {
    let tally = verdict.tally.as_ref();
    Kept {
        bound: verdict.bound.clone(),
        outcome: verdict.outcome,
        violation: verdict.violation,
        count: tally.map(|tally| tally.count),
        of: tally.map(|tally| tally.of),
    }
}

/// Every two of some designs, in their order.
fn pairs_of(designs: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let pairs = designs.iter().enumerate();
    pairs.flat_map(|(at, &first)| designs[at + 1..].iter().map(move |&second| (first, second)))
}

/// Each name once, as it first comes.
fn in_order<'n>(lists: impl Iterator<Item = impl Iterator<Item = &'n String>>) -> Vec<&'n String> {
    let mut names = indexmap::IndexSet::new();
    names.extend(lists.flatten());
    names.into_iter().collect()
}

fn estimate(interval: Interval) -> Estimate {
    Estimate { mean: interval.mean, half_width: interval.half_width, n: interval.count }
}
