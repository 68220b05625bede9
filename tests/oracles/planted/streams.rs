//! What is appended to a stream twice, or on a state that is not there any more.

use super::*;

const LOG: &str = "      streams: { log: { key: item, state: { sum: int }, apply: { Placed: { sum: state.sum + message.qty } } } }
      tables:
        items:";

fn judged(placed: &'static str, fault: &'static str) -> Judged {
    let shop = Shop { placed, fault, ..Shop::default() };
    crate::oracles::judge(&shop.text().replacen("      tables:\n        items:", LOG, 1))
}

#[test]
fn an_append_that_is_done_again_is_a_duplicate_unless_it_is_marked_with_it() {
    let twice = judged(
        "- { name: here, append: Placed, to: log, key: message.item, with: message }",
        CRASH_UNANSWERED,
    );
    assert_eq!(twice.counts(), [("duplicate_effects", 1)]);
    let once = judged(
        "- { name: here, transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { append: Placed, to: log, key: message.item, with: message } ] }",
        CRASH_UNANSWERED,
    );
    assert_eq!(once.counts(), []);
    assert!(once.of(DuplicateEffects).exposures > 0);
}

#[test]
fn an_expected_version_refuses_what_was_appended_before() {
    let once = judged(
        "- { name: here, append: Placed, to: log, key: message.item, with: message, expect: message.order - 1, catch: { conflict: [ stop ] } }",
        CRASH_UNANSWERED,
    );
    assert_eq!(once.counts(), []);
    assert!(once.of(DuplicateEffects).exposures > 0);
}

#[test]
fn an_append_that_a_crash_cuts_off_is_owed() {
    let torn = judged(
        "- { insert: handled, key: message.id, else: [ stop ] }
        - { name: here, work: 1ms }
        - { append: Placed, to: log, key: message.item, with: message }",
        CRASH,
    );
    assert_eq!(torn.counts(), [("torn_effects", 1)]);
}
