//! How types are named in diagnostics, and which of them stand for one another.

use super::super::resolved::*;
use super::Symbols;

impl Type {
    /// The type as a noun: `an int`, `a duration`, `one of placed, shipped`, `a row of stock`.
    pub fn words(&self, symbols: &Symbols, tables: &[Table], messages: &[Message]) -> String {
        match self {
            Type::Id => "an id".into(),
            Type::Int => "an int".into(),
            Type::Bool => "a bool".into(),
            Type::Text => "a text".into(),
            Type::Time => "a time".into(),
            Type::Duration => "a duration".into(),
            Type::Number => "a number".into(),
            Type::Size => "a size".into(),
            Type::Rate => "a rate".into(),
            Type::Enumeration(words) => {
                let words: Vec<_> = words.iter().map(|&word| symbols.get(word)).collect();
                format!("one of {}", words.join(", "))
            }
            Type::List(item) => {
                let item = item.words(symbols, tables, messages);
                let bare = ["an ", "a "].iter().find_map(|article| item.strip_prefix(article));
                format!("a list (each {})", bare.unwrap_or(&item))
            }
            Type::Row(table) => format!("a row of {}", tables[table.index()].name),
            Type::Reply(message) => format!("an answer to {}", messages[message.index()].name),
        }
    }

    /// How a constant of this type is written, where that needs telling.
    pub fn example(&self) -> Option<&'static str> {
        match self {
            Type::Duration => Some("5ms"),
            Type::Size => Some("400B"),
            Type::Rate => Some("200/s"),
            Type::Bool => Some("true"),
            Type::Int => Some("3"),
            _ => None,
        }
    }

    /// Whether it has an order and can be calculated with.
    pub fn is_quantity(&self) -> bool {
        matches!(self, Type::Int | Type::Number | Type::Duration | Type::Time | Type::Size | Type::Rate)
    }

    /// Whether it is an id, or a list of them.
    pub fn holds_ids(&self) -> bool {
        match self {
            Type::List(item) => item.holds_ids(),
            _ => *self == Type::Id,
        }
    }

    /// Whether two values can be told apart: everything but rows, answers and lists.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Type::Row(_) | Type::Reply(_) | Type::List(_))
    }

    /// Whether a value of `self` is a value of `other` as it is, without a conversion. An int serves
    /// as an id (but no id as an int), and an enumeration as one that has all its words.
    pub fn serves_as(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Enumeration(mine), Type::Enumeration(theirs)) => {
                mine.iter().all(|word| theirs.contains(word))
            }
            (Type::Int, Type::Id) => true,
            (Type::List(mine), Type::List(theirs)) => mine.serves_as(theirs),
            _ => self == other,
        }
    }
}
