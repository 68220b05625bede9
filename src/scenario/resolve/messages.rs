//! Messages: kinds, keys, fields, sizes.

use super::Resolver;
use super::names::{Kind, unknown};
use super::nodes;
use crate::scenario::expression;
use crate::scenario::node::Node;
use crate::scenario::resolved::*;

/// What a message weighs unless its declaration says otherwise.
const DEFAULT_SIZE_BYTES: u64 = 1000;

pub const KINDS: &[(&str, MessageKind)] = &[
    ("command", MessageKind::Command),
    ("query", MessageKind::Query),
    ("domain", MessageKind::Domain),
    ("integration", MessageKind::Integration),
    ("notification", MessageKind::Notification),
];

impl<'a> Resolver<'a> {
    /// Every message, in the order of the file; ids are positions, so none is left out.
    pub fn resolve_messages(&mut self) {
        for (name, entry) in self.names.messages {
            let message = match name.split_once('@') {
                Some((first, schema)) => self.resolve_schema(name, first, schema, entry),
                None => self.resolve_message(name, &entry.value),
            };
            self.messages.push(Message { span: entry.key_span, ..message });
        }
    }

    fn resolve_message(&mut self, name: &str, node: &'a Node) -> Message {
        if let Some(upcast) = nodes::entry(node, "upcast") {
            let message = "only a later schema has older messages: `Name@2`";
            self.report(crate::scenario::diagnostic::Diagnostic::new(
                "misplaced-option",
                upcast.key_span,
                message,
            ));
        }
        let kind = nodes::get(node, "kind").and_then(|kind| self.word(kind, KINDS));
        let fields = self.resolve_fields(node, "fields");
        let key = nodes::get(node, "key").and_then(|key| {
            let word = nodes::text(key)?;
            if word == "none" {
                return None;
            }
            let position = fields.iter().position(|field| field.name == word);
            if position.is_none() {
                let names = fields.iter().map(|field| field.name.as_str());
                self.report(
                    unknown(Kind::Field, word, key.span, names).label("the key is one of the fields"),
                );
            }
            position
        });
        let size = nodes::get(node, "size").and_then(|size| expression::size(size, &mut self.context()));
        Message {
            name: name.to_owned(),
            span: node.span,
            kind: kind.unwrap_or(MessageKind::Integration),
            key,
            fields,
            reply: self.resolve_fields(node, "reply"),
            size: size.unwrap_or(DEFAULT_SIZE_BYTES),
            older: None,
            schema: 1,
            upcast: None,
        }
    }

    pub fn resolve_fields(&mut self, node: &'a Node, section: &str) -> Vec<Field> {
        nodes::section(node, section)
            .iter()
            .map(|(name, entry)| {
                let ty = self.resolve_type(&entry.value).unwrap_or(Type::Id);
                Field { name: name.clone(), span: entry.value.span, ty }
            })
            .collect()
    }

    /// A type; the words of an enumeration are remembered, because no local may have their names.
    pub fn resolve_type(&mut self, node: &'a Node) -> Option<Type> {
        let ty = expression::ty(node, &mut self.context())?;
        if let Type::Enumeration(words) = &ty {
            for &word in words {
                let word = self.symbols.get(word).to_owned();
                self.enumeration_words.entry(word).or_insert(node.span);
            }
        }
        Some(ty)
    }
}
