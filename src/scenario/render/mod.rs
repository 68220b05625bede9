//! Diagnostics → text for a terminal, in the manner of rustc.
//!
//! ```text
//! error[unknown-parameter]: there is no parameter `rat`
//!  --> checkout.yaml:12:24
//!    |
//! 12 |     arrivals: { poisson: $rat }
//!    |                          ^^^^
//!    |
//!    = help: did you mean `$rate`?
//! ```
//!
//! What comes from a scenario is shown, never obeyed: control characters and those that turn the
//! direction of text are drawn as signs. Only the lines around a place are looked at, and of a long line
//! only the part around it, so that a mistake in a large file is as cheap to show as in a small one.

mod window;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::limits;
use super::source::{FileId, Sources};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::collections::BTreeSet;
use window::{Fidelity, LineTable, Place, Window, pieces};

/// Whether the text may hold colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
}

/// Shows every mistake, in the order of files and places, and says how many there are. `width` is that
/// of the terminal, in columns. No mistake, no text.
pub fn render(sources: &Sources, diagnostics: &Diagnostics, style: Style, width: usize) -> String {
    let mistakes = in_order(diagnostics);
    if mistakes.is_empty() {
        return String::new();
    }
    let closing = closing_line(&mistakes, sources, diagnostics.is_full());
    blocks(sources, &mistakes, style, width, &Level::ERROR) + &closing + "\n"
}

/// Shows every hazard in the same manner. They are not counted by file: a design may have inherited what is
/// hazardous in it.
pub fn findings(sources: &Sources, diagnostics: &Diagnostics, style: Style, width: usize) -> String {
    blocks(sources, &in_order(diagnostics), style, width, &Level::WARNING)
}

fn blocks(
    sources: &Sources,
    diagnostics: &[&Diagnostic],
    style: Style,
    width: usize,
    level: &Level<'static>,
) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let renderer = renderer.term_width(width.max(NARROWEST));
    let lines = LineTable::of(sources);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let report = report(diagnostic, sources, &lines, level.clone());
        text.push_str(&renderer.render(&[report]));
        text.push_str("\n\n");
    }
    text
}

/// Columns below which nothing can be laid out.
const NARROWEST: usize = 40;

/// Each mistake once, by file, then place; those of one place in the order in which they were found.
fn in_order(diagnostics: &Diagnostics) -> Vec<&Diagnostic> {
    let mut mistakes: Vec<&Diagnostic> = diagnostics.list.iter().collect();
    mistakes.sort_by_key(|mistake| mistake.span);
    let mut seen = BTreeSet::new();
    mistakes.retain(|mistake| seen.insert((mistake.code, mistake.span)));
    mistakes
}

fn closing_line(mistakes: &[&Diagnostic], sources: &Sources, full: bool) -> String {
    let count = mistakes.len();
    let files: BTreeSet<FileId> = mistakes.iter().map(|mistake| mistake.span.file).collect();
    let place = match files.len() {
        1..=3 => files.iter().map(|&file| shown(&sources.get(file).name)).collect::<Vec<_>>().join(", "),
        _ => "all".to_owned(),
    };
    match (full, count) {
        (true, _) => {
            format!("{count} mistakes in {place}; no more than {} are looked for", limits::DIAGNOSTICS)
        }
        (false, 1) => format!("1 mistake in {place}"),
        (false, _) => format!("{count} mistakes in {place}"),
    }
}

fn report<'a>(
    mistake: &'a Diagnostic,
    sources: &'a Sources,
    lines: &LineTable,
    level: Level<'static>,
) -> Group<'a> {
    let label = |text: &str| (!text.is_empty()).then(|| shown(text));
    let mut places =
        vec![Place { span: mistake.span, label: label(&mistake.label), kind: AnnotationKind::Primary }];
    places.extend(mistake.related.iter().map(|(span, text)| Place {
        span: *span,
        label: label(text),
        kind: AnnotationKind::Context,
    }));
    let title = level.primary_title(shown(&mistake.message)).id(mistake.code);
    let mut group = Group::with_title(title);
    for piece in pieces(places, lines) {
        let source = sources.get(piece.file);
        let name = shown(&source.name);
        let window = Window::around(&piece, &source.text, lines);
        let snippet = Snippet::source(window.text).line_start(piece.lines.start + 1);
        let snippet = snippet.annotations(window.annotations);
        group = match window.fidelity {
            Fidelity::Whole => group.element(snippet.path(name)),
            // The renderer counts columns in what it is given, so here they are counted for it.
            Fidelity::Cut | Fidelity::Empty => {
                let (line, column) = lines.line_column(&source.text, piece.first_place());
                let origin = Origin::path(name).line(line).char_column(column);
                let group = group.element(origin);
                if window.fidelity == Fidelity::Empty { group } else { group.element(snippet) }
            }
        };
    }
    match &mistake.help {
        Some(help) => group.element(Level::HELP.message(shown_lines(help))),
        None => group,
    }
}

