//! `eventflow sweep FILE --over rate=100/s..1000/s:10`: runs a scenario at many points and shows how it changes.
//!
//! Every point is read before the first is run, so that a value that the scenario cannot take is a mistake and not half a
//! result. Points are run a few at a time, all their replications on all threads; only what is told of them is held.

mod stage;

pub use stage::Stage;

use super::keeping::{Keeping, KeepingArguments, refuse_with_shard, shard_file};
use super::publish::{Publisher, Report};
use super::run::{SimulationArguments, complain, file_name, finish_shard};
use super::{Ending, ScenarioArguments, SettingArguments, terminal};
use crate::experiment::measures::measured;
use crate::experiment::results::data::{Data, DataColumn, DataPoint};
use crate::experiment::results::sweep::{Axis, Design, SweepResults};
use crate::experiment::run::{
    Failure, Replicated, RunOptions, Undertaking, replications_of, run_measured_kept, run_share,
};
use crate::experiment::stored::heading::{Command, Heading, ModelDigest, Shard};
use crate::experiment::stored::{FORMAT, Keeper, Place};
use crate::experiment::sweep::over::{Combination, Combinations, Over, grid, latin_hypercube};
use crate::experiment::sweep::{FoundPoint, Plan, found, results};
use crate::experiment::verdict::measure::wanted;
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::model::compile::compile;
use crate::report::{sweep, text};
use crate::scenario::diagnostic::closest;
use crate::world::Halt;
use clap::Args;
use stage::OfPoints;
use std::path::{Path, PathBuf};

/// Replications that are under way at once: enough for the threads never to wait for the last of a few points.
const REPLICATIONS_AT_ONCE: u32 = 256;
/// Names that a complaint lists.
const MOST_NAMES: usize = 12;

/// Run a scenario at many points and show how its figures change
///
/// `--over` varies a parameter, or anything else by its path: `rate=100/s..1000/s:10` (ten values), `...:10:log`
/// (each the same multiple of the one before), `workers=1..8`, `preset=kafka,sqs-fifo` (a list). Several make a grid, or
/// with --samples a Latin hypercube. All points draw the same random numbers.
///
/// Exit code: 0 if all verdicts at all points passed or are what the scenario expects, 1 if one is not or a point
/// came to no end, 2 if something cannot be used, 3 if a verdict is inconclusive.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,
    #[command(flatten)]
    pub simulation: SimulationArguments,
    #[command(flatten)]
    pub varied: VariedArguments,
    #[command(flatten)]
    pub keeping: KeepingArguments,
    #[command(flatten)]
    pub charts: ChartArguments,
    /// Folder for the report, which is a page (.sweep.html) and a file (.sweep.json) named after the scenario
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
    /// Folder for every measure of every replication as data frames, .csv and .parquet; else they are not written
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Arguments {
    /// That nothing was said that a shard would ignore.
    fn check(&self) -> Result<(), Ending> {
        let ChartArguments { measure, front } = &self.charts;
        let of_report = [
            ("--measure", !measure.is_empty()),
            ("--front", front.is_some()),
            ("--data", self.data.is_some()),
        ];
        if self.keeping.shard.is_some() { refuse_with_shard(&of_report) } else { Ok(()) }
    }
}

/// What is varied.
#[derive(Args, Debug)]
pub struct VariedArguments {
    /// Vary a parameter or a path; may be given again
    #[arg(long, value_name = "NAME=VALUES", required = true)]
    pub over: Vec<String>,
    /// Take N random points, a Latin hypercube, instead of all combinations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub samples: Option<u32>,
    /// Seed of the random points
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub design_seed: u64,
}

/// What of a sweep to show.
#[derive(Args, Debug)]
pub struct ChartArguments {
    /// Draw this measure (p99(shopper.response_time)) instead of those that one asks about first; may be given again
    #[arg(long, value_name = "NAME")]
    pub measure: Vec<String>,
    /// Two measures of which to show the points that no other point beats in both
    #[arg(long, value_name = "NAME", num_args = 2)]
    pub front: Option<Vec<String>>,
}

pub fn run(arguments: &Arguments) -> Ending {
    if let Err(ending) = arguments.check() {
        return ending;
    }
    let asked = Asked {
        file: &arguments.scenario.file,
        settings: &arguments.scenario.settings,
        varied: &arguments.varied,
        charts: &arguments.charts,
        options: arguments.simulation.options(),
    };
    let prepared = match asked.prepare(arguments.keeping.shard) {
        Ok(prepared) => prepared,
        Err(ending) => return ending,
    };
    let name = format!("{}.sweep", file_name(&prepared.plan.scenario));
    match arguments.keeping.shard {
        Some(shard) => run_one_shard(&asked, &prepared, shard, &name, arguments),
        None => run_all(&asked, prepared, &name, arguments),
    }
}

