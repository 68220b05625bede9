//! Time travel: what was there at an instant, to the nanosecond, and who wrote each version at which line.

use super::{MS, S, model, run, scenario};
use eventflow::experiment::inspection::{NothingToShow, Question, Subject, inspect};
use eventflow::experiment::results::inspection::*;
use eventflow::kernel::time::Nanos;
use eventflow::model::Model;
use eventflow::model::compile::compile;
use eventflow::scenario::open::read_scenario;
use eventflow::world::Limits;
use std::path::Path;
use std::sync::atomic::AtomicBool;

fn look(model: &Model, moment: Option<Nanos>, subject: &Subject) -> Result<Inspection, NothingToShow> {
    inspect(&Question {
        model,
        file: "test.yaml",
        seed: model.seed,
        replication: 0,
        moment,
        subject,
        limits: Limits { events: 20_000_000, ..Limits::default() },
        interrupt: &AtomicBool::new(false),
    })
}

fn rows_of(table: &str, key: Option<&str>) -> Subject {
    Subject::Rows { table: Some(table.into()), key: key.map(str::to_owned) }
}

fn history_of(table: &str, key: Option<&str>) -> Subject {
    Subject::History { table: Some(table.into()), key: key.map(str::to_owned) }
}

fn rows(model: &Model, moment: Option<Nanos>, subject: &Subject) -> Vec<Row> {
    match look(model, moment, subject).unwrap().view {
        View::Rows(rows) => rows.rows,
        other => panic!("{other:?}"),
    }
}

fn versions(model: &Model, moment: Option<Nanos>, subject: &Subject) -> Vec<RowVersion> {
    match look(model, moment, subject).unwrap().view {
        View::History(history) => history.versions,
        other => panic!("{other:?}"),
    }
}

fn summary(model: &Model, moment: Nanos) -> Summary {
    match look(model, Some(moment), &Subject::Everything).unwrap().view {
        View::Summary(summary) => summary,
        other => panic!("{other:?}"),
    }
}

fn value(cells: &[Cell], column: &str) -> String {
    cells
        .iter()
        .find(|cell| cell.column == column)
        .unwrap_or_else(|| panic!("{column} in {cells:?}"))
        .value
        .clone()
}

/// Where a text stands in another, as editors count lines.
fn line_of(text: &str, part: &str) -> u32 {
    let at = text.find(part).unwrap_or_else(|| panic!("{part} in\n{text}"));
    text[..at].matches('\n').count() as u32 + 1
}

/// One row, inserted at 1.006 s, updated at 1.016 s and deleted at 1.026 s: the handler begins at 1.001 s, and a row
/// step takes 10 ms and takes effect in their middle.
fn three_writes() -> String {
    let service = "store:\n  latency: { read: 2ms, write: 4ms, commit: 6ms }\n  tables:\n    t: { key: k, columns: { k: int, v: int } }";
    let steps = "- { insert: t, key: 7, set: { v: 1 } }\n- { update: t, key: 7, set: { v: row.v + 40 } }\n- { delete: t, key: 7 }";
    scenario(service, steps, "")
}

#[test]
fn a_row_is_shown_as_it_was_to_the_nanosecond() {
    let model = model(&three_writes());
    let seen = |moment: Nanos| {
        let rows = rows(&model, Some(moment), &rows_of("s.t", None));
        rows.iter().map(|row| value(&row.cells, "v")).collect::<Vec<_>>()
    };
    let at = |ms: Nanos| S + ms * MS;
    assert!(seen(0).is_empty() && seen(at(6) - 1).is_empty());
    assert_eq!((seen(at(6)), seen(at(16) - 1)), (vec!["1".into()], vec!["1".into()]));
    assert_eq!((seen(at(16)), seen(at(26) - 1)), (vec!["41".into()], vec!["41".into()]));
    assert!(seen(at(26)).is_empty());
    // Asked for by its key, a row that is gone says how it went.
    let gone = &rows(&model, Some(at(26)), &rows_of("s.t", Some("7")))[0];
    assert_eq!((gone.name.as_str(), gone.is_there, gone.version.at), ("s.t[7]", false, 1.026));
    assert!(gone.version.by.as_ref().unwrap().steps[0].what.starts_with("delete from s.t"));
}

