//! The schema is judged by an independent validator.

use super::tree::{shipped, yaml};
use eventflow::scenario::grammar;
use serde_json::Value;

#[test]
fn the_schema_is_a_schema() {
    let schema = grammar::schema();
    jsonschema::meta::validate(&schema).unwrap();
    // Every reference leads to a definition: building the validator resolves them all.
    jsonschema::draft202012::new(&schema).unwrap();
}

#[test]
fn every_shipped_scenario_is_accepted() {
    let validator = jsonschema::draft202012::new(&grammar::schema()).unwrap();
    let files = shipped();
    assert!(files.len() >= 15, "{files:?}");
    for file in files {
        let value = yaml(&std::fs::read_to_string(&file).unwrap());
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0], "{}", file.display());
    }
}

/// A scenario with everything that the language has, as the reference describes it.
#[test]
fn the_whole_language_is_accepted() {
    let value = yaml(include_str!("whole.yaml"));
    let validator = jsonschema::draft202012::new(&grammar::schema()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn what_is_wrong_is_rejected() {
    let validator = jsonschema::draft202012::new(&grammar::schema()).unwrap();
    let accepts = |text: &str| validator.is_valid(&yaml(text));
    let rejected: &[(&str, &str)] = &[
        ("no name", "seed: 1"),
        ("a list", "[scenario]"),
        ("unknown key", "{ scenario: a, servces: {} }"),
        ("unknown key of run", "{ scenario: a, run: { duration: 5m } }"),
        ("no unit", "{ scenario: a, run: { horizon: 10 } }"),
        ("another unit", "{ scenario: a, run: { horizon: 200/s } }"),
        ("a count with a unit", "{ scenario: a, run: { replications: 10s } }"),
        ("a negative count", "{ scenario: a, run: { replications: -1 } }"),
        ("a null", "{ scenario: a, services: null }"),
        ("a null inside", "{ scenario: a, services: { s: { queue: null } } }"),
        ("a kind", "{ scenario: a, messages: { M: { kind: comand } } }"),
        ("no kind", "{ scenario: a, messages: { M: { size: 1KB } } }"),
        ("a type", "{ scenario: a, messages: { M: { kind: command, fields: { n: integer } } } }"),
        ("a name", "{ scenario: a, services: { order-desk: {} } }"),
        ("a preset", "{ scenario: a, brokers: { b: { preset: kafkaesque } } }"),
        ("steps without a list", "{ scenario: a, services: { s: { handlers: { M: { work: 5ms } } } } }"),
        ("two verbs", "{ scenario: a, services: { s: { handlers: { M: [ { work: 5ms, wait: 5ms } ] } } } }"),
        ("no verb", "{ scenario: a, services: { s: { handlers: { M: [ { name: x } ] } } } }"),
        (
            "an option of another verb",
            "{ scenario: a, services: { s: { handlers: { M: [ { work: 5ms, key: 1 } ] } } } }",
        ),
        ("a verb that needs a value", "{ scenario: a, services: { s: { handlers: { M: [ work ] } } } }"),
        ("work without a unit", "{ scenario: a, services: { s: { handlers: { M: [ { work: 5 } ] } } } }"),
        (
            "a generator",
            "{ scenario: a, services: { s: { handlers: { M: [ { work: { exponentail: 5ms } } ] } } } }",
        ),
        (
            "two generators",
            "{ scenario: a, services: { s: { handlers: { M: [ { work: { exponential: 5ms, constant: 1ms } } ] } } } }",
        ),
        (
            "half a generator",
            "{ scenario: a, services: { s: { handlers: { M: [ { work: { normal: { mean: 5ms } } } ] } } } }",
        ),
        (
            "three bounds",
            "{ scenario: a, services: { s: { handlers: { M: [ { work: { uniform: [1ms, 2ms, 3ms] } } ] } } } }",
        ),
        ("no arrivals", "{ scenario: a, clients: { c: { do: [] } } }"),
        (
            "two arrivals",
            "{ scenario: a, clients: { c: { arrivals: { poisson: 1/s, every: 1s }, do: [] } } }",
        ),
        ("no thinking", "{ scenario: a, clients: { c: { arrivals: { population: 5 }, do: [] } } }"),
        ("a link to itself", "{ scenario: a, network: { links: { l: { between: [x] } } } }"),
        ("a fault without a time", "{ scenario: a, faults: { f: { crash: s } } }"),
        ("a fault without a verb", "{ scenario: a, faults: { f: { at: 5s } } }"),
        ("an edge without a step", "{ scenario: a, faults: { f: { crash: s, at: 5s, edge: before } } }"),
        ("an invariant of two kinds", "{ scenario: a, invariants: { i: { always: true, never: true } } }"),
        ("a measure", "{ scenario: a, guarantees: { idempotency: { duplicates: 0 } } }"),
        ("an unknown key in a variant", "{ extends: b.yaml, servces: {} }"),
        (
            "an unknown key in a version",
            "{ scenario: a, services: { s: { versions: { v2: { worker: 3 } } } } }",
        ),
    ];
    for (what, text) in rejected {
        assert!(!accepts(text), "{what}: {text}");
    }
    let accepted = [
        "{ scenario: 1.10, seed: 42 }",
        "{ scenario: a, run: { horizon: $horizon, replications: $n } }",
        "{ scenario: a, run: { horizon: 2 * 5m, warm_up: $h / 10 } }",
        "{ scenario: a, services: $services }",
        "{ scenario: a, faults: { f: { crash: s, at_step: s.M.x, edge: before, share: 1% } } }",
        "{ scenario: a, operations: { o: { deploy: s, version: v2, every: 10s, at: 1m } } }",
        "{ extends: b.yaml, services: { s: { queue: null } }, clients: { c: { arrivals: { poisson: null, every: 5s } } } }",
        "{ scenario: a, services: { s: { versions: { v2: { queue: null, handlers: { M: [ stop ] } } } } } }",
    ];
    for text in accepted {
        assert!(accepts(text), "{text}");
    }
}

#[test]
fn the_schema_tells_an_editor_what_each_key_means() {
    let schema = grammar::schema();
    let workers = &schema["$defs"]["service"]["properties"]["workers"];
    assert_eq!(workers["default"], Value::from(1));
    assert!(workers["description"].as_str().unwrap().contains("holds its worker"));
    let publish = schema["$defs"]["step"]["oneOf"].as_array().unwrap().iter();
    let publish = publish.filter(|branch| branch["required"][0] == "publish").collect::<Vec<_>>();
    assert_eq!(publish.len(), 1);
    assert_eq!(publish[0]["properties"]["confirm"]["default"], Value::from(true));
}
