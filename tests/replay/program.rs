//! `eventflow replay`, as it is typed.

use super::*;
use assert_cmd::Command;

fn outcome(words: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yaml"), mark_then_act().text()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_eventflow"));
    let output =
        command.current_dir(folder.path()).args(["replay", "shop.yaml"]).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_that_is_printed_shows_the_same_again() {
    let (code, shown, complaints) = outcome(&[]);
    assert_eq!((code, complaints.as_str()), (0, ""));
    let line = shown.lines().find_map(|line| line.trim().strip_prefix("replay: eventflow replay shop.yaml "));
    let words: Vec<&str> = line.unwrap().split(' ').collect();
    assert_eq!(outcome(&words), (0, shown, String::new()));
}

#[test]
fn each_format_is_asked_for_by_name() {
    let (code, diagram, _) = outcome(&["--mermaid"]);
    assert_eq!((code, diagram.starts_with("sequenceDiagram\n")), (0, true));
    let (code, json, _) = outcome(&["--json"]);
    let account: Account = serde_json::from_str(&json).unwrap();
    assert_eq!((code, account.measure.as_str()), (0, "idempotency.torn_effects"));
}

#[test]
fn what_is_not_there_is_said_and_ends_with_two() {
    for (words, said) in [
        (&["--focus", "o:1"][..], "o:0000000000000001"),
        (&["--focus", "idempotency.lost_effects"], "`idempotency.lost_effects` was not broken"),
        (&["--focus", "nonsense"], "nothing is called `nonsense`"),
        (&["--focus", "o:zz"], "hexadecimal"),
        (&["--replication", "many"], "many"),
    ] {
        let (code, shown, complaints) = outcome(words);
        assert_eq!((code, shown.as_str()), (2, ""), "{words:?}");
        assert!(complaints.contains(said), "{complaints}");
    }
}
