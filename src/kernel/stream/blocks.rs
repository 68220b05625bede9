//! Blocks of words of one stream: which are made whole, which are kept, and where the next draw finds its word.
//!
//! Nothing of that shows in what is drawn; it decides how long a draw takes.

use super::{BLOCK_BITS, DrawKey, HASHED, Maker, NUMBER_BITS};
use crate::kernel::hash::multiply_fold;
use crate::kernel::sampler::BLOCK;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One stream: a line of the cache, and nothing else until its draws come close enough together for blocks to pay.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Stream {
    /// The finished block that was drawn from last, its place in the cache, and draws from it that are not counted
    /// there yet.
    present: u64,
    present_place: usize,
    drawn: u64,
    /// None, or a power of two of them; a numbered block has one place where it can be.
    pub(super) cache: Box<[CachedBlock]>,
    /// A block that was drawn from once without being cached, and how many misses it waits for another.
    candidate: u64,
    patience: u64,
}

impl Default for Stream {
    /// Nothing was drawn yet.
    fn default() -> Self {
        Self {
            present: NO_BLOCK,
            present_place: 0,
            drawn: 0,
            cache: Box::default(),
            candidate: NO_BLOCK,
            patience: 0,
        }
    }
}

/// 32 words of a stream.
#[derive(Clone, Debug)]
pub(super) struct CachedBlock {
    /// Which block; with [`UNFINISHED`] set, `words` are still uniform bits.
    pub(super) block: u64,
    /// Draws from it so far.
    used: u64,
    words: [u64; BLOCK],
}

/// No block, numbered or unfinished, has this number.
const NO_BLOCK: u64 = u64::MAX;
const UNFINISHED: u64 = 1 << 62;

/// Cached blocks at first: two, so that draws around the edge of a block do not make both again and
/// again. At most: eight origins' worth.
const FIRST_CACHE: usize = 2;
const LARGEST_CACHE: usize = 16;

/// Draws from a block from which on its successor is worth keeping as bits, and worth finishing whole
/// (the pipelined block takes about the time of eight draws that wait for their logarithm).
const WORTH_KEEPING: u64 = 2;
const WORTH_FINISHING: u64 = 8;

/// Misses that a candidate is kept for: as many origins as may take turns.
const PATIENCE: u64 = 16;

/// A draw less than so many blocks behind the cached one is a straggler; further back, a new beginning.
const LATE_BLOCKS: u64 = 1_024;

/// How a block that is not there is to be made.
enum Need {
    /// One word; the rest of the block will hardly be asked for.
    Word,
    /// The bits of all words, in the cache at this place.
    Bits(usize),
    /// All words, finished, in the cache at this place.
    Words(usize),
}

impl Stream {
    /// The word of `key`, if it lies in the block that was drawn from last.
    #[inline(always)]
    pub fn next(&mut self, key: DrawKey) -> Option<u64> {
        if key.block() != self.present {
            return None;
        }
        self.drawn += 1;
        Some(self.cache[self.present_place].words[key.position()])
    }

    /// No block is drawn from any more; the cache learns how often one was.
    fn leave(&mut self) {
        if self.present != NO_BLOCK {
            self.cache[self.present_place].used += std::mem::take(&mut self.drawn);
            self.present = NO_BLOCK;
        }
    }

    /// From now on this block is drawn from, which is finished.
    fn turn_to(&mut self, block: u64, place: usize) {
        (self.present, self.present_place) = (block, place);
    }

    /// Where a block can be: each origin has two places, which its blocks take in turn. Without a cache,
    /// out of its bounds.
    #[inline(always)]
    fn place(&self, block: u64) -> usize {
        (origin(block) << 1 | block & 1) as usize & self.cache.len().wrapping_sub(1)
    }

