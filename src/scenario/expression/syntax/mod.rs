//! From a text to a tree whose every part has its place.
//!
//! The grammar is CEL's and so is the parser (crate `cel`). It sees only the shape: every name, number,
//! text and parameter is handed to it as a numbered name, so that no word is reserved, no macro is
//! expanded and every node leads back to its words here. `a..b` is handed over as `a in b`.
//!
//! Nothing in a text makes this slow or deep: an expression has at most 256 words, the parameters it
//! names included, and at most 32 brackets around one of them.

mod reader;
mod shape;

use super::super::diagnostic::{Diagnostic, closest};
use super::super::node::{Node, NodeKind};
use super::super::resolved::BinaryOperator;
use super::super::source::Span;
use super::Context;
use super::quantity::Quantity;
use super::token::{MOST_WORDS, Problem, Token, TokenKind, tokens, too_many_words};
use cel::common::ast::{Expr, IdedExpr, SourceInfo};
use reader::Reader;
use shape::{misfit, partners, shape};

/// The most brackets (or conditions) that are open at one place.
const MOST_NESTING: usize = 32;

/// A part of an expression.
#[derive(Clone, Debug)]
pub struct Syntax {
    pub kind: SyntaxKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum SyntaxKind {
    Name(String),
    Quantity(Quantity),
    Text(String),
    Boolean(bool),
    /// `a.b`, with the place of `b`.
    Select(Box<Syntax>, String, Span),
    /// `name(…)`, with the place of the name.
    Call(String, Span, Vec<Syntax>),
    List(Vec<Syntax>),
    Index(Box<Syntax>, Box<Syntax>),
    Not(Box<Syntax>),
    Negate(Box<Syntax>),
    Binary(BinaryOperator, Box<Syntax>, Box<Syntax>),
    In(Box<Syntax>, Box<Syntax>),
    Range(Box<Syntax>, Box<Syntax>),
    Conditional(Box<Syntax>, Box<Syntax>, Box<Syntax>),
}

/// What `node` stands for when it is exactly `$name`; else the node itself.
pub fn substituted<'n, 'a: 'n>(mut node: &'n Node, context: &mut Context<'a>) -> Option<&'n Node> {
    let start = node.span;
    for _ in 0..=context.parameters.len() {
        let NodeKind::Text { text, .. } = &node.kind else { return Some(node) };
        let Some(name) = text.trim().strip_prefix('$') else { return Some(node) };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Some(node);
        }
        node = parameter(name, node.span, context)?;
    }
    context.diagnostics.push(Diagnostic::new(
        "parameter-cycle",
        start,
        "this parameter is defined by itself",
    ));
    None
}

/// Parses a scalar, or a list of scalars, with all parameters put in.
pub fn parse(node: &Node, context: &mut Context) -> Option<Syntax> {
    Parser { words: 0, open: Vec::new(), context }.node(node, 0)
}

fn parameter<'a>(name: &str, span: Span, context: &mut Context<'a>) -> Option<&'a Node> {
    let found = context.parameters.get(name);
    if found.is_none() {
        let mut diagnostic =
            Diagnostic::new("unknown-parameter", span, format!("there is no parameter `{name}`"));
        if let Some(close) = closest(name, context.parameters.keys().map(String::as_str)) {
            diagnostic = diagnostic.help(format!("did you mean `${close}`?"));
        }
        context.diagnostics.push(diagnostic);
    }
    found
}

struct Parser<'a, 'c> {
    words: usize,
    /// The parameters that are being put in.
    open: Vec<String>,
    context: &'c mut Context<'a>,
}

impl Parser<'_, '_> {
    fn node(&mut self, node: &Node, depth: usize) -> Option<Syntax> {
        match &node.kind {
            NodeKind::Text { text, offsets_exact, .. } => {
                self.text(text, Places { span: node.span, exact: *offsets_exact })
            }
            NodeKind::List(_) if depth == MOST_NESTING => self.refuse("too-deep", node.span, TOO_DEEP.into()),
            NodeKind::List(items) => {
                self.words += 1;
                if items.len() > MOST_WORDS {
                    let message = format!("a list in an expression has at most {MOST_WORDS} elements");
                    return self.refuse("too-large", node.span, message);
                }
                let items = items.iter().map(|item| self.node(item, depth + 1)).collect::<Option<_>>()?;
                Some(Syntax { kind: SyntaxKind::List(items), span: node.span })
            }
            NodeKind::Map(_) => {
                self.refuse("wrong-type", node.span, "an expression is expected, not a map".into())
            }
            NodeKind::Null => self.refuse("wrong-type", node.span, "an expression is expected".into()),
        }
    }

