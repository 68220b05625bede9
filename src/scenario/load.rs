//! A scenario file and all that it extends → one tree.
//!
//! The order is: extend, then settings, then parameters. Files are the only thing that is looked at
//! outside the text; folders are relative to the file that names them.
//!
//! ```
//! use eventflow::scenario::load::load_text;
//!
//! let text = "scenario: queue\nparameters: { rate: 200/s }\nclients: { c: { arrivals: { poisson: $rate } } }";
//! let (_, diagnostics, loaded) = load_text("queue.yaml", text, &["rate=400/s".to_owned()]);
//! assert!(diagnostics.is_empty());
//! assert!(loaded.unwrap().parameters.contains_key("rate"));
//! ```

use super::diagnostic::{Diagnostic, Diagnostics, closest};
use super::limits;
use super::merge::{Nulls, merge, refuse_stray_nulls};
use super::node::{Entry, Node, NodeKind};
use super::parameters;
use super::read::read;
use super::settings;
use super::source::{FileId, Source, Sources, Span};
use indexmap::IndexMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A scenario in one tree, not yet checked for what it means.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The top-level map, without `extends` and `parameters`. A text that is `$name` and nothing else
    /// has been replaced by what it names; inside longer texts `$name` still stands. `null` is left only
    /// below `services.<service>.versions.<version>`.
    pub root: Node,
    /// What each parameter stands for, with other parameters filled in the same way. Uses inside
    /// longer texts never lead back to themselves, and stand for [`limits::FILLED_IN_BYTES`] at most.
    pub parameters: IndexMap<String, Node>,
}

/// Loads a scenario file and carries out settings (`rate=400/s`, `run.replications=30`).
///
/// The tree is there whenever the rest of the text can be relied on, also beside mistakes, so that
/// what is wrong with its meaning can be reported together with them.
pub fn load(path: &Path, settings: &[String]) -> (Sources, Diagnostics, Option<Loaded>) {
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    match read_text(path) {
        Ok(text) => {
            sources.add(Source { name, folder, text });
            finish(sources, diagnostics, path, settings)
        }
        Err(refused) => {
            let text = refused.text.clone();
            let file = sources.add(Source { name, folder, text });
            diagnostics.push(refused.diagnostic(path, Span { file, start: 0, end: 0 }, Some(file)));
            (sources, diagnostics, None)
        }
    }
}

/// Loads a scenario that is in memory. `name` is used in messages, and as the path from which files
/// that it extends are found.
pub fn load_text(name: &str, text: &str, settings: &[String]) -> (Sources, Diagnostics, Option<Loaded>) {
    let path = Path::new(name);
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    let mut sources = Sources::default();
    sources.add(Source { name: name.to_owned(), folder, text });
    finish(sources, Diagnostics::default(), path, settings)
}

/// Goes on from the first file, which stands in `sources`.
fn finish(
    mut sources: Sources,
    mut diagnostics: Diagnostics,
    path: &Path,
    settings: &[String],
) -> (Sources, Diagnostics, Option<Loaded>) {
    let mut chain = Chain {
        sources: &mut sources,
        diagnostics: &mut diagnostics,
        links: Vec::new(),
        trees: Vec::new(),
        nodes: 0,
    };
    let whole = chain.follow(path.to_owned());
    let trees = chain.trees;
    let Some(mut root) = together(trees, &mut diagnostics).filter(|_| whole) else {
        return (sources, diagnostics, None);
    };
    settings::apply(settings, &mut root, &mut sources, &mut diagnostics);
    let parameters = parameters::fill_in(&mut root, &mut diagnostics);
    (sources, diagnostics, parameters.map(|parameters| Loaded { root, parameters }))
}

/// Each tree over the one that it extends, the last of which extends none.
fn together(mut trees: Vec<Node>, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut whole = trees.pop()?;
    refuse_stray_nulls(&mut whole, &mut Vec::new(), Nulls::Refused, diagnostics);
    while let Some(mut variant) = trees.pop() {
        refuse_stray_nulls(&mut variant, &mut Vec::new(), Nulls::Remove, diagnostics);
        whole = merge(whole, variant, diagnostics);
    }
    Some(whole)
}

/// A file that was read, and where it says what it extends.
struct Link {
    path: PathBuf,
    /// As the file system knows it, whatever the way to it.
    identity: PathBuf,
    file: FileId,
    extends: Option<Span>,
}

/// The files that extend one another, from the variant to the base.
struct Chain<'a> {
    sources: &'a mut Sources,
    diagnostics: &'a mut Diagnostics,
    links: Vec<Link>,
    trees: Vec<Node>,
    nodes: usize,
}

