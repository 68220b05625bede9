//! Counterexamples: what is gathered of one, what is said about it, and that what is said was run.

mod causes;
mod gathered;
mod mutation;
mod program;
mod rendered;
mod twins;
mod without;

use crate::oracles::Shop;
use eventflow::experiment::account::focus::Focus;
use eventflow::experiment::account::{Effort, NoAccount, Question, account};
use eventflow::experiment::results::account::{Account, Instead, Part, Step};
use eventflow::world::Limits;
use std::sync::atomic::AtomicBool;

/// Asks for the account of a scenario, in its first replication.
fn ask(text: &str, focus: &Focus) -> Result<Account, NoAccount> {
    let model = crate::engine::model(text);
    account(&Question {
        model: &model,
        file: "test.yaml",
        settings: &[],
        seed: 1,
        replication: 0,
        focus,
        twin: None,
        effort: Effort::default(),
        limits: Limits::default(),
        interrupt: &AtomicBool::new(false),
    })
}

fn first(shop: &Shop) -> Account {
    ask(&shop.text(), &Focus::First).unwrap()
}

const CRASH: &str =
    "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s } }";

/// The same crash among pauses that do no harm.
const CRASH_AMONG_OTHERS: &str = "faults:
  f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s }
  idle: { pause: orders, at: [100ms, 200ms, 300ms, 400ms, 500ms], for: 1ms }";

