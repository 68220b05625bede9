//! Breaks the code that judges, one place at a time, and asks the tests whether they notice.
//!
//! The tree is copied to `target/mutants` and every place that can be broken is rewritten so that a number
//! in the environment breaks it ([`sites`]). It is built once; each mutant is then shown to the tests that come by
//! its place, the quickest first, until one of them fails. Those that no test runs over are not tried: nothing can
//! notice them.
//!
//! ```text
//! .ci/mutants/run                    the key parts of the oracles, against the planted bugs and histories
//! .ci/mutants/run --all              every mutant, against all tests of the oracles
//! .ci/mutants/run --shard 3/16       every sixteenth, from the fourth on
//! .ci/mutants/run --shard 3/16 --in lineage      … of the files whose path has this in it
//! .ci/mutants/run --number 17 --number 45
//! .ci/mutants/run --all --jobs 8     eight at a time
//! .ci/mutants/run --list             says which there are, and tries none
//! ```
//!
//! It ends with 0 if all were noticed but those of which [`explained`] says why they cannot be.

mod copy;
mod explained;
mod key_parts;
mod sites;
mod tally;
mod tests;

use sites::{Mutant, Sites};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::Tests;

/// What judges: folders and files.
const JUDGES: &[&str] = &[
    "src/observe/oracles",
    "src/observe/promise",
    "src/world/debt.rs",
    "src/stats/reordering",
    "src/experiment/verdict",
];

struct Asked {
    key_parts: bool,
    list: bool,
    shard: (u32, u32),
    within: Vec<String>,
    numbers: Vec<u32>,
    jobs: usize,
}

fn main() -> ExitCode {
    let asked = asked();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let tree = root.join("target/mutants");
    copy::copy(&root, &tree);
    let (parts, places) = rewrite(&root, &tree);
    println!("{} key parts, {} places", parts.len(), places.len());
    let chosen: Vec<&Mutant> =
        if asked.key_parts { parts.iter().collect() } else { places.iter().filter(|of| asked.has(of)).collect() };
    if asked.list {
        chosen.iter().for_each(|mutant| println!("{mutant}"));
        return ExitCode::SUCCESS;
    }
    let tests = Tests::build(&root, &tree);
    let all = tests.baseline(if asked.key_parts { tests::PLANTED } else { tests::ALL }, asked.jobs);
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..asked.jobs {
            scope.spawn(|| {
                while let Some(mutant) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = tests.judge(mutant.number, &all);
                    println!("{outcome}  {mutant}");
                    outcomes.lock().unwrap().insert(mutant.number, outcome);
                }
            });
        }
    });
    if tally::tell(&chosen, &outcomes.into_inner().unwrap()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Asked {
    fn has(&self, of: &Mutant) -> bool {
        of.number % self.shard.1 == self.shard.0
            && (self.within.is_empty() || self.within.iter().any(|part| of.file.contains(part)))
            && (self.numbers.is_empty() || self.numbers.contains(&of.number))
    }
}

fn asked() -> Asked {
    let mut asked =
        Asked { key_parts: true, list: false, shard: (0, 1), within: Vec::new(), numbers: Vec::new(), jobs: 1 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} asks for a value"));
        match argument.as_str() {
            "--all" => {}
            "--list" => asked.list = true,
            "--shard" => {
                let value = value();
                let (which, of) = value.split_once('/').expect("--shard k/n");
                asked.shard = (which.parse().expect("a number"), of.parse().expect("a number"));
            }
            "--in" => asked.within.push(value()),
            "--number" => asked.numbers.push(value().parse().expect("a number")),
            "--jobs" => {
                asked.jobs = value().parse().expect("a number");
                continue;
            }
            other => panic!("unknown: {other}; see the head of .ci/mutants/src/main.rs"),
        }
        asked.key_parts = false;
    }
    asked
}

/// Rewrites the judges in the copy: the key parts, then every other place.
fn rewrite(root: &Path, tree: &Path) -> (Vec<Mutant>, Vec<Mutant>) {
    let mut files: Vec<String> = JUDGES.iter().flat_map(|judge| copy::rust_files(root, judge)).collect();
    let judged = files.len();
    files.extend(key_parts::KEY_PARTS.iter().map(|part| part.file.to_owned()));
    let (mut parts, mut places) = (Vec::new(), Vec::new());
    // Places keep their numbers when a key part is added.
    let (mut next_part, mut next_place) = (sites::FIRST_KEY_PART, 1);
    let mut done: Vec<String> = Vec::new();
    for (position, file) in files.iter().enumerate() {
        if done.contains(file) {
            continue;
        }
        done.push(file.clone());
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let mut sites = Sites::new(&text, file, next_part);
        for part in key_parts::KEY_PARTS.iter().filter(|part| part.file == file) {
            sites.add(part.name, part.original, part.change());
        }
        next_part += sites.mutants.len() as u32;
        parts.append(&mut sites.mutants);
        if position < judged {
            sites.go_on_from(next_place);
            sites.find_all();
            next_place += sites.mutants.len() as u32;
            places.append(&mut sites.mutants);
        }
        copy::write(&tree.join(file), &sites.rewritten());
    }
    copy::add_switch(tree);
    (parts, places)
}
