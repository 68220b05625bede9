//! A sweep: one scenario at many points, under the same seeds.
//!
//! All points draw the same random numbers, so that what differs between them is what was varied. A point is run as
//! any scenario is; what is kept of it are its estimates, what its verdicts came to and its digest. A design that
//! comes to no end at some point (an overload without bound) is told as such there, and the others go on.
//!
//! ```text
//! over     rate=100/s..1000/s:10, preset=kafka,sqs-fifo      ─▶ 20 points
//! points   each a model, run in its replications             ─▶ estimates with intervals
//! results  curves, heat maps, the knee of each curve, the front of two measures
//! ```

mod knees;
pub mod over;

use super::estimates::estimate;
use super::measures::Measured;
use super::results::Estimate;
use super::results::measure::{Role, Unit, Wanted};
use super::results::sweep::{Axis, Design, Front, PointResults, SWEEP_VERSION, SweepResults, SweptMeasure};
use super::results::verdict::Outcome;
use super::run::{CONFIDENCE, Failure, Replicated};
use crate::stats::confidence::Intervals;
use crate::stats::front::front;
use over::Combination;

/// Most measures that are drawn where nobody says which.
const MOST_CHARTED: usize = 8;

/// What is known of a sweep before it is run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub scenario: String,
    pub about: String,
    pub file: String,
    pub settings: Vec<String>,
    pub design: Design,
    pub axes: Vec<Axis>,
    pub points: Vec<Combination>,
    pub seed: u64,
    pub replications: u32,
    /// Measures to be drawn; empty: those that one asks about first, as far as they differ between points.
    pub charted: Vec<String>,
    /// The measures of the front. `None`: the first that is better the less, and the first that is better the more.
    pub front: Option<[String; 2]>,
}

/// What is kept of a point.
#[derive(Clone, Debug)]
pub struct FoundPoint {
    /// Without estimates, which belong to measures of all points.
    results: PointResults,
    estimates: Vec<(SweptMeasure, bool, Estimate)>,
}

/// What was found at a point. `None`: it was interrupted.
pub fn found(plan: &Plan, number: u32, outcome: &Result<Replicated, Failure>) -> Option<FoundPoint> {
    let Combination { values, numbers } = plan.points[number as usize].clone();
    let mut results = PointResults {
        number,
        values,
        numbers,
        digest: String::new(),
        events: 0,
        standing: Outcome::Fail,
        failed: Vec::new(),
        inconclusive: Vec::new(),
        trouble: None,
        estimates: Vec::new(),
    };
    let replicated = match outcome {
        Ok(replicated) if replicated.results.partial => return None,
        Ok(replicated) => replicated,
        Err(Failure::Interrupted | Failure::NoThreads(_)) => return None,
        Err(failure) => {
            results.trouble = Some(failure.to_string());
            return Some(FoundPoint { results, estimates: Vec::new() });
        }
    };
    let run = &replicated.results;
    let names = |outcome: Outcome| {
        let such = run.verdicts.iter().filter(|verdict| verdict.outcome == outcome);
        such.map(|verdict| verdict.name.clone()).collect::<Vec<String>>()
    };
    results.digest.clone_from(&run.digest);
    results.events = run.events;
    results.standing = run.standing();
    results.failed = names(Outcome::Fail);
    results.inconclusive = names(Outcome::Inconclusive);
    let intervals = Intervals::new(CONFIDENCE);
    let told = |measured: &Measured| {
        let Measured { name, unit, wanted, role, values } = measured;
        let measure = SweptMeasure { name: name.clone(), unit: *unit, wanted: *wanted, charted: false };
        (measure, *role != Role::Told, estimate(&intervals, values.iter().copied()))
    };
    Some(FoundPoint { results, estimates: replicated.measures.iter().map(told).collect() })
}

