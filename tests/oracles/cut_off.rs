//! Runs that are cut off: what nobody knows the end of is no pass, and no failure as long as something gets on.

use super::isolation::{model_of_text, observe};
use super::{Judged, Shop, judge};
use eventflow::kernel::anomaly::Anomaly;
use eventflow::observe::oracles::Oracles;

fn shop(placed: &'static str, orders: usize) -> Judged {
    let times: Vec<String> = (0..orders).map(|at| format!("{}ms", 1000 + at)).collect();
    judge(&Shop { placed, times: format!("[{}]", times.join(", ")).leak(), ..Shop::default() }.text())
}

/// Four at a time, each for most of a minute: the drain of ten minutes is too short, but it gets on to the last.
#[test]
fn what_still_gets_on_is_not_stuck() {
    let judged = shop("- { work: 50s }", 100);
    let stuck = judged.of(Anomaly::Stuck);
    assert_eq!((stuck.count, stuck.unsettled > 20), (0, true), "{stuck:?} {:?}", judged.sum);
    assert_eq!(judged.sum.unsettled, judged.of(Anomaly::LostEffects).unsettled);
    assert!(judged.sum.done > 20, "{:?}", judged.sum);
}

#[test]
fn what_gets_on_no_more_is_stuck() {
    let judged = shop("- { work: 20m }", 3);
    let stuck = judged.of(Anomaly::Stuck);
    assert_eq!((stuck.count, stuck.unsettled), (judged.sum.unsettled, 0), "{:?}", judged.sum);
    assert!(stuck.count >= 3 && stuck.exposures == judged.sum.owed, "{stuck:?}");
}

/// Attempts that have read and go on when the run is cut off: whether what they read will have been replaced when they
/// write, nobody knows.
#[test]
fn attempts_that_have_touched_a_row_and_go_on_are_unsettled() {
    let text = "
scenario: cut-off
run: { horizon: 10s, drain: 1s }
messages: { Look: { kind: command } }
services:
  stock:
    workers: 4
    store: { tables: { items: { key: item, columns: { item: int, n: int }, rows: [ { item: 1 } ] } } }
    handlers:
      Look:
        - { read: items, key: 1, as: seen }
        - { wait: 1h }
        - { update: items, key: 1, set: { n: seen.n + 1 } }
clients:
  source: { arrivals: { times: [1s, 2s, 3s] }, do: [ { call: stock.Look, timeout: 2h } ] }
";
    let model = model_of_text(text);
    let mut oracles = Oracles::new(&model);
    observe(&model, 0, &mut oracles);
    let (findings, _) = oracles.finish();
    for anomaly in [Anomaly::LostUpdates, Anomaly::StalePremises, Anomaly::ConflictCycles] {
        let of = findings.of(anomaly);
        assert_eq!((of.count, of.unsettled), (0, 3), "{}: {of:?}", anomaly.name());
    }
}
