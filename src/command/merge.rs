//! `eventflow merge FILE…`: puts the shards of an experiment together.
//!
//! The result is that of one machine, bit for bit: it is made of the same replications in the same order, by the same
//! code. Nothing is simulated but the counterexamples that a page tells. Whatever is wrong with the files is said at once, each with the file
//! or the shard that it is about.

use super::publish::Publisher;
use super::run::{ReportArguments, Telling, complain, simulated};
use super::store::Store;
use super::sweep::{Asked, ChartArguments, Stage, VariedArguments, tell};
use super::terminal::Colour;
use super::{Ending, SettingArguments, terminal};
use crate::experiment::account::TwinDesign;
use crate::experiment::run::{RunOptions, Undertaking};
use crate::experiment::stored::heading::{Command, Heading, ModelDigest, Shard};
use crate::experiment::stored::{Keeper, Kept, Place};
use crate::experiment::sweep::results;
use crate::model::compile::compile;
use crate::report::text;
use crate::world::Limits;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Things of one kind that a complaint lists.
const MOST_LISTED: usize = 8;

/// Put the shards of a run or a sweep together, as if one machine had done it all
///
/// Takes the files that `run --shard` or `sweep --shard` have written, in any order. The scenario is read again, from
/// where the shards say that it was; it must be what they were made of.
///
/// Exit code: that of the run; 2 if a shard is missing, unfinished, doubled or of another experiment.
#[derive(Args, Debug)]
pub struct Arguments {
    /// All shards of one experiment
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub report: ReportArguments,
    #[command(flatten)]
    pub charts: ChartArguments,
    /// Threads to gather counterexamples on; all processors if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// No summary
    #[arg(long)]
    pub quiet: bool,
    /// Whether to use colours
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
}

pub fn run(arguments: &Arguments) -> Ending {
    let mut mistakes = Vec::new();
    let shards = Shards::open(&arguments.files, &mut mistakes);
    if let Some(shards) = &shards {
        shards.check(&mut mistakes);
    }
    let Some(shards) = shards.filter(|_| mistakes.is_empty()) else {
        let lines = mistakes.iter().map(|mistake| format!("error: {}\n", text::visible(mistake)));
        terminal::complain(&lines.collect::<String>());
        return Ending::Unusable;
    };
    match shards.heading().command {
        Command::Run => merge_run(&shards, arguments),
        Command::Sweep => merge_sweep(&shards, arguments),
    }
}

fn merge_run(shards: &Shards, arguments: &Arguments) -> Ending {
    let heading = shards.heading();
    let settings = SettingArguments { settings: heading.settings.clone(), color: arguments.color };
    let Some((sources, scenario)) = settings.read(Path::new(&heading.file)) else { return Ending::Unusable };
    let twin = match settings.twin(arguments.report.twin.as_deref()) {
        Ok(twin) => twin,
        Err(ending) => return ending,
    };
    let model = compile(&scenario, &sources);
    let mut models = ModelDigest::default();
    models.add(&model);
    if models.finish() != heading.models {
        return changed(heading);
    }
    let options = options(heading, arguments);
    let undertaking = Undertaking { model: &model, file: &heading.file };
    let interrupt = AtomicBool::new(false);
    let with_data = arguments.report.data.is_some();
    match simulated(undertaking, &options, &(), &interrupt, shards, with_data) {
        Ok(found) if found.results.partial => damaged(),
        Ok(mut found) => {
            found.results.settings.clone_from(&heading.settings);
            let twin = twin.as_ref().map(|(file, model)| TwinDesign { model, file });
            let telling = Telling {
                report: &arguments.report,
                options,
                style: arguments.color.style(),
                is_quiet: arguments.quiet,
            };
            telling.tell(&model, twin, found)
        }
        Err(failure) => complain(&failure),
    }
}

fn merge_sweep(shards: &Shards, arguments: &Arguments) -> Ending {
    let heading = shards.heading();
    let settings = SettingArguments { settings: heading.settings.clone(), color: arguments.color };
    let varied = VariedArguments {
        over: heading.over.clone(),
        samples: heading.samples,
        design_seed: heading.design_seed,
    };
    let asked = Asked {
        file: Path::new(&heading.file),
        settings: &settings,
        varied: &varied,
        charts: &arguments.charts,
        options: options(heading, arguments),
    };
    let prepared = match asked.prepare(None) {
        Ok(prepared) if prepared.heading.models != heading.models => return changed(heading),
        Ok(prepared) => prepared,
        Err(ending) => return ending,
    };
    let points: Vec<u32> = (0..heading.points).collect();
    let stage = Stage::of_kept(arguments.report.data.is_some());
    match asked.find(&prepared, &points, &stage, shards) {
        Ok(found) if found.points.len() < points.len() => damaged(),
        Ok(found) => {
            let publisher = Publisher {
                out: &arguments.report.out,
                data: arguments.report.data.as_deref(),
                style: arguments.color.style(),
                is_quiet: arguments.quiet,
            };
            tell(publisher, &results(prepared.plan, found.points), found.data)
        }
        Err(ending) => ending,
    }
}

/// The options that the shards were made with.
fn options(heading: &Heading, arguments: &Arguments) -> RunOptions {
    RunOptions {
        precision: None,
        seed: Some(heading.seed),
        replications: Some(heading.replications),
        threads: arguments.threads.map(usize::from),
        limits: Limits { events: heading.max_events, ..Limits::default() },
    }
}

fn changed(heading: &Heading) -> Ending {
    let file = text::visible(&heading.file);
    terminal::complain(&format!(
        "error: {file} is not the scenario that the shards were made of: it, or a file that it extends, has changed \
         since\n"
    ));
    Ending::Unusable
}

