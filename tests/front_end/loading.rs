//! What a scenario says after extending, settings and parameters.

use eventflow::scenario::load::{Loaded, load, load_text};
use eventflow::scenario::node::{Node, NodeKind};
use eventflow::scenario::source::Sources;
use std::path::Path;

fn loaded(text: &str, settings: &[&str]) -> (Sources, Loaded) {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    let (sources, diagnostics, loaded) = load_text("tests/front_end/files/test.yaml", text, &settings);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    (sources, loaded.expect("no mistake"))
}

fn written(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "null".into(),
        NodeKind::Text { text, .. } => text.clone(),
        NodeKind::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|(key, entry)| format!("{key}: {}", written(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn tree(text: &str, settings: &[&str]) -> String {
    written(&loaded(text, settings).1.root)
}

#[test]
fn a_variant_differs_by_what_it_writes() {
    let (sources, diagnostics, loaded) = load(Path::new("tests/front_end/files/variant.yaml"), &[]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let root = loaded.expect("no mistake").root;
    let meaning = "{scenario: variant, services: {orders: {workers: 16, queue: {order: lifo}, outbox: {every: 50ms, mark: periodic}}}}";
    assert_eq!(written(&root), meaning);
    assert_eq!(sources.files.len(), 2);
    assert_eq!(sources.files[1].name, "tests/front_end/files/base.yaml");
}

#[test]
fn the_order_is_extend_then_settings_then_parameters() {
    let text = "extends: base.yaml\nclients: { c: { arrivals: { poisson: $rate } } }";
    let meaning = tree(
        text,
        &["rate=$other", "parameters.other=7/s", "services.orders.workers=$rate", "mark=periodic"],
    );
    let orders = "{workers: 7/s, queue: {order: lifo, capacity: 5}, outbox: {every: 50ms, mark: periodic}}";
    let clients = "{c: {arrivals: {poisson: 7/s}}}";
    assert_eq!(meaning, format!("{{scenario: base, services: {{orders: {orders}}}, clients: {clients}}}"));
}

#[test]
fn a_parameter_may_be_anything() {
    let text = "parameters: { slow: { exponential: $mean }, mean: 5ms, steps: [ { work: $slow }, reply ], unused: x }\n\
                do: $steps\nalso: [ $slow, '$mean', \"2 * $mean + 1ms\" ]";
    let slow = "{exponential: 5ms}";
    assert_eq!(
        tree(text, &[]),
        format!("{{do: [{{work: {slow}}}, reply], also: [{slow}, 5ms, 2 * $mean + 1ms]}}")
    );
    let (sources, loaded) = loaded(text, &[]);
    assert_eq!(written(&loaded.parameters["slow"]), slow);
    assert_eq!(loaded.parameters.keys().collect::<Vec<_>>(), ["slow", "mean", "steps", "unused"]);
    let NodeKind::Map(entries) = &loaded.root.kind else { panic!("a map") };
    assert_eq!(sources.text(entries["do"].value.span), "$steps");
}

#[test]
fn settings_reach_every_place() {
    let text = "run: { horizon: 1m }\nsteps: [ { work: 1ms } ]";
    let settings =
        ["run.horizon=2m", "steps.0.work={ exponential: 2ms }", "clients.c.place=[eu, us]", "about=x"];
    let meaning =
        "{run: {horizon: 2m}, steps: [{work: {exponential: 2ms}}], clients: {c: {place: [eu, us]}}}";
    assert_eq!(tree(&format!("parameters: {{ about: y }}\n{text}"), &settings), meaning);
}

#[test]
fn a_version_keeps_its_nulls() {
    let text = "services: { a: { versions: { v2: { outbox: null } } } }";
    assert_eq!(tree(text, &[]), "{services: {a: {versions: {v2: {outbox: null}}}}}");
}

#[test]
fn a_byte_order_mark_is_no_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("marked.yaml");
    std::fs::write(&path, "\u{feff}scenario: x\n").expect("a file");
    let (_, diagnostics, loaded) = load(&path, &[]);
    assert!(diagnostics.is_empty());
    assert_eq!(written(&loaded.expect("no mistake").root), "{scenario: x}");
    assert_eq!(tree("\u{feff}scenario: x", &[]), "{scenario: x}");
}

#[test]
fn bounds_hold_across_files_and_parameters() {
    let folder = tempfile::tempdir().expect("a folder");
    for link in 0..40 {
        let text = format!("extends: {}.yaml\n", link + 1);
        std::fs::write(folder.path().join(format!("{link}.yaml")), text).expect("a file");
    }
    let long_chain = load(&folder.path().join("0.yaml"), &[]).1;
    let doubling: String = (0..40).map(|n| format!("  p{n}: $p{} + $p{}\n", n + 1, n + 1)).collect();
    let lists: String = (0..30).map(|n| format!("  p{n}: [ $p{}, $p{} ]\n", n + 1, n + 1)).collect();
    let chain: String = (0..100_000).map(|n| format!("  p{n}: $p{}\n", n + 1)).collect();
    let deep: String = (0..60).map(|n| format!("  p{n}: [[ $p{} ]]\n", n + 1)).collect();
    let cases = [
        (long_chain, "32 files"),
        (load_text("x", &format!("parameters:\n{doubling}  p40: 1\nx: $p0"), &[]).1, "8,388,608 bytes"),
        (load_text("x", &format!("parameters:\n{lists}  p30: 1\nx: $p0"), &[]).1, "1,000,000 values"),
        (load_text("x", &format!("parameters:\n{chain}  p100000: 1\nx: $p0"), &[]).1, "64 that stand"),
        (load_text("x", &format!("parameters:\n{deep}  p60: 1\nx: $p0"), &[]).1, "64 lists and maps"),
        (load_text("x", "a: 1", &[format!("{}=1", vec!["a"; 100_000].join("."))]).1, "64 names"),
    ];
    for (diagnostics, limit) in cases {
        assert_eq!(diagnostics.list.len(), 1, "{diagnostics:?}");
        assert_eq!(diagnostics.list[0].code, "limit-exceeded");
        assert!(diagnostics.list[0].message.contains(limit), "{:?}", diagnostics.list[0]);
    }
}

#[cfg(unix)]
#[test]
fn only_plain_files_are_opened() {
    for path in ["/dev/zero", "tests", "no-such-folder/x.yaml"] {
        let (_, diagnostics, loaded) = load(Path::new(path), &[]);
        assert_eq!(diagnostics.list.len(), 1);
        assert!(loaded.is_none());
    }
}
