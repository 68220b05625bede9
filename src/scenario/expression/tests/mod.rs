//! Expressions and generators through the public functions, in a small world: one message, two tables
//! of one service, five locals and some parameters.

mod aggregates;
mod constants;
mod generators;
mod mistakes;
mod robust;
mod typing;

use super::*;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::node::{Entry, Map};
use crate::scenario::source::{FileId, Source, Span};

/// What expressions are tried in.
struct World {
    sources: Sources,
    parameters: IndexMap<String, Node>,
    messages: Vec<Message>,
    tables: Vec<Table>,
    services: Vec<(String, Vec<TableId>)>,
    symbols: Symbols,
    diagnostics: Diagnostics,
    makes_ids: bool,
    locals: Vec<Local>,
    visible: Vec<LocalId>,
}

const STOCK: TableId = TableId(0);
const LINES: TableId = TableId(1);

impl World {
    fn new() -> Self {
        let mut symbols = Symbols::default();
        let status = Type::Enumeration(["placed", "shipped"].map(|word| symbols.intern(word)).to_vec());
        let mut world = Self {
            sources: Sources::default(),
            parameters: IndexMap::new(),
            messages: vec![order_placed()],
            tables: Vec::new(),
            services: vec![("inventory".into(), vec![STOCK, LINES])],
            symbols,
            diagnostics: Diagnostics::default(),
            makes_ids: false,
            locals: Vec::new(),
            visible: Vec::new(),
        };
        let columns = [
            ("sku", Type::Int),
            ("reserved", Type::Int),
            ("status", status.clone()),
            ("since", Type::Time),
            ("wait", Type::Duration),
        ];
        world.tables.push(table(&world.span(), "stock", &[0], &columns));
        let columns = [("order", Type::Id), ("line", Type::Int), ("qty", Type::Int)];
        world.tables.push(table(&world.span(), "lines", &[0, 1], &columns));
        for (name, ty) in [
            ("seen", Type::Row(STOCK)),
            ("answer", Type::Reply(MessageId(0))),
            ("n", Type::Int),
            ("items", Type::List(Box::new(Type::Int))),
            ("rows", Type::List(Box::new(Type::Row(STOCK)))),
        ] {
            world.visible.push(LocalId::new(world.locals.len()));
            world.locals.push(Local { name: name.into(), ty });
        }
        for (name, text) in [
            ("timeout", "5ms"),
            ("rate", "200/s"),
            ("half", "1 / $two"),
            ("two", "2"),
            ("loop", "1 + $loop"),
            ("bad", "1 + ms"),
        ] {
            let node = world.node(text);
            world.parameters.insert(name.into(), node);
        }
        world
    }

    fn span(&self) -> Span {
        Span { file: FileId(0), start: 0, end: 0 }
    }

    /// A node read from flow notation: `{ a: b, c: [1, 2] }`, else a scalar.
    fn node(&mut self, text: &str) -> Node {
        let source = Source { name: "test".into(), folder: std::env::temp_dir(), text: text.into() };
        let file = self.sources.add(source);
        let mut flow = Flow { text, at: 0, file };
        if text.trim_start().starts_with(['{', '[']) && !text.contains("..") {
            flow.node()
        } else {
            flow.scalar(text.len())
        }
    }

    fn context(&mut self) -> Context<'_> {
        Context {
            sources: &self.sources,
            parameters: &self.parameters,
            messages: &self.messages,
            tables: &self.tables,
            services: &self.services,
            symbols: &mut self.symbols,
            diagnostics: &mut self.diagnostics,
            makes_ids: &mut self.makes_ids,
        }
    }

    /// The expression in a handler's step, or in an invariant with `aggregates`.
    fn read(&mut self, text: &str, expected: Option<&Type>, aggregates: bool) -> Option<Expression> {
        let node = self.node(text);
        let (locals, visible) = (self.locals.clone(), self.visible.clone());
        let scope = Scope {
            message: Some(MessageId(0)),
            delivery: true,
            row: Some(STOCK),
            state: None,
            instance: true,
            locals: &locals,
            visible: &visible,
            aggregates,
        };
        expression(&node, expected, &scope, &mut self.context())
    }

    fn status(&self) -> Type {
        self.tables[0].columns[2].ty.clone()
    }
}

/// An expression that must be right.
fn good(text: &str, expected: Option<&Type>) -> Expression {
    let mut world = World::new();
    let found = world.read(text, expected, false);
    assert!(world.diagnostics.is_empty(), "{text}: {:?}", world.diagnostics.list);
    found.unwrap_or_else(|| panic!("{text}: nothing came of it"))
}

