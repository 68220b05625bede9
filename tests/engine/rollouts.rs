//! Rolling deployments and scaling: what mixed fleets do, and what stopping on purpose loses.

use super::{MS, Run, S, run};
use eventflow::scenario::open::read_text;
use eventflow::world::record::{Outcome, Record};

/// `desk` is asked ten times a second and writes down which version answered; `crew` consumes what it
/// publishes, taking 200 ms for each.
fn text(preset: &str, versions: &str, operations: &str) -> String {
    format!(
        "scenario: rollouts
run: {{ horizon: 60s, drain: 1m }}
messages:
  Go:   {{ kind: command, key: id, fields: {{ id: int }} }}
  Stop: {{ kind: command, key: id, fields: {{ id: int }} }}
  Gone: {{ kind: integration, key: id, fields: {{ id: int }} }}
brokers: {{ b: {{ preset: {preset} }} }}
topics: {{ gone: {{ messages: [ Gone ] }} }}
services:
  desk:
    instances: 3
    workers: 8
    store: {{ tables: {{ log: {{ key: id, columns: {{ version: int, instance: int }} }} }} }}
    handlers:
      Go:
        - {{ work: {{ uniform: [ 50ms, 150ms ] }} }}
        - {{ insert: log, key: message.id, set: {{ version: 1, instance: self.instance }} }}
        - {{ publish: Gone, with: message }}
    versions:
      {versions}
  crew:
    instances: 3
    workers: 4
    store: {{ tables: {{ done: {{ key: id, columns: {{ times: int, version: int }} }} }} }}
    consumes: {{ gone: {{ ack: after }} }}
    handlers:
      Gone:
        - {{ upsert: done, key: message.id, set: {{ times: row.times + 1, version: 1 }} }}
        - wait: 200ms
    versions:
      v2:
        handlers:
          Gone: [ {{ upsert: done, key: message.id, set: {{ times: row.times + 1, version: 2 }} }} ]
clients:
  user:
    arrivals: {{ every: 100ms, count: 500 }}
    calls: {{ desk: {{ timeout: 5s }} }}
    do: [ {{ let: {{ id: {{ counter: 1 }} }} }}, {{ call: desk.Go, with: {{ id: id }} }} ]
network: {{ default: {{ latency: 1ms }} }}
{operations}
"
    )
}

const SECOND: &str = "v2: { handlers: { Go: [ { work: { uniform: [ 50ms, 150ms ] } }, { insert: log, key: message.id, set: { version: 2, instance: self.instance } }, { publish: Gone, with: message } ] } }
      v1: {}";

fn deploy(service: &str, options: &str) -> String {
    format!("operations: {{ rollout: {{ deploy: {service}, version: v2, at: 10s{options} }} }}")
}

fn failed(run: &Run) -> usize {
    run.outcomes().iter().filter(|(_, outcome)| *outcome != Outcome::Well).count()
}

/// When each instance of a service went down, and came up again.
fn restarts(run: &Run, service: &str) -> Vec<(u32, u64, bool)> {
    let spec = run.model.services.iter().find(|spec| spec.name == service).unwrap();
    let number = |instance: u32| instance.checked_sub(spec.first_instance).filter(|at| *at < spec.instances);
    let changes = run.when(|record| match record {
        Record::InstanceDown { instance, .. } => number(instance.0).map(|at| (at, false)),
        Record::InstanceUp { instance } => number(instance.0).map(|at| (at, true)),
        _ => None,
    });
    changes.into_iter().map(|(at, (number, up))| (number, at / S, up)).collect()
}

#[test]
fn instances_go_to_the_new_version_one_after_the_other_and_nobody_notices() {
    let run = run(&text("kafka", SECOND, &deploy("desk", "")));
    let expected =
        [(0, 10, false), (0, 15, true), (1, 15, false), (1, 20, true), (2, 20, false), (2, 25, true)];
    assert_eq!(restarts(&run, "desk"), expected);
    assert_eq!(failed(&run), 0);
    let rows = run.rows("desk.log");
    assert_eq!(rows.len(), 500);
    let versions: Vec<i64> = rows.iter().map(|row| row[1]).collect();
    let (first_new, last_old) = (
        versions.iter().position(|&version| version == 2),
        versions.iter().rposition(|&version| version == 1),
    );
    assert!(first_new.unwrap() < last_old.unwrap(), "the fleet is mixed for a while");
    assert!(versions[300..].iter().all(|&version| version == 2));
    assert!(rows.iter().filter(|row| row[1] == 2).any(|row| row[2] == 0));
}

