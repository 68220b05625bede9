//! Simulated time: whole nanoseconds from 0. No wall clock exists below the command storey.

use std::fmt;

/// A simulated instant, or a span of simulated time, in nanoseconds.
pub type Nanos = u64;

/// One simulated second.
pub const SECOND: Nanos = 1_000_000_000;
/// One simulated millisecond.
pub const MILLISECOND: Nanos = 1_000_000;
/// One simulated microsecond.
pub const MICROSECOND: Nanos = 1_000;

/// The longest time a scenario may name: 100 years. Sums of a few of these still fit into 64 bits.
pub const LONGEST: Nanos = 100 * 365 * 24 * 3600 * SECOND;

/// Rounds a length in nanoseconds half to even and clamps it to `[0, LONGEST]`; NaN becomes 0.
#[inline]
pub fn nanos_from_f64(nanos: f64) -> Nanos {
    if nanos >= LONGEST as f64 {
        return LONGEST;
    }
    // `as` saturates, and truncates NaN to 0.
    round_half_even(nanos) as Nanos
}

/// Rounds half to even with exact operations only: adding and taking away 2^52 leaves no fraction.
#[inline]
pub fn round_half_even(x: f64) -> f64 {
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    if x.abs() >= TWO_52 {
        return x;
    }
    if x >= 0.0 { (x + TWO_52) - TWO_52 } else { (x - TWO_52) + TWO_52 }
}

/// Prints a time or duration in the unit a person would choose: `250us`, `2.000250s`.
pub struct Pretty(pub Nanos);

impl fmt::Display for Pretty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0;
        let (unit, name, digits) = match nanos {
            0 => return f.write_str("0s"),
            1..MICROSECOND => (1, "ns", 0),
            MICROSECOND..MILLISECOND => (MICROSECOND, "us", 3),
            MILLISECOND..SECOND => (MILLISECOND, "ms", 6),
            _ => (SECOND, "s", 9),
        };
        let fraction = format!("{:0digits$}", nanos % unit);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            write!(f, "{}{name}", nanos / unit)
        } else {
            write!(f, "{}.{fraction}{name}", nanos / unit)
        }
    }
}
