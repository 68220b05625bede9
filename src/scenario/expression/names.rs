//! What names mean: locals, constants of the type expected, and the fields of `message`, `delivery`,
//! `row` and `self`.

use super::super::diagnostic::{Diagnostic, closest};
use super::super::resolved::*;
use super::super::source::Span;
use super::check::{Checker, Inside, literal};
use super::syntax::{Syntax, SyntaxKind};
use crate::kernel::ids::*;

/// Names that say where a value comes from; none can be a local.
pub const ORIGINS: [&str; 6] = ["message", "delivery", "row", "state", "self", "now"];

const MESSAGE_FIELDS: [(&str, MessageField); 4] = [
    ("id", MessageField::Id),
    ("key", MessageField::Key),
    ("published_at", MessageField::PublishedAt),
    ("schema", MessageField::Schema),
];
const DELIVERY_FIELDS: [(&str, DeliveryField, Type); 5] = [
    ("attempt", DeliveryField::Attempt, Type::Int),
    ("topic", DeliveryField::Topic, Type::Text),
    ("partition", DeliveryField::Partition, Type::Int),
    ("offset", DeliveryField::Offset, Type::Int),
    ("replayed", DeliveryField::Replayed, Type::Bool),
];
const SELF_FIELDS: [(&str, SelfField); 3] = [
    ("instance", SelfField::Instance),
    ("in_flight", SelfField::InFlight),
    ("queue_length", SelfField::QueueLength),
];

