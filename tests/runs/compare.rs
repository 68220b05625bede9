//! Designs held against each other: the same work, the same answers with independent draws, and what is clear.

use super::model_of;
use eventflow::experiment::compare::{Entrant, Trouble, compare};
use eventflow::experiment::replication::{agenda, replicate};
use eventflow::experiment::results::compare::{ComparedMeasure, Comparison, Draws};
use eventflow::experiment::results::measure::Role;
use eventflow::experiment::run::RunOptions;
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::model::Model;
use eventflow::world::Limits;
use eventflow::world::record::{Observer, Record};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Orders over a queue, and what is done with each before it is worked on.
fn shop(name: &str, workers: u32, steps: &str, faults: &str) -> String {
    format!(
        "
scenario: {name}
seed: 7
run: {{ horizon: 30s, warm_up: 2s, replications: 12, drain: 60s }}
messages:
  Buy: {{ kind: command, key: order, fields: {{ order: id }} }}
  Bought: {{ kind: integration, key: order, fields: {{ order: id }} }}
brokers: {{ rabbit: {{ preset: rabbitmq-classic, lease: {{ detect: 200ms }} }} }}
topics: {{ news: {{ messages: [ Bought ] }} }}
services:
  desk:
    workers: 4
    handlers:
      Buy: [ {{ work: {{ exponential: 10ms }} }}, {{ publish: Bought, to: news, with: message }}, reply ]
  stock:
    workers: {workers}
    store:
      tables:
        kept: {{ key: id, columns: {{ n: int }}, rows: [ {{ id: 1..2 }} ] }}
        handled: {{ key: id }}
    consumes: {{ news: {{ ack: after }} }}
    handlers:
      Bought:
{steps}
        - work: {{ lognormal: {{ median: 20ms, p99: 80ms }} }}
clients:
  shopper:
    arrivals: {{ poisson: 40/s }}
    calls: {{ desk: {{ timeout: 10s }} }}
    do: [ {{ let: {{ order: unique() }} }}, {{ call: desk.Buy, with: {{ order: order }} }} ]
{faults}
guarantees: {{ idempotency: {{ duplicate_effects: 0 }} }}
"
    )
}

const CRASHES: &str = "faults: { stock_crash: { crash: stock, every: { exponential: 3s }, for: 100ms } }";
const COUNT: &str = "        - { update: kept, key: 1, set: { n: row.n + 1 } }";
const COUNT_ONCE: &str = "        - transaction:
            - { insert: handled, key: message.order, else: [ stop ] }
            - { update: kept, key: 1, set: { n: row.n + 1 } }";

fn entrant(text: &str) -> Entrant {
    Entrant { file: "test.yaml".to_owned(), model: model_of(text), text: text.to_owned() }
}

fn compared(texts: &[String], draws: Draws) -> Comparison {
    let entrants: Vec<Entrant> = texts.iter().map(|text| entrant(text)).collect();
    compare(&entrants, draws, &RunOptions::default(), &(), &AtomicBool::new(false)).unwrap()
}

fn question<'c>(comparison: &'c Comparison, name: &str) -> &'c ComparedMeasure {
    comparison.questions.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// How long an instance worked on each obligation, first attempts that came to their end alone.
///
/// [`Work`] is an obligation at an instance.
#[derive(Default)]
struct Demands {
    begun: BTreeMap<u32, (Work, Nanos)>,
    tried: BTreeMap<Work, u32>,
    demands: BTreeMap<Work, Nanos>,
    redelivered: usize,
}

type Work = (u32, u64);

impl Observer for Demands {
    fn record(&mut self, now: Nanos, record: &Record) {
        match *record {
            Record::Started { instance, attempt, obligation, .. } => {
                let work = (instance.0, obligation);
                *self.tried.entry(work).or_insert(0) += 1;
                self.begun.insert(attempt, (work, now));
            }
            Record::Ended { attempt, .. } => {
                if let Some((work, began)) = self.begun.remove(&attempt)
                    && self.tried[&work] == 1
                {
                    self.demands.insert(work, now - began);
                }
            }
            Record::Delivered { again: true, .. } => self.redelivered += 1,
            _ => {}
        }
    }
}

fn demands(model: &Model) -> Demands {
    let mut demands = Demands::default();
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = agenda(model, &plan, model.seed, 0);
    replicate(model, agenda, &mut demands, Limits::default(), &AtomicBool::new(false)).unwrap();
    demands
}

