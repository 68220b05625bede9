//! Faults: what they do to instances, clocks and clients, and that they heal.

use super::{MS, Run, S, run, scenario};
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

fn faults(service: &str, steps: &str, client: &str, faults: &str) -> Run {
    run(&(scenario(service, steps, client)
        + "faults:\n"
        + &faults.lines().map(|line| format!("  {line}\n")).collect::<String>()))
}

fn calls(times: &str) -> String {
    format!("arrivals: {{ times: {times} }}\ndo: [ {{ call: s.Go, with: {{ n: 0 }}, timeout: 5m }} ]")
}

fn downs(run: &Run) -> Vec<(u64, u32)> {
    let down = run.when(|record| match record {
        Record::InstanceDown { instance, .. } => Some(instance.0),
        _ => None,
    });
    down.into_iter().collect()
}

fn ups(run: &Run) -> Vec<(u64, u32)> {
    run.when(|record| match record {
        Record::InstanceUp { instance } => Some(instance.0),
        _ => None,
    })
}

#[test]
fn a_crash_lasts_its_time_and_five_seconds_if_nobody_says() {
    let run1 = faults("", "- work: 1ms", "", "f: { crash: s, at: 2s }");
    assert_eq!((downs(&run1), ups(&run1)), (vec![(2 * S, 0)], vec![(7 * S, 0)]));
    let run2 = faults("", "- work: 1ms", "", "f: { crash: s, at: [2s, 10s], for: 1s }");
    assert_eq!(ups(&run2), [(3 * S, 0), (11 * S, 0)]);
}

#[test]
fn a_fault_hits_any_all_or_one_instance() {
    let hit = |instance: &str| {
        let run = faults(
            "instances: 3",
            "- work: 1ms",
            "",
            &format!("f: {{ crash: s, at: 2s, instance: {instance} }}"),
        );
        downs(&run).into_iter().map(|(_, at)| at).collect::<Vec<_>>()
    };
    assert_eq!((hit("all"), hit("2")), (vec![0, 1, 2], vec![2]));
    assert_eq!(hit("any").len(), 1);
}

#[test]
fn every_fires_after_each_interval_until_the_drain() {
    let run = faults("", "- work: 1ms", "", "f: { crash: s, every: 20s, for: 1s }");
    assert_eq!(downs(&run), [(20 * S, 0), (40 * S, 0)], "the horizon itself is outside");
}

#[test]
fn crashes_that_overlap_end_one_by_one_and_never_twice() {
    let run = faults(
        "instances: 2",
        "- work: 1ms",
        "",
        "a: { crash: s, at: 2s, for: 10s, instance: 0 }\nb: { crash: s, at: 4s, for: 1s, instance: all }",
    );
    assert_eq!(downs(&run), [(2 * S, 0), (4 * S, 1)], "who is down already is not hit again");
    assert_eq!(ups(&run), [(5 * S, 1), (12 * S, 0)]);
}

#[test]
fn whatever_lasts_heals_when_the_drain_begins() {
    let run = faults("", "- work: 1ms", &calls("[59s]"), "f: { crash: s, at: 30s, for: 1h }");
    assert_eq!(ups(&run), [(60 * S, 0)]);
    assert!(run.is_quiet());
}

#[test]
fn a_pause_is_silence_and_then_all_goes_on() {
    // Work of 100 ms from 1001; paused from 1051 for a second: ends at 2101. Nothing notices.
    let run = faults(
        "",
        "- work: 100ms\n- wait: 10ms",
        &calls("[1s, 1500ms]"),
        "f: { pause: s, at: 1051ms, for: 1s }",
    );
    assert_eq!(run.started("s"), [S + MS, 2111 * MS]);
    assert_eq!(run.outcomes(), [(2112 * MS, Outcome::Well), (2222 * MS, Outcome::Well)]);
}

#[test]
fn pauses_that_overlap_add_up() {
    let run = faults(
        "",
        "- work: 100ms",
        &calls("[1s]"),
        "a: { pause: s, at: 1050ms, for: 1s }\nb: { pause: s, at: 1500ms, for: 1s }",
    );
    assert_eq!(run.outcomes(), [(2552 * MS, Outcome::Well)], "awake at 2500, 51 ms left, 1 back");
}

