//! Ctrl-C: what is done is kept, and marked.

#![cfg(unix)]

use super::{Desk, SHOP};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn start(desk: &Desk, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_eventflow"))
        .args(words)
        .current_dir(desk.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a terminal sends on Ctrl-C, to this process alone.
fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn what_was_finished_is_reported_and_marked() {
    let desk = Desk::with(SHOP);
    let child = start(&desk, &["run", "scenario.yaml", "--replications", "1000000"]);
    std::thread::sleep(Duration::from_secs(2));
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("PARTIAL"), "{said}");
    let results = desk.results("shop");
    assert_eq!(results["partial"], true);
    let done = results["replications_done"].as_u64().unwrap();
    assert!((1..1_000_000).contains(&done), "{done} replications");
    let page = std::fs::read_to_string(desk.path("reports/shop.html")).unwrap();
    assert!(page.to_lowercase().contains("partial"));
}

#[test]
fn with_nothing_finished_nothing_is_written() {
    for words in [
        &["run", "scenario.yaml", "--set", "run.horizon=1000h"][..],
        &["check", "scenario.yaml", "--set", "run.horizon=1000h", "--out", "pages", "--junit", "junit.xml"],
    ] {
        let desk = Desk::with(SHOP);
        let child = start(&desk, words);
        std::thread::sleep(Duration::from_secs(1));
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{complaints}");
        assert!(complaints.contains("interrupted before the first replication"), "{complaints}");
        assert_eq!(desk.files(), ["scenario.yaml"]);
    }
}
