//! The digest: a fingerprint over every record of a replication.

use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::time::Nanos;
use crate::world::record::{Observer, Record};

/// Spreads a time over a whole word, so that it does not meet the small numbers of a record.
const SPREAD: u64 = 0x9FB2_1C65_1E98_DF25;

/// Folds every record, with its time, into a fingerprint.
#[derive(Clone, Default)]
pub struct Digest {
    fingerprint: Fingerprint,
}

impl Digest {
    /// The fingerprint so far.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl Observer for Digest {
    #[inline(always)]
    fn record(&mut self, now: Nanos, record: &Record) {
        let [head, tail] = record.words();
        self.fingerprint.fold_pair(head ^ now.wrapping_mul(SPREAD), tail);
    }
}
