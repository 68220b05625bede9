//! The grammar as the language reference: an introduction written by hand, and every key from the data.

use super::language::*;
use super::{Alternative, Key, Presence, Record, Shape, list};
use crate::scenario::resolve::{built_in_part, not_built};
use std::fmt::Write;

/// The language reference, in Markdown (GitHub's flavour).
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    let _ = write!(
        page,
        "\n## Not built yet\n\nRead, checked and then refused by name: {}.\n",
        not_built().join(", ")
    );
    for chapter in CHAPTERS {
        let _ = write!(page, "\n## {}\n", chapter.heading);
        for record in chapter.records {
            page.push_str(&section(record));
        }
        if chapter.records.iter().any(|record| has_knobs(record)) {
            page.push_str(KNOBS_INTRODUCTION);
            page.push_str(&table("topic", KNOBS));
        }
    }
    page
}

const INTRODUCTION: &str = include_str!("introduction.md");

/// The knobs stand in three records, and are told once.
const KNOBS_INTRODUCTION: &str = "
<a id=\"knobs\"></a>
### Knobs

Every broker is the same machine with its knobs set in another way; a preset is such a setting. Any of them can be set on
the broker, on a topic and on a subscription, and the nearest wins. What nobody sets is as the preset has it.

";

/// Records that are read together.
struct Chapter {
    heading: &'static str,
    records: &'static [&'static Record],
}

static CHAPTERS: &[Chapter] = &[
    Chapter { heading: "The scenario", records: &[&SCENARIO, &RUN, &MESSAGE] },
    Chapter {
        heading: "Messaging",
        records: &[
            &BROKER,
            &TOPIC,
            &SUBSCRIPTION,
            &RETAIN,
            &MAX_IN_FLIGHT,
            &LEASE,
            &REDELIVER,
            &EXHAUST,
            &PRODUCER,
            &DEDUPLICATE,
            &REBALANCE,
        ],
    },
    Chapter {
        heading: "Services",
        records: &[&SERVICE, &QUEUE, &CALLS, &BREAKER, &RETRY, &OUTBOX, &HANDLER, &JOB, &AUTOSCALE],
    },
    Chapter {
        heading: "Stores",
        records: &[
            &STORE,
            &STORE_LATENCY,
            &TABLE,
            &COLUMN,
            &MEMORY_TABLE,
            &READ_REPLICA,
            &REPLICATION,
            &STREAM,
            &SNAPSHOT,
        ],
    },
    Chapter { heading: "Sagas", records: &[&SAGA, &SAGA_STEP, &AWAIT] },
    Chapter { heading: "Steps", records: &[&STEP] },
    Chapter {
        heading: "Generators",
        records: &[
            &GENERATOR,
            &NORMAL,
            &LOGNORMAL_MEDIAN,
            &LOGNORMAL_MEAN,
            &GAMMA,
            &ERLANG,
            &WEIBULL,
            &PARETO,
            &ZIPF,
            &MIXTURE_PART,
        ],
    },
    Chapter { heading: "Clients", records: &[&CLIENT, &ARRIVALS, &BURST, &RATE_POINT] },
    Chapter { heading: "The network", records: &[&NETWORK, &LINK_DEFAULT, &LINK] },
    Chapter { heading: "Faults and operations", records: &[&FAULT, &OPERATION] },
    Chapter {
        heading: "Guarantees",
        records: &[
            &GUARANTEES,
            &IDEMPOTENCY,
            &ORDERING,
            &ISOLATION,
            &CONVERGENCE,
            &SAGA_BOUNDS,
            &STALENESS,
            &REFERENCE,
        ],
    },
    Chapter { heading: "Invariants and proofs", records: &[&INVARIANT, &PROVE] },
];

fn has_knobs(record: &Record) -> bool {
    record.groups.iter().any(|group| std::ptr::eq(*group, KNOBS))
}

