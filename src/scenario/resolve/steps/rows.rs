//! Row steps: keys, conditions, what is set.

use super::{BodyResolver, Owner, Written};
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::Node;
use crate::scenario::resolve::names::{Kind, unknown};
use crate::scenario::resolve::nodes;
use crate::scenario::resolve::quantities::flag;
use crate::scenario::resolved::*;

impl<'r, 'a> BodyResolver<'r, 'a> {
    pub(super) fn read(&mut self, written: Written<'a>) -> Option<StepKind> {
        let table = self.table(written);
        let key = table.and_then(|table| self.required_key(written, table));
        let result = self.result(written, table.map(Type::Row));
        let otherwise = self.optional_block(written.option("else"));
        let lock = flag(written.option("lock"), false);
        if let Some(span) = written.option_span("lock").filter(|_| lock && !self.in_transaction) {
            self.misplaced(span, "a lock is held to the end of a transaction, and there is none here");
        }
        let replica = self.asks_replica(written, table, lock);
        Some(StepKind::Read { table: table?, key: key?, result, lock, replica, otherwise })
    }

    /// A quorum store finds rows by their keys only.
    fn need_keys(&mut self, written: Written<'a>, table: Option<TableId>) {
        let Some(table) = table.map(|table| &self.resolver.tables[table.index()]) else { return };
        if !table.memory {
            let service = table.service;
            self.resolver.need_one_copy(service, written.verb_span, "a step on many rows");
        }
    }

    /// `from: replica`, where the store has any.
    fn asks_replica(&mut self, written: Written<'a>, table: Option<TableId>, lock: bool) -> bool {
        let Some(from) = written.option("from").filter(|from| nodes::is_word(from, "replica")) else {
            return false;
        };
        let Some(table) = table else { return true };
        let described = &self.resolver.tables[table.index()];
        let owner = &self.resolver.services[described.service.index()];
        let follows = match &owner.store {
            Some(StoreUse::Own(store)) => matches!(store.copies, Some(Copies::Follow { .. })),
            _ => false,
        };
        if described.memory || !follows {
            let message = format!("`{}` has no read replicas", described.name);
            let diagnostic = Diagnostic::new("contradiction", from.span, message)
                .related(described.span, "declared here")
                .help("give its store some: `read_replica: { lag: 100ms }`");
            self.resolver.report(diagnostic);
        } else if lock || self.in_transaction {
            self.misplaced(from.span, "a replica takes no part in transactions, and has no locks");
        }
        true
    }

    pub(super) fn insert(&mut self, written: Written<'a>) -> Option<StepKind> {
        let table = self.table(written);
        let key = table.and_then(|table| self.required_key(written, table));
        let set = table.and_then(|table| self.set(written, table, None));
        let result = self.result(written, table.map(Type::Row));
        let otherwise = self.optional_block(written.option("else"));
        Some(StepKind::Insert { table: table?, key: key?, set: set?, result, otherwise })
    }

    pub(super) fn update(&mut self, written: Written<'a>) -> Option<StepKind> {
        let table = self.table(written);
        if written.option("key").is_none() {
            self.need_keys(written, table);
        }
        let key = table.map(|table| self.key(written, table));
        let filter = table.and_then(|table| self.truth(written.option("where"), Some(table)));
        let set = table.and_then(|table| self.set(written, table, Some(table)));
        if let Some(span) = written.option_span("as").filter(|_| written.option("key").is_none()) {
            self.misplaced(span, "`as` names one row, so the step needs a `key`");
            return None;
        }
        let result = self.result(written, table.map(Type::Row));
        let otherwise = self.optional_block(written.option("else"));
        Some(StepKind::Update { table: table?, key: key?.ok()?, filter, set: set?, result, otherwise })
    }

    pub(super) fn upsert(&mut self, written: Written<'a>) -> Option<StepKind> {
        let table = self.table(written);
        let key = table.and_then(|table| self.required_key(written, table));
        let filter = table.and_then(|table| self.truth(written.option("where"), Some(table)));
        let set = table.and_then(|table| self.set(written, table, Some(table)));
        let result = self.result(written, table.map(Type::Row));
        let otherwise = self.optional_block(written.option("else"));
        Some(StepKind::Upsert { table: table?, key: key?, filter, set: set?, result, otherwise })
    }

