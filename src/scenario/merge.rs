//! A variant over its base: a JSON merge patch (RFC 7396) that keeps places.
//!
//! Maps are merged key by key; a list or a text replaces what was there; `null` removes a key. Each value
//! keeps the place that it came from. Two things are stricter than in the RFC: a `null` that removes
//! nothing is a mistake, and below a service's `versions`, which are patches themselves, it stays.
//!
//! ```text
//! base      { workers: 8, queue: { order: lifo, capacity: 5 } }
//! patch     { queue: { capacity: null } }
//! together  { workers: 8, queue: { order: lifo } }
//! ```

use super::diagnostic::{Diagnostic, Diagnostics, closest};
use super::node::{Entry, Map, Node, NodeKind};
use super::source::Span;

/// What a `null` in a map means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// It removes a key of the file that is extended.
    Remove,
    /// It's a mistake.
    Refused,
}

/// Reports and drops each `null` that stands where none may. `path` leads to `node`.
pub fn refuse_stray_nulls(
    node: &mut Node,
    path: &mut Vec<String>,
    nulls: Nulls,
    diagnostics: &mut Diagnostics,
) {
    match &mut node.kind {
        NodeKind::Null | NodeKind::Text { .. } => {}
        NodeKind::List(items) => {
            for item in items.iter_mut() {
                refuse_in_item(item, nulls, diagnostics);
            }
            items.retain(|item| !matches!(item.kind, NodeKind::Null));
        }
        NodeKind::Map(entries) => {
            let nulls_here = if is_in_version(path) { Nulls::Remove } else { nulls };
            entries.retain(|key, entry| {
                let stray = matches!(entry.value.kind, NodeKind::Null) && nulls_here == Nulls::Refused;
                if stray {
                    diagnostics.push(stray_entry(key, entry));
                }
                !stray
            });
            for (key, entry) in entries.iter_mut() {
                path.push(key.clone());
                refuse_stray_nulls(&mut entry.value, path, nulls, diagnostics);
                path.pop();
            }
        }
    }
}

/// `base` with everything that `patch` says. A `null` of the patch removes a key.
pub fn merge(base: Node, patch: Node, diagnostics: &mut Diagnostics) -> Node {
    Merge { path: Vec::new(), diagnostics }.nodes(Some(base), patch)
}

struct Merge<'a> {
    /// The keys that lead to what is being merged.
    path: Vec<String>,
    diagnostics: &'a mut Diagnostics,
}

impl Merge<'_> {
    fn nodes(&mut self, base: Option<Node>, patch: Node) -> Node {
        let NodeKind::Map(changes) = patch.kind else {
            return patch;
        };
        let (span, mut entries) = match base {
            Some(Node { span, kind: NodeKind::Map(entries) }) => (span, entries),
            _ => (patch.span, Map::new()),
        };
        for (key, change) in changes {
            self.entry(&mut entries, key, change);
        }
        if !is_in_version(&self.path) {
            entries.retain(|_, entry| !matches!(entry.value.kind, NodeKind::Null));
        }
        Node { span, kind: NodeKind::Map(entries) }
    }

    fn entry(&mut self, entries: &mut Map, key: String, change: Entry) {
        match change.value.kind {
            NodeKind::Null if !is_in_version(&self.path) => {
                // The map drops all that is null at once: one by one would take quadratic time.
                if let Some(entry) = entries.get_mut(&key) {
                    entry.value.kind = NodeKind::Null;
                } else if !self.diagnostics.is_full() {
                    let mistake = removes_nothing(&key, &change, entries);
                    self.diagnostics.push(mistake);
                }
            }
            NodeKind::Map(_) => {
                let (key_span, base) = match entries.get_mut(&key) {
                    Some(entry) if matches!(entry.value.kind, NodeKind::Map(_)) => {
                        let empty = Node { span: entry.value.span, kind: NodeKind::Null };
                        (entry.key_span, Some(std::mem::replace(&mut entry.value, empty)))
                    }
                    _ => (change.key_span, None),
                };
                self.path.push(key.clone());
                let value = self.nodes(base, change.value);
                self.path.pop();
                entries.insert(key, Entry { key_span, value });
            }
            NodeKind::Null | NodeKind::Text { .. } | NodeKind::List(_) => {
                entries.insert(key, change);
            }
        }
    }
}

/// Whether the map at `path` is part of the patch that a version of a service is.
fn is_in_version(path: &[String]) -> bool {
    matches!(path, [services, _, versions, _, ..] if services == "services" && versions == "versions")
}

