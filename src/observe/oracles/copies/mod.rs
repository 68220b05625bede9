//! Copies: rows that hold what another row held, and which version of it.
//!
//! Nothing in a scenario says that one table follows another. It is told by lineage: an attempt *knows* the
//! versions of rows that it has read by key or written, that its message or timer was issued with, and that those knew whom it called.
//! What is in another table under the same key, written by an attempt that knows a row, is a copy of that row, at that version.
//!
//! ```text
//! orders.orders[5] v1 ── OrderPlaced(knows orders[5] v1) ──► views.orders[5] v7: a copy of orders.orders[5] at v1
//! ```
//!
//! # Memory
//!
//! An attempt, message or timer is forgotten with what it knows when it is gone; it carries no more than
//! [`MOST_KNOWN`] rows, the latest. A row is known of while somebody carries a version of it, or a copy
//! in memory is there, or a copy in a store is behind. A copy in a store that has caught up, with nothing under way, is
//! forgotten: who finds it later finds it at the version at which the row was when it was forgotten.

mod carried;
mod source;

use crate::kernel::encoder::Encoder;
use crate::kernel::ids::TableId;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE};
use crate::observe::facts;
use crate::world::deed::{Deed, RowName, Served, Version};
use carried::Carriers;
use rustc_hash::FxHashMap;
use source::Source;
use std::collections::BTreeSet;

pub use carried::{MOST_KNOWN, encode_row_at};

/// A version of a row.
pub type RowAt = (RowName, u64);

/// What a row is known to hold of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The other row as of this version.
    At(u64),
    /// All there is: nobody carries anything newer.
    CaughtUp,
    /// Nothing is known of it.
    Unknown,
}

/// What copies hold.
#[derive(Clone, Debug)]
pub struct Copies {
    /// By table: whether its rows may be copies, and whether they are in memory.
    follows: Vec<bool>,
    in_memory: Vec<bool>,
    carriers: Carriers,
    sources: FxHashMap<RowName, Source>,
    copies: FxHashMap<RowName, Copy>,
    /// (copy, source): tables of which a row was a copy of a row.
    links: BTreeSet<(TableId, TableId)>,
}

/// One copy: its own version, and what it was written with.
#[derive(Clone, Debug, Default)]
struct Copy {
    version: u64,
    of: Vec<RowAt>,
}

impl Copies {
    /// Of tables in memory; `None` if there are none that hold more than keys.
    pub fn in_memory(model: &Model) -> Option<Self> {
        let follows = |table: &crate::model::Table| table.memory && table.columns as usize > table.key.len();
        let copies = Self::new(model, follows);
        copies.follows.contains(&true).then_some(copies)
    }

    /// Of all tables that hold more than keys.
    pub fn anywhere(model: &Model) -> Self {
        Self::new(model, |table| table.columns as usize > table.key.len())
    }

    fn new(model: &Model, follows: impl Fn(&crate::model::Table) -> bool) -> Self {
        Self {
            follows: model.tables.iter().map(follows).collect(),
            in_memory: model.tables.iter().map(|table| table.memory).collect(),
            carriers: Carriers::new(model),
            sources: FxHashMap::default(),
            copies: FxHashMap::default(),
            links: BTreeSet::new(),
        }
    }

