//! Generators of single values: constants, choices among values, counters.

use super::super::super::node::{Map, Node, NodeKind};
use super::super::super::resolved::*;
use super::super::super::source::Span;
use super::super::constant::refuse;
use super::super::{Scope, constant, expression};
use super::{COUNTER, Drawing, Drawn, plain};
use crate::kernel::distribution::Shape;
use crate::kernel::ids::SymbolId;

impl Drawing<'_, '_> {
    pub fn constant(&mut self, node: &Node) -> Option<GeneratorKind> {
        if self.unit.is_none() {
            let found = expression(node, self.expected.as_ref(), &Scope::NOTHING, self.context)?;
            match (&found.kind, &found.ty) {
                (ExpressionKind::Literal(Literal::Bool(value)), _) => {
                    self.other = Some(Type::Bool);
                    let shape = Shape::Chance(f64::from(u8::from(*value)));
                    return Some(GeneratorKind::Distribution(plain(shape)));
                }
                (ExpressionKind::Literal(Literal::Symbol(word)), ty) => {
                    self.other = Some(ty.clone());
                    let distribution = plain(Shape::Choice(vec![1.0]));
                    return Some(GeneratorKind::Choice { words: vec![*word], distribution });
                }
                _ => {}
            }
        }
        let value = self.parameter(node)?;
        self.signed_if_plain(value)?;
        self.whole = self.unit == Some(Type::Number) && value.whole.is_some();
        Some(GeneratorKind::Distribution(plain(Shape::Constant(value.value))))
    }

    /// `{ word: share }`; values other than words are a mixture of constants.
    pub fn choice(&mut self, node: &Node) -> Option<GeneratorKind> {
        let map = match &node.kind {
            NodeKind::Map(map) if !map.is_empty() => map,
            _ => {
                let message = "values with their shares are expected: `{ card: 70%, cash: 30% }`";
                return refuse(self.context, "wrong-type", node.span, message);
            }
        };
        let shares: Vec<_> = map.values().map(|entry| &entry.value).collect();
        let shares = self.shares(&shares, node.span);
        let keys: Vec<Node> = map.iter().map(|(key, entry)| key_node(key, entry.key_span)).collect();
        let words = self.expected.is_none() && keys.iter().all(is_word_node);
        if words || matches!(self.expected, Some(Type::Enumeration(_) | Type::Text)) {
            let words = self.choice_words(&keys);
            let distribution = plain(Shape::Choice(shares?));
            return Some(GeneratorKind::Choice { words: words?, distribution });
        }
        let (mut parts, mut whole) = (Vec::new(), true);
        for key in &keys {
            let GeneratorKind::Distribution(part) = self.constant(key)? else {
                return refuse(self.context, "wrong-type", key.span, "words and quantities do not mix");
            };
            whole &= self.whole;
            parts.push(part);
        }
        self.whole = whole;
        let mixture = shares?.into_iter().zip(parts).collect();
        Some(GeneratorKind::Distribution(plain(Shape::Mixture(mixture))))
    }

    pub fn choice_words(&mut self, keys: &[Node]) -> Option<Vec<SymbolId>> {
        let expected = match &self.expected {
            Some(expected) => expected.clone(),
            None => {
                constant::ty(&Node { kind: NodeKind::List(keys.to_vec()), span: self.span }, self.context)?
            }
        };
        let words: Vec<_> = keys.iter().map(|key| constant::literal(key, &expected, self.context)).collect();
        self.other = Some(expected);
        let words = words.into_iter().collect::<Option<Vec<_>>>()?;
        let symbols = words.into_iter().map(|word| match word {
            Literal::Symbol(symbol) => Some(symbol),
            _ => None,
        });
        symbols.collect()
    }

    pub fn counter(&mut self, map: &Map, node: &Node) -> Option<Generator> {
        for (key, entry) in map {
            if key != COUNTER {
                let message = "a counter only counts: nothing stands beside it";
                return refuse(self.context, "unknown-key", entry.key_span, message);
            }
        }
        let ty = match &self.expected {
            Some(ty @ (Type::Int | Type::Id)) => {
                *self.context.makes_ids |= *ty == Type::Id;
                ty.clone()
            }
            None => Type::Int,
            Some(_) => {
                self.draws(Drawn::Quantity, node.span)?;
                return refuse(self.context, "wrong-type", node.span, "a counter draws whole numbers");
            }
        };
        let of = expression(node, None, self.scope, self.context)?;
        if !of.ty.is_scalar() {
            return refuse(self.context, "wrong-type", of.span, "a counter counts for each plain value");
        }
        let kind = GeneratorKind::Counter(Box::new(of));
        Some(Generator { kind, ty, per_attempt: false, span: self.span })
    }
}

/// A key of a map, read as an expression.
fn key_node(key: &str, span: Span) -> Node {
    let offsets_exact = (span.end - span.start) as usize == key.len();
    Node { kind: NodeKind::Text { text: key.to_owned(), quoted: false, offsets_exact }, span }
}

fn is_word_node(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Text { text, .. } if constant::is_word(text))
}
