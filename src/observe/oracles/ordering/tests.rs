//! The oracle on deeds made up at random, against the definitions said again over the whole history; and
//! what it remembers after very many.

use super::*;
use crate::model::{Op, RowVerb, compile};
use crate::scenario::open;
use crate::world::deed::Part;
use crate::world::identity::Cause;
use crate::world::record::{Outcome, Settlement};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Two producers; two groups that share, and one whose two instances take everything.
const SCENARIO: &str = "
scenario: deeds
messages:
  Go: { kind: command }
  Fact: { kind: integration, key: k, fields: { k: int, n: int } }
brokers: { b: { preset: kafka } }
topics: { facts: { messages: [Fact] } }
services:
  one: { handlers: { Go: [ { publish: Fact, with: { k: 1, n: 1 } } ] } }
  other: { handlers: { Go: [ { publish: Fact, with: { k: 1, n: 1 } } ] } }
  rows:
    store: { tables: { things: { key: k, columns: { a: int, b: int } } } }
    consumes: { facts: {} }
    handlers:
      Fact:
        - { upsert: things, key: message.k, set: { a: message.n } }
        - { upsert: things, key: message.k, set: { a: row.a + message.n } }
        - { upsert: things, key: message.k, set: { a: message.n, b: message.n } }
        - { delete: things, key: message.k }
  shared: { consumes: { facts: {} }, handlers: { Fact: [ stop ] } }
  each: { instances: 2, consumes: { facts: { group: per_instance } }, handlers: { Fact: [ stop ] } }
clients:
  c: { arrivals: { times: [1s] }, do: [ { call: one.Go }, { call: other.Go } ] }
";

fn model() -> Model {
    let (_, mistakes, scenario) = open::read_text("deeds.yaml", SCENARIO, &[]);
    let scenario = scenario.unwrap_or_else(|| panic!("{:?}", mistakes.list));
    let (sources, ..) = open::read_text("deeds.yaml", SCENARIO, &[]);
    compile::compile(&scenario, &sources)
}

/// Steps of the handler of `rows`.
const ADD: usize = 1;
const SET_BOTH: usize = 2;
const DELETE: usize = 3;

/// Something that happened, for the definitions.
#[derive(Clone, Debug)]
enum Fact {
    Placed(u64),
    Arrived(u64, usize),
    /// No longer on its way to one.
    Left(u64, usize),
    Committed {
        by: Option<(u64, usize)>,
        row: u64,
        old: Option<[Word; 2]>,
        new: Option<[Word; 2]>,
        steps: Vec<usize>,
    },
}

#[derive(Clone, Copy, Debug)]
struct Held {
    obligation: u64,
    pending: bool,
    attempts: u32,
}

/// Makes deeds of choices, all of them such as the world could tell.
struct Play<'m> {
    model: &'m Model,
    oracle: OrderOracle<'m>,
    pcs: Vec<Pc>,
    table: TableId,
    /// Words of a row: key, a, b.
    positions: [usize; 3],
    now: Nanos,
    /// Producer, key, and what the deeds call it.
    obligations: Vec<(usize, u64, u64)>,
    /// By slot.
    messages: Vec<Option<Held>>,
    attempts: Vec<Option<(u32, usize)>>,
    rows: [Option<[Word; 2]>; 2],
    version: u64,
    facts: Vec<Fact>,
}

/// A free slot, or a new one.
fn free<T>(slots: &mut Vec<Option<T>>) -> usize {
    slots.iter().position(Option::is_none).unwrap_or_else(|| {
        slots.push(None);
        slots.len() - 1
    })
}

impl<'m> Play<'m> {
    fn new(model: &'m Model) -> Self {
        let table = TableId::new(model.tables.iter().position(|table| table.name == "rows.things").unwrap());
        let spec = &model.tables[table.index()];
        let position = |name: &str| spec.column_names.iter().position(|column| column == name).unwrap();
        let pcs = (0..).zip(&model.code).filter(|(_, op)| matches!(op, Op::Row(_)));
        let play = Self {
            model,
            oracle: OrderOracle::new(model),
            pcs: pcs.map(|(pc, _)| pc).collect(),
            table,
            positions: ["k", "a", "b"].map(position),
            now: 0,
            obligations: Vec::new(),
            messages: Vec::new(),
            attempts: Vec::new(),
            rows: [None; 2],
            version: 0,
            facts: Vec::new(),
        };
        assert_eq!(play.pcs.len(), 4);
        play
    }

    fn tell(&mut self, deed: Deed<'_>) {
        self.now += 1;
        self.oracle.deed(self.now, &deed);
    }

