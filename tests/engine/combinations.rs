//! Knobs of every product turned at random, under a network that is late and loses, crashes, pauses, splits and
//! brokers that fail: a combination is refused by name, or runs to its end, leaves nothing behind, and touches
//! nothing that was freed (which the world asserts where it is built for tests).

use super::messaging::{CASE, Case, text};
use super::{Run, compiled, run, run_model};
use eventflow::world::record::Record;

const PRESETS: [&str; 12] = [
    "kafka",
    "rabbitmq-classic",
    "rabbitmq-quorum",
    "sqs-standard",
    "sqs-fifo",
    "pubsub",
    "pubsub-ordered",
    "nats-jetstream",
    "redis-streams",
    "service-bus-session",
    "postgres-skip-locked",
    "kurrent-subscription",
];

/// Makes choices from a seed.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    /// Some of these knobs, each turned one way or the other, after a comma.
    fn some_of(&mut self, knobs: &[(&str, &[&'static str])], one_in: usize) -> String {
        let mut turned = String::new();
        for (knob, ways) in knobs {
            if self.below(one_in) == 0 {
                turned += &format!(", {knob}: {}", self.one(ways));
            }
        }
        turned
    }
}

const OF_CONSUMERS: &[(&str, &[&str])] = &[
    ("order_lock", &["none", "key", "partition", "session", "queue"]),
    ("ack_scope", &["individual", "cursor", "on_delivery"]),
    ("ack", &["before", "after", "periodic", "manual"]),
    ("stale_ack", &["accept", "ignore", "fence"]),
    ("batch", &["1", "3"]),
    ("max_in_flight", &["{ per_consumer: 2 }", "{ per_group: 3 }"]),
    (
        "lease",
        &[
            "{ kind: timer, after: 300ms }",
            "{ kind: session, after: 1s, poll: 300ms }",
            "{ kind: connection, poll: 300ms, detect: 100ms }",
            "{ kind: claim, after: 300ms }",
            "{ kind: transaction, after: 300ms, detect: 100ms }",
        ],
    ),
    (
        "redeliver",
        &[
            "{ to: original }",
            "{ to: front }",
            "{ to: back, delay: 100ms }",
            "{ to: unordered }",
            "{ to: rewind_key }",
        ],
    ),
    (
        "exhaust",
        &[
            "{ after: 3, dead_letter: dead }",
            "{ after: 2, then: drop, count_on: failure }",
            "{ after: 3, then: park }",
            "{ after: 2, dead_letter: dead, transfer: at_least_once }",
            "{ after: 2, dead_letter: dead, transfer: at_most_once }",
        ],
    ),
    ("rebalance", &["{ mode: eager, pause: 50ms }", "{ mode: cooperative, pause: 0s }"]),
];

const OF_TOPICS: &[(&str, &[&str])] = &[
    ("partitions", &["1", "3"]),
    ("order_lock", &["none", "key", "partition"]),
    ("shards", &["1", "3"]),
    ("flush", &["always", "700ms"]),
    ("delay", &["50ms"]),
    ("retain", &["{ for: 2s }", "{ bytes: 20KiB }", "{ mode: log, compact: true }"]),
    ("producer", &["{ in_flight: 2 }", "{ deduplicate: { by: none } }", "{ timeout: 300ms, attempts: 3 }"]),
];

const FAULTS: &[(&str, &[&str])] = &[
    ("a", &["{ crash: s, at: 3s, for: 2s }", "{ crash: s, every: 4s, for: 100ms }"]),
    ("b", &["{ pause: s, at: 5s, for: 3s }", "{ pause: s, every: 3s, for: 700ms }"]),
    ("c", &["{ split: [s, b], at: 6s, for: 2s }", "{ split: [c, b], at: 6s, for: 2s }"]),
    ("d", &["{ degrade: [s, b], loss: 30%, at: 2s, for: 6s }"]),
    ("e", &["{ failover: b, at: 4500ms, for: 500ms }", "{ outage: b, at: 4500ms, for: 1s }"]),
    ("f", &["{ degrade: [c, b], loss: 20%, at: 1s, for: 9s }"]),
];

const STEPS: &str = "- { work: { uniform: [1ms, 700ms], per: attempt } }
- { if: message.n % 7 == 3 && delivery.attempt < 3, then: [ { fail: no } ] }
- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }";

/// Forty facts of five keys, and whoever might have them.
fn scenario(preset: &'static str, topic: &str, consumes: &str, faults: &str, seed: usize) -> String {
    let times: Vec<String> = (0..40).map(|n| format!("{}ms", 1000 + 250 * n)).collect();
    let steps = if consumes.contains("ack: manual") { format!("{STEPS}\n- ack") } else { STEPS.to_owned() };
    let case = Case {
        preset,
        topic: topic.to_owned().leak(),
        service: "instances: 2\nworkers: 3",
        consumes: consumes.to_owned().leak(),
        steps: steps.leak(),
        times: format!("[{}]", times.join(", ")).leak(),
        publish: "{ publish: Fact, to: facts, with: { n: n, k: n % 5 }, catch: { any: [ stop ] } }",
        more: format!("faults: {{ none: {{ pause: s, at: 50s, for: 1ms }}{faults} }}").leak(),
    };
    text(&case)
        .replace("run: { horizon: 1m", &format!("seed: {seed}\nrun: {{ horizon: 1m"))
        .replace("services:\n", "  dead: { messages: [Fact] }\nservices:\n")
        .replace("latency: 1ms", "latency: { uniform: [1ms, 60ms] }")
}

#[test]
fn knobs_turned_at_random_are_refused_or_run() {
    let mut choices = Choices(7);
    let (mut ran, mut refused) = (0, 0);
    for preset in PRESETS {
        for seed in 0..14 {
            let topic = choices.some_of(OF_TOPICS, 5);
            let consumes = choices.some_of(OF_CONSUMERS, 4);
            let faults = choices.some_of(FAULTS, 3);
            let text = scenario(preset, &topic, &consumes, &faults, seed);
            match compiled(&text) {
                Err(said) => {
                    assert!(!said.is_empty());
                    refused += 1;
                }
                Ok(model) => {
                    run_model(model, &text);
                    ran += 1;
                }
            }
        }
    }
    assert!(ran > 40 && refused > 20, "{ran} ran, {refused} were refused");
}

/// A handler that takes about as long as its lease, so that acknowledgements cross with redeliveries; what is stale
/// counts, or does not.
#[test]
fn acknowledgements_that_cross_with_redeliveries_leave_nothing_behind() {
    let leases = [
        ("kafka", "{ after: 1s, poll: 350ms }"),
        ("rabbitmq-classic", "{ poll: 350ms, detect: 100ms }"),
        ("rabbitmq-quorum", "{ poll: 350ms, detect: 100ms }"),
        ("service-bus-session", "{ after: 350ms }"),
        ("postgres-skip-locked", "{ after: 350ms, detect: 100ms }"),
    ];
    let stale = |run: &Run| run.count(|record| matches!(record, Record::AckStale { .. }));
    for preset in PRESETS {
        let of_preset = leases.iter().find(|(name, _)| *name == preset);
        let lease = of_preset.map_or("{ after: 350ms }", |(_, lease)| lease);
        let mut met = 0;
        for (seed, stale_ack) in ["accept", "ignore", "fence", "accept", "accept"].into_iter().enumerate() {
            // What nobody but the owner can acknowledge, nobody else's word counts for.
            let stale_ack = if preset == "kafka" { "fence" } else { stale_ack };
            let consumes = format!(", lease: {lease}, stale_ack: {stale_ack}");
            let faults = ", f: { pause: s, every: 2s, for: 400ms }, g: { degrade: [s, b], loss: 20%, at: 3s, for: 5s }";
            met += stale(&run(&scenario(preset, "", &consumes, faults, seed)));
        }
        // The rows of a transaction stay its own until it is over.
        assert!(met > 0 || preset == "postgres-skip-locked", "{preset}");
    }
}

/// The first consumer's acknowledgement settles the message while a second copy of it is on its way: that one still
/// arrives, and is handled.
#[test]
fn what_is_settled_while_a_copy_is_on_its_way_is_handled_once_more() {
    let case = Case {
        service: "instances: 2\nworkers: 1",
        steps: "- work: 9998500us\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }",
        ..CASE
    };
    let accepted = run(&text(&Case { preset: "pubsub", ..case }));
    assert_eq!(accepted.rows("s.seen"), [[1, 0, 2]]);
    assert_eq!(accepted.count(|record| matches!(record, Record::AckStale { .. })), 1);
    // Acknowledged as it is sent: nobody else gets it, and it is all there when it arrives.
    let sent = run(&text(&Case { preset: "rabbitmq-classic", consumes: ", ack_scope: on_delivery", ..case }));
    assert_eq!(sent.rows("s.seen"), [[1, 0, 1]]);
}
