//! Lists: written out, ranges, positions, membership.

use super::super::resolved::*;
use super::super::source::Span;
use super::MOST_ELEMENTS;
use super::check::{Checker, literal};
use super::syntax::Syntax;

impl Checker<'_, '_> {
    pub fn list(&mut self, items: &[Syntax], span: Span, hint: Option<&Type>) -> Option<Expression> {
        let item_hint = match hint {
            Some(Type::List(item)) => Some(&**item),
            _ => None,
        };
        let Some((first, rest)) = items.split_first() else {
            let Some(item) = item_hint else {
                return self.refuse("wrong-type", span, "what an empty list holds is not known here".into());
            };
            return Some(literal(Literal::EmptyList, Type::List(Box::new(item.clone())), span));
        };
        let first = match item_hint {
            Some(item) => self.check(first, item),
            None => self.infer(first, None),
        };
        let mut ty = first.as_ref().map(|first| first.ty.clone());
        let mut list = vec![first];
        for item in rest {
            let mut item = self.infer(item, item_hint.or(ty.as_ref()));
            if let (Some(found), Some(expected)) = (&item, &ty) {
                let widens = item_hint.is_none() && found.ty == Type::Number && *expected == Type::Int;
                if widens {
                    ty = Some(Type::Number);
                } else {
                    item = item.and_then(|item| self.coerce(item, &ty.clone()?));
                }
            }
            list.push(item);
        }
        let ty = ty?;
        if !ty.is_scalar() {
            return self.refuse(
                "wrong-type",
                span,
                format!("a list holds plain values, not {}", self.words(&ty)),
            );
        }
        let list: Option<Vec<_>> = list.into_iter().map(|item| self.coerce(item?, &ty)).collect();
        Some(Expression { kind: ExpressionKind::List(list?), ty: Type::List(Box::new(ty)), span })
    }

    pub fn index(&mut self, list: &Syntax, index: &Syntax, span: Span) -> Option<Expression> {
        if self.scope.aggregates && self.is_table(list) {
            return self.refuse("wrong-type", span, "this is a row: name a column of it, or `exists`".into());
        }
        let list = self.infer(list, None);
        let index = self.check(index, &Type::Int);
        let (list, index) = (list?, index?);
        let Type::List(item) = list.ty.clone() else {
            let is = self.words(&list.ty);
            return self.refuse(
                "wrong-type",
                list.span,
                format!("a list is expected before `[`, this is {is}"),
            );
        };
        if matches!(index.kind, ExpressionKind::Literal(Literal::Int(index)) if index < 0) {
            return self.refuse("wrong-type", index.span, "positions in a list count from 0".into());
        }
        Some(Expression { kind: ExpressionKind::Index(Box::new(list), Box::new(index)), ty: *item, span })
    }

    pub fn contains(&mut self, item: &Syntax, list: &Syntax, span: Span) -> Option<Expression> {
        let (item, list) = if self.is_word(item) {
            let list = self.infer(list, None)?;
            let hint = match &list.ty {
                Type::List(item) => Some((**item).clone()),
                _ => None,
            };
            (self.infer(item, hint.as_ref())?, list)
        } else {
            let item = self.infer(item, None);
            let hint = item.as_ref().map(|item| Type::List(Box::new(item.ty.clone())));
            let list = self.infer(list, hint.as_ref());
            (item?, list?)
        };
        let Type::List(of) = list.ty.clone() else {
            let message = format!("a list is expected after `in`, this is {}", self.words(&list.ty));
            return self.refuse("wrong-type", list.span, message);
        };
        let compatible = of.is_scalar() && (item.ty.serves_as(&of) || of.serves_as(&item.ty));
        if !compatible || (item.ty == Type::Int) != (*of == Type::Int) {
            let message = format!("{} is never in {}", self.words(&item.ty), self.words(&list.ty));
            return self.refuse("wrong-type", span, message);
        }
        Some(Expression { kind: ExpressionKind::In(Box::new(item), Box::new(list)), ty: Type::Bool, span })
    }

    pub fn range(&mut self, low: &Syntax, high: &Syntax, span: Span) -> Option<Expression> {
        let (low, high) = (self.check(low, &Type::Int), self.check(high, &Type::Int));
        let (low, high) = (low?, high?);
        if let (ExpressionKind::Literal(Literal::Int(first)), ExpressionKind::Literal(Literal::Int(last))) =
            (&low.kind, &high.kind)
            && i128::from(*last) - i128::from(*first) >= MOST_ELEMENTS as i128
        {
            let message = format!("a range has at most {MOST_ELEMENTS} elements");
            return self.refuse("too-large", span, message);
        }
        let kind = ExpressionKind::Range(Box::new(low), Box::new(high));
        Some(Expression { kind, ty: Type::List(Box::new(Type::Int)), span })
    }
}
