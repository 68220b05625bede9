//! Commits that are not durable yet: a store that crashes forgets them, and what they were is owed again.
//!
//! An unflushed commit is a carrier of its obligation, whose end is not known before. Messages that were issued beside
//! what is forgotten tell of what never was, if nobody does it again.

use super::Lineage;
use super::ledger::{EntryId, Kind};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::encoder::Encoder;
use crate::kernel::time::Nanos;
use crate::model::{Model, NONE, Store};
use crate::observe::facts;
use crate::world::deed::{Part, RowName};

/// Effects in stores that flush now and then, or that a copy may take the place of.
#[derive(Clone, Debug, Default)]
pub struct Volatile {
    /// By table: the store, if it could lose what it has committed.
    stores: Vec<Option<u32>>,
    /// By store: whether it does so by failing over.
    succeeded: Vec<bool>,
    effects: Vec<Effect>,
}

#[derive(Clone, Copy, Debug)]
struct Effect {
    store: u32,
    row: RowName,
    version: u64,
    entry: EntryId,
    part: Part,
}

impl Volatile {
    pub fn new(model: &Model) -> Self {
        let mut stores = vec![None; model.tables.len()];
        let volatile = |store: &Store| store.flush.is_some() || store.is_succeeded;
        for (number, store) in model.stores.iter().enumerate().filter(|(_, store)| volatile(store)) {
            store.tables.iter().for_each(|table| stores[table.index()] = Some(number as u32));
        }
        let succeeded = model.stores.iter().map(|store| store.is_succeeded).collect();
        Self { stores, succeeded, effects: Vec::new() }
    }

    /// What a crash of its store would take back; entries are called by their obligations.
    pub fn encode(&self, encoder: &mut Encoder, obligation: impl Fn(EntryId) -> u64) {
        // Which store it is follows from the row.
        let Self { stores: _, succeeded: _, effects } = self;
        encoder.set(effects, |encoder, Effect { store: _, row, version, entry, part }| {
            facts::row(encoder, *row);
            encoder.word(*version);
            encoder.word(obligation(*entry));
            facts::part(encoder, *part);
        });
    }
}

impl Lineage<'_> {
    /// An effect was committed by the version of a row.
    pub(super) fn note_volatile(&mut self, entry: EntryId, part: Part, row: RowName, version: u64) {
        let Some(store) = self.volatile.stores[row.table.index()] else { return };
        self.ledger.hold(entry);
        self.volatile.effects.push(Effect { store, row, version, entry, part });
    }

    /// A store has made everything durable.
    pub(super) fn flushed(&mut self, now: Nanos, store: u32) {
        if !self.volatile.succeeded[store as usize] {
            self.let_go_of(now, |effect| effect.store == store);
        }
    }

    /// A copy has a version of a row that would have been lost before if another had taken over.
    pub(super) fn durable(&mut self, now: Nanos, row: RowName, version: u64) {
        self.let_go_of(now, |effect| effect.row == row && effect.version == version);
    }

    /// A commit is gone with its store: its effects are not there, and owed again.
    pub(super) fn forgotten(&mut self, now: Nanos, row: RowName, version: u64) {
        let is_gone = |effect: &Effect| effect.row == row && effect.version == version;
        for gone in self.volatile.effects.iter().filter(|effect| is_gone(effect)).copied().collect::<Vec<_>>()
        {
            let of = &mut self.ledger[gone.entry];
            if let Some(effect) = of.effects.iter_mut().find(|effect| effect.part == gone.part) {
                effect.net -= 1;
            }
            (of.done, of.forgotten) = (false, true);
            if !of.debt.contains(&gone.part) {
                of.debt.push(gone.part);
            }
            self.forgotten_of_saga(gone.entry, gone.part, row);
            self.expose(Anomaly::LostEffects);
            self.expose(Anomaly::AcknowledgedLoss);
            // What has told others of it tells of what never was, unless it is done again.
            self.orphan_messages(gone.entry);
        }
        self.let_go_of(now, is_gone);
    }

    /// What was issued for an entry was issued beside changes that are gone, for all that is known by now.
    fn orphan_messages(&mut self, entry: EntryId) {
        let rows_committed = self.ledger[entry].rows_committed;
        let mut child = self.ledger[entry].first_child;
        while child != NONE {
            let of = &mut self.ledger[child];
            child = of.next_sibling;
            if matches!(of.kind, Kind::Message { .. } | Kind::Send) {
                of.orphaned = Some(rows_committed);
                self.expose(Anomaly::PhantomEffects);
            }
        }
    }

    fn let_go_of(&mut self, now: Nanos, is_over: impl Fn(&Effect) -> bool) {
        let all = std::mem::take(&mut self.volatile.effects);
        let (over, left): (Vec<Effect>, Vec<Effect>) = all.into_iter().partition(is_over);
        self.volatile.effects = left;
        for effect in over {
            self.ledger.release(effect.entry, now);
        }
        self.settle_released(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::{SiteId, TableId};

    #[test]
    fn whatever_a_crash_would_take_back_shows() {
        let row = RowName { table: TableId(1), key: 2, instance: 3 };
        let effect = Effect { store: 0, row, version: 4, entry: 5, part: Part::new(SiteId(6), 7) };
        each_shows(
            &Volatile { effects: vec![effect], ..Volatile::default() },
            |of, encoder| of.encode(encoder, u64::from),
            &[
                |of| of.effects.clear(),
                |of| of.effects[0].row.key = 9,
                |of| of.effects[0].version = 9,
                |of| of.effects[0].entry = 9,
                |of| of.effects[0].part.item = 9,
            ],
        );
    }
}
