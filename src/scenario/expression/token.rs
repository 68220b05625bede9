//! The words of an expression. Numbers with units, `$name` and `..` are read here, so that the CEL
//! parser sees names, operators and brackets only.

use super::super::diagnostic::closest;
use super::quantity::{self, Quantity};
use std::ops::Range;

/// A word and the bytes it stands at.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    pub range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    Name(String),
    Quantity(Quantity),
    Text(String),
    Boolean(bool),
    /// `$name`
    Parameter(String),
    /// An operator or a bracket, `in` and `..` among them.
    Symbol(&'static str),
}

/// What is wrong with a part of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub code: &'static str,
    pub range: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(code: &'static str, range: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, range, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Operators, longest first.
const SYMBOLS: [&str; 24] = [
    "..", "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")",
    "[", "]", ",", ".", "=",
];

/// The most words in one expression, the parameters it names included.
pub const MOST_WORDS: usize = 256;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Splits a text into words.
pub fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if tokens.len() == MOST_WORDS {
            return Err(too_many_words(text));
        }
        let (kind, end) = token(text, at, first)?;
        tokens.push(Token { kind, range: at..end });
        at = end;
    }
    Ok(tokens)
}

/// The bound on words was hit.
pub fn too_many_words(text: &str) -> Problem {
    let message = format!("an expression has at most {MOST_WORDS} words, its parameters included");
    Problem::new("too-large", 0..text.len(), message)
}

fn token(text: &str, at: usize, first: char) -> Result<(TokenKind, usize), Problem> {
    match first {
        '0'..='9' => number(text, at),
        '"' | '\'' => quoted(text, at, first),
        '$' => {
            let end = name_end(text, at + 1);
            if end == at + 1 || end - at > LONGEST_NAME {
                return Err(Problem::new(
                    "does-not-parse",
                    at..end,
                    "the name of a parameter stands directly after `$`",
                ));
            }
            Ok((TokenKind::Parameter(text[at + 1..end].to_owned()), end))
        }
        'a'..='z' | 'A'..='Z' | '_' => {
            let end = name_end(text, at);
            if end - at > LONGEST_NAME {
                let message = format!("a name has at most {LONGEST_NAME} characters");
                return Err(Problem::new("too-large", at..end, message));
            }
            Ok((word(&text[at..end], at..end)?, end))
        }
        _ => symbol(text, at, first),
    }
}

fn word(word: &str, range: Range<usize>) -> Result<TokenKind, Problem> {
    Ok(match word {
        "true" => TokenKind::Boolean(true),
        "false" => TokenKind::Boolean(false),
        "in" => TokenKind::Symbol("in"),
        "null" => {
            return Err(Problem::new("does-not-parse", range, "there is no `null`: every value is there")
                .help("whether a row is there is `name.exists`"));
        }
        _ => TokenKind::Name(word.to_owned()),
    })
}

fn symbol(text: &str, at: usize, first: char) -> Result<(TokenKind, usize), Problem> {
    let rest = &text[at..];
    let found = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
    let whole = at..at + first.len_utf8();
    let problem = |message: String| Problem::new("does-not-parse", whole.clone(), message);
    match found {
        Some("=") => Err(problem("values are compared with `==`".into())),
        Some(symbol) => Ok((TokenKind::Symbol(symbol), at + symbol.len())),
        None => Err(match first {
            '&' => problem("\"and\" is written `&&`".into()),
            '|' => problem("\"or\" is written `||`".into()),
            '{' | '}' => problem("an expression has no braces".into()),
            _ => problem(format!("`{}` means nothing in an expression", first.escape_debug())),
        }),
    }
}

/// A text in quotes, with the escapes of CEL.
fn quoted(text: &str, at: usize, quote: char) -> Result<(TokenKind, usize), Problem> {
    let mut escaped = false;
    for (offset, character) in text[at + 1..].char_indices() {
        let end = at + 1 + offset;
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => {
                let inside = &text[at + 1..end];
                return match unescaped(&text[at..=end], inside) {
                    Some(inside) => Ok((TokenKind::Text(inside), end + 1)),
                    None => {
                        Err(Problem::new("does-not-parse", at..end + 1, "an escape in this text is unknown"))
                    }
                };
            }
            _ => {}
        }
    }
    Err(Problem::new(
        "does-not-parse",
        at..text.len(),
        format!("a text that begins with {quote} ends with {quote}"),
    ))
}

fn unescaped(literal: &str, inside: &str) -> Option<String> {
    use cel::common::ast::{Expr, LiteralValue};
    if !inside.contains('\\') {
        return Some(inside.to_owned());
    }
    match cel::parser::Parser::new().parse(literal).ok()?.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
        _ => None,
    }
}

