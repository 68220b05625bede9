//! Values measured elsewhere: a text file with one quantity per line (`12.5ms`), units written as in
//! a scenario. Empty lines are skipped.

use super::super::resolved::Type;
use super::super::source::Span;
use super::constant::refuse;
use super::quantity::Quantity;
use super::token::{TokenKind, tokens};
use super::{Context, MOST_ELEMENTS};
use std::io::Read;

/// The largest file that is read, in bytes: 32 for each value.
const MOST_BYTES: u64 = 32 * MOST_ELEMENTS;

/// Reads a file whose path starts at the folder of the scenario. Gives the unit of its values
/// (`Number` for plain ones), whether all are whole numbers, and the values in base units.
pub fn read(
    path: &str,
    span: Span,
    unit: Option<Type>,
    context: &mut Context,
) -> Option<(Type, bool, Vec<f64>)> {
    let text = match contents(path, span, context) {
        Ok(text) => text,
        Err(message) => {
            let message = format!("`{}` cannot be read: {message}", path.escape_debug());
            return refuse(context, "unreadable-file", span, message);
        }
    };
    let (mut unit, mut whole, mut values) = (unit, true, Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value = match value(line.trim(), unit.as_ref()) {
            Ok((value, found, is_whole)) => {
                whole &= is_whole;
                unit = Some(found);
                value
            }
            Err(message) => {
                let place = format!("line {} of `{}`", number + 1, path.escape_debug());
                return refuse(context, "wrong-type", span, format!("{place}: {message}"));
            }
        };
        values.push(value);
        if values.len() as u64 > MOST_ELEMENTS {
            return refuse(
                context,
                "too-large",
                span,
                format!("this file has more than {MOST_ELEMENTS} values"),
            );
        }
    }
    Some((unit.unwrap_or(Type::Number), whole, values))
}

fn contents(path: &str, span: Span, context: &Context) -> Result<String, String> {
    let path = context.sources.get(span.file).folder.join(path);
    let is_file = std::fs::metadata(&path).map_err(|error| error.to_string())?.is_file();
    if !is_file {
        return Err("it is no file".into());
    }
    let file = std::fs::File::open(&path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let length = file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if length as u64 > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    Ok(text)
}

/// A line as a quantity of the unit, with its own unit and whether it is a whole number.
fn value(line: &str, unit: Option<&Type>) -> Result<(f64, Type, bool), String> {
    let tokens = tokens(line).map_err(|problem| problem.message)?;
    let (sign, quantity) = match &tokens[..] {
        [token] => (1.0, &token.kind),
        [minus, token] if minus.kind == TokenKind::Symbol("-") => (-1.0, &token.kind),
        _ => return Err("one value is expected".into()),
    };
    let TokenKind::Quantity(quantity) = quantity else { return Err("a number is expected".into()) };
    let (value, found) = match *quantity {
        Quantity::Int(int) => (int as f64, Type::Number),
        Quantity::Number(number) | Quantity::Percent(number) => (number, Type::Number),
        Quantity::Duration(nanos) => (nanos as f64, Type::Duration),
        Quantity::Size(bytes) => (bytes as f64, Type::Size),
        Quantity::Rate(rate) | Quantity::ByteRate(rate) => (rate, Type::Rate),
    };
    if unit.is_some_and(|unit| *unit != found) {
        let wanted = unit.and_then(Type::example).unwrap_or("3");
        return Err(format!("a value with another unit is expected: `{wanted}`"));
    }
    if found != Type::Number && sign < 0.0 {
        return Err("this is never negative".into());
    }
    Ok((sign * value, found, matches!(quantity, Quantity::Int(_))))
}