fn run_one_shard(
    asked: &Asked,
    prepared: &Prepared,
    shard: Shard,
    name: &str,
    arguments: &Arguments,
) -> Ending {
    let store = match shard_file(&arguments.out, name, &prepared.heading, shard) {
        Ok(store) => store,
        Err(ending) => return ending,
    };
    let points: Vec<u32> = (0..prepared.heading.points).filter(|point| shard.has(*point)).collect();
    let stage = Stage::new(arguments, prepared, points.len(), store.found());
    let done = asked.share(prepared, &points, &stage, &store);
    stage.clear();
    match done {
        Ok(done) => finish_shard(store, done),
        Err(ending) => ending,
    }
}

fn run_all(asked: &Asked, prepared: Prepared, name: &str, arguments: &Arguments) -> Ending {
    let keeping = Keeping::journal(&arguments.keeping, &arguments.out, name, &prepared.heading);
    let points: Vec<u32> = (0..prepared.heading.points).collect();
    let stage = Stage::new(arguments, &prepared, points.len(), keeping.found());
    let found = asked.find(&prepared, &points, &stage, &keeping);
    stage.clear();
    let found = match found {
        Ok(found) if found.points.is_empty() => {
            keeping.interrupted();
            return complain(&Failure::Interrupted);
        }
        Ok(found) => found,
        Err(ending) => return ending,
    };
    let results = results(prepared.plan, found.points);
    let partial = results.partial;
    let publisher = Publisher {
        out: &arguments.out,
        data: arguments.data.as_deref(),
        style: arguments.scenario.settings.color.style(),
        is_quiet: arguments.simulation.quiet,
    };
    let ending = tell(publisher, &results, found.data);
    match partial {
        true => keeping.interrupted(),
        false if ending != Ending::Unusable => keeping.over(),
        false => {}
    }
    ending
}

/// Tells what a sweep found, whoever ran it.
pub fn tell(publisher: Publisher, results: &SweepResults, points: Vec<DataPoint>) -> Ending {
    let (scenario, axes) = (results.scenario.clone(), results.axes.clone());
    let report = Report {
        name: &format!("{}.sweep", file_name(&results.scenario)),
        page: sweep::page(results),
        json: sweep::json(results),
        data: Some(Data { scenario, seed: results.seed, axes, points }),
        partial: results.partial,
        standing: results.standing(),
    };
    publisher.publish(&report, |style, written| sweep::text(results, style, written))
}

/// What was found at points.
#[derive(Default)]
pub struct FoundPoints {
    pub points: Vec<FoundPoint>,
    /// Every measure of every replication; empty if they are not to be written.
    pub data: Vec<DataPoint>,
}

/// What was asked for, whether it is run here or was by others.
pub struct Asked<'a> {
    pub file: &'a Path,
    pub settings: &'a SettingArguments,
    pub varied: &'a VariedArguments,
    pub charts: &'a ChartArguments,
    pub options: RunOptions,
}

/// What is known before anything is run.
pub struct Prepared {
    pub plan: Plan,
    pub heading: Heading,
    /// Of the model at each point.
    digests: Vec<String>,
    /// Of the first point.
    horizon: Nanos,
}

