//! Stores: round trips and their middles, row verbs, isolation, locks, connections, times to live.

use super::{MS, Run, S, run, scenario};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

const WELL: Outcome = Outcome::Well;

/// A service with a table `t`: a read takes 2 ms, a write 4 ms, a commit 6 ms.
fn with_store(more: &str) -> String {
    format!(
        "workers: 8\nstore:\n  latency: {{ read: 2ms, write: 4ms, commit: 6ms }}\n{more}  tables:\n    t: {{ key: k, columns: {{ v: int, w: int }}, rows: [ {{ k: 1..3, v: 5 }} ] }}"
    )
}

fn once(steps: &str) -> Run {
    run(&scenario(&with_store(""), steps, ""))
}

/// Milliseconds in the handler, and how it ended.
fn took(run: &Run) -> (f64, Outcome) {
    let (at, outcome) = run.outcomes()[0];
    ((at - S) as f64 / MS as f64 - 2.0, outcome)
}

fn committed(run: &Run) -> Vec<u64> {
    let committed = run.when(|record| matches!(record, Record::Committed { .. }).then_some(()));
    committed.into_iter().map(|(at, ())| at - S).collect()
}

#[test]
fn reads_pay_the_read_and_writes_alone_pay_write_and_commit() {
    assert_eq!(took(&once("- { read: t, key: 1, as: r }")), (2.0, WELL));
    let run = once("- { update: t, key: 1, set: { v: 6 } }");
    assert_eq!(took(&run), (10.0, WELL));
    assert_eq!(committed(&run), [6 * MS], "in the middle of its round trip, 1 ms after the call was sent");
}

#[test]
fn a_transaction_pays_its_writes_and_one_commit() {
    let run = once(
        "- transaction: [ { read: t, key: 1, as: r }, { update: t, key: 1, set: { v: 6 } }, { insert: t, key: 9 }, { read: t, key: 2, lock: true, as: q } ]",
    );
    assert_eq!(took(&run), (2.0 + 4.0 + 4.0 + 2.0 + 6.0, WELL));
    assert_eq!(committed(&run), [16 * MS, 16 * MS], "both with the commit's middle");
}

#[test]
fn verbs_do_what_they_say_and_else_runs_when_there_is_nothing_to_do() {
    let run = once(
        "- { insert: t, key: 1, set: { v: 1 }, as: old, else: [ { insert: t, key: 10, set: { v: old.v } } ] }
- { insert: t, key: 11, set: { v: 3 } }
- { update: t, key: 77, set: { v: 1 }, else: [ { insert: t, key: 12 } ] }
- { update: t, key: 77, set: { v: 1 } }
- { update: t, key: 1, where: row.v == 4, set: { v: 1 }, else: [ { insert: t, key: 13 } ] }
- { update: t, key: 1, where: row.v == 5, set: { v: row.w + 8, w: row.v }, as: new }
- { insert: t, key: 14, set: { v: new.v, w: new.w } }
- { delete: t, key: 2 }
- { delete: t, key: 77, else: [ { insert: t, key: 15 } ] }
- { upsert: t, key: 3, set: { v: row.v + 1 } }
- { upsert: t, key: 20, set: { v: row.v + 1 } }
- { upsert: t, key: 21, where: row.v > 0, set: { v: 9 }, else: [ { insert: t, key: 16 } ] }
- { read: t, key: 99, as: gone }
- { if: '!gone.exists', then: [ { insert: t, key: 17 } ] }",
    );
    assert_eq!(took(&run).1, WELL);
    let mut rows = run.rows("s.t");
    rows.sort();
    let expected: [[i64; 3]; 11] = [
        [1, 8, 5],
        [3, 6, 0],
        [10, 5, 0],
        [11, 3, 0],
        [12, 0, 0],
        [13, 0, 0],
        [14, 8, 5],
        [15, 0, 0],
        [16, 0, 0],
        [17, 0, 0],
        [20, 1, 0],
    ];
    assert_eq!(rows, expected);
}

