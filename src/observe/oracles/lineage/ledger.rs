//! The ledger: one entry for each obligation that can still be worked on, again or for the first time.
//!
//! An entry is held by the carriers of its obligation (a copy in a network or broker, an attempt, a
//! timer, a request to the outside) and by its parent's entry, since an ancestor that is executed again
//! issues it again. When nothing holds it any more its end is known: it is settled, and forgotten.
//! Memory is therefore what is under way, however long the run.
//!
//! # How an entry is found
//!
//! Who carries an obligation has its entry by slot. An attempt that is executed again issues what it issued before,
//! and finds that among the children of its entry, which are linked. By name, in a map, are found only those that
//! others than their parent's attempts issue too (`once_per`, `forward`, jobs by row, ticks) and the later
//! children of a parent that has many.

mod encode;

use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{NONE, Pc};
use crate::world::deed::Part;
use crate::world::record::Outcome;
use rustc_hash::FxHashMap;

/// A slot of the ledger, or `NONE`.
pub type EntryId = u32;

/// What ought to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An intent or a tick: nobody issued it.
    Root,
    /// What a call or a one-way message asks of its callee.
    Call,
    Send,
    /// A message on its way to a topic; what it asks of each group is a share.
    Message {
        topic: TopicId,
    },
    /// What a message asks of a group.
    Share {
        group: GroupId,
    },
    Timer,
    /// What a step does once for each value, whoever's work it is in.
    Once {
        site: SiteId,
    },
}

/// How a broker ended a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Open,
    Acknowledged,
    Parked,
    Dropped,
    Skipped,
    Expired,
    Superseded,
    Destroyed,
}

/// A part of the work that has been committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    pub part: Part,
    /// 1 since its first commit, more after each that changed something again, less when undone.
    pub net: i32,
    /// Counted within its obligation: the attempt that committed it first.
    pub by: u32,
    /// It was there before the obligation was opened again: nobody need come by it once more.
    pub past: bool,
}

/// One obligation.
#[derive(Clone, Debug)]
pub struct Entry {
    pub obligation: u64,
    pub parent: EntryId,
    /// The intent or tick that it all began with.
    pub root: u64,
    /// When it was issued first.
    pub issued_at: Nanos,
    pub first_child: EntryId,
    last_child: EntryId,
    pub next_sibling: EntryId,
    children: u32,
    holders: u32,
    pub kind: Kind,
    is_in_use: bool,
    /// Whether it is found by name.
    is_named: bool,
    /// The client at the root, or the job: what counts as told.
    pub by_client: bool,
    /// Attempts begun.
    pub attempts: u32,
    pub effects: Vec<Effect>,
    /// It has written marks, which are no effects.
    pub marked: bool,
    /// Tables that it has changed.
    pub tables: Vec<TableId>,
    /// What the last cut left undone, less what was done since.
    pub debt: Vec<Part>,
    /// Where the last cut was; `NONE`: none, or an attempt ended since.
    pub cut_at: Pc,
    pub last_carrier_died: Nanos,
    pub done: bool,
    /// An attempt went another way than what was left behind.
    pub mixed: bool,
    /// The text of the guard that ended it, if it was another obligation's mark.
    pub swallowed: bool,
    pub told: Option<Outcome>,
    /// Its issuer was told that it failed, or was one of which that is so.
    pub excused: bool,
    pub fate: Fate,
    /// Copies that were issued for good, and taken in by a broker.
    pub issued: u32,
    pub accepted: u32,
    /// A message that it issued never came to its broker.
    pub sent_in_vain: bool,
    /// A hash of what the first accepted copy said.
    pub content: u64,
    pub diverged: bool,
    /// How many changes of rows it has committed.
    pub rows_committed: u64,
    /// Attempts that sent it have row changes to come.
    pub provisional: u32,
    /// It was issued with row changes of its issuer to come, and that attempt is over without them: how many
    /// its issuer had committed by then.
    pub orphaned: Option<u64>,
    /// A store has forgotten some of it after it was committed.
    pub forgotten: bool,
    /// Somebody has acted on it.
    pub acted_on: bool,
    /// Its issuer's changes will never come.
    pub phantom: bool,
    /// The saga that it is part of, and the step; `NONE`.
    pub saga: u32,
    pub saga_step: u16,
    /// What ought to happen once for a value, and has been part of its work: it carries them.
    pub beside: Vec<EntryId>,
    /// Of one of those: the obligations in whose work it came up last, and was done first.
    pub asked_by: u64,
    pub done_by: u64,
}

