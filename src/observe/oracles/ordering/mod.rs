//! Order: what arrived, was applied or overwrote something out of order, and what left its lifecycle.
//!
//! # Definitions
//!
//! *Order* is that of the source: of the messages with one key that one service, or one client, publishes,
//! each comes after those whose outbox rows were committed before its own, or whose publish step began before
//! its own. A message issued again for the same obligation keeps its place, and one that passes an obligation
//! on has the place of the message it was made for. Messages of two producers are in no
//! order here, though one may cause the other: such pairs are not counted. Calls and one-way sends promise no order.
//!
//! - *Arrived out of order*: a group begins its first attempt on a message after that on a later one of its key.
//!   What lies between broker and handler, the consumer's own queue too, is part of the way.
//! - *Applied out of order*: the first commit that changes something, by an attempt of a group on a message,
//!   comes after that for a later one.
//! - *Regressed*: a commit takes away, from at least one material column of a row, what a later message of the
//!   same key had set, or added, there; on any delivery, of any topic. An addition (`row.n + x`, or the same by a read of
//!   this very version) over an addition takes nothing away. Absence is a value: a late write that
//!   brings back a row which a later message deleted, and a late delete, are regressions. Putting the value that is there
//!   already is none. A commit counts once, whatever number of columns it sets back.
//! - *Illegal transition*: see `lifecycle`. A row's first value is no change.
//!
//! Exposures: messages on their way to a group together with another one of their key; changes of
//! columns with a lifecycle.
//!
//! ```text
//! PriceSet(7, 10)  ──────────────────────────────── slow ──────▶ prices[7].price: 20 → 10   regressed
//! PriceSet(7, 20)  ───────▶ prices[7].price: 5 → 20
//! ```
//!
//! # Memory
//!
//! Sequence numbers are global, so that a key is forgotten with its last message. Who wrote
//! a column is remembered only while an earlier message of the key is alive.

mod encode;
mod keys;
mod lanes;
mod lifecycle;
mod meters;
mod rows;
#[cfg(test)]
mod tests;
mod words;
mod writes;

use super::super::findings::{Facts, Finding, Sighting};
use super::super::slots::SlotTable;
use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE, Pc, Slot, Table, Word};
use crate::world::deed::{Acceptance, Deed, RowName, Served, Version, Way, Write};
use crate::world::identity::Cause;
use crate::world::record::{Observer, Record, SlotNumber};
use keys::{Keys, Made, Place, Producer, Turn};
use lanes::{Lane, Lanes};
use lifecycle::Change;
use meters::Meters;
use rows::{EXISTENCE, Rows, Touch, Writer};
use writes::Writes;

pub use meters::{GroupOrder, THRESHOLD};

/// Judges order while a replication runs.
#[derive(Clone, Debug)]
pub struct OrderOracle<'m> {
    model: &'m Model,
    writes: Writes,
    lanes: Lanes,
    keys: Keys,
    rows: Rows,
    meters: Meters,
    attempts: SlotTable<Attempt>,
    /// Room for what one commit is made of, and for the keys that end with one message.
    wrote: Vec<Wrote>,
    touches: Vec<(RowName, u16, Touch)>,
    touched: Vec<(u16, Touch)>,
    ended: Vec<u32>,
    arrived: Finding,
    applied: Finding,
    regressed: Finding,
    illegal: Finding,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct OrderJudged {
    pub findings: [(Anomaly, Finding); 4],
    /// By group.
    pub groups: Vec<GroupOrder>,
}

