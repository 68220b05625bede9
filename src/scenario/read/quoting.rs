//! Expressions that YAML cuts up or takes for something else, and how they should have been quoted.
//!
//! `{ let: { x: max(1, 2) } }` is, to YAML, a map of two keys, `x` and `2)`; `if: !seen.exists` is a
//! tag with nothing behind it. What was meant is plain to a reader, so the diagnostic shows it.

use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::limits;
use crate::scenario::source::Span;

/// Whether a value stands inside `{ }` or `[ ]`, where commas and brackets end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Block,
    Flow,
}

/// The diagnostic for an expression that has to be quoted: `written` stands at `span`, and `why` says
/// what YAML makes of it.
pub fn quote(span: Span, written: &str, why: &str) -> Diagnostic {
    let help = if written.chars().count() > LONGEST_SHOWN {
        "quote this expression".to_owned()
    } else {
        format!("quote this expression: `{}`", quoted(written))
    };
    Diagnostic::new("quote-expression", span, why).help(help)
}

/// What YAML makes of an expression with a comma or a bracket in it.
pub const CUT_SHORT: &str = "a comma or bracket inside `{ }` or `[ ]` ends this expression";

/// Whether `value` ends inside a bracket or a quotation that it opened.
pub fn is_cut_short(value: &str) -> bool {
    let mut open = Open::default();
    value.chars().for_each(|character| open.pass(character));
    !open.is_closed()
}

/// Where the expression ends that a reader sees from `start` on, on its line.
pub fn extent(text: &str, start: usize, style: Style) -> usize {
    let line = line_from(text, start);
    start + balanced_length(line, style).unwrap_or_else(|| plain_length(line, style))
}

/// The start of the value that `place` is in, looking at its line alone, and how it is written.
pub fn value_around(text: &str, line_start: usize, place: usize, outer: Style) -> Option<(usize, Style)> {
    let mut levels = vec![None];
    let mut open = Open::default();
    let mut expected = false;
    let mut only_dashes = true;
    let mut parentheses: usize = 0;
    let mut characters = text[line_start..].char_indices().map(|(at, c)| (line_start + at, c)).peekable();
    while let Some((at, character)) = characters.next() {
        if at > place {
            break;
        }
        let spaced = characters.peek().is_none_or(|(_, next)| next.is_whitespace());
        if expected && !character.is_whitespace() {
            *levels.last_mut().expect("the outermost level is never left") = Some(at);
            expected = false;
        }
        let in_quotation = open.quotation.is_some();
        open.pass(character);
        if in_quotation || at == place {
            continue;
        }
        match character {
            '(' => parentheses += 1,
            ')' => parentheses = parentheses.saturating_sub(1),
            // What stands in parentheses is part of the value that they are in.
            _ if parentheses > 0 => {}
            '{' | '[' => {
                levels.push(None);
                expected = true;
            }
            '}' | ']' if levels.len() > 1 => {
                levels.pop();
            }
            ',' if levels.len() > 1 || outer == Style::Flow => expected = true,
            ':' if spaced => expected = true,
            '-' if spaced && only_dashes => expected = true,
            _ => {}
        }
        only_dashes &= matches!(character, ' ' | '-');
    }
    let style = if levels.len() > 1 { Style::Flow } else { outer };
    levels.pop().flatten().map(|start| (start, style))
}

/// What YAML makes of a value that starts with `first` and that it could not read at `at`.
pub fn reason(first: char, at: Option<char>) -> Option<&'static str> {
    Some(match first {
        '!' => "a value that begins with `!` reads as a YAML tag",
        '[' => "a value that begins with `[` reads as a YAML list, and ends with it",
        '{' => "a value that begins with `{` reads as a YAML map, and ends with it",
        '"' | '\'' => "a value that begins with a quote ends at the closing one",
        '*' => "a value that begins with `*` reads as a YAML alias",
        '&' => "a value that begins with `&` reads as a YAML anchor",
        '|' | '>' => "a value that begins with `|` or `>` reads as a block of text",
        '%' | '@' | '`' => "YAML reserves this character at the start of a value",
        _ => match at? {
            ':' => "`: ` inside a value reads as a key and its value",
            '[' | '{' => "a bracket inside `{ }` or `[ ]` ends this expression",
            _ => return None,
        },
    })
}

