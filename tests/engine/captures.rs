//! Change logs: every committed change of a table, in the order of the commits, and again after a crash of whoever
//! carries it.

use super::{S, run};
use eventflow::world::record::Record;

/// `s.Go` writes the table `stock`, whose change log `view` follows.
fn text(steps: &str, times: &str, more: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 2m, drain: 10m }}
messages:
  Go: {{ kind: command, fields: {{ n: int }} }}
  Changed: {{ kind: integration, key: sku, fields: {{ sku: int, left: int, deleted: bool }} }}
brokers: {{ b: {{ preset: kafka }} }}
topics: {{ changes: {{ messages: [Changed], capture: s.stock }} }}
services:
  s:
    workers: 4
    store: {{ tables: {{ stock: {{ key: sku, columns: {{ sku: int, left: int, note: int }} }} }} }}
    handlers:
      Go:
{steps}
  view:
    store: {{ tables: {{ seen: {{ key: id, columns: {{ id: int, sku: int, left: int, deleted: bool, message: id, times: int }} }}, known: {{ key: id, columns: {{ id: id, times: int }} }} }} }}
    consumes: {{ changes: {{}} }}
    handlers:
      Changed:
        - let: {{ n: {{ counter: 1 }} }}
        - {{ upsert: known, key: message.id, set: {{ times: row.times + 1 }} }}
        - {{ insert: seen, key: n, set: {{ sku: message.sku, left: message.left, deleted: message.deleted }} }}
clients:
  c:
    arrivals: {{ times: {times} }}
    calls: {{ s: {{ timeout: 1m }} }}
    do:
      - let: {{ n: {{ counter: 1 }} }}
      - {{ call: s.Go, with: {{ n: n }}, catch: {{ any: [] }} }}
network: {{ default: {{ latency: 1ms }} }}
{more}
"
    )
}

/// Sku, what is left, whether it is gone.
fn seen(run: &super::Run) -> Vec<(i64, i64, i64)> {
    run.rows("view.seen").iter().map(|row| (row[1], row[2], row[3])).collect()
}

#[test]
fn every_change_that_was_committed_is_told_in_order_and_nothing_else() {
    let steps = "        - { insert: stock, key: 7, set: { left: 5 } }
        - { update: stock, key: 7, set: { left: row.left - 1 } }
        - { update: stock, key: 7, set: { left: row.left } }
        - { update: stock, key: 8, set: { left: 1 } }
        - transaction:
            - { update: stock, key: 7, set: { left: row.left - 1 } }
            - { insert: stock, key: 9, set: { left: 3 } }
        - { delete: stock, key: 7 }
        - transaction: [ { insert: stock, key: 1, set: { left: 9 } }, { fail: no } ]";
    let run = run(&text(steps, "[1s]", ""));
    assert_eq!(seen(&run), [(7, 5, 0), (7, 4, 0), (7, 3, 0), (9, 3, 0), (7, 3, 1)]);
    assert!(run.rows("view.known").iter().all(|row| row[1] == 1), "each has an id of its own");
    assert!(run.is_quiet());
}

/// Its position is saved every five seconds: what came since is told again, under the same id.
#[test]
fn after_a_crash_what_was_told_since_the_last_saved_position_is_told_again() {
    let steps = "        - { upsert: stock, key: message.n, set: { left: 1 } }";
    let times = "[1s, 2s, 6s, 7s]";
    let well = run(&text(steps, times, ""));
    assert_eq!(seen(&well).len(), 4);
    let crashed = run(&text(steps, times, "faults: { f: { crash: s, at: 8s, for: 1s } }"));
    let again: Vec<i64> = crashed.rows("view.known").iter().map(|row| row[1]).collect();
    assert_eq!(again, [1, 1, 2, 2], "the position of 5 s is behind the first two");
    let taken = crashed.count(|record| matches!(record, Record::Accepted { .. }));
    assert_eq!(taken, 6);
    assert!(crashed.end() > 8 * S && crashed.is_quiet());
}
