//! Figures as a reader sees them: no more digits than the interval supports, and a unit.
//!
//! The half-width is rounded to one significant digit, or to two when it begins with 1 or 2, and the
//! mean to the same place (the rule of the Particle Data Group, simplified):
//!
//! ```
//! use eventflow::experiment::results::Estimate;
//! use eventflow::report::figure::{Quantity, figure};
//!
//! let measured = Estimate { mean: Some(0.0123456), half_width: Some(0.000412), n: 10 };
//! assert_eq!(figure(&measured, Quantity::Seconds).to_string(), "12.3 ± 0.4 ms");
//! let once = Estimate { mean: Some(99.12), half_width: None, n: 1 };
//! assert_eq!(figure(&once, Quantity::PerSecond).to_string(), "99.1 /s (no interval)");
//! ```

use crate::experiment::results::Estimate;
use crate::experiment::results::measure::Unit;
use std::fmt;

/// What a number measures, and so which unit it is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Seconds; shown in ns, µs, ms or s.
    Seconds,
    /// A rate per second.
    PerSecond,
    /// A share from 0 to 1; shown in percent.
    Share,
    /// A plain number.
    Number,
    /// Offered load in erlang.
    Erlang,
}

impl From<Unit> for Quantity {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Seconds => Quantity::Seconds,
            Unit::PerSecond => Quantity::PerSecond,
            Unit::Share => Quantity::Share,
            Unit::Number => Quantity::Number,
            Unit::Erlang => Quantity::Erlang,
        }
    }
}

/// An estimate, rounded and with its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The mean, or `–` where there was nothing to observe.
    pub value: String,
    /// Half-width of the interval in the same unit, where there is one.
    pub half_width: Option<String>,
    /// The unit of both; empty for plain numbers.
    pub unit: &'static str,
}

impl Figure {
    /// Without blanks around ±, for narrow columns: `12.3±0.4 ms`. A bare mean carries `?`, which a
    /// table with such figures must explain.
    pub fn compact(&self) -> String {
        let spread = match &self.half_width {
            Some(half_width) => format!("±{half_width}"),
            None if self.is_defined() => "?".to_owned(),
            None => String::new(),
        };
        format!("{}{spread}{}", self.value, self.suffix())
    }

    /// Whether there was anything to observe.
    pub fn is_defined(&self) -> bool {
        self.value != NOTHING
    }

    /// The unit with the blank before it.
    pub fn suffix(&self) -> String {
        if self.unit.is_empty() || !self.is_defined() { String::new() } else { format!(" {}", self.unit) }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.half_width {
            Some(half_width) => write!(f, "{} ± {half_width}{}", self.value, self.suffix()),
            None if self.is_defined() => write!(f, "{}{} (no interval)", self.value, self.suffix()),
            None => f.write_str(&self.value),
        }
    }
}

/// What stands where nothing was observed.
const NOTHING: &str = "–";

/// `estimate` rounded to what its interval supports, in the unit that suits its size.
pub fn figure(estimate: &Estimate, quantity: Quantity) -> Figure {
    let Some(mean) = estimate.mean.filter(|mean| mean.is_finite()) else {
        return Figure { value: NOTHING.to_owned(), half_width: None, unit: "" };
    };
    let half_width = estimate.half_width.filter(|half_width| half_width.is_finite());
    let (unit, scale) = unit(quantity, mean.abs().max(half_width.unwrap_or(0.0)));
    let (mean, half_width) = (mean * scale, half_width.map(|half_width| half_width * scale));
    let decimals = decimals(mean, half_width);
    Figure { value: number(mean, decimals), half_width: half_width.map(|h| spread(h, decimals)), unit }
}

/// A cell of a table on a terminal: [`Figure::compact`], and the replications in which it is defined where those are not
/// all that were done, which a table with such cells must say: `12.3±0.4 ms (n=8)`.
pub fn cell(estimate: &Estimate, quantity: Quantity, replications: u32) -> String {
    let figure = figure(estimate, quantity);
    let compact = figure.compact();
    let is_of_all = estimate.n == replications || !figure.is_defined();
    if is_of_all { compact } else { format!("{compact} (n={})", estimate.n) }
}

/// A single value, rounded to three significant digits, with its unit: for points of a chart.
pub fn rough(value: f64, quantity: Quantity) -> String {
    let estimate = Estimate { mean: Some(value), half_width: None, n: 1 };
    let figure = figure(&estimate, quantity);
    format!("{}{}", figure.value, figure.suffix())
}

