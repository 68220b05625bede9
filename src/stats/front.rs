//! The Pareto front of two measures: the points that no other point beats in both.
//!
//! ```
//! use eventflow::stats::front::front;
//! // Less is better in both.
//! assert_eq!(front(&[(1.0, 9.0), (2.0, 5.0), (3.0, 6.0), (4.0, 1.0)]), [0, 1, 3]);
//! ```

/// Positions of the points that are not dominated, less being better in both, from least to greatest in the first
/// measure. A point is dominated by another that is no worse in either and better in one. Points that are not numbers
/// are left out.
pub fn front(points: &[(f64, f64)]) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..points.len()).filter(|at| !points[*at].0.is_nan() && !points[*at].1.is_nan()).collect();
    order.sort_by(|a, b| {
        let ((first, second), (other_first, other_second)) = (points[*a], points[*b]);
        first.total_cmp(&other_first).then(second.total_cmp(&other_second)).then(a.cmp(b))
    });
    let mut best: Option<(f64, f64)> = None;
    order.retain(|at| {
        let point = points[*at];
        let is_on = best.is_none_or(|best| point.1 < best.1 || point == best);
        if is_on {
            best = Some(point);
        }
        is_on
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn just_those_that_nobody_beats(points in proptest::collection::vec((0..8_u8, 0..8_u8), 0..40)) {
            let points: Vec<(f64, f64)> = points.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
            let beats = |a: (f64, f64), b: (f64, f64)| a.0 <= b.0 && a.1 <= b.1 && a != b;
            let mut on = front(&points);
            on.sort_unstable();
            let expected: Vec<usize> =
                (0..points.len()).filter(|at| !points.iter().any(|other| beats(*other, points[*at]))).collect();
            prop_assert_eq!(on, expected);
        }
    }
}
