//! No text makes the front end panic, hang or hold more than its bounds, and every place it speaks of
//! is one.

use eventflow::scenario::diagnostic::Diagnostics;
use eventflow::scenario::limits;
use eventflow::scenario::load::{Loaded, load_text};
use eventflow::scenario::node::{Node, NodeKind};
use eventflow::scenario::render::{Style, render};
use eventflow::scenario::source::{Sources, Span};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const VALID: &str = include_str!("files/valid.yaml");

/// Loads and shows, and checks what has to hold whatever the text is.
fn survive(text: &str, settings: &[String]) -> (Diagnostics, Option<Loaded>) {
    let (sources, diagnostics, loaded) = load_text("in-memory.yaml", text, settings);
    assert!(loaded.is_some() || !diagnostics.is_empty(), "a refusal says why: {text:?}");
    for mistake in &diagnostics.list {
        check_place(&sources, mistake.span);
        mistake.related.iter().for_each(|(span, _)| check_place(&sources, *span));
    }
    let shown = render(&sources, &diagnostics, Style::Plain, 80);
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!shown.contains(obeyed), "{shown:?}");
    if let Some(loaded) = &loaded {
        let nodes = check_tree(&sources, &loaded.root, 0);
        assert!(nodes <= limits::NODES);
        loaded.parameters.values().for_each(|value| {
            check_tree(&sources, value, 0);
        });
    }
    (diagnostics, loaded)
}

fn check_place(sources: &Sources, span: Span) {
    let text = &sources.get(span.file).text;
    let place = span.start as usize..span.end as usize;
    assert!(text.get(place.clone()).is_some(), "{place:?} is no place in {text:?}");
}

/// Checks every place; returns how many values there are.
fn check_tree(sources: &Sources, node: &Node, depth: usize) -> usize {
    check_place(sources, node.span);
    assert!(depth <= limits::NESTING);
    match &node.kind {
        NodeKind::Null => 1,
        NodeKind::Text { text, offsets_exact, .. } => {
            assert!(!offsets_exact || sources.text(node.span) == text);
            1
        }
        NodeKind::List(items) => {
            1 + items.iter().map(|item| check_tree(sources, item, depth + 1)).sum::<usize>()
        }
        NodeKind::Map(entries) => {
            let values = entries.values().map(|entry| {
                check_place(sources, entry.key_span);
                check_tree(sources, &entry.value, depth + 1)
            });
            1 + values.sum::<usize>()
        }
    }
}

/// Pieces that YAML, or the language, treats in a way of its own.
fn piece() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "a",
        "b: ",
        ": ",
        ":",
        "- ",
        "-",
        "\n",
        "\n  ",
        "\n    ",
        "\r\n",
        "\r",
        "\t",
        " ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "\\",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "\\x4",
        "#",
        " # c",
        "&a ",
        "*a",
        "!t ",
        "!!int ",
        "!<x> ",
        "!",
        "? ",
        "|",
        ">",
        "|2-\n",
        ">+\n",
        "%YAML 1.2\n",
        "%TAG ! x\n",
        "---\n",
        "---",
        "...\n",
        "<<: ",
        "~",
        "null",
        "$a",
        "$b + 1",
        "$",
        "parameters:\n  a: $b\n",
        "extends: x\n",
        "services:\n  s:\n    versions:\n      v:\n",
        "max(1, 2)",
        "é",
        "😀",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\0",
        "\u{7f}",
        "\u{1b}[31m",
        "=",
        "1.5",
        "@",
        "`",
    ];
    prop_oneof![8 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => any::<String>()]
}

fn soup() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(42),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survive(&String::from_utf8_lossy(&bytes), &[]);
    }

    #[test]
    fn anything_like_yaml(text in soup(), setting in soup()) {
        survive(&text, &[]);
        survive("parameters: { a: 1 }\nx: [ $a ]", &[setting.clone(), format!("a={setting}"), format!("x.0={setting}")]);
    }

    #[test]
    fn a_valid_scenario_with_something_else_in_it(
        at in any::<proptest::sample::Index>(), remove in 0usize..20, insert in proptest::collection::vec(piece(), 0..4),
    ) {
        let starts: Vec<usize> = VALID.char_indices().map(|(at, _)| at).collect();
        let first = at.index(starts.len());
        let last = (first + remove).min(starts.len() - 1);
        let text = format!("{}{}{}", &VALID[..starts[first]], insert.concat(), &VALID[starts[last]..]);
        survive(&text, &[]);
    }
}

#[test]
fn the_valid_scenario_is_valid() {
    assert!(survive(VALID, &[]).0.is_empty());
}

#[test]
fn huge_and_hostile_texts() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    let nested_anchors: String = (0..60).map(|level| format!("&a{level} [ ")).collect();
    let many = 200_000;
    let cases = [
        bomb,
        "[".repeat(many),
        "{a: ".repeat(many),
        "- ".repeat(many),
        "? ".repeat(many),
        "[a, ".repeat(many),
        "&a ".repeat(many),
        "!a ".repeat(many),
        "!x\n".repeat(many),
        "*a ".repeat(many),
        "\"".repeat(many),
        "'".repeat(many),
        "a:\n".repeat(many),
        "a: b: ".repeat(many),
        "a: {}\n".repeat(many),
        "- $x\n".repeat(many),
        format!("x:\n{}", "- $x\n".repeat(many)),
        format!("x:\n{}", "-\n".repeat(many)),
        format!("x: {}", "!a ".repeat(many)),
        format!("x: {}", "f(".repeat(many)),
        format!("x: {{ {} }}", "f(a, b), ".repeat(many)),
        format!("x: {{ {} }}", "f(a, ".repeat(many)),
        format!("x: {{ {} }}", "!f, ".repeat(many)),
        format!("x: |\n{}", "  é\n".repeat(many)),
        format!("x: \"{}\"", "é\\n".repeat(many)),
        format!("x: \"{}\"", "\\ud83d\\ude00".repeat(many)),
        format!("x: \"{}\"", "\\ud83d".repeat(many)),
        format!("x: {}", "$a ".repeat(many)),
        format!("x: {}", "$".repeat(many)),
        format!(
            "parameters:\n{}x: $a0",
            (0..many / 10).map(|n| format!("  a{n}: $b{n} + $a{n}\n")).collect::<String>()
        ),
        format!("x: 1{}", "\n".repeat(many)),
        format!("{}x: 1", " ".repeat(many)),
        format!("x: {}", "9".repeat(8_000_000)),
        format!("{}: 1\n{}: 2", "k".repeat(1_000_000), "k".repeat(1_000_000)),
        format!("x: ${}", "k".repeat(1_000_000)),
        format!("a: {nested_anchors}{}", "x, ".repeat(100_000)),
        format!("extends: {}\n", "k".repeat(1_000_000)),
        "rows: 1..1000000000\n".to_owned(),
    ];
    for text in cases {
        survive(&text, &[text.chars().take(100_000).collect()]);
    }
}
