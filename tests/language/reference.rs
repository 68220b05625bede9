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

/// What is not built is marked where it stands, in the page and in the schema, and nothing else is.
#[test]
fn what_is_not_built_is_marked_at_its_key() {
    let page = grammar::reference();
    let row = |key: &str, about: &str| {
        let mut rows =
            page.lines().filter(|line| line.starts_with(&format!("| `{key}` |")) && line.contains(about));
        rows.next().unwrap_or_else(|| panic!("{key}: {about}")).to_owned()
    };
    assert!(!row("sagas", "").contains("Not built"));
    assert!(row("prove", "").contains("**Not built yet.**"));
    assert!(!row("repartition", "").contains("Not built"));
    assert!(!row("select", "").contains("Not built"));
    assert!(row("preset", "").contains("`sqs-fifo`") && !row("preset", "").contains("yet:** `kafka`"));
    for built in
        ["crash", "publish", "partitions", "outbox", "workers", "tombstone", "preset", "poison", "deploy"]
    {
        assert!(!row(built, "").contains("Not built"), "{built}");
    }
    let schema = grammar::schema();
    let described = |record: &str, key: &str| {
        let properties = &schema["$defs"][record]["properties"];
        properties[key]["description"].as_str().unwrap_or_else(|| panic!("{record}.{key}")).to_owned()
    };
    assert!(described("scenario", "prove").ends_with("Not built yet."));
    let autoscale = "Not built yet: of a service that consumes `per_instance`.";
    assert!(described("service", "autoscale").ends_with(autoscale));
    assert!(!described("service", "workers").contains("Not built"));
}
