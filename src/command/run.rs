//! `eventflow run FILE`: simulates a scenario and reports what it found.
//!
//! The report is a page for people and a file for programs; the summary on the terminal says what matters
//! first. Nothing is written before all is done, so a mistake or a second Ctrl-C leaves the folder as it
//! was. How it ends is what its verdicts come to. After one Ctrl-C the replications that are finished are reported, and everything says so.

use super::progress::Bar;
use super::write::{Output, write_whole};
use super::{Ending, ScenarioArguments, terminal};
use crate::experiment::account::TwinDesign;
use crate::experiment::account::gathered::{Wish, gather};
use crate::experiment::results::RunResults;
use crate::experiment::results::account::Accounts;
use crate::experiment::results::check::Standing;
use crate::experiment::run::{Failure, RunOptions, replications_of, run as replicate};
use crate::model::Model;
use crate::model::compile::compile;
use crate::report::terminal::{Style, Written};
use crate::report::{json, page, terminal as summary, text};
use crate::world::Limits;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Simulate a scenario and write a report
///
/// A run in which work was left when the drain reached its limit ends well, with exit code 0: the summary and
/// the page note in how many replications, and what had not ended is counted as unfinished. A design that no
/// run can bear (a loop without delay, too many events, too much to keep) is an error, with exit code 2.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,
    #[command(flatten)]
    pub simulation: SimulationArguments,
    /// Of how many broken promises the first counterexample is told in full on the page; each takes the time of a few
    /// replications
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(0..=20))]
    pub accounts: u8,
    /// Another scenario that the accounts are held against: the design repaired, under the same seed and the same faults
    #[arg(long, value_name = "FILE")]
    pub twin: Option<PathBuf>,
    /// Folder for the report, which is a page (.html) and a file (.json) named after the scenario
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
}

/// How to simulate, whatever is done with the results.
#[derive(Args, Debug)]
pub struct SimulationArguments {
    /// Seed of all random numbers, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Independent replications, instead of the scenario's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub replications: Option<u32>,
    /// Threads to run them on; all processors if not given. The results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Most events that one replication may take, looked at every 4096 events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: Option<u64>,
    /// No progress bar and no summary
    #[arg(long)]
    pub quiet: bool,
}

impl SimulationArguments {
    pub fn options(&self) -> RunOptions {
        let usual = Limits::default();
        RunOptions {
            seed: self.seed,
            replications: self.replications,
            threads: self.threads.map(usize::from),
            limits: Limits { events: self.max_events.unwrap_or(usual.events), ..usual },
        }
    }
}

pub fn run(arguments: &Arguments) -> Ending {
    let Some((sources, scenario)) = arguments.scenario.read() else { return Ending::Unusable };
    let twin = match arguments.scenario.settings.twin(arguments.twin.as_deref()) {
        Ok(twin) => twin,
        Err(ending) => return ending,
    };
    let model = compile(&scenario, &sources);
    match simulate(&model, arguments) {
        Ok(mut results) => {
            results.settings.clone_from(&arguments.scenario.settings.settings);
            let twin = twin.as_ref().map(|(file, model)| TwinDesign { model, file });
            results.accounts = accounts(&model, twin, &results, arguments);
            report(&results, arguments)
        }
        Err(failure) => {
            // The message names services and handlers.
            terminal::complain(&format!("error: {}\n", text::visible(&failure.to_string())));
            match failure {
                Failure::Interrupted => Ending::Interrupted,
                Failure::Halted { .. } | Failure::NoThreads(_) => Ending::Unusable,
            }
        }
    }
}

fn simulate(model: &Model, arguments: &Arguments) -> Result<RunResults, Failure> {
    let options = arguments.simulation.options();
    let file = arguments.scenario.file.display().to_string();
    let interrupt = interrupt();
    if arguments.simulation.quiet {
        return replicate(model, &file, &options, &(), &interrupt);
    }
    let bar = Bar::new(&[(model.run.horizon, replications_of(model, &options))]);
    let results = replicate(model, &file, &options, &bar, &interrupt);
    bar.clear();
    results
}

/// The counterexamples that the page tells in full. A run that was broken off has none: nobody wants to wait for it.
fn accounts(
    model: &Model,
    twin: Option<TwinDesign>,
    results: &RunResults,
    arguments: &Arguments,
) -> Accounts {
    if results.partial {
        return Accounts::default();
    }
    let options = arguments.simulation.options();
    let wish = Wish {
        model,
        twin,
        most: usize::from(arguments.accounts),
        threads: options.threads,
        limits: options.limits,
        // The run is over: Ctrl-C ends the program.
        interrupt: &AtomicBool::new(false),
    };
    gather(&wish, results)
}

/// Set by the first Ctrl-C; the second one ends the program at once.
pub fn interrupt() -> Arc<AtomicBool> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let seen = interrupt.clone();
    let handled = ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
    });
    if let Err(error) = handled {
        terminal::complain(&format!("warning: Ctrl-C will end the run without a report: {error}\n"));
    }
    interrupt
}

/// Writes the report, then says what matters first.
fn report(results: &RunResults, arguments: &Arguments) -> Ending {
    let name = file_name(&results.scenario);
    let file = |extension: &str| arguments.out.join(format!("{name}.{extension}"));
    let (page, json) = (file("html"), file("json"));
    if let Err(ending) = write(results, &page, &json) {
        return ending;
    }
    if !arguments.simulation.quiet {
        let style = match arguments.scenario.settings.color.on_stdout() {
            true => Style::Coloured,
            false => Style::Plain,
        };
        let said = terminal::say(&summary::render(results, style, &Written { page: &page, json: &json }));
        if said != Ending::Well {
            return said;
        }
    }
    if results.partial { Ending::Interrupted } else { Standing::from(results.standing()).into() }
}

fn write(results: &RunResults, page_path: &Path, json_path: &Path) -> Result<(), Ending> {
    let (page, json) = (page::render(results), json::render(results));
    let outputs = [
        Output { path: page_path, content: page.as_bytes() },
        Output { path: json_path, content: json.as_bytes() },
    ];
    write_whole(&outputs).map_err(|error| {
        terminal::complain(&format!("error: {}\n", text::visible(&error.to_string())));
        Ending::Unusable
    })
}

/// A scenario's name as the name of a file in the folder that was asked for, and nowhere else.
fn file_name(scenario: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "-_ ".contains(letter) { letter } else { '_' };
    let name: String = scenario.chars().take(100).map(plain).collect();
    if name.trim().is_empty() { "scenario".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    /// A scenario cannot choose where its report goes.
    #[test]
    fn a_name_stays_in_its_folder() {
        assert_eq!(file_name("event-fan-out"), "event-fan-out");
        assert_eq!(file_name("../../etc/x.y"), "______etc_x_y");
        assert_eq!(file_name(" "), "scenario");
        assert!(file_name(&"a".repeat(10_000)).len() <= 100);
    }
}
