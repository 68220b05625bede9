//! A moment as it is typed: `3m12s`, `192s`, `1h30m`, `250ms`.

use crate::kernel::time::Nanos;
use crate::scenario::expression::quantity::{Quantity, read};

/// Reads a simulated instant: parts with a unit each, added up.
///
/// # Errors
///
/// What is wrong with it.
pub fn moment(text: &str) -> Result<Nanos, String> {
    let wrong = || format!("`{text}` is no time; write it with units, like 3m12s or 250ms");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut sum: Nanos = 0;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !is_digit(c)).unwrap_or(rest.len()));
        if digits.is_empty() {
            return Err(wrong());
        }
        let (unit, after) = after.split_at(after.find(is_digit).unwrap_or(after.len()));
        let part = match read(digits, unit, None).map_err(|why| format!("`{text}`: {why}"))? {
            Quantity::Duration(part) => Nanos::try_from(part).map_err(|_| wrong())?,
            _ => return Err(wrong()),
        };
        sum = sum.checked_add(part).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(sum)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        assert_eq!(moment("3m12s"), Ok(192_000_000_000));
        assert_eq!(moment("1.5s"), Ok(1_500_000_000));
        assert_eq!(moment("1h0.5ms7ns"), Ok(3_600_000_500_007));
        assert_eq!(moment("0s"), Ok(0));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "3", "3m12", "s", "5KB", "-1s", "3 parsecs", "1..2s", "99999999999999d99999999999d", "é"]
        {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
