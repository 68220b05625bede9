//! Maps with keys of the language's choice: unknown keys, missing ones, choices and their options.

use super::wording::{names, short};
use super::{Checker, Mood, Subject, Task};
use crate::scenario::diagnostic::{Diagnostic, begun, closest};
use crate::scenario::grammar::language::{SCENARIO, STEP};
use crate::scenario::grammar::{Alternative, Choice, Key, Presence, Record, list, walk};
use crate::scenario::node::{Entry, Map};
use crate::scenario::source::Span;

/// Up to how many allowed keys a help lists.
const FEW: usize = 12;

impl Record {
    /// The key of this name: of the record, an alternative or an option.
    pub(super) fn find(&self, name: &str) -> Option<&'static Key> {
        let alternatives = || self.choices.iter().flat_map(|choice| choice.alternatives.iter());
        self.keys()
            .chain(alternatives().map(|alternative| &alternative.key))
            .chain(alternatives().flat_map(|alternative| alternative.beside.iter()))
            .find(|key| key.name == name)
    }
}

impl<'a> Checker<'a> {
    /// `place` is underlined where something is missing.
    pub(super) fn record(&mut self, map: &'a Map, record: &'static Record, mood: Mood, place: Span) {
        let taken = taken(map, record);
        self.choices(map, record, &taken, mood, place);
        for (name, entry) in map {
            match allowed(record, &taken).find(|key| key.name == name) {
                Some(key) => self.pending.push(Task {
                    node: &entry.value,
                    shape: key.shape,
                    mood: if mood == Mood::Later { Mood::Whole } else { mood },
                    place: entry.key_span,
                    subject: Subject::Value(key.name),
                }),
                None => self.unknown(name, entry, record, &taken),
            }
        }
        if mood == Mood::Whole {
            self.missing(map, record, &taken, place);
        }
    }

