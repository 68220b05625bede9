//! What scenarios promise, and what is wrong with it.

use super::*;
use eventflow::kernel::anomaly::Anomaly;

/// The base with promises behind it.
fn promising(promises: &str) -> String {
    format!("{SHOP}\n{promises}\n")
}

/// Code, text it is told at, and help of each mistake.
fn mistakes(promises: &str) -> Vec<(&'static str, String, String)> {
    let (sources, diagnostics, _) = read(&promising(promises));
    let told = diagnostics.list.iter();
    told.map(|mistake| {
        let help = mistake.help.clone().unwrap_or_default();
        (mistake.code, sources.text(mistake.span).to_owned(), help)
    })
    .collect()
}

#[test]
fn bounds_are_counts_or_shares() {
    let promises = meaning(&promising(
        "guarantees:\n  idempotency: { duplicate_effects: 0, duplicate_messages: 1.5% }\n  ordering: { regressed: 3 }\n  isolation: { lost_updates: 0 }",
    ))
    .promises;
    let found: Vec<_> = promises.anomalies.iter().map(|bound| (bound.anomaly, bound.bound)).collect();
    let expected = [
        (Anomaly::DuplicateEffects, Bound::Count(0)),
        (Anomaly::DuplicateMessages, Bound::Share(0.015)),
        (Anomaly::Regressed, Bound::Count(3)),
        (Anomaly::LostUpdates, Bound::Count(0)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_promises_of_the_example_are_resolved() {
    let scenario = meaning(CHECKOUT);
    let promises = scenario.promises;
    let view = &promises.convergence[0];
    assert_eq!((view.name.as_str(), view.within, view.share), ("reserved", 90 * SECOND, 1.0));
    assert_eq!((view.view.0, view.of.0, view.by.len()), (1, 0, 1));
    assert!(view.columns[0].1.any(&|kind| matches!(kind, ExpressionKind::Aggregate(_))));
    let kinds: Vec<_> =
        promises.invariants.iter().map(|invariant| (invariant.name.as_str(), invariant.kind)).collect();
    let expected = [
        ("never_negative", InvariantKind::Always),
        ("adds_up", InvariantKind::AtEnd),
        ("fast_enough", InvariantKind::Measure),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(promises.invariants[0].for_each.map(|table| table.0), Some(1));
}

#[test]
fn everything_that_can_be_promised_is_resolved() {
    let promises = meaning(&promising(
        "guarantees:
  convergence:
    reserved: { view: inventory.stock, of: orders.orders, where: row.qty > 0, by: row.sku, columns: { reserved: sum(row.qty) }, within: 5s, share: 99% }
  sessions: { shopper: [ monotonic_reads ] }
  staleness: { inventory.stock: { stale_reads: 1%, age: 2s, versions: 3 } }
invariants:
  once: { never: row.qty > 9, for_each: orders.orders, during: [ 1s, 2s ] }
  soon: { eventually: count(orders.orders) > 0, within: 3s }
  known: { always: 'inventory.stock[row.sku].exists', for_each: orders.orders }
  each: { at_end: 'row.reserved == sum(orders.orders.sku == row.sku ? orders.orders.qty : 0)', for_each: inventory.stock }
  followed: { measure: max(reserved.window) < 9s }
expect: { invariants.once: fail, staleness.inventory.stock.age: inconclusive, sessions.shopper.monotonic_reads: pass }",
    ))
    .promises;
    let view = &promises.convergence[0];
    assert!(view.filter.is_some() && view.share == 0.99);
    let session = &promises.sessions[0];
    assert!(session.monotonic_reads && !session.read_your_writes);
    let staleness = &promises.staleness[0];
    assert_eq!(staleness.stale_reads, Some(Bound::Share(0.01)));
    assert_eq!((staleness.age, staleness.versions), (Some(2 * SECOND), Some(3)));
    assert_eq!(promises.invariants[0].during, Some((SECOND, 2 * SECOND)));
    assert_eq!(promises.invariants[1].kind, InvariantKind::Eventually(Some(3 * SECOND)));
    let expected: Vec<_> =
        promises.expectations.iter().map(|expected| (expected.verdict.as_str(), expected.outcome)).collect();
    let wanted = [
        ("invariants.once", ExpectedOutcome::Fail),
        ("staleness.inventory.stock.age", ExpectedOutcome::Inconclusive),
        ("sessions.shopper.monotonic_reads", ExpectedOutcome::Pass),
    ];
    assert_eq!(expected, wanted);
}

/// What is promised, the kind of mistake, the text it is told at, and a part of the help.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("guarantees: { sagas: { orders.s: { stuck: 0 } } }", "unknown-saga", "orders.s", ""),
    ("guarantees: { sagas: { s: { stuck: 0 } } }", "missing-key", "s", "write `service.saga`"),
    ("guarantees: { idempotency: { lost_effects: -1 } }", "out-of-range", "-1", ""),
    ("guarantees: { idempotency: { lost_effects: 101% } }", "out-of-range", "101%", ""),
    ("guarantees: { staleness: { inventory.stock: { } } }", "missing-key", "inventory.stock", "`age`"),
    (
        "guarantees: { convergence: { c: { view: orders.orders, of: orders.orders, within: 1s } } }",
        "contradiction",
        "c",
        "",
    ),
    (
        "guarantees: { convergence: { c: { view: inventory.stock, of: orders.orders, within: 1s, columns: { reserved: row.qty } } } }",
        "missing-key",
        "c",
        "`by: row.column`",
    ),
    (
        "guarantees: { convergence: { c: { view: inventory.stock, of: orders.orders, by: row.sku, within: 1s, columns: { reserved: sum(orders.orders.qty) } } } }",
        "out-of-place",
        "sum(orders.orders.qty)",
        "`row.column`",
    ),
    (
        "guarantees: { convergence: { c: { view: inventory.stock, of: orders.orders, by: sum(row.qty), within: 1s } } }",
        "out-of-place",
        "sum(row.qty)",
        "",
    ),
    (
        "invariants: { i: { measure: max(orders.queue_length) < 9 } }",
        "not-built-yet",
        "max(orders.queue_length)",
        "`mean(…)`",
    ),
    (
        "invariants: { i: { measure: p99(orders.utilization) < 1 } }",
        "not-built-yet",
        "p99(orders.utilization)",
        "`mean(…)`",
    ),
    (
        "invariants: { i: { measure: min(orders.in_flight) < 1 } }",
        "not-built-yet",
        "min(orders.in_flight)",
        "`mean(…)`",
    ),
    (
        "invariants: { i: { measure: 'quantile(placed.mail.lag, 90%) < 1' } }",
        "not-built-yet",
        "quantile(placed.mail.lag, 90%)",
        "`max(…)`",
    ),
    (
        "invariants: { i: { measure: rate(orders.orders.fresh_reads) > 1/s } }",
        "not-built-yet",
        "rate(orders.orders.fresh_reads)",
        "`share(…)`",
    ),
    ("invariants: { i: { always: 1 < 2 } }", "contradiction", "1 < 2", ""),
    ("invariants: { i: { always: shopper.failed == 0 } }", "out-of-place", "shopper.failed", "`measure: …`"),
    (
        "invariants: { i: { measure: count(orders.orders) > 0 } }",
        "out-of-place",
        "count(orders.orders)",
        "`at_end`",
    ),
    (
        "invariants: { i: { measure: max(reservd.lag) < 1s } }\nguarantees: { convergence: { reserved: { view: inventory.stock, of: orders.orders, by: row.sku, within: 1s } } }",
        "unknown-guarantee",
        "reservd",
        "`reserved`",
    ),
    (
        "invariants: { i: { always: sum(row.qty) > 0, for_each: orders.orders } }",
        "out-of-place",
        "sum(row.qty)",
        "service.table.column",
    ),
    (
        "invariants: { i: { always: max(orders.orders.qty + row.reserved) > 0, for_each: inventory.stock } }",
        "not-built-yet",
        "orders.orders.qty + row.reserved",
        "",
    ),
    (
        "invariants: { i: { always: 'sum(inventory.stock[orders.orders.sku].reserved) > 0' } }",
        "not-built-yet",
        "inventory.stock[orders.orders.sku].reserved",
        "",
    ),
    ("invariants: { i: { always: count(orders.orders) > 0, within: 1s } }", "contradiction", "within", ""),
    (
        "invariants: { i: { at_end: count(orders.orders) > 0, during: [ 1s, 2s ] } }",
        "contradiction",
        "during",
        "",
    ),
    (
        "invariants: { i: { always: count(orders.orders) > 0, during: [ 2s, 2s ] } }",
        "impossible-number",
        "2s",
        "",
    ),
    (
        "guarantees: { idempotency: { lost_effects: 0 } }\nexpect: { idempotency.lost_effect: fail }",
        "unknown-verdict",
        "idempotency.lost_effect",
        "`idempotency.lost_effects`",
    ),
    (
        "guarantees: { idempotency: { lost_effects: 0 } }\nexpect: { isolation.conflict_cycles: fail }",
        "unknown-verdict",
        "isolation.conflict_cycles",
        "does not ask",
    ),
];

#[test]
fn what_cannot_be_promised_is_refused_where_it_stands() {
    for (promises, code, place, help) in MISTAKES {
        let told = mistakes(promises);
        let found =
            told.iter().any(|(found, at, helped)| found == code && at == place && helped.contains(help));
        assert!(found, "{promises}: {told:?}");
        assert_eq!(told.len(), 1, "{promises}: {told:?}");
    }
}

/// Verdicts are named and placed, and what follows is in the order of the findings.
#[test]
fn the_model_names_and_places_what_is_promised() {
    let text = promising(
        "guarantees:
  idempotency: { duplicate_effects: 0 }
  convergence:
    reserved: { view: inventory.stock, of: orders.orders, by: row.sku, columns: { reserved: sum(row.qty) }, within: 5s }
  sessions: { shopper: [ monotonic_reads, read_your_writes ] }
  staleness: { inventory.stock: { age: 2s, stale_reads: 0 } }
invariants:
  few: { measure: share(shopper.failed) < 1% }
expect: { invariants.few: fail }",
    );
    let (sources, _, scenario) = read(&text);
    let model = eventflow::model::compile::compile(&scenario.expect("a meaning"), &sources);
    let promises = &model.promises;
    let names: Vec<&str> = promises.headings().map(|heading| heading.verdict.as_str()).collect();
    let expected = [
        "convergence.reserved",
        "sessions.shopper.read_your_writes",
        "sessions.shopper.monotonic_reads",
        "staleness.inventory.stock.stale_reads",
        "staleness.inventory.stock.age",
        "invariants.few",
    ];
    assert_eq!(names, expected);
    assert_eq!((promises.first_session(), promises.first_staleness(), promises.first_invariant()), (1, 3, 5));
    let heading = &promises.anomalies[0].heading;
    let line = text.lines().nth(heading.line as usize - 1).expect("the line is there");
    assert_eq!(heading.verdict, "idempotency.duplicate_effects");
    assert!(line[heading.column as usize - 1..].starts_with("duplicate_effects"), "{heading:?}");
    assert_eq!(promises.expectations[0].heading.verdict, "invariants.few");
    let lifecycles = &model.tables[0].lifecycles;
    assert_eq!((lifecycles.len(), lifecycles[0].1.len()), (1, 2));
}

/// A step takes back what the steps of that name do: those beside it first, then those of its service.
#[test]
fn undoing_is_of_the_nearest_steps_of_that_name() {
    let scenario = meaning(&shop(&[(
        "- { insert: lines, key: [message.order, 1] }",
        "- { delete: lines, key: [message.order, 1], undoes: accept, name: back }",
    )]));
    let (sources, ..) = read(SHOP);
    let model = eventflow::model::compile::compile(&scenario, &sources);
    let sites = &model.names.sites;
    let site = |name: &str| sites.iter().position(|site| site == name).expect("the step has a site");
    let undone: Vec<&str> = model.undoes[site("orders/PlaceOrder/back")]
        .iter()
        .map(|site| sites[site.index()].as_str())
        .collect();
    assert_eq!(undone, ["orders/PlaceOrder/accept"]);
    assert!(model.undoes[site("orders/PlaceOrder/accept")].is_empty());
}
