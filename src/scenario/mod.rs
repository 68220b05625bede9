//! From a file to what it means: source → nodes → resolved, with every mistake reported at once.

pub mod diagnostic;
pub mod expression;
pub mod grammar;
pub mod limits;
pub mod lint;
pub mod load;
mod merge;
pub mod node;
pub mod open;
mod parameters;
mod read;
pub mod render;
pub mod resolve;
pub mod resolved;
mod settings;
pub mod source;
pub mod weaken;
