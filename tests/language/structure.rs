//! The structural check: what is right passes, and each mistake is found where it stands, all at once.

use super::tree::{merged, shipped, tree, yaml};
use eventflow::scenario::diagnostic::Diagnostics;
use eventflow::scenario::grammar::{self, Presence, language::SCENARIO, walk};
use eventflow::scenario::node::{Entry, Map, Node, NodeKind};
use eventflow::scenario::source::Span;
use serde_json::Value;

/// What is found in a scenario: code, path, message and help.
fn found(value: &Value) -> Vec<(&'static str, String, String, String)> {
    let (root, paths) = tree(value);
    let mut diagnostics = Diagnostics::default();
    grammar::check(&root, &mut diagnostics);
    let path = |start: u32| paths[start as usize].clone();
    diagnostics
        .list
        .into_iter()
        .map(|found| (found.code, path(found.span.start), found.message, found.help.unwrap_or_default()))
        .collect()
}

#[test]
fn every_shipped_scenario_passes() {
    for file in shipped() {
        assert_eq!(found(&merged(&file)), [], "{}", file.display());
    }
}

#[test]
fn the_whole_language_passes_and_leaves_no_key_out() {
    let value = yaml(include_str!("whole.yaml"));
    assert_eq!(found(&value), []);
    let mut written = Vec::new();
    let mut values = vec![&value];
    while let Some(value) = values.pop() {
        match value {
            Value::Object(map) => {
                written.extend(map.keys().cloned());
                values.extend(map.values());
            }
            Value::Array(items) => values.extend(items),
            Value::String(word) => written.push(word.clone()),
            _ => {}
        }
    }
    walk(&SCENARIO, |record| {
        let alternatives = || record.choices.iter().flat_map(|choice| choice.alternatives);
        let options = alternatives().flat_map(|alternative| alternative.beside);
        for key in record.keys().chain(alternatives().map(|alternative| &alternative.key)).chain(options) {
            // A whole scenario extends nothing.
            assert!(
                key.name == "extends" || written.iter().any(|name| name == key.name),
                "{}: {}",
                record.name,
                key.name
            );
        }
    });
}

