//! The repaired design beside the broken one: the same seed, the same crash, the same order.

use super::*;
use eventflow::experiment::account::TwinDesign;

fn beside(broken: &str, twin: &str) -> Account {
    let [model, repaired] = [broken, twin].map(crate::engine::model);
    account(&Question {
        model: &model,
        file: "broken.yaml",
        settings: &[],
        seed: 1,
        replication: 0,
        focus: &Focus::First,
        twin: Some(TwinDesign { model: &repaired, file: "twin.yaml" }),
        effort: Effort::default(),
        limits: Limits::default(),
        interrupt: &AtomicBool::new(false),
    })
    .unwrap()
}

#[test]
fn a_repaired_twin_survives_the_same_crash_with_the_same_work() {
    let repaired = Shop {
        placed: "- { name: here, transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
        ..look_act_remember(CRASH)
    };
    let account = beside(&look_act_remember(CRASH).text(), &repaired.text());
    let twin = account.twin.as_ref().unwrap();
    let duplicates = &twin.measures[0];
    assert_eq!(duplicates.measure, "idempotency.duplicate_effects");
    let there = duplicates.there.unwrap();
    assert_eq!((duplicates.here.count, there.count), (1, 0));
    assert!(there.exposures > 0, "it came again there too");
    assert_eq!((twin.faults[0].here, twin.faults[0].there), (1, Some(1)));
    let work = twin.same_work.as_ref().unwrap();
    assert_eq!((work.attempts, work.wrong.len()), (2, 0));
    assert!(work.did.contains(&"stock.items[1].reserved: 0 → 2".to_owned()), "{:?}", work.did);
}

/// Another way to the work is another obligation: that is said, and nothing is made up.
#[test]
fn a_twin_that_is_no_repair_says_so() {
    let same = look_act_remember(CRASH).text();
    let twin = beside(&same, &same).twin.unwrap();
    assert_eq!(twin.measures[0].here, twin.measures[0].there.unwrap());
    assert_eq!(twin.same_work.unwrap().wrong, ["idempotency.duplicate_effects"]);
}
