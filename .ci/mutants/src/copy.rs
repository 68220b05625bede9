//! The copy of the tree in which everything is broken.

use std::fs;
use std::path::Path;

/// What a copy is without.
const LEFT_OUT: &[&str] = &["target", ".git", "reports"];

/// Tests that repeat what they do, under many seeds or on many cases: a file, and what is less of it in the copy. A
/// mutant is shown to hundreds of tests; what the others would have noticed counts as not noticed.
const LESS: &[(&str, &str, &str)] = &[
    ("tests/oracles/mod.rs", "const SEEDS: u64 = 30;", "const SEEDS: u64 = 2;"),
    ("tests/oracles/planted/views.rs", "const SEEDS: u64 = 20;", "const SEEDS: u64 = 2;"),
    ("tests/oracles/references/reads.rs", "const CASES: u32 = 600;", "const CASES: u32 = 100;"),
    ("tests/oracles/references/undone.rs", "const CASES: u32 = 600;", "const CASES: u32 = 100;"),
    ("tests/oracles/references/orders.rs", "const CASES: u32 = 400;", "const CASES: u32 = 100;"),
    ("tests/oracles/isolation/random.rs", "const CASES: u32 = 400;", "const CASES: u32 = 100;"),
    ("tests/oracles/encoding.rs", "const MOST_COMPARED: u64 = 200;", "const MOST_COMPARED: u64 = 60;"),
    ("tests/oracles/enumeration.rs", "const CASES: u32 = 600;", "const CASES: u32 = 100;"),
];

/// In the copy: which mutant it is, and which places were come by.
const SWITCH: &str = r#"
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: OnceLock<u32> = OnceLock::new();
static REACHED_FILE: OnceLock<Option<String>> = OnceLock::new();
static REACHED: [AtomicBool; 1 << 15] = [const { AtomicBool::new(false) }; 1 << 15];

pub fn is(number: u32) -> bool {
    let asked = *ASKED.get_or_init(|| {
        std::env::var("EVENTFLOW_MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0)
    });
    if asked == 0 {
        reached(number);
    }
    asked == number
}

fn reached(number: u32) {
    let file = REACHED_FILE.get_or_init(|| std::env::var("EVENTFLOW_REACHED").ok());
    let Some(file) = file else { return };
    if !REACHED[number as usize].swap(true, Ordering::Relaxed) {
        let file = OpenOptions::new().create(true).append(true).open(file);
        let _ = file.and_then(|mut file| file.write_all(format!("{number}\n").as_bytes()));
    }
}
"#;

/// Copies the tree; files that are the same already are left alone, so that nothing is built twice.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        if entry.file_type().unwrap().is_dir() {
            copy(&source, &target);
        } else if let Some((_, many, few)) = LESS.iter().find(|of| source.ends_with(of.0)) {
            let text = fs::read_to_string(&source).unwrap();
            assert!(text.contains(many), "{source:?} has no {many}");
            write(&target, &text.replace(many, few));
        } else if !is_rewritten(&source) {
            write_bytes(&target, &fs::read(&source).unwrap());
        }
    }
}

/// Written once, by [`add_switch`].
fn is_rewritten(path: &Path) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("tests/main.rs")
}

/// The switch, and of the integration tests those that are about judging.
pub fn add_switch(tree: &Path) {
    write(&tree.join("tests/main.rs"), "#![allow(warnings)]\nmod engine;\nmod oracles;\nmod runs;\n");
    write(&tree.join("src/mutants.rs"), SWITCH);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let library = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    write(&tree.join("src/lib.rs"), &format!("#![allow(warnings)]\n{library}\npub mod mutants;\n"));
}

pub fn write(path: &Path, text: &str) {
    write_bytes(path, text.as_bytes());
}

fn write_bytes(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|known| known == bytes) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The Rust files of a folder, or the file itself, without those that are tests.
pub fn rust_files(root: &Path, path: &str) -> Vec<String> {
    let at = root.join(path);
    if at.is_file() {
        return vec![path.to_owned()];
    }
    let mut names: Vec<String> =
        fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let is_test = |name: &str| name == "tests" || name == "tests.rs";
    let inner = names.into_iter().filter(|name| !is_test(name)).map(|name| format!("{path}/{name}"));
    inner
        .filter(|path| root.join(path).is_dir() || path.ends_with(".rs"))
        .flat_map(|path| rust_files(root, &path))
        .collect()
}
