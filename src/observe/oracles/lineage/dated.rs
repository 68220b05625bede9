//! When duplicates and losses happened: how often in each of equal stretches of the run.

use crate::kernel::anomaly::Anomaly;
use crate::kernel::time::Nanos;
use crate::stats::series::Buckets;
use serde::{Deserialize, Serialize};

/// What is counted by time; a loss at the instant at which its last carrier died.
pub const DATED: [Anomaly; 4] =
    [Anomaly::DuplicateEffects, Anomaly::LostEffects, Anomaly::TornEffects, Anomaly::MixedEffects];

/// Stretches of a run.
const MOST_BUCKETS: usize = 120;

/// Counts of each of `DATED`, over time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dated {
    buckets: Buckets,
    counts: [Vec<u64>; DATED.len()],
    /// After the horizon, while the run drained.
    later: [u64; DATED.len()],
}

impl Dated {
    pub fn new(horizon: Nanos) -> Self {
        let buckets = Buckets::new(horizon, MOST_BUCKETS);
        let counts = std::array::from_fn(|_| vec![0; buckets.count()]);
        Self { buckets, counts, later: [0; DATED.len()] }
    }

    /// One more; others than `DATED` are not counted here.
    pub fn count(&mut self, anomaly: Anomaly, at: Nanos) {
        let Some(which) = DATED.iter().position(|dated| *dated == anomaly) else { return };
        match self.counts[which].get_mut((at / self.buckets.width()) as usize) {
            Some(count) => *count += 1,
            None => self.later[which] += 1,
        }
    }

    /// Whether the other counts as this one does: they can be merged.
    pub fn fits(&self, other: &Self) -> bool {
        let lengths = |of: &Self| of.counts.each_ref().map(Vec::len);
        self.buckets == other.buckets && lengths(self) == lengths(other)
    }

    /// Takes in those of another replication of the same model.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.buckets, other.buckets, "replications of one model merge");
        for (which, theirs) in other.counts.iter().enumerate() {
            self.counts[which].iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += theirs);
            self.later[which] += other.later[which];
        }
    }

    pub fn buckets(&self) -> Buckets {
        self.buckets
    }

    /// Each of `DATED`, with its counts by bucket and how often it came after the horizon.
    pub fn counts(&self) -> impl Iterator<Item = (Anomaly, &[u64], u64)> {
        let counts = self.counts.iter().map(Vec::as_slice).zip(self.later);
        DATED.into_iter().zip(counts).map(|(anomaly, (counts, later))| (anomaly, counts, later))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_when_it_happened_or_later() {
        let mut dated = Dated::new(1_200);
        for (anomaly, at) in [
            (Anomaly::DuplicateEffects, 0),
            (Anomaly::DuplicateEffects, 9),
            (Anomaly::DuplicateEffects, 10),
            (Anomaly::LostEffects, 1_199),
            (Anomaly::LostEffects, 1_200),
            (Anomaly::LostEffects, u64::MAX),
            (Anomaly::Parked, 5),
        ] {
            dated.count(anomaly, at);
        }
        let mut both = dated.clone();
        both.merge(&dated);
        for (of, times) in [(dated, 1), (both, 2)] {
            let all: Vec<_> = of.counts().collect();
            assert_eq!((all[0].1[0], all[0].1[1], all[0].2), (2 * times, times, 0));
            assert_eq!((all[1].1[119], all[1].2), (times, 2 * times));
            assert_eq!(all.iter().map(|(_, counts, _)| counts.iter().sum::<u64>()).sum::<u64>(), 4 * times);
        }
    }
}
