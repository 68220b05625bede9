//! Counterexamples: what is gathered of one, what is said about it, and that what is said was run.

use crate::oracles::Shop;
use eventflow::experiment::account::focus::Focus;
use eventflow::experiment::account::{NoAccount, Question, account};
use eventflow::experiment::results::account::{Account, Instead, Part};
use eventflow::report::account::{mermaid, text};
use eventflow::world::Limits;
use std::sync::atomic::AtomicBool;

/// Asks for the account of a scenario, in its first replication.
fn ask(text: &str, focus: &Focus) -> Result<Account, NoAccount> {
    let model = crate::engine::model(text);
    account(&Question {
        model: &model,
        file: "shop.yaml",
        files: &["shop.yaml".to_owned()],
        settings: &[],
        seed: 1,
        replication: 0,
        focus,
        limits: Limits::default(),
        interrupt: &AtomicBool::new(false),
    })
}

fn first(shop: &Shop) -> Account {
    ask(&shop.text(), &Focus::First).unwrap()
}

const CRASH: &str =
    "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s } }";

fn look_act_remember() -> Shop {
    Shop {
        placed: "- { read: handled, key: message.id, as: seen }
        - { if: seen.exists, then: [ stop ] }
        - { name: here, update: items, key: message.item, set: { reserved: row.reserved + message.qty } }
        - { insert: handled, key: message.id }",
        fault: CRASH,
        ..Shop::default()
    }
}

fn torn() -> Shop {
    Shop {
        placed: "- { name: here, insert: handled, key: message.id, else: [ stop ] }
        - { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
        fault: CRASH,
        ..Shop::default()
    }
}

#[test]
fn show() {
    for shop in [look_act_remember(), torn()] {
        let account = first(&shop);
        println!("{}\n{}", text::render(&account), mermaid::render(&account));
    }
    let _ = (Instead::Passes, Part::Own);
}
