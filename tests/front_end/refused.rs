//! What the world would ignore is refused, at its place: nothing in a file is without effect in silence.

use eventflow::scenario::open::read_text;

const BASE: &str = "
scenario: base
messages:
  Go: { kind: command, key: id, fields: { id: id } }
  Gone: { kind: integration, key: id, fields: { id: id } }
brokers: { kafka: { preset: kafka } }
topics: { gone: { messages: [ Gone ], partitions: 4 }, dead: { messages: [ Gone ] } }
services:
  desk:
    place: [ eu, us ]
    store: { tables: { rows: { key: id, columns: { n: int } } } }
    handlers:
      Go:
        - { work: 5ms, name: think }
        - transaction: [ { insert: rows, key: message.id, name: store } ]
        - { publish: Gone, to: gone, with: message }
    jobs: { tidy: { every: 1m, do: [ { wait: 1ms } ] } }
  other:
    consumes: { gone: { ack: after } }
    handlers: { Gone: [ stop ] }
clients:
  user: { arrivals: { poisson: 5/s }, do: [ { let: { id: unique() } }, { call: desk.Go, with: { id: id } } ] }
  crowd: { arrivals: { times: [ 1s ] }, do: [ { let: { id: unique() } }, { call: desk.Go, with: { id: id } } ] }
";

/// What is written in place of what, the kind of mistake, and the text it is told at.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("to: gone, with", "to: gone, tombstone: true, with", "contradiction", "true"),
    ("every: 1m, do", "every: 1m, once_per: now, do", "not-built-yet", "now"),
    ("{ n: int }", "{ n: { list: int } }", "not-built-yet", "{ list: int }"),
    ("preset: kafka }", "preset: kafka, place: [ eu, us ] }", "not-built-yet", "[ eu, us ]"),
    (
        "ack: after }",
        "ack: after, exhaust: { after: 3, dead_letter: dead, transfer: at_most_once } }",
        "contradiction",
        "transfer",
    ),
    ("ack: after }", "ack: after, exhaust: { after: 3 } }", "contradiction", "after"),
    ("ack: after }", "ack: after, redeliver: { to: front } }", "contradiction", "to"),
    ("ack: after }", "ack: after, lease: { detect: 1s } }", "contradiction", "detect"),
    (
        "clients:",
        "network: { links: { l: { between: [ eu, other ], loss: 1% } } }\nclients:",
        "not-built-yet",
        "[ eu, other ]",
    ),
    (
        "clients:",
        "network: { links: { l: { between: [ eu, us ], duplicate: 1% } } }\nclients:",
        "duplicate-on-stream",
        "1%",
    ),
    (
        "clients:",
        "network: { links: { l: { between: [ desk, desk.store ], transport: datagram } } }\nclients:",
        "contradiction",
        "datagram",
    ),
    (
        "clients:",
        "faults: { f: { crash: desk, at_step: desk.Go.think, edge: unanswered } }\nclients:",
        "contradiction",
        "desk.Go.think",
    ),
    (
        "clients:",
        "faults: { f: { surge: crowd, by: 2, at: 1m, for: 1s } }\nclients:",
        "contradiction",
        "crowd",
    ),
    (
        "[ { insert: rows, key: message.id, name: store } ]",
        "[ { parallel: { a: [ { insert: rows, key: message.id } ] } } ]",
        "misplaced-step",
        "parallel",
    ),
    (
        "[ { insert: rows, key: message.id, name: store } ]",
        "[ { for_each: 1..3, as: i, parallel: true, do: [ { insert: rows, key: message.id } ] } ]",
        "misplaced-step",
        "for_each",
    ),
    (
        "[ { insert: rows, key: message.id, name: store } ]",
        "[ { transaction: [ { insert: rows, key: message.id } ] } ]",
        "misplaced-step",
        "transaction",
    ),
    ("{ work: 5ms, name", "{ work: 5ms, once_per: message.id, name", "misplaced-option", "message.id"),
    ("to: gone, with", "to: gone, once_per: unique(), with", "misplaced-option", "unique()"),
    (
        "to: gone, with",
        "to: gone, once_per: message.id, forward: true, with",
        "misplaced-option",
        "message.id",
    ),
    ("to: gone, with", "to: gone, forward: true, with", "contradiction", "publish"),
    ("to: gone, with", "to: gone, via: ack, with", "misplaced-option", "ack"),
    (
        "{ Gone: [ stop ] }",
        "{ Gone: [ { publish: Gone, to: dead, via: ack, confirm: false } ] }",
        "contradiction",
        "false",
    ),
    (
        "{ Gone: [ stop ] }",
        "{ Gone: [ { publish: Gone, to: dead, via: ack, delay: 1s } ] }",
        "not-built-yet",
        "1s",
    ),
    (
        "ack: after } }\n    handlers: { Gone: [ stop ] }",
        "ack: before } }\n    handlers: { Gone: [ { publish: Gone, to: dead, via: ack } ] }",
        "contradiction",
        "ack",
    ),
    (
        "ack: after } }\n    handlers: { Gone: [ stop ] }",
        "ack: after, stale_ack: ignore } }\n    handlers: { Gone: [ { publish: Gone, to: dead, via: ack } ] }",
        "contradiction",
        "ack",
    ),
    (
        "{ Gone: [ stop ] }",
        "{ Gone: [ { after: 1s, do: [ { publish: Gone, to: dead, via: ack } ] } ] }",
        "misplaced-option",
        "ack",
    ),
    (
        "do: [ { wait: 1ms } ]",
        "do: [ { publish: Gone, to: gone, forward: true } ]",
        "misplaced-option",
        "true",
    ),
    ("do: [ { let", "do: [ { read: rows, key: 1, as: r }, { let", "misplaced-step", "read"),
    ("do: [ { let", "do: [ { transaction: [ stop ] }, { let", "misplaced-step", "transaction"),
];

