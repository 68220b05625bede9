//! Every product beside every other: what it does when a consumer crashes before it acknowledges, takes longer
//! than its lease, acknowledges late, fails, fails too often, and what waits behind a message that fails.
//!
//! Every hop takes a millisecond, so that a message sent at 1 s is with its consumer at 1002 ms.

use super::messaging::{CASE, Case, settled, text};
use super::{MS, Run, S, run};
use eventflow::kernel::time::Nanos;
use eventflow::world::record::{Record, Settlement};

/// What a product does, and where that is written.
struct Facts {
    preset: &'static str,
    /// From the start of an attempt that a crash cuts at once to the next, on another instance.
    taken_over_after: Nanos,
    /// How long an attempt may take before the message is another's as well; `None`: as long as it likes.
    lease: Option<u64>,
    /// Whether the acknowledgement of the first counts while the second is at work.
    late_ack_counts: bool,
    /// In which order 1, 2 and 3 of one key are tried by one worker, if 1 fails the first time; empty: in any.
    order: &'static [i64],
    /// How it gives up a message that always fails: with which knobs, after how many tries, and how.
    exhaust: &'static str,
    tries: usize,
    end: Settlement,
    /// Whether a later message of the key waits for that.
    blocks_key: bool,
    source: &'static str,
}

const FACTS: &[Facts] = &[
    Facts {
        preset: "rabbitmq-classic",
        taken_over_after: 60 * S + MS,
        lease: None,
        late_ack_counts: false,
        // A rejected message is dead-lettered, or dropped.
        order: &[1, 2, 3],
        exhaust: "",
        tries: 1,
        end: Settlement::Dropped,
        blocks_key: false,
        source: "rabbitmq.com/docs/confirms (automatic requeueing), /docs/heartbeats (60 s), /docs/dlx",
    },
    Facts {
        preset: "rabbitmq-quorum",
        taken_over_after: 60 * S + MS,
        lease: Some(1800),
        late_ack_counts: false,
        order: &[1, 1, 2, 3],
        exhaust: "",
        tries: 20,
        end: Settlement::Dropped,
        blocks_key: false,
        source: "rabbitmq.com/docs/quorum-queues (poison message handling, delivery limit 20; repeated requeues), \
                 /docs/consumers (delivery acknowledgement timeout, 30 minutes), rabbit_fifo.erl (returns)",
    },
    Facts {
        preset: "sqs-standard",
        taken_over_after: 30 * S,
        lease: Some(30),
        late_ack_counts: false,
        // In any order.
        order: &[],
        exhaust: ", exhaust: { after: 3, dead_letter: dead }",
        tries: 3,
        end: Settlement::DeadLettered,
        blocks_key: false,
        source: "SQS developer guide: visibility timeout (30 s), dead-letter queues (maxReceiveCount); DeleteMessage",
    },
    Facts {
        preset: "sqs-fifo",
        taken_over_after: 30 * S,
        lease: Some(30),
        late_ack_counts: false,
        order: &[1, 1, 2, 3],
        exhaust: ", exhaust: { after: 3, dead_letter: dead }",
        tries: 3,
        end: Settlement::DeadLettered,
        blocks_key: true,
        source: "SQS developer guide: interleaving multiple ordered message groups (no other consumer can process \
                 messages of the group until the visibility timeout expires or the message is deleted)",
    },
    Facts {
        preset: "pubsub",
        taken_over_after: 10 * S,
        lease: Some(10),
        late_ack_counts: true,
        // In any order.
        order: &[],
        exhaust: ", exhaust: { dead_letter: dead }",
        tries: 5,
        end: Settlement::DeadLettered,
        blocks_key: false,
        source: "Subscription.ackDeadlineSeconds (10 s), DeadLetterPolicy.maxDeliveryAttempts (5), \
                 cloud.google.com/pubsub/docs/handling-failures",
    },
    Facts {
        preset: "pubsub-ordered",
        taken_over_after: 10 * S,
        lease: Some(10),
        late_ack_counts: true,
        order: &[1, 2, 1, 3],
        exhaust: ", exhaust: { dead_letter: dead }",
        tries: 5,
        end: Settlement::DeadLettered,
        blocks_key: false,
        source: "cloud.google.com/pubsub/docs/ordering (redelivery of a message redelivers every later one of its \
                 key, acknowledged ones too)",
    },
    Facts {
        preset: "nats-jetstream",
        taken_over_after: 30 * S,
        lease: Some(30),
        late_ack_counts: true,
        order: &[1, 2, 1, 3],
        exhaust: ", exhaust: { after: 3 }",
        tries: 3,
        end: Settlement::Stayed,
        blocks_key: false,
        source: "docs.nats.io consumers: AckWait 30 s, MaxDeliver; nats-server consumer.go (getNextMsg: redeliver \
                 queue first; processAckMsg)",
    },
    Facts {
        preset: "redis-streams",
        taken_over_after: 60 * S,
        lease: Some(60),
        late_ack_counts: true,
        order: &[1, 2, 3, 1],
        exhaust: ", exhaust: { after: 3 }",
        tries: 3,
        end: Settlement::Stayed,
        blocks_key: false,
        source: "redis.io/commands/xautoclaim (idle longer than min-idle-time, by rising id), /xack",
    },
    Facts {
        preset: "service-bus-session",
        taken_over_after: 60 * S + MS,
        lease: Some(300),
        late_ack_counts: false,
        order: &[1, 1, 2, 3],
        exhaust: "",
        tries: 10,
        end: Settlement::Parked,
        blocks_key: true,
        source: "Service Bus message-sessions (exclusive lock; MaxDeliveryCount 10, then the session goes on), \
                 message-transfers-locks-settlement (LockDuration, SessionLockLost)",
    },
    Facts {
        preset: "postgres-skip-locked",
        taken_over_after: MS,
        lease: None,
        late_ack_counts: false,
        order: &[1, 1, 2, 3],
        exhaust: ", exhaust: { after: 3 }",
        tries: 3,
        end: Settlement::Stayed,
        blocks_key: false,
        source: "PostgreSQL SELECT … FOR UPDATE SKIP LOCKED; ROLLBACK releases the row's lock",
    },
    Facts {
        preset: "kurrent-subscription",
        taken_over_after: 30 * S,
        lease: Some(30),
        late_ack_counts: false,
        order: &[1, 2, 1, 3],
        exhaust: "",
        tries: 11,
        end: Settlement::Parked,
        blocks_key: false,
        source: "docs.kurrent.io persistent subscriptions: messageTimeout 30 s, maxRetryCount 10, parked messages",
    },
];

