//! What a reader gets from a run: a page, a JSON file and a screenful of text.
//!
//! Each format is one file with one pure function from [`RunResults`] to a `String`; nothing here
//! reads a file, a clock or the environment, so the same results always give the same bytes.
//!
//! | format | function | reader |
//! |---|---|---|
//! | HTML page, self-contained | [`page::render`] | an architect, in a browser or on paper |
//! | JSON, everything | [`json::render`] | a program |
//! | terminal summary | [`terminal::render`] | whoever typed the command |
//! | verdicts of several files | [`check`] | a build server |
//!
//! Two laws hold in all of them. No mean is shown without its interval; where one replication allows
//! none, the report says so ([`figure`]). And every name, description and note is hostile until
//! shown otherwise: it is escaped for its format, and characters that steer a terminal or turn the
//! reading direction are spelt out ([`text`]).
//!
//! [`RunResults`]: crate::experiment::results::RunResults

mod chart;
pub mod check;
pub mod figure;
pub mod json;
pub mod page;
pub mod reproduce;
pub mod terminal;
pub mod text;
pub mod verdict;
