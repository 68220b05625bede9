//! What happens without something was run: the same draws, and nothing left out but that.

use super::*;
use eventflow::experiment::replication;
use eventflow::kernel::ids::FaultId;
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::model::Model;
use eventflow::observe::digest::Digest;
use eventflow::world::record::{Observer, Record};
use eventflow::world::without::Without;
use std::sync::Arc;

fn digest(model: &Model, without: Without) -> String {
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let mut digest = Digest::default();
    let agenda = replication::agenda(model, &plan, 1, 0);
    let interrupt = AtomicBool::new(false);
    replication::replicate_without(model, agenda, &mut digest, Limits::default(), &interrupt, without)
        .unwrap();
    digest.fingerprint().finish().to_string()
}

/// A crash that is left out leaves a run that is, record by record, the run of the scenario without it.
#[test]
fn without_its_only_firing_a_fault_might_as_well_not_be_there() {
    const RANDOM: &str = "faults: { f: { crash: stock, at: [1003ms], for: 1s } }";
    let with = crate::engine::model(&look_act_remember(RANDOM).text());
    let never = crate::engine::model(&look_act_remember("").text());
    let left_out = Without { firings: vec![(FaultId(0), 0)], deliveries: Vec::new() };
    assert_ne!(digest(&with, Without::default()), digest(&never, Without::default()));
    assert_eq!(digest(&with, left_out), digest(&never, Without::default()));
}

/// When instances went down and came up again.
#[derive(Default)]
struct Outages(Vec<Nanos>);

impl Observer for Outages {
    fn record(&mut self, now: Nanos, record: &Record) {
        if matches!(record, Record::InstanceDown { .. } | Record::InstanceUp { .. }) {
            self.0.push(now);
        }
    }
}

/// The second firing keeps its draws when the first is left out.
#[test]
fn later_firings_keep_their_numbers() {
    const TWICE: &str = "faults: { f: { crash: stock, at: [10s, 20s], for: { exponential: 3s } } }";
    let model = crate::engine::model(&look_act_remember(TWICE).text());
    let outages = |firings: Vec<(FaultId, u64)>| {
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let mut outages = Outages::default();
        let agenda = replication::agenda(&model, &plan, 1, 0);
        let interrupt = AtomicBool::new(false);
        let (limits, without) = (Limits::default(), Without { firings, deliveries: Vec::new() });
        replication::replicate_without(&model, agenda, &mut outages, limits, &interrupt, without).unwrap();
        outages.0
    };
    let all = outages(Vec::new());
    assert_eq!(all.len(), 4);
    assert_ne!(all[1] - all[0], all[3] - all[2], "their lengths are drawn");
    assert_eq!(outages(vec![(FaultId(0), 0)]), all[2..]);
    assert_eq!(outages(vec![(FaultId(0), 1)]), all[..2]);
}

#[test]
fn of_many_faults_only_the_needed_one_is_in_the_chain() {
    let account = first(&look_act_remember(CRASH_AMONG_OTHERS));
    let outcomes: Vec<_> = account.without.iter().map(|of| (of.left_out.as_str(), of.outcome)).collect();
    assert_eq!(
        outcomes,
        [
            ("f (crash stock) at 1.006300s", Instead::Passes),
            ("5 other firings of faults, together", Instead::StillFails),
            ("delivery 2", Instead::Passes),
        ]
    );
    assert!(account.is_minimal);
    let faults: Vec<&str> =
        account.chain.iter().filter(|link| link.part == Part::Fault).map(|link| link.who.as_str()).collect();
    assert_eq!(faults, ["f"]);
}

#[test]
fn without_the_second_delivery_torn_work_stays_torn() {
    let account = first(&mark_then_act());
    let delivery = account.without.iter().find(|of| of.left_out == "delivery 2").unwrap();
    assert_eq!(delivery.outcome, Instead::StillFails);
}

/// Two crashes of which either is enough: leaving out one changes nothing, and that is said.
#[test]
fn a_fault_that_another_stands_in_for_is_not_needed() {
    const FAULT: &str = "faults:
  one: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s }
  other: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 2, for: 1s }";
    let account = first(&look_act_remember(FAULT));
    assert!(account.without.iter().all(|of| !of.left_out.starts_with("other")), "{:?}", account.without);
}
