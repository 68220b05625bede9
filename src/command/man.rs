//! `eventflow man`: the manual page, in roff.

use super::{CommandLine, Ending, terminal};
use clap::{Args, CommandFactory};
use clap_mangen::Man;

/// Print the manual page: eventflow man | man -l -
#[derive(Args, Debug)]
pub struct Arguments {}

pub fn run(_: &Arguments) -> Ending {
    let mut page = Vec::new();
    let written = pages().into_iter().try_for_each(|command| Man::new(command).render(&mut page));
    written.expect("a page in memory can be written");
    terminal::say(&String::from_utf8_lossy(&page))
}

/// The program, then each of its commands.
fn pages() -> Vec<clap::Command> {
    let mut program = CommandLine::command();
    program.build();
    let commands: Vec<clap::Command> =
        program.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect();
    std::iter::once(program).chain(commands).collect()
}
