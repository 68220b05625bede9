//! Schemas of messages: who handles which, and what a handler finds in an older one.

use super::{Run, run};
use eventflow::scenario::open::read_text;

/// Placed comes in two schemas, one after the other; `ledger` handles what `handlers` says.
fn text(handlers: &str, consumes: &str) -> String {
    format!(
        "scenario: schemas
run: {{ horizon: 30s, drain: 1m }}
messages:
  Placed:   {{ kind: integration, key: order, fields: {{ order: int, cents: int }} }}
  Placed@2: {{ fields: {{ currency: [eur, usd], parts: {{ list: int }} }}, upcast: {{ currency: usd, parts: '[message.cents, 7]' }} }}
  Placed@3: {{ fields: {{ tax: int }} }}
brokers: {{ b: {{ preset: rabbitmq-classic }} }}
topics: {{ placed: {{ messages: [ Placed ] }} }}
services:
  ledger:
    store:
      tables: {{ seen: {{ key: [order, schema], columns: {{ order: int, schema: int, cents: int, words: int, currency: [eur, usd] }} }} }}
    consumes: {{ placed: {{ ack: after, exhaust: {{ after: 2, then: drop }}{consumes} }} }}
    handlers:
{handlers}
clients:
  old:   {{ arrivals: {{ times: [ 1s ] }}, do: [ {{ publish: Placed, with: {{ order: 1, cents: 10 }} }} ] }}
  new:   {{ arrivals: {{ times: [ 2s ] }}, do: [ {{ publish: Placed@2, with: {{ order: 2, cents: 20, currency: eur, parts: '[1]' }} }} ] }}
  newer: {{ arrivals: {{ times: [ 3s ] }}, do: [ {{ publish: Placed@3, with: {{ order: 3, cents: 30, currency: eur, parts: '[1]', tax: 3 }} }} ] }}
network: {{ default: {{ latency: 1ms }} }}
"
    )
}

const FIRST: &str = "      Placed: [ { insert: seen, key: [message.order, message.schema], set: { cents: message.cents } } ]\n";
const SECOND: &str = "      Placed@2: [ { insert: seen, key: [message.order, message.schema], set: { cents: message.cents, words: size(message.parts), currency: message.currency } } ]\n";
const THIRD: &str = "      Placed@3: [ { insert: seen, key: [message.order, message.schema], set: { cents: message.tax } } ]\n";

fn seen(run: &Run) -> Vec<Vec<i64>> {
    run.rows("ledger.seen").into_iter().map(|row| row[..4].to_vec()).collect()
}

#[test]
fn each_schema_goes_to_its_own_handler() {
    let run = run(&text(&format!("{FIRST}{SECOND}{THIRD}"), ""));
    assert_eq!(seen(&run), [[1, 1, 10, 0], [2, 2, 20, 1], [3, 3, 3, 0]]);
}

#[test]
fn an_older_message_is_filled_for_the_handler_of_a_later_schema() {
    let run = run(&text(SECOND, ", unknown_version: skip"));
    assert_eq!(seen(&run), [[1, 1, 10, 2], [2, 2, 20, 1]], "filled in, and still of the first schema");
    let words = |row: usize| run.rows("ledger.seen")[row][4];
    assert_ne!(words(0), words(1), "usd for the old one, eur for the new one");
}

#[test]
fn a_schema_that_nobody_knows_is_poison_skipped_or_tolerated() {
    let poison = run(&text(FIRST, ""));
    assert_eq!(seen(&poison), [[1, 1, 10, 0]]);
    let failed = poison
        .ended("ledger")
        .into_iter()
        .filter(|(_, (_, outcome))| *outcome != eventflow::world::record::Outcome::Well);
    assert_eq!(failed.count(), 2 * 2, "each of the two is tried twice");
    let skipped = run(&text(FIRST, ", unknown_version: skip"));
    assert_eq!((seen(&skipped).len(), skipped.ended("ledger").len()), (1, 1));
    let tolerated = run(&text(FIRST, ", unknown_version: tolerate"));
    assert_eq!(seen(&tolerated), [[1, 1, 10, 0], [2, 2, 20, 0], [3, 3, 30, 0]]);
    // Nobody says how the second schema becomes the third.
    let third = run(&text(THIRD, ", unknown_version: tolerate"));
    assert_eq!(seen(&third), [[1, 1, 0, 0], [2, 2, 0, 0], [3, 3, 3, 0]]);
}

#[test]
fn a_later_schema_only_adds() {
    let told = |from: &str, to: &str| -> Vec<&'static str> {
        let text = text(FIRST, "").replacen(from, to, 1);
        let (_, diagnostics, _) = read_text("test.yaml", &text, &[]);
        diagnostics.list.iter().map(|mistake| mistake.code).collect()
    };
    assert_eq!(told("old:", "old:"), Vec::<&str>::new());
    assert_eq!(told("Placed@2: {", "Placed@4: {").first(), Some(&"unknown-message"));
    assert!(told("fields: { tax: int }", "fields: { tax: int, cents: bool }").contains(&"wrong-type"));
    assert!(told("parts: '[message.cents, 7]' }", "}").contains(&"missing-field"));
    assert!(
        told("{ fields: { tax: int } }", "{ key: cents, fields: { tax: int } }").contains(&"contradiction")
    );
    assert!(told("cents: int } }\n", "cents: int }, upcast: { cents: 1 } }\n").contains(&"misplaced-option"));
}
