//! Steps of a body, with the locals they name.
//!
//! A local is known after the step that makes it, to the end of the block it stands in. `transaction` and
//! `try` are no blocks of their own: what they name is known after them. So are the names of all
//! branches of a `parallel`, but no branch knows another's. What `then`, `else`, `catch` and `do` name stays
//! inside. The `as` of a row step is known in its `else` too.
//!
//! Steps are numbered verb by verb, depth first: `then` before `else`, a body before its `catch`.

mod acknowledged;
mod flow;
mod locals;
mod messaging;
mod retry;
mod rows;
mod saga;
mod sites;
mod streams;

pub use sites::Sites;

use super::Resolver;
use super::nodes;
use super::quantities::flag;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::{Map, Node, NodeKind};
use crate::scenario::resolve::bounds::STEPS;
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
    /// It is of a saga: the message in hand is the one that started it, and came long ago.
    in_saga: bool,
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
        Place { owner: Owner::Service(service), message: None, body: body.to_owned(), path, in_saga: false }
    }

    pub fn client(client: ClientId, name: &str) -> Self {
        Place {
            owner: Owner::Client(client),
            message: None,
            body: "do".to_owned(),
            path: format!("{name}/do"),
            in_saga: false,
        }
    }
}

impl<'a> Resolver<'a> {
    pub fn resolve_body(&mut self, place: Place, steps: &'a Node) -> Body {
        let mut body = self.body_resolver(place);
        let steps = body.steps(steps);
        Body { locals: body.locals, steps }
    }

    fn body_resolver(&mut self, place: Place) -> BodyResolver<'_, 'a> {
        BodyResolver {
            has_delivery: self.is_consumed(&place),
            resolver: self,
            place,
            locals: Vec::new(),
            words: 0,
            visible: Vec::new(),
            declared: BTreeMap::new(),
            uncertain: BTreeSet::new(),
            broken: BTreeSet::new(),
            counts: BTreeMap::new(),
            in_transaction: false,
            in_after: false,
        }
    }

    /// Whether the message of a handler can come by way of a topic.
    fn is_consumed(&self, place: &Place) -> bool {
        self.groups_of(place).next().is_some()
    }

    /// The subscriptions that the message of a handler can come by.
    fn groups_of(&self, place: &Place) -> impl Iterator<Item = &Group> {
        let groups = match place.owner {
            Owner::Service(service) => &self.services[service.index()].groups[..],
            Owner::Client(_) => &[],
        };
        let groups = groups.iter().map(|group| &self.groups[group.index()]);
        let message = place.message.filter(|_| !place.in_saga);
        groups.filter(move |group| {
            message.is_some_and(|message| self.carried.contains(&(message, group.topic)))
        })
    }
}

/// Resolves one body.
struct BodyResolver<'r, 'a> {
    resolver: &'r mut Resolver<'a>,
    place: Place,
    has_delivery: bool,
    locals: Vec<Local>,
    /// Values that they are made of.
    words: usize,
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
    /// In the body of an `after`, which is an attempt of its own.
    in_after: bool,
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
    ("load", "a client has no streams"),
    ("append", "a client has no streams"),
    ("reply", "nobody waits for an answer from a client"),
    ("ack", "a client consumes nothing"),
];

impl<'r, 'a> BodyResolver<'r, 'a> {
    /// What follows is a part of the body whose steps are numbered by themselves.
    fn begin_part(&mut self, path: String) {
        self.place.path = path;
        self.counts.clear();
    }

    /// Steps whose locals stay known after them.
    fn steps(&mut self, node: &'a Node) -> Block {
        self.check_reachable(nodes::list(node));
        nodes::list(node).iter().filter_map(|step| self.step(step)).collect()
    }

