//! Steps that steer: branches, loops, errors and tries.

use super::{MS, S, run, scenario};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

/// What `steps` take in a handler, in milliseconds, and how the caller's intent ends.
fn took(steps: &str) -> (f64, Outcome) {
    let service = "store: { latency: { read: 1ms, write: 1ms, commit: 1ms }, tables: { t: { key: k, columns: { v: int }, rows: [ { k: 1..3, v: 5 } ] } } }";
    let run = run(&scenario(service, steps, ""));
    let (at, outcome) = run.outcomes()[0];
    ((at - S) as f64 / MS as f64 - 2.0, outcome)
}

fn well(steps: &str) -> f64 {
    let (time, outcome) = took(steps);
    assert_eq!(outcome, Outcome::Well, "{steps}");
    time
}

#[test]
fn branches_run_together_and_all_are_awaited() {
    assert_eq!(well("- parallel: { a: [ { wait: 5ms } ], b: [ { wait: 9ms } ], c: [] }\n- wait: 1ms"), 10.0);
    assert_eq!(well("- parallel: {}\n- wait: 1ms"), 1.0);
}

#[test]
fn locals_of_branches_are_visible_after() {
    let steps = "- parallel: { a: [ { wait: 5ms }, { let: { x: 3 } } ], b: [ { let: { y: 4 } } ] }\n- if: x * y != 12\n  then: [ { fail: wrong } ]";
    assert_eq!(well(steps), 5.0);
}

#[test]
fn the_first_error_is_the_step_s_and_the_others_go_on() {
    let service = "store: { latency: { read: 1ms, write: 1ms, commit: 1ms }, tables: { t: { key: k } } }";
    let steps = "- parallel: { a: [ { wait: 5ms }, { fail: late } ], b: [ { wait: 1ms }, { fail: early } ], c: [ { wait: 20ms }, { insert: t, key: 9 } ] }";
    let run = run(&scenario(service, steps, ""));
    assert_eq!(run.outcomes(), [(S + 24 * MS, Outcome::Error(run.reason("early")))]);
    assert_eq!(run.rows("s.t"), [[9]]);
}

#[test]
fn a_stop_in_a_branch_ends_the_branch() {
    assert_eq!(
        well(
            "- parallel: { a: [ { if: message.n == 0, then: [ stop ] }, { wait: 1s } ], b: [ { wait: 2ms } ] }\n- wait: 1ms"
        ),
        3.0
    );
}

#[test]
fn loops_go_one_after_another_or_together() {
    assert_eq!(well("- for_each: '[1, 2, 3]'\n  as: i\n  do: [ { wait: i * 1ms } ]"), 6.0);
    assert_eq!(well("- for_each: '[1, 2, 3]'\n  as: i\n  parallel: true\n  do: [ { wait: i * 1ms } ]"), 3.0);
    // Two at once: 1 and 2; then 3 in the place of 1.
    assert_eq!(well("- for_each: '[1, 2, 3]'\n  as: i\n  parallel: 2\n  do: [ { wait: i * 1ms } ]"), 4.0);
    assert_eq!(
        well("- for_each: 1..message.n\n  as: i\n  parallel: true\n  do: [ { wait: 1ms } ]\n- wait: 1ms"),
        1.0
    );
}

#[test]
fn loops_stand_in_loops() {
    let steps = "- for_each: '[1, 2]'\n  as: i\n  do:\n    - for_each: 1..3\n      as: j\n      do: [ { wait: i * j * 1ms } ]";
    assert_eq!(well(steps), 18.0);
    let steps = "- for_each: '[1, 2]'\n  as: i\n  parallel: true\n  do:\n    - for_each: 1..3\n      as: j\n      parallel: 2\n      do: [ { wait: i * j * 1ms } ]";
    assert_eq!(well(steps), 8.0);
}

#[test]
fn a_loop_over_rows_reads_their_columns() {
    let steps = "- { scan: t, where: row.k >= 2, as: found }\n- for_each: found\n  as: r\n  do: [ { wait: r.k * r.v * 1ms } ]";
    assert_eq!(well(steps), 26.0);
}

#[test]
fn a_stop_in_a_loop_ends_the_handler() {
    assert_eq!(
        well(
            "- for_each: '[1, 2, 3]'\n  as: i\n  do: [ { wait: 1ms }, { if: i == 2, then: [ stop ] } ]\n- wait: 1s"
        ),
        2.0
    );
}

#[test]
fn an_error_in_a_parallel_loop_is_the_first_and_the_rest_is_done() {
    let steps = "- try: [ { for_each: '[1, 2, 3]', as: i, parallel: 1, do: [ { wait: 1ms }, { if: i == 2, then: [ { fail: two } ] } ] } ]\n  catch: { two: [ { wait: 10ms } ] }";
    assert_eq!(well(steps), 13.0);
}

#[test]
fn a_group_is_tried_again_and_then_caught() {
    let steps = "- try: [ { wait: 1ms }, { read: t, key: 77, as: r }, { wait: r.v * 1ms } ]\n  retry: { attempts: 3, delay: 10ms, factor: 3, errors: [missing] }\n  catch: { missing: [ { wait: 100ms } ] }\n- wait: 1ms";
    assert_eq!(well(steps), 3.0 * 2.0 + 10.0 + 30.0 + 100.0 + 1.0);
    let steps = "- try: [ { wait: 1ms }, { read: t, key: 77, as: r }, { wait: r.v * 1ms } ]\n  retry: { attempts: 3, delay: 10ms }";
    assert_eq!(took(steps), (2.0, Outcome::Error(Error::Missing)), "missing is an answer");
}

