//! Sessions and staleness: who reads what after what, by a judge who keeps every version of every row, of every
//! view, and what each was made from.

use super::{Done, Trace, runner};
use eventflow::experiment::replication;
use eventflow::kernel::ids::{ClientId, TableId};
use eventflow::kernel::stream::StreamPlan;
use eventflow::kernel::time::Nanos;
use eventflow::model::{Model, NONE, Pc};
use eventflow::observe::oracles::sessions::Sessions;
use eventflow::world::Limits;
use eventflow::world::deed::{RowName, Served, Version};
use eventflow::world::record::Outcome;
use eventflow::world::store::UNCOMMITTED;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a shopper does, one thing after another.
#[derive(Clone, Copy, Debug)]
enum Act {
    Place(u8),
    /// Asks the owner.
    Look(u8),
    /// Asks the view.
    Show(u8),
    /// Asks the view, which asks the owner.
    ShowBoth(u8),
    /// Asks the owner twice, in one transaction.
    LookTwice(u8),
    Wait,
}

#[derive(Clone, Debug)]
struct Design {
    shoppers: Vec<(u64, Vec<Act>)>,
    isolation: &'static str,
    /// How the view is written.
    guarded: bool,
    outbox: bool,
    seed: u64,
}

impl Design {
    fn text(&self) -> String {
        let upsert = "{ upsert: orders, key: message.order, set: { v: row.v + 1 } }";
        let read = "{ read: orders, key: message.order, as: r }";
        let publish = |via: &str| {
            format!("{{ publish: Placed, via: {via}, with: {{ order: message.order, v: r.v }} }}")
        };
        let place = match self.outbox {
            true => format!(
                "{{ transaction: [ {upsert}, {read}, {} ], retry: {{ attempts: 3, delay: 1ms }} }}",
                publish("outbox")
            ),
            false => format!("{upsert}, {read}, {}", publish("direct")),
        };
        let guard = if self.guarded { "where: message.v > row.v, " } else { "" };
        let isolation = self.isolation;
        let everything = [Act::Place(1), Act::Look(1), Act::LookTwice(1), Act::Show(1), Act::ShowBoth(1)];
        let calls = everything.map(Act::step).join(", ");
        let mut text = format!(
            "scenario: reads
run: {{ horizon: 10s, drain: 10s }}
messages:
  Place: {{ kind: command, fields: {{ order: int }} }}
  Look: {{ kind: query, fields: {{ order: int }} }}
  LookTwice: {{ kind: query, fields: {{ order: int }} }}
  Show: {{ kind: query, fields: {{ order: int }} }}
  ShowBoth: {{ kind: query, fields: {{ order: int }} }}
  Placed: {{ kind: integration, key: order, fields: {{ order: int, v: int }} }}
brokers: {{ broker: {{ preset: rabbitmq-classic }} }}
topics: {{ placed: {{ messages: [ Placed ] }} }}
services:
  orders:
    workers: 20
    store: {{ isolation: {isolation}, tables: {{ orders: {{ key: order, columns: {{ order: int, v: int }} }} }} }}
    outbox: {{ every: 10ms }}
    handlers:
      Place: [ {place} ]
      Look: [ {{ read: orders, key: message.order, as: r }} ]
      LookTwice:
        - transaction: [ {{ read: orders, key: message.order, as: r }}, {{ wait: 20ms }}, {{ read: orders, key: message.order, as: q }} ]
  views:
    workers: 20
    store: {{ tables: {{ orders: {{ key: order, columns: {{ order: int, v: int }} }} }} }}
    consumes: {{ placed: {{}} }}
    handlers:
      Placed:
        - wait: {{ uniform: [0ms, 60ms] }}
        - {{ upsert: orders, key: message.order, {guard}set: {{ v: message.v }} }}
      Show: [ {{ read: orders, key: message.order, as: r }} ]
      ShowBoth:
        - {{ read: orders, key: message.order, as: r }}
        - {{ call: orders.Look, with: message }}
network: {{ default: {{ latency: {{ uniform: [200us, 4ms] }} }} }}
clients:
  nobody: {{ arrivals: {{ every: 1h }}, do: [ {calls} ] }}
"
        );
        for (number, (at, acts)) in self.shoppers.iter().enumerate() {
            let acts: Vec<String> = acts.iter().map(|act| act.step()).collect();
            let acts = acts.join(", ");
            text += &format!("  c{number}: {{ arrivals: {{ times: [{at}ms] }}, do: [ {acts} ] }}\n");
        }
        text
    }
}

