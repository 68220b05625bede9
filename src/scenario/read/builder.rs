//! YAML events → [`Node`]s: what stands inside what, anchors filled in, places kept.

use super::places::Places;
use super::quoting::{self, Style};
use crate::scenario::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::limits;
use crate::scenario::node::{Entry, Map, Node, NodeKind};
use crate::scenario::source::Span;
use indexmap::map;
use saphyr_parser::{Event, Span as Marks, Tag};
use std::collections::BTreeMap;

/// A tree that grows event by event.
pub struct Builder<'a> {
    pub places: Places<'a>,
    pub diagnostics: &'a mut Diagnostics,
    /// The lists and maps that are still open, outermost first.
    open: Vec<Collection>,
    anchors: BTreeMap<usize, Piece>,
    /// Values so far, those kept for anchors among them.
    nodes: usize,
    /// Bytes of the texts that anchors keep and aliases stand for.
    copied_bytes: usize,
    documents: usize,
    /// Values that start before this byte belong to an expression that was already reported.
    pub(super) reported_until: usize,
    root: Option<Node>,
}

/// Whether to go on with the next event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    GoOn,
    /// A diagnostic says why the rest is not read.
    Stop,
}

/// A finished value.
#[derive(Clone)]
struct Piece {
    node: Node,
    /// Values in it, itself included.
    nodes: usize,
    /// Bytes of its texts and keys.
    bytes: usize,
    /// Lists and maps on the longest way down.
    height: usize,
}

/// A list or map that is not closed yet.
struct Collection {
    start: usize,
    /// Where what is in it so far ends.
    end: usize,
    style: Style,
    anchor: usize,
    nodes: usize,
    bytes: usize,
    height: usize,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Map, key: Key },
}

/// The key whose value comes next.
enum Key {
    Expected,
    Given(String, Span),
    /// The key was refused, and its value goes with it.
    Refused,
}

impl<'a> Builder<'a> {
    pub fn new(places: Places<'a>, diagnostics: &'a mut Diagnostics) -> Self {
        Self {
            places,
            diagnostics,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            copied_bytes: 0,
            documents: 0,
            reported_until: 0,
            root: None,
        }
    }

    pub fn finish(self) -> Option<Node> {
        self.root
    }

    /// How values are written where the events have come to.
    pub fn style(&self) -> Style {
        self.open.last().map_or(Style::Block, |collection| collection.style)
    }

    /// The place of the innermost bracket that is still open.
    pub fn open_bracket(&self) -> Option<usize> {
        let brackets = self.open.iter().map(|collection| collection.start);
        brackets.rev().find(|&start| matches!(self.places.character(start), Some('[' | '{')))
    }

    /// Whether a mistake at `place` is part of one that was already told.
    pub fn is_reported(&self, place: usize) -> bool {
        place < self.reported_until
    }