impl Chain<'_> {
    /// Reads from the newest source on, file after file; false if a mistake cut the chain.
    fn follow(&mut self, first: PathBuf) -> bool {
        let mut next = Some(first);
        while let Some(path) = next {
            let file = FileId(self.sources.files.len() as u32 - 1);
            let Some(mut tree) = self.tree(file) else {
                return false;
            };
            let extends = take_extends(&mut tree);
            self.trees.push(tree);
            let identity = path.canonicalize().unwrap_or_else(|_| path.clone());
            self.links.push(Link {
                path,
                identity,
                file,
                extends: extends.as_ref().map(|entry| entry.value.span),
            });
            next = match extends {
                None => None,
                Some(entry) => match self.base(file, &entry.value) {
                    Ok(path) => Some(path),
                    Err(mistake) => {
                        self.diagnostics.push(*mistake);
                        return false;
                    }
                },
            };
        }
        true
    }

    fn tree(&mut self, file: FileId) -> Option<Node> {
        let told = self.diagnostics.list.len();
        let start = Span { file, start: 0, end: 0 };
        let Some(tree) = read(self.sources, file, 0, self.diagnostics) else {
            if self.diagnostics.list.len() == told && !self.diagnostics.is_full() {
                let mistake = Diagnostic::new("not-a-map", start, "the file is empty");
                self.diagnostics.push(mistake.help(TOP_LEVEL));
            }
            return None;
        };
        if !matches!(tree.kind, NodeKind::Map(_)) {
            let message = format!("a scenario is a map, but this is {}", tree.called());
            self.diagnostics.push(Diagnostic::new("not-a-map", tree.span, message).help(TOP_LEVEL));
            return None;
        }
        self.nodes += tree.count();
        if self.nodes > limits::NODES {
            let what = "too many values in this file and those that extend it";
            self.diagnostics.push(limits::exceeded(start, what, limits::NODES, "values"));
            return None;
        }
        Some(tree)
    }

    /// Reads the file that `extends` names, and returns its path.
    fn base(&mut self, file: FileId, extends: &Node) -> Result<PathBuf, Box<Diagnostic>> {
        let NodeKind::Text { text, .. } = &extends.kind else {
            let message = format!("`extends` names one file, but this is {}", extends.called());
            return Err(Box::new(
                Diagnostic::new("bad-extends", extends.span, message).help("write `extends: base.yaml`"),
            ));
        };
        let path = self.sources.get(file).folder.join(text);
        if let Ok(identity) = path.canonicalize()
            && let Some(first) = self.links.iter().position(|link| link.identity == identity)
        {
            return Err(Box::new(self.cycle(first, extends.span)));
        }
        if self.links.len() == limits::EXTENDS_CHAIN {
            let unit = "files that extend one another";
            return Err(Box::new(limits::exceeded(
                extends.span,
                "too long a chain of `extends`",
                limits::EXTENDS_CHAIN,
                unit,
            )));
        }
        let name = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        match read_text(&path) {
            Ok(text) => {
                self.sources.add(Source { name, folder, text });
                Ok(path)
            }
            Err(refused) => {
                let bad = (!refused.text.is_empty())
                    .then(|| self.sources.add(Source { name, folder, text: refused.text.clone() }));
                Err(Box::new(refused.diagnostic(&path, extends.span, bad)))
            }
        }
    }

    fn cycle(&self, first: usize, span: Span) -> Diagnostic {
        let members = &self.links[first..];
        let names: Vec<String> =
            members.iter().chain([&members[0]]).map(|link| format!("`{}`", link.path.display())).collect();
        let mut mistake = Diagnostic::new("extends-cycle", span, "this file extends itself in the end")
            .help(format!("the cycle is {}", names.join(" → ")));
        for (link, next) in members.iter().zip(&members[1..]) {
            if let Some(extends) = link.extends {
                mistake = mistake.related(extends, format!("extends `{}`", self.sources.get(next.file).name));
            }
        }
        mistake
    }
}

const TOP_LEVEL: &str = "it starts with `scenario: name`, followed by `services`, `clients` and so on";

fn take_extends(tree: &mut Node) -> Option<Entry> {
    match &mut tree.kind {
        NodeKind::Map(entries) => entries.shift_remove("extends"),
        _ => None,
    }
}

/// A file that could not be read.
struct Refused {
    code: &'static str,
    message: String,
    help: Option<String>,
    /// What could be read of it, up to the byte that could not.
    text: String,
}

impl Refused {
    /// The diagnostic at `asked`, where the file was asked for; or in the file, if it is `bad` itself.
    fn diagnostic(self, path: &Path, asked: Span, bad: Option<FileId>) -> Diagnostic {
        let end = self.text.len() as u32;
        let span = match bad {
            Some(file) if end > 0 => Span { file, start: end - '\u{fffd}'.len_utf8() as u32, end },
            _ => asked,
        };
        let meant = match self.code {
            "missing-file" => neighbour(path).map(|name| format!("did you mean `{name}`?")),
            _ => None,
        };
        Diagnostic { help: meant.or(self.help), ..Diagnostic::new(self.code, span, self.message) }
    }
}

/// The text of a file without its byte order mark, if it is a file, is short enough and is UTF-8.
fn read_text(path: &Path) -> Result<String, Refused> {
    let refused = |code, message: String| Refused { code, message, help: None, text: String::new() };
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            refused("missing-file", format!("there is no file `{}`", path.display()))
        }
        _ => refused("unreadable-file", format!("`{}` cannot be read: {error}", path.display())),
    };
    // Only a plain file is opened: a pipe or a device may never end.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(refused("unreadable-file", format!("`{}` is not a file", path.display())));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(limits::FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limits::FILE_BYTES {
        let place = Span { file: FileId(0), start: 0, end: 0 };
        let limit = limits::exceeded(
            place,
            &format!("`{}` is too long", path.display()),
            limits::FILE_BYTES,
            "bytes in a file",
        );
        return Err(refused(limit.code, limit.message));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Refused {
            code: "not-utf-8",
            message: "this byte is not UTF-8".to_owned(),
            help: Some("save the file as UTF-8".to_owned()),
            text: String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned() + "\u{fffd}",
        }),
    }
}

/// The file in the same folder whose name is closest.
fn neighbour(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).ok()?.take(limits::NAMES_COMPARED);
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    closest(path.file_name()?.to_str()?, names.iter().map(String::as_str)).map(str::to_owned)
}
