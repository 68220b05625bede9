//! The types of binary operators.
//!
//! | | gives |
//! |---|---|
//! | ints; numbers; an int with a number | an int (division drops the fraction); a number |
//! | `duration ± duration`, `size ± size`, `rate ± rate`, `%` of ints or durations | the same |
//! | `time ± duration`; `time − time` | a time; a duration |
//! | a duration, size or rate `×` or `/` an int or number | the same |
//! | `duration / duration`, `size / size`, `rate / rate` | a number |
//! | `rate × duration` | a number |
//! | `number / rate`, `size / rate` | a duration |
//! | `number / duration`, `size / duration` | a rate |
//! | `== !=` of equal scalars; `< <= > >=` of equal quantities | a bool |
//! | `&& \|\|` of bools | a bool |

use super::super::diagnostic::Diagnostic;
use super::super::resolved::*;
use super::super::source::Span;
use super::check::{Checker, literal, number_hint, to_number};
use super::fold;
use super::syntax::Syntax;
use BinaryOperator::*;

impl Checker<'_, '_> {
    pub fn binary(
        &mut self,
        operator: BinaryOperator,
        left: &Syntax,
        right: &Syntax,
        span: Span,
        hint: Option<&Type>,
    ) -> Option<Expression> {
        match operator {
            And | Or => {
                let (left, right) = (self.check(left, &Type::Bool), self.check(right, &Type::Bool));
                self.apply(operator, left?, right?, Type::Bool, span)
            }
            Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual => {
                self.comparison(operator, left, right, span)
            }
            Add | Subtract | Multiply | Divide | Remainder => {
                let hint = number_hint(hint);
                let (left, right) = (self.infer(left, hint), self.infer(right, hint));
                self.arithmetic(operator, left?, right?, span)
            }
        }
    }

    fn comparison(
        &mut self,
        operator: BinaryOperator,
        left: &Syntax,
        right: &Syntax,
        span: Span,
    ) -> Option<Expression> {
        let (left, right) = self.pair(left, right, None)?;
        for side in [&left, &right] {
            if !side.ty.is_scalar() {
                let message = format!("values are compared, not {}", self.words(&side.ty));
                return self.refuse("wrong-type", side.span, message);
            }
        }
        if let (Type::Enumeration(one), Type::Enumeration(two)) = (&left.ty, &right.ty)
            && one.iter().any(|word| two.contains(word))
        {
            let right = Expression { ty: left.ty.clone(), ..right };
            return self.equality(operator, left, right, span);
        }
        let (left, right) = self.unify(left, right, span)?;
        self.equality(operator, left, right, span)
    }

    fn equality(
        &mut self,
        operator: BinaryOperator,
        left: Expression,
        right: Expression,
        span: Span,
    ) -> Option<Expression> {
        if !matches!(operator, Equal | NotEqual) && !left.ty.is_quantity() {
            let message = match left.ty {
                Type::Enumeration(_) => "the words of an enumeration have no order".into(),
                _ => format!("{} has no order", self.words(&left.ty)),
            };
            let help = "only `==` and `!=` compare it";
            self.report(Diagnostic::new("wrong-type", span, message).help(help));
            return None;
        }
        self.apply(operator, left, right, Type::Bool, span)
    }