    /// Group and instance of each lane.
    fn lane(&self, lane: usize) -> (GroupId, u32) {
        let of = |name: &str| {
            let groups = self.model.groups.iter();
            let mut services = groups.map(|group| &self.model.services[group.service.index()]);
            let group = services.position(|service| service.name == name).unwrap();
            let group = GroupId::new(group);
            (group, self.model.groups[group.index()].member.first_instance.0)
        };
        match lane {
            0 => of("rows"),
            1 => of("shared"),
            _ => {
                let (group, first) = of("each");
                (group, first + lane as u32 - 2)
            }
        }
    }

    fn begin(&mut self, attempt: u32, instance: u32, served: Served, message: u32) {
        let cause = Cause::root(0, 1, 1);
        self.tell(Deed::AttemptBegun { attempt, handler: HandlerId(0), instance, cause, served, message });
    }

    fn end(&mut self, attempt: u32) {
        self.tell(Deed::AttemptEnded { attempt, outcome: Outcome::Well });
    }

    /// A message is made, for a new obligation or again for one that is alive.
    fn issue(&mut self, choice: usize, direct: bool) {
        let alive: Vec<u64> = self.messages.iter().flatten().map(|held| held.obligation).collect();
        let again = (choice % 5 == 0 && !alive.is_empty()).then(|| alive[choice / 5 % alive.len()]);
        let obligation = again.unwrap_or_else(|| {
            let number = self.obligations.len() as u64;
            self.obligations.push((choice % 2, (choice / 2 % 2) as u64, number));
            number
        });
        let (producer, key, name) = self.obligations[obligation as usize];
        let (slot, attempt) = (free(&mut self.messages), free(&mut self.attempts) as u32);
        self.messages[slot] = Some(Held { obligation, pending: !direct, attempts: 0 });
        self.begin(attempt, producer as u32, Served::Call, NONE);
        let way = if direct { Way::Direct } else { Way::Outbox };
        self.tell(Deed::Issued {
            attempt,
            message: slot as u32,
            kind: self.model.groups[0].deliveries[0].message,
            part: Part { site: SiteId(0), item: 0 },
            way,
            cause: Cause::root(0, 77, name),
            key: Some(key),
            topic: Some(TopicId(0)),
            pc: 0,
            payload: &[],
        });
        self.end(attempt);
        if direct {
            self.facts.push(Fact::Placed(obligation));
        }
    }

    fn held(&self, choice: usize, pending: bool) -> Option<usize> {
        let fitting = self.messages.iter().enumerate();
        let fitting = fitting.filter(|(_, held)| held.is_some_and(|held| held.pending == pending));
        let fitting: Vec<usize> = fitting.map(|(slot, _)| slot).collect();
        (!fitting.is_empty()).then(|| fitting[choice % fitting.len()])
    }

    fn enqueue(&mut self, choice: usize) {
        let Some(slot) = self.held(choice, true) else { return };
        self.tell(Deed::Enqueued { message: slot as u32 });
        let held = self.messages[slot].as_mut().unwrap();
        held.pending = false;
        self.facts.push(Fact::Placed(held.obligation));
    }

    fn take(&mut self, choice: usize) {
        let (Some(slot), lane) = (self.held(choice / 4, false), choice % 4) else { return };
        let attempt = free(&mut self.attempts);
        self.attempts[attempt] = Some((slot as u32, lane));
        let held = self.messages[slot].as_mut().unwrap();
        held.attempts += 1;
        self.facts.push(Fact::Arrived(held.obligation, lane));
        let (group, instance) = self.lane(lane);
        self.begin(attempt as u32, instance, Served::Delivery { group, delivery: 1 }, slot as u32);
    }

    fn running(&self, choice: usize) -> Option<usize> {
        let running = self.attempts.iter().enumerate().filter(|(_, attempt)| attempt.is_some());
        let running: Vec<usize> = running.map(|(slot, _)| slot).collect();
        (!running.is_empty()).then(|| running[choice % running.len()])
    }

    fn finish(&mut self, choice: usize) {
        let Some(attempt) = self.running(choice) else { return };
        let (message, _) = self.attempts[attempt].take().unwrap();
        self.messages[message as usize].as_mut().unwrap().attempts -= 1;
        self.end(attempt as u32);
    }