#[test]
fn a_history_names_writer_line_and_cause() {
    let text = three_writes();
    let model = model(&text);
    let all = versions(&model, None, &history_of("s.t", Some("7")));
    let told: Vec<_> = all
        .iter()
        .map(|of| {
            let change = &of.version.changes[0];
            (of.version.at, change.from.as_str(), change.to.as_str())
        })
        .collect();
    assert_eq!(told, [(1.006, "absent", "v = 1"), (1.016, "1", "41"), (1.026, "there", "absent")]);
    for (of, step) in all.iter().zip(["insert: t", "update: t", "delete: t"]) {
        let by = of.version.by.as_ref().unwrap();
        assert_eq!((by.who.as_str(), by.serves.as_str(), by.number, by.begun), ("s#0", "Go", 1, 1.001));
        let line = by.steps[0].line.as_ref().unwrap();
        assert_eq!((line.file.as_str(), line.line), ("test.yaml", line_of(&text, step)));
        let why = &by.why[..];
        assert_eq!(why.len(), 1, "{why:?}");
        assert_eq!((why[0].at, why[0].who.as_str()), (1.0, "c"));
        assert_eq!(why[0].what, "for c's intent 1: calls for Go");
        assert_eq!(why[0].line.as_ref().unwrap().line, line_of(&text, "call: s.Go"));
    }
    // Of what comes after the moment a history knows nothing.
    assert_eq!(versions(&model, Some(S + 16 * MS), &history_of("s.t", None)), all[..2]);
}

#[test]
fn what_was_rolled_back_is_in_no_history() {
    let service = "store:\n  tables:\n    t: { key: k, columns: { k: int, v: int } }";
    let steps = "- { transaction: [ { insert: t, key: 1, set: { v: 5 } }, { fail: no } ], catch: { no: [] } }\n- { insert: t, key: 1, set: { v: 9 } }";
    let text = scenario(service, steps, "");
    let all = versions(&model(&text), None, &history_of("s.t", None));
    assert_eq!(all.len(), 1);
    let steps = &all[0].version.by.as_ref().unwrap().steps;
    assert_eq!(steps.len(), 1, "the step that was rolled back wrote nothing: {steps:?}");
    assert_eq!(steps[0].line.as_ref().unwrap().line, line_of(&text, "set: { v: 9 }"));
}

#[test]
fn a_stream_at_a_version_is_what_load_at_that_version_gives() {
    let service = "store:\n  latency: { read: 2ms, write: 4ms, commit: 6ms }\n  streams:\n    log: { key: k, state: { sum: int, last: int }, \
                   apply: { Added: { sum: state.sum + message.n, last: message.n } } }\n  tables:\n    t: { key: k, columns: { k: int, v: int, w: int } }";
    let steps: String = [1, 2, 4]
        .map(|n| format!("- {{ append: Added, to: log, key: 1, with: {{ k: 1, n: {n} }} }}\n"))
        .concat()
        + "- for_each: 1..3\n  as: version\n  do:\n    - { load: log, key: 1, at: version, as: then }\n    - { insert: t, key: version, set: { v: then.sum, w: then.last } }\n";
    let messages = "messages:\n  Added: { kind: domain, key: k, fields: { k: int, n: int } }\n";
    let text = scenario(service, &steps, "").replacen("messages:\n", messages, 1);
    let loaded = run(&text).rows("s.t");
    assert_eq!(loaded, [[1, 1, 1], [2, 3, 2], [3, 7, 4]]);
    let model = model(&text);
    let all = versions(&model, None, &history_of("s.log", Some("1")));
    let states =
        all.iter().map(|of| ["version", "sum", "last"].map(|name| value(&of.cells, name).parse().unwrap()));
    assert_eq!(states.collect::<Vec<[i64; 3]>>(), [[1, 1, 1], [2, 3, 2], [3, 7, 4]]);
    assert!(all.iter().all(|of| of.version.by.as_ref().unwrap().steps[0].what == "append Added to s.log"));
    // And so it stood when that version was the newest.
    for (of, loaded) in all.iter().zip(&loaded) {
        let moment = (of.version.at * S as f64).round() as Nanos;
        let row = &rows(&model, Some(moment), &rows_of("s.log", None))[0];
        assert_eq!(value(&row.cells, "sum"), loaded[1].to_string());
    }
}

