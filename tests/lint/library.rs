//! The scenarios of the library: the naive ones are found to be what they are naive about, at the line where they
//! are, and the repaired ones are not.

use super::{places, shipped};

/// The rule, the scenario that has the hazard, the file and line where, and a scenario that is repaired.
pub const CASES: &[(&str, &str, &str, usize, &str)] = &[
    (
        "non-idempotent-consumer",
        "idempotency/no-guard.yaml",
        "idempotency/no-guard.yaml",
        49,
        "idempotency/inbox.yaml",
    ),
    (
        "non-idempotent-consumer",
        "idempotency/look-then-act.yaml",
        "idempotency/look-then-act.yaml",
        17,
        "idempotency/conditional-write.yaml",
    ),
    (
        "non-idempotent-consumer",
        "idempotency/in-memory.yaml",
        "idempotency/look-then-act.yaml",
        17,
        "idempotency/naturally-idempotent.yaml",
    ),
    (
        "mark-before-act",
        "idempotency/mark-then-act.yaml",
        "idempotency/mark-then-act.yaml",
        13,
        "idempotency/inbox.yaml",
    ),
    (
        "effect-without-key",
        "idempotency/card-without-key.yaml",
        "idempotency/card-without-key.yaml",
        48,
        "idempotency/card-with-key.yaml",
    ),
    (
        "effect-in-transaction",
        "idempotency/card-in-transaction.yaml",
        "idempotency/card-in-transaction.yaml",
        13,
        "idempotency/card-with-key.yaml",
    ),
    (
        "deduplication-too-short",
        "idempotency/ids-for-ten-seconds.yaml",
        "idempotency/inbox.yaml",
        12,
        "idempotency/ids-for-ten-minutes.yaml",
    ),
    (
        "ack-before-handling",
        "idempotency/acknowledged-first.yaml",
        "idempotency/no-guard.yaml",
        45,
        "idempotency/no-guard.yaml",
    ),
    ("order-without-key", "ordering/no-key.yaml", "ordering/no-key.yaml", 51, "ordering/keyed.yaml"),
    ("order-without-key", "ordering/no-key.yaml", "ordering/no-key.yaml", 51, "ordering/version-guard.yaml"),
    (
        "retry-topic-overtaken",
        "ordering/retry-topic.yaml",
        "ordering/retry-topic.yaml",
        21,
        "ordering/retry-in-place.yaml",
    ),
    (
        "clock-decides",
        "ordering/skewed-clocks.yaml",
        "ordering/skewed-clocks.yaml",
        32,
        "ordering/skewed-clocks-versions.yaml",
    ),
    (
        "domain-message-crosses-boundary",
        "payload/domain-shared.yaml",
        "payload/domain-shared.yaml",
        28,
        "payload/fat.yaml",
    ),
    ("fat-notification", "payload/half-thin.yaml", "payload/half-thin.yaml", 6, "payload/thin.yaml"),
    (
        "dual-write",
        "consistency/dual-write.yaml",
        "consistency/dual-write.yaml",
        32,
        "consistency/outbox.yaml",
    ),
    ("dual-write", "outbox/stored-first.yaml", "outbox/stored-first.yaml", 11, "outbox/stored-together.yaml"),
    ("dual-write", "outbox/published-first.yaml", "outbox/published-first.yaml", 10, "outbox/by-flag.yaml"),
    (
        "dual-write",
        "saga/choreography.yaml",
        "saga/choreography.yaml",
        49,
        "saga/choreography-with-outbox.yaml",
    ),
    (
        "writes-across-services",
        "coupling/request-chain.yaml",
        "coupling/request-chain.yaml",
        29,
        "coupling/event-fan-out.yaml",
    ),
    ("outbox-by-id", "outbox/by-id.yaml", "outbox/by-id.yaml", 23, "outbox/by-commit-order.yaml"),
    (
        "outbox-marked-before-publish",
        "outbox/marked-before.yaml",
        "outbox/by-id.yaml",
        23,
        "outbox/marked-after.yaml",
    ),
    (
        "read-then-set",
        "consistency/lost-update.yaml",
        "consistency/lost-update.yaml",
        27,
        "consistency/lost-update-locked.yaml",
    ),
    (
        "read-then-set",
        "consistency/lost-update.yaml",
        "consistency/lost-update.yaml",
        27,
        "consistency/lost-update-snapshot.yaml",
    ),
    (
        "write-skew",
        "consistency/write-skew.yaml",
        "consistency/write-skew.yaml",
        28,
        "consistency/write-skew-serializable.yaml",
    ),
    (
        "append-without-expect",
        "event-sourcing/blind-append.yaml",
        "event-sourcing/blind-append.yaml",
        34,
        "event-sourcing/expected-version.yaml",
    ),
    (
        "answered-before-durable",
        "stores/flush-later.yaml",
        "stores/flush-later.yaml",
        15,
        "stores/flush-always.yaml",
    ),
    (
        "quorums-do-not-meet",
        "stores/quorum-of-one.yaml",
        "stores/quorum-of-one.yaml",
        16,
        "stores/quorum-of-two.yaml",
    ),
    (
        "retry-without-budget",
        "overload/retry-storm.yaml",
        "overload/retry-storm.yaml",
        22,
        "overload/retry-budget.yaml",
    ),
    (
        "retry-without-jitter",
        "overload/retry-storm.yaml",
        "overload/retry-storm.yaml",
        22,
        "overload/breaker.yaml",
    ),
    (
        "unbounded-queue",
        "overload/retry-storm.yaml",
        "overload/retry-storm.yaml",
        12,
        "overload/short-queue.yaml",
    ),
    (
        "unbounded-queue",
        "overload/retry-storm.yaml",
        "overload/retry-storm.yaml",
        12,
        "overload/newest-first.yaml",
    ),
    ("doubt-skipped", "saga/doubt-skipped.yaml", "saga/doubt-skipped.yaml", 26, "saga/doubt-undone.yaml"),
    (
        "replay-repeats-effects",
        "cqrs/replay-mails-again.yaml",
        "cqrs/replay-over-live-view.yaml",
        51,
        "cqrs/replay-into-empty-view.yaml",
    ),
    (
        "no-dead-letter",
        "brokers/kafka.yaml",
        "brokers/rabbitmq-classic.yaml",
        32,
        "brokers/sqs-standard.yaml",
    ),
    (
        "call-in-transaction",
        "consistency/call-in-transaction.yaml",
        "consistency/call-in-transaction.yaml",
        23,
        "consistency/call-before-transaction.yaml",
    ),
    (
        "retry-of-non-idempotent-call",
        "idempotency/retried-call.yaml",
        "idempotency/retried-call.yaml",
        29,
        "idempotency/retried-call-with-key.yaml",
    ),
    (
        "timeout-below-callee",
        "overload/impatient-caller.yaml",
        "overload/impatient-caller.yaml",
        29,
        "overload/patient-caller.yaml",
    ),
    (
        "job-on-every-instance",
        "idempotency/job-on-every-instance.yaml",
        "idempotency/job-on-every-instance.yaml",
        13,
        "idempotency/job-once.yaml",
    ),
    (
        "step-without-undo",
        "saga/step-without-undo.yaml",
        "saga/step-without-undo.yaml",
        22,
        "saga/step-with-undo.yaml",
    ),
    (
        "dual-write",
        "transactions/row-beside-it.yaml",
        "transactions/row-beside-it.yaml",
        12,
        "transactions/row-with-outbox.yaml",
    ),
];

#[test]
fn naive_designs_are_found_and_their_repairs_are_not() {
    for (rule, naive, file, line, repaired) in CASES {
        let (sources, linted) = shipped(naive);
        assert_eq!(places(&sources, &linted, rule), [((*file).to_owned(), *line)], "{rule} in {naive}");
        let (sources, linted) = shipped(repaired);
        assert_eq!(places(&sources, &linted, rule), [], "{rule} in {repaired}");
    }
}

#[test]
fn no_scenario_of_the_library_silences_in_vain() {
    for folder in std::fs::read_dir("scenarios").unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.is_dir() {
            continue;
        }
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_some_and(|ending| ending == "yaml") {
                let name = path.strip_prefix("scenarios").unwrap().to_str().unwrap().to_owned();
                assert_eq!(shipped(&name).1.idle.len(), 0, "{name}");
            }
        }
    }
}
