//! Looking into the syntax tree without complaint: whatever has the wrong shape is simply not there,
//! because the check of the structure has reported it already.

use crate::scenario::node::{Entry, Map, Node, NodeKind};
use crate::scenario::source::Span;
use std::sync::LazyLock;

static NOTHING: LazyLock<Map> = LazyLock::new(Map::default);

/// The entries of a map; none of anything else.
pub fn map(node: &Node) -> &Map {
    match &node.kind {
        NodeKind::Map(map) => map,
        _ => &NOTHING,
    }
}

/// The elements of a list; none of anything else.
pub fn list(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::List(nodes) => nodes,
        _ => &[],
    }
}

pub fn is_map(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Map(_))
}

pub fn is_list(node: &Node) -> bool {
    matches!(node.kind, NodeKind::List(_))
}

/// The text of a scalar.
pub fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Text { text, .. } => Some(text),
        _ => None,
    }
}

/// The place of a piece of a scalar; of all of it, where the text does not stand as it was written.
pub fn place_of(node: &Node, piece: std::ops::Range<usize>) -> Span {
    match node.kind {
        NodeKind::Text { offsets_exact: true, .. } => Span {
            start: node.span.start + piece.start as u32,
            end: node.span.start + piece.end as u32,
            ..node.span
        },
        _ => node.span,
    }
}

/// Whether a scalar is exactly this word.
pub fn is_word(node: &Node, word: &str) -> bool {
    text(node) == Some(word)
}

/// An entry of a map, with the place of its key.
pub fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    map(node).get(key)
}

/// A value of a map.
pub fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    entry(node, key).map(|entry| &entry.value)
}

/// A map in a map, empty if it is not there.
pub fn section<'n>(node: &'n Node, key: &str) -> &'n Map {
    get(node, key).map_or(&NOTHING, map)
}

/// The scalars of a list, or one scalar that stands for a list of one.
pub fn words(node: &Node) -> Vec<(&str, Span)> {
    match &node.kind {
        NodeKind::Text { text, .. } => vec![(text, node.span)],
        NodeKind::List(nodes) => nodes.iter().filter_map(|node| Some((text(node)?, node.span))).collect(),
        _ => Vec::new(),
    }
}