impl Default for Entry {
    /// Of no obligation: [`Entry::begin`] makes one of it.
    fn default() -> Self {
        Self {
            obligation: 0,
            parent: NONE,
            root: 0,
            issued_at: 0,
            first_child: NONE,
            last_child: NONE,
            next_sibling: NONE,
            children: 0,
            holders: 0,
            kind: Kind::Root,
            is_in_use: false,
            is_named: false,
            by_client: false,
            attempts: 0,
            effects: Vec::new(),
            marked: false,
            tables: Vec::new(),
            debt: Vec::new(),
            cut_at: NONE,
            last_carrier_died: 0,
            done: false,
            mixed: false,
            swallowed: false,
            told: None,
            excused: false,
            fate: Fate::Open,
            issued: 0,
            accepted: 0,
            sent_in_vain: false,
            content: 0,
            diverged: false,
            rows_committed: 0,
            provisional: 0,
            orphaned: None,
            forgotten: false,
            acted_on: false,
            phantom: false,
            saga: NONE,
            saga_step: u16::MAX,
            beside: Vec::new(),
            asked_by: 0,
            done_by: 0,
        }
    }
}

impl Entry {
    /// An obligation comes to be, in the room that a forgotten one had for its lists.
    fn begin(&mut self, obligation: u64, kind: Kind, parent: EntryId, issued_at: Nanos) {
        let room = (emptied(&mut self.effects), emptied(&mut self.tables), emptied(&mut self.debt));
        let beside = emptied(&mut self.beside);
        *self = Self {
            obligation,
            parent,
            root: obligation,
            issued_at,
            kind,
            is_in_use: true,
            beside,
            ..Self::default()
        };
        (self.effects, self.tables, self.debt) = room;
    }

    /// Whether something of it is there.
    pub fn has_left(&self) -> bool {
        self.effects.iter().any(|effect| effect.net > 0)
    }
}

/// The room of a list that is needed no more.
pub(super) fn emptied<T>(list: &mut Vec<T>) -> Vec<T> {
    let mut room = std::mem::take(list);
    room.clear();
    room
}

/// So many children of an entry are found by looking through them; later ones by name.
const MOST_LOOKED_THROUGH: u32 = 8;

/// How an obligation that is issued again is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// Only attempts of its parent issue it.
    Parent,
    Anyone,
}

/// The entries.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    free: Vec<EntryId>,
    named: FxHashMap<u64, EntryId>,
    /// By intent or tick: the entries that came of it; `None`: nobody asks.
    of_root: Option<FxHashMap<u64, u32>>,
    /// An obligation that somebody asks about from outside: it is found by name, whoever issues it.
    followed: Option<u64>,
    /// Entries that nothing holds any more, to be settled by whoever asks.
    released: Vec<EntryId>,
}

impl Ledger {
    /// One that knows when all that an intent or a tick began is over.
    pub fn by_root() -> Self {
        Self { of_root: Some(FxHashMap::default()), ..Self::default() }
    }

    /// From now on an obligation is found by name, before it is issued first.
    pub fn follow(&mut self, obligation: u64) {
        self.followed = Some(obligation);
    }

    /// The entry of an obligation, of those that are found by name.
    pub fn find(&self, obligation: u64) -> Option<EntryId> {
        if self.named.is_empty() { None } else { self.named.get(&obligation).copied() }
    }

    /// The entry of an obligation that an attempt of `parent` issues, if it was issued before.
    pub fn find_issued(&self, parent: EntryId, obligation: u64) -> Option<EntryId> {
        if parent != NONE {
            let mut child = self.entries[parent as usize].first_child;
            for _ in 0..MOST_LOOKED_THROUGH {
                let Some(of) = self.entries.get(child as usize) else { break };
                if of.obligation == obligation {
                    return Some(child);
                }
                child = of.next_sibling;
            }
        }
        self.find(obligation)
    }

    /// The entry of an obligation, made if there is none; a new one is held by its parent.
    pub fn enter(
        &mut self,
        obligation: u64,
        kind: Kind,
        parent: EntryId,
        issuer: Issuer,
        now: Nanos,
    ) -> EntryId {
        let known = self.find_issued(parent, obligation);
        known.unwrap_or_else(|| self.add(obligation, kind, parent, issuer, now))
    }

