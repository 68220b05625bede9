//! Tables of stores and memories: columns with their initial values, keys, and the rows that are there
//! at the start.
//!
//! A key column that is not declared gets its type from the initial rows, else from the first step that
//! uses the key (see `keys`).

use super::Resolver;
use super::nodes;
use crate::kernel::ids::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expression;
use crate::scenario::node::{Map, Node};
use crate::scenario::resolved::*;

impl<'a> Resolver<'a> {
    /// Declares the tables of every service's own store and memory. Which service sees which is
    /// settled when all are there.
    pub fn resolve_tables(&mut self) {
        for (index, entry) in self.names.services.values().enumerate() {
            let service = ServiceId::new(index);
            let store = nodes::get(&entry.value, "store");
            let stored = store.map_or(0..0, |store| {
                let tables = self.resolve_section(service, store, "tables", false);
                tables.start..self.declare_streams(service, store, tables).end
            });
            let memory = self.resolve_section(service, &entry.value, "memory", true);
            self.stored.push(stored.map(TableId::new).collect());
            self.memory.push(memory.map(TableId::new).collect());
        }
        for (index, (name, entry)) in self.names.services.iter().enumerate() {
            let owner = self.store_owner(index, &entry.value);
            let mut visible = owner.map_or(Vec::new(), |owner| self.stored[owner.index()].clone());
            for &table in &self.memory[index].clone() {
                self.check_table_clash(table, &visible);
                visible.push(table);
            }
            self.visible.push((name.clone(), visible));
        }
    }

    /// The service whose store this one uses: its own, or the one it shares.
    pub fn store_owner(&self, service: usize, node: &Node) -> Option<ServiceId> {
        let store = nodes::get(node, "store")?;
        match nodes::text(store) {
            Some(owner) => self.names.services.get_index_of(owner).map(ServiceId::new),
            None => Some(ServiceId::new(service)),
        }
    }

    /// A memory table may not have the name of a table of the store.
    fn check_table_clash(&mut self, table: TableId, visible: &[TableId]) {
        let table = &self.tables[table.index()];
        let Some(other) =
            visible.iter().map(|&id| &self.tables[id.index()]).find(|other| other.name == table.name)
        else {
            return;
        };
        let message = format!("`{}` is a table of the store and of the memory", table.name);
        let diagnostic =
            Diagnostic::new("name-clash", table.span, message).related(other.span, "in the store");
        self.report(diagnostic);
    }

    fn resolve_section(
        &mut self,
        service: ServiceId,
        node: &'a Node,
        section: &str,
        memory: bool,
    ) -> std::ops::Range<usize> {
        let first = self.tables.len();
        for (name, entry) in nodes::section(node, section) {
            let id = TableId::new(self.tables.len());
            let table = self.resolve_table(name, &entry.value, id);
            self.tables.push(Table { span: entry.key_span, service, memory, ..table });
        }
        first..self.tables.len()
    }

    fn resolve_table(&mut self, name: &str, node: &'a Node, id: TableId) -> Table {
        let mut columns = self.resolve_columns(nodes::section(node, "columns"));
        let key = self.resolve_key(name, node, &mut columns, id);
        let rows =
            nodes::get(node, "rows").map_or(Vec::new(), |rows| self.resolve_rows(rows, &columns, &key));
        let ttl = nodes::get(node, "ttl").filter(|ttl| !nodes::is_word(ttl, "for ever"));
        Table {
            name: name.to_owned(),
            span: node.span,
            service: ServiceId::new(0),
            memory: false,
            key,
            columns,
            bookkeeping: nodes::get(node, "bookkeeping").is_some_and(|node| nodes::is_word(node, "true")),
            rows,
            ttl: ttl.and_then(|ttl| self.positive_duration(ttl, "a time to live")),
            capacity: nodes::get(node, "capacity").and_then(|node| self.count_or_unlimited(node, 1)),
            stream: None,
        }
    }

    pub fn resolve_columns(&mut self, section: &'a Map) -> Vec<Column> {
        section.iter().map(|(name, entry)| self.resolve_column(name, &entry.value)).collect()
    }

    /// A type, or a map with `type` or `lifecycle` and more. `{ list: type }` is a type.
    fn resolve_column(&mut self, name: &str, node: &'a Node) -> Column {
        let details = nodes::is_map(node) && nodes::get(node, "list").is_none();
        let declared = if details { nodes::get(node, "type") } else { Some(node) };
        let mut ty = declared.and_then(|node| self.resolve_type(node));
        let mut transitions = Vec::new();
        if let Some(lifecycle) = nodes::get(node, "lifecycle").filter(|_| details) {
            let words = self.lifecycle_words(lifecycle, ty.as_ref());
            transitions = words.transitions;
            ty = ty.or(Some(Type::Enumeration(words.all)));
        }
        if matches!(ty, Some(Type::List(_))) {
            self.not_built(node.span, "a list in a table");
        }
        let written = nodes::get(node, "initial").filter(|_| details);
        let ty = ty.or_else(|| written.and_then(|node| self.type_of(node))).unwrap_or(Type::Int);
        let initial = written
            .and_then(|node| expression::literal(node, &ty, &mut self.context()))
            .unwrap_or_else(|| self.initial(&ty));
        let incidental =
            details && nodes::get(node, "incidental").is_some_and(|node| nodes::is_word(node, "true"));
        Column { name: name.to_owned(), ty, initial, incidental, lifecycle: transitions }
    }

