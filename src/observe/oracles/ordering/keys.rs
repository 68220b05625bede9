//! The order of messages: per producer and key, one number after the other, in the order in which outbox rows
//! were committed or publishes begun.
//!
//! What counts is the obligation: a message issued again for the same one keeps its place, while one of its
//! copies is alive or the message whose handling issued it could be handled again. A key is forgotten with its last message.

use super::lanes::{Lane, Lanes};
use super::rows::{Mention, Writer};
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::NONE;
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

/// The messages of one producer with one key.
#[derive(Clone, Debug)]
struct Domain {
    name: (Producer, u64),
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

/// A key whose last message is gone: what is remembered for it.
#[derive(Clone, Debug)]
pub struct Ended {
    pub domain: u32,
    pub rows: Vec<RowName>,
}

/// All keys with messages alive.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    slots: Vec<Slot>,
    entries: Vec<Option<Entry>>,
    free_entries: Vec<u32>,
    domains: Vec<Option<Domain>>,
    free_domains: Vec<u32>,
    by_obligation: FxHashMap<u64, u32>,
    by_name: FxHashMap<(Producer, u64), u32>,
    sequence: u64,
    /// Messages counted as under way together with others of their key.
    pub together: u64,
}

impl Keys {
    /// A message is made; it is in order when it is [placed](Self::place).
    pub fn made(&mut self, message: u32, made: Made) {
        self.slot(message).made = Some(made);
    }

    /// A message takes its place in the order of its key, or has one already.
    pub fn place(&mut self, now: Nanos, message: u32, lanes: &Lanes) {
        let Some(made) = self.slot(message).made.take() else { return };
        let known = made.passes_on.or_else(|| self.by_obligation.get(&made.obligation).copied());
        let entry = match known {
            Some(entry) => entry,
            None => self.add(now, made),
        };
        self.slot(message).entry = Some(entry);
        self.entry_mut(entry).copies += 1;
        self.join(Place { entry, domain: self.entry(entry).domain }, made.kind, made.topic, lanes);
        if made.parent != NONE && !self.slot(made.parent).issued.contains(&entry) {
            self.slot(made.parent).issued.push(entry);
            self.entry_mut(entry).issuers += 1;
        }
    }

    /// A message in order; `None` if it has no key, or is in none of the orders that count.
    pub fn of(&self, message: u32) -> Option<Place> {
        let entry = self.slots.get(message as usize)?.entry?;
        Some(Place { entry, domain: self.entry(entry).domain })
    }

    pub fn kind(&self, place: Place) -> MessageId {
        self.entry(place.entry).made.kind
    }

    pub fn topic(&self, place: Place) -> TopicId {
        self.entry(place.entry).made.topic
    }

    pub fn key(&self, place: Place) -> u64 {
        self.entry(place.entry).made.key
    }

    pub fn obligation(&self, place: Place) -> u64 {
        self.entry(place.entry).made.obligation
    }

    /// Its number among those of its key and topic, from 1.
    pub fn number(&self, place: Place) -> u64 {
        self.entry(place.entry).number
    }

    pub fn mention(&self, place: Place) -> Mention {
        let entry = self.entry(place.entry);
        Mention { sequence: entry.sequence, kind: entry.made.kind, at: entry.at }
    }

    /// It as one who writes.
    pub fn writer(&self, place: Place) -> Writer {
        let mention = self.mention(place);
        let earliest = self.domain(place.domain).alive.front();
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
        let entry = self.entry_mut(place.entry);
        let Some((_, flags)) = entry.lanes.iter_mut().find(|(of, _)| *of == lane) else { return };
        if *flags & UNDER_WAY == 0 {
            return;
        }
        *flags &= !UNDER_WAY;
        let stream = self.stream(place.domain, lane);
        stream.under_way -= 1;
        if stream.under_way == 0 {
            stream.lone = None;
        }
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
        let domain = self.domain_mut(place.domain);
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
        let domain = self.domain_mut(place.domain);
        domain.most_rows = (2 * rows.len()).max(LEAST_ROWS);
        domain.rows = rows;
    }

    /// A slot of the world is free again. Gives the keys that ended with it.
    pub fn freed(&mut self, message: u32) -> Vec<Ended> {
        let Some(slot) = self.slots.get_mut(message as usize) else { return Vec::new() };
        slot.made = None;
        let (own, issued) = (slot.entry.take(), std::mem::take(&mut slot.issued));
        let mut ended = Vec::new();
        if let Some(entry) = own {
            self.entry_mut(entry).copies -= 1;
            self.stop_if_lost(entry);
            ended.extend(self.forget_if_over(entry));
        }
        for entry in issued {
            self.entry_mut(entry).issuers -= 1;
            ended.extend(self.forget_if_over(entry));
        }
        ended
    }

