//! How a run ends when it does not end well, and what it says of one that did.

use super::{model, model_of, results, results_of};
use eventflow::experiment::run::{Failure, Progress, RunOptions, run};
use eventflow::kernel::time::{Nanos, SECOND};
use eventflow::world::{Halt, Limits};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

const OVERLOADED: &[&str] =
    &["rate=200/s", "run.horizon=100s", "run.warm_up=10s", "run.drain=1s", "run.replications=3"];

/// What a progress bar was told, and when it interrupts.
#[derive(Default)]
struct Told {
    advanced: Mutex<Nanos>,
    done: Mutex<Vec<(u32, u32)>>,
    interrupt_after: u32,
    interrupt: AtomicBool,
}

impl Progress for Told {
    fn advanced(&self, simulated: Nanos) {
        *self.advanced.lock().unwrap() += simulated;
    }
    fn replication_done(&self, done: u32, asked: u32) {
        self.done.lock().unwrap().push((done, asked));
        if done == self.interrupt_after {
            self.interrupt.store(true, Ordering::Relaxed);
        }
    }
}

const SHORT: &[&str] = &["run.horizon=20s", "run.warm_up=2s", "run.replications=5"];

#[test]
fn progress_adds_up() {
    let told = Told::default();
    let model = model("queueing/mm1", SHORT);
    run(&model, "", &RunOptions::default(), &told, &told.interrupt).unwrap();
    assert_eq!(*told.advanced.lock().unwrap(), 5 * 20 * SECOND);
    assert_eq!(told.done.lock().unwrap().len(), 5);
}

/// With one thread the replications after the second are not begun.
#[test]
fn an_interrupt_keeps_what_was_done() {
    let told = Told { interrupt_after: 2, ..Told::default() };
    let model = model("queueing/mm1", SHORT);
    let options = RunOptions { threads: Some(1), ..RunOptions::default() };
    let results = run(&model, "", &options, &told, &told.interrupt).unwrap();
    assert_eq!((results.replications_done, results.replications_asked, results.partial), (2, 5, true));
    assert!(results.notes.iter().any(|note| note.contains("2 of 5")), "{:?}", results.notes);
    let stopped = AtomicBool::new(true);
    let nothing = run(&model, "", &options, &(), &stopped);
    assert_eq!(nothing.unwrap_err(), Failure::Interrupted);
}

