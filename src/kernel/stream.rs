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

mod blocks;

use super::distribution::Distribution;
use super::hash::multiply_fold;
use super::ids::StreamId;
use super::sampler::{BLOCK, Sampler};
use super::time::{nanos_from_f64, round_half_even};
use blocks::Stream;
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
    /// By stream: its key, which is needed only where something is made.
    keys: Box<[[u8; 32]]>,
}

impl Streams {
    /// The streams of replication `replication` under `seed`.
    pub fn new(plan: Arc<StreamPlan>, seed: u64, replication: u32) -> Self {
        let keys = plan.streams.iter().map(|planned| key_of(&planned.name, seed, replication)).collect();
        let streams = plan.streams.iter().map(|_| Stream::default()).collect();
        Self { plan, streams, keys }
    }

    /// The finished word of the median; of raw bits, 0: the first alternative.
    pub fn neutral(&self, stream: StreamId) -> u64 {
        self.plan.neutral(stream)
    }

    /// The finished word of `key` in `stream`.
    #[inline]
    pub fn draw(&mut self, stream: StreamId, key: DrawKey) -> u64 {
        match self.streams[stream.index()].next(key) {
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
        self.streams[stream.index()].make(maker, &self.keys[stream.index()], key)
    }
}

/// What a stream's words are made with.
fn key_of(name: &str, seed: u64, replication: u32) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("eventflow 2026 key of a random stream");
    hasher.update(&seed.to_le_bytes()).update(&replication.to_le_bytes()).update(name.as_bytes());
    *hasher.finalize().as_bytes()
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
