//! The lines around a mistake, as they are shown.

use super::visible;
use crate::scenario::source::{FileId, Sources, Span};
use annotate_snippets::{Annotation, AnnotationKind};
use std::ops::Range;

/// A place to underline.
pub struct Place {
    pub span: Span,
    pub label: Option<String>,
    pub kind: AnnotationKind,
}

/// Places in lines of one file that are shown together.
pub struct Piece {
    pub file: FileId,
    /// Lines from 0.
    pub lines: Range<usize>,
    places: Vec<Place>,
}

impl Piece {
    /// The place that gives line and column.
    pub fn first_place(&self) -> Span {
        let first =
            self.places.iter().min_by_key(|place| (place.kind != AnnotationKind::Primary, place.span));
        first.expect("a piece is made around a place").span
    }
}

/// Gathers places that are near one another; the piece with the mistake itself is the first.
pub fn pieces(places: Vec<Place>, table: &LineTable) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for place in places {
        let lines = table.lines(place.span);
        let near = pieces.iter_mut().find(|piece| {
            let together = piece.lines.start.min(lines.start)..piece.lines.end.max(lines.end);
            piece.file == place.span.file && together.len() <= LINES_IN_ONE_PIECE
        });
        match near {
            Some(piece) => {
                piece.lines = piece.lines.start.min(lines.start)..piece.lines.end.max(lines.end);
                piece.places.push(place);
            }
            None => pieces.push(Piece { file: place.span.file, lines, places: vec![place] }),
        }
    }
    pieces
}

/// The text of some lines as it is shown, with the places in it.
pub struct Window<'a> {
    pub text: String,
    pub annotations: Vec<Annotation<'a>>,
    pub fidelity: Fidelity,
}

/// How far the columns of a window are those of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    Whole,
    /// The start of a line is left out.
    Cut,
    /// There is no text to show.
    Empty,
}

impl Window<'_> {
    pub fn around(piece: &Piece, source: &str, table: &LineTable) -> Self {
        let mut text = String::new();
        // Where each shown character came from: the byte in the source, the byte in the text.
        let mut origins = Vec::new();
        let mut fidelity = Fidelity::Whole;
        for line in piece.lines.clone() {
            let range = table.range(piece.file, line, source);
            let cut = cut(&source[range.clone()], range.start, &piece.places);
            if line > piece.lines.start {
                text.push('\n');
            }
            if cut.start > 0 {
                text.push('…');
                fidelity = Fidelity::Cut;
            }
            for (at, character) in source[range.clone()][cut.clone()].char_indices() {
                origins.push((range.start + cut.start + at, text.len()));
                text.push(visible(character));
            }
            origins.push((range.start + cut.end, text.len()));
            if cut.end < range.len() {
                text.push('…');
            }
        }
        let shown_at = |byte: u32| {
            let index = origins.partition_point(|&(origin, _)| origin < byte as usize);
            origins.get(index).map_or(text.len(), |&(_, at)| at)
        };
        let annotations = piece.places.iter().map(|place| {
            let (start, end) = (shown_at(place.span.start), shown_at(place.span.end));
            place.kind.span(start..end.max(start)).label(place.label.clone())
        });
        let annotations = annotations.collect();
        let fidelity = if text.is_empty() { Fidelity::Empty } else { fidelity };
        Self { text, annotations, fidelity }
    }
}

/// The part of a line, which starts at byte `line_start`, that is shown for the places in it.
fn cut(line: &str, line_start: usize, places: &[Place]) -> Range<usize> {
    let inside = places.iter().flat_map(|place| [place.span.start as usize, place.span.end as usize]);
    let inside = inside.filter(|place| (line_start..=line_start + line.len()).contains(place));
    let first = inside.min().map_or(0, |place| place - line_start);
    let start = line[..first].char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    let end = line[first..].char_indices().nth(AFTER).map_or(line.len(), |(at, _)| first + at);
    start..end
}

/// Where lines start, file by file.
pub struct LineTable {
    starts: Vec<Vec<usize>>,
}

impl LineTable {
    pub fn of(sources: &Sources) -> Self {
        let starts = sources.files.iter().map(|source| {
            let newlines = source.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(newlines).collect()
        });
        Self { starts: starts.collect() }
    }

    /// The line, from 0, that a byte stands in.
    fn line(&self, file: FileId, byte: u32) -> usize {
        self.starts[file.0 as usize].partition_point(|&start| start <= byte as usize) - 1
    }

    /// The lines that a span touches; of a very long one, the first.
    fn lines(&self, span: Span) -> Range<usize> {
        let first = self.line(span.file, span.start);
        let last = self.line(span.file, span.end.max(span.start + 1) - 1);
        first..(last + 1).min(first + LINES_IN_ONE_PIECE)
    }

    /// The bytes of a line, without what ends it.
    fn range(&self, file: FileId, line: usize, text: &str) -> Range<usize> {
        let starts = &self.starts[file.0 as usize];
        let end = starts.get(line + 1).map_or(text.len(), |&next| next - 1);
        let without_return = text[starts[line]..end].strip_suffix('\r').map_or(end, |_| end - 1);
        starts[line]..without_return
    }

    /// Line and column, in characters, from 1.
    pub fn line_column(&self, text: &str, span: Span) -> (usize, usize) {
        let line = self.line(span.file, span.start);
        let start = self.starts[span.file.0 as usize][line];
        (line + 1, text[start..span.start as usize].chars().count() + 1)
    }
}

/// Lines that may stand between two places that are shown in one piece.
const LINES_IN_ONE_PIECE: usize = 100;

/// Characters of a line that are shown before and after a place.
const BEFORE: usize = 120;
const AFTER: usize = 200;
