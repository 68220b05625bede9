//! Random small scenarios: the oracle, which forgets what it can, agrees with a judge who keeps the whole
//! history and looks at every pair in it.

use super::{model_of_text, observe};
use eventflow::kernel::time::Nanos;
use eventflow::model::Model;
use eventflow::observe::oracles::isolation::Isolation;
use eventflow::world::deed::{Deed, RowName, Served, Version};
use eventflow::world::record::{Observer, Outcome, Record};
use eventflow::world::store::UNCOMMITTED;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Handlers, and their steps. What they do with what they read is told by [`Kind::of`].
const HANDLERS: &[(&str, &str)] = &[
    (
        "Increase",
        "[ { read: t, key: message.a, as: r }, { update: t, key: message.a, set: { v: r.v + 1 } } ]",
    ),
    (
        "Move",
        "[ { read: t, key: message.a, as: r }, { let: { x: r.v } }, { update: t, key: message.b, set: { v: x } } ]",
    ),
    (
        "Decide",
        "[ { read: t, key: message.a, as: r }, { if: r.v > -5, then: [ { update: t, key: message.b, set: { v: row.v + 1 } } ] } ]",
    ),
    (
        "Sweep",
        "[ { scan: t, as: all }, { for_each: all, as: r, do: [ { update: t, key: r.k, set: { v: r.v + 1 } } ] } ]",
    ),
    ("Look", "[ { read: t, key: message.a, as: r }, { wait: 3ms }, { read: t, key: message.b, as: q } ]"),
    (
        "Add",
        "[ { update: t, key: message.a, set: { v: row.v + 1 } }, { update: t, key: message.b, set: { v: row.v - 1 } } ]",
    ),
    ("Set", "[ { update: t, key: message.a, set: { v: 7 } }, { update: t, key: message.b, set: { v: 8 } } ]"),
    (
        "Tally",
        "[ { update: t, key: message.a, set: { v: row.v + 1 } }, { read: t, key: message.b, as: r }, { wait: 5ms }, { update: t, key: message.a, set: { v: row.v + 1 } } ]",
    ),
    ("Watch", "[ { read: t, key: message.a, as: r }, { wait: 15ms }, { read: t, key: message.b, as: q } ]"),
    (
        "Make",
        "[ { read: t, key: message.a + 10, as: r }, { if: '!r.exists', then: [ { upsert: t, key: message.a + 10, set: { v: 1 } } ] } ]",
    ),
];

/// What an attempt does with what it has read.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Computes,
    /// Each row from what it read of that row.
    ComputesEach,
    Decides,
    Nothing,
}

#[derive(Clone, Debug)]
struct Intent {
    handler: usize,
    in_transaction: bool,
    at_us: u64,
    rows: (u8, u8),
}

impl Intent {
    fn message(&self) -> String {
        format!("{}{}", if self.in_transaction { "Tx" } else { "" }, HANDLERS[self.handler].0)
    }
}

fn scenario(isolation: &str, intents: &[Intent]) -> String {
    let mut names: Vec<String> = intents.iter().map(Intent::message).collect();
    names.sort();
    names.dedup();
    let mut text = format!(
        "scenario: random\nrun: {{ horizon: 10s, drain: 10s }}\nmessages:\n{}services:\n  s:\n    workers: 50\n    store:\n      latency: {{ read: 2ms, write: 2ms, commit: 2ms }}\n      isolation: {isolation}\n      tables: {{ t: {{ key: k, columns: {{ v: int }}, rows: [ {{ k: 1..3, v: 5 }} ] }} }}\n    handlers:\n",
        names
            .iter()
            .map(|name| format!("  {name}: {{ kind: command, fields: {{ a: int, b: int }} }}\n"))
            .collect::<String>(),
    );
    for name in &names {
        let plain = name.strip_prefix("Tx").unwrap_or(name);
        let (_, steps) = HANDLERS.iter().find(|(handler, _)| *handler == plain).unwrap();
        text += &match plain == name {
            true => format!("      {name}: {steps}\n"),
            false => format!(
                "      {name}: [ {{ transaction: {steps}, retry: {{ attempts: 3, delay: 1ms }} }} ]\n"
            ),
        };
    }
    text += "clients:\n";
    for (number, intent) in intents.iter().enumerate() {
        let name = intent.message();
        let (a, b) = intent.rows;
        text += &format!(
            "  c{number}: {{ arrivals: {{ times: [{}us] }}, do: [ {{ call: s.{name}, with: {{ a: {a}, b: {b} }} }} ] }}\n",
            intent.at_us,
        );
    }
    text + "network: { default: { latency: 500us } }\n"
}