/// A list is replaced whole, so nothing in it can remove anything.
fn refuse_in_item(item: &mut Node, nulls: Nulls, diagnostics: &mut Diagnostics) {
    if matches!(item.kind, NodeKind::Null) {
        let help = match nulls {
            Nulls::Remove => "a list is replaced whole: leave out what is not wanted",
            Nulls::Refused => "write the item, or remove its dash or comma",
        };
        diagnostics
            .push(Diagnostic::new("stray-null", item.span, "this item of the list is empty").help(help));
    }
    refuse_stray_nulls(item, &mut Vec::new(), Nulls::Refused, diagnostics);
}

fn stray_entry(key: &str, entry: &Entry) -> Diagnostic {
    if entry.value.span.start == entry.value.span.end {
        return Diagnostic::new("stray-null", entry.key_span, format!("`{key}` has no value"))
            .label("nothing is given for it")
            .help("give it a value (`{}` is an empty map), or remove it");
    }
    Diagnostic::new("stray-null", entry.value.span, format!("`{key}` is null"))
        .help("null removes a key, and only in a file that extends another or in `versions`; to leave it out, remove the line")
}

fn removes_nothing(key: &str, change: &Entry, entries: &Map) -> Diagnostic {
    let span: Span = change.key_span;
    let mistake = Diagnostic::new("removes-nothing", span, format!("there is no `{key}` to remove"));
    match closest(key, entries.keys().map(String::as_str)) {
        Some(meant) => {
            let there = entries[meant].key_span;
            mistake.related(there, "this is there").help(format!("did you mean `{meant}`?"))
        }
        None => mistake.help("remove this line: the file that is extended does not have the key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::read::read;
    use crate::scenario::source::{Source, Sources};

    /// Merges texts and writes the result in one line, each text with the number of its file.
    fn merged(texts: [&str; 2]) -> (String, Vec<&'static str>) {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let [base, patch] = texts.map(|text| {
            let source = Source { name: "x".into(), folder: "".into(), text: text.into() };
            let file = sources.add(source);
            read(&sources, file, 0, &mut diagnostics).expect("valid YAML")
        });
        let result = merge(base, patch, &mut diagnostics);
        (written(&result), diagnostics.list.iter().map(|mistake| mistake.code).collect())
    }

    fn written(node: &Node) -> String {
        match &node.kind {
            NodeKind::Null => "null".into(),
            NodeKind::Text { text, .. } => format!("{text}@{}", node.span.file.0),
            NodeKind::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(" ")),
            NodeKind::Map(entries) => {
                let entries = entries.iter().map(|(key, entry)| format!("{key}:{}", written(&entry.value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// The examples of RFC 7396, appendix A, that have a map on both sides and remove what is there.
    #[test]
    fn merging_follows_the_rfc() {
        for (base, patch, result) in [
            ("{a: b}", "{a: c}", "{a:c@1}"),
            ("{a: b}", "{b: c}", "{a:b@0 b:c@1}"),
            ("{a: b}", "{a: null}", "{}"),
            ("{a: b, b: c}", "{a: null}", "{b:c@0}"),
            ("{a: [b]}", "{a: c}", "{a:c@1}"),
            ("{a: c}", "{a: [b]}", "{a:[b@1]}"),
            ("{a: {b: c, x: y}}", "{a: {b: d, x: null}}", "{a:{b:d@1}}"),
            ("{a: [{b: c}]}", "{a: [1]}", "{a:[1@1]}"),
            ("{a: foo}", "{a: {bb: {c: d}}}", "{a:{bb:{c:d@1}}}"),
        ] {
            assert_eq!(merged([base, patch]), (result.to_owned(), vec![]), "{base} {patch}");
        }
    }

    #[test]
    fn removing_what_is_not_there_is_a_mistake() {
        assert_eq!(merged(["{workers: 1}", "{worker: null}"]).1, ["removes-nothing"]);
        assert_eq!(merged(["{a: 1}", "{a: {b: null}}"]).1, ["removes-nothing"]);
    }

    #[test]
    fn a_null_in_a_version_stays() {
        let patch = "{services: {s: {versions: {v2: {outbox: null}}}}}";
        assert_eq!(
            merged(["{services: {s: {}}}", patch]),
            ("{services:{s:{versions:{v2:{outbox:null}}}}}".into(), vec![])
        );
    }
}
