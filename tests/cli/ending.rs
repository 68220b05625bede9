//! Exit codes, and that a mistake leaves everything as it was.

use super::{Desk, SHOP};
use eventflow::experiment::run::{Failure, RunOptions, run};
use eventflow::model::compile::compile;
use eventflow::scenario::open::read_text;
use eventflow::world::{Halt, Limits};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

#[test]
fn mistakes_are_all_told_and_nothing_is_written() {
    let desk = Desk::with(
        &SHOP.replace("call: desk.PlaceOrder", "call: dsk.PlaceOrder").replace("takes: 5ms", "takes: 5"),
    );
    for command in ["run", "show"] {
        let (code, said, complaints) = desk.outcome(&[command, "scenario.yaml"]);
        assert_eq!((code, said.as_str()), (2, ""), "{complaints}");
        assert!(complaints.contains("dsk") && complaints.contains("did you mean `desk`"), "{complaints}");
        assert!(complaints.contains("takes: 5"), "{complaints}");
        assert!(complaints.contains("2 mistakes in scenario.yaml"), "{complaints}");
        assert_eq!(desk.files(), ["scenario.yaml"]);
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let desk = Desk::with(SHOP);
    for words in [
        &["walk"][..],
        &[],
        &["run"],
        &["run", "scenario.yaml", "--replications", "0"],
        &["run", "scenario.yaml", "--threads", "many"],
        &["run", "scenario.yaml", "--set", "rate"],
        &["run", "scenario.yaml", "--set", "rat=5/s"],
        &["run", "missing.yaml"],
        &["show", "scenario.yaml", "--format", "poem"],
    ] {
        let (code, said, complaints) = desk.outcome(words);
        assert_eq!((code, said.as_str()), (2, ""), "{words:?}: {complaints}");
        assert!(!complaints.is_empty());
        assert_eq!(desk.files(), ["scenario.yaml"]);
    }
    assert_eq!(desk.outcome(&["--version"]).0, 0);
    assert_eq!(desk.outcome(&["run", "--help"]).0, 0);
}

#[test]
fn a_report_that_cannot_be_written_leaves_the_one_that_was_there() {
    let desk = Desk::with(SHOP);
    std::fs::create_dir_all(desk.path("reports/shop.json")).unwrap();
    std::fs::write(desk.path("reports/shop.html"), "as it was").unwrap();
    let (code, said, complaints) = desk.outcome(&["run", "scenario.yaml", "--replications", "1"]);
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(complaints.contains("cannot write") && complaints.contains("shop.json"), "{complaints}");
    assert_eq!(std::fs::read_to_string(desk.path("reports/shop.html")).unwrap(), "as it was");
    // What was simulated is kept: the same command goes on from it once the report can be written.
    let mut left: Vec<String> = std::fs::read_dir(desk.path("reports"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.retain(|name| !name.ends_with(".journal"));
    left.sort();
    assert_eq!(left, ["shop.html", "shop.json"]);
}

#[test]
fn a_closed_pipe_is_the_end_and_no_mistake() {
    let desk = Desk::with(SHOP);
    for words in
        [&["show", "scenario.yaml"][..], &["schema"], &["run", "scenario.yaml", "--replications", "1"]]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_eventflow"))
            .args(words)
            .current_dir(desk.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{words:?}");
        assert_eq!(output.status.code(), Some(0), "{words:?}");
    }
    assert!(desk.path("reports/shop.html").exists(), "the report does not need a reader of the summary");
}

#[test]
fn a_run_over_its_budget_of_events_says_so() {
    let desk = Desk::with(SHOP);
    let (code, said, complaints) = desk.outcome(&["run", "scenario.yaml", "--max-events", "1000"]);
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(complaints.contains("budget of 1000 events"), "{complaints}");
    assert_eq!(desk.files(), ["scenario.yaml"]);
}

/// Two services that answer each other at once, for ever.
const LOOP: &str = "
scenario: loop
messages: { Ping: { kind: command }, Pong: { kind: command } }
services:
  wall: { handlers: { Ping: [ { send: player.Pong } ] } }
  player: { handlers: { Pong: [ { send: wall.Ping } ] } }
clients: { starter: { arrivals: { times: [ 1s ] }, do: [ { send: wall.Ping } ] } }
network: { default: { latency: 0s } }
";

#[test]
fn a_loop_without_delay_ends_and_names_the_handler() {
    let desk = Desk::with(LOOP);
    let (code, said, complaints) = desk.outcome(&["run", "scenario.yaml", "--replications", "1"]);
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(complaints.contains("loop without delay"), "{complaints}");
    assert!(complaints.contains("wall/Ping") || complaints.contains("player/Pong"), "{complaints}");
    assert_eq!(desk.files(), ["scenario.yaml"]);
}

/// A handler that fails in no time, on a log that is fetched again in no time.
const POISON: &str = "
scenario: poison
messages: { Bad: { kind: integration } }
brokers: { log: { preset: kafka } }
topics: { events: { messages: [Bad] } }
services: { reader: { consumes: { events: { group: readers } }, handlers: { Bad: [ { fail: bad } ] } } }
clients: { writer: { arrivals: { times: [ 1s ] }, do: [ { publish: Bad } ] } }
network: { default: { latency: 0s } }
";

#[test]
fn a_poisoned_message_that_is_tried_again_for_ever_ends_and_names_the_handler() {
    let desk = Desk::with(POISON);
    let (code, said, complaints) = desk.outcome(&["run", "scenario.yaml", "--replications", "1"]);
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(complaints.contains("loop without delay"), "{complaints}");
    assert!(complaints.contains("reader/Bad"), "{complaints}");
    assert_eq!(desk.files(), ["scenario.yaml"]);
}

/// A report stays in the folder that was asked for, whatever the scenario is called.
#[test]
fn a_name_that_looks_like_a_path_leads_nowhere() {
    let desk = Desk::with(
        "scenario: ../../outside\nclients: { c: { arrivals: { times: [ 1s ] }, do: [ { wait: 1s } ] } }\n",
    );
    let (code, _, complaints) = desk.outcome(&["run", "scenario.yaml", "--replications", "1", "--out", "."]);
    assert_eq!(code, 0, "{complaints}");
    assert_eq!(desk.files(), ["______outside.html", "______outside.json", "scenario.yaml"]);
}

/// Ten times more work than one worker can do.
const OVERLOAD: &str = "
scenario: overload
messages: { Task: { kind: command } }
services: { server: { handlers: { Task: [ { work: 10ms } ] } } }
clients: { source: { arrivals: { poisson: 1000/s }, do: [ { send: server.Task } ] } }
";

#[test]
fn an_overload_without_bound_ends_and_names_the_queue() {
    let (sources, _, scenario) = read_text("overload.yaml", OVERLOAD, &[]);
    let model = compile(&scenario.unwrap(), &sources);
    let limits = Limits { held: 20_000, ..Limits::default() };
    let options = RunOptions { limits, ..RunOptions::default() };
    let failure = run(&model, "overload.yaml", &options, &(), &AtomicBool::new(false)).unwrap_err();
    let Failure::Halted { halt: Halt::Overload { largest, .. }, .. } = &failure else { panic!("{failure}") };
    assert!(largest.contains("the queue of server"), "{failure}");
}