    /// Steps on a row in one transaction, by an attempt on a message or by anyone else.
    fn write(&mut self, choice: usize, steps: &[usize]) {
        let (number, value) = (choice % 2, (choice / 2 % 3) as Word);
        let running = self.running(choice / 6).filter(|_| choice % 7 != 0);
        let by = running.map(|attempt| {
            let (message, lane) = self.attempts[attempt].unwrap();
            (self.messages[message as usize].unwrap().obligation, lane)
        });
        let attempt = running.unwrap_or_else(|| free(&mut self.attempts)) as u32;
        if running.is_none() {
            self.begin(attempt, 0, Served::Call, NONE);
        }
        let row = RowName { table: self.table, key: number as u64, instance: NONE };
        let old = self.rows[number];
        let (mut new, mut done) = (old, Vec::new());
        for &step in steps {
            let next = match (step, new) {
                (DELETE, None) => continue,
                (DELETE, _) => None,
                (SET_BOTH, _) => Some([value, value]),
                (ADD, now) => now.or(Some([0, 0])).map(|[a, b]| [a + value, b]),
                (_, now) => now.or(Some([0, 0])).map(|[_, b]| [value, b]),
            };
            let seen = Version { number: self.version, writer: 1, exists: new.is_some() };
            let write = if next.is_none() { Write::Delete } else { Write::Put };
            let part = Part { site: SiteId(0), item: 0 };
            self.tell(Deed::Wrote { attempt, pc: self.pcs[step], part, row, seen, write });
            new = next;
            done.push(step);
        }
        if !done.is_empty() {
            let seen = Version { number: self.version, writer: 1, exists: old.is_some() };
            self.version += 1;
            let words = |row: Option<[Word; 2]>| {
                row.map(|[a, b]| {
                    let mut words = [0; 3];
                    for (position, word) in self.positions.into_iter().zip([number as Word, a, b]) {
                        words[position] = word;
                    }
                    words
                })
            };
            let (before, after) = (words(old), words(new));
            let (version, old_version) = (self.version, seen);
            self.tell(Deed::Committed {
                attempt,
                row,
                old: before.as_ref().map(|words| &words[..]),
                old_version,
                new: after.as_ref().map(|words| &words[..]),
                version,
            });
            self.rows[number] = new;
            self.facts.push(Fact::Committed { by, row: number as u64, old, new, steps: done });
        }
        self.tell(Deed::TransactionEnded { attempt, committed: true });
        if running.is_none() {
            self.end(attempt);
        }
    }

    fn settle(&mut self, choice: usize) {
        let (Some(slot), lane) = (self.held(choice / 2, false), choice % 2) else { return };
        let (message, group) = (slot as u32, self.lane(lane).0);
        self.oracle.record(self.now, &Record::Settled { group, message, how: Settlement::Acknowledged });
        self.facts.push(Fact::Left(self.messages[slot].unwrap().obligation, lane));
    }

    fn free(&mut self, choice: usize) {
        let idle = self.messages.iter().enumerate();
        let idle = idle.filter(|(_, held)| held.is_some_and(|held| held.attempts == 0));
        let idle: Vec<usize> = idle.map(|(slot, _)| slot).collect();
        let Some(&slot) = idle.get(choice % idle.len().max(1)) else { return };
        let Held { obligation, pending, .. } = self.messages[slot].take().unwrap();
        self.tell(Deed::Freed { message: slot as u32 });
        let is_copy = |held: &Held| held.obligation == obligation && !held.pending;
        if !pending && !self.messages.iter().flatten().any(is_copy) {
            (0..4).for_each(|lane| self.facts.push(Fact::Left(obligation, lane)));
            // With its last copy it is forgotten: made again, it would be another one.
            self.messages.iter_mut().flatten().filter(|held| held.obligation == obligation).for_each(
                |held| {
                    held.obligation = self.obligations.len() as u64;
                },
            );
            self.obligations.push(self.obligations[obligation as usize]);
        }
    }

    fn choose(&mut self, (what, choice): (u8, usize)) {
        match what {
            0 => self.issue(choice, true),
            1 => self.issue(choice, false),
            2 => self.enqueue(choice),
            3 | 4 => self.take(choice),
            5 => self.write(choice, &[choice / 3 % 4]),
            6 => self.write(choice, &[choice / 3 % 3, choice / 9 % 3]),
            7 => self.finish(choice),
            8 => self.settle(choice),
            _ => self.free(choice),
        }
    }
}