#[test]
fn batches_follow_each_other_as_they_are_told() {
    let two = run(&text("kafka", SECOND, &deploy("desk", ", batch: 2, start_up: 1s")));
    assert_eq!(
        restarts(&two, "desk"),
        [(0, 10, false), (1, 10, false), (0, 11, true), (1, 11, true), (2, 11, false), (2, 12, true)]
    );
    let every = run(&text("kafka", SECOND, &deploy("desk", ", every: 2s, start_up: 1s")));
    assert_eq!(restarts(&every, "desk").iter().map(|at| at.1).collect::<Vec<_>>(), [10, 11, 12, 13, 14, 15]);
}

#[test]
fn without_grace_a_deployment_is_a_crash_of_every_instance() {
    let run = run(&text("kafka", SECOND, &deploy("desk", ", grace: 0s")));
    assert!(failed(&run) > 0, "what was under way is gone");
}

#[test]
fn consumers_that_may_end_what_they_began_handle_everything_once() {
    for preset in
        ["kafka", "rabbitmq-classic", "sqs-standard", "sqs-fifo", "pubsub-ordered", "service-bus-session"]
    {
        let kind = run(&text(preset, SECOND, &deploy("crew", "")));
        let times: Vec<i64> = kind.rows("crew.done").iter().map(|row| row[1]).collect();
        assert_eq!((times.len(), times.iter().sum::<i64>()), (500, 500), "{preset}");
        assert!(kind.is_quiet(), "{preset}");
        assert_eq!(restarts(&kind, "crew").len(), 6, "{preset}");
        let rough = run(&text(preset, SECOND, &deploy("crew", ", grace: 0s")));
        let again: i64 = rough.rows("crew.done").iter().map(|row| row[1]).sum();
        assert!(again > 500, "{preset}: {again}; what was cut comes again");
    }
}

#[test]
fn a_version_can_be_gone_back_from() {
    let operations = "operations:
  rollout: { deploy: desk, version: v2, at: 10s, start_up: 1s }
  back: { deploy: desk, version: v1, at: 20s, start_up: 1s }";
    let run = run(&text("kafka", SECOND, operations));
    let versions: Vec<i64> = run.rows("desk.log").iter().map(|row| row[1]).collect();
    assert!(versions.contains(&2));
    assert!(versions[300..].iter().all(|&version| version == 1));
}

#[test]
fn what_only_the_new_version_handles_fails_in_an_old_instance() {
    let text = text("kafka", "v2: { handlers: { Stop: [ reply ] } }", &deploy("desk", "")).replace(
        "{ call: desk.Go, with: { id: id } }",
        "{ call: desk.Go, with: { id: id } }, { call: desk.Stop, with: { id: id } }",
    );
    let run = run(&text);
    let outcomes = run.outcomes();
    let ended = |from: u64, to: u64, well: bool| {
        let meant = outcomes
            .iter()
            .filter(|(at, outcome)| (from * S..to * S).contains(at) && (*outcome == Outcome::Well) == well);
        meant.count()
    };
    assert_eq!(ended(0, 10, true), 0);
    assert!(ended(16, 20, true) > 0 && ended(16, 20, false) > 0, "it depends on whom one asks");
    assert_eq!(ended(26, 60, false), 0);
}

#[test]
fn the_same_step_draws_the_same_in_every_version() {
    let lengths = |operations: &str| -> Vec<u64> {
        let run = run(&text("kafka", SECOND, operations));
        let ends = run.outcomes();
        run.intents().iter().zip(ends).map(|(_, (at, _))| at).collect()
    };
    let (with, without) = (lengths(&deploy("desk", "")), lengths(""));
    assert_eq!(with, without, "each intent meets the work that it would have met");
}

