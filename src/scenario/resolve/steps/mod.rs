//! Steps of a body, with the locals they name.
//!
//! A local is known after the step that makes it, to the end of the block it stands in. `transaction` and
//! `try` are no blocks of their own: what they name is known after them. So are the names of all
//! branches of a `parallel`, but no branch knows another's. What `then`, `else`, `catch` and `do` name stays
//! inside. The `as` of a row step is known in its `else` too.
//!
//! Steps are numbered verb by verb, depth first: `then` before `else`, a body before its `catch`.

mod flow;
mod messaging;
mod retry;
mod rows;
mod sites;

pub use sites::Sites;

use super::Resolver;
use super::nodes;
use super::quantities::flag;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression::{self, Context, Scope};
use crate::scenario::node::{Map, Node, NodeKind};
use crate::scenario::resolved::*;
use crate::scenario::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Whose body it is.
#[derive(Clone)]
pub struct Place {
    owner: Owner,
    /// The message in hand, in a handler.
    message: Option<MessageId>,
    /// Name of the message or job; `do` for a client.
    body: String,
    /// `service/Message`, before the step's own part of its path.
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Service(ServiceId),
    Client(ClientId),
}

impl Place {
    pub fn handler(service: ServiceId, name: &str, message: MessageId, body: &str) -> Self {
        Place { message: Some(message), ..Place::job(service, name, body) }
    }

    pub fn job(service: ServiceId, name: &str, body: &str) -> Self {
        let path = format!("{name}/{body}");
        Place { owner: Owner::Service(service), message: None, body: body.to_owned(), path }
    }

    pub fn client(client: ClientId, name: &str) -> Self {
        Place {
            owner: Owner::Client(client),
            message: None,
            body: "do".to_owned(),
            path: format!("{name}/do"),
        }
    }
}

impl<'a> Resolver<'a> {
    pub fn resolve_body(&mut self, place: Place, steps: &'a Node) -> Body {
        let mut body = BodyResolver {
            has_delivery: self.is_consumed(&place),
            resolver: self,
            place,
            locals: Vec::new(),
            visible: Vec::new(),
            declared: BTreeMap::new(),
            uncertain: BTreeSet::new(),
            broken: BTreeSet::new(),
            counts: BTreeMap::new(),
            in_transaction: false,
        };
        let steps = body.steps(steps);
        Body { locals: body.locals, steps }
    }

    /// Whether the message of a handler can come by way of a topic.
    fn is_consumed(&self, place: &Place) -> bool {
        let (Owner::Service(service), Some(message)) = (place.owner, place.message) else { return false };
        let mut groups = self.groups.iter().filter(|group| group.service == service);
        groups.any(|group| self.topics[group.topic.index()].messages.contains(&message))
    }
}

/// Resolves one body.
struct BodyResolver<'r, 'a> {
    resolver: &'r mut Resolver<'a>,
    place: Place,
    has_delivery: bool,
    locals: Vec<Local>,
    visible: Vec<LocalId>,
    /// Where locals are made.
    declared: BTreeMap<LocalId, Span>,
    /// Locals whose type depends on a key column whose type is not known yet.
    uncertain: BTreeSet<LocalId>,
    /// Names of locals that were not understood.
    broken: BTreeSet<String>,
    /// How many steps of each verb there were so far.
    counts: BTreeMap<&'static str, u32>,
    in_transaction: bool,
}

/// A step as it stands in the tree: its verb, what the verb is said about, and what stands beside it.
#[derive(Clone, Copy)]
struct Written<'a> {
    verb: &'static str,
    verb_span: Span,
    /// What is beside the verb; for a bare word, the word.
    value: &'a Node,
    /// The whole step.
    node: &'a Node,
}

impl<'a> Written<'a> {
    fn option(self, key: &str) -> Option<&'a Node> {
        nodes::get(self.node, key)
    }

    /// Where an option is written.
    fn option_span(self, key: &str) -> Option<Span> {
        nodes::entry(self.node, key).map(|entry| entry.key_span)
    }

    /// The verb and what it is said about: `insert: orders`.
    fn head(self) -> Span {
        if self.value.span.file == self.verb_span.file && self.value.span.end > self.verb_span.end {
            Span { end: self.value.span.end, ..self.verb_span }
        } else {
            self.verb_span
        }
    }
}

