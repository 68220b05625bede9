//! The planted bugs of sagas: what is left of them when they end, and who saw what was undone.

use crate::oracles::exposures::as_written;
use eventflow::experiment::replication;
use eventflow::kernel::stream::StreamPlan;
use eventflow::observe::findings::Finding;
use eventflow::observe::oracles::Oracles;
use eventflow::world::Limits;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What is found of each bound on sagas, by the last word of its name.
fn judge(text: &str) -> Vec<(String, Finding)> {
    let model = crate::engine::model(text);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let agenda = replication::agenda(&model, &plan, 1, 0);
    let mut oracles = Oracles::new(&model);
    replication::replicate(&model, agenda, &mut oracles, Limits::default(), &AtomicBool::new(false))
        .expect("it ends");
    let (findings, _) = oracles.finish();
    let names = model.promises.headings().map(|heading| heading.verdict.clone());
    let of_sagas = names.zip(findings.promises).filter(|(name, _)| name.starts_with("sagas."));
    let found: Vec<(String, Finding)> =
        of_sagas.map(|(name, finding)| (name.rsplit('.').next().unwrap().to_owned(), finding)).collect();
    as_written(found.iter().map(|(name, finding)| (name.as_str(), finding)), "");
    found
}

/// The counts that are not zero.
fn counts(found: &[(String, Finding)]) -> Vec<(&str, u64)> {
    found.iter().filter(|(_, of)| of.count > 0).map(|(name, of)| (name.as_str(), of.count)).collect()
}

fn exposures(found: &[(String, Finding)], name: &str) -> u64 {
    found.iter().find(|(of, _)| of == name).expect("it is bounded").1.exposures
}

const BOUNDS: &str = "stuck: 0, inconsistent: 0, leaked: 0, over_undone: 0, dirty_reads: 0";

/// An order is placed; stock reserves and payment, which has no money, refuses; stock releases.
fn shop(reserve: &str, release: &str, more: &str) -> String {
    format!(
        "scenario: test
run: {{ horizon: 30s, drain: 1m }}
messages:
  Place: {{ kind: command, key: order, fields: {{ order: int }} }}
  Placed: {{ kind: integration, key: order, fields: {{ order: int }} }}
  Failed: {{ kind: integration, key: order, fields: {{ order: int }} }}
  Look: {{ kind: command, fields: {{ order: int }} }}
brokers: {{ b: {{ preset: sqs-standard }} }}
topics: {{ placed: {{ messages: [Placed] }}, failed: {{ messages: [Failed] }} }}
services:
  orders:
    workers: 4
    handlers: {{ Place: [ {{ publish: Placed, with: message }} ] }}
  stock:
    instances: 2
    workers: 4
    store:
      tables:
        items: {{ key: item, columns: {{ reserved: int }}, rows: [ {{ item: 1 }} ] }}
        held: {{ key: order, columns: {{ status: [pending, sure] }} }}
        released: {{ key: order, bookkeeping: true }}
        confirmed: {{ key: order }}
    consumes: {{ placed: {{}}, failed: {{}} }}
    handlers:
      Placed:
{reserve}
      Failed:
{release}
      Look:
        - {{ read: held, key: message.order, as: seen }}
        - {{ if: LOCK, then: [ {{ fail: pending }} ] }}
        - {{ insert: confirmed, key: message.order }}
  payment:
    workers: 4
    store: {{ tables: {{ paid: {{ key: order }}, refused: {{ key: order, bookkeeping: true }} }} }}
    consumes: {{ placed: {{}} }}
    handlers:
      Placed:
        - {{ wait: 20ms }}
        - {{ if: message.order > 100, then: [ {{ name: pay, insert: paid, key: message.order }}, stop ] }}
        - {{ name: note, insert: refused, key: message.order, else: [ stop ] }}
        - {{ publish: Failed, with: message }}
clients:
  c: {{ arrivals: {{ times: [1s] }}, do: [ {{ call: orders.Place, with: {{ order: 1 }} }} ] }}
  d: {{ arrivals: {{ times: [29s] }}, do: [ {{ call: stock.Look, with: {{ order: 1 }} }} ] }}
network: {{ default: {{ latency: 1ms }} }}
guarantees: {{ sagas: {{ order: {{ start: Placed, key: message.order, steps: [reserve, pay], {BOUNDS} }} }} }}
{more}"
    )
    .replace("LOCK", "seen.exists == false")
}

