//! Scenario files for tests, read by a YAML library that is not the project's own, and turned into
//! syntax trees whose places are paths.

use eventflow::scenario::node::{Entry, Map, Node, NodeKind};
use eventflow::scenario::source::{FileId, Span};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// YAML as an ordinary library reads it: numbers and truth values typed.
pub fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Every file of the scenario library.
pub fn shipped() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// A file merged over what it extends, with whole-value parameters put in.
pub fn merged(path: &Path) -> Value {
    let mut value = extended(path);
    let parameters = value["parameters"].clone();
    put_in(&mut value, &parameters);
    value
}

fn extended(path: &Path) -> Value {
    let patch = yaml(&std::fs::read_to_string(path).unwrap());
    match patch["extends"].as_str() {
        Some(base) => {
            let mut value = extended(&path.parent().unwrap().join(base));
            merge(&mut value, &patch);
            value
        }
        None => patch,
    }
}

/// RFC 7396.
fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let object = value.as_object_mut().unwrap();
    for (key, patch) in patch {
        if patch.is_null() {
            object.shift_remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), patch);
        }
    }
}

fn put_in(value: &mut Value, parameters: &Value) {
    match value {
        Value::String(text) => {
            if let Some(parameter) = text.strip_prefix('$').and_then(|name| parameters.get(name)) {
                *value = parameter.clone();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| put_in(item, parameters)),
        Value::Object(map) => map.values_mut().for_each(|item| put_in(item, parameters)),
        _ => {}
    }
}

/// A syntax tree, and the path that each span's start stands for: `services.orders`, and with a colon
/// behind it for the key itself.
pub fn tree(value: &Value) -> (Node, Vec<String>) {
    let mut paths = Vec::new();
    let node = node(value, "", &mut paths);
    (node, paths)
}

fn node(value: &Value, path: &str, paths: &mut Vec<String>) -> Node {
    let span = place(path.to_owned(), paths);
    let kind = match value {
        Value::Null => NodeKind::Null,
        Value::Bool(_) | Value::Number(_) => text(value.to_string()),
        Value::String(string) => text(string.clone()),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            NodeKind::List(items.map(|(k, item)| node(item, &format!("{path}[{k}]"), paths)).collect())
        }
        Value::Object(map) => {
            let mut entries = Map::new();
            for (key, item) in map {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let key_span = place(format!("{inner}:"), paths);
                entries.insert(key.clone(), Entry { key_span, value: node(item, &inner, paths) });
            }
            NodeKind::Map(entries)
        }
    };
    Node { span, kind }
}

fn text(text: String) -> NodeKind {
    NodeKind::Text { text, quoted: false, offsets_exact: false }
}

fn place(path: String, paths: &mut Vec<String>) -> Span {
    paths.push(path);
    let start = paths.len() as u32 - 1;
    Span { file: FileId(0), start, end: start + 1 }
}
