//! Steps that steer: let, after, if, for_each, parallel, transaction, try, fail.

use super::retry::{ANSWERS, BUILT_IN};
use super::{BodyResolver, Owner, Written};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::resolve::nodes;
use crate::scenario::resolve::quantities::flag;
use crate::scenario::resolved::*;

/// How many items of a `for_each` may be done at the same time, if a number is given.
const MOST_PARALLEL: u64 = 100_000;

impl<'r, 'a> BodyResolver<'r, 'a> {
    pub(super) fn let_names(&mut self, written: Written<'a>) -> StepKind {
        let mut named = Vec::new();
        for (name, entry) in nodes::map(written.value) {
            let Some(value) = self.value(&entry.value, None, None) else {
                self.broken.insert(name.clone());
                continue;
            };
            let (ty, is_uncertain) = match &value {
                Value::Expression(expression) => {
                    let uncertain = self.resolver.is_uncertain(expression, &self.locals, &self.uncertain);
                    (expression.ty.clone(), uncertain)
                }
                Value::Draw(generator) => (generator.ty.clone(), false),
            };
            if let Some(local) = self.declare(name, entry.key_span, ty) {
                if is_uncertain {
                    self.uncertain.insert(local);
                }
                named.push((local, value));
            }
        }
        StepKind::Let(named)
    }

    /// `do` runs later with copies of the locals; what it names stays its own.
    pub(super) fn after(&mut self, written: Written<'a>) -> Option<StepKind> {
        let delay = self.value(written.value, Some(&Type::Duration), None);
        let durable = flag(written.option("durable"), false);
        if let Some(span) = written.option_span("durable").filter(|_| durable) {
            match self.place.owner {
                Owner::Service(service) => {
                    self.resolver.need_store(service, span, "a durable timer");
                    self.resolver.need_one_copy(service, span, "a durable timer");
                    self.resolver.flow.kept_beside_rows.push((service, span));
                }
                Owner::Client(_) => self.misplaced(span, "a client has no store to keep a timer in"),
            }
        }
        // The attempt that starts later is not inside this one's transaction.
        let outer = std::mem::replace(&mut self.in_transaction, false);
        let outer_after = std::mem::replace(&mut self.in_after, true);
        let body = self.optional_block(written.option("do")).unwrap_or_default();
        (self.in_transaction, self.in_after) = (outer, outer_after);
        Some(StepKind::After { delay: delay?, body, durable })
    }

    pub(super) fn condition(&mut self, written: Written<'a>) -> Option<StepKind> {
        let condition = self.truth(Some(written.value), None);
        let then = self.optional_block(written.option("then")).unwrap_or_default();
        let otherwise = self.optional_block(written.option("else")).unwrap_or_default();
        Some(StepKind::If { condition: condition?, then, otherwise })
    }

    pub(super) fn for_each(&mut self, written: Written<'a>) -> Option<StepKind> {
        let list = self.expression(written.value, None);
        let item_type = match list.as_ref().map(|list| &list.ty) {
            Some(Type::List(item)) => Some((**item).clone()),
            Some(_) => {
                let why = "`for_each` goes through a list, and this is none";
                let diagnostic = Diagnostic::new("wrong-type", written.value.span, why);
                self.resolver.report(diagnostic.help("a list is the result of a `scan`, `[1, 2]` or `1..3`"));
                None
            }
            None => None,
        };
        let known = self.visible.len();
        let item = self.result(written, item_type);
        let body = self.optional_block(written.option("do")).unwrap_or_default();
        self.visible.truncate(known);
        let parallel = match written.option("parallel") {
            None => Parallelism::No,
            Some(node) if nodes::is_word(node, "false") => Parallelism::No,
            Some(node) if nodes::is_word(node, "true") => Parallelism::All,
            Some(node) => Parallelism::AtMost(self.resolver.count_from_one(node, MOST_PARALLEL)?),
        };
        Some(StepKind::ForEach { list: list?, item: item?, body, parallel })
    }

    /// No branch knows what another names; afterwards all is known, so no two may use a name.
    pub(super) fn parallel(&mut self, written: Written<'a>) -> StepKind {
        let known = self.visible.len();
        let mut named: Vec<LocalId> = Vec::new();
        let mut branches = Vec::new();
        for (name, entry) in nodes::map(written.value) {
            let steps = self.steps(&entry.value);
            let own = self.visible.split_off(known);
            for &local in &own {
                let same =
                    |&&other: &&LocalId| self.locals[other.index()].name == self.locals[local.index()].name;
                if let Some(other) = named.iter().find(same) {
                    let why = format!("another branch names `{}` too", self.locals[local.index()].name);
                    let diagnostic = Diagnostic::new("shadowed-name", self.declared[&local], why)
                        .related(self.declared[other], "there")
                        .help("the names of all branches are known afterwards; choose another one");
                    self.resolver.report(diagnostic);
                }
            }
            named.extend(own);
            branches.push((name.clone(), steps));
        }
        self.visible.extend(named);
        StepKind::Parallel(branches)
    }

    pub(super) fn transaction(&mut self, written: Written<'a>) -> StepKind {
        if let Owner::Service(service) = self.place.owner {
            self.resolver.need_store(service, written.verb_span, "a transaction");
            self.resolver.need_one_copy(service, written.verb_span, "a transaction");
        }
        let outer = std::mem::replace(&mut self.in_transaction, true);
        let body = self.steps(written.value);
        self.in_transaction = outer;
        StepKind::Transaction { body, retry: self.retry(written), catch: self.catch(written) }
    }

    pub(super) fn attempt(&mut self, written: Written<'a>) -> StepKind {
        let body = self.steps(written.value);
        StepKind::Try { body, retry: self.retry(written), catch: self.catch(written) }
    }

    /// `fail: reason`; a bare `fail` is the reason `failed`.
    pub(super) fn fail(&mut self, written: Written<'a>) -> Option<StepKind> {
        let is_bare = std::ptr::eq(written.value, written.node);
        let reason = if is_bare { "failed" } else { nodes::text(written.value)? };
        let is_taken = BUILT_IN.iter().chain(ANSWERS).any(|(word, _)| *word == reason) || reason == "any";
        if is_taken && reason != "failed" {
            let why = format!("`{reason}` is an error of the world's own and no reason to fail");
            let diagnostic = Diagnostic::new("shadowed-name", written.value.span, why);
            self.resolver.report(diagnostic.help("choose another word"));
            return None;
        }
        Some(StepKind::Fail(self.resolver.symbols.intern(reason)))
    }
}
