//! What does not occur, and how long files are.

use super::sources;

/// Longest file that needs no reason.
const LONGEST_FILE: usize = 460;

/// Files that may be longer, up to so many lines, and why.
const LONGER: &[(&str, usize, &str)] = &[
    ("src/model/code.rs", 640, "one vocabulary: every operation and its details"),
    ("src/model/mod.rs", 610, "a vocabulary: what a model is made of"),
    ("src/model/compile/parts.rs", 610, "a table of parts, one after another"),
    ("src/model/compile/steps.rs", 800, "one match over every verb and the details of each"),
    ("src/report/chart/topology/layout.rs", 500, "one algorithm"),
    ("src/scenario/resolved/mod.rs", 790, "a vocabulary: declarations only"),
    ("src/world/interpret.rs", 530, "the interpreter: one match over every operation"),
    ("src/world/mod.rs", 680, "the world's state, and its loop"),
    ("src/world/call.rs", 480, "a call from its first try to its last answer"),
    ("src/world/rows.rs", 660, "one match over every row verb"),
    ("src/world/network.rs", 520, "every way a packet can go"),
    ("tests/language/structure.rs", 500, "a table of mistakes"),
    ("tests/front_end/resolve/mistakes.rs", 530, "a table of mistakes"),
    ("src/world/broker/tests/conformance.rs", 640, "a table of cases"),
    ("src/world/broker/mod.rs", 470, "the broker's state, and what it can be asked"),
    ("src/world/broker/dispatch.rs", 510, "from acceptance to sending: every way a message can take"),
    ("src/world/instance.rs", 480, "an instance, from its door to its processors"),
    ("src/world/relay.rs", 480, "a relay's round, step by step"),
    ("src/world/fault.rs", 550, "every kind of fault, begun and ended"),
    ("src/experiment/verdict/tests.rs", 480, "a table of verdicts"),
    ("src/scenario/resolve/presets.rs", 510, "a table: one product after another"),
];

/// Storeys whose results must be the same on any machine.
const CORE: &[&str] = &["kernel", "stats", "model", "world", "observe", "scenario", "experiment", "report"];

#[test]
fn files_are_short_or_say_why() {
    let mut wrong = Vec::new();
    for file in sources("src", ".rs").iter().chain(&sources("tests", ".rs")).chain(&sources("benches", ".rs"))
    {
        let lines = file.text.lines().count();
        let allowed =
            LONGER.iter().find(|(path, ..)| *path == file.path).map_or(LONGEST_FILE, |(_, lines, _)| *lines);
        if lines > allowed {
            wrong.push(format!("{}: {lines} lines, {allowed} allowed", file.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file passes its own test.
    let words = ["TO\x44O", "FIX\x4dE", "to\x64o!", "unimplement\x65d!", "allow(dead_c\x6fde)"];
    let mut wrong = Vec::new();
    for file in sources("src", ".rs").iter().chain(&sources("tests", ".rs")).chain(&sources("benches", ".rs"))
    {
        for (index, line) in file.text.lines().enumerate() {
            let found = words.iter().filter(|word| line.contains(**word));
            wrong.extend(found.map(|word| format!("{}:{}: {word}", file.path, index + 1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_clock_and_no_environment_below_the_commands() {
    let words = [
        "Instant",
        "SystemTime",
        "std::env::",
        "env::var",
        "thread_rng",
        "rand::rng",
        "available_parallelism",
    ];
    assert_absent(&words, CORE);
}

#[test]
fn no_map_with_an_order_that_changes() {
    // Those of rustc-hash have a fixed hash, and are only looked things up in.
    assert_absent(&["HashMap", "HashSet", "RandomState"], CORE);
}

#[test]
fn threads_are_the_experiments_alone() {
    let storeys: Vec<&str> = CORE.iter().copied().filter(|storey| *storey != "experiment").collect();
    assert_absent(&["std::thread", "rayon", "Mutex", "static mut", "thread_local"], &storeys);
}

/// No word stands alone in the code of these storeys; tests beside it may use what they like.
fn assert_absent(words: &[&str], storeys: &[&str]) {
    let mut wrong = Vec::new();
    for file in sources("src", ".rs") {
        if !file.storey().is_some_and(|storey| storeys.contains(&storey)) {
            continue;
        }
        for (number, line) in file.shipped() {
            let found = words.iter().filter(|word| stands_alone(line, word));
            wrong.extend(found.map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a word occurs that is not the end or the beginning of a longer one.
fn stands_alone(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_part);
        let after = line[at + word.len()..].chars().next().is_some_and(is_part) && !word.ends_with(':');
        !before && !after
    })
}

#[test]
fn a_word_within_a_word_is_another_word() {
    assert!(stands_alone("let map = HashMap::new();", "HashMap"));
    assert!(!stands_alone("let map = FxHashMap::default();", "HashMap"));
    assert!(stands_alone("std::env::args()", "std::env::"));
}
