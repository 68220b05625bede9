//! Small designs, for what the library does not show: the hazard stands in the line that says `# here`.

use super::{places, read};

pub const BASE: &str = "
scenario: base
messages:
  Go:   { kind: command, key: id, fields: { id: id, n: int } }
  Ask:  { kind: query, key: id, fields: { id: id }, reply: { n: int } }
  Gone: { kind: integration, key: id, fields: { id: id, n: int } }
brokers: { rabbit: { preset: rabbitmq-classic } }
topics: { gone: { messages: [ Gone ] }, dead: { messages: [ Gone ] } }
services:
  desk:
    instances: 2
    workers: 4
    store: { tables: { sums: { key: id, columns: { n: int } }, entries: { key: entry, columns: { entry: id, n: int } } } }
    outbox: {}
    handlers:
      Go:
        - transaction:
            - { upsert: sums, key: message.id, set: { n: message.n } }
            - { publish: Gone, to: gone, via: outbox, with: message }
        - reply
  other:
    workers: 4
    store: { tables: { seen: { key: id, columns: { n: int } }, entries: { key: entry, columns: { entry: id, n: int } } } }
    consumes:
      gone: { ack: after }
    handlers:
      Ask: [ { reply: { n: 1 } } ]
      Gone:
        - { upsert: seen, key: message.id, where: message.n > row.n, set: { n: message.n } }
clients:
  user:
    arrivals: { poisson: 5/s }
    do:
      - { call: desk.Go, with: { id: unique(), n: 1 } }
      - { call: other.Ask, with: { id: unique() } }
";

/// What is written in place of what.
type Changes = &'static [(&'static str, &'static str)];

const GO: &str = "{ call: desk.Go, with: { id: unique(), n: 1 } }";
const SEEN: &str = "{ upsert: seen, key: message.id, where: message.n > row.n, set: { n: message.n } }";

