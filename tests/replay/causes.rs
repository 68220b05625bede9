//! Promises about rows and sums: they name nobody, and the account must not blame who merely came last.

use super::*;

/// Two orders of one item; the first is reserved twice, the second comes long after.
pub fn reserved_twice() -> Shop {
    Shop {
        times: "[1s, 30s]",
        fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: after, nth: 1, for: 1s } }
guarantees:
  idempotency: { duplicate_effects: 0 }
  convergence:
    shown: { view: stock.items, of: orders.orders, by: \"1\", columns: { reserved: sum(row.qty) }, within: 5m }
invariants:
  adds_up: { at_end: sum(stock.items.reserved) == sum(orders.orders.qty) }",
        ..look_act_remember("")
    }
}

#[test]
fn a_sum_at_the_end_is_broken_by_the_duplicate_and_not_by_the_last_to_change_it() {
    let text = reserved_twice().text();
    let account = ask(&text, &Focus::Measure("invariants.adds_up".into())).unwrap();
    assert_eq!(account.subject, "Placed order 1");
    let because = account.because.as_ref().unwrap();
    assert_eq!((because.measure.as_str(), because.count), ("idempotency.duplicate_effects", 1));
    assert!(account.whose.is_none());
    let sides: Vec<(&str, &str)> =
        account.sides.iter().map(|side| (side.of.as_str(), side.is.as_str())).collect();
    assert_eq!(sides, [("sum(stock.items.reserved)", "6"), ("sum(orders.orders.qty)", "4")]);
    assert_eq!(account.without[0].outcome, Instead::Passes, "{:?}", account.without);
    let ends: Vec<Step> =
        account.chain.iter().filter(|link| link.part == Part::End).map(|link| link.step).collect();
    assert_eq!(ends, [Step::Verdict, Step::Broken]);
}

#[test]
fn a_view_that_shows_too_much_is_held_against_its_source_and_blames_the_duplicate() {
    let account = ask(&reserved_twice().text(), &Focus::Measure("convergence.shown".into())).unwrap();
    assert_eq!(account.subject, "Placed order 1");
    let side = &account.sides[0];
    assert_eq!(side.of, "stock.items[1]");
    assert_eq!((side.is.as_str(), side.should_be.as_deref()), ("reserved = 6", Some("reserved = 4")));
    assert_eq!(account.because.unwrap().measure, "idempotency.duplicate_effects");
}

