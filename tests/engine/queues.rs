//! Workers, queues, CPUs and the choice of an instance.

use super::{MS, Run, S, run, scenario};
use eventflow::kernel::ids::InstanceId;
use eventflow::model::Error;
use eventflow::world::record::{Outcome, Record};

/// Calls at these times, each with its number as `n`, and what they ask of the service.
fn calls(times: &str) -> String {
    format!(
        "arrivals: {{ times: {times} }}\ndo:\n  - let: {{ n: {{ counter: 1 }} }}\n  - {{ call: s.Go, with: {{ n: n }}, timeout: 1m }}"
    )
}

/// Numbers in the order in which they were served, from a table that takes them in.
fn served(queue: &str, times: &str) -> Vec<i64> {
    let service = format!(
        "{queue}\nstore: {{ latency: {{ read: 0s, write: 0s, commit: 0s }}, tables: {{ seen: {{ key: n }} }} }}"
    );
    let steps = "- work: 10ms\n- { insert: seen, key: message.n }";
    let run = run(&scenario(&service, steps, &calls(times)));
    run.rows("s.seen").into_iter().map(|row| row[0]).collect()
}

const FOUR: &str = "[1s, 1001ms, 1002ms, 1003ms]";

#[test]
fn the_line_is_first_come_first_served_unless_turned_round() {
    assert_eq!(served("queue: { order: fifo }", FOUR), [1, 2, 3, 4]);
    assert_eq!(served("queue: { order: lifo }", FOUR), [1, 4, 3, 2]);
}

#[test]
fn the_smaller_goes_first_and_nobody_is_interrupted() {
    assert_eq!(served("queue: { order: priority, by: -message.n }", FOUR), [1, 4, 3, 2]);
    assert_eq!(
        served("queue: { order: priority, by: message.n % 2 }", FOUR),
        [1, 2, 4, 3],
        "ties by arrival"
    );
}

fn outcomes(run: &Run) -> Vec<(u64, Outcome)> {
    run.outcomes().into_iter().map(|(at, outcome)| ((at - S) / MS, outcome)).collect()
}

const REJECTED: Outcome = Outcome::Error(Error::Rejected);

#[test]
fn capacity_counts_those_who_wait_alone() {
    let run = run(&scenario("queue: { capacity: 1 }", "- work: 10ms", &calls("[1s, 1001ms, 1002ms]")));
    assert_eq!(outcomes(&run), [(4, REJECTED), (12, Outcome::Well), (22, Outcome::Well)]);
}

#[test]
fn the_oldest_caller_makes_room() {
    for order in ["fifo", "lifo", "priority, by: message.n"] {
        let service = format!("queue: {{ capacity: 1, shed: drop_oldest, order: {order} }}");
        let run = run(&scenario(&service, "- work: 10ms", &calls("[1s, 1001ms, 1002ms]")));
        assert_eq!(outcomes(&run), [(4, REJECTED), (12, Outcome::Well), (22, Outcome::Well)], "{order}");
        assert_eq!(run.count(|record| matches!(record, Record::Dropped { .. })), 1);
    }
}

#[test]
fn without_room_to_wait_nobody_can_be_dropped() {
    let service = "queue: { capacity: 0, shed: drop_oldest }";
    let run = run(&scenario(service, "- work: 10ms", &calls("[1s, 1001ms]")));
    assert_eq!(outcomes(&run), [(3, REJECTED), (12, Outcome::Well)]);
}

#[test]
fn who_is_past_its_deadline_is_not_begun() {
    let client =
        "arrivals: { times: [1s, 1001ms, 1002ms] }\ndo: [ { call: s.Go, with: { n: 0 }, timeout: 15ms } ]";
    let run = run(&scenario("queue: { shed: deadline }", "- work: 10ms", client));
    // The second times out at 16 ms and is being worked on from 11 ms; the third waited to 21 ms, out at 17.
    assert_eq!(run.started("s"), [S + MS, S + 11 * MS]);
    assert_eq!(run.count(|record| matches!(record, Record::Dropped { .. })), 1);
}