/// (the mistake, its code, its place, words of its message, words of its help)
const MISTAKES: &[(&str, &str, &str, &str, &str)] = &[
    ("seed: 1", "missing-key", "seed:", "`scenario`", "text"),
    (
        "{ scenario: a, servces: {} }",
        "unknown-key",
        "servces:",
        "no key `servces`",
        "did you mean `services`?",
    ),
    (
        "{ scenario: a, warm_up: 5s }",
        "unknown-key",
        "warm_up:",
        "the top of the scenario",
        "belongs in `run`",
    ),
    (
        "{ scenario: a, run: { duration: 5m } }",
        "unknown-key",
        "run.duration:",
        "`run` has no key",
        "`horizon`",
    ),
    ("{ scenario: a, run: [5m] }", "wrong-shape", "run", "should be a map, `run`, not a list", ""),
    ("{ scenario: a, services: [orders] }", "wrong-shape", "services", "not a list", "entry of a map"),
    ("{ scenario: a, services: orders }", "wrong-shape", "services", "not `orders`", ""),
    ("{ scenario: [a] }", "wrong-shape", "scenario", "should be text", ""),
    (
        "{ scenario: a, services: { order-desk: {} } }",
        "bad-name",
        "services.order-desk:",
        "cannot be a service",
        "digits",
    ),
    (
        "{ scenario: a, messages: { M@1: { kind: command } } }",
        "bad-name",
        "messages.M@1:",
        "cannot be a message",
        "second schema",
    ),
    (
        "{ scenario: a, messages: { M: { size: 1KB } } }",
        "missing-key",
        "messages.M:",
        "a message needs `kind`",
        "command",
    ),
    (
        "{ scenario: a, messages: { M: { kind: comand } } }",
        "unknown-word",
        "messages.M.kind",
        "not `comand`",
        "did you mean `command`?",
    ),
    (
        "{ scenario: a, messages: { M: { kind: command, fields: { x: { of: int } } } } }",
        "wrong-shape",
        "messages.M.fields.x:",
        "should be a type",
        "list",
    ),
    (
        "{ scenario: a, brokers: { b: { preset: rabbitmq-clasic } } }",
        "unknown-word",
        "brokers.b.preset",
        "kafka",
        "did you mean `rabbitmq-classic`?",
    ),
    (
        "{ scenario: a, services: { s: { workers: unlimitd } } }",
        "unknown-word",
        "services.s.workers",
        "`unlimitd`",
        "did you mean `unlimited`?",
    ),
    (
        "{ scenario: a, services: { s: { workers: [1] } } }",
        "wrong-shape",
        "services.s.workers",
        "not a list",
        "",
    ),
    (
        "{ scenario: a, services: { s: { timeout: 5s } } }",
        "unknown-key",
        "services.s.timeout:",
        "a service has no key",
        "an entry of `calls`",
    ),
    (
        "{ scenario: a, services: { s: { store: { tables: { t: { columns: {} } } } } } }",
        "missing-key",
        "services.s.store.tables.t:",
        "a table needs `key`",
        "column",
    ),
    (
        "{ scenario: a, services: { s: { store: { tables: { t: { key: k, bookkeeping: 1 } } } } } }",
        "wrong-shape",
        "services.s.store.tables.t.bookkeeping",
        "`true` or `false`",
        "write `true`",
    ),
    (
        "{ scenario: a, services: { s: { store: { tables: { t: { key: k, columns: { c: { lifecycle: [placed] } } } } } } } }",
        "wrong-shape",
        "services.s.store.tables.t.columns.c.lifecycle[0]",
        "not a change",
        "arrow",
    ),
    (
        "{ scenario: a, services: { s: { queue: { order: fifoo } } } }",
        "unknown-word",
        "services.s.queue.order",
        "`fifoo`",
        "did you mean `fifo`?",
    ),
    (
        "{ scenario: a, services: { s: { versions: { v2: { worker: 3 } } } } }",
        "unknown-key",
        "services.s.versions.v2.worker:",
        "no key",
        "did you mean `workers`?",
    ),
    (
        "{ scenario: a, clients: { c: { do: [] } } }",
        "missing-key",
        "clients.c:",
        "a client needs `arrivals`",
        "",
    ),
    (
        "{ scenario: a, clients: { c: { arrivals: {}, do: [] } } }",
        "no-choice",
        "clients.c.arrivals:",
        "needs a kind of arrivals",
        "`poisson`",
    ),
    (
        "{ scenario: a, clients: { c: { arrivals: { poisson: 1/s, every: 5s }, do: [] } } }",
        "two-choices",
        "clients.c.arrivals.every:",
        "both `poisson` and `every`",
        "leave one",
    ),
    (
        "{ scenario: a, clients: { c: { arrivals: { population: 5 }, do: [] } } }",
        "missing-key",
        "clients.c.arrivals.population:",
        "`population` needs `think`",
        "",
    ),
    (
        "{ scenario: a, clients: { c: { arrivals: { poisson: 1/s, think: 5s }, do: [] } } }",
        "misplaced-option",
        "clients.c.arrivals.think:",
        "does not go with `poisson`",
        "`population`",
    ),
    (
        "{ scenario: a, clients: { c: { arrivals: { poison: 1/s }, do: [] } } }",
        "unknown-key",
        "clients.c.arrivals.poison:",
        "no kind of arrivals",
        "did you mean `poisson`?",
    ),
    (
        "{ scenario: a, network: { links: { l: { between: [x] } } } }",
        "wrong-length",
        "network.links.l.between",
        "at least 2",
        "",
    ),
    (
        "{ scenario: a, faults: { f: { crash: s } } }",
        "no-choice",
        "faults.f:",
        "a fault needs an occasion",
        "`at_step`",
    ),
    (
        "{ scenario: a, faults: { f: { crsh: s, at: 5s } } }",
        "unknown-key",
        "faults.f.crsh:",
        "a fault has no key",
        "did you mean `crash`?",
    ),
    (
        "{ scenario: a, faults: { f: { crash: s, at: 5s, by: 3 } } }",
        "misplaced-option",
        "faults.f.by:",
        "does not go with `crash`",
        "`slow`",
    ),
    (
        "{ scenario: a, faults: { f: { crash: s, at: 5s, edge: before } } }",
        "misplaced-option",
        "faults.f.edge:",
        "does not go with `at`",
        "`at_step`",
    ),
    (
        "{ scenario: a, faults: { f: { crash: s, at_step: s.M } } }",
        "bad-name",
        "faults.f.at_step",
        "`s.M`",
        "dots",
    ),
    (
        "{ scenario: a, guarantees: { idempotency: { duplicate_efects: 0 } } }",
        "unknown-key",
        "guarantees.idempotency.duplicate_efects:",
        "`idempotency` has no key",
        "did you mean `duplicate_effects`?",
    ),
    (
        "{ scenario: a, invariants: { i: { for_each: s.t } } }",
        "no-choice",
        "invariants.i:",
        "needs a kind of invariant",
        "`always`",
    ),
    (
        "{ scenario: a, invariants: { i: { at_end: { x: 1 } } } }",
        "wrong-shape",
        "invariants.i.at_end",
        "not a map",
        "quote",
    ),
];

