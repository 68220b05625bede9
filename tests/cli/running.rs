//! `run`: what it writes and says, and that it can be done again.

use super::{Desk, SHOP};

#[test]
fn a_run_writes_a_page_and_a_file_and_says_what_matters() {
    let desk = Desk::with(SHOP);
    let (code, said, complaints) = desk.outcome(&["run", "scenario.yaml"]);
    assert_eq!((code, complaints.as_str()), (0, ""));
    assert!(said.contains("shopper") && said.contains("reports/shop.html"), "{said}");
    assert_eq!(desk.files(), ["reports", "scenario.yaml"]);
    let mut reports: Vec<_> =
        std::fs::read_dir(desk.path("reports")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    reports.sort();
    assert_eq!(reports, ["shop.html", "shop.json"]);
    let results = desk.results("shop");
    assert_eq!(results["replications_done"], 3);
    assert_eq!(results["partial"], false);
    assert_eq!(results["seed"], 7);
    assert_eq!(results["subscriptions"][0]["group"], "mail");
}

#[test]
fn the_line_that_reproduces_a_run_reproduces_it() {
    let desk = Desk::with(SHOP);
    let words = ["run", "scenario.yaml", "--set", "rate=80/s", "--set", "run.horizon=5s", "--seed", "9"];
    let (code, said, _) = desk.outcome(&words);
    assert_eq!(code, 0);
    let results = desk.results("shop");
    assert_eq!(results["horizon"], 5.0);
    let line = said.lines().find_map(|line| line.strip_prefix("reproduce")).unwrap();
    let again: Vec<&str> = line.split_whitespace().skip(1).collect();
    assert_eq!(desk.outcome(&again).0, 0);
    let repeated = desk.results("shop");
    assert_eq!(repeated["digest"], results["digest"]);
    assert_eq!(desk.outcome(&["run", "scenario.yaml"]).0, 0);
    assert_ne!(desk.results("shop")["digest"], results["digest"]);
}

#[test]
fn threads_never_show() {
    let desk = Desk::with(SHOP);
    let run = |threads: &str| {
        let words = ["run", "scenario.yaml", "--quiet", "--threads", threads, "--out", threads];
        assert_eq!(desk.outcome(&words), (0, String::new(), String::new()));
        std::fs::read_to_string(desk.path(&format!("{threads}/shop.json"))).unwrap()
    };
    assert!(run("1") == run("2"), "one and two threads give different results");
}

#[test]
fn a_setting_changes_what_is_simulated_and_is_told() {
    let desk = Desk::with(SHOP);
    assert_eq!(desk.outcome(&["run", "scenario.yaml", "--set", "rate=10/s", "--replications", "2"]).0, 0);
    let results = desk.results("shop");
    assert_eq!(results["parameters"][0][1], "10/s");
    assert_eq!(results["settings"][0], "rate=10/s");
    assert_eq!(results["replications_done"], 2);
    let offered = results["clients"][0]["offered"]["mean"].as_f64().unwrap();
    assert!((5.0..15.0).contains(&offered), "{offered} per second");
}

#[test]
fn colours_are_there_when_asked_for() {
    let desk = Desk::with(SHOP);
    let said =
        |colour: &str| desk.outcome(&["run", "scenario.yaml", "--replications", "1", "--color", colour]).1;
    assert!(said("always").contains("\x1b["));
    assert!(!said("never").contains('\x1b'));
    assert!(!said("auto").contains('\x1b'), "the output of a test is no terminal");
}
