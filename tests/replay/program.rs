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

/// Several promises broken by one crash, each with a counterexample of its own.
const PROMISES: &str = "
guarantees:
  idempotency: { torn_effects: 0, duplicate_messages: 0 }
  isolation: { lost_updates: 0 }
  convergence:
    shown: { view: stock.items, of: orders.orders, by: \"1\", columns: { reserved: sum(row.qty) }, within: 5s }
invariants:
  adds_up: { at_end: sum(stock.items.reserved) == sum(orders.orders.qty) }
  never_two: { for_each: stock.items, never: row.reserved == 2 }
";

/// What is printed for each broken promise shows that very promise broken, at that instant; and so does what is
/// printed with it.
#[test]
fn each_command_that_is_printed_shows_its_own_counterexample() {
    let folder = tempfile::tempdir().unwrap();
    let text = Shop { times: "[1s, 30s]", ..mark_then_act() }.text() + PROMISES;
    std::fs::write(folder.path().join("shop.yaml"), text).unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eventflow"));
        let output = command.current_dir(folder.path()).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let lines = run(&["check", "shop.yaml"]);
    let commands: Vec<&str> =
        lines.lines().filter_map(|line| line.trim().strip_prefix("eventflow ")).collect();
    let checked: serde_json::Value =
        serde_json::from_str(&run(&["check", "shop.yaml", "--json", "-"])).unwrap();
    let verdicts = checked["files"][0]["run"]["verdicts"].as_array().unwrap();
    let broken: Vec<_> = verdicts.iter().filter(|verdict| !verdict["counterexample"].is_null()).collect();
    let names: Vec<&str> = broken.iter().map(|verdict| verdict["name"].as_str().unwrap()).collect();
    let expected =
        ["idempotency.torn_effects", "convergence.shown", "invariants.adds_up", "invariants.never_two"];
    assert_eq!((names.as_slice(), commands.len()), (&expected[..], expected.len()), "{lines}");
    for (verdict, command) in broken.iter().zip(commands) {
        let json = |command: &str| -> Account {
            let mut words: Vec<&str> = command.split(' ').collect();
            words.push("--json");
            serde_json::from_str(&run(&words)).unwrap_or_else(|error| panic!("{command}: {error}"))
        };
        let account = json(command);
        assert_eq!(account.measure, verdict["name"].as_str().unwrap());
        let seen = &verdict["counterexample"];
        assert_eq!(
            (account.what.as_str(), account.at),
            (seen["what"].as_str().unwrap(), seen["at"].as_f64().unwrap())
        );
        let shown = run(&command.split(' ').collect::<Vec<_>>());
        let again = shown.lines().find_map(|line| line.trim().strip_prefix("replay: eventflow ")).unwrap();
        assert_eq!(json(again), account);
    }
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
fn what_did_not_go_wrong_ends_with_three_and_what_is_not_there_with_two() {
    for (words, ended, said) in [
        (&["--focus", "o:1"][..], 3, "o:0000000000000001"),
        (&["--focus", "idempotency.lost_effects"], 3, "`idempotency.lost_effects` was not broken"),
        (&["--focus", "nonsense"], 2, "nothing is called `nonsense`"),
        (&["--focus", "o:zz"], 2, "hexadecimal"),
        (&["--replication", "many"], 2, "many"),
    ] {
        let (code, shown, complaints) = outcome(words);
        assert_eq!((code, shown.as_str()), (ended, ""), "{words:?}");
        assert!(complaints.contains(said), "{complaints}");
    }
}
