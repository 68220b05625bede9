//! The lineage oracle against an independent definition: is what is left what one complete execution
//! leaves? Small handlers, made at random, are crashed at random steps; then the rows are compared with
//! those of the same run without faults.

use super::{Shop, judge};
use eventflow::experiment::replication;
use eventflow::kernel::anomaly::Anomaly;
use eventflow::kernel::stream::StreamPlan;
use eventflow::world::record::Observer;
use eventflow::world::{Limits, Simulation};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A step of the handler; the number tells columns apart.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// An addition: doing it again shows.
    Add,
    /// A value set: doing it again does not.
    Set,
    /// A mark, behind which nothing is done if it is there.
    MarkOrStop,
    /// Looks for the mark.
    LookOrStop,
    /// Writes the mark, there or not.
    Remember,
    /// Looks at its own work.
    Unless(usize),
}

#[derive(Clone, Debug)]
struct Design {
    steps: Vec<Kind>,
    /// The first and last step of a transaction, if there is one.
    transaction: Option<(usize, usize)>,
    before: bool,
    /// Which step, which edge, which time it comes by.
    crashes: Vec<(usize, usize, u32)>,
}

impl Design {
    fn handler(&self) -> String {
        let mut text = String::new();
        for (place, kind) in self.steps.iter().enumerate() {
            let (opens, inside) = match self.transaction {
                Some((first, last)) => (place == first, (first..=last).contains(&place)),
                None => (false, false),
            };
            if opens {
                text += "- transaction:\n";
            }
            let indent = if inside { "    " } else { "" };
            for line in self.step(place, *kind) {
                text += &format!("{indent}{line}\n");
            }
        }
        text.lines().map(|line| format!("{line}\n        ")).collect::<String>().trim_end().to_owned()
    }

    fn step(&self, place: usize, kind: Kind) -> Vec<String> {
        let name = format!("name: s{place}");
        match kind {
            Kind::Add => {
                vec![format!(
                    "- {{ {name}, update: items, key: message.item, set: {{ c{place}: row.c{place} + 1 }} }}"
                )]
            }
            Kind::Set => {
                vec![format!("- {{ {name}, update: items, key: message.item, set: {{ c{place}: 7 }} }}")]
            }
            Kind::MarkOrStop => {
                vec![format!("- {{ {name}, insert: handled, key: message.id, else: [ stop ] }}")]
            }
            Kind::LookOrStop => vec![
                format!("- {{ {name}, read: handled, key: message.id, as: seen{place} }}"),
                format!("- {{ if: seen{place}.exists, then: [ stop ] }}"),
            ],
            Kind::Remember => {
                vec![format!("- {{ {name}, upsert: handled, key: message.id, set: {{ n: row.n + 1 }} }}")]
            }
            Kind::Unless(other) => vec![
                format!("- {{ {name}, read: items, key: message.item, as: seen{place} }}"),
                format!("- {{ if: seen{place}.c{other} > 0, then: [ stop ] }}"),
            ],
        }
    }

    fn faults(&self) -> String {
        let mut text = String::from("faults:\n");
        for (number, (step, edge, nth)) in self.crashes.iter().enumerate() {
            let step = step % self.steps.len();
            let edge = ["before", "unanswered", "after"][*edge];
            text += &format!(
                "  f{number}: {{ crash: stock, at_step: stock.Placed.s{step}, edge: {edge}, nth: {nth}, for: 1s }}\n"
            );
        }
        text
    }

    fn text(&self, faults: &str) -> String {
        let handler = self.handler();
        let consumes = if self.before { "ack: before" } else { "ack: after" };
        let text = Shop { placed: "PLACED", fault: "FAULT", consumes, ..Shop::default() }.text();
        let columns = "reserved: int, c0: int, c1: int, c2: int, c3: int, c4: int";
        text.replace("PLACED", &handler)
            .replace("FAULT", faults)
            .replace("reserved: int", columns)
            .replace("columns: { id: id }", "columns: { id: id, n: int }")
    }
}

/// The rows of `stock.items` at the end.
fn rows(text: &str) -> Vec<Vec<u64>> {
    let model = crate::engine::model(text);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let mut nobody = ();
    let mut simulation =
        Simulation::new(&model, replication::agenda(&model, &plan, 1, 0), &mut nobody as &mut dyn Observer);
    simulation.run(Limits::default(), &AtomicBool::new(false)).expect("it ends");
    simulation.world.rows(&model, "stock.items").expect("the table is there")
}

fn design() -> impl Strategy<Value = Design> {
    let kind = prop_oneof![
        4 => Just(Kind::Add),
        2 => Just(Kind::Set),
        2 => Just(Kind::MarkOrStop),
        1 => Just(Kind::LookOrStop),
        1 => Just(Kind::Remember),
        1 => (0usize..5).prop_map(Kind::Unless),
    ];
    let crash = (0usize..5, 0usize..3, 1u32..3);
    (
        prop::collection::vec(kind, 1..5),
        prop::option::of((0usize..5, 0usize..5)),
        prop::bool::weighted(0.2),
        prop::collection::vec(crash, 1..3),
    )
        .prop_map(|(steps, transaction, before, crashes)| {
            let rows_only = |kind: &Kind| !matches!(kind, Kind::LookOrStop | Kind::Unless(_));
            let transaction = transaction
                .map(|(a, b)| (a.min(b).min(steps.len() - 1), a.max(b).min(steps.len() - 1)))
                .filter(|&(first, last)| steps[first..=last].iter().all(rows_only));
            Design { steps, transaction, before, crashes }
        })
}

#[test]
fn what_is_left_is_what_one_execution_leaves_or_the_oracle_says_why_not() {
    const CASES: u32 = 600;
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let wrong = Cell::new(0);
    let outcome = runner.run(&design(), |design| {
        let text = design.text(&design.faults());
        let (left, right) = (rows(&text), rows(&design.text("")));
        let judged = judge(&text);
        let found: u64 = WRONG.iter().map(|anomaly| judged.of(*anomaly).count).sum();
        wrong.set(wrong.get() + u32::from(left != right));
        prop_assert_eq!(left != right, found > 0, "{:?} {:?}\n{}", judged.counts(), judged.sum, text);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(wrong.get() > CASES / 10, "only {} of {CASES} histories went wrong", wrong.get());
}

const WRONG: [Anomaly; 4] =
    [Anomaly::DuplicateEffects, Anomaly::LostEffects, Anomaly::TornEffects, Anomaly::MixedEffects];
