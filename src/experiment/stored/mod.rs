//! A replication as it is stored: all that it gives to a result, so that a result is a function of the stored
//! replications in their order, and of nothing else. Where and when each was simulated does not show.
//!
//! ```text
//! simulate ─▶ StoredReplication ─▶ figures, verdicts, pages
//!                 │        ▲
//!                 ▼        │
//!             journal, shard (`file`)
//! ```
//!
//! Law. The encoding is canonical (equal contents, equal bytes), complete, and belongs to one [`FORMAT`]: what was
//! stored under another is not read. What comes back from a file is held against the model first
//! ([`StoredReplication::fits`]), so that a file from elsewhere is refused and never trusted.

pub mod file;
pub mod fit;
pub mod heading;

use crate::kernel::fingerprint::Digest;
use crate::observe::findings::Findings;
use crate::observe::meters::Meters;
use crate::observe::metrics::{Distributions, Figures};
use crate::world::Halt;
use serde::{Deserialize, Serialize};

/// Version of the encoding; raised whenever anything in a [`StoredReplication`] changes.
pub const FORMAT: u32 = 1;

/// All that one replication gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredReplication {
    pub digest: Digest,
    pub events: u64,
    /// What grows as long as a run goes on and keeps most, in words.
    pub hoard: (usize, String),
    pub figures: Figures,
    pub distributions: Distributions,
    pub findings: Findings,
    pub meters: Meters,
}

/// Which replication of which undertaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Position among what is run together: 0, or the number of a sweep's point.
    pub point: u32,
    pub replication: u32,
}

/// How a replication came to its end: with what it gives, or not at all.
pub type Kept = Result<StoredReplication, Halt>;

/// Keeps replications that are done, and has those that were done before. Asked from any thread.
pub trait Keeper: Sync {
    /// What is kept of a replication, if anything is.
    fn kept(&self, place: Place) -> Option<Kept>;
    /// A replication has come to its end.
    fn keep(&self, place: Place, kept: &Kept);
    /// Whether all there is to be is kept: what is not is missing, and nothing is simulated.
    fn is_complete(&self) -> bool {
        false
    }
}

/// Nothing is kept.
impl Keeper for () {
    fn kept(&self, _: Place) -> Option<Kept> {
        None
    }

    fn keep(&self, _: Place, _: &Kept) {}
}

/// What a replication is stored as.
pub fn encode(place: Place, kept: &Kept) -> Vec<u8> {
    postcard::to_allocvec(&(place, kept)).expect("plain data is encoded in memory")
}

/// Which replication is stored here; `None` if none is.
pub fn place_of(bytes: &[u8]) -> Option<Place> {
    postcard::take_from_bytes(bytes).ok().map(|(place, _)| place)
}

/// What is stored here; `None` if it is no replication, or was stored under another [`FORMAT`].
pub fn decode(bytes: &[u8]) -> Option<(Place, Kept)> {
    match postcard::take_from_bytes(bytes) {
        Ok((stored, [])) => Some(stored),
        _ => None,
    }
}