#[test]
fn inserting_what_is_there_is_an_error_and_so_is_a_column_of_nothing() {
    assert_eq!(took(&once("- { insert: t, key: 1 }")), (10.0, Outcome::Error(Error::Exists)));
    assert_eq!(
        took(&once("- { read: t, key: 99, as: r }\n- { let: { x: r.v } }")),
        (2.0, Outcome::Error(Error::Missing))
    );
}

#[test]
fn scans_filter_order_and_limit() {
    let steps = "- { scan: t, where: row.k != 2, order_by: -row.k, limit: 5, as: found }\n- for_each: found\n  as: r\n  do: [ { update: t, key: r.k, set: { w: size(found) } } ]\n- { scan: t, order_by: -row.k, limit: 1, as: last }\n- for_each: last\n  as: r\n  do: [ { insert: t, key: 100 + r.k } ]";
    let run = once(steps);
    assert_eq!(run.rows("s.t"), [[1, 5, 2], [2, 5, 0], [3, 5, 2], [103, 0, 0]]);
    assert_eq!(took(&run).0, 2.0 + 20.0 + 2.0 + 10.0);
}

#[test]
fn a_scan_takes_a_round_trip_for_each_hundred_rows() {
    let service = "store: { latency: { read: 2ms, write: 2ms, commit: 2ms }, tables: { t: { key: k, rows: [ { k: 1..250 } ] } } }";
    assert_eq!(took(&run(&scenario(service, "- { scan: t, as: all }", ""))), (6.0, WELL));
}

#[test]
fn writes_without_a_key_are_to_every_row_that_where_admits() {
    let run1 = once("- { update: t, where: row.k >= 2, set: { v: row.k * 10 } }");
    assert_eq!(run1.rows("s.t"), [[1, 5, 0], [2, 20, 0], [3, 30, 0]]);
    let run2 = once(
        "- { delete: t, where: row.k <= 2 }\n- { delete: t, where: row.k > 50, else: [ { insert: t, key: 4 } ] }",
    );
    assert_eq!(run2.rows("s.t"), [[3, 5, 0], [4, 0, 0]]);
}

/// The update's round trip of 10 ms begins at 1001 ms and takes effect at 1006 ms.
fn crash_at(at: &str, steps: &str) -> Run {
    run(&(scenario(&with_store(""), steps, "")
        + &format!("faults: {{ f: {{ crash: s, at: {at}, for: 5s }} }}\n")))
}

#[test]
fn a_crash_in_the_first_half_leaves_nothing_and_in_the_second_all() {
    let update = "- { update: t, key: 1, set: { v: 6 } }";
    for (at, value) in [("1005ms", 5), ("1007ms", 6)] {
        let run = crash_at(at, update);
        assert_eq!(run.rows("s.t")[0][1], value, "{at}");
        assert_eq!(run.outcomes()[0].1, Outcome::Error(Error::Unavailable));
    }
    // Write 1001–1005, commit 1005–1011 with its middle at 1008.
    for (at, value) in [("1004ms", 5), ("1007ms", 5), ("1009ms", 6)] {
        let run = crash_at(at, "- transaction: [ { update: t, key: 1, set: { v: 6 } } ]");
        assert_eq!(run.rows("s.t")[0][1], value, "{at}");
    }
}

fn crash_at_step(steps: &str, edge: &str) -> Run {
    let fault = format!("faults: {{ f: {{ crash: s, at_step: s.Go.it, edge: {edge}, for: 5s }} }}\n");
    run(&(scenario(&with_store(""), steps, "") + &fault))
}

#[test]
fn the_edges_of_a_row_step_are_before_unanswered_and_after() {
    let steps = "- { update: t, key: 1, set: { v: 6 }, name: it }\n- { update: t, key: 2, set: { v: 6 } }";
    for (edge, at, value) in [("before", MS, 5), ("unanswered", 6 * MS, 6), ("after", 11 * MS, 6)] {
        let run = crash_at_step(steps, edge);
        let down = run.when(|record| matches!(record, Record::InstanceDown { .. }).then_some(()));
        assert_eq!(down, [(S + at, ())], "{edge}");
        assert_eq!((run.rows("s.t")[0][1], run.rows("s.t")[1][1]), (value, 5), "{edge}");
        assert_eq!(run.count(|record| matches!(record, Record::FaultBegan { touched: 1, .. })), 1);
    }
}

