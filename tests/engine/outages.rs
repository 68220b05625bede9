//! Brokers that refuse, fail over or lose a server, messages that no handler can handle, that expire, that are
//! superseded.

use super::messaging::{CASE, Case, settled, text};
use super::{MS, Run, S, run};
use eventflow::kernel::ids::TopicId;
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record, Settlement};

fn play(case: Case) -> Run {
    run(&text(&case).replace("horizon: 1m", "horizon: 10m"))
}

fn ends(run: &Run) -> Vec<Settlement> {
    settled(run).into_iter().map(|(_, how)| how).collect()
}

const EVERY: [&str; 11] = [
    "kafka",
    "rabbitmq-classic",
    "rabbitmq-quorum",
    "sqs-standard",
    "sqs-fifo",
    "pubsub",
    "nats-jetstream",
    "redis-streams",
    "service-bus-session",
    "postgres-skip-locked",
    "kurrent-subscription",
];

#[test]
fn a_broker_that_is_out_refuses_and_loses_nothing() {
    for preset in EVERY {
        let run = play(Case {
            preset,
            service: "workers: 1",
            steps: "- work: 3s\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }",
            times: "[1s, 1001ms, 5s]",
            publish: "{ publish: Fact, with: { n: n, k: 0 }, retry: { attempts: 1 } }",
            more: "faults: { f: { outage: b, at: 2s, for: 4s } }",
            ..CASE
        });
        let outcomes: Vec<Outcome> = run.outcomes().into_iter().map(|(_, outcome)| outcome).collect();
        assert_eq!(outcomes[2], Outcome::Error(Error::Unavailable), "{preset}: sent while it is out");
        assert_eq!(run.rows("s.seen").len(), 2, "{preset}: what it had taken in is handled");
        assert_eq!(ends(&run), [Settlement::Acknowledged; 2], "{preset}");
        assert!(run.is_quiet(), "{preset}");
    }
}

#[test]
fn a_failover_loses_what_was_confirmed_before_it_was_durable() {
    let lossy = Case {
        preset: "kafka",
        service: "workers: 1",
        topic: ", flush: 10s",
        steps: "- work: 20s\n- { upsert: seen, key: [message.n, 0], set: { times: 1 } }",
        times: "[1s, 2s, 12s]",
        more: "faults: { f: { failover: b, at: 15s, for: 1s } }",
        ..CASE
    };
    // The first two are durable from 11 s on, the third from 22 s.
    let run = play(lossy);
    assert!(run.outcomes().iter().all(|(_, outcome)| *outcome == Outcome::Well), "each was confirmed");
    assert_eq!(ends(&run).iter().filter(|how| **how == Settlement::Destroyed).count(), 1);
    assert_eq!(run.rows("s.seen").len(), 2);
    // The repair: confirmed when it is durable; what is not is sent again.
    let safe = Case { topic: ", flush: 10s, min_in_sync: 2", ..lossy };
    let run = play(safe);
    assert_eq!(run.outcomes()[0].0, 11 * S + 2 * MS, "the first hears with the flush");
    assert_eq!(run.rows("s.seen").len(), 3);
    let run = play(Case { topic: "", ..lossy });
    assert_eq!((run.rows("s.seen").len(), run.is_quiet()), (3, true), "flushed always");
}

#[test]
fn a_server_that_was_away_still_has_what_was_deleted_meanwhile() {
    let case = Case {
        preset: "sqs-standard",
        times: "[1s, 6s]",
        more: "faults: { f: { failover: b, at: 1005ms, for: 10s } }",
        ..CASE
    };
    let well = play(Case { topic: ", shards: 3", more: "", ..case });
    assert!(well.rows("s.seen").iter().all(|row| row[2] == 1));
    let three = play(Case { topic: ", shards: 3", ..case });
    let times: Vec<i64> = three.rows("s.seen").iter().map(|row| row[2]).collect();
    assert_eq!(times, [2, 1], "the second came after the server had gone");
    assert_eq!(ends(&three), [Settlement::Acknowledged; 2]);
}

