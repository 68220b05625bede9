//! `retry` and `catch`.

use super::{BodyResolver, Resolver, Written};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression;
use crate::scenario::node::Node;
use crate::scenario::resolve::names::{Kind, unknown};
use crate::scenario::resolve::nodes;
use crate::scenario::resolve::quantities::MOST;
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// Errors of the world's own that are retried.
pub const BUILT_IN: &[(&str, ErrorKind)] = &[
    ("timeout", ErrorKind::Timeout),
    ("unavailable", ErrorKind::Unavailable),
    ("rejected", ErrorKind::Rejected),
    ("conflict", ErrorKind::Conflict),
    ("failed", ErrorKind::Failed),
];

/// Errors that are answers: retried only if `errors` lists them.
pub const ANSWERS: &[(&str, ErrorKind)] = &[("exists", ErrorKind::Exists), ("missing", ErrorKind::Missing)];

const JITTERS: &[(&str, Jitter)] = &[
    ("none", Jitter::None),
    ("full", Jitter::Full),
    ("equal", Jitter::Equal),
    ("decorrelated", Jitter::Decorrelated),
];

impl<'a> Resolver<'a> {
    /// `retry: { attempts, … }`; `none` is no retry.
    pub fn resolve_retry(&mut self, node: &'a Node) -> Option<Retry> {
        let attempts = nodes::get(node, "attempts")?;
        let attempts = match nodes::is_word(attempts, "unlimited") {
            true => None,
            false => Some(self.count_from_one(attempts, MOST)?),
        };
        let duration = |resolver: &mut Self, key: &str| {
            nodes::get(node, key).and_then(|node| expression::duration(node, &mut resolver.context()))
        };
        let delay = duration(self, "delay").unwrap_or(0);
        let max_delay = duration(self, "max_delay");
        if let Some(place) =
            nodes::get(node, "max_delay").filter(|_| max_delay.is_some_and(|most| most < delay))
        {
            let first = nodes::get(node, "delay").map_or(node.span, |delay| delay.span);
            let diagnostic =
                Diagnostic::new("impossible-number", place.span, "the longest delay is below the first");
            self.report(diagnostic.related(first, "the first delay"));
        }
        let factor = nodes::get(node, "factor").and_then(|factor| {
            let number = expression::number(factor, &mut self.context())?;
            if number <= 0.0 {
                self.impossible(factor.span, "delays cannot be multiplied by 0 or less");
            }
            Some(number)
        });
        let jitter = nodes::get(node, "jitter").and_then(|jitter| self.word(jitter, JITTERS));
        let errors = nodes::get(node, "errors").map(|errors| {
            let words = nodes::words(errors).into_iter();
            words.filter_map(|(word, span)| self.error_named(word, span)).collect()
        });
        Some(Retry {
            span: node.span,
            attempts,
            delay,
            factor: factor.unwrap_or(1.0),
            max_delay,
            jitter: jitter.unwrap_or(Jitter::None),
            errors,
        })
    }

    /// An error of the world's own, or a reason that some `fail` gives.
    fn error_named(&mut self, word: &str, span: Span) -> Option<ErrorKind> {
        let own = || BUILT_IN.iter().chain(ANSWERS);
        if let Some(&(_, error)) = own().find(|(name, _)| *name == word) {
            return Some(error);
        }
        if self.reasons.contains(word) {
            return Some(ErrorKind::Reason(self.symbols.intern(word)));
        }
        let names = own().map(|&(name, _)| name).chain(["any"]);
        let names = names.chain(self.reasons.iter().map(String::as_str));
        let diagnostic = unknown(Kind::Error, word, span, names).label("no `fail` gives this reason");
        self.report(diagnostic);
        None
    }
}

impl<'r, 'a> BodyResolver<'r, 'a> {
    pub(super) fn retry(&mut self, written: Written<'a>) -> Option<Retry> {
        written.option("retry").and_then(|node| self.resolver.resolve_retry(node))
    }

    /// `catch: { error: steps }`, in the order written; `any` must come last, or the rest means nothing.
    pub(super) fn catch(&mut self, written: Written<'a>) -> Vec<Catch> {
        let Some(node) = written.option("catch") else { return Vec::new() };
        let mut any: Option<Span> = None;
        let mut catches = Vec::new();
        for (word, entry) in nodes::map(node) {
            if let Some(any) = any {
                let why = format!("`{word}` is caught by the `any` before it");
                let diagnostic =
                    Diagnostic::new("unreachable-catch", entry.key_span, why).related(any, "here");
                self.resolver.report(diagnostic.help("put `any` last"));
            }
            let error = match word.as_str() {
                "any" => {
                    any = Some(entry.key_span);
                    Some(None)
                }
                _ => self.resolver.error_named(word, entry.key_span).map(Some),
            };
            let body = self.block(&entry.value);
            catches.extend(error.map(|error| Catch { error, body }));
        }
        catches
    }
}