#[test]
fn who_woke_serves_those_who_waited_first() {
    let service = "queue: { capacity: 1 }\nstore: { latency: { read: 0s, write: 0s, commit: 0s }, tables: { seen: { key: n } } }";
    let client = "arrivals: { times: [1s, 1100ms, 1200ms] }\ndo:\n  - let: { n: { counter: 1 } }\n  - { call: s.Go, with: { n: n }, timeout: 1m }";
    let run = faults(
        service,
        "- work: 10ms\n- { insert: seen, key: message.n }",
        client,
        "f: { pause: s, at: 500ms, for: 2s }",
    );
    // A paused instance turns nobody away; when it wakes, its queue holds one and works on one.
    assert_eq!(
        run.rows("s.seen"),
        [[1], [2]].map(|row: [i64; 1]| row.to_vec()),
        "and the third finds the queue full"
    );
    assert_eq!(run.outcomes()[0], (2501 * MS, Outcome::Error(Error::Rejected)));
}

#[test]
fn a_crash_ends_a_pause_for_good() {
    let run = faults(
        "",
        "- work: 100ms",
        &calls("[1s, 2s]"),
        "a: { pause: s, at: 1050ms, for: 3s }\nb: { crash: s, at: 1060ms, for: 100ms }",
    );
    assert_eq!(run.outcomes(), [(1061 * MS, Outcome::Error(Error::Unavailable)), (2102 * MS, Outcome::Well)]);
}

#[test]
fn slowness_is_of_work_and_stores_and_multiplies() {
    let service = "store: { latency: { read: 2ms, write: 4ms, commit: 6ms }, tables: { t: { key: k } } }";
    let steps = "- work: 10ms\n- wait: 10ms\n- { read: t, key: 1, as: r }\n- { effect: e, takes: 10ms }";
    let run = faults(
        service,
        steps,
        &calls("[1s, 3s, 10s]"),
        "a: { slow: s, by: 2, at: 500ms, for: 5s }\nb: { slow: s, by: 3, at: 2s, for: 2s }",
    );
    let took: Vec<u64> =
        run.outcomes().iter().zip([S, 3 * S, 10 * S]).map(|((at, _), from)| (at - from) / MS).collect();
    assert_eq!(took, [46, 94, 34]);
}

#[test]
fn a_skewed_clock_is_ahead_and_comes_back() {
    let service = "store: { latency: { read: 0s, write: 0s, commit: 0s }, tables: { t: { key: k, columns: { at: time } } } }";
    let run = faults(
        service,
        "- { upsert: t, key: now, set: { at: now } }",
        &calls("[1s, 3s, 5s, 9s]"),
        "a: { skew: s, by: 100s, at: 2s, for: 2s }\nb: { skew: s, by: -1s, at: 4500ms, for: 20s }\nc: { crash: s, at: 6s, for: 1s }",
    );
    let seen: Vec<u64> = run.rows("s.t").iter().map(|row| row[0] as u64).collect();
    assert_eq!(seen, [S + MS, 103 * S + MS, 4 * S + MS, 9 * S + MS], "a new process asks for the time");
}

#[test]
fn a_fault_can_watch_every_nth_or_a_share_of_its_step() {
    let times: Vec<String> = (1..=40).map(|n| format!("{n}s")).collect();
    let client = calls(&format!("[{}]", times.join(", ")));
    let fired = |when: &str| {
        let run = faults(
            "",
            "- { work: 1ms, name: it }",
            &client,
            &format!("f: {{ slow: s, by: 2, at_step: s.Go.it, for: 1ms, {when} }}"),
        );
        run.count(|record| matches!(record, Record::FaultBegan { .. }))
    };
    assert_eq!((fired("nth: 3"), fired("nth: every")), (1, 40));
    assert!((5..35).contains(&fired("share: 50%")));
}

#[test]
fn a_step_can_be_watched_for_another_service_s_sake() {
    let text = "scenario: test
run: { horizon: 10s }
messages: { Go: { kind: command } }
services:
  s: { calls: { t: { timeout: 1s } }, handlers: { Go: [ { wait: 1ms, name: it }, { call: t.Go } ] } }
  t: { handlers: { Go: [ { work: 1ms } ] } }
clients: { c: { arrivals: { times: [1s] }, do: [ { call: s.Go, timeout: 5s } ] } }
network: { default: { latency: 1ms } }
faults: { f: { crash: t, at_step: s.Go.it, for: 1s } }
";
    let run = run(text);
    assert_eq!(downs(&run), [(S + 2 * MS, 1)], "the other one goes down");
    assert_eq!(run.outcomes(), [(S + 4 * MS, Outcome::Error(Error::Unavailable))]);
}