#[derive(Clone, Debug, Default)]
struct Attempt {
    producer: Option<Producer>,
    /// The message in hand.
    message: Option<SlotNumber>,
    /// That message in its order, and the group that handles it.
    serves: Option<(Place, Lane, GroupId)>,
    /// Writes that are not committed yet, and the columns that they set.
    wrote: Vec<Wrote>,
    touches: Vec<(RowName, u16, Touch)>,
    /// What each local of a row was read from.
    reads: Vec<(Slot, RowName, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Wrote {
    row: RowName,
    step: u32,
}

impl<'m> OrderOracle<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            writes: Writes::new(model),
            lanes: Lanes::new(model),
            keys: Keys::default(),
            rows: Rows::default(),
            meters: Meters::new(model.groups.len()),
            attempts: SlotTable::default(),
            wrote: Vec::new(),
            touches: Vec::new(),
            touched: Vec::new(),
            ended: Vec::new(),
            arrived: Finding::default(),
            applied: Finding::default(),
            regressed: Finding::default(),
            illegal: Finding::default(),
        }
    }

    /// What was found up to now, which is the end. What is still on its way to a group is unsettled.
    pub fn finish(self) -> OrderJudged {
        let (exposures, unsettled) = (self.keys.together, self.keys.under_way());
        let told = |finding: Finding| Finding { exposures, unsettled, ..finding };
        OrderJudged {
            findings: [
                (Anomaly::ArrivedOutOfOrder, told(self.arrived)),
                (Anomaly::AppliedOutOfOrder, told(self.applied)),
                (Anomaly::Regressed, told(self.regressed)),
                (Anomaly::IllegalTransitions, self.illegal),
            ],
            groups: self.meters.finish(),
        }
    }

    /// How many messages, keys and rows are remembered.
    pub fn held(&self) -> [usize; 3] {
        let (messages, keys) = self.keys.held();
        [messages, keys, self.rows.len()]
    }

    fn begun(&mut self, now: Nanos, attempt: SlotNumber, instance: u32, served: Served, message: SlotNumber) {
        let producer = match served {
            Served::Intent { client, .. } => Some(Producer::Client(client)),
            _ => {
                let instance = self.model.instances.get(instance as usize);
                instance.map(|instance| Producer::Service(instance.service))
            }
        };
        let mut serves = None;
        if let Served::Delivery { group, .. } = served
            && let Some(place) = self.keys.of(message)
        {
            let lane = self.lanes.at(group, instance);
            serves = Some((place, lane, group));
            self.arrives(now, place, lane, group);
        }
        let of = self.attempts.begin(attempt);
        (of.producer, of.serves) = (producer, serves);
        of.message = (message != NONE).then_some(message);
        of.wrote.clear();
        of.touches.clear();
        of.reads.clear();
    }

    fn arrives(&mut self, now: Nanos, place: Place, lane: Lane, group: GroupId) {
        let turn = self.keys.arrived(place, lane);
        if turn == Turn::Again {
            return;
        }
        self.arrived.of += 1;
        if self.lanes.topic(group) == self.keys.topic(place) {
            self.meters.arrived(now, place.domain, group, lane, self.keys.number(place));
        }
        if let Turn::After(later) = turn {
            let (model, keys) = (self.model, &self.keys);
            self.arrived.count(|| Sighting {
                at: now,
                obligation: keys.obligation(place),
                what: words::out_of_order(model, keys, (place, group), "came", later),
                facts: Facts { overtaken_by: Some(later.obligation), ..Facts::default() },
            });
        }
    }

    fn issued(
        &mut self,
        now: Nanos,
        attempt: SlotNumber,
        message: SlotNumber,
        way: Way,
        made: (Cause, MessageId, Option<u64>, Option<TopicId>),
    ) {
        let (cause, kind, Some(key), Some(topic)) = made else {
            return self.keys.made_without_key(message);
        };
        let Some(&Attempt { producer: Some(producer), message: parent, serves, .. }) =
            self.attempts.get(attempt)
        else {
            return self.keys.made_without_key(message);
        };
        let parent = parent.unwrap_or(NONE);
        let passes_on = serves.filter(|_| cause.passes_on()).map(|(place, ..)| place.entry);
        let obligation = cause.obligation;
        self.keys.made(message, Made { producer, key, obligation, topic, kind, parent, passes_on });
        if matches!(way, Way::Direct | Way::WithAck) {
            self.keys.place(now, message, &self.lanes);
        }
    }

    fn wrote(&mut self, attempt: SlotNumber, pc: Pc, row: RowName, seen: Version) {
        let model = self.model;
        let Some(step) = writes::step_at(model, pc, row.table) else { return };
        let Some(of) = self.attempts.get_mut(attempt) else { return };
        // A read of this very version, with nothing in between, is as good as `row.x`.
        let reads = &of.reads;
        let is_own = |column: u16, slot: &Slot| {
            let word = |from: Slot| from + 1 + column == *slot;
            reads.iter().any(|(from, read, number)| word(*from) && *read == row && *number == seen.number)
        };
        let touches = self.writes.of(step).iter().map(|assigned| {
            let adds = assigned.adds || assigned.locals.iter().any(|slot| is_own(assigned.column, slot));
            (row, assigned.column, if adds { Touch::Added } else { Touch::Set })
        });
        of.touches.extend(touches);
        of.wrote.push(Wrote { row, step });
    }

    fn committed(&mut self, now: Nanos, attempt: SlotNumber, row: RowName, change: RowChange<'_>) {
        let table = &self.model.tables[row.table.index()];
        let mut serves = None;
        self.wrote.clear();
        self.touches.clear();
        if let Some(of) = self.attempts.get_mut(attempt) {
            serves = of.serves;
            self.wrote.extend(of.wrote.extract_if(.., |wrote| wrote.row == row));
            self.touches.extend(of.touches.extract_if(.., |touch| touch.0 == row));
        }
        self.transitions(now, row, table, change);
        if !table.has_effects() {
            return;
        }
        let mut touched = std::mem::take(&mut self.touched);
        touch_columns(&mut touched, table, &self.touches, change);
        if let Some((place, lane, group)) = serves {
            if table.is_effect(change.old, change.new) {
                self.applies(now, row, (place, lane, group));
            }
            self.regresses(now, row, &touched, place, change);
        }
        if change.old.is_some() != change.new.is_some() {
            self.rows.clear(&row);
        }
        let writer = serves.map(|(place, ..)| self.keys.writer(place));
        if self.rows.wrote(row, &touched, writer.as_ref())
            && let Some(Writer { place, .. }) = writer
            && let Some((mut rows, up_to)) = self.keys.remember(place, row)
        {
            rows.retain(|row| self.rows.forget(row, place.domain, up_to));
            self.keys.keep(place, rows);
        }
        self.touched = touched;
    }

    fn transitions(
        &mut self,
        now: Nanos,
        row: RowName,
        table: &Table,
        RowChange { old, new }: RowChange<'_>,
    ) {
        let (Some(old), Some(new)) = (old, new) else { return };
        for (column, transitions) in &table.lifecycles {
            let [from, to] = [old, new].map(|words| words[*column as usize]);
            if from == to {
                continue;
            }
            self.illegal.exposures += 1;
            self.illegal.of += 1;
            let assigned = self.wrote.iter().flat_map(|wrote| self.writes.of(wrote.step));
            let assigned = assigned.filter(|assigned| assigned.column == *column);
            let change = match assigned.clone().any(|assigned| assigned.asks_back) {
                true => Change::AskedBack,
                false => Change::Written(assigned.count()),
            };
            if !lifecycle::allows(transitions, from, to, change) {
                let model = self.model;
                let what = || words::transition(model, row.table, *column, (old, new));
                self.illegal.count(|| Sighting {
                    at: now,
                    obligation: 0,
                    what: what(),
                    facts: Facts::at(row),
                });
            }
        }
    }

    fn applies(&mut self, now: Nanos, row: RowName, (place, lane, group): (Place, Lane, GroupId)) {
        let turn = self.keys.applied(place, lane);
        if turn == Turn::Again {
            return;
        }
        self.applied.of += 1;
        if let Turn::After(later) = turn {
            let (model, keys) = (self.model, &self.keys);
            self.applied.count(|| Sighting {
                at: now,
                obligation: keys.obligation(place),
                what: words::out_of_order(model, keys, (place, group), "was applied", later),
                facts: Facts { overtaken_by: Some(later.obligation), ..Facts::at(row) },
            });
        }
    }

    fn regresses(
        &mut self,
        now: Nanos,
        row: RowName,
        touched: &[(u16, Touch)],
        place: Place,
        RowChange { old, new }: RowChange<'_>,
    ) {
        self.regressed.of += 1;
        let writer = self.keys.writer(place);
        if let Some((column, later)) = self.rows.overtaken(&row, touched, &writer) {
            let (model, keys) = (self.model, &self.keys);
            self.regressed.count(|| Sighting {
                at: now,
                obligation: keys.obligation(place),
                what: words::regressed(model, row.table, (old, new), column, (writer.mention, later)),
                facts: Facts { overtaken_by: Some(later.obligation), ..Facts::at(row) },
            });
        }
    }

    fn freed(&mut self, message: SlotNumber) {
        self.ended.clear();
        self.keys.freed(message, &mut self.ended);
        for &domain in &self.ended {
            for row in self.keys.rows(domain) {
                self.rows.forget(row, domain, u64::MAX);
            }
            self.meters.end(domain);
        }
    }
}

