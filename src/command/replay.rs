//! `eventflow replay FILE`: runs one replication again and shows what went wrong in it, with all that convinces.
//!
//! What is meant and what was got, the chain that led to it with lines of the scenario, what happens without each
//! fault that fired (run, not guessed), and the digest, so that two machines can be compared. Reports and checks
//! print the command for each counterexample.

use super::{Ending, ScenarioArguments, terminal};
use crate::experiment::account::focus::Focus;
use crate::experiment::account::{Effort, NoAccount, Question, TwinDesign, account};
use crate::model::compile::compile;
use crate::report::account::{json, mermaid, text};
use crate::report::text::visible;
use crate::world::Limits;
use clap::Args;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Run a replication again and show what went wrong in it
///
/// Exit code: 0 if it is shown, 3 if nothing was seen to go wrong, or nothing of what was asked for, 2 if the file
/// cannot be used or nothing is called so.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,
    /// Seed of all random numbers, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Which replication, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub replication: u32,
    /// What to show: o: and the number of an obligation, or the name of a promise or measure (idempotency.torn_effects);
    /// if not given, the first promise that is broken
    #[arg(long, value_name = "FOCUS", value_parser = Focus::read)]
    pub focus: Option<Focus>,
    /// Another scenario to hold against it: the design repaired, under the same seed and the same faults. What is set
    /// is set in both
    #[arg(long, value_name = "FILE")]
    pub twin: Option<PathBuf>,
    /// As a Mermaid sequence diagram
    #[arg(long, conflicts_with = "json")]
    pub mermaid: bool,
    /// As JSON, with everything that the others show
    #[arg(long)]
    pub json: bool,
    /// Most events that one run may take, looked at every 4096 events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: Option<u64>,
}

pub fn run(arguments: &Arguments) -> Ending {
    let Some((sources, scenario)) = arguments.scenario.read() else { return Ending::Unusable };
    let model = compile(&scenario, &sources);
    let twin = match arguments.scenario.settings.twin(arguments.twin.as_deref()) {
        Ok(twin) => twin,
        Err(ending) => return ending,
    };
    let usual = Limits::default();
    let question = Question {
        model: &model,
        file: &arguments.scenario.file.display().to_string(),
        settings: &arguments.scenario.settings.settings,
        seed: arguments.seed.unwrap_or(model.seed),
        replication: arguments.replication,
        focus: arguments.focus.as_ref().unwrap_or(&Focus::First),
        twin: twin.as_ref().map(|(file, model)| TwinDesign { model, file }),
        effort: Effort::default(),
        limits: Limits { events: arguments.max_events.unwrap_or(usual.events), ..usual },
        // Nothing is kept of a run that is broken off: Ctrl-C ends the program.
        interrupt: &AtomicBool::new(false),
    };
    match account(&question) {
        Ok(account) if arguments.mermaid => terminal::say(&mermaid::render(&account)),
        Ok(account) if arguments.json => terminal::say(&json(&account)),
        Ok(account) => terminal::say(&text::render(&account)),
        Err(why @ (NoAccount::NoSuchMeasure(..) | NoAccount::Halted(_))) => {
            terminal::complain(&format!("error: {}\n", visible(&why.to_string())));
            Ending::Unusable
        }
        Err(
            why @ (NoAccount::NothingWrong
            | NoAccount::NotBroken(_)
            | NoAccount::NobodysWork(_)
            | NoAccount::NoSuchObligation(_)),
        ) => {
            terminal::complain(&format!("{}\n", visible(&why.to_string())));
            Ending::Inconclusive
        }
    }
}
