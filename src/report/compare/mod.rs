//! What a comparison says, for those who read it.
//!
//! | format | function | reader |
//! |---|---|---|
//! | terminal summary | [`terminal::render`] | whoever typed the command |
//! | HTML page, the designs side by side | [`super::page::compare::render`] | an architect |
//! | JSON, everything | [`json`] | a program |
//!
//! All three say the same sentences ([`words`]), and call clear only what is clear together with all else that was
//! asked.

pub mod terminal;
pub mod words;

use crate::experiment::results::compare::Comparison;

/// The whole of a comparison as indented JSON with a final newline.
pub fn json(comparison: &Comparison) -> String {
    let mut text = serde_json::to_string_pretty(comparison).expect("results are plain data with text keys");
    text.push('\n');
    text
}
