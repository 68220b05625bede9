//! What the oracles know, encoded: whoever knows the same says the same, whatever slots it was told of; who is
//! cloned goes on like the original; and who missed something says something else.

use super::exposures::as_written;
use super::isolation::{model_of, observe};
use eventflow::kernel::encoder::{Encoder, Names};
use eventflow::kernel::ids::{ClientId, TableId};
use eventflow::kernel::time::Nanos;
use eventflow::model::{Model, NONE};
use eventflow::observe::oracles::Oracles;
use eventflow::observe::oracles::isolation::Isolation;
use eventflow::observe::oracles::lineage::Lineage;
use eventflow::observe::oracles::ordering::OrderOracle;
use eventflow::observe::oracles::sessions::Sessions;
use eventflow::observe::promise::invariants::Invariants;
use eventflow::observe::promise::views::Views;
use eventflow::world::deed::{Deed, Served};
use eventflow::world::record::{Observer, Record};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Scenarios with every oracle in use: views, caches, sessions, orders, crashes, redeliveries, an undo.
const SCENARIOS: [&str; 12] = [
    "oracles/rough.yaml",
    "oracles/sessions/busy.yaml",
    "oracles/sessions/two-caches.yaml",
    "oracles/isolation/busy.yaml",
    "oracles/isolation/stale-cache.yaml",
    "oracles/ordering/price_redelivered.yaml",
    "oracles/ordering/shipped.yaml",
    "oracles/sessions/two-replicas.yaml",
    "oracles/sessions/lagging-view.yaml",
    "../scenarios/saga/dirty-read.yaml",
    "../scenarios/stores/flush-later.yaml",
    "../scenarios/cqrs/replay-into-empty-view.yaml",
];

/// So many deeds are looked at one by one.
const MOST_COMPARED: u64 = 200;
/// What is said after each of so many is told apart.
const MOST_TOLD_APART: u64 = 400;

fn model(name: &str) -> Model {
    model_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name))
}

fn words(oracles: &Oracles) -> Vec<u64> {
    let mut encoder = Encoder::default();
    oracles.encode(&mut encoder);
    encoder.into_words()
}

/// Calls the slots of one kind otherwise, and none twice: who comes next takes over nobody's room.
#[derive(Default)]
struct Slots {
    now: HashMap<u32, u32>,
    used: u32,
}

impl Slots {
    fn begin(&mut self, slot: u32) {
        self.used += 1;
        self.now.insert(slot, self.used * 2);
    }

    fn end(&mut self, slot: u32) {
        self.now.remove(&slot);
    }

    fn change(&self, slot: &mut u32) {
        if *slot != NONE {
            *slot = self.now.get(slot).copied().unwrap_or(u32::MAX / 2);
        }
    }
}

/// Hands over what happens as if the world had used its slots in another order.
#[derive(Default)]
struct Renamed {
    attempts: Slots,
    messages: Slots,
    timers: Slots,
}

