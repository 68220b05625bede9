//! Kafka, row by row: what a consumer group of a partitioned log does when something goes wrong, each with its source.
//!
//! | what happens | what Kafka does | source |
//! |---|---|---|
//! | a consumer crashes before it commits | its partitions move when its session is over, and what it had not committed comes again | `session.timeout.ms` 45 s; KIP-735 |
//! | it hangs | the same; what it does when it wakes stands, and its commit is refused | `GroupCoordinator`: `ILLEGAL_GENERATION`, `UNKNOWN_MEMBER_ID` |
//! | it handles one poll for too long | it leaves the group by itself | `max.poll.interval.ms` 5 min |
//! | it fails | it seeks back and tries again; what is behind in the partition waits | `KafkaConsumer.seek`; Spring's `DefaultErrorHandler` |
//! | it always fails | for ever: there is no number of deliveries | consumer configs: none |
//! | a poisoned key | blocks its partition, other keys included, and no other partition | the position is one per partition |
//! | a member joins, eager | every partition of the group stops | `RangeAssignor`; KIP-429 |
//! | a member joins, cooperative | those that stay with their owner go on | `CooperativeStickyAssignor`; KIP-429 |
//! | it commits from time to time | what it handled since the last commit comes again | `enable.auto.commit`, `auto.commit.interval.ms` 5 s |
//! | retention passes a group | it goes on at `auto.offset.reset` | `log.retention.*`, `auto.offset.reset` latest |

use super::messaging::{CASE, Case, settled, text};
use super::{MS, Run, S, run};
use eventflow::kernel::time::Nanos;
use eventflow::world::record::{Record, Settlement};

const KAFKA: Case = Case { preset: "kafka", service: "instances: 2\nworkers: 1", ..CASE };

/// The rebalance lasts as long as the members take to hear of it.
const PAUSE: Nanos = 3 * S;

fn play(case: Case) -> Run {
    run(&text(&case).replace("horizon: 1m", "horizon: 2h").replace("drain: 10m", "drain: 2h"))
}

/// Number and times handled, in the order of the numbers.
fn seen(run: &Run) -> Vec<(i64, i64)> {
    let mut rows: Vec<(i64, i64)> = run.rows("s.seen").iter().map(|row| (row[0], row[2])).collect();
    rows.sort_unstable();
    rows
}

fn stale(run: &Run) -> usize {
    run.count(|record| matches!(record, Record::AckStale { .. }))
}

/// Twenty messages of twenty keys, 100 ms apart.
fn twenty() -> &'static str {
    let times: Vec<String> = (0..20).map(|n| format!("{}ms", 1000 + 100 * n)).collect();
    format!("[{}]", times.join(", ")).leak()
}

#[test]
fn a_crash_before_the_commit_is_noticed_when_the_session_is_over() {
    let case = Case {
        steps: "- { name: act, upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }",
        more: "faults: { f: { crash: s, at_step: s.Fact.act, edge: unanswered, nth: 1, for: 1h } }",
        ..KAFKA
    };
    let run = play(case);
    assert_eq!(seen(&run), [(1, 2)], "done, not committed, and done again");
    let starts = run.started("s");
    let took = starts[1] - starts[0];
    assert!((45 * S..45 * S + PAUSE + S).contains(&took), "{took}");
}

#[test]
fn what_a_consumer_that_hung_does_stands_and_its_commit_is_refused() {
    let case = Case {
        steps: "- work: 100ms\n- { upsert: seen, key: [message.n, self.instance], set: { times: row.times + 1 } }",
        more: "faults: { f: { pause: s, at: 1050ms, for: 2m, instance: all } }",
        ..KAFKA
    };
    // Both hang, and the one that has no partition as well: nobody takes over, and nothing is refused before.
    assert_eq!(play(case).rows("s.seen").len(), 1);
    let one = "faults: { f: { pause: s, at: 1050ms, for: 2m, instance: 0 } }";
    let run = play(Case { more: one, ..case });
    let mut by: Vec<(i64, i64)> = run.rows("s.seen").iter().map(|row| (row[1], row[2])).collect();
    by.sort_unstable();
    assert_eq!(by, [(0, 1), (1, 1)], "the zombie's write is there as well");
    assert_eq!(stale(&run), 1, "and its commit is not");
}

#[test]
fn who_handles_a_poll_for_too_long_is_out() {
    let case = Case {
        steps: "- { if: delivery.attempt == 1, then: [ { work: 400s } ], else: [ { work: 1s } ] }",
        ..KAFKA
    };
    let run = play(case);
    let starts = run.started("s");
    assert_eq!(starts.len(), 2);
    let took = starts[1] - starts[0];
    assert!((300 * S..340 * S).contains(&took), "found out within an eighth of the interval: {took}");
    assert_eq!(stale(&run), 1);
}