#[test]
fn a_dead_letter_moved_at_most_once_is_lost_where_one_copied_first_is_doubled() {
    let facts = [("at_most_once", 0), ("atomic", 1), ("at_least_once", 2)];
    for (transfer, there) in facts {
        let consumes = format!(", exhaust: {{ after: 1, dead_letter: dead, transfer: {transfer} }}");
        let text = text(&Case {
            preset: "sqs-standard",
            topic: ", shards: 1",
            steps: "- fail: poison",
            consumes: consumes.leak(),
            // Sent at 1.001 s, visible again at 31.001 s: moved for 1 ms, and as long again.
            more: "faults: { f: { failover: b, at: 31002500us, for: 1s } }",
            ..CASE
        })
        .replace("horizon: 1m", "horizon: 10m")
        .replace("services:\n", "  dead: { messages: [Other] }\nservices:\n  t: { consumes: { dead: {} }, handlers: { Fact: [ { work: 1ms } ] } }\n")
        .replace("messages: { Fact", "messages: { Other: { kind: integration }, Fact");
        let at = if transfer == "at_most_once" { "31001500us" } else { "31002500us" };
        let run = run(&text.replace("31002500us", at));
        let moved = run.count(|record| matches!(record, Record::Accepted { topic: TopicId(1), .. }));
        assert_eq!(moved, there, "{transfer}");
        assert!(run.is_quiet());
    }
}

#[test]
fn poison_fails_every_attempt_and_only_its_share() {
    let steps = "- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }";
    let times: Vec<String> = (0..200).map(|n| format!("{}ms", 1000 + n)).collect();
    let case = Case {
        preset: "service-bus-session",
        steps,
        times: format!("[{}]", times.join(", ")).leak(),
        publish: "{ publish: Fact, with: { n: n, k: n } }",
        more: "faults: { f: { poison: Fact, share: 20% } }",
        ..CASE
    };
    let run = play(case);
    let parked = ends(&run).iter().filter(|how| **how == Settlement::Parked).count();
    assert!((20..60).contains(&parked), "{parked} of 200");
    assert_eq!(run.rows("s.seen").len(), 200 - parked);
    let touched = |run: &Run| run.count(|record| matches!(record, Record::FaultTouched { .. }));
    assert_eq!(touched(&run), 1);
    let nobody = play(Case { more: "faults: { f: { poison: Fact, at: 5m, for: 1s } }", ..case });
    assert_eq!(nobody.rows("s.seen").len(), 200);
    assert_eq!(touched(&nobody), 0);
}

#[test]
fn a_message_expires_while_it_waits_and_not_in_hand() {
    let case = Case {
        service: "workers: 1",
        consumes: ", max_in_flight: { per_consumer: 1 }",
        steps: "- work: 3s\n- { upsert: seen, key: [message.n, 0], set: { times: 1 } }",
        times: "[1s, 1001ms, 1002ms]",
        publish: "{ publish: Fact, with: { n: n, k: 0 }, expires: 4s }",
        ..CASE
    };
    for preset in ["rabbitmq-classic", "nats-jetstream", "sqs-fifo"] {
        let run = play(Case { preset, ..case });
        // The second is taken up at 4 s, the third would be at 7 s.
        assert_eq!(run.rows("s.seen").len(), 2, "{preset}");
        assert_eq!(ends(&run).iter().filter(|how| **how == Settlement::Expired).count(), 1, "{preset}");
    }
    let kept = play(Case { publish: "{ publish: Fact, with: { n: n, k: 0 } }", ..case });
    assert_eq!(kept.rows("s.seen").len(), 3);
}

#[test]
fn a_compacted_log_leaves_the_newest_of_each_key_and_forgets_tombstones() {
    let times: Vec<String> = (0..40).map(|n| format!("{}ms", 2000 + n)).collect();
    let case = Case {
        preset: "kafka",
        topic: ", retain: { compact: true, for: 60s }",
        times: format!("[{}]", times.join(", ")).leak(),
        // The service is away while they come.
        more: "faults: { f: { crash: s, at: 1s, for: 30s } }",
        ..CASE
    };
    let run = play(case);
    let how_many = |run: &Run, how: Settlement| ends(run).iter().filter(|end| **end == how).count();
    // Compacted after 16, 32: of each of the two keys one is left of the first 32.
    assert_eq!((how_many(&run, Settlement::Superseded), how_many(&run, Settlement::Acknowledged)), (30, 10));
    let last: Vec<i64> = run.rows("s.seen").into_iter().map(|row| row[0]).collect();
    assert!(last.contains(&40) && last.contains(&39));
    // The last of each key is a tombstone: who is away for longer than they are kept never hears of it.
    let buried = Case { publish: "{ publish: Fact, with: { n: n, k: n % 2 }, tombstone: true }", ..case };
    let heard = play(buried);
    assert_eq!(how_many(&heard, Settlement::Skipped), 0);
    let missed = play(Case { more: "faults: { f: { crash: s, at: 1s, for: 3m } }", ..buried });
    assert_eq!(how_many(&missed, Settlement::Skipped), 10);
    assert_eq!(how_many(&missed, Settlement::Acknowledged), 0);
}