/// One thing that happened to a row.
#[derive(Clone, Copy, Debug)]
struct Touch {
    attempt: usize,
    row: RowName,
    version: u64,
    writes: bool,
}

/// One attempt, whole.
struct Attempt {
    kind: Kind,
    adds: bool,
    in_transaction: bool,
    /// Reads that no commit has followed.
    reads: Vec<Touch>,
    /// What was read last, of which all that follows is made; and of each row.
    premise: Option<Touch>,
    of_row: BTreeMap<RowName, Touch>,
    is_stale_told: bool,
}

/// Keeps the whole history.
struct Judge<'m> {
    model: &'m Model,
    attempts: Vec<Attempt>,
    by_slot: BTreeMap<u32, usize>,
    /// What counts, commits in the order of time.
    history: Vec<Touch>,
    lost: u64,
    stale: u64,
}

impl Judge<'_> {
    fn committed(&mut self, slot: u32, row: RowName, version: u64) {
        let attempt = self.by_slot[&slot];
        let of = &self.attempts[attempt];
        let each = of.kind == Kind::ComputesEach;
        if let Some(premise) = if each { of.of_row.get(&row).copied() } else { of.premise } {
            let is_replaced = self.history.iter().any(|touch| {
                touch.writes
                    && touch.row == premise.row
                    && touch.attempt != attempt
                    && touch.version > premise.version
            });
            let of = &mut self.attempts[attempt];
            match of.kind {
                Kind::Computes | Kind::ComputesEach if is_replaced && premise.row == row => self.lost += 1,
                Kind::Computes | Kind::Decides if is_replaced && !of.is_stale_told => {
                    of.is_stale_told = true;
                    self.stale += 1;
                }
                _ => {}
            }
        }
        self.history.push(Touch { attempt, row, version, writes: true });
    }

    /// Strongly connected components of two attempts or more, of all pairs that conflict.
    fn cycles(&self) -> u64 {
        let count = self.attempts.len();
        let mut before = vec![vec![false; count]; count];
        for (x, y) in self.history.iter().flat_map(|x| self.history.iter().map(move |y| (x, y))) {
            let both_add = self.attempts[x.attempt].adds && self.attempts[y.attempt].adds;
            let conflict = x.row == y.row
                && x.attempt != y.attempt
                && (x.writes || y.writes)
                && !(x.writes && y.writes && both_add);
            let first = match (x.writes, y.writes) {
                (true, false) => x.version <= y.version,
                _ => x.version < y.version,
            };
            if conflict && first {
                before[x.attempt][y.attempt] = true;
            }
        }
        for via in 0..count {
            for from in 0..count {
                if before[from][via] {
                    let onward = before[via].clone();
                    before[from].iter_mut().zip(onward).for_each(|(to, way)| *to |= way);
                }
            }
        }
        let is_first = |attempt: &usize| {
            let mut others = (0..count).filter(|other| before[*attempt][*other] && before[*other][*attempt]);
            others.clone().any(|other| other != *attempt) && others.next() == Some(*attempt)
        };
        (0..count).filter(is_first).count() as u64
    }
}