/// A record: what it is, its keys, and its choices with their options.
fn section(record: &Record) -> String {
    let mut text =
        format!("\n<a id=\"{}\"></a>\n### {}\n\n{}\n", record.name, capital(record.called), record.about);
    let own = record.groups.iter().filter(|group| !std::ptr::eq(**group, KNOBS));
    let keys: Vec<&Key> = own.flat_map(|group| group.iter()).collect();
    for choice in record.choices {
        let _ =
            write!(text, "\nExactly one {}:\n\n| key | takes | meaning |\n|---|---|---|\n", choice.called);
        for Alternative { key, beside } in choice.alternatives {
            let options = match beside {
                [] => String::new(),
                _ => format!(" Options: {}.", list(beside.iter().map(|option| option.name))),
            };
            let _ = writeln!(
                text,
                "| `{}` | {} | {}{options} |",
                key.name,
                takes(key.shape),
                meaning(record.name, key)
            );
        }
        for Alternative { key, beside } in choice.alternatives {
            if !beside.is_empty() {
                let _ = write!(text, "\nBeside `{}`:\n\n", key.name);
                text.push_str(&table(record.name, *beside));
            }
        }
    }
    if !keys.is_empty() {
        let lead = if record.choices.is_empty() { "\n" } else { "\nBeside any of these:\n\n" };
        text.push_str(lead);
        text.push_str(&table(record.name, keys));
    }
    if has_knobs(record) {
        text.push_str("\nAnd any of the [knobs](#knobs).\n");
    }
    text
}

fn table<'k>(record: &str, keys: impl IntoIterator<Item = &'k Key>) -> String {
    let mut text = String::from("| key | takes | left out | meaning |\n|---|---|---|---|\n");
    for key in keys {
        let left_out = match key.presence {
            Presence::Required => "**required**".to_owned(),
            Presence::Optional => "–".to_owned(),
            Presence::Default(default) => format!("`{default}`"),
            Presence::Otherwise(words) => words.to_owned(),
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {left_out} | {} |",
            key.name,
            takes(key.shape),
            meaning(record, key)
        );
    }
    text
}

/// What a key means, and each of its words; what of it is not built is said first.
fn meaning(record: &str, key: &Key) -> String {
    let mut text = match built_in_part(record, key.name) {
        Some(part) => format!("{part} {}", key.about),
        None => key.about.to_owned(),
    };
    for (word, about) in words(key.shape) {
        let _ = write!(text, "<br>`{word}`: {about}");
    }
    text.replace('|', "\\|")
}

fn words(shape: Shape) -> Vec<super::Word> {
    match shape {
        Shape::Word(words) => words.to_vec(),
        Shape::OneOf(shapes) => shapes.iter().flat_map(|shape| words(*shape)).collect(),
        Shape::List { of, .. } => words(*of),
        Shape::Map { value, .. } => words(*value),
        _ => Vec::new(),
    }
}

/// What a key takes, with links to the records.
fn takes(shape: Shape) -> String {
    match shape {
        Shape::Record(record) => link(record),
        Shape::Patch(record) => format!("a merge patch of {}", link(record)),
        Shape::Word(_) => "a word".into(),
        Shape::Quantity(quantity) => format!("[{}](#quantities)", quantity.called()),
        Shape::Type => "a [type](#expressions)".into(),
        Shape::Steps => "[steps](#step)".into(),
        Shape::Value(expected) => format!("{} or a [generator](#generator)", expected.expression()),
        Shape::List { of, .. } => format!("a list: {}", takes(*of)),
        Shape::Map { name, value } => format!("a map: {} → {}", name.called(), takes(*value)),
        Shape::OneOf(shapes) => shapes.iter().map(|shape| takes(*shape)).collect::<Vec<_>>().join(", or "),
        _ => shape.expected(),
    }
}

fn link(record: &Record) -> String {
    format!("[{}](#{})", record.called, record.name)
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::walk;
    use super::*;

    /// A record that is added to the language and to no chapter would be missing from the page.
    #[test]
    fn every_record_of_the_language_is_in_a_chapter_once() {
        walk(&SCENARIO, |record| {
            let times = CHAPTERS
                .iter()
                .flat_map(|chapter| chapter.records)
                .filter(|known| std::ptr::eq(**known, record));
            assert_eq!(times.count(), 1, "{}", record.name);
        });
    }

    #[test]
    fn every_link_of_the_page_leads_somewhere_on_it() {
        let page = reference();
        for link in page.split("](#").skip(1) {
            let anchor = link.split(')').next().unwrap();
            let heading = |line: &str| line.starts_with("## ") && line[3..].to_lowercase() == anchor;
            assert!(
                page.contains(&format!("<a id=\"{anchor}\"></a>")) || page.lines().any(heading),
                "{anchor}"
            );
        }
    }
}
