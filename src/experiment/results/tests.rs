//! The schemas of the JSON files, in `docs/`: made of the types that are written, with what is said of each field.

use super::RunResults;
use super::compare::Comparison;
use super::sweep::SweepResults;
use schemars::{JsonSchema, schema_for};
use std::path::PathBuf;

/// Holds a schema against the one that is committed, or writes it where that is asked for.
fn is_as_written<T: JsonSchema>(name: &str) {
    let schema = serde_json::to_string_pretty(&schema_for!(T)).unwrap() + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{name}.schema.json"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == schema,
        "docs/{name}.schema.json is out of date: UPDATE_DOCS=1 cargo test --lib schemas_are"
    );
}

#[test]
fn schemas_are_those_of_what_is_written() {
    is_as_written::<RunResults>("run");
    is_as_written::<SweepResults>("sweep");
    is_as_written::<Comparison>("compare");
}
