//! `eventflow compare A B …`: several designs under the same work, and which is better.

use super::publish::{Publisher, Report};
use super::run::{SimulationArguments, file_name, with_progress};
use super::{Ending, SettingArguments, show, terminal};
use crate::experiment::compare::{Entrant, MOST_DESIGNS, Trouble, compare, work};
use crate::experiment::results::compare::{Comparison, Draws};
use crate::experiment::run::Failure;
use crate::model::compile::compile;
use crate::report::compare::{json, terminal as summary};
use crate::report::page;
use crate::report::text;
use clap::Args;
use std::path::{Path, PathBuf};

/// Hold designs against each other under the same work
///
/// Every design runs under the same seed: the same arrivals, the same demands, the same faults. What differs is told
/// with its interval, and called clear only if chance does not explain it, with all that is asked at once.
///
/// Exit code: 0 if every verdict of every design passed or is what its scenario expects, 1 if one is not, 2 if a
/// file cannot be used or the designs do not run for the same time, 3 if a verdict is inconclusive.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Scenario files, in YAML or JSON, two to twelve; differences are told against those before them
    #[arg(required = true, num_args = 2..=MOST_DESIGNS, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub settings: SettingArguments,
    #[command(flatten)]
    pub simulation: SimulationArguments,
    /// Give each design random numbers of its own: the same answers, with wider intervals
    #[arg(long)]
    pub independent: bool,
    /// Folder for the report, which is a page (.html) and a file (.json) named after the designs
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
}

pub fn run(arguments: &Arguments) -> Ending {
    // All are read, so that all mistakes are told at once.
    let entrants: Vec<Option<Entrant>> = arguments.files.iter().map(|file| read(file, arguments)).collect();
    let Some(entrants) = entrants.into_iter().collect::<Option<Vec<Entrant>>>() else {
        return Ending::Unusable;
    };
    let options = arguments.simulation.options();
    let draws = if arguments.independent { Draws::Independent } else { Draws::Common };
    let compared =
        with_progress(&work(&entrants, &options), 0, arguments.simulation.quiet, |progress, interrupt| {
            compare(&entrants, draws, &options, progress, interrupt)
        });
    match compared {
        Ok(mut comparison) => {
            comparison.settings.clone_from(&arguments.settings.settings);
            for design in &mut comparison.designs {
                design.run.settings.clone_from(&arguments.settings.settings);
            }
            report(&comparison, arguments)
        }
        Err(trouble) => complain(&trouble),
    }
}

fn read(file: &Path, arguments: &Arguments) -> Option<Entrant> {
    let (sources, scenario) = arguments.settings.read(file)?;
    let model = compile(&scenario, &sources);
    let text = show::described(&scenario, &sources, &model);
    Some(Entrant { file: file.display().to_string(), model, text })
}

fn complain(trouble: &Trouble) -> Ending {
    let (told, ending) = match trouble {
        Trouble::Horizons(told) => {
            let help = "help: give all designs the same with --set run.horizon=10m";
            (format!("{}\n{help}", text::visible(told)), Ending::Unusable)
        }
        Trouble::Failed(_, failure @ Failure::Interrupted) => (failure.to_string(), Ending::Interrupted),
        Trouble::Failed(file, failure) => (text::visible(&format!("{file}: {failure}")), Ending::Unusable),
    };
    terminal::complain(&format!("error: {told}\n"));
    ending
}

fn report(comparison: &Comparison, arguments: &Arguments) -> Ending {
    let report = Report {
        name: &report_name(comparison),
        page: page::compare::render(comparison),
        json: json(comparison),
        data: None,
        partial: comparison.partial,
        standing: comparison.standing(),
    };
    let publisher = Publisher {
        out: &arguments.out,
        data: None,
        style: arguments.settings.color.style(),
        is_quiet: arguments.simulation.quiet,
    };
    publisher.publish(&report, |style, written| summary::render(comparison, style, written))
}

/// `chain-against-fan-out`, `chain-against-3-others`.
fn report_name(comparison: &Comparison) -> String {
    let first = &comparison.designs[0].name;
    let name = match &comparison.designs[1..] {
        [second] => format!("{}-against-{}", stem(first), stem(&second.name)),
        others => format!("{}-against-{}-others", stem(first), others.len()),
    };
    file_name(&name)
}

/// Of a design that is named after its path, the last part.
fn stem(name: &str) -> &str {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    last.char_indices().nth(40).map_or(last, |(end, _)| &last[..end])
}
