//! Who an attempt or a message is for: its obligation, and the numbers its draws are keyed by.
//!
//! An obligation is what ought to happen once, however often it is tried:
//! `mix(parent, site, item, subscription)`, rooted in intents and ticks. Copies, retries, relays and
//! redeliveries share it, whatever ids the modelled system uses.
//!
//! A scenario may say otherwise (`once_per`, `forward`). That speaks to judges alone: draws are keyed by the
//! *thread*, which is what the obligation would be if nobody had said anything.

use crate::kernel::hash::multiply_fold;
use crate::kernel::stream::DrawKey;

/// Carried by every message and attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    pub obligation: u64,
    /// What its draws are keyed by.
    pub thread: u64,
    /// Of a message that is passed on: what its consumer was obliged to and still is; 0: not passed on.
    forwarded: u64,
    /// Its numbered draws: those of its intent or tick.
    place: DrawKey,
    /// The client or job it began with; the top bit says that it came the main way.
    origin: u32,
    /// 0 for what is done for the first time; else a hash of which try, delivery or copy it is.
    pub repeat: u32,
}

const MAIN: u32 = 1 << 31;

impl Cause {
    /// Of no attempt at all.
    pub const NOBODY: Self =
        Self { obligation: 0, thread: 0, forwarded: 0, place: DrawKey::FIRST, origin: 0, repeat: 0 };

    /// An intent, or a tick of a job.
    #[inline(always)]
    pub fn root(origin: u32, key: u64, number: u64) -> Self {
        let place = DrawKey::numbered(DrawKey::origin_of(key), number);
        let obligation = mix(key, number);
        Self { obligation, thread: obligation, forwarded: 0, place, origin: origin | MAIN, repeat: 0 }
    }

    #[inline(always)]
    pub fn origin(self) -> u32 {
        self.origin & !MAIN
    }

    /// The number of the intent or tick that it began with.
    pub fn number(self) -> Option<u64> {
        self.place.number()
    }

    #[inline(always)]
    pub fn is_main(self) -> bool {
        self.origin & MAIN != 0
    }

    /// What a message issued at a site for `item` is obliged to do at a group or callee; `key` is the
    /// site's or group's.
    #[inline(always)]
    pub fn child(self, key: u64, item: u64) -> Self {
        self.child_at(mix(key, item))
    }

    /// The same where site and item are mixed already.
    #[inline(always)]
    pub fn child_at(self, place: u64) -> Self {
        let obligation = mix(self.obligation, place);
        let thread = if self.thread == self.obligation { obligation } else { mix(self.thread, place) };
        Self { obligation, thread, ..self }
    }

    /// The same of something that ought to happen once for `parent`, whatever this cause is.
    #[inline]
    pub fn child_of(self, parent: u64, key: u64, item: u64) -> Self {
        Self { obligation: mix(parent, mix(key, item)), ..self.child(key, item) }
    }

    /// The same of a message that passes on what this cause is obliged to.
    #[inline]
    pub fn passing_on(self, key: u64, item: u64) -> Self {
        Self { forwarded: self.obligation, ..self.child(key, item) }
    }

    /// Whether it is that of a message that passes on what its maker was obliged to.
    pub fn passes_on(self) -> bool {
        self.forwarded != 0
    }

    /// What a message obliges a group to; `key` is the group's.
    #[inline]
    pub fn share(self, key: u64) -> Self {
        self.share_at(mix(key, u64::MAX))
    }

    /// The same where the group's key is mixed already.
    #[inline(always)]
    pub fn share_at(self, place: u64) -> Self {
        let child = self.child_at(place);
        match self.forwarded {
            0 => child,
            obligation => Self { obligation, forwarded: 0, ..child },
        }
    }

    /// The same cause by a side way: draws are keyed by hash from here on.
    #[inline(always)]
    pub fn aside(self) -> Self {
        Self { origin: self.origin & !MAIN, ..self }
    }

