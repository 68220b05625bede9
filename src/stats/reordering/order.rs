//! Order of arrival as RFC 4737 measures it.
//!
//! A number below one that has arrived is *reordered* (section 3.3). Its *extent* is how many arrivals ago
//! the first greater number came (4.2), its *late time* how long ago that was (4.3). It is *n-reordered* if
//! each of the n arrivals just before it is greater (5.3). What lies between two reordered arrivals is a
//! *reordering-free run* (4.6).

use crate::stats::histogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Greater degrees of n-reordering count as this one, as in appendix A.
const GREATEST_DEGREE: usize = 100;

/// The order of one stream, between two arrivals.
///
/// What is kept is bounded by `history`: so many places where numbers were skipped and have not all arrived
/// since. Of a number that was skipped before, only that it is reordered is known (section 6).
#[derive(Clone, Debug)]
pub struct Order {
    history: usize,
    arrived: u64,
    next_expected: u64,
    gaps: VecDeque<Gap>,
    /// Rising numbers, each the latest arrival below the one after it; followers by one are joined.
    rising: VecDeque<Place>,
    /// Position of the last place that is no longer known.
    forgotten: u64,
    run: u64,
}

/// An arrival that skipped numbers (section 3.4), while some of them are missing.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: u64,
    number: u64,
    missing: u64,
    position: u64,
    at: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    number: u64,
    position: u64,
}

/// What one arrival is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    InOrder,
    Reordered {
        /// `None`: what it came after is no longer known.
        lateness: Option<Lateness>,
        /// It is n-reordered for each n up to this one; 0: the arrival before it is smaller. A lower bound where more
        /// than the history would be needed.
        degree: u64,
    },
}

/// How much too late a reordered arrival is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// Arrivals since the first greater one.
    pub extent: u64,
    /// Time since then, in the unit of the times given.
    pub time: u64,
}

impl Order {
    /// A stream whose least number is `first`.
    pub fn new(first: u64, history: usize) -> Self {
        Self {
            history: history.max(1),
            arrived: 0,
            next_expected: first,
            gaps: VecDeque::new(),
            rising: VecDeque::new(),
            forgotten: 0,
            run: 0,
        }
    }

    /// Begins anew with another sequence, in the room of this one.
    pub fn restart(&mut self, first: u64) {
        (self.arrived, self.next_expected, self.forgotten, self.run) = (0, first, 0, 0);
        self.gaps.clear();
        self.rising.clear();
    }

    /// Takes in an arrival. Each number comes once: copies are for the caller to leave out (section 3.6).
    pub fn arrive(&mut self, number: u64, at: u64, figures: &mut OrderFigures) -> Arrival {
        self.arrived += 1;
        figures.arrived += 1;
        if number >= self.next_expected {
            self.skip_to(number, at);
            self.place(number);
            self.run += 1;
            return Arrival::InOrder;
        }
        let lateness = self.fill(number, at);
        let degree = self.degree_of(number);
        self.place(number);
        let run = u128::from(std::mem::take(&mut self.run));
        figures.count(lateness, degree, run);
        Arrival::Reordered { lateness, degree }
    }

    /// An arrival in order; what it skips is missing.
    fn skip_to(&mut self, number: u64, at: u64) {
        if number > self.next_expected {
            let (from, missing) = (self.next_expected, number - self.next_expected);
            self.gaps.push_back(Gap { from, number, missing, position: self.arrived, at });
            if self.gaps.len() > self.history {
                self.gaps.pop_front();
            }
        }
        self.next_expected = number.saturating_add(1);
    }

    /// A missing number has arrived: how late, by the arrival that skipped it.
    fn fill(&mut self, number: u64, at: u64) -> Option<Lateness> {
        let after = self.gaps.partition_point(|gap| gap.number <= number);
        let gap = self.gaps.get_mut(after).filter(|gap| gap.from <= number)?;
        let lateness = Lateness { extent: self.arrived - gap.position, time: at - gap.at };
        gap.missing -= 1;
        if gap.missing == 0 {
            self.gaps.remove(after);
        }
        Some(lateness)
    }