/// The definitions over the whole history: arrived, applied, regressed, and messages together.
fn by_definition(facts: &[Fact], obligations: &[(usize, u64, u64)]) -> [u64; 4] {
    let mut order: Vec<u64> = Vec::new();
    for fact in facts {
        if let Fact::Placed(obligation) = fact
            && !order.contains(obligation)
        {
            order.push(*obligation);
        }
    }
    let place = |obligation: u64| order.iter().position(|placed| *placed == obligation).unwrap();
    let domain = |obligation: u64| {
        let (producer, key, _) = obligations[obligation as usize];
        (producer, key)
    };
    let is_later = |one: u64, than: u64| domain(one) == domain(than) && place(one) > place(than);
    let turns = |turns: Vec<(u64, usize)>| {
        let mut firsts: Vec<(u64, usize)> = Vec::new();
        let mut late = 0;
        for turn in turns {
            if !firsts.contains(&turn) {
                late += firsts.iter().any(|(met, lane)| *lane == turn.1 && is_later(*met, turn.0)) as u64;
                firsts.push(turn);
            }
        }
        late
    };
    let arrivals = facts.iter().filter_map(|fact| match *fact {
        Fact::Arrived(obligation, lane) => Some((obligation, lane)),
        _ => None,
    });
    let changes = facts.iter().filter_map(|fact| match fact {
        Fact::Committed { by: Some(by), old, new, .. } if old != new => Some(*by),
        _ => None,
    });
    let (arrivals, changes) = (arrivals.collect(), changes.collect());
    [turns(arrivals), turns(changes), regressions(facts, &is_later), together(facts, &domain)]
}

/// Each column with all that went into its present value, since what was there was last replaced.
fn regressions(facts: &[Fact], is_later: &impl Fn(u64, u64) -> bool) -> u64 {
    const THERE: usize = 2;
    // (row, column): who, and whether it was an addition.
    let mut present: BTreeMap<(u64, usize), Vec<(Option<u64>, bool)>> = BTreeMap::new();
    let mut regressions = 0;
    for fact in facts {
        let Fact::Committed { by, row, old, new, steps } = fact else { continue };
        let by = by.map(|(obligation, _)| obligation);
        let is_flip = old.is_some() != new.is_some();
        let mut is_regression = false;
        for column in 0..3 {
            let sets = steps.iter().filter(|step| column == 0 || **step == SET_BOTH);
            let sets: Vec<usize> = sets.copied().collect();
            if column == THERE && !is_flip || column < THERE && !is_flip && sets.is_empty() {
                continue;
            }
            let is_addition = !is_flip && sets.iter().all(|step| *step == ADD);
            let is_same =
                !is_flip && old.is_some_and(|old| new.is_some_and(|new| old[column] == new[column]));
            if is_addition && is_same {
                continue;
            }
            let parts = present.entry((*row, column)).or_default();
            if let Some(by) = by.filter(|_| !is_same) {
                is_regression |= parts.iter().any(|(other, added)| {
                    other.is_some_and(|other| is_later(other, by)) && !(is_addition && *added)
                });
            }
            if !is_addition && !is_same {
                parts.clear();
            }
            parts.push((by, is_addition));
        }
        regressions += is_regression as u64;
    }
    regressions
}

/// Messages that were on their way to one together with another of their key.
fn together(facts: &[Fact], domain: &impl Fn(u64) -> (usize, u64)) -> u64 {
    let mut on_the_way: Vec<(u64, usize)> = Vec::new();
    let mut met = BTreeSet::new();
    for fact in facts {
        match *fact {
            Fact::Placed(obligation) => {
                for lane in 0..4 {
                    if on_the_way.contains(&(obligation, lane)) {
                        continue;
                    }
                    let others = on_the_way.iter();
                    let others =
                        others.filter(|(other, of)| *of == lane && domain(*other) == domain(obligation));
                    let others: Vec<(u64, usize)> = others.copied().collect();
                    if !others.is_empty() {
                        met.insert((obligation, lane));
                        met.extend(others);
                    }
                    on_the_way.push((obligation, lane));
                }
            }
            Fact::Left(obligation, lane) => on_the_way.retain(|one| *one != (obligation, lane)),
            _ => {}
        }
    }
    met.len() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_agrees_with_the_definitions(choices in prop::collection::vec((0..10u8, 0..10_000usize), 1..120)) {
        let model = MODEL.with(|model| model.clone());
        let mut play = Play::new(&model);
        choices.into_iter().for_each(|choice| play.choose(choice));
        let expected = by_definition(&play.facts, &play.obligations);
        let judged = play.oracle.finish();
        let [arrived, applied, regressed, _] = judged.findings.map(|(_, finding)| finding);
        let found = [arrived.count, applied.count, regressed.count, regressed.exposures];
        prop_assert_eq!(found, expected, "arrived, applied, regressed, together in {:#?}", play.facts);
        prop_assert!(arrived.count <= arrived.of);
    }
}