impl Renamed {
    fn deed<'a>(&mut self, deed: &Deed<'a>) -> Deed<'a> {
        match *deed {
            Deed::AttemptBegun { attempt, .. } => self.attempts.begin(attempt),
            Deed::Issued { message, .. } => self.messages.begin(message),
            Deed::TimerSet { timer, .. } | Deed::SagaMoved { timer, .. } => self.timers.begin(timer),
            _ => {}
        }
        let mut renamed = *deed;
        match &mut renamed {
            Deed::AttemptBegun { attempt, message, served, .. } => {
                self.attempts.change(attempt);
                self.messages.change(message);
                if let Served::Timer { timer } = served {
                    self.timers.change(timer);
                }
            }
            Deed::Issued { attempt, message, .. } => {
                self.attempts.change(attempt);
                self.messages.change(message);
            }
            Deed::TimerSet { attempt, timer, .. } => {
                self.attempts.change(attempt);
                self.timers.change(timer);
            }
            Deed::Enqueued { message }
            | Deed::Unsaid { message }
            | Deed::Freed { message }
            | Deed::Accepted { message, .. } => {
                self.messages.change(message);
            }
            Deed::TimerGone { timer } => self.timers.change(timer),
            Deed::Cut { attempt, .. }
            | Deed::DebtUnknown { attempt }
            | Deed::AttemptEnded { attempt, .. }
            | Deed::Made { attempt, .. }
            | Deed::Decided { attempt, .. }
            | Deed::Named { attempt, .. }
            | Deed::Asked { attempt, .. }
            | Deed::Read { attempt, .. }
            | Deed::Scanned { attempt, .. }
            | Deed::Wrote { attempt, .. }
            | Deed::Committed { attempt, .. }
            | Deed::TransactionEnded { attempt, .. }
            | Deed::Effected { attempt, .. }
            | Deed::EffectAsked { attempt, .. }
            | Deed::Told { attempt, .. } => self.attempts.change(attempt),
            Deed::SagaMoved { attempt, timer, before, .. } => {
                self.attempts.change(attempt);
                self.timers.change(timer);
                self.timers.change(before);
            }
            Deed::SagaStepRefused { attempt } => self.attempts.change(attempt),
            Deed::SagaEnded { .. }
            | Deed::SagaReturned { .. }
            | Deed::EffectGone { .. }
            | Deed::Cleared { .. }
            | Deed::Forgotten { .. }
            | Deed::Flushed { .. }
            | Deed::Durable { .. }
            | Deed::Replicated { .. } => {}
        }
        match *deed {
            Deed::AttemptEnded { attempt, .. } => self.attempts.end(attempt),
            Deed::Freed { message } => self.messages.end(message),
            Deed::TimerGone { timer } => self.timers.end(timer),
            _ => {}
        }
        renamed
    }

    fn record(&self, record: &Record) -> Record {
        let mut renamed = *record;
        if let Record::Settled { message, .. } | Record::Reopened { message, .. } = &mut renamed {
            self.messages.change(message);
        }
        renamed
    }
}

/// Two that are told the same, one of them by other slots, held against each other again and again.
struct Twins<'m> {
    one: Oracles<'m>,
    other: Oracles<'m>,
    renamed: Renamed,
    told: u64,
}

impl Observer for Twins<'_> {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.one.record(now, record);
        self.other.record(now, &self.renamed.record(record));
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.one.deed(now, deed);
        let renamed = self.renamed.deed(deed);
        self.other.deed(now, &renamed);
        self.told += 1;
        if self.told < MOST_COMPARED || self.told.is_multiple_of(997) {
            assert_eq!(words(&self.one), words(&self.other), "after {} deeds, the last {deed:?}", self.told);
        }
    }
}

#[test]
fn who_knows_the_same_says_the_same_whatever_slots_it_was_told_of() {
    for name in SCENARIOS {
        let model = model(name);
        let (one, other) = (Oracles::new(&model), Oracles::new(&model));
        let mut twins = Twins { one, other, renamed: Renamed::default(), told: 0 };
        observe(&model, 0, &mut twins);
        assert!(twins.told > 20 && twins.renamed.attempts.used > 2, "{name}: {} deeds", twins.told);
        assert_eq!(words(&twins.one), words(&twins.other), "{name}, at the end");
        assert_eq!(twins.one.finish().0, twins.other.finish().0, "{name}: found");
    }
}

/// One that is cloned in the middle, and its clone, told the same from then on.
struct Cloned<'m> {
    original: Oracles<'m>,
    clone: Option<Oracles<'m>>,
    after: u64,
    told: u64,
}

impl Observer for Cloned<'_> {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.original.record(now, record);
        self.clone.record(now, record);
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.original.deed(now, deed);
        self.clone.deed(now, deed);
        self.told += 1;
        if self.told == self.after {
            self.clone = Some(self.original.clone());
        }
    }
}

