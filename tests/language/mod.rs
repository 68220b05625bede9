//! The scenario language: its structural check, its JSON Schema and its reference page, each against
//! files that are right and files that are wrong.

mod reference;
mod schema;
mod structure;
mod tree;
