//! Scales and their ticks: where a value lies on an axis, and which values are named.
//!
//! Ticks fall on 1, 2 and 5 times a power of ten; on an axis of time beyond a minute on the steps of a
//! clock; on an axis of percentiles on one more nine each.

use super::canvas::LETTER;
use crate::report::figure::{Quantity, rough};
use crate::report::text::width_in_pixels;

/// Between two names of given values, and what the outer ones may stand out beyond the plot, in pixels.
const APART: f64 = 10.0;
const LEFT: f64 = 2.0;
const RIGHT: f64 = 18.0;

/// An axis. Places are what a scale makes of values; plotters sees only places.
pub struct Axis {
    pub from: f64,
    pub to: f64,
    /// Places with names, and the unit of the names where they do not carry it.
    pub ticks: Vec<(f64, String)>,
    pub unit: &'static str,
    scale: Scale,
}

#[derive(Clone, Copy)]
enum Scale {
    Linear,
    /// Decimal logarithm.
    Logarithm,
    /// `-log10(1 - share)`: 0 at the minimum, 1 at 90 %, 2 at 99 %, 3 at 99.9 %.
    Nines,
}

impl Axis {
    /// Where `value` lies, kept within the axis.
    pub fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => value,
            Scale::Logarithm => libm::log10(value.max(f64::MIN_POSITIVE)),
            Scale::Nines => nines(value),
        };
        place.clamp(self.from, self.to)
    }

    /// What places are of values, by name.
    pub fn scale_name(&self) -> &'static str {
        match self.scale {
            Scale::Linear => "linear",
            Scale::Logarithm => "logarithm",
            Scale::Nines => "nines",
        }
    }

    /// From 0 to a round value at or above `most`, with at most `ticks` steps.
    pub fn linear(most: f64, ticks: usize, quantity: Quantity) -> Axis {
        let most = if most.is_finite() && most > f64::MIN_POSITIVE { most.min(1e300) } else { 1.0 };
        let step = round_up(most / ticks as f64);
        let steps = (most / step - 1e-9).ceil().max(1.0) as usize;
        let names = Names::for_axis(step * steps as f64, step, quantity);
        let named = (0..=steps).map(|i| (i as f64 * step, names.name(i as f64 * step))).collect();
        Axis { from: 0.0, to: step * steps as f64, ticks: named, unit: names.unit, scale: Scale::Linear }
    }

    /// Simulated time from 0 to exactly `end` seconds.
    pub fn time(end: f64, ticks: usize) -> Axis {
        let end = if end.is_finite() && end > f64::MIN_POSITIVE { end.min(1e300) } else { 1.0 };
        let step = clock_step(end / ticks as f64);
        let (unit, seconds) = match step {
            step if step >= 86_400.0 => ("d", 86_400.0),
            step if step >= 3_600.0 => ("h", 3_600.0),
            step if step >= 60.0 => ("min", 60.0),
            step if step >= 1.0 || end >= 2.0 => ("s", 1.0),
            step if step >= 1e-3 || end >= 2e-3 => ("ms", 1e-3),
            step if step >= 1e-6 || end >= 2e-6 => ("µs", 1e-6),
            _ => ("ns", 1e-9),
        };
        let decimals = decimals_of(step / seconds);
        let steps = (end / step + 1e-9).floor() as usize;
        let name = |place: f64| format!("{:.decimals$}", place / seconds);
        let named = (0..=steps).map(|i| (i as f64 * step, name(i as f64 * step))).collect();
        Axis { from: 0.0, to: end, ticks: named, unit, scale: Scale::Linear }
    }

    /// Durations from `least` to `most`, both above 0, on a logarithmic scale.
    pub fn logarithm(least: f64, most: f64, ticks: usize) -> Axis {
        let bounded = |value: f64| if value.is_nan() { 1.0 } else { value.clamp(1e-12, 1e15) };
        let least = round_down(bounded(least));
        let most = round_up(bounded(most)).max(least * 1.9);
        let (from, to) = (libm::log10(least), libm::log10(most));
        let mut named = Vec::new();
        // The finest set of ticks that has room: 1-2-5, then decades, then every second decade, ….
        for every in [0, 1, 2, 3, 6, 12] {
            named = logarithmic_ticks(from, to, every);
            if named.len() <= ticks {
                break;
            }
        }
        Axis { from, to, ticks: named, unit: "", scale: Scale::Logarithm }
    }

    /// Through given values, named as they are written as far as the names have room on so many pixels.
    pub fn through(values: &[(f64, String)], is_logarithmic: bool, pixels: f64) -> Axis {
        let scale = if is_logarithmic { Scale::Logarithm } else { Scale::Linear };
        let place = |value: f64| match scale {
            Scale::Logarithm => libm::log10(value.max(f64::MIN_POSITIVE)),
            Scale::Linear | Scale::Nines => value,
        };
        let places = || values.iter().map(|(value, _)| place(*value)).filter(|place| place.is_finite());
        let (from, to) = (places().fold(f64::INFINITY, f64::min), places().fold(f64::NEG_INFINITY, f64::max));
        let (from, to) = match from < to {
            true => (from, to),
            false if from.is_finite() => (from - 0.5, from + 0.5),
            false => (0.0, 1.0),
        };
        let half = |name: &str| width_in_pixels(name, LETTER) / 2.0;
        let outer = |name: Option<&(f64, String)>| name.map_or(0.0, |(_, name)| half(name));
        // The plot is a little wider than the values, so that the outer names stay beside it.
        let left = (outer(values.first()) - LEFT).clamp(8.0, pixels / 4.0);
        let right = (outer(values.last()) - RIGHT).clamp(4.0, pixels / 4.0);
        let of_pixel = (to - from) / (pixels - left - right);
        let mut free = f64::NEG_INFINITY;
        let mut named = Vec::new();
        for (value, name) in values {
            let middle = left + (place(*value) - from) / of_pixel;
            if middle - half(name) >= free {
                free = middle + half(name) + APART;
                named.push((place(*value), name.clone()));
            }
        }
        Axis { from: from - left * of_pixel, to: to + right * of_pixel, ticks: named, unit: "", scale }
    }

    /// Percentiles up to the last that `count` observations can tell.
    pub fn percentiles(count: u64) -> Axis {
        let to = libm::log10(count.max(10) as f64).min(6.0);
        // Without the unit, which the title has: on a phone there is no room for it at each tick.
        let named =
            [(0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99"), (0.99999, "99.999")];
        let ticks = named.map(|(share, name)| (nines(share), name.to_owned()));
        let ticks = ticks.into_iter().filter(|(place, _)| *place <= to + 1e-9).collect();
        Axis { from: 0.0, to, ticks, unit: "%", scale: Scale::Nines }
    }
}

/// How the values of one linear axis are named: all in one unit, with the same decimals.
struct Names {
    factor: f64,
    decimals: usize,
    suffix: &'static str,
    /// For the title of the axis.
    unit: &'static str,
}

impl Names {
    fn for_axis(most: f64, step: f64, quantity: Quantity) -> Names {
        let (factor, suffix, unit) = match quantity {
            Quantity::Seconds if most >= 1.0 => (1.0, " s", ""),
            Quantity::Seconds if most >= 1e-3 => (1e3, " ms", ""),
            Quantity::Seconds if most >= 1e-6 => (1e6, " µs", ""),
            Quantity::Seconds => (1e9, " ns", ""),
            Quantity::Share => (100.0, " %", ""),
            _ if most >= 1e10 => (1e-9, " G", ""),
            _ if most >= 1e7 => (1e-6, " M", ""),
            _ if most >= 1e4 => (1e-3, " k", ""),
            Quantity::PerSecond => (1.0, "", "per second"),
            Quantity::Number => (1.0, "", ""),
            Quantity::Erlang => (1.0, "", "erlang"),
        };
        Names { factor, decimals: decimals_of(step * factor), suffix, unit }
    }

    fn name(&self, value: f64) -> String {
        let value = value * self.factor;
        if value == 0.0 {
            return "0".to_owned();
        }
        if value >= 1e9 {
            return format!("{value:.0e}{}", self.suffix);
        }
        format!("{value:.*}{}", self.decimals, self.suffix)
    }
}

/// Decimals that tell multiples of `step` apart.
fn decimals_of(step: f64) -> usize {
    (-libm::floor(libm::log10(step) + 1e-9)).clamp(0.0, 9.0) as usize
}

/// `-log10(1 - share)`; shares of 1 lie beyond every axis.
fn nines(share: f64) -> f64 {
    if share >= 1.0 { f64::MAX } else { -libm::log10(1.0 - share) }
}

/// Named places between two logarithms: `every` = 0 names 1, 2 and 5 of each decade, else every that
/// many decades.
fn logarithmic_ticks(from: f64, to: f64, every: i32) -> Vec<(f64, String)> {
    let (first, last) = (from.floor() as i32, to.ceil() as i32);
    let mut ticks = Vec::new();
    for decade in first..=last {
        let digits: &[f64] = match every {
            0 => &[1.0, 2.0, 5.0],
            n if decade.rem_euclid(n) == 0 => &[1.0],
            _ => &[],
        };
        for digit in digits {
            let value = digit * libm::exp10(f64::from(decade));
            let place = libm::log10(value);
            if place > from - 1e-9 && place < to + 1e-9 {
                ticks.push((place, rough(value, Quantity::Seconds)));
            }
        }
    }
    ticks
}

/// The least of 1, 2, 5 times a power of ten that is not below `value`.
fn round_up(value: f64) -> f64 {
    let power = libm::exp10(libm::floor(libm::log10(value) + 1e-9));
    let digit = [1.0, 2.0, 5.0].into_iter().find(|digit| digit * power >= value * (1.0 - 1e-9));
    digit.unwrap_or(10.0) * power
}

/// The greatest of 1, 2, 5 times a power of ten that is not above `value`.
fn round_down(value: f64) -> f64 {
    let power = libm::exp10(libm::floor(libm::log10(value) + 1e-9));
    let digit = [5.0, 2.0, 1.0].into_iter().find(|digit| digit * power <= value * (1.0 + 1e-9));
    digit.unwrap_or(1.0) * power
}

/// The least step of a clock that is not below `seconds`: 1-2-5 to ten seconds and from a day on.
fn clock_step(seconds: f64) -> f64 {
    const CLOCK: [f64; 15] = [
        10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0,
        43_200.0, 86_400.0,
    ];
    if seconds <= 5.0 {
        return round_up(seconds);
    }
    let step = CLOCK.into_iter().find(|step| *step >= seconds);
    step.unwrap_or_else(|| round_up(seconds / 86_400.0) * 86_400.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(names(&Axis::linear(97.0, 5, Quantity::PerSecond)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(names(&Axis::linear(0.23, 3, Quantity::Share)), ["0", "10 %", "20 %", "30 %"]);
        assert_eq!(
            names(&Axis::linear(31_000.0, 4, Quantity::Number)),
            ["0", "10 k", "20 k", "30 k", "40 k"]
        );
        assert_eq!(names(&Axis::time(600.0, 6)), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(Axis::time(600.0, 6).unit, "min");
        assert_eq!(names(&Axis::time(1.0, 5)), ["0", "200", "400", "600", "800", "1000"]);
    }

    #[test]
    fn a_logarithmic_axis_takes_the_finest_ticks_that_have_room() {
        assert_eq!(
            names(&Axis::logarithm(0.0012, 0.043, 8)),
            ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms"]
        );
        assert_eq!(names(&Axis::logarithm(0.0012, 9.0, 8)), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
    }

    #[test]
    fn every_nine_has_the_same_room() {
        let axis = Axis::percentiles(100_000);
        let step = axis.place(0.99) - axis.place(0.9);
        assert!((axis.place(0.999) - axis.place(0.99) - step).abs() < 1e-9);
        assert_eq!(names(&axis).last(), Some(&"99.999"));
        assert_eq!(axis.place(1.0), axis.to);
    }

    /// Names do not lie on one another, and the outer ones stay beside the other axis.
    #[test]
    fn given_values_are_named_as_far_as_there_is_room() {
        let values: Vec<(f64, String)> = [20.0, 41.8256, 87.469, 182.922, 382.541, 800.0]
            .map(|value| (value, format!("{value}/s")))
            .into();
        let axis = Axis::through(&values, false, 250.0);
        assert_eq!(names(&axis), ["20/s", "382.541/s", "800/s"]);
        assert!(axis.from < 20.0 && axis.to > 800.0);
        assert_eq!(names(&Axis::through(&values, true, 600.0)).len(), 6);
        assert_eq!(names(&Axis::through(&values[..1], true, 600.0)), ["20/s"]);
        assert!(Axis::through(&[], false, 100.0).ticks.is_empty());
    }

    #[test]
    fn no_number_breaks_an_axis() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX, f64::MIN_POSITIVE, 1e-300] {
            for axis in [
                Axis::linear(value, 5, Quantity::Number),
                Axis::time(value, 5),
                Axis::logarithm(value, value, 5),
            ] {
                assert!(axis.to > axis.from && axis.ticks.len() < 40, "{value}");
                assert!(axis.place(value) >= axis.from || value.is_nan(), "{value}");
            }
        }
    }
}
