//! Types of key columns that nobody declared: the first step that uses the key settles them.
//!
//! ```yaml
//! handled: { key: id, bookkeeping: true }          # declares no type …
//! - { read: handled, key: message.id, as: seen }   # … this step does: an id
//! ```
//!
//! While a type is not known the column passes for an `id`. What was resolved under that assumption is
//! thrown away, and the bodies are resolved again, as soon as one of them has settled a type; a key
//! expression that itself depends on such a column settles nothing.

use super::Resolver;
use crate::kernel::ids::*;
use crate::scenario::resolved::*;
use std::collections::{BTreeMap, BTreeSet};

/// How often the bodies are resolved at most; a chain of tables each of whose keys comes out of the
/// next one needs one round for each link, and whoever builds a longer one has to declare the types.
pub const MOST_ROUNDS: usize = 8;

#[derive(Default)]
pub struct Keys {
    /// Key columns whose type is not known yet.
    pub unknown: BTreeSet<(TableId, usize)>,
    /// What this round found out.
    pub settled: BTreeMap<(TableId, usize), Type>,
}

impl<'a> Resolver<'a> {
    /// Takes over what the round found out. Whether there was anything.
    pub fn settle_keys(&mut self) -> bool {
        let settled = std::mem::take(&mut self.keys.settled);
        let any = !settled.is_empty();
        for ((table, position), ty) in settled {
            self.keys.unknown.remove(&(table, position));
            let initial = self.initial(&ty);
            let column = &mut self.tables[table.index()].columns[position];
            column.initial = initial;
            column.ty = ty;
        }
        any
    }

    /// Whether the type of an expression depends on a key column whose type is not known.
    /// `uncertain` are the locals of which that is so.
    pub fn is_uncertain(
        &self,
        expression: &Expression,
        locals: &[Local],
        uncertain: &BTreeSet<LocalId>,
    ) -> bool {
        let inner = |expression: &Expression| self.is_uncertain(expression, locals, uncertain);
        match &expression.kind {
            ExpressionKind::Local(local) => uncertain.contains(local),
            ExpressionKind::RowColumn(local, column) => {
                match locals.get(local.index()).map(|local| &local.ty) {
                    Some(Type::Row(table)) => self.keys.unknown.contains(&(*table, *column)),
                    _ => false,
                }
            }
            ExpressionKind::Not(a)
            | ExpressionKind::Negate(a)
            | ExpressionKind::Abs(a)
            | ExpressionKind::Size(a)
            | ExpressionKind::ToNumber(a) => inner(a),
            ExpressionKind::Binary(_, a, b)
            | ExpressionKind::Range(a, b)
            | ExpressionKind::Index(a, b)
            | ExpressionKind::In(a, b) => inner(a) || inner(b),
            ExpressionKind::Conditional(a, b, c) => inner(a) || inner(b) || inner(c),
            ExpressionKind::Minimum(all) | ExpressionKind::Maximum(all) | ExpressionKind::List(all) => {
                all.iter().any(inner)
            }
            _ => false,
        }
    }
}
