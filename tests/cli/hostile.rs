//! Text from a scenario reaches no reader raw.

use super::{Desk, SHOP};

/// Clears the screen, sets the title, turns the direction; then markup.
const EVIL: &str = r#""\e[2J\e]0;owned\a \u202Eevil <script>alert(1)</script> \"quoted\"""#;

#[test]
fn nothing_in_a_scenario_steers_a_terminal() {
    let hostile = SHOP
        .replace("about: An order is stored, and a mail is sent for it.", &format!("about: {EVIL}"))
        .replace("parameters: {", &format!("parameters: {{ note: {EVIL},"));
    let desk = Desk::with(&hostile);
    for words in [
        &["run", "scenario.yaml", "--replications", "1"][..],
        &["show", "scenario.yaml"],
        &["show", "scenario.yaml", "--format", "mermaid"],
        &["show", "scenario.yaml", "--set", "rate\x1b[2J=1/s"],
        &["run", "scenario.yaml", "--set", "note=\x1b[2J\x07", "--set", "seed=\"\\e[2J\""],
        &["run", "\x1b[2J.yaml"],
    ] {
        let (_, said, complaints) = desk.outcome(words);
        for text in [&said, &complaints] {
            let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(acts), "{words:?}: {text:?}");
        }
        assert!(!said.is_empty() || !complaints.is_empty());
    }
    let page = std::fs::read_to_string(desk.path("reports/shop.html")).unwrap();
    assert!(!page.contains("<script>alert"), "markup went through");
}

#[test]
fn a_label_of_a_flowchart_stays_a_label() {
    let desk = Desk::with(&SHOP.replace("effect: send_mail", "effect: \"x\\\"] --> n9[<b>`\""));
    let (code, said, complaints) = desk.outcome(&["show", "scenario.yaml", "--format", "mermaid"]);
    // A name cannot hold anything that ends a label, and there are no labels but names.
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(complaints.contains("bad-name"), "{complaints}");
}