impl Act {
    fn step(self) -> String {
        let call = |to: &str, order: u8| format!("{{ call: {to}, with: {{ order: {order} }} }}");
        match self {
            Act::Place(order) => call("orders.Place", order),
            Act::Look(order) => call("orders.Look", order),
            Act::Show(order) => call("views.Show", order),
            Act::ShowBoth(order) => call("views.ShowBoth", order),
            Act::LookTwice(order) => call("orders.LookTwice", order),
            Act::Wait => "{ wait: { uniform: [1ms, 50ms] } }".to_owned(),
        }
    }
}

fn design() -> impl Strategy<Value = Design> {
    let order = || 1u8..3;
    let act = prop_oneof![
        3 => order().prop_map(Act::Place),
        1 => order().prop_map(Act::Look),
        4 => order().prop_map(Act::Show),
        1 => order().prop_map(Act::ShowBoth),
        1 => order().prop_map(Act::LookTwice),
        2 => Just(Act::Wait),
    ];
    let shopper = (1_000u64..1_200, prop::collection::vec(act, 2..12));
    let isolation = prop::sample::select(vec!["read_committed", "snapshot"]);
    let shoppers = prop::collection::vec(shopper, 1..4);
    (shoppers, isolation, any::<bool>(), any::<bool>(), 1u64..1_000_000).prop_map(
        |(shoppers, isolation, guarded, outbox, seed)| Design { shoppers, isolation, guarded, outbox, seed },
    )
}

type RowAt = (RowName, u64);
type Known = BTreeMap<RowName, u64>;

/// A read that was made, and what it saw.
#[derive(Clone, Copy)]
struct Look {
    attempt: usize,
    place: (Pc, u64),
    begun: Nanos,
    /// Where among the deeds it set out.
    asked: usize,
    row: RowName,
    version: Version,
}

/// Everything, in the end.
#[derive(Default)]
struct History {
    /// What each attempt knows, and what each message was issued with.
    knows: BTreeMap<usize, Known>,
    carries: BTreeMap<usize, Known>,
    /// Messages of the transaction that an attempt has open.
    open: BTreeMap<usize, Vec<usize>>,
    /// Of each version of a row: what it was made from, and when.
    made_from: BTreeMap<RowAt, Known>,
    committed: BTreeMap<RowName, BTreeMap<u64, Nanos>>,
    asked: BTreeMap<(usize, (Pc, u64)), (Nanos, usize)>,
    looks: Vec<Look>,
    /// (attempt, row, version, when)
    writes: Vec<(usize, RowName, u64, Nanos)>,
    /// By obligation of the call: when it was told that all is well.
    told: BTreeMap<u64, Nanos>,
}

impl History {
    fn of(trace: &Trace<'_>) -> Self {
        let mut history = Self::default();
        for (place, &(now, done)) in trace.deeds.iter().enumerate() {
            history.take(trace, now, place, done);
        }
        history
    }

    fn take(&mut self, trace: &Trace<'_>, now: Nanos, at: usize, done: Done) {
        match done {
            Done::Begun { attempt } => {
                let message = trace.attempts[attempt].message;
                let known = message.and_then(|message| self.carries.get(&message).cloned());
                self.knows.insert(attempt, known.unwrap_or_default());
            }
            Done::Asked { attempt, place } => drop(self.asked.insert((attempt, place), (now, at))),
            Done::Read { attempt, place, row, version } if version.number != UNCOMMITTED => {
                let (begun, asked) = self.asked[&(attempt, place)];
                self.looks.push(Look { attempt, place, begun, asked, row, version });
                self.sees(row, version).into_iter().for_each(|known| self.learn(trace, attempt, known));
            }
            Done::Issued { message } => {
                let attempt = trace.messages[message].attempt;
                self.carries.insert(message, self.knows[&attempt].clone());
                self.open.entry(attempt).or_default().push(message);
            }
            Done::Committed { attempt: Some(attempt), row, version, .. } => {
                self.committed.entry(row).or_default().insert(version, now);
                let earlier = self.made_from.range((row, 0)..(row, version)).next_back();
                let mut sources = earlier.map_or(Known::new(), |(_, sources)| sources.clone());
                let known = self.knows[&attempt].iter();
                let same_key = known.filter(|(of, _)| of.key == row.key && of.table != row.table);
                // What was made from this row is no source of it.
                let is_made_of_it =
                    |of: &RowAt| self.made_from.get(of).is_some_and(|from| from.contains_key(&row));
                let same_key = same_key.map(|(of, at)| (*of, *at)).filter(|of| !is_made_of_it(of));
                sources.extend(same_key);
                self.made_from.insert((row, version), sources);
                self.writes.push((attempt, row, version, now));
                self.learn(trace, attempt, (row, version));
                for message in self.open.get(&attempt).into_iter().flatten() {
                    let known = self.carries.get_mut(message).expect("it was issued");
                    known.insert(row, version);
                }
            }
            Done::TransactionEnded { attempt, .. } => drop(self.open.remove(&attempt)),
            Done::Told { attempt, obligation, outcome: Outcome::Well }
                if matches!(trace.attempts[attempt].served, Served::Intent { .. }) =>
            {
                self.told.entry(obligation).or_insert(now);
            }
            _ => {}
        }
    }