const TWO: &str = "workers: 8\ninstances: 2";

/// A case with a topic for dead letters, over some hours.
fn play(case: Case) -> Run {
    let text = text(&case)
        .replace("horizon: 1m", "horizon: 3h")
        .replace("services:\n", "  dead: { messages: [Other] }\nservices:\n")
        .replace("messages: { Fact", "messages: { Other: { kind: integration }, Fact");
    run(&text)
}

#[test]
fn a_crash_before_the_acknowledgement_is_noticed_by_the_lease() {
    for facts in FACTS {
        let run = play(Case {
            preset: facts.preset,
            service: TWO,
            steps: "- { work: 10ms, name: act }",
            more: "faults: { f: { crash: s, at_step: s.Fact.act, edge: before, for: 1h } }",
            ..CASE
        });
        let starts = run.started("s");
        assert_eq!(starts.len(), 2, "{}: {}", facts.preset, facts.source);
        assert_eq!(starts[1] - starts[0], facts.taken_over_after, "{}: {}", facts.preset, facts.source);
        assert_eq!(run.count(|record| matches!(record, Record::Rebalanced { .. })), 0, "{}", facts.preset);
    }
}

#[test]
fn an_acknowledgement_after_the_lease_counts_or_not() {
    for facts in FACTS {
        // The first attempt takes one and a half leases, the second a little less than one.
        let lease = facts.lease.unwrap_or(7200);
        let steps = format!(
            "- if: delivery.attempt == 1\n  then: [ {{ work: {}s }} ]\n  else: [ {{ work: {}s }} ]",
            lease + lease / 2,
            lease * 9 / 10
        );
        let case = Case { preset: facts.preset, service: TWO, steps: steps.leak(), ..CASE };
        let run = run(&text(&case).replace("horizon: 1m", "horizon: 6h").replace("drain: 10m", "drain: 6h"));
        let starts = run.started("s");
        let ended = settled(&run);
        assert_eq!(ended.len(), 1, "{}: {}", facts.preset, facts.source);
        let after = (ended[0].0 - starts[0]) as f64 / (lease * S) as f64;
        let expected = match facts.lease {
            None => (1, 1.5..1.51),
            Some(_) if facts.late_ack_counts => (2, 1.5..1.51),
            // Found out with the next look at the consumer, an eighth later at most.
            Some(_) => (2, 1.89..2.05),
        };
        assert_eq!(starts.len(), expected.0, "{}: {}", facts.preset, facts.source);
        assert!(expected.1.contains(&after), "{}: {after} leases: {}", facts.preset, facts.source);
        let stale = run.count(|record| matches!(record, Record::AckStale { .. }));
        assert_eq!(stale, starts.len() - 1, "{}: the zombie's", facts.preset);
    }
}

