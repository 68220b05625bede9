//! What instructions do that need nothing but the stack: the same arithmetic for handlers and for those who
//! judge them. Integers never wrap and floats are always finite; what is neither is an error.

use super::{Arithmetic, Code, Comparison, Error, Word};
use crate::kernel::time::round_half_even;

/// Takes the top of the stack.
pub fn pop(stack: &mut Vec<Word>) -> Word {
    stack.pop().unwrap_or(0)
}

/// Takes the two topmost words, the upper one second.
pub fn two(stack: &mut Vec<Word>) -> (Word, Word) {
    let right = pop(stack);
    (pop(stack), right)
}

/// Carries out an instruction that needs nothing but the stack.
///
/// # Errors
///
/// `failed` where an integer overflows, a division is by zero, or a float is not finite.
pub fn calculate(code: Code, stack: &mut Vec<Word>) -> Result<(), Error> {
    let result = match code {
        Code::Not => (pop(stack) == 0) as Word,
        Code::NegateInteger => (pop(stack) as i64).checked_neg().ok_or(Error::Failed)? as Word,
        Code::NegateFloat => (-f64::from_bits(pop(stack))).to_bits(),
        Code::Integer(arithmetic) => {
            let (left, right) = two(stack);
            integer(arithmetic, left as i64, right as i64).ok_or(Error::Failed)? as Word
        }
        Code::Float(arithmetic) => {
            let (left, right) = two(stack);
            float(arithmetic, f64::from_bits(left), f64::from_bits(right))?.to_bits()
        }
        Code::CompareSigned(comparison) => {
            let (left, right) = two(stack);
            compare(comparison, &(left as i64), &(right as i64)) as Word
        }
        Code::CompareFloat(comparison) => {
            let (left, right) = two(stack);
            compare(comparison, &f64::from_bits(left), &f64::from_bits(right)) as Word
        }
        Code::ToFloat => (pop(stack) as i64 as f64).to_bits(),
        Code::ToInteger => {
            let value = round_half_even(f64::from_bits(pop(stack)));
            if !(-9.2e18..=9.2e18).contains(&value) {
                return Err(Error::Failed);
            }
            value as i64 as Word
        }
        Code::AbsoluteInteger => (pop(stack) as i64).checked_abs().ok_or(Error::Failed)? as Word,
        Code::AbsoluteFloat => f64::from_bits(pop(stack)).abs().to_bits(),
        Code::MinimumInteger(count) => extreme(stack, count, |a, b| (a as i64) < b as i64),
        Code::MaximumInteger(count) => extreme(stack, count, |a, b| a as i64 > b as i64),
        Code::MinimumFloat(count) => extreme(stack, count, |a, b| f64::from_bits(a) < f64::from_bits(b)),
        Code::MaximumFloat(count) => extreme(stack, count, |a, b| f64::from_bits(a) > f64::from_bits(b)),
        other => unreachable!("handled before: {other:?}"),
    };
    stack.push(result);
    Ok(())
}

fn extreme(stack: &mut Vec<Word>, count: u16, before: impl Fn(Word, Word) -> bool) -> Word {
    let mut best = pop(stack);
    for _ in 1..count {
        let next = pop(stack);
        if before(next, best) {
            best = next;
        }
    }
    best
}

fn integer(arithmetic: Arithmetic, left: i64, right: i64) -> Option<i64> {
    match arithmetic {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Remainder => left.checked_rem(right),
    }
}

/// Division by zero is an error in floating point too: no infinity spreads through a design.
fn float(arithmetic: Arithmetic, left: f64, right: f64) -> Result<f64, Error> {
    let result = match arithmetic {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    };
    if result.is_finite() { Ok(result) } else { Err(Error::Failed) }
}

fn compare<T: PartialOrd>(comparison: Comparison, left: &T, right: &T) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
    }
}
