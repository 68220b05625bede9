//! Diagnostics as values: every mistake in a file is collected, with its place, what was expected
//! and, where something is close, the name that was meant.

use super::limits;
use super::source::Span;

/// One mistake of the user's.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Stable kebab-case name of the kind of mistake: `unknown-key`, `wrong-unit`.
    pub code: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The text to underline.
    pub span: Span,
    /// A few words beside the underlined text; may be empty.
    pub label: String,
    /// Other places that explain it ("first given here").
    pub related: Vec<(Span, String)>,
    /// What would be right ("did you mean `orders`?").
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            message: sentence(message.into()),
            span,
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = sentence(label.into());
        self
    }

    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, sentence(label.into())));
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(sentence(help.into()));
        self
    }
}

/// The mistakes found so far, [`limits::DIAGNOSTICS`] at most. Passes push into it and go on.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.list.push(diagnostic);
        }
    }

    /// Whether further mistakes are no longer kept; a pass may as well stop.
    pub fn is_full(&self) -> bool {
        self.list.len() >= limits::DIAGNOSTICS
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// The one of `known` that `word` was probably meant to be. Long words are not compared, and neither
/// is the far end of a long list, so that many mistakes in a large file stay cheap.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = |name: &str| 1.max(word.len().min(name.len()) / 3);
    known
        .into_iter()
        .take(limits::NAMES_SEEN)
        .filter(|name| word.len().max(name.len()) <= limits::NAME_BYTES_COMPARED)
        .filter(|name| word.len().abs_diff(name.len()) <= 4 * allowed(name))
        .take(limits::NAMES_COMPARED)
        .map(|name| (strsim::osa_distance(word, name), name))
        .filter(|&(distance, name)| distance <= allowed(name))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// The first of `known` whose first part `word` was probably meant to be: `sqs` for `sqs-standard`, `duplicates` for
/// `duplicate_effects`.
pub fn begun<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let first = |name: &'a str| name.split_once(['-', '_']).map(|(first, _)| first);
    known
        .into_iter()
        .take(limits::NAMES_COMPARED)
        .filter(|name| word.len().max(name.len()) <= limits::NAME_BYTES_COMPARED)
        .find(|name| first(name).is_some_and(|first| closest(word, [first]).is_some()))
}

/// A sentence with its end cut off if a name in it is longer than anyone reads.
fn sentence(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(limits::SENTENCE_CHARACTERS) {
        text.truncate(end);
        text.push('…');
    }
    text
}
