//! Promises that are judged by looking at rows: invariants, and views that follow their sources.
//!
//! Nothing here looks into the world. What it needs of the tables it keeps itself, from the rows they
//! start with and from the [commits](crate::world::deed::Deed::Committed) that it is told: mirrors of
//! the tables whose rows it reads, and aggregates kept up to date row by row.
//!
//! ```text
//! accumulator   one aggregate of one group of rows: a value comes, a value goes
//! formula       a program over a row, what it may look at, and why it may have no value
//! tables        the mirrors and aggregates that some formulas need
//! invariants    always, never, eventually, at_end: judged after each transaction
//! views         lag, windows and convergence of tables that follow others
//! ```
//!
//! The law: what an aggregate or a mirror says after any changes is what a look at all rows would say.

pub mod accumulator;
pub mod formula;
pub mod invariants;
pub mod tables;
pub mod views;

#[cfg(test)]
mod tests;
