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
