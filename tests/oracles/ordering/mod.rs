//! Order: a planted bug for each measure with the exact count, the twin that differs by one merge patch and
//! counts nothing although as much could have gone wrong, and what looks like a bug and is none.

use super::exposures::as_written;
use eventflow::experiment::replication;
use eventflow::kernel::anomaly::Anomaly;
use eventflow::kernel::stream::StreamPlan;
use eventflow::model::{Model, compile};
use eventflow::observe::findings::Finding;
use eventflow::observe::oracles::ordering::{GroupOrder, OrderOracle};
use eventflow::scenario::open;
use eventflow::world::Limits;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Arrived, applied, regressed, illegal.
type Counts = [u64; 4];

struct Judged {
    findings: Vec<(Anomaly, Finding)>,
    groups: Vec<GroupOrder>,
}

impl Judged {
    fn counts(&self) -> Counts {
        [0, 1, 2, 3].map(|at| self.findings[at].1.count)
    }

    fn of(&self, anomaly: Anomaly) -> &Finding {
        &self.findings.iter().find(|(of, _)| *of == anomaly).expect("a measure of order").1
    }

    fn first(&self, anomaly: Anomaly) -> &str {
        &self.of(anomaly).first.as_ref().expect("it was seen").what
    }
}

fn model(name: &str) -> Model {
    let path = format!("{}/tests/oracles/ordering/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let (sources, mistakes, scenario) = open::read_scenario(Path::new(&path), &[]);
    let told =
        mistakes.list.iter().map(|mistake| format!("{}: {}", sources.text(mistake.span), mistake.message));
    let scenario = scenario.unwrap_or_else(|| panic!("{name}: {:#?}", told.collect::<Vec<_>>()));
    compile::compile(&scenario, &sources)
}

fn replicate(model: &Model, seed: u64) -> Judged {
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let mut oracle = OrderOracle::new(model);
    let agenda = replication::agenda(model, &plan, seed, 0);
    replication::replicate(model, agenda, &mut oracle, Limits::default(), &AtomicBool::new(false))
        .expect("it ends");
    assert_eq!(oracle.held(), [0, 0, 0], "everything is forgotten when all is quiet");
    let judged = oracle.finish();
    Judged { findings: judged.findings.into(), groups: judged.groups }
}

/// What is found, the same under every seed.
fn judge(name: &str) -> Judged {
    let model = model(name);
    let judged = replicate(&model, 1);
    as_written(judged.findings.iter().map(|(of, finding)| (of.name(), finding)), name);
    for seed in 2..=30 {
        let again = replicate(&model, seed);
        assert_eq!(again.counts(), judged.counts(), "{name} under seed {seed}");
    }
    judged
}

/// Nothing is found, although it could have been.
fn is_silent(name: &str, exposed: Anomaly) {
    let judged = judge(name);
    assert_eq!(judged.counts(), [0; 4], "{name}: {:?}", judged.findings);
    assert!(judged.of(exposed).exposures > 0, "{name} shows nothing");
    assert_eq!(judged.of(exposed).unsettled, 0, "{name}");
}

#[test]
fn an_older_price_over_a_newer_one() {
    let judged = judge("price");
    assert_eq!(judged.counts(), [0, 1, 1, 0]);
    assert_eq!(judged.of(Anomaly::Regressed).exposures, 2, "both were under way together");
    assert_eq!(
        judged.first(Anomaly::Regressed),
        "catalogue.prices[7].price: 20 → 10 by PriceSet of 1s, over PriceSet of 1.02s"
    );
    assert_eq!(
        judged.first(Anomaly::AppliedOutOfOrder),
        "prices → catalogue, key 7: PriceSet of 1s was applied after PriceSet of 1.02s"
    );
    is_silent("price_guarded", Anomaly::Regressed);
}

#[test]
fn additions_in_another_order_do_no_harm() {
    for name in ["price_added", "price_read_and_added"] {
        let judged = judge(name);
        assert_eq!(judged.counts(), [0, 1, 0, 0], "{name}: {:?}", judged.findings);
        assert_eq!(judged.of(Anomaly::Regressed).exposures, 2);
    }
}

#[test]
fn a_sum_with_what_has_been_replaced_since_takes_it_away() {
    assert_eq!(judge("price_read_too_early").counts(), [0, 1, 1, 0]);
}

#[test]
fn the_value_that_is_there_and_an_incidental_column_do_not_go_back() {
    let judged = judge("price_touched");
    assert_eq!(judged.counts(), [0, 0, 0, 0], "{:?}", judged.findings);
    assert_eq!(judged.of(Anomaly::Regressed).exposures, 2);
}

#[test]
fn an_older_price_delivered_again() {
    let judged = judge("price_redelivered");
    assert_eq!(judged.counts(), [0, 0, 1, 0], "{:?}", judged.findings);
    is_silent("price_redelivered_guarded", Anomaly::Regressed);
}

#[test]
fn an_older_price_that_was_passed_on() {
    let judged = judge("price_passed_on");
    assert_eq!(judged.counts(), [0, 0, 1, 0], "{:?}", judged.findings);
    assert_eq!(
        judged.first(Anomaly::Regressed),
        "catalogue.prices[7].price: 20 → 10 by PriceSet of 1s, over PriceSet of 1.02s"
    );
    assert_eq!(judge("price_passed_on_guarded").counts(), [0; 4]);
}

#[test]
fn a_row_that_comes_back_after_its_deletion() {
    let judged = judge("deleted");
    assert_eq!(judged.counts(), [0, 1, 1, 0], "{:?}", judged.findings);
    assert_eq!(
        judged.first(Anomaly::Regressed),
        "view.things[7]: back by Changed of 2s, deleted by Deleted of 2.02s"
    );
    assert_eq!(judge("deleted_redelivered").counts(), [0, 0, 1, 0], "delivered again, it is as bad");
    is_silent("deleted_marked", Anomaly::Regressed);
}

#[test]
fn a_deletion_that_comes_too_late() {
    let judged = judge("deleted_too_late");
    assert_eq!(judged.counts(), [0, 1, 1, 0], "{:?}", judged.findings);
    assert_eq!(
        judged.first(Anomaly::Regressed),
        "view.things[7]: deleted by Deleted of 2s, over Changed of 2.02s"
    );
}

#[test]
fn a_lifecycle_that_runs_backwards() {
    let judged = judge("shipped");
    assert_eq!(judged.counts(), [0, 0, 0, 1], "keys differ: no order was promised; {:?}", judged.findings);
    assert_eq!(judged.of(Anomaly::IllegalTransitions).exposures, 1);
    assert_eq!(judged.first(Anomaly::IllegalTransitions), "view.orders[1].status: shipped → created");
    is_silent("shipped_one_key", Anomaly::IllegalTransitions);
}

#[test]
fn a_view_that_asks_back_may_miss_a_state() {
    let judged = judge("asked_back");
    assert_eq!(judged.counts(), [0, 0, 0, 0], "{:?}", judged.findings);
    assert_eq!(judged.of(Anomaly::IllegalTransitions).exposures, 3, "two at the source, one in the view");
}

#[test]
fn order_is_that_of_commits_and_not_of_publishing() {
    let judged = judge("committed_late");
    assert_eq!(
        judged.counts(),
        [0, 1, 1, 0],
        "the one committed first was handled slowly: {:?}",
        judged.findings
    );
    let order = &judged.groups[0].order;
    assert_eq!((order.arrived(), order.reordered()), (2, 0));
}
