//! Text → [`Node`]s with their places.
//!
//! YAML is read for its shape alone: lists, maps and texts. A scalar stays the text that was written,
//! so `on`, `0123` and `1.10` are never taken for something else. Tags, `<<`, duplicate keys and
//! several documents are refused; anchors are filled in, within bounds. JSON is read as the YAML that
//! it is, with its escapes. Every mistake that does not hide the rest is reported, and the tree goes on
//! without it.
//!
//! ```text
//! { x: max(1, 2) }     a comma ends this expression: quote it
//! if: !seen.exists     reads as a tag: quote it
//! ```
//!
//! Source: YAML 1.2.2 (yaml.org/spec/1.2.2), RFC 8259 (JSON).

mod builder;
mod mistakes;
mod places;
mod quoting;
mod scalars;
mod surrogates;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::limits;
use super::node::Node;
use super::source::{FileId, Sources, Span};
use builder::{Builder, Next};
use places::Places;
use saphyr_parser::Parser;

/// Reads the text of a source from byte `from` on. `None` if a mistake hides what the rest means;
/// mistakes that do not are reported beside the tree.
pub fn read(sources: &Sources, file: FileId, from: usize, diagnostics: &mut Diagnostics) -> Option<Node> {
    let places = Places::new(file, &sources.get(file).text, from);
    if let Some(mistake) = unreadable(&places) {
        diagnostics.push(mistake);
        return None;
    }
    let yaml = surrogates::hide(&places.text[from..]);
    let mut builder = Builder::new(places, diagnostics);
    let mut parser = Parser::new_from_str(&yaml);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, marks)) => {
                if builder.take(event, marks) == Next::Stop {
                    return None;
                }
            }
            Err(error) => {
                mistakes::report(&mut builder, &error);
                return None;
            }
        }
    }
    builder.finish()
}

/// What keeps a text from being parsed at all.
fn unreadable(places: &Places) -> Option<Diagnostic> {
    let read = &places.text[places.from..];
    let span_at = |at: usize, character: char| -> Span {
        places.span(places.from + at, places.from + at + character.len_utf8())
    };
    if read.len() > limits::FILE_BYTES {
        return Some(limits::exceeded(places.span(0, 0), "too long", limits::FILE_BYTES, "bytes in a file"));
    }
    let control = |c: char| (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || c == '\u{feff}';
    if let Some((at, character)) = read.char_indices().find(|&(_, character)| control(character)) {
        let message = format!("the control character U+{:04X} is not text", u32::from(character));
        return Some(Diagnostic::new("control-character", span_at(at, character), message).help("remove it"));
    }
    let indicator = |c: char| matches!(c, '[' | '{' | ',');
    let (at, character) =
        read.char_indices().filter(|&(_, character)| indicator(character)).nth(limits::FLOW_INDICATORS)?;
    Some(limits::exceeded(
        span_at(at, character),
        "too many brackets, braces and commas",
        limits::FLOW_INDICATORS,
        "in a file",
    ))
}

#[cfg(test)]
mod tests;