    pub(super) fn delete(&mut self, written: Written<'a>) -> Option<StepKind> {
        let table = self.table(written);
        if written.option("key").is_none() {
            self.need_keys(written, table);
        }
        let key = table.map(|table| self.key(written, table));
        let filter = table.and_then(|table| self.truth(written.option("where"), Some(table)));
        let otherwise = self.optional_block(written.option("else"));
        Some(StepKind::Delete { table: table?, key: key?.ok()?, filter, otherwise })
    }

    pub(super) fn scan(&mut self, written: Written<'a>) -> Option<StepKind> {
        let table = self.table(written);
        self.need_keys(written, table);
        let filter = table.and_then(|table| self.truth(written.option("where"), Some(table)));
        let order_by =
            table.and_then(|table| self.row_expression(written.option("order_by")?, None, Some(table)));
        let limit = written.option("limit").and_then(|node| self.expression(node, Some(&Type::Int)));
        let rows = |table| Type::List(Box::new(Type::Row(table)));
        let result = self.result(written, table.map(rows));
        Some(StepKind::Scan { table: table?, filter, order_by, limit, result })
    }

    /// A table of the service's store or memory. Without one, what is said of its rows is looked over all the same.
    fn table(&mut self, written: Written<'a>) -> Option<TableId> {
        let table = self.known_table(written.value);
        if table.is_none() {
            let options =
                ["key", "where", "order_by", "limit"].into_iter().filter_map(|name| written.option(name));
            let set = written
                .option("set")
                .into_iter()
                .flat_map(|set| nodes::map(set).values().map(|entry| &entry.value));
            for node in options.chain(set) {
                let parts = if nodes::is_list(node) { nodes::list(node) } else { std::slice::from_ref(node) };
                parts.iter().for_each(|part| self.glance(part));
            }
        }
        table
    }

    fn known_table(&mut self, node: &'a Node) -> Option<TableId> {
        let word = nodes::text(node)?;
        let Owner::Service(service) = self.place.owner else { return None };
        let resolver = &mut *self.resolver;
        let (service_name, visible) = &resolver.visible[service.index()];
        let name = |table: TableId| resolver.tables[table.index()].name.as_str();
        if let Some(&table) = visible.iter().find(|&&table| name(table) == word) {
            let described = &resolver.tables[table.index()];
            if described.stream.is_some() {
                let message = format!("`{word}` is an event stream, not a table");
                let diagnostic = Diagnostic::new("wrong-kind", node.span, message)
                    .related(described.span, "declared here")
                    .help("read it by `load`, add to it by `append`");
                resolver.report(diagnostic);
                return None;
            }
            return Some(table);
        }
        let mut diagnostic = unknown(Kind::Table, word, node.span, visible.iter().map(|&table| name(table)))
            .label(format!("in `{service_name}`"));
        if let Some(table) = resolver.tables.iter().find(|table| table.name == word) {
            let owner = resolver.names.services.get_index(table.service.index()).map_or("", |(name, _)| name);
            diagnostic = diagnostic.related(table.span, format!("a table of `{owner}`")).help(format!(
                "a service sees its own tables only; ask `{owner}` for it, or share its store"
            ));
        }
        resolver.report(diagnostic);
        None
    }

    pub(super) fn required_key(&mut self, written: Written<'a>, table: TableId) -> Option<Vec<Expression>> {
        if written.option("key").is_none() {
            let columns = self.key_columns(table).join(", ");
            let message = format!("`{}` needs a `key`", written.verb);
            let table = &self.resolver.tables[table.index()];
            let diagnostic = Diagnostic::new("missing-key", written.head(), message)
                .related(table.span, "the table")
                .help(format!("the key of `{}` is {columns}", table.name));
            self.resolver.report(diagnostic);
            return None;
        }
        self.key(written, table).ok()?
    }

    fn key_columns(&self, table: TableId) -> Vec<String> {
        let table = &self.resolver.tables[table.index()];
        table.key.iter().map(|&column| format!("`{}`", table.columns[column].name)).collect()
    }

