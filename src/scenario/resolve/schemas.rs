//! Later schemas of a message: `OrderPlaced@2` has the fields of `OrderPlaced` and some more. What it leaves
//! out is as in the schema before, and a field that both have means the same.
//!
//! ```yaml
//! OrderPlaced:   { kind: integration, key: order, fields: { order: id, amount: int } }
//! OrderPlaced@2: { fields: { currency: [eur, usd] }, upcast: { currency: eur } }
//! ```

use super::Resolver;
use super::messages::KINDS;
use super::names::{Kind, unknown};
use super::nodes;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Scope};
use crate::scenario::node::Entry;
use crate::scenario::resolved::*;

impl<'a> Resolver<'a> {
    /// The first schema of a message.
    pub fn first_schema(&self, message: MessageId) -> MessageId {
        match self.messages.get(message.index()).and_then(|message| message.older) {
            Some(older) => self.first_schema(older),
            None => message,
        }
    }

    /// A message of a later schema: the one before it is declared before it.
    pub fn resolve_schema(&mut self, name: &str, first: &str, schema: &str, entry: &'a Entry) -> Message {
        let schema: u32 = schema.parse().unwrap_or(0);
        let before =
            if schema == 2 { first.to_owned() } else { format!("{first}@{}", schema.saturating_sub(1)) };
        let Some(older) = self.messages.iter().position(|message| message.name == before) else {
            let message = format!("`{name}` is a schema of `{before}`, which is not declared before it");
            self.report(
                Diagnostic::new("unknown-message", entry.key_span, message).help(format!(
                    "declare `{before}` first: schemas are numbered from 1, one after the other"
                )),
            );
            return self.older_schema(name, None, schema, entry);
        };
        let older = MessageId::new(older);
        let mut message = self.older_schema(name, Some(older), schema, entry);
        let node = &entry.value;
        if let Some(kind) = nodes::get(node, "kind").and_then(|kind| self.word(kind, KINDS)) {
            message.kind = kind;
        }
        if let Some(size) = nodes::get(node, "size")
            && let Some(size) = expression::size(size, &mut self.context())
        {
            message.size = size;
        }
        for key in ["key", "reply"] {
            if let Some(changed) = nodes::entry(node, key) {
                let why = format!("every schema has the `{key}` of the first");
                let diagnostic = Diagnostic::new("contradiction", changed.key_span, why);
                let declared = self.messages[older.index()].span;
                self.report(diagnostic.related(declared, "declared here"));
            }
        }
        let known = message.fields.len();
        self.add_fields(&mut message, entry);
        message.upcast = self.resolve_upcast(&message, known, older, entry);
        message
    }

    /// A message like the one of the schema before.
    fn older_schema(&self, name: &str, older: Option<MessageId>, schema: u32, entry: &Entry) -> Message {
        let like = older.map(|older| &self.messages[older.index()]);
        Message {
            name: name.to_owned(),
            span: entry.key_span,
            kind: like.map_or(MessageKind::Integration, |like| like.kind),
            key: like.and_then(|like| like.key),
            fields: like.map_or_else(Vec::new, |like| like.fields.clone()),
            reply: like.map_or_else(Vec::new, |like| like.reply.clone()),
            size: like.map_or(1000, |like| like.size),
            older,
            schema,
            upcast: None,
        }
    }

    /// Its own fields, behind those of the schema before.
    fn add_fields(&mut self, message: &mut Message, entry: &'a Entry) {
        let own = self.resolve_fields(&entry.value, "fields");
        for field in own {
            match message.fields.iter().find(|known| known.name == field.name) {
                Some(known) if known.ty != field.ty => {
                    let span = nodes::section(&entry.value, "fields")[&field.name].value.span;
                    let why = format!("`{}` has another type in the schema before", field.name);
                    let diagnostic = Diagnostic::new("wrong-type", span, why);
                    self.report(diagnostic.help("what changes its meaning gets a new name"));
                }
                Some(_) => {}
                None => message.fields.push(field),
            }
        }
    }

    /// `upcast`: a value for every field that the schema before lacks.
    fn resolve_upcast(
        &mut self,
        message: &Message,
        known: usize,
        older: MessageId,
        entry: &'a Entry,
    ) -> Option<Vec<(usize, Expression)>> {
        let upcast = nodes::entry(&entry.value, "upcast")?;
        let added = &message.fields[known..];
        let scope = Scope { message: Some(older), ..Scope::NOTHING };
        let mut filled = Vec::new();
        for (name, value) in nodes::map(&upcast.value) {
            let Some(position) = added.iter().position(|field| field.name == *name) else {
                let names = added.iter().map(|field| field.name.as_str());
                self.report(
                    unknown(Kind::Field, name, value.key_span, names).label("a field of this schema alone"),
                );
                continue;
            };
            let ty = added[position].ty.clone();
            let value = expression::expression(&value.value, Some(&ty), &scope, &mut self.context());
            filled.extend(value.map(|value| (known + position, value)));
        }
        let lacking = added.iter().find(|field| !nodes::map(&upcast.value).contains_key(&field.name));
        if let Some(field) = lacking {
            let why = format!("an older message lacks `{}` too", field.name);
            let diagnostic = Diagnostic::new("missing-field", upcast.key_span, why);
            self.report(diagnostic.help("fill every field that this schema has and the one before has not"));
        }
        Some(filled)
    }
}
