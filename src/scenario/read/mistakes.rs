//! What the YAML parser could not read, in words that help.

use super::builder::{Builder, tab_before};
use super::quoting::{self, Style};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::limits;
use saphyr_parser::ScanError;

/// Reports what stopped the parser, unless it is part of a mistake that was already told.
pub fn report(builder: &mut Builder, error: &ScanError) {
    let place = on_text(builder, builder.places.byte(error.marker().index()));
    if builder.is_reported(place) {
        return;
    }
    let mistake = tab(builder, error.info(), place)
        .or_else(|| known(builder, error.info(), place))
        .or_else(|| unquoted(builder, place))
        .unwrap_or_else(|| structure(builder, error.info(), place));
    builder.diagnostics.push(mistake);
}

/// The place, or the end of the text before it if nothing but blanks follow.
fn on_text(builder: &Builder, place: usize) -> usize {
    let text = builder.places.text;
    if text[place..].trim().is_empty() { text.trim_end().len().max(builder.places.from) } else { place }
}

/// A tab before what starts the line of `place`, or a later one if the parser speaks of tabs.
fn tab(builder: &Builder, info: &str, place: usize) -> Option<Diagnostic> {
    if builder.style() == Style::Flow {
        return None;
    }
    let places = &builder.places;
    let mut line = places.line_start(place);
    loop {
        let rest = &places.text[line..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let found = tab_before(places, line, line + blank);
        if found.is_some() || !info.contains("tab") {
            return found;
        }
        line += rest.find('\n')? + 1;
    }
}

/// Mistakes that the parser names well enough to say more about them.
fn known(builder: &Builder, info: &str, place: usize) -> Option<Diagnostic> {
    let places = &builder.places;
    let here = places.one(place);
    let syntax = |message: &str| Diagnostic::new("yaml-syntax", here, message);
    if info == "recursion limit exceeded" {
        let unit = "lists and maps inside one another";
        return Some(limits::exceeded(here, "too deeply nested", limits::NESTING, unit));
    }
    if info == "misplaced bracket" {
        return Some(syntax("this bracket closes nothing"));
    }
    if info.contains("quoted scalar, found unexpected") || info.contains("indentation in quoted scalar") {
        return Some(
            syntax("this quote is never closed").help("close it, or use the other kind of quotes around it"),
        );
    }
    if info.contains("escape character") || info.contains("escape code") || info.contains("hexadecimal") {
        return Some(
            syntax("the text that starts here holds an escape that YAML does not know")
                .help("inside double quotes write `\\\\` for a backslash, or use single quotes, where nothing is escaped"),
        );
    }
    None
}

/// An expression that should have been quoted.
fn unquoted(builder: &Builder, place: usize) -> Option<Diagnostic> {
    let places = &builder.places;
    let line = places.line_start(place);
    let (start, style) = quoting::value_around(places.text, line, place, builder.style())?;
    let cut_short = style == Style::Flow && quoting::is_cut_short(&places.text[start..place]);
    let why = quoting::reason(places.character(start)?, places.character(place))
        .or(cut_short.then_some(quoting::CUT_SHORT))?;
    let end = quoting::extent(places.text, start, style);
    let mistake = quoting::quote(places.span(start, end), &places.text[start..end], why);
    Some(match mistake.help {
        Some(help) if why.starts_with("`: `") => Diagnostic {
            help: Some(format!("{help}\nor part the entries with a comma or a new line, if they are two")),
            ..mistake
        },
        help => Diagnostic { help, ..mistake },
    })
}

/// Everything else: lines and brackets that do not fit together.
fn structure(builder: &Builder, info: &str, place: usize) -> Diagnostic {
    let places = &builder.places;
    let here = places.one(place);
    let syntax = |message: &str| Diagnostic::new("yaml-syntax", here, message);
    let indentation =
        "entries of one map or list start in the same column; what belongs to an entry is indented further";
    if info.contains("expected ','") {
        let mistake = syntax("expected a comma or the closing bracket here");
        return match builder.open_bracket() {
            Some(bracket) => mistake.related(places.one(bracket), "opened here"),
            None => mistake,
        };
    }
    if info.contains("mapping values are not allowed") {
        return syntax("this `:` stands in the middle of a value")
            .help("a line that is indented further than the `key: value` before it goes on with that value; entries of one map start in the same column");
    }
    if info.contains("did not find expected node content") {
        return syntax("expected a value here");
    }
    if info.contains("simple key") {
        return syntax("expected `key: value` on the line before this").help(indentation);
    }
    if info.contains("did not find expected key")
        || info.contains("indentation")
        || info.contains("'-' indicator")
        || info.contains("document start")
    {
        return syntax("this does not fit in with the lines above it").help(indentation);
    }
    syntax(&format!("this is not YAML: {info}"))
}
