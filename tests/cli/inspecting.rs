//! `inspect`: what is typed, what is shown, and what is said of what is not there.

use super::{Desk, SHOP};

fn said(words: &[&str]) -> String {
    let typed: Vec<&str> = ["inspect", "scenario.yaml"].iter().chain(words).copied().collect();
    let (code, said, complaints) = Desk::with(SHOP).outcome(&typed);
    assert_eq!((code, complaints.as_str()), (0, ""), "{words:?}");
    said
}

fn complaint(words: &[&str]) -> String {
    let typed: Vec<&str> = ["inspect", "scenario.yaml"].iter().chain(words).copied().collect();
    let (code, said, complaints) = Desk::with(SHOP).outcome(&typed);
    assert_eq!((code, said.as_str()), (2, ""), "{words:?}");
    complaints
}

#[test]
fn everything_is_shown_with_a_few_figures() {
    insta::assert_snapshot!("inspected", said(&["--at", "4s100ms"]));
}

#[test]
fn a_row_is_followed_back_to_the_client() {
    let rows = said(&["--at", "1s", "--table", "desk.orders"]);
    let name = rows.lines().find(|line| line.starts_with("desk.orders[")).expect("an order");
    let key = name.trim_start_matches("desk.orders[").trim_end_matches(']');
    let history = said(&["--at", "1s", "--key", key, "--history"]);
    insta::assert_snapshot!("inspected_history", history);
    assert!(history.contains("scenario.yaml:29") && history.contains("absent → status = open"), "{history}");
}

#[test]
fn json_says_the_same() {
    let said = said(&["--at", "4100ms", "--topic", "orders", "--json"]);
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&read["at"], &read["seed"]), (&4.1.into(), &7.into()));
    let group = &read["view"]["topic"]["groups"][0];
    assert_eq!(group["messages"].as_array().unwrap().len() as u64, group["lag"].as_u64().unwrap());
    assert_eq!(group["messages"][0]["consumer"], "mail#0");
}

#[test]
fn another_seed_and_another_replication_are_other_worlds() {
    let usual = said(&["--at", "3s", "--table", "desk.orders"]);
    assert_eq!(usual, said(&["--at", "3s", "--table", "desk.orders", "--seed", "7", "--replication", "0"]));
    assert_ne!(usual, said(&["--at", "3s", "--table", "desk.orders", "--replication", "1"]));
    assert_ne!(usual, said(&["--at", "3s", "--table", "desk.orders", "--seed", "8"]));
    assert!(said(&["--at", "3s", "--set", "services.mail.instances=3"]).contains("mail#2"));
}

#[test]
fn names_that_are_not_there_are_answered_with_those_that_are() {
    assert!(complaint(&["--table", "desk.order"]).contains("did you mean `desk.orders`?"));
    assert!(complaint(&["--topic", "order"]).contains("did you mean `orders`?"));
    assert!(complaint(&["--instance", "desk#7"]).contains("did you mean `desk#0`?"));
    assert!(complaint(&["--table", "desk.orders", "--key", "17"]).contains("no row of `desk.orders`"));
    assert!(complaint(&["--at", "0s", "--key", "17"]).contains("there are none"));
    assert!(complaint(&["--at", "4h"]).contains("is beyond the end: this replication ended at"));
    assert!(complaint(&["--at", "soon"]).contains("write it with units"));
    assert!(complaint(&["--history"]).contains("--table or --key"));
    assert!(complaint(&["--table", "x", "--topic", "y"]).contains("cannot be used with"));
    assert!(complaint(&["--max-events", "100", "--at", "9s"]).contains("budget of 100 events"));
    assert!(complaint(&["--key", "\u{1b}[2J"]).contains("\\u{1b}[2J"));
}
