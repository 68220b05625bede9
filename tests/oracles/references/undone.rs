//! Reservations and their releases, in whatever order they come.

use super::{Done, Trace, runner};
use crate::oracles::Shop;
use eventflow::experiment::replication;
use eventflow::kernel::anomaly::Anomaly;
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::observe::oracles::lineage::Lineage;
use eventflow::world::Limits;
use eventflow::world::deed::{RowName, Write};
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What an order sends, one after another.
#[derive(Clone, Copy, Debug)]
enum Sent {
    Reserve,
    Release,
    Nothing,
}

const RESERVES: &[&str] = &[
    "insert: held, key: message.order, else: [ stop ]",
    "upsert: held, key: message.order, set: { n: row.n + 1 }",
    "upsert: held, key: message.order, where: '!row.gone', set: { n: 1 }, else: [ stop ]",
];
const RELEASES: &[&str] = &[
    "delete: held, key: message.order",
    "upsert: held, key: message.order, set: { gone: true }",
    "update: held, key: message.order, where: row.n > 0, set: { n: row.n - 1 }",
];

#[derive(Clone, Debug)]
struct Design {
    sent: Vec<Sent>,
    reserve: usize,
    release: usize,
    crash: Option<(bool, usize, u32)>,
    seed: u64,
}

impl Design {
    fn text(&self) -> String {
        let sent = self.sent.iter().map(|sent| match sent {
            Sent::Reserve => "- { publish: Placed, with: message }",
            Sent::Release => "- { publish: Rejected, with: { order: message.order } }",
            Sent::Nothing => "- wait: { uniform: [1ms, 40ms] }",
        });
        let placed = format!(
            "- wait: {{ uniform: [0ms, 60ms] }}\n        - {{ name: reserve, {} }}\n      Rejected:\n        - wait: {{ uniform: [0ms, 60ms] }}\n        - {{ name: release, undoes: reserve, {} }}",
            RESERVES[self.reserve], RELEASES[self.release],
        );
        let fault = self.crash.map_or(String::new(), |(reserves, edge, nth)| {
            let step = if reserves { "Placed.reserve" } else { "Rejected.release" };
            let edge = ["before", "unanswered", "after"][edge];
            format!("faults: {{ f: {{ crash: stock, at_step: stock.{step}, edge: {edge}, nth: {nth}, for: 100ms }} }}")
        });
        Shop { place: "PLACE", placed: "PLACED", fault: "FAULT", times: "[1s, 1030ms]", ..Shop::default() }
            .text()
            .replace(
                "Again:\n        - {",
                "Again:\n        - { publish: Rejected, with: { order: message.order } }\n        - {",
            )
            .replace("PLACED", &placed)
            .replace("PLACE", &sent.collect::<Vec<_>>().join("\n        "))
            .replace("FAULT", &fault)
            .replace(
                "handled: {",
                "held: { key: order, columns: { order: int, n: int, gone: bool } }\n        handled: {",
            )
            .replace(
                "consumes: { placed: { ack: after } }",
                "consumes: { placed: { ack: after }, rejected: { ack: after } }",
            )
    }
}

fn design() -> impl Strategy<Value = Design> {
    let sent = prop_oneof![3 => Just(Sent::Reserve), 3 => Just(Sent::Release), 1 => Just(Sent::Nothing)];
    let crash = prop::option::of((any::<bool>(), 0usize..3, 1u32..3));
    (prop::collection::vec(sent, 2..6), 0..RESERVES.len(), 0..RELEASES.len(), crash, 1u64..1_000_000)
        .prop_map(|(sent, reserve, release, crash, seed)| Design { sent, reserve, release, crash, seed })
}

/// Commits of a reservation that an undo of its row, issued no earlier, had come before.
fn resurrected(trace: &Trace<'_>) -> u64 {
    let mut undone: BTreeMap<RowName, Nanos> = BTreeMap::new();
    let mut count = 0;
    let issued = |attempt: usize| {
        let message = trace.attempts[attempt].message.expect("it serves a delivery");
        let obligation = trace.messages[message].obligation;
        let copies = trace.messages.iter().filter(|of| of.obligation == obligation);
        copies.map(|of| of.at).min().expect("its own is there")
    };
    for (_, done) in &trace.deeds {
        let (attempt, row) = match *done {
            Done::Wrote { attempt, row, write: Write::Nothing, .. } => (attempt, row),
            Done::Committed { attempt: Some(attempt), row, is_effect: true, .. } => (attempt, row),
            _ => continue,
        };
        let is_commit = matches!(done, Done::Committed { .. });
        let handler = trace.attempts[attempt].handler.rsplit('/').next();
        match handler {
            Some("Rejected") => {
                let last = undone.entry(row).or_default();
                *last = issued(attempt).max(*last);
            }
            Some("Placed") if is_commit => {
                count += u64::from(undone.get(&row).is_some_and(|undone| issued(attempt) <= *undone));
            }
            _ => {}
        }
    }
    count
}

#[test]
fn what_comes_back_is_counted_as_by_one_who_keeps_everything() {
    const CASES: u32 = 600;
    let some = Cell::new(0);
    let outcome = runner(CASES).run(&design(), |design| {
        let text = design.text();
        let model = crate::engine::model(&text);
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let mut judges = (Lineage::new(&model), Trace::new(&model));
        let agenda = replication::agenda(&model, &plan, design.seed, 0);
        replication::replicate(&model, agenda, &mut judges, Limits::default(), &AtomicBool::new(false))
            .expect("it ends");
        let (findings, ..) = judges.0.finish();
        let expected = resurrected(&judges.1);
        let counted = findings[Anomaly::Resurrected.index()].count;
        prop_assert_eq!(counted, expected, "{:?}\n{}", design, text);
        some.set(some.get() + u32::from(expected > 0));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(some.get() > CASES / 10, "only {} of {CASES} have some", some.get());
}
