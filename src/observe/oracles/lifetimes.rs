//! Which attempts are alive: what happened while one was is remembered until all those have ended.

use crate::kernel::encoder::Ranks;
use std::collections::VecDeque;

/// An attempt, numbered from 1 in the order of their beginnings.
pub type Number = u64;

#[derive(Clone, Debug, Default)]
pub struct Lifetimes {
    /// Of each attempt after the first `ended`, whether it is alive.
    alive: VecDeque<bool>,
    ended: u64,
}

impl Lifetimes {
    pub fn begin(&mut self) -> Number {
        self.alive.push_back(true);
        self.ended + self.alive.len() as Number
    }

    pub fn end(&mut self, attempt: Number) {
        self.alive[(attempt - self.ended - 1) as usize] = false;
        while self.alive.front() == Some(&false) {
            self.alive.pop_front();
            self.ended += 1;
        }
    }

    /// The attempts that are alive.
    pub fn alive(&self) -> impl Iterator<Item = Number> {
        let alive = (self.ended + 1..).zip(&self.alive).filter(|(_, is_alive)| **is_alive);
        alive.map(|(number, _)| number)
    }

    /// A moment: it is past once every attempt that is alive now has ended.
    pub fn now(&self) -> Moment {
        Moment(self.ended + self.alive.len() as Number)
    }

    pub fn is_past(&self, moment: Moment) -> bool {
        moment.0 <= self.ended
    }
}

/// How many attempts had begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Number);

impl Moment {
    /// How many of these attempts had begun by then.
    pub fn rank(self, attempts: &Ranks) -> u64 {
        attempts.rank(self.0 + 1)
    }

    /// Whether an attempt had begun by then.
    pub fn is_after_begin_of(self, attempt: Number) -> bool {
        attempt <= self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_past_when_all_who_saw_it_have_ended() {
        let mut lifetimes = Lifetimes::default();
        let (first, second) = (lifetimes.begin(), lifetimes.begin());
        let moment = lifetimes.now();
        let third = lifetimes.begin();
        lifetimes.end(second);
        lifetimes.end(third);
        assert!(!lifetimes.is_past(moment));
        assert!(moment.is_after_begin_of(second) && !moment.is_after_begin_of(third));
        lifetimes.end(first);
        assert!(lifetimes.is_past(moment) && lifetimes.is_past(lifetimes.now()));
        assert_eq!(lifetimes.begin(), 4);
    }
}
