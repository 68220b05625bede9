//! The order of messages: per producer and key, one number after the other, in the order in which outbox rows
//! were committed or publishes begun.
//!
//! What counts is the obligation: a message issued again for the same one keeps its place, while one of its
//! copies is alive or the message whose handling issued it could be handled again. A key is forgotten with its last message.

mod encode;

use super::lanes::{Lane, Lanes};
use super::rows::{Mention, Writer};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::NONE;
use crate::observe::slots::{Arena, SlotTable};
use crate::world::deed::RowName;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Whose commits and publishes are in one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Producer {
    Service(ServiceId),
    Client(ClientId),
}

/// A message with a key, made and not yet in order.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub producer: Producer,
    pub key: u64,
    pub obligation: u64,
    pub topic: TopicId,
    pub kind: MessageId,
    /// The message whose handling issued it, or `NONE`.
    pub parent: u32,
    /// That message's entry, if this one passes on what it obliged to: they have one place.
    pub passes_on: Option<u32>,
}

/// A message in order: its slot here, and that of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub entry: u32,
    pub domain: u32,
}

/// What a message has come to at one consumer.
const UNDER_WAY: u8 = 1;
const ARRIVED: u8 = 2;
const APPLIED: u8 = 4;
/// Counted as under way together with another.
const TOGETHER: u8 = 8;

#[derive(Clone, Debug)]
struct Entry {
    made: Made,
    domain: u32,
    sequence: u64,
    /// Among those of its key and topic, from 1.
    number: u64,
    at: Nanos,
    /// Slots of the world that hold it.
    copies: u32,
    /// Messages whose handling issued it.
    issuers: u32,
    lanes: Vec<(Lane, u8)>,
}

impl Default for Entry {
    /// Room for a message.
    fn default() -> Self {
        let made = Made {
            producer: Producer::Client(ClientId(NONE)),
            key: 0,
            obligation: 0,
            topic: TopicId(NONE),
            kind: MessageId(NONE),
            parent: NONE,
            passes_on: None,
        };
        let lanes = Vec::new();
        Self { made, domain: NONE, sequence: 0, number: 0, at: 0, copies: 0, issuers: 0, lanes }
    }
}

/// The messages of one producer with one key.
#[derive(Clone, Debug, Default)]
struct Domain {
    /// Whose; `None` while it is room for one.
    name: Option<(Producer, u64)>,
    /// Sequence numbers of what is alive, rising.
    alive: VecDeque<u64>,
    topics: Vec<(TopicId, u64)>,
    streams: Vec<(Lane, Stream)>,
    /// Rows of which something is remembered for this key.
    rows: Vec<RowName>,
    most_rows: usize,
}

/// One consumer's part of a key.
#[derive(Clone, Debug, Default)]
struct Stream {
    under_way: u32,
    /// The only one under way, if no other has been since it came.
    lone: Option<u32>,
    arrived: Option<Mention>,
    applied: Option<Mention>,
}

/// A slot of the world's messages.
#[derive(Clone, Debug, Default)]
struct Slot {
    made: Option<Made>,
    entry: Option<u32>,
    issued: Vec<u32>,
}

/// What became of a first arrival or a first change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It was not the first.
    Again,
    InOrder,
    /// After this later one.
    After(Mention),
}

/// All keys with messages alive.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    slots: SlotTable<Slot>,
    entries: Arena<Entry>,
    domains: Arena<Domain>,
    by_obligation: FxHashMap<u64, u32>,
    by_name: FxHashMap<(Producer, u64), u32>,
    sequence: u64,
    /// Messages counted as under way together with others of their key.
    pub together: u64,
}

impl Keys {
    /// A message is made; it is in order when it is [placed](Self::place).
    pub fn made(&mut self, message: u32, made: Made) {
        self.begin(message).made = Some(made);
    }

    /// A message without a key is made: what its handling issues may have one.
    pub fn made_without_key(&mut self, message: u32) {
        self.begin(message);
    }

    fn begin(&mut self, message: u32) -> &mut Slot {
        let slot = self.slots.begin(message);
        (slot.made, slot.entry) = (None, None);
        slot.issued.clear();
        slot
    }

    /// A message takes its place in the order of its key, or has one already.
    pub fn place(&mut self, now: Nanos, message: u32, lanes: &Lanes) {
        let Some(made) = self.slots.get_mut(message).and_then(|slot| slot.made.take()) else { return };
        let known = made.passes_on.or_else(|| self.by_obligation.get(&made.obligation).copied());
        let entry = match known {
            Some(entry) => entry,
            None => self.add(now, made),
        };
        if let Some(slot) = self.slots.get_mut(message) {
            slot.entry = Some(entry);
        }
        self.entries[entry].copies += 1;
        self.join(Place { entry, domain: self.entries[entry].domain }, made.kind, made.topic, lanes);
        if let Some(parent) = self.slots.get_mut(made.parent).filter(|slot| !slot.issued.contains(&entry)) {
            parent.issued.push(entry);
            self.entries[entry].issuers += 1;
        }
    }

