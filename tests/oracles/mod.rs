//! The oracles against the truth: a planted bug that each must count exactly, and the repaired twin on
//! which it must stay silent although the same crash, redelivery or race came.

mod cut_off;
mod encoding;
mod enumeration;
mod exposures;
mod histories;
mod isolation;
mod ordering;
mod planted;
mod promises;
mod references;
mod sessions;

use eventflow::experiment::replication;
use eventflow::kernel::anomaly::Anomaly;
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::model::Model;
use eventflow::observe::digest::Digest;
use eventflow::observe::findings::Finding;
use eventflow::observe::oracles::Oracles;
use eventflow::observe::oracles::lineage::{Lineage, Sum};
use eventflow::world::Limits;
use eventflow::world::deed::Deed;
use eventflow::world::record::{Observer, Record};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the lineage oracle found in the first replication.
pub struct Judged {
    pub findings: Vec<Finding>,
    pub sum: Sum,
    /// Obligations that could still be worked on when all was over.
    open: usize,
}

impl Judged {
    /// Everything that was found, but zeroes.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        let all = Anomaly::ALL.iter().map(|anomaly| (anomaly.name(), self.of(*anomaly).count));
        all.filter(|(_, count)| *count > 0).collect()
    }

    pub fn of(&self, anomaly: Anomaly) -> &Finding {
        &self.findings[anomaly.index()]
    }

    /// Holds chances and ends against what is written down.
    fn as_written(&self) {
        let found = Anomaly::ALL.iter().map(|anomaly| (anomaly.name(), self.of(*anomaly)));
        let ends = self.sum.ends().into_iter().filter(|(_, count)| *count > 0);
        let ends: Vec<String> = ends.map(|(end, count)| format!("{count} {end}")).collect();
        exposures::as_written(
            found,
            &format!("| {} owed: {}; {} held", self.sum.owed, ends.join(", "), self.open),
        );
    }
}

/// Runs a scenario under the lineage oracle.
pub fn judge(text: &str) -> Judged {
    judge_model(&crate::engine::model(text), 1)
}

/// Runs a scenario under many seeds; what is counted is the same under all of them.
pub fn judge_seeds(text: &str) -> Judged {
    const SEEDS: u64 = 30;
    let model = crate::engine::model(text);
    let first = judge_model(&model, 1);
    first.as_written();
    for seed in 2..=SEEDS {
        let judged = judge_model(&model, seed);
        assert_eq!(judged.counts(), first.counts(), "seed {seed}: {:?}\n{text}", judged.sum);
        for anomaly in Anomaly::ALL {
            let exposed = |judged: &Judged| judged.of(*anomaly).exposures > 0;
            assert_eq!(exposed(&judged), exposed(&first), "seed {seed}: {}\n{text}", anomaly.name());
        }
    }
    first
}

fn judge_model(model: &Model, seed: u64) -> Judged {
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let mut lineage = Lineage::new(model);
    let agenda = replication::agenda(model, &plan, seed, 0);
    let interrupt = AtomicBool::new(false);
    replication::replicate(model, agenda, &mut lineage, Limits::default(), &interrupt).expect("it ends");
    let open = lineage.open();
    let (findings, sum, _) = lineage.finish();
    assert_eq!(sum.owed, sum.ended(), "every obligation ends once: {sum:?}");
    Judged { findings, sum, open }
}

/// A scenario in which `orders.Place` publishes `Placed` and `stock` handles it, with these steps.
pub struct Shop {
    pub place: &'static str,
    pub placed: &'static str,
    pub fault: &'static str,
    pub preset: &'static str,
    pub consumes: &'static str,
    pub times: &'static str,
    pub more: &'static str,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            place: "- { insert: orders, key: message.order, set: { qty: message.qty }, else: [ stop ] }
        - { publish: Placed, with: message }",
            placed: "- { update: items, key: message.item, set: { reserved: row.reserved + message.qty } }",
            fault: "",
            preset: "rabbitmq-classic",
            consumes: "ack: after",
            times: "[1s]",
            more: "",
        }
    }
}

impl Shop {
    pub fn text(&self) -> String {
        let Shop { place, placed, fault, preset, consumes, times, more } = self;
        format!(
            "scenario: planted
seed: 1
run: {{ horizon: 1m, drain: 10m }}
messages:
  Place:  {{ kind: command, key: order, fields: {{ order: int, item: int, qty: int }} }}
  Placed: {{ kind: integration, key: order, fields: {{ order: int, item: int, qty: int }} }}
  Again:  {{ kind: command, key: order, fields: {{ order: int, item: int, qty: int }} }}
  Rejected: {{ kind: integration, key: order, fields: {{ order: int }} }}
brokers: {{ broker: {{ preset: {preset} }} }}
topics: {{ placed: {{ messages: [ Placed ] }}, rejected: {{ messages: [ Rejected ] }} }}
services:
  orders:
    workers: 4
    store: {{ tables: {{ orders: {{ key: order, columns: {{ order: int, qty: int }} }} }} }}
    outbox: {{ every: 50ms }}
    handlers:
      Place:
        {place}
      Again:
        - {{ publish: Placed, with: message }}
  stock:
    workers: 4
    store:
      tables:
        items: {{ key: item, columns: {{ item: int, reserved: int, status: [free, paid], at: {{ type: time, incidental: true }} }}, rows: [ {{ item: 1..9 }} ] }}
        handled: {{ key: id, columns: {{ id: id }}, bookkeeping: true }}
    consumes: {{ placed: {{ {consumes} }} }}
    handlers:
      Placed:
        {placed}
clients:
  shopper:
    arrivals: {{ times: {times} }}
    do:
      - let: {{ order: {{ counter: 1 }} }}
      - {{ call: orders.Place, with: {{ order: order, item: 1, qty: 2 }}, timeout: 2s, catch: {{ any: [ stop ] }} }}
  nobody:
    arrivals: {{ every: 5m }}
    do: [ {{ call: orders.Again, with: {{ order: 0, item: 1, qty: 1 }} }} ]
network: {{ default: {{ latency: 1ms }}{more} }}
{fault}
"
        )
    }

