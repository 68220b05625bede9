//! What a reader may rely on in the whole tree: who imports whom, how long a file is, and what does not
//! occur.

mod storeys;
mod words;

use std::path::{Path, PathBuf};

/// A file of the project.
struct Source {
    /// From the root of the project, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// Lines with their numbers, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Lines of code that is not there for tests alone, with their numbers.
    fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        let mut item = ForTests::Outside;
        self.code().filter(move |(_, line)| !is_test && !item.covers(line))
    }

    /// The folder below `src`, or the file there.
    fn storey(&self) -> Option<&str> {
        let within = self.path.strip_prefix("src/")?;
        Some(within.split(['/', '.']).next().unwrap_or(within))
    }
}

/// Where a walk through lines stands towards items that are built for tests alone.
enum ForTests {
    Outside,
    /// The attribute was read, which has so many blanks before it.
    Begins(usize),
    /// Within braces, up to the one with so many blanks before it.
    Within(usize),
}

impl ForTests {
    /// Whether the next line belongs to such an item.
    fn covers(&mut self, line: &str) -> bool {
        let blanks = line.len() - line.trim_start().len();
        *self = match *self {
            ForTests::Outside if line.contains("#[cfg(test)]") => ForTests::Begins(blanks),
            ForTests::Outside => return false,
            ForTests::Begins(at) if line.ends_with('{') => ForTests::Within(at),
            ForTests::Begins(_) if line.ends_with([';', '}']) => ForTests::Outside,
            ForTests::Within(at) if blanks == at && line.trim() == "}" => ForTests::Outside,
            ForTests::Begins(at) => ForTests::Begins(at),
            ForTests::Within(at) => ForTests::Within(at),
        };
        true
    }
}

#[test]
fn only_what_is_for_tests_is_left_out() {
    let text = "mod a;\n#[cfg(test)]\nmod tests;\nuse b;\n#[cfg(test)]\n#[derive(Debug)]\nstruct C {\n    d: u8,\n}\nfn e() {\n    \
                #[cfg(test)]\n    f();\n    g();\n}\n#[cfg(test)]\nmod more {\n    fn h() {\n    }\n}\nfn i() {}\n";
    let file = Source { path: "src/x.rs".to_owned(), text: text.to_owned() };
    let shipped: Vec<&str> = file.shipped().map(|(_, line)| line.trim()).collect();
    assert_eq!(shipped, ["mod a;", "use b;", "fn e() {", "g();", "}", "fn i() {}"]);
}

/// Every file with this ending below a folder.
fn sources(folder: &str, ending: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(Path::new(folder), ending, &mut found);
    assert!(!found.is_empty(), "{folder} has no file that ends with {ending}");
    found.sort();
    let read = |path: PathBuf| Source {
        text: std::fs::read_to_string(&path).unwrap(),
        path: path.to_str().unwrap().replace('\\', "/"),
    };
    found.into_iter().map(read).collect()
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_str().is_some_and(|path| path.ends_with(ending)) {
            found.push(path);
        }
    }
}
