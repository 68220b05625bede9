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
//! | designs held against each other | [`compare`] | an architect |
//! | safeguards that a scenario tests | [`mutation`] | whoever wrote it |
//! | a sweep: page, JSON, table | [`sweep`] | an architect, a program, whoever typed the command |
//! | every measure of every replication, as CSV and Parquet | [`data`] | a statistician |
//! | counterexamples, as text, Mermaid and SVG | [`account`] | whoever must be convinced |
//!
//! Two laws hold in all of them. No mean is shown without its interval; where one replication allows
//! none, the report says so ([`figure`]). And every name, description and note is hostile until
//! shown otherwise: it is escaped for its format, and characters that steer a terminal or turn the
//! reading direction are spelt out ([`text`]).
//!
//! [`RunResults`]: crate::experiment::results::RunResults

pub mod account;
mod chart;
pub mod check;
pub mod compare;
pub mod data;
pub mod figure;
pub mod inspection;
pub mod json;
pub mod mutation;
pub mod page;
pub mod reproduce;
pub mod sweep;
pub mod terminal;
pub mod text;
pub mod verdict;
