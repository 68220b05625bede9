//! A histogram of whole numbers from 0 to 2^64 − 1 whose buckets keep a constant relative width.
//!
//! Each octave [2^k, 2^(k+1)) has 128 equal buckets, so a bucket is at most 1/128 of its values wide,
//! and numbers below 256 are exact. An octave takes 512 bytes, and none before its first value: durations of a service
//! lie in a few octaves. Count, sum, least and greatest are exact. Source: HdrHistogram's log-linear
//! layout (Tene), without its fixed range.
//!
//! ```
//! use eventflow::stats::histogram::Histogram;
//! let mut times = Histogram::default();
//! (1..=100).for_each(|n| times.record(n));
//! assert_eq!((times.mean(), times.quantile(0.5), times.max()), (Some(50.5), Some(50.0), Some(100)));
//! ```

mod stored;

use serde::{Deserialize, Serialize};
use stored::StoredHistogram;

/// Buckets of an octave, and their number as a power of two.
const BUCKETS: usize = 128;
const BUCKET_BITS: u32 = BUCKETS.trailing_zeros();
/// Numbers below 128, then one octave for each higher bit.
const OCTAVES: usize = 64 - BUCKET_BITS as usize + 1;
const ABSENT: u8 = u8::MAX;

/// How often each size was seen.
///
/// The fields are laid out by cache line, as there may be tens of thousands of histograms: a value takes two lines
/// and its bucket's, and 0, which nobody who is served at once need wait, takes one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "StoredHistogram", try_from = "StoredHistogram")]
#[repr(C, align(64))]
pub struct Histogram {
    /// Of values above 0, like `count`, `min` and `max`.
    sum: u128,
    count: u64,
    min: u64,
    max: u64,
    counts: Vec<[u32; BUCKETS]>,
    /// Where in `counts` each octave begins, in octaves.
    places: [u8; OCTAVES],
    /// How often 0 was seen.
    zeros: u64,
    /// A bucket's position, once for each 2^32 that its count went over.
    carries: Vec<u16>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            sum: 0,
            count: 0,
            min: u64::MAX,
            max: 0,
            counts: Vec::new(),
            places: [ABSENT; OCTAVES],
            zeros: 0,
            carries: Vec::new(),
        }
    }
}