/// With a crash in one design some orders are delivered again there; every other intent's call and delivery takes what
/// it takes in the other design, to the nanosecond.
#[test]
fn a_redelivery_leaves_the_draws_of_other_intents_alone() {
    let calm = demands(&model_of(&shop("calm", 64, "", "")));
    let crash = "faults: { stock_crash: { crash: stock, at: 10s, for: 100ms } }";
    let crashed = demands(&model_of(&shop("crashed", 64, "", crash)));
    assert!(calm.redelivered == 0 && crashed.redelivered > 0, "{}", crashed.redelivered);
    assert_eq!(
        calm.tried.keys().collect::<Vec<_>>(),
        crashed.tried.keys().collect::<Vec<_>>(),
        "both designs have the same work"
    );
    // What was on its way to the stock when it crashed is begun once, and is a second delivery all the same.
    let is_as_before = |(work, demand): (&Work, &Nanos)| {
        crashed.tried[work] == 1 && crashed.demands.get(work) == Some(demand)
    };
    let moved = calm.demands.iter().filter(|one| !is_as_before(*one)).count();
    assert!(calm.demands.len() > 2_000, "{}", calm.demands.len());
    assert!(moved <= crashed.redelivered, "{moved} moved, {} delivered again", crashed.redelivered);
}

/// A fourth worker saves a little, which the same draws show closely; with draws of their own the designs seem to differ by
/// far more, and the intervals of both ways overlap.
#[test]
fn the_same_draws_cut_the_variance_and_give_the_same_answer() {
    let texts = [shop("few", 3, "", ""), shop("many", 4, "", "")];
    let (common, independent) = (compared(&texts, Draws::Common), compared(&texts, Draws::Independent));
    for name in ["mean(news.stock.time_in_topic)", "p99(news.stock.time_in_topic)", "shopper.throughput"] {
        let of = |comparison: &Comparison| {
            let difference = comparison.questions.iter().find(|one| one.name == name)?.pairs[0].difference;
            Some((difference.mean?, difference.half_width?))
        };
        // What is alike in every replication is no question under the same draws: its difference is 0.
        let (mean, half) = of(&common).unwrap_or((0.0, 0.0));
        let (other, wide) = of(&independent).unwrap();
        assert!((mean - other).abs() <= half + wide, "{name}: {mean} ± {half}, {other} ± {wide}");
        assert!(half < wide, "{name}: {half} against {wide}");
    }
    assert!(common.unchanged.contains(&"shopper.throughput".to_owned()), "{:?}", common.unchanged);
    let factor =
        |of: &Comparison| question(of, "mean(news.stock.time_in_topic)").pairs[0].variance_reduction.unwrap();
    assert!(factor(&common) > 1.0 && (0.2..5.0).contains(&factor(&independent)));
    assert_eq!(independent.designs[1].run.seed, common.designs[1].run.seed + 1);
    assert_eq!(
        common.ranking.iter().map(|one| (one.design, one.place)).collect::<Vec<_>>(),
        [(1, 1), (0, 2)]
    );
    assert!(question(&common, "mean(news.stock.time_in_topic)").pairs[0].is_clear);
}

/// What is promised comes before what is fast, and nothing sets a design apart from itself.
#[test]
fn a_design_that_does_things_twice_comes_last() {
    let texts = [
        shop("careless", 8, COUNT, CRASHES),
        shop("guarded", 8, COUNT_ONCE, CRASHES),
        shop("careless", 8, COUNT, CRASHES),
    ];
    let comparison = compared(&texts, Draws::Common);
    let places: Vec<(usize, u32)> = comparison.ranking.iter().map(|one| (one.design, one.place)).collect();
    assert_eq!(places, [(1, 1), (0, 2), (2, 2)]);
    let twice = question(&comparison, "idempotency.duplicate_effects");
    assert_eq!(twice.role, Role::Counted);
    assert!(twice.pairs[0].is_clear && twice.pairs[0].difference.mean.unwrap() < 0.0);
    assert_eq!((twice.pairs[1].p_value, twice.pairs[1].is_clear), (Some(1.0), false));
    let promise = &comparison.promises[0];
    let [careless, guarded, _] = &promise.designs[..] else { panic!("{promise:?}") };
    let (careless, guarded) = (careless.as_ref().unwrap(), guarded.as_ref().unwrap());
    assert_eq!(guarded.violation.unwrap().broken, 0);
    assert!(careless.violation.unwrap().low > guarded.violation.unwrap().high);
    assert!(promise.pairs[0].is_clear && promise.pairs[0].only_second == 0);
    assert!((comparison.pair_confidence - (1.0 - 0.05 / 3.0)).abs() < 1e-12);
    let names: Vec<&str> = comparison.designs.iter().map(|design| design.name.as_str()).collect();
    assert_eq!(names, ["test.yaml #1", "test.yaml #2", "test.yaml #3"]);
    assert!(!comparison.differences[0].lines.is_empty() && comparison.differences[1].lines.is_empty());
}

#[test]
fn designs_run_for_the_same_time_or_not_at_all() {
    let entrants = [
        entrant(&shop("long", 8, "", "")),
        entrant(&shop("short", 8, "", "").replace("horizon: 30s", "horizon: 20s")),
    ];
    let outcome = compare(&entrants, Draws::Common, &RunOptions::default(), &(), &AtomicBool::new(false));
    assert!(matches!(outcome, Err(Trouble::Horizons(_))), "{outcome:?}");
}
