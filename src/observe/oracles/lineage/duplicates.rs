//! Commits: which effects they are, and whether they were there already.

use super::Lineage;
use super::ledger::{Effect, EntryId, Issuer, Kind};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::ids::TableId;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE};
use crate::observe::trace::wording::named_step;
use crate::world::deed::{Deed, Part, RowName, Served};
use crate::world::identity::mix;

/// Where effects on the outside are, which has no rows.
const OUTSIDE: RowName = RowName { table: TableId(NONE), key: 0, instance: NONE };
/// A part of an obligation's work that an attempt has committed.
struct Committed {
    attempt: u32,
    /// What the attempt serves, and what the part is owed to.
    own: EntryId,
    entry: EntryId,
    /// Of the attempt, within its obligation.
    number: u32,
    part: Part,
    /// `None`: on the outside.
    row: Option<RowName>,
}

impl Lineage<'_> {
    /// A row has changed for good.
    pub(super) fn committed(&mut self, now: Nanos, deed: &Deed<'_>) {
        let &Deed::Committed { attempt, row, old, new, version, .. } = deed else { return };
        let model = self.model;
        let table = &model.tables[row.table.index()];
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        if !state.own_rows.contains(&row) {
            state.own_rows.push(row);
        }
        let (entry, number) = (state.entry, state.number);
        let mut parts = std::mem::take(&mut self.parts);
        parts.clear();
        parts.extend(state.staged.iter().filter(|staged| staged.row == row).map(|staged| staged.part));
        parts.sort_unstable();
        parts.dedup();
        parts.iter().for_each(|part| state.early.has_come(part.site));
        let served = state.served;
        let of = &mut self.ledger[entry];
        if !of.tables.contains(&row.table) {
            of.tables.push(row.table);
        }
        if !table.is_effect(old, new) {
            of.marked |= !table.has_effects();
            if !table.has_effects() {
                parts.iter().for_each(|part| self.mark_value(now, entry, *part));
            }
            self.parts = parts;
            return;
        }
        state.guarded = false;
        self.acted_on_reads(now, attempt);
        for &part in &parts {
            let own = entry;
            let entry = self.entry_of_part(now, own, served, part);
            if !model.undoes[part.site.index()].is_empty() {
                self.note_undone(own, part.site, row);
            }
            self.note_done(now, (own, entry), part, row);
            self.note_in_saga(now, own, part, row);
            let done = Committed { attempt, own, entry, number, part, row: Some(row) };
            self.effect(now, done, |model| format!("changed {}", row_text(model, row, new.or(old))));
            self.note_volatile(entry, part, row, version);
            self.ledger[own].rows_committed += 1;
        }
        self.parts = parts;
    }

    /// What ought to happen once for a value is that value's obligation; what a job does for each row is the row's obligation, not the tick's, if it says so.
    fn entry_of_part(&mut self, now: Nanos, entry: EntryId, served: Served, part: Part) -> EntryId {
        if part.is_of_value {
            return self.value_in(now, entry, part);
        }
        let Served::Tick { job } = served else { return entry };
        let job = &self.model.jobs[job.index()];
        if !job.per_row || part.item == 0 {
            return entry;
        }
        let of_row = mix(job.key, part.item);
        self.ledger.find(of_row).unwrap_or_else(|| {
            let entry = self.ledger.add(of_row, Kind::Root, NONE, Issuer::Anyone, now);
            // Any later tick may come by the row again.
            self.ledger.hold(entry);
            entry
        })
    }

    /// A part of the work was committed: for the first time, or again.
    fn effect(
        &mut self,
        now: Nanos,
        Committed { attempt, own, entry, number, part, row }: Committed,
        what: impl FnOnce(&Model) -> String,
    ) {
        let doer = self.ledger[own].obligation;
        let of = &mut self.ledger[entry];
        of.debt.retain(|owed| *owed != part);
        let obligation = if part.is_of_value { doer } else { of.obligation };
        match of.effects.iter_mut().find(|effect| effect.part == part) {
            Some(effect) => {
                effect.net += 1;
                if effect.net > 1 {
                    let times = effect.net;
                    self.sight_at(Anomaly::DuplicateEffects, now, (obligation, row), |model| {
                        let step = named_step(model, part.site);
                        format!("{step} {} again: done {times} times", what(model))
                    });
                    return;
                }
            }
            None => of.effects.push(Effect { part, net: 1, by: number, past: false }),
        }
        if part.is_of_value {
            return self.keep_value(entry, doer);
        }
        if let Some(state) = self.attempts.get_mut(attempt) {
            state.added.push(part);
        }
    }

    /// A request to the outside holds its obligation, and knows it by name: whoever asked may be gone when it arrives.
    pub(super) fn effect_asked(&mut self, attempt: u32, obligation: u64) {
        let own = self.attempts.get(attempt).map(|state| state.entry);
        let own = own.filter(|entry| self.ledger.is(*entry, obligation));
        if let Some(entry) = own.or_else(|| self.ledger.find(obligation)) {
            self.ledger.name(entry);
            self.ledger.hold(entry);
        }
    }

    /// The outside has acted, or recognised a request that it had carried out.
    pub(super) fn effected(&mut self, now: Nanos, attempt: u32, obligation: u64, part: Part, first: bool) {
        let state = self.attempts.get_mut(attempt);
        let number = state.as_ref().map_or(0, |state| state.number);
        let served = state.as_ref().map(|state| state.served);
        if let Some(state) = state {
            state.came_by.push(part);
            state.guarded = false;
        }
        let Some(asked) = self.ledger.find(obligation) else { return };
        self.come_by_value(attempt, asked, part);
        if first {
            let entry = served.map_or(asked, |served| self.entry_of_part(now, asked, served, part));
            self.acted_on_reads(now, attempt);
            self.note_in_saga(now, if part.is_of_value { asked } else { entry }, part, OUTSIDE);
            let done = Committed { attempt, own: asked, entry, number, part, row: None };
            self.effect(now, done, |_| "acted on the outside".into());
        }
        self.ledger.release(asked, now);
        self.settle_released(now);
    }

    /// Everything that a transaction wrote is there, or nothing.
    pub(super) fn transaction_ended(&mut self, now: Nanos, attempt: u32, committed: bool) {
        let Some(state) = self.attempts.get_mut(attempt) else { return };
        state.staged.clear();
        if !committed {
            let issues = &state.staged_issues;
            state.added.retain(|part| issues.iter().all(|issue| issue.part != *part));
        }
        let entry = state.entry;
        let messages = std::mem::take(&mut state.staged_messages);
        let issues = std::mem::take(&mut state.staged_issues);
        let mut early = std::mem::take(&mut self.over);
        state.early.take_over(committed, &mut early);
        for &message in &messages {
            if committed {
                self.ledger[message].issued += 1;
            }
            self.ledger.release(message, now);
        }
        if !committed {
            self.take_back(entry, &issues);
        }
        if !committed && !early.is_empty() {
            self.expose(Anomaly::PhantomEffects);
        }
        let rows_committed = self.ledger[entry].rows_committed;
        for message in early.drain(..) {
            self.ledger[message].orphaned = (!committed).then_some(rows_committed);
            self.ledger[message].provisional -= 1;
            self.ledger.release(message, now);
        }
        self.over = early;
        if let Some(state) = self.attempts.get_mut(attempt) {
            state.staged_messages = emptied(messages);
            state.staged_issues = emptied(issues);
        }
        self.settle_released(now);
    }
}

/// The room of a list that is needed no more.
fn emptied<T>(mut list: Vec<T>) -> Vec<T> {
    list.clear();
    list
}

/// `inventory.stock[17]`
pub(super) fn row_text(model: &Model, row: RowName, words: Option<&[u64]>) -> String {
    let table = &model.tables[row.table.index()];
    let key: Vec<String> = match words {
        Some(words) => table.key.iter().map(|&column| key_text(words[column as usize])).collect(),
        None => Vec::new(),
    };
    format!("{}[{}]", table.name, key.join(", "))
}

/// A word of a key: small numbers as they are, made-up ids in short.
fn key_text(word: u64) -> String {
    if word < 1 << 40 { word.to_string() } else { format!("{:08x}", word >> 32) }
}