/// The messages tried, in order.
fn tried(run: &Run) -> Vec<i64> {
    run.rows("s.seen").into_iter().map(|row| row[1]).collect()
}

/// Writes down which message is tried, then goes on.
const NOTES: &str = "- let: { i: { counter: 0 } }\n- work: 10ms\n\
                     - { upsert: seen, key: [i, message.n], set: { times: 1 } }\n";

#[test]
fn what_failed_comes_back_where_the_product_puts_it() {
    for facts in FACTS {
        let steps = format!(
            "{NOTES}- {{ if: message.n == 1 && delivery.attempt == 1, then: [ {{ fail: not_yet }} ] }}"
        );
        // Who is pushed messages would have them all at once; who asks, asks for one.
        let is_pushed = facts.preset.starts_with("rabbitmq");
        let consumes = if is_pushed { ", max_in_flight: { per_consumer: 1 }" } else { ", batch: 1" };
        let run = play(Case {
            preset: facts.preset,
            service: "workers: 1",
            consumes,
            steps: steps.leak(),
            times: "[1s, 1001ms, 1002ms]",
            publish: "{ publish: Fact, with: { n: n, k: 7 } }",
            ..CASE
        });
        let mut tried = tried(&run);
        if facts.order.is_empty() {
            tried.sort();
            assert_eq!(tried, [1, 1, 2, 3], "{}: {}", facts.preset, facts.source);
        } else {
            assert_eq!(tried, facts.order, "{}: {}", facts.preset, facts.source);
        }
    }
}

#[test]
fn what_fails_too_often_is_given_up_and_its_key_goes_on() {
    for facts in FACTS {
        let steps = format!("{NOTES}- {{ if: message.n == 1, then: [ {{ fail: never }} ] }}");
        let run = play(Case {
            preset: facts.preset,
            service: "workers: 4",
            consumes: facts.exhaust,
            steps: steps.leak(),
            times: "[1s, 1001ms, 1002ms]",
            publish: "{ publish: Fact, with: { n: n, k: 7 } }",
            ..CASE
        });
        let tried = tried(&run);
        let of_first = tried.iter().filter(|&&n| n == 1).count();
        assert_eq!(of_first, facts.tries, "{}: {}", facts.preset, facts.source);
        let ends = settled(&run);
        let given_up = ends.iter().find(|(_, how)| *how != Settlement::Acknowledged);
        assert_eq!(given_up.map(|end| end.1), Some(facts.end), "{}: {}", facts.preset, facts.source);
        let last = tried.iter().rposition(|&n| n == 1);
        let third = tried.iter().position(|&n| n == 3);
        assert_eq!(last < third, facts.blocks_key || facts.tries == 1, "{}: {tried:?}", facts.preset);
        assert!(run.is_quiet(), "{}", facts.preset);
    }
}

#[test]
fn a_message_sent_twice_is_there_once_where_its_id_is_remembered() {
    // The second is sent after the first, under the same id, within the window and after it.
    let facts: &[(&str, &str, usize)] = &[
        ("sqs-standard", "[1s, 2s]", 2),
        ("sqs-fifo", "[1s, 300s]", 1),
        ("sqs-fifo", "[1s, 302s]", 2),
        ("nats-jetstream", "[1s, 120s]", 1),
        ("nats-jetstream", "[1s, 122s]", 2),
        ("postgres-skip-locked", "[1s, 9000s]", 1),
        ("kurrent-subscription", "[1s, 9000s]", 1),
        ("redis-streams", "[1s, 2s]", 2),
    ];
    for &(preset, times, handled) in facts {
        let publish = "{ publish: Fact, with: { n: n, k: 0 }, id: 77 }";
        let run = play(Case { preset, times, publish, ..CASE });
        assert_eq!(run.started("s").len(), handled, "{preset} {times}");
        let recognised = run.count(|record| matches!(record, Record::Deduplicated { .. }));
        assert_eq!(recognised, 2 - handled, "{preset} {times}");
    }
}

#[test]
fn a_session_stays_with_the_consumer_that_has_it() {
    // Eight messages of two keys in one burst, two instances: with a lock on keys alone whoever is free takes the
    // next; a session's messages go where its first went.
    let on = |preset: &'static str| {
        let run = play(Case {
            preset,
            service: TWO,
            steps: "- { work: { exponential: 30ms } }\n- { upsert: seen, key: [message.k, self.instance], set: { times: row.times + 1 } }",
            times: "[1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s]",
            ..CASE
        });
        let rows = run.rows("s.seen");
        assert_eq!(rows.iter().map(|row| row[2]).sum::<i64>(), 16);
        rows.len()
    };
    assert_eq!(on("service-bus-session"), 2, "one instance a key");
    assert!(on("sqs-fifo") > 2);
}
