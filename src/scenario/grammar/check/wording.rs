//! The words that the diagnostics of the grammar share.

use crate::scenario::grammar::Choice;
use crate::scenario::node::{Node, NodeKind};

/// What was found, with an article.
pub fn found(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "nothing".into(),
        NodeKind::Text { text, .. } => format!("`{}`", short(text)),
        NodeKind::List(_) => "a list".into(),
        NodeKind::Map(_) => "a map".into(),
    }
}

/// The same, beside the underlined text.
pub fn found_here(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::Null => "nothing",
        NodeKind::Text { .. } => "text",
        NodeKind::List(_) => "a list",
        NodeKind::Map(_) => "a map",
    }
}

/// Text that fits into a sentence.
pub fn short(text: &str) -> String {
    const MOST: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= MOST && line.len() == text.len() {
        return line.to_owned();
    }
    line.chars().take(MOST).chain(['…']).collect()
}

/// The names of a choice's alternatives.
pub fn names(choice: &Choice) -> impl Iterator<Item = &'static str> + use<> {
    choice.alternatives.iter().map(|alternative| alternative.key.name)
}
