//! The knees of all curves of a grid: along each axis of numbers, whatever the other axes are at.
//!
//! Points may be spaced by factors; the knee is that of the curve over the number itself, so that what grows in
//! proportion has none.

use crate::experiment::results::sweep::{Axis, Knee, PointResults, Scale, SweptMeasure};
use crate::stats::knee::knee;

/// One for each curve that has one, of the measures that are charted.
pub fn knees(axes: &[Axis], measures: &[SweptMeasure], points: &[PointResults]) -> Vec<Knee> {
    let mut knees = Vec::new();
    for (at, measure) in measures.iter().enumerate().filter(|(_, measure)| measure.charted) {
        for (axis, swept) in axes.iter().enumerate().filter(|(_, axis)| axis.scale != Scale::Words) {
            for curve in curves(axis, points) {
                knees.extend(knee_of(&curve, axes, axis, at).map(|(place, beside)| Knee {
                    measure: measure.name.clone(),
                    axis: swept.name.clone(),
                    beside,
                    at: place.values[axis].clone(),
                    estimate: place.estimates[at],
                }));
            }
        }
    }
    knees
}

/// Points that differ along one axis alone, together; in the order of the design.
fn curves(axis: usize, points: &[PointResults]) -> Vec<Vec<&PointResults>> {
    let others = |point: &PointResults| {
        let values = point.values.iter().enumerate().filter(|(other, _)| *other != axis);
        values.map(|(_, value)| value.clone()).collect::<Vec<String>>()
    };
    let mut curves: Vec<(Vec<String>, Vec<&PointResults>)> = Vec::new();
    for point in points {
        let beside = others(point);
        match curves.iter_mut().find(|(of, _)| *of == beside) {
            Some((_, curve)) => curve.push(point),
            None => curves.push((beside, vec![point])),
        }
    }
    curves.into_iter().map(|(_, curve)| curve).collect()
}

/// The point at which a measure bends, and the values of the other axes.
fn knee_of<'a>(
    curve: &[&'a PointResults],
    axes: &[Axis],
    axis: usize,
    measure: usize,
) -> Option<(&'a PointResults, Vec<String>)> {
    let mut seen: Vec<(f64, f64, &PointResults)> = curve
        .iter()
        .filter_map(|point| Some((point.numbers[axis]?, point.estimates[measure].mean?, *point)))
        .collect();
    seen.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut spreads: Vec<f64> =
        seen.iter().filter_map(|(.., point)| point.estimates[measure].half_width).collect();
    spreads.sort_by(f64::total_cmp);
    let noise = spreads.get(spreads.len() / 2).copied().unwrap_or(0.0);
    let line: Vec<(f64, f64)> = seen.iter().map(|(x, y, _)| (*x, *y)).collect();
    let (.., point) = seen[knee(&line, noise)?];
    let beside = axes.iter().zip(&point.values).enumerate().filter(|(other, _)| *other != axis);
    Some((point, beside.map(|(_, (axis, value))| format!("{}={value}", axis.name)).collect()))
}