    fn arithmetic(
        &mut self,
        operator: BinaryOperator,
        left: Expression,
        right: Expression,
        span: Span,
    ) -> Option<Expression> {
        use Type::{Duration, Int, Number, Rate, Size, Time};
        let second = |span| literal(Literal::Int(1_000_000_000), Duration, span);
        match (operator, &left.ty, &right.ty) {
            (Add | Subtract | Multiply | Divide, Number, Int | Number)
            | (Add | Subtract | Multiply | Divide, Int, Number) => {
                self.apply(operator, to_number(left), to_number(right), Number, span)
            }
            (_, Int, Int) => self.apply(operator, left, right, Int, span),
            (Add | Subtract | Remainder, Duration, Duration) => {
                self.apply(operator, left, right, Duration, span)
            }
            (Add | Subtract, Size, Size) => self.apply(operator, left, right, Size, span),
            (Add | Subtract, Rate, Rate) => self.apply(operator, left, right, Rate, span),
            (Add | Subtract, Time, Duration) => self.apply(operator, left, right, Time, span),
            (Add, Duration, Time) => self.apply(operator, right, left, Time, span),
            (Subtract, Time, Time) => self.apply(operator, left, right, Duration, span),
            (Multiply, Int | Number, Duration | Size | Rate) => self.scale(operator, right, left, span),
            (Multiply | Divide, Duration | Size | Rate, Int | Number) => {
                self.scale(operator, left, right, span)
            }
            (Divide, Duration, Duration) | (Divide, Size, Size) => {
                self.apply(Divide, to_number(left), to_number(right), Number, span)
            }
            (Divide, Rate, Rate) => self.apply(Divide, left, right, Number, span),
            (Multiply, Rate, Duration) => {
                let seconds = self.seconds(right)?;
                self.apply(Multiply, left, seconds, Number, span)
            }
            (Multiply, Duration, Rate) => {
                let seconds = self.seconds(left)?;
                self.apply(Multiply, right, seconds, Number, span)
            }
            (Divide, Int | Number | Size, Rate) => {
                let seconds = self.apply(Divide, to_number(left), right, Number, span)?;
                self.apply(Multiply, second(span), seconds, Duration, span)
            }
            (Divide, Int | Number | Size, Duration) => {
                let seconds = self.seconds(right)?;
                self.apply(Divide, to_number(left), seconds, Rate, span)
            }
            _ => {
                let (verb, one, two) = (verb(operator), self.words(&left.ty), self.words(&right.ty));
                let diagnostic =
                    Diagnostic::new("wrong-type", span, format!("{one} and {two} cannot be {verb}"));
                let bare = |side: &Expression| {
                    matches!(side.ty, Int | Number) && matches!(side.kind, ExpressionKind::Literal(_))
                };
                let with_unit = |side: &Expression| matches!(side.ty, Duration | Size | Rate | Time);
                let diagnostic =
                    match (bare(&left) && with_unit(&right)) || (with_unit(&left) && bare(&right)) {
                        true => diagnostic.help("units are always written: `5ms`, `400B`, `200/s`"),
                        false => diagnostic,
                    };
                self.report(diagnostic);
                None
            }
        }
    }

    /// A quantity times or divided by a plain number.
    fn scale(
        &mut self,
        operator: BinaryOperator,
        quantity: Expression,
        by: Expression,
        span: Span,
    ) -> Option<Expression> {
        let ty = quantity.ty.clone();
        let by = if ty == Type::Rate { to_number(by) } else { by };
        self.apply(operator, quantity, by, ty, span)
    }

    /// A duration as a number of seconds.
    fn seconds(&mut self, duration: Expression) -> Option<Expression> {
        let span = duration.span;
        let billion = literal(Literal::Number(1e9), Type::Number, span);
        self.apply(Divide, to_number(duration), billion, Type::Number, span)
    }

    /// The operator applied, or its result if both sides are constants.
    fn apply(
        &mut self,
        operator: BinaryOperator,
        left: Expression,
        right: Expression,
        ty: Type,
        span: Span,
    ) -> Option<Expression> {
        if let (ExpressionKind::Literal(one), ExpressionKind::Literal(two)) = (&left.kind, &right.kind) {
            match fold::binary(operator, one, two, &ty) {
                Ok(Some(value)) => return Some(literal(value, ty, span)),
                Ok(None) => {}
                Err((code, message)) => return self.refuse(code, span, message.into()),
            }
        }
        if matches!(operator, Divide | Remainder) && is_zero(&right) {
            return self.refuse("division-by-zero", span, "this divides by zero".into());
        }
        Some(Expression { kind: ExpressionKind::Binary(operator, Box::new(left), Box::new(right)), ty, span })
    }
}

fn is_zero(expression: &Expression) -> bool {
    match expression.kind {
        ExpressionKind::Literal(Literal::Int(value)) => value == 0,
        ExpressionKind::Literal(Literal::Number(value)) => value == 0.0,
        _ => false,
    }
}

fn verb(operator: BinaryOperator) -> &'static str {
    match operator {
        Add => "added",
        Subtract => "subtracted",
        Multiply => "multiplied",
        Divide => "divided",
        Remainder => "divided for a remainder",
        Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual => "compared",
        And | Or => "combined",
    }
}
