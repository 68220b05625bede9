//! What a broker that flushes now and then forgets when it fails over: acknowledgements, and messages whose delay
//! is not over.
//!
//! The first message is sent at 1 s, so the flushes are at 11 s, then ten seconds after the next thing that is to be
//! made durable.

use super::messaging::{CASE, Case, settled, text};
use super::{Run, run};
use eventflow::world::record::{Record, Settlement};

const LATE: Case = Case {
    topic: ", flush: 10s",
    service: "instances: 2\nworkers: 1",
    // Durable from 11 s on, acknowledged at 12 s: durable at 22 s.
    steps: "- work: 11s\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }",
    times: "[1s]",
    ..CASE
};

fn play(case: Case) -> Run {
    run(&text(&case).replace("horizon: 1m", "horizon: 10m"))
}

fn times(run: &Run) -> Vec<i64> {
    run.rows("s.seen").iter().map(|row| row[2]).collect()
}

fn reopened(run: &Run) -> usize {
    run.count(|record| matches!(record, Record::Reopened { .. }))
}

#[test]
fn a_queue_hands_out_again_what_was_acknowledged_since_the_last_flush() {
    let before = "faults: { f: { failover: b, at: 15s, for: 1s } }";
    let after = "faults: { f: { failover: b, at: 25s, for: 1s } }";
    for preset in ["rabbitmq-classic", "sqs-fifo, lease: { after: 1m }", "service-bus-session"] {
        let case = Case { preset, ..LATE };
        let run = play(Case { more: before, ..case });
        assert_eq!((times(&run), reopened(&run)), (vec![2], 1), "{preset}");
        assert_eq!(settled(&run).len(), 2, "{preset}");
        assert!(run.is_quiet());
        let run = play(Case { more: after, ..case });
        assert_eq!((times(&run), reopened(&run)), (vec![1], 0), "{preset}: flushed at 22 s");
        let run = play(Case { more: before, topic: ", flush: always", ..case });
        assert_eq!(times(&run), [1], "{preset}: durable at once");
    }
}

/// The owner of a partition knows where it is; whoever comes after it is told the old position.
#[test]
fn a_log_has_forgotten_the_position_for_whoever_comes_next() {
    let kafka = Case { preset: "kafka", ..LATE };
    let run = play(Case { more: "faults: { f: { failover: b, at: 15s, for: 1s } }", ..kafka });
    assert_eq!((times(&run), reopened(&run)), (vec![1], 0));
    assert!(run.is_quiet());
    let crash =
        "faults: { f: { failover: b, at: 15s, for: 1s }, g: { crash: s, at: 17s, instance: all, for: 1s } }";
    let run = play(Case { more: crash, ..kafka });
    assert_eq!((times(&run), reopened(&run)), (vec![2], 1));
    assert!(run.is_quiet());
    // It has said so once more meanwhile, with its next acknowledgement.
    let run = play(Case {
        times: "[1s, 16500ms]",
        more: "faults: { f: { failover: b, at: 15s, for: 1s }, g: { crash: s, at: 40s, instance: all, for: 1s } }",
        ..kafka
    });
    assert_eq!(times(&run), [1, 1]);
}

#[test]
fn what_waits_for_its_delay_is_lost_before_it_is_durable() {
    let steps = "- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }";
    let of_topic = Case { topic: ", flush: 10s, delay: 20s", steps, preset: "rabbitmq-classic", ..LATE };
    let publish = "{ publish: Fact, with: { n: n, k: n % 2 }, delay: 20s }";
    let of_message = Case { topic: ", flush: 10s", publish, ..of_topic };
    for case in [of_topic, of_message] {
        let lost = play(Case { more: "faults: { f: { failover: b, at: 5s, for: 1s } }", ..case });
        assert!(times(&lost).is_empty(), "{}", case.publish);
        assert!(lost.is_quiet());
        let kept = play(Case { more: "faults: { f: { failover: b, at: 15s, for: 1s } }", ..case });
        assert_eq!(times(&kept), [1], "{}", case.publish);
    }
    let lost = play(Case { more: "faults: { f: { failover: b, at: 5s, for: 1s } }", ..of_topic });
    let ends: Vec<Settlement> = settled(&lost).into_iter().map(|(_, how)| how).collect();
    assert_eq!(ends, [Settlement::Destroyed], "its group was owed it");
}