    /// Reports the first step behind one after which nothing goes on.
    fn check_reachable(&mut self, steps: &'a [Node]) {
        let Some(last) = steps.iter().position(never_goes_on) else { return };
        let (Some(last), Some(next)) = (written(&steps[last]), steps.get(last + 1).and_then(written)) else {
            return;
        };
        let why = format!("no attempt ever comes to this `{}`", next.verb);
        let diagnostic = Diagnostic::new("unreachable-step", next.verb_span, why)
            .related(last.verb_span, "nothing goes on after this")
            .help("remove it, or move it further up");
        self.resolver.report(diagnostic);
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
        if self.resolver.diagnostics.is_full() {
            return None;
        }
        let written = written(node)?;
        if self.counts.values().map(|count| *count as usize).sum::<usize>() >= STEPS {
            self.resolver.exceeds(written.verb_span, "steps in one body", STEPS);
            return None;
        }
        let count = self.counts.entry(written.verb).or_insert(0);
        *count += 1;
        let path = format!("{}/{}#{count}", self.place.path, written.verb);
        self.resolver.refuse_keys("step", node);
        let name = written.option("name").and_then(nodes::text).map(str::to_owned);
        let undoes =
            written.option("undoes").and_then(|node| Some((nodes::text(node)?.to_owned(), node.span)));
        self.note_site(written.verb, name.as_deref(), undoes.as_ref());
        let is_possible = self.check_place(written);
        let once_per = written.option("once_per").and_then(|node| self.expression(node, None));
        let forward = flag(written.option("forward"), false);
        self.check_identity(written, once_per.as_ref(), forward);
        let kind = self.kind(written)?;
        if let (true, StepKind::Publish(publish)) = (forward, &kind) {
            self.check_forwarded(publish.topic, written.verb_span);
        }
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
            "load" => self.load(written),
            "append" => self.append(written),
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

    /// What a step says of the identity of what it does must be told of something that has one.
    fn check_identity(&mut self, written: Written<'a>, once_per: Option<&Expression>, forward: bool) {
        if forward && (self.place.message.is_none() || self.place.in_saga) {
            let span = written.option("forward").map_or(written.verb_span, |node| node.span);
            self.misplaced(span, "no message is in hand here that could be passed on");
        }
        let Some(node) = written.option("once_per") else { return };
        match written.verb {
            "publish" | "send" | "call" | "after" if forward => {
                self.misplaced(
                    node.span,
                    "what is passed on keeps its identity: `once_per` says nothing here",
                );
            }
            "publish" | "send" | "call" | "after" => {}
            "insert" | "update" | "upsert" | "delete" | "append" | "effect" => {}
            verb => self.misplaced(node.span, format!("`{verb}` issues nothing that ought to happen once")),
        }
        if let Some(value) = once_per
            && (!value.ty.is_scalar() || value.any(&|kind| matches!(kind, ExpressionKind::Unique)))
        {
            self.misplaced(node.span, "an identity is one value, and the same each time");
        }
    }

    /// What is passed on stays an obligation of this service, so that nobody else may be obliged to it.
    fn check_forwarded(&mut self, topic: TopicId, span: Span) {
        let own = match self.place.owner {
            Owner::Service(service) => Some(service),
            Owner::Client(_) => None,
        };
        let other =
            self.resolver.groups.iter().find(|group| group.topic == topic && Some(group.service) != own);
        if let Some(place) = other.map(|group| group.span) {
            let message = "only a service's own retry topic passes on the same obligation";
            let diagnostic = Diagnostic::new("contradiction", span, message);
            self.resolver.report(diagnostic.related(place, "somebody else consumes it here"));
        }
    }

    /// Whether the verb can mean anything where it stands.
    fn check_place(&mut self, written: Written<'a>) -> bool {
        let why = match self.place.owner {
            Owner::Client(_) => {
                NOT_FOR_CLIENTS.iter().find(|(verb, _)| *verb == written.verb).map(|&(_, why)| why)
            }
            Owner::Service(_) if written.verb == "reply" && self.place.in_saga => {
                Some("a saga's steps answer nobody: who started it was answered when it was stored")
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
            Owner::Service(_) if self.in_transaction && forks(written) => {
                Some("a transaction is one conversation with the store, so its steps come one after another")
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
        self.resolver.groups_of(&self.place).any(|group| group.ack == AckMode::Manual)
    }

    fn misplaced(&mut self, span: Span, message: impl Into<String>) {
        self.resolver.report(Diagnostic::new("misplaced-option", span, message));
    }
}

/// Whether a step does several things at once.
fn forks(written: Written) -> bool {
    let several = written.option("parallel").is_some_and(|parallel| !nodes::is_word(parallel, "false"));
    written.verb == "parallel" || (written.verb == "for_each" && several)
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

/// Whether the steps behind this one are out of reach: `stop`, `fail`, and an `if` that ends both ways so.
fn never_goes_on(step: &Node) -> bool {
    let ends = |branch: &str| {
        let steps = nodes::get(step, branch).map_or(&[][..], nodes::list);
        steps.iter().any(never_goes_on)
    };
    match written(step).map(|written| written.verb) {
        Some("stop" | "fail") => true,
        Some("if") => ends("then") && ends("else"),
        _ => false,
    }
}

fn verb_of(map: &Map) -> Option<&'static str> {
    VERBS.iter().copied().find(|verb| map.contains_key(*verb))
}