/// The replication is named, and it is the first.
#[test]
fn a_budget_that_is_spent_fails_the_run() {
    let model = model("queueing/mm1", SHORT);
    let limits = Limits { events: 2_000, ..Limits::default() };
    for threads in [1, 2] {
        let options = RunOptions { limits, threads: Some(threads), ..RunOptions::default() };
        match run(&model, "", &options, &(), &AtomicBool::new(false)) {
            Err(Failure::Halted { replication: 0, halt: Halt::EventBudget { events: 2_000, .. } }) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Twice as much arrives as can be served: the queue grows, and the drain does not end.
#[test]
fn an_overload_is_noted() {
    let results = results("queueing/mm1", OVERLOADED);
    let has = |what: &str| results.notes.iter().any(|note| note.contains(what));
    assert!(has("queue of server was still growing"), "{:?}", results.notes);
    assert!(has("In 3 of 3 replications work was left"), "{:?}", results.notes);
    assert_eq!((results.drain_limit_hit, results.drained), (3, 1.0));
    let server = &results.services[0];
    assert!((server.throughput.mean.unwrap() - 100.0).abs() < 5.0, "{:?}", server.throughput);
    assert!(server.utilization.mean.unwrap() > 0.999);
    assert!(results.clients[0].unfinished.mean.unwrap() > 0.3);
}

/// A steady queue is not called a growing one.
#[test]
fn a_steady_run_has_nothing_to_note() {
    let settings = &["run.horizon=200s", "run.warm_up=20s", "run.replications=8"];
    assert_eq!(results("queueing/mmc", settings).notes, Vec::<String>::new());
}

/// One replication, no warm-up, and faults that do nothing: each is told.
#[test]
fn what_weakens_a_result_is_noted() {
    let settings = &[
        "run.horizon=20s",
        "run.warm_up=0s",
        "run.replications=1",
        "faults.late={crash: server, every: {constant: 1h}}",
        "faults.twice={crash: server, at: [5s, 6s], for: 10s}",
    ];
    let results = results("queueing/mm1", settings);
    let has = |what: &str| results.notes.iter().any(|note| note.contains(what));
    assert!(has("One replication has no confidence intervals"));
    assert!(has("No warm-up"));
    assert!(has("The fault late (") && has("never fired"), "{:?}", results.notes);
    assert!(!has("The fault twice ("));
    let twice = &results.faults[1];
    assert_eq!((twice.fired.mean, twice.touched.mean), (Some(2.0), Some(1.0)));
    assert_eq!(twice.bands[0], (5.0, 15.0));
    // Down for 10 of 20 s: the workers of what is up are what can be busy.
    assert_eq!(results.services[0].utilization_over_time.values[60], 0.0);
}

/// The picture: one edge for two messages, dead letters, and what a service is made of.
#[test]
fn the_topology_is_that_of_the_file() {
    let text = "
scenario: picture
run: { horizon: 1s, replications: 1 }
messages: { Ask: { kind: command }, Tell: { kind: command }, News: { kind: integration, key: id, fields: { id: id } } }
brokers: { rabbit: { preset: rabbitmq-classic } }
topics: { dead: { messages: [ News ] }, news: { messages: [ News ] } }
services:
  front:
    instances: 2
    workers: 16
    handlers:
      Ask: [ { publish: News, to: news, with: { id: unique() } }, reply ]
      Tell: [ { send: back.Tell }, reply ]
  back:
    workers: 1
    consumes: { news: { ack: after, exhaust: { after: 3, then: dead_letter, dead_letter: dead } } }
    handlers: { News: [ stop ], Tell: [ stop ] }
  grave: { consumes: { dead: { ack: after } }, handlers: { News: [ stop ] } }
clients:
  source:
    arrivals: { poisson: 4/s }
    calls: { front: { timeout: 1s } }
    do: [ { call: front.Ask }, { call: front.Tell } ]
";
    let topology = results_of(&model_of(text), RunOptions::default()).topology;
    let names: Vec<_> = topology.nodes.iter().map(|node| (&node.name[..], &node.detail[..])).collect();
    assert_eq!(names[0], ("source", "4/s"));
    assert_eq!(names[1], ("front", "2 × 16 workers"));
    assert_eq!(names[2], ("back", "1 worker"));
    let edges: Vec<String> = topology
        .edges
        .iter()
        .map(|edge| format!("{} {:?} {}: {}", names[edge.from].0, edge.kind, names[edge.to].0, edge.label))
        .collect();
    let expected = [
        "source Call front: Ask, Tell",
        "front Send back: Tell",
        "front Publish news: News",
        "news Consume back: News",
        "news Publish dead: dead letters",
        "dead Consume grave: News",
    ];
    let mut sorted = edges.clone();
    sorted.sort();
    let mut wanted: Vec<String> = expected.iter().map(|edge| edge.to_string()).collect();
    wanted.sort();
    assert_eq!(sorted, wanted);
}

/// What went wrong is told by its kind, of clients and of calls, over all replications; and where a value
/// could not be reckoned.
#[test]
fn errors_are_told_by_their_reasons_and_failed_expressions_by_their_places() {
    let text = "
scenario: reasons
run: { horizon: 100s, warm_up: 10s, replications: 2 }
messages: { Ask: { kind: query, fields: { n: int } } }
services:
  server:
    workers: unlimited
    handlers:
      Ask:
        - { if: message.n % 10 == 0, then: [ { wait: 1s } ] }
        - { if: message.n % 10 == 1, then: [ { fail: closed } ] }
        - let: { x: 1 / (message.n % 10 - 2) }
clients:
  asker:
    arrivals: { every: 10ms }
    calls: { server: { timeout: 500ms } }
    do:
      - let: { n: { counter: 1 } }
      - { call: server.Ask, with: { n: n } }
network: { default: { latency: 1ms } }
";
    let results = results_of(&model_of(text), RunOptions::default());
    for errors in [&results.clients[0].errors_by_reason, &results.calls[0].errors_by_reason] {
        let told: Vec<(&str, u64)> =
            errors.iter().map(|error| (error.reason.as_str(), error.count)).collect();
        // A tenth each of 9000 measured intents in each of two replications.
        assert_eq!(told, [("timeout", 1800), ("failed", 1800), ("closed", 1800)]);
        assert!(errors.iter().all(|error| error.share.mean == Some(0.1) && error.share.n == 2));
    }
    let line = text.lines().position(|line| line.contains("let: { x:")).unwrap() + 1;
    let place = format!("test.yaml:{line}:21");
    let [failed] = &results.failed_expressions[..] else { panic!("{:?}", results.failed_expressions) };
    // Before the warm-up too.
    assert_eq!((failed.place.as_str(), failed.count, failed.replications), (place.as_str(), 2000, 2));
    let note = format!("The expression at {place} had no value 2000 times");
    assert!(results.notes.iter().any(|told| told.starts_with(&note)), "{:?}", results.notes);
}

/// What is never forgotten fills the memory in the end: the run ends before, and names it.
#[test]
fn what_grows_without_bound_is_named_before_memory_is_gone() {
    let growing = |tables: &str, step: &str| {
        format!(
            "
scenario: growing
run: {{ horizon: 1h, replications: 1 }}
messages: {{ Go: {{ kind: command, key: n, fields: {{ n: int }} }} }}
services:
  server:
    workers: unlimited
{tables}
    handlers:
      Go:
        - {step}
clients:
  source:
    arrivals: {{ every: 1ms }}
    do:
      - let: {{ n: {{ counter: 1 }} }}
      - {{ send: server.Go, with: {{ n: n }} }}
"
        )
    };
    let store = "    store: { tables: { seen: { key: n, columns: { when: time } } } }";
    let memory = "    memory: { noted: { key: n, columns: { when: time } } }";
    let cases = [
        (store, "{ insert: seen, key: message.n, set: { when: now } }", "rows of the table server.seen"),
        (memory, "{ upsert: noted, key: message.n, set: { when: now } }", "rows of the table server.noted"),
        ("", "{ effect: charge, idempotency_key: message.n }", "the idempotency keys of effects"),
        ("", "let: { k: { counter: message.n } }", "values that generators count by"),
        ("", "{ let: { all: '1..100000' } }\n        - { wait: 5m }", "in lists"),
    ];
    for (tables, step, named) in cases {
        let model = model_of(&growing(tables, step));
        let limits = Limits { kept: 1_000_000, ..Limits::default() };
        let options = RunOptions { limits, ..RunOptions::default() };
        let failure = run(&model, "", &options, &(), &AtomicBool::new(false)).unwrap_err();
        let Failure::Halted { halt: Halt::Memory { kept, largest, .. }, .. } = &failure else {
            panic!("{failure}")
        };
        assert!(largest.contains(named), "{failure}");
        assert!((1_000_000..3_000_000).contains(kept), "{failure}");
    }
}