    /// The same cause, tried, delivered or copied again; the 0th time is the first.
    #[inline(always)]
    pub fn again(self, times: u32) -> Self {
        if times == 0 {
            return self;
        }
        Self { repeat: mix(self.repeat as u64, times as u64) as u32 | 1, ..self }
    }

    /// Keys a draw that belongs to the cause: every try meets the same value.
    #[inline(always)]
    pub fn value_key(self, item: u64) -> DrawKey {
        if self.is_main() && item == 0 { self.place } else { DrawKey::hashed(mix(self.thread, item), 0, 0) }
    }

    /// Keys a draw that belongs to the attempt.
    #[inline(always)]
    pub fn attempt_key(self, item: u64, tries: u32) -> DrawKey {
        if self.is_main() && item == 0 && self.repeat == 0 && tries == 0 {
            self.place
        } else {
            DrawKey::hashed(mix(self.thread, item), self.repeat, tries)
        }
    }
}

/// The obligation of one instance of a group in which each has its own.
pub fn of_instance(obligation: u64, instance: u32) -> u64 {
    mix(obligation, instance as u64 | 1 << 32)
}

/// Mixes two words into one: a 128-bit multiply, folded, twice.
#[inline(always)]
pub fn mix(a: u64, b: u64) -> u64 {
    let first = multiply_fold(a ^ 0x9E37_79B9_7F4A_7C15, b ^ 0xD1B5_4A32_D192_ED03);
    multiply_fold(first ^ b.rotate_left(32), 0xA076_1D64_78BD_642F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_spreads_neighbours() {
        let words: std::collections::HashSet<u64> =
            (0..200u64).flat_map(|a| (0..200).map(move |b| mix(a, b))).collect();
        assert_eq!(words.len(), 200 * 200);
        let bits: u32 = (0..1000u64).map(|n| (mix(7, n) ^ mix(7, n + 1)).count_ones()).sum();
        assert!((31_000..33_000).contains(&bits), "{bits} of 64,000 bits differ between neighbours");
    }

    /// Draws are the same whatever is said to judges.
    #[test]
    fn what_is_said_to_judges_moves_no_draw() {
        let cause = Cause::root(3, 0xABCD, 41);
        let (plain, other) = (cause.child(5, 0), Cause::root(3, 0xABCD, 42));
        let said = [cause.child_of(9, 5, 0), cause.passing_on(5, 0)];
        for said in said {
            assert_eq!(said.aside().value_key(1), plain.aside().value_key(1));
            assert_eq!(said.share(7).again(1).attempt_key(1, 2), plain.share(7).again(1).attempt_key(1, 2));
        }
        assert_eq!(cause.child_of(9, 5, 0).obligation, other.child_of(9, 5, 0).obligation);
        assert_ne!(cause.child_of(9, 5, 0).obligation, cause.child_of(8, 5, 0).obligation);
        assert_eq!(said[1].share(7).obligation, cause.obligation);
        // What its consumer issues is passed on no further.
        let issued = said[1].share(7).child(2, 0);
        assert_eq!(issued.share(7), issued.child(7, u64::MAX));
        assert_ne!(plain.share(7).obligation, cause.obligation);
    }

    #[test]
    fn a_first_try_keeps_its_number_and_another_does_not() {
        let key = 0xABCD_E000_0000_0063;
        let cause = Cause::root(3, key, 41);
        assert_eq!(cause.attempt_key(0, 0), DrawKey::numbered(0xABCDE, 41));
        assert_eq!(cause.attempt_key(0, 0), Cause::root(7, key, 41).attempt_key(0, 0));
        assert_ne!(cause.again(1).attempt_key(0, 0), cause.attempt_key(0, 0));
        assert_eq!(cause.again(1).value_key(0), cause.value_key(0));
        assert_ne!(cause.again(1).attempt_key(0, 0), cause.again(2).attempt_key(0, 0));
        assert_ne!(cause.aside().value_key(0), cause.value_key(0));
    }
}