    /// The row itself, and what it was made from.
    fn sees(&self, row: RowName, version: Version) -> Vec<RowAt> {
        let sources = self.made_from.get(&(row, version.number)).into_iter().flatten();
        let mut seen: Vec<RowAt> = sources.map(|(&of, &at)| (of, at)).collect();
        seen.extend(version.exists.then_some((row, version.number)));
        seen
    }

    /// An attempt, and all who wait for its answer, come to know a version.
    fn learn(&mut self, trace: &Trace<'_>, attempt: usize, (row, version): RowAt) {
        let known = self.knows.get_mut(&attempt).expect("it has begun").entry(row).or_insert(version);
        *known = (*known).max(version);
        let of = &trace.attempts[attempt];
        if let (Served::Call, Some(message)) = (of.served, of.message) {
            self.learn(trace, trace.messages[message].attempt, (row, version));
        }
    }
}

/// Whose session an attempt belongs to, and the call of the session that it serves.
fn session_of(trace: &Trace<'_>, attempt: usize) -> Option<(usize, u64)> {
    let of = &trace.attempts[attempt];
    let (Served::Call, Some(message)) = (of.served, of.message) else { return None };
    let issuer = trace.messages[message].attempt;
    match trace.attempts[issuer].served {
        Served::Intent { .. } => Some((issuer, of.obligation)),
        _ => session_of(trace, issuer),
    }
}

/// How often, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Of {
    count: u64,
    exposures: u64,
}

/// Reads of each session, judged by what it had written and seen: read your writes, monotonic reads.
fn sessions(trace: &Trace<'_>, history: &History) -> BTreeMap<usize, [Of; 2]> {
    let mut found: BTreeMap<usize, [Of; 2]> = BTreeMap::new();
    let mut last: BTreeMap<(usize, (Pc, u64)), Look> = BTreeMap::new();
    for look in &history.looks {
        last.insert((look.attempt, look.place), *look);
    }
    let is_well = |attempt: usize| trace.attempts[attempt].ended.is_some_and(|(_, how)| how == Outcome::Well);
    let answers: Vec<Look> = last.into_values().filter(|look| is_well(look.attempt)).collect();
    for look in &answers {
        let Some((session, _)) = session_of(trace, look.attempt) else { continue };
        let written = history.writes.iter().filter_map(|&(attempt, row, version, at)| {
            let (of, call) = session_of(trace, attempt)?;
            let known = (*history.told.get(&call)?).max(at);
            (of == session && known <= look.begun).then_some((row, version))
        });
        let before = answers.iter().filter(|seen| {
            let is_told = trace.attempts[seen.attempt].ended.is_some_and(|(end, _)| end < look.asked);
            is_told && session_of(trace, seen.attempt).is_some_and(|(of, _)| of == session)
        });
        let seen = before.flat_map(|seen| history.sees(seen.row, seen.version));
        let expected = [newest(written, look.row.key), newest(seen, look.row.key)];
        let entry = found.entry(session).or_default();
        for (of, expected) in entry.iter_mut().zip(expected) {
            for has_it in expected.into_iter().filter_map(|expected| has(history, look, expected)) {
                of.exposures += 1;
                of.count += u64::from(!has_it);
            }
        }
    }
    found
}

/// The newest version of each row with a key.
fn newest(all: impl Iterator<Item = RowAt>, key: u64) -> Known {
    let mut newest = Known::new();
    for (row, version) in all.filter(|(row, _)| row.key == key) {
        let known = newest.entry(row).or_insert(version);
        *known = (*known).max(version);
    }
    newest
}