fn number(text: &str, at: usize) -> Result<(TokenKind, usize), Problem> {
    let digits_end = digits_end(text, at);
    let mut end = name_end(text, digits_end);
    let mut unit = &text[digits_end..end];
    let known = unit.is_empty() || quantity::is_unit(unit);
    if !known || (text[at..digits_end].contains(['e', 'E']) && !unit.is_empty()) {
        return Err(unknown_unit(unit, digits_end..end));
    }
    let mut per = None;
    if unit.is_empty() && text[end..].starts_with('%') && !operand_follows(&text[end + 1..]) {
        (unit, end) = ("%", end + 1);
    } else if unit.is_empty() || unit.ends_with('B') {
        let per_end = name_end(text, end + 1);
        if text[end..].starts_with('/') && matches!(&text[end + 1..per_end], "s" | "m" | "h") {
            (per, end) = (Some(&text[end + 1..per_end]), per_end);
        }
    }
    match quantity::read(&text[at..digits_end], unit, per) {
        Ok(quantity) => Ok((TokenKind::Quantity(quantity), end)),
        Err(message) => Err(Problem::new("too-large", at..end, message)),
    }
}

fn unknown_unit(unit: &str, range: Range<usize>) -> Problem {
    let unit = &unit[..unit.len().min(LONGEST_NAME)];
    let problem = Problem::new("unknown-unit", range, format!("`{unit}` is no unit"));
    match closest(unit, quantity::names()) {
        Some(name) => problem.help(format!("did you mean `{name}`?")),
        None => {
            problem.help("times: ns us ms s m h d; sizes: B KB MB GB KiB MiB GiB; rates: /s /m /h; shares: %")
        }
    }
}

/// `12`, `1.5`, `1e-9`; the `..` of a range is left alone.
fn digits_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let digits = |mut i: usize| {
        while is_digit(i) {
            i += 1;
        }
        i
    };
    let mut end = digits(at);
    if bytes.get(end) == Some(&b'.') && is_digit(end + 1) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if is_digit(end + 1 + sign) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

/// Where the name that starts at `at` ends; `at` may lie one past the end.
fn name_end(text: &str, at: usize) -> usize {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let start = at.min(text.len());
    start + text.as_bytes()[start..].iter().take_while(|byte| is_name(byte)).count()
}

/// `7%2` and `7 % x` are remainders: a percentage is never followed by a value.
fn operand_follows(rest: &str) -> bool {
    let rest = rest.trim_start();
    let is_in = rest.strip_prefix("in").is_some_and(|after| !after.starts_with(is_name_character));
    let is_operand = rest.starts_with(is_name_character) || rest.starts_with(['$', '(', '[', '"', '\'']);
    is_operand && !is_in
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use Quantity::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    fn quantity(quantity: Quantity) -> TokenKind {
        TokenKind::Quantity(quantity)
    }

    #[test]
    fn a_unit_stands_directly_after_its_number() {
        assert_eq!(kinds("5ms"), [quantity(Duration(5_000_000))]);
        assert_eq!(kinds("10MB/s"), [quantity(ByteRate(1e7))]);
        assert_eq!(kinds("200/s"), [quantity(Rate(200.0))]);
        assert_eq!(
            kinds("10 / s"),
            [quantity(Int(10)), TokenKind::Symbol("/"), TokenKind::Name("s".into())],
            "with spaces it is a division"
        );
    }

    #[test]
    fn a_percentage_is_no_remainder() {
        assert_eq!(kinds("0.1%"), [quantity(Percent(0.001))]);
        assert_eq!(kinds("5% * 2")[0], quantity(Percent(0.05)));
        for remainder in ["7%2", "7 % 2", "7% 2", "7%(2)", "7%$n"] {
            assert_eq!(kinds(remainder)[..2], [quantity(Int(7)), TokenKind::Symbol("%")], "{remainder}");
        }
    }

    #[test]
    fn two_dots_are_a_range() {
        assert_eq!(kinds("1..1000"), [quantity(Int(1)), TokenKind::Symbol(".."), quantity(Int(1000))]);
        assert_eq!(kinds("1.5")[0], quantity(Number(1.5)));
        assert_eq!(kinds("1e-9")[0], quantity(Number(1e-9)));
    }

    #[test]
    fn texts_have_the_escapes_of_cel() {
        assert_eq!(kinds(r#"'a\'b' "c\n""#), [TokenKind::Text("a'b".into()), TokenKind::Text("c\n".into())]);
        assert_eq!(kinds("'größe'"), [TokenKind::Text("größe".into())]);
        assert_eq!(tokens(r"'\q'").unwrap_err().range, 0..4);
        assert_eq!(tokens("a == 'b").unwrap_err().range, 5..7);
    }

    #[test]
    fn problems_have_their_place() {
        let problem = |text| tokens(text).unwrap_err();
        assert_eq!(problem("1 + 5sec").range, 5..8);
        assert_eq!(problem("5mss").help.as_deref(), Some("did you mean `ms`?"));
        assert_eq!(problem("a = b").range, 2..3);
        assert_eq!(problem("größe").range, 2..4);
        assert_eq!(problem("a & b").message, "\"and\" is written `&&`");
    }
}