/// A point in simulated time, or a length of it, to a thousandth of its unit.
pub fn instant(seconds: f64) -> String {
    let (unit, scale) = unit(Quantity::Seconds, seconds.abs());
    let digits = number(seconds * scale, 3);
    format!("{} {unit}", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// A whole number with its thousands set apart.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// Unit and the factor that leads to it, for a value of this size in base units.
fn unit(quantity: Quantity, size: f64) -> (&'static str, f64) {
    match quantity {
        Quantity::Seconds if size == 0.0 || size >= 1.0 => ("s", 1.0),
        Quantity::Seconds if size >= 1e-3 => ("ms", 1e3),
        Quantity::Seconds if size >= 1e-6 => ("µs", 1e6),
        Quantity::Seconds => ("ns", 1e9),
        Quantity::PerSecond => ("/s", 1.0),
        Quantity::Share => ("%", 100.0),
        Quantity::Number => ("", 1.0),
        Quantity::Erlang => ("erl", 1.0),
    }
}

/// Places after the point that the half-width supports; negative: rounded to tens, hundreds, ….
fn decimals(mean: f64, half_width: Option<f64>) -> i32 {
    let magnitude = |x: f64| libm::floor(libm::log10(x)) as i32;
    // More than six digits of a mean are noise to a reader, whatever the interval says.
    let most = if mean == 0.0 { 6 } else { 5 - magnitude(mean.abs()) };
    match half_width {
        Some(h) if h > 0.0 => {
            let place = magnitude(h);
            let digits = if h / libm::exp10(f64::from(place)) < 2.95 { 2 } else { 1 };
            (digits - 1 - place).min(most)
        }
        _ if mean == mean.round() && mean.abs() < 1e6 => 0,
        _ => 2 - magnitude(mean.abs()),
    }
}

/// A half-width; one that is smaller than the last place shown is said to be so.
fn spread(half_width: f64, decimals: i32) -> String {
    let place = libm::exp10(f64::from(-decimals));
    if half_width > 0.0 && half_width < place / 2.0 {
        return format!("<{}", number(place, decimals));
    }
    number(half_width, decimals)
}

/// `value` rounded to `decimals` places, thousands set apart from 10,000 on.
fn number(value: f64, decimals: i32) -> String {
    if value.abs() >= 1e12 {
        return format!("{value:.3e}");
    }
    let places = decimals.clamp(0, 12) as usize;
    let place = libm::exp10(f64::from(-decimals.min(0)));
    let rounded = if decimals < 0 { (value / place).round() * place } else { value };
    let digits = format!("{rounded:.places$}");
    let digits = digits.strip_prefix('-').filter(|rest| is_zero(rest)).unwrap_or(&digits);
    match digits.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(digits),
    }
}

/// Whether digits as printed are all zero, so that a minus sign before them would be idle.
fn is_zero(digits: &str) -> bool {
    digits.chars().all(|c| matches!(c, '0' | '.'))
}

/// Sets thousands apart with commas, where there are more than four digits.
fn grouped(whole: &str) -> String {
    let digits = whole.trim_start_matches('-');
    if digits.len() <= 4 {
        return whole.to_owned();
    }
    let mut out = whole[..whole.len() - digits.len()].to_owned();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(mean: f64, half_width: f64, quantity: Quantity) -> String {
        figure(&Estimate { mean: Some(mean), half_width: Some(half_width), n: 5 }, quantity).to_string()
    }

    #[test]
    fn the_mean_has_the_digits_that_the_interval_supports() {
        assert_eq!(shown(99.8712, 0.4123, Quantity::PerSecond), "99.9 ± 0.4 /s");
        assert_eq!(shown(99.8712, 0.1523, Quantity::PerSecond), "99.87 ± 0.15 /s");
        assert_eq!(shown(1234.0, 41.0, Quantity::Number), "1230 ± 40");
        assert_eq!(shown(0.9971, 0.0003, Quantity::Share), "99.71 ± 0.03 %");
        assert_eq!(shown(2.5e-7, 3.1e-8, Quantity::Seconds), "250 ± 30 ns");
        assert_eq!(shown(0.0, 0.0, Quantity::Seconds), "0 ± 0 s");
        assert_eq!(shown(-0.00001, 0.3, Quantity::Number), "0.0 ± 0.3");
        assert_eq!(shown(1_234_567.0, 0.001, Quantity::Number), "1,234,570 ± <10");
    }

    #[test]
    fn without_an_interval_the_figure_says_so() {
        let once = Estimate { mean: Some(0.0421), half_width: None, n: 1 };
        assert_eq!(figure(&once, Quantity::Seconds).to_string(), "42.1 ms (no interval)");
        assert_eq!(figure(&once, Quantity::Seconds).compact(), "42.1? ms");
        let never = Estimate { mean: None, half_width: None, n: 0 };
        assert_eq!(figure(&never, Quantity::Seconds).to_string(), "–");
        assert_eq!(figure(&never, Quantity::Seconds).compact(), "–");
    }

    #[test]
    fn odd_numbers_do_no_harm() {
        for mean in [f64::NAN, f64::INFINITY, f64::MAX, f64::MIN_POSITIVE, -1e300, 1e11] {
            for half_width in [None, Some(f64::NAN), Some(f64::MAX), Some(f64::MIN_POSITIVE)] {
                let odd = Estimate { mean: Some(mean), half_width, n: 2 };
                assert!(figure(&odd, Quantity::Number).to_string().chars().count() < 40, "{odd:?}");
            }
        }
    }

    #[test]
    fn instants_keep_their_digits() {
        assert_eq!(instant(302.5), "302.5 s");
        assert_eq!(instant(0.0), "0 s");
        assert_eq!(instant(0.25), "250 ms");
        assert_eq!(instant(12_600.0), "12,600 s");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(count(1234), "1234");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(rough(12_345.6, Quantity::Number), "12,300");
    }
}
