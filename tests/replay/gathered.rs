//! The accounts of a run, and the page that shows them.

use super::causes::reserved_twice;
use super::*;
use eventflow::experiment::account::TwinDesign;
use eventflow::experiment::account::gathered::{Wish, gather};
use eventflow::experiment::results::RunResults;
use eventflow::experiment::run::{RunOptions, run};
use eventflow::report::page;
use roxmltree::Document;

/// A run with the accounts of at most so many promises.
fn told(shop: &Shop, most: usize) -> RunResults {
    let model = crate::engine::model(&shop.text());
    let repaired = Shop {
        placed: "- { name: here, transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
        fault: shop.fault,
        times: shop.times,
        ..Shop::default()
    };
    let twin = crate::engine::model(&repaired.text());
    let options = RunOptions { replications: Some(2), ..RunOptions::default() };
    let interrupt = AtomicBool::new(false);
    let mut results = run(&model, "shop.yaml", &options, &(), &interrupt).unwrap();
    let limits = Limits::default();
    let twin = Some(TwinDesign { model: &twin, file: "twin.yaml" });
    let wish = Wish { model: &model, twin, most, threads: Some(2), limits, interrupt: &interrupt };
    results.accounts = gather(&wish, &results);
    results
}

#[test]
fn each_broken_promise_has_its_account_and_those_that_go_back_to_the_same_share_it() {
    let results = told(&reserved_twice(), 6);
    let told: Vec<(&str, Option<&str>)> =
        results.accounts.told.iter().map(|of| (of.measure.as_str(), of.same_as.as_deref())).collect();
    let duplicates = "idempotency.duplicate_effects";
    assert_eq!(
        told,
        [
            (duplicates, None),
            ("convergence.shown", Some(duplicates)),
            ("invariants.adds_up", Some(duplicates))
        ]
    );
    assert_eq!(results.accounts.untold, []);
    let alone = ask(&reserved_twice().text(), &Focus::Measure(duplicates.to_owned())).unwrap();
    let gathered = &results.accounts.told[0];
    let twin = gathered.twin.as_ref().unwrap();
    let there = twin.measures[0].there.unwrap();
    assert!(there.count == 0 && there.exposures > 0, "{twin:?}");
    assert_eq!((&gathered.chain, &gathered.digest), (&alone.chain, &alone.digest));
}

#[test]
fn what_there_is_no_room_for_is_named_with_the_reason() {
    let accounts = told(&reserved_twice(), 1).accounts;
    let untold: Vec<&str> = accounts.untold.iter().map(|of| of.measure.as_str()).collect();
    assert_eq!((accounts.told.len(), untold), (1, vec!["convergence.shown", "invariants.adds_up"]));
    assert!(accounts.untold.iter().all(|of| of.why == "no more were asked for"));
    let nothing_broken = Shop::default();
    assert_eq!(told(&nothing_broken, 6).accounts, Default::default());
}

#[test]
fn the_page_tells_them_in_words_drawn_and_as_a_table() {
    let page = page::render(&told(&reserved_twice(), 6));
    let section = &page[page.find("id=\"accounts\"").unwrap()..];
    for said in [
        "Meant",
        "stock.items[1].reserved: 0 → 2, 2 → 4 (2 times, by attempts 1, 2)",
        "without that it is reserved = 4",
        "here it goes wrong",
        "f (crash stock) at 1.006300s",
        "all is well",
        "The same as a table",
        "sequenceDiagram",
        "eventflow replay shop.yaml --seed 1 --replication 0 --focus idempotency.duplicate_effects",
        "sum(stock.items.reserved): 6",
        "href=\"#account-0\"",
        "The other design",
        "--twin twin.yaml",
    ] {
        assert!(section.contains(said), "{said}");
    }
    assert!(!page.contains("First broken: "), "told in full, it is not told twice");
    let drawings: Vec<&str> = section.split("<svg").skip(1).take(2).collect();
    for drawing in drawings {
        let svg = format!("<svg{}</svg>", drawing.split("</svg>").next().unwrap());
        assert!(Document::parse(&svg).is_ok(), "{svg}");
    }
}

#[test]
fn hostile_accounts_stay_text_on_the_page() {
    let mut results = told(&reserved_twice(), 6);
    let evil = "</code></style><script>alert(1)</script>\u{202e}\"' onload=x";
    for account in &mut results.accounts.told {
        for text in [&mut account.what, &mut account.subject, &mut account.file, &mut account.measure] {
            text.push_str(evil);
        }
        account.got.push(evil.to_owned());
        account.whose = Some(evil.to_owned());
        account.chain.iter_mut().for_each(|link| link.text.push_str(evil));
        account.without.iter_mut().for_each(|of| of.left_out.push_str(evil));
        account.ledger.iter_mut().for_each(|entry| entry.by.push_str(evil));
    }
    let page = page::render(&results);
    assert!(!page.contains("<script>") && !page.contains('\u{202e}'));
    assert_eq!(page.matches("</style>").count(), 1);
}
