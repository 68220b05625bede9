//! Orders and their messages: random handlers without branches, crashed at random steps. What they had to
//! do is known from their text, so that nothing has to be run dry.

use super::acts::{Acts, Counts};
use super::{Trace, runner};
use crate::oracles::Shop;
use eventflow::experiment::replication;
use eventflow::kernel::anomaly::Anomaly;
use eventflow::kernel::stream::StreamPlan;
use eventflow::observe::oracles::lineage::Lineage;
use eventflow::world::Limits;
use proptest::prelude::*;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A step of `orders.Place`; each is named by its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Adds to a column of its own.
    Row,
    Publish,
    /// With what a row says that may have changed since.
    PublishRead,
    Wait,
}

/// What a guard takes for the sign that all was done.
#[derive(Clone, Copy, Debug)]
enum Guard {
    /// Inserts a mark under this key, or stops.
    Insert(&'static str),
    /// Looks for a mark first, and writes it last.
    Look(&'static str),
}

#[derive(Clone, Debug)]
pub struct Design {
    guard: Option<&'static str>,
    pub steps: Vec<Step>,
    /// The first and last step of a transaction, and whether it is given up at its end.
    pub transaction: Option<(usize, usize)>,
    pub aborts: bool,
    /// Publishes in the transaction go by the outbox.
    outbox: bool,
    replies_first: bool,
    consumer: Option<Guard>,
    /// Which step, which edge, which time it comes by.
    crashes: Vec<(usize, usize, u32)>,
    tries: u32,
}

impl Design {
    pub fn is_inside(&self, step: usize) -> bool {
        self.transaction.is_some_and(|(first, last)| (first..=last).contains(&step))
    }

    pub fn has_guard(&self) -> bool {
        self.guard.is_some()
    }

    pub fn by_outbox(&self, step: usize) -> bool {
        self.outbox && self.is_inside(step)
    }

    /// Columns of the steps that write, in the order of commits; those of a transaction together.
    pub fn commits(&self) -> Vec<Vec<usize>> {
        let mut commits: Vec<Vec<usize>> = Vec::new();
        let mut transaction = Vec::new();
        for (step, kind) in self.steps.iter().enumerate() {
            if self.is_inside(step) {
                transaction.extend((*kind == Step::Row).then_some(step));
            } else if *kind == Step::Row {
                commits.push(vec![step]);
            }
            if self.transaction.is_some_and(|(_, last)| last == step) {
                commits.push(std::mem::take(&mut transaction));
            }
        }
        commits
    }

    /// What a whole execution leaves: by step. Nothing comes behind what is given up.
    pub fn whole(&self) -> Vec<usize> {
        let is_effect = |step: &usize| self.steps[*step] != Step::Wait;
        let all = (0..self.steps.len()).filter(is_effect);
        match self.transaction {
            Some((_, last)) if self.aborts => {
                let stays = |step: &usize| {
                    *step <= last
                        && (!self.is_inside(*step) || self.steps[*step] != Step::Row && !self.outbox)
                };
                all.filter(stays).collect()
            }
            _ => all.collect(),
        }
    }

    fn place(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.replies_first {
            lines.push("- reply".to_owned());
        }
        if let Some(key) = self.guard {
            lines.push(format!("- {{ insert: marks, key: {key}, else: [ stop ] }}"));
        }
        for (step, kind) in self.steps.iter().enumerate() {
            if self.transaction.is_some_and(|(first, _)| first == step) {
                lines.push("- transaction:".to_owned());
            }
            let indent = if self.is_inside(step) { "    " } else { "" };
            let via = if self.by_outbox(step) { "outbox" } else { "direct" };
            let publish = |qty: &str| {
                format!(
                    "- {{ name: s{step}, publish: Placed, via: {via}, with: {{ order: message.order, item: message.item, qty: {qty} }} }}"
                )
            };
            let own = match kind {
                Step::Row => vec![format!(
                    "- {{ name: s{step}, update: orders, key: message.order, set: {{ c{step}: row.c{step} + 1 }} }}"
                )],
                Step::Publish => vec![publish("1")],
                Step::PublishRead => vec![
                    format!("- {{ read: orders, key: message.order, as: r{step} }}"),
                    publish(&format!("r{step}.c0 + r{step}.c1")),
                ],
                Step::Wait => vec![format!("- {{ name: s{step}, wait: 30ms }}")],
            };
            lines.extend(own.iter().map(|line| format!("{indent}{line}")));
            if self.aborts && self.transaction.is_some_and(|(_, last)| last == step) {
                lines.push("    - fail: no".to_owned());
            }
        }
        lines
    }

    fn placed(&self) -> Vec<String> {
        let reserve =
            "- { name: reserve, update: items, key: message.item, set: { reserved: row.reserved + 1 } }"
                .to_owned();
        match self.consumer {
            None => vec![reserve],
            Some(Guard::Insert(key)) => {
                vec![format!("- {{ insert: handled, key: {key}, else: [ stop ] }}"), reserve]
            }
            Some(Guard::Look(key)) => vec![
                format!("- {{ read: handled, key: {key}, as: seen }}"),
                "- { if: seen.exists, then: [ stop ] }".to_owned(),
                reserve,
                format!("- {{ upsert: handled, key: {key} }}"),
            ],
        }
    }

    fn text(&self) -> String {
        let handler = |lines: Vec<String>| lines.join("\n        ");
        let mut faults = String::from(if self.crashes.is_empty() { "faults: {}" } else { "faults:\n" });
        for (number, (step, edge, nth)) in self.crashes.iter().enumerate() {
            // A wait, and an outbox row in a transaction, wait for no answer.
            let place = step.checked_sub(1).map(|step| step % self.steps.len());
            let is_quiet = |step: usize| self.steps[step] == Step::Wait || self.by_outbox(step);
            let edge = match ["before", "unanswered", "after"][*edge] {
                "unanswered" if place.is_some_and(is_quiet) => "after",
                edge => edge,
            };
            let (service, at) = match place {
                None => ("stock", "stock.Placed.reserve".to_owned()),
                Some(step) => ("orders", format!("orders.Place.s{step}")),
            };
            faults += &format!(
                "  f{number}: {{ crash: {service}, at_step: {at}, edge: {edge}, nth: {nth}, for: 500ms }}\n"
            );
        }
        let retry = format!("timeout: 2s, retry: {{ attempts: {}, delay: 700ms }}, catch", self.tries);
        Shop { place: "PLACE", placed: "PLACED", fault: "FAULTS", times: "[1s, 3s]", ..Shop::default() }
            .text()
            .replace("PLACED", &handler(self.placed()))
            .replace("PLACE", &handler(self.place()))
            .replace("FAULTS", &faults)
            .replace("timeout: 2s, catch", &retry)
            .replace(
                "orders: { key: order, columns: { order: int, qty: int } }",
                "orders: { key: order, columns: { order: int, c0: int, c1: int, c2: int, c3: int, c4: int }, rows: [ { order: 0..9 } ] }, marks: { key: id, columns: { id: int }, bookkeeping: true }",
            )
            .replace("columns: { id: id }", if self.consumes_by_id() { "columns: { id: id }" } else { "columns: { id: int }" })
    }

    fn consumes_by_id(&self) -> bool {
        matches!(self.consumer, None | Some(Guard::Insert("message.id") | Guard::Look("message.id")))
    }
}

fn design() -> impl Strategy<Value = Design> {
    let step = prop_oneof![
        4 => Just(Step::Row),
        3 => Just(Step::Publish),
        1 => Just(Step::PublishRead),
        2 => Just(Step::Wait),
    ];
    let key = prop::sample::select(vec!["message.order", "message.order", "message.item"]);
    let consumed = prop::sample::select(vec!["message.id", "message.order", "message.item"]);
    let consumer = prop_oneof![
        consumed.clone().prop_map(|key| Some(Guard::Insert(key))),
        consumed.prop_map(|key| Some(Guard::Look(key))),
        Just(None),
    ];
    let crash = (0usize..6, 0usize..3, 1u32..3);
    (
        prop::option::weighted(0.3, key),
        prop::collection::vec(step, 1..6),
        prop::option::of((0usize..5, 0usize..5)),
        (prop::bool::weighted(0.25), any::<bool>(), prop::bool::weighted(0.2)),
        consumer,
        prop::collection::vec(crash, 0..3),
        1u32..4,
    )
        .prop_map(|(guard, steps, transaction, flags, consumer, crashes, tries)| {
            let (aborts, outbox, replies_first) = flags;
            let mut steps = steps;
            if steps.iter().all(|step| *step == Step::Wait) {
                steps[0] = Step::Row;
            }
            let last = steps.len() - 1;
            let transaction = transaction.map(|(a, b)| (a.min(b).min(last), a.max(b).min(last)));
            let aborts = aborts && transaction.is_some();
            // Who says yes and then no wants nothing in particular.
            let replies_first = replies_first && !aborts;
            let design =
                Design { guard, steps, transaction, aborts, outbox, replies_first, consumer, crashes, tries };
            // Of what is always given up nobody can say what it should have left.
            let leaves_nothing = design.whole().is_empty();
            Design { aborts: aborts && !leaves_nothing, ..design }
        })
}

/// What the oracle counts, and what the whole history says.
fn both(design: &Design, text: &str) -> (Counts, Counts) {
    let model = crate::engine::model(text);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let mut judges = (Lineage::new(&model), Trace::new(&model));
    let agenda = replication::agenda(&model, &plan, 1, 0);
    replication::replicate(&model, agenda, &mut judges, Limits::default(), &AtomicBool::new(false))
        .expect("it ends");
    let (lineage, trace) = judges;
    let (findings, ..) = lineage.finish();
    let counted = Counts::JUDGED.map(|anomaly| findings[anomaly.index()].count);
    (Counts(counted), Acts::new(&trace, design).counts())
}

#[test]
fn messages_and_answers_are_judged_as_by_one_who_keeps_everything() {
    const CASES: u32 = 400;
    let seen = Cell::new([0_u32; Counts::JUDGED.len()]);
    let outcome = runner(CASES).run(&design(), |design| {
        let text = design.text();
        let (counted, expected) = both(&design, &text);
        prop_assert_eq!(&counted, &expected, "{:?}\n{:?}\n{}", Counts::JUDGED, design, text);
        let mut all = seen.get();
        all.iter_mut().zip(expected.0).for_each(|(seen, count)| *seen += u32::from(count > 0));
        seen.set(all);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let enough = seen.get().iter().all(|count| *count >= CASES / 100);
    assert!(enough, "{:?} of {CASES} have some of {:?}", seen.get(), Counts::JUDGED.map(Anomaly::name));
}
