//! `eventflow check FILE…`: simulates scenarios and says which of their promises held, for build servers.
//!
//! One line a verdict, in the order of the files. Nothing is written but what is asked for. A file with
//! mistakes is told and does not keep the others from being run; the worst of all files is the exit code.

use super::progress::Bar;
use super::run::{SimulationArguments, file_name, interrupt};
use super::terminal::Colour;
use super::write::{Output, write_whole};
use super::{Ending, SettingArguments, terminal};
use crate::experiment::account::gathered::{Wish, gather};
use crate::experiment::results::RunResults;
use crate::experiment::results::account::Accounts;
use crate::experiment::results::check::{CheckResults, CheckedFile, Trouble};
use crate::experiment::results::verdict::{Outcome, Place, Verdict};
use crate::experiment::run::{Failure, Undertaking, replications_of, run_all};
use crate::model::Model;
use crate::model::compile::compile;
use crate::report::terminal::Style;
use crate::report::{check, page, text};
use crate::scenario::diagnostic::Diagnostics;
use crate::scenario::open::read_scenario;
use crate::scenario::render;
use crate::scenario::source::Sources;
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Page of all verdicts.
const PAGE: &str = "check.html";

/// Simulate scenarios and say which of their promises held
///
/// Exit code: 0 if every verdict passed or is what the scenario expects, 1 if one is not, 2 if a file cannot be
/// used, 3 if a verdict is inconclusive or a file promises nothing. Of several files, 2 goes before 1, and 1
/// before 3.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Scenario files, in YAML or JSON
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub settings: SettingArguments,
    #[command(flatten)]
    pub simulation: SimulationArguments,
    /// For how many verdicts, of those that failed and should not have, to say how it came about; each takes several
    /// more runs of a replication
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=20))]
    pub accounts: u8,
    /// Also write the verdicts as a JUnit file
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Also print workflow commands, with which GitHub shows verdicts at their lines
    #[arg(long)]
    pub github: bool,
    /// Also write the verdicts as JSON; with `-`, print it in place of the lines
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Also write a page of all verdicts, check.html, and beside it the report of each file, named after its scenario
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Ending {
    let files: Vec<Result<Read, Box<CheckedFile>>> =
        arguments.files.iter().map(|file| read(file, arguments)).collect();
    let mut reports = arguments.out.as_deref().map(|folder| Reports::planned(folder, &files));
    if let Some(twice) = written_twice(arguments, reports.as_ref()) {
        let twice = text::visible(&twice.display().to_string());
        complain(
            &format!("error: two files of this check would be {twice}: give them names of their own\n"),
            arguments,
        );
        return Ending::Unusable;
    }
    let (checked, is_interrupted) = simulate(files, arguments, reports.as_mut());
    if is_interrupted && checked.iter().all(|file| file.run.is_none()) {
        complain(&format!("{}: nothing is written\n", Failure::Interrupted), arguments);
        return Ending::Interrupted;
    }
    let results = CheckResults::new(checked);
    if let Err(ending) = write(&results, reports, arguments) {
        return ending;
    }
    match say(&results, arguments) {
        Ending::Well if is_interrupted => Ending::Interrupted,
        Ending::Well => results.standing.into(),
        ending => ending,
    }
}

/// A path that two of the files to be written would have. Folders that differ in their case alone may be one.
fn written_twice(arguments: &Arguments, reports: Option<&Reports>) -> Option<PathBuf> {
    let asked = [arguments.junit.as_deref(), arguments.json.as_deref().filter(|_| !prints_json(arguments))];
    let pages = reports.into_iter().flat_map(Reports::paths);
    let mut seen = BTreeSet::new();
    let mut all = asked.into_iter().flatten().map(Path::to_owned).chain(pages);
    all.find(|path| {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        !seen.insert(whole.to_string_lossy().to_lowercase())
    })
}

/// A scenario that can be run.
struct Read {
    file: String,
    model: Model,
}