#[test]
fn an_instance_that_crashed_starts_with_the_new_version_when_it_is_up() {
    let operations =
        format!("{}\nfaults: {{ f: {{ crash: desk, instance: 1, at: 9s, for: 20s }} }}", deploy("desk", ""));
    let run = run(&text("kafka", SECOND, &operations));
    assert_eq!(
        restarts(&run, "desk"),
        [(1, 9, false), (0, 10, false), (0, 15, true), (1, 29, true), (2, 29, false), (2, 34, true)]
    );
    let rows = run.rows("desk.log");
    assert!(rows.iter().skip(200).all(|row| row[2] != 1 || row[1] == 2));
}

#[test]
fn instances_are_added_and_go_when_they_have_ended_what_they_began() {
    for preset in ["kafka", "rabbitmq-classic"] {
        let operations = "operations:
  up: { scale: desk, instances: 5, at: 10s }
  down: { scale: desk, instances: 1, at: 30s }
  crew_up: { scale: crew, instances: 4, at: 12s }
  crew_down: { scale: crew, instances: 2, at: 25s }";
        let run = run(&text(preset, SECOND, operations));
        assert_eq!(failed(&run), 0, "{preset}");
        let mut of_desk = restarts(&run, "desk");
        of_desk[2..].sort_unstable();
        assert_eq!(
            of_desk,
            [(3, 15, true), (4, 15, true), (1, 30, false), (2, 30, false), (3, 30, false), (4, 30, false)]
        );
        let mut of_crew = restarts(&run, "crew");
        of_crew.sort_unstable_by_key(|at| (at.1, at.0));
        assert_eq!(of_crew, [(3, 17, true), (2, 25, false), (3, 25, false)]);
        let times: i64 = run.rows("crew.done").iter().map(|row| row[1]).sum();
        assert_eq!(times, 500, "{preset}");
        let used: std::collections::BTreeSet<i64> = run.rows("desk.log").iter().map(|row| row[2]).collect();
        assert_eq!(used.len(), 5);
        assert!(run.is_quiet(), "{preset}");
    }
}

#[test]
fn what_versions_cannot_change_is_refused() {
    let told = |versions: &str, operations: &str| -> Vec<&'static str> {
        let (_, diagnostics, _) = read_text("test.yaml", &text("kafka", versions, operations), &[]);
        diagnostics.list.iter().map(|mistake| mistake.code).collect()
    };
    assert_eq!(told(SECOND, &deploy("desk", "")), Vec::<&str>::new());
    assert_eq!(told("v3: {}", &deploy("desk", "")), ["unknown-version"]);
    assert_eq!(told("v2: { workers: 3 }", ""), ["not-built-yet"]);
    assert_eq!(told("v2: { handlers: { Go: null, Gone: [ stop ] } }", ""), ["unreached-handler"]);
    assert_eq!(told("v2: { handlers: { Gu: [ stop ] } }", ""), ["unknown-message"]);
    assert_eq!(told("v2: { handlers: { Go: [ { work: soon } ] } }", "").len(), 1);
    let scaled = "operations: { s: { scale: crew, instances: 0, at: 1s } }";
    assert_eq!(told(SECOND, scaled), ["out-of-range"]);
    let alone = text("kafka", SECOND, "operations: { s: { scale: crew, instances: 5, at: 1s } }")
        .replace("ack: after", "ack: after, group: per_instance");
    let (_, diagnostics, _) = read_text("test.yaml", &alone, &[]);
    assert_eq!(diagnostics.list.iter().map(|one| one.code).collect::<Vec<_>>(), ["not-built-yet"]);
}

#[test]
fn a_service_that_is_out_refuses_all_that_comes_and_ends_what_it_had() {
    for (service, preset) in [("desk", "kafka"), ("crew", "kafka"), ("crew", "rabbitmq-classic")] {
        let fault = format!("faults: {{ f: {{ outage: {service}, at: 10s, for: 5s }} }}");
        let run = run(&text(preset, SECOND, &fault));
        let refused = run.outcomes().into_iter().filter(|(_, outcome)| *outcome != Outcome::Well);
        let times: Vec<u64> = refused.map(|(at, _)| at).collect();
        let during = |at: &u64| (10 * S..15 * S + 100 * MS).contains(at);
        assert_eq!(times.len(), if service == "desk" { 50 } else { 0 }, "calls are refused, and only then");
        assert!(times.iter().all(during));
        let choked = run.ended("crew").into_iter().filter(|(_, (_, outcome))| *outcome != Outcome::Well);
        let choked: Vec<u64> = choked.map(|(at, _)| at).collect();
        assert_eq!(choked.is_empty(), service == "desk");
        assert!(choked.iter().all(during));
        let rows = run.rows("desk.log").len();
        assert_eq!(rows, if service == "desk" { 450 } else { 500 });
        // Nothing that was accepted is lost, and nothing that ended well comes again.
        let done: i64 = run.rows("crew.done").iter().map(|row| row[1]).sum();
        assert!(preset != "kafka" || done == rows as i64, "{service}: {done} of {rows}");
    }
}