    /// The entry of an obligation that is not known.
    pub fn add(
        &mut self,
        obligation: u64,
        kind: Kind,
        parent: EntryId,
        issuer: Issuer,
        now: Nanos,
    ) -> EntryId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::default());
            self.entries.len() as EntryId - 1
        });
        self.entries[id as usize].begin(obligation, kind, parent, now);
        let is_one_of_many = parent != NONE && self.adopt(parent, id);
        if issuer == Issuer::Anyone || is_one_of_many || self.followed == Some(obligation) {
            self.name(id);
        }
        if let Some(of_root) = &mut self.of_root {
            *of_root.entry(self.entries[id as usize].root).or_insert(0) += 1;
        }
        id
    }

    /// Links a new entry to its parent, which holds it; whether it has too many siblings to be found among them.
    fn adopt(&mut self, parent: EntryId, id: EntryId) -> bool {
        let of = &mut self.entries[parent as usize];
        let (root, by_client, last) = (of.root, of.kind == Kind::Root, of.last_child);
        let (saga, saga_step) = (of.saga, of.saga_step);
        of.last_child = id;
        of.children += 1;
        let is_one_of_many = of.children > MOST_LOOKED_THROUGH;
        let new = &mut self.entries[id as usize];
        (new.root, new.by_client) = (root, by_client);
        (new.saga, new.saga_step) = (saga, saga_step);
        match last {
            NONE => self.entries[parent as usize].first_child = id,
            last => self.entries[last as usize].next_sibling = id,
        }
        self.entries[id as usize].holders = 1;
        is_one_of_many
    }

    /// From now on an entry is found by name.
    pub fn name(&mut self, id: EntryId) {
        let entry = &mut self.entries[id as usize];
        if !std::mem::replace(&mut entry.is_named, true) {
            self.named.insert(entry.obligation, id);
        }
    }

    /// A carrier more.
    pub fn hold(&mut self, id: EntryId) {
        self.entries[id as usize].holders += 1;
    }

    /// Whether it has more than one carrier.
    pub fn is_shared(&self, id: EntryId) -> bool {
        self.entries[id as usize].holders > 1
    }

    /// A carrier less, at this time.
    pub fn release(&mut self, id: EntryId, now: Nanos) {
        let entry = &mut self.entries[id as usize];
        entry.last_carrier_died = now;
        entry.holders -= 1;
        if entry.holders == 0 {
            self.released.push(id);
        }
    }

    /// An entry that nothing holds: its end is known.
    pub fn next_released(&mut self) -> Option<EntryId> {
        self.released.pop()
    }

    /// Forgets a settled entry, which no longer holds its children; they are handed to `last_word` before.
    /// Gives its intent or tick if it was the last entry of that.
    pub fn forget(
        &mut self,
        id: EntryId,
        now: Nanos,
        mut last_word: impl FnMut(&Entry, &mut Entry),
    ) -> Option<u64> {
        let mut child = self.entries[id as usize].first_child;
        let already_released = self.released.len();
        while child != NONE {
            let [parent, own] = self
                .entries
                .get_disjoint_mut([id as usize, child as usize])
                .expect("an entry is not its own child");
            last_word(parent, own);
            own.parent = NONE;
            let next = std::mem::replace(&mut own.next_sibling, NONE);
            own.holders -= 1;
            if own.holders == 0 {
                if own.last_carrier_died == 0 {
                    own.last_carrier_died = now;
                }
                self.released.push(child);
            }
            child = next;
        }
        // The eldest is settled first.
        self.released[already_released..].reverse();
        self.free.push(id);
        let entry = &mut self.entries[id as usize];
        entry.is_in_use = false;
        if entry.is_named {
            self.named.remove(&entry.obligation);
        }
        let of_root = self.of_root.as_mut()?;
        let left = of_root.get_mut(&entry.root).expect("every entry is counted");
        *left -= 1;
        if *left > 0 {
            return None;
        }
        of_root.remove(&entry.root);
        Some(entry.root)
    }

    /// All that are held.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_in_use)
    }

    /// Whether that is the entry of this obligation still.
    pub fn is(&self, id: EntryId, obligation: u64) -> bool {
        let entry = &self.entries[id as usize];
        entry.is_in_use && entry.obligation == obligation
    }

    /// The obligations that are still held.
    pub fn open(&self) -> Vec<EntryId> {
        (0..self.entries.len() as EntryId).filter(|id| self.entries[*id as usize].is_in_use).collect()
    }

    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

impl std::ops::Index<EntryId> for Ledger {
    type Output = Entry;
    fn index(&self, id: EntryId) -> &Entry {
        &self.entries[id as usize]
    }
}

impl std::ops::IndexMut<EntryId> for Ledger {
    fn index_mut(&mut self, id: EntryId) -> &mut Entry {
        &mut self.entries[id as usize]
    }
}
