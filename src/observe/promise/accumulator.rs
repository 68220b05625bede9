//! One aggregate of one group of rows, kept up to date as rows come and go.
//!
//! ```
//! use eventflow::model::promise::Statistic;
//! use eventflow::observe::promise::accumulator::{Accumulator, Numbers};
//!
//! let mut sum = Accumulator::new(Statistic::Sum, Numbers::Whole);
//! sum.add(Ok(5));
//! sum.add(Ok(-2_i64 as u64));
//! sum.remove(Ok(5));
//! assert_eq!(sum.read(), Ok(-2_i64 as u64));
//! ```
//!
//! The law: only the values that are in count, never the order in which they came or what went. Sums of
//! floats are therefore added up anew, in the order of their size.

use super::formula::Trouble;
use crate::model::Word;
use crate::model::promise::Statistic;
use std::collections::BTreeMap;

/// How the words that are taken in are read, and what comes out of a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Whole numbers; a mean of them is rounded, half to even.
    Whole,
    /// Whole numbers whose mean is a float.
    WholeToFloat,
    Float,
}

/// The values of a group, as far as its statistic needs them.
#[derive(Clone, Debug)]
pub struct Accumulator {
    statistic: Statistic,
    numbers: Numbers,
    /// How many values there are.
    count: u64,
    /// Their sum, of whole numbers; how many hold, of a share.
    sum: i128,
    /// The values themselves, how often each, where their order matters.
    values: BTreeMap<i64, u64>,
    /// A value, and how many are below it: near the quantile.
    cursor: Option<(i64, u64)>,
    /// Values that cannot be calculated.
    failed: u64,
}

impl Accumulator {
    pub fn new(statistic: Statistic, numbers: Numbers) -> Self {
        Self { statistic, numbers, count: 0, sum: 0, values: BTreeMap::new(), cursor: None, failed: 0 }
    }

    /// Takes in the value of one more row.
    pub fn add(&mut self, value: Result<Word, Trouble>) {
        let Ok(word) = value else {
            self.failed += 1;
            return;
        };
        self.count += 1;
        if !self.keeps_values() {
            self.sum += word as i64 as i128;
            return;
        }
        let value = self.order_of(word);
        *self.values.entry(value).or_insert(0) += 1;
        if let Some((_, below)) = self.cursor.as_mut().filter(|(at, _)| value < *at) {
            *below += 1;
        }
    }

    /// Takes out a value that was taken in.
    pub fn remove(&mut self, value: Result<Word, Trouble>) {
        let Ok(word) = value else {
            self.failed -= 1;
            return;
        };
        self.count -= 1;
        if !self.keeps_values() {
            self.sum -= word as i64 as i128;
            return;
        }
        let value = self.order_of(word);
        let often = self.values.get_mut(&value).expect("only what came goes");
        *often -= 1;
        if *often == 0 {
            self.values.remove(&value);
        }
        if let Some((_, below)) = self.cursor.as_mut().filter(|(at, _)| value < *at) {
            *below -= 1;
        }
    }

    /// Whether nothing is in.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.failed == 0
    }

    /// The figure as it is now.
    ///
    /// # Errors
    ///
    /// `Failed` if a value cannot be calculated, or the sum does not fit; `NoValue` if there are none
    /// and the statistic needs one.
    pub fn read(&mut self) -> Result<Word, Trouble> {
        if self.failed > 0 {
            return Err(Trouble::Failed);
        }
        match self.statistic {
            Statistic::Count => Ok(self.count),
            Statistic::Sum => self.read_sum(),
            _ if self.count == 0 => Err(Trouble::NoValue),
            Statistic::Mean => self.mean(),
            Statistic::Share => Ok((self.sum as f64 / self.count as f64).to_bits()),
            Statistic::Minimum => {
                self.values.first_key_value().map(|(value, _)| self.word_of(*value)).ok_or(Trouble::NoValue)
            }
            Statistic::Maximum => {
                self.values.last_key_value().map(|(value, _)| self.word_of(*value)).ok_or(Trouble::NoValue)
            }
            Statistic::Quantile(share) => Ok(self.quantile(share)),
            Statistic::Whole | Statistic::Rate => unreachable!("resolved: of figures of the run only"),
        }
    }

    fn keeps_values(&self) -> bool {
        match self.statistic {
            Statistic::Minimum | Statistic::Maximum | Statistic::Quantile(_) => true,
            Statistic::Sum | Statistic::Mean => self.numbers == Numbers::Float,
            _ => false,
        }
    }

    fn read_sum(&self) -> Result<Word, Trouble> {
        match self.numbers {
            Numbers::Float => finite(self.float_sum()),
            _ => i64::try_from(self.sum).map(|sum| sum as Word).map_err(|_| Trouble::Failed),
        }
    }

    fn float_sum(&self) -> f64 {
        self.values.iter().map(|(value, often)| float_at(*value) * *often as f64).sum()
    }

    fn mean(&self) -> Result<Word, Trouble> {
        match self.numbers {
            Numbers::Float => finite(self.float_sum() / self.count as f64),
            Numbers::WholeToFloat => finite(self.sum as f64 / self.count as f64),
            Numbers::Whole => {
                let count = self.count as i128;
                let (whole, rest) = (self.sum.div_euclid(count), self.sum.rem_euclid(count));
                let up = 2 * rest > count || 2 * rest == count && whole % 2 != 0;
                Ok((whole + i128::from(up)) as i64 as Word)
            }
        }
    }

    /// The least value that a share of all values does not exceed. The cursor moves there, which is not far:
    /// a value that comes or goes moves the quantile by one at most.
    fn quantile(&mut self, share: f64) -> Word {
        // A hair less, so that a product that should be whole does not count as more.
        let rank = ((share * self.count as f64 - 1e-9).ceil().max(1.0) as u64).min(self.count);
        let (mut at, mut below) = match self.cursor {
            Some((at, below)) => (at, below),
            None => (*self.values.first_key_value().expect("there are values").0, 0),
        };
        while below >= rank {
            let (&value, &often) = self.values.range(..at).next_back().expect("as many are below");
            (at, below) = (value, below - often);
        }
        loop {
            let (&value, &often) = self.values.range(at..).next().expect("the rank is within the values");
            if below + often >= rank {
                self.cursor = Some((value, below));
                return self.word_of(value);
            }
            below += often;
            at = value.saturating_add(1);
        }
    }

    /// A word as a whole number that has its order.
    fn order_of(&self, word: Word) -> i64 {
        if self.numbers == Numbers::Float { in_order(word as i64) } else { word as i64 }
    }

    fn word_of(&self, value: i64) -> Word {
        if self.numbers == Numbers::Float { in_order(value) as Word } else { value as Word }
    }
}