fn look_act_remember(fault: &'static str) -> Shop {
    Shop {
        placed: "- { read: handled, key: message.id, as: seen }
        - { if: seen.exists, then: [ stop ] }
        - { name: here, update: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { insert: handled, key: message.id }",
        fault,
        ..Shop::default()
    }
}

fn mark_then_act() -> Shop {
    Shop {
        placed: "- { name: here, insert: handled, key: message.id, else: [ stop ] }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
        fault: CRASH,
        ..Shop::default()
    }
}

fn swallowed() -> Shop {
    Shop {
        placed: "- { insert: handled, key: message.item, else: [ stop ] }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
        times: "[1s, 2s]",
        ..Shop::default()
    }
}

#[test]
fn a_duplicate_is_told_from_the_intent_to_the_second_change() {
    let account = first(&look_act_remember(CRASH));
    assert_eq!(account.measure, "idempotency.duplicate_effects");
    assert_eq!(account.meant, ["stock.items[1].reserved: 0 → 2"]);
    assert_eq!(account.got[0], "stock.items[1].reserved: 0 → 2, 2 → 4 (2 times, by attempts 1, 2)");
    let end = &account.at_end[0];
    assert_eq!((end.is.as_str(), end.would_be.as_deref()), ("reserved = 4", Some("reserved = 2")));
    assert_eq!(account.told.as_ref().map(|told| told.what.as_str()), Some("ok"));
    assert_eq!(account.chain[0].who, "shopper");
    let wrong: Vec<_> = account.chain.iter().filter(|link| link.is_wrong).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!((wrong[0].step, wrong[0].attempt, wrong[0].at), (Step::Commits, Some(2), account.at));
    let lines: Vec<u32> = account.chain.iter().filter_map(|link| Some(link.line.as_ref()?.line)).collect();
    let text = look_act_remember(CRASH).text();
    let update = text.lines().position(|line| line.contains("update: items")).unwrap() as u32 + 1;
    assert_eq!(lines.iter().filter(|line| **line == update).count(), 2, "{lines:?}");
    // The fault stands between what was done before it and what was cut.
    let fault = account.chain.iter().position(|link| link.part == Part::Fault).unwrap();
    assert_eq!(account.chain[fault - 1].step, Step::Commits);
    assert_eq!(account.chain[fault + 1].step, Step::Cut);
}

#[test]
fn torn_work_names_the_debt_and_who_wrote_the_mark() {
    let account = first(&mark_then_act());
    assert_eq!(account.measure, "idempotency.torn_effects");
    assert_eq!(account.got[1], "stock.items[1].reserved: not done");
    let wrong = account.chain.iter().find(|link| link.is_wrong).unwrap();
    assert!(wrong.text.contains("left undone: update stock.items"), "{}", wrong.text);
    let again = account.chain.iter().find(|link| link.step == Step::Refrains).unwrap();
    assert!(again.text.contains("written by attempt 1"), "{}", again.text);
    assert_eq!(account.chain.last().unwrap().part, Part::End);
    // Nothing but the settled end comes after the moment it is dated at.
    assert!(account.chain.iter().all(|link| link.at <= account.at || link.step == Step::Told));
}

#[test]
fn what_no_fault_is_needed_for_says_so_and_names_the_other() {
    let account = first(&swallowed());
    assert_eq!(account.measure, "idempotency.swallowed");
    assert_eq!((account.runs, account.without.len()), (0, 0));
    assert_eq!(account.got, ["nothing was done"]);
    assert_eq!(account.meant, ["update stock.items, once"]);
    let guard = account.chain.iter().find(|link| link.step == Step::Refrains).unwrap();
    assert!(guard.is_wrong && guard.text.contains("written for Placed order 1"), "{}", guard.text);
}

#[test]
fn the_focus_names_an_obligation_or_a_measure() {
    let text = look_act_remember(CRASH).text();
    let account = ask(&text, &Focus::First).unwrap();
    let obligation = u64::from_str_radix(&account.obligation, 16).unwrap();
    let same = ask(&text, &Focus::Obligation(obligation)).unwrap();
    assert_eq!(same.focus, format!("o:{}", account.obligation));
    assert_eq!(Account { focus: account.focus.clone(), ..same }, account);
    let measure = Focus::Measure("idempotency.duplicate_effects".into());
    assert_eq!(ask(&text, &measure).unwrap(), account);
    assert_eq!(ask(&text, &Focus::Obligation(5)), Err(NoAccount::NoSuchObligation(5)));
    let quiet = Focus::Measure("idempotency.lost_effects".into());
    assert_eq!(ask(&text, &quiet), Err(NoAccount::NotBroken("idempotency.lost_effects".into())));
    let unknown = ask(&text, &Focus::Measure("nonsense".into()));
    assert!(matches!(unknown, Err(NoAccount::NoSuchMeasure(..))), "{unknown:?}");
    let quiet = Shop { fault: "", ..look_act_remember("") };
    assert_eq!(ask(&quiet.text(), &Focus::First), Err(NoAccount::NothingWrong));
}

#[test]
fn an_invariant_is_shown_by_the_work_that_broke_it() {
    let shop = Shop {
        fault: "invariants:
  few: { always: \"sum(stock.items.reserved) <= 2\" }",
        times: "[1s, 2s]",
        ..Shop::default()
    };
    let account = first(&shop);
    assert_eq!(account.measure, "invariants.few");
    assert_eq!(account.subject, "Placed order 2");
    let wrong = account.chain.iter().find(|link| link.is_wrong).unwrap();
    assert!(wrong.text.contains("2 → 4"), "{}", wrong.text);
    assert_eq!(account.ledger.iter().map(|entry| entry.is_own).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_message_lost_before_anyone_began_is_shown_too() {
    let shop = Shop {
        place: "- { insert: orders, key: message.order, set: { qty: message.qty }, else: [ stop ] }
        - { publish: Placed, with: message, confirm: false }",
        more: ", links: { l: { between: [orders, broker], transport: datagram } }",
        fault: "faults: { cut: { degrade: [ orders, broker ], loss: 100%, at: 500ms, for: 5s } }",
        ..Shop::default()
    };
    let account = first(&shop);
    assert_eq!(account.measure, "idempotency.lost_effects");
    assert_eq!(account.subject, "Placed order 1");
    assert_eq!(account.without.len(), 1, "{:?}", account.without);
    assert_eq!(account.without[0].outcome, Instead::Passes);
    assert_eq!(account.chain[0].part, Part::Fault, "a fault that began before all else comes first");
}

/// What was only written into an outbox row that was never committed was not done.
#[test]
fn what_is_rolled_back_was_not_done() {
    let shop = Shop {
        place: "- { insert: orders, key: message.order, set: { qty: message.qty } }
        - transaction: [ { publish: Placed, via: outbox, with: message }, { name: here, wait: 1ms } ]",
        fault: "faults: { f: { crash: orders, at_step: orders.Place.here, edge: after, nth: 1, for: 1s } }",
        ..Shop::default()
    };
    let account = first(&shop);
    assert_eq!(account.measure, "idempotency.torn_effects");
    assert_eq!(account.got, ["orders.orders[1]: absent → qty = 2", "Placed order 1 on placed: not done"]);
}

/// A value written over another's: the read, the change that came between, and the write that lost it.
#[test]
fn a_lost_update_shows_who_came_between() {
    let shop = Shop {
        placed: "- { read: items, key: message.item, as: item }
        - { name: here, wait: 10ms }
        - { update: items, key: message.item, set: { reserved: item.reserved + message.qty } }
        - { insert: handled, key: message.id }",
        fault: "",
        times: "[1s, 1s]",
        ..Shop::default()
    };
    let account = ask(&shop.text(), &Focus::Measure("isolation.lost_updates".into())).unwrap();
    let steps: Vec<(Part, Step)> = account
        .chain
        .iter()
        .filter(|link| matches!(link.step, Step::Reads | Step::Commits) && link.part != Part::Before)
        .map(|link| (link.part, link.step))
        .collect();
    let expected = [
        (Part::Own, Step::Reads),
        (Part::Other, Step::Reads),
        (Part::Other, Step::Commits),
        (Part::Own, Step::Commits),
    ];
    assert_eq!(steps, expected, "the two attempts, interleaved");
    let wrong = account.chain.iter().find(|link| link.is_wrong).unwrap();
    assert!(wrong.text.contains("stock.items[1]"), "{}", wrong.text);
}