    /// The values of the key columns: one, or a list of them in the order of the key.
    /// `Ok(None)` if no key is given, `Err` after a mistake.
    fn key(&mut self, written: Written<'a>, table: TableId) -> Result<Option<Vec<Expression>>, ()> {
        let Some(node) = written.option("key") else { return Ok(None) };
        let columns = self.resolver.tables[table.index()].key.clone();
        let parts = self.key_parts(node, table, &columns)?;
        let mut key = Vec::with_capacity(columns.len());
        for (part, &column) in parts.into_iter().zip(&columns) {
            key.push(self.key_part(part, table, column));
        }
        key.into_iter().collect::<Option<Vec<_>>>().map(Some).ok_or(())
    }

    /// One node for each key column.
    fn key_parts(&mut self, node: &'a Node, table: TableId, columns: &[usize]) -> Result<Vec<&'a Node>, ()> {
        let names = self.key_columns(table).join(", ");
        let described = &self.resolver.tables[table.index()];
        let wrong = |given: usize| {
            let message = format!(
                "the key of `{}` has {} columns, and {given} are given",
                described.name,
                columns.len()
            );
            Diagnostic::new("missing-key", node.span, message)
                .related(described.span, "the table")
                .help(format!("its columns are {names}"))
        };
        let parts = match nodes::is_list(node) {
            true => nodes::list(node),
            false => std::slice::from_ref(node),
        };
        if parts.len() == columns.len() {
            return Ok(parts.iter().collect());
        }
        let diagnostic = wrong(parts.len());
        self.resolver.report(diagnostic);
        Err(())
    }

    /// One part of a key. If nobody declared the type of its column, the first use settles it.
    fn key_part(&mut self, node: &'a Node, table: TableId, column: usize) -> Option<Expression> {
        if !self.resolver.keys.unknown.contains(&(table, column)) {
            let ty = self.resolver.tables[table.index()].columns[column].ty.clone();
            return self.expression(node, Some(&ty));
        }
        let settled = self.resolver.keys.settled.get(&(table, column)).cloned();
        let part = self.expression(node, settled.as_ref())?;
        if matches!(part.ty, Type::Row(_) | Type::Reply(_) | Type::List(_) | Type::Number | Type::Rate) {
            let message = "this cannot be part of a key";
            self.resolver.report(Diagnostic::new("wrong-type", node.span, message));
            return None;
        }
        if !self.resolver.is_uncertain(&part, &self.locals, &self.uncertain) {
            self.resolver.keys.settled.entry((table, column)).or_insert_with(|| part.ty.clone());
        }
        Some(part)
    }

    /// `set: { column: value }`. `row` is the table whose row the values may read.
    fn set(&mut self, written: Written<'a>, table: TableId, row: Option<TableId>) -> Option<Assignments> {
        let Some(node) = written.option("set") else { return Some(Vec::new()) };
        let mut set = Vec::new();
        let mut is_right = true;
        for (name, entry) in nodes::map(node) {
            match self.column(table, name, entry.key_span) {
                Some((column, ty)) => match self.value(&entry.value, Some(&ty), row) {
                    Some(value) => set.push((column, value)),
                    None => is_right = false,
                },
                None => is_right = false,
            }
        }
        is_right.then_some(set)
    }

    /// A column that may be set.
    fn column(
        &mut self,
        table: TableId,
        name: &str,
        span: crate::scenario::source::Span,
    ) -> Option<(usize, Type)> {
        let described = &self.resolver.tables[table.index()];
        let Some(column) = described.columns.iter().position(|column| column.name == name) else {
            let settable =
                described.columns.iter().enumerate().filter(|(index, _)| !described.key.contains(index));
            let names = settable.map(|(_, column)| column.name.as_str());
            let diagnostic = unknown(Kind::Column, name, span, names)
                .label(format!("in `{}`", described.name))
                .related(described.span, "the table");
            self.resolver.report(diagnostic);
            return None;
        };
        if described.key.contains(&column) {
            let message = format!("`{name}` is part of the key of `{}` and never changes", described.name);
            let diagnostic = Diagnostic::new("key-in-set", span, message).help("give it by `key`");
            self.resolver.report(diagnostic);
            return None;
        }
        Some((column, described.columns[column].ty.clone()))
    }
}
