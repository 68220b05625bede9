//! Draws do not depend on how they are asked for, are those of ChaCha8, and are evenly spread.

use super::blocks::mixed;
use super::*;
use crate::kernel::distribution::Shape;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const S: StreamId = StreamId(0);

fn plain(shape: Shape) -> Distribution {
    Distribution { shape, plus: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY }
}

fn streams(draw: Draw, name: &str, seed: u64, replication: u32) -> Streams {
    let spec = StreamSpec { name: name.into(), draw };
    Streams::new(Arc::new(StreamPlan::new(&[spec])), seed, replication)
}

fn bits(name: &str) -> Streams {
    streams(Draw::Bits, name, 42, 0)
}

fn exponential() -> Streams {
    streams(Draw::Nanos(plain(Shape::Exponential { mean: 1e6 })), "a", 42, 0)
}

#[test]
fn numbered_words_are_those_of_chacha8() {
    let mut streams = bits("service/Message/work#1");
    let mut hasher = blake3::Hasher::new_derive_key("eventflow 2026 key of a random stream");
    hasher.update(&42_u64.to_le_bytes()).update(&0_u32.to_le_bytes()).update(b"service/Message/work#1");
    let mut reference = ChaCha8Rng::from_seed(*hasher.finalize().as_bytes());
    // Across the 32-bit edge of the block counter too, and to the last number of the last origin.
    for (origin, number) in [(0, 0_u64), (0, 31), (0, (1 << 35) - 1), (1, 5), ((1 << 20) - 1, (1 << 43) - 1)]
    {
        let word = u128::from(origin) << 43 | u128::from(number);
        reference.set_word_pos(2 * word);
        assert_eq!(streams.draw(S, DrawKey::numbered(origin, number)), reference.next_u64());
    }
}

#[test]
fn the_streams_are_pinned() {
    let mut streams = bits("pinned");
    let words = [
        streams.draw(S, DrawKey::numbered(0, 0)),
        streams.draw(S, DrawKey::numbered(3, 1_000_000)),
        streams.draw(S, DrawKey::hashed(1, 2, 3)),
    ];
    assert_eq!(
        words.map(|word| format!("{word:016x}")),
        ["39a95197640666e5", "82c81ba60262aaae", "73c7eda0643079aa"]
    );
}

/// In order, backwards, with stragglers, sparse, with many origins in turn: always the same values.
#[test]
fn draws_do_not_depend_on_the_way_they_are_asked_for() {
    let mut scattered = Vec::new();
    let mut chaos = ChaCha8Rng::seed_from_u64(1);
    for i in 0..20_000_u64 {
        let straggler = chaos.next_u64() % 100;
        scattered.push((0, i.saturating_sub(if straggler < 3 { straggler * 40 } else { straggler % 5 })));
    }
    let in_order = (0..5_000).map(|i| (0, i));
    let backwards = (0..5_000).rev().map(|i| (0, i));
    let turns = (0..20_000).map(|i| (i as u32 % 23, i / 23));
    let strides = [2, 3, 7, 8, 15, 16, 31, 32, 33, 10_000];
    let sparse = strides.into_iter().flat_map(|stride| (0..500).map(move |i| (0, i * stride)));
    let orders: Vec<Vec<(u32, u64)>> =
        vec![in_order.collect(), backwards.collect(), turns.collect(), sparse.collect(), scattered];
    for draw in [
        Draw::Nanos(plain(Shape::Lognormal { mu: 14.0, sigma: 2.0 })),
        Draw::Integer(plain(Shape::Normal { mean: 0.0, sd: 1e3, positive: false })),
        Draw::Number(plain(Shape::Exponential { mean: 1.0 })),
        Draw::Bits,
    ] {
        for order in &orders {
            let mut streams = streams(draw.clone(), "a", 7, 3);
            let fresh = streams.clone();
            for &(origin, number) in order {
                let key = DrawKey::numbered(origin, number);
                // What a stream that has never been drawn from says.
                let mut alone = fresh.streams[0].clone();
                let expected = alone.make(&fresh.plan.streams[0].maker, &fresh.keys[0], key);
                assert_eq!(streams.draw(S, key), expected, "{draw:?}: {origin}, {number}");
            }
        }
    }
}

