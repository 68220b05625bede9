//! What a scenario means, and what is wrong with it. One base scenario that is right; each case changes
//! a piece of its text and names the one mistake that this makes.

use eventflow::kernel::time::{MILLISECOND, SECOND};
use eventflow::scenario::diagnostic::Diagnostics;
use eventflow::scenario::grammar;
use eventflow::scenario::load::load_text;
use eventflow::scenario::resolve::resolve;
use eventflow::scenario::resolved::*;
use eventflow::scenario::source::Sources;

const SHOP: &str = include_str!("shop.yaml");
const CHECKOUT: &str = include_str!("checkout.yaml");

/// The whole way of a text.
fn read(text: &str) -> (Sources, Diagnostics, Option<Scenario>) {
    let (sources, mut diagnostics, loaded) = load_text("tests/front_end/test.yaml", text, &[]);
    let Some(loaded) = loaded else { return (sources, diagnostics, None) };
    grammar::check(&loaded.root, &mut diagnostics);
    let scenario = resolve(&loaded, &sources, &mut diagnostics);
    assert_eq!(scenario.is_some(), diagnostics.is_empty(), "a scenario without mistakes means something");
    (sources, diagnostics, scenario)
}

fn meaning(text: &str) -> Scenario {
    let (sources, diagnostics, scenario) = read(text);
    scenario.unwrap_or_else(|| panic!("\n{}", listed(&sources, &diagnostics)))
}

/// The base with pieces of its text changed.
fn shop(changes: &[(&str, &str)]) -> String {
    let mut text = SHOP.to_owned();
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "`{from}` stands in the base once");
        text = text.replace(from, to);
    }
    text
}

fn listed(sources: &Sources, diagnostics: &Diagnostics) -> String {
    let line = |diagnostic: &eventflow::scenario::diagnostic::Diagnostic| {
        let (line, column) = sources.line_column(diagnostic.span);
        let underlined = sources.text(diagnostic.span);
        let help = diagnostic.help.as_deref().unwrap_or_default();
        format!("{line}:{column} {} `{underlined}`: {} ({help})\n", diagnostic.code, diagnostic.message)
    };
    diagnostics.list.iter().map(line).collect()
}

/// A change of the base, and the one mistake that it makes: code, underlined text, part of the help.
struct Case {
    from: &'static str,
    to: &'static str,
    code: &'static str,
    underlined: &'static str,
    help: &'static str,
}

const fn case(
    from: &'static str,
    to: &'static str,
    code: &'static str,
    underlined: &'static str,
    help: &'static str,
) -> Case {
    Case { from, to, code, underlined, help }
}

/// A step in front of the others of `Reserve`, in a service with the table `stock` and no outbox.
const STEPS: &str = "        - { update: stock, key: message.sku, set: { reserved: row.reserved + message.qty } }";