fn mistakes(text: &str) -> Vec<(&'static str, String)> {
    let (sources, diagnostics, _) = read_text("base.yaml", text, &[]);
    let told = diagnostics.list.iter();
    told.map(|mistake| (mistake.code, sources.text(mistake.span).to_owned())).collect()
}

#[test]
fn the_base_is_right() {
    assert_eq!(mistakes(BASE), []);
    let lost = "faults: { f: { crash: desk, at_step: desk.Go.store, edge: unanswered } }\nclients:";
    assert_eq!(mistakes(&BASE.replace("clients:", lost)), []);
}

#[test]
fn what_would_be_ignored_is_refused_where_it_stands() {
    for (there, instead, code, place) in REFUSED {
        let text = BASE.replacen(there, instead, 1);
        assert_ne!(text, BASE, "{there} is not there");
        let told = mistakes(&text);
        assert!(told.contains(&(code, (*place).to_owned())), "{instead}: {told:?}");
    }
}

/// A frame is bounded: what would not fit is a mistake in the file, never a wrong figure.
#[test]
fn a_body_that_names_too_many_columns_is_refused() {
    let columns: String = (0..999).map(|column| format!("c{column}: int, ")).collect();
    let reads = |count: u32| -> String {
        (0..count).map(|read| format!("        - {{ read: wide, key: 1, as: r{read} }}\n")).collect()
    };
    let scenario = |count| {
        format!(
            "scenario: wide\nmessages: {{ Go: {{ kind: command }} }}\nservices:\n  s:\n    store: {{ tables: {{ wide: \
             {{ key: id, columns: {{ id: int, {columns} }} }} }} }}\n    handlers:\n      Go:\n{}\nclients: {{ c: {{ \
             arrivals: {{ poisson: 1/s }}, do: [ {{ send: s.Go }} ] }} }}\n",
            reads(count)
        )
    };
    assert_eq!(mistakes(&scenario(30)), []);
    let told = mistakes(&scenario(70));
    assert!(told.iter().any(|(code, _)| *code == "limit-exceeded"), "{told:?}");
}
