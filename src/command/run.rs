//! `eventflow run FILE`: simulates a scenario and reports what it found.
//!
//! The report is a page for people and a file for programs; the summary on the terminal says what matters
//! first. No report is written before all is done: a mistake leaves the folder as it was, and what ends the run leaves
//! a journal of the replications that were done, with which the same command goes on ([`super::keeping`]). How it ends
//! is what its verdicts come to. After one Ctrl-C the replications that are finished are reported, and everything says so.

use super::keeping::{Keeping, KeepingArguments, refuse_with_shard, shard_file};
use super::progress::Bar;
use super::publish::{Publisher, Report};
use super::store::Store;
use super::{Ending, ScenarioArguments, terminal};
use crate::experiment::account::TwinDesign;
use crate::experiment::account::gathered::{Wish, gather};
use crate::experiment::results::RunResults;
use crate::experiment::results::account::Accounts;
use crate::experiment::results::data::{Data, DataColumn, DataPoint};
use crate::experiment::run::{
    Failure, Progress, Replicated, RunOptions, Undertaking, replications_of, run_kept, run_measured_kept,
    run_share,
};
use crate::experiment::stored::heading::{Command, Heading, ModelDigest, Shard};
use crate::experiment::stored::{FORMAT, Keeper, Place};
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::model::compile::compile;
use crate::report::terminal::Style;
use crate::report::{json, page, terminal as summary, text};
use crate::stats::sequential::Precision;
use crate::world::{Halt, Limits};
use clap::Args;
use std::collections::BTreeSet;
use std::path::PathBuf;
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
    #[command(flatten)]
    pub stopping: StoppingArguments,
    #[command(flatten)]
    pub keeping: KeepingArguments,
    #[command(flatten)]
    pub report: ReportArguments,
}

/// When to stop, instead of after a number of replications.
#[derive(Args, Debug)]
pub struct StoppingArguments {
    /// As many replications as it takes until the half-width of the interval of every figure that one asks about first
    /// (throughput, success, mean and 99th percentile of response times and times in topics, what promises speak of) is
    /// at most this share of its mean, such as 2%
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with_all = ["replications", "shard"])]
    pub precision: Option<f64>,
    /// Most replications under --precision
    #[arg(
        long, value_name = "N", default_value_t = 1000, requires = "precision", conflicts_with = "shard",
        value_parser = clap::value_parser!(u32).range(2..=1_000_000)
    )]
    pub max_replications: u32,
}

impl Arguments {
    fn options(&self) -> RunOptions {
        RunOptions { precision: self.stopping.precision(), ..self.simulation.options() }
    }

    /// That nothing was said that a shard would ignore.
    fn check(&self) -> Result<(), Ending> {
        let ReportArguments { accounts, twin, data, .. } = &self.report;
        let of_report =
            [("--accounts", accounts.is_some()), ("--twin", twin.is_some()), ("--data", data.is_some())];
        if self.keeping.shard.is_some() { refuse_with_shard(&of_report) } else { Ok(()) }
    }
}

impl StoppingArguments {
    fn precision(&self) -> Option<Precision> {
        let relative = self.precision?;
        Some(Precision { relative, most: self.max_replications })
    }
}

/// A share in percent, above 0 and below 100: `2%`.
fn share(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    number
        .map(|percent| percent / 100.0)
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "a share is meant, above 0% and below 100%, such as 2%".to_owned())
}

/// Counterexamples that are told in full, if nothing else is said.
const ACCOUNTS: u8 = 6;

/// What to report, and where.
#[derive(Args, Debug)]
pub struct ReportArguments {
    /// Of how many broken promises the first counterexample is told in full on the page; each takes the time of a few
    /// replications; 6 if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=20))]
    pub accounts: Option<u8>,
    /// Another scenario that the accounts are held against: the design repaired, under the same seed and the same faults
    #[arg(long, value_name = "FILE")]
    pub twin: Option<PathBuf>,
    /// Folder for the report, which is a page (.html) and a file (.json) named after the scenario
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
    /// Folder for every measure of every replication as data frames, .csv and .parquet; else they are not written
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
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
            precision: None,
            threads: self.threads.map(usize::from),
            limits: Limits { events: self.max_events.unwrap_or(usual.events), ..usual },
        }
    }
}