/// The same, of a step in a handler.
const STEPS: &[(&str, &str, &str, &str, &str)] = &[
    ("{ wrk: 5ms }", "unknown-key", ".wrk:", "no verb", "did you mean `work`?"),
    ("{ ponder: 5ms }", "no-choice", ".ponder:", "`ponder` is no verb", "`work`"),
    ("{ name: x }", "no-choice", ".name:", "a step needs a verb", "`work`"),
    ("{ work: 5ms, wait: 3ms }", "two-choices", ".wait:", "both `work` and `wait`", "two steps"),
    (
        "{ work: 5ms, key: 1 }",
        "misplaced-option",
        ".key:",
        "`key` does not go with `work`",
        "`work` has no options",
    ),
    (
        "{ read: t, key: 1, set: { x: 1 } }",
        "misplaced-option",
        ".set:",
        "does not go with `read`",
        "`update`",
    ),
    ("{ read: t, ky: 1 }", "missing-key", ".read:", "`read` needs `key`", ""),
    (
        "{ read: t, key: 1, lok: true }",
        "unknown-key",
        ".lok:",
        "`read` has no option `lok`",
        "did you mean `lock`?",
    ),
    (
        "{ publish: M, timeot: 5s }",
        "unknown-key",
        ".timeot:",
        "`publish` has no option",
        "did you mean `timeout`?",
    ),
    ("{ publish: M, via: outbx }", "unknown-word", ".via", "not `outbx`", "did you mean `outbox`?"),
    ("{ call: orders }", "bad-name", ".call", "`orders`", "dots"),
    ("{ call: s.M, retry: { delay: 5s } }", "missing-key", ".retry:", "`retry` needs `attempts`", ""),
    ("{ call: s.M, retry: never }", "unknown-word", ".retry", "`never`", ""),
    ("{ call: s.M, catch: [ stop ] }", "wrong-shape", ".catch", "not a list", "entry of a map"),
    ("{ if: x, then: stop }", "wrong-shape", ".then", "should be a list of steps, not `stop`", "into a list"),
    (
        "{ if: x, then: { work: 5ms } }",
        "wrong-shape",
        ".then",
        "should be a list of steps, not a map",
        "into a list",
    ),
    ("{ if: { x: 1 }, then: [ stop ] }", "wrong-shape", ".if", "not a map", "quote"),
    ("{ for_each: [1, 2], as: x, do: [] }", "wrong-shape", ".for_each", "not a list", "quote"),
    (
        "{ work: { exponentail: 5ms } }",
        "unknown-key",
        ".work.exponentail:",
        "no family",
        "did you mean `exponential`?",
    ),
    ("{ work: { a: 5ms } }", "wrong-shape", ".work", "not a map", "`exponential`"),
    ("{ work: { normal: { mean: 5ms } } }", "missing-key", ".work.normal:", "needs `sd`", ""),
    ("{ work: { lognormal: { mean: 5ms } } }", "missing-key", ".work.lognormal:", "needs `sd`", ""),
    ("{ work: { lognormal: { median: 5ms } } }", "missing-key", ".work.lognormal:", "needs `p99`", ""),
    ("{ work: { triangular: [1ms, 2ms] } }", "wrong-length", ".work.triangular", "[low, mode, high]", ""),
    ("{ stop: { now: 1 } }", "wrong-shape", ".stop.now:", "takes nothing", "bare word"),
    ("work", "no-value", "", "`work` needs a value", "work: …"),
    ("stp", "wrong-shape", "", "`stp` is no verb", "did you mean `stop`?"),
    ("[ stop ]", "wrong-shape", "", "not a list", ""),
    ("{ parallel: [ { work: 5ms } ] }", "wrong-shape", ".parallel", "not a list", "entry of a map"),
];