    /// How many arrivals just before this one are greater.
    fn degree_of(&mut self, number: u64) -> u64 {
        while self.rising.back().is_some_and(|place| place.number > number) {
            self.rising.pop_back();
        }
        let smaller = self.rising.back().map_or(self.forgotten, |place| place.position);
        self.arrived - smaller - 1
    }

    /// The latest arrival; all that is kept is smaller.
    fn place(&mut self, number: u64) {
        // Nothing that is missing lies between two neighbours: the later one speaks for both.
        if self.rising.back().is_some_and(|place| place.number.checked_add(1) == Some(number)) {
            self.rising.pop_back();
        }
        self.rising.push_back(Place { number, position: self.arrived });
        if self.rising.len() > self.history
            && let Some(oldest) = self.rising.pop_front()
        {
            self.forgotten = oldest.position;
        }
    }
}

/// What is counted of one stream, or of many.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderFigures {
    arrived: u64,
    reordered: u64,
    extents: Histogram,
    late_times: Histogram,
    /// By greatest degree of n-reordering, from 0.
    degrees: Vec<u64>,
    /// Sum of the squares of the runs that a reordered arrival has ended.
    squares: u128,
}

impl Default for OrderFigures {
    fn default() -> Self {
        Self {
            arrived: 0,
            reordered: 0,
            extents: Histogram::default(),
            late_times: Histogram::default(),
            degrees: vec![0; GREATEST_DEGREE + 1],
            squares: 0,
        }
    }
}

impl OrderFigures {
    fn count(&mut self, lateness: Option<Lateness>, degree: u64, run: u128) {
        self.reordered += 1;
        if let Some(Lateness { extent, time }) = lateness {
            self.extents.record(extent);
            self.late_times.record(time);
        }
        self.degrees[degree.min(GREATEST_DEGREE as u64) as usize] += 1;
        self.squares += run * run;
    }

    /// Whether the other counts as this one does: they can be merged.
    pub fn fits(&self, other: &Self) -> bool {
        self.degrees.len() == other.degrees.len()
    }

    /// Takes in all that other figures have.
    pub fn merge(&mut self, other: &Self) {
        self.arrived += other.arrived;
        self.reordered += other.reordered;
        self.extents.merge(&other.extents);
        self.late_times.merge(&other.late_times);
        self.degrees.iter_mut().zip(&other.degrees).for_each(|(ours, theirs)| *ours += theirs);
        self.squares += other.squares;
    }

    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    pub fn reordered(&self) -> u64 {
        self.reordered
    }

    /// The share of reordered arrivals (section 4.1); `None` without arrivals.
    pub fn ratio(&self) -> Option<f64> {
        (self.arrived > 0).then(|| self.reordered as f64 / self.arrived as f64)
    }

    /// Extents of reordered arrivals, in arrivals (section 4.2); fewer than [`Self::reordered`] if the history was
    /// too short.
    pub fn extents(&self) -> &Histogram {
        &self.extents
    }

    /// Late times of reordered arrivals (section 4.3), in the unit of the times given.
    pub fn late_times(&self) -> &Histogram {
        &self.late_times
    }

    /// How many arrivals are n-reordered (section 5.3), for n from 1 to 100.
    pub fn n_reordered(&self, n: usize) -> u64 {
        self.degrees.iter().skip(n.max(1)).sum()
    }

    /// The degree of n-reordering: the share of arrivals that are n-reordered; `None` without arrivals.
    pub fn degree(&self, n: usize) -> Option<f64> {
        (self.arrived > 0).then(|| self.n_reordered(n) as f64 / self.arrived as f64)
    }

    /// The mean length of a reordering-free run, in arrivals (section 4.6: a/x); `None` if nothing was reordered.
    pub fn mean_run(&self) -> Option<f64> {
        (self.reordered > 0).then(|| (self.arrived - self.reordered) as f64 / self.reordered as f64)
    }

    /// How much runs vary (section 4.6: (q/a)/(a/x)): 1 if all are as long. `None` if nothing was reordered, or
    /// nothing in order.
    pub fn run_variation(&self) -> Option<f64> {
        let in_order = (self.arrived - self.reordered) as f64;
        let mean = self.mean_run().filter(|mean| *mean > 0.0)?;
        Some(self.squares as f64 / in_order / mean)
    }
}