#[test]
fn an_instance_shows_what_it_works_on_and_where_it_stands() {
    let text = scenario(
        "workers: 1",
        "- { work: 50ms }\n- { wait: 20ms }",
        "arrivals: { times: [1s, 1010ms] }\ndo: [ { call: s.Go, with: { n: 0 } } ]",
    );
    let model = model(&text);
    let at = |ms: Nanos| match look(&model, Some(S + ms * MS), &Subject::Instance("s#0".into())).unwrap().view
    {
        View::Instance(instance) => instance,
        other => panic!("{other:?}"),
    };
    let figures = |of: &Instance| (of.state, of.busy, of.waiting, of.attempts.len());
    assert_eq!(figures(&at(0)), (State::Up, 0, 0, 0));
    assert_eq!(figures(&at(1)), (State::Up, 1, 0, 1));
    assert_eq!(figures(&at(11)), (State::Up, 1, 1, 1));
    let line = |ms: Nanos| at(ms).attempts[0].steps[0].line.as_ref().unwrap().line;
    assert_eq!(line(50), line_of(&text, "work: 50ms"));
    assert_eq!(line(52), line_of(&text, "wait: 20ms"));
    // The second one begins when the first has ended.
    assert_eq!((at(70).attempts[0].begun, at(71).attempts[0].begun), (1.001, 1.071));
    assert_eq!(figures(&at(71)), (State::Up, 1, 0, 1));
}

#[test]
fn what_is_not_there_is_said_with_what_there_is() {
    let model = model(&three_writes());
    let why = |moment: Option<Nanos>, subject: &Subject| look(&model, moment, subject).unwrap_err();
    let unknown = why(None, &rows_of("s.tt", None));
    assert_eq!(unknown.unknown(), Some(("s.tt", &["s.t".to_owned()][..])));
    assert_eq!(why(None, &Subject::Instance("s".into())).unknown().unwrap().1, ["s#0"]);
    assert!(why(None, &Subject::Topic("x".into())).unknown().unwrap().1.is_empty());
    let key = why(Some(S + 16 * MS), &rows_of("s.t", Some("70")));
    assert_eq!(key.unknown(), Some(("70", &["7".to_owned()][..])));
    // Before it was written there was no such row, and nothing is known of it.
    assert!(matches!(why(Some(S), &history_of("s.t", Some("7"))), NothingToShow::NoSuchKey { .. }));
    let NothingToShow::BeyondTheEnd { end, .. } = why(Some(100_000 * S), &Subject::Everything) else {
        panic!()
    };
    let last = look(&model, Some(end), &Subject::Everything).unwrap();
    assert!(last.is_end && last == look(&model, None, &Subject::Everything).unwrap());
}

fn shipped(file: &str, settings: &[&str]) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    let (sources, mistakes, scenario) = read_scenario(&path, &settings);
    compile(&scenario.unwrap_or_else(|| panic!("{mistakes:?}")), &sources)
}

/// The last version of each row in a history is the row; rows that are there and rows that are not agree.
fn assert_history_ends_in_the_rows(model: &Model, moment: Nanos, table: &str) -> Vec<RowVersion> {
    let history = versions(model, Some(moment), &history_of(table, None));
    let is = rows(model, Some(moment), &rows_of(table, None));
    for row in &is {
        let last = history.iter().rfind(|of| (&of.name, &of.instance) == (&row.name, &row.instance));
        let last = last.unwrap_or_else(|| panic!("{} has no history", row.name));
        assert_eq!((&last.cells, &last.version), (&row.cells, &row.version), "{}", row.name);
    }
    let mut alive: Vec<_> = history.iter().map(|of| (&of.name, &of.instance, of.is_there)).collect();
    alive.reverse();
    let mut seen = Vec::new();
    for (name, instance, is_there) in alive {
        if !seen.contains(&(name, instance)) {
            seen.push((name, instance));
            assert_eq!(
                is.iter().any(|row| (&row.name, &row.instance) == (name, instance)),
                is_there,
                "{name}"
            );
        }
    }
    history
}

