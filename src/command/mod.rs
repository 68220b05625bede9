//! The commands: the only input and output of the program.
pub mod write;