const CASES: &[Case] = &[
    // The run.
    case("warm_up: 5s", "warm_up: 60s", "impossible-number", "60s", "shorter"),
    case("horizon: 1m, warm_up: 5s", "horizon: 0s", "impossible-number", "0s", ""),
    // Messages.
    case("key: order, fields: { order: id, sku: int, qty: int } }\n  Reserve", "key: ordre, fields: { order: id, sku: int, qty: int } }\n  Reserve", "unknown-field", "ordre", "`order`"),
    // Brokers, topics, knobs.
    case("preset: kafka", "preset: sqs-fifo", "not-built-yet", "sqs-fifo", ""),
    case("partitions: 6", "partitions: 6, broker: lag", "unknown-broker", "lag", "`log`"),
    case("log: { preset: kafka, place: [north] }", "log: { preset: kafka, place: [north] }\n  other: { preset: kafka }", "no-broker", "placed", "`broker:`"),
    case("messages: [OrderPlaced]", "messages: [OrderPlaced, OrderPlaced]", "repeated-name", "OrderPlaced", ""),
    case("messages: [OrderPlaced]", "messages: [OrderPlaced, OrderPlcd]", "unknown-message", "OrderPlcd", "`OrderPlaced`"),
    case("partitions: 6", "partitions: 0", "out-of-range", "0", ""),
    case("partitions: 6", "exhaust: { after: 5, then: dead_letter }", "missing-dead-letter", "{ after: 5, then: dead_letter }", "`dead_letter: topic`"),
    case("partitions: 6", "exhaust: { after: 5, dead_letter: placed }", "contradiction", "placed", ""),
    case("partitions: 6", "exhaust: { after: 5, dead_letter: dead }", "unknown-topic", "dead", "`placed`"),
    case("partitions: 6 }", "exhaust: { dead_letter: dead } }\n  dead: { messages: [OrderPlaced] }\n  x: { messages: [Reserve] }", "contradiction", "dead_letter", "`after: 5`"),
    case("partitions: 6", "order_lock: session", "not-built-yet", "order_lock", ""),
    case("partitions: 6", "retain: { compact: true }", "not-built-yet", "retain", ""),
    case("partitions: 6", "lease: { kind: timer, after: 5s }", "contradiction", "lease", ""),
    case("partitions: 6", "capture: orders.orders", "not-built-yet", "capture", ""),
    // Subscriptions.
    case("placed: { group: mail }", "plced: { group: mail }", "unknown-topic", "plced", "`placed`"),
    case("group: mail", "group: mail, partitions: 3", "misplaced-option", "partitions", "topic"),
    case("group: mail", "group: mail, ack_every: 5s", "misplaced-option", "ack_every", ""),
    case("group: mail", "group: mail, concurrency: 0", "out-of-range", "0", ""),
    case(
        "  inventory:\n    instances: 3",
        "  inventory:\n    consumes: { placed: { group: mail } }\n    instances: 3",
        "name-clash",
        "placed",
        "own `group`",
    ),
    case("            - { publish: OrderPlaced, via: outbox, with: message }\n", "", "silent-topic", "placed", "publish a message"),
    case("    consumes:\n      placed: { group: mail }\n", "", "unreached-handler", "OrderPlaced", "consumes: { placed"),
    case("    handlers:\n      Reserve:", "    handlers:\n      OrderPlaced: [ stop ]\n      Reserve:", "unreached-handler", "OrderPlaced", "inventory"),
    // Services.
    case("instances: 3", "instances: 100000", "too-many-instances", "inventory", "100000"),
    case("instances: 3", "instances: 0", "out-of-range", "0", ""),
    case("instances: 3", "queue: { order: priority }", "missing-option", "priority", "`by:`"),
    case("instances: 3", "queue: { by: message.sku }", "misplaced-option", "message.sku", ""),
    case("instances: 3", "queue: { order: priority, by: message.skew }", "unknown-field", "skew", "sku"),
    case("instances: 3", "autoscale: { min: 1, max: 3, utilization: 70%, every: 5s, start_up: 5s }", "not-built-yet", "autoscale", ""),
    case("    workers: 8\n", "    workers: 8\n    store: inventry\n", "unknown-service", "inventry", "`inventory`"),
    case("    workers: 8\n", "    workers: 8\n    store: notification\n", "no-store", "notification", ""),
    case("    workers: 8\n", "    workers: 8\n    outbox: {}\n", "no-store", "outbox", "`store`"),
    case("outbox: { every: 50ms }", "outbox: { every: 0s }", "impossible-number", "0s", ""),
    case("outbox: { every: 50ms }", "outbox: { select: log }", "not-built-yet", "log", ""),
    case("outbox: { every: 50ms }", "outbox: { relays: 2 }", "not-built-yet", "2", ""),
    case("timeout: 500ms", "timeout: 0ms", "impossible-number", "0ms", ""),
    case("timeout: 500ms", "budget: 10%", "not-built-yet", "budget", ""),
    case("max_delay: 1s", "max_delay: 1ms", "impossible-number", "1ms", ""),
    case("attempts: 3", "attempts: 0", "out-of-range", "0", ""),
    case("inventory: { timeout", "inventary: { timeout", "unknown-service", "inventary", "`inventory`"),
    // Tables.
    case("        stock: {", "        grid: { key: [x, y], rows: [ { x: 1..3000, y: 1..3000 } ] }\n        stock: {", "too-many-rows", "{ x: 1..3000, y: 1..3000 }", "5000000"),
    case("{ sku: 1..100 }", "{ sku: 1..100 }, { sku: 7 }", "repeated-key", "[ { sku: 1..100 }, { sku: 7 } ]", ""),
    case("{ sku: 1..100 }", "{ sku: 1..100, colour: 3 }", "unknown-column", "colour", "`sku`"),
    case("{ sku: 1..100 }", "{ reserved: 1 }", "missing-key", "{ reserved: 1 }", ""),
    case("status: { lifecycle: [placed -> shipped, placed -> cancelled] }", "status: { type: [placed, shipped], lifecycle: [placed -> shipped, placed -> lost] }", "unknown-state", "placed -> lost", "`shipped`"),
    case("      tables:\n        stock", "      streams: { s: { key: sku } }\n      tables:\n        stock", "not-built-yet", "streams", ""),
    case("      tables:\n        stock", "      flush: 1s\n      tables:\n        stock", "not-built-yet", "1s", ""),
    // Steps: rows.
    case("{ update: stock,", "{ update: stok,", "unknown-table", "stok", "`stock`"),
    case("{ update: stock,", "{ update: orders,", "unknown-table", "orders", "a service sees its own tables only"),
    case("set: { reserved: row", "set: { resrved: row", "unknown-column", "resrved", "`reserved`"),
    case("set: { reserved: row", "set: { sku: 1, reserved: row", "key-in-set", "sku", "`key`"),
    case("row.reserved + message.qty", "row.reservd + message.qty", "unknown-column", "reservd", "`reserved`"),
    case("key: [message.order, 1]", "key: message.order", "missing-key", "message.order", "`order`, `line`"),
    case(STEPS, "        - { update: stock, set: { reserved: 1 }, as: changed }", "misplaced-option", "as", ""),
    case(STEPS, "        - { read: stock, key: message.sku, lock: true, as: seen }", "misplaced-option", "lock", ""),
    case(STEPS, "        - { read: stock, key: message.sku, from: replica, as: seen }", "not-built-yet", "replica", ""),
    case("limit: 10", "limit: 10ms", "wrong-type", "10ms", ""),
    // Steps: messages.
    case("call: inventory.Reserve", "call: inventori.Reserve", "unknown-service", "inventori", "`inventory`"),
    case("call: inventory.Reserve", "call: notification.Reserve", "no-handler", "Reserve", "`OrderPlaced`"),
    case("publish: OrderPlaced, via: outbox, with: message", "publish: Reserve, with: message", "no-topic", "Reserve", "`messages`"),
    case("partitions: 6 }", "partitions: 6 }\n  again: { messages: [OrderPlaced] }", "several-topics", "OrderPlaced", "`to`"),
    case("{ publish: OrderPlaced,", "{ publish: OrderPlaced, to: plaecd,", "unknown-topic", "plaecd", "`placed`"),
    case("via: outbox", "via: ack", "not-built-yet", "ack", ""),
    case("    outbox: { every: 50ms }\n", "", "no-outbox", "outbox", "`outbox: {}`"),
    case("{ reply: { status: accepted } }", "{ reply: { state: accepted } }", "unknown-field", "state", "`status`"),
    case("{ reply: { status: accepted } }", "{ reply: { status: acepted } }", "unknown-word", "acepted", "`accepted`"),
    case("sku: sku, qty: qty }", "sku: sku, qtty: qty }", "unknown-field", "qtty", "`qty`"),
    case(STEPS, "        - { send: notification.OrderPlaced, with: { oder: message.order } }", "unknown-field", "oder", "`order`"),
    case(STEPS, "        - { call: orders.PlaceOrder, hedge: 5ms }", "not-built-yet", "hedge", ""),
    case("takes: 15ms", "takes: 15ms, timeout: 0s", "impossible-number", "0s", ""),
    // Steps: flow and names.
    case("catch: { unavailable:", "catch: { unavailabel:", "unknown-error", "unavailabel", "`unavailable`"),
    case("catch: { unavailable:", "catch: { any: [ stop ], unavailable:", "unreachable-catch", "unavailable", "`any` last"),
    case("fail: sold_out", "fail: timeout", "shadowed-name", "timeout", "another word"),
    case("let: { order: unique(),", "let: { message: 1, order: unique(),", "shadowed-name", "message", ""),
    case("      - { if: answer", "      - let: { order: 1 }\n      - { if: answer", "shadowed-name", "order", "another name"),
    case("          - { for_each: open", "          - let: { placed: 1 }\n          - { for_each: open", "shadowed-name", "placed", "another name"),
    case("for_each: open", "for_each: 5", "wrong-type", "5", "`scan`"),
    case("as: item, do:", "as: item, parallel: 0, do:", "out-of-range", "0", ""),
    case("        - work: 2ms", "        - ack", "misplaced-step", "ack", "ack: manual"),
    case("      - let: {", "      - work: 5ms\n      - let: {", "misplaced-step", "work", "`wait`"),
    case("      - let: {", "      - { read: stock, key: 1 }\n      - let: {", "misplaced-step", "read", "no tables"),
    case("          - { scan: orders", "          - reply\n          - { scan: orders", "misplaced-step", "reply", "a job"),
    case("            - { publish: Ord", "            - transaction: [ stop ]\n            - { publish: Ord", "misplaced-step", "transaction", "another"),
    case("        - { effect: send_mail", "        - transaction: [ stop ]\n        - { effect: send_mail", "no-store", "transaction", ""),
    case("        - { effect: send_mail", "        - { after: 5s, durable: true, do: [ stop ] }\n        - { effect: send_mail", "no-store", "durable", ""),
    case(STEPS, "        - parallel: { a: [ { let: { x: 1 } } ], b: [ { let: { x: 2 } } ] }", "shadowed-name", "x", "all branches"),
    case("key: message.order, set", "undoes: acept, key: message.order, set", "unknown-step", "acept", "`accept`"),
    case("every: 10s", "every: 0s", "impossible-number", "0s", ""),
    case("every: 10s", "every: 10s\n        runs: once\n        once_per: message.id", "out-of-place", "message", ""),
    // Clients.
    case("poisson: $rate", "every: 0s", "impossible-number", "0s", ""),
    case("poisson: $rate", "times: [2s, 1s]", "impossible-number", "1s", ""),
    case("poisson: $rate", "file: nowhere.txt", "unreadable-file", "nowhere.txt", ""),
    case("poisson: $rate", "profile: [ { at: 5s, rate: 1/s }, { at: 5s, rate: 2/s } ]", "impossible-number", "5s", ""),
    case("poisson: $rate", "bursty: [ { rate: 0/s, for: 5s } ]", "impossible-number", "[ { rate: 0/s, for: 5s } ]", ""),
    // Network.
    case("between: [orders, log]", "between: [orders, lag]", "unknown-end", "lag", "`log`"),
    case("between: [orders, log]", "between: [orders, orders]", "repeated-name", "orders", ""),
    case("between: [orders, log]", "between: [shopper, notification.store]", "no-store", "notification.store", ""),
    case("loss: 0.1%", "loss: 0.1%, duplicate: 1%", "duplicate-on-stream", "1%", "`transport: datagram`"),
    case("loss: 0.1%", "loss: 130%", "out-of-range", "130%", ""),
    case("loss: 0.1% }", "loss: 0.1% }\n    again: { between: [log, orders, shopper] }", "repeated-link", "again", ""),
    case("  shopper:", "  orders:", "name-clash", "orders", "another one"),
    // Faults.
    case("crash: inventory", "crash: inventroy", "unknown-service", "inventroy", "`inventory`"),
    case("for: 2s", "for: 2s, instance: 3", "impossible-number", "3", "the last one is 2"),
    case("orders.PlaceOrder.accept", "orders.PlaceOrder.acept", "unknown-step", "acept", "`accept`"),
    case("orders.PlaceOrder.accept", "orders.PlaceOder.accept", "unknown-message", "PlaceOder", "`PlaceOrder`"),
    case("nth: 5", "nth: 5, share: 10%", "contradiction", "nth", ""),
    case("every: { exponential: 20s }", "at: 2m", "impossible-number", "2m", "never strike"),
    case("every: { exponential: 20s }", "share: 5%", "missing-option", "share", "at_step"),
    case("dies: { crash: inventory,", "dies: { surge: shoper, by: 2,", "unknown-client", "shoper", "`shopper`"),
    case("dies: { crash: inventory,", "dies: { slow: inventory, by: 0,", "impossible-number", "0", ""),
    case("dies: { crash: inventory,", "dies: { outage: inventory,", "not-built-yet", "outage", ""),
    case("dies: { crash: inventory,", "dies: { degrade: [orders, log],", "missing-option", "[orders, log]", "`latency`"),
    case("dies: { crash: inventory,", "dies: { split: [orders, log], instance: 1,", "misplaced-option", "instance", ""),
];

