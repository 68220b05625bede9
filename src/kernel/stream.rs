//! Named random streams of finished variates. A stream feeds one place of the model, so that what it
//! holds is ready to use: a duration in nanoseconds, a whole number, a float, or raw bits.
//!
//! Laws. A draw is a function of (seed, replication, stream name, key) and of nothing else: not of the
//! other streams, and not of what was drawn before. So designs compared see the same work, and an extra
//! delivery shifts nobody.
//!
//! A *numbered* key (the first attempt for number `n` of an origin) takes 64-bit word origin · 2^43 + n of
//! ChaCha8 under the stream's key, with nonce 0. Its neighbours are wanted soon, so they are made 32 at
//! a time. A *hashed* key (any other draw) has no neighbours: a keyed mix of three multiplications gives
//! its uniform, in 2–5 ns where a ChaCha8 block for one word takes 60.
//!
//! ```
//! use eventflow::kernel::distribution::{Distribution, Shape};
//! use eventflow::kernel::ids::StreamId;
//! use eventflow::kernel::stream::{Draw, DrawKey, StreamPlan, StreamSpec, Streams};
//! use std::sync::Arc;
//!
//! let mean = 1e6; // one millisecond
//! let shape = Shape::Exponential { mean };
//! let work = Draw::Nanos(Distribution { shape, plus: 0.0, min: 0.0, max: f64::INFINITY });
//! let plan = StreamPlan::new(&[StreamSpec { name: "orders/PlaceOrder/work#1".into(), draw: work }]);
//! let mut streams = Streams::new(Arc::new(plan), 42, 0);
//! let (first, other) = (DrawKey::numbered(0, 7), DrawKey::hashed(99, 2, 0));
//! let drawn = streams.draw(StreamId(0), first);
//! streams.draw(StreamId(0), other);
//! assert_eq!(streams.draw(StreamId(0), first), drawn);
//! ```

use super::distribution::Distribution;
use super::hash::multiply_fold;
use super::ids::StreamId;
use super::sampler::{BLOCK, Sampler};
use super::time::{nanos_from_f64, round_half_even};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// A stream: its name is all that its draws depend on, beside seed and replication.
#[derive(Clone, Debug)]
pub struct StreamSpec {
    pub name: String,
    pub draw: Draw,
}

/// What a stream's words are.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    /// Nanoseconds, rounded half to even and clamped to `[0, LONGEST]`.
    Nanos(Distribution),
    /// An `i64` in the word's bits, rounded half to even; beyond 64 bits, the nearest end.
    Integer(Distribution),
    /// The bits of an `f64`.
    Number(Distribution),
    /// Uniform over all words.
    Bits,
}

/// Which number of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DrawKey(u64);

const HASHED: u64 = 1 << 63;
const NUMBER_BITS: u32 = 43;
const ORIGIN_BITS: u32 = 20;
const BLOCK_BITS: u32 = BLOCK.trailing_zeros();

impl DrawKey {
    /// Number 0 of origin 0.
    pub const FIRST: Self = Self(0);

    /// Number `number` of an origin (a client's intents, a job's ticks), best drawn in rising order.
    /// Origins of more than 20 bits and numbers of more than 43 fall back to a hash.
    #[inline]
    pub fn numbered(origin: u32, number: u64) -> Self {
        if number >> NUMBER_BITS != 0 || origin >> ORIGIN_BITS != 0 {
            return Self::hashed(number, origin, u32::MAX);
        }
        Self(u64::from(origin) << NUMBER_BITS | number)
    }

    /// The number that it was made of; `None`: it is a hash.
    pub fn number(self) -> Option<u64> {
        (self.0 & HASHED == 0).then_some(self.0 & ((1 << NUMBER_BITS) - 1))
    }

    /// The origin that draws are numbered under for whoever has this key: its upper 20 bits. A key made from a
    /// name gives the same origin whoever else is there.
    pub fn origin_of(key: u64) -> u32 {
        (key >> (u64::BITS - ORIGIN_BITS)) as u32
    }

    /// Draw `ordinal` of attempt `attempt` for `cause`.
    #[inline]
    pub fn hashed(cause: u64, attempt: u32, ordinal: u32) -> Self {
        let place = u64::from(attempt) << 32 | u64::from(ordinal);
        let hash = multiply_fold(cause ^ 0x9E37_79B9_7F4A_7C15, place ^ 0xD1B5_4A32_D192_ED03);
        Self(multiply_fold(hash ^ cause, place ^ 0xA076_1D64_78BD_642F) ^ hash.rotate_left(32) | HASHED)
    }

