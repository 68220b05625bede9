//! Reorder density (RFC 5236, sections 3 and 7.1): how far arrivals are from their places.
//!
//! Arrivals get *receive indices* in turn, which skip what is lost. An arrival's *displacement* is its
//! index less its number: negative if it came early, positive if late. What is more than a *threshold*
//! of arrivals late is lost, and what is as much too early is left out.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The displacements of one stream, between two arrivals: at most twice the threshold of numbers.
#[derive(Clone, Debug)]
pub struct Displacement {
    /// The next receive index.
    next: u64,
    /// Arrivals that wait for their index: one before them is missing and not yet given up.
    window: VecDeque<u64>,
    /// Early arrivals whose number is still to be an index, in rising order.
    early: Vec<u64>,
}

/// How often each displacement was met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReorderDensity {
    threshold: u32,
    /// From −threshold to +threshold.
    frequencies: Vec<u64>,
}

impl Displacement {
    /// A stream whose least number is `first`.
    pub fn new(first: u64) -> Self {
        Self { next: first, window: VecDeque::new(), early: Vec::new() }
    }

    /// Begins anew with another sequence, in the room of this one.
    pub fn restart(&mut self, first: u64) {
        self.next = first;
        self.window.clear();
        self.early.clear();
    }

    /// Takes in an arrival; copies, and what comes when it was given up, are left out. Only a copy of what was
    /// left out as too early is not known.
    pub fn arrive(&mut self, number: u64, density: &mut ReorderDensity) {
        if number < self.next || self.is_early(number) || self.window.contains(&number) {
            return;
        }
        self.window.push_back(number);
        let full = density.threshold as usize;
        while self.give_index(density) || self.window.len() > full && self.give_up() {}
    }

    /// The stream has ended: what is missing is lost.
    pub fn finish(&mut self, density: &mut ReorderDensity) {
        while self.give_index(density) || self.give_up() {}
    }

    fn is_early(&self, number: u64) -> bool {
        self.early.binary_search(&number).is_ok()
    }

    /// Gives the next index to the arrival that has waited longest, if the number of that index has arrived.
    fn give_index(&mut self, density: &mut ReorderDensity) -> bool {
        let index = self.next;
        let early = self.early.binary_search(&index).ok();
        if early.is_none() && !self.window.contains(&index) {
            return false;
        }
        let Some(number) = self.window.pop_front() else { return false };
        if !density.count(index, number) {
            return true;
        }
        early.map(|at| self.early.remove(at));
        if number > index {
            let at = self.early.partition_point(|early| *early < number);
            self.early.insert(at, number);
        }
        self.next += 1;
        true
    }

    /// The next index is lost: the one after it that has arrived is next.
    fn give_up(&mut self) -> bool {
        if self.window.is_empty() {
            return false;
        }
        let arrived = self.window.iter().chain(&self.early).filter(|number| **number > self.next);
        // Each index was given for a number that had arrived: as many late ones still wait as early ones are kept.
        self.next = *arrived.min().expect("late arrivals in the window stand for early ones");
        true
    }
}

impl ReorderDensity {
    /// Displacements beyond `threshold` do not count.
    pub fn new(threshold: u32) -> Self {
        Self { threshold, frequencies: vec![0; 2 * threshold as usize + 1] }
    }

    fn count(&mut self, index: u64, number: u64) -> bool {
        let counted = index.abs_diff(number) <= u64::from(self.threshold);
        if counted {
            self.frequencies[(u64::from(self.threshold) + index - number) as usize] += 1;
        }
        counted
    }

    /// Whether the other counts as this one does: they can be merged.
    pub fn fits(&self, other: &Self) -> bool {
        self.threshold == other.threshold && self.frequencies.len() == other.frequencies.len()
    }

    /// Takes in all that another density of the same threshold has.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.threshold, other.threshold, "densities of one threshold merge");
        self.frequencies.iter_mut().zip(&other.frequencies).for_each(|(ours, theirs)| *ours += theirs);
    }

    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// How many arrivals count.
    pub fn received(&self) -> u64 {
        self.frequencies.iter().sum()
    }

    /// Each displacement met, with how often, from the earliest.
    pub fn frequencies(&self) -> impl Iterator<Item = (i64, u64)> {
        let displacements = -i64::from(self.threshold)..;
        displacements.zip(self.frequencies.iter().copied()).filter(|(_, frequency)| *frequency > 0)
    }

    /// The share of arrivals with a displacement; `None` without arrivals.
    pub fn share(&self, displacement: i64) -> Option<f64> {
        let received = self.received();
        let of = self.frequencies().find(|(met, _)| *met == displacement);
        (received > 0).then(|| of.map_or(0, |(_, frequency)| frequency) as f64 / received as f64)
    }
}
