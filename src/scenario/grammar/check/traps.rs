//! Expressions that YAML took apart because they were not quoted.
//!
//! In `{ let: { x: max(1, 2) } }` the comma ends the entry: YAML reads `x: max(1` and a key `2)` without
//! a value. The pieces are recognized by their parentheses, and reported as one mistake.

use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::{Map, Node, NodeKind};
use crate::scenario::source::Span;

/// An expression that became several entries of a map.
pub struct Torn<'a> {
    /// The key whose value it was meant to be.
    pub first: &'a str,
    /// That key and those that hold the rest.
    pub keys: Vec<&'a str>,
    pub diagnostic: Diagnostic,
}

/// The expressions in a map that lost what follows a comma.
pub fn torn_map(map: &Map) -> Vec<Torn<'_>> {
    let mut torn = Vec::new();
    let mut entries = map.iter().peekable();
    while let Some((first, entry)) = entries.next() {
        let NodeKind::Text { text, quoted: false, .. } = &entry.value.kind else { continue };
        let mut open = parentheses_open(text);
        let (mut keys, mut pieces, mut end) = (vec![first.as_str()], vec![text.trim()], entry.value.span);
        while open > 0 {
            let Some((key, rest)) = entries.next_if(|(_, rest)| matches!(rest.value.kind, NodeKind::Null))
            else {
                break;
            };
            open += parentheses_open(key);
            keys.push(key);
            pieces.push(key.trim());
            end = rest.key_span;
        }
        if keys.len() > 1 {
            torn.push(Torn { first, keys, diagnostic: unquoted(&pieces, entry.value.span, end) });
        }
    }
    torn
}

/// The first expression in a list that lost what follows a comma.
pub fn torn_list(items: &[Node]) -> Option<Diagnostic> {
    let first =
        items.iter().position(|item| plain_text(item).is_some_and(|text| parentheses_open(text) > 0))?;
    let mut open = 0;
    let mut pieces = Vec::new();
    for item in &items[first..] {
        let Some(text) = plain_text(item) else { break };
        open += parentheses_open(text);
        pieces.push(text.trim());
        if open <= 0 {
            break;
        }
    }
    let last = &items[first + pieces.len() - 1];
    (pieces.len() > 1).then(|| unquoted(&pieces, items[first].span, last.span))
}

fn unquoted(pieces: &[&str], start: Span, end: Span) -> Diagnostic {
    let span = if start.file == end.file { Span { end: end.end.max(start.end), ..start } } else { start };
    Diagnostic::new("unquoted-expression", span, "a comma took this expression apart")
        .help(format!("quote the expression: \"{}\"", pieces.join(", ")))
}

fn plain_text(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Text { text, quoted: false, .. } => Some(text),
        _ => None,
    }
}

/// Parentheses and brackets opened and not closed; negative if more were closed.
fn parentheses_open(text: &str) -> i64 {
    text.bytes()
        .map(|byte| match byte {
            b'(' | b'[' => 1,
            b')' | b']' => -1,
            _ => 0,
        })
        .sum()
}