fn chosen(routing: &str, times: &str, more: &str) -> Vec<u32> {
    let service = format!("instances: 3\nrouting: {routing}");
    let run = run(&(scenario(&service, "- work: 10ms", &calls(times)) + more));
    let started = run.when(|record| match record {
        Record::Started { instance: InstanceId(at), .. } => Some(*at),
        _ => None,
    });
    started.into_iter().map(|(_, at)| at).collect()
}

const DOWN: &str = "faults: { f: { crash: s, at: 100ms, for: 30s, instance: 1 } }\n";

#[test]
fn instances_take_turns_and_the_dead_are_skipped() {
    assert_eq!(chosen("round_robin", FOUR, ""), [0, 1, 2, 0]);
    assert_eq!(chosen("round_robin", FOUR, DOWN), [0, 2, 0, 2]);
}

#[test]
fn the_least_loaded_is_the_first_of_the_idlest() {
    assert_eq!(chosen("least_loaded", "[1s, 1001ms, 1020ms]", ""), [0, 1, 0]);
    assert_eq!(chosen("least_loaded", "[1s, 1001ms, 1020ms]", DOWN), [0, 2, 0]);
}

#[test]
fn random_choices_reach_everyone_alive() {
    let times: Vec<String> = (0..60).map(|n| format!("{}ms", 1000 + 30 * n)).collect();
    let times = format!("[{}]", times.join(", "));
    for routing in ["random", "two_choices"] {
        let all = chosen(routing, &times, "");
        assert!((0..3).all(|instance| all.contains(&instance)), "{routing} {all:?}");
        let alive = chosen(routing, &times, DOWN);
        assert!(!alive.contains(&1) && alive.contains(&0) && alive.contains(&2), "{routing} {alive:?}");
    }
}

#[test]
fn the_better_of_two_choices_is_taken() {
    // Two instances up: both are looked at each time, so the load stays even.
    let all = chosen("two_choices", FOUR, DOWN);
    assert_eq!(all.iter().filter(|at| **at == 0).count(), 2, "{all:?}");
}

#[test]
fn a_key_keeps_to_its_instance() {
    let client = "arrivals: { every: 100ms, count: 30 }\ndo:\n  - let: { n: { uniform: [1, 6] } }\n  - { call: s.Go, with: { n: n } }";
    let text = scenario(
        "instances: 3\nrouting: by_key\nstore: { tables: { seen: { key: [n, at] } } }",
        "- { upsert: seen, key: [message.n, self.instance] }",
        client,
    )
    .replace("kind: command,", "kind: command, key: n,");
    let rows = run(&text).rows("s.seen");
    assert!(rows.len() >= 4);
    for row in &rows {
        assert_eq!(rows.iter().filter(|other| other[0] == row[0]).count(), 1, "one instance a key: {rows:?}");
    }
}

#[test]
fn cpus_are_first_come_first_served_to_completion() {
    let run = run(&scenario("workers: 3\ncpus: 1", "- work: 10ms", &calls("[1s, 1001ms, 1002ms]")));
    assert_eq!(run.started("s"), [S + MS, S + 2 * MS, S + 3 * MS]);
    assert_eq!(outcomes(&run).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [12, 22, 32]);
}

#[test]
fn a_waiting_attempt_holds_its_worker_and_no_cpu() {
    let run1 = run(&scenario("workers: 1", "- wait: 10ms", &calls("[1s, 1001ms]")));
    assert_eq!(run1.started("s"), [S + MS, S + 11 * MS]);
    let run2 = run(&scenario("workers: 2\ncpus: 1", "- work: 4ms\n- wait: 10ms", &calls("[1s, 1001ms]")));
    assert_eq!(outcomes(&run2).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [16, 20]);
}

#[test]
fn an_attempt_counts_itself_in_flight_and_not_in_the_queue() {
    let service = "workers: 2\nstore: { latency: { read: 0s, write: 0s, commit: 0s }, tables: { seen: { key: n, columns: { busy: int, waiting: int } } } }";
    let steps = "- work: 10ms\n- { insert: seen, key: message.n, set: { busy: self.in_flight, waiting: self.queue_length } }";
    let rows = run(&scenario(service, steps, &calls("[1s, 1001ms, 1002ms]"))).rows("s.seen");
    assert_eq!(rows, [[1, 2, 1], [2, 2, 0], [3, 1, 0]]);
}