/// Whether a read has a version of a row; `None`: it says nothing about it.
fn has(history: &History, look: &Look, (of, version): RowAt) -> Option<bool> {
    if look.row == of {
        return Some(!look.version.exists || look.version.number >= version);
    }
    if look.row.table == of.table {
        return None;
    }
    let has_it = |sources: &Known| sources.get(&of).is_some_and(|at| *at >= version);
    if look.version.exists {
        let sources = &history.made_from[&(look.row, look.version.number)];
        return sources.contains_key(&of).then(|| has_it(sources));
    }
    // Missing: it counts if what was looked for came there later.
    let mut versions = history.made_from.range((look.row, 0)..=(look.row, u64::MAX));
    versions.any(|(_, sources)| has_it(sources)).then_some(false)
}

/// Reads of a table that missed something committed before they began; how many versions, and the oldest age.
fn stale(history: &History, table: TableId) -> (u64, u64, Nanos) {
    let (mut count, mut versions, mut oldest) = (0, 0, 0);
    for look in history.looks.iter().filter(|look| look.row.table == table) {
        let sources = history.made_from.get(&(look.row, look.version.number)).into_iter().flatten();
        let all = sources.map(|(&of, &at)| (of, at)).chain([(look.row, look.version.number)]);
        let missed = all.filter_map(|(of, at)| {
            let later = history.committed.get(&of)?.range(at + 1..).filter(|(_, when)| **when < look.begun);
            let since = later.clone().map(|(_, when)| *when).min()?;
            Some((since, later.count() as u64))
        });
        if let Some((since, most)) = missed.min_by_key(|(since, _)| *since) {
            count += 1;
            versions += most;
            oldest = oldest.max(look.begun - since);
        }
    }
    (count, versions, oldest)
}

/// What the oracle and the history say of sessions, by client, and of each table.
fn compare(design: &Design) -> Result<[u64; 3], TestCaseError> {
    let text = design.text();
    let model: Model = crate::engine::model(&text);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let clients: Vec<ClientId> = (0..model.clients.len()).map(ClientId::new).collect();
    let tables: Vec<TableId> = (0..model.tables.len()).map(TableId::new).collect();
    let mut judges = (Sessions::new(&model, &clients, &tables), Trace::new(&model));
    let agenda = replication::agenda(&model, &plan, design.seed, 0);
    replication::replicate(&model, agenda, &mut judges, Limits::default(), &AtomicBool::new(false))
        .expect("it ends");
    let (oracle, trace) = judges;
    let history = History::of(&trace);
    let mut expected: BTreeMap<ClientId, [Of; 2]> = BTreeMap::new();
    for (session, found) in sessions(&trace, &history) {
        let Served::Intent { client, user: NONE, .. } = trace.attempts[session].served else {
            unreachable!()
        };
        assert!(expected.insert(client, found).is_none(), "each shopper comes once");
    }
    let mut totals = [0; 3];
    for client in oracle.sessions() {
        let found = [&client.read_your_writes, &client.monotonic_reads];
        let found = found.map(|finding| Of { count: finding.count, exposures: finding.exposures });
        let expected = expected.remove(&client.client).unwrap_or_default();
        // What copies hold is forgotten when they have caught up, so that fewer reads are known to have had the chance.
        let counts = |all: [Of; 2]| all.map(|of| of.count);
        prop_assert_eq!(counts(found), counts(expected), "{:?}\n{}", client.client, text);
        let is_exposed =
            |(found, expected): (&Of, &Of)| (found.count..=expected.exposures).contains(&found.exposures);
        prop_assert!(found.iter().zip(&expected).all(is_exposed), "{:?} of {:?}\n{}", found, expected, text);
        totals[0] += expected[0].count;
        totals[1] += expected[1].count;
    }
    for table in oracle.staleness() {
        let (count, versions, oldest) = stale(&history, table.table);
        let age = table.age_nanos.max().unwrap_or(0);
        let name = &model.tables[table.table.index()].name;
        prop_assert_eq!(table.reads.count, count, "{}\n{}", name, text);
        prop_assert_eq!(table.versions.sum() as u64, versions, "{}\n{}", name, text);
        prop_assert_eq!(age, oldest, "{}\n{}", name, text);
        totals[2] += count;
    }
    Ok(totals)
}

#[test]
fn sessions_and_stale_reads_are_judged_as_by_one_who_keeps_everything() {
    const CASES: u32 = 600;
    let some = Cell::new([0_u32; 3]);
    let outcome = runner(CASES).run(&design(), |design| {
        let found = compare(&design)?;
        let mut all = some.get();
        all.iter_mut().zip(found).for_each(|(some, found)| *some += u32::from(found > 0));
        some.set(all);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(some.get().iter().all(|some| *some > CASES / 20), "{:?} of {CASES} have some", some.get());
}
