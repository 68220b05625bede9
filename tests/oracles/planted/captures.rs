//! Planted bugs of change logs: a connector that goes back to its last saved position tells again what it has told.

use crate::oracles::judge_seeds;
use eventflow::kernel::anomaly::Anomaly::*;

fn text(handler: &str, fault: &str) -> String {
    format!(
        "scenario: planted
run: {{ horizon: 1m, drain: 10m }}
messages:
  Go: {{ kind: command, fields: {{ n: int }} }}
  Changed: {{ kind: integration, key: sku, fields: {{ sku: int, left: int }} }}
brokers: {{ b: {{ preset: kafka }} }}
topics: {{ changes: {{ messages: [Changed], capture: s.stock }} }}
services:
  s:
    store: {{ tables: {{ stock: {{ key: sku, columns: {{ sku: int, left: int }} }} }} }}
    handlers: {{ Go: [ {{ upsert: stock, key: message.n, set: {{ left: 1 }} }} ] }}
  view:
    store: {{ tables: {{ seen: {{ key: sku, columns: {{ sku: int, left: int, times: int }} }}, known: {{ key: id, columns: {{ id: id }}, bookkeeping: true }} }} }}
    consumes: {{ changes: {{}} }}
    handlers: {{ Changed: [ {handler} ] }}
clients:
  c: {{ arrivals: {{ times: [1s, 2s] }}, do: [ {{ let: {{ n: {{ counter: 1 }} }} }}, {{ call: s.Go, with: {{ n: n }} }} ] }}
network: {{ default: {{ latency: 1ms }} }}
{fault}
"
    )
}

const CRASH: &str = "faults: { f: { crash: s, at: 4s, for: 1s } }";

#[test]
fn what_is_told_again_is_done_again() {
    let adds = "{ upsert: seen, key: message.sku, set: { times: row.times + 1 } }";
    let judged = judge_seeds(&text(adds, CRASH));
    assert_eq!(judged.counts(), [("duplicate_effects", 2), ("duplicate_messages", 2)]);
    // A row that is as it is told is the same row twice; and the id of a change is the same.
    for repaired in [
        "{ upsert: seen, key: message.sku, set: { left: message.left } }",
        "{ transaction: [ { insert: known, key: message.id, else: [ stop ] }, { upsert: seen, key: message.sku, set: { times: row.times + 1 } } ] }",
    ] {
        let judged = judge_seeds(&text(repaired, CRASH));
        assert_eq!(judged.counts(), [("duplicate_messages", 2)]);
        assert!(judged.of(DuplicateEffects).exposures > 0, "{:?}", judged.sum);
    }
    let judged = judge_seeds(&text(adds, ""));
    assert_eq!(judged.counts(), []);
    assert!(judged.sum.done >= 4, "{:?}", judged.sum);
}
