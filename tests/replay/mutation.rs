//! One safeguard less: what a scenario tests, and what it does not.

use super::*;
use assert_cmd::Command;
use eventflow::experiment::results::mutation::{Direction, Effect, Mutations};

fn mutate(text: &str, words: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yaml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_eventflow"));
    let output =
        command.current_dir(folder.path()).args(["mutate", "shop.yaml"]).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A measure, and its counts with and without, all for the worse.
type Changed = (String, u64, u64);

/// What is taken away, what that does, and what changes then.
fn changes(shop: &Shop) -> Vec<(String, Effect, Vec<Changed>)> {
    let (_, json, complaints) = mutate(&shop.text(), &["--json", "--replications", "2"]);
    assert_eq!(complaints, "");
    let mutations: Mutations = serde_json::from_str(&json).unwrap();
    let mutants = mutations.mutants.into_iter().map(|mutant| {
        let worse = mutant.changed.into_iter().filter(|of| of.direction == Direction::Worse);
        (mutant.lacks, mutant.effect, worse.map(|of| (of.measure, of.with, of.without)).collect())
    });
    mutants.collect()
}

fn change(measure: &str, with: u64, without: u64) -> Changed {
    (format!("idempotency.{measure}"), with, without)
}

/// A mark and a change in one transaction, and a crash right behind it.
fn guarded() -> Shop {
    Shop {
        placed: "- { name: here, transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
        fault: CRASH,
        ..Shop::default()
    }
}

#[test]
fn a_guard_that_a_crash_needs_is_tested_and_the_rest_is_not() {
    let expected = [
        ("the guard `else: [ stop ]` of orders/Place/insert#1", Effect::NotTested, vec![]),
        ("the transaction stock/Placed/transaction#1", Effect::NotTested, vec![]),
        (
            "the guard `else: [ stop ]` of stock/Placed/insert#1",
            Effect::Worsens,
            vec![change("duplicate_effects", 0, 2)],
        ),
        ("`ack: after` of placed.stock", Effect::NotTested, vec![]),
    ];
    let expected = expected.map(|(lacks, effect, changed)| (lacks.to_owned(), effect, changed));
    assert_eq!(changes(&guarded()), expected);
}

#[test]
fn a_crash_between_the_steps_tests_their_transaction() {
    let shop = Shop {
        placed:
            "- transaction: [ { insert: handled, key: message.id, else: [ stop ] }, { name: here, wait: 1ms },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ]",
        ..guarded()
    };
    let all = changes(&shop);
    let of = |lacks: &str| all.iter().find(|(known, ..)| known.contains(lacks)).unwrap().2.clone();
    assert_eq!(of("the transaction"), [change("torn_effects", 0, 2)]);
    assert_eq!(of("`ack: after`"), [change("lost_effects", 0, 2)]);
    assert_eq!(of("stock/Placed/insert#1"), []);
}

#[test]
fn an_outbox_is_tested_by_a_crash_behind_the_commit() {
    let shop = Shop {
        place: "- transaction: [ { insert: orders, key: message.order, set: { qty: message.qty } }, { wait: 1ms },
            { publish: Placed, via: outbox, with: message }, { name: here, wait: 1ms } ]",
        fault: "faults: { f: { crash: orders, at_step: orders.Place.here, edge: after, nth: 1, for: 1s } }",
        ..Shop::default()
    };
    let all = changes(&shop);
    let outbox = all.iter().find(|(lacks, ..)| lacks == "the outbox of orders/Place/publish#1").unwrap();
    assert!(outbox.2.contains(&change("phantom_effects", 0, 2)), "{all:?}");
}

#[test]
fn conditions_keys_and_guards_are_found_wherever_they_are() {
    let shop = Shop {
        placed: "- { read: handled, key: message.id, as: seen }
        - { if: seen.exists, then: [ stop ] }
        - if: message.qty > 0
          then: [ { update: items, key: message.item, where: row.reserved < 9, set: { reserved: row.reserved + 1 } } ]
          else: [ { effect: card, idempotency_key: message.order } ]
        - { update: items, where: row.reserved > 90, set: { reserved: 0 } }",
        fault: "",
        ..Shop::default()
    };
    let names: Vec<String> = changes(&shop).into_iter().map(|(lacks, ..)| lacks).collect();
    assert_eq!(
        names,
        [
            "the guard `else: [ stop ]` of orders/Place/insert#1",
            "the guard stock/Placed/if#1",
            "`where` of stock/Placed/update#1",
            "the idempotency key of stock/Placed/effect#1",
            "`ack: after` of placed.stock",
        ]
    );
}

#[test]
fn it_is_said_in_lines_with_their_places() {
    let promised = guarded().text() + "guarantees: { idempotency: { duplicate_effects: 0 } }\n";
    let (code, said, complaints) = mutate(&promised, &["--replications", "2"]);
    assert_eq!((code, complaints.as_str()), (1, ""), "three safeguards are not tested");
    insta::assert_snapshot!("mutations", said);
}

/// A safeguard is judged as verdicts are: by the promise that it breaks, whatever the counts were before.
#[test]
fn a_broken_promise_is_named_and_one_replication_is_enough_for_it() {
    let promised = guarded().text() + "guarantees: { idempotency: { duplicate_effects: 0 } }\n";
    let (_, json, _) = mutate(&promised, &["--json", "--replications", "1"]);
    let mutations: Mutations = serde_json::from_str(&json).unwrap();
    let guard = mutations.mutants.iter().find(|mutant| mutant.effect == Effect::Breaks).unwrap();
    assert_eq!(guard.lacks, "the guard `else: [ stop ]` of stock/Placed/insert#1");
    let broken: Vec<&str> = guard.broken.iter().map(|broken| broken.promise.as_str()).collect();
    assert_eq!(broken, ["idempotency.duplicate_effects"]);
    // Without the promise one replication shows a difference, and no more than that.
    let (_, json, _) = mutate(&guarded().text(), &["--json", "--replications", "1"]);
    let mutations: Mutations = serde_json::from_str(&json).unwrap();
    let guard = mutations.mutants.iter().find(|of| of.lacks == guard.lacks).unwrap();
    assert_eq!((guard.effect, guard.doubts.len()), (Effect::CannotTell, 1), "{:?}", guard.doubts);
}

#[test]
fn the_exit_code_says_whether_all_is_tested() {
    let only_late = Shop { place: "- { publish: Placed, with: message }", ..Shop::default() };
    let (code, said, _) = mutate(&only_late.text(), &["--replications", "2"]);
    assert_eq!(code, 1, "`ack: after` is all there is, and nothing crashes: {said}");
    let nothing = Shop { consumes: "ack: before", ..only_late };
    let (code, said, _) = mutate(&nothing.text(), &["--replications", "2"]);
    assert_eq!(code, 3, "nothing to take away: {said}");
    let (code, said, _) = mutate(&nothing.text(), &["--quiet", "--threads", "1"]);
    assert_eq!((code, said.as_str()), (3, ""));
    let tested = Shop {
        fault: CRASH,
        placed: "- { name: here, wait: 1ms }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
        place: "- { publish: Placed, with: message }",
        ..Shop::default()
    };
    let (code, said, _) = mutate(&tested.text(), &["--replications", "2"]);
    assert_eq!(code, 0, "{said}");
}
