//! Holds a syntax tree against the grammar.
//!
//! The tree is walked with a list of what is still to be checked, not by recursion, so that nesting
//! costs no stack. Every mistake is reported, in the order of the file; what lies inside a mistake that
//! makes its meaning unclear is left alone.

mod record;
mod wording;

use super::language::{GENERATOR, SCENARIO, STEP};
use super::name::{Kind, plain};
use super::{Quantity, Shape, Word};
use crate::scenario::diagnostic::{Diagnostic, Diagnostics, begun, closest};
use crate::scenario::node::{Map, Node, NodeKind};
use crate::scenario::source::Span;
use wording::{found, found_here, names};

/// Checks the structure of a scenario after `extends`, `--set` and whole-value parameters were applied:
/// keys, shapes, words, names. Units, types and what names refer to are not looked at.
///
/// Mistakes are added to `diagnostics`, in the order of the file.
pub fn check(root: &Node, diagnostics: &mut Diagnostics) {
    let mut checker = Checker { pending: Vec::new(), mistakes: Vec::new() };
    match &root.kind {
        NodeKind::Map(map) => {
            let place = map.first().map_or(root.span, |(_, first)| first.key_span);
            checker.record(map, &SCENARIO, Mood::Whole, place);
        }
        _ => checker.mistakes.push(
            Diagnostic::new(
                "wrong-shape",
                root.span,
                format!("a scenario is a map of keys, not {}", found(root)),
            )
            .help("begin with `scenario: name`"),
        ),
    }
    while let Some(task) = checker.pending.pop() {
        checker.shape(task);
    }
    checker.mistakes.sort_by_key(|mistake| mistake.span);
    diagnostics.list.append(&mut checker.mistakes);
}

/// How complete a map has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// Everything required is there.
    Whole,
    /// A later schema of a message: what it leaves out is as in the first.
    Later,
    /// A merge patch: anything may be left out, and `null` removes.
    Patch,
}

/// A node that is still to be held against a shape.
#[derive(Clone, Copy)]
struct Task<'a> {
    node: &'a Node,
    shape: Shape,
    mood: Mood,
    /// What to underline when something is missing in it: its key, or what stands for it.
    place: Span,
    /// The key it is the value of, in backquotes, or how else to speak of it.
    subject: Subject<'a>,
}

/// How a diagnostic speaks of a node.
#[derive(Clone, Copy)]
enum Subject<'a> {
    /// The value of a key.
    Value(&'a str),
    /// An element of the list under a key.
    Element(&'a str),
}

impl std::fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(key) => write!(f, "`{key}`"),
            Self::Element(key) => write!(f, "an element of `{key}`"),
        }
    }
}

