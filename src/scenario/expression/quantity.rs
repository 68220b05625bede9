//! Numbers with their units, exact where they are counted: a duration is a whole number of
//! nanoseconds and a size a whole number of bytes, worked out in integers.
//!
//! | written | means |
//! |---|---|
//! | `5`, `2.5`, `1e-9` | an int; numbers |
//! | `0.1%` | the number 0.001 |
//! | `5ms` (`ns us ms s m h d`) | a duration |
//! | `400B` (`B KB MB GB`, by 1000; `KiB MiB GiB`, by 1024) | a size |
//! | `200/s` (`/s /m /h`), `10MB/s` | a rate per second; of bytes |

use crate::kernel::time::{LONGEST, SECOND};

/// A number as it was written, in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// Without a sign; as large as 2^63, because `-9223372036854775808` is written with it.
    Int(u64),
    Number(f64),
    /// A share of 1.
    Percent(f64),
    /// Nanoseconds.
    Duration(i64),
    /// Bytes.
    Size(i64),
    /// Per second.
    Rate(f64),
    /// Bytes per second.
    ByteRate(f64),
}

/// Names of units after a number, with what they multiply by: nanoseconds, then bytes.
const TIMES: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
    ("d", 24 * 3600 * SECOND),
];
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// The most digits that a number may have.
const MOST_DIGITS: usize = 24;

/// Whether a word is a unit of time or size.
pub fn is_unit(word: &str) -> bool {
    names().any(|name| name == word)
}

/// All units that stand directly after a number.
pub fn names() -> impl Iterator<Item = &'static str> {
    TIMES.iter().chain(&SIZES).map(|&(name, _)| name)
}

/// Reads digits (`12`, `1.5`, `1e-9`) with a unit (`ms`, `%` or nothing) and the time it is taken per
/// (`s`, `m`, `h`). The error is a sentence.
pub fn read(digits: &str, unit: &str, per: Option<&str>) -> Result<Quantity, String> {
    if digits.len() > MOST_DIGITS {
        return Err(format!("a number has at most {MOST_DIGITS} characters"));
    }
    let number = || finite(digits);
    if let Some(per) = per {
        let seconds = TIMES.iter().find(|(name, _)| *name == per).map_or(1.0, |&(_, n)| (n / SECOND) as f64);
        return match SIZES.iter().find(|(name, _)| *name == unit) {
            Some(&(_, bytes)) => Ok(Quantity::ByteRate(number()? * bytes as f64 / seconds)),
            None => Ok(Quantity::Rate(number()? / seconds)),
        };
    }
    if unit == "%" {
        // Moving the decimal point rounds once, dividing by 100 would round twice.
        return finite(&format!("{digits}e-2")).map(Quantity::Percent);
    }
    if let Some(&(_, nanos)) = TIMES.iter().find(|(name, _)| *name == unit) {
        return match scaled(digits, nanos) {
            Some(nanos) if nanos as u64 <= LONGEST => Ok(Quantity::Duration(nanos)),
            _ => Err("the longest time is 36500d".into()),
        };
    }
    if let Some(&(_, bytes)) = SIZES.iter().find(|(name, _)| *name == unit) {
        return scaled(digits, bytes).map(Quantity::Size).ok_or_else(|| "this size is too large".into());
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return match digits.parse::<u64>() {
            Ok(int) if int <= i64::MAX as u64 + 1 => Ok(Quantity::Int(int)),
            _ => Err(format!("an int is at most {}", i64::MAX)),
        };
    }
    number().map(Quantity::Number)
}

fn finite(digits: &str) -> Result<f64, String> {
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("this number is too large".into()),
    }
}

/// `digits × unit` as an integer, rounded half to even; `None` if it does not fit.
fn scaled(digits: &str, unit: u64) -> Option<i64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let product = mantissa.checked_mul(unit as i128)?;
    let scale = 10_i128.checked_pow(fraction.len() as u32)?;
    let (quotient, twice) = (product / scale, (product % scale) * 2);
    let up = twice > scale || (twice == scale && quotient % 2 == 1);
    i64::try_from(quotient + i128::from(up)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_of_time_is_nanoseconds() {
        let nanos = |unit| match read("2", unit, None) {
            Ok(Quantity::Duration(nanos)) => nanos,
            other => panic!("{unit}: {other:?}"),
        };
        let expected =
            [2, 2_000, 2_000_000, 2_000_000_000, 120_000_000_000, 7_200_000_000_000, 172_800_000_000_000];
        assert_eq!(TIMES.map(|(unit, _)| nanos(unit)), expected);
    }

    #[test]
    fn every_unit_of_size_is_bytes() {
        let bytes = |unit| match read("3", unit, None) {
            Ok(Quantity::Size(bytes)) => bytes,
            other => panic!("{unit}: {other:?}"),
        };
        let expected = [3, 3_000, 3_000_000, 3_000_000_000, 3_072, 3_145_728, 3_221_225_472];
        assert_eq!(SIZES.map(|(unit, _)| bytes(unit)), expected);
    }

    #[test]
    fn fractions_are_exact_and_round_half_to_even() {
        assert_eq!(read("1.5", "ms", None), Ok(Quantity::Duration(1_500_000)));
        assert_eq!(read("0.1", "s", None), Ok(Quantity::Duration(100_000_000)));
        assert_eq!(read("0.5", "ns", None), Ok(Quantity::Duration(0)));
        assert_eq!(read("1.5", "ns", None), Ok(Quantity::Duration(2)));
        assert_eq!(read("0.1", "%", None), Ok(Quantity::Percent(0.001)));
    }

    #[test]
    fn rates_are_per_second() {
        assert_eq!(read("200", "", Some("s")), Ok(Quantity::Rate(200.0)));
        assert_eq!(read("30", "", Some("m")), Ok(Quantity::Rate(0.5)));
        assert_eq!(read("7200", "", Some("h")), Ok(Quantity::Rate(2.0)));
        assert_eq!(read("10", "MB", Some("s")), Ok(Quantity::ByteRate(1e7)));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (digits, unit) in [
            ("36501", "d"),
            ("99999999999999999999999", "d"),
            ("9999999999999999999", "GB"),
            ("1e999", ""),
            ("9223372036854775809", ""),
            ("1234567890123456789012345", ""),
        ] {
            assert!(read(digits, unit, None).is_err(), "{digits}{unit}");
        }
        assert_eq!(read("9223372036854775808", "", None), Ok(Quantity::Int(1 << 63)));
    }
}