/// Sparse streams stay at a line of the cache; dense ones get two blocks, and a pair for each of up to eight origins.
#[test]
fn memory_follows_the_use() {
    assert_eq!(size_of::<Stream>(), 64);
    let cached_after = |keys: &mut dyn Iterator<Item = (u32, u64)>| {
        let mut streams = exponential();
        for (origin, number) in keys {
            streams.draw(S, DrawKey::numbered(origin, number));
        }
        streams.streams[0].cache.len()
    };
    assert_eq!(cached_after(&mut (0..1_000).map(|i| (0, 40 * i))), 0);
    assert_eq!(cached_after(&mut (0..1_000).map(|i| (0, i))), 2);
    assert_eq!(cached_after(&mut (0..1_000).map(|i| (i as u32 % 2, i / 2))), 4);
    assert_eq!(cached_after(&mut (0..1_000).map(|i| (i as u32 % 8, i / 8))), 16);
    assert_eq!(cached_after(&mut (0..10_000).map(|i| (i as u32 / 100, i % 100))), 16);
}

/// A dense stream makes each block once: what is cached when a number comes again is its block.
#[test]
fn dense_draws_come_from_finished_blocks() {
    for origins in [1, 2, 4, 8] {
        let mut streams = exponential();
        let mut hits = 0;
        for i in 0..8_000 {
            let key = DrawKey::numbered(i % origins, u64::from(i / origins));
            let finished = streams.streams[0].cache.iter().any(|cached| cached.block == key.block());
            hits += u32::from(finished);
            streams.draw(S, key);
        }
        // All but the first block of each origin, and one draw of each later block.
        let missed = 8_000 - hits;
        assert!(missed <= origins * 2 * BLOCK as u32 + 8_000 / BLOCK as u32 + 100, "{origins}: {missed}");
    }
}

#[test]
fn seed_replication_and_name_all_matter() {
    let all = [("a", 1, 0), ("b", 1, 0), ("a", 2, 0), ("a", 1, 1)];
    for key in [DrawKey::numbered(0, 0), DrawKey::hashed(5, 1, 0)] {
        let words =
            all.map(|(name, seed, replication)| streams(Draw::Bits, name, seed, replication).draw(S, key));
        for (i, word) in words.iter().enumerate() {
            assert!(!words[..i].contains(word));
        }
    }
}

#[test]
fn finished_nanos_are_those_of_the_slow_rounding() {
    let mut variates: [f64; BLOCK] = std::array::from_fn(|i| i as f64 / 4.0 - 1.0);
    for large in [0.0, 2.5, 2_251_799_813_685_247.5, 1e16, 1e30, f64::NAN, -1e30] {
        variates[9] = large;
        let mut words = [0; BLOCK];
        finish_nanos(&variates, &mut words);
        assert_eq!(words, variates.map(nanos_from_f64));
    }
}

#[test]
fn neutral_words_are_medians() {
    let plan = |draw| StreamPlan::new(&[StreamSpec { name: "a".into(), draw }]).neutral(S);
    assert_eq!(plan(Draw::Nanos(plain(Shape::Exponential { mean: 1e9 }))), 693_147_181);
    assert_eq!(plan(Draw::Integer(plain(Shape::Constant(-3.0)))) as i64, -3);
    assert_eq!(plan(Draw::Number(plain(Shape::Uniform { low: 0.0, high: 3.0 }))), 1.5_f64.to_bits());
    assert_eq!(plan(Draw::Bits), 0);
}

#[test]
fn keys_differ() {
    let mut seen = rustc_hash::FxHashSet::default();
    for cause in 0..200 {
        for attempt in 0..20 {
            for ordinal in 0..20 {
                assert!(seen.insert(DrawKey::hashed(cause, attempt, ordinal)));
                assert!(seen.insert(DrawKey::hashed(cause << 40 | 1 << 39, attempt, ordinal)));
            }
            assert!(seen.insert(DrawKey::numbered(attempt, cause)));
        }
    }
    assert_ne!(DrawKey::numbered(1 << 20, 0), DrawKey::numbered(0, 0));
    assert_ne!(DrawKey::numbered(0, 1 << 43), DrawKey::numbered(1, 0));
}

