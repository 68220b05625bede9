//! Decisions: what an attempt reads, and which ways it closes to itself because of what it read.

use super::Lineage;
use super::attempt::{Source, Staged, row_step};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::*;
use crate::model::reach::may_reach;
use crate::model::{Op, Pc, RowVerb};
use crate::world::deed::{Deed, Write};
use rustc_hash::FxHashSet;

impl Lineage<'_> {
    pub(super) fn decided(&mut self, attempt: u32, pc: Pc, holds: bool) {
        let model = self.model;
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        let Op::JumpUnless { target, .. } = model.code[pc as usize] else { return };
        let slots = self.uses.condition(pc);
        let Some(source) = state.source_in(slots) else { return };
        if state.is_guard(slots) {
            self.findings[Anomaly::Swallowed.index()].exposures += 1;
            state.guarded = true;
        } else {
            state.guarded = false;
        }
        match source {
            Source::Own => state.resumed = true,
            Source::Others => {
                let (taken, left) = if holds { (pc + 1, target) } else { (target, pc + 1) };
                self.exclude(attempt, taken, left);
            }
        }
    }

    /// A decision on others' data has closed the way to some sites.
    fn exclude(&mut self, attempt: u32, taken: Pc, left: Pc) {
        let Some(state) = self.attempts.get(attempt) else { return };
        // Only a later attempt can leave out what an earlier one did or owed.
        if state.number == 1 {
            return;
        }
        let open = self.reachable(taken).clone();
        let closed: Vec<_> =
            self.reachable(left).iter().copied().filter(|site| !open.contains(site)).collect();
        if let Some(state) = self.attempts.get_mut(attempt) {
            state.excluded.extend(closed);
        }
    }

    pub(super) fn reachable(&mut self, pc: Pc) -> &FxHashSet<SiteId> {
        let model = self.model;
        self.reach.entry(pc).or_insert_with(|| may_reach(model, pc))
    }

    pub(super) fn read(&mut self, deed: &Deed<'_>) {
        let &Deed::Read { attempt, pc, row, version, into, words, .. } = deed else { return };
        let model = self.model;
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        let source = state.source_of(row, version);
        if let Some(first) = into {
            let columns = model.tables[row.table.index()].columns.max(words.len() as u16);
            let is_anothers_mark = state.is_anothers(version) && self.uses.writes(state.handler, row.table);
            state.keep(first, columns, source, is_anothers_mark);
        }
        // With an `else`, whether the row is there is a decision.
        if row_step(model, pc).is_some_and(|step| step.otherwise.is_some()) && source == Some(Source::Own) {
            state.resumed = true;
        }
    }

    /// What a filter admits is a decision on every row of the table, those of earlier attempts too.
    pub(super) fn scanned(&mut self, attempt: u32, pc: Pc, table: TableId) {
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        let is_filtered = row_step(self.model, pc).is_some_and(|step| step.filter.is_some());
        let has_own = state.number > 1 && self.ledger[state.entry].tables.contains(&table);
        state.resumed |= is_filtered && has_own;
    }

    pub(super) fn wrote(&mut self, deed: &Deed<'_>) {
        let &Deed::Wrote { attempt, pc, part, row, seen, write } = deed else { return };
        let model = self.model;
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        let Some(step) = row_step(model, pc) else { return };
        state.came_by.push(part);
        let entry = state.entry;
        self.note_exposed(attempt);
        self.look_for_discard(attempt, step, (row, seen, write));
        let is_done_for_value = self.come_by_value(attempt, entry, part);
        if write == Write::Nothing && !model.undoes[part.site.index()].is_empty() {
            self.note_undone(entry, part.site, row);
        }
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        if write == Write::Nothing {
            state.early.has_come(part.site);
        } else {
            state.staged.push(Staged { row, part });
            state.guarded = false;
        }
        let expects = step.appended().is_some_and(|append| append.expect.is_some());
        let decides = step.filter.is_some() || expects || write == Write::Nothing;
        let source = state.source_of(row, seen);
        if let Some(first) = step.result {
            let columns = model.tables[row.table.index()].columns;
            state.keep(first, columns, source, state.is_anothers(seen));
        }
        let is_guard = step.verb == RowVerb::Insert && step.otherwise.is_some();
        if is_guard {
            self.findings[Anomaly::Swallowed.index()].exposures += 1;
        }
        if !decides {
            return;
        }
        if is_guard && write == Write::Nothing && state.is_anothers(seen) && !is_done_for_value {
            state.guarded = true;
        }
        match source {
            Some(Source::Own) => state.resumed = true,
            Some(Source::Others) if write == Write::Nothing => {
                if let Some(otherwise) = step.otherwise {
                    self.exclude(attempt, otherwise, step.next);
                }
            }
            _ => {}
        }
    }
}
