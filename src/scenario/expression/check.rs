//! From a tree to a typed expression: every name becomes an id, every operator's types are checked,
//! and what is constant is worked out.
//!
//! Types flow both ways. `infer` works a type out from the inside, with a hint of what is wanted, by
//! which bare words and numbers are read: in `status == placed` the column says what `placed` is. `check`
//! then insists.

use super::super::diagnostic::Diagnostic;
use super::super::resolved::*;
use super::super::source::Span;
use super::quantity::Quantity;
use super::syntax::{Syntax, SyntaxKind};
use super::{Context, Scope, fold};
use crate::kernel::ids::*;

/// Checks one expression.
pub struct Checker<'x, 'a> {
    pub scope: &'x Scope<'x>,
    pub context: &'x mut Context<'a>,
    /// The whole expression; parameters stand outside.
    pub root: Span,
    /// Inside an aggregate: what it goes over, as far as known.
    pub inside: Inside,
}

/// Where in an aggregate a checker is.
#[derive(Clone, Copy, PartialEq)]
pub enum Inside {
    Nothing,
    /// In the argument of an aggregate, no column named so far.
    Aggregate,
    /// In one that named a column of the rows in hand.
    Rows,
    /// In one over the rows of this table.
    Table(TableId),
}

impl Checker<'_, '_> {
    /// An expression of this type.
    pub fn check(&mut self, syntax: &Syntax, expected: &Type) -> Option<Expression> {
        let found = self.infer(syntax, Some(expected))?;
        self.coerce(found, expected)
    }

    /// An expression of whatever type it has.
    pub fn infer(&mut self, syntax: &Syntax, hint: Option<&Type>) -> Option<Expression> {
        let span = syntax.span;
        match &syntax.kind {
            SyntaxKind::Name(name) => self.name(name, span, hint),
            SyntaxKind::Quantity(quantity) => self.quantity(*quantity, false, span, hint),
            SyntaxKind::Text(text) => Some(self.text(text, span, hint)),
            SyntaxKind::Boolean(value) => Some(literal(Literal::Bool(*value), Type::Bool, span)),
            SyntaxKind::Select(operand, field, field_span) => {
                self.select(syntax, operand, field, *field_span)
            }
            SyntaxKind::Call(name, name_span, arguments) => {
                self.call(name, *name_span, arguments, span, hint)
            }
            SyntaxKind::List(items) => self.list(items, span, hint),
            SyntaxKind::Index(list, index) => self.index(list, index, span),
            SyntaxKind::Not(operand) => self.not(operand, span),
            SyntaxKind::Negate(operand) => self.negate(operand, span, hint),
            SyntaxKind::Binary(operator, left, right) => self.binary(*operator, left, right, span, hint),
            SyntaxKind::In(item, list) => self.contains(item, list, span),
            SyntaxKind::Range(low, high) => self.range(low, high, span),
            SyntaxKind::Conditional(condition, yes, no) => self.conditional(condition, yes, no, span, hint),
        }
    }

    /// Makes it an expression of `expected`, or says why it is none.
    pub fn coerce(&mut self, mut found: Expression, expected: &Type) -> Option<Expression> {
        if found.ty == *expected {
            return Some(found);
        }
        if found.ty == Type::Int && *expected == Type::Number {
            return Some(to_number(found));
        }
        if found.ty.serves_as(expected) {
            *self.context.makes_ids |= found.ty != *expected && expected.holds_ids();
            found.ty = expected.clone();
            return Some(found);
        }
        self.mismatch(&found, expected);
        None
    }

    fn mismatch(&mut self, found: &Expression, expected: &Type) {
        let (wanted, is) = (self.words(expected), self.words(&found.ty));
        let example = expected.example().map(|example| format!(": `{example}`")).unwrap_or_default();
        let is_bare =
            matches!(found.ty, Type::Int | Type::Number) && matches!(found.kind, ExpressionKind::Literal(_));
        let with_unit = |ty: &Type| matches!(ty, Type::Duration | Type::Size | Type::Rate);
        let (code, label) = match with_unit(expected) {
            true if is_bare => ("missing-unit", "a unit is missing".into()),
            true if with_unit(&found.ty) => ("wrong-unit", format!("this is {is}")),
            _ => ("wrong-type", format!("this is {is}")),
        };
        self.report(Diagnostic::new(code, found.span, format!("{wanted} is expected{example}")).label(label));
    }