#[test]
fn what_fails_is_tried_again_where_it_is_and_for_ever() {
    let case = Case {
        topic: ", partitions: 2",
        steps: "- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }\n- { if: message.k == 0, then: [ { fail: poison } ] }",
        consumes: ", redeliver: { delay: 1s }",
        times: "[1s, 1010ms, 1020ms, 1030ms, 1040ms, 1050ms]",
        ..KAFKA
    };
    let run = play(Case { more: "", ..case });
    // Keys 1 and 0 in turn: of the one that is poisoned the first is tried for hours.
    let rows = seen(&run);
    let first = rows.iter().find(|row| row.1 > 1).expect("it is tried again");
    assert!(first.1 > 3600, "{rows:?}");
    assert!(!run.is_quiet() && settled(&run).iter().all(|(_, how)| *how == Settlement::Acknowledged));
    // In two partitions, the other key goes on; in one, it waits behind the first.
    let behind = |run: &Run| seen(run).iter().filter(|(n, _)| n % 2 == 1).count();
    let one = play(Case { topic: ", partitions: 1", ..case });
    assert_eq!(behind(&one), 1, "only the one before it");
    let both_in_one = behind(&run) == 1;
    assert!(both_in_one || behind(&run) == 3, "another partition is not touched");
}

#[test]
fn a_rebalance_stops_all_partitions_or_those_that_move() {
    let handled_while = |mode: &'static str| {
        let consumes: &'static str = format!(", rebalance: {{ mode: {mode} }}").leak();
        let times: Vec<String> = (0..1000).map(|n| format!("{}ms", 1000 + 100 * n)).collect();
        let run = play(Case {
            topic: ", partitions: 8",
            consumes,
            service: "instances: 3\nworkers: 4",
            steps: "- work: 1ms\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }",
            times: format!("[{}]", times.join(", ")).leak(),
            publish: "{ publish: Fact, with: { n: n, k: n } }",
            // It comes back after its session: a member joins.
            more: "faults: { f: { crash: s, at: 5s, for: 60s, instance: 0 } }",
            ..KAFKA
        });
        let begun = run.when(|record| matches!(record, Record::Rebalanced { .. }).then_some(()));
        let (joins, _) = *begun.last().expect("it joins");
        assert!(joins >= 65 * S, "{mode}");
        assert!(seen(&run).iter().all(|(_, times)| *times == 1), "{mode}: nothing is done twice by a join");
        run.started("s").iter().filter(|at| (joins + 100 * MS..joins + PAUSE - 100 * MS).contains(at)).count()
    };
    assert_eq!(handled_while("eager"), 0, "the world stands still");
    assert!(handled_while("cooperative") > 10, "those that stay go on");
}

#[test]
fn what_was_handled_since_the_last_commit_comes_again() {
    let case = Case {
        service: "instances: 1\nworkers: 1",
        consumes: ", ack: periodic, ack_every: 5s",
        steps: "- work: 1ms\n- { upsert: seen, key: [message.n, 0], set: { times: row.times + 1 } }",
        times: twenty(),
        ..KAFKA
    };
    assert!(seen(&play(case)).iter().all(|(_, times)| *times == 1));
    // All twenty are handled by 3 s; the first commit would be at 6 s.
    let run = play(Case { more: "faults: { f: { crash: s, at: 4s, for: 1s } }", ..case });
    assert_eq!(seen(&run).iter().filter(|(_, times)| *times == 2).count(), 20, "processed − committed");
    let run = play(Case { more: "faults: { f: { crash: s, at: 8s, for: 1s } }", ..case });
    assert!(seen(&run).iter().all(|(_, times)| *times == 1), "committed by then");
}

#[test]
fn a_group_that_retention_has_passed_goes_on_where_it_is_told_to() {
    let lost = |reset: &str| {
        let topic: &'static str = format!(", retain: {{ for: 10s, reset: {reset} }}").leak();
        let run = play(Case {
            topic,
            service: "instances: 1\nworkers: 1",
            times: twenty(),
            more: "faults: { f: { crash: s, at: 500ms, for: 2m } }",
            ..KAFKA
        });
        settled(&run).iter().filter(|(_, how)| *how == Settlement::Skipped).count()
    };
    assert_eq!((lost("earliest"), lost("latest")), (20, 20), "all of it was older than ten seconds");
}