/// Puts the points that were found together, in their order.
pub fn results(plan: Plan, mut found: Vec<FoundPoint>) -> SweepResults {
    found.sort_by_key(|point| point.results.number);
    let mut digest = blake3::Hasher::new_derive_key("eventflow 2026 digest of a sweep");
    for point in &found {
        digest.update(&point.results.number.to_le_bytes()).update(point.results.digest.as_bytes());
    }
    let (mut measures, questions) = measures(&found);
    let points: Vec<PointResults> = found.into_iter().map(|point| aligned(point, &measures)).collect();
    for (at, measure) in measures.iter_mut().enumerate() {
        measure.charted = match plan.charted.is_empty() {
            true => questions[at] && differs(&points, at),
            false => plan.charted.contains(&measure.name),
        };
    }
    let charted = measures.iter_mut().filter(|measure| measure.charted);
    if plan.charted.is_empty() {
        charted.skip(MOST_CHARTED).for_each(|measure| measure.charted = false);
    }
    let knees = match plan.design {
        Design::Grid => knees::knees(&plan.axes, &measures, &points),
        Design::LatinHypercube => Vec::new(),
    };
    SweepResults {
        version: SWEEP_VERSION,
        eventflow: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: plan.scenario,
        about: plan.about,
        file: plan.file,
        settings: plan.settings,
        design: plan.design,
        seed: plan.seed,
        replications: plan.replications,
        points_asked: plan.points.len() as u32,
        partial: points.len() < plan.points.len(),
        confidence: CONFIDENCE,
        digest: digest.finalize().to_hex().to_string(),
        knees,
        front: front_of(plan.front, &measures, &questions, &points),
        axes: plan.axes,
        measures,
        points,
    }
}

/// All measures that any point has, in the order in which they first come, and whether one asks about each first.
fn measures(found: &[FoundPoint]) -> (Vec<SweptMeasure>, Vec<bool>) {
    let mut measures: Vec<SweptMeasure> = Vec::new();
    let mut questions = Vec::new();
    for (measure, is_question, _) in found.iter().flat_map(|point| &point.estimates) {
        // The points of a sweep mostly measure the same: what is new is rare.
        if !measures.iter().any(|known| known.name == measure.name) {
            measures.push(measure.clone());
            questions.push(*is_question);
        }
    }
    (measures, questions)
}

fn aligned(point: FoundPoint, measures: &[SweptMeasure]) -> PointResults {
    let FoundPoint { results, estimates } = point;
    let estimate_of = |(at, measure): (usize, &SweptMeasure)| {
        let here = estimates.get(at).filter(|(known, ..)| known.name == measure.name);
        let here = here.or_else(|| estimates.iter().find(|(known, ..)| known.name == measure.name));
        here.map_or(Estimate { mean: None, half_width: None, n: 0 }, |(.., estimate)| *estimate)
    };
    PointResults { estimates: measures.iter().enumerate().map(estimate_of).collect(), ..results }
}

/// Whether a measure is not the same at all points.
fn differs(points: &[PointResults], measure: usize) -> bool {
    let mut means = points.iter().map(|point| point.estimates[measure].mean);
    let first = means.next().flatten();
    means.any(|mean| mean != first)
}

fn front_of(
    asked: Option<[String; 2]>,
    measures: &[SweptMeasure],
    questions: &[bool],
    points: &[PointResults],
) -> Option<Front> {
    let named = |name: &str| measures.iter().position(|measure| measure.name == name);
    let first = |wanted: Wanted| {
        let such = |at: &usize| measures[*at].wanted == wanted && questions[*at] && differs(points, *at);
        let shape = |at: &usize| wanted == Wanted::More || measures[*at].unit == Unit::Seconds;
        (0..measures.len()).filter(such).find(shape)
    };
    let [one, other] = match &asked {
        Some([one, other]) => [named(one)?, named(other)?],
        None => [first(Wanted::Less)?, first(Wanted::More)?],
    };
    let value = |point: &PointResults, at: usize| {
        let mean = point.estimates[at].mean.unwrap_or(f64::NAN);
        if measures[at].wanted == Wanted::More { -mean } else { mean }
    };
    let places: Vec<(f64, f64)> =
        points.iter().map(|point| (value(point, one), value(point, other))).collect();
    Some(Front {
        measures: [one, other].map(|at| measures[at].name.clone()),
        points: front(&places).into_iter().map(|at| points[at].number).collect(),
    })
}