/// All verbs; `parallel` comes last because it is an option of `for_each` too.
const VERBS: &[&str] = &[
    "work",
    "wait",
    "after",
    "let",
    "read",
    "insert",
    "update",
    "upsert",
    "delete",
    "scan",
    "transaction",
    "load",
    "append",
    "publish",
    "call",
    "send",
    "reply",
    "effect",
    "if",
    "for_each",
    "try",
    "stop",
    "fail",
    "ack",
    "parallel",
];

/// Verbs that need a table, a store, a worker or a caller, none of which a client has.
const NOT_FOR_CLIENTS: &[(&str, &str)] = &[
    ("work", "a client has no CPU; let time pass with `wait`"),
    ("read", "a client has no tables"),
    ("insert", "a client has no tables"),
    ("update", "a client has no tables"),
    ("upsert", "a client has no tables"),
    ("delete", "a client has no tables"),
    ("scan", "a client has no tables"),
    ("transaction", "a client has no store"),
    ("reply", "nobody waits for an answer from a client"),
    ("ack", "a client consumes nothing"),
];

impl<'r, 'a> BodyResolver<'r, 'a> {
    /// Steps whose locals stay known after them.
    fn steps(&mut self, node: &'a Node) -> Block {
        nodes::list(node).iter().filter_map(|step| self.step(step)).collect()
    }

    /// Steps whose locals are known inside only.
    fn block(&mut self, node: &'a Node) -> Block {
        let known = self.visible.len();
        let steps = self.steps(node);
        self.visible.truncate(known);
        steps
    }

    fn optional_block(&mut self, node: Option<&'a Node>) -> Option<Block> {
        node.map(|node| self.block(node))
    }

    fn step(&mut self, node: &'a Node) -> Option<Step> {
        let written = written(node)?;
        let count = self.counts.entry(written.verb).or_insert(0);
        *count += 1;
        let path = format!("{}/{}#{count}", self.place.path, written.verb);
        self.resolver.refuse_keys("step", node);
        let name = written.option("name").and_then(nodes::text).map(str::to_owned);
        let undoes =
            written.option("undoes").and_then(|node| Some((nodes::text(node)?.to_owned(), node.span)));
        self.note_site(name.as_deref(), undoes.as_ref());
        let is_possible = self.check_place(written);
        let once_per = written.option("once_per").and_then(|node| self.expression(node, None));
        let forward = flag(written.option("forward"), false);
        let kind = self.kind(written)?;
        let undoes = undoes.map(|(name, _)| name);
        is_possible.then_some(Step { kind, span: written.verb_span, name, path, once_per, forward, undoes })
    }

    fn kind(&mut self, written: Written<'a>) -> Option<StepKind> {
        match written.verb {
            "work" => self.value(written.value, Some(&Type::Duration), None).map(StepKind::Work),
            "wait" => self.value(written.value, Some(&Type::Duration), None).map(StepKind::Wait),
            "after" => self.after(written),
            "let" => Some(self.let_names(written)),
            "read" => self.read(written),
            "insert" => self.insert(written),
            "update" => self.update(written),
            "upsert" => self.upsert(written),
            "delete" => self.delete(written),
            "scan" => self.scan(written),
            "transaction" => Some(self.transaction(written)),
            "publish" => self.publish(written),
            "call" => self.call(written),
            "send" => self.send(written),
            "reply" => self.reply(written),
            "effect" => self.effect(written),
            "if" => self.condition(written),
            "for_each" => self.for_each(written),
            "parallel" => Some(self.parallel(written)),
            "try" => Some(self.attempt(written)),
            "stop" => Some(StepKind::Stop),
            "fail" => self.fail(written),
            "ack" => Some(StepKind::Ack),
            // `load` and `append` were refused by name.
            _ => None,
        }
    }

