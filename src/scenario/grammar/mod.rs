//! The structure of the scenario language, as data: which keys stand where, what each takes, what it
//! means and what it is when left out.
//!
//! One place, three readers: [`check`] holds a syntax tree against it, [`schema`] writes it down as a
//! JSON Schema, and [`reference()`] as the language reference for people. Nothing about the structure of
//! the language is said anywhere else, so the three cannot disagree.
//!
//! The law: every key of the language is in [`language`], also those that no engine carries out yet. The
//! grammar says what a scenario may look like; units, types, names and what can be run are judged
//! later, by the passes that need them.
//!
//! ```
//! use eventflow::scenario::grammar::{Shape, language::SCENARIO};
//!
//! let run = SCENARIO.keys().find(|key| key.name == "run").unwrap();
//! let Shape::Record(run) = run.shape else { panic!("a record") };
//! assert!(run.keys().any(|key| key.name == "horizon"));
//! ```

mod check;
pub mod language;
mod name;
mod reference;
mod schema;

pub use check::check;
pub use name::Kind;
pub use reference::reference;
pub use schema::schema;

/// What may stand at one place of a scenario.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Nothing to say: a verb written as a bare word, or with an empty map.
    Nothing,
    /// Any one-line or longer text.
    Text,
    /// The path of a file, from the folder of the scenario.
    Path,
    /// A name that was given elsewhere, or is given here.
    Name(Kind),
    /// One name, or a list of names.
    Names(Kind),
    /// One of these words.
    Word(&'static [Word]),
    /// `true` or `false`.
    Boolean,
    /// A constant with a unit (counts are bare).
    Quantity(Quantity),
    /// A bound of a guarantee: a count, or a percentage.
    Bound,
    /// A change of an enumerated column: `placed -> shipped`.
    Transition,
    /// A type of a field or column.
    Type,
    /// An expression; what it should come to.
    Expression(Expected),
    /// An expression or a generator; what it should come to.
    Value(Expected),
    /// A list of steps.
    Steps,
    /// A list with at least so many elements.
    List { of: &'static Shape, least: usize },
    /// A list of exactly these, named by what each is.
    Tuple { names: &'static [&'static str], of: &'static Shape },
    /// Entries with names of the user's choice.
    Map { name: Kind, value: &'static Shape },
    /// A map with the keys of the record.
    Record(&'static Record),
    /// Some keys of the record, as a merge patch: nothing is required and `null` removes.
    Patch(&'static Record),
    /// Any scalar, list or map.
    Anything,
    /// The first of these that fits.
    OneOf(&'static [Shape]),
}

/// A word of a word list, and what it means.
pub type Word = (&'static str, &'static str);

/// Constants, by what they measure. Rates are positive, the others not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// `5ms`.
    Duration,
    /// `-2s`: may be negative.
    SignedDuration,
    /// `12`.
    Count,
    /// `1.5`.
    Number,
    /// `0.1%`.
    Share,
    /// `400B`.
    Size,
    /// `200/s`.
    Rate,
    /// `10MB/s`.
    Bandwidth,
}

/// What an expression should come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expected {
    Anything,
    Truth,
    Duration,
    Count,
    List,
}

/// A key of a record.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub presence: Presence,
    /// What it means, in a sentence or a few, with units.
    pub about: &'static str,
}

/// Whether a key may be left out, and what it is then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Required,
    /// Left out, it has no effect.
    Optional,
    /// Left out, it is this, as it would be written.
    Default(&'static str),
    /// Left out, it is what these words say.
    Otherwise(&'static str),
}

impl Key {
    pub const fn required(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, shape, presence: Presence::Required, about }
    }

    pub const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, shape, presence: Presence::Optional, about }
    }

    /// `default` as it would be written.
    pub const fn default(
        name: &'static str,
        shape: Shape,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, shape, presence: Presence::Default(default), about }
    }

    /// `otherwise` in words.
    pub const fn otherwise(
        name: &'static str,
        shape: Shape,
        otherwise: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, shape, presence: Presence::Otherwise(otherwise), about }
    }
}

/// A map with keys of the language's choice.
#[derive(Debug)]
pub struct Record {
    /// Its name in the schema and the anchor in the reference: `service`.
    pub name: &'static str,
    /// How one speaks of it: "a service", "`run`".
    pub called: &'static str,
    pub about: &'static str,
    /// Keys that may stand in every such map, in groups (a group may be shared by several records).
    pub groups: &'static [&'static [Key]],
    /// Of each choice exactly one alternative is taken.
    pub choices: &'static [Choice],
}

impl Record {
    /// The keys of all groups, without the alternatives of choices.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.groups.iter().flat_map(|group| group.iter())
    }
}

/// One of several keys: the verb of a step, the family of a generator, when a fault strikes.
#[derive(Debug)]
pub struct Choice {
    /// What is chosen: "verb".
    pub called: &'static str,
    pub alternatives: &'static [Alternative],
}

/// An alternative of a choice, with the options that stand beside it and beside it alone.
#[derive(Debug)]
pub struct Alternative {
    pub key: Key,
    pub beside: &'static [Key],
}

impl Alternative {
    pub const fn new(name: &'static str, shape: Shape, beside: &'static [Key], about: &'static str) -> Self {
        Self { key: Key::optional(name, shape, about), beside }
    }
}

