//! What the oracles measure, in the results of whole runs.

use super::{model_of, results_of};
use eventflow::experiment::results::RunResults;
use eventflow::experiment::results::Series;
use eventflow::experiment::results::verdict::Outcome;
use eventflow::experiment::run::RunOptions;

/// Orders are reserved in a view by whoever hears of them, twice if need be; prices are remembered, and
/// hear of changes late. Messages of a key overtake each other.
const NAIVE: &str = "
scenario: naive
seed: 1
run: { horizon: 20s, drain: 2m, replications: 3 }
messages:
  Place:    { kind: command, key: order, fields: { order: id, item: int } }
  Placed:   { kind: integration, key: item, fields: { order: id, item: int } }
  SetPrice: { kind: command, fields: { sku: int, price: int } }
  Show:     { kind: query, key: sku, fields: { sku: int }, reply: { price: int } }
  Changed:  { kind: integration, key: sku, fields: { sku: int, price: int } }
brokers: { broker: { preset: sqs-standard } }
topics: { placed: { messages: [ Placed ] }, changes: { messages: [ Changed ] } }
services:
  orders:
    workers: 4
    store:
      tables:
        orders: { key: order, columns: { item: int } }
        prices: { key: sku, columns: { price: int } }
    handlers:
      Place:
        - { insert: orders, key: message.order, set: { item: message.item } }
        - { publish: Placed, with: message }
      SetPrice:
        - { upsert: prices, key: message.sku, set: { price: message.price } }
        - { publish: Changed, with: message }
  stock:
    workers: 4
    store: { tables: { items: { key: item, columns: { reserved: int }, rows: [ { item: 1..2 } ] } } }
    memory: { cache: { key: sku, columns: { price: int } } }
    consumes: { placed: { ack: after }, changes: { ack: after } }
    handlers:
      Placed:
        - { update: items, key: message.item, set: { reserved: row.reserved + 1 } }
        - { work: 50ms }
      Changed:
        - { upsert: cache, key: message.sku, set: { price: message.price } }
      Show:
        - { read: cache, key: message.sku, as: cached }
        - { reply: { price: cached.price } }
clients:
  shopper:
    arrivals: { poisson: 20/s }
    do:
      - let: { order: unique(), item: { uniform: [1, 2] } }
      - { call: orders.Place, with: { order: order, item: item }, timeout: 2s, catch: { any: [ stop ] } }
  clerk:
    arrivals: { every: 500ms }
    do:
      - let: { price: { counter: 1 } }
      - { call: orders.SetPrice, with: { sku: 7, price: price } }
  looker:
    arrivals: { poisson: 20/s }
    do: [ { call: stock.Show, with: { sku: 7 }, catch: { any: [ stop ] } } ]
network: { default: { latency: { exponential: 20ms } } }
faults: { stock_crash: { crash: stock, at: 8s, for: 1s } }
guarantees:
  convergence:
    shown: { view: stock.items, of: orders.orders, by: row.item, columns: { reserved: count(row.item > 0) }, within: 1m }
  staleness: { orders.prices: { age: 50ms, versions: 500 } }
invariants:
  slow: { measure: p99(shown.lag) > 1ms && p50(shown.window) > 1ms }
  fresh: { measure: share(orders.prices.fresh_reads) > 1% && p99(orders.prices.staleness) > 1us }
  late: { measure: p50(orders.prices.staleness) < 1us }
";

fn results(threads: usize) -> RunResults {
    results_of(&model_of(NAIVE), RunOptions { threads: Some(threads), ..RunOptions::default() })
}

#[test]
fn everything_that_is_measured_is_told() {
    let results = results(1);
    let ends = &results.obligations;
    assert!(ends.owed > 1000);
    assert_eq!(ends.ends.iter().map(|end| end.count).sum::<u64>(), ends.owed, "each ends once");
    let shares: f64 = ends.ends.iter().filter_map(|end| end.share.mean).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    assert_eq!(ends.ends[0].share.n, 3);

    let view = &results.views[0];
    assert_eq!(
        (view.name.as_str(), view.of.as_str(), view.view.as_str()),
        ("shown", "orders.orders", "stock.items")
    );
    assert_eq!(view.lag.count, view.changes, "each change has its lag");
    assert!(view.window.count > 0 && view.lag.distribution.last().is_some_and(|last| last.1 == 1.0));

    let reads = &results.reads[0];
    assert_eq!(reads.table, "orders.prices");
    let stale = reads.stale.mean.expect("there were reads");
    assert!(stale > 0.0 && stale < 1.0 && reads.age.count > 0 && reads.age.count < reads.reads, "{stale}");
    assert!(reads.versions_max.mean >= Some(1.0));

    let placed = results.arrivals.iter().find(|of| of.topic == "placed").expect("messages have keys");
    assert!(placed.reordered.mean > Some(0.0) && placed.extents.len() == 8);
    let extents: f64 = placed.extents.iter().filter_map(|one| one.share.mean).sum();
    assert!((extents - 1.0).abs() < 1e-9, "{extents}");
    let density: f64 = placed.displacements.iter().map(|(_, share)| share).sum();
    assert!((density - 1.0).abs() < 1e-9, "{density}");
}

/// The counts over time are those that verdicts are made of.
#[test]
fn duplicates_are_dated() {
    let results = results(1);
    let of = results.anomalies_over_time.iter().find(|of| of.anomaly == "duplicate_effects").unwrap();
    let counted = results.anomalies.iter().find(|of| of.name == "idempotency.duplicate_effects").unwrap();
    assert!(of.count > 0);
    assert_eq!(of.count, counted.tally.count);
    let Series { width, values } = &of.over_time;
    let in_time: f64 = values.iter().map(|rate| rate * width * 3.0).sum();
    assert!((in_time - (of.count - of.later) as f64).abs() < 0.6, "{in_time}");
    let before: f64 = values.iter().take((8.0 / width) as usize - 1).sum();
    assert_eq!(before, 0.0, "nothing is done twice before the crash");
}

#[test]
fn views_and_reads_can_be_promised_as_figures() {
    for verdict in results(1).verdicts.iter().filter(|verdict| verdict.name.starts_with("invariants")) {
        assert_eq!(verdict.outcome, Outcome::Pass, "{verdict:?}");
        assert!(verdict.figures.iter().all(|figure| figure.estimate.n == 3), "{verdict:?}");
    }
}

/// A bound on age counts the reads beyond it, and shows the first of them, not any that was stale.
#[test]
fn reads_beyond_a_bound_are_counted_each() {
    let results = results(1);
    let verdict = |name: &str| results.verdicts.iter().find(|verdict| verdict.name.ends_with(name)).unwrap();
    let (age, versions) = (verdict("prices.age"), verdict("prices.versions"));
    assert_eq!((age.outcome, versions.outcome), (Outcome::Fail, Outcome::Pass));
    let counted = age.tally.as_ref().unwrap().count;
    assert!(
        counted > 0 && counted < results.reads[0].age.count,
        "{counted} of {}",
        results.reads[0].age.count
    );
    let what = &age.counterexample.as_ref().unwrap().what;
    let (_, told) = what.split_once(" there for ").unwrap_or_else(|| panic!("{what}"));
    let milliseconds = match told.strip_suffix("ms") {
        Some(milliseconds) => milliseconds.parse::<f64>().unwrap(),
        None => told.trim_end_matches('s').parse::<f64>().unwrap() * 1000.0,
    };
    assert!(milliseconds > 50.0, "{what}");
}

#[test]
fn threads_do_not_show() {
    let told = |threads| serde_json::to_string(&results(threads)).unwrap();
    assert_eq!(told(1), told(3));
}