pub fn run(arguments: &Arguments) -> Ending {
    if let Err(ending) = arguments.check() {
        return ending;
    }
    let Some((sources, scenario)) = arguments.scenario.read() else { return Ending::Unusable };
    let twin = match arguments.scenario.settings.twin(arguments.report.twin.as_deref()) {
        Ok(twin) => twin,
        Err(ending) => return ending,
    };
    let model = compile(&scenario, &sources);
    if let Some(shard) = arguments.keeping.shard {
        return run_one_shard(&model, shard, arguments);
    }
    let heading = heading(&model, None, arguments);
    let (out, name) = (&arguments.report.out, file_name(&model.names.scenario));
    let keeping = Keeping::journal(&arguments.keeping, out, &name, &heading);
    match simulate(&model, &keeping, arguments) {
        Ok(mut found) => {
            found.results.settings.clone_from(&arguments.scenario.settings.settings);
            let twin = twin.as_ref().map(|(file, model)| TwinDesign { model, file });
            let told = Telling {
                report: &arguments.report,
                options: arguments.options(),
                style: arguments.scenario.settings.color.style(),
                is_quiet: arguments.simulation.quiet,
            };
            let partial = found.results.partial;
            let ending = told.tell(&model, twin, found);
            match partial {
                true => keeping.interrupted(),
                false if ending != Ending::Unusable => keeping.over(),
                false => {}
            }
            ending
        }
        Err(failure) => {
            match failure {
                Failure::Halted { .. } => keeping.over(),
                Failure::Interrupted | Failure::NoThreads(_) => {}
            }
            complain(&failure)
        }
    }
}

/// Says why there is no result.
pub fn complain(failure: &Failure) -> Ending {
    // The message names services and handlers.
    terminal::complain(&format!("error: {}\n", text::visible(&failure.to_string())));
    match failure {
        Failure::Interrupted => Ending::Interrupted,
        Failure::Halted { .. } | Failure::NoThreads(_) => Ending::Unusable,
    }
}

fn heading(model: &Model, shard: Option<Shard>, arguments: &Arguments) -> Heading {
    let options = arguments.options();
    let mut models = ModelDigest::default();
    models.add(model);
    Heading {
        format: FORMAT,
        eventflow: env!("CARGO_PKG_VERSION").to_owned(),
        command: Command::Run,
        scenario: model.names.scenario.clone(),
        file: arguments.scenario.file.display().to_string(),
        settings: arguments.scenario.settings.settings.clone(),
        over: Vec::new(),
        samples: None,
        design_seed: 0,
        seed: options.seed.unwrap_or(model.seed),
        replications: replications_of(model, &options),
        points: 1,
        max_events: options.limits.events,
        models: models.finish(),
        shard,
    }
}

/// Runs the replications of one shard and writes them to its file.
fn run_one_shard(model: &Model, shard: Shard, arguments: &Arguments) -> Ending {
    let heading = heading(model, Some(shard), arguments);
    let name = file_name(&model.names.scenario);
    let store = match shard_file(&arguments.report.out, &name, &heading, shard) {
        Ok(store) => store,
        Err(ending) => return ending,
    };
    let of_shard = (0..heading.replications).filter(|replication| shard.has(*replication));
    let share: Vec<Place> = of_shard.map(|replication| Place { point: 0, replication }).collect();
    let undertaking = Undertaking { model, file: &heading.file };
    let runs = [(model.run.horizon, share.len() as u32)];
    let (options, quiet) = (arguments.options(), arguments.simulation.quiet);
    let done = with_progress(&runs, store.found(), quiet, |progress, interrupt| {
        run_share(&[undertaking], &share, &options, progress, interrupt, &store)
    });
    finish_shard(store, done)
}

/// The file of a shard as it is left, and what is said of it. A replication without an end leaves a run without a result,
/// whatever the other shards find; of a sweep it is what was found at its point.
pub fn finish_shard(store: Store, done: Result<Vec<(Place, Halt)>, Failure>) -> Ending {
    let (path, shard) = (store.path().to_owned(), store.heading().shard);
    let is_run = store.heading().command == Command::Run;
    let path = text::visible(&path.display().to_string());
    let count = store.places().len();
    if let Err(error) = store.finish() {
        terminal::complain(&format!("error: cannot write {path}: {error}\n"));
        return Ending::Unusable;
    }
    match done {
        Ok(halted) => {
            let shard = shard.map_or_else(String::new, |shard| format!("shard {shard}: "));
            match halted.first() {
                None => terminal::say(&format!("{shard}{count} replications in {path}\n")),
                Some((Place { replication, .. }, halt)) if is_run => {
                    complain(&Failure::Halted { replication: *replication, halt: halt.clone() })
                }
                Some(_) => {
                    let points: BTreeSet<u32> = halted.iter().map(|(place, _)| place.point).collect();
                    let points = match points.len() {
                        1 => "1 point came".to_owned(),
                        all => format!("{all} points came"),
                    };
                    terminal::say(&format!("{shard}{count} replications in {path}; {points} to no end\n"))
                }
            }
        }
        Err(Failure::Interrupted) => {
            terminal::complain(&format!(
                "interrupted: {count} replications are kept in {path}; the same command goes on from there\n"
            ));
            Ending::Interrupted
        }
        Err(failure) => complain(&failure),
    }
}

