//! Promises about rows, judged over whole runs: broken by a planted bug, kept by its repaired twin.

use super::Shop;
use super::exposures::as_written;
use eventflow::experiment::replication;
use eventflow::kernel::stream::StreamPlan;
use eventflow::observe::findings::Finding;
use eventflow::observe::oracles::Oracles;
use eventflow::observe::promise::invariants::Invariants;
use eventflow::observe::promise::views::{ViewFindings, Views};
use eventflow::world::Limits;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// An instance of `stock` crashes when it has reserved and not remembered, or not acknowledged.
const PROMISES: &str = "
faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 3, for: 1s } }
guarantees:
  convergence:
    reserved: { view: stock.items, of: orders.orders, by: 1, columns: { reserved: sum(row.qty) }, within: 2m }
invariants:
  adds_up: { at_end: sum(stock.items.reserved) == sum(orders.orders.qty) }
  few: { always: 'row.reserved <= sum(orders.orders.qty)', for_each: stock.items }
  not_negative: { always: row.reserved >= 0, for_each: stock.items }
  follows: { eventually: sum(stock.items.reserved) >= sum(orders.orders.qty), within: 2m }
";

/// What is found of the invariants, in their order, and of the view.
fn judge(placed: &'static str) -> (Vec<Finding>, ViewFindings) {
    let times = "[1s, 2s, 3s, 4s, 5s]";
    let model = crate::engine::model(&Shop { placed, fault: PROMISES, times, ..Shop::default() }.text());
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let judges = (Invariants::new(&model).expect("invariants"), Views::new(&model).expect("a view"));
    let mut judges = judges;
    let agenda = replication::agenda(&model, &plan, 1, 0);
    replication::replicate(&model, agenda, &mut judges, Limits::default(), &AtomicBool::new(false))
        .expect("it ends");
    let (invariants, view) = (judges.0.findings(), judges.1.findings().remove(0));
    // All judges together say the same, in the order of the promises.
    let mut all = Oracles::new(&model);
    let agenda = replication::agenda(&model, &plan, 1, 0);
    replication::replicate(&model, agenda, &mut all, Limits::default(), &AtomicBool::new(false))
        .expect("it ends");
    let (findings, meters) = all.finish();
    assert_eq!(findings.promises, [std::slice::from_ref(&view.finding), &invariants[..]].concat());
    assert_eq!((meters.views[0].changes, meters.views[0].disagreeing), (view.finding.of, view.disagreeing));
    let names = ["adds_up", "few", "not_negative", "follows", "reserved"];
    as_written(names.into_iter().zip(invariants.iter().chain([&view.finding])), "");
    (invariants, view)
}

#[test]
fn what_is_done_twice_breaks_what_should_add_up() {
    let (invariants, view) = judge(
        "- { read: handled, key: message.id, as: seen }
        - { if: seen.exists, then: [ stop ] }
        - { name: here, update: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { insert: handled, key: message.id }",
    );
    let counts: Vec<u64> = invariants.iter().map(|finding| finding.count).collect();
    assert_eq!(counts, [1, 1, 0, 0], "{invariants:?}");
    assert!(invariants.iter().all(|finding| finding.exposures > 0), "{invariants:?}");
    let adds_up = invariants[0].first.as_ref().expect("it is broken");
    assert!(
        adds_up.what.ends_with("sum(stock.items.reserved) = 12, sum(orders.orders.qty) = 10"),
        "{adds_up:?}"
    );
    let few = invariants[1].first.as_ref().expect("it is broken");
    assert!(few.at < adds_up.at && few.obligation != 0, "{few:?}");
    assert_eq!((view.finding.of, view.finding.exposures, view.disagreeing), (5, 5, 1));
    assert!(view.finding.count > 0);
}

#[test]
fn what_is_done_once_adds_up_though_the_same_crash_came() {
    let (invariants, view) = judge(
        "- { name: here, transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
    );
    assert!(invariants.iter().all(|finding| finding.count == 0 && finding.exposures > 0), "{invariants:?}");
    assert_eq!((view.finding.count, view.finding.of, view.disagreeing), (0, 5, 0));
    assert_eq!((view.lag.count(), view.convergence.count()), (5, 1));
}