#[test]
fn the_inner_catch_comes_first_and_what_it_does_not_name_goes_out() {
    let steps = "- try:\n    - try: [ { fail: a } ]\n      catch: { timeout: [ { wait: 1s } ] }\n  catch: { any: [ { wait: 3ms } ] }";
    assert_eq!(well(steps), 3.0);
    let steps = "- try:\n    - try: [ { fail: a } ]\n      catch: { a: [ { fail: b } ] }\n  catch: { b: [ { wait: 4ms } ] }";
    assert_eq!(well(steps), 4.0, "an error in a catch goes outward");
}

#[test]
fn overflow_and_division_by_nought_fail_the_attempt() {
    assert_eq!(took("- let: { x: 9223372036854775807 + message.n + 1 }").1, Outcome::Error(Error::Failed));
    assert_eq!(took("- let: { x: 1 / message.n }").1, Outcome::Error(Error::Failed));
}

/// The place is that of the part of the expression that has no value; an absent row has none to tell.
#[test]
fn where_an_expression_had_no_value_is_told() {
    let places = |steps: &str| -> Vec<String> {
        let service = "store: { tables: { t: { key: k, columns: { v: int } } } }";
        let run = run(&scenario(service, steps, ""));
        let told = run.records.iter().filter_map(|(_, record)| match record {
            Record::Miscalculated { instruction } => Some(run.model.place_of(*instruction).unwrap()),
            _ => None,
        });
        told.collect()
    };
    let line = scenario("", "- here", "").lines().position(|line| line.contains("- here")).unwrap() + 1;
    // Of eight blanks, a table's line more, and `- let: { x: `.
    let place = |column: usize| vec![format!("test.yaml:{}:{column}", line + 1)];
    assert_eq!(places("- let: { x: 5 }"), Vec::<String>::new());
    assert_eq!(places("- let: { x: 10 + 1 / message.n }"), place(26));
    assert_eq!(places("- let: { x: 9223372036854775807 + message.n + 1 }"), place(21));
    assert_eq!(places("- let: { x: '[1, 2][message.n + 2]' }"), place(22));
    assert_eq!(places("- { if: 1 % message.n == 0, then: [ stop ] }"), place(17));
    assert_eq!(places("- { read: t, key: 1, as: row_1 }\n- let: { x: row_1.v }"), Vec::<String>::new());
    let caught =
        "- try: [ { let: { x: 1 / message.n } } ]\n  retry: { attempts: 3 }\n  catch: { failed: [ stop ] }";
    assert_eq!(places(caught).len(), 3, "each time");
}

#[test]
fn a_negative_length_is_none() {
    assert_eq!(well("- wait: message.n * 1ms - 5ms\n- wait: 1ms"), 1.0);
}

#[test]
fn a_drawn_value_belongs_to_the_cause_and_a_duration_to_the_try() {
    let steps = "- let: { first: { uniform: [1, 1000000] } }\n- try:\n    - let: { again: { uniform: [1, 1000000] }, fresh: { uniform: [1, 1000000], per: attempt } }\n    - { upsert: t, key: again, set: { v: row.v + 1 } }\n    - { upsert: t, key: fresh, set: { v: 1 } }\n    - fail: once_more\n  retry: { attempts: 3, errors: [once_more] }\n  catch: { any: [ stop ] }";
    let service = "store: { tables: { t: { key: k, columns: { v: int } } } }";
    let rows = run(&scenario(service, steps, "")).rows("s.t");
    let counts: Vec<i64> = rows.iter().map(|row| row[1]).collect();
    assert_eq!(counts, [3, 1, 1, 1], "one value three times, three drawn anew: {rows:?}");
}

#[test]
fn a_loop_without_time_is_an_error_that_names_it() {
    use eventflow::experiment::replication;
    use eventflow::kernel::stream::StreamPlan;
    let steps = "- try: [ { fail: again } ]\n  retry: { attempts: unlimited, errors: [again] }";
    let model = super::model(&scenario("", steps, ""));
    let plan = std::sync::Arc::new(StreamPlan::new(&model.streams));
    let limits = eventflow::world::Limits { events_per_instant: 50_000, ..Default::default() };
    let agenda = replication::agenda(&model, &plan, 0, 0);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let result = replication::replicate(&model, agenda, &mut (), limits, &stop).map(|_| ());
    let halt = result.expect_err("it never ends");
    assert!(halt.to_string().contains("s/Go"), "{halt}");
}

#[test]
fn loops_of_loops_without_time_end_as_well() {
    use eventflow::experiment::replication;
    use eventflow::kernel::stream::StreamPlan;
    let steps = "- for_each: 1..100000\n  as: i\n  do: [ { for_each: 1..100000, as: j, do: [ { let: { x: i + j } } ] } ]";
    let model = super::model(&scenario("", steps, ""));
    let plan = std::sync::Arc::new(StreamPlan::new(&model.streams));
    let limits = eventflow::world::Limits { events_per_instant: 100_000, ..Default::default() };
    let agenda = replication::agenda(&model, &plan, 0, 0);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let result = replication::replicate(&model, agenda, &mut (), limits, &stop).map(|_| ());
    assert!(matches!(result, Err(eventflow::world::Halt::ZeroDelayLoop { .. })));
}