    /// Each choice is made once.
    fn choices(
        &mut self,
        map: &'a Map,
        record: &'static Record,
        taken: &[&'static Alternative],
        mood: Mood,
        place: Span,
    ) {
        for choice in record.choices {
            let mut made = taken.iter().filter(|alternative| belongs(alternative, choice));
            match (made.next(), made.next()) {
                (None, _) if mood == Mood::Whole => self.no_choice(map, record, choice, place),
                (Some(first), Some(second)) => {
                    let [one, other] = [first, second].map(|alternative| alternative.key.name);
                    let (first, second) = (&map[one], &map[other]);
                    self.mistakes.push(
                        Diagnostic::new(
                            "two-choices",
                            second.key_span,
                            format!(
                                "{} takes one {}, not both `{one}` and `{other}`",
                                record.called, choice.called
                            ),
                        )
                        .related(first.key_span, "the other one")
                        .help(if std::ptr::eq(record, &STEP) {
                            "make it two steps, one after the other"
                        } else {
                            "leave one of them out"
                        }),
                    );
                }
                _ => {}
            }
        }
    }

    /// No alternative of a choice is there; perhaps one was misspelt, which is said with that key.
    fn no_choice(&mut self, map: &Map, record: &Record, choice: &'static Choice, place: Span) {
        let misspelt = |key: &&String| record.find(key).is_none() && closest(key, names(choice)).is_some();
        if map.keys().any(|key| misspelt(&key)) {
            return;
        }
        let unknown = map.iter().find(|(key, _)| record.find(key).is_none());
        let (span, message) = match unknown {
            // The unknown key is most likely the verb that was meant, and is reported here alone.
            Some((key, entry)) if record.choices.len() == 1 => {
                (entry.key_span, format!("`{}` is no {} of {}", short(key), choice.called, record.called))
            }
            _ => (
                map.first()
                    .filter(|_| std::ptr::eq(record, &STEP))
                    .map_or(place, |(_, first)| first.key_span),
                format!("{} needs {} {}", record.called, article(choice.called), choice.called),
            ),
        };
        self.mistakes.push(
            Diagnostic::new("no-choice", span, message)
                .help(format!("exactly one of {}", list(names(choice)))),
        );
    }

    /// A record written as a word: a verb that needs nothing more.
    pub(super) fn bare_word(&mut self, task: Task<'a>, text: &str, record: &'static Record) {
        let alternatives = || record.choices.iter().flat_map(|choice| choice.alternatives.iter());
        match alternatives().find(|alternative| alternative.key.name == text) {
            Some(alternative) if alternative.key.shape.admits_nothing() => {}
            Some(alternative) => self.mistakes.push(
                Diagnostic::new("no-value", task.node.span, format!("`{text}` needs a value"))
                    .help(format!("write `{text}: …` with {}", alternative.key.shape.expected())),
            ),
            None => {
                let message = match record.choices {
                    [choice] => format!("`{}` is no {} of {}", short(text), choice.called, record.called),
                    _ => {
                        format!("{} should be {}, not `{}`", task.subject, task.shape.expected(), short(text))
                    }
                };
                let mistake = Diagnostic::new("wrong-shape", task.node.span, message);
                let near = closest(text, alternatives().map(|alternative| alternative.key.name));
                self.mistakes.push(match near {
                    Some(near) => mistake.help(format!("did you mean `{near}`?")),
                    None => mistake,
                });
            }
        }
    }

    fn missing(&mut self, map: &Map, record: &'static Record, taken: &[&'static Alternative], place: Span) {
        let missing = allowed(record, taken)
            .filter(|key| key.presence == Presence::Required && !map.contains_key(key.name));
        for key in missing {
            let beside = taken
                .iter()
                .find(|alternative| alternative.beside.iter().any(|option| option.name == key.name));
            let (span, whose) = match beside {
                Some(alternative) => {
                    (map[alternative.key.name].key_span, format!("`{}`", alternative.key.name))
                }
                None => (place, record.called.to_owned()),
            };
            self.mistakes.push(
                Diagnostic::new("missing-key", span, format!("{whose} needs `{}`", key.name)).help(format!(
                    "`{}` takes {}",
                    key.name,
                    key.shape.expected()
                )),
            );
        }
    }

    fn unknown(
        &mut self,
        name: &str,
        entry: &Entry,
        record: &'static Record,
        taken: &[&'static Alternative],
    ) {
        if record.choices.len() == 1 && taken.is_empty() {
            // Without a verb nobody knows which options are right: only a misspelt verb is reported.
            let choice = &record.choices[0];
            if record.find(name).is_none()
                && let Some(near) = closest(name, names(choice))
            {
                self.mistakes.push(
                    Diagnostic::new(
                        "unknown-key",
                        entry.key_span,
                        format!("`{}` is no {} of {}", short(name), choice.called, record.called),
                    )
                    .help(format!("did you mean `{near}`?")),
                );
            }
            return;
        }
        let mistake = match taken.first() {
            Some(first) if record.find(name).is_some() => {
                misplaced(name, entry, record, rival(name, record, taken).unwrap_or(first))
            }
            _ => Diagnostic::new(
                "unknown-key",
                entry.key_span,
                format!("{} `{}`", lacks(record, taken), short(name)),
            ),
        };
        let mut help = Vec::new();
        let known = || allowed(record, taken).map(|key| key.name);
        if let Some(near) = closest(name, known()).or_else(|| begun(name, known())) {
            help.push(format!("did you mean `{near}`?"));
        }
        if record.find(name).is_none() {
            help.extend(elsewhere(name));
        }
        if help.is_empty() && allowed(record, taken).count() <= FEW {
            help.push(format!("it takes {}", list(allowed(record, taken).map(|key| key.name))));
        }
        self.mistakes.push(match (&mistake.help, help.is_empty()) {
            (None, false) => mistake.help(help.join(" ")),
            _ => mistake,
        });
    }
}

/// The alternatives that a map takes. A key that is an option beside another one taken is not one.
fn taken(map: &Map, record: &'static Record) -> Vec<&'static Alternative> {
    let present: Vec<_> = record
        .choices
        .iter()
        .flat_map(|choice| choice.alternatives.iter())
        .filter(|alternative| map.contains_key(alternative.key.name))
        .collect();
    let option_of_another = |name: &str| {
        present
            .iter()
            .filter(|other| other.key.name != name)
            .any(|other| other.beside.iter().any(|option| option.name == name))
    };
    present.iter().copied().filter(|alternative| !option_of_another(alternative.key.name)).collect()
}

fn belongs(alternative: &Alternative, choice: &Choice) -> bool {
    choice.alternatives.iter().any(|other| std::ptr::eq(other, alternative))
}

/// The keys that may stand in a record when these alternatives are taken, options first: they are
/// what a key means that is also an alternative.
fn allowed<'t>(
    record: &'static Record,
    taken: &'t [&'static Alternative],
) -> impl Iterator<Item = &'static Key> + use<'t> {
    let untaken = record.choices.iter().flat_map(move |choice| {
        let open = !taken.iter().any(|alternative| belongs(alternative, choice));
        choice.alternatives.iter().filter(move |_| open).map(|alternative| &alternative.key)
    });
    taken
        .iter()
        .flat_map(|alternative| alternative.beside.iter())
        .chain(taken.iter().map(|alternative| &alternative.key))
        .chain(record.keys())
        .chain(untaken)
}

