//! `show`, `schema`, `completions` and `man`.

use super::{Desk, SHOP};
use eventflow::scenario::grammar;
use std::path::Path;

#[test]
fn a_scenario_is_shown_with_all_that_it_means() {
    let (code, said, complaints) = Desk::with(SHOP).outcome(&["show", "scenario.yaml"]);
    assert_eq!((code, complaints.as_str()), (0, ""));
    insta::assert_snapshot!("shop", said);
}

#[test]
fn the_flow_is_shown_as_a_flowchart() {
    let (code, said, _) = Desk::with(SHOP).outcome(&["show", "scenario.yaml", "--format", "mermaid"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!("shop_as_a_flowchart", said);
}

#[test]
fn a_setting_shows() {
    let words = ["show", "scenario.yaml", "--set", "rate=7/s", "--set", "services.mail.instances=3"];
    let (code, said, _) = Desk::with(SHOP).outcome(&words);
    assert_eq!(code, 0);
    assert!(said.contains("poisson 7/s") && said.contains("mail: instances 3"), "{said}");
}

#[test]
fn the_schema_is_that_of_the_grammar() {
    let (code, said, _) = Desk::with(SHOP).outcome(&["schema"]);
    assert_eq!(code, 0);
    let printed: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(printed, grammar::schema());
}

#[test]
fn every_shipped_scenario_can_be_shown() {
    let desk = Desk::with(SHOP);
    let files = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let library = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"));
    let shipped: Vec<_> =
        library.iter().filter(|path| path.is_dir()).flat_map(|folder| files(folder)).collect();
    assert!(shipped.len() > 10, "{shipped:?}");
    for path in shipped {
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let (code, said, complaints) = desk.outcome(&["show", path.to_str().unwrap()]);
            assert_eq!((code, complaints.as_str()), (0, ""), "{}", path.display());
            // But for the one of a conditional expression.
            let said = said.replace(") ? (", "");
            assert!(!said.contains('?'), "{}: something has no name: {said}", path.display());
        }
    }
}

#[test]
fn shells_and_manuals_know_the_commands() {
    let desk = Desk::with(SHOP);
    for words in [&["completions", "bash"][..], &["completions", "zsh"], &["completions", "fish"], &["man"]] {
        let (code, said, _) = desk.outcome(words);
        assert_eq!(code, 0);
        assert!(
            ["run", "show", "schema", "replications"].iter().all(|word| said.contains(word)),
            "{words:?}"
        );
    }
}