#[test]
fn what_is_sent_again_is_overtaken_unless_one_send_is_in_flight() {
    // The first is refused by a broker that is back when the second arrives.
    let order = |topic: &'static str| {
        let run = play(Case {
            preset: "rabbitmq-classic",
            topic,
            service: "workers: 1",
            steps: "- { upsert: seen, key: [delivery.offset, message.n], set: { times: 1 } }",
            times: "[1s, 1001ms, 1002ms]",
            publish: "{ publish: Fact, with: { n: n, k: 0 }, retry: { attempts: 3, delay: 5ms } }",
            more: "faults: { f: { outage: b, at: 500ms, for: 501500us } }",
            ..CASE
        });
        run.rows("s.seen").into_iter().map(|row| row[1]).collect::<Vec<_>>()
    };
    assert_eq!(order(""), [2, 3, 1]);
    assert_eq!(order(", producer: { in_flight: 2 }"), [2, 3, 1]);
    assert_eq!(order(", producer: { in_flight: 1 }"), [1, 2, 3]);
}

#[test]
fn dead_letters_are_redriven_once_and_done_after_all() {
    // The handler fails until 2 m; the letters wait for the operator.
    let text = |operations: &str| {
        text(&Case {
            preset: "sqs-fifo",
            consumes: ", exhaust: { after: 1, dead_letter: dead }",
            steps: "- work: 1ms\n- { if: message.published_at + 2m > now, then: [ { fail: not_yet } ] }\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }",
            times: "[1s, 2s]",
            ..CASE
        })
        .replace("horizon: 1m", "horizon: 10m")
        .replace("services:\n", "  dead: { messages: [Other] }\nservices:\n")
        .replace("messages: { Fact", "messages: { Other: { kind: integration }, Fact")
            + operations
    };
    let left = run(&text(""));
    assert_eq!((left.rows("s.seen").len(), left.is_quiet()), (0, true));
    let redriven = run(&text("operations: { again: { redrive: dead, to: facts, at: [3m, 4m] } }\n"));
    assert_eq!(redriven.rows("s.seen"), [[1, 0, 1], [2, 0, 1]], "each once, though it is done twice");
    let too_soon = run(&text("operations: { again: { redrive: dead, to: facts, every: 100s } }\n"));
    assert_eq!(too_soon.rows("s.seen").len(), 2, "exhausted again, and redriven again");
    assert!(too_soon.started("s").len() > 4);
}

#[test]
fn an_outage_that_nobody_meets_touches_nothing() {
    let touched = |run: &Run| run.count(|record| matches!(record, Record::FaultTouched { .. }));
    let began = |run: &Run| run.count(|record| matches!(record, Record::FaultBegan { touched: 1, .. }));
    for preset in EVERY {
        for fault in [
            "outage: b",
            "failover: b",
            "outage: s",
            "crash: s.store",
            "outage: s.store",
            "failover: s.store",
        ] {
            let case = Case {
                preset,
                more: format!("faults: {{ f: {{ {fault}, at: 10s, for: 1s }} }}").leak(),
                publish: "{ publish: Fact, with: { n: n, k: 0 }, catch: { any: [ stop ] } }",
                ..CASE
            };
            let nobody = play(case);
            assert_eq!((began(&nobody), touched(&nobody)), (1, 0), "{preset}, {fault}");
            // Sent while it is out, or in hand when it goes.
            let met = play(Case { times: "[9996ms, 10500ms]", ..case });
            assert_eq!((began(&met), touched(&met)), (1, 1), "{preset}, {fault}");
        }
    }
}
