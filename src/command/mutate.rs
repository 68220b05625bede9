//! `eventflow mutate FILE`: takes away one safeguard at a time and names those that nothing tests.
//!
//! A guard, a transaction, an outbox, an idempotency key, a condition on a write, a late acknowledgement, an undo:
//! each is removed from the scenario by itself, and the same seeds are run again. Something goes worse then, or
//! the scenario does not test it.

use super::progress::Bar;
use super::run::{SimulationArguments, interrupt};
use super::{Ending, ScenarioArguments, terminal};
use crate::experiment::mutation::{Lacking, mutate};
use crate::experiment::results::account::SourceLine;
use crate::experiment::results::mutation::{Mutant, Mutations};
use crate::experiment::results::verdict::Outcome;
use crate::experiment::run::{CONFIDENCE, Failure, replications_of};
use crate::model::Model;
use crate::model::compile::compile;
use crate::report::{mutation, text};
use crate::scenario::weaken::without_safeguard;
use clap::Args;

/// Safeguards beyond these are not taken away.
const MOST_MUTANTS: usize = 200;

/// Take away one safeguard at a time and say which of them the scenario tests
///
/// A safeguard is tested if a promise is broken without it that was not before, or if something is counted more
/// often, beyond noise, in the same replications.
///
/// Exit code: 0 if every safeguard is tested, 1 if one is not, 2 if the file cannot be used, 3 if of one it cannot
/// be told, or if there is none to take away.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,
    #[command(flatten)]
    pub simulation: SimulationArguments,
    /// As JSON
    #[arg(long)]
    pub json: bool,
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
    let mutants = match simulate(&whole, &lacking, arguments) {
        Ok(mutants) => mutants,
        Err(failure) => return complain(&failure),
    };
    let options = arguments.simulation.options();
    let mutations = Mutations {
        scenario: scenario.name,
        file: arguments.scenario.file.display().to_string(),
        seed: options.seed.unwrap_or(whole.seed),
        replications: replications_of(&whole, &options),
        confidence: CONFIDENCE,
        mutants,
        not_tried: number - lacking.len(),
    };
    let said = match (arguments.json, arguments.simulation.quiet) {
        (true, _) => terminal::say(&mutation::json(&mutations)),
        (false, true) => Ending::Well,
        (false, false) => terminal::say(&mutation::text(&mutations)),
    };
    match (said, mutations.outcome()) {
        (Ending::Well, Outcome::Fail) => Ending::Failed,
        (Ending::Well, Outcome::Inconclusive) => Ending::Inconclusive,
        (said, _) => said,
    }
}

fn simulate(whole: &Model, lacking: &[Lacking], arguments: &Arguments) -> Result<Vec<Mutant>, Failure> {
    let options = arguments.simulation.options();
    let interrupt = interrupt();
    if arguments.simulation.quiet {
        return mutate(whole, lacking, &options, &(), &interrupt);
    }
    let models = [whole].into_iter().chain(lacking.iter().map(|of| &of.model));
    let runs = models.map(|model| (model.run.horizon, replications_of(model, &options)));
    let bar = Bar::new(&runs.collect::<Vec<_>>());
    let mutants = mutate(whole, lacking, &options, &bar, &interrupt);
    bar.clear();
    mutants
}

/// Nothing is kept of what was broken off.
fn complain(failure: &Failure) -> Ending {
    if *failure == Failure::Interrupted {
        terminal::complain("error: interrupted before all safeguards were tried\n");
        return Ending::Interrupted;
    }
    terminal::complain(&format!("error: {}\n", text::visible(&failure.to_string())));
    Ending::Unusable
}