/// The rest of the line that starts at `start`, as far as an expression is looked for.
pub fn line_from(text: &str, start: usize) -> &str {
    let rest = &text[start..];
    let near = &rest[..rest.floor_char_boundary(limits::EXPRESSION_BYTES)];
    near.split(['\n', '\r']).next().unwrap_or_default()
}

/// Characters of an expression that a help line still repeats.
const LONGEST_SHOWN: usize = 80;

fn quoted(written: &str) -> String {
    if written.contains(['"', '\\']) {
        format!("'{}'", written.replace('\'', "''"))
    } else {
        format!("\"{written}\"")
    }
}

/// The length of the expression at the start of `line`, if all that it opens is closed again.
fn balanced_length(line: &str, style: Style) -> Option<usize> {
    let mut open = Open::default();
    let mut length = 0;
    for (at, character) in line.char_indices() {
        if open.is_closed() && ends_plain(character, open.previous, style) {
            break;
        }
        open.pass(character);
        if !character.is_whitespace() {
            length = at + character.len_utf8();
        }
    }
    open.is_closed().then_some(length)
}

/// The length of the plain YAML text at the start of `line`.
fn plain_length(line: &str, style: Style) -> usize {
    let mut previous = ' ';
    let end = line.char_indices().find(|&(_, character)| {
        let ends = ends_plain(character, previous, style);
        previous = character;
        ends
    });
    line[..end.map_or(line.len(), |(at, _)| at)].trim_end().len()
}

fn ends_plain(character: char, previous: char, style: Style) -> bool {
    match character {
        ',' | ']' | '}' => style == Style::Flow,
        '#' => previous.is_whitespace(),
        _ => false,
    }
}

/// The brackets and the quotation that an expression has open.
#[derive(Default)]
struct Open {
    brackets: usize,
    quotation: Option<char>,
    previous: char,
}

impl Open {
    fn pass(&mut self, character: char) {
        match self.quotation {
            Some(quote) if character == quote && self.previous != '\\' => self.quotation = None,
            Some(_) => {}
            None => match character {
                '"' => self.quotation = Some('"'),
                // An apostrophe inside a word opens nothing.
                '\'' if !self.previous.is_alphanumeric() => self.quotation = Some('\''),
                '(' | '[' | '{' => self.brackets += 1,
                ')' | ']' | '}' => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            },
        }
        self.previous = character;
    }

    fn is_closed(&self) -> bool {
        self.brackets == 0 && self.quotation.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_ends_where_its_brackets_close() {
        for (text, style, expression) in [
            ("max(1, 2) }, b", Style::Flow, "max(1, 2)"),
            ("a[1].b, c", Style::Flow, "a[1].b"),
            ("'a, b' == x ]", Style::Flow, "'a, b' == x"),
            ("max(1, 2", Style::Flow, "max(1"),
            ("a, b # said", Style::Block, "a, b"),
            ("it's, and it's }", Style::Flow, "it's"),
        ] {
            assert_eq!(&text[..extent(text, 0, style)], expression, "{text}");
        }
    }

    #[test]
    fn the_value_around_a_place_is_the_innermost_open_one() {
        for (line, at, value) in [
            ("x: a ? b : c", " : c", Some("a ? b : c")),
            ("{ x: a ? b : c }", " : c", Some("a ? b : c }")),
            ("{ x: plans[1].y }", "[", Some("plans[1].y }")),
            ("x: [a, b].size()", ".size", Some("[a, b].size()")),
            ("- x: \"a: b\" + c", "+ c", Some("\"a: b\" + c")),
            ("- { x: f(y, \"a, b\"), z: 1 }", "),", Some("f(y, \"a, b\"), z: 1 }")),
            ("  c: d", ": d", None),
        ] {
            let place = line.find(at).unwrap();
            let found = value_around(line, 0, place, Style::Block);
            assert_eq!(found.map(|(start, _)| &line[start..]), value, "{line}");
        }
    }

    #[test]
    fn quoting_keeps_quotes_inside() {
        assert_eq!(quoted("!a"), "\"!a\"");
        assert_eq!(quoted("\"a\" == b['c']"), "'\"a\" == b[''c'']'");
    }
}
