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
        self.fingerprint.fold(now);
        self.fingerprint.fold(head);
        self.fingerprint.fold(tail);
    }
}
