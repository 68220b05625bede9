//! How much of a run's beginning to leave out, found from the run itself: MSER-5.
//!
//! A simulation begins empty, and what it shows at first is not how it goes on. MSER leaves out so much that the
//! mean of the rest is known best: the d that makes the squared standard error of what is left,
//! Σ (Y − mean)² / (n − d)², smallest. A start that is off adds squares, every value left out takes precision away. The five of
//! MSER-5 is the length of the batches whose means are looked at. If the best place lies in the second half, the
//! run was too short to tell. Sources: White, An effective truncation heuristic for bias reduction in simulation
//! output, Simulation 69 (1997); White, Cobb and Spratt, A comparison of five steady-state truncation heuristics,
//! Winter Simulation Conference 2000; Franklin and White, Stationarity tests and MSER-5, Winter Simulation
//! Conference 2008.
//!
//! ```
//! use eventflow::stats::warm_up::truncation;
//! let filling = |i: u32| if i < 50 { f64::from(i) / 50.0 } else { 1.0 + 0.1 * f64::from(i * 7 % 5) };
//! let found = truncation(&(0..1_000).map(filling).collect::<Vec<_>>()).unwrap();
//! assert!((45..=55).contains(&found.values) && !found.is_late, "{found:?}");
//! ```

/// Values in a batch.
pub const BATCH: usize = 5;
/// Batches at the end where no truncation is looked for: a few values in a row can be alike by chance.
const LEAST_LEFT: usize = 5;

/// How many values to leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// Whole batches of values.
    pub values: usize,
    /// In the second half: the series is too short to tell.
    pub is_late: bool,
}

/// The best place to cut off the beginning of `series`. `None`: it has too few values to have one.
pub fn truncation(series: &[f64]) -> Option<Truncation> {
    let means: Vec<f64> =
        series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let batches = means.len();
    if batches < 2 * LEAST_LEFT {
        return None;
    }
    // From the end to the beginning, so that each value is taken in once.
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let mut best = (f64::INFINITY, batches);
    for cut in (0..batches).rev() {
        count += 1.0;
        let deviation = means[cut] - mean;
        mean += deviation / count;
        squares += deviation * (means[cut] - mean);
        let error = squares / (count * count);
        // Of equals the one that leaves out least.
        if cut <= batches - LEAST_LEFT && error <= best.0 {
            best = (error, cut);
        }
    }
    Some(Truncation { values: best.1 * BATCH, is_late: 2 * best.1 > batches })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        }
    }

    /// By hand: batches 10, 0, 1, 0, 1, … The rest after the first has squares 0.25 each.
    #[test]
    fn a_single_bad_batch_is_left_out() {
        let batches = [10.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        let series: Vec<f64> = batches.iter().flat_map(|&value| [value; BATCH]).collect();
        assert_eq!(truncation(&series), Some(Truncation { values: BATCH, is_late: false }));
    }

    #[test]
    fn a_steady_series_loses_little() {
        let mut lost = 0;
        for seed in 0..50 {
            let mut noise = noise(seed);
            let series: Vec<f64> = (0..2_000).map(|_| noise()).collect();
            let found = truncation(&series).unwrap();
            assert!(!found.is_late, "{seed}");
            lost += found.values;
        }
        assert!(lost / 50 < 100, "{} of 2000 on average", lost / 50);
        assert_eq!(truncation(&[4.0; 100]).unwrap().values, 0);
    }

    /// An exponential approach of time constant 100 to a noisy level: cut after two to six constants.
    #[test]
    fn an_approach_is_cut_off() {
        for seed in 0..30 {
            let mut noise = noise(seed);
            let approach = |i: u32| 1.0 - libm::exp(-f64::from(i) / 100.0);
            let series: Vec<f64> = (0..5_000).map(|i| approach(i) + 0.4 * noise()).collect();
            let found = truncation(&series).unwrap();
            assert!((150..=700).contains(&found.values) && !found.is_late, "{seed}: {found:?}");
        }
    }

    #[test]
    fn what_never_settles_is_too_short() {
        let series: Vec<f64> = (0..1_000).map(f64::from).collect();
        assert!(truncation(&series).unwrap().is_late);
        assert_eq!(truncation(&series[..49]), None, "nine batches are too few");
    }
}