    fn text(&mut self, text: &str, places: Places) -> Option<Syntax> {
        match self.try_text(text, places) {
            Ok(syntax) => syntax,
            Err(problem) => {
                let mut diagnostic = Diagnostic::new(problem.code, places.of(problem.range), problem.message);
                diagnostic.help = problem.help.or_else(|| self.cut_off(problem.code, places));
                self.context.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// In `{ x: max(1, 2) }` the comma ends the text: a hint at the quotes that are missing.
    fn cut_off(&self, code: &str, places: Places) -> Option<String> {
        let rest = self.context.sources.get(places.span.file).text.get(places.span.end as usize..)?;
        let cut = places.exact && code == "does-not-parse" && rest.trim_start().starts_with([',', ']', '}']);
        cut.then(|| "quote an expression that holds a comma, bracket or brace inside `{ }`".to_owned())
    }

    /// `Ok(None)`: what is wrong was said already.
    fn try_text(&mut self, text: &str, places: Places) -> Result<Option<Syntax>, Problem> {
        let tokens = tokens(text)?;
        self.words += tokens.len();
        if self.words > MOST_WORDS {
            return Err(too_many_words(text));
        }
        let partners = partners(&tokens, text.len())?;
        if tokens.is_empty() {
            return Err(Problem::new("does-not-parse", 0..text.len(), "an expression is expected"));
        }
        let (shape, starts) = shape(&tokens);
        let (expression, info) = match &tokens[..] {
            // Most scalars are one word: they need no parser.
            [Token { kind, .. }] if !matches!(kind, TokenKind::Symbol(_)) => {
                (IdedExpr { id: 0, expr: Expr::Ident("n0".into()) }, SourceInfo::default())
            }
            _ => {
                let parsed = cel::parser::Parser::new().parse_with_source_info(&shape);
                parsed.map_err(|errors| misfit(&errors, &tokens, &starts))?
            }
        };
        let mut parameters = Vec::with_capacity(tokens.len());
        for token in &tokens {
            parameters.push(match &token.kind {
                TokenKind::Parameter(name) => match self.parameter(name, places.of(token.range.clone())) {
                    Some(syntax) => Some(syntax),
                    None => return Ok(None),
                },
                _ => None,
            });
        }
        let reader =
            Reader { tokens: &tokens, partners: &partners, starts: &starts, info: &info, places, parameters };
        reader.read(expression).map(|part| Some(part.syntax))
    }

    fn parameter(&mut self, name: &str, span: Span) -> Option<Syntax> {
        if self.open.iter().any(|open| open == name) {
            return self.refuse(
                "parameter-cycle",
                span,
                format!("the parameter `{name}` is defined by itself"),
            );
        }
        if self.open.len() == MOST_NESTING {
            return self.refuse("too-deep", span, TOO_DEEP.into());
        }
        let node = parameter(name, span, self.context)?;
        self.open.push(name.to_owned());
        let syntax = self.node(node, self.open.len());
        self.open.pop();
        syntax
    }

    fn refuse(&mut self, code: &'static str, span: Span, message: String) -> Option<Syntax> {
        self.context.diagnostics.push(Diagnostic::new(code, span, message));
        None
    }
}

/// Where the bytes of a text stand in its source.
#[derive(Clone, Copy)]
struct Places {
    span: Span,
    exact: bool,
}

impl Places {
    fn of(self, range: std::ops::Range<usize>) -> Span {
        if !self.exact {
            return self.span;
        }
        let at = |offset: usize| (self.span.start + offset as u32).min(self.span.end);
        Span { file: self.span.file, start: at(range.start), end: at(range.end) }
    }
}

const TOO_DEEP: &str = "this is nested more than 32 deep";