#[test]
fn the_edges_of_a_transaction_are_those_of_its_commit() {
    let steps = "- { transaction: [ { update: t, key: 1, set: { v: 6 } } ], name: it }";
    for (edge, value) in [("before", 5), ("unanswered", 6), ("after", 6)] {
        assert_eq!(crash_at_step(steps, edge).rows("s.t")[0][1], value, "{edge}");
    }
}

/// Two callers, 1 ms apart, add 1 each; what is then in the row, and how they ended.
fn two_add_one(isolation: &str, steps: &str) -> (i64, Vec<Outcome>) {
    let service = with_store(&format!("  isolation: {isolation}\n"));
    let client = "arrivals: { times: [1s, 1001ms] }\ndo: [ { call: s.Go, with: { n: 0 }, timeout: 1m } ]";
    let run = run(&scenario(&service, steps, client));
    (run.rows("s.t")[0][1], run.outcomes().into_iter().map(|(_, outcome)| outcome).collect())
}

const READ_THEN_SET: &str =
    "- transaction: [ { read: t, key: 1, as: r }, { update: t, key: 1, set: { v: r.v + 1 } } ]";
const CONFLICT: Outcome = Outcome::Error(Error::Conflict);

#[test]
fn updates_are_lost_by_reading_first_and_only_at_read_committed() {
    assert_eq!(two_add_one("read_committed", READ_THEN_SET), (6, vec![WELL, WELL]));
    for isolation in ["snapshot", "serializable"] {
        let (value, outcomes) = two_add_one(isolation, READ_THEN_SET);
        assert_eq!(value, 6, "{isolation}");
        assert!(outcomes.contains(&CONFLICT) && outcomes.contains(&WELL), "{isolation} {outcomes:?}");
    }
}

#[test]
fn one_update_is_atomic_at_every_isolation_alone() {
    for isolation in ["read_committed", "snapshot", "serializable"] {
        let update = "- { update: t, key: 1, set: { v: row.v + 1 } }";
        assert_eq!(two_add_one(isolation, update), (7, vec![WELL, WELL]), "{isolation}");
    }
    let inside = "- transaction: [ { update: t, key: 1, set: { v: row.v + 1 } }, { update: t, key: 2, set: { v: row.v + 1 } } ]";
    assert_eq!(two_add_one("read_committed", inside), (7, vec![WELL, WELL]));
}

#[test]
fn a_conflict_is_tried_again_by_the_transaction_s_retry() {
    let steps = format!("{READ_THEN_SET}\n  retry: {{ attempts: 5, delay: 3ms }}");
    for isolation in ["snapshot", "serializable"] {
        assert_eq!(two_add_one(isolation, &steps), (7, vec![WELL, WELL]), "{isolation}");
    }
}

#[test]
fn locks_are_held_to_the_commit_and_who_waits_is_served_then() {
    let client = "arrivals: { times: [1s, 1001ms] }\ndo: [ { call: s.Go, with: { n: 0 }, timeout: 1m } ]";
    let steps = "- transaction: [ { update: t, key: 1, set: { v: row.v + 1 } }, { wait: 50ms } ]";
    let run = run(&scenario(&with_store(""), steps, client));
    // 1001: write 4, wait 50, commit to its middle 3: 1058. The other's lock is granted then; 2 back, 50, 3.
    assert_eq!(committed(&run), [58 * MS, 113 * MS]);
}