    /// Whether the verb can mean anything where it stands.
    fn check_place(&mut self, written: Written<'a>) -> bool {
        let why = match self.place.owner {
            Owner::Client(_) => {
                NOT_FOR_CLIENTS.iter().find(|(verb, _)| *verb == written.verb).map(|&(_, why)| why)
            }
            Owner::Service(_) if written.verb == "reply" && self.place.message.is_none() => {
                Some("a job answers nobody")
            }
            Owner::Service(_) if written.verb == "ack" && !self.has_manual_ack() => {
                Some("`ack` needs a subscription with `ack: manual` that this message comes by")
            }
            Owner::Service(_) if written.verb == "transaction" && self.in_transaction => {
                Some("a transaction cannot stand in another one")
            }
            Owner::Service(_)
                if self.in_transaction
                    && (written.verb == "parallel" || written.option("parallel").is_some()) =>
            {
                Some("a transaction does one thing after another")
            }
            Owner::Service(_) => None,
        };
        if let Some(why) = why {
            let message = format!("`{}` makes no sense here", written.verb);
            self.resolver.report(Diagnostic::new("misplaced-step", written.verb_span, message).help(why));
        }
        why.is_none()
    }

    fn has_manual_ack(&self) -> bool {
        let Owner::Service(service) = self.place.owner else { return false };
        let groups = self.resolver.groups.iter();
        let mut manual = groups.filter(|group| group.service == service && group.ack == AckMode::Manual);
        manual.any(|group| {
            let carried = &self.resolver.topics[group.topic.index()].messages;
            self.place.message.is_some_and(|message| carried.contains(&message))
        })
    }

    fn misplaced(&mut self, span: Span, message: impl Into<String>) {
        self.resolver.report(Diagnostic::new("misplaced-option", span, message));
    }

    fn expression(&mut self, node: &Node, expected: Option<&Type>) -> Option<Expression> {
        self.row_expression(node, expected, None)
    }

    /// An expression that may read `row.x` of a table.
    fn row_expression(
        &mut self,
        node: &Node,
        expected: Option<&Type>,
        row: Option<TableId>,
    ) -> Option<Expression> {
        self.understand(node, row, |scope, context| expression::expression(node, expected, scope, context))
    }

    fn value(&mut self, node: &Node, expected: Option<&Type>, row: Option<TableId>) -> Option<Value> {
        self.understand(node, row, |scope, context| expression::value(node, expected, scope, context))
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
            instance: matches!(self.place.owner, Owner::Service(_)),
            locals: &self.locals,
            visible: &self.visible,
            aggregates: false,
        };
        let reported = self.resolver.diagnostics.list.len();
        let understood = reading(&scope, &mut self.resolver.context());
        if understood.is_none() && self.names_broken_local(node) {
            self.resolver.diagnostics.list.truncate(reported);
        }
        understood
    }

    fn names_broken_local(&self, node: &Node) -> bool {
        let text = nodes::text(node).unwrap_or_else(|| self.resolver.sources.text(node.span));
        let mut names = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        names.any(|name| self.broken.contains(name))
    }

    fn truth(&mut self, node: Option<&Node>, row: Option<TableId>) -> Option<Expression> {
        node.and_then(|node| self.row_expression(node, Some(&Type::Bool), row))
    }

    /// The `as` of a step. Without a type the step was not understood, and neither is its result.
    fn result(&mut self, written: Written<'a>, ty: Option<Type>) -> Option<LocalId> {
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
    fn declare(&mut self, name: &str, span: Span, ty: Type) -> Option<LocalId> {
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
        let local = LocalId::new(self.locals.len());
        self.locals.push(Local { name: name.to_owned(), ty });
        self.declared.insert(local, span);
        self.visible.push(local);
        Some(local)
    }
}

/// The verb of a step. A step without one, or with several, was reported with the structure.
fn written(node: &Node) -> Option<Written<'_>> {
    let find = |word: &str| VERBS.iter().copied().find(|verb| *verb == word);
    match &node.kind {
        NodeKind::Text { text, .. } => {
            Some(Written { verb: find(text)?, verb_span: node.span, value: node, node })
        }
        NodeKind::Map(map) => {
            let verb = verb_of(map)?;
            let entry = &map[verb];
            Some(Written { verb, verb_span: entry.key_span, value: &entry.value, node })
        }
        _ => None,
    }
}

fn verb_of(map: &Map) -> Option<&'static str> {
    VERBS.iter().copied().find(|verb| map.contains_key(*verb))
}
