//! `eventflow schema`: the JSON Schema of the scenario language, for editors and validators.

use super::{Ending, terminal};
use crate::scenario::grammar;
use clap::Args;

/// Print the JSON Schema of scenario files
#[derive(Args, Debug)]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Ending {
    terminal::say(&format!("{:#}\n", grammar::schema()))
}
