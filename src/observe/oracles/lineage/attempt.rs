//! What an attempt knows and has done: which of its decisions rest on what an earlier attempt of its own
//! obligation wrote, which parts of the work it came by, and what it has not committed yet.

mod encode;

use super::early::Early;
use super::ledger::EntryId;
use crate::kernel::ids::{HandlerId, SiteId};
use crate::model::{Model, NONE, Op, Pc, RowStep, Slot};
use crate::world::deed::{Part, RowName, Served, Version};

/// Whose row a local was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Another obligation's, one there at the start, or none at all.
    Others,
    /// Written by an earlier attempt of the same obligation.
    Own,
}

/// Locals filled from a row: `exists` first, then its columns.
#[derive(Clone, Copy, Debug)]
struct Taint {
    first: Slot,
    slots: Slot,
    source: Source,
    /// The row was there, and another obligation wrote it.
    is_anothers_mark: bool,
}

/// A row write that its transaction has not committed yet.
#[derive(Clone, Copy, Debug)]
pub struct Staged {
    pub row: RowName,
    pub part: Part,
}

/// An outbox row that is not committed, and what a rollback takes back with it.
#[derive(Clone, Copy, Debug)]
pub struct StagedIssue {
    pub part: Part,
    /// Nothing of it was there before.
    pub is_first: bool,
    /// A cut had left it undone.
    pub was_owed: bool,
}

/// One attempt under way.
#[derive(Clone, Debug)]
pub struct AttemptState {
    pub entry: EntryId,
    /// As versions of rows name their writer.
    pub obligation: u64,
    pub number: u32,
    pub handler: HandlerId,
    pub served: Served,
    pub from_client: bool,
    /// An effect of its obligation was there when it began, or when it came to one of its writes.
    pub exposed: bool,
    /// A decision of it read what an earlier attempt of its obligation wrote.
    pub resumed: bool,
    pub came_by: Vec<Part>,
    pub added: Vec<Part>,
    pub staged: Vec<Staged>,
    /// Messages of its open transaction's outbox rows, and its durable timers.
    pub staged_messages: Vec<EntryId>,
    /// What its open transaction's outbox rows are parts of.
    pub staged_issues: Vec<StagedIssue>,
    /// Messages sent while row changes were to come.
    pub early: Early,
    pub own_rows: Vec<RowName>,
    taints: Vec<Taint>,
    /// Its last decision was a guard on another obligation's mark.
    pub guarded: bool,
    /// Sites that a decision on others' data has closed.
    pub excluded: Vec<SiteId>,
}

impl Default for AttemptState {
    /// Nobody yet: [`AttemptState::begin`] makes an attempt of it.
    fn default() -> Self {
        Self {
            entry: NONE,
            obligation: 0,
            number: 0,
            handler: HandlerId(NONE),
            served: Served::Send,
            from_client: false,
            exposed: false,
            resumed: false,
            came_by: Vec::new(),
            added: Vec::new(),
            staged: Vec::new(),
            staged_messages: Vec::new(),
            staged_issues: Vec::new(),
            early: Early::default(),
            own_rows: Vec::new(),
            taints: Vec::new(),
            guarded: false,
            excluded: Vec::new(),
        }
    }
}

impl AttemptState {
    /// An attempt begins in the room that an ended one had for its lists.
    pub fn begin(
        &mut self,
        entry: EntryId,
        obligation: u64,
        number: u32,
        handler: HandlerId,
        served: Served,
    ) {
        (self.entry, self.obligation, self.number) = (entry, obligation, number);
        (self.handler, self.served) = (handler, served);
        self.from_client = matches!(served, Served::Intent { .. });
        (self.exposed, self.resumed, self.guarded) = (false, false, false);
        self.came_by.clear();
        self.added.clear();
        self.staged.clear();
        self.staged_messages.clear();
        self.staged_issues.clear();
        self.early.clear();
        self.own_rows.clear();
        self.taints.clear();
        self.excluded.clear();
    }

    /// Whose version that is, seen from this attempt; its own writes are nobody's.
    pub fn source_of(&self, row: RowName, version: Version) -> Option<Source> {
        if version.exists && version.writer == self.obligation {
            return (!self.own_rows.contains(&row)).then_some(Source::Own);
        }
        Some(Source::Others)
    }

    /// Whether a version is a mark that another obligation has left.
    pub fn is_anothers(&self, version: Version) -> bool {
        version.exists
            && version.writer != self.obligation
            && version.writer != crate::world::store::INITIAL_WRITER
            && version.writer != crate::world::store::UNCOMMITTED
    }

    /// Locals now hold a row.
    pub fn keep(&mut self, first: Slot, columns: u16, source: Option<Source>, is_anothers_mark: bool) {
        self.taints.retain(|taint| taint.first != first);
        if let Some(source) = source {
            self.taints.push(Taint { first, slots: columns + 1, source, is_anothers_mark });
        }
    }

    /// A local is computed from these: it is of the strongest source among them.
    pub fn name(&mut self, slot: Slot, from: &[Slot]) {
        let source = self.source_in(from);
        self.taints.retain(|taint| taint.first != slot);
        if let Some(source) = source {
            self.taints.push(Taint { first: slot, slots: 1, source, is_anothers_mark: false });
        }
    }

    /// Whose data locals hold, of those that hold rows.
    pub fn source_in(&self, slots: &[Slot]) -> Option<Source> {
        slots.iter().filter_map(|slot| self.taint(*slot)).map(|of| of.source).max()
    }

    /// Whether a condition on these asks for nothing but the existence of another obligation's row.
    pub fn is_guard(&self, slots: &[Slot]) -> bool {
        let &[slot] = slots else { return false };
        self.taint(slot).is_some_and(|taint| taint.is_anothers_mark && taint.first == slot && taint.slots > 1)
    }

    fn taint(&self, slot: Slot) -> Option<&Taint> {
        self.taints.iter().find(|taint| (taint.first..taint.first + taint.slots).contains(&slot))
    }
}

/// The row step at a place of the code.
pub fn row_step(model: &Model, pc: Pc) -> Option<&RowStep> {
    match model.code.get(pc as usize)? {
        Op::Row(step) => Some(&model.row_steps[*step as usize]),
        _ => None,
    }
}