/// A row before and after a commit.
#[derive(Clone, Copy, Debug)]
struct RowChange<'a> {
    old: Option<&'a [Word]>,
    new: Option<&'a [Word]>,
}

/// What a commit did to the material columns of a row, and to its being there.
fn touch_columns(
    touched: &mut Vec<(u16, Touch)>,
    table: &Table,
    touches: &[(RowName, u16, Touch)],
    RowChange { old, new }: RowChange<'_>,
) {
    touched.clear();
    let is_material =
        |column: &u16| !table.incidental[*column as usize] && !table.key.contains(&u32::from(*column));
    let material = (0..table.columns).filter(is_material);
    let (Some(old), Some(new)) = (old, new) else {
        return touched.extend(material.chain([EXISTENCE]).map(|column| (column, Touch::Set)));
    };
    let touch = |column: u16| {
        let mut of_column =
            touches.iter().filter(|(_, of, _)| *of == column).map(|(.., touch)| *touch).peekable();
        let is_set = of_column.peek().is_some();
        let adds = is_set && of_column.all(|touch| touch == Touch::Added);
        match (adds, old[column as usize] == new[column as usize]) {
            (true, false) => Some(Touch::Added),
            (true, true) => None,
            (false, false) => Some(Touch::Set),
            (false, true) => is_set.then_some(Touch::Confirmed),
        }
    };
    touched.extend(material.filter_map(|column| touch(column).map(|touch| (column, touch))));
}

