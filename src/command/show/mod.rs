//! `eventflow show FILE`: what a scenario means, after everything it extends, settings, presets and
//! defaults.
//!
//! The text says every knob of every topic and subscription and where it differs from the preset, what
//! each service is, its handlers as the steps that really run, and where messages flow. As a Mermaid
//! flowchart (`--format mermaid`) the flow can be put into a page of documentation.
//!
//! Everything is a pure function of the scenario; names and texts in it are shown, never obeyed.

mod code;
mod flow;
mod knobs;
mod meaning;
mod quantity;
mod value;
mod versions;

use super::{Ending, ScenarioArguments, terminal};
use crate::model::Model;
use crate::model::compile::compile;
use crate::scenario::resolved::Scenario;
use crate::scenario::source::Sources;
use clap::{Args, ValueEnum};

/// Print what a scenario means, after presets, what it extends, and defaults
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,
    /// Everything as text, or the flow of messages as a Mermaid flowchart
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Mermaid,
}

/// What a scenario means, as text: pure, every line visible.
pub fn described(scenario: &Scenario, sources: &Sources, model: &Model) -> String {
    meaning::text(scenario, sources, model)
}

pub fn run(arguments: &Arguments) -> Ending {
    let Some((sources, scenario)) = arguments.scenario.read() else { return Ending::Unusable };
    let text = match arguments.format {
        Format::Text => described(&scenario, &sources, &compile(&scenario, &sources)),
        Format::Mermaid => flow::mermaid(&scenario),
    };
    terminal::say(&text)
}