fn simulate(model: &Model, keeping: &Keeping, arguments: &Arguments) -> Result<Simulated, Failure> {
    let options = arguments.options();
    let file = arguments.scenario.file.display().to_string();
    let undertaking = Undertaking { model, file: &file };
    let runs = [(model.run.horizon, replications_of(model, &options))];
    let (quiet, with_data) = (arguments.simulation.quiet, arguments.report.data.is_some());
    with_progress(&runs, keeping.found(), quiet, |progress, interrupt| {
        simulated(undertaking, &options, progress, interrupt, keeping, with_data)
    })
}

/// Results, and every measure of every replication if they are to be written.
pub struct Simulated {
    pub results: RunResults,
    data: Option<Data>,
}

/// Runs a model, or puts together what is kept of it.
pub fn simulated(
    undertaking: Undertaking,
    options: &RunOptions,
    progress: &(dyn Progress + Sync),
    interrupt: &AtomicBool,
    keeper: &dyn Keeper,
    with_data: bool,
) -> Result<Simulated, Failure> {
    if !with_data {
        let mut results = run_kept(&[undertaking], options, progress, interrupt, keeper);
        let results = results.pop().expect("one result for each undertaking")?;
        return Ok(Simulated { results, data: None });
    }
    let mut found = run_measured_kept(&[undertaking], options, progress, interrupt, keeper);
    let Replicated { results, numbers, measures, .. } =
        found.pop().expect("one result for each undertaking")?;
    let point = DataPoint {
        number: 0,
        values: Vec::new(),
        numbers: Vec::new(),
        replications: numbers,
        columns: measures.iter().map(DataColumn::of).collect(),
    };
    let (scenario, seed) = (results.scenario.clone(), results.seed);
    let data = Some(Data { scenario, seed, axes: Vec::new(), points: vec![point] });
    Ok(Simulated { results, data })
}

/// Does something that Ctrl-C interrupts, under a progress bar unless it is to be quiet. `found` replications are
/// there already.
pub fn with_progress<T>(
    runs: &[(Nanos, u32)],
    found: usize,
    quiet: bool,
    work: impl FnOnce(&(dyn Progress + Sync), &AtomicBool) -> T,
) -> T {
    let interrupt = interrupt();
    if quiet {
        return work(&(), &interrupt);
    }
    let bar = Bar::new(runs).going_on(found as u32);
    let done = work(&bar, &interrupt);
    bar.clear();
    done
}

/// How the results of a run are told, whoever ran it.
pub struct Telling<'a> {
    pub report: &'a ReportArguments,
    pub options: RunOptions,
    pub style: Style,
    pub is_quiet: bool,
}

impl Telling<'_> {
    /// Gathers the counterexamples, writes the report, then says what matters first.
    pub fn tell(&self, model: &Model, twin: Option<TwinDesign>, found: Simulated) -> Ending {
        let Simulated { mut results, data } = found;
        results.accounts = self.accounts(model, twin, &results);
        let report = Report {
            name: &file_name(&results.scenario),
            page: page::render(&results),
            json: json::render(&results),
            data,
            partial: results.partial,
            standing: results.standing(),
        };
        let publisher = Publisher {
            out: &self.report.out,
            data: self.report.data.as_deref(),
            style: self.style,
            is_quiet: self.is_quiet,
        };
        publisher.publish(&report, |style, written| summary::render(&results, style, written))
    }

    /// The counterexamples that the page tells in full. A run that was broken off has none: nobody wants to wait for it.
    fn accounts(&self, model: &Model, twin: Option<TwinDesign>, results: &RunResults) -> Accounts {
        if results.partial {
            return Accounts::default();
        }
        let wish = Wish {
            model,
            twin,
            most: usize::from(self.report.accounts.unwrap_or(ACCOUNTS)),
            threads: self.options.threads,
            limits: self.options.limits,
            // The run is over: Ctrl-C ends the program.
            interrupt: &AtomicBool::new(false),
        };
        gather(&wish, results)
    }
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

/// Longest name of a file without its endings, in bytes. A file system takes 255, and the longest ending of a file while
/// it is written, `.sweep.shard-100000-of-100000`, comes to 40.
const LONGEST_NAME: usize = 200;

/// A scenario's name as the name of a file in the folder that was asked for, and nowhere else.
pub fn file_name(scenario: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "-_ ".contains(letter) { letter } else { '_' };
    let mut name: String = scenario.chars().take(100).map(plain).collect();
    name.truncate(name.floor_char_boundary(LONGEST_NAME));
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
        assert_eq!(file_name(&"价".repeat(100)), "价".repeat(66));
    }
}
