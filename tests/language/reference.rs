//! The reference page is the one that the grammar gives, and its examples are right.

use super::tree::{tree, yaml};
use eventflow::scenario::diagnostic::Diagnostics;
use eventflow::scenario::grammar;

const PAGE: &str = "docs/language.md";

/// Run with `UPDATE_DOCS=1` after a change of the grammar to write the page.
#[test]
fn the_page_is_up_to_date() {
    let page = grammar::reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "{PAGE} is not what the grammar gives: run UPDATE_DOCS=1 cargo test --test language"
    );
}

#[test]
fn the_example_of_the_page_is_a_scenario() {
    let page = grammar::reference();
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let scenarios: Vec<&str> = blocks.filter(|block| block.starts_with("scenario:")).collect();
    assert_eq!(scenarios.len(), 1);
    let value = yaml(scenarios[0]);
    assert!(jsonschema::is_valid(&grammar::schema(), &value));
    let (root, paths) = tree(&value);
    let mut diagnostics = Diagnostics::default();
    grammar::check(&root, &mut diagnostics);
    let found = diagnostics.list.iter().map(|found| (&paths[found.span.start as usize], &found.message));
    assert_eq!(found.collect::<Vec<_>>(), []);
}