impl Histogram {
    /// Takes in one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        if value == 0 {
            self.zeros += 1;
            return;
        }
        self.count += 1;
        self.sum += u128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        let (octave, bucket) = position(value);
        let mut place = self.places[octave];
        if place == ABSENT {
            place = self.open(octave);
        }
        let count = &mut self.counts[place as usize][bucket];
        let (more, carried) = count.overflowing_add(1);
        *count = more;
        if carried {
            self.carries.push((octave * BUCKETS + bucket) as u16);
        }
    }

    /// Takes in all values of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.zeros += other.zeros;
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.carries.extend(&other.carries);
        for octave in 0..OCTAVES {
            let Some(theirs) = other.octave(octave) else { continue };
            let place = match self.places[octave] {
                ABSENT => self.open(octave),
                place => place,
            };
            for (bucket, (ours, theirs)) in self.counts[place as usize].iter_mut().zip(theirs).enumerate() {
                let (sum, carried) = ours.overflowing_add(*theirs);
                *ours = sum;
                if carried {
                    self.carries.push((octave * BUCKETS + bucket) as u16);
                }
            }
        }
    }

    pub fn count(&self) -> u64 {
        self.zeros + self.count
    }

    /// Sum of all values, exact.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum as f64 / self.count() as f64)
    }

    /// `None` without values.
    pub fn min(&self) -> Option<u64> {
        match self.zeros {
            0 => (self.count > 0).then_some(self.min),
            _ => Some(0),
        }
    }

    /// `None` without values.
    pub fn max(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.max)
    }

    /// The value that a share `p` of all values does not exceed; `None` without values. Within a bucket
    /// values are taken as evenly spread, so that the error has no sign; it is below 1/128.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let min = self.min()?;
        let rank = p.clamp(0.0, 1.0) * self.count() as f64;
        let mut before = 0;
        for (least, width, count) in self.buckets() {
            if (before + count) as f64 >= rank {
                let inside = (rank - before as f64).max(0.0) / count as f64;
                // A bucket of one whole number stands for that number, not for [n, n + 1).
                let value = least as f64 - 0.5 + inside * width as f64;
                let value = value.max(least as f64).min((least + (width - 1)) as f64);
                return Some(value.clamp(min as f64, self.max as f64));
            }
            before += count;
        }
        Some(self.max as f64)
    }

    /// The share of values that are at most `value`, to a bucket; `None` without values.
    pub fn share_at_most(&self, value: u64) -> Option<f64> {
        if value >= self.max {
            return (self.count() > 0).then_some(1.0);
        }
        let mut below = 0.0;
        for (least, width, count) in self.buckets() {
            if least > value {
                break;
            }
            let covered = (value - least).min(width - 1) as f64 + 1.0;
            below += count as f64 * covered / width as f64;
        }
        (self.count() > 0).then(|| below / self.count() as f64)
    }

    /// At most `most` (≥ 2) points of the distribution function, rising: (greatest value of a bucket, share of
    /// values up to it). Where there are more buckets, points are dense in the upper tail: evenly
    /// spread in share and in the logarithm of what lies above.
    pub fn distribution(&self, most: usize) -> Vec<(u64, f64)> {
        let total = self.count() as f64;
        let mut below = 0;
        let all: Vec<(u64, f64)> = self
            .buckets()
            .map(|(least, width, count)| {
                below += count;
                ((least + (width - 1)).min(self.max), below as f64 / total)
            })
            .collect();
        if all.len() <= most {
            return all;
        }
        let stretch = |share: f64| share - libm::log(1.0 - share + 0.5 / total);
        let (first, last) = (stretch(all[0].1), stretch(1.0));
        let step = (last - first) / (most as f64 - 2.0).max(1.0);
        let mut next = first;
        let mut points: Vec<(u64, f64)> = Vec::with_capacity(most);
        for &point in &all[..all.len() - 1] {
            if points.len() < most - 1 && stretch(point.1) >= next {
                points.push(point);
                next = (next + step).max(stretch(point.1));
            }
        }
        points.extend(all.last());
        points
    }

    /// Buckets that hold values, rising: (least value, number of whole values it spans, count).
    fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let zeros = (self.zeros > 0).then_some((0, 1, self.zeros));
        let others = (0..OCTAVES).filter_map(|octave| Some((octave, self.octave(octave)?))).flat_map(
            move |(octave, counts)| {
                counts.iter().enumerate().filter_map(move |(bucket, &count)| {
                    let position = (octave * BUCKETS + bucket) as u16;
                    let carried = self.carries.iter().filter(|&&carry| carry == position).count() as u64;
                    let count = u64::from(count) + (carried << 32);
                    let (least, width) = edges(octave, bucket);
                    (count > 0).then_some((least, width, count))
                })
            },
        );
        zeros.into_iter().chain(others)
    }

    fn octave(&self, octave: usize) -> Option<&[u32; BUCKETS]> {
        let place = self.places[octave];
        (place != ABSENT).then(|| &self.counts[place as usize])
    }

    #[cold]
    fn open(&mut self, octave: usize) -> u8 {
        let place = self.counts.len() as u8;
        self.places[octave] = place;
        self.counts.push([0; BUCKETS]);
        place
    }
}

/// Octave and bucket of a value.
#[inline(always)]
fn position(value: u64) -> (usize, usize) {
    let exponent = (value | (BUCKETS as u64 - 1)).ilog2();
    let octave = (exponent + 1 - BUCKET_BITS) as usize;
    let shift = octave.saturating_sub(1);
    (octave, (value >> shift) as usize % BUCKETS)
}