fn otherwise(history: &[RowVersion], what: &str) -> usize {
    history
        .iter()
        .filter(|of| of.version.otherwise.as_deref().is_some_and(|said| said.contains(what)))
        .count()
}

#[test]
fn a_history_of_many_writers_ends_in_the_rows() {
    // Tried again by way of another topic, which is still the same work; and delivered again after a crash.
    for (file, table) in
        [("ordering/retry-topic", "shop.prices"), ("idempotency/in-memory", "inventory.stock")]
    {
        let model = shipped(&format!("{file}.yaml"), &[]);
        let history = assert_history_ends_in_the_rows(&model, 20 * S, table);
        let by: Vec<_> = history.iter().filter_map(|of| of.version.by.as_ref()).collect();
        assert!(by.len() > 500 && by.iter().all(|by| by.delivery.is_some() && by.why.len() >= 2), "{file}");
        assert!(by.iter().any(|by| by.number > 1), "{file}: nothing was ever tried again");
    }
}

#[test]
fn what_is_called_again_is_another_attempt_at_the_same() {
    let service = "workers: 8\nstore:\n  latency: { read: 2ms, write: 4ms, commit: 6ms }\n  tables:\n    t: { key: k, columns: { k: int, v: int } }";
    let steps = "- { upsert: t, key: 7, set: { v: row.v + 1 } }";
    let client = "arrivals: { times: [1s] }\ncalls: { s: { timeout: 5ms, retry: { attempts: 3 } } }\ndo: [ { call: s.Go, with: { n: 0 }, catch: { any: [ stop ] } } ]";
    let all = versions(&model(&scenario(service, steps, client)), None, &history_of("s.t", None));
    let numbers: Vec<_> = all.iter().map(|of| of.version.by.as_ref().unwrap().number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn what_a_store_crash_takes_back_is_told_as_that() {
    let model = shipped("stores/flush-later.yaml", &[]);
    let history = assert_history_ends_in_the_rows(&model, 41 * S, "orders.orders");
    assert!(otherwise(&history, "the store lost what was not durable") > 0);
    assert_eq!(otherwise(&history, "time to live"), 0);
}

#[test]
fn what_goes_with_the_memory_of_an_instance_is_told_as_that() {
    let model = shipped("idempotency/in-memory.yaml", &[]);
    let history = assert_history_ends_in_the_rows(&model, 20 * S, "inventory.handled");
    assert!(otherwise(&history, "the memory went with its instance") > 0);
    assert!(history.iter().all(|of| of.instance.is_some()));
}

#[test]
fn what_a_replay_empties_is_told_as_that() {
    let model = shipped("cqrs/replay-into-empty-view.yaml", &[]);
    let told = model.tables.iter().filter(|table| !table.memory).any(|table| {
        let history = versions(&model, None, &history_of(&table.name, None));
        otherwise(&history, "for a replay for") > 0
    });
    assert!(told);
}

#[test]
fn the_messages_shown_are_those_that_a_group_lags_behind() {
    for file in
        ["saga/choreography", "ordering/retry-topic", "idempotency/in-memory", "cqrs/replay-over-live-view"]
    {
        let model = shipped(&format!("{file}.yaml"), &[]);
        let mut lag = 0;
        for moment in [3 * S, 11 * S + 3 * MS, 17 * S] {
            for group in summary(&model, moment).groups {
                let subject = Subject::Topic(group.topic.clone());
                let View::Topic(topic) = look(&model, Some(moment), &subject).unwrap().view else { panic!() };
                let of = topic.groups.iter().find(|of| of.name == group.name).unwrap();
                let shown = of.messages.len() as u64 + of.left_out;
                assert_eq!(
                    (shown, of.lag, of.in_flight),
                    (group.lag, group.lag, group.in_flight),
                    "{file} {moment}"
                );
                lag += group.lag;
            }
        }
        assert!(lag > 0, "{file}: nothing was shown");
    }
}

#[test]
fn sagas_are_shown_where_they_stand() {
    let model = model(
        "scenario: sagas
run: { horizon: 10s, drain: 1m }
messages:
  Start: { kind: command, key: n, fields: { n: int } }
  Hold: { kind: command, key: n, fields: { n: int } }
services:
  s:
    workers: 8
    store: { tables: { done: { key: n, columns: { n: int } } } }
    sagas:
      place:
        start: Start
        key: message.n
        steps:
          - { step: first, do: [ { wait: 10ms } ] }
          - { step: hold, do: [ { call: t.Hold, with: message, timeout: 5s } ] }
        completed: [ { insert: done, key: message.n } ]
  t: { workers: 8, handlers: { Hold: [ { wait: 2s }, reply ] } }
clients:
  c: { arrivals: { times: [1s, 4s] }, do: [ { let: { n: { counter: 7 } } }, { call: s.Start, with: { n: n } } ] }
network: { default: { latency: 1ms } }",
    );
    let at = |moment: Nanos| summary(&model, moment).sagas.remove(0);
    assert_eq!((at(900 * MS).ended, at(900 * MS).under_way), (0, 0));
    let one = at(2 * S);
    assert_eq!((one.name.as_str(), one.ended, one.under_way), ("s.place", 0, 1));
    assert_eq!(one.instances, ["Start n 1: doing hold"]);
    assert_eq!((at(5 * S).ended, at(5 * S).under_way), (1, 1));
    assert_eq!(at(9 * S).ended, 2);
}

#[test]
fn replicas_are_shown_with_what_they_lack() {
    let model = model(
        "scenario: replicas
run: { horizon: 10s, drain: 1m }
messages: { Go: { kind: command, fields: { n: int } } }
services:
  s:
    store: { tables: { seen: { key: n, columns: { n: int } } }, read_replica: { count: 2, lag: 2s } }
    handlers: { Go: [ { insert: seen, key: message.n } ] }
clients:
  c: { arrivals: { times: [1s, 2s] }, do: [ { let: { n: { counter: 1 } } }, { call: s.Go, with: { n: n } } ] }
network: { default: { latency: 1ms } }",
    );
    let at = |moment: Nanos| {
        let replicas = summary(&model, moment).replicas;
        replicas.into_iter().map(|of| (of.name, of.count)).collect::<Vec<_>>()
    };
    let both = |rows| [("s.store replica 0".to_owned(), rows), ("s.store replica 1".to_owned(), rows)];
    assert_eq!(at(500 * MS), both(0));
    assert_eq!(at(2500 * MS), both(2));
    assert_eq!(at(3500 * MS), both(1));
    assert_eq!(at(9 * S), both(0));
}

#[test]
fn what_was_stopped_on_purpose_has_not_crashed_and_its_version_is_named() {
    let service = "instances: 2\nversions: { v2: { handlers: { Go: [ { wait: 1ms } ] } } }";
    let text = scenario(service, "- wait: 1ms", "")
        + "operations: { roll: { deploy: s, version: v2, at: 2s } }\nfaults: { f: { crash: s, at: 50s, for: 1s, instance: 1 } }\n";
    let model = model(&text);
    let at = |moment: Nanos, name: &str| match look(&model, Some(moment), &Subject::Instance(name.into()))
        .unwrap()
        .view
    {
        View::Instance(instance) => (instance.version, instance.crashes),
        other => panic!("{other:?}"),
    };
    assert_eq!(at(S, "s#0"), (None, 0));
    assert_eq!(at(49 * S, "s#0"), (Some("v2".to_owned()), 0));
    assert_eq!(at(55 * S, "s#1"), (Some("v2".to_owned()), 1));
}
