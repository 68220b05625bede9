//! What a scenario means, and what is wrong with it.

mod knobs;
mod mistakes;
mod promises;

use eventflow::kernel::time::{MILLISECOND, SECOND};
use eventflow::scenario::diagnostic::Diagnostics;
use eventflow::scenario::grammar;
use eventflow::scenario::load::load_text;
use eventflow::scenario::resolve::resolve;
use eventflow::scenario::resolved::*;
use eventflow::scenario::source::Sources;

const SHOP: &str = include_str!("shop.yaml");
const CHECKOUT: &str = include_str!("checkout.yaml");

/// The one step of `Reserve`, in a service with the table `stock` and no outbox.
const STEPS: &str =
    "        - { update: stock, key: message.sku, set: { reserved: row.reserved + message.qty } }";

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

#[test]
fn the_example_of_the_language_means_something() {
    let scenario = meaning(CHECKOUT);
    let names: Vec<&str> = scenario.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["orders", "inventory", "notification"]);
    assert_eq!(scenario.parameters, [("rate".to_owned(), "200/s".to_owned())]);
    let groups: Vec<&str> = scenario.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["orders.inventory", "orders.notification"]);
    assert_eq!(scenario.tables[1].rows.len(), 1000);
}

#[test]
fn names_in_promises_are_checked() {
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
    let expected = [
        "impossible-number",
        "unknown-broker",
        "unknown-end",
        "unknown-field",
        "unknown-service",
        "unknown-table",
    ];
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

/// Behind a table that nobody knows, a message is still known.
#[test]
fn what_is_said_of_unknown_rows_is_looked_over() {
    let text = shop(&[(
        "{ update: stock, key: message.sku, set: { reserved: row.reserved + message.qty } }",
        "{ update: stok, key: message.skew, set: { reserved: row.reserved + message.qtty } }",
    )]);
    let (sources, diagnostics, _) = read(&text);
    let found: Vec<&str> = diagnostics.list.iter().map(|found| found.code).collect();
    let expected = ["unknown-table", "unknown-field", "unknown-field"];
    assert_eq!(found, expected, "{}", listed(&sources, &diagnostics));
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
    assert_eq!((scenario.run.horizon, scenario.run.warm_up), (600 * SECOND, Some(0)));
    assert_eq!((scenario.run.drain, scenario.run.replications), (120 * SECOND, 10));
    let server = &scenario.services[0];
    assert_eq!(
        (server.instances, server.workers, server.cpus, server.queue.capacity),
        (1, Some(1), None, None)
    );
    assert_eq!(scenario.messages[0].size, 1000);
    let StepKind::Call(call) = &scenario.clients[0].body.steps[0].kind else { panic!("a call") };
    assert_eq!(call.timeout, SECOND);
    assert!(call.retry.is_none());
    assert!(!scenario.network.default.datagram);
    let GeneratorKind::Distribution(latency) = &scenario.network.default.latency.kind else {
        panic!("drawn")
    };
    let eventflow::kernel::distribution::Shape::Lognormal { mu, sigma } = latency.shape else {
        panic!("lognormal")
    };
    assert!((libm::exp(mu) - 500_000.0).abs() < 1.0, "the median is 500us");
    assert!(
        (libm::exp(mu + sigma * 2.326_347_874) - 4_000_000.0).abs() < 100.0,
        "the 99th percentile is 4ms"
    );
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
        let columns =
            table.key.iter().map(|&column| (table.columns[column].name.as_str(), &table.columns[column].ty));
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
    let grid =
        "        grid: { key: [x, y], rows: [ { x: 1..2, y: [5, 6] }, { x: 9, y: 9 } ] }\n        stock: {";
    let scenario = meaning(&shop(&[("        stock: {", grid)]));
    let table = scenario.tables.iter().find(|table| table.name == "grid").expect("a table of this name");
    let rows: Vec<_> = table.rows.iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let whole = |x, y| (Literal::Int(x), Literal::Int(y));
    assert_eq!(rows, [whole(1, 5), whole(1, 6), whole(2, 5), whole(2, 6), whole(9, 9)]);
}

#[test]
fn every_shipped_scenario_means_something() {
    let mut folders = vec![std::path::PathBuf::from("scenarios")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the library is here") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let (sources, mut diagnostics, loaded) = eventflow::scenario::load::load(&path, &[]);
                let loaded = loaded.expect("a tree");
                grammar::check(&loaded.root, &mut diagnostics);
                let scenario = resolve(&loaded, &sources, &mut diagnostics);
                assert!(scenario.is_some(), "{}\n{}", path.display(), listed(&sources, &diagnostics));
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
}

/// The codes of what is wrong with a text.
fn codes(text: &str) -> Vec<&'static str> {
    read(text).1.list.iter().map(|found| found.code).collect()
}

/// An answer gives every field or none: bare, it answers with what the fields start with.
#[test]
fn an_answer_is_whole_or_bare() {
    let two =
        ("reply: { status: [accepted, refused] }", "reply: { status: [accepted, refused], since: time }");
    assert_eq!(codes(&shop(&[two])), ["missing-field", "missing-field"]);
    let accepted = "{ reply: { status: accepted } }";
    assert_eq!(codes(&shop(&[two, (accepted, "reply")])), ["missing-field"]);
    let refused = "{ reply: { status: refused } }";
    assert_eq!(codes(&shop(&[two, (accepted, "{ reply: {} }"), (refused, "reply")])), Vec::<&str>::new());
}

#[test]
fn what_would_multiply_is_bounded() {
    let long = shop(&[("    jobs:\n      sweep:", &format!("    jobs:\n      {}:", "x".repeat(300)))]);
    assert_eq!(codes(&long), ["limit-exceeded"]);

    let names: String = (0..1001).map(|name| format!("v{name}: 1, ")).collect();
    let many = shop(&[("      - let: {", &format!("      - let: {{ {names}"))]);
    assert!(codes(&many).contains(&"limit-exceeded"));

    let fields: String = (0..1000).map(|field| format!("f{field}: int, ")).collect();
    let sends = "        - { send: inventory.Wide, with: message }\n".repeat(3000);
    let wide = shop(&[
        (
            "  Reserve:     {",
            &format!("  Wide: {{ kind: command, fields: {{ {fields} }} }}\n  Reserve:     {{"),
        ),
        (STEPS, &format!("{STEPS}\n      Wide:\n{sends}")),
    ]);
    assert_eq!(codes(&wide), ["limit-exceeded"]);

    let columns: String = (0..900).map(|column| format!("c{column}: 1..1000000, ")).collect();
    let rows = shop(&[("{ sku: 1..100 }", &format!("{{ sku: 1..100, {columns} }}"))]);
    assert!(codes(&rows).contains(&"unknown-column"));

    let users = shop(&[
        ("arrivals: { poisson: $rate }", "arrivals: { population: 6000000, think: 1s }"),
        (
            "network:\n",
            "  others:\n    arrivals: { population: 6000000, think: 1s }\n    do: [ { wait: 1s } ]\nnetwork:\n",
        ),
    ]);
    assert_eq!(codes(&users), ["too-many-users"]);

    let jobs: String = (0..11).map(|job| format!("      j{job}: {{ every: 1s, do: [ stop ] }}\n")).collect();
    let jobs =
        shop(&[("    workers: 8\n", &format!("    workers: 8\n    instances: 99990\n    jobs:\n{jobs}"))]);
    assert_eq!(codes(&jobs), ["too-many-jobs"]);

    let services: String = (0..20_001).map(|name| format!("  s{name}: {{}}\n")).collect();
    let crowd = shop(&[("services:\n", &format!("services:\n{services}"))]);
    assert_eq!(codes(&crowd), ["limit-exceeded"]);
}

#[test]
fn a_dead_letter_topic_is_not_published_to_by_chance() {
    let scenario = meaning(&shop(&[(
        "partitions: 6 }",
        "exhaust: { after: 5, dead_letter: dead } }\n  dead: { messages: [OrderPlaced] }",
    )]));
    let knobs = &scenario.topics[0].knobs;
    assert_eq!(knobs.exhaust.then, ExhaustThen::DeadLetter);
    assert_eq!(knobs.exhaust.dead_letter.map(|topic| topic.0), Some(1));
}

#[test]
fn a_handler_of_dead_letters_is_reached() {
    meaning(&shop(&[
        (
            "partitions: 6 }",
            "exhaust: { after: 5, dead_letter: dead } }\n  dead: { messages: [OrderPlaced] }",
        ),
        (
            "    handlers:\n      Reserve:",
            "    consumes: { dead: {} }\n    handlers:\n      OrderPlaced: [ stop ]\n      Reserve:",
        ),
    ]));
}

/// A generator of the tests' own (splitmix64): which piece is damaged next.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)) as usize
}

#[test]
fn no_damage_to_a_text_makes_resolving_panic() {
    const PIECES: &[&str] =
        &["", "0", "-1", "order", "[ ]", "{ }", "stop", "1..3", "5ms", "$rate", "a.b", "unlimited", "any"];
    let whole = include_str!("../language/whole.yaml");
    let mut state = 7;
    for base in [SHOP, CHECKOUT, whole] {
        let places: Vec<(usize, usize)> = base
            .split_inclusive([' ', ',', '\n'])
            .scan(0, |start, word| {
                let place = (*start, *start + word.trim_end_matches([' ', ',', '\n']).len());
                *start += word.len();
                Some(place)
            })
            .filter(|(start, end)| end > start)
            .collect();
        for _ in 0..300 {
            let (start, end) = places[next(&mut state) % places.len()];
            let piece = PIECES[next(&mut state) % PIECES.len()];
            let text = format!("{}{piece}{}", &base[..start], &base[end..]);
            let (sources, mut diagnostics, loaded) = load_text("test.yaml", &text, &[]);
            // Without the check of the structure: resolving has to bear any shape.
            if let Some(loaded) = loaded {
                resolve(&loaded, &sources, &mut diagnostics);
            }
        }
    }
}
