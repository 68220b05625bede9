//! Locals of a body, and reading expressions in their light.

use super::{BodyResolver, Owner, Written};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Context, Scope};
use crate::scenario::node::Node;
use crate::scenario::resolve::bounds::{LOCALS, WORDS_OF_LOCALS};
use crate::scenario::resolve::names::Kind;
use crate::scenario::resolve::nodes;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

impl<'r, 'a> BodyResolver<'r, 'a> {
    pub(super) fn expression(&mut self, node: &Node, expected: Option<&Type>) -> Option<Expression> {
        self.row_expression(node, expected, None)
    }

    /// An expression that may read `row.x` of a table.
    pub(super) fn row_expression(
        &mut self,
        node: &Node,
        expected: Option<&Type>,
        row: Option<TableId>,
    ) -> Option<Expression> {
        self.understand(node, row, |scope, context| expression::expression(node, expected, scope, context))
    }

    pub(super) fn value(
        &mut self,
        node: &Node,
        expected: Option<&Type>,
        row: Option<TableId>,
    ) -> Option<Value> {
        self.understand(node, row, |scope, context| expression::value(node, expected, scope, context))
    }

    /// Something whose type nobody can tell, because of an earlier mistake: fields that are not there are reported.
    pub(super) fn glance(&mut self, node: &Node) {
        let reported = self.resolver.diagnostics.list.len();
        self.value(node, None, None);
        self.keep_fields(reported);
    }

    /// Drops the mistakes reported since then that may come from an earlier one. That a message lacks a field does not.
    fn keep_fields(&mut self, since: usize) {
        let mut position = 0;
        self.resolver.diagnostics.list.retain(|mistake| {
            position += 1;
            position <= since || mistake.code == Kind::Field.code()
        });
    }

    /// What is written, in the light of the names that are known here. Mistakes that may come from an
    /// earlier one, because a local is named that was not understood, are not reported.
    fn understand<T>(
        &mut self,
        node: &Node,
        row: Option<TableId>,
        reading: impl FnOnce(&Scope, &mut Context) -> Option<T>,
    ) -> Option<T> {
        let scope = Scope {
            message: self.place.message,
            delivery: self.has_delivery,
            row,
            state: None,
            instance: matches!(self.place.owner, Owner::Service(_)),
            locals: &self.locals,
            visible: &self.visible,
            aggregates: false,
        };
        let reported = self.resolver.diagnostics.list.len();
        let understood = reading(&scope, &mut self.resolver.context());
        if understood.is_none() && self.names_broken_local(node) {
            self.keep_fields(reported);
        }
        understood
    }

    fn names_broken_local(&self, node: &Node) -> bool {
        let text = nodes::text(node).unwrap_or_else(|| self.resolver.sources.text(node.span));
        let mut names = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        names.any(|name| self.broken.contains(name))
    }

    pub(super) fn truth(&mut self, node: Option<&Node>, row: Option<TableId>) -> Option<Expression> {
        node.and_then(|node| self.row_expression(node, Some(&Type::Bool), row))
    }

    /// The `as` of a step. Without a type the step was not understood, and neither is its result.
    pub(super) fn result(&mut self, written: Written<'a>, ty: Option<Type>) -> Option<LocalId> {
        let node = written.option("as")?;
        let name = nodes::text(node)?;
        match ty {
            Some(ty) => self.declare(name, node.span, ty),
            None => {
                self.broken.insert(name.to_owned());
                None
            }
        }
    }

    /// A new local, known from here on. Nothing shadows anything.
    pub(super) fn declare(&mut self, name: &str, span: Span, ty: Type) -> Option<LocalId> {
        if expression::ORIGINS.contains(&name) || matches!(name, "true" | "false") {
            let message = format!("`{name}` has a meaning of its own and cannot name a value");
            self.resolver.report(Diagnostic::new("shadowed-name", span, message).help("choose another name"));
            return None;
        }
        if let Some(&other) = self.visible.iter().find(|local| self.locals[local.index()].name == name) {
            let message = format!("`{name}` is the name of another value already");
            let first = self.declared.get(&other).copied().unwrap_or(span);
            let diagnostic =
                Diagnostic::new("shadowed-name", span, message).related(first, "named here first");
            self.resolver.report(diagnostic.help("choose another name"));
            return None;
        }
        if let Some(&first) = self.resolver.enumeration_words.get(name) {
            let message = format!("`{name}` is a word of an enumeration and cannot name a value");
            let diagnostic =
                Diagnostic::new("shadowed-name", span, message).related(first, "the enumeration");
            self.resolver.report(diagnostic.help("choose another name"));
            return None;
        }
        if let Some(topic) = self.resolver.names.topics.get(name) {
            let message = format!("`{name}` is the name of a topic and cannot name a value");
            let diagnostic =
                Diagnostic::new("shadowed-name", span, message).related(topic.key_span, "the topic");
            self.broken.insert(name.to_owned());
            self.resolver.report(diagnostic.help("choose another name"));
            return None;
        }
        if self.locals.len() == LOCALS {
            self.resolver.exceeds(span, "named values in one body", LOCALS);
            return None;
        }
        self.words += self.words_of(&ty);
        if self.words > WORDS_OF_LOCALS {
            self.resolver.exceeds(span, "values in the rows named in one body", WORDS_OF_LOCALS);
            return None;
        }
        let local = LocalId::new(self.locals.len());
        self.locals.push(Local { name: name.to_owned(), ty });
        self.declared.insert(local, span);
        self.visible.push(local);
        Some(local)
    }

    /// How many values a local is made of.
    fn words_of(&self, ty: &Type) -> usize {
        match ty {
            Type::Row(table) => 1 + self.resolver.tables[table.index()].columns.len(),
            Type::Reply(message) => self.resolver.messages[message.index()].reply.len().max(1),
            _ => 1,
        }
    }
}
