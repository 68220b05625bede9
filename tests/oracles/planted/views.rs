//! The planted bugs of views: what never comes, what comes back, and what only looks like either.

use crate::oracles::Shop;
use crate::oracles::exposures::as_written;
use eventflow::experiment::replication;
use eventflow::kernel::stream::StreamPlan;
use eventflow::observe::promise::views::{ViewFindings, Views};
use eventflow::world::Limits;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What is found of the one view under many seeds; whether any key is wrong at the end is the same under all.
fn judge(text: &str) -> ViewFindings {
    const SEEDS: u64 = 20;
    let model = crate::engine::model(text);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let mut all = (1..=SEEDS).map(|seed| {
        let mut views = Views::new(&model).expect("a view");
        let agenda = replication::agenda(&model, &plan, seed, 0);
        replication::replicate(&model, agenda, &mut views, Limits::default(), &AtomicBool::new(false))
            .expect("it ends");
        views.findings().remove(0)
    });
    let first = all.next().expect("the first");
    let (lags, windows) = (first.lag.count(), first.window.count());
    as_written([("view", &first.finding)], &format!("| {} lags, {} windows", lags, windows));
    for other in all {
        assert_eq!(
            (other.disagreeing, other.finding.count),
            (first.disagreeing, first.finding.count),
            "{text}"
        );
    }
    first
}

/// Orders, and a table of them that `stock` keeps.
fn shop(placed: &'static str, consumes: &'static str, fault: &'static str) -> Shop {
    Shop { placed, consumes, fault, times: "[1s, 2s, 3s]", ..Shop::default() }
}

fn with_view(shop: &Shop) -> String {
    shop.text().replace(
        "handled: {",
        "seen: { key: order, columns: { order: int, qty: int } }\n        gone: { key: order, columns: { order: int }, bookkeeping: true }\n        handled: {",
    ) + "
guarantees:
  convergence:
    orders: { view: stock.seen, of: orders.orders, by: row.order, columns: { qty: row.qty }, within: 2m }
"
}

#[test]
fn a_projection_that_acknowledges_first_never_shows_what_it_was_cut_in() {
    const CRASH: &str =
        "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 2, for: 500ms } }";
    const APPLY: &str = "- { name: here, work: 1ms }\n        - { upsert: seen, key: message.order, set: { qty: message.qty } }";
    let found = judge(&with_view(&shop(APPLY, "ack: before", CRASH)));
    assert_eq!((found.disagreeing, found.finding.of), (1, 3), "{:?}", found.finding);
    assert!(found.finding.count > 0, "{:?}", found.finding);
    let found = judge(&with_view(&shop(APPLY, "ack: after", CRASH)));
    assert_eq!((found.disagreeing, found.finding.count), (0, 0), "{:?}", found.finding);
    assert!(found.finding.exposures > 0);
}

#[test]
fn a_late_update_brings_back_what_was_deleted() {
    // The order is called off at once; the message of it is handled slowly.
    let cancelled = |placed: &'static str| {
        let shop = Shop {
            place: "- { insert: orders, key: message.order, set: { qty: message.qty }, else: [ stop ] }
        - { publish: Placed, with: message }
        - { wait: 5ms }
        - { delete: orders, key: message.order }
        - { publish: Rejected, with: { order: message.order } }",
            ..shop(placed, "ack: after", "")
        };
        with_view(&shop).replace(
            "consumes: { placed: { ack: after } }",
            "consumes: { placed: { ack: after }, rejected: { ack: after } }",
        )
    };
    let found = judge(&cancelled(
        "- { wait: 100ms }
        - { upsert: seen, key: message.order, set: { qty: message.qty } }
      Rejected:
        - { delete: seen, key: message.order }",
    ));
    assert_eq!(found.disagreeing, 3, "every order is back: {:?}", found.finding);
    assert!(found.finding.count > 0);
    let found = judge(&cancelled(
        "- { wait: 100ms }
        - { read: gone, key: message.order, as: gone1 }
        - { if: gone1.exists, then: [ stop ] }
        - { upsert: seen, key: message.order, set: { qty: message.qty } }
      Rejected:
        - { upsert: gone, key: message.order }
        - { delete: seen, key: message.order }",
    ));
    assert_eq!(found.disagreeing, 0, "{:?}", found.finding);
    assert!(found.finding.exposures > 0);
}

#[test]
fn a_sum_that_is_always_a_little_behind_is_in_time() {
    let text = Shop {
        placed: "- { wait: 50ms }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
        ..Shop::default()
    }
    .text()
    .replace("arrivals: { times: [1s] }", "arrivals: { every: 20ms }")
    .replace("horizon: 1m", "horizon: 10s")
        + "
guarantees:
  convergence:
    reserved: { view: stock.items, of: orders.orders, by: 1, columns: { reserved: sum(row.qty) }, within: 1s }
";
    let found = judge(&text);
    assert_eq!((found.finding.count, found.disagreeing), (0, 0), "{:?}", found.finding);
    assert!(found.finding.of > 400 && found.finding.exposures > 0, "{:?}", found.finding);
}
