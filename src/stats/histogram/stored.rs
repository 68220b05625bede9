//! A histogram as it is stored: what it holds, whatever order it came in. Equal histograms are stored alike.

use super::{BUCKETS, Histogram, OCTAVES, position};
use serde::{Deserialize, Serialize};

/// More in one bucket is no count of a replication, and sums of such counts could overflow.
const MOST_IN_BUCKET: u64 = 1 << 40;

/// Zeros, the exact sum, least and greatest of what is above 0, and the buckets that hold any of it.
#[derive(Serialize, Deserialize)]
pub struct StoredHistogram {
    zeros: u64,
    sum: u128,
    min: u64,
    max: u64,
    /// Position (octave × 128 + bucket) and count, rising.
    buckets: Vec<(u16, u64)>,
}

impl From<Histogram> for StoredHistogram {
    fn from(histogram: Histogram) -> Self {
        let Histogram { zeros, sum, min, max, .. } = histogram;
        let place = |(least, _, count): (u64, u64, u64)| {
            let (octave, bucket) = position(least);
            ((octave * BUCKETS + bucket) as u16, count)
        };
        let buckets = histogram.buckets().filter(|(least, ..)| *least > 0).map(place).collect();
        Self { zeros, sum, min, max, buckets }
    }
}

impl TryFrom<StoredHistogram> for Histogram {
    type Error = &'static str;

    /// Refuses what no values can have given.
    fn try_from(stored: StoredHistogram) -> Result<Self, Self::Error> {
        let StoredHistogram { zeros, sum, min, max, buckets } = stored;
        let mut histogram = Histogram { zeros, ..Histogram::default() };
        let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
            return if sum == 0 && zeros <= MOST_IN_BUCKET { Ok(histogram) } else { Err("a sum of nothing") };
        };
        let place_of = |value: u64| {
            let (octave, bucket) = position(value);
            (octave * BUCKETS + bucket) as u16
        };
        if min == 0 || (place_of(min), place_of(max)) != (first.0, last.0) {
            return Err("least and greatest are not in the outer buckets");
        }
        if buckets.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err("buckets are not in order");
        }
        for &(place, count) in &buckets {
            let (octave, bucket) = (usize::from(place) / BUCKETS, usize::from(place) % BUCKETS);
            if octave >= OCTAVES || count == 0 || count.max(zeros) > MOST_IN_BUCKET {
                return Err("a bucket that cannot be");
            }
            let opened = match histogram.octave(octave) {
                Some(_) => histogram.places[octave],
                None => histogram.open(octave),
            };
            histogram.counts[usize::from(opened)][bucket] = count as u32;
            histogram.carries.extend((0..count >> 32).map(|_| place));
            histogram.count += count;
        }
        let count = u128::from(histogram.count);
        if sum < count * u128::from(min) || sum > count * u128::from(max) {
            return Err("a sum that its values cannot have");
        }
        Ok(Histogram { sum, min, max, ..histogram })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(values: &[u64]) -> String {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record(*value));
        serde_json::to_string(&histogram).unwrap()
    }

    #[test]
    fn what_comes_back_is_what_was_stored_and_order_leaves_no_trace() {
        let mut histogram = Histogram::default();
        for value in [0, 0, 1, 7_000_000, 300, u64::MAX, 301] {
            histogram.record(value);
        }
        for _ in 0..34 {
            histogram.merge(&histogram.clone());
        }
        let text = serde_json::to_string(&histogram).unwrap();
        let back: Histogram = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
        assert_eq!(back.buckets().collect::<Vec<_>>(), histogram.buckets().collect::<Vec<_>>());
        assert_eq!(
            (back.sum(), back.count(), back.max()),
            (histogram.sum(), histogram.count(), Some(u64::MAX))
        );
        assert_eq!(stored(&[5, 9_000, 70, 0]), stored(&[0, 9_000, 70, 5]));
    }

    #[test]
    fn what_no_values_give_is_refused() {
        let good = stored(&[3, 5]);
        assert!(serde_json::from_str::<Histogram>(&good).is_ok());
        for (from, to) in [
            ("\"sum\":8", "\"sum\":11"),
            ("\"min\":3", "\"min\":4"),
            ("\"max\":5", "\"max\":500"),
            ("[3,1]", "[3,0]"),
            ("[3,1]", "[5,1]"),
            ("[5,1]", "[9000,1]"),
            ("[3,1]", "[3,99999999999999]"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good, "{from}");
            assert!(serde_json::from_str::<Histogram>(&bad).is_err(), "{bad}");
        }
    }
}