#[test]
fn who_waited_to_make_a_row_makes_the_one_it_asked_for() {
    // Both make row 7 (unseen by each other), while a third one writes row 1 in between.
    let steps = "- if: message.n == 2
  then: [ { transaction: [ { upsert: t, key: 1, set: { v: 9 } }, { delete: t, key: 2 } ] } ]
  else: [ { transaction: [ { upsert: t, key: 7, set: { v: row.v + 1 } }, { wait: 20ms }, { delete: t, key: 7, where: row.v == 1 } ] } ]";
    let client = "arrivals: { times: [1s, 1001ms, 1002ms, 1003ms] }\ndo:\n  - let: { n: { counter: 1 } }\n  - { call: s.Go, with: { n: n }, timeout: 1m }";
    let run = run(&scenario(&with_store(""), steps, client));
    assert_eq!(run.rows("s.t"), [[1, 9, 0], [3, 5, 0]], "made and deleted again three times over");
}

#[test]
fn who_closes_a_circle_of_waiting_meets_a_conflict() {
    let steps = "- if: message.n == 1
  then:
    - transaction: [ { update: t, key: 1, set: { v: row.v + 1 } }, { wait: 10ms }, { update: t, key: 2, set: { v: row.v + 1 } } ]
      retry: { attempts: 3, delay: 1ms }
  else:
    - transaction: [ { update: t, key: 2, set: { v: row.v + 1 } }, { wait: 10ms }, { update: t, key: 1, set: { v: row.v + 1 } } ]
      retry: { attempts: 3, delay: 1ms }";
    let client = "arrivals: { times: [1s, 1001ms] }\ndo:\n  - let: { n: { counter: 1 } }\n  - { call: s.Go, with: { n: n }, timeout: 1m }";
    let run = run(&scenario(&with_store(""), steps, client));
    assert_eq!(run.outcomes().into_iter().map(|(_, outcome)| outcome).collect::<Vec<_>>(), [WELL, WELL]);
    assert_eq!((run.rows("s.t")[0][1], run.rows("s.t")[1][1]), (7, 7));
}

#[test]
fn serializable_sees_a_predicate_change_and_snapshot_does_not() {
    // Both count the rows and add one only if there are three: write skew.
    let steps = "- transaction:\n    - { scan: t, where: row.v == 5, as: all }\n    - { if: size(all) == 3, then: [ { insert: t, key: message.n, set: { v: 5 } } ] }";
    let both = |isolation: &str| {
        let service = with_store(&format!("  isolation: {isolation}\n"));
        let client = "arrivals: { times: [1s, 1001ms] }\ndo:\n  - let: { n: { counter: 1 } }\n  - { call: s.Go, with: { n: n + 100 }, timeout: 1m }";
        run(&scenario(&service, steps, client)).rows("s.t").len()
    };
    assert_eq!((both("snapshot"), both("serializable")), (5, 4));
}

#[test]
fn a_snapshot_sees_the_time_of_its_first_step() {
    let steps = "- if: message.n == 1
  then:
    - transaction: [ { read: t, key: 2, as: first }, { wait: 100ms }, { read: t, key: 1, as: r }, { insert: t, key: 50, set: { v: r.v } } ]
  else:
    - { update: t, key: 1, set: { v: 77 } }";
    let seen = |isolation: &str| {
        let service = with_store(&format!("  isolation: {isolation}\n"));
        let client = "arrivals: { times: [1s, 1010ms] }\ndo:\n  - let: { n: { counter: 1 } }\n  - { call: s.Go, with: { n: n }, timeout: 1m }";
        run(&scenario(&service, steps, client)).rows("s.t")[3][1]
    };
    assert_eq!((seen("read_committed"), seen("snapshot")), (77, 5));
}

#[test]
fn connections_are_few_and_first_come_first_served() {
    let service = with_store("  connections: 1\n");
    let client =
        "arrivals: { times: [1s, 1001ms, 1002ms] }\ndo: [ { call: s.Go, with: { n: 0 }, timeout: 1m } ]";
    let run = run(&scenario(&service, "- { read: t, key: 1, as: r }", client));
    let ended: Vec<u64> = run.outcomes().iter().map(|(at, _)| (at - S) / MS).collect();
    assert_eq!(ended, [4, 6, 8]);
}