/// A text of one line, safe to print.
fn shown(text: &str) -> String {
    shown_lines(text).replace('\n', "␊")
}

/// A text, safe to print.
fn shown_lines(text: &str) -> String {
    let visible_or_newline = |character| if character == '\n' { '\n' } else { visible(character) };
    text.chars().map(visible_or_newline).collect()
}

/// A character, or a sign for one that a terminal would obey.
fn visible(character: char) -> char {
    match character {
        '\t' => '\t',
        '\0'..='\u{1f}' => {
            char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\u{7f}' => '␡',
        _ if character.is_control() => char::REPLACEMENT_CHARACTER,
        // Marks that turn the direction of text, parts of lines, and marks without a shape.
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::source::{Source, Span};
    use std::ops::Range;

    fn sources(texts: &[&str]) -> Sources {
        let mut sources = Sources::default();
        for (number, text) in texts.iter().enumerate() {
            let name = format!("file-{number}.yaml");
            sources.add(Source { name, folder: "".into(), text: (*text).into() });
        }
        sources
    }

    fn mistake(file: u32, bytes: Range<u32>, message: &str) -> Diagnostic {
        Diagnostic::new("code", Span { file: FileId(file), start: bytes.start, end: bytes.end }, message)
    }

    fn plain(sources: &Sources, list: Vec<Diagnostic>) -> String {
        render(sources, &Diagnostics { list }, Style::Plain, 100)
    }

    #[test]
    fn mistakes_come_by_file_and_place_each_once() {
        let sources = sources(&["a: 1\nb: 2\n", "c: 3\n"]);
        let list = vec![
            mistake(1, 0..1, "in the second file")
                .related(Span { file: FileId(0), start: 0, end: 1 }, "a base"),
            mistake(0, 5..6, "second").help("mend it"),
            mistake(0, 0..4, "first").label("here"),
            mistake(0, 0..4, "first again"),
        ];
        insta::assert_snapshot!(plain(&sources, list), @r"
        error[code]: first
         --> file-0.yaml:1:1
          |
        1 | a: 1
          | ^^^^ here

        error[code]: second
         --> file-0.yaml:2:1
          |
        2 | b: 2
          | ^
          |
          = help: mend it

        error[code]: in the second file
         --> file-1.yaml:1:1
          |
        1 | c: 3
          | ^
          |
         ::: file-0.yaml:1:1
          |
        1 | a: 1
          | - a base

        3 mistakes in file-0.yaml, file-1.yaml
        ");
    }

    #[test]
    fn what_a_terminal_would_obey_is_drawn() {
        let sources = sources(&["a: \u{1b}[31m\u{9b}0m\u{202e}b\r\n"]);
        let list = vec![mistake(0, 0..1, "red \u{1b}[31m\n\u{9b}").help("\u{7}").label("\u{1b}")];
        let text = plain(&sources, list);
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
        insta::assert_snapshot!(text, @r"
        error[code]: red ␛[31m␊�
         --> file-0.yaml:1:1
          |
        1 | a: ␛[31m�0m�b
          | ^ ␛
          |
          = help: ␇

        1 mistake in file-0.yaml
        ");
    }

    #[test]
    fn long_lines_are_cut_and_columns_stay_true() {
        let line = format!("{}HERE{}", "é".repeat(100_000), "x".repeat(100_000));
        let sources = sources(&[&line]);
        let text = plain(&sources, vec![mistake(0, 200_000..200_004, "deep inside")]);
        assert!(text.len() < 2_000, "{}", text.len());
        assert!(text.contains("file-0.yaml:1:100001") && text.contains("HERE"), "{text}");
    }

    #[test]
    fn empty_texts_and_ends_of_files_are_places_too() {
        let sources = sources(&["", "a: 1\n"]);
        let text = plain(&sources, vec![mistake(0, 0..0, "nothing"), mistake(1, 5..5, "the end")]);
        insta::assert_snapshot!(text, @r"
        error[code]: nothing
        --> file-0.yaml:1:1

        error[code]: the end
        --> file-1.yaml:2:1

        2 mistakes in file-0.yaml, file-1.yaml
        ");
    }

    #[test]
    fn colours_are_only_used_when_asked_for() {
        let sources = sources(&["a: 1"]);
        let diagnostics = Diagnostics { list: vec![mistake(0, 0..1, "red")] };
        assert!(render(&sources, &diagnostics, Style::Coloured, 80).contains('\u{1b}'));
        assert!(!render(&sources, &diagnostics, Style::Plain, 80).contains('\u{1b}'));
        assert_eq!(render(&sources, &Diagnostics::default(), Style::Plain, 80), "");
    }
}
