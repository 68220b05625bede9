//! Whatever the text, an answer or a diagnostic comes, soon and without a deep stack.

use super::*;
use proptest::prelude::*;

/// Reads a text in both scopes; nothing or something comes, a diagnostic if nothing.
fn survives(text: &str) {
    for aggregates in [false, true] {
        for expected in [None, Some(&Type::Duration), Some(&Type::Text)] {
            let mut world = World::new();
            let node = world.node("1");
            let file = node.span.file;
            world.sources.files[file.0 as usize].text = text.to_owned();
            let span = Span { file, start: 0, end: text.len() as u32 };
            let kind = NodeKind::Text { text: text.to_owned(), quoted: false, offsets_exact: true };
            let node = Node { kind, span };
            let (locals, visible) = (world.locals.clone(), world.visible.clone());
            let scope =
                Scope { locals: &locals, visible: &visible, row: Some(STOCK), aggregates, ..Scope::NOTHING };
            let found = expression(&node, expected, &scope, &mut world.context());
            assert_eq!(
                found.is_none(),
                !world.diagnostics.is_empty(),
                "{text}: {:?}",
                world.diagnostics.list
            );
            for diagnostic in &world.diagnostics.list {
                // Every underlined part lies within its source, on whole characters.
                world.sources.text(diagnostic.span);
            }
        }
    }
}

#[test]
fn deep_nesting_is_bounded() {
    for depth in [10, 32, 33, 1_000, 100_000] {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("abs(", ")"), ("items[", "]"), ("-(", ")"), ("true ? ", " : 1")]
        {
            survives(&format!("{}1{}", open.repeat(depth), close.repeat(depth)));
            survives(&open.repeat(depth));
            survives(&close.repeat(depth));
        }
    }
    assert_eq!(wrong(&format!("{}1{}", "(".repeat(33), ")".repeat(33)), None).0.code, "too-deep");
    assert_eq!(good(&format!("{}1{}", "(".repeat(32), ")".repeat(32)), None).ty, Type::Int);
}

#[test]
fn long_chains_are_bounded() {
    for length in [100, 127, 1_000, 1_000_000] {
        for (link, end) in [
            ("1 + ", "1"),
            ("n.", "x"),
            ("true && ", "true"),
            ("1 < ", "1"),
            ("1..", "2"),
            ("!", "true"),
            ("a ", ""),
        ] {
            survives(&format!("{}{end}", link.repeat(length)));
        }
        survives(&format!("items{}", "[0]".repeat(length)));
        survives(&"9".repeat(length));
        survives(&"a".repeat(length));
    }
    assert_eq!(folded(&format!("{}1", "1 + ".repeat(127))).0, Literal::Int(128));
    assert_eq!(wrong(&format!("{}1", "1 + ".repeat(128)), None).0.code, "too-large");
}

#[test]
fn parameters_that_multiply_are_bounded() {
    let mut world = World::new();
    for level in 0..64 {
        let node = world.node(&format!("$p{} + $p{}", level + 1, level + 1));
        world.parameters.insert(format!("p{level}"), node);
    }
    let node = world.node("1");
    world.parameters.insert("p64".into(), node);
    assert!(world.read("$p0", None, false).is_none());
    assert!(matches!(only(&world, "$p0").0.code, "too-large" | "too-deep"));
}

#[test]
fn lists_of_nodes_are_bounded() {
    for (text, code) in [
        (format!("[{}1]", "1, ".repeat(100_000)), "too-large"),
        (format!("{}1{}", "[".repeat(100), "]".repeat(100)), "too-deep"),
    ] {
        let mut world = World::new();
        assert!(world.read(&text, None, false).is_none());
        assert_eq!(only(&world, "a list").0.code, code);
    }
}

#[test]
fn odd_texts_survive() {
    for text in [
        ".5",
        ".n",
        "n.",
        "..",
        "1..",
        "..2",
        "1...2",
        "1..2..3",
        "n .. n",
        "$",
        "$ ",
        "$$n",
        "'",
        "\"",
        "\\",
        "''",
        "'''a'''",
        "5%",
        "5 %",
        "5%%",
        "5%5%",
        "%",
        "10/s/s",
        "10MB/s/s",
        "5€",
        "€",
        "1e",
        "1e5ms",
        "0x1F",
        "5u",
        "b'x'",
        "r'x'",
        "a.b.c.d",
        "n[0][0]",
        "f()()",
        "().x",
        "[1,]",
        "max(1,)",
        "a ? b",
        "a : b",
        "? :",
        "in",
        "in in in",
        "true.x",
        "1.x",
        "'a'.b",
        "-",
        "!-n",
        "-!n",
        "- -n",
        "--5",
        "now()",
        "message()",
        "message.x()",
        "\u{0}",
        "\u{202e}abc",
        "1\n+\n2",
        "// comment",
        "1 // 2",
        "`a`",
        "n.`a`",
        "{}",
        "a{b: 1}",
        "@x",
        "n[?0]",
        "unique",
        "min",
        "sum()",
        "count(row)",
        "inventory.stock[].x",
        "inventory.stock[1].sku.x",
    ] {
        survives(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_texts_never_panic(text in "\\PC{0,60}") {
        survives(&text);
    }

    #[test]
    fn arbitrary_words_never_panic(words in proptest::collection::vec(prop::sample::select(vec![
        "n", "items", "seen", "message", ".", "qty", "(", ")", "[", "]", "+", "-", "*", "/", "%", "5ms", "2", "0", "1.5", "200/s", "1KB",
        "10%", "true", "'a'", "$two", "$timeout", "..", ",", "?", ":", "==", "<", "&&", "||", "!", "in", "min", "max", "size", "abs",
        "unique", "sum", "count", "p99", "inventory", "stock", "reserved", "row", "wait", "now", "self", "placed", "shopper", "lag",
        "9223372036854775807", " ",
    ]), 0..24)) {
        survives(&words.concat());
    }

    #[test]
    fn constants_add_up_as_checked_integers(a in any::<i64>(), b in any::<i64>()) {
        let text = format!("{a} + {b}");
        match a.checked_add(b) {
            Some(sum) => prop_assert_eq!(folded(&text).0, Literal::Int(sum)),
            None => prop_assert_eq!(wrong(&text, None).0.code, "overflow"),
        }
    }
}
