//! The digest: a fingerprint over every record of a replication.

use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::time::Nanos;
use crate::world::record::{Observer, Record};

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
        // One multiplication joins time and kind, so that a record costs one folded pair.
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        self.fingerprint.fold_pair(now.wrapping_add(head.wrapping_mul(SPREAD)), tail);
    }
}
