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
        self.code().take_while(move |(_, line)| !is_test && !line.contains("#[cfg(test)]"))
    }

    /// The folder below `src`, or the file there.
    fn storey(&self) -> Option<&str> {
        let within = self.path.strip_prefix("src/")?;
        Some(within.split(['/', '.']).next().unwrap_or(within))
    }
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