thread_local! {
    static MODEL: Model = model();
}

/// Forty thousand messages of four keys, of which a few are alive at a time: what is remembered does not grow.
#[test]
fn memory_is_flat() {
    let model = model();
    let mut play = Play::new(&model);
    let mut most = [0; 3];
    for round in 0..20_000 {
        for key in 0..2 {
            play.issue(1 + 2 * key + round % 2, true);
        }
        for choice in 0..4 {
            play.take(4 * (choice + round));
            play.write(1 + choice + round, &[choice % 4]);
        }
        (0..4).for_each(|_| play.finish(0));
        play.settle(2 * round);
        let held = play.oracle.held();
        most = [0, 1, 2].map(|at| held[at].max(most[at]));
        while play.messages.iter().flatten().count() > 5 {
            play.free(round);
        }
        play.facts.clear();
    }
    assert!(most[0] > 1 && most[2] > 0, "{most:?}: it has to remember something");
    assert!(most[0] <= 8 && most[1] <= 4 && most[2] <= 2, "{most:?}");
}

/// A key that is never without a message, and whose messages write one new row each.
#[test]
fn a_key_that_never_rests_forgets_its_rows() {
    let model = model();
    let mut play = Play::new(&model);
    let upsert = play.pcs[SET_BOTH];
    assert_eq!(
        model.row_steps[writes::step_at(&model, upsert, play.table).unwrap() as usize].verb,
        RowVerb::Upsert
    );
    for round in 0..10_000u64 {
        // The choice makes messages of one producer and one key, none of them made again.
        play.issue(4, true);
        play.take(4);
        let attempt = play.running(0).unwrap() as u32;
        let row = RowName { table: play.table, key: round, instance: NONE };
        let (seen, words) = (Version { number: 0, writer: 0, exists: false }, [round; 3]);
        let part = Part { site: SiteId(0), item: 0 };
        play.tell(Deed::Wrote { attempt, pc: upsert, part, row, seen, write: Write::Put });
        let new = Some(&words[..]);
        play.tell(Deed::Committed { attempt, row, old: None, old_version: seen, new, version: round });
        play.finish(0);
        if round > 2 {
            let oldest = play.messages.iter().enumerate();
            let oldest = oldest.filter_map(|(slot, held)| held.map(|held| (held.obligation, slot)));
            let (_, slot) = oldest.min().unwrap();
            play.messages[slot] = None;
            play.tell(Deed::Freed { message: slot as u32 });
        }
        assert!(play.oracle.held()[2] <= 200, "{:?} after {round}", play.oracle.held());
    }
    assert!(play.oracle.held()[2] > 1, "some of them are still in question");
}

/// What is issued again keeps its place while the message whose handling issued it is alive.
#[test]
fn what_is_made_again_keeps_its_place() {
    let model = model();
    let mut play = Play::new(&model);
    let (group, instance) = play.lane(0);
    let served = Served::Delivery { group, delivery: 1 };
    let issue = |play: &mut Play<'_>, parent: u32, message: u32, number: u64| {
        play.begin(0, instance, if parent == NONE { Served::Call } else { served }, parent);
        play.tell(Deed::Issued {
            attempt: 0,
            message,
            kind: model.groups[0].deliveries[0].message,
            part: Part { site: SiteId(0), item: 0 },
            way: Way::Direct,
            cause: Cause::root(0, 77, number),
            key: Some(5),
            topic: Some(TopicId(0)),
            pc: 0,
            payload: &[],
        });
        play.end(0);
    };
    let take = |play: &mut Play<'_>, message: u32| {
        play.begin(0, instance, served, message);
        play.end(0);
    };
    // 0 is handled and makes 1, which is lost; then comes 2, and 0 is handled again.
    issue(&mut play, NONE, 0, 10);
    issue(&mut play, 0, 1, 11);
    play.tell(Deed::Freed { message: 1 });
    issue(&mut play, NONE, 1, 12);
    take(&mut play, 1);
    issue(&mut play, 0, 2, 11);
    take(&mut play, 2);
    (0..3).for_each(|message| play.tell(Deed::Freed { message }));
    assert_eq!(play.oracle.held(), [0; 3]);
    let [(_, arrived), ..] = play.oracle.finish().findings;
    assert_eq!((arrived.count, arrived.of, arrived.unsettled), (1, 3, 0));
    assert!(
        arrived.first.unwrap().what.starts_with("facts → rows, key 5: Fact of 5ns came after Fact of 9ns")
    );
}