#[test]
fn a_transaction_keeps_its_connection_and_gives_it_back_when_it_fails() {
    let service = with_store("  connections: 1\n");
    let client = "arrivals: { times: [1s, 1001ms] }\ndo: [ { call: s.Go, with: { n: 0 }, timeout: 1m } ]";
    let steps = "- transaction: [ { read: t, key: 1, as: r }, { wait: 10ms }, { fail: no } ]";
    let run = run(&scenario(&service, steps, client));
    let ended: Vec<u64> = run.outcomes().iter().map(|(at, _)| (at - S) / MS).collect();
    assert_eq!(ended, [14, 26]);
}

#[test]
fn stop_commits_and_fail_rolls_back() {
    let run1 = once(
        "- transaction: [ { update: t, key: 1, set: { v: 6 } }, stop ]\n- { update: t, key: 2, set: { v: 6 } }",
    );
    assert_eq!(run1.rows("s.t"), [[1, 6, 0], [2, 5, 0], [3, 5, 0]]);
    assert_eq!(took(&run1), (10.0, WELL));
    let run2 = once(
        "- transaction: [ { update: t, key: 1, set: { v: 6 } }, { fail: no } ]\n  catch: { no: [ { update: t, key: 2, set: { v: 6 } } ] }",
    );
    assert_eq!(run2.rows("s.t"), [[1, 5, 0], [2, 6, 0], [3, 5, 0]]);
}

#[test]
fn an_error_caught_inside_a_transaction_does_not_undo_it() {
    let run = once(
        "- transaction: [ { try: [ { update: t, key: 1, set: { v: 6 } }, { fail: no } ], catch: { no: [ { update: t, key: 2, set: { v: 7 } } ] } } ]",
    );
    assert_eq!(run.rows("s.t"), [[1, 6, 0], [2, 7, 0], [3, 5, 0]]);
}

#[test]
fn rows_expire_unless_they_are_written_again() {
    let service = "store: { latency: { read: 0s, write: 0s, commit: 0s }, tables: { t: { key: k, columns: { v: int }, ttl: 10s, rows: [ { k: 99 } ] }, at: { key: [k, when] } } }";
    let steps = "- { insert: t, key: 1 }\n- { insert: t, key: 2 }\n- wait: 6s\n- { update: t, key: 2, set: { v: 1 } }\n- { scan: t, as: all }\n- { insert: at, key: [size(all), 7] }\n- wait: 5s\n- { scan: t, as: some }\n- { insert: at, key: [size(some), 12] }\n- wait: 6s\n- { scan: t, as: none }\n- { insert: at, key: [size(none), 18] }";
    let run = run(&scenario(service, steps, ""));
    assert_eq!(run.rows("s.at"), [[3, 7], [1, 12], [0, 18]]);
}

#[test]
fn memory_takes_no_time_has_its_capacity_and_is_gone_on_restart() {
    let service = "memory: { m: { key: k, columns: { v: int }, capacity: 2, rows: [ { k: 50 } ] } }"
        .replace(", rows: [ { k: 50 } ]", "");
    let steps = "- { upsert: m, key: message.n, set: { v: row.v + 1 } }";
    let calls = |times: &str| {
        format!(
            "arrivals: {{ times: {times} }}\ndo:\n  - let: {{ n: {{ counter: 1 }} }}\n  - {{ call: s.Go, with: {{ n: n }} }}"
        )
    };
    let text = scenario(&service, steps, &calls("[1s, 2s, 3s]"));
    let run1 = run(&text);
    assert_eq!(run1.world.memory_rows(&run1.model, "s.m", 0).unwrap(), [[2, 1], [3, 1]]);
    assert_eq!(run1.outcomes()[0], (S + 2 * MS, WELL));
    let run2 = run(&(text + "faults: { f: { crash: s, at: 2500ms, for: 100ms } }\n"));
    assert_eq!(run2.world.memory_rows(&run2.model, "s.m", 0).unwrap(), [[3, 1]]);
}