/// Least value of a bucket, and how many whole values it spans.
fn edges(octave: usize, bucket: usize) -> (u64, u64) {
    match octave {
        0 => (bucket as u64, 1),
        _ => (((BUCKETS + bucket) as u64) << (octave - 1), 1 << (octave - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.record(value));
        histogram
    }

    /// Every bucket begins where the one before ends, and holds just its own values.
    #[test]
    fn buckets_tile_all_numbers() {
        let mut next = 0_u64;
        for octave in 0..OCTAVES {
            for bucket in 0..BUCKETS {
                let (least, width) = edges(octave, bucket);
                assert_eq!(least, next);
                let last = least + (width - 1);
                assert_eq!((position(least), position(last)), ((octave, bucket), (octave, bucket)));
                assert!(width as u128 * 128 <= u128::from(least).max(128));
                next = last.wrapping_add(1);
            }
        }
        assert_eq!(next, 0, "the last bucket ends at 2^64 − 1");
    }

    #[test]
    fn empty_says_nothing() {
        let empty = Histogram::default();
        assert_eq!((empty.mean(), empty.quantile(0.5), empty.min(), empty.max()), (None, None, None, None));
        assert_eq!((empty.share_at_most(5), empty.distribution(10)), (None, vec![]));
    }

    #[test]
    fn ends_are_exact() {
        let histogram = of([0, u64::MAX, 12_345_678]);
        assert_eq!((histogram.quantile(0.0), histogram.quantile(1.0)), (Some(0.0), Some(u64::MAX as f64)));
        assert_eq!(histogram.sum(), u128::from(u64::MAX) + 12_345_678);
        assert_eq!(of([1_000_003]).quantile(0.5), Some(1_000_003.0));
    }

    /// Sorted values against quantiles: within 1/128, and without a lean to one side.
    #[test]
    fn quantiles_are_near_and_lean_nowhere() {
        let mut values: Vec<u64> = (0..50_000_u64).map(|i| 1_000 + i * i % 7_919 * 127 + i * 13).collect();
        let histogram = of(values.iter().copied());
        values.sort_unstable();
        let mut lean = 0.0;
        for i in 1..1_000 {
            let p = f64::from(i) / 1_000.0;
            let exact = values[50 * i as usize - 1] as f64;
            let error = histogram.quantile(p).unwrap() / exact - 1.0;
            assert!(error.abs() < 1.0 / 128.0, "{p}: {error}");
            lean += error / 999.0;
        }
        assert!(lean.abs() < 2e-4, "{lean}");
        for value in [1_000, 50_000, 400_000, 1_000_000] {
            let exact = values.partition_point(|&v| v <= value) as f64 / 50_000.0;
            assert!((histogram.share_at_most(value).unwrap() - exact).abs() < 0.005);
        }
    }

    #[test]
    fn merging_is_recording_all() {
        let (left, right) = ((0..3_000).map(|i| i * i), (0..50).map(|i| 1_u64 << i));
        let mut merged = of(left.clone());
        merged.merge(&of(right.clone()));
        let all = of(left.chain(right));
        assert_eq!(merged.buckets().collect::<Vec<_>>(), all.buckets().collect::<Vec<_>>());
        assert_eq!(
            (merged.count(), merged.sum(), merged.min(), merged.max()),
            (3_050, all.sum(), Some(0), all.max())
        );
        merged.merge(&Histogram::default());
        assert_eq!(merged.count(), 3_050);
    }

    #[test]
    fn counts_go_over_32_bits() {
        let mut histogram = of([9]);
        for _ in 0..40 {
            let copy = histogram.clone();
            histogram.merge(&copy);
        }
        histogram.record(1 << 50);
        assert_eq!(histogram.buckets().map(|(.., count)| count).collect::<Vec<_>>(), [1 << 40, 1]);
        let mut edge = of([9]);
        edge.counts[0][9] = u32::MAX;
        edge.record(9);
        assert_eq!(edge.buckets().map(|(.., count)| count).collect::<Vec<_>>(), [1 << 32]);
    }

    #[test]
    fn distributions_are_short_and_dense_in_the_tail() {
        let histogram = of((1..100_000_u64).map(|i| 1_000_000_000 / i));
        let points = histogram.distribution(200);
        assert!(points.len() <= 200 && points.len() > 150, "{}", points.len());
        assert!(points.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
        assert_eq!(points.last(), Some(&(1_000_000_000, 1.0)));
        assert!(points.iter().filter(|(_, share)| *share > 0.99).count() > 40);
        assert_eq!(of([1, 2, 2, 3]).distribution(200), [(1, 0.25), (2, 0.75), (3, 1.0)]);
        assert_eq!(histogram.distribution(2).len(), 2);
    }
}