    /// Another draw beside this one, in the same place for the same reason.
    #[inline]
    pub fn beside(self, ordinal: u32) -> Self {
        Self::hashed(self.0, ordinal, u32::MAX)
    }

    /// The block of 32 that a numbered key lies in; for a hashed one, a number that no block has.
    #[inline(always)]
    fn block(self) -> u64 {
        self.0 >> BLOCK_BITS
    }

    #[inline(always)]
    fn position(self) -> usize {
        self.0 as usize % BLOCK
    }
}

/// Streams made ready: samplers with their tables, shared by all replications.
#[derive(Debug)]
pub struct StreamPlan {
    streams: Box<[Planned]>,
}

#[derive(Debug)]
struct Planned {
    name: String,
    maker: Maker,
}

/// Makes finished words of uniform bits.
#[derive(Debug)]
enum Maker {
    Nanos(Sampler),
    Integer(Sampler),
    Number(Sampler),
    Bits,
}

impl StreamPlan {
    /// Stream ids are positions in `specs`.
    pub fn new(specs: &[StreamSpec]) -> Self {
        let planned = |spec: &StreamSpec| Planned { name: spec.name.clone(), maker: Maker::new(&spec.draw) };
        Self { streams: specs.iter().map(planned).collect() }
    }

    /// The finished word of the median; of raw bits, 0: the first alternative.
    pub fn neutral(&self, stream: StreamId) -> u64 {
        match &self.streams[stream.index()].maker {
            Maker::Nanos(sampler) => nanos_from_f64(sampler.median()),
            Maker::Integer(sampler) => integer_word(sampler.median()),
            Maker::Number(sampler) => sampler.median().to_bits(),
            Maker::Bits => 0,
        }
    }

    /// The stream's name.
    pub fn name(&self, stream: StreamId) -> &str {
        &self.streams[stream.index()].name
    }
}

/// The streams of one replication.
#[derive(Clone, Debug)]
pub struct Streams {
    plan: Arc<StreamPlan>,
    streams: Box<[Stream]>,
}

impl Streams {
    /// The streams of replication `replication` under `seed`.
    pub fn new(plan: Arc<StreamPlan>, seed: u64, replication: u32) -> Self {
        let streams =
            plan.streams.iter().map(|planned| Stream::new(&planned.name, seed, replication)).collect();
        Self { plan, streams }
    }

    /// The finished word of the median; of raw bits, 0: the first alternative.
    pub fn neutral(&self, stream: StreamId) -> u64 {
        self.plan.neutral(stream)
    }

    /// The finished word of `key` in `stream`.
    #[inline]
    pub fn draw(&mut self, stream: StreamId, key: DrawKey) -> u64 {
        match self.streams[stream.index()].cached(key) {
            Some(word) => word,
            None => self.make(stream, key),
        }
    }

    /// A number below `n` (0 if n is 0) from a stream of [`Draw::Bits`]; no choice is likelier than
    /// another by more than one in 2^32.
    #[inline]
    pub fn choose(&mut self, stream: StreamId, key: DrawKey, n: u32) -> u32 {
        ((u128::from(self.draw(stream, key)) * u128::from(n)) >> 64) as u32
    }

    #[inline(never)]
    fn make(&mut self, stream: StreamId, key: DrawKey) -> u64 {
        let maker = &self.plan.streams[stream.index()].maker;
        self.streams[stream.index()].make(maker, key)
    }
}

/// One stream: 64 bytes until its draws come close enough together for blocks to pay.
#[derive(Clone, Debug)]
struct Stream {
    key: [u8; 32],
    /// None, or a power of two of them; a numbered block has one place where it can be.
    cache: Box<[CachedBlock]>,
    /// A block that was drawn from once without being cached, and how many misses it waits for another.
    candidate: u64,
    patience: u64,
}

/// 32 words of a stream.
#[derive(Clone, Debug)]
struct CachedBlock {
    /// Which block; with [`UNFINISHED`] set, `words` are still uniform bits.
    block: u64,
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
    fn new(name: &str, seed: u64, replication: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("eventflow 2026 key of a random stream");
        hasher.update(&seed.to_le_bytes()).update(&replication.to_le_bytes()).update(name.as_bytes());
        let key = *hasher.finalize().as_bytes();
        Self { key, cache: Box::default(), candidate: NO_BLOCK, patience: 0 }
    }

    /// The word of `key`, if its block is there and finished.
    #[inline(always)]
    fn cached(&mut self, key: DrawKey) -> Option<u64> {
        let place = self.place(key.block());
        let cached = self.cache.get_mut(place).filter(|cached| cached.block == key.block())?;
        cached.used += 1;
        Some(cached.words[key.position()])
    }