/// Reads a scenario; one with mistakes is told at once.
fn read(file: &Path, arguments: &Arguments) -> Result<Read, Box<CheckedFile>> {
    let (sources, mistakes, scenario) = read_scenario(file, &arguments.settings.settings);
    let name = file.display().to_string();
    let Some(scenario) = scenario else {
        let style = match arguments.settings.color.on_stderr() {
            true => render::Style::Coloured,
            false => render::Style::Plain,
        };
        complain(&render::render(&sources, &mistakes, style, terminal::width()), arguments);
        return Err(Box::new(CheckedFile::unusable(name, troubles(&sources, &mistakes))));
    };
    Ok(Read { file: name, model: compile(&scenario, &sources) })
}

fn troubles(sources: &Sources, mistakes: &Diagnostics) -> Vec<Trouble> {
    let trouble = |mistake: &crate::scenario::diagnostic::Diagnostic| {
        let (line, column) = sources.line_column(mistake.span);
        let file = sources.get(mistake.span.file).name.clone();
        let place = Place { file, line: line as u32, column: column as u32 };
        Trouble { place: Some(place), message: mistake.message.clone() }
    };
    mistakes.list.iter().map(trouble).collect()
}

/// The pages of the files, as they come.
struct Reports {
    folder: PathBuf,
    /// One for each file: the name of its page, if it can be run.
    names: Vec<Option<String>>,
    pages: Vec<(PathBuf, String)>,
}

impl Reports {
    /// Two scenarios may have one name, and one may be called `check`, as the page of all is.
    fn planned(folder: &Path, files: &[Result<Read, Box<CheckedFile>>]) -> Self {
        let mut names: Vec<Option<String>> = Vec::new();
        for file in files {
            let plain = file.as_ref().ok().map(|read| file_name(&read.model.names.scenario));
            let name = plain.map(|plain| {
                let mut numbered = (1..).map(|number| match number {
                    1 => format!("{plain}.html"),
                    _ => format!("{plain}-{number}.html"),
                });
                let is_free = |name: &String| {
                    let mut taken = names.iter().flatten().map(String::as_str).chain([PAGE]);
                    !taken.any(|it| it.eq_ignore_ascii_case(name))
                };
                numbered.find(is_free).expect("numbers do not end")
            });
            names.push(name);
        }
        Self { folder: folder.to_owned(), names, pages: Vec::new() }
    }

    /// Where pages may be written.
    fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.names.iter().flatten().map(String::as_str).chain([PAGE]).map(|name| self.folder.join(name))
    }

    fn add(&mut self, file: usize, results: &RunResults) {
        let name = self.names[file].as_ref().expect("what was run could be run");
        self.pages.push((self.folder.join(name), page::render(results)));
    }

    /// The page of all, which leads to the others.
    fn finish(mut self, results: &CheckResults) -> Vec<(PathBuf, String)> {
        for (name, _) in self.names.iter_mut().zip(&results.files).filter(|(_, file)| file.run.is_none()) {
            *name = None;
        }
        self.pages.push((self.folder.join(PAGE), check::page::render(results, &self.names)));
        self.pages
    }
}

