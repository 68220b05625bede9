//! Calls: their times, timeouts, retries and errors.

use super::{MS, Run, S, run, scenario};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

fn caller(steps: &str) -> String {
    format!(
        "arrivals: {{ times: [1s] }}\ndo:\n{}",
        steps.lines().map(|line| format!("  {line}\n")).collect::<String>()
    )
}

fn tries(run: &Run) -> Vec<u64> {
    let tried = run.when(|record| matches!(record, Record::CallTried { .. }).then_some(()));
    tried.into_iter().map(|(at, ())| at).collect()
}

#[test]
fn a_call_takes_its_latencies_and_its_work() {
    let run = run(&scenario("", "- work: 5ms", ""));
    assert_eq!(run.started("s"), [S + MS]);
    assert_eq!(run.outcomes(), [(S + 7 * MS, Outcome::Well)]);
    assert!(run.is_quiet());
}

#[test]
fn an_answer_at_the_instant_of_the_timeout_wins() {
    let run = run(&scenario("", "- work: 5ms", &caller("- { call: s.Go, with: { n: 0 }, timeout: 7ms }")));
    assert_eq!(run.outcomes(), [(S + 7 * MS, Outcome::Well)]);
}

#[test]
fn a_timeout_is_from_sending_and_the_work_goes_on() {
    let run = run(&scenario("", "- work: 5ms", &caller("- { call: s.Go, with: { n: 0 }, timeout: 6ms }")));
    assert_eq!(run.outcomes(), [(S + 6 * MS, Outcome::Error(Error::Timeout))]);
    assert_eq!(run.ended("s"), [(S + 6 * MS, (0, Outcome::Well))]);
    assert!(run.is_quiet(), "the late answer was dropped");
}

#[test]
fn attempts_count_the_first_try_and_the_timeout_is_of_each() {
    let call =
        "- { call: s.Go, with: { n: 0 }, timeout: 4ms, retry: { attempts: 3, delay: 10ms, factor: 2 } }";
    let run = run(&scenario("workers: 9", "- work: 1s", &caller(call)));
    assert_eq!(tries(&run), [S, S + 14 * MS, S + 38 * MS]);
    assert_eq!(run.outcomes(), [(S + 42 * MS, Outcome::Error(Error::Timeout))]);
    assert_eq!(run.ended("s").len(), 3, "each try is worked on to its end");
}

/// The waits before each further try, in units of the delay (10 ms).
fn waits(retry: &str) -> Vec<f64> {
    let call = format!(
        "- {{ call: s.Go, with: {{ n: 0 }}, timeout: 4ms, retry: {{ attempts: 200, delay: 10ms, {retry} }} }}"
    );
    let run = run(&scenario("workers: unlimited", "- work: 10m", &caller(&call)));
    let tried = tries(&run);
    tried.windows(2).map(|pair| (pair[1] - pair[0] - 4 * MS) as f64 / (10 * MS) as f64).collect()
}

#[test]
fn a_delay_grows_by_its_factor_to_its_highest() {
    assert_eq!(waits("factor: 2, max_delay: 50ms")[..5], [1.0, 2.0, 4.0, 5.0, 5.0]);
}

#[test]
fn full_jitter_is_uniform_below_the_delay() {
    let waits = waits("jitter: full");
    assert!(waits.iter().all(|wait| (0.0..=1.0).contains(wait)));
    let mean = waits.iter().sum::<f64>() / waits.len() as f64;
    assert!((0.4..0.6).contains(&mean), "{mean}");
    assert!(waits.iter().any(|wait| *wait < 0.1) && waits.iter().any(|wait| *wait > 0.9));
}

#[test]
fn equal_jitter_keeps_half() {
    let waits = waits("jitter: equal");
    assert!(waits.iter().all(|wait| (0.5..=1.0).contains(wait)));
    assert!(waits.iter().any(|wait| *wait < 0.55) && waits.iter().any(|wait| *wait > 0.95));
}

#[test]
fn decorrelated_jitter_is_bounded_by_thrice_the_last_wait() {
    let waits = waits("jitter: decorrelated, max_delay: 200ms");
    let mut last = 1.0f64;
    for wait in &waits {
        assert!(
            *wait >= 1.0 - 1e-6 && *wait <= (3.0 * last.max(1.0)).min(20.0) + 1e-6,
            "{wait} after {last}"
        );
        last = *wait;
    }
    assert!(waits.iter().any(|wait| *wait > 15.0));
}

#[test]
fn a_callee_that_is_down_is_unavailable_after_one_latency() {
    let text = scenario("", "- work: 5ms", "") + "faults: { f: { crash: s, at: 500ms, for: 5s } }\n";
    assert_eq!(run(&text).outcomes(), [(S + MS, Outcome::Error(Error::Unavailable))]);
}

#[test]
fn a_crash_in_the_middle_of_a_call_is_known_one_latency_later() {
    let text = scenario("", "- work: 100ms", "") + "faults: { f: { crash: s, at: 1050ms, for: 5s } }\n";
    assert_eq!(run(&text).outcomes(), [(S + 51 * MS, Outcome::Error(Error::Unavailable))]);
}