const HOLD: &str = "        - { name: reserve, insert: held, key: message.order }";
const LET_GO: &str = "        - { delete: held, key: message.order, undoes: reserve }";

#[test]
fn an_undo_that_overtakes_what_it_undoes_leaves_it_behind() {
    let slow = format!("        - {{ wait: 200ms }}\n{HOLD}");
    let found = judge(&shop(&slow, LET_GO, ""));
    assert_eq!(counts(&found), [("inconsistent", 1), ("leaked", 1)], "{found:?}");
    let first = found[2].1.first.as_ref().expect("it was seen");
    assert!(first.what.contains("saga order[1]: undone, and something of it is there"), "{first:?}");

    // A tombstone: what was released is not reserved any more.
    let reserve = "        - { wait: 200ms }
        - transaction: [ { read: released, key: message.order, as: gone }, { if: gone.exists, then: [ stop ] },
            { name: reserve, insert: held, key: message.order } ]";
    let release = "        - transaction: [ { insert: released, key: message.order, else: [ stop ] },
            { delete: held, key: message.order, undoes: reserve } ]";
    let found = judge(&shop(reserve, release, ""));
    assert_eq!(counts(&found), [], "{found:?}");
    assert!(exposures(&found, "leaked") > 0 && exposures(&found, "stuck") == 1, "{found:?}");
}

/// The instance crashes when it has released, and does so again.
const CRASH: &str =
    "faults: { f: { crash: stock, at_step: stock.Failed.back, edge: after, nth: 1, for: 1s } }";

#[test]
fn an_undo_done_twice_takes_back_more_than_was_done() {
    let reserve = "        - { name: reserve, update: items, key: 1, set: { reserved: row.reserved + 1 } }";
    let release = "        - { name: back, update: items, key: 1, set: { reserved: row.reserved - 1 }, undoes: reserve }";
    let found = judge(&shop(reserve, release, CRASH));
    assert_eq!(counts(&found), [("inconsistent", 1), ("over_undone", 1)], "{found:?}");

    let reserve = "        - transaction: [ { insert: held, key: message.order, else: [ stop ] },
            { name: reserve, update: items, key: 1, set: { reserved: row.reserved + 1 } } ]";
    let release = "        - { name: back, transaction: [ { update: held, key: message.order, where: row.status == pending, set: { status: sure }, else: [ stop ] },
            { update: items, key: 1, set: { reserved: row.reserved - 1 }, undoes: reserve } ] }";
    let found = judge(&shop(reserve, release, CRASH));
    assert_eq!(counts(&found), [], "{found:?}");
    assert!(exposures(&found, "over_undone") > 0);
}

#[test]
fn a_failure_that_nobody_hears_of_leaves_a_choreography_stuck() {
    // Payment notes that it refused, crashes, and trusts its own note when it is asked again.
    let crash = "faults: { f: { crash: payment, at_step: payment.Placed.note, edge: after, for: 1s } }";
    let found = judge(&shop(HOLD, LET_GO, crash));
    assert_eq!(counts(&found), [("stuck", 1)], "{found:?}");
    let heard = judge(&shop(HOLD, LET_GO, ""));
    assert_eq!(counts(&heard), []);
    assert_eq!((exposures(&heard, "stuck"), exposures(&heard, "leaked")), (1, 1));

    // A saga that somebody leads does not wait for ever.
    let led = |timeout: &str| {
        format!(
            "scenario: test
run: {{ horizon: 30s, drain: 1m }}
messages:
  Place: {{ kind: command, key: order, fields: {{ order: int }} }}
  Pay: {{ kind: command, key: order, fields: {{ order: int }} }}
  Paid: {{ kind: integration, key: order, fields: {{ order: int }} }}
brokers: {{ b: {{ preset: sqs-standard }} }}
topics: {{ pay: {{ messages: [Pay] }}, paid: {{ messages: [Paid] }} }}
services:
  orders:
    store: {{ tables: {{ held: {{ key: order }} }} }}
    consumes: {{ paid: {{}} }}
    sagas:
      place:
        start: Place
        key: message.order
        steps:
          - {{ step: hold, do: [ {{ insert: held, key: message.order, else: [] }} ], undo: [ {{ delete: held, key: message.order }} ] }}
          - {{ step: pay, do: [ {{ publish: Pay, with: message }} ], await: {{ success: Paid{timeout} }} }}
  payment:
    store: {{ tables: {{ paid: {{ key: order }} }} }}
    consumes: {{ pay: {{}} }}
    handlers: {{ Pay: [ {{ if: message.order > 100, then: [ {{ publish: Paid, with: message }} ] }} ] }}
clients:
  c: {{ arrivals: {{ times: [1s] }}, do: [ {{ call: orders.Place, with: {{ order: 1 }} }} ] }}
network: {{ default: {{ latency: 1ms }} }}
guarantees: {{ sagas: {{ orders.place: {{ {BOUNDS} }} }} }}"
        )
    };
    let waiting = judge(&led(""));
    assert_eq!(counts(&waiting), [("stuck", 1)], "it waits for ever: {waiting:?}");
    let found = judge(&led(", timeout: 5s"));
    assert_eq!(counts(&found), [], "{found:?}");
    assert_eq!((exposures(&found, "stuck"), exposures(&found, "inconsistent")), (1, 1));
}

