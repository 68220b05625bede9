//! Schemas of messages: the room they share, what fills it, and which handler is for which.

use super::Compiler;
use super::expressions::word_of;
use super::frames::Frame;
use super::steps::push;
use crate::kernel::ids::*;
use crate::model::code::*;
use crate::model::compile::parts::key_of;
use crate::model::{Handler, SourcePlace};
use crate::scenario::resolved as scenario;
use scenario::{Group, UnknownVersion};

impl<'s> Compiler<'s> {
    /// The schemas of a message, oldest first.
    fn schemas_of(&self, message: MessageId) -> Vec<MessageId> {
        let messages = &self.scenario.messages;
        let first = |mut message: MessageId| {
            while let Some(older) = messages[message.index()].older {
                message = older;
            }
            message
        };
        let own = first(message);
        let mut all: Vec<MessageId> =
            (0..messages.len()).map(MessageId::new).filter(|&other| first(other) == own).collect();
        all.sort_by_key(|schema| messages[schema.index()].schema);
        all
    }

    /// The fields that a message of any schema has room for: those of the last.
    pub fn room_of(&self, message: MessageId) -> &'s [scenario::Field] {
        let last = self.schemas_of(message).pop().expect("a message is a schema of itself");
        &self.scenario.messages[last.index()].fields
    }

    /// What stands in the room of later fields: what the upcasts make of the earlier ones, one after the
    /// other; where nobody says, initial values.
    pub fn fills(&mut self) {
        let scenario = self.scenario;
        let frame = Frame::default();
        for (index, message) in scenario.messages.iter().enumerate() {
            let mut fill = Vec::new();
            let later = self.schemas_of(MessageId::new(index)).into_iter();
            for schema in later.filter(|later| scenario.messages[later.index()].schema > message.schema) {
                let later = &scenario.messages[schema.index()];
                let known = later.older.map_or(0, |older| scenario.messages[older.index()].fields.len());
                for (position, field) in later.fields.iter().enumerate().skip(known) {
                    let upcast = later.upcast.iter().flatten().find(|(at, _)| *at == position);
                    let operand = match upcast {
                        Some((_, value)) => self.operand(value, &frame),
                        None => self.constant(word_of(&initial(&field.ty))),
                    };
                    let value = push(&mut self.model.values, Value::Computed(operand));
                    fill.push(Assignment { position: position as u16, value });
                }
            }
            self.model.messages[index].fill = fill;
        }
    }

    /// How a group handles a message: by the handler of its schema; else, filled in, by that of the next
    /// later one; else as `unknown_version` says.
    pub fn handler_of(&mut self, group: &Group, message: MessageId) -> HandlerId {
        let handlers = self.model.services[group.service.index()].handlers.clone();
        self.handler_among(&handlers, group.unknown_version, group, message)
    }

    /// The same, by these handlers.
    pub fn handler_among(
        &mut self,
        handlers: &[(MessageId, HandlerId)],
        unknown_version: UnknownVersion,
        group: &Group,
        message: MessageId,
    ) -> HandlerId {
        let handled =
            |schema: MessageId| handlers.iter().find(|(handled, _)| *handled == schema).map(|one| one.1);
        if let Some(exact) = handled(message) {
            return exact;
        }
        let schemas = self.schemas_of(message);
        let at = schemas.iter().position(|&schema| schema == message).expect("a schema of itself");
        let (older, later) = (&schemas[..at], &schemas[at + 1..]);
        let is_upcast = |schema: &&MessageId| self.scenario.messages[schema.index()].upcast.is_some();
        let filled = later.iter().take_while(is_upcast).find_map(|&schema| handled(schema));
        if let Some(filled) = filled {
            return filled;
        }
        let nearest = older.iter().rev().chain(later).find_map(|&schema| handled(schema));
        match (nearest, unknown_version) {
            (None, _) | (_, UnknownVersion::Skip) => HandlerId(NONE),
            (Some(nearest), UnknownVersion::Tolerate) => nearest,
            (Some(_), UnknownVersion::Poison) => {
                let service = &self.scenario.services[group.service.index()].name;
                self.failing(&format!("{service}/{}", self.scenario.messages[message.index()].name))
            }
        }
    }

    /// A handler that fails.
    pub fn failing(&mut self, name: &str) -> HandlerId {
        let reason = self.symbol("unknown_version");
        let model = &mut self.model;
        let entry = model.code.len() as Pc;
        model.code.push(Op::Fail(reason));
        model.region_of.push(NONE);
        model.step_places.push(SourcePlace::default());
        model.handlers.push(Handler {
            key: key_of("handler", name),
            name: name.to_owned(),
            entry,
            words: 0,
            lists: Vec::new(),
            locals: Vec::new(),
        });
        HandlerId::new(model.handlers.len() - 1)
    }
}

/// What a field is that nobody gives.
fn initial(ty: &scenario::Type) -> scenario::Literal {
    match ty {
        scenario::Type::Bool => scenario::Literal::Bool(false),
        scenario::Type::Number | scenario::Type::Rate => scenario::Literal::Number(0.0),
        scenario::Type::Enumeration(words) if !words.is_empty() => scenario::Literal::Symbol(words[0]),
        scenario::Type::List(_) => scenario::Literal::EmptyList,
        _ => scenario::Literal::Int(0),
    }
}
