//! Isolation: each scenario file beside this one, and how often each measure counts in it. A repaired twin
//! counts nothing although attempts overlapped on its rows.

mod memory;
mod random;

use super::exposures::as_written;
use eventflow::experiment::replication::{agenda, replicate};
use eventflow::kernel::anomaly::Anomaly;
use eventflow::kernel::stream::StreamPlan;
use eventflow::model::{Model, compile};
use eventflow::observe::findings::Finding;
use eventflow::observe::oracles::isolation::Isolation;
use eventflow::scenario::diagnostic::Diagnostics;
use eventflow::scenario::resolved::Scenario;
use eventflow::scenario::source::Sources;
use eventflow::scenario::{open, render};
use eventflow::world::Limits;
use eventflow::world::record::Observer;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Compiles a scenario file of a folder below this crate's root.
pub fn model_of(path: &Path) -> Model {
    compiled(open::read_scenario(path, &[]))
}

/// Compiles a text.
pub fn model_of_text(text: &str) -> Model {
    compiled(open::read_text("test.yaml", text, &[]))
}

fn compiled((sources, diagnostics, scenario): (Sources, Diagnostics, Option<Scenario>)) -> Model {
    let Some(scenario) = scenario else {
        panic!("{}", render::render(&sources, &diagnostics, render::Style::Plain, 100))
    };
    compile::compile(&scenario, &sources)
}

/// Runs one replication of a model under an observer.
pub fn observe(model: &Model, replication: u32, observer: &mut dyn Observer) {
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = agenda(model, &plan, model.seed, replication);
    if let Err(halt) = replicate(model, agenda, observer, Limits::default(), &AtomicBool::new(false)) {
        panic!("{halt}");
    }
}

/// Lost updates, stale premises, conflict cycles.
type Three = [Finding; 3];

fn findings(name: &str) -> Three {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/isolation").join(name);
    let model = model_of(&path.with_extension("yaml"));
    let of_replication = |replication| {
        let mut isolation = Isolation::new(&model);
        observe(&model, replication, &mut isolation);
        assert_eq!(isolation.remembered(), (0, 0), "{name}: nothing is left behind");
        let findings = isolation.findings();
        assert_eq!(
            findings.clone().map(|(anomaly, _)| anomaly),
            [Anomaly::LostUpdates, Anomaly::StalePremises, Anomaly::ConflictCycles]
        );
        findings.map(|(_, finding)| finding)
    };
    let first = of_replication(0);
    as_written(["lost", "stale", "cycles"].into_iter().zip(&first), name);
    for replication in 1..20 {
        assert_eq!(of_replication(replication), first, "{name}: every replication plays the same race");
    }
    first
}

fn counts(name: &str) -> [u64; 3] {
    let findings = findings(name);
    assert!(findings.iter().all(|finding| finding.exposures > 0), "{name}: nobody met");
    for finding in &findings {
        assert_eq!(finding.first.is_some(), finding.count > 0, "{name}: a first one is told");
        assert!(finding.of >= finding.count);
    }
    findings.map(|finding| finding.count)
}

#[test]
fn updates_are_lost_by_reading_first_and_not_by_the_repaired_twins() {
    assert_eq!(counts("lost-update"), [1, 0, 1]);
    for twin in ["atomic", "compared", "snapshot", "locked"] {
        assert_eq!(counts(&format!("lost-update-{twin}")), [0, 0, 0], "{twin}");
    }
    assert_eq!(counts("lost-update-guarded-wrongly"), [1, 0, 1]);
    assert_eq!(counts("lost-update-ordered"), [1, 1, 1], "no less is not the same");
}

#[test]
fn a_sighting_names_the_row_and_what_took_the_place_of_what() {
    let [lost, ..] = findings("lost-update");
    let sighting = lost.first.unwrap();
    assert!(
        sighting.what.starts_with(
            "stock.stock[1]: amount = 6, version = 0 takes the place of amount = 6, version = 0"
        ),
        "{sighting:?}"
    );
    assert_ne!(sighting.obligation, 0);
}

#[test]
fn attempts_of_one_obligation_are_several() {
    assert_eq!(counts("zombie"), [1, 0, 1]);
}

#[test]
fn write_skew_is_a_cycle_unless_serializable_or_in_one_row() {
    let [lost, stale, cycles] = counts("off-call");
    assert_eq!((lost, stale, cycles), (0, 1, 1), "who commits second goes by what the first has replaced");
    assert_eq!(counts("off-call-serializable"), [0, 0, 0]);
    assert_eq!(counts("off-call-one-row"), [0, 0, 0]);
}

#[test]
fn a_decision_rests_on_what_was_read() {
    assert_eq!(counts("stale-premise"), [0, 1, 0]);
    assert_eq!(counts("stale-premise-one-transaction"), [0, 0, 0]);
}

#[test]
fn a_cached_amount_is_as_old_as_the_row_it_was_copied_from() {
    let [lost, stale, cycles] = findings("stale-cache");
    assert_eq!((lost.count, stale.count, cycles.count), (0, 1, 0), "the first sale was right");
    assert!(stale.first.unwrap().what.starts_with("stock.stock: "));
    assert_eq!(findings("stale-cache-asked").map(|finding| finding.count), [0, 0, 0]);
}

#[test]
fn the_textbook_deduplication_run_at_once_is_a_cycle() {
    assert_eq!(counts("look-then-add"), [0, 1, 1]);
    assert_eq!(counts("look-then-add-guarded"), [0, 0, 0]);
}

#[test]
fn additions_commute_and_values_that_are_set_do_not() {
    assert_eq!(counts("adds"), [0, 0, 0]);
    assert_eq!(counts("adds-that-set"), [0, 0, 1]);
}
