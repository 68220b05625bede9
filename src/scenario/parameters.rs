//! `$name` → the value of the parameter.
//!
//! Where `$name` is all that is written, the parameter's value takes its place, whatever it is: a rate,
//! a word, a map, steps. Inside a longer expression it is left for the expression's parser, and only
//! checked here: it is declared, parameters do not stand for themselves, and all that they stand for
//! together stays within bounds.
//!
//! ```text
//! parameters: { rate: 200/s, slow: { exponential: 5ms } }
//! arrivals: { poisson: $rate }      200/s
//! work: $slow                       { exponential: 5ms }
//! capacity: $rate * 2s              left as it is
//! ```

use super::diagnostic::{Diagnostic, Diagnostics, closest};
use super::limits;
use super::node::{Entry, Map, Node, NodeKind};
use super::source::Span;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::ops::Range;

/// Takes `parameters` out of the top-level map, puts their values where they are used, and returns
/// them by name, each with those it stands for itself filled in. `None` if a bound was hit.
pub fn fill_in(root: &mut Node, diagnostics: &mut Diagnostics) -> Option<IndexMap<String, Node>> {
    let declared = match &mut root.kind {
        NodeKind::Map(entries) => entries.shift_remove("parameters"),
        _ => None,
    };
    let place = declared.as_ref().map(|entry| entry.key_span);
    let declared = declared.map(|entry| declarations(entry, diagnostics)).unwrap_or_default();
    let nodes = root.count();
    let mut filling = Filling {
        declared,
        place,
        values: BTreeMap::new(),
        chain: Vec::new(),
        nodes,
        bytes: 0,
        stopped: false,
        diagnostics,
    };
    let names: Vec<String> = filling.declared.keys().cloned().collect();
    for name in &names {
        filling.parameter(name, None);
    }
    filling.node(root, 0);
    if filling.stopped {
        return None;
    }
    let mut values = filling.values;
    let found = names.into_iter().filter_map(|name| {
        let value = values.remove(&name).flatten()?;
        Some((name, value.node))
    });
    Some(found.collect())
}

/// The names of parameters used in a text, each with the bytes that `$name` covers.
fn uses(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    text.match_indices('$').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = &rest[..length];
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        is_name.then_some((name, at..at + 1 + length))
    })
}

/// The parameter that a whole text names.
fn whole_use(text: &str) -> Option<&str> {
    uses(text).next().filter(|(_, range)| range.len() == text.len()).map(|(name, _)| name)
}

fn declarations(entry: Entry, diagnostics: &mut Diagnostics) -> Map {
    let NodeKind::Map(declared) = entry.value.kind else {
        let message = format!("`parameters` has to be a map, but is {}", entry.value.called());
        diagnostics.push(
            Diagnostic::new("bad-parameter", entry.value.span, message)
                .help("write `parameters: { rate: 200/s }`"),
        );
        return Map::new();
    };
    for (name, parameter) in &declared {
        if whole_use(&format!("${name}")).is_none() {
            let mistake = Diagnostic::new(
                "bad-parameter",
                parameter.key_span,
                format!("`{name}` cannot be the name of a parameter"),
            );
            diagnostics.push(mistake.help(
                "a name is letters, digits and `_`, and starts with no digit: `$name` is how it is used",
            ));
        }
    }
    declared
}

/// What a parameter stands for, with other parameters filled in.
struct Value {
    node: Node,
    nodes: usize,
    height: usize,
    /// Bytes of its texts, with those of the parameters used inside them.
    bytes: usize,
}

struct Filling<'a> {
    declared: Map,
    /// Where they are declared.
    place: Option<Span>,
    /// Values found so far; `None` for one that has a mistake, which was told.
    values: BTreeMap<String, Option<Value>>,
    /// The parameters that are being filled in, each used by the one before, and where.
    chain: Vec<(String, Option<Span>)>,
    /// Values in the tree, with those that were filled in.
    nodes: usize,
    /// Bytes that uses inside expressions stand for.
    bytes: usize,
    /// A bound was hit, and nothing more is filled in.
    stopped: bool,
    diagnostics: &'a mut Diagnostics,
}

/// What a value holds.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    height: usize,
    bytes: usize,
}

