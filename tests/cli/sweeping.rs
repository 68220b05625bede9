//! A sweep as it is used: what it varies, what it tells, what it refuses.

use super::{Desk, SHOP};

const SWEEP: &[&str] =
    &["sweep", "scenario.yaml", "--set", "run.horizon=5s", "--replications", "2", "--color", "never"];

fn sweep(desk: &Desk, more: &[&str]) -> (i32, String, String) {
    desk.outcome(&[SWEEP, more].concat())
}

#[test]
fn every_point_is_run_under_the_same_seed_and_told() {
    let desk = Desk::with(SHOP);
    let (_, said, complaint) =
        sweep(&desk, &["--over", "rate=20/s..60/s:3", "--over", "services.desk.workers=1,4"]);
    assert!(
        said.contains("6 points over rate=20/s..60/s:3 and services.desk.workers=1,4"),
        "{said}{complaint}"
    );
    let results = desk.results("shop.sweep");
    let points = results["points"].as_array().unwrap();
    assert_eq!(points.len(), 6);
    assert_eq!(points[3]["values"], serde_json::json!(["40/s", "4"]));
    assert_eq!(points[3]["numbers"], serde_json::json!([40.0, 4.0]));
    // A point is the run of the same settings.
    let run = ["run", "scenario.yaml", "--set", "run.horizon=5s", "--replications", "2"];
    desk.outcome(&[&run[..], &["--set", "rate=40/s", "--set", "services.desk.workers=4"]].concat());
    assert_eq!(desk.results("shop")["digest"], points[3]["digest"]);
    let page = std::fs::read_to_string(desk.path("reports/shop.sweep.html")).unwrap();
    assert!(!page.contains("Latin"), "it is a grid");
    assert_eq!(page.matches("<script nonce=\"").count(), 1, "one script, with the mark of the page");
    for part in ["map-", "curve-", "services.desk.workers=4", "The front"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_random_design_is_the_same_for_the_same_seed() {
    let desk = Desk::with(SHOP);
    let over = ["--over", "rate=20/s..60/s", "--over", "services.desk.workers=1..8", "--samples", "4"];
    let values = |more: &[&str]| {
        let (_, said, complaint) = sweep(&desk, &[&over[..], more].concat());
        assert!(said.contains("4 points"), "{said}{complaint}");
        let results = desk.results("shop.sweep");
        let points = results["points"].as_array().unwrap().iter();
        points.map(|point| point["values"].clone()).collect::<Vec<serde_json::Value>>()
    };
    let first = values(&[]);
    assert_eq!(values(&["--design-seed", "0"]), first);
    assert_ne!(values(&["--design-seed", "1"]), first);
}

/// A design that comes to no end at one point is told there, and the others go on.
#[test]
fn a_point_without_an_end_does_not_end_the_others() {
    let desk = Desk::with(SHOP);
    let (code, said, _) = sweep(&desk, &["--over", "rate=20/s,500/s", "--max-events", "20000"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("NO END     rate=500/s"), "{said}");
    let results = desk.results("shop.sweep");
    assert!(results["points"][0]["trouble"].is_null());
    assert!(results["points"][1]["trouble"].as_str().unwrap().contains("budget"));
}

#[test]
fn mistakes_are_told_before_anything_is_run() {
    let desk = Desk::with(SHOP);
    for (words, said) in [
        (&["--over", "rat=20/s,30/s"][..], "there is no parameter `rat`"),
        (&["--over", "rate=20/s..30/s"], "say how many values"),
        (&["--over", "rate=20/s..30ms:3"], "write both in one unit"),
        (&["--over", "rate=20/s,soon"], "soon"),
        (
            &["--over", "rate=20/s,30/s", "--measure", "p99(shopper.respons_time)"],
            "did you mean `p99(shopper.response_time)`",
        ),
        (&[], "--over"),
    ] {
        let (code, _, complaint) = sweep(&desk, words);
        assert_eq!(code, 2, "{complaint}");
        assert!(complaint.contains(said), "{said}: {complaint}");
    }
    assert_eq!(desk.files(), ["scenario.yaml"], "nothing is written");
}

/// What is written is what `docs/` says of it.
#[test]
fn the_files_are_as_their_schemas_say() {
    let desk = Desk::with(SHOP);
    sweep(&desk, &["--over", "rate=20/s,500/s", "--max-events", "20000"]);
    desk.outcome(&["run", "scenario.yaml", "--set", "run.horizon=5s", "--replications", "2"]);
    for (results, schema) in [
        ("shop", include_str!("../../docs/run.schema.json")),
        ("shop.sweep", include_str!("../../docs/sweep.schema.json")),
    ] {
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let results = desk.results(results);
        let errors: Vec<String> = validator.iter_errors(&results).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut without = results.clone();
        without.as_object_mut().unwrap().remove("digest");
        assert!(!validator.is_valid(&without), "a schema that holds anything");
    }
}
