//! Every scenario of the library: it ends quiet, leaves nothing behind, and is the same when run again.

use super::{Simulated, simulate};
use eventflow::experiment::replication;
use eventflow::kernel::stream::StreamPlan;
use eventflow::model::{Model, compile};
use eventflow::scenario::{grammar, load, resolve};
use eventflow::world::record::Record;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn library(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            library(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
}

/// The model of a file, its run cut short: twenty seconds tell as much as an hour here.
fn short_model(path: &Path) -> Model {
    let (sources, mut diagnostics, loaded) = load::load(path, &[]);
    let loaded = loaded.unwrap();
    grammar::check(&loaded.root, &mut diagnostics);
    let mut scenario = resolve::resolve(&loaded, &sources, &mut diagnostics).unwrap();
    let horizon = scenario.run.horizon.min(20 * super::S);
    for fault in &mut scenario.faults {
        // Faults come into the shorter run with everything else.
        if let eventflow::scenario::resolved::When::At(times) = &mut fault.when {
            times.iter_mut().for_each(|time| {
                *time = (u128::from(*time) * u128::from(horizon) / u128::from(scenario.run.horizon)) as u64
            });
        }
    }
    scenario.run.horizon = horizon;
    scenario.run.warm_up = Some(0);
    compile::compile(&scenario, &sources)
}

/// Where a message that cannot be handled blocks its partition for good: what is behind it is still there
/// at the end.
const NEVER_QUIET: [&str; 2] = ["brokers/kafka.yaml", "payload/domain-shared.yaml"];

#[test]
fn the_library_ends_quiet_and_leaves_nothing_behind() {
    let mut files = Vec::new();
    library(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")), &mut files);
    assert!(files.len() >= 10);
    for path in files {
        let model = short_model(&path);
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let Simulated { result, world, records, .. } =
            simulate(&model, replication::agenda(&model, &plan, model.seed, 0));
        assert_eq!(result, Ok(()), "{}", path.display());
        let quiet = !NEVER_QUIET.iter().any(|name| path.ends_with(name));
        assert_eq!(records.last().unwrap().1, Record::End { quiet }, "{}", path.display());
        if !quiet {
            continue;
        }
        assert_eq!(world.leftovers(), [], "{}", path.display());
    }
}
