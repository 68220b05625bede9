//! Tables, aggregates and measures in guarantees and invariants.

use super::*;

fn good_in(text: &str) -> Expression {
    let mut world = World::new();
    let found = world.read(text, None, true);
    assert!(world.diagnostics.is_empty(), "{text}: {:?}", world.diagnostics.list);
    found.unwrap_or_else(|| panic!("{text}: nothing came of it"))
}

#[test]
fn statistics_have_types() {
    let cases = [
        ("sum(inventory.stock.reserved)", Type::Int),
        ("sum(inventory.stock.reserved) == sum(inventory.lines.qty)", Type::Bool),
        ("sum(inventory.stock.status == placed ? inventory.stock.reserved : 0)", Type::Int),
        ("mean(inventory.stock.reserved)", Type::Number),
        ("max(inventory.stock.wait)", Type::Duration),
        ("p99(inventory.stock.wait)", Type::Duration),
        ("count(inventory.stock.status == placed)", Type::Int),
        ("count(inventory.stock)", Type::Int),
        ("share(inventory.stock.reserved > 0)", Type::Number),
        ("count(inventory.lines.line == row.sku)", Type::Int),
        ("sum(row.reserved)", Type::Int),
        ("max(row.reserved, 3)", Type::Int),
        ("inventory.stock[message.sku].exists", Type::Bool),
        ("inventory.stock[row.sku].wait", Type::Duration),
        ("inventory.lines[[message.order, 1]].qty", Type::Int),
        ("p99(shopper.response_time) < 500ms", Type::Bool),
        ("quantile(shopper.response_time, 95%)", Type::Duration),
        ("shopper.throughput > 100/s", Type::Bool),
        ("share(shopper.failed) < 0.1%", Type::Bool),
        ("rate(shopper.timeouts)", Type::Rate),
        ("inventory.utilization", Type::Number),
        ("orders.inventory.lag", Type::Number),
        ("max(reserved.lag)", Type::Duration),
        ("count(shopper.response_time)", Type::Int),
        ("p99(inventory.stock.staleness)", Type::Duration),
        ("share(inventory.stock.fresh_reads)", Type::Number),
    ];
    for (text, ty) in cases {
        assert_eq!(good_in(text).ty, ty, "{text}");
    }
}

#[test]
fn an_aggregate_knows_what_it_goes_over() {
    let over = |text| match good_in(text).kind {
        ExpressionKind::Aggregate(aggregate) => aggregate.over,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(over("count(inventory.lines.line == row.sku)"), Some(LINES));
    assert_eq!(over("sum(inventory.stock.reserved)"), Some(STOCK));
    assert_eq!(over("sum(row.reserved)"), None);
    let ExpressionKind::Measure(measure) = good_in("p99(orders.inventory.time_in_topic)").kind else {
        panic!("a measure")
    };
    assert_eq!((measure.owner.as_str(), measure.measure), ("orders.inventory", Measure::TimeInTopic));
    assert_eq!(measure.statistic, Statistic::Quantile(0.99));
}

#[test]
fn mistakes_have_their_place() {
    let cases = [
        ("sum(inventory.stok.reserved)", "unknown-table", "stok"),
        ("sum(inventory.stock.reservd)", "unknown-column", "reservd"),
        ("sum(inventori.stock.reserved)", "unknown-name", "inventori"),
        ("inventory.stock.reserved > 0", "wrong-type", "inventory.stock.reserved"),
        ("sum(inventory.stock)", "wrong-type", "inventory.stock"),
        ("inventory.stock", "wrong-type", "inventory.stock"),
        ("inventory.stock[1]", "wrong-type", "inventory.stock[1]"),
        ("sum(inventory.stock.lag)", "unknown-column", "lag"),
        ("inventory.lines[1].qty", "wrong-arguments", "1"),
        ("inventory.stock[5ms].wait", "wrong-type", "5ms"),
        ("sum(inventory.stock.reserved + inventory.lines.qty)", "wrong-type", "inventory.lines.qty"),
        ("sum(sum(inventory.stock.reserved))", "wrong-type", "sum(inventory.stock.reserved)"),
        ("count(inventory.stock.reserved)", "wrong-type", "inventory.stock.reserved"),
        ("sum(inventory.stock.status)", "wrong-type", "inventory.stock.status"),
        ("sum(3)", "wrong-type", "3"),
        ("sum(1, 2)", "wrong-arguments", "sum(1, 2)"),
        ("shopper.response_time < 5ms", "wrong-type", "shopper.response_time"),
        ("p99(shopper.failed)", "wrong-type", "p99(shopper.failed)"),
        ("shopper.respone_time", "unknown-name", "shopper"),
        ("quantile(shopper.response_time, 95)", "wrong-type", "95"),
    ];
    for (text, code, underlined) in cases {
        let (diagnostic, found) = wrong_in(text, None, true);
        assert_eq!((diagnostic.code, found.as_str()), (code, underlined), "{text}: {diagnostic:?}");
    }
}
