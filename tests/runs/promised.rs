//! What the scenarios of the library expect of their own verdicts, on runs cut short.

use super::{library, model, results_of};
use eventflow::experiment::results::verdict::Outcome;
use eventflow::experiment::run::RunOptions;

/// More and shorter replications: some mistakes are seen only where a run ends.
const SETTINGS: [&str; 2] = ["run.horizon=20s", "run.replications=10"];

fn meets_expectations(folder: &str) {
    let files = std::fs::read_dir(library().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = files.filter(|path| path.extension().is_some_and(|of| of == "yaml")).collect();
    names.sort();
    let mut judged = 0;
    for path in names {
        let name = format!("{folder}/{}", path.file_stem().unwrap().to_str().unwrap());
        let results = results_of(&model(&name, &SETTINGS), RunOptions::default());
        assert!(!results.verdicts.is_empty(), "{name} promises nothing");
        for verdict in &results.verdicts {
            let expected = verdict.expected.unwrap_or(Outcome::Pass);
            assert_eq!(verdict.outcome, expected, "{name}: {}: {}", verdict.name, verdict.reason);
            judged += 1;
        }
    }
    assert!(judged > 10, "{judged} verdicts");
}

#[test]
fn designs_of_idempotency_meet_their_expectations() {
    meets_expectations("idempotency");
}

#[test]
fn designs_of_ordering_meet_their_expectations() {
    meets_expectations("ordering");
}

#[test]
fn designs_of_consistency_meet_their_expectations() {
    meets_expectations("consistency");
}

#[test]
fn designs_of_payloads_meet_their_expectations() {
    meets_expectations("payload");
}