fn damaged() -> Ending {
    terminal::complain("error: a shard holds what is no replication of this scenario: run it again\n");
    Ending::Unusable
}

/// The files of one experiment.
struct Shards(Vec<Store>);

impl Shards {
    /// Opens files and tells which cannot be used. `None`: none can.
    fn open(files: &[PathBuf], mistakes: &mut Vec<String>) -> Option<Self> {
        let mut stores = Vec::new();
        for file in files {
            match Store::read(file) {
                Ok(store) => stores.push(store),
                Err(refusal) => mistakes.push(format!("{}: {refusal}", file.display())),
            }
        }
        (!stores.is_empty()).then_some(Self(stores))
    }

    fn heading(&self) -> &Heading {
        self.0[0].heading()
    }

    /// Tells which shard is foreign, doubled, missing or not finished.
    fn check(&self, mistakes: &mut Vec<String>) {
        let first = self.heading();
        let own = |of: &Heading| of.shard.unwrap_or(Shard { number: 1, of: 1 });
        let of = own(first).of;
        let mut by_number: BTreeMap<u32, &Store> = BTreeMap::new();
        for store in &self.0 {
            if let Some(difference) = difference(first, store.heading()) {
                let (path, other) = (store.path().display(), self.0[0].path().display());
                mistakes.push(format!("{path} does not belong with {other}: {difference}"));
                continue;
            }
            let shard = own(store.heading());
            match by_number.insert(shard.number, store) {
                Some(twice) => mistakes.push(format!(
                    "shard {shard} is there twice: {} and {}",
                    twice.path().display(),
                    store.path().display()
                )),
                None => unfinished(store, shard, mistakes),
            }
        }
        let missing = (1..=of).filter(|number| !by_number.contains_key(number));
        let missing: Vec<String> = missing.map(|number| Shard { number, of }.to_string()).collect();
        if !missing.is_empty() {
            let (what, are) = if missing.len() == 1 { ("shard", "is") } else { ("shards", "are") };
            mistakes.push(format!("{what} {} {are} missing", listed(&missing)));
        }
    }
}

impl Keeper for Shards {
    fn kept(&self, place: Place) -> Option<Kept> {
        self.0.iter().find_map(|store| store.kept(place))
    }

    fn keep(&self, _: Place, _: &Kept) {}

    fn is_complete(&self) -> bool {
        true
    }
}

/// In what a shard is of another experiment than the first.
fn difference(first: &Heading, other: &Heading) -> Option<String> {
    let differs = |what: &str, ours: &str, theirs: &str| {
        (ours != theirs).then(|| format!("{what} {theirs}, not {ours}"))
    };
    let list = |of: &[String]| if of.is_empty() { "none".to_owned() } else { of.join(" ") };
    let shards = |of: &Heading| of.shard.map_or(1, |shard| shard.of).to_string();
    let samples = |of: &Heading| of.samples.map_or("none".to_owned(), |samples| samples.to_string());
    let command = |of: &Heading| match of.command {
        Command::Run => "run",
        Command::Sweep => "sweep",
    };
    differs("it is of a", command(first), command(other))
        .or_else(|| differs("it is of", &first.file, &other.file))
        .or_else(|| differs("it has settings", &list(&first.settings), &list(&other.settings)))
        .or_else(|| differs("it varies", &list(&first.over), &list(&other.over)))
        .or_else(|| differs("it has samples", &samples(first), &samples(other)))
        .or_else(|| {
            differs("it has design seed", &first.design_seed.to_string(), &other.design_seed.to_string())
        })
        .or_else(|| differs("it has seed", &first.seed.to_string(), &other.seed.to_string()))
        .or_else(|| {
            differs("it has replications", &first.replications.to_string(), &other.replications.to_string())
        })
        .or_else(|| {
            differs("it has most events", &first.max_events.to_string(), &other.max_events.to_string())
        })
        .or_else(|| differs("the number of shards is", &shards(first), &shards(other)))
        .or_else(|| {
            (first.models != other.models).then(|| "the scenario was another one when it was run".to_owned())
        })
}

/// Tells which replications a shard lacks. Those after one that halted are not run, and not missed.
fn unfinished(store: &Store, shard: Shard, mistakes: &mut Vec<String>) {
    let heading = store.heading();
    let there = store.places();
    let mut lacking = Vec::new();
    for point in 0..heading.points {
        let is_own = |replication: &u32| match heading.command {
            Command::Run => shard.has(*replication),
            Command::Sweep => shard.has(point),
        };
        for replication in (0..heading.replications).filter(is_own) {
            let place = Place { point, replication };
            if there.binary_search(&place).is_ok() {
                if matches!(store.kept(place), Some(Err(_))) {
                    break;
                }
                continue;
            }
            lacking.push(match heading.command {
                Command::Run => replication.to_string(),
                Command::Sweep => format!("{replication} of point {point}"),
            });
        }
    }
    if !lacking.is_empty() {
        let damage = match store.unsound_bytes() {
            0 => String::new(),
            bytes => format!(", and its last {bytes} bytes are no entry"),
        };
        mistakes.push(format!(
            "shard {shard} ({}) is not finished: it lacks replications {}{damage}; its command, run again, goes on from there",
            store.path().display(),
            listed(&lacking)
        ));
    }
}

fn listed(things: &[String]) -> String {
    let more = things.len().saturating_sub(MOST_LISTED);
    let few = things[..things.len() - more].join(", ");
    if more > 0 { format!("{few} and {more} more") } else { few }
}
