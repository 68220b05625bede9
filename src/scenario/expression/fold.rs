//! Constants are worked out while the scenario is read. What happens here is what happens at run time:
//! checked 64-bit integers, floats as they are, whole results of floats rounded half to even.

use super::super::resolved::*;
use crate::kernel::time::round_half_even;

/// The constant that two constants make under an operator, read as `ty`. `Ok(None)`: they are no
/// numbers. The error is a sentence with its kind.
pub fn binary(
    operator: BinaryOperator,
    left: &Literal,
    right: &Literal,
    ty: &Type,
) -> Result<Option<Literal>, (&'static str, &'static str)> {
    use BinaryOperator::*;
    Ok(match (left, right) {
        (Literal::Bool(left), Literal::Bool(right)) => match operator {
            And => Some(Literal::Bool(*left && *right)),
            Or => Some(Literal::Bool(*left || *right)),
            Equal => Some(Literal::Bool(left == right)),
            NotEqual => Some(Literal::Bool(left != right)),
            _ => None,
        },
        (Literal::Symbol(left), Literal::Symbol(right)) => match operator {
            Equal => Some(Literal::Bool(left == right)),
            NotEqual => Some(Literal::Bool(left != right)),
            _ => None,
        },
        (Literal::Int(one), Literal::Int(two)) if *ty == Type::Bool => {
            Some(Literal::Bool(compare(operator, one, two)))
        }
        (Literal::Int(one), Literal::Int(two)) if !is_float(ty) => {
            Some(Literal::Int(integer(operator, *one, *two)?))
        }
        _ => match (float(left), float(right)) {
            (Some(one), Some(two)) if *ty == Type::Bool => Some(Literal::Bool(compare(operator, &one, &two))),
            (Some(one), Some(two)) => Some(floating(operator, one, two, ty)?),
            _ => None,
        },
    })
}

/// What a float of base units is as a constant of `ty`.
pub fn of_float(value: f64, ty: &Type) -> Option<Literal> {
    if !value.is_finite() {
        return None;
    }
    if is_float(ty) {
        return Some(Literal::Number(value));
    }
    let whole = round_half_even(value);
    // 2^63 is a float, 2^63 - 1 is none.
    (whole.abs() < 9_223_372_036_854_775_808.0).then_some(Literal::Int(whole as i64))
}

/// A number as a float.
pub fn float(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Int(int) => Some(*int as f64),
        Literal::Number(number) => Some(*number),
        _ => None,
    }
}

fn is_float(ty: &Type) -> bool {
    matches!(ty, Type::Number | Type::Rate)
}

fn integer(operator: BinaryOperator, left: i64, right: i64) -> Result<i64, (&'static str, &'static str)> {
    use BinaryOperator::*;
    if matches!(operator, Divide | Remainder) && right == 0 {
        return Err(("division-by-zero", "this divides by zero"));
    }
    let result = match operator {
        Add => left.checked_add(right),
        Subtract => left.checked_sub(right),
        Multiply => left.checked_mul(right),
        Divide => left.checked_div(right),
        Remainder => left.checked_rem(right),
        _ => None,
    };
    result.ok_or(("overflow", "this does not fit into 64 bits"))
}

fn floating(
    operator: BinaryOperator,
    left: f64,
    right: f64,
    ty: &Type,
) -> Result<Literal, (&'static str, &'static str)> {
    use BinaryOperator::*;
    if matches!(operator, Divide | Remainder) && right == 0.0 {
        return Err(("division-by-zero", "this divides by zero"));
    }
    let result = match operator {
        Add => left + right,
        Subtract => left - right,
        Multiply => left * right,
        Divide => left / right,
        Remainder => left % right,
        _ => f64::NAN,
    };
    of_float(result, ty).ok_or(("overflow", "this is too large"))
}

fn compare<T: PartialOrd>(operator: BinaryOperator, left: &T, right: &T) -> bool {
    use BinaryOperator::*;
    match operator {
        Equal => left == right,
        NotEqual => left != right,
        Less => left < right,
        LessOrEqual => left <= right,
        Greater => left > right,
        GreaterOrEqual => left >= right,
        Add | Subtract | Multiply | Divide | Remainder | And | Or => false,
    }
}