/// The alternative that was taken instead of one that has this option.
fn rival(
    name: &str,
    record: &'static Record,
    taken: &[&'static Alternative],
) -> Option<&'static Alternative> {
    let has_option = |alternative: &Alternative| alternative.beside.iter().any(|key| key.name == name);
    let choice = record.choices.iter().find(|choice| choice.alternatives.iter().any(has_option))?;
    taken.iter().copied().find(|alternative| belongs(alternative, choice))
}

/// An option beside an alternative that does not have it.
fn misplaced(name: &str, entry: &Entry, record: &'static Record, taken: &Alternative) -> Diagnostic {
    let owners = record
        .choices
        .iter()
        .flat_map(|choice| choice.alternatives.iter())
        .filter(|alternative| alternative.beside.iter().any(|key| key.name == name))
        .map(|alternative| alternative.key.name);
    let own = taken.beside.iter().map(|key| key.name);
    let verb = taken.key.name;
    let takes = match taken.beside {
        [] => format!("`{verb}` has no options"),
        _ => format!("`{verb}` takes {}", list(own.clone())),
    };
    let near = closest(name, own).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Diagnostic::new("misplaced-option", entry.key_span, format!("`{name}` does not go with `{verb}`"))
        .help(format!("{near}it goes with {}; {takes}", list(owners)))
}

/// What a key is missing from: "`read` has no option", else "a service has no key".
fn lacks(record: &Record, taken: &[&'static Alternative]) -> String {
    match (record.choices, taken) {
        ([_], [verb, ..]) => format!("`{}` has no option", verb.key.name),
        _ => format!("{} has no key", record.called),
    }
}

/// Where else in the language a key of this name stands.
fn elsewhere(name: &str) -> Option<String> {
    const MOST: usize = 4;
    let mut places = Vec::new();
    walk(&SCENARIO, |record| {
        if record.keys().any(|key| key.name == name) {
            places.push(format!("in {}", record.called));
        }
        for alternative in record.choices.iter().flat_map(|choice| choice.alternatives.iter()) {
            if alternative.key.name == name {
                places.push(format!("in {}", record.called));
            }
            if alternative.beside.iter().any(|key| key.name == name) {
                places.push(format!("beside `{}`", alternative.key.name));
            }
        }
    });
    places.sort_by_key(|place| place.starts_with("beside"));
    if places.is_empty() {
        return None;
    }
    let more = if places.len() > MOST { " and elsewhere" } else { "" };
    places.truncate(MOST);
    Some(format!("`{name}` belongs {}{more}", places.join(", ")))
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
