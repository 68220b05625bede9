//! Sums of quantities over time, replication by replication in their order, whatever the order they come in.
//!
//! Floating point numbers do not add up to the same in any order, and the number of threads must never show. Replications
//! are begun in their order and mostly end in it, so that few wait for an earlier one.

use crate::observe::metrics::Figures;
use std::collections::BTreeMap;

/// The series of all replications, added up.
#[derive(Default)]
pub struct SeriesSums {
    /// `None`: the first replication has not come.
    sums: Option<Vec<Vec<f64>>>,
    /// The number of the replication that is next.
    next: u32,
    /// Those that came before an earlier one.
    waiting: BTreeMap<u32, Vec<Vec<f64>>>,
}

impl SeriesSums {
    /// Takes in the series of one replication, in the order of [`Figures::series_mut`].
    pub fn add(&mut self, replication: u32, series: Vec<Vec<f64>>) {
        self.waiting.insert(replication, series);
        while let Some(series) = self.waiting.remove(&self.next) {
            self.next += 1;
            self.add_next(series);
        }
    }

    /// The figures with the sums in place of their own series. Replications that never came are passed over.
    pub fn finish(mut self, mut figures: Figures) -> Figures {
        for series in std::mem::take(&mut self.waiting).into_values() {
            self.add_next(series);
        }
        figures.series_mut().zip(self.sums.unwrap_or_default()).for_each(|(series, sums)| *series = sums);
        figures
    }

    fn add_next(&mut self, series: Vec<Vec<f64>>) {
        let Some(sums) = &mut self.sums else {
            self.sums = Some(series);
            return;
        };
        for (sums, series) in sums.iter_mut().zip(series) {
            sums.iter_mut().zip(series).for_each(|(sum, value)| *sum += value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1.
    #[test]
    fn sums_do_not_show_who_came_first() {
        let sum = |order: &[u32]| {
            let mut sums = SeriesSums::default();
            order.iter().for_each(|&number| sums.add(number, vec![vec![f64::from(number + 1) / 10.0]]));
            let waiting = sums.waiting.len();
            (sums.sums.map(|sums| sums[0][0].to_bits()), waiting)
        };
        let expected = (Some((0.1_f64 + 0.2 + 0.3).to_bits()), 0);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            assert_eq!(sum(&order), expected);
        }
        assert_ne!((0.1_f64 + 0.2 + 0.3).to_bits(), (0.3_f64 + 0.2 + 0.1).to_bits());
        assert_eq!(sum(&[0, 2]).1, 1, "one that is missing is waited for");
    }
}