#[test]
fn a_store_that_fails_over_loses_what_was_not_flushed() {
    let kept = |flush: &str, fault: &str| -> usize {
        let text = text("kafka", SECOND, &format!("faults: {{ f: {{ {fault}, at: 10500ms, for: 1s }} }}"))
            .replace("store: { tables: { log", &format!("store: {{ flush: {flush}, tables: {{ log"));
        run(&text).rows("desk.log").len()
    };
    let (always, later) = (kept("always", "failover: desk.store"), kept("1s", "failover: desk.store"));
    assert!(always > 480, "what was refused meanwhile, and nothing more: {always}");
    assert!(later < always, "{later}: what was written since the last flush is gone");
    assert!(later < kept("1s", "outage: desk.store"), "an outage loses nothing");
}

/// A version can bring a job and leave one out.
#[test]
fn jobs_come_and_go_with_versions() {
    let text = "scenario: jobs
run: { horizon: 60s, drain: 1s }
services:
  s:
    instances: 2
    store: { tables: { done: { key: [what, n], columns: { what: [old, kept, new], n: int, times: int } } } }
    jobs:
      old:  { every: 1s, do: [ { upsert: done, key: [old, self.instance], set: { times: row.times + 1 } } ] }
      kept: { every: 1s, do: [ { upsert: done, key: [kept, self.instance], set: { times: row.times + 1 } } ] }
    versions:
      v2: { jobs: { old: null, new: { every: 2s, do: [ { upsert: done, key: [new, self.instance], set: { times: row.times + 1 } } ] } } }
network: { default: { latency: 1ms } }
operations: { d: { deploy: s, version: v2, at: 20500ms, batch: 2, start_up: 500ms } }
";
    let run = run(text);
    let times = |what: i64, instance: i64| {
        let rows = run.rows("s.done");
        rows.iter().find(|row| row[0] == what && row[1] == instance).map_or(0, |row| row[2])
    };
    let words = |word: &str| {
        let at = run.model.names.symbols.iter().position(|symbol| symbol == word);
        at.expect("a word") as i64
    };
    for instance in 0..2 {
        assert_eq!(times(words("old"), instance), 20, "until it is deployed");
        let kept = times(words("kept"), instance);
        assert!((58..=61).contains(&kept), "{kept}");
        assert!((18..=20).contains(&times(words("new"), instance)), "every two seconds since");
    }
}

#[test]
fn an_instance_that_is_told_to_stop_waits_for_the_timers_in_its_memory() {
    let text = |options: &str| {
        format!(
            "scenario: timers
run: {{ horizon: 60s, drain: 1m }}
messages: {{ Go: {{ kind: command, key: id, fields: {{ id: int }} }} }}
services:
  s:
    instances: 2
    workers: 8
    store: {{ tables: {{ log: {{ key: id, columns: {{ id: int }} }} }} }}
    handlers: {{ Go: [ {{ after: 3s, do: [ {{ insert: log, key: message.id }} ] }} ] }}
    versions: {{ v2: {{}} }}
clients:
  user: {{ arrivals: {{ every: 100ms, count: 200 }}, do: [ {{ let: {{ id: {{ counter: 1 }} }} }}, {{ call: s.Go, with: {{ id: id }} }} ] }}
network: {{ default: {{ latency: 1ms }} }}
operations: {{ rollout: {{ deploy: s, version: v2, at: 5s{options} }} }}
"
        )
    };
    let patient = run(&text(""));
    assert_eq!(patient.rows("s.log").len(), 200);
    assert_eq!(restarts(&patient, "s").len(), 4, "both have gone all the same");
    let short = run(&text(", grace: 1s"));
    assert!(short.rows("s.log").len() < 200, "what was left then is gone with the memory");
}
