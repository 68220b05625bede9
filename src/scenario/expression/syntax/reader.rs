//! From the parser's tree to ours, with places.

use super::super::super::resolved::BinaryOperator;
use super::super::super::source::Span;
use super::super::token::{Problem, Token, TokenKind};
use super::{Places, Syntax, SyntaxKind};
use cel::common::ast::{Expr, IdedExpr, SourceInfo, operators};

/// Turns the parser's tree into ours.
pub struct Reader<'t> {
    pub tokens: &'t [Token],
    pub partners: &'t [Option<usize>],
    pub starts: &'t [usize],
    pub info: &'t SourceInfo,
    pub places: Places,
    pub parameters: Vec<Option<Syntax>>,
}

/// A part and the first and last of its words.
pub struct Part {
    pub syntax: Syntax,
    first: usize,
    last: usize,
}

impl Reader<'_> {
    pub fn read(&self, expression: IdedExpr) -> Result<Part, Problem> {
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
