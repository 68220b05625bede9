//! From files to one tree, and the mistakes that are shown.

mod any_input;
mod loading;
mod mistakes;
mod refused;
mod resolve;