/// Runs what can be run; all files in their order, and whether the user ended it.
fn simulate(
    files: Vec<Result<Read, Box<CheckedFile>>>,
    arguments: &Arguments,
    mut reports: Option<&mut Reports>,
) -> (Vec<CheckedFile>, bool) {
    let undertakings: Vec<Undertaking> =
        files.iter().flatten().map(|read| Undertaking { model: &read.model, file: &read.file }).collect();
    let options = arguments.simulation.options();
    let interrupt = interrupt();
    let outcomes = if arguments.simulation.quiet || undertakings.is_empty() {
        run_all(&undertakings, &options, &(), &interrupt)
    } else {
        let runs = undertakings.iter().map(|of| (of.model.run.horizon, replications_of(of.model, &options)));
        let bar = Bar::new(&runs.collect::<Vec<_>>());
        let outcomes = run_all(&undertakings, &options, &bar, &interrupt);
        bar.clear();
        outcomes
    };
    let mut outcomes = outcomes.into_iter();
    let mut is_interrupted = false;
    let mut checked = Vec::new();
    for (position, read) in files.into_iter().enumerate() {
        let Read { file, model } = match read {
            Ok(read) => read,
            Err(unusable) => {
                checked.push(*unusable);
                continue;
            }
        };
        checked.push(match outcomes.next().expect("an outcome for each file that can be run") {
            Ok(mut results) => {
                is_interrupted |= results.partial;
                results.settings.clone_from(&arguments.settings.settings);
                results.accounts = accounts(&model, &results, arguments);
                reports.iter_mut().for_each(|reports| reports.add(position, &results));
                CheckedFile::judged(results)
            }
            Err(Failure::Interrupted) => {
                is_interrupted = true;
                CheckedFile::interrupted(file)
            }
            Err(failure) => {
                let name = text::visible(&file);
                complain(&format!("error: {name}: {}\n", text::visible(&failure.to_string())), arguments);
                let trouble = Trouble { place: None, message: failure.to_string() };
                CheckedFile::unusable(file, vec![trouble])
            }
        });
    }
    (checked, is_interrupted)
}

/// How it came about that verdicts failed that should not have. A run that was broken off tells nothing.
fn accounts(model: &Model, results: &RunResults, arguments: &Arguments) -> Accounts {
    let is_unexpected =
        |verdict: &&Verdict| verdict.outcome == Outcome::Fail && verdict.standing() == Outcome::Fail;
    let unexpected = results.verdicts.iter().filter(is_unexpected).count();
    let most = unexpected.min(usize::from(arguments.accounts));
    if results.partial || most == 0 {
        return Accounts::default();
    }
    let options = arguments.simulation.options();
    let (threads, limits) = (options.threads, options.limits);
    // The runs are over: Ctrl-C ends the program.
    let interrupt = &AtomicBool::new(false);
    gather(&Wish { model, twin: None, most, threads, limits, interrupt }, results)
}

/// Whether the standard output is for the JSON alone.
fn prints_json(arguments: &Arguments) -> bool {
    arguments.json.as_deref() == Some(Path::new("-"))
}

/// Writes the files that were asked for, all or none.
fn write(results: &CheckResults, reports: Option<Reports>, arguments: &Arguments) -> Result<(), Ending> {
    let junit = arguments.junit.as_ref().map(|path| (path, check::junit::render(results)));
    let json = arguments.json.as_ref().filter(|_| !prints_json(arguments));
    let json = json.map(|path| (path, check::json(results)));
    let asked = [junit, json];
    let pages = reports.map(|reports| reports.finish(results)).unwrap_or_default();
    let asked = asked.iter().flatten().map(|(path, content)| (*path, content));
    let outputs: Vec<Output> = asked
        .chain(pages.iter().map(|(path, page)| (path, page)))
        .map(|(path, content)| Output { path, content: content.as_bytes() })
        .collect();
    write_whole(&outputs).map_err(|error| {
        complain(&format!("error: {}\n", text::visible(&error.to_string())), arguments);
        Ending::Unusable
    })
}

fn say(results: &CheckResults, arguments: &Arguments) -> Ending {
    let commands = if arguments.github { check::github::render(results) } else { String::new() };
    if prints_json(arguments) {
        // GitHub reads both streams.
        terminal::complain(&commands);
        return terminal::say(&check::json(results));
    }
    let Arguments { settings: SettingArguments { color, .. }, simulation, .. } = arguments;
    let lines = if simulation.quiet { String::new() } else { check::lines::render(results, style(*color)) };
    let lines = if arguments.github { check::github::inert(&lines) } else { lines };
    terminal::say(&(lines + &commands))
}

fn style(colour: Colour) -> Style {
    if colour.on_stdout() { Style::Coloured } else { Style::Plain }
}

fn complain(text: &str, arguments: &Arguments) {
    if arguments.github {
        terminal::complain(&check::github::inert(text));
    } else {
        terminal::complain(text);
    }
}