impl<'x> Checker<'x, '_> {
    /// The visible local of this name.
    pub fn local(&self, name: &str) -> Option<(LocalId, &'x Local)> {
        let scope = self.scope;
        let found = scope.visible.iter().rev().find(|id| scope.locals[id.index()].name == name);
        found.map(|&id| (id, &scope.locals[id.index()]))
    }

    /// A bare name: a local, `now`, or a constant of the type expected.
    pub fn name(&mut self, name: &str, span: Span, hint: Option<&Type>) -> Option<Expression> {
        if let Some((id, local)) = self.local(name) {
            return Some(Expression { kind: ExpressionKind::Local(id), ty: local.ty.clone(), span });
        }
        if name == "now" {
            if !self.scope.instance {
                return self.refuse(
                    "out-of-place",
                    span,
                    "`now` is an instance's clock: there is none here".into(),
                );
            }
            return Some(Expression { kind: ExpressionKind::Now, ty: Type::Time, span });
        }
        if ORIGINS.contains(&name) {
            let message = format!("`{name}` is no value itself: name a field of it, `{name}.…`");
            return self.refuse("wrong-type", span, message);
        }
        match hint {
            Some(Type::Enumeration(words)) => self.word(name, span, words),
            Some(Type::Text) => {
                let symbol = self.context.symbols.intern(name);
                Some(literal(Literal::Symbol(symbol), Type::Text, span))
            }
            _ => {
                let expected = hint.map(|hint| {
                    let example = hint.example().map(|example| format!(": `{example}`")).unwrap_or_default();
                    format!("; {} is expected{example}", self.words(hint))
                });
                let message = format!("`{name}` is not known here{}", expected.unwrap_or_default());
                let diagnostic = self.did_you_mean(Diagnostic::new("unknown-name", span, message), name, &[]);
                self.report(diagnostic);
                None
            }
        }
    }

    /// A word of an enumeration.
    fn word(&mut self, name: &str, span: Span, words: &[SymbolId]) -> Option<Expression> {
        let found = words.iter().find(|&&word| self.context.symbols.get(word) == name);
        if let Some(&symbol) = found {
            return Some(literal(Literal::Symbol(symbol), Type::Enumeration(words.to_vec()), span));
        }
        let ty = self.words(&Type::Enumeration(words.to_vec()));
        let diagnostic = Diagnostic::new("unknown-word", span, format!("`{name}` is not {ty}"));
        let diagnostic = self.did_you_mean(diagnostic, name, words);
        self.report(diagnostic);
        None
    }

    fn did_you_mean(&self, diagnostic: Diagnostic, name: &str, words: &[SymbolId]) -> Diagnostic {
        let scope = self.scope;
        let locals = scope.visible.iter().map(|id| scope.locals[id.index()].name.as_str());
        let words = words.iter().map(|&word| self.context.symbols.get(word));
        let origins = ORIGINS.into_iter().filter(|origin| match *origin {
            "message" => scope.message.is_some(),
            "delivery" => scope.delivery,
            "row" => scope.row.is_some(),
            "state" => scope.state.is_some(),
            "self" | "now" => scope.instance,
            _ => false,
        });
        let services =
            self.context.services.iter().filter(|_| scope.aggregates).map(|(name, _)| name.as_str());
        match closest(name, words.chain(locals).chain(origins).chain(services)) {
            Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
            None => diagnostic,
        }
    }

    /// `a.b`
    pub fn select(
        &mut self,
        whole: &Syntax,
        operand: &Syntax,
        field: &str,
        field_span: Span,
    ) -> Option<Expression> {
        let span = whole.span;
        if let SyntaxKind::Name(name) = &operand.kind {
            if let Some((id, local)) = self.local(name) {
                return self.of_local(id, local, field, field_span, span);
            }
            match name.as_str() {
                "message" => return self.of_message(field, field_span, operand.span, span),
                "delivery" => return self.of_delivery(field, field_span, operand.span, span),
                "row" => return self.of_row(field, field_span, operand.span, span),
                "self" => return self.of_self(field, field_span, operand.span, span),
                "state" => return self.of_state(field, field_span, operand.span, span),
                _ => {}
            }
        }
        if self.scope.aggregates {
            return self.select_aggregate(whole, operand, field, field_span);
        }
        if let SyntaxKind::Name(name) = &operand.kind {
            return self.unknown_name(name, operand.span);
        }
        let operand = self.infer(operand, None)?;
        let diagnostic = match operand.ty {
            Type::Row(_) | Type::Reply(_) => {
                Diagnostic::new("wrong-type", operand.span, "only a name has columns or fields")
                    .help("name it with `let` first")
            }
            _ => {
                let message = format!("{} has no field `{field}`", self.words(&operand.ty));
                Diagnostic::new("unknown-field", field_span, message)
            }
        };
        self.report(diagnostic);
        None
    }

    pub fn unknown_name(&mut self, name: &str, span: Span) -> Option<Expression> {
        let diagnostic = Diagnostic::new("unknown-name", span, format!("`{name}` is not known here"));
        let diagnostic = self.did_you_mean(diagnostic, name, &[]);
        self.report(diagnostic);
        None
    }

    fn of_local(
        &mut self,
        id: LocalId,
        local: &Local,
        field: &str,
        at: Span,
        span: Span,
    ) -> Option<Expression> {
        match local.ty {
            Type::Row(_) if field == "exists" => {
                Some(Expression { kind: ExpressionKind::RowExists(id), ty: Type::Bool, span })
            }
            Type::Row(table) => {
                let (column, ty) = self.column(table, field, at, &["exists"])?;
                Some(Expression { kind: ExpressionKind::RowColumn(id, column), ty, span })
            }
            Type::Reply(message) => {
                let message = &self.context.messages[message.index()];
                match message.reply.iter().position(|known| known.name == field) {
                    Some(position) => {
                        let ty = message.reply[position].ty.clone();
                        Some(Expression { kind: ExpressionKind::ReplyField(id, position), ty, span })
                    }
                    None => {
                        let what = format!("the answer to {}", message.name);
                        let known = message.reply.iter().map(|known| known.name.as_str());
                        self.unknown_field(&what, field, at, known)
                    }
                }
            }
            _ => {
                let message = format!("`{}` is {}: it has no fields", local.name, self.words(&local.ty));
                self.refuse("unknown-field", at, message)
            }
        }
    }

    fn of_message(&mut self, field: &str, at: Span, origin: Span, span: Span) -> Option<Expression> {
        let Some(id) = self.scope.message else {
            return self.refuse("out-of-place", origin, "no message is in hand here".into());
        };
        let message = &self.context.messages[id.index()];
        if let Some(position) = message.fields.iter().position(|known| known.name == field) {
            let ty = message.fields[position].ty.clone();
            return Some(Expression {
                kind: ExpressionKind::Message(MessageField::Field(position)),
                ty,
                span,
            });
        }
        let Some(&(_, known)) = MESSAGE_FIELDS.iter().find(|(name, _)| *name == field) else {
            let declared = message.fields.iter().map(|known| known.name.as_str());
            let all = declared.chain(MESSAGE_FIELDS.iter().map(|(name, _)| *name));
            return self.unknown_field(&message.name, field, at, all);
        };
        let ty = match known {
            MessageField::Key => match message.key {
                Some(key) => message.fields[key].ty.clone(),
                None => {
                    let text = format!("{} has no key", message.name);
                    return self.refuse("unknown-field", at, text);
                }
            },
            MessageField::PublishedAt => Type::Time,
            MessageField::Schema => Type::Int,
            MessageField::Id | MessageField::Field(_) => Type::Id,
        };
        Some(Expression { kind: ExpressionKind::Message(known), ty, span })
    }

    fn of_delivery(&mut self, field: &str, at: Span, origin: Span, span: Span) -> Option<Expression> {
        if !self.scope.delivery {
            return self.refuse("out-of-place", origin, "no delivery from a topic is in hand here".into());
        }
        match DELIVERY_FIELDS.iter().find(|(name, ..)| *name == field) {
            Some((_, known, ty)) => {
                Some(Expression { kind: ExpressionKind::Delivery(*known), ty: ty.clone(), span })
            }
            None => {
                self.unknown_field("a delivery", field, at, DELIVERY_FIELDS.iter().map(|(name, ..)| *name))
            }
        }
    }

    fn of_row(&mut self, field: &str, at: Span, origin: Span, span: Span) -> Option<Expression> {
        let Some(table) = self.scope.row else {
            return self.refuse("out-of-place", origin, "no row is in hand here".into());
        };
        let (column, ty) = self.column(table, field, at, &[])?;
        if self.inside == Inside::Aggregate {
            self.inside = Inside::Rows;
        }
        Some(Expression { kind: ExpressionKind::Row(column), ty, span })
    }

    /// A column of the state that a stream has before the message in hand.
    fn of_state(&mut self, field: &str, at: Span, origin: Span, span: Span) -> Option<Expression> {
        let Some(table) = self.scope.state else {
            return self.refuse("out-of-place", origin, "no stream is being folded here".into());
        };
        let (column, ty) = self.column(table, field, at, &[])?;
        Some(Expression { kind: ExpressionKind::Row(column), ty, span })
    }

    fn of_self(&mut self, field: &str, at: Span, origin: Span, span: Span) -> Option<Expression> {
        if !self.scope.instance {
            return self.refuse(
                "out-of-place",
                origin,
                "no instance runs this: `self` means nothing here".into(),
            );
        }
        match SELF_FIELDS.iter().find(|(name, _)| *name == field) {
            Some(&(_, known)) => Some(Expression { kind: ExpressionKind::This(known), ty: Type::Int, span }),
            None => self.unknown_field("`self`", field, at, SELF_FIELDS.iter().map(|(name, _)| *name)),
        }
    }

    /// A column of a table by name, with its type.
    pub fn column(
        &mut self,
        table: TableId,
        field: &str,
        at: Span,
        beside: &[&str],
    ) -> Option<(usize, Type)> {
        let table = &self.context.tables[table.index()];
        if let Some(position) = table.columns.iter().position(|column| column.name == field) {
            return Some((position, table.columns[position].ty.clone()));
        }
        let known: Vec<_> =
            table.columns.iter().map(|column| column.name.as_str()).chain(beside.iter().copied()).collect();
        let diagnostic =
            Diagnostic::new("unknown-column", at, format!("{} has no column `{field}`", table.name));
        self.report(with_known(diagnostic, field, &known));
        None
    }

    fn unknown_field<'k>(
        &mut self,
        what: &str,
        field: &str,
        at: Span,
        known: impl Iterator<Item = &'k str>,
    ) -> Option<Expression> {
        let known: Vec<_> = known.collect();
        let diagnostic = Diagnostic::new("unknown-field", at, format!("{what} has no field `{field}`"));
        self.report(with_known(diagnostic, field, &known));
        None
    }
}

/// Help with what was probably meant, else with what there is.
pub fn with_known(diagnostic: Diagnostic, name: &str, known: &[&str]) -> Diagnostic {
    match closest(name, known.iter().copied()) {
        Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic
            .help(format!("there are: {}", known.iter().take(20).copied().collect::<Vec<_>>().join(", "))),
    }
}
