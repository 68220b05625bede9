//! `eventflow mutate FILE`: takes away one safeguard at a time and names those that nothing tests.
//!
//! A guard, a transaction, an outbox, an idempotency key, a condition on a write, a late acknowledgement, an undo:
//! each is removed from the scenario by itself, and the same seeds are run again. What is counted then differs, or
//! the scenario does not test it.

use super::{Ending, ScenarioArguments, terminal};
use crate::experiment::mutation::{Lacking, Trial, mutate};
use crate::experiment::results::account::SourceLine;
use crate::experiment::results::mutation::Mutations;
use crate::model::compile::compile;
use crate::report::{mutation, text};
use crate::scenario::weaken::without_safeguard;
use crate::world::Limits;
use clap::Args;
use std::sync::atomic::AtomicBool;

/// Safeguards beyond these are not taken away.
const MOST_MUTANTS: usize = 200;

/// Take away one safeguard at a time and say which of them the scenario tests
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,
    /// Seed of all random numbers, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Independent replications of each, instead of the scenario's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub replications: Option<u32>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Most events that one replication may take, looked at every 4096 events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: Option<u64>,
}

pub fn run(arguments: &Arguments) -> Ending {
    let Some((sources, scenario)) = arguments.scenario.read() else { return Ending::Unusable };
    let whole = compile(&scenario, &sources);
    let mut lacking = Vec::new();
    let mut number = 0;
    while let Some(weakened) = without_safeguard(&scenario, number) {
        number += 1;
        if lacking.len() < MOST_MUTANTS {
            let line = SourceLine {
                file: sources.get(weakened.span.file).name.clone(),
                line: sources.line_column(weakened.span).0 as u32,
            };
            let model = compile(&weakened.scenario, &sources);
            lacking.push(Lacking { lacks: weakened.lacks, line, model });
        }
    }
    let usual = Limits::default();
    let trial = Trial {
        seed: arguments.seed.unwrap_or(whole.seed),
        replications: arguments.replications.unwrap_or(whole.run.replications).max(1),
        limits: Limits { events: arguments.max_events.unwrap_or(usual.events), ..usual },
        // Nothing is kept of what is broken off: Ctrl-C ends the program.
        interrupt: &AtomicBool::new(false),
    };
    let mutants = match mutate(&whole, &lacking, &trial) {
        Ok(mutants) => mutants,
        Err(halt) => {
            terminal::complain(&format!("error: {}\n", text::visible(&halt.to_string())));
            return Ending::Unusable;
        }
    };
    let mutations = Mutations {
        scenario: scenario.name,
        file: arguments.scenario.file.display().to_string(),
        seed: trial.seed,
        replications: trial.replications,
        mutants,
        not_tried: number - lacking.len(),
    };
    terminal::say(&if arguments.json { mutation::json(&mutations) } else { mutation::text(&mutations) })
}