/// What comes of the change never came: the message is lost on the way, and that is told.
#[test]
fn a_change_that_is_never_shown_leads_to_the_message_that_was_lost() {
    let shop = Shop {
        place: "- { insert: orders, key: message.order, set: { qty: message.qty }, else: [ stop ] }
        - { publish: Placed, with: message, confirm: false }",
        times: "[1s, 30s]",
        more: ", links: { l: { between: [orders, broker], transport: datagram } }",
        fault: "faults: { cut: { degrade: [ orders, broker ], loss: 100%, at: 500ms, for: 5s } }
guarantees:
  convergence:
    shown: { view: stock.items, of: orders.orders, by: \"1\", columns: { reserved: sum(row.qty) }, within: 5s }",
        ..Shop::default()
    };
    let account = ask(&shop.text(), &Focus::Measure("convergence.shown".into())).unwrap();
    assert_eq!(account.because.as_ref().unwrap().measure, "idempotency.lost_effects");
    assert_eq!(account.subject, "Placed order 1");
    assert_eq!(account.without[0].outcome, Instead::Passes, "{:?}", account.without);
}

#[test]
fn where_nothing_went_wrong_before_it_is_said_why_this_work_is_shown() {
    let shop = Shop {
        fault: "invariants: { few: { at_end: sum(stock.items.reserved) <= 2 } }",
        times: "[1s, 2s]",
        ..Shop::default()
    };
    let account = first(&shop);
    assert!(account.because.is_none());
    assert_eq!(account.subject, "Placed order 2", "the last to change it");
    assert!(account.whose.unwrap().contains("last changed it"));
}

/// An illegal transition names a row and no obligation: whose commit it was is found.
#[test]
fn an_illegal_transition_is_shown_by_the_commit_that_made_it() {
    let shop = Shop {
        placed: "- { update: items, key: message.item, set: { status: paid } }
        - { update: items, key: message.item, set: { status: free } }",
        ..Shop::default()
    };
    let text = shop.text().replace("status: [free, paid]", "status: { lifecycle: [ free -> paid ] }");
    let account = ask(&text, &Focus::Measure("ordering.illegal_transitions".into())).unwrap();
    let wrong = account.chain.iter().find(|link| link.is_wrong).unwrap();
    assert!(wrong.text.contains("paid → free"), "{}", wrong.text);
    assert!(account.whose.is_none());
}

/// The later message changes another row than the earlier one: it is told all the same, with its line.
#[test]
fn who_came_first_and_should_have_come_after_is_shown() {
    let price = include_str!("../oracles/ordering/price.yaml").replace("rows: [ { sku: 7, price: 5 } ] ", "");
    for (measure, update) in [
        (
            "ordering.applied_out_of_order",
            "insert: prices, key: message.version, set: { price: message.price }",
        ),
        ("ordering.regressed", "upsert: prices, key: message.sku, set: { price: message.price }"),
    ] {
        let steps =
            "update: prices, key: message.sku, set: { price: message.price, version: message.version }";
        assert!(price.contains(steps));
        let promise =
            format!("guarantees: {{ ordering: {{ {}: 0 }} }}", measure.trim_start_matches("ordering."));
        let text = format!("{}{promise}\n", price.replace(steps, update));
        let account = ask(&text, &Focus::Measure(measure.into())).unwrap();
        let wrong = account.chain.iter().position(|link| link.is_wrong).expect("it went wrong somewhere");
        let first = account.chain.iter().position(|link| {
            link.part == Part::Overtaker && link.step == Step::Commits && link.text.contains("20")
        });
        let first = first.unwrap_or_else(|| panic!("{measure}: {:#?}", account.chain));
        assert!(first < wrong, "{measure}");
        let line = |at: usize| account.chain[at].line.as_ref().map(|line| line.line);
        assert!(
            line(first).is_some() && line(first) == line(wrong),
            "{measure}: both are written by one step"
        );
    }
}

const READ_TOO_SOON: &str = "
scenario: read-too-soon
seed: 1
run: { horizon: 5s, drain: 1m }
messages:
  Rename:  { kind: command, key: user, fields: { user: int, name: int } }
  Show:    { kind: query, key: user, fields: { user: int }, reply: { name: int } }
  Renamed: { kind: integration, key: user, fields: { user: int, name: int } }
brokers: { broker: { preset: kafka } }
topics: { users: { messages: [ Renamed ] } }
services:
  accounts:
    store: { tables: { users: { key: user, columns: { name: int }, rows: [ { user: 1 } ] } } }
    outbox: { every: 500ms }
    handlers:
      Rename:
        - transaction:
            - { update: users, key: message.user, set: { name: message.name } }
            - { publish: Renamed, via: outbox, with: message }
  profiles:
    store: { tables: { users: { key: user, columns: { name: int }, rows: [ { user: 1 } ] } } }
    consumes: { users: { ack: after } }
    handlers:
      Renamed: [ { update: users, key: message.user, set: { name: message.name } } ]
      Show: [ { read: users, key: message.user, as: user }, { reply: { name: user.name } } ]
clients:
  user:
    arrivals: { times: [1s] }
    do:
      - { call: accounts.Rename, with: { user: 1, name: 7 } }
      - { call: profiles.Show, with: { user: 1 } }
guarantees: { sessions: { user: [ read_your_writes ] } }
";

#[test]
fn a_read_too_soon_shows_the_write_that_it_missed_and_when_that_came() {
    let account = ask(READ_TOO_SOON, &Focus::First).unwrap();
    assert_eq!(account.measure, "sessions.user.read_your_writes");
    assert!(account.meant[0].contains("accounts.users[1].name: 0 → 7"), "{:?}", account.meant);
    assert!(account.got[0].contains("profiles.users[1]") && account.got[0].contains("name = 0"));
    let wrong = account.chain.iter().position(|link| link.is_wrong).unwrap();
    assert_eq!(account.chain[wrong].step, Step::Reads);
    let written: Vec<usize> = account
        .chain
        .iter()
        .enumerate()
        .filter(|(_, link)| link.part == Part::Missed && link.step == Step::Commits)
        .map(|(index, _)| index)
        .collect();
    assert!(written.len() == 2 && written[0] < wrong && wrong < written[1], "{written:?} around {wrong}");
}
