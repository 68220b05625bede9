//! From a text to a tree whose every part has its place.
//!
//! The grammar is CEL's and so is the parser (crate `cel`). It sees only the shape: every name, number,
//! text and parameter is handed to it as a numbered name, so that no word is reserved, no macro is
//! expanded and every node leads back to its words here. `a..b` is handed over as `a in b`.
//!
//! Nothing in a text makes this slow or deep: an expression has at most 512 words, the parameters it
//! names included, and at most 32 brackets around one of them.

use super::super::diagnostic::{Diagnostic, closest};
use super::super::node::{Node, NodeKind};
use super::super::resolved::BinaryOperator;
use super::super::source::Span;
use super::Context;
use super::quantity::{self, Quantity};
use super::token::{Problem, Token, TokenKind, tokens};
use cel::common::ast::{Expr, IdedExpr, SourceInfo, operators};

/// The most words in one expression.
const MOST_WORDS: usize = 512;
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
                self.words += items.len();
                let items: Vec<_> = items.iter().map(|item| self.node(item, depth + 1)).collect();
                let items = items.into_iter().collect::<Option<_>>()?;
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
                diagnostic.help = problem.help;
                self.context.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// `Ok(None)`: what is wrong was said already.
    fn try_text(&mut self, text: &str, places: Places) -> Result<Option<Syntax>, Problem> {
        let tokens = tokens(text)?;
        self.words += tokens.len();
        if self.words > MOST_WORDS {
            let message = format!("an expression has at most {MOST_WORDS} words, its parameters included");
            return Err(Problem::new("too-large", 0..text.len(), message));
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

/// For each bracket, the position of the one that closes or opens it.
fn partners(tokens: &[Token], end: usize) -> Result<Vec<Option<usize>>, Problem> {
    let mut partners = vec![None; tokens.len()];
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut conditions = 0;
    for (position, token) in tokens.iter().enumerate() {
        let TokenKind::Symbol(symbol) = token.kind else { continue };
        let problem = |message: String| Problem::new("does-not-parse", token.range.clone(), message);
        match symbol {
            "(" => open.push((position, ")")),
            "[" => open.push((position, "]")),
            ")" | "]" => match open.pop() {
                Some((opener, closer)) if closer == symbol => {
                    partners[opener] = Some(position);
                    partners[position] = Some(opener);
                }
                Some((_, closer)) => {
                    return Err(problem(format!("`{closer}` is expected before `{symbol}`")));
                }
                None => return Err(problem(format!("nothing is open that this `{symbol}` closes"))),
            },
            "?" => conditions += 1,
            "!" | "-"
                if position > 0
                    && tokens[position - 1].kind == token.kind
                    && is_sign(tokens, position - 1) =>
            {
                return Err(problem(format!("`{symbol}` twice changes nothing")));
            }
            _ => {}
        }
        if open.len() > MOST_NESTING || conditions > MOST_NESTING {
            return Err(Problem::new("too-deep", token.range.clone(), TOO_DEEP));
        }
    }
    match open.pop() {
        Some((opener, closer)) => {
            let start = tokens[opener].range.start;
            let range = if closer == ")" { start..start + 1 } else { start..end.min(start + 1) };
            Err(Problem::new(
                "does-not-parse",
                range,
                format!("this is never closed: `{closer}` is expected"),
            ))
        }
        None => Ok(partners),
    }
}

/// Whether the operator at `position` stands before its only operand.
fn is_sign(tokens: &[Token], position: usize) -> bool {
    position == 0
        || matches!(tokens[position - 1].kind, TokenKind::Symbol(symbol) if !matches!(symbol, ")" | "]"))
}

/// The text for the parser, and where each word stands in it.
fn shape(tokens: &[Token]) -> (String, Vec<usize>) {
    let mut shape = String::new();
    let mut starts = Vec::with_capacity(tokens.len());
    for (position, token) in tokens.iter().enumerate() {
        starts.push(shape.len());
        match token.kind {
            TokenKind::Symbol("..") => shape.push_str("in"),
            TokenKind::Symbol(symbol) => shape.push_str(symbol),
            _ => shape.push_str(&format!("n{position}")),
        }
        shape.push(' ');
    }
    (shape, starts)
}

/// The first error of the parser, told about the word it met.
fn misfit(errors: &cel::ParseErrors, tokens: &[Token], starts: &[usize]) -> Problem {
    let column =
        errors.errors.iter().map(|error| error.pos.1).filter(|&column| column > 0).min().unwrap_or(1);
    let position = starts.partition_point(|&start| start < column as usize);
    let at_end = starts.last().is_none_or(|&last| column as usize > last + 1 && position == starts.len())
        && errors.errors.iter().any(|error| error.msg.contains("<EOF>'"));
    let last = &tokens[tokens.len() - 1];
    if at_end {
        return Problem::new("does-not-parse", last.range.clone(), "the expression ends too early")
            .help("a value is missing after this");
    }
    let position = position.saturating_sub(1).min(tokens.len() - 1);
    let token = &tokens[position];
    let problem = Problem::new(
        "does-not-parse",
        token.range.clone(),
        "the expression does not parse: this is not expected",
    );
    let before = position.checked_sub(1).map(|before| &tokens[before].kind);
    match (before, &token.kind) {
        (Some(TokenKind::Quantity(Quantity::Int(_) | Quantity::Number(_))), TokenKind::Name(unit))
            if quantity::is_unit(unit) =>
        {
            problem.help("a unit stands directly after its number: `5ms`")
        }
        (Some(_), TokenKind::Name(word)) if word == "and" => problem.help("\"and\" is written `&&`"),
        (Some(_), TokenKind::Name(word)) if word == "or" => problem.help("\"or\" is written `||`"),
        (Some(TokenKind::Name(word)), _) if word == "not" => problem.help("\"not\" is written `!`"),
        _ => problem,
    }
}

/// Turns the parser's tree into ours.
struct Reader<'t> {
    tokens: &'t [Token],
    partners: &'t [Option<usize>],
    starts: &'t [usize],
    info: &'t SourceInfo,
    places: Places,
    parameters: Vec<Option<Syntax>>,
}

/// A part and the first and last of its words.
struct Part {
    syntax: Syntax,
    first: usize,
    last: usize,
}

impl Reader<'_> {
    fn read(&self, expression: IdedExpr) -> Result<Part, Problem> {
        let id = expression.id;
        match expression.expr {
            Expr::Ident(name) => self.leaf(&name),
            Expr::Select(select) => self.select(*select.operand, &select.field),
            Expr::List(list) => self.list(self.word(id)?, list.elements),
            Expr::Call(call) if call.target.is_some() => self.method(&call.func_name),
            Expr::Call(call) => self.call(id, &call.func_name, call.args),
            _ => Err(self.whole("the expression does not parse")),
        }
    }

    fn leaf(&self, name: &str) -> Result<Part, Problem> {
        let position = self.position(name)?;
        let kind = match &self.tokens[position].kind {
            TokenKind::Name(name) => SyntaxKind::Name(name.clone()),
            TokenKind::Quantity(quantity) => SyntaxKind::Quantity(*quantity),
            TokenKind::Text(text) => SyntaxKind::Text(text.clone()),
            TokenKind::Boolean(boolean) => SyntaxKind::Boolean(*boolean),
            TokenKind::Parameter(_) => match &self.parameters[position] {
                Some(syntax) => return Ok(Part { syntax: syntax.clone(), first: position, last: position }),
                None => return Err(self.whole("the expression does not parse")),
            },
            TokenKind::Symbol(_) => return Err(self.whole("the expression does not parse")),
        };
        Ok(self.part(kind, position, position))
    }

    fn select(&self, operand: IdedExpr, field: &str) -> Result<Part, Problem> {
        let operand = self.read(operand)?;
        let position = self.position(field)?;
        let range = self.tokens[position].range.clone();
        let TokenKind::Name(name) = &self.tokens[position].kind else {
            return Err(Problem::new("does-not-parse", range, "a name is expected after `.`"));
        };
        let kind = SyntaxKind::Select(Box::new(operand.syntax), name.clone(), self.places.of(range));
        Ok(self.part(kind, operand.first, position))
    }

    fn list(&self, opener: usize, elements: Vec<IdedExpr>) -> Result<Part, Problem> {
        let elements = self.all(elements)?;
        Ok(self.part(SyntaxKind::List(elements), opener, self.closer(opener)?))
    }

    fn method(&self, name: &str) -> Result<Part, Problem> {
        let range = self.tokens[self.position(name)?].range.clone();
        let TokenKind::Name(name) = &self.tokens[self.position(name)?].kind else {
            return Err(Problem::new("does-not-parse", range, "a name is expected after `.`"));
        };
        let problem =
            Problem::new("unknown-function", range, format!("`.{name}(…)` is no part of the language"));
        Err(match name.as_str() {
            "exists" | "all" | "exists_one" | "map" | "filter" => problem.help(
                "an expression has no loops: `scan` with `where`, `update` with `where`, or `for_each`",
            ),
            _ => problem.help("functions stand alone: `size(list)`"),
        })
    }

    fn call(&self, id: u64, name: &str, mut arguments: Vec<IdedExpr>) -> Result<Part, Problem> {
        match (name, arguments.len()) {
            (operators::CONDITIONAL, 3) => {
                let (no, yes) = (arguments.remove(2), arguments.remove(1));
                let (condition, yes, no) = (self.read(arguments.remove(0))?, self.read(yes)?, self.read(no)?);
                let (first, last) = (condition.first, no.last);
                let kind = SyntaxKind::Conditional(
                    Box::new(condition.syntax),
                    Box::new(yes.syntax),
                    Box::new(no.syntax),
                );
                Ok(self.part(kind, first, last))
            }
            (operators::LOGICAL_NOT | operators::NEGATE, 1) => {
                let operand = self.read(arguments.remove(0))?;
                let inside = Box::new(operand.syntax);
                let kind = if name == operators::NEGATE {
                    SyntaxKind::Negate(inside)
                } else {
                    SyntaxKind::Not(inside)
                };
                Ok(self.part(kind, self.word(id)?, operand.last))
            }
            (operators::INDEX, 2) => {
                let index = self.read(arguments.remove(1))?;
                let list = self.read(arguments.remove(0))?;
                let kind = SyntaxKind::Index(Box::new(list.syntax), Box::new(index.syntax));
                Ok(self.part(kind, list.first, self.closer(self.word(id)?)?))
            }
            (operators::IN, 2) => {
                let right = self.read(arguments.remove(1))?;
                self.in_or_range(self.word(id)?, self.read(arguments.remove(0))?, right)
            }
            (_, 2) if binary(name).is_some() => {
                let (right, left) = (self.read(arguments.remove(1))?, self.read(arguments.remove(0))?);
                let (first, last) = (left.first, right.last);
                let operator = binary(name).ok_or_else(|| self.whole("the expression does not parse"))?;
                let kind = SyntaxKind::Binary(operator, Box::new(left.syntax), Box::new(right.syntax));
                Ok(self.part(kind, first, last))
            }
            _ => self.function(name, arguments),
        }
    }

    fn function(&self, name: &str, arguments: Vec<IdedExpr>) -> Result<Part, Problem> {
        let position = self.position(name)?;
        let range = self.tokens[position].range.clone();
        let TokenKind::Name(name) = &self.tokens[position].kind else {
            return Err(Problem::new("does-not-parse", range, "this is no function"));
        };
        let arguments = self.all(arguments)?;
        let kind = SyntaxKind::Call(name.clone(), self.places.of(range), arguments);
        Ok(self.part(kind, position, self.closer(position + 1)?))
    }

    /// `..` binds tighter than the comparisons it was parsed among: `x in 1..3` comes as `(x in 1)..3`.
    fn in_or_range(&self, operator: usize, left: Part, right: Part) -> Result<Part, Problem> {
        let (first, last) = (left.first, right.last);
        if self.tokens[operator].kind != TokenKind::Symbol("..") {
            let kind = SyntaxKind::In(Box::new(left.syntax), Box::new(right.syntax));
            return Ok(self.part(kind, first, last));
        }
        let closed =
            operator.checked_sub(1).and_then(|before| self.partners[before]).is_some_and(|open| open < first);
        let range = |low: Syntax| {
            let span = Span { start: low.span.start, ..right.syntax.span };
            let span = if low.span.file == span.file && span.start <= span.end { span } else { low.span };
            Box::new(Syntax { kind: SyntaxKind::Range(Box::new(low), Box::new(right.syntax)), span })
        };
        let kind = match left.syntax.kind {
            SyntaxKind::In(item, low) if !closed => SyntaxKind::In(item, range(*low)),
            SyntaxKind::Binary(operator, item, low) if !closed && is_relation(operator) => {
                SyntaxKind::Binary(operator, item, range(*low))
            }
            _ => return Ok(self.part(range(left.syntax).kind, first, last)),
        };
        Ok(self.part(kind, first, last))
    }

    fn all(&self, elements: Vec<IdedExpr>) -> Result<Vec<Syntax>, Problem> {
        elements.into_iter().map(|element| Ok(self.read(element)?.syntax)).collect()
    }

    /// A part from its words; brackets that it opens or closes halfway are taken in.
    fn part(&self, kind: SyntaxKind, mut first: usize, mut last: usize) -> Part {
        for partner in self.partners[first..=last].iter().flatten() {
            first = first.min(*partner);
            last = last.max(*partner);
        }
        let span = self.places.of(self.tokens[first].range.start..self.tokens[last].range.end);
        Part { syntax: Syntax { kind, span }, first, last }
    }

    /// The word that a numbered name stands for.
    fn position(&self, name: &str) -> Result<usize, Problem> {
        let position = name.strip_prefix('n').and_then(|digits| digits.parse().ok());
        position
            .filter(|&position| position < self.tokens.len())
            .ok_or_else(|| self.whole("the expression does not parse: a name is expected before `.`"))
    }

    /// The word at which the parser saw a node.
    fn word(&self, id: u64) -> Result<usize, Problem> {
        let offset = self.info.offset_for(id).map(|(start, _)| start as usize);
        offset
            .and_then(|offset| self.starts.binary_search(&offset).ok())
            .ok_or_else(|| self.whole("the expression does not parse"))
    }

    fn closer(&self, opener: usize) -> Result<usize, Problem> {
        self.partners
            .get(opener)
            .copied()
            .flatten()
            .ok_or_else(|| self.whole("the expression does not parse"))
    }

    fn whole(&self, message: &str) -> Problem {
        let end = self.tokens.last().map_or(0, |last| last.range.end);
        Problem::new("does-not-parse", self.tokens.first().map_or(0, |first| first.range.start)..end, message)
    }
}

fn is_relation(operator: BinaryOperator) -> bool {
    use BinaryOperator::*;
    matches!(operator, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual)
}

fn binary(name: &str) -> Option<BinaryOperator> {
    use BinaryOperator::*;
    Some(match name {
        operators::ADD => Add,
        operators::SUBSTRACT => Subtract,
        operators::MULTIPLY => Multiply,
        operators::DIVIDE => Divide,
        operators::MODULO => Remainder,
        operators::EQUALS => Equal,
        operators::NOT_EQUALS => NotEqual,
        operators::LESS => Less,
        operators::LESS_EQUALS => LessOrEqual,
        operators::GREATER => Greater,
        operators::GREATER_EQUALS => GreaterOrEqual,
        operators::LOGICAL_AND => And,
        operators::LOGICAL_OR => Or,
        _ => return None,
    })
}
