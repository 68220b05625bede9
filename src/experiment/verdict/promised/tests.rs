//! Which promise is judged by what, and what it relies on.

use super::Outcome::*;
use super::*;
use crate::experiment::verdict::measure::wanted;
use crate::model::compile::compile;
use crate::scenario::open::read_text;

const SHOP: &str = "\
scenario: shop
messages:
  Place: { kind: command, fields: { order: id } }
services:
  desk:
    store: { tables: { orders: { key: order, columns: { qty: int } }, view: { key: order, columns: { qty: int } } } }
    handlers: { Place: [ { insert: orders, key: message.order, set: { qty: 1 } } ] }
  attic: { instances: 2 }
clients:
  shopper: { arrivals: { poisson: 5/s }, do: [ { let: { order: unique() } }, { call: desk.Place, with: { order: order } } ] }
faults:
  desk_crash: { crash: desk, at: 1s, for: 1s }
  attic_crash: { crash: attic, at: 1s, for: 1s }
guarantees:
  idempotency: { duplicate_effects: 0, lost_effects: 2 }
  ordering: { regressed: 0.1% }
  convergence: { shown: { view: desk.view, of: desk.orders, columns: { qty: row.qty }, within: 90s, share: 99% } }
invariants:
  whole: { always: row.qty   >= 0, for_each: desk.orders }
  fast: { measure: p99(shopper.response_time) < 500ms }
expect: { ordering.regressed: fail }
";

fn model() -> Model {
    let (sources, mistakes, scenario) = read_text("shop.yaml", SHOP, &[]);
    let told: Vec<&str> = mistakes.list.iter().map(|mistake| mistake.message.as_str()).collect();
    compile(&scenario.unwrap_or_else(|| panic!("{told:?}")), &sources)
}

fn findings(of: impl Fn(Anomaly) -> Finding, others: &[Finding], hit: [bool; 2]) -> Findings {
    Findings {
        anomalies: Anomaly::ALL.iter().map(|&anomaly| of(anomaly)).collect(),
        promises: others.to_vec(),
        faults_that_hit: hit.to_vec(),
    }
}

fn outcomes(model: &Model, findings: &[Findings], figures: &[Option<f64>]) -> Vec<(String, Outcome)> {
    let found: Vec<Found> = findings
        .iter()
        .zip(0..)
        .map(|(findings, replication)| Found { replication, findings, figures })
        .collect();
    let measures = wanted(model);
    let asked = found.len() as u32;
    let trial = Trial { model, found: &found, asked, confidence: 0.95, measures: &measures };
    trial.verdicts().into_iter().map(|verdict| (verdict.name, verdict.outcome)).collect()
}

const EXPOSED: Finding = Finding {
    count: 0,
    exposures: 50,
    under_fault: None,
    of: 50_000,
    unsettled: 0,
    first: None,
    caveat: None,
};
const TWO: Finding = Finding { count: 2, ..EXPOSED };

#[test]
fn each_promise_is_judged_by_its_own_findings() {
    let model = model();
    let of = |anomaly| match anomaly {
        Anomaly::LostEffects => TWO,
        _ => EXPOSED,
    };
    let found = findings(of, &[EXPOSED, TWO, EXPOSED], [true, false]);
    let outcomes = outcomes(&model, &[found.clone(), found], &[Some(1e6)]);
    let expected = [
        ("idempotency.duplicate_effects", Pass),
        ("idempotency.lost_effects", Pass),
        ("ordering.regressed", Pass),
        ("convergence.shown", Pass),
        ("invariants.whole", Fail),
        ("invariants.fast", Pass),
    ];
    assert_eq!(outcomes, expected.map(|(name, outcome)| (name.to_owned(), outcome)));
}

/// Nobody calls the attic, so nothing relies on its crash; everything relies on the desk's.
#[test]
fn a_fault_that_aims_at_what_is_reached_must_hit() {
    let model = model();
    let found = findings(|_| EXPOSED, &[EXPOSED, EXPOSED, EXPOSED], [false, true]);
    let all = outcomes(&model, &[found.clone(), found], &[Some(1e6)]);
    assert!(all.iter().all(|(_, outcome)| *outcome == Inconclusive), "{all:?}");
    let reached = findings(|_| EXPOSED, &[EXPOSED, EXPOSED, EXPOSED], [true, false]);
    let missed = Findings { faults_that_hit: vec![false, false], ..reached.clone() };
    let all = outcomes(&model, &[missed, reached], &[Some(1e6)]);
    assert!(all.iter().all(|(_, outcome)| *outcome == Pass), "one replication is enough: {all:?}");
}

