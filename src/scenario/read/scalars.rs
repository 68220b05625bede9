//! Scalars: plain, quoted and in blocks; what they say, and where each of their bytes stands.

use super::builder::{Builder, Next, refused_tag};
use super::quoting::{self, Style};
use super::surrogates;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::NodeKind;
use saphyr_parser::{ScalarStyle, Tag};

impl Builder<'_> {
    pub(super) fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        (start, end): (usize, usize),
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Next {
        if let Some(tag) = tag {
            return self.tagged_scalar(tag, start, anchor);
        }
        let start = if anchor > 0 { self.after_properties(start) } else { start };
        match style {
            ScalarStyle::Plain if matches!(text, "" | "~" | "null") => self.null(text, start, anchor),
            ScalarStyle::Plain => self.plain(text, (start, end), anchor),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => self.quoted(text, start, end, anchor),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let written = self.places.text[start..end.max(start)].trim_end();
                let kind =
                    NodeKind::Text { text: text.to_owned(), quoted: true, offsets_exact: written == text };
                self.value(kind, (start, start + written.len()), anchor)
            }
        }
    }

    /// A value that is not there is shown as a place right behind its key or dash.
    fn null(&mut self, text: &str, start: usize, anchor: usize) -> Next {
        let behind_colon = text.is_empty() && self.places.character(start) == Some(':');
        let start = if behind_colon { start + 1 } else { start };
        self.value(NodeKind::Null, (start, start + text.len()), anchor)
    }

    fn plain(&mut self, text: &str, (start, end): (usize, usize), anchor: usize) -> Next {
        if let Some(whole) = self.cut_short(text, start, end) {
            let written = self.places.text[start..whole].to_owned();
            if !self.is_reported(start) {
                let why = match self.style() {
                    Style::Flow => quoting::CUT_SHORT,
                    Style::Block => "` #` starts a comment, which ends this expression",
                };
                self.diagnostics.push(quoting::quote(self.places.span(start, whole), &written, why));
            }
            let kind = NodeKind::Text { text: written, quoted: true, offsets_exact: true };
            let next = self.value(kind, (start, whole), anchor);
            self.reported_until = self.reported_until.max(whole);
            self.refuse_key();
            return next;
        }
        let offsets_exact = self.places.text.get(start..end) == Some(text);
        self.value(
            NodeKind::Text { text: text.to_owned(), quoted: false, offsets_exact },
            (start, end),
            anchor,
        )
    }

    /// Where the expression ends that YAML cut short at `end`.
    fn cut_short(&self, text: &str, start: usize, end: usize) -> Option<usize> {
        if !quoting::is_cut_short(text) {
            return None;
        }
        let whole = match self.style() {
            Style::Flow => quoting::extent(self.places.text, start, Style::Flow),
            Style::Block if self.places.text[end..].trim_start_matches([' ', '\t']).starts_with('#') => {
                let line = quoting::line_from(self.places.text, start);
                start + line.trim_end().len()
            }
            Style::Block => end,
        };
        (whole > end).then_some(whole)
    }

    fn quoted(&mut self, text: &str, start: usize, end: usize, anchor: usize) -> Next {
        let (inner_start, inner_end) = self.places.inside_quotes(start);
        let written = &self.places.text[inner_start..inner_end];
        let joined = match surrogates::join(written) {
            None => None,
            Some(Ok(joined)) => Some(joined),
            Some(Err(why)) => {
                let span = self.places.span(start, end);
                self.diagnostics.push(Diagnostic::new("bad-escape", span, why).help(surrogates::HELP));
                None
            }
        };
        let text = joined.unwrap_or_else(|| text.to_owned());
        let offsets_exact = written == text;
        let kind = NodeKind::Text { text, quoted: true, offsets_exact };
        if offsets_exact {
            self.value(kind, (inner_start, inner_end), anchor)
        } else {
            self.value(kind, (start, (inner_end + 1).min(self.places.text.len())), anchor)
        }
    }

    /// `!seen.exists` is meant as an expression, `!!int 5` as a tag; neither is allowed unquoted.
    fn tagged_scalar(&mut self, tag: &Tag, start: usize, anchor: usize) -> Next {
        let whole = quoting::extent(self.places.text, start, self.style()).max(start);
        let written = self.places.text[start..whole].to_owned();
        let span = self.places.span(start, whole);
        self.diagnostics.push(
            if is_yaml_type(tag) || written.starts_with("!<") || !written.starts_with('!') {
                refused_tag(span)
            } else {
                quoting::quote(span, &written, "a value that begins with `!` reads as a YAML tag")
            },
        );
        let kind = NodeKind::Text { text: written, quoted: true, offsets_exact: true };
        let next = self.value(kind, (start, whole), anchor);
        self.reported_until = self.reported_until.max(whole);
        next
    }
}

/// Whether a tag names one of YAML's own types: `!!int`.
fn is_yaml_type(tag: &Tag) -> bool {
    let types = ["str", "int", "float", "bool", "null", "map", "seq", "set", "omap", "binary", "timestamp"];
    tag.is_yaml_core_schema() && types.contains(&tag.suffix.as_str())
}
