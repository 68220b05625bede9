//! What the parser is given, and what its errors mean.

use super::super::quantity::{self, Quantity};
use super::super::token::{Problem, Token, TokenKind};
use super::{MOST_NESTING, TOO_DEEP};

/// For each bracket, the position of the one that closes or opens it.
pub fn partners(tokens: &[Token], end: usize) -> Result<Vec<Option<usize>>, Problem> {
    let mut partners = vec![None; tokens.len()];
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut conditions = 0;
    for (position, token) in tokens.iter().enumerate() {
        let TokenKind::Symbol(symbol) = token.kind else { continue };
        let problem = |message: String| Problem::new("does-not-parse", token.range.clone(), message);
        match symbol {
            "(" => open.push((position, ")")),
            "[" => open.push((position, "]")),
            ")" | "]" => match open.pop() {
                Some((opener, closer)) if closer == symbol => {
                    partners[opener] = Some(position);
                    partners[position] = Some(opener);
                }
                Some((_, closer)) => {
                    return Err(problem(format!("`{closer}` is expected before `{symbol}`")));
                }
                None => return Err(problem(format!("nothing is open that this `{symbol}` closes"))),
            },
            "?" => conditions += 1,
            "!" | "-"
                if position > 0
                    && tokens[position - 1].kind == token.kind
                    && is_sign(tokens, position - 1) =>
            {
                return Err(problem(format!("`{symbol}` twice changes nothing")));
            }
            _ => {}
        }
        if open.len() > MOST_NESTING || conditions > MOST_NESTING {
            return Err(Problem::new("too-deep", token.range.clone(), TOO_DEEP));
        }
    }
    match open.pop() {
        Some((opener, closer)) => {
            let start = tokens[opener].range.start;
            let range = if closer == ")" { start..start + 1 } else { start..end.min(start + 1) };
            Err(Problem::new(
                "does-not-parse",
                range,
                format!("this is never closed: `{closer}` is expected"),
            ))
        }
        None => Ok(partners),
    }
}

/// Whether the operator at `position` stands before its only operand.
fn is_sign(tokens: &[Token], position: usize) -> bool {
    position == 0
        || matches!(tokens[position - 1].kind, TokenKind::Symbol(symbol) if !matches!(symbol, ")" | "]"))
}

/// The text for the parser, and where each word stands in it.
pub fn shape(tokens: &[Token]) -> (String, Vec<usize>) {
    let mut shape = String::new();
    let mut starts = Vec::with_capacity(tokens.len());
    for (position, token) in tokens.iter().enumerate() {
        starts.push(shape.len());
        match token.kind {
            TokenKind::Symbol("..") => shape.push_str("in"),
            TokenKind::Symbol(symbol) => shape.push_str(symbol),
            _ => shape.push_str(&format!("n{position}")),
        }
        shape.push(' ');
    }
    (shape, starts)
}

/// The first error of the parser, told about the word it met.
pub fn misfit(errors: &cel::ParseErrors, tokens: &[Token], starts: &[usize]) -> Problem {
    // Complaints of the grammar come first: the others only follow from them.
    let said = errors.errors.iter().filter(|error| error.pos.1 > 0);
    let first = said.min_by_key(|error| (!error.msg.starts_with("Syntax error"), error.pos.1));
    let column = first.map_or(1, |error| error.pos.1);
    let position = starts.partition_point(|&start| start < column as usize);
    let at_end = first.is_some_and(|error| error.msg.contains("'<EOF>'"));
    let last = &tokens[tokens.len() - 1];
    if at_end {
        return Problem::new("does-not-parse", last.range.clone(), "the expression ends too early")
            .help("a value is missing after this");
    }
    let position = position.saturating_sub(1).min(tokens.len() - 1);
    let token = &tokens[position];
    let problem = Problem::new(
        "does-not-parse",
        token.range.clone(),
        "the expression does not parse: this is not expected",
    );
    let before = position.checked_sub(1).map(|before| &tokens[before].kind);
    match (before, &token.kind) {
        (Some(TokenKind::Quantity(Quantity::Int(_) | Quantity::Number(_))), TokenKind::Name(unit))
            if quantity::is_unit(unit) =>
        {
            problem.help("a unit stands directly after its number: `5ms`")
        }
        (Some(_), TokenKind::Name(word)) if word == "and" => problem.help("\"and\" is written `&&`"),
        (Some(_), TokenKind::Name(word)) if word == "or" => problem.help("\"or\" is written `||`"),
        (Some(TokenKind::Name(word)), _) if word == "not" => problem.help("\"not\" is written `!`"),
        _ => problem,
    }
}