    /// How many messages are on their way to how many consumers.
    pub fn under_way(&self) -> u64 {
        let streams = self.domains.iter().flatten().flat_map(|domain| &domain.streams);
        streams.map(|(_, stream)| u64::from(stream.under_way)).sum()
    }

    /// Messages and keys that are remembered.
    pub fn held(&self) -> (usize, usize) {
        (self.by_obligation.len(), self.by_name.len())
    }

    fn slot(&mut self, message: u32) -> &mut Slot {
        let message = message as usize;
        if self.slots.len() <= message {
            self.slots.resize_with(message + 1, Slot::default);
        }
        &mut self.slots[message]
    }

    fn entry(&self, entry: u32) -> &Entry {
        self.entries[entry as usize].as_ref().expect("an entry in use")
    }

    fn entry_mut(&mut self, entry: u32) -> &mut Entry {
        self.entries[entry as usize].as_mut().expect("an entry in use")
    }

    fn domain(&self, domain: u32) -> &Domain {
        self.domains[domain as usize].as_ref().expect("a key in use")
    }

    fn domain_mut(&mut self, domain: u32) -> &mut Domain {
        self.domains[domain as usize].as_mut().expect("a key in use")
    }

    fn stream(&mut self, domain: u32, lane: Lane) -> &mut Stream {
        let streams = &mut self.domain_mut(domain).streams;
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
        let lanes = &mut self.entry_mut(place.entry).lanes;
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
        let of = self.domain_mut(domain);
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
        let new = Entry { made, domain, sequence, number, at: now, copies: 0, issuers: 0, lanes: Vec::new() };
        let entry = put(&mut self.entries, &mut self.free_entries, new);
        self.by_obligation.insert(made.obligation, entry);
        entry
    }

    fn domain_named(&mut self, name: (Producer, u64)) -> u32 {
        if let Some(&domain) = self.by_name.get(&name) {
            return domain;
        }
        let new = Domain {
            name,
            alive: VecDeque::new(),
            topics: Vec::new(),
            streams: Vec::new(),
            rows: Vec::new(),
            most_rows: LEAST_ROWS,
        };
        let domain = put(&mut self.domains, &mut self.free_domains, new);
        self.by_name.insert(name, domain);
        domain
    }

    /// Without a copy it is on its way to nobody.
    fn stop_if_lost(&mut self, entry: u32) {
        let of = self.entry(entry);
        if of.copies > 0 {
            return;
        }
        let (domain, lanes) = (of.domain, of.lanes.clone());
        lanes.into_iter().for_each(|(lane, _)| self.leave(Place { entry, domain }, lane));
    }

    fn forget_if_over(&mut self, entry: u32) -> Option<Ended> {
        let of = self.entry(entry);
        if of.copies > 0 || of.issuers > 0 {
            return None;
        }
        let Entry { made, domain, sequence, .. } = *of;
        self.entries[entry as usize] = None;
        self.free_entries.push(entry);
        self.by_obligation.remove(&made.obligation);
        let of = self.domain_mut(domain);
        if let Ok(at) = of.alive.binary_search(&sequence) {
            of.alive.remove(at);
        }
        if !of.alive.is_empty() {
            return None;
        }
        let Domain { name, rows, .. } = self.domains[domain as usize].take().expect("a key in use");
        self.free_domains.push(domain);
        self.by_name.remove(&name);
        Some(Ended { domain, rows })
    }
}

/// A key's list of rows is not looked through below this length.
const LEAST_ROWS: usize = 64;

fn put<T>(table: &mut Vec<Option<T>>, free: &mut Vec<u32>, new: T) -> u32 {
    match free.pop() {
        Some(slot) => {
            table[slot as usize] = Some(new);
            slot
        }
        None => {
            table.push(Some(new));
            table.len() as u32 - 1
        }
    }
}

fn turn(mention: Mention, latest: &mut Option<Mention>) -> Turn {
    match *latest {
        Some(later) if later.sequence > mention.sequence => Turn::After(later),
        _ => {
            *latest = Some(mention);
            Turn::InOrder
        }
    }
}
