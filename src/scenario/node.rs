//! The syntax tree: text, lists and maps with their places. YAML and JSON both end here; nothing is
//! typed yet, a scalar is the text that was written.

use super::source::Span;
use indexmap::IndexMap;

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    pub span: Span,
    pub kind: NodeKind,
}

#[derive(Clone, Debug)]
pub enum NodeKind {
    /// `null`, `~` or nothing: allowed only in a merge patch, where it removes a key.
    Null,
    /// A scalar as it was written (escapes resolved). `quoted` tells `"5"` from `5`.
    /// `offsets_exact` says that byte *i* of `text` stands at `span.start + i` of the source (plain
    /// one-line scalars), so that places inside an expression can be shown exactly; for a quoted
    /// scalar without escapes `span` covers the text inside the quotes.
    Text {
        text: String,
        quoted: bool,
        offsets_exact: bool,
    },
    List(Vec<Node>),
    Map(Map),
}

/// A map, in the order written.
pub type Map = IndexMap<String, Entry>;

/// An entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// Says that the value stands at `span`, where an alias or a parameter stands for it.
    pub fn move_to(&mut self, span: Span) {
        self.span = span;
        if let NodeKind::Text { offsets_exact, .. } = &mut self.kind {
            *offsets_exact = false;
        }
    }

    /// How many values it holds, itself included.
    pub fn count(&self) -> usize {
        1 + match &self.kind {
            NodeKind::Null | NodeKind::Text { .. } => 0,
            NodeKind::List(items) => items.iter().map(Node::count).sum(),
            NodeKind::Map(entries) => entries.values().map(|entry| entry.value.count()).sum(),
        }
    }

    /// What it is, as a message calls it: `a map`.
    pub fn called(&self) -> &'static str {
        match &self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Text { .. } => "a text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
        }
    }
}