struct Checker<'a> {
    pending: Vec<Task<'a>>,
    mistakes: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    fn shape(&mut self, task: Task<'a>) {
        match &task.node.kind {
            // Nulls were reported when the file was read, but for those that remove a key.
            NodeKind::Null => {}
            NodeKind::Text { text, quoted, .. } => {
                // A parameter that is still here is unknown, and was reported when it was looked up.
                if !text.starts_with('$') {
                    self.text(task, text, *quoted);
                }
            }
            NodeKind::List(items) => self.list(task, items),
            NodeKind::Map(map) => self.map(task, map),
        }
    }

    /// A scalar.
    fn text(&mut self, task: Task<'a>, text: &str, quoted: bool) {
        match task.shape {
            Shape::OneOf(shapes) => {
                if let Some(words) = shapes.iter().find_map(words_of) {
                    self.text_beside_words(task, text, quoted, words, shapes);
                } else if let Some(shape) = shapes.iter().find(|shape| could_be(shape, text)) {
                    self.text(Task { shape: *shape, ..task }, text, quoted);
                } else {
                    self.mistakes.push(wrong_shape(task));
                }
            }
            Shape::Word(words) => {
                if !words.iter().any(|(word, _)| *word == text) {
                    self.mistakes.push(unknown_word(task, text, words));
                }
            }
            Shape::Boolean => {
                if quoted || !matches!(text, "true" | "false") {
                    self.mistakes.push(not_a_truth_value(task, text));
                }
            }
            Shape::Name(kind) | Shape::Names(kind) => {
                if !kind.admits(text) {
                    self.mistakes.push(bad_name(task.node.span, kind, text));
                }
            }
            Shape::Transition => {
                if !text.split_once("->").is_some_and(|(from, to)| plain(from.trim()) && plain(to.trim())) {
                    self.mistakes.push(
                        Diagnostic::new(
                            "wrong-shape",
                            task.node.span,
                            format!("`{text}` is not a change of a value"),
                        )
                        .help("write the two words with an arrow between them: `placed -> shipped`"),
                    );
                }
            }
            Shape::Record(record) => self.bare_word(task, text, record),
            shape if shape.admits_text() => {}
            _ => self.mistakes.push(wrong_shape(task)),
        }
    }

    /// A scalar where some words are admitted beside something else: `unlimited` or a count.
    fn text_beside_words(
        &mut self,
        task: Task<'a>,
        text: &str,
        quoted: bool,
        words: &'static [Word],
        shapes: &'static [Shape],
    ) {
        if words.iter().any(|(word, _)| *word == text) {
            return;
        }
        let others = shapes.iter().find(|shape| shape.admits_text() && words_of(shape).is_none());
        match others {
            // A constant is never a bare word, so this was meant to be one of ours.
            None | Some(Shape::Quantity(_)) if plain(text) => {
                self.mistakes.push(unknown_word(task, text, words));
            }
            None => self.mistakes.push(wrong_shape(task)),
            Some(shape) => self.text(Task { shape: *shape, ..task }, text, quoted),
        }
    }

    fn list(&mut self, task: Task<'a>, items: &'a [Node]) {
        match task.shape {
            Shape::OneOf(shapes) => match shapes.iter().find(|shape| shape.admits_list()) {
                Some(shape) => self.list(Task { shape: *shape, ..task }, items),
                None => self.mistakes.push(wrong_shape(task)),
            },
            Shape::Names(kind) => self.elements(task, items, Shape::Name(kind)),
            Shape::Type => self.elements(task, items, Shape::Name(Kind::Constant)),
            Shape::Steps => self.elements(task, items, Shape::Record(&STEP)),
            Shape::List { of, least } => {
                if items.len() < least {
                    self.mistakes.push(wrong_length(task, items.len()));
                }
                self.elements(task, items, *of);
            }
            Shape::Tuple { names, of } => {
                if items.len() != names.len() {
                    self.mistakes.push(wrong_length(task, items.len()));
                }
                self.elements(task, items, *of);
            }
            Shape::Anything => {}
            _ => self.mistakes.push(wrong_shape(task)),
        }
    }

    fn elements(&mut self, task: Task<'a>, items: &'a [Node], shape: Shape) {
        let (Subject::Value(key) | Subject::Element(key)) = task.subject;
        self.pending.extend(items.iter().map(|node| Task {
            node,
            shape,
            mood: Mood::Whole,
            place: node.span,
            subject: Subject::Element(key),
        }));
    }

    fn map(&mut self, task: Task<'a>, map: &'a Map) {
        match task.shape {
            Shape::OneOf(shapes) => {
                let fitting = shapes.iter().filter(|shape| shape.admits_map());
                match fitting.rev().max_by_key(|shape| likeness(shape, map)) {
                    Some(shape) => self.map(Task { shape: *shape, ..task }, map),
                    None => self.mistakes.push(wrong_shape(task)),
                }
            }
            Shape::Anything => {}
            Shape::Nothing => {
                if let Some((_, first)) = map.first() {
                    self.mistakes.push(
                        Diagnostic::new(
                            "wrong-shape",
                            first.key_span,
                            format!("{} takes nothing", task.subject),
                        )
                        .help(format!("write {} as a bare word", task.subject)),
                    );
                }
            }
            Shape::Type => self.list_type(task, map),
            Shape::Value(_) if task.mood == Mood::Patch => {}
            Shape::Value(_) => self.generator(task, map),
            Shape::Record(record) => self.record(map, record, task.mood, task.place),
            Shape::Patch(record) => self.record(map, record, Mood::Patch, task.place),
            Shape::Map { name, value } => self.entries(task, map, name, *value),
            _ => self.mistakes.push(wrong_shape(task)),
        }
    }

    /// Entries whose names are the user's.
    fn entries(&mut self, task: Task<'a>, map: &'a Map, kind: Kind, shape: Shape) {
        for (name, entry) in map {
            if !kind.admits(name) {
                self.mistakes.push(bad_name(entry.key_span, kind, name));
            }
            let later = kind == Kind::Message && name.contains('@') && task.mood == Mood::Whole;
            self.pending.push(Task {
                node: &entry.value,
                shape,
                mood: if later { Mood::Later } else { task.mood },
                place: entry.key_span,
                subject: Subject::Value(name),
            });
        }
    }

    /// A map where a type is expected: `{ list: type }`.
    fn list_type(&mut self, task: Task<'a>, map: &'a Map) {
        match map.first() {
            Some((key, entry)) if key == "list" && map.len() == 1 => self.pending.push(Task {
                node: &entry.value,
                shape: Shape::Type,
                mood: Mood::Whole,
                place: entry.key_span,
                subject: Subject::Value("list"),
            }),
            _ => self.mistakes.push(
                Diagnostic::new("wrong-shape", task.place, format!("{} should be a type", task.subject)).help(
                    "a type is `id`, `int`, `bool`, `text`, `time`, `duration`, a list of words such as `[placed, shipped]`, or `{ list: type }`",
                ),
            ),
        }
    }

    /// A map where an expression or a generator is expected.
    fn generator(&mut self, task: Task<'a>, map: &'a Map) {
        let known = |key: &str| {
            let families = GENERATOR.choices[0].alternatives;
            families.iter().map(|family| &family.key).chain(GENERATOR.keys()).any(|known| known.name == key)
        };
        let close = |key: &str| closest(key, names(&GENERATOR.choices[0])).is_some();
        if map.keys().any(|key| known(key) || close(key)) {
            self.record(map, &GENERATOR, task.mood, task.place);
            return;
        }
        self.mistakes.push(
            Diagnostic::new(
                "wrong-shape",
                task.node.span,
                format!("{} should be {}, not a map", task.subject, task.shape.expected()),
            )
            .label("neither an expression nor a generator")
            .help(format!(
                "quote an expression that holds braces; a generator is `{{ family: … }}` with one of {}",
                super::list(names(&GENERATOR.choices[0]))
            )),
        );
    }
}