/// The bits of a float as a whole number in the order of floats; its own inverse.
fn in_order(bits: i64) -> i64 {
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

fn float_at(value: i64) -> f64 {
    f64::from_bits(in_order(value) as u64)
}

fn finite(value: f64) -> Result<Word, Trouble> {
    if value.is_finite() { Ok(value.to_bits()) } else { Err(Trouble::Failed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATISTICS: [Statistic; 7] = [
        Statistic::Sum,
        Statistic::Count,
        Statistic::Mean,
        Statistic::Minimum,
        Statistic::Maximum,
        Statistic::Quantile(0.5),
        Statistic::Quantile(0.99),
    ];

    /// What a look at all values says, whole numbers in.
    fn from_scratch(statistic: Statistic, values: &[i64]) -> Result<Word, Trouble> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let sum: i64 = sorted.iter().sum();
        let some = |value: Option<&i64>| value.map(|value| *value as Word).ok_or(Trouble::NoValue);
        match statistic {
            Statistic::Sum => Ok(sum as Word),
            Statistic::Count => Ok(values.len() as Word),
            Statistic::Mean if values.is_empty() => Err(Trouble::NoValue),
            Statistic::Mean => Ok((sum as f64 / values.len() as f64).to_bits()),
            Statistic::Minimum => some(sorted.first()),
            Statistic::Maximum => some(sorted.last()),
            Statistic::Quantile(share) => some(
                sorted
                    .iter()
                    .enumerate()
                    .find(|(index, _)| (index + 1) as f64 >= share * values.len() as f64 - 1e-9)
                    .map(|(_, value)| value),
            ),
            _ => unreachable!(),
        }
    }

    proptest! {
        /// Whatever came and went, and whenever it was asked, it says what the values that are in say.
        #[test]
        fn it_says_what_a_look_at_all_values_says(
            changes in prop::collection::vec((any::<bool>(), -20_i64..20, any::<bool>()), 0..200),
        ) {
            for statistic in STATISTICS {
                let mut accumulator = Accumulator::new(statistic, Numbers::WholeToFloat);
                let mut values: Vec<i64> = Vec::new();
                for &(comes, value, asked) in &changes {
                    if comes || values.is_empty() {
                        accumulator.add(Ok(value as Word));
                        values.push(value);
                    } else {
                        let gone = values.swap_remove(value.unsigned_abs() as usize % values.len());
                        accumulator.remove(Ok(gone as Word));
                    }
                    if asked {
                        prop_assert_eq!(accumulator.read(), from_scratch(statistic, &values));
                    }
                }
                prop_assert_eq!(accumulator.read(), from_scratch(statistic, &values), "{:?}", statistic);
            }
        }

        #[test]
        fn floats_keep_their_order_and_sums_forget_what_went(values in prop::collection::vec(-1e6_f64..1e6, 1..40)) {
            let mut sum = Accumulator::new(Statistic::Sum, Numbers::Float);
            let mut least = Accumulator::new(Statistic::Minimum, Numbers::Float);
            for value in &values {
                sum.add(Ok(value.to_bits()));
                least.add(Ok(value.to_bits()));
            }
            let expected = values.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert_eq!(least.read(), Ok(expected.to_bits()));
            let before = sum.read();
            sum.add(Ok(1e300_f64.to_bits()));
            sum.remove(Ok(1e300_f64.to_bits()));
            prop_assert_eq!(sum.read(), before);
        }
    }

    #[test]
    fn a_value_that_cannot_be_calculated_is_trouble_until_it_goes() {
        let mut sum = Accumulator::new(Statistic::Sum, Numbers::Whole);
        sum.add(Ok(3));
        sum.add(Err(Trouble::Failed));
        assert_eq!(sum.read(), Err(Trouble::Failed));
        sum.remove(Err(Trouble::Failed));
        assert_eq!(sum.read(), Ok(3));
        sum.add(Ok(i64::MAX as Word));
        assert_eq!(sum.read(), Err(Trouble::Failed), "it does not fit");
    }

    #[test]
    fn means_of_durations_are_rounded_half_to_even() {
        for (values, mean) in [(&[1_i64, 2][..], 2_i64), (&[2, 3], 2), (&[-1, -2], -2), (&[1, 1, 2], 1)] {
            let mut accumulator = Accumulator::new(Statistic::Mean, Numbers::Whole);
            values.iter().for_each(|value| accumulator.add(Ok(*value as Word)));
            assert_eq!(accumulator.read(), Ok(mean as Word), "{values:?}");
        }
    }
}
