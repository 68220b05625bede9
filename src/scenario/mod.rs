//! From a file to what it means: source → nodes → resolved, with every mistake reported at once.

pub mod diagnostic;
pub mod grammar;
pub mod node;
pub mod resolved;
pub mod source;
