//! The fingerprint of a run: a hash over every word of every record, in order. Two runs with the same
//! digest did the same things.
//!
//! Law: it depends on the words, their order and their number, and on nothing else. Two independent lanes
//! of multiply-and-fold take a nanosecond or two a record, as nothing waits for them; BLAKE3 spreads
//! them once, at the end. It guards against accidents, not against an attacker.
//!
//! ```
//! use eventflow::kernel::fingerprint::{Digest, Fingerprint};
//! let mut run = Fingerprint::default();
//! run.fold(7);
//! let all = Digest::combine(&[run.finish(), Fingerprint::default().finish()]);
//! assert_eq!(all.to_string().len(), 64);
//! ```

use super::hash::multiply_fold;
use serde::{Deserialize, Serialize};
use std::fmt;

const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0xD6E8_FEB8_6659_FD93;

/// What a run did so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    first: u64,
    second: u64,
    /// Words so far: trailing zeros count.
    words: u64,
}

impl Default for Fingerprint {
    /// Of a run in which nothing has happened yet.
    fn default() -> Self {
        Self { first: 0x243F_6A88_85A3_08D3, second: 0x1319_8A2E_0370_7344, words: 0 }
    }
}

impl Fingerprint {
    /// Takes in one word.
    #[inline(always)]
    pub fn fold(&mut self, word: u64) {
        self.first = multiply_fold(self.first ^ word, FIRST);
        self.second = multiply_fold(self.second.wrapping_add(word), SECOND);
        self.words += 1;
    }

    /// Takes in two words for the price of one. Not the same as folding one after the other.
    #[inline(always)]
    pub fn fold_pair(&mut self, one: u64, other: u64) {
        self.first = multiply_fold(self.first ^ one, FIRST ^ other);
        self.second =
            multiply_fold(self.second.wrapping_add(other), SECOND.wrapping_add(one.rotate_left(32)));
        self.words += 2;
    }

    /// The digest of all words so far.
    pub fn finish(&self) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("eventflow 2026 fingerprint of a run");
        for lane in [self.first, self.second, self.words] {
            hasher.update(&lane.to_le_bytes());
        }
        Digest(*hasher.finalize().as_bytes())
    }
}

/// A 256-bit digest, printed in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of several runs; their order matters, and how many there are.
    pub fn combine(digests: &[Self]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("eventflow 2026 digest of replications");
        for digest in digests {
            hasher.update(&digest.0);
        }
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u64]) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        words.iter().for_each(|&word| fingerprint.fold(word));
        fingerprint
    }

    #[test]
    fn order_number_and_every_bit_of_a_word_matter() {
        let base = of(&[1, 2, 3]);
        let mut others =
            vec![of(&[]), of(&[0]), of(&[0, 0]), of(&[1, 3, 2]), of(&[1, 2, 3, 0]), of(&[0, 1, 2, 3])];
        others.extend((0..64).map(|bit| of(&[1, 2 ^ (1 << bit), 3])));
        let lanes = |f: &Fingerprint| [f.first, f.second];
        for (i, other) in others.iter().enumerate() {
            assert_ne!(other.finish(), base.finish());
            for earlier in &others[..i] {
                assert!(lanes(other).iter().zip(lanes(earlier)).all(|(a, b)| *a != b));
            }
        }
    }

    #[test]
    fn pairs_are_taken_in_in_order() {
        let pair = |one, other| {
            let mut fingerprint = Fingerprint::default();
            fingerprint.fold_pair(one, other);
            fingerprint.finish()
        };
        assert_ne!(pair(1, 2), pair(2, 1));
        assert_ne!(pair(0, 1), pair(1, 0));
        assert_ne!(pair(1, 2), of(&[1, 2]).finish());
    }

    /// A flipped bit changes half the bits of both lanes: the first of a long run shows in the digest.
    #[test]
    fn early_changes_spread() {
        let run = |first: u64| (0..1_000).fold(of(&[first]), |mut f, word| (f.fold(word), f).1);
        let (a, b) = (run(0), run(1 << 63));
        assert!((a.first ^ b.first).count_ones() > 16 && (a.second ^ b.second).count_ones() > 16);
    }

    /// Golden: a digest that changed here changes every committed digest.
    #[test]
    fn digests_are_pinned() {
        let mut fingerprint = of(&[1, 2, 3]);
        fingerprint.fold_pair(4, 5);
        let digest = fingerprint.finish();
        assert_eq!(digest.to_string(), "3343a005e0c09551fd9458c18e7872021b16e451d285de7fd4f1c7fd66605a33");
        let (one, other) = (digest, of(&[]).finish());
        assert_ne!(Digest::combine(&[one, other]), Digest::combine(&[other, one]));
        assert_ne!(Digest::combine(&[one]), one);
    }
}