    /// What a value of a type is when nobody says: 0, false, the first word, nothing.
    pub fn initial(&mut self, ty: &Type) -> Literal {
        match ty {
            Type::Bool => Literal::Bool(false),
            Type::Number | Type::Rate => Literal::Number(0.0),
            Type::Text => Literal::Symbol(self.symbols.intern("")),
            Type::Enumeration(words) => {
                Literal::Symbol(words.first().copied().unwrap_or_else(|| self.symbols.intern("")))
            }
            Type::List(_) => Literal::EmptyList,
            Type::Id
            | Type::Int
            | Type::Time
            | Type::Duration
            | Type::Size
            | Type::Row(_)
            | Type::Reply(_) => Literal::Int(0),
        }
    }

    /// `[placed -> shipped, placed -> cancelled]`: its words in the order met, or those of the type.
    fn lifecycle_words(&mut self, node: &'a Node, ty: Option<&Type>) -> Lifecycle {
        let mut lifecycle = Lifecycle { all: Vec::new(), transitions: Vec::new() };
        for (transition, span) in nodes::words(node) {
            let Some((from, to)) = transition.split_once("->") else { continue };
            let ends = [from.trim(), to.trim()].map(|word| {
                if let Some(Type::Enumeration(words)) = ty {
                    let known: Vec<&str> = words.iter().map(|&word| self.symbols.get(word)).collect();
                    if !known.contains(&word) {
                        let diagnostic = Diagnostic::new(
                            "unknown-state",
                            span,
                            format!("`{word}` is not one of the column's words"),
                        )
                        .help(format!("its words are {}", super::names::listed(&known)));
                        self.report(diagnostic);
                    }
                }
                let symbol = self.symbols.intern(word);
                self.enumeration_words.entry(word.to_owned()).or_insert(span);
                if !lifecycle.all.contains(&symbol) {
                    lifecycle.all.push(symbol);
                }
                symbol
            });
            if lifecycle.transitions.contains(&(ends[0], ends[1])) {
                self.report(Diagnostic::new(
                    "repeated-name",
                    span,
                    format!("the transition `{transition}` is given twice"),
                ));
            }
            lifecycle.transitions.push((ends[0], ends[1]));
        }
        lifecycle
    }

    /// Positions of the key columns. Those not declared are added in front, in the order of the key.
    pub fn resolve_key(
        &mut self,
        table: &str,
        node: &'a Node,
        columns: &mut Vec<Column>,
        id: TableId,
    ) -> Vec<usize> {
        let words = nodes::get(node, "key").map(nodes::words).unwrap_or_default();
        for (index, (word, span)) in words.iter().enumerate() {
            if words[..index].iter().any(|(earlier, _)| earlier == word) {
                let message = format!("`{word}` is named twice in the key of `{table}`");
                self.report(Diagnostic::new("repeated-name", *span, message));
            }
        }
        let undeclared: Vec<&str> = words
            .iter()
            .map(|&(word, _)| word)
            .filter(|word| columns.iter().all(|column| column.name != *word))
            .collect();
        for (position, word) in undeclared.into_iter().enumerate() {
            let ty = nodes::get(node, "rows").and_then(|rows| self.type_in_rows(rows, word));
            if ty.is_none() {
                self.keys.unknown.insert((id, position));
            }
            let ty = ty.unwrap_or(Type::Id);
            let initial = self.initial(&ty);
            let column =
                Column { name: word.to_owned(), ty, initial, incidental: false, lifecycle: Vec::new() };
            columns.insert(position, column);
        }
        let position = |word: &str| columns.iter().position(|column| column.name == word);
        words.iter().filter_map(|&(word, _)| position(word)).collect()
    }

    /// The type that the values of a column in the initial rows have.
    fn type_in_rows(&mut self, rows: &'a Node, column: &str) -> Option<Type> {
        let value = nodes::list(rows).iter().find_map(|row| nodes::get(row, column))?;
        self.type_of(value)
    }

    /// The type of a constant: whole numbers, truth values, durations or words.
    fn type_of(&mut self, value: &Node) -> Option<Type> {
        let (first, _) = *nodes::words(value).first()?;
        let first = first.trim_start_matches('[').split([',', ']']).next().unwrap_or(first).trim();
        if matches!(first, "true" | "false") {
            return Some(Type::Bool);
        }
        if first.contains("..") || first.parse::<i64>().is_ok() {
            return Some(Type::Int);
        }
        let silent = self.without_reports(|resolver| expression::duration(value, &mut resolver.context()));
        Some(if silent.is_some() { Type::Duration } else { Type::Text })
    }
}

/// The words and transitions of a `lifecycle`.
struct Lifecycle {
    all: Vec<SymbolId>,
    transitions: Vec<(SymbolId, SymbolId)>,
}
