//! Mistakes, one at a time. One base scenario that is right; each case changes a piece of its text and names
//! the one mistake that this makes.

use super::{STEPS, listed, read, shop};

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

const CASES: &[Case] = &[
    // The run.
    case("warm_up: 5s", "warm_up: 60s", "impossible-number", "60s", "shorter"),
    case("horizon: 1m, warm_up: 5s", "horizon: 0s", "impossible-number", "0s", ""),
    // Messages.
    case(
        "key: order, fields: { order: id, sku: int, qty: int } }\n  Reserve",
        "key: ordre, fields: { order: id, sku: int, qty: int } }\n  Reserve",
        "unknown-field",
        "ordre",
        "`order`",
    ),
    // Brokers, topics, knobs.
    case("partitions: 6", "partitions: 6, broker: lag", "unknown-broker", "lag", "`log`"),
    case(
        "log: { preset: kafka, place: [north] }",
        "log: { preset: kafka, place: [north] }\n  other: { preset: kafka }",
        "no-broker",
        "placed",
        "`broker:`",
    ),
    case(
        "      placed: { group: mail }\n",
        "      placed: { group: per_instance }\n    instances: 90000\n",
        "too-many-partitions",
        "placed",
        "500000",
    ),
    case(
        "messages: [OrderPlaced]",
        "messages: [OrderPlaced, OrderPlaced]",
        "repeated-name",
        "OrderPlaced",
        "",
    ),
    case(
        "messages: [OrderPlaced]",
        "messages: [OrderPlaced, OrderPlcd]",
        "unknown-message",
        "OrderPlcd",
        "`OrderPlaced`",
    ),
    case("partitions: 6", "partitions: 0", "out-of-range", "0", ""),
    case(
        "partitions: 6",
        "exhaust: { after: 5, then: dead_letter }",
        "missing-dead-letter",
        "{ after: 5, then: dead_letter }",
        "`dead_letter: topic`",
    ),
    case("partitions: 6", "exhaust: { after: 5, dead_letter: placed }", "contradiction", "placed", ""),
    case("partitions: 6", "exhaust: { after: 5, dead_letter: dead }", "unknown-topic", "dead", "`placed`"),
    case(
        "partitions: 6 }",
        "exhaust: { dead_letter: dead } }\n  dead: { messages: [OrderPlaced] }\n  x: { messages: [Reserve] }",
        "contradiction",
        "dead_letter",
        "`after: 5`",
    ),
    case("partitions: 6", "order_lock: session", "contradiction", "order_lock", ""),
    case("partitions: 6", "retain: { mode: until_ack, compact: true }", "contradiction", "compact", ""),
    case("partitions: 6", "redeliver: { to: rewind_key }", "contradiction", "to", ""),
    case("partitions: 6", "exhaust: { then: park, transfer: atomic }", "contradiction", "transfer", ""),
    case("partitions: 6", "lease: { kind: timer, after: 5s }", "contradiction", "lease", ""),
    case("partitions: 6", "capture: orders.ordrs", "unknown-table", "orders.ordrs", "`orders`"),
    case("partitions: 6", "stale_ack: accept", "contradiction", "stale_ack", ""),
    case("partitions: 6", "shards: 3", "contradiction", "shards", ""),
    case("partitions: 6", "min_in_sync: 3", "contradiction", "min_in_sync", "`flush: 100ms`"),
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
    case(
        "            - { publish: OrderPlaced, via: outbox, with: message }\n",
        "",
        "silent-topic",
        "placed",
        "publish a message",
    ),
    case(
        "    consumes:\n      placed: { group: mail }\n",
        "",
        "unreached-handler",
        "OrderPlaced",
        "consumes: { placed",
    ),
    case(
        "    handlers:\n      Reserve:",
        "    handlers:\n      OrderPlaced: [ stop ]\n      Reserve:",
        "unreached-handler",
        "OrderPlaced",
        "inventory",
    ),
    // Services.
    case("instances: 3", "instances: 100000", "too-many-instances", "inventory", "100000"),
    case("instances: 3", "instances: 0", "out-of-range", "0", ""),
    case("instances: 3", "queue: { order: priority }", "missing-option", "priority", "`by:`"),
    case("instances: 3", "queue: { by: message.sku }", "misplaced-option", "message.sku", ""),
    case("instances: 3", "queue: { order: priority, by: message.skew }", "unknown-field", "skew", "sku"),
    case(
        "instances: 3",
        "autoscale: { min: 4, max: 3, utilization: 70%, every: 5s, start_up: 5s }",
        "impossible-number",
        "3",
        "",
    ),
    case(
        "    workers: 8\n",
        "    workers: 8\n    store: inventry\n",
        "unknown-service",
        "inventry",
        "`inventory`",
    ),
    case("    workers: 8\n", "    workers: 8\n    store: notification\n", "no-store", "notification", ""),
    case("    workers: 8\n", "    workers: 8\n    outbox: {}\n", "no-store", "outbox", "`store`"),
    case("outbox: { every: 50ms }", "outbox: { every: 0s }", "impossible-number", "0s", ""),
    case("outbox: { every: 50ms }", "outbox: { mark: periodic }", "contradiction", "mark", ""),
    case("outbox: { every: 50ms }", "outbox: { select: log, relays: 2 }", "contradiction", "relays", ""),
    case("timeout: 500ms", "timeout: 0ms", "impossible-number", "0ms", ""),
    case("timeout: 500ms", "budget: 10", "missing-unit", "10", ""),
    case("max_delay: 1s", "max_delay: 1ms", "impossible-number", "1ms", ""),
    case("attempts: 3", "attempts: 0", "out-of-range", "0", ""),
    case("inventory: { timeout", "inventary: { timeout", "unknown-service", "inventary", "`inventory`"),
    // Tables.
    case(
        "        stock: {",
        "        grid: { key: [x, y], rows: [ { x: 1..3000, y: 1..3000 } ] }\n        stock: {",
        "limit-exceeded",
        "{ x: 1..3000, y: 1..3000 }",
        "",
    ),
    case(
        "{ sku: 1..100 }",
        "{ sku: 1..100 }, { sku: 7 }",
        "repeated-key",
        "[ { sku: 1..100 }, { sku: 7 } ]",
        "",
    ),
    case("{ sku: 1..100 }", "{ sku: 1..100, colour: 3 }", "unknown-column", "colour", "`sku`"),
    case("{ sku: 1..100 }", "{ reserved: 1 }", "missing-key", "{ reserved: 1 }", ""),
    case(
        "status: { lifecycle: [placed -> shipped, placed -> cancelled] }",
        "status: { type: [placed, shipped], lifecycle: [placed -> shipped, placed -> lost] }",
        "unknown-state",
        "placed -> lost",
        "`shipped`",
    ),
    case(
        "      tables:\n        stock",
        "      streams: { stock: { key: sku } }\n      tables:\n        stock",
        "name-clash",
        "stock",
        "",
    ),
    case(
        "      tables:\n        stock",
        "      replication: { n: 3, write_quorum: 4, read_quorum: 1, write: 1ms, ack: 1ms, read: 1ms, respond: 1ms }\n      tables:\n        stock",
        "impossible-number",
        "4",
        "",
    ),
    // Steps: rows.
    case("{ update: stock,", "{ update: stok,", "unknown-table", "stok", "`stock`"),
    case(
        "{ update: stock,",
        "{ update: orders,",
        "unknown-table",
        "orders",
        "a service sees its own tables only",
    ),
    case("set: { reserved: row", "set: { resrved: row", "unknown-column", "resrved", "`reserved`"),
    case("set: { reserved: row", "set: { sku: 1, reserved: row", "key-in-set", "sku", "`key`"),
    case(
        "row.reserved + message.qty",
        "row.reservd + message.qty",
        "unknown-column",
        "reservd",
        "`reserved`",
    ),
    case("key: [message.order, 1]", "key: message.order", "missing-key", "message.order", "`order`, `line`"),
    case(
        STEPS,
        "        - { update: stock, set: { reserved: 1 }, as: changed }",
        "misplaced-option",
        "as",
        "",
    ),
    case(
        STEPS,
        "        - { read: stock, key: message.sku, lock: true, as: seen }",
        "misplaced-option",
        "lock",
        "",
    ),
    case(
        STEPS,
        "        - { read: stock, key: message.sku, from: replica, as: seen }",
        "contradiction",
        "replica",
        "",
    ),
    case("limit: 10", "limit: 10ms", "wrong-type", "10ms", ""),
    // Steps: messages.
    case("call: inventory.Reserve", "call: inventori.Reserve", "unknown-service", "inventori", "`inventory`"),
    case("call: inventory.Reserve", "call: notification.Reserve", "no-handler", "Reserve", "`OrderPlaced`"),
    case(
        "publish: OrderPlaced, via: outbox, with: message",
        "publish: Reserve, with: message",
        "no-topic",
        "Reserve",
        "`messages`",
    ),
    case(
        "partitions: 6 }",
        "partitions: 6 }\n  again: { messages: [OrderPlaced] }",
        "several-topics",
        "OrderPlaced",
        "`to`",
    ),
    case(
        "{ publish: OrderPlaced,",
        "{ publish: OrderPlaced, to: plaecd,",
        "unknown-topic",
        "plaecd",
        "`placed`",
    ),
    case("via: outbox", "via: ack", "misplaced-option", "ack", ""),
    case("    outbox: { every: 50ms }\n", "", "no-outbox", "outbox", "`outbox: {}`"),
    case(
        "{ reply: { status: accepted } }",
        "{ reply: { state: accepted } }",
        "unknown-field",
        "state",
        "`status`",
    ),
    case(
        "{ reply: { status: accepted } }",
        "{ reply: { status: acepted } }",
        "unknown-word",
        "acepted",
        "`accepted`",
    ),
    case(
        "with: { order: order, sku: sku, qty: qty }",
        "with: { sku: sku }",
        "missing-field",
        "{ sku: sku }",
        "`with: { order: …, qty: … }`",
    ),
    case(
        "{ call: orders.PlaceOrder, with: { order: order, sku: sku, qty: qty }, as",
        "{ call: orders.PlaceOrder, as",
        "missing-field",
        "call",
        "every field",
    ),
    case("sku: sku, qty: qty }", "sku: sku, qtty: qty }", "unknown-field", "qtty", "`qty`"),
    case(
        STEPS,
        "        - { send: notification.OrderPlaced, with: { oder: message.order } }",
        "unknown-field",
        "oder",
        "`order`",
    ),
    case(
        STEPS,
        "        - { call: orders.PlaceOrder, with: message, hedge: 0ms }",
        "impossible-number",
        "0ms",
        "",
    ),
    case("takes: 15ms", "takes: 15ms, timeout: 0s", "impossible-number", "0s", ""),
    // Steps: flow and names.
    case(STEPS, "        - stop\n        - { wait: 1ms }", "unreachable-step", "wait", "further up"),
    case(
        "then: [ { fail: sold_out } ] }",
        "then: [ { fail: sold_out } ], else: [ stop ] }\n      - { wait: 1ms }\n      - { wait: 2ms }",
        "unreachable-step",
        "wait",
        "further up",
    ),
    case(
        "partitions: 6 }",
        "partitions: 6 }\n  answer: { messages: [Reserve] }",
        "shadowed-name",
        "answer",
        "another name",
    ),
    case("catch: { unavailable:", "catch: { unavailabel:", "unknown-error", "unavailabel", "`unavailable`"),
    case(
        "catch: { unavailable:",
        "catch: { any: [ stop ], unavailable:",
        "unreachable-catch",
        "unavailable",
        "`any` last",
    ),
    case("fail: sold_out", "fail: timeout", "shadowed-name", "timeout", "another word"),
    case("let: { order: unique(),", "let: { message: 1, order: unique(),", "shadowed-name", "message", ""),
    case(
        "      - { if: answer",
        "      - let: { order: 1 }\n      - { if: answer",
        "shadowed-name",
        "order",
        "another name",
    ),
    case(
        "          - { for_each: open",
        "          - let: { placed: 1 }\n          - { for_each: open",
        "shadowed-name",
        "placed",
        "another name",
    ),
    case("for_each: open", "for_each: 5", "wrong-type", "5", "`scan`"),
    case("as: item, do:", "as: item, parallel: 0, do:", "out-of-range", "0", ""),
    case("        - work: 2ms", "        - ack", "misplaced-step", "ack", "ack: manual"),
    case("      - let: {", "      - work: 5ms\n      - let: {", "misplaced-step", "work", "`wait`"),
    case(
        "      - let: {",
        "      - { read: stock, key: 1 }\n      - let: {",
        "misplaced-step",
        "read",
        "no tables",
    ),
    case(
        "          - { scan: orders",
        "          - reply\n          - { scan: orders",
        "misplaced-step",
        "reply",
        "a job",
    ),
    case(
        "            - { publish: Ord",
        "            - transaction: [ stop ]\n            - { publish: Ord",
        "misplaced-step",
        "transaction",
        "another",
    ),
    case(
        "        - { effect: send_mail",
        "        - transaction: [ stop ]\n        - { effect: send_mail",
        "no-store",
        "transaction",
        "",
    ),
    case(
        "        - { effect: send_mail",
        "        - { after: 5s, durable: true, do: [ stop ] }\n        - { effect: send_mail",
        "no-store",
        "durable",
        "",
    ),
    case(
        STEPS,
        "        - parallel: { a: [ { let: { x: 1 } } ], b: [ { let: { x: 2 } } ] }",
        "shadowed-name",
        "x",
        "all branches",
    ),
    case(
        "key: message.order, set",
        "undoes: acept, key: message.order, set",
        "unknown-step",
        "acept",
        "`accept`",
    ),
    case("every: 10s", "every: 0s", "impossible-number", "0s", ""),
    case(
        "every: 10s",
        "every: 10s\n        runs: once\n        once_per: message.id",
        "out-of-place",
        "message",
        "",
    ),
    // Clients.
    case("poisson: $rate", "every: 0s", "impossible-number", "0s", ""),
    case(
        "poisson: $rate",
        "poisson: 2000000000/s",
        "impossible-number",
        "{ poisson: 2000000000/s }",
        "1000000000/s",
    ),
    case(
        "poisson: $rate",
        "poisson: 500000000/s",
        "impossible-number",
        "{ poisson: 500000000/s }",
        "20000000000 events",
    ),
    case("poisson: $rate", "every: 2ns", "impossible-number", "{ every: 2ns }", "20000000000 events"),
    case("poisson: $rate", "poisson: 0/s", "out-of-range", "0/s", ""),
    case("poisson: $rate", "poisson: -1/s", "wrong-type", "-1/s", ""),
    case("poisson: $rate", "times: [2s, 1s]", "impossible-number", "1s", ""),
    case("poisson: $rate", "file: nowhere.txt", "unreadable-file", "nowhere.txt", ""),
    case(
        "poisson: $rate",
        "profile: [ { at: 5s, rate: 1/s }, { at: 5s, rate: 2/s } ]",
        "impossible-number",
        "5s",
        "",
    ),
    case(
        "poisson: $rate",
        "bursty: [ { rate: 0/s, for: 5s } ]",
        "impossible-number",
        "[ { rate: 0/s, for: 5s } ]",
        "",
    ),
    // Network.
    case("between: [orders, log]", "between: [orders, lag]", "unknown-end", "lag", "`log`"),
    case("between: [orders, log]", "between: [orders, orders]", "repeated-name", "orders", ""),
    case(
        "between: [orders, log]",
        "between: [shopper, notification.store]",
        "no-store",
        "notification.store",
        "",
    ),
    case("loss: 0.1%", "loss: 0.1%, duplicate: 1%", "duplicate-on-stream", "1%", "`transport: datagram`"),
    case("loss: 0.1%", "loss: 130%", "out-of-range", "130%", ""),
    case(
        "loss: 0.1% }",
        "loss: 0.1% }\n    again: { between: [log, orders, shopper] }",
        "repeated-link",
        "again",
        "",
    ),
    case("  shopper:", "  orders:", "name-clash", "orders", "another one"),
    // Faults.
    case("crash: inventory", "crash: inventroy", "unknown-service", "inventroy", "`inventory`"),
    case("for: 2s", "for: 2s, instance: 3", "impossible-number", "3", "the last one is 2"),
    case("orders.PlaceOrder.accept", "orders.PlaceOrder.acept", "unknown-step", "acept", "`accept`"),
    case(
        "orders.PlaceOrder.accept",
        "orders.PlaceOder.accept",
        "unknown-message",
        "PlaceOder",
        "`PlaceOrder`",
    ),
    case("nth: 5", "nth: 5, share: 10%", "contradiction", "nth", ""),
    case("every: { exponential: 20s }", "at: 2m", "impossible-number", "2m", "never strike"),
    case("every: { exponential: 20s }", "share: 5%", "missing-option", "share", "at_step"),
    case(
        "dies: { crash: inventory,",
        "dies: { surge: shoper, by: 2,",
        "unknown-client",
        "shoper",
        "`shopper`",
    ),
    case("dies: { crash: inventory,", "dies: { slow: inventory, by: 0,", "impossible-number", "0", ""),
    case("dies: { crash: inventory,", "dies: { failover: inventory,", "contradiction", "inventory", ""),
    case(
        "dies: { crash: inventory,",
        "dies: { degrade: [orders, log],",
        "missing-option",
        "[orders, log]",
        "`latency`",
    ),
    case(
        "dies: { crash: inventory,",
        "dies: { split: [orders, log], instance: 1,",
        "misplaced-option",
        "instance",
        "",
    ),
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
            wrong += &format!(
                "{} → {}\nexpected {} `{}`, found:\n{found}\n",
                case.from, case.to, case.code, case.underlined
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
