//! The same scenario, seed and version do the same, bit for bit, whoever looks and however many threads
//! there are; and nobody's draws depend on who else is there.

mod additions;
mod golden;
mod replay;
mod sources;
mod stored;