/// The constant that a text folds to.
fn folded(text: &str) -> (Literal, Type) {
    let found = good(text, None);
    match found.kind {
        ExpressionKind::Literal(literal) => (literal, found.ty),
        other => panic!("{text} is not constant: {other:?}"),
    }
}

/// What is said of a text that must be wrong, and the text that is underlined.
fn wrong(text: &str, expected: Option<&Type>) -> (Diagnostic, String) {
    wrong_in(text, expected, false)
}

fn wrong_in(text: &str, expected: Option<&Type>, aggregates: bool) -> (Diagnostic, String) {
    let mut world = World::new();
    let found = world.read(text, expected, aggregates);
    assert!(found.is_none(), "{text} passes as {found:?}");
    only(&world, text)
}

/// The only diagnostic, with the text underlined.
fn only(world: &World, text: &str) -> (Diagnostic, String) {
    assert_eq!(world.diagnostics.list.len(), 1, "{text}: {:?}", world.diagnostics.list);
    let diagnostic = world.diagnostics.list[0].clone();
    let underlined = world.sources.text(diagnostic.span).to_owned();
    (diagnostic, underlined)
}

fn order_placed() -> Message {
    let fields = [
        ("order", Type::Id),
        ("sku", Type::Int),
        ("qty", Type::Int),
        ("note", Type::Text),
        ("limit", Type::Duration),
        ("tags", Type::List(Box::new(Type::Text))),
    ];
    let span = Span { file: FileId(0), start: 0, end: 0 };
    let field = |(name, ty): (&str, Type)| Field { name: name.into(), span, ty };
    Message {
        name: "OrderPlaced".into(),
        span,
        kind: MessageKind::Command,
        key: Some(0),
        fields: fields.into_iter().map(field).collect(),
        reply: vec![field(("accepted", Type::Bool)), field(("price", Type::Int))],
        size: 400,
        older: None,
        schema: 1,
        upcast: None,
    }
}

fn table(span: &Span, name: &str, key: &[usize], columns: &[(&str, Type)]) -> Table {
    let column = |(name, ty): &(&str, Type)| Column {
        name: (*name).into(),
        ty: ty.clone(),
        initial: Literal::Int(0),
        incidental: false,
        lifecycle: Vec::new(),
    };
    Table {
        name: name.into(),
        span: *span,
        service: ServiceId(0),
        memory: false,
        key: key.to_vec(),
        columns: columns.iter().map(column).collect(),
        bookkeeping: false,
        rows: Vec::new(),
        ttl: None,
        capacity: None,
        stream: None,
    }
}

/// A reader of flow notation, just enough for tests.
struct Flow<'t> {
    text: &'t str,
    at: usize,
    file: FileId,
}

impl Flow<'_> {
    fn node(&mut self) -> Node {
        self.skip();
        let start = self.at;
        let kind = match self.text.as_bytes().get(self.at) {
            Some(b'{') => self.map(),
            Some(b'[') => {
                let mut items = Vec::new();
                self.at += 1;
                while !self.closes(b']') {
                    items.push(self.node());
                }
                NodeKind::List(items)
            }
            _ => {
                let end =
                    self.text[self.at..].find([',', '}', ']']).map_or(self.text.len(), |end| self.at + end);
                return self.scalar(end);
            }
        };
        Node { kind, span: self.span(start, self.at) }
    }

    fn map(&mut self) -> NodeKind {
        let mut map = Map::new();
        self.at += 1;
        while !self.closes(b'}') {
            let end = self.at + self.text[self.at..].find(':').expect("a key ends with a colon");
            let (key, key_span) = (self.text[self.at..end].trim().to_owned(), self.span(self.at, end));
            self.at = end + 1;
            let value = self.node();
            map.insert(key, Entry { key_span, value });
        }
        NodeKind::Map(map)
    }

    /// Skips a separator and tells whether the collection ends.
    fn closes(&mut self, closer: u8) -> bool {
        self.skip();
        if self.text.as_bytes()[self.at] == b',' {
            self.at += 1;
            self.skip();
        }
        let closes = self.text.as_bytes()[self.at] == closer;
        self.at += usize::from(closes);
        closes
    }

    fn scalar(&mut self, end: usize) -> Node {
        let text = self.text[self.at..end].trim_end().to_owned();
        let span = self.span(self.at, self.at + text.len());
        self.at = end;
        Node { kind: NodeKind::Text { text, quoted: false, offsets_exact: true }, span }
    }

    fn skip(&mut self) {
        while self.text.as_bytes().get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: start as u32, end: end as u32 }
    }
}