#[test]
fn who_acts_on_what_is_undone_later_has_read_dirt() {
    // Somebody looks at the reservation before payment has failed, and confirms.
    let with_looker = |text: String| text.replace("29s", "1015ms");
    let found = judge(&with_looker(shop(HOLD, LET_GO, "")));
    assert_eq!(counts(&found), [("dirty_reads", 1)], "{found:?}");
    // An act on the outside is an act, too.
    let mails = shop(HOLD, LET_GO, "")
        .replace("- { insert: confirmed, key: message.order }", "- { effect: mail, takes: 1ms }");
    assert!(mails.contains("effect: mail"));
    assert_eq!(counts(&judge(&with_looker(mails))), [("dirty_reads", 1)]);
    // A semantic lock: what is pending is not acted on.
    let locked = shop(HOLD, LET_GO, "").replace("seen.exists == false", "seen.status == pending");
    let found = judge(&with_looker(locked));
    assert_eq!(counts(&found), [], "{found:?}");
    assert!(exposures(&found, "dirty_reads") > 0, "it was read all the same");
}

#[test]
fn skipping_a_step_in_doubt_leaks_it_and_undoing_it_does_not() {
    let text = |on_timeout: &str| {
        format!(
            "scenario: test
run: {{ horizon: 30s, drain: 1m }}
messages:
  Place: {{ kind: command, key: order, fields: {{ order: int }} }}
  Hold: {{ kind: command, fields: {{ order: int }} }}
  LetGo: {{ kind: command, fields: {{ order: int }} }}
services:
  orders:
    store: {{ tables: {{ tried: {{ key: order, bookkeeping: true }} }} }}
    calls: {{ stock: {{ timeout: 100ms }} }}
    sagas:
      place:
        start: Place
        key: message.order
        steps:
          - {{ step: hold, do: [ {{ call: stock.Hold, with: {{ order: message.order }} }} ], undo: [ {{ wait: 1s }}, {{ call: stock.LetGo, with: {{ order: message.order }} }} ], on_timeout: {on_timeout} }}
  stock:
    workers: 4
    store: {{ tables: {{ held: {{ key: order }} }} }}
    handlers:
      Hold: [ {{ wait: 200ms }}, {{ insert: held, key: message.order, name: take, else: [ stop ] }} ]
      LetGo: [ {{ delete: held, key: message.order, undoes: take }} ]
clients:
  c: {{ arrivals: {{ times: [1s] }}, do: [ {{ call: orders.Place, with: {{ order: 1 }} }} ] }}
network: {{ default: {{ latency: 1ms }} }}
guarantees: {{ sagas: {{ orders.place: {{ {BOUNDS} }} }} }}"
        )
    };
    let skipped = judge(&text("skip"));
    assert_eq!(counts(&skipped), [("inconsistent", 1), ("leaked", 1)], "{skipped:?}");
    let undone = judge(&text("undo"));
    assert_eq!(counts(&undone), [], "{undone:?}");
    assert!(exposures(&undone, "leaked") > 0);
}

