//! `eventflow completions SHELL`: what a shell needs to complete command lines.

use super::{CommandLine, Ending, terminal};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a script that completes command lines in a shell
#[derive(Args, Debug)]
pub struct Arguments {
    #[arg(value_enum)]
    pub shell: Shell,
}

pub fn run(arguments: &Arguments) -> Ending {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "eventflow", &mut script);
    terminal::say(&String::from_utf8_lossy(&script))
}