#[test]
fn every_mistake_has_a_place_a_code_and_a_help() {
    let mut wrong = String::new();
    for case in CASES {
        let (sources, diagnostics, _) = read(&shop(&[(case.from, case.to)]));
        let is_as_told = match &diagnostics.list[..] {
            [only] => {
                only.code == case.code
                    && sources.text(only.span) == case.underlined
                    && only.help.as_deref().unwrap_or_default().contains(case.help)
            }
            _ => false,
        };
        if !is_as_told {
            let found = listed(&sources, &diagnostics);
            wrong += &format!("{} → {}\nexpected {} `{}`, found:\n{found}\n", case.from, case.to, case.code, case.underlined);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Everything after the promises is cut off; what is before them is built.
fn without_promises() -> String {
    let end = CHECKOUT.find("guarantees:").expect("the example has guarantees");
    CHECKOUT[..end].to_owned()
}

#[test]
fn the_example_of_the_language_means_something_without_its_promises() {
    let scenario = meaning(&without_promises());
    let names: Vec<&str> = scenario.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["orders", "inventory", "notification"]);
    assert_eq!(scenario.parameters, [("rate".to_owned(), "200/s".to_owned())]);
    let groups: Vec<&str> = scenario.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["orders.inventory", "orders.notification"]);
    assert_eq!(scenario.tables[1].rows.len(), 1000);
}

#[test]
fn promises_are_refused_by_name_and_nothing_else_is() {
    let (sources, diagnostics, _) = read(CHECKOUT);
    let found: Vec<(&str, &str)> =
        diagnostics.list.iter().map(|found| (found.code, sources.text(found.span))).collect();
    let expected = [("not-built-yet", "guarantees"), ("not-built-yet", "invariants")];
    assert_eq!(found, expected, "{}", listed(&sources, &diagnostics));
}

#[test]
fn names_in_promises_are_checked_although_they_are_refused() {
    let promises = "invariants:\n  a: { always: row.resrved >= 0, for_each: inventory.stock }\n  b: { measure: p99(shoper.response_time) < 1s }\n\
                    guarantees:\n  convergence: { c: { view: inventory.stok, of: orders.orders, columns: { reserved: sum(row.qty) }, within: 5s } }\n  sessions: { shoper: [ monotonic_reads ] }\n";
    let (sources, diagnostics, _) = read(&format!("{SHOP}\n{promises}"));
    let found: Vec<&str> = diagnostics.list.iter().map(|found| found.code).collect();
    for code in ["unknown-column", "unknown-client", "unknown-table"] {
        assert!(found.contains(&code), "{code} in\n{}", listed(&sources, &diagnostics));
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = shop(&[
        ("warm_up: 5s", "warm_up: 2m"),
        ("crash: inventory", "crash: inventroy"),
        ("{ update: stock,", "{ update: stok,"),
        ("sku: sku, qty: qty }", "sku: sku, qtty: qty }"),
        ("between: [orders, log]", "between: [orders, lag]"),
        ("partitions: 6", "partitions: 6, broker: lag"),
    ]);
    let (sources, diagnostics, scenario) = read(&text);
    assert!(scenario.is_none());
    let mut found: Vec<&str> = diagnostics.list.iter().map(|found| found.code).collect();
    found.sort_unstable();
    let expected =
        ["impossible-number", "unknown-broker", "unknown-end", "unknown-field", "unknown-service", "unknown-table"];
    assert_eq!(found, expected, "{}", listed(&sources, &diagnostics));
}

#[test]
fn what_is_not_understood_is_not_reported_again_where_it_is_used() {
    let text = shop(&[("{ scan: orders, where", "{ scan: order, where")]);
    let (sources, diagnostics, _) = read(&text);
    assert_eq!(diagnostics.list.len(), 1, "{}", listed(&sources, &diagnostics));
    let text = shop(&[("order: unique()", "order: uniqe()")]);
    let (sources, diagnostics, _) = read(&text);
    assert_eq!(diagnostics.list.len(), 1, "{}", listed(&sources, &diagnostics));
}

#[test]
fn the_nearest_knob_wins() {
    let scenario = meaning(&shop(&[
        ("log: { preset: kafka,", "log: { preset: kafka, batch: 10, delay: 1s, rebalance: { pause: 1s },"),
        ("partitions: 6", "partitions: 6, batch: 20, rebalance: { pause: 2s }"),
        ("group: mail", "group: mail, rebalance: { pause: 3s }"),
    ]));
    let (topic, group) = (&scenario.topics[0].knobs, &scenario.groups[0].knobs);
    assert_eq!((topic.partitions, topic.batch, topic.delay), (6, 20, SECOND));
    assert_eq!((topic.rebalance.pause, group.rebalance.pause, group.batch), (2 * SECOND, 3 * SECOND, 20));
    // What nobody says is the product's.
    assert_eq!(group.lease.after, 45 * SECOND);
    assert_eq!(topic.producer.deduplicate_batches, Some(5));
}

#[test]
fn every_built_preset_carries_a_topic() {
    for preset in ["kafka", "rabbitmq-classic", "sqs-standard"] {
        let scenario = meaning(&SHOP.replace("preset: kafka", &format!("preset: {preset}")));
        assert_eq!(scenario.brokers[0].preset, preset);
    }
}

#[test]
fn what_is_left_out_has_the_defaults_of_the_language() {
    let scenario = meaning(
        "scenario: least\nmessages: { Ping: { kind: query } }\nservices: { server: { handlers: { Ping: [ reply ] } } }\n\
         clients: { user: { arrivals: { every: 1s }, do: [ { call: server.Ping } ] } }",
    );
    assert_eq!(scenario.seed, 0);
    assert_eq!((scenario.run.horizon, scenario.run.warm_up), (600 * SECOND, 0));
    assert_eq!((scenario.run.drain, scenario.run.replications), (120 * SECOND, 10));
    let server = &scenario.services[0];
    assert_eq!((server.instances, server.workers, server.cpus, server.queue.capacity), (1, Some(1), None, None));
    assert_eq!(scenario.messages[0].size, 1000);
    let StepKind::Call(call) = &scenario.clients[0].body.steps[0].kind else { panic!("a call") };
    assert_eq!(call.timeout, SECOND);
    assert!(call.retry.is_none());
    assert!(!scenario.network.default.datagram);
    let GeneratorKind::Distribution(latency) = &scenario.network.default.latency.kind else { panic!("drawn") };
    let eventflow::kernel::distribution::Shape::Lognormal { mu, sigma } = latency.shape else { panic!("lognormal") };
    assert!((libm::exp(mu) - 500_000.0).abs() < 1.0, "the median is 500us");
    assert!((libm::exp(mu + sigma * 2.326_347_874) - 4_000_000.0).abs() < 100.0, "the 99th percentile is 4ms");
}

#[test]
fn calls_take_what_they_do_not_say_from_the_policy() {
    let scenario = meaning(SHOP);
    let StepKind::Call(call) = &scenario.services[0].handlers[0].body.steps[1].kind else { panic!("a call") };
    assert_eq!(call.timeout, 500 * MILLISECOND);
    let retry = call.retry.as_ref().expect("the policy's");
    assert_eq!((retry.attempts, retry.delay, retry.max_delay), (Some(3), 10 * MILLISECOND, Some(SECOND)));
    let text = shop(&[("with: message, catch", "with: message, timeout: 2s, retry: none, catch")]);
    let scenario = meaning(&text);
    let StepKind::Call(call) = &scenario.services[0].handlers[0].body.steps[1].kind else { panic!("a call") };
    assert_eq!(call.timeout, 2 * SECOND);
    assert!(call.retry.is_none());
}

#[test]
fn steps_are_numbered_verb_by_verb_depth_first() {
    let scenario = meaning(SHOP);
    let mut paths = Vec::new();
    fn walk(steps: &[Step], paths: &mut Vec<String>) {
        for step in steps {
            paths.push(step.path.clone());
            match &step.kind {
                StepKind::Transaction { body, .. } | StepKind::ForEach { body, .. } => walk(body, paths),
                StepKind::Insert { otherwise: Some(body), .. } => walk(body, paths),
                StepKind::Call(call) => call.catch.iter().for_each(|catch| walk(&catch.body, paths)),
                _ => {}
            }
        }
    }
    walk(&scenario.services[0].handlers[0].body.steps, &mut paths);
    let expected = [
        "work#1",
        "call#1",
        "reply#1",
        "stop#1",
        "transaction#1",
        "insert#1",
        "stop#2",
        "publish#1",
        "insert#2",
        "reply#2",
    ];
    assert_eq!(paths, expected.map(|step| format!("orders/PlaceOrder/{step}")));
    assert_eq!(scenario.services[0].jobs[0].body.steps[0].path, "orders/sweep/scan#1");
    assert_eq!(scenario.clients[0].body.steps[1].path, "shopper/do/call#1");
}

#[test]
fn keys_that_nobody_declared_get_the_type_of_their_first_use() {
    let scenario = meaning(SHOP);
    let key = |name: &str| {
        let table = scenario.tables.iter().find(|table| table.name == name).expect("a table of this name");
        let columns = table.key.iter().map(|&column| (table.columns[column].name.as_str(), &table.columns[column].ty));
        columns.collect::<Vec<_>>()
    };
    assert_eq!(key("orders"), [("order", &Type::Id)]);
    assert_eq!(key("lines"), [("order", &Type::Id), ("line", &Type::Int)]);
    assert_eq!(key("stock"), [("sku", &Type::Int)]);
}

#[test]
fn a_key_whose_type_comes_out_of_another_table_is_settled_too() {
    let text = shop(&[
        ("        stock: {", "        last: { key: copy }\n        first: { key: sku }\n        stock: {"),
        (
            STEPS,
            "        - { scan: first, as: found }\n        \
             - { for_each: found, as: one, do: [ { upsert: last, key: one.sku } ] }\n        \
             - { upsert: first, key: message.sku }",
        ),
    ]);
    let scenario = meaning(&text);
    let table = scenario.tables.iter().find(|table| table.name == "last").expect("a table of this name");
    assert_eq!(table.columns[0].ty, Type::Int);
}

#[test]
fn a_list_in_an_initial_row_stands_for_one_row_each() {
    let grid = "        grid: { key: [x, y], rows: [ { x: 1..2, y: [5, 6] }, { x: 9, y: 9 } ] }\n        stock: {";
    let scenario = meaning(&shop(&[("        stock: {", grid)]));
    let table = scenario.tables.iter().find(|table| table.name == "grid").expect("a table of this name");
    let rows: Vec<_> = table.rows.iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let whole = |x, y| (Literal::Int(x), Literal::Int(y));
    assert_eq!(rows, [whole(1, 5), whole(1, 6), whole(2, 5), whole(2, 6), whole(9, 9)]);
}
