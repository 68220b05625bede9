//! The knee of a curve: where going on begins to cost more than it brings.
//!
//! Kneedle (Satopää, Albrecht, Irwin and Raghavan, *Finding a "Kneedle" in a Haystack*, ICDCS Workshops 2011). The
//! curve is put into the unit square and turned so that it rises steeply first and flattens later. Its distance
//! above the diagonal has a local maximum at each candidate; a candidate is a knee if the distance falls, before it
//! rises again, below its maximum less [`SENSITIVITY`] times the mean step along the horizontal axis. Of several the one
//! farthest from the diagonal is given.
//!
//! Two things are ours. Points are means over replications and not smoothed any more; and a knee must stand out from their noise
//! ([`knee`]'s `noise`), because every curve that was measured has some farthest point.
//!
//! ```
//! use eventflow::stats::knee::knee;
//! // Waiting time at a queue: flat for long, then steep.
//! let curve: Vec<(f64, f64)> = (1..=19).map(|n| 0.05 * f64::from(n)).map(|load| (load, load / (1.0 - load))).collect();
//! assert_eq!(knee(&curve, 0.0).map(|at| curve[at].0), Some(0.8));
//! let line: Vec<(f64, f64)> = (0..10).map(|n| (f64::from(n), 3.0 * f64::from(n))).collect();
//! assert_eq!(knee(&line, 0.0), None);
//! ```

/// Kneedle's S: 1, as its authors recommend for curves that are there as a whole.
pub const SENSITIVITY: f64 = 1.0;

/// Fewest points that have a knee.
pub const FEWEST_POINTS: usize = 5;

/// A knee less far from the diagonal than this share of the curve's height is none: the points lie on a line.
const LEAST_DISTANCE: f64 = 0.02;

/// Which point is the knee of a curve, if there is one. Points rise in x; `noise` is how far a value may be from the
/// truth, in units of y: a knee lies farther than that from the line between the ends.
pub fn knee(curve: &[(f64, f64)], noise: f64) -> Option<usize> {
    let (first, last) = (curve.first()?, curve.last()?);
    let width = last.0 - first.0;
    let finite = curve.iter().all(|(x, y)| x.is_finite() && y.is_finite());
    let rises = curve.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if curve.len() < FEWEST_POINTS || !finite || !rises {
        return None;
    }
    let least = curve.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let most = curve.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
    let height = most - least;
    if height <= 0.0 {
        return None;
    }
    let falls = last.1 < first.1;
    // Falling curves are flipped top to bottom: all rise now.
    let unit: Vec<(f64, f64)> = curve
        .iter()
        .map(|(x, y)| ((x - first.0) / width, (if falls { most - y } else { y - least }) / height))
        .collect();
    let above: f64 = unit.iter().map(|(x, y)| y - x).sum();
    // What hangs below the diagonal is turned about the middle of the square.
    let mut distances: Vec<f64> = match above >= 0.0 {
        true => unit.iter().map(|(x, y)| y - x).collect(),
        false => unit.iter().rev().map(|(x, y)| x - y).collect(),
    };
    let turned = above < 0.0;
    let drop = SENSITIVITY / (curve.len() - 1) as f64;
    // The curve ends on the diagonal: what rises to the very end comes down there.
    distances.push(0.0);
    let peak = |at: &usize| {
        let at = *at;
        let is_peak = distances[at] > distances[at - 1] && distances[at] >= distances[at + 1];
        let later = distances[at + 1..].iter();
        let lowest =
            later.take_while(|distance| **distance <= distances[at]).fold(f64::INFINITY, |a, b| a.min(*b));
        is_peak && lowest < distances[at] - drop
    };
    let peaks = (1..curve.len()).filter(peak);
    let best = peaks.max_by(|a, b| distances[*a].total_cmp(&distances[*b]))?;
    let stands_out = distances[best] > LEAST_DISTANCE.max(noise / height);
    stands_out.then_some(if turned { curve.len() - 1 - best } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(of: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..=20).map(|n| 0.05 * f64::from(n)).map(|x| (x, of(x))).collect()
    }

    /// The four shapes of one curve have their knees at the mirrored places.
    #[test]
    fn a_knee_is_found_whichever_way_a_curve_bends() {
        // The example of the paper: −1/(x + 0.1) + 5 has its knee at (√0.11 − 0.1 ≈ 0.23).
        let concave = |x: f64| 5.0 - 1.0 / (x + 0.1);
        let found = [
            knee(&curve(concave), 0.0),
            knee(&curve(|x| -concave(x)), 0.0),
            knee(&curve(|x| concave(1.0 - x)), 0.0),
            knee(&curve(|x| -concave(1.0 - x)), 0.0),
        ];
        assert_eq!(found, [Some(5), Some(5), Some(15), Some(15)]);
    }

    #[test]
    fn a_knee_stands_out_from_noise() {
        let bent = curve(|x| if x < 0.5 { x } else { 0.5 });
        assert_eq!(knee(&bent, 0.0), Some(10));
        assert_eq!(knee(&bent, 0.4), None, "half as high as that is the bend");
        // A line, shaken by less than the noise.
        let shaken: Vec<(f64, f64)> = curve(|x| x)
            .iter()
            .enumerate()
            .map(|(i, (x, y))| (*x, y + 0.03 * f64::from(i as u8 % 3)))
            .collect();
        assert_eq!(knee(&shaken, 0.07), None);
    }

    #[test]
    fn no_curve_has_no_knee() {
        assert_eq!(knee(&[], 0.0), None);
        assert_eq!(knee(&curve(|_| 4.0), 0.0), None);
        assert_eq!(knee(&curve(|x| x)[..4], 0.0), None);
        assert_eq!(knee(&curve(|x| if x > 0.5 { f64::NAN } else { x }), 0.0), None);
    }
}