    /// Two values of one type, an int made a number beside a number.
    pub fn unify(
        &mut self,
        left: Expression,
        right: Expression,
        span: Span,
    ) -> Option<(Expression, Expression)> {
        if left.ty == right.ty {
            return Some((left, right));
        }
        match (&left.ty, &right.ty) {
            (Type::Int, Type::Number) => return Some((to_number(left), right)),
            (Type::Number, Type::Int) => return Some((left, to_number(right))),
            (one, two) if one.serves_as(two) && *one != Type::Int => {
                let left = Expression { ty: right.ty.clone(), ..left };
                return Some((left, right));
            }
            (one, two) if two.serves_as(one) && *two != Type::Int => {
                let right = Expression { ty: left.ty.clone(), ..right };
                return Some((left, right));
            }
            _ => {}
        }
        let with_unit = |ty: &Type| matches!(ty, Type::Duration | Type::Size | Type::Rate);
        let is_bare = |side: &Expression| {
            matches!(side.ty, Type::Int | Type::Number) && matches!(side.kind, ExpressionKind::Literal(_))
        };
        if with_unit(&left.ty) && is_bare(&right) {
            self.mismatch(&right, &left.ty.clone());
        } else if with_unit(&right.ty) && is_bare(&left) {
            self.mismatch(&left, &right.ty.clone());
        } else {
            let message =
                format!("{} and {} do not go together", self.words(&left.ty), self.words(&right.ty));
            let (is, and) =
                (format!("this is {}", self.words(&left.ty)), format!("this is {}", self.words(&right.ty)));
            self.report(
                Diagnostic::new("wrong-type", span, message).related(left.span, is).related(right.span, and),
            );
        }
        None
    }

    fn quantity(
        &mut self,
        quantity: Quantity,
        negative: bool,
        span: Span,
        hint: Option<&Type>,
    ) -> Option<Expression> {
        let sign = if negative { -1 } else { 1 };
        let (value, ty) = match quantity {
            Quantity::Int(int) if hint == Some(&Type::Number) => {
                (Literal::Number(int as f64 * sign as f64), Type::Number)
            }
            Quantity::Int(int) => {
                let Ok(int) = i64::try_from(int as i128 * sign as i128) else {
                    return self.refuse("overflow", span, format!("an int is at most {}", i64::MAX));
                };
                let is_id = hint == Some(&Type::Id);
                *self.context.makes_ids |= is_id;
                (Literal::Int(int), if is_id { Type::Id } else { Type::Int })
            }
            Quantity::Number(number) | Quantity::Percent(number) => {
                (Literal::Number(number * sign as f64), Type::Number)
            }
            Quantity::Duration(nanos) if hint == Some(&Type::Time) && !negative => {
                (Literal::Int(nanos), Type::Time)
            }
            Quantity::Duration(nanos) => (Literal::Int(nanos * sign), Type::Duration),
            Quantity::Size(_) | Quantity::Rate(_) | Quantity::ByteRate(_) if negative => {
                return self.refuse("wrong-type", span, "sizes and rates are never negative".into());
            }
            Quantity::Size(bytes) => (Literal::Int(bytes), Type::Size),
            Quantity::Rate(rate) | Quantity::ByteRate(rate) => (Literal::Number(rate), Type::Rate),
        };
        Some(literal(value, ty, span))
    }

    fn text(&mut self, text: &str, span: Span, hint: Option<&Type>) -> Expression {
        let symbol = self.context.symbols.intern(text);
        match hint {
            Some(Type::Enumeration(words)) if words.contains(&symbol) => {
                literal(Literal::Symbol(symbol), Type::Enumeration(words.clone()), span)
            }
            _ => literal(Literal::Symbol(symbol), Type::Text, span),
        }
    }

    fn not(&mut self, operand: &Syntax, span: Span) -> Option<Expression> {
        let operand = self.check(operand, &Type::Bool)?;
        Some(match operand.kind {
            ExpressionKind::Literal(Literal::Bool(value)) => literal(Literal::Bool(!value), Type::Bool, span),
            _ => Expression { kind: ExpressionKind::Not(Box::new(operand)), ty: Type::Bool, span },
        })
    }