/// Hashed draws of causes, attempts and ordinals that follow each other.
fn hashed_words(count: u64) -> Vec<u64> {
    let mut streams = bits("hashed");
    (0..count)
        .map(|i| streams.draw(S, DrawKey::hashed(i / 6, 1 + (i / 3 % 2) as u32, (i % 3) as u32)))
        .collect()
}

/// χ² with `cells` − 1 degrees of freedom is within five standard deviations of its mean.
fn assert_even(counts: &[u32], what: &str) {
    let n: f64 = counts.iter().map(|&c| f64::from(c)).sum();
    let expected = n / counts.len() as f64;
    let square = |&c: &u32| (f64::from(c) - expected) * (f64::from(c) - expected) / expected;
    let chi_square: f64 = counts.iter().map(square).sum();
    let freedom = (counts.len() - 1) as f64;
    assert!(
        (chi_square - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(),
        "{what}: χ² {chi_square} of {freedom}"
    );
}

#[test]
fn hashed_draws_are_evenly_spread_in_every_byte_and_in_pairs() {
    let words = hashed_words(1 << 20);
    for byte in 0..8 {
        let mut counts = [0; 256];
        words.iter().for_each(|word| counts[(word >> (8 * byte)) as usize & 255] += 1);
        assert_even(&counts, "byte");
    }
    for (lag, shift) in [(1, 58), (1, 0), (2, 58), (3, 58), (6, 58), (6, 30)] {
        let mut counts = vec![0; 4_096];
        let six = |word: u64| (word >> shift) as usize & 63;
        words.windows(lag + 1).for_each(|w| counts[six(w[0]) << 6 | six(w[lag])] += 1);
        assert_even(&counts, "pairs");
    }
}

/// The same keys in two streams, and neighbours in one, are uncorrelated.
#[test]
fn hashed_draws_are_uncorrelated() {
    let unit = |word: u64| (word >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    let (mut one, mut other) = (bits("one"), bits("other"));
    let n = 1 << 20;
    let (mut across, mut along, mut last) = (0.0, 0.0, 0.0);
    for cause in 0..n {
        let key = DrawKey::hashed(cause, 1, 0);
        let (x, y) = (unit(one.draw(S, key)), unit(other.draw(S, key)));
        across += x * y;
        along += x * last;
        last = x;
    }
    // A product of two uniforms on (−½, ½) has the standard deviation 1/12.
    let bound = 4.5 * (n as f64).sqrt() / 12.0;
    assert!(f64::abs(across) < bound, "across streams: {across} of {bound}");
    assert!(f64::abs(along) < bound, "along one stream: {along} of {bound}");
}

/// Each bit of the key flips each bit of the word half the time.
#[test]
fn hashed_draws_avalanche() {
    let secret = key_of("avalanche", 1, 0);
    let trials = 4_000_u64;
    for bit in 0..63 {
        let mut flips = [0_u32; 64];
        for i in 0..trials {
            let key = (i * 0x0001_0001_0001) | HASHED;
            let changed = mixed(&secret, DrawKey(key)) ^ mixed(&secret, DrawKey(key ^ 1 << bit));
            flips.iter_mut().enumerate().for_each(|(j, count)| *count += (changed >> j) as u32 & 1);
        }
        // 4,032 counts with standard deviation 32: none beyond six of them.
        for (j, count) in flips.into_iter().enumerate() {
            assert!(count.abs_diff(trials as u32 / 2) < 190, "bit {bit} on {j}: {count} of {trials}");
        }
    }
}

#[test]
fn choices_are_even_and_in_range() {
    let mut streams = bits("choose");
    let mut counts = [0; 7];
    for i in 0..70_000 {
        counts[streams.choose(S, DrawKey::numbered(0, i), 7) as usize] += 1;
    }
    assert_even(&counts, "choices");
    assert_eq!(streams.choose(S, DrawKey::numbered(0, 1), 1), 0);
    assert_eq!(streams.choose(S, DrawKey::numbered(0, 1), 0), 0);
}