impl Filling<'_> {
    /// Fills in the parameters in a value at a depth; says how large it is now.
    fn node(&mut self, node: &mut Node, depth: usize) -> Size {
        let mut size = Size { nodes: 1, ..Size::default() };
        if self.stopped {
            return size;
        }
        let span = node.span;
        match &mut node.kind {
            NodeKind::Null => size,
            NodeKind::Text { text, offsets_exact, .. } => match whole_use(text) {
                Some(name) => {
                    let name = name.to_owned();
                    self.put_in_place(&name, node, depth)
                }
                None => {
                    let place = |range: Range<usize>| match offsets_exact {
                        true => Span {
                            start: span.start + range.start as u32,
                            end: span.start + range.end as u32,
                            ..span
                        },
                        false => span,
                    };
                    size.bytes = text.len() + self.check_uses(text, place);
                    size
                }
            },
            NodeKind::List(items) => {
                for item in items {
                    let inner = self.node(item, depth + 1);
                    size.hold(inner);
                }
                size
            }
            NodeKind::Map(entries) => {
                for (key, entry) in entries.iter_mut() {
                    size.bytes += key.len();
                    let inner = self.node(&mut entry.value, depth + 1);
                    size.hold(inner);
                }
                size
            }
        }
    }

    /// Puts the value of a parameter where `node` stands, which is its use.
    fn put_in_place(&mut self, name: &str, node: &mut Node, depth: usize) -> Size {
        let span = node.span;
        let one = Size { nodes: 1, ..Size::default() };
        self.parameter(name, Some(span));
        let Some(Some(value)) = self.values.get(name).filter(|_| !self.stopped) else {
            return one;
        };
        let size = Size { nodes: value.nodes, height: value.height, bytes: value.bytes };
        if self.nodes + size.nodes > limits::NODES {
            return self.stop(limits::exceeded(
                span,
                "too many values once parameters are filled in",
                limits::NODES,
                "values",
            ));
        }
        if depth + size.height > limits::NESTING {
            return self.stop(limits::exceeded(
                span,
                "too deeply nested once this parameter is filled in",
                limits::NESTING,
                "lists and maps inside one another",
            ));
        }
        self.nodes += size.nodes;
        *node = value.node.clone();
        node.move_to(span);
        self.spend(size.bytes, span);
        size
    }

    /// Checks the parameters used inside an expression; says how many bytes they stand for.
    fn check_uses(&mut self, text: &str, place: impl Fn(Range<usize>) -> Span) -> usize {
        let mut bytes: usize = 0;
        for (name, range) in uses(text) {
            let span = place(range);
            self.parameter(name, Some(span));
            if let Some(Some(value)) = self.values.get(name) {
                let more = value.bytes;
                bytes = bytes.saturating_add(more);
                self.spend(more, span);
            }
            if self.stopped {
                break;
            }
        }
        bytes
    }

    fn spend(&mut self, bytes: usize, span: Span) {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > limits::FILLED_IN_BYTES && !self.stopped {
            self.stop(limits::exceeded(
                span,
                "too much text once parameters are filled in",
                limits::FILLED_IN_BYTES,
                "bytes",
            ));
        }
    }

    /// Finds the value of a parameter, used at `span`, if it is not known yet.
    fn parameter(&mut self, name: &str, span: Option<Span>) {
        if self.stopped || self.diagnostics.is_full() || self.values.contains_key(name) {
            return;
        }
        let Some(entry) = self.declared.get(name) else {
            if let Some(span) = span {
                let mistake = self.unknown(name, span);
                self.diagnostics.push(mistake);
            }
            return;
        };
        let at = span.unwrap_or(entry.key_span);
        if let Some(first) = self.chain.iter().position(|(other, _)| other == name) {
            self.cycle(first, at);
            return;
        }
        if self.chain.len() == limits::PARAMETER_CHAIN {
            self.stop(limits::exceeded(
                at,
                "too long a chain of parameters",
                limits::PARAMETER_CHAIN,
                "that stand for one another",
            ));
            return;
        }
        let mut node = entry.value.clone();
        self.chain.push((name.to_owned(), span));
        let size = self.node(&mut node, 0);
        self.chain.pop();
        let value = Value { node, nodes: size.nodes, height: size.height, bytes: size.bytes };
        // A parameter of a cycle has been marked meanwhile.
        self.values.entry(name.to_owned()).or_insert(Some(value));
    }

    /// Reports that the chain from `first` on leads back to itself at `span`.
    fn cycle(&mut self, first: usize, span: Span) {
        let members = &self.chain[first..];
        let mut names: Vec<String> = members.iter().map(|(name, _)| format!("`${name}`")).collect();
        names.push(names[0].clone());
        let mut mistake = Diagnostic::new("parameter-cycle", span, "this parameter stands for itself")
            .help(format!("the cycle is {}", shortened(&names).join(" → ")));
        for (name, used) in members[1..].iter().take(SHOWN) {
            if let Some(used) = used {
                mistake = mistake.related(*used, format!("which uses `${name}`"));
            }
        }
        for (name, _) in members {
            self.values.insert(name.clone(), None);
        }
        self.diagnostics.push(mistake);
    }

    fn unknown(&self, name: &str, span: Span) -> Diagnostic {
        let mistake = Diagnostic::new("unknown-parameter", span, format!("there is no parameter `{name}`"));
        let names: Vec<String> =
            self.declared.keys().take(SHOWN + 1).map(|name| format!("`{name}`")).collect();
        let mistake = match self.place {
            Some(place) if !names.is_empty() => {
                mistake.related(place, format!("declared here: {}", shortened(&names).join(", ")))
            }
            _ => {
                return mistake
                    .help(format!("no parameters are declared; add `parameters: {{ {name}: value }}`"));
            }
        };
        match closest(name, self.declared.keys().map(String::as_str)) {
            Some(meant) => mistake.help(format!("did you mean `${meant}`?")),
            None => mistake.help(format!("declare it: `parameters: {{ {name}: value }}`")),
        }
    }

    fn stop(&mut self, mistake: Diagnostic) -> Size {
        self.stopped = true;
        self.diagnostics.push(mistake);
        Size { nodes: 1, ..Size::default() }
    }
}

impl Size {
    /// Counts in a value that this one holds.
    fn hold(&mut self, inner: Size) {
        self.nodes += inner.nodes;
        self.height = self.height.max(inner.height + 1);
        self.bytes = self.bytes.saturating_add(inner.bytes);
    }
}

/// Names that one message lists.
const SHOWN: usize = 8;

/// The first few of some names, and a mark that there are more.
fn shortened(names: &[String]) -> Vec<&str> {
    let more = (names.len() > SHOWN).then_some("…");
    names.iter().take(SHOWN).map(String::as_str).chain(more).collect()
}
