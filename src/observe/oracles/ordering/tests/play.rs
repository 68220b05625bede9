//! Makes deeds of choices, all of them such as the world could tell, and keeps what happened.

use super::super::*;
use super::definitions::{ADD, DELETE, Fact, SET_BOTH};
use crate::model::Op;
use crate::world::deed::Part;
use crate::world::identity::Cause;
use crate::world::record::{Outcome, Settlement};

/// A message that is alive.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub obligation: u64,
    pending: bool,
    attempts: u32,
}

/// One play.
pub struct Play<'m> {
    model: &'m Model,
    pub oracle: OrderOracle<'m>,
    pub pcs: Vec<Pc>,
    pub table: TableId,
    /// Words of a row: key, a, b.
    positions: [usize; 3],
    now: Nanos,
    /// Producer, key, and what the deeds call it.
    pub obligations: Vec<(usize, u64, u64)>,
    /// By slot.
    pub messages: Vec<Option<Held>>,
    attempts: Vec<Option<(u32, usize)>>,
    rows: [Option<[Word; 2]>; 2],
    version: u64,
    pub facts: Vec<Fact>,
}

/// A free slot, or a new one.
fn free<T>(slots: &mut Vec<Option<T>>) -> usize {
    slots.iter().position(Option::is_none).unwrap_or_else(|| {
        slots.push(None);
        slots.len() - 1
    })
}

impl<'m> Play<'m> {
    pub fn new(model: &'m Model) -> Self {
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

    pub fn tell(&mut self, deed: Deed<'_>) {
        self.now += 1;
        self.oracle.deed(self.now, &deed);
    }

    /// Group and instance of each lane.
    pub fn lane(&self, lane: usize) -> (GroupId, u32) {
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

    pub fn begin(&mut self, attempt: u32, instance: u32, served: Served, message: u32) {
        let cause = Cause::root(0, 1, 1);
        self.tell(Deed::AttemptBegun { attempt, handler: HandlerId(0), instance, cause, served, message });
    }

    pub fn end(&mut self, attempt: u32) {
        self.tell(Deed::AttemptEnded { attempt, outcome: Outcome::Well });
    }

    /// A message is made, for a new obligation or again for one that is alive.
    pub fn issue(&mut self, choice: usize, direct: bool) {
        let alive: Vec<u64> = self.messages.iter().flatten().map(|held| held.obligation).collect();
        let again = (choice.is_multiple_of(5) && !alive.is_empty()).then(|| alive[choice / 5 % alive.len()]);
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
            part: Part::new(SiteId(0), 0),
            way,
            cause: Cause::root(0, 77, name),
            key: Some(key),
            topic: Some(TopicId(0)),
            pc: 0,
            payload: &[],
            content: 0,
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

    pub fn take(&mut self, choice: usize) {
        let (Some(slot), lane) = (self.held(choice / 4, false), choice % 4) else { return };
        let attempt = free(&mut self.attempts);
        self.attempts[attempt] = Some((slot as u32, lane));
        let held = self.messages[slot].as_mut().unwrap();
        held.attempts += 1;
        self.facts.push(Fact::Arrived(held.obligation, lane));
        let (group, instance) = self.lane(lane);
        self.begin(attempt as u32, instance, Served::Delivery { group, delivery: 1 }, slot as u32);
    }

    pub fn running(&self, choice: usize) -> Option<usize> {
        let running = self.attempts.iter().enumerate().filter(|(_, attempt)| attempt.is_some());
        let running: Vec<usize> = running.map(|(slot, _)| slot).collect();
        (!running.is_empty()).then(|| running[choice % running.len()])
    }

    pub fn finish(&mut self, choice: usize) {
        let Some(attempt) = self.running(choice) else { return };
        let (message, _) = self.attempts[attempt].take().unwrap();
        self.messages[message as usize].as_mut().unwrap().attempts -= 1;
        self.end(attempt as u32);
    }

    /// Steps on a row in one transaction, by an attempt on a message or by anyone else.
    pub fn write(&mut self, choice: usize, steps: &[usize]) {
        let (number, value) = (choice % 2, (choice / 2 % 3) as Word);
        let running = self.running(choice / 6).filter(|_| !choice.is_multiple_of(7));
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
            let part = Part::new(SiteId(0), 0);
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

    pub fn settle(&mut self, choice: usize) {
        let (Some(slot), lane) = (self.held(choice / 2, false), choice % 2) else { return };
        let (message, group) = (slot as u32, self.lane(lane).0);
        self.oracle.record(self.now, &Record::Settled { group, message, how: Settlement::Acknowledged });
        self.facts.push(Fact::Left(self.messages[slot].unwrap().obligation, lane));
    }

    pub fn free(&mut self, choice: usize) {
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

    pub fn choose(&mut self, (what, choice): (u8, usize)) {
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