#[test]
fn a_crash_while_the_request_is_under_way_is_known_when_it_arrives() {
    let text = scenario("", "- work: 100ms", "") + "faults: { f: { crash: s, at: 1000500us, for: 5s } }\n";
    assert_eq!(run(&text).outcomes(), [(S + 2 * MS, Outcome::Error(Error::Unavailable))]);
}

#[test]
fn a_crash_after_the_answer_has_left_takes_nothing_back() {
    let steps = "- reply\n- work: 100ms";
    let text = scenario("", steps, "") + "faults: { f: { crash: s, at: 1001500us, for: 5s } }\n";
    let run = run(&text);
    assert_eq!(run.outcomes(), [(S + 2 * MS, Outcome::Well)]);
    assert_eq!(run.ended("s"), [(S + 1500 * MS / 1000, (0, Outcome::Cut))]);
}

#[test]
fn an_uncaught_error_travels_and_a_reason_is_caught_by_its_name() {
    let run1 = run(&scenario("", "- fail: no_money", ""));
    assert_eq!(run1.outcomes(), [(S + 2 * MS, Outcome::Error(run1.reason("no_money")))]);
    let call = "- { call: s.Go, with: { n: 0 }, catch: { timeout: [ { wait: 1s } ], no_money: [ { wait: 10ms } ], any: [ { wait: 1m } ] } }\n- wait: 1ms";
    let run2 = run(&scenario("", "- fail: no_money", &caller(call)));
    assert_eq!(run2.outcomes(), [(S + 13 * MS, Outcome::Well)], "after the catch the handler goes on");
}

#[test]
fn a_reason_is_an_answer_and_is_not_tried_again_unless_listed() {
    let call = "- { call: s.Go, with: { n: 0 }, retry: { attempts: 3, delay: 1ms } }";
    assert_eq!(tries(&run(&scenario("", "- fail: no_money", &caller(call)))).len(), 1);
    let call = "- { call: s.Go, with: { n: 0 }, retry: { attempts: 3, delay: 1ms, errors: [no_money] } }";
    assert_eq!(tries(&run(&scenario("", "- fail: no_money", &caller(call)))).len(), 3);
}

#[test]
fn what_fails_behind_the_callee_travels_through_it() {
    let text = "scenario: test
run: { horizon: 10s }
messages: { Go: { kind: command } }
services:
  s: { calls: { t: { timeout: 10ms } }, handlers: { Go: [ { call: t.Go } ] } }
  t: { handlers: { Go: [ { work: 1s } ] } }
clients: { c: { arrivals: { times: [1s] }, do: [ { call: s.Go, timeout: 5s } ] } }
network: { default: { latency: 1ms } }
";
    assert_eq!(run(text).outcomes(), [(S + 12 * MS, Outcome::Error(Error::Timeout))]);
}

#[test]
fn answers_carry_their_fields_and_an_empty_one_their_initial_values() {
    let steps = "- if: message.n == 1\n  then: [ { reply: { x: 40 + message.n } } ]";
    let calls = "- { call: s.Go, with: { n: 1 }, as: one }\n- { if: one.x != 41, then: [ { fail: wrong_one } ] }\n\
                 - { call: s.Go, with: { n: 2 }, as: two }\n- { if: two.x != 0, then: [ { fail: wrong_two } ] }";
    assert_eq!(run(&scenario("", steps, &caller(calls))).outcomes(), [(S + 4 * MS, Outcome::Well)]);
}

#[test]
fn an_empty_answer_leaves_nothing_of_the_one_before() {
    let steps = "- if: message.n == 1\n  then: [ { reply: { x: 7 } } ]";
    let calls = "- for_each: '[1, 2]'\n  as: n\n  do:\n    - { call: s.Go, with: { n: n }, as: r }\n    - { if: 'n == 2 && r.x != 0', then: [ { fail: stale } ] }";
    assert_eq!(run(&scenario("", steps, &caller(calls))).outcomes(), [(S + 4 * MS, Outcome::Well)]);
}

#[test]
fn lists_in_answers_are_let_go() {
    let text = "scenario: test
run: { horizon: 10s }
messages: { Go: { kind: query, fields: { n: int }, reply: { items: { list: int } } } }
services:
  s: { handlers: { Go: [ { reply: { items: '1..message.n' } } ] } }
clients:
  c:
    arrivals: { times: [1s] }
    do:
      - for_each: '[3, 5]'
        as: n
        do:
          - { call: s.Go, with: { n: n }, as: r }
          - { if: 'size(r.items) != n', then: [ { fail: wrong } ] }
network: { default: { latency: 1ms } }
";
    assert_eq!(run(text).outcomes(), [(S + 4 * MS, Outcome::Well)]);
}

#[test]
fn sends_are_one_way_and_lost_on_a_callee_that_is_down() {
    let text =
        scenario("", "- work: 5ms", "arrivals: { times: [1s, 2s] }\ndo: [ { send: s.Go, with: { n: 0 } } ]")
            + "faults: { f: { crash: s, at: 1500ms, for: 5s } }\n";
    let run = run(&text);
    assert_eq!(run.outcomes(), [(S, Outcome::Well), (2 * S, Outcome::Well)]);
    assert_eq!(run.started("s"), [S + MS]);
    assert_eq!(run.count(|record| matches!(record, Record::Lost { .. })), 1);
}