    /// A message in order; `None` if it has no key, or is in none of the orders that count.
    pub fn of(&self, message: u32) -> Option<Place> {
        let entry = self.slots.get(message)?.entry?;
        Some(Place { entry, domain: self.entries[entry].domain })
    }

    pub fn kind(&self, place: Place) -> MessageId {
        self.entries[place.entry].made.kind
    }

    pub fn topic(&self, place: Place) -> TopicId {
        self.entries[place.entry].made.topic
    }

    pub fn key(&self, place: Place) -> u64 {
        self.entries[place.entry].made.key
    }

    pub fn obligation(&self, place: Place) -> u64 {
        self.entries[place.entry].made.obligation
    }

    /// Its number among those of its key and topic, from 1.
    pub fn number(&self, place: Place) -> u64 {
        self.entries[place.entry].number
    }

    pub fn mention(&self, place: Place) -> Mention {
        let entry = &self.entries[place.entry];
        let Made { obligation, kind, .. } = entry.made;
        Mention { sequence: entry.sequence, obligation, kind, at: entry.at }
    }

    /// It as one who writes.
    pub fn writer(&self, place: Place) -> Writer {
        let mention = self.mention(place);
        let earliest = self.domains[place.domain].alive.front();
        let is_followed = earliest.is_some_and(|earliest| *earliest < mention.sequence);
        Writer { place, mention, is_followed }
    }

    /// It is on its way to the consumers of a topic.
    pub fn join(&mut self, place: Place, kind: MessageId, topic: TopicId, lanes: &Lanes) {
        for lane in lanes.of(topic, kind) {
            if self.flag(place, lane, UNDER_WAY) {
                continue;
            }
            let stream = self.stream(place.domain, lane);
            stream.under_way += 1;
            if stream.under_way == 1 {
                stream.lone = Some(place.entry);
                continue;
            }
            for entry in stream.lone.take().into_iter().chain([place.entry]) {
                let was_counted = self.flag(Place { entry, ..place }, lane, TOGETHER);
                self.together += u64::from(!was_counted);
            }
        }
    }

    /// A consumer is done with it.
    pub fn leave(&mut self, place: Place, lane: Lane) {
        let entry = &mut self.entries[place.entry];
        let Some((_, flags)) = entry.lanes.iter_mut().find(|(of, _)| *of == lane) else { return };
        if *flags & UNDER_WAY == 0 {
            return;
        }
        *flags &= !UNDER_WAY;
        self.stop(place.domain, lane);
    }

    /// An attempt of a consumer begins with it.
    pub fn arrived(&mut self, place: Place, lane: Lane) -> Turn {
        if self.flag(place, lane, ARRIVED) {
            return Turn::Again;
        }
        let mention = self.mention(place);
        turn(mention, &mut self.stream(place.domain, lane).arrived)
    }

    /// An attempt of a consumer has changed something for it.
    pub fn applied(&mut self, place: Place, lane: Lane) -> Turn {
        if self.flag(place, lane, APPLIED) {
            return Turn::Again;
        }
        let mention = self.mention(place);
        turn(mention, &mut self.stream(place.domain, lane).applied)
    }

    /// Something of a row is remembered for a key. Gives what may be forgotten: the rows to look through, and up
    /// to which message.
    pub fn remember(&mut self, place: Place, row: RowName) -> Option<(Vec<RowName>, u64)> {
        let domain = &mut self.domains[place.domain];
        domain.rows.push(row);
        if domain.rows.len() <= domain.most_rows {
            return None;
        }
        domain.rows.sort_unstable();
        domain.rows.dedup();
        let earliest = domain.alive.front().copied().unwrap_or(0);
        Some((std::mem::take(&mut domain.rows), earliest))
    }

    /// The rows that are left of those.
    pub fn keep(&mut self, place: Place, rows: Vec<RowName>) {
        let domain = &mut self.domains[place.domain];
        domain.most_rows = (2 * rows.len()).max(LEAST_ROWS);
        domain.rows = rows;
    }

    /// A slot of the world is free again. Adds the keys that ended with it; what rows they had is to be asked
    /// before anything else is made.
    pub fn freed(&mut self, message: u32, ended: &mut Vec<u32>) {
        let Some(slot) = self.slots.end(message) else { return };
        let (own, mut issued) = (slot.entry.take(), std::mem::take(&mut slot.issued));
        if let Some(entry) = own {
            self.entries[entry].copies -= 1;
            self.stop_if_lost(entry);
            ended.extend(self.forget_if_over(entry));
        }
        for entry in issued.drain(..) {
            self.entries[entry].issuers -= 1;
            ended.extend(self.forget_if_over(entry));
        }
        self.slots.keep_room(message, |slot| slot.issued = issued);
    }

