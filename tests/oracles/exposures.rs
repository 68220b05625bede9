//! How often each test of this folder could have gone wrong, and did: counts, exposures, of how many, and what is not
//! known. A zero is worth as much as the chances that stand beside it, and verdicts are made of them, so that they are
//! written down, a line for each run that a test judges. They change when an oracle does, and then on purpose:
//! `EVENTFLOW_GOLDEN=update cargo test oracles` writes them anew.

use eventflow::observe::findings::Finding;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

thread_local! {
    /// How many runs this test has judged.
    static JUDGED: Cell<u32> = const { Cell::new(0) };
}

static FILE: Mutex<()> = Mutex::new(());

/// Holds what one run of the test found against what is written down.
pub fn as_written<'f>(found: impl IntoIterator<Item = (&'f str, &'f Finding)>, beside: &str) {
    let number = JUDGED.replace(JUDGED.get() + 1) + 1;
    let thread = std::thread::current();
    // Tests run in threads of their names.
    let test = thread.name().expect("a test has a name").trim_start_matches("oracles::");
    let name = format!("{test} {number}");
    let told: Vec<String> = found.into_iter().filter_map(|(name, of)| told(name, of)).collect();
    let line = format!("{} {beside}", told.join(", ")).trim().to_owned();
    if std::env::var("EVENTFLOW_GOLDEN").is_ok_and(|wanted| wanted == "update") {
        return write(name, line);
    }
    let written = read();
    let known = written.get(&name).map_or("nothing", String::as_str);
    assert_eq!(line, known, "{name}: not as in exposures.txt; `EVENTFLOW_GOLDEN=update cargo test oracles`");
}

/// `torn_effects 1/2`: happened and could have; behind it of how many, and how many are not known.
fn told(
    name: &str,
    Finding { count, exposures, under_fault, of, unsettled, .. }: &Finding,
) -> Option<String> {
    let mut told = format!("{name} {count}/{exposures}");
    if *of > 0 {
        told += &format!(" of {of}");
    }
    if let Some(under_fault) = under_fault {
        told += &format!(", {under_fault} under a fault");
    }
    if *unsettled > 0 {
        told += &format!(", {unsettled} unsettled");
    }
    (count + exposures + of + unsettled > 0).then_some(told)
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/exposures.txt")
}

/// By test and number.
fn read() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file()).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines.map(|(name, line)| (name.to_owned(), line.to_owned())).collect()
}

fn write(name: String, line: String) {
    let _alone = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut written = read();
    written.insert(name, line);
    let lines: String = written.iter().map(|(name, line)| format!("{name}: {line}\n")).collect();
    std::fs::write(file(), lines).expect("the file can be written");
}
