use super::*;
use crate::scenario::node::NodeKind;
use crate::scenario::source::Source;

fn read_text(text: &str) -> (Sources, Diagnostics, Option<Node>) {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let file = sources.add(Source { name: "s.yaml".into(), folder: "".into(), text: text.into() });
    let node = read(&sources, file, 0, &mut diagnostics);
    (sources, diagnostics, node)
}

/// The tree in one line, each text behind the text that its place covers if they differ.
fn written(sources: &Sources, node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "null".into(),
        NodeKind::Text { text, offsets_exact, .. } => {
            let covered = sources.text(node.span);
            assert_eq!(*offsets_exact, covered == text, "{covered:?} covers {text:?}");
            if covered == text { text.clone() } else { format!("{text}<{covered}>") }
        }
        NodeKind::List(items) => {
            let items: Vec<String> = items.iter().map(|item| written(sources, item)).collect();
            format!("[{}]", items.join(", "))
        }
        NodeKind::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, entry)| format!("{key}: {}", written(sources, &entry.value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn tree(text: &str) -> String {
    let (sources, diagnostics, node) = read_text(text);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
    written(&sources, &node.expect("a tree"))
}

/// The codes of the mistakes, each with the text that is underlined.
fn mistakes(text: &str) -> Vec<(&'static str, String)> {
    let (sources, diagnostics, _) = read_text(text);
    diagnostics.list.iter().map(|mistake| (mistake.code, sources.text(mistake.span).to_owned())).collect()
}

/// What a value that should have been quoted is read as, and what is underlined.
fn unquoted(text: &str) -> String {
    let mistakes = mistakes(text);
    assert_eq!(mistakes.len(), 1, "{text}: {mistakes:?}");
    assert_eq!(mistakes[0].0, "quote-expression", "{text}: {mistakes:?}");
    mistakes[0].1.clone()
}

#[test]
fn scalars_stay_as_written() {
    let text =
        "on: no\nnumber: 0123\nversion: 1.10\nrate: 200/s\nlink: a -> b\nkey: 'it''s'\ntilde: ~\nempty:\n";
    let shown = "{on: no, number: 0123, version: 1.10, rate: 200/s, link: a -> b, key: it's<'it''s'>, tilde: null, empty: null}";
    assert_eq!(tree(text), shown);
}

#[test]
fn places_are_bytes_behind_any_text() {
    assert_eq!(
        tree("ключ: 'é€' # 😀 ü\n😀: [ öl, \"ß\" ]\nend: \"q\" # x\n"),
        "{ключ: é€, 😀: [öl, ß], end: q}"
    );
    assert_eq!(
        tree("a: long\n  text\nb: |\n  é\n  ü\nc: >-\n  x\n\n\nd: e"),
        "{a: long text<long\n  text>, b: é\nü\n<é\n  ü>, c: x, d: e}"
    );
}

#[test]
fn maps_and_lists_span_what_is_in_them() {
    let (sources, _, node) =
        read_text("# é\na: { b: [c, d] , e: f }  # end\nlist:\n  - x\n  - y: z\n\nlast: 1\n");
    let node = node.unwrap();
    let NodeKind::Map(entries) = &node.kind else { panic!("a map") };
    let covered = |key: &str| sources.text(entries[key].value.span);
    assert_eq!(covered("a"), "{ b: [c, d] , e: f }");
    assert_eq!(covered("list"), "- x\n  - y: z");
    assert_eq!(sources.text(node.span).len(), sources.get(node.span.file).text.len() - "# é\n".len() - 1);
    assert_eq!(sources.text(entries["last"].key_span), "last");
}

#[test]
fn anchors_are_filled_in() {
    assert_eq!(tree("a: &x { b: c }\nd: *x\ne: [&y f, *y]"), "{a: {b: c}, d: {b: c}, e: [f, f<*y>]}");
    assert_eq!(tree("a: &x\n  - b\n  - c\nd: *x"), "{a: [b, c], d: [b, c]}");
    assert_eq!(mistakes("a: &x [ *x ]"), [("alias-cycle", "*x".to_owned())]);
}

#[test]
fn json_is_read_with_its_escapes() {
    let text = "{\n\t\"a\":\"\\u00e9\\ud83d\\ude00\\n\\/\\\\ud83d\",\n\t\"b\": [1,2.50,true,{\"c\":\"plain\"}],\"d\":{}\n}\n";
    let shown =
        "{a: é😀\n/\\ud83d<\"\\u00e9\\ud83d\\ude00\\n\\/\\\\ud83d\">, b: [1, 2.50, true, {c: plain}], d: {}}";
    assert_eq!(tree(text), shown);
    assert_eq!(
        mistakes(r#"{"a": "\ud83d", "a": 1}"#),
        [("bad-escape", r#""\ud83d""#.to_owned()), ("duplicate-key", "a".to_owned())]
    );
}

#[test]
fn expressions_that_yaml_cuts_up_are_to_be_quoted() {
    for (text, expression) in [
        ("a: { let: { x: max(1, 2) } }", "max(1, 2)"),
        ("a: [ max(1, 2), 3 ]", "max(1, 2)"),
        ("a: { x: f(a, g(b, c), d), y: 1 }", "f(a, g(b, c), d)"),
        ("a: { x: status == \"a, b\", y: 1 }", "status == \"a, b\""),
        ("a: { x: f({ b: 1 }, 2), y: 1 }", "f({ b: 1 }, 2)"),
        ("a: { x: plans[row.plan].exists, y: 1 }", "plans[row.plan].exists"),
        ("a: { x: ok ? 1 : 2 }", "ok ? 1 : 2"),
        ("a: ok ? 1 : 2", "ok ? 1 : 2"),
        ("a: f(\"x #1\", b)", "f(\"x #1\", b)"),
        ("- if: !seen.exists", "!seen.exists"),
        ("- { if: !seen.exists, then: [ stop ] }", "!seen.exists"),
        ("- if: !(a && b) # why", "!(a && b)"),
        ("- if: !plans[a].exists", "!plans[a].exists"),
        ("- if: !!done", "!!done"),
        ("a: [1, 2].size() + 1", "[1, 2].size() + 1"),
        ("a: { b: 1 }.b", "{ b: 1 }.b"),
        ("a: \"x\" + y", "\"x\" + y"),
        ("- a: 'x' == y", "'x' == y"),
        ("a: *b", "*b"),
        ("a: @b", "@b"),
        ("a: { x: `b }", "`b"),
        ("a: >= 3", ">= 3"),
    ] {
        assert_eq!(unquoted(text), expression, "{text}");
    }
}

#[test]
fn a_repaired_expression_leaves_its_neighbours_alone() {
    let (sources, _, node) = read_text("a: { x: max(1, 2), y: 3 }\nb: [ f(1, 2), !g, 4 ]");
    assert_eq!(written(&sources, &node.unwrap()), "{a: {x: max(1, 2), y: 3}, b: [f(1, 2), !g, 4]}");
}

#[test]
fn what_only_looks_cut_up_is_left_alone() {
    for text in [
        "about: it's fine # a comment",
        "a: { about: it's, b: that's }",
        "a: max(1, 2)",
        "a: plans[row.plan].exists",
        "a: { b: (c), d: f(x) }",
        "about: (see below\nb: 1",
        "a: \"max(1, 2)\"",
        "a: http://x:1#y",
    ] {
        assert_eq!(mistakes(text), [], "{text}");
    }
}

#[test]
fn what_is_not_part_of_the_language_is_refused() {
    for (text, code, underlined) in [
        ("a: 1\nb: 2\na: 3", "duplicate-key", "a"),
        ("a: !!int 5", "yaml-tag", "!!int 5"),
        ("a: &x { b: 1 }\nc:\n  <<: *x", "merge-key", "<<"),
        ("a: 1\n---\nb: 2", "several-documents", "---"),
        ("? [a]\n: b", "key-not-text", "[a]"),
        ("~: b", "key-not-text", "~"),
        ("a:\n\tb: 1", "tab-indentation", "\t"),
        ("a:\n  - b\n\t- c", "tab-indentation", "\t"),
        ("a: \u{1b}", "control-character", "\u{1b}"),
        ("a: 1 \u{feff}", "control-character", "\u{feff}"),
        ("a: { b: 1\nc: 2", "yaml-syntax", ":"),
        ("a: b\n  c: d", "yaml-syntax", ":"),
        ("a: ]", "yaml-syntax", "]"),
        ("a: \"b", "yaml-syntax", "\""),
        ("a: \"\\d\"", "yaml-syntax", "\""),
        ("a: [ b", "yaml-syntax", ""),
        ("a: 1\n b: 2", "yaml-syntax", ":"),
    ] {
        assert_eq!(mistakes(text), [(code, underlined.to_owned())], "{text:?}");
    }
}

#[test]
fn bounds_are_named() {
    let nested = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    let deep: String = (0..70).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let uses = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{uses}]\n");
    }
    let cases = [
        (nested, "64 lists and maps"),
        ("[".repeat(100_000), "64 lists and maps"),
        ("- ".repeat(100_000), "64 lists and maps"),
        (deep, "64 lists and maps"),
        (bomb, "1,000,000 values"),
        (format!("[{}]", ",".repeat(1_000_001)), "1,000,000 in a file"),
        ("x".repeat(limits::FILE_BYTES + 1), "8,388,608 bytes"),
        ("- x\n".repeat(limits::NODES), "1,000,000 values"),
    ];
    for (text, limit) in cases {
        let (_, diagnostics, node) = read_text(&text);
        assert!(node.is_none());
        assert_eq!(diagnostics.list.len(), 1);
        assert!(diagnostics.list[0].message.contains(limit), "{:?}", diagnostics.list[0]);
    }
    let (_, diagnostics, _) = read_text(&format!("{}1{}", "[".repeat(64), "]".repeat(64)));
    assert!(diagnostics.is_empty());
}
