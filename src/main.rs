//! Arguments → command → exit code.

use clap::Parser;
use eventflow::command::{CommandLine, carry_out};
use std::process::ExitCode;

fn main() -> ExitCode {
    carry_out(&CommandLine::parse().command).into()
}
