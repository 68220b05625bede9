//! The same account as text, as a diagram and drawn.

use super::*;
use eventflow::report::account::{json, mermaid, sequence, text};
use roxmltree::Document;
use unicode_width::UnicodeWidthStr;

#[test]
fn a_duplicate_as_text() {
    insta::assert_snapshot!("duplicate", text::render(&first(&look_act_remember(CRASH_AMONG_OTHERS))));
}

#[test]
fn torn_work_as_text() {
    insta::assert_snapshot!("torn", text::render(&first(&mark_then_act())));
}

#[test]
fn torn_work_as_a_diagram() {
    insta::assert_snapshot!("torn_as_a_diagram", mermaid::render(&first(&mark_then_act())));
}

#[test]
fn json_holds_everything() {
    let account = first(&mark_then_act());
    let read: Account = serde_json::from_str(&json(&account)).unwrap();
    assert_eq!(read, account);
}

/// Names that would break out of a terminal line, a diagram or a drawing.
fn hostile() -> Account {
    let mut account = first(&mark_then_act());
    let evil = "\u{1b}[2J</text><script>;#\u{202e}end\nNote over x:".repeat(5);
    account.subject.clone_from(&evil);
    account.what.clone_from(&evil);
    account.file.clone_from(&evil);
    account.got.push(evil.clone());
    for link in &mut account.chain {
        link.who += &evil;
        link.from = link.from.as_ref().map(|from| format!("{from}{evil}"));
        link.text += &evil;
    }
    account
}

#[test]
fn text_keeps_to_its_width_and_holds_nothing_that_acts() {
    for account in [hostile(), first(&mark_then_act()), first(&swallowed())] {
        let text = text::render(&account);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        for line in text.lines().filter(|line| !line.contains("replay: ")) {
            assert!(line.width() <= text::COLUMNS, "{} columns: {line}", line.width());
        }
    }
}

#[test]
fn a_hostile_diagram_has_as_many_lines_as_a_plain_one() {
    let plain = mermaid::render(&first(&mark_then_act()));
    let evil = mermaid::render(&hostile());
    assert_eq!(evil.lines().count(), plain.lines().count());
    assert!(!evil.contains("<script") && !evil.contains('\u{1b}'), "{evil}");
    let beginnings = [
        "sequenceDiagram",
        "  %% ",
        "  actor p",
        "  participant p",
        "  Note over p",
        "  rect rgba(",
        "  end",
        "  p",
    ];
    for line in evil.lines() {
        assert!(beginnings.iter().any(|beginning| line.starts_with(beginning)), "{line}");
    }
}

#[test]
fn drawings_are_well_formed_told_in_words_and_coloured_by_the_page() {
    for account in [first(&mark_then_act()), hostile()] {
        for svg in [sequence::wide(&account, "c1"), sequence::narrow(&account, "c1")] {
            let document = Document::parse(&svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
            let root = document.root_element();
            assert_eq!(root.attribute("role"), Some("img"));
            let width: f64 = root.attribute("width").unwrap().parse().unwrap();
            let height: f64 = root.attribute("height").unwrap().parse().unwrap();
            let told = root.children().find(|child| child.tag_name().name() == "desc").unwrap();
            assert!(told.text().unwrap().contains("Without "), "{told:?}");
            for node in document.descendants().filter(|node| node.is_element()) {
                assert!(["fill", "stroke", "style"].iter().all(|name| node.attribute(*name).is_none()));
                let at = |name: &str| node.attribute(name).and_then(|value| value.parse::<f64>().ok());
                assert!(at("x").or(at("cx")).is_none_or(|x| (0.0..=width).contains(&x)), "{node:?}");
                assert!(at("y").or(at("cy")).is_none_or(|y| (0.0..=height).contains(&y)), "{node:?}");
            }
            let classes = |class: &str| {
                document.descendants().filter(|node| node.attribute("class") == Some(class)).count()
            };
            assert_eq!((classes("b0"), classes("wrong-row"), classes("end")), (1, 1, 1));
        }
    }
}
