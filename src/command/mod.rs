//! The commands: the only input and output of the program.
//!
//! One file a command. Each takes what was typed, does its work, and says how it ended; `main` turns that
//! into an exit code. What a command has to say goes to the standard output, what it has to complain
//! about to the standard error.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | all is well: every verdict passed, or is what the scenario expects; also if work was left when the drain reached its limit, which the report notes |
//! | 1 | some verdict failed, or is not what the scenario expects; of `mutate`: a safeguard is not tested; of `lint`: something was found |
//! | 2 | the input cannot be used, or the output cannot be written; nothing was written, but for what `check` found of the other files |
//! | 3 | some verdict is inconclusive, and none failed; of `check`: a file promises nothing; of `mutate`: of a safeguard it cannot be told; of `replay`: nothing went wrong that could be shown |
//! | 130 | interrupted; what was finished by then is reported, marked as partial |

pub mod check;
pub mod compare;
pub mod completions;
pub mod inspect;
pub mod keeping;
pub mod lint;
pub mod man;
pub mod merge;
pub mod moment;
pub mod mutate;
pub mod progress;
pub mod publish;
pub mod replay;
pub mod run;
pub mod schema;
pub mod show;
pub mod store;
pub mod sweep;
pub mod terminal;
pub mod write;

use crate::experiment::results::check::Standing;
use crate::model::Model;
use crate::model::compile::compile;
use crate::scenario::open::read_scenario;
use crate::scenario::render;
use crate::scenario::resolved::Scenario;
use crate::scenario::source::Sources;
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use terminal::Colour;

/// A deterministic discrete-event simulator for event-driven architectures.
#[derive(Debug, Parser)]
#[command(name = "eventflow", version, max_term_width = 100)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(run::Arguments),
    Sweep(sweep::Arguments),
    Merge(merge::Arguments),
    Check(check::Arguments),
    Compare(compare::Arguments),
    Lint(lint::Arguments),
    Replay(replay::Arguments),
    Inspect(inspect::Arguments),
    Mutate(mutate::Arguments),
    Show(show::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Carries out a command.
pub fn carry_out(command: &Command) -> Ending {
    match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Sweep(arguments) => sweep::run(arguments),
        Command::Merge(arguments) => merge::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Lint(arguments) => lint::run(arguments),
        Command::Replay(arguments) => replay::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Mutate(arguments) => mutate::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Completions(arguments) => completions::run(arguments),
        Command::Man(arguments) => man::run(arguments),
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Well,
    /// Some verdict failed, or a hazard was found.
    Failed,
    /// Some verdict is inconclusive, and none failed; or nothing could be told.
    Inconclusive,
    /// Unusable input, or output that cannot be written. It was said why.
    Unusable,
    /// By the user, with Ctrl-C.
    Interrupted,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        ExitCode::from(match ending {
            Ending::Well => 0,
            Ending::Failed => 1,
            Ending::Inconclusive => 3,
            Ending::Unusable => 2,
            Ending::Interrupted => 130,
        })
    }
}

impl From<Standing> for Ending {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Pass => Ending::Well,
            Standing::Inconclusive => Ending::Inconclusive,
            Standing::Fail => Ending::Failed,
            Standing::Unusable => Ending::Unusable,
        }
    }
}

/// Which scenario, and what to change in it.
#[derive(Args, Debug)]
pub struct ScenarioArguments {
    /// Scenario file, in YAML or JSON
    pub file: PathBuf,
    #[command(flatten)]
    pub settings: SettingArguments,
}

/// What to change in a scenario, and how to speak of it.
#[derive(Args, Debug)]
pub struct SettingArguments {
    /// Set a parameter (rate=400/s), or anything else by its path (run.horizon=1m); may be given again
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
    /// Whether to use colours
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
}

impl ScenarioArguments {
    /// Reads the scenario. `None`: it has mistakes, and they were all shown.
    pub fn read(&self) -> Option<(Sources, Scenario)> {
        self.settings.read(&self.file)
    }
}

impl SettingArguments {
    /// Another design, read with the same settings, and its file as it was given.
    ///
    /// # Errors
    ///
    /// That it has mistakes; they were all shown.
    pub fn twin(&self, file: Option<&Path>) -> Result<Option<(String, Model)>, Ending> {
        let Some(file) = file else { return Ok(None) };
        let (sources, scenario) = self.read(file).ok_or(Ending::Unusable)?;
        Ok(Some((file.display().to_string(), compile(&scenario, &sources))))
    }

    /// Reads a scenario with what is to be changed in it. `None`: it has mistakes, and they were all shown.
    pub fn read(&self, file: &Path) -> Option<(Sources, Scenario)> {
        let (sources, mistakes, scenario) = read_scenario(file, &self.settings);
        if scenario.is_none() {
            let style = match self.color.on_stderr() {
                true => render::Style::Coloured,
                false => render::Style::Plain,
            };
            terminal::complain(&render::render(&sources, &mistakes, style, terminal::width()));
        }
        Some((sources, scenario?))
    }
}