/// The rule, the changes that make a hazard, and those that make its repaired twin.
pub const CASES: &[(&str, Changes, Changes)] = &[
    (
        "retry-of-non-idempotent-call",
        &[
            (
                "set: { n: message.n } }\n            - { publish",
                "set: { n: row.n + message.n } }\n            - { publish",
            ),
            (
                GO,
                "{ call: desk.Go, with: { id: unique(), n: 1 }, retry: { attempts: 2, jitter: full } }  # here",
            ),
        ],
        &[(GO, "{ call: desk.Go, with: { id: unique(), n: 1 }, retry: { attempts: 2, jitter: full } }")],
    ),
    (
        // A second copy that runs at the same time is a second try.
        "retry-of-non-idempotent-call",
        &[
            ("{ upsert: sums, key: message.id,", "{ insert: entries, key: unique(),"),
            (GO, "{ call: desk.Go, with: { id: unique(), n: 1 }, hedge: 50ms }  # here"),
        ],
        &[("{ upsert: sums, key: message.id,", "{ insert: entries, key: unique(),")],
    ),
    (
        "call-in-transaction",
        &[(
            "- transaction:\n",
            "- transaction:\n            - { call: other.Ask, with: { id: message.id } }  # here\n",
        )],
        &[("- transaction:\n", "- { call: other.Ask, with: { id: message.id } }\n        - transaction:\n")],
    ),
    (
        "timeout-below-callee",
        &[
            (
                "- transaction:\n",
                "- { call: other.Ask, with: { id: message.id }, timeout: 2s }\n        - transaction:\n",
            ),
            (GO, "{ call: desk.Go, with: { id: unique(), n: 1 }, timeout: 1s }  # here"),
        ],
        &[
            (
                "- transaction:\n",
                "- { call: other.Ask, with: { id: message.id }, timeout: 2s }\n        - transaction:\n",
            ),
            (GO, "{ call: desk.Go, with: { id: unique(), n: 1 }, timeout: 3s }"),
        ],
    ),
    (
        // What happens behind the answer keeps no caller.
        "timeout-below-callee",
        &[
            (
                "- transaction:\n",
                "- { call: other.Ask, with: { id: message.id }, timeout: 400ms, retry: { attempts: 3 } }\n        - transaction:\n",
            ),
            (GO, "{ call: desk.Go, with: { id: unique(), n: 1 }, timeout: 1s }  # here"),
        ],
        &[
            ("- reply\n", "- reply\n        - { call: other.Ask, with: { id: message.id }, timeout: 2s }\n"),
            (GO, "{ call: desk.Go, with: { id: unique(), n: 1 }, timeout: 1s }"),
        ],
    ),
    (
        "job-on-every-instance",
        &[(
            "    outbox: {}\n",
            "    outbox: {}\n    jobs:\n      report:  # here\n        { every: 1m, do: [ { effect: send_report } ] }\n",
        )],
        &[(
            "    outbox: {}\n",
            "    outbox: {}\n    jobs:\n      report:\n        { every: 1m, runs: once, do: [ { effect: send_report } ] }\n",
        )],
    ),
    (
        "no-dead-letter",
        &[
            ("      gone: { ack: after }\n", "      gone: { ack: after }  # here\n"),
            (SEEN, "{ if: message.n < 0, then: [ { fail: negative } ] }"),
        ],
        &[
            ("      gone: { ack: after }\n", "      gone: { ack: after }\n"),
            (
                SEEN,
                "{ let: { fails: { chance: 1%, per: attempt } } }\n        - { if: fails, then: [ { fail: negative } ] }",
            ),
        ],
    ),
    (
        "no-dead-letter",
        &[
            ("      gone: { ack: after }\n", "      gone: { ack: after }  # here\n"),
            (SEEN, "{ if: message.n < 0, then: [ { fail: negative } ] }"),
        ],
        &[(
            SEEN,
            "{ try: [ { if: message.n < 0, then: [ { fail: negative } ] } ], catch: { negative: [ stop ] } }",
        )],
    ),
    (
        "ack-before-handling",
        &[
            ("gone: { ack: after }", "gone: { ack: manual }"),
            (SEEN, "ack  # here\n        - { upsert: seen, key: message.id, set: { n: message.n } }"),
        ],
        &[
            ("gone: { ack: after }", "gone: { ack: manual }"),
            (SEEN, "{ upsert: seen, key: message.id, set: { n: message.n } }\n        - ack"),
        ],
    ),
    (
        "dual-write",
        &[(
            "{ publish: Gone, to: gone, via: outbox, with: message }",
            "{ publish: Gone, to: gone, with: message }  # here",
        )],
        &[],
    ),
    (
        // Each time a row of its own.
        "non-idempotent-consumer",
        &[(SEEN, "{ insert: entries, key: unique(), set: { n: message.n } }  # here")],
        &[(SEEN, "{ insert: entries, key: message.id, set: { n: message.n }, else: [ stop ] }")],
    ),
    (
        "effect-without-key",
        &[(SEEN, "{ effect: mail, idempotency_key: unique() }  # here")],
        &[(SEEN, "{ effect: mail, idempotency_key: message.id }")],
    ),
    (
        "order-without-key",
        &[(SEEN, "{ upsert: seen, key: message.id, set: { n: message.n } }  # here")],
        &[
            (SEEN, "{ upsert: seen, key: message.id, set: { n: message.n } }"),
            ("    workers: 4\n    store: { tables: { seen", "    store: { tables: { seen"),
        ],
    ),
    (
        "step-without-undo",
        &[
            (
                "    outbox: {}\n",
                "    outbox: {}\n    sagas:\n      book:\n        start: Go\n        key: message.id\n        steps:\n          - step: first\n            do:\n              - { upsert: sums, key: message.id, set: { n: 1 } }  # here\n          - step: last\n            do: [ { effect: charge, idempotency_key: message.id } ]\n",
            ),
            (
                "handlers:\n      Go:\n        - transaction:\n            - { upsert: sums, key: message.id, set: { n: message.n } }\n            - { publish: Gone, to: gone, via: outbox, with: message }\n        - reply\n",
                "jobs: { tell: { every: 1m, runs: once, do: [ { publish: Gone, to: gone, via: outbox, with: { id: unique(), n: 1 } } ] } }\n",
            ),
        ],
        &[
            (
                "    outbox: {}\n",
                "    outbox: {}\n    sagas:\n      book:\n        start: Go\n        key: message.id\n        steps:\n          - step: first\n            do:\n              - { upsert: sums, key: message.id, set: { n: 1 } }\n            undo: [ { delete: sums, key: message.id } ]\n          - step: last\n            do: [ { effect: charge, idempotency_key: message.id } ]\n",
            ),
            (
                "handlers:\n      Go:\n        - transaction:\n            - { upsert: sums, key: message.id, set: { n: message.n } }\n            - { publish: Gone, to: gone, via: outbox, with: message }\n        - reply\n",
                "jobs: { tell: { every: 1m, runs: once, do: [ { publish: Gone, to: gone, via: outbox, with: { id: unique(), n: 1 } } ] } }\n",
            ),
        ],
    ),
];

/// The base with changes.
pub fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn nothing_is_found_in_the_base() {
    let (_, linted) = read(BASE);
    let found: Vec<_> = linted.findings.iter().map(|finding| &finding.message).collect();
    assert_eq!(found, Vec::<&String>::new());
}

#[test]
fn hazards_are_found_where_they_are_and_repairs_are_not() {
    for (rule, hazard, repair) in CASES {
        let text = with(hazard);
        let here = text.lines().position(|line| line.contains("# here")).expect("a line to point at") + 1;
        let (sources, linted) = read(&text);
        assert_eq!(places(&sources, &linted, rule), [("test.yaml".to_owned(), here)], "{rule}\n{text}");
        let text = with(repair);
        let (sources, linted) = read(&text);
        assert_eq!(places(&sources, &linted, rule), [], "{rule}\n{text}");
    }
}