#[test]
fn a_clone_goes_on_like_the_original() {
    for name in SCENARIOS {
        let model = model(name);
        for after in [20, 170] {
            let mut both = Cloned { original: Oracles::new(&model), clone: None, after, told: 0 };
            observe(&model, 0, &mut both);
            let Some(clone) = both.clone else { continue };
            assert_eq!(words(&both.original), words(&clone), "{name}, cloned after {after} deeds");
            assert_eq!(both.original.finish().0, clone.finish().0, "{name}, cloned after {after} deeds");
        }
    }
}

/// One that is asked before and after a deed: who missed it would have said what it said before.
struct Missing<'m> {
    whole: Oracles<'m>,
    /// By kind of deed: how often it was told, and how often it made a difference.
    differences: HashMap<&'static str, (u64, u64)>,
}

impl Observer for Missing<'_> {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.whole.record(now, record);
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        let kind = match deed {
            Deed::AttemptBegun { .. } => "begun",
            Deed::AttemptEnded { .. } => "ended",
            Deed::Issued { .. } => "issued",
            Deed::Wrote { .. } => "wrote",
            _ => return self.whole.deed(now, deed),
        };
        if self.differences.values().map(|(told, _)| told).sum::<u64>() > MOST_COMPARED {
            return self.whole.deed(now, deed);
        }
        let before = words(&self.whole);
        self.whole.deed(now, deed);
        let of = self.differences.entry(kind).or_default();
        of.0 += 1;
        of.1 += u64::from(words(&self.whole) != before);
    }
}

#[test]
fn who_missed_something_says_something_else() {
    for name in SCENARIOS {
        let model = model(name);
        let mut missing = Missing { whole: Oracles::new(&model), differences: HashMap::new() };
        observe(&model, 0, &mut missing);
        for (kind, (told, different)) in missing.differences {
            assert!(told > 0 && told == different, "{name}: {different} of {told} times {kind}");
        }
    }
}

/// One judge alone, and how many different things it has said.
struct Alone<J> {
    judge: J,
    encode: fn(&J, &mut Encoder),
    said: HashSet<Vec<u64>>,
    told: u64,
}

impl<J: Observer> Observer for Alone<J> {
    fn record(&mut self, now: Nanos, record: &Record) {
        self.judge.record(now, record);
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.judge.deed(now, deed);
        self.told += 1;
        if self.told <= MOST_TOLD_APART {
            // Whoever is in a slot has a name.
            let names = || (1..200).collect();
            let names = Names { attempts: names(), messages: names(), timers: names() };
            let mut encoder = Encoder::with_names(names);
            (self.encode)(&self.judge, &mut encoder);
            self.said.insert(encoder.into_words());
        }
    }
}

fn different<J: Observer>(model: &Model, judge: J, encode: fn(&J, &mut Encoder)) -> usize {
    let mut alone = Alone { judge, encode, said: HashSet::new(), told: 0 };
    observe(model, 0, &mut alone);
    alone.said.len()
}

/// How many different states each judge tells apart, and all of them: who tells fewer has left something out.
#[test]
fn as_many_states_are_told_apart_as_there_were() {
    for name in SCENARIOS {
        let model = model(name);
        let clients: Vec<ClientId> = (0..model.clients.len()).map(ClientId::new).collect();
        let tables: Vec<TableId> = (0..model.tables.len()).map(TableId::new).collect();
        let states = [
            different(&model, Lineage::new(&model), Lineage::encode),
            different(&model, OrderOracle::new(&model), OrderOracle::encode),
            different(&model, Isolation::new(&model), Isolation::encode),
            different(&model, Sessions::new(&model, &clients, &tables), Sessions::encode),
            Invariants::new(&model).map_or(0, |judge| different(&model, judge, Invariants::encode)),
            Views::new(&model).map_or(0, |judge| different(&model, judge, Views::encode)),
            different(&model, Oracles::new(&model), Oracles::encode),
        ];
        as_written([], &format!("{name}: {states:?}"));
    }
}
