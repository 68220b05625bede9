//! The definitions, said over the whole history of what happened.

use crate::model::Word;
use std::collections::{BTreeMap, BTreeSet};

/// Steps of the handler of `rows`.
pub const ADD: usize = 1;
pub const SET_BOTH: usize = 2;
pub const DELETE: usize = 3;

/// Something that happened, for the definitions.
#[derive(Clone, Debug)]
pub enum Fact {
    Placed(u64),
    Arrived(u64, usize),
    /// No longer on its way to one.
    Left(u64, usize),
    Committed {
        by: Option<(u64, usize)>,
        row: u64,
        old: Option<[Word; 2]>,
        new: Option<[Word; 2]>,
        steps: Vec<usize>,
    },
}

/// The definitions over the whole history: arrived, applied, regressed, and messages together.
pub fn by_definition(facts: &[Fact], obligations: &[(usize, u64, u64)]) -> [u64; 4] {
    let mut order: Vec<u64> = Vec::new();
    for fact in facts {
        if let Fact::Placed(obligation) = fact
            && !order.contains(obligation)
        {
            order.push(*obligation);
        }
    }
    let place = |obligation: u64| order.iter().position(|placed| *placed == obligation).unwrap();
    let domain = |obligation: u64| {
        let (producer, key, _) = obligations[obligation as usize];
        (producer, key)
    };
    let is_later = |one: u64, than: u64| domain(one) == domain(than) && place(one) > place(than);
    let turns = |turns: Vec<(u64, usize)>| {
        let mut firsts: Vec<(u64, usize)> = Vec::new();
        let mut late = 0;
        for turn in turns {
            if !firsts.contains(&turn) {
                late += firsts.iter().any(|(met, lane)| *lane == turn.1 && is_later(*met, turn.0)) as u64;
                firsts.push(turn);
            }
        }
        late
    };
    let arrivals = facts.iter().filter_map(|fact| match *fact {
        Fact::Arrived(obligation, lane) => Some((obligation, lane)),
        _ => None,
    });
    let changes = facts.iter().filter_map(|fact| match fact {
        Fact::Committed { by: Some(by), old, new, .. } if old != new => Some(*by),
        _ => None,
    });
    let (arrivals, changes) = (arrivals.collect(), changes.collect());
    [turns(arrivals), turns(changes), regressions(facts, &is_later), together(facts, &domain)]
}

/// Who put something into a value, and whether by an addition.
type Part = (Option<u64>, bool);

/// Each column with all that went into its present value, since what was there was last replaced.
fn regressions(facts: &[Fact], is_later: &impl Fn(u64, u64) -> bool) -> u64 {
    const THERE: usize = 2;
    let mut present: BTreeMap<(u64, usize), Vec<Part>> = BTreeMap::new();
    let mut regressions = 0;
    for fact in facts {
        let Fact::Committed { by, row, old, new, steps } = fact else { continue };
        let by = by.map(|(obligation, _)| obligation);
        let is_flip = old.is_some() != new.is_some();
        let mut is_regression = false;
        for column in 0..3 {
            let sets = steps.iter().filter(|step| column == 0 || **step == SET_BOTH);
            let sets: Vec<usize> = sets.copied().collect();
            if column == THERE && !is_flip || column < THERE && !is_flip && sets.is_empty() {
                continue;
            }
            let is_addition = !is_flip && sets.iter().all(|step| *step == ADD);
            let is_same =
                !is_flip && old.is_some_and(|old| new.is_some_and(|new| old[column] == new[column]));
            if is_addition && is_same {
                continue;
            }
            let parts = present.entry((*row, column)).or_default();
            if let Some(by) = by.filter(|_| !is_same) {
                is_regression |= parts.iter().any(|(other, added)| {
                    other.is_some_and(|other| is_later(other, by)) && !(is_addition && *added)
                });
            }
            if !is_addition && !is_same {
                parts.clear();
            }
            parts.push((by, is_addition));
        }
        regressions += is_regression as u64;
    }
    regressions
}

/// Messages that were on their way to one together with another of their key.
fn together(facts: &[Fact], domain: &impl Fn(u64) -> (usize, u64)) -> u64 {
    let mut on_the_way: Vec<(u64, usize)> = Vec::new();
    let mut met = BTreeSet::new();
    for fact in facts {
        match *fact {
            Fact::Placed(obligation) => {
                for lane in 0..4 {
                    if on_the_way.contains(&(obligation, lane)) {
                        continue;
                    }
                    let others = on_the_way.iter();
                    let others =
                        others.filter(|(other, of)| *of == lane && domain(*other) == domain(obligation));
                    let others: Vec<(u64, usize)> = others.copied().collect();
                    if !others.is_empty() {
                        met.insert((obligation, lane));
                        met.extend(others);
                    }
                    on_the_way.push((obligation, lane));
                }
            }
            Fact::Left(obligation, lane) => on_the_way.retain(|one| *one != (obligation, lane)),
            _ => {}
        }
    }
    met.len() as u64
}