impl Observer for Judge<'_> {
    fn record(&mut self, _: Nanos, _: &Record) {}

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, _: Nanos, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptBegun { served: Served::Intent { .. }, .. } => {}
            Deed::AttemptBegun { attempt, handler, .. } => {
                let name = self.model.handlers[handler.index()].name.rsplit('/').next().unwrap();
                let plain = name.strip_prefix("Tx").unwrap_or(name);
                self.by_slot.insert(attempt, self.attempts.len());
                self.attempts.push(Attempt {
                    kind: match plain {
                        "Increase" | "Move" => Kind::Computes,
                        "Sweep" => Kind::ComputesEach,
                        "Decide" | "Make" => Kind::Decides,
                        _ => Kind::Nothing,
                    },
                    adds: matches!(plain, "Add" | "Tally" | "Decide"),
                    in_transaction: plain != name,
                    reads: Vec::new(),
                    premise: None,
                    of_row: BTreeMap::new(),
                    is_stale_told: false,
                });
            }
            // What it wrote itself and has not committed is no version.
            Deed::Read { version: Version { number: UNCOMMITTED, .. }, .. } => {}
            Deed::Read { attempt, row, version, .. } if self.by_slot.contains_key(&attempt) => {
                let number = self.by_slot[&attempt];
                let touch = Touch { attempt: number, row, version: version.number, writes: false };
                self.attempts[number].reads.push(touch);
                self.attempts[number].premise = Some(touch);
                self.attempts[number].of_row.insert(row, touch);
            }
            Deed::Committed { attempt, row, version, .. } => self.committed(attempt, row, version),
            Deed::TransactionEnded { attempt, committed } => {
                let of = &mut self.attempts[self.by_slot[&attempt]];
                let reads = std::mem::take(&mut of.reads);
                if committed {
                    self.history.extend(reads);
                } else if of.in_transaction {
                    of.premise = None;
                    of.of_row.clear();
                }
            }
            Deed::AttemptEnded { attempt, outcome } => {
                if let Some(number) = self.by_slot.remove(&attempt)
                    && outcome == Outcome::Well
                {
                    self.history.append(&mut self.attempts[number].reads);
                }
            }
            _ => {}
        }
    }
}

/// One of so many intents, which follow one another closely.
fn intent(count: usize) -> impl Strategy<Value = Intent> {
    let intents = (0..HANDLERS.len(), any::<bool>(), 0..2 * count as u64, (1..=3_u8, 1..=3_u8));
    intents.prop_map(|(handler, in_transaction, at, rows)| Intent {
        handler,
        in_transaction,
        at_us: 1_000_000 + at * 700,
        rows,
    })
}

/// Runs the intents under both, and compares what they found.
fn compare(isolation: &str, intents: &[Intent]) -> Result<[u64; 3], TestCaseError> {
    let text = scenario(isolation, intents);
    let model = model_of_text(&text);
    let judge = Judge {
        model: &model,
        attempts: Vec::new(),
        by_slot: BTreeMap::new(),
        history: Vec::new(),
        lost: 0,
        stale: 0,
    };
    let mut both = (Isolation::new(&model), judge);
    observe(&model, 0, &mut both);
    let found = both.0.findings().map(|(_, finding)| finding.count);
    prop_assert_eq!(found, [both.1.lost, both.1.stale, both.1.cycles()], "{}", text);
    prop_assert_eq!(both.0.remembered(), (0, 0), "{}", text);
    if isolation == "serializable" && intents.iter().all(|intent| intent.in_transaction) {
        prop_assert_eq!(found, [0, 0, 0], "all in one serializable transaction\n{}", text);
    }
    Ok(found)
}

#[test]
fn the_oracle_agrees_with_one_who_keeps_everything() {
    const CASES: u32 = 400;
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let isolation = prop::sample::select(vec!["read_committed", "snapshot", "serializable"]);
    let intents = prop_oneof![
        3 => prop::collection::vec(intent(13), 2..14),
        1 => prop::collection::vec(intent(60), 30..60),
    ];
    let wrong = Cell::new([0_u32; 3]);
    let outcome = runner.run(&(isolation, intents), |(isolation, intents)| {
        let found = compare(isolation, &intents)?;
        let mut counts = wrong.get();
        counts.iter_mut().zip(found).for_each(|(count, found)| *count += u32::from(found > 0));
        wrong.set(counts);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(wrong.get().iter().all(|count| *count > CASES / 10), "{:?} of {CASES} have some", wrong.get());
}

/// The third reads the row between two additions of the second, while the first is forgotten.
#[test]
fn who_reads_between_two_additions_of_one_attempt_has_no_place_in_the_order() {
    let intent = |handler: &str, at_us| Intent {
        handler: HANDLERS.iter().position(|(name, _)| *name == handler).unwrap(),
        in_transaction: false,
        at_us,
        rows: (1, 1),
    };
    let intents = [intent("Look", 1_000_000), intent("Add", 1_005_600), intent("Look", 1_007_000)];
    let found = compare("snapshot", &intents).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(found, [0, 0, 1]);
}