    pub fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        match *deed {
            Deed::AttemptBegun { attempt, served, message, .. } => {
                let timer = if let Served::Timer { timer } = served { Some(timer) } else { None };
                let called = matches!(served, Served::Call);
                let known = self.carriers.begin(attempt, message, timer, called);
                known.into_iter().for_each(|known| self.hold(known));
            }
            Deed::AttemptEnded { attempt, .. } => {
                let known = self.carriers.end(attempt).to_vec();
                self.let_go(known);
            }
            Deed::Read { attempt, pc, row, version, .. } => self.read(attempt, pc, row, version),
            Deed::Committed { attempt, row, new, version, .. } => {
                self.committed(now, attempt, row, version, new.is_some());
            }
            Deed::TransactionEnded { attempt, .. } => self.carriers.transaction_ended(attempt),
            Deed::Issued { attempt, message, pc, .. } => {
                let known = self.carriers.issue(attempt, message, pc).to_vec();
                known.into_iter().for_each(|known| self.hold(known));
            }
            Deed::Freed { message } => {
                let known = self.carriers.free(message).to_vec();
                self.let_go(known);
            }
            Deed::TimerSet { attempt, timer, .. } | Deed::SagaMoved { attempt, timer, .. } => {
                let known = self.carriers.set_timer(attempt, timer).to_vec();
                known.into_iter().for_each(|known| self.hold(known));
            }
            Deed::TimerGone { timer } => {
                let known = self.carriers.free_timer(timer).to_vec();
                self.let_go(known);
            }
            _ => {}
        }
    }

    /// The rows that a version of a row holds, each with its version.
    pub fn reflected_by(&self, row: RowName, version: u64) -> Vec<RowAt> {
        let copy = self.copies.get(&row).filter(|copy| copy.version == version);
        copy.map_or(Vec::new(), |copy| copy.of.clone())
    }

    /// The rows that a row, seen at a version, holds, each with its version: those that it [reflects](Self::reflected_by),
    /// and those of its key that it had caught up with when they were forgotten.
    pub fn held_by(&self, row: RowName, seen: Version) -> Vec<RowAt> {
        let mut held = self.reflected_by(row, seen.number);
        let of_table = (row.table, TableId(0))..=(row.table, TableId(u32::MAX));
        for &(_, table) in self.links.range(of_table) {
            let source = RowName { table, key: row.key, instance: NONE };
            if held.iter().all(|(known, _)| *known != source)
                && let Copied::At(version) = self.of(row, seen, source)
            {
                held.push((source, version));
            }
        }
        held
    }

    /// What a row, seen at a version, holds of the row of its key in another table.
    pub fn of(&self, row: RowName, seen: Version, source: RowName) -> Copied {
        let copy = self.copies.get(&row).filter(|copy| copy.version == seen.number);
        let known = copy.and_then(|copy| copy.of.iter().find(|(of, _)| *of == source));
        match known {
            Some(&(_, version)) => Copied::At(version),
            None if seen.exists && self.links.contains(&(row.table, source.table)) => {
                self.sources.get(&source).map_or(Copied::CaughtUp, |source| Copied::At(source.settled))
            }
            None => Copied::Unknown,
        }
    }

    /// What the newest version of a copy holds of another row.
    pub fn newest_of(&self, row: RowName, source: RowName) -> Option<u64> {
        let of = &self.copies.get(&row)?.of;
        of.iter().find(|(of, _)| *of == source).map(|&(_, version)| version)
    }

    /// Whether the row has a newer version than this, as far as it is known of.
    pub fn is_replaced(&self, row: RowName, version: u64) -> bool {
        self.sources.get(&row).is_some_and(|source| source.newest() > version)
    }

    /// The row's versions that came after this one and before an instant: how many, and when the first was
    /// committed.
    pub fn missed(&self, row: RowName, version: u64, before: Nanos) -> Option<(u64, Nanos)> {
        self.sources.get(&row)?.missed(version, before)
    }

    /// Whether somebody carries a version of the row, or a copy of it is behind.
    pub fn is_under_way(&self, row: RowName) -> bool {
        self.sources.get(&row).is_some_and(|source| source.carriers > 0 || self.is_behind(row, source))
    }

    /// Whether a row is known of at all: if not, its copies have all that was ever under way to them.
    pub fn is_known(&self, row: RowName) -> bool {
        self.sources.contains_key(&row)
    }

    /// Who carries what, and what holds which versions. When they were committed is no part of it.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self { follows: _, in_memory: _, carriers, sources, copies, links } = self;
        carriers.encode(encoder);
        encoder.set(sources, |encoder, (row, source)| {
            facts::row(encoder, *row);
            source.encode(encoder);
        });
        encoder.set(copies, |encoder, (row, Copy { version, of })| {
            encode_row_at(encoder, (*row, *version));
            encoder.set(of, |encoder, of| encode_row_at(encoder, *of));
        });
        encoder.set(links, |encoder, (copy, source)| {
            encoder.word(u64::from(copy.0) << 32 | u64::from(source.0));
        });
    }

    /// How many rows, and copies, are known of.
    pub fn remembered(&self) -> (usize, usize) {
        (self.sources.len(), self.copies.len())
    }

    fn is_behind(&self, row: RowName, source: &Source) -> bool {
        source.copies.iter().any(|copy| self.newest_of(*copy, row) != Some(source.newest()))
    }

    fn read(&mut self, attempt: u32, pc: crate::model::Pc, row: RowName, version: Version) {
        if self.carriers.is_scan(pc) || version.number == crate::world::store::UNCOMMITTED {
            return;
        }
        for known in self.reflected_by(row, version.number) {
            self.learn(attempt, known);
        }
        if version.exists && row.instance == NONE {
            self.learn(attempt, (row, version.number));
        }
    }

    fn committed(&mut self, now: Nanos, attempt: u32, row: RowName, version: u64, exists: bool) {
        if row.instance == NONE
            && let Some(source) = self.sources.get_mut(&row)
        {
            source.replaced(now, version);
        }
        if self.follows[row.table.index()] {
            self.copied(attempt, row, version, exists);
        }
        if attempt != NONE && row.instance == NONE {
            // Known first, so that the instant is known too.
            self.sources.entry(row).or_insert_with(|| Source::made(now, version));
            self.learn(attempt, (row, version));
            for message in self.carriers.open_messages(attempt) {
                let changes = self.carriers.learn_message(message, (row, version));
                self.change(changes);
            }
        }
    }

    /// A row of a table that may follow others was written.
    fn copied(&mut self, attempt: u32, row: RowName, version: u64, exists: bool) {
        if !exists && row.instance != NONE {
            return self.drop_copy(row);
        }
        let known = self.carriers.known(attempt);
        // What follows this table is no source of it, though its owner may have read it.
        let follows_this = |of: &RowName| self.links.contains(&(of.table, row.table));
        let is_source = |of: &RowName| of.key == row.key && of.table != row.table && !follows_this(of);
        let of: Vec<RowAt> = known.iter().filter(|(of, _)| is_source(of)).copied().collect();
        if of.is_empty() && !self.copies.contains_key(&row) {
            return;
        }
        let copy = self.copies.entry(row).or_default();
        copy.version = version;
        for (source, at) in of {
            match copy.of.iter_mut().find(|(of, _)| *of == source) {
                Some(known) => known.1 = at,
                None => copy.of.push((source, at)),
            }
            self.links.insert((row.table, source.table));
            let source = self.sources.entry(source).or_insert_with(|| Source::seen(at));
            if !source.copies.contains(&row) {
                source.copies.push(row);
            }
        }
    }

    fn drop_copy(&mut self, row: RowName) {
        let Some(copy) = self.copies.remove(&row) else { return };
        for (source, _) in copy.of {
            if let Some(of) = self.sources.get_mut(&source) {
                of.copies.retain(|copy| *copy != row);
                self.settle(source);
            }
        }
    }

    fn learn(&mut self, attempt: u32, known: RowAt) {
        let changes = self.carriers.learn(attempt, known);
        self.change(changes);
    }

    fn change(&mut self, changes: carried::Changes) {
        changes.held.into_iter().for_each(|known| self.hold(known));
        self.let_go(changes.let_go);
    }

    fn hold(&mut self, (row, version): RowAt) {
        let source = self.sources.entry(row).or_insert_with(|| Source::seen(version));
        source.carriers += 1;
    }

    fn let_go(&mut self, known: Vec<RowAt>) {
        for (row, _) in known {
            if let Some(source) = self.sources.get_mut(&row) {
                source.carriers -= 1;
                self.settle(row);
            }
        }
    }

    /// Forgets what has caught up, once nobody carries a version of a row any more.
    fn settle(&mut self, row: RowName) {
        let source = &self.sources[&row];
        if source.carriers > 0 {
            return;
        }
        if !self.is_behind(row, source) {
            let in_stores = |copy: &&RowName| !self.in_memory[copy.table.index()];
            let caught_up: Vec<RowName> = source.copies.iter().filter(in_stores).copied().collect();
            for name in caught_up {
                let copy = self.copies.get_mut(&name).expect("a source knows its copies");
                copy.of.retain(|(of, _)| *of != row);
                if copy.of.is_empty() {
                    self.copies.remove(&name);
                }
                let source = self.sources.get_mut(&row).expect("looked at above");
                source.copies.retain(|copy| *copy != name);
            }
        }
        let source = &self.sources[&row];
        let oldest = source.copies.iter().filter_map(|copy| self.newest_of(*copy, row)).min();
        match oldest {
            Some(oldest) => self.sources.get_mut(&row).expect("just found").forget_before(oldest),
            None => drop(self.sources.remove(&row)),
        }
    }
}
