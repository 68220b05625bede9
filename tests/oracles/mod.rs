//! Oracles: a planted bug for each measure, and its repaired twin.

mod isolation;
mod sessions;