#[test]
fn each_mistake_is_found_where_it_stands() {
    let steps = STEPS.iter().map(|&(step, code, place, message, help)| {
        let text = format!("{{ scenario: a, services: {{ s: {{ handlers: {{ M: [ {step} ] }} }} }} }}");
        (text, code, format!("services.s.handlers.M[0]{place}"), message, help)
    });
    let others = MISTAKES
        .iter()
        .map(|&(text, code, place, message, help)| (text.to_owned(), code, place.to_owned(), message, help));
    for (text, code, place, message, help) in others.chain(steps) {
        let all = found(&yaml(&text));
        let right = |found: &&(&str, String, String, String)| {
            found.0 == code && found.1 == place && found.2.contains(message) && found.3.contains(help)
        };
        assert!(
            all.iter().any(|found| right(&found)),
            "{text}\nexpected {code} at {place}: {message} / {help}\nfound {all:#?}"
        );
        assert!(all.len() <= 2, "one mistake, and {all:#?}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_the_file() {
    let text = "
scenario: many
run: { horizn: 5m }
services:
  orders:
    worker: 3
    handlers:
      Place:
        - { wrk: 5ms }
        - { publish: M, vai: outbox }
clients: [shopper]
";
    let places: Vec<String> = found(&yaml(text)).into_iter().map(|(_, place, ..)| place).collect();
    assert_eq!(
        places,
        [
            "run.horizn:",
            "services.orders.worker:",
            "services.orders.handlers.Place[0].wrk:",
            "services.orders.handlers.Place[1].vai:",
            "clients"
        ]
    );
}

#[test]
fn what_stands_for_an_unknown_parameter_is_left_to_those_who_look_it_up() {
    assert_eq!(
        found(&yaml("{ scenario: a, services: { s: { queue: { order: $order, capacity: $n } } } }")),
        []
    );
}

#[test]
fn deep_nesting_costs_no_stack() {
    let (root, _) = tree(&yaml("{ scenario: a, clients: { c: { arrivals: { poisson: 1/s }, do: $deep } } }"));
    let mut deep = root.clone();
    let NodeKind::Map(top) = &mut deep.kind else { panic!("a map") };
    let NodeKind::Map(clients) = &mut top["clients"].value.kind else { panic!("a map") };
    let NodeKind::Map(client) = &mut clients["c"].value.kind else { panic!("a map") };
    client["do"].value = nested_tries(root.span, 50_000);
    let mut diagnostics = Diagnostics::default();
    grammar::check(&deep, &mut diagnostics);
    assert_eq!(diagnostics.list.len(), 1);
    assert!(diagnostics.list[0].message.contains("`stp` is no verb"), "{:?}", diagnostics.list[0]);
    // Dropping it would recurse, which files cannot cause: readers bound their nesting.
    std::mem::forget(deep);
}

/// `[ { try: [ { try: … [ stp ] } ] } ]`
fn nested_tries(span: Span, depth: usize) -> Node {
    let text = NodeKind::Text { text: "stp".into(), quoted: false, offsets_exact: false };
    let list = |node| Node { span, kind: NodeKind::List(vec![node]) };
    (0..depth).fold(list(Node { span, kind: text }), |steps, _| {
        let entry = Entry { key_span: span, value: steps };
        list(Node { span, kind: NodeKind::Map(Map::from_iter([("try".to_owned(), entry)])) })
    })
}

/// A default is what a file may say: it passes the check itself.
#[test]
fn every_default_is_an_admitted_value() {
    let mut defaults = 0;
    walk(&SCENARIO, |record| {
        for key in record.keys() {
            if let Presence::Default(text) = key.presence {
                defaults += 1;
                assert!(!text.is_empty(), "{}.{}", record.name, key.name);
                if let grammar::Shape::Word(words) = key.shape {
                    assert!(
                        words.iter().any(|(word, _)| *word == text),
                        "{}.{}: {text}",
                        record.name,
                        key.name
                    );
                }
            }
        }
    });
    assert!(defaults > 50, "{defaults}");
}