/// Two shops side by side: what one promises does not rely on the faults of the other.
#[test]
fn a_promise_relies_on_the_faults_on_its_path() {
    let text = "\
scenario: two
messages: { Place: { kind: command }, Put: { kind: command }, Look: { kind: query } }
services:
  desk:
    store: { tables: { orders: { key: order, columns: { qty: int } } } }
    handlers: { Place: [ { call: shelf.Look } ] }
  hall:
    store: { tables: { orders: { key: order, columns: { qty: int } } } }
    handlers: { Put: [ stop ] }
  shelf: { handlers: { Look: [ reply ] } }
clients:
  shopper: { arrivals: { poisson: 5/s }, do: [ { call: desk.Place } ] }
  guest: { arrivals: { poisson: 5/s }, do: [ { call: hall.Put } ] }
faults:
  one: { crash: desk, at: 1s }
  two: { crash: shelf, at: 1s }
  cut: { split: [guest, desk], at: 1s, for: 1s }
  rush: { surge: guest, by: 2, at: 1s, for: 1s }
invariants:
  a: { always: row.qty >= 0, for_each: desk.orders }
  b: { always: row.qty >= 0, for_each: hall.orders }
  c: { always: \"sum(hall.orders.qty) >= 0\" }
  d: { measure: p99(guest.response_time) < 1s }
  e: { measure: shelf.queue_length < 9 }
";
    let (sources, mistakes, scenario) = read_text("two.yaml", text, &[]);
    let told: Vec<&str> = mistakes.list.iter().map(|mistake| mistake.message.as_str()).collect();
    let model = compile(&scenario.unwrap_or_else(|| panic!("{told:?}")), &sources);
    let found = Findings { faults_that_hit: vec![false; 4], ..Findings::default() };
    let reliance = Reliance::new(&model, &[&found]);
    let relied_on = |name: &str| -> Vec<String> {
        let promise = model.promises.invariants.iter().find(|promise| promise.name == name).unwrap();
        let idle = reliance.idle_faults(&of_invariant(&model, promise));
        idle.iter().map(|told| told.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(relied_on("a"), ["one", "two"], "what it calls answers it");
    assert_eq!(relied_on("b"), ["rush"]);
    assert_eq!(relied_on("c"), ["rush"]);
    assert_eq!(relied_on("d"), ["rush"]);
    assert_eq!(relied_on("e"), ["one", "two"]);
    assert_eq!(reliance.idle_faults(&[Subject::Everything]).len(), 4, "a split of two that are at work");
}

#[test]
fn where_nobody_looked_nothing_passes() {
    let model = model();
    let found = Findings { faults_that_hit: vec![true, true], ..Findings::default() };
    let all = outcomes(&model, &[found.clone(), found], &[]);
    assert!(all.iter().all(|(_, outcome)| *outcome == Inconclusive), "{all:?}");
}

#[test]
fn a_promise_is_told_in_words_with_its_place() {
    let model = model();
    let trial = Trial { model: &model, found: &[], asked: 1, confidence: 0.95, measures: &[] };
    let verdicts = trial.verdicts();
    let bounds: Vec<&str> = verdicts.iter().map(|verdict| verdict.bound.as_str()).collect();
    assert_eq!(
        bounds,
        [
            "none in any replication",
            "at most 2 in each replication",
            "at most 0.1 %",
            "99 % of the changes shown within 90s",
            "always row.qty >= 0, for each row of desk.orders",
            "p99(shopper.response_time) < 500ms",
        ]
    );
    assert_eq!(verdicts[0].place, Place { file: "shop.yaml".to_owned(), line: 15, column: 18 });
    let expected: Vec<Option<Outcome>> = verdicts.iter().map(|verdict| verdict.expected).collect();
    assert_eq!(expected, [None, None, Some(Fail), None, None, None]);
}

#[test]
fn what_is_not_asked_for_is_told_once_somebody_counted() {
    let model = model();
    let found = findings(|_| TWO, &[], [true, true]);
    let unasked = |findings: &Findings| {
        let found = [Found { replication: 0, findings, figures: &[] }];
        let trial = Trial { model: &model, found: &found, asked: 1, confidence: 0.95, measures: &[] };
        trial.unasked()
    };
    let told = unasked(&found);
    assert_eq!(told.len(), Anomaly::ALL.len() - 3);
    assert!(told.iter().all(|one| one.tally.count == 2 && one.name != "ordering.regressed"));
    assert_eq!(told[0].name, "idempotency.torn_effects");
    assert_eq!(unasked(&Findings::default()), []);
}