    fn negate(&mut self, operand: &Syntax, span: Span, hint: Option<&Type>) -> Option<Expression> {
        if let SyntaxKind::Quantity(quantity) = operand.kind {
            return self.quantity(quantity, true, span, hint);
        }
        let operand = self.infer(operand, number_hint(hint))?;
        let ty = operand.ty.clone();
        // A time counts back from the start of the run: `order_by: -row.since` is the latest first.
        let ty = if ty == Type::Time { Type::Duration } else { ty };
        if !matches!(ty, Type::Int | Type::Number | Type::Duration) {
            let message =
                format!("only ints, numbers, times and durations are negated, this is {}", self.words(&ty));
            return self.refuse("wrong-type", operand.span, message);
        }
        match operand.kind {
            ExpressionKind::Literal(Literal::Int(value)) => match value.checked_neg() {
                Some(value) => Some(literal(Literal::Int(value), ty, span)),
                None => self.refuse("overflow", span, "this does not fit into 64 bits".into()),
            },
            ExpressionKind::Literal(Literal::Number(value)) => {
                Some(literal(Literal::Number(-value), ty, span))
            }
            _ => Some(Expression { kind: ExpressionKind::Negate(Box::new(operand)), ty, span }),
        }
    }

    fn conditional(
        &mut self,
        condition: &Syntax,
        yes: &Syntax,
        no: &Syntax,
        span: Span,
        hint: Option<&Type>,
    ) -> Option<Expression> {
        let condition = self.check(condition, &Type::Bool);
        let (yes, no) = self.pair(yes, no, hint)?;
        let (yes, no) = self.unify(yes, no, span)?;
        let ty = yes.ty.clone();
        Some(match condition?.kind {
            ExpressionKind::Literal(Literal::Bool(true)) => yes,
            ExpressionKind::Literal(Literal::Bool(false)) => no,
            kind => {
                let condition = Expression { kind, ty: Type::Bool, span };
                let kind = ExpressionKind::Conditional(Box::new(condition), Box::new(yes), Box::new(no));
                Expression { kind, ty, span }
            }
        })
    }

    /// Two sides of which one may say how the other is read.
    pub fn pair(
        &mut self,
        left: &Syntax,
        right: &Syntax,
        hint: Option<&Type>,
    ) -> Option<(Expression, Expression)> {
        if hint.is_none() && self.is_open(left) && !self.is_open(right) {
            let right = self.infer(right, None);
            let hint = right.as_ref().map(|right| right.ty.clone());
            return Some((self.infer(left, hint.as_ref())?, right?));
        }
        let left = self.infer(left, hint);
        let from_left = left.as_ref().map(|left| left.ty.clone());
        let right = self.infer(right, hint.or(from_left.as_ref()));
        Some((left?, right?))
    }

    /// Whether it is read by what stands beside it: a word, a text, a number without a point.
    fn is_open(&self, syntax: &Syntax) -> bool {
        match &syntax.kind {
            SyntaxKind::Quantity(_) | SyntaxKind::Text(_) => true,
            SyntaxKind::List(items) => items.first().is_none_or(|first| self.is_open(first)),
            SyntaxKind::Conditional(_, yes, no) => self.is_open(yes) && self.is_open(no),
            _ => self.is_word(syntax),
        }
    }

    /// A bare word that is no local.
    pub fn is_word(&self, syntax: &Syntax) -> bool {
        matches!(&syntax.kind, SyntaxKind::Name(name) if name != "now" && self.local(name).is_none())
    }

    pub fn words(&self, ty: &Type) -> String {
        ty.words(self.context.symbols, self.context.tables, self.context.messages)
    }

    pub fn refuse(&mut self, code: &'static str, span: Span, message: String) -> Option<Expression> {
        self.report(Diagnostic::new(code, span, message));
        None
    }

    /// Says what is wrong; if it is in a parameter, also where that was used.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        let (at, root) = (diagnostic.span, self.root);
        let within = at.file == root.file && root.start <= at.start && at.end <= root.end;
        let diagnostic = if within { diagnostic } else { diagnostic.related(root, "used here") };
        self.context.diagnostics.push(diagnostic);
    }
}

/// A constant.
pub fn literal(value: Literal, ty: Type, span: Span) -> Expression {
    Expression { kind: ExpressionKind::Literal(value), ty, span }
}

/// A quantity as a number of its base unit.
pub fn to_number(operand: Expression) -> Expression {
    let span = operand.span;
    match &operand.kind {
        ExpressionKind::Literal(constant) if fold::float(constant).is_some() => {
            let value = fold::float(constant).unwrap_or_default();
            literal(Literal::Number(value), Type::Number, span)
        }
        _ if operand.ty == Type::Number => operand,
        _ => Expression { kind: ExpressionKind::ToNumber(Box::new(operand)), ty: Type::Number, span },
    }
}

/// The operands of arithmetic take over only that a number is wanted, so that `1 / 2` is a half there.
pub fn number_hint(hint: Option<&Type>) -> Option<&Type> {
    hint.filter(|hint| **hint == Type::Number)
}
