//! Golden digests: what every shipped scenario does. They change when the world's behaviour does, and
//! then on purpose: `EVENTFLOW_GOLDEN=update cargo test golden` writes them anew.

use crate::runs::{library, model, results_of};
use eventflow::experiment::run::RunOptions;
use std::path::{Path, PathBuf};

/// Long enough for something of everything to happen.
const SETTINGS: [&str; 3] = ["run.horizon=10s", "run.warm_up=1s", "run.replications=2"];
/// Where a fault would come too late, it comes earlier.
const EARLIER_FAULTS: &str = include_str!("earlier.txt");

/// Every scenario of the library, by name.
fn shipped() -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![library()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.with_extension("");
                names.push(name.strip_prefix(library()).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    names.sort();
    names
}

/// Its settings here.
pub fn settings(name: &str) -> Vec<&'static str> {
    let earlier = EARLIER_FAULTS.lines().filter_map(|line| line.split_once(' '));
    let earlier = earlier.filter(|(prefix, _)| name.starts_with(prefix));
    SETTINGS.into_iter().chain(earlier.map(|(_, fault)| fault)).collect()
}

#[test]
fn golden_digests() {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/determinism/golden.txt");
    let digests: String = shipped()
        .iter()
        .map(|name| {
            let results = results_of(&model(name, &settings(name)), RunOptions::default());
            format!("{name} {}\n", results.digest)
        })
        .collect();
    if std::env::var("EVENTFLOW_GOLDEN").is_ok_and(|wanted| wanted == "update") {
        std::fs::write(&file, &digests).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    let differing: Vec<_> =
        digests.lines().filter(|line| !golden.lines().any(|known| known == *line)).collect();
    assert!(
        differing.is_empty() && golden.lines().count() == digests.lines().count(),
        "not as in golden.txt: {differing:#?}\nif the change was wanted: EVENTFLOW_GOLDEN=update cargo test golden"
    );
}

/// Everything in the results, not the digest alone.
#[test]
fn the_number_of_threads_never_shows() {
    let name = "coupling/event-fan-out";
    let mut settings = settings(name);
    settings.push("run.replications=5");
    let model = model(name, &settings);
    let with = |threads| {
        let options = RunOptions { threads: Some(threads), ..RunOptions::default() };
        serde_json::to_string(&results_of(&model, options)).unwrap()
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(3));
}

#[test]
fn another_seed_is_another_run() {
    let model = model("queueing/mm1", &SETTINGS);
    let with = |seed| results_of(&model, RunOptions { seed, ..RunOptions::default() }).digest;
    assert_eq!(with(None), with(Some(model.seed)));
    let digests = [with(Some(0)), with(Some(1)), with(Some(2)), with(Some(1 << 40))];
    for (i, digest) in digests.iter().enumerate() {
        assert!(!digests[..i].contains(digest));
    }
}