#[test]
fn one_undoing_takes_back_one_of_two_steps_of_the_same_name() {
    let text = |let_go: &str| {
        format!(
            "scenario: test
run: {{ horizon: 20s, drain: 1m }}
messages:
  Go: {{ kind: command, key: k, fields: {{ k: int }} }}
  Hold: {{ kind: command, key: k, fields: {{ k: int }} }}
  Again: {{ kind: command, key: k, fields: {{ k: int }} }}
  LetGo: {{ kind: command, key: k, fields: {{ k: int }} }}
  Charge: {{ kind: command, key: k, fields: {{ k: int }} }}
services:
  o:
    store: {{ tables: {{ fin: {{ key: k }} }} }}
    sagas:
      p:
        start: Go
        key: message.k
        steps:
          - {{ step: one, do: [ {{ call: stock.Hold, with: {{ k: message.k }} }} ]{let_go} }}
          - {{ step: two, do: [ {{ call: stock.Again, with: {{ k: message.k }} }} ], undo: [ {{ call: stock.LetGo, with: {{ k: message.k }} }} ] }}
          - {{ step: charge, do: [ {{ call: stock.Charge, with: {{ k: message.k }} }} ] }}
  stock:
    workers: 4
    store: {{ tables: {{ held: {{ key: k, columns: {{ k: int, n: int }} }} }} }}
    handlers:
      Hold: [ {{ name: hold, upsert: held, key: message.k, set: {{ n: row.n + 1 }} }} ]
      Again: [ {{ name: hold, upsert: held, key: message.k, set: {{ n: row.n + 1 }} }} ]
      LetGo: [ {{ update: held, key: message.k, set: {{ n: row.n - 1 }}, undoes: hold }} ]
      Charge: [ {{ if: message.k % 2 == 0, then: [ {{ fail: no_money }} ] }} ]
clients: {{ c: {{ arrivals: {{ every: 1s }}, do: [ {{ let: {{ k: {{ counter: 1 }} }} }}, {{ call: o.Go, with: {{ k: k }}, timeout: 1s }} ] }} }}
guarantees: {{ sagas: {{ o.p: {{ {BOUNDS} }} }} }}"
        )
    };
    let found = judge(&text(""));
    assert_eq!(counts(&found), [("inconsistent", 9), ("leaked", 9)], "half of nineteen failed: {found:?}");
    let found = judge(&text(", undo: [ { call: stock.LetGo, with: { k: message.k } } ]"));
    assert_eq!(counts(&found), [], "{found:?}");
    assert!(exposures(&found, "leaked") > 0 && exposures(&found, "over_undone") > 0, "{found:?}");
}

/// A late answer changes nothing of a saga that has ended, and neither does a store that forgets that change.
#[test]
fn a_saga_that_has_ended_stays_so_when_its_store_forgets_a_late_answer() {
    let judged = |crash: &str| {
        judge(&format!(
            "scenario: late
run: {{ horizon: 10s, drain: 1m }}
messages:
  Go: {{ kind: command, key: k, fields: {{ k: int }} }}
  Ask: {{ kind: integration, key: k, fields: {{ k: int }} }}
  Yes: {{ kind: integration, key: k, fields: {{ k: int }} }}
brokers: {{ b: {{ preset: rabbitmq-quorum }} }}
topics: {{ asks: {{ messages: [Ask] }}, answers: {{ messages: [Yes] }} }}
services:
  s:
    workers: 4
    store: {{ latency: {{ read: 10ms, write: 100ms, commit: 100ms }}, flush: 500ms, tables: {{ done: {{ key: k, columns: {{ k: int, n: int }} }} }} }}
    consumes: {{ answers: {{}} }}
    sagas:
      p:
        start: Go
        key: message.k
        steps:
          - step: ask
            do: [ {{ name: put, insert: done, key: message.k, set: {{ n: 1 }} }}, {{ publish: Ask, with: {{ k: message.k }} }} ]
            undo: [ {{ undoes: put, delete: done, key: message.k }} ]
            await: {{ success: Yes, timeout: 500ms }}
  a: {{ workers: 4, consumes: {{ asks: {{}} }}, handlers: {{ Ask: [ {{ wait: 2s }}, {{ publish: Yes, with: {{ k: message.k }} }} ] }} }}
clients: {{ c: {{ arrivals: {{ times: [1s] }}, do: [ {{ call: s.Go, with: {{ k: 1 }}, timeout: 10s }} ] }} }}
network: {{ default: {{ latency: 1ms }} }}
guarantees: {{ sagas: {{ s.p: {{ stuck: 0, inconsistent: 0 }} }} }}
faults: {{ f: {{ crash: s.store, at: {crash}, for: 50ms }} }}
"
        ))
    };
    for crash in ["3420ms", "3440ms", "3460ms", "3500ms"] {
        let found = judged(crash);
        assert_eq!(counts(&found), [], "{crash}: {found:?}");
        assert!(exposures(&found, "stuck") > 0);
    }
}
