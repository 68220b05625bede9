//! The ledger: one entry for each obligation that can still be worked on, again or for the first time.
//!
//! An entry is held by the carriers of its obligation (a copy in a network or broker, an attempt, a
//! timer, a request to the outside) and by its parent's entry, since an ancestor that is executed again
//! issues it again. When nothing holds it any more its end is known: it is settled, and forgotten.
//! Memory is therefore what is under way, however long the run.

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
}

/// How a broker ended a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Open,
    Acknowledged,
    Parked,
    Dropped,
    Skipped,
}

/// A part of the work that has been committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    pub part: Part,
    /// 1 since its first commit, more after each that changed something again, less when undone.
    pub net: i32,
    /// Counted within its obligation: the attempt that committed it first.
    pub by: u32,
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
    first_child: EntryId,
    next_sibling: EntryId,
    holders: u32,
    pub kind: Kind,
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
    /// Somebody has acted on it.
    pub acted_on: bool,
    /// Its issuer's changes will never come.
    pub phantom: bool,
}

impl Entry {
    fn new(obligation: u64, kind: Kind, parent: EntryId, issued_at: Nanos) -> Self {
        Self {
            obligation,
            parent,
            root: obligation,
            issued_at,
            first_child: NONE,
            next_sibling: NONE,
            holders: 0,
            kind,
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
            content: 0,
            diverged: false,
            rows_committed: 0,
            provisional: 0,
            orphaned: None,
            acted_on: false,
            phantom: false,
        }
    }

    /// Takes over the room that a forgotten entry had for its lists.
    fn take_room(&mut self, old: &mut Self) {
        self.effects = emptied(&mut old.effects);
        self.debt = emptied(&mut old.debt);
        self.tables = emptied(&mut old.tables);
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

/// The entries.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    free: Vec<EntryId>,
    by_obligation: FxHashMap<u64, EntryId>,
    /// By intent or tick: the entries that came of it.
    of_root: FxHashMap<u64, u32>,
    /// Entries that nothing holds any more, to be settled by whoever asks.
    released: Vec<EntryId>,
}

impl Ledger {
    pub fn find(&self, obligation: u64) -> Option<EntryId> {
        self.by_obligation.get(&obligation).copied()
    }

    /// The entry of an obligation, made if there is none; a new one is held by its parent.
    pub fn enter(&mut self, obligation: u64, kind: Kind, parent: EntryId, now: Nanos) -> EntryId {
        if let Some(known) = self.find(obligation) {
            return known;
        }
        let mut entry = Entry::new(obligation, kind, parent, now);
        let id = match self.free.pop() {
            Some(id) => {
                entry.take_room(&mut self.entries[id as usize]);
                self.entries[id as usize] = entry;
                id
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as EntryId - 1
            }
        };
        self.by_obligation.insert(obligation, id);
        if parent != NONE {
            let first = std::mem::replace(&mut self.entries[parent as usize].first_child, id);
            self.entries[id as usize].next_sibling = first;
            self.entries[id as usize].holders = 1;
            self.entries[id as usize].root = self.entries[parent as usize].root;
            self.entries[id as usize].by_client = self.entries[parent as usize].kind == Kind::Root;
        }
        *self.of_root.entry(self.entries[id as usize].root).or_insert(0) += 1;
        id
    }

    /// A carrier more.
    pub fn hold(&mut self, id: EntryId) {
        self.entries[id as usize].holders += 1;
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
        self.by_obligation.remove(&self.entries[id as usize].obligation);
        self.free.push(id);
        let root = self.entries[id as usize].root;
        let left = self.of_root.get_mut(&root).expect("every entry is counted");
        *left -= 1;
        if *left > 0 {
            return None;
        }
        self.of_root.remove(&root);
        Some(root)
    }

    /// The obligations that are still held.
    pub fn open(&self) -> Vec<EntryId> {
        let mut open: Vec<EntryId> = self.by_obligation.values().copied().collect();
        open.sort_unstable();
        open
    }

    pub fn len(&self) -> usize {
        self.by_obligation.len()
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