    /// The rows of which something is remembered for a key.
    pub fn rows(&self, domain: u32) -> &[RowName] {
        &self.domains[domain].rows
    }

    pub fn obligation_of(&self, entry: u32) -> u64 {
        self.entries[entry].made.obligation
    }

    /// How many messages are on their way to how many consumers.
    pub fn under_way(&self) -> u64 {
        let streams = self.by_name.values().flat_map(|domain| &self.domains[*domain].streams);
        streams.map(|(_, stream)| u64::from(stream.under_way)).sum()
    }

    /// Messages and keys that are remembered.
    pub fn held(&self) -> (usize, usize) {
        (self.by_obligation.len(), self.by_name.len())
    }

    fn stream(&mut self, domain: u32, lane: Lane) -> &mut Stream {
        let streams = &mut self.domains[domain].streams;
        let at = match streams.iter().position(|(of, _)| *of == lane) {
            Some(at) => at,
            None => {
                streams.push((lane, Stream::default()));
                streams.len() - 1
            }
        };
        &mut streams[at].1
    }

    /// Sets a flag of a message at a consumer; whether it was set.
    fn flag(&mut self, place: Place, lane: Lane, flag: u8) -> bool {
        let lanes = &mut self.entries[place.entry].lanes;
        match lanes.iter_mut().find(|(of, _)| *of == lane) {
            Some((_, flags)) => {
                let was_set = *flags & flag != 0;
                *flags |= flag;
                was_set
            }
            None => {
                lanes.push((lane, flag));
                false
            }
        }
    }

    /// The next message of its key.
    fn add(&mut self, now: Nanos, made: Made) -> u32 {
        self.sequence += 1;
        let sequence = self.sequence;
        let domain = self.domain_named((made.producer, made.key));
        let of = &mut self.domains[domain];
        of.alive.push_back(sequence);
        let number = match of.topics.iter_mut().find(|(topic, _)| *topic == made.topic) {
            Some((_, numbers)) => {
                *numbers += 1;
                *numbers
            }
            None => {
                of.topics.push((made.topic, 1));
                1
            }
        };
        let entry = self.entries.begin();
        let mut lanes = std::mem::take(&mut self.entries[entry].lanes);
        lanes.clear();
        self.entries[entry] = Entry { made, domain, sequence, number, at: now, copies: 0, issuers: 0, lanes };
        self.by_obligation.insert(made.obligation, entry);
        entry
    }

    fn domain_named(&mut self, name: (Producer, u64)) -> u32 {
        if let Some(&domain) = self.by_name.get(&name) {
            return domain;
        }
        let domain = self.domains.begin();
        let of = &mut self.domains[domain];
        (of.name, of.most_rows) = (Some(name), LEAST_ROWS);
        of.alive.clear();
        of.topics.clear();
        of.streams.clear();
        of.rows.clear();
        self.by_name.insert(name, domain);
        domain
    }

    /// Without a copy it is on its way to nobody.
    fn stop_if_lost(&mut self, entry: u32) {
        let of = &mut self.entries[entry];
        if of.copies > 0 {
            return;
        }
        let (domain, lanes) = (of.domain, std::mem::take(&mut of.lanes));
        for &(lane, flags) in &lanes {
            if flags & UNDER_WAY != 0 {
                self.stop(domain, lane);
            }
        }
        let of = &mut self.entries[entry];
        of.lanes = lanes;
        of.lanes.iter_mut().for_each(|(_, flags)| *flags &= !UNDER_WAY);
    }

    /// One less is under way.
    fn stop(&mut self, domain: u32, lane: Lane) {
        let stream = self.stream(domain, lane);
        stream.under_way -= 1;
        if stream.under_way == 0 {
            stream.lone = None;
        }
    }

    /// Gives the key, if it ended with the message.
    fn forget_if_over(&mut self, entry: u32) -> Option<u32> {
        let Entry { made, domain, sequence, copies, issuers, .. } = self.entries[entry];
        if copies > 0 || issuers > 0 {
            return None;
        }
        self.entries.end(entry);
        self.by_obligation.remove(&made.obligation);
        let of = &mut self.domains[domain];
        if let Ok(at) = of.alive.binary_search(&sequence) {
            of.alive.remove(at);
        }
        if !of.alive.is_empty() {
            return None;
        }
        let name = of.name.take().expect("a key in use");
        self.by_name.remove(&name);
        self.domains.end(domain);
        Some(domain)
    }
}

/// A key's list of rows is not looked through below this length.
const LEAST_ROWS: usize = 64;

fn turn(mention: Mention, latest: &mut Option<Mention>) -> Turn {
    match *latest {
        Some(later) if later.sequence > mention.sequence => Turn::After(later),
        _ => {
            *latest = Some(mention);
            Turn::InOrder
        }
    }
}