    /// Under many seeds.
    pub fn judge(&self) -> Judged {
        judge_seeds(&self.text())
    }
}

/// Judging changes nothing: not even where a cut's remainder is run dry.
#[test]
fn a_run_that_is_judged_has_the_digest_of_one_that_is_not() {
    let text = Shop {
        placed: "- let: { n: { counter: 1 }, u: unique() }
        - { read: items, key: message.item, as: item }
        - { name: here, update: items, key: message.item, set: { reserved: row.reserved + 1 } }
        - { if: 1 / (2 - item.reserved) > 5, then: [ stop ] }
        - { fail: no }",
        preset: "sqs-standard",
        times: "[1s, 2s, 3s]",
        fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: unanswered, nth: 1, for: 1s } }",
        consumes: "ack: after, exhaust: { after: 4, then: drop }",
        ..Shop::default()
    }
    .text();
    let model = crate::engine::model(&text);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let interrupt = AtomicBool::new(false);
    let mut alone = Digest::default();
    let agenda = replication::agenda(&model, &plan, 1, 0);
    replication::replicate(&model, agenda, &mut alone, Limits::default(), &interrupt).expect("it ends");
    let mut judged = Digest::default();
    let mut oracles = Oracles::new(&model);
    let agenda = replication::agenda(&model, &plan, 1, 0);
    let mut both = (&mut judged, &mut oracles);
    replication::replicate(&model, agenda, &mut both, Limits::default(), &interrupt).expect("it ends");
    assert_eq!(alone.fingerprint().finish(), judged.fingerprint().finish());
    let (findings, meters) = oracles.finish();
    assert!(findings.of(Anomaly::DuplicateEffects).count > 0, "{:?}", meters.ends);
}

/// A remainder is run dry up to a bound: what it would have changed beyond is unknown, and nothing is called well.
#[test]
fn a_remainder_that_is_too_long_leaves_the_verdict_open() {
    let unsettled = |placed| {
        let judged = Shop {
            placed,
            fault: "faults: { f: { crash: stock, at_step: stock.Placed.here, edge: unanswered, nth: 1, for: 1s } }",
            ..Shop::default()
        }
        .judge();
        let of = |anomaly| judged.of(anomaly).unsettled;
        [of(Anomaly::LostEffects), of(Anomaly::TornEffects), of(Anomaly::DuplicateMessages)]
    };
    let short = "- { name: here, update: items, key: message.item, set: { reserved: row.reserved + 1 } }
        - { for_each: 1..6, as: i, do: [ { let: { j: i } } ] }
        - { update: items, key: 2, set: { reserved: row.reserved + 1 } }";
    let long = "- { name: here, update: items, key: message.item, set: { reserved: row.reserved + 1 } }
        - { for_each: 1..60000, as: i, do: [ { let: { j: i } } ] }
        - { update: items, key: 2, set: { reserved: row.reserved + 1 } }";
    assert_eq!((unsettled(short), unsettled(long)), ([0; 3], [1, 1, 0]));
}

/// The lineage with the most obligations that it ever knew at once.
struct Watched<'m> {
    lineage: Lineage<'m>,
    most: usize,
}

impl Observer for Watched<'_> {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.lineage.record(now, record);
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.lineage.deed(now, deed);
        self.most = self.most.max(self.lineage.open());
    }
}

/// What is remembered is what is under way, however long the run: with crashes, redeliveries and a log.
#[test]
fn memory_is_what_is_under_way() {
    for preset in ["rabbitmq-classic", "kafka", "sqs-standard"] {
        let shop = Shop {
            placed: "- { transaction: [ { insert: handled, key: message.id, else: [ stop ] },
            { update: items, key: message.item, set: { reserved: row.reserved + message.qty } } ] }",
            fault: "faults: { f: { crash: stock, every: 70s, for: 200ms } }",
            preset,
            ..Shop::default()
        };
        let open = "arrivals: { every: 100ms }\n    do:\n      - let: { order: { counter: 1 } }";
        let text = shop
            .text()
            .replace("horizon: 1m", "horizon: 10m")
            .replace("arrivals: { times: [1s] }\n    do:\n      - let: { order: { counter: 1 } }", open);
        let model = crate::engine::model(&text);
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let mut watched = Watched { lineage: Lineage::new(&model), most: 0 };
        let agenda = replication::agenda(&model, &plan, 1, 0);
        let interrupt = AtomicBool::new(false);
        replication::replicate(&model, agenda, &mut watched, Limits::default(), &interrupt).expect("it ends");
        let open = watched.lineage.open();
        let (_, sum, _) = watched.lineage.finish();
        assert!(sum.owed > 11_000 && sum.owed == sum.ended(), "{preset}: {sum:?}");
        // A log keeps what its consumers have passed for as long as one of them may come back to it.
        assert!(watched.most < 3_000, "{preset}: {} at once", watched.most);
        assert!(open < 10, "{preset}: {open} at the end");
    }
}
