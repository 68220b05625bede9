//! Talking to whoever typed the command.
//!
//! A reader may leave at any time (`eventflow show FILE | head`): a closed pipe is the end of the output
//! and no mistake. Text that comes from a scenario is made visible before it gets here.

use super::Ending;
use crate::report::terminal::Style;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

/// Columns of a terminal that does not tell.
const USUAL_WIDTH: usize = 100;

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// If it is a terminal, and NO_COLOR is not set
    Auto,
    Always,
    Never,
}

impl Colour {
    pub fn on_stdout(self) -> bool {
        self.on(stdout().is_terminal())
    }

    /// How a report is said on the standard output.
    pub fn style(self) -> Style {
        if self.on_stdout() { Style::Coloured } else { Style::Plain }
    }

    pub fn on_stderr(self) -> bool {
        self.on(stderr().is_terminal())
    }

    fn on(self, is_terminal: bool) -> bool {
        match self {
            Colour::Auto => {
                is_terminal && std::env::var_os("NO_COLOR").is_none_or(|setting| setting.is_empty())
            }
            Colour::Always => true,
            Colour::Never => false,
        }
    }
}

/// Writes to the standard output. It ends well also when nobody listens any more.
pub fn say(text: &str) -> Ending {
    let mut output = stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => Ending::Well,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ending::Well,
        Err(error) => {
            complain(&format!("error: cannot write to the standard output: {error}\n"));
            Ending::Unusable
        }
    }
}

/// Writes to the standard error. If that fails there is nobody left to tell.
pub fn complain(text: &str) {
    let mut output = stderr().lock();
    drop(output.write_all(text.as_bytes()).and_then(|()| output.flush()));
}

/// Columns of the terminal that complaints go to.
pub fn width() -> usize {
    terminal_size::terminal_size_of(stderr()).map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0))
}