/// The words of a word list.
fn words_of(shape: &Shape) -> Option<&'static [Word]> {
    match shape {
        Shape::Word(words) => Some(words),
        _ => None,
    }
}

/// Whether text may have been meant as this: numbers are no truth values.
fn could_be(shape: &Shape, text: &str) -> bool {
    match shape {
        Shape::Boolean => plain(text),
        _ => shape.admits_text(),
    }
}

/// How many keys of a map a shape knows: of several shapes, the one that was meant knows most.
fn likeness(shape: &Shape, map: &Map) -> usize {
    match shape {
        Shape::Record(record) | Shape::Patch(record) => {
            map.keys().filter(|key| record.find(key).is_some()).count()
        }
        Shape::Type => usize::from(map.contains_key("list")),
        Shape::Map { .. } => usize::from(!map.is_empty()),
        _ => 0,
    }
}

fn wrong_shape(task: Task) -> Diagnostic {
    let mistake = Diagnostic::new(
        "wrong-shape",
        task.node.span,
        format!("{} should be {}, not {}", task.subject, task.shape.expected(), found(task.node)),
    )
    .label(found_here(task.node));
    match (task.shape, &task.node.kind) {
        (Shape::Steps, NodeKind::Map(_) | NodeKind::Text { .. }) => {
            mistake.help("put the step into a list: `[ … ]`, or a line that begins with `- `")
        }
        (Shape::Expression(_) | Shape::Value(_), NodeKind::List(_)) => {
            mistake.help("quote an expression that begins with `[`: \"[1, 2]\"")
        }
        (Shape::Expression(_), NodeKind::Map(_)) => {
            mistake.help("quote an expression that holds braces; a generator cannot stand here")
        }
        (Shape::Quantity(Quantity::Share | Quantity::Duration | Quantity::Count, ..), NodeKind::Map(_)) => {
            mistake.help("a constant is expected here; a generator cannot stand here")
        }
        (Shape::Map { name, .. }, NodeKind::List(_)) => mistake.help(format!(
            "everything with a name is an entry of a map: write `name: …` for each, where the name is {}",
            name.with_article()
        )),
        _ => mistake,
    }
}

fn wrong_length(task: Task, length: usize) -> Diagnostic {
    Diagnostic::new(
        "wrong-length",
        task.node.span,
        format!("{} should be {}", task.subject, task.shape.expected()),
    )
    .label(match length {
        0 => "none given".to_owned(),
        1 => "one given".to_owned(),
        _ => format!("{length} given"),
    })
}

fn unknown_word(task: Task, text: &str, words: &'static [Word]) -> Diagnostic {
    let known = || words.iter().map(|(word, _)| *word);
    let expected = task.shape.expected();
    let mistake = Diagnostic::new(
        "unknown-word",
        task.node.span,
        format!("{} should be {expected}, not `{}`", task.subject, wording::short(text)),
    );
    match closest(text, known()).or_else(|| begun(text, known())) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None => mistake,
    }
}

fn not_a_truth_value(task: Task, text: &str) -> Diagnostic {
    let mistake = Diagnostic::new(
        "wrong-shape",
        task.node.span,
        format!("{} should be `true` or `false`, not `{}`", task.subject, wording::short(text)),
    );
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "1" | "true" => mistake.help("write `true`, without quotes"),
        "no" | "off" | "n" | "0" | "false" => mistake.help("write `false`, without quotes"),
        _ => mistake,
    }
}

fn bad_name(span: Span, kind: Kind, name: &str) -> Diagnostic {
    Diagnostic::new("bad-name", span, format!("`{}` cannot be {}", wording::short(name), kind.with_article()))
        .help(kind.rule())
}