impl Observer for OrderOracle<'_> {
    fn record(&mut self, _: Nanos, record: &Record) {
        if let Record::Settled { group, message, .. } = *record
            && let (Some(lane), Some(place)) = (self.lanes.shared(group), self.keys.of(message))
        {
            self.keys.leave(place, lane);
        }
    }

    fn judges(&self) -> bool {
        true
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptBegun { attempt, instance, served, message, .. } => {
                self.begun(now, attempt, instance, served, message);
            }
            Deed::AttemptEnded { attempt, .. } => drop(self.attempts.end(attempt)),
            Deed::Issued { attempt, message, kind, way, cause, key, topic, .. } => {
                self.issued(now, attempt, message, way, (cause, kind, key, topic));
            }
            Deed::Enqueued { message } => self.keys.place(now, message, &self.lanes),
            Deed::Accepted { message, topic, how: Acceptance::Transferred } => {
                if let Some(place) = self.keys.of(message) {
                    self.keys.join(place, self.keys.kind(place), topic, &self.lanes);
                }
            }
            Deed::Read { attempt, pc, row, version, into: Some(into), .. } => {
                let step = writes::step_at(self.model, pc, row.table);
                if step.is_some_and(|step| !writes::is_scan(self.model, step))
                    && let Some(of) = self.attempts.get_mut(attempt)
                {
                    of.reads.retain(|(of, ..)| *of != into);
                    of.reads.push((into, row, version.number));
                }
            }
            Deed::Wrote { attempt, pc, row, seen, write: Write::Put, .. } => {
                self.wrote(attempt, pc, row, seen);
            }
            Deed::Committed { attempt, row, old, new, .. } => {
                self.committed(now, attempt, row, RowChange { old, new });
            }
            Deed::TransactionEnded { attempt, committed: false } => {
                if let Some(of) = self.attempts.get_mut(attempt) {
                    of.wrote.clear();
                    of.touches.clear();
                }
            }
            Deed::Freed { message } => self.freed(message),
            _ => {}
        }
    }
}
