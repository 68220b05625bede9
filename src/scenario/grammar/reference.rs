//! The grammar as a reference page.
pub fn reference() -> String { String::new() }