#[test]
fn an_answer_is_lost_to_a_crash_or_kept_for_after_a_pause() {
    let text = |fault: &str| {
        format!("scenario: test
run: {{ horizon: 10s }}
messages: {{ Go: {{ kind: command }} }}
services:
  s: {{ calls: {{ t: {{ timeout: 1s }} }}, handlers: {{ Go: [ {{ call: t.Go, name: it }}, {{ wait: 5ms }} ] }} }}
  t: {{ handlers: {{ Go: [ {{ work: 1ms }} ] }} }}
clients: {{ c: {{ arrivals: {{ times: [1s] }}, do: [ {{ call: s.Go, timeout: 5s }} ] }} }}
network: {{ default: {{ latency: 1ms }} }}
faults: {{ f: {{ {fault}: s, at_step: s.Go.it, edge: unanswered, for: 1s }} }}
")
    };
    let crashed = run(&text("crash"));
    assert_eq!(crashed.ended("t"), [(S + 3 * MS, (0, Outcome::Well))]);
    assert_eq!(crashed.outcomes(), [(S + 5 * MS, Outcome::Error(Error::Unavailable))]);
    assert_eq!(run(&text("pause")).outcomes(), [(2 * S + 10 * MS, Outcome::Well)]);
}

/// What is down already cannot be hit: such a firing is told, and nothing remains of it to heal.
#[test]
fn a_firing_that_hits_nothing_is_over_at_once() {
    let faults = "faults: { f: { crash: s, every: 1s, for: 1h } }\n";
    let run = run(&(scenario("", "- work: 5ms", "") + faults));
    let began = |hit: bool| {
        let of =
            |record: &Record| matches!(record, Record::FaultBegan { touched, .. } if (*touched > 0) == hit);
        run.records.iter().filter(|(_, record)| of(record)).count()
    };
    let ended = run.records.iter().filter(|(_, record)| matches!(record, Record::FaultEnded { .. })).count();
    assert_eq!((began(true), began(false), ended), (1, 58, 1));
}

/// What lies in wait has hit something when something came: not because it was there.
#[test]
fn a_split_a_bad_link_and_a_surge_hit_what_comes_while_they_last() {
    let touched = |client: &str, fault: &str| {
        let run = faults("", "- work: 1ms", client, &format!("f: {{ {fault} }}"));
        let began = run.count(|record| matches!(record, Record::FaultBegan { touched: 1, .. }));
        (began, run.count(|record| matches!(record, Record::FaultTouched { .. })))
    };
    let calls = calls("[1s, 5s, 5100ms]");
    let often = "arrivals: { every: 500ms }\ndo: [ { call: s.Go, with: { n: 0 } } ]";
    let few = "arrivals: { every: 500ms, count: 3 }\ndo: [ { call: s.Go, with: { n: 0 } } ]";
    for (client, fault, hits) in [
        (&calls[..], "split: [c, s], at: 4s, for: 2s", 1),
        (&calls, "split: [c, s], at: 2s, for: 2s", 0),
        (&calls, "split: [c, s], one_way: true, at: 5s, for: 50ms", 1),
        (&calls, "split: [c, s], at: [2s, 4s, 5050ms], for: 100ms", 1),
        (&calls, "degrade: [c, s], latency: 20ms, at: 4s, for: 2s", 1),
        (&calls, "degrade: [c, s], latency: 20ms, at: 2s, for: 2s", 0),
        (&calls, "degrade: [c, s], loss: 90%, at: 4900ms, for: 150ms", 1),
        (&calls, "degrade: [c, s], loss: 0%, at: 4s, for: 2s", 0),
        (&calls, "degrade: [c, s], bandwidth: 10KB/s, at: 4s, for: 2s", 1),
        (often, "surge: c, by: 10, at: 4s, for: 2s", 1),
        (often, "surge: c, by: 10, at: 4100ms, for: 10ms", 0),
        (few, "surge: c, by: 10, at: 4s, for: 2s", 0),
    ] {
        let (began, touched) = touched(client, fault);
        assert_eq!(touched, hits, "{fault} on {client}");
        assert!(began >= 1);
    }
}
