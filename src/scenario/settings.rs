//! Settings from the command line: `rate=400/s` sets a parameter, `run.replications=30` what stands at
//! a path. The value is YAML, and takes the place of what was there.

use super::diagnostic::{Diagnostic, Diagnostics, closest};
use super::limits;
use super::merge::{Nulls, refuse_stray_nulls};
use super::node::{Entry, Map, Node, NodeKind};
use super::read::read;
use super::source::{FileId, Source, Sources, Span};
use std::path::PathBuf;

/// Carries out settings on the top-level map of a scenario, in the order given.
pub fn apply(settings: &[String], root: &mut Node, sources: &mut Sources, diagnostics: &mut Diagnostics) {
    for setting in settings {
        let file = sources.add(Source {
            name: format!("--set {}", setting.split('=').next().unwrap_or_default()),
            folder: PathBuf::new(),
            text: setting.clone(),
        });
        if let Err(mistake) = set(file, setting, root, sources, diagnostics) {
            diagnostics.push(*mistake);
        }
    }
}

/// A mistake is boxed because it is far larger than the nothing that stands beside it.
type Outcome = Result<(), Box<Diagnostic>>;

fn set(
    file: FileId,
    setting: &str,
    root: &mut Node,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Outcome {
    let Some((path, _)) = setting.split_once('=') else {
        let span = Span { file, start: 0, end: setting.len() as u32 };
        let mistake = Diagnostic::new("bad-setting", span, "a setting is written `name=value`");
        return Err(Box::new(
            mistake.help("`--set rate=400/s` sets a parameter, `--set run.replications=30` anything else"),
        ));
    };
    let steps = steps(file, path)?;
    let Some(mut value) = read(sources, file, path.len() + 1, diagnostics) else {
        return empty_value(file, setting, path.len() + 1, diagnostics);
    };
    if matches!(value.kind, NodeKind::Null) {
        return empty_value(file, setting, path.len() + 1, diagnostics);
    }
    match steps.as_slice() {
        [(name, span)] => set_parameter(name, *span, value, root),
        [steps @ .., last] => {
            let mut names = steps.iter().chain([last]).map(|(name, _)| (*name).to_owned()).collect();
            refuse_stray_nulls(&mut value, &mut names, Nulls::Refused, diagnostics);
            set_at(steps, last, value, root)
        }
        [] => Ok(()),
    }
}

/// The names of a dotted path, with their places.
fn steps(file: FileId, path: &str) -> Result<Vec<(&str, Span)>, Box<Diagnostic>> {
    let mut start = 0;
    let mut steps = Vec::new();
    for name in path.split('.') {
        let span = Span { file, start: start as u32, end: (start + name.len()) as u32 };
        if name.is_empty() {
            let mistake = Diagnostic::new("bad-setting", span, "a name is missing in this path");
            return Err(Box::new(mistake.help("a path is names with dots between them: `run.replications`")));
        }
        if steps.len() == limits::NESTING {
            return Err(Box::new(limits::exceeded(span, "too long a path", limits::NESTING, "names")));
        }
        start += name.len() + 1;
        steps.push((name, span));
    }
    Ok(steps)
}

fn empty_value(file: FileId, setting: &str, start: usize, diagnostics: &Diagnostics) -> Outcome {
    // What the reader has refused it has told.
    if diagnostics.list.iter().any(|mistake| mistake.span.file == file) {
        return Ok(());
    }
    let span = Span { file, start: start as u32, end: setting.len() as u32 };
    Err(Box::new(
        Diagnostic::new("bad-setting", span, "a setting needs a value")
            .help("to remove a key, write a file that extends this one"),
    ))
}

fn set_parameter(name: &str, span: Span, value: Node, root: &mut Node) -> Outcome {
    let NodeKind::Map(entries) = &mut root.kind else {
        return Ok(());
    };
    let declared = entries.get_mut("parameters");
    let place = declared.as_ref().map(|entry| entry.key_span);
    if let Some(Entry { value: Node { kind: NodeKind::Map(parameters), .. }, .. }) = declared {
        if let Some(entry) = parameters.get_mut(name) {
            entry.value = value;
            return Ok(());
        }
        let mistake = unknown(name, span, place);
        let meant = closest(name, parameters.keys().map(String::as_str));
        return Err(Box::new(match meant {
            Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
            None => mistake,
        }));
    }
    Err(Box::new(
        unknown(name, span, place).help("anything else is set by its path: `--set run.replications=30`"),
    ))
}

fn unknown(name: &str, span: Span, declared: Option<Span>) -> Diagnostic {
    let mistake = Diagnostic::new("unknown-parameter", span, format!("there is no parameter `{name}`"));
    match declared {
        Some(place) => mistake.related(place, "parameters are declared here"),
        None => mistake,
    }
}

/// Goes down along `steps`, adding the maps that are not there, and puts the value under the last name.
fn set_at(
    steps: &[(&str, Span)],
    &(last, last_span): &(&str, Span),
    value: Node,
    root: &mut Node,
) -> Outcome {
    if let [(section, _), (name, span), ..] = steps {
        declared(section, name, *span, root)?;
    }
    let mut place = root;
    for &(name, span) in steps {
        let refused = no_place(place, name, span);
        place = match &mut place.kind {
            NodeKind::Map(entries) => {
                let empty =
                    || Entry { key_span: span, value: Node { span, kind: NodeKind::Map(Map::new()) } };
                &mut entries.entry(name.to_owned()).or_insert_with(empty).value
            }
            NodeKind::List(items) => item(items, name, span)?,
            NodeKind::Null | NodeKind::Text { .. } => return Err(refused),
        };
    }
    let refused = no_place(place, last, last_span);
    match &mut place.kind {
        NodeKind::Map(entries) => {
            entries.insert(last.to_owned(), Entry { key_span: last_span, value });
        }
        NodeKind::List(items) => *item(items, last, last_span)? = value,
        NodeKind::Null | NodeKind::Text { .. } => return Err(refused),
    }
    Ok(())
}

/// Sections of what a user names.
const NAMED: [&str; 8] =
    ["messages", "brokers", "topics", "services", "clients", "faults", "operations", "invariants"];

/// What is set within something that has a name of the user's must be there: a name that is misspelt would make
/// a second one.
fn declared(section: &str, name: &str, span: Span, root: &Node) -> Outcome {
    let NodeKind::Map(entries) = &root.kind else { return Ok(()) };
    let Some(entry) = entries.get(section).filter(|_| NAMED.contains(&section)) else { return Ok(()) };
    let NodeKind::Map(known) = &entry.value.kind else { return Ok(()) };
    if known.is_empty() || known.contains_key(name) {
        return Ok(());
    }
    let mistake = Diagnostic::new("bad-setting", span, format!("there is no `{name}` in `{section}`"))
        .related(entry.key_span, "these are there");
    Err(Box::new(match closest(name, known.keys().map(String::as_str)) {
        Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
        None => mistake.help(format!("to add it, set it whole: `--set \"{section}.{name}={{ … }}\"`")),
    }))
}

/// The item of a list whose number, from 0, is `name`.
fn item<'a>(items: &'a mut [Node], name: &str, span: Span) -> Result<&'a mut Node, Box<Diagnostic>> {
    let count = items.len();
    name.parse().ok().and_then(|number: usize| items.get_mut(number)).ok_or_else(|| {
        let mistake = Diagnostic::new("bad-setting", span, format!("this list has no item `{name}`"));
        Box::new(mistake.help(match count {
            0 => "the list is empty; set it whole".to_owned(),
            _ => format!("its items are numbered from 0 to {}", count - 1),
        }))
    })
}

fn no_place(holder: &Node, name: &str, span: Span) -> Box<Diagnostic> {
    let message = format!("`{name}` cannot be set inside {}", holder.called());
    Box::new(
        Diagnostic::new("bad-setting", span, message)
            .related(holder.span, "this is there")
            .help("set it whole"),
    )
}
