//! Bounds that keep every scenario cheap to resolve, whatever its text holds. They are far above what a
//! system of ten thousand services needs. Sizes that multiply (names in the paths of steps, columns by
//! rows, fields by messages sent) are what they are about.

use super::Resolver;
use super::nodes;
use crate::scenario::limits::exceeded;
use crate::scenario::node::{Map, Node, NodeKind};
use crate::scenario::source::Span;

/// Bytes of a name.
const NAME_BYTES: usize = 200;
/// Services, and clients.
const SERVICES: usize = 20_000;
/// Tables that a service declares, and topics that it consumes.
const PER_SERVICE: usize = 1000;
/// Columns of a table, fields of a message.
const COLUMNS: usize = 1000;
/// Columns of a key.
const KEY_COLUMNS: usize = 16;
/// Words of an enumeration, and transitions of a lifecycle.
const WORDS: usize = 256;
/// Ends of a link.
const ENDS: usize = 100;
/// Pairs of ends of all links.
const PAIRS: usize = 1_000_000;
/// Values that a body can name.
pub const LOCALS: usize = 1000;
/// Values that the locals of a body are made of: a row counts with each of its columns. A frame has
/// twice the room; the rest is for what its steps keep, of which there are so many at the most.
pub const WORDS_OF_LOCALS: usize = 32_000;
pub const STEPS: usize = 5_000;
/// Rows that all tables together may start with.
const ROWS: u64 = 5_000_000;
/// Values in those rows.
const CELLS: u64 = 20_000_000;
/// Fields of all messages that all steps send, those included that the steps leave out.
pub const FIELDS_SENT: usize = 2_000_000;

impl<'a> Resolver<'a> {
    /// Whether the scenario is small enough to be looked into. If not, that is all that is reported.
    pub fn is_within_bounds(&mut self, root: &'a Node) -> bool {
        let reported = self.diagnostics.list.len();
        self.check_names(root);
        self.check_size(nodes::get(root, "services"), "services", SERVICES);
        self.check_size(nodes::get(root, "clients"), "clients", SERVICES);
        for entry in self.names.messages.values() {
            for section in ["fields", "reply"] {
                let fields = nodes::get(&entry.value, section);
                self.check_size(fields, "fields of a message", COLUMNS);
                self.check_words(fields.map(nodes::map));
            }
        }
        for entry in self.names.services.values() {
            self.check_service(&entry.value);
        }
        self.check_ends(root);
        self.diagnostics.list.len() == reported
    }

    fn check_service(&mut self, service: &'a Node) {
        self.check_size(nodes::get(service, "consumes"), "topics that a service consumes", PER_SERVICE);
        let tables = [nodes::get(service, "store").and_then(|store| nodes::get(store, "tables"))];
        let streams = nodes::get(service, "store").and_then(|store| nodes::get(store, "streams"));
        for tables in tables.into_iter().chain([nodes::get(service, "memory"), streams]).flatten() {
            self.check_size(Some(tables), "tables of a service", PER_SERVICE);
            for table in nodes::map(tables).values() {
                let columns = nodes::get(&table.value, "columns").or(nodes::get(&table.value, "state"));
                self.check_size(columns, "columns of a table", COLUMNS);
                self.check_words(columns.map(nodes::map));
                self.check_size(nodes::get(&table.value, "key"), "columns of a key", KEY_COLUMNS);
            }
        }
    }

    /// Words of the enumerations among these columns or fields.
    fn check_words(&mut self, columns: Option<&'a Map>) {
        for entry in columns.into_iter().flat_map(Map::values) {
            self.check_size(
                Some(&entry.value).filter(|ty| nodes::is_list(ty)),
                "words of an enumeration",
                WORDS,
            );
            for key in ["type", "lifecycle", "list"] {
                let words = nodes::get(&entry.value, key).filter(|words| nodes::is_list(words));
                self.check_size(words, "words of an enumeration", WORDS);
            }
        }
    }

    fn check_ends(&mut self, root: &'a Node) {
        let links = nodes::get(root, "network").map(|network| nodes::section(network, "links"));
        let faults = nodes::section(root, "faults");
        let mut pairs = 0;
        for entry in links.into_iter().flat_map(Map::values).chain(faults.values()) {
            for key in ["between", "split", "degrade"] {
                let Some(ends) = nodes::get(&entry.value, key) else { continue };
                self.check_size(Some(ends), "ends of a link", ENDS);
                pairs += nodes::list(ends).len().min(ENDS).pow(2);
                if pairs > PAIRS {
                    self.report(exceeded(ends.span, "too many pairs of ends are joined", PAIRS, "pairs"));
                    return;
                }
            }
        }
    }

    fn check_size(&mut self, node: Option<&'a Node>, what: &str, limit: usize) {
        let Some(node) = node else { return };
        if nodes::list(node).len().max(nodes::map(node).len()) > limit {
            self.exceeds(node.span, what, limit);
        }
    }

    /// Whether so many more rows may be there at the start. After the first that may not, none may.
    pub fn admits_rows(&mut self, rows: u64, columns: usize, span: Span) -> bool {
        let cells = self.cells.saturating_add(rows.saturating_mul(columns as u64));
        if self.has_too_many_rows {
            return false;
        }
        if self.rows.saturating_add(rows) > ROWS {
            self.exceeds(span, "rows at the start, in all tables together", ROWS as usize);
        } else if cells > CELLS {
            self.exceeds(span, "values in the rows at the start, in all tables together", CELLS as usize);
        } else {
            return true;
        }
        self.has_too_many_rows = true;
        false
    }

    /// Says that there are too many of something.
    pub fn exceeds(&mut self, span: Span, what: &str, limit: usize) {
        self.report(exceeded(span, &format!("too many {what}"), limit, ""));
    }

    /// Names are keys of maps; they end up in the path of every step below them.
    fn check_names(&mut self, node: &'a Node) {
        match &node.kind {
            NodeKind::Map(map) => {
                for (key, entry) in map {
                    if key.len() > NAME_BYTES {
                        self.report(exceeded(entry.key_span, "this name is too long", NAME_BYTES, "bytes"));
                    }
                    self.check_names(&entry.value);
                }
            }
            NodeKind::List(list) => list.iter().for_each(|node| self.check_names(node)),
            NodeKind::Text { .. } | NodeKind::Null => {}
        }
    }
}
