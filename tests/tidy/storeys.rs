//! The storeys of the house: imports go downward only. Tests beside the code may reach up, to build what
//! they test by the path that users take.

use super::{Source, sources};

/// Each storey, and all that it may use beside itself.
const STOREYS: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("stats", &[]),
    ("scenario", &["kernel"]),
    ("model", &["kernel"]),
    ("world", &["kernel", "model"]),
    ("observe", &["kernel", "model", "stats", "world"]),
    ("experiment", &["kernel", "model", "observe", "stats", "world"]),
    ("report", &["experiment"]),
    ("command", &["kernel", "stats", "scenario", "model", "world", "observe", "experiment", "report"]),
    ("main", &["command"]),
    ("lib", &[]),
];

/// Files that may use one storey more, and nothing else of it than what begins like this.
const DOORS: &[(&str, &str)] = &[
    // The one place that knows both what was written and what runs.
    ("src/model/compile/", "scenario::resolved"),
    ("src/model/compile/", "scenario::source"),
];

/// What a report may see of the storey below: results, never a run.
const ONLY: &[(&str, &str)] = &[("report", "experiment::results")];

/// Paths from the root of the crate that a line names: `kernel::time`.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    let roots = ["crate::", "eventflow::"];
    let found =
        roots.into_iter().flat_map(move |root| line.match_indices(root).map(move |(at, _)| at + root.len()));
    found.map(move |start| {
        let rest = &line[start..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        rest[..end].trim_end_matches(':')
    })
}

/// How many modules the longest path of a line goes up: 2 in `super::super::name`.
fn supers(line: &str) -> usize {
    let mut longest = 0;
    for (at, _) in line.match_indices("super::") {
        let rest = &line[at..];
        longest =
            longest.max((0..).take_while(|&n| rest["super::".len() * n..].starts_with("super::")).count());
    }
    longest
}

/// How many modules a file is below the root of the crate: 2 for `src/world/call.rs` and `src/world/call/mod.rs`.
fn depth(path: &str) -> usize {
    let module = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    module.split('/').count()
}

/// Why a file may not use a path, if it may not.
fn refusal(file: &Source, path: &str) -> Option<String> {
    let storey = file.storey().expect("a file of the crate");
    let Some((_, allowed)) = STOREYS.iter().find(|(name, _)| *name == storey) else {
        return Some(format!("`{storey}` is no storey of the house"));
    };
    let target = path.split("::").next().unwrap_or(path);
    let is_door = DOORS.iter().any(|(place, opens)| file.path.starts_with(place) && path.starts_with(opens));
    if target == storey || is_door {
        return None;
    }
    if !allowed.contains(&target) {
        return Some(format!("`{storey}` may not use `{path}`"));
    }
    let narrow = ONLY.iter().find(|(above, door)| *above == storey && door.starts_with(target));
    narrow
        .filter(|(_, door)| !path.starts_with(door))
        .map(|(_, door)| format!("`{storey}` may use only `{door}`"))
}

#[test]
fn imports_go_downward_only() {
    let mut wrong = Vec::new();
    for file in sources("src", ".rs") {
        for (number, line) in file.shipped() {
            // Lists of storeys, and names for storeys, would hide from this test what is used.
            if line.contains("crate::{") || line.contains("use crate as") {
                wrong.push(format!("{}:{number}: name storeys one by one", file.path));
            }
            if supers(line) >= depth(&file.path) {
                wrong.push(format!(
                    "{}:{number}: what is outside the storey begins with `crate::`",
                    file.path
                ));
            }
            let refused = imports(line).filter_map(|path| refusal(&file, path));
            wrong.extend(refused.map(|why| format!("{}:{number}: {why}", file.path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_import_upward_would_be_found() {
    let file = |path: &str| Source { path: path.to_owned(), text: String::new() };
    let is_refused = |path: &str, line: &str| imports(line).any(|used| refusal(&file(path), used).is_some());
    assert!(is_refused("src/kernel/time.rs", "use crate::world::World;"));
    assert!(is_refused("src/world/call.rs", "    let x = crate::scenario::load::load();"));
    assert!(is_refused("src/model/mod.rs", "use crate::scenario::resolved as scenario;"));
    assert!(is_refused("src/model/compile/mod.rs", "use crate::scenario::load;"));
    assert!(is_refused("src/report/json.rs", "use crate::experiment::run::run;"));
    assert!(is_refused("src/report/json.rs", "use crate::kernel::time::Nanos;"));
    assert_eq!((supers("use super::super::super::world::World;"), depth("src/kernel/time/mod.rs")), (3, 2));
    assert_eq!((supers("use super::Model;"), depth("src/model/compile.rs")), (1, 2));
    assert!(is_refused("src/attic/mod.rs", "use crate::kernel::time;"));
    assert!(!is_refused("src/model/compile/mod.rs", "use crate::scenario::resolved as scenario;"));
    assert!(!is_refused("src/world/call.rs", "use crate::kernel::time::Nanos;"));
}

#[test]
fn the_map_names_every_storey() {
    let map = std::fs::read_to_string("src/lib.rs").unwrap();
    let folders =
        std::fs::read_dir("src").unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    for folder in folders {
        let name = folder.file_name().into_string().unwrap();
        assert!(map.contains(&format!("pub mod {name};")), "{name} is no module of the crate");
        let drawn = map.lines().filter_map(|line| line.strip_prefix("//!")).any(|line| {
            let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
            line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with("  "))
        });
        assert!(drawn, "{name} is not drawn in src/lib.rs");
    }
}