impl Asked<'_> {
    /// Reads the scenario at every point.
    ///
    /// # Errors
    ///
    /// [`Ending::Unusable`]; it was said why.
    pub fn prepare(&self, shard: Option<Shard>) -> Result<Prepared, Ending> {
        let Combinations { axes, points } = self.combinations().map_err(unusable)?;
        let mut digests = Vec::new();
        let mut first = None;
        for combination in &points {
            let model = self.read(&axes, &combination.values)?;
            digests.push(digest(&model));
            first.get_or_insert(model);
        }
        let first = first.expect("a design has a point");
        self.check_measures(&first).map_err(unusable)?;
        let heading = Heading {
            format: FORMAT,
            eventflow: env!("CARGO_PKG_VERSION").to_owned(),
            command: Command::Sweep,
            scenario: first.names.scenario.clone(),
            file: self.file.display().to_string(),
            settings: self.settings.settings.clone(),
            over: self.varied.over.clone(),
            samples: self.varied.samples,
            design_seed: self.varied.design_seed,
            seed: self.options.seed.unwrap_or(first.seed),
            replications: replications_of(&first, &self.options),
            points: points.len() as u32,
            max_events: self.options.limits.events,
            models: blake3::hash(digests.concat().as_bytes()).to_hex().to_string(),
            shard,
        };
        let plan = Plan {
            scenario: heading.scenario.clone(),
            about: first.names.about.clone(),
            file: heading.file.clone(),
            settings: heading.settings.clone(),
            design: if self.varied.samples.is_some() { Design::LatinHypercube } else { Design::Grid },
            axes,
            points,
            seed: heading.seed,
            replications: heading.replications,
            charted: self.charts.measure.clone(),
            front: self.charts.front.clone().and_then(|names| names.try_into().ok()),
        };
        Ok(Prepared { plan, heading, digests, horizon: first.run.horizon })
    }

    fn combinations(&self) -> Result<Combinations, String> {
        let over: Vec<Over> =
            self.varied.over.iter().map(|over| Over::read(over)).collect::<Result<_, _>>()?;
        match self.varied.samples {
            Some(samples) => latin_hypercube(&over, samples as usize, self.varied.design_seed),
            None => grid(&over),
        }
    }

    /// The scenario at a point; mistakes that it has there are shown.
    fn read(&self, axes: &[Axis], values: &[String]) -> Result<Model, Ending> {
        let mut settings = self.settings.settings.clone();
        settings.extend(axes.iter().zip(values).map(|(axis, value)| format!("{}={value}", axis.name)));
        let settings = SettingArguments { settings, color: self.settings.color };
        let (sources, scenario) = settings.read(self.file).ok_or(Ending::Unusable)?;
        Ok(compile(&scenario, &sources))
    }

    /// That the measures that were asked for are there.
    fn check_measures(&self, model: &Model) -> Result<(), String> {
        let known = measured(model, &wanted(model), &[]);
        let names = || known.iter().map(|measure| measure.name.as_str());
        for asked in self.charts.measure.iter().chain(self.charts.front.iter().flatten()) {
            if names().any(|name| name == asked) {
                continue;
            }
            let few: Vec<&str> = names().take(MOST_NAMES).collect();
            let help = match closest(asked, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {} …", few.join(", ")),
            };
            return Err(format!("nothing is measured that is called `{asked}`; {help}"));
        }
        Ok(())
    }

    /// Runs points and keeps what is told of them. Those that were interrupted are left out.
    ///
    /// # Errors
    ///
    /// [`Ending::Unusable`]; it was said why.
    pub fn find(
        &self,
        prepared: &Prepared,
        points: &[u32],
        stage: &Stage,
        keeper: &dyn Keeper,
    ) -> Result<FoundPoints, Ending> {
        let mut all = FoundPoints::default();
        for some in points.chunks(at_once(&prepared.plan)) {
            if stage.is_over() {
                break;
            }
            let models = self.models(prepared, some)?;
            let undertakings = undertakings(&models, &prepared.plan);
            let keeper = OfPoints { keeper, points: some };
            let outcomes = run_measured_kept(&undertakings, &self.options, stage, &stage.interrupt, &keeper);
            for (point, outcome) in some.iter().zip(&outcomes) {
                if let Err(failure @ Failure::NoThreads(_)) = outcome {
                    return Err(complain(failure));
                }
                let found = found(&prepared.plan, *point, outcome);
                if let (true, Some(_), Ok(replicated)) = (stage.with_data, &found, outcome) {
                    all.data.push(data_point(&prepared.plan, *point, replicated));
                }
                all.points.extend(found);
            }
            stage.passed(some.len() as u32 * prepared.plan.replications);
        }
        Ok(all)
    }

    /// Runs points, for others to put together.
    fn share(
        &self,
        prepared: &Prepared,
        points: &[u32],
        stage: &Stage,
        keeper: &dyn Keeper,
    ) -> Result<Result<Vec<(Place, Halt)>, Failure>, Ending> {
        let replications = prepared.plan.replications;
        let mut halted = Vec::new();
        for some in points.chunks(at_once(&prepared.plan)) {
            let models = self.models(prepared, some)?;
            let undertakings = undertakings(&models, &prepared.plan);
            let places: Vec<Place> = (0..some.len() as u32)
                .flat_map(|point| (0..replications).map(move |replication| Place { point, replication }))
                .collect();
            let keeper = OfPoints { keeper, points: some };
            match run_share(&undertakings, &places, &self.options, stage, &stage.interrupt, &keeper) {
                Ok(of_these) => {
                    halted.extend(of_these.into_iter().map(|(place, halt)| (keeper.place(place), halt)))
                }
                Err(failure) => return Ok(Err(failure)),
            }
            stage.passed(places.len() as u32);
        }
        Ok(Ok(halted))
    }

    /// Reads some points again: all at once may be too many to hold.
    fn models(&self, prepared: &Prepared, points: &[u32]) -> Result<Vec<Model>, Ending> {
        let read = |point: &u32| {
            let at = *point as usize;
            let model = self.read(&prepared.plan.axes, &prepared.plan.points[at].values)?;
            match digest(&model) == prepared.digests[at] {
                true => Ok(model),
                false => Err(unusable("the scenario was changed while it was run".to_owned())),
            }
        };
        points.iter().map(read).collect()
    }
}

fn data_point(plan: &Plan, point: u32, replicated: &Replicated) -> DataPoint {
    let Combination { values, numbers } = plan.points[point as usize].clone();
    DataPoint {
        number: point,
        values,
        numbers,
        replications: replicated.numbers.clone(),
        columns: replicated.measures.iter().map(DataColumn::of).collect(),
    }
}

fn undertakings<'a>(models: &'a [Model], plan: &'a Plan) -> Vec<Undertaking<'a>> {
    models.iter().map(|model| Undertaking { model, file: &plan.file }).collect()
}

fn digest(model: &Model) -> String {
    let mut digest = ModelDigest::default();
    digest.add(model);
    digest.finish()
}

fn at_once(plan: &Plan) -> usize {
    (REPLICATIONS_AT_ONCE / plan.replications).max(1) as usize
}

fn unusable(why: String) -> Ending {
    terminal::complain(&format!("error: {}\n", text::visible(&why)));
    Ending::Unusable
}