    /// The word of `key` when it lies in another block: makes it if it is not cached, and as much of its
    /// surroundings as will pay.
    pub fn make(&mut self, maker: &Maker, secret: &[u8; 32], key: DrawKey) -> u64 {
        if key.0 & HASHED != 0 {
            return maker.word(mixed(secret, key));
        }
        self.leave();
        let (block, place) = (key.block(), self.place(key.block()));
        if let Some(cached) = self.cache.get_mut(place).filter(|c| c.block & !UNFINISHED == block) {
            cached.used += 1;
            let word = cached.words[key.position()];
            if cached.block != block {
                return maker.word(word);
            }
            self.turn_to(block, place);
            return word;
        }
        let need = self.need(block);
        let (Need::Bits(place) | Need::Words(place)) = need else {
            let mut words = [0; BLOCK];
            generate(secret, block, &mut words);
            return maker.word(words[key.position()]);
        };
        let cached = &mut self.cache[place];
        generate(secret, block, &mut cached.words);
        if let Need::Bits(_) = need {
            (cached.block, cached.used) = (block | UNFINISHED, WORTH_KEEPING);
            return maker.word(cached.words[key.position()]);
        }
        (cached.block, cached.used) = (block, 1);
        maker.finish(&mut cached.words);
        let word = cached.words[key.position()];
        self.turn_to(block, place);
        word
    }

    /// What the block at the same place was worth decides how the next one is made. It changes the time
    /// that a draw takes, never its value.
    fn need(&mut self, block: u64) -> Need {
        let mut place = self.place(block);
        if let Some(cached) = self.cache.get(place).filter(|cached| cached.block != NO_BLOCK) {
            let present = cached.block & !UNFINISHED;
            if origin(present) != origin(block) && self.cache.len() < LARGEST_CACHE {
                self.grow();
                place = self.place(block);
            } else if block < present && present - block < LATE_BLOCKS {
                // A straggler must not drive out the block that all others are at.
                return Need::Word;
            }
        }
        match self.cache.get(place).map_or(0, |cached| cached.used) {
            WORTH_FINISHING.. => Need::Words(place),
            WORTH_KEEPING.. => Need::Bits(place),
            _ => self.need_of_stranger(block),
        }
    }

    /// A block at a place that was never worth anything is made whole when it is met a second time.
    fn need_of_stranger(&mut self, block: u64) -> Need {
        if block == self.candidate {
            self.candidate = NO_BLOCK;
            self.patience = 0;
            if self.cache.is_empty() {
                self.grow();
            }
            return Need::Bits(self.place(block));
        }
        if self.patience == 0 {
            self.candidate = block;
            self.patience = PATIENCE;
        }
        self.patience -= 1;
        Need::Word
    }

    /// Doubles the cache; what is in it stays.
    fn grow(&mut self) {
        let empty = CachedBlock { block: NO_BLOCK, used: 0, words: [0; BLOCK] };
        let larger = vec![empty; (2 * self.cache.len()).max(FIRST_CACHE)].into_boxed_slice();
        for cached in std::mem::replace(&mut self.cache, larger) {
            if cached.block != NO_BLOCK {
                let place = self.place(cached.block & !UNFINISHED);
                self.cache[place] = cached;
            }
        }
    }
}

/// The uniform word of a hashed key.
#[inline]
pub(super) fn mixed(secret: &[u8; 32], key: DrawKey) -> u64 {
    let secret = |i: usize| u64::from_le_bytes(std::array::from_fn(|byte| secret[8 * i + byte]));
    let first = multiply_fold(key.0 ^ secret(0), secret(1) | 1);
    let second = multiply_fold(first ^ secret(2), key.0 ^ secret(3));
    multiply_fold(second ^ secret(1), first ^ 0xA076_1D64_78BD_642F)
}

/// The uniform words of a numbered block: four ChaCha8 blocks, counted by the upper bits of the key.
#[inline]
fn generate(key: &[u8; 32], block: u64, words: &mut [u64; BLOCK]) {
    let mut generator = ChaCha8Rng::from_seed(*key);
    // Positions count 32-bit words.
    generator.set_word_pos(u128::from(block) * 2 * BLOCK as u128);
    words.iter_mut().for_each(|word| *word = generator.next_u64());
}

/// The origin of a numbered block.
#[inline(always)]
fn origin(block: u64) -> u64 {
    block >> (NUMBER_BITS - BLOCK_BITS)
}