impl Shape {
    /// What is expected, for a diagnostic: "a duration such as `5ms`".
    pub fn expected(&self) -> String {
        match self {
            Self::Nothing => "nothing".into(),
            Self::Text => "text".into(),
            Self::Path => "the path of a file".into(),
            Self::Name(kind) => kind.with_article(),
            Self::Names(kind) => format!("{} or a list of them", kind.with_article()),
            Self::Word(words) => match words {
                [(word, _)] => format!("`{word}`"),
                _ => format!("one of {}", list(words.iter().map(|(word, _)| *word))),
            },
            Self::Boolean => "`true` or `false`".into(),
            Self::Quantity(quantity) => quantity.expected().into(),
            Self::Bound => "a count or a percentage".into(),
            Self::Transition => "a change such as `placed -> shipped`".into(),
            Self::Type => "a type".into(),
            Self::Expression(expected) => expected.expression().into(),
            Self::Value(expected) => format!("{} or a generator", expected.expression()),
            Self::Steps => "a list of steps".into(),
            Self::List { of, least: 0 | 1 } => format!("a list ({} each)", of.expected()),
            Self::List { of, least } => format!("a list of at least {least} ({} each)", of.expected()),
            Self::Tuple { names, .. } => format!("a list of {}: [{}]", names.len(), names.join(", ")),
            Self::Map { name, .. } => format!("a map from {} to what it is", name.with_article()),
            Self::Record(record) | Self::Patch(record) => format!("a map, {}", record.called),
            Self::Anything => "anything".into(),
            Self::OneOf(shapes) => shapes.iter().map(Self::expected).collect::<Vec<_>>().join(", or "),
        }
    }

    /// Whether a single piece of text can be right.
    fn admits_text(&self) -> bool {
        match self {
            Self::Nothing
            | Self::Steps
            | Self::List { .. }
            | Self::Tuple { .. }
            | Self::Map { .. }
            | Self::Record(_)
            | Self::Patch(_) => false,
            Self::OneOf(shapes) => shapes.iter().any(Self::admits_text),
            _ => true,
        }
    }

    fn admits_list(&self) -> bool {
        match self {
            Self::Names(_)
            | Self::Type
            | Self::Steps
            | Self::List { .. }
            | Self::Tuple { .. }
            | Self::Anything => true,
            Self::OneOf(shapes) => shapes.iter().any(Self::admits_list),
            _ => false,
        }
    }

    fn admits_map(&self) -> bool {
        match self {
            Self::Nothing
            | Self::Type
            | Self::Value(_)
            | Self::Map { .. }
            | Self::Record(_)
            | Self::Patch(_)
            | Self::Anything => true,
            Self::OneOf(shapes) => shapes.iter().any(Self::admits_map),
            _ => false,
        }
    }

    /// Whether the verb it belongs to may be written as a bare word.
    fn admits_nothing(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::OneOf(shapes) => shapes.iter().any(Self::admits_nothing),
            _ => false,
        }
    }
}

impl Quantity {
    fn called(self) -> &'static str {
        match self {
            Self::Duration | Self::SignedDuration => "duration",
            Self::Count => "count",
            Self::Number => "number",
            Self::Share => "share",
            Self::Size => "size",
            Self::Rate => "rate",
            Self::Bandwidth => "bandwidth",
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Duration => "a duration such as `5ms`",
            Self::SignedDuration => "a duration such as `5ms` or `-2s`",
            Self::Count => "a count such as `12`",
            Self::Number => "a number such as `1.5`",
            Self::Share => "a percentage such as `0.1%`",
            Self::Size => "a size such as `400B`",
            Self::Rate => "a rate such as `200/s`",
            Self::Bandwidth => "a bandwidth such as `10MB/s`",
        }
    }
}

impl Expected {
    fn expression(self) -> &'static str {
        match self {
            Self::Anything => "an expression",
            Self::Truth => "an expression that is true or false",
            Self::Duration => "a duration such as `5ms` (an expression)",
            Self::Count => "a count (an expression)",
            Self::List => "a list (an expression)",
        }
    }
}

/// Visits every record that can be reached from one, each once, the outer ones first.
pub fn walk(root: &'static Record, visit: impl FnMut(&'static Record)) {
    walk_through(root, |_| true, visit);
}

/// The same, through those shapes alone that `enter` admits.
fn walk_through(
    root: &'static Record,
    enter: impl Fn(Shape) -> bool,
    mut visit: impl FnMut(&'static Record),
) {
    let mut known = vec![root];
    let mut next = 0;
    while let Some(&record) = known.get(next) {
        next += 1;
        visit(record);
        let alternatives = || record.choices.iter().flat_map(|choice| choice.alternatives.iter());
        let options =
            alternatives().flat_map(|alternative| alternative.beside.iter().chain([&alternative.key]));
        let mut shapes: Vec<Shape> = record.keys().chain(options).map(|key| key.shape).collect();
        while let Some(shape) = shapes.pop() {
            if !enter(shape) {
                continue;
            }
            let inner = match shape {
                Shape::Record(inner) | Shape::Patch(inner) => inner,
                Shape::Steps => &language::STEP,
                Shape::Value(_) => &language::GENERATOR,
                Shape::List { of, .. } | Shape::Tuple { of, .. } | Shape::Map { value: of, .. } => {
                    shapes.push(*of);
                    continue;
                }
                Shape::OneOf(several) => {
                    shapes.extend(several);
                    continue;
                }
                _ => continue,
            };
            if !known.iter().any(|seen| std::ptr::eq(*seen, inner)) {
                known.push(inner);
            }
        }
    }
}

/// Words in backquotes, with "and" or "or" left to the sentence around them.
fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