    /// Where a block can be: each origin has two places, which its blocks take in turn. Without a cache,
    /// out of its bounds.
    #[inline(always)]
    fn place(&self, block: u64) -> usize {
        (origin(block) << 1 | block & 1) as usize & self.cache.len().wrapping_sub(1)
    }

    /// The word of `key` when it is not cached: makes it, and as much of its surroundings as will pay.
    fn make(&mut self, maker: &Maker, key: DrawKey) -> u64 {
        if key.0 & HASHED != 0 {
            return maker.word(self.mixed(key));
        }
        let place = self.place(key.block());
        if let Some(cached) = self.cache.get_mut(place).filter(|c| c.block == key.block() | UNFINISHED) {
            cached.used += 1;
            return maker.word(cached.words[key.position()]);
        }
        let need = self.need(key.block());
        let (Need::Bits(place) | Need::Words(place)) = need else {
            let mut words = [0; BLOCK];
            generate(&self.key, key.block(), &mut words);
            return maker.word(words[key.position()]);
        };
        let cached = &mut self.cache[place];
        generate(&self.key, key.block(), &mut cached.words);
        if let Need::Bits(_) = need {
            (cached.block, cached.used) = (key.block() | UNFINISHED, WORTH_KEEPING);
            return maker.word(cached.words[key.position()]);
        }
        (cached.block, cached.used) = (key.block(), 1);
        maker.finish(&mut cached.words);
        cached.words[key.position()]
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

    /// The uniform word of a hashed key.
    #[inline]
    fn mixed(&self, key: DrawKey) -> u64 {
        let secret = |i: usize| u64::from_le_bytes(std::array::from_fn(|byte| self.key[8 * i + byte]));
        let first = multiply_fold(key.0 ^ secret(0), secret(1) | 1);
        let second = multiply_fold(first ^ secret(2), key.0 ^ secret(3));
        multiply_fold(second ^ secret(1), first ^ 0xA076_1D64_78BD_642F)
    }
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

impl Maker {
    fn new(draw: &Draw) -> Self {
        match draw {
            Draw::Nanos(distribution) => Self::Nanos(Sampler::new(distribution)),
            Draw::Integer(distribution) => Self::Integer(Sampler::new(distribution)),
            Draw::Number(distribution) => Self::Number(Sampler::new(distribution)),
            Draw::Bits => Self::Bits,
        }
    }

    #[inline]
    fn word(&self, bits: u64) -> u64 {
        match self {
            Self::Nanos(sampler) => nanos_from_f64(sampler.sample(bits)),
            Self::Integer(sampler) => integer_word(sampler.sample(bits)),
            Self::Number(sampler) => sampler.sample(bits).to_bits(),
            Self::Bits => bits,
        }
    }

    /// Turns uniform bits into finished words, in place.
    fn finish(&self, words: &mut [u64; BLOCK]) {
        let (Self::Nanos(sampler) | Self::Integer(sampler) | Self::Number(sampler)) = self else { return };
        let mut variates = [0.0; BLOCK];
        sampler.block(words, &mut variates);
        match self {
            Self::Nanos(_) => finish_nanos(&variates, words),
            Self::Integer(_) => words.iter_mut().zip(variates).for_each(|(word, x)| *word = integer_word(x)),
            Self::Number(_) | Self::Bits => {
                words.iter_mut().zip(variates).for_each(|(word, x)| *word = x.to_bits());
            }
        }
    }
}

/// What `nanos_from_f64` gives, without its branches while every variate is below 2^51 (26 days): adding
/// 2^52 rounds half to even and leaves the integer in the mantissa.
#[inline]
fn finish_nanos(variates: &[f64; BLOCK], words: &mut [u64; BLOCK]) {
    const TWO_51: f64 = 2_251_799_813_685_248.0;
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    let mut all_small = true;
    for (word, &x) in words.iter_mut().zip(variates) {
        let positive = if x > 0.0 { x } else { 0.0 };
        *word = (positive + TWO_52).to_bits() & ((1 << 52) - 1);
        all_small &= x < TWO_51;
    }
    if !all_small {
        words.iter_mut().zip(variates).for_each(|(word, &x)| *word = nanos_from_f64(x));
    }
}

/// Rounds half to even; `as` saturates.
#[inline]
fn integer_word(x: f64) -> u64 {
    round_half_even(x) as i64 as u64
}

#[cfg(test)]
mod tests;