    pub fn take(&mut self, event: Event, marks: Marks) -> Next {
        if self.diagnostics.is_full() {
            return Next::Stop;
        }
        let start = self.places.byte(marks.start.index());
        match event {
            Event::DocumentStart(_) => self.document(start),
            Event::Scalar(text, style, anchor, tag) => {
                let end = self.places.byte(marks.end.index());
                self.scalar(&text, style, (start, end), anchor, tag.as_deref())
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(Items::List(Vec::new()), start, anchor, tag.as_deref())
            }
            Event::MappingStart(anchor, tag) => {
                let items = Items::Map { entries: Map::new(), key: Key::Expected };
                self.start(items, start, anchor, tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(start),
            Event::Alias(anchor) => self.alias(anchor, (start, self.places.byte(marks.end.index()))),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Next::GoOn,
        }
    }

    fn document(&mut self, start: usize) -> Next {
        self.documents += 1;
        if self.documents == 1 {
            return Next::GoOn;
        }
        let marked = self.places.text[start..].starts_with("---");
        let span = if marked { self.places.span(start, start + 3) } else { self.places.one(start) };
        self.diagnostics.push(
            Diagnostic::new("several-documents", span, "a second document starts here")
                .help("a file holds one scenario; put the other one into a file of its own"),
        );
        Next::Stop
    }

    fn start(&mut self, items: Items, start: usize, anchor: usize, tag: Option<&Tag>) -> Next {
        if tag.is_some() {
            let line = quoting::extent(self.places.text, start, self.style());
            self.diagnostics.push(refused_tag(self.places.span(start, line)));
        }
        if self.open.len() == limits::NESTING {
            let span = self.places.one(start);
            return self.stop(limits::exceeded(
                span,
                "too deeply nested",
                limits::NESTING,
                "lists and maps inside one another",
            ));
        }
        let content = if anchor > 0 || tag.is_some() { self.after_properties(start) } else { start };
        let bracket = matches!(self.places.character(content), Some('[' | '{'));
        let style = if bracket { Style::Flow } else { self.style() };
        if style == Style::Block && self.is_indented_by_tab(content) {
            return Next::Stop;
        }
        self.open.push(Collection {
            start: content,
            end: content,
            style,
            anchor,
            nodes: 1,
            bytes: 0,
            height: 1,
            items,
        });
        Next::GoOn
    }

    fn end(&mut self, place: usize) -> Next {
        let Some(collection) = self.open.pop() else {
            return Next::GoOn;
        };
        let closed =
            collection.style == Style::Flow && matches!(self.places.character(place), Some(']' | '}'));
        let end = if closed { place + 1 } else { collection.end };
        let kind = match collection.items {
            Items::List(items) => NodeKind::List(items),
            Items::Map { entries, .. } => NodeKind::Map(entries),
        };
        let node = Node { span: self.places.span(collection.start, end), kind };
        self.complete(
            Piece { node, nodes: collection.nodes, bytes: collection.bytes, height: collection.height },
            collection.anchor,
        )
    }

    fn alias(&mut self, anchor: usize, (start, end): (usize, usize)) -> Next {
        let span = self.places.span(start, end);
        let Some(piece) = self.anchors.get(&anchor) else {
            let message = "this alias stands inside the value that it names";
            return self.stop(Diagnostic::new("alias-cycle", span, message));
        };
        if self.nodes + piece.nodes > limits::NODES {
            return self.stop(limits::exceeded(
                span,
                "too many values once aliases are filled in",
                limits::NODES,
                "values",
            ));
        }
        if self.open.len() + piece.height > limits::NESTING {
            return self.stop(limits::exceeded(
                span,
                "too deeply nested once this alias is filled in",
                limits::NESTING,
                "lists and maps inside one another",
            ));
        }
        self.copied_bytes += piece.bytes;
        if self.copied_bytes > limits::FILLED_IN_BYTES {
            return self.stop(copied_too_much(span));
        }
        let mut piece = piece.clone();
        piece.node.move_to(span);
        self.nodes += piece.nodes - 1;
        self.complete(piece, 0)
    }

    pub(super) fn value(&mut self, kind: NodeKind, (start, end): (usize, usize), anchor: usize) -> Next {
        let bytes = match &kind {
            NodeKind::Text { text, .. } => text.len(),
            _ => 0,
        };
        let node = Node { span: self.places.span(start, end), kind };
        self.complete(Piece { node, nodes: 1, bytes, height: 0 }, anchor)
    }

    /// Puts a finished value where it belongs.
    fn complete(&mut self, piece: Piece, anchor: usize) -> Next {
        self.nodes += 1;
        if anchor > 0 {
            self.nodes += piece.nodes;
            self.copied_bytes += piece.bytes;
            if self.copied_bytes > limits::FILLED_IN_BYTES {
                return self.stop(copied_too_much(piece.node.span));
            }
            self.anchors.insert(anchor, piece.clone());
        }
        if self.nodes > limits::NODES {
            return self.stop(limits::exceeded(piece.node.span, "too many values", limits::NODES, "values"));
        }
        let reported = self.is_reported(piece.node.span.start as usize);
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(piece.node);
            return Next::GoOn;
        };
        parent.end = parent.end.max(piece.node.span.end as usize);
        parent.nodes += piece.nodes;
        parent.bytes += piece.bytes;
        parent.height = parent.height.max(piece.height + 1);
        match &mut parent.items {
            Items::List(items) => {
                if !reported {
                    items.push(piece.node);
                }
                Next::GoOn
            }
            Items::Map { key: Key::Expected, .. } => self.key(piece.node, reported),
            Items::Map { entries, key } => {
                if let Key::Given(name, key_span) = std::mem::replace(key, Key::Expected) {
                    insert(entries, name, Entry { key_span, value: piece.node }, self.diagnostics);
                }
                Next::GoOn
            }
        }
    }

    fn key(&mut self, node: Node, reported: bool) -> Next {
        let place = node.span.start as usize;
        if self.style() == Style::Block && self.is_indented_by_tab(place) {
            return Next::Stop;
        }
        let given = match node.kind {
            _ if reported => Key::Refused,
            NodeKind::Text { text, quoted: false, .. } if text == "<<" => {
                self.diagnostics.push(
                    Diagnostic::new(
                        "merge-key",
                        node.span,
                        "YAML's merge key `<<` is not part of the language",
                    )
                    .help("use `extends` for a variant, or a parameter for a value used twice"),
                );
                Key::Refused
            }
            NodeKind::Text { text, .. } => Key::Given(text, node.span),
            NodeKind::Null | NodeKind::List(_) | NodeKind::Map(_) => {
                let message = "a key has to be a text";
                self.diagnostics.push(Diagnostic::new("key-not-text", node.span, message));
                Key::Refused
            }
        };
        if let Some(Collection { items: Items::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = given;
        }
        Next::GoOn
    }

    /// Forgets the key that was just given, if one was.
    pub(super) fn refuse_key(&mut self) {
        if let Some(Collection { items: Items::Map { key: key @ Key::Given(..), .. }, .. }) =
            self.open.last_mut()
        {
            *key = Key::Refused;
        }
    }

    /// Whether a tab stands before what starts its line at `place`; then it says so.
    fn is_indented_by_tab(&mut self, place: usize) -> bool {
        let line = self.places.line_start(place);
        let Some(mistake) = tab_before(&self.places, line, place) else {
            return false;
        };
        self.diagnostics.push(mistake);
        true
    }

    /// Where a value starts whose anchor and tag start at `start`.
    pub(super) fn after_properties(&self, start: usize) -> usize {
        let mut rest = &self.places.text[start..];
        while rest.starts_with(['&', '!']) {
            rest = rest.trim_start_matches(|c: char| {
                !c.is_whitespace() && !matches!(c, ',' | '[' | ']' | '{' | '}')
            });
            rest = skip_blank(rest);
        }
        self.places.text.len() - rest.len()
    }

    fn stop(&mut self, mistake: Diagnostic) -> Next {
        self.diagnostics.push(mistake);
        Next::Stop
    }
}

/// The diagnostic for a tab among the blanks between the start of a line and `place`.
pub fn tab_before(places: &Places, line: usize, place: usize) -> Option<Diagnostic> {
    let indent = &places.text[line..place.max(line)];
    let tab = line + indent.find('\t')?;
    indent.trim().is_empty().then(|| {
        Diagnostic::new("tab-indentation", places.span(tab, tab + 1), "a tab indents this line")
            .help("YAML is indented with spaces only")
    })
}

fn insert(entries: &mut Map, name: String, entry: Entry, diagnostics: &mut Diagnostics) {
    match entries.entry(name) {
        map::Entry::Vacant(place) => {
            place.insert(entry);
        }
        map::Entry::Occupied(first) => diagnostics.push(
            Diagnostic::new(
                "duplicate-key",
                entry.key_span,
                format!("the key `{}` is given twice", first.key()),
            )
            .related(first.get().key_span, "first given here"),
        ),
    }
}

fn copied_too_much(span: Span) -> Diagnostic {
    limits::exceeded(span, "too much text behind anchors and aliases", limits::FILLED_IN_BYTES, "bytes")
}

pub fn refused_tag(span: Span) -> Diagnostic {
    Diagnostic::new("yaml-tag", span, "YAML tags are not part of the language")
        .help("remove the tag: what a value means follows from where it stands")
}

/// Skips blanks, line breaks and comments.
fn skip_blank(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        if !text.starts_with('#') {
            return text;
        }
        text = text.find('\n').map_or("", |newline| &text[newline..]);
    }
}
