//! What ought to happen once for a value (`once_per`), whoever's work it is in.
//!
//! A step that says so names its own obligation, and that replaces the cause: two orders that are one purchase, two
//! ticks that find the same row, three messages of which the last one acts. Each value has an entry of its own, by
//! name. Whoever comes by the step carries it, and owes nothing for it himself. Since anybody may come by a value
//! later, an entry is kept to the end of the run, which takes memory for each value: only then is it known that nobody
//! did what somebody left undone, and that is dated where its last carrier died.
//!
//! ```text
//! cards/Placed: { effect: charge, once_per: message.purchase }
//!   order 1 of purchase 7   charged: net 1
//!   order 2 of purchase 7   charged: net 2, a duplicate, though each order was handled once
//! ```

use super::Lineage;
use super::ledger::{Entry, EntryId, Issuer, Kind};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::time::Nanos;
use crate::model::{NONE, Pc};
use crate::world::deed::Part;
use crate::world::identity::mix;

impl Lineage<'_> {
    /// The entry of a value's part, made if there is none, with which this one has to do from now on.
    pub(super) fn value_in(&mut self, now: Nanos, own: EntryId, part: Part) -> EntryId {
        let name = self.name_of_value(part);
        let kind = Kind::Once { site: part.site };
        let entry = self.ledger.find(name).unwrap_or_else(|| {
            let entry = self.ledger.add(name, kind, NONE, Issuer::Anyone, now);
            self.ledger.hold(entry);
            entry
        });
        let doer = self.ledger[own].obligation;
        self.ledger[entry].asked_by = doer;
        if !self.ledger[own].beside.contains(&entry) {
            self.ledger[own].beside.push(entry);
            self.ledger.hold(entry);
        }
        entry
    }

    /// It is done, in the work of this obligation if nobody did it before.
    pub(super) fn keep_value(&mut self, entry: EntryId, doer: u64) {
        let of = &mut self.ledger[entry];
        if !std::mem::replace(&mut of.done, true) {
            of.done_by = doer;
            self.values_owed.retain(|owed| *owed != entry);
        }
    }

    /// A mark was written that ought to be there once for a value.
    pub(super) fn mark_value(&mut self, now: Nanos, own: EntryId, part: Part) {
        if part.is_of_value {
            let entry = self.value_in(now, own, part);
            self.ledger[entry].marked = true;
            let doer = self.ledger[own].obligation;
            self.keep_value(entry, doer);
        }
    }

    /// An attempt came to the step, whatever it did there. Says whether that was done before.
    pub(super) fn come_by_value(&mut self, attempt: u32, own: EntryId, part: Part) -> bool {
        if !part.is_of_value {
            return false;
        }
        // Of what follows an answer nobody knows the value before.
        self.ledger[own].debt.retain(|owed| owed.site != part.site || owed.is_of_value);
        let known = self.ledger.find(self.name_of_value(part));
        let is_done = known.is_some_and(|entry| self.ledger[entry].done);
        if is_done && let Some(state) = self.attempts.get_mut(attempt).filter(|state| !state.exposed) {
            state.exposed = true;
            self.expose(Anomaly::DuplicateEffects);
        }
        is_done
    }

    /// An attempt was cut before it came to the step.
    pub(super) fn owe_for_value(&mut self, now: Nanos, own: EntryId, at: Pc, part: Part) {
        if !part.is_of_value {
            return;
        }
        let entry = self.value_in(now, own, part);
        let of = &mut self.ledger[entry];
        if of.done {
            return;
        }
        of.cut_at = at;
        if !self.values_owed.contains(&entry) {
            self.values_owed.push(entry);
        }
        if !of.debt.contains(&part) {
            of.debt.push(part);
        }
        self.expose(Anomaly::LostEffects);
    }

    /// An obligation has ended: what it left undone for values ends as it did, unless somebody else can still do it.
    pub(super) fn leave_values(&mut self, now: Nanos, own: EntryId) {
        let mut beside = std::mem::take(&mut self.ledger[own].beside);
        let (fate, told) = (self.ledger[own].fate, self.ledger[own].told);
        let is_excused = self.ledger[own].excused;
        for entry in beside.drain(..) {
            let of = &mut self.ledger[entry];
            if !of.done {
                (of.fate, of.told, of.excused) = (fate, told, is_excused);
            }
            self.ledger.release(entry, now);
        }
        self.ledger[own].beside = beside;
    }

    /// Whether something is there for a value that was done in the work of this obligation.
    pub(super) fn has_done_for_a_value(&self, of: &Entry) -> bool {
        let mut values = of.beside.iter().map(|entry| &self.ledger[*entry]);
        values.any(|value| value.done_by == of.obligation && value.has_left())
    }

    /// Whether something that was left undone in the work of an obligation may still be done by somebody.
    pub(super) fn has_value_owed(&self, obligation: u64) -> bool {
        self.values_owed.iter().any(|entry| self.ledger[*entry].asked_by == obligation)
    }

    fn name_of_value(&self, part: Part) -> u64 {
        mix(self.model.site_keys[part.site.index()], part.item)
    }
}
