//! What an attempt knows and has done: which of its decisions rest on what an earlier attempt of its own
//! obligation wrote, which parts of the work it came by, and what it has not committed yet.

use super::ledger::{EntryId, emptied};
use crate::kernel::ids::{HandlerId, SiteId};
use crate::model::{Code, Model, NONE, Op, Operand, Pc, RowStep, Slot, Value};
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

/// A message that was sent before row changes of its issuer were committed.
#[derive(Clone, Debug)]
pub struct Provisional {
    pub message: EntryId,
    /// The sites of those that have not been.
    pub to_come: Vec<SiteId>,
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
    pub provisional: Vec<Provisional>,
    pub own_rows: Vec<RowName>,
    taints: Vec<Taint>,
    /// Its last decision was a guard on another obligation's mark.
    pub guarded: bool,
    /// Sites that a decision on others' data has closed.
    pub excluded: Vec<SiteId>,
}

impl AttemptState {
    pub fn new(
        entry: EntryId,
        obligation: u64,
        number: u32,
        handler: HandlerId,
        served: Served,
        from_client: bool,
    ) -> Self {
        Self {
            entry,
            obligation,
            number,
            handler,
            served,
            from_client,
            exposed: false,
            resumed: false,
            came_by: Vec::new(),
            added: Vec::new(),
            staged: Vec::new(),
            staged_messages: Vec::new(),
            staged_issues: Vec::new(),
            provisional: Vec::new(),
            own_rows: Vec::new(),
            taints: Vec::new(),
            guarded: false,
            excluded: Vec::new(),
        }
    }

    /// Takes over the room that an ended attempt had for its lists.
    pub fn take_room(&mut self, old: &mut Self) {
        self.came_by = emptied(&mut old.came_by);
        self.added = emptied(&mut old.added);
        self.staged = emptied(&mut old.staged);
        self.staged_messages = emptied(&mut old.staged_messages);
        self.staged_issues = emptied(&mut old.staged_issues);
        self.provisional = emptied(&mut old.provisional);
        self.own_rows = emptied(&mut old.own_rows);
        self.taints = emptied(&mut old.taints);
        self.excluded = emptied(&mut old.excluded);
    }

    /// A row step was carried out for good, or found nothing to do: no message waits for it any more.
    pub fn has_come(&mut self, site: SiteId) {
        self.provisional.iter_mut().for_each(|of| of.to_come.retain(|to_come| *to_come != site));
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

    /// A local is computed from others: it is of the strongest source among them.
    pub fn name(&mut self, model: &Model, slot: Slot, value: u32) {
        let source = match &model.values[value as usize] {
            Value::Computed(operand) => self.source_in(model, *operand),
            _ => None,
        };
        self.taints.retain(|taint| taint.first != slot);
        if let Some(source) = source {
            self.taints.push(Taint { first: slot, slots: 1, source, is_anothers_mark: false });
        }
    }

    /// Whose data an expression reads, of the locals that hold rows.
    pub fn source_in(&self, model: &Model, operand: Operand) -> Option<Source> {
        slots_of(model, operand).into_iter().filter_map(|slot| self.taint(slot)).map(|of| of.source).max()
    }

    /// Whether a condition asks for nothing but the existence of another obligation's row.
    pub fn is_guard(&self, model: &Model, operand: Operand) -> bool {
        let slots = slots_of(model, operand);
        let [slot] = slots[..] else { return false };
        self.taint(slot).is_some_and(|taint| taint.is_anothers_mark && taint.first == slot && taint.slots > 1)
    }

    fn taint(&self, slot: Slot) -> Option<&Taint> {
        self.taints.iter().find(|taint| (taint.first..taint.first + taint.slots).contains(&slot))
    }
}

/// The locals that an expression reads.
pub fn slots_of(model: &Model, operand: Operand) -> Vec<Slot> {
    match operand {
        Operand::Local(slot) => vec![slot],
        Operand::Program(program) => {
            let code = &model.instructions[model.programs[program as usize].indices()];
            let mut slots = Vec::new();
            for instruction in code {
                match *instruction {
                    Code::Local(slot) => slots.push(slot),
                    Code::RowLocal { exists, slot } => slots.extend([exists, slot]),
                    _ => {}
                }
            }
            slots.sort_unstable();
            slots.dedup();
            slots
        }
        Operand::Literal(_) | Operand::Message(_) => Vec::new(),
    }
}

/// The row step at a place of the code.
pub fn row_step(model: &Model, pc: Pc) -> Option<&RowStep> {
    match model.code.get(pc as usize)? {
        Op::Row(step) => Some(&model.row_steps[*step as usize]),
        _ => None,
    }
}

/// A table of attempts by slot.
#[derive(Clone, Debug)]
pub struct BySlot<T> {
    slots: Vec<Option<T>>,
}

impl<T> Default for BySlot<T> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<T> BySlot<T> {
    pub fn put(&mut self, slot: u32, value: T) {
        let at = slot as usize;
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || None);
        }
        self.slots[at] = Some(value);
    }

    pub fn get(&self, slot: u32) -> Option<&T> {
        if slot == NONE { None } else { self.slots.get(slot as usize)?.as_ref() }
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        if slot == NONE { None } else { self.slots.get_mut(slot as usize)?.as_mut() }
    }

    pub fn take(&mut self, slot: u32) -> Option<T> {
        self.slots.get_mut(slot as usize)?.take()
    }
}
