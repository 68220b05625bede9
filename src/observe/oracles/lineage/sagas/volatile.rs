//! Sagas whose store forgets: what was done for them is not there, and they have not come so far.

use super::super::Lineage;
use super::super::ledger::EntryId;
use super::Net;
use crate::world::deed::{Part, RowName};

impl Lineage<'_> {
    /// A store has forgotten how far a saga had come.
    pub(in crate::observe::oracles::lineage) fn saga_returned(&mut self, saga: u32) {
        let Some(sagas) = &mut self.sagas else { return };
        if let Some(&record) = sagas.led.get(&saga)
            && let Some(record) = &mut sagas.records[record as usize]
        {
            record.ended = None;
        }
    }

    /// A store has forgotten what was done for a saga, or what took that back.
    pub(in crate::observe::oracles::lineage) fn forgotten_of_saga(
        &mut self,
        entry: EntryId,
        part: Part,
        row: RowName,
    ) {
        let Some(sagas) = &mut self.sagas else { return };
        let Some(record) = sagas.records.get_mut(self.ledger[entry].saga as usize).and_then(Option::as_mut)
        else {
            return;
        };
        let undone = &sagas.model.undoes[part.site.index()];
        let is_it = |effect: &&mut Net| effect.site == part.site && effect.row == row && effect.net > 0;
        if let Some(effect) = record.effects.iter_mut().find(is_it) {
            effect.net -= 1;
        }
        let was_undone = |effect: &&mut Net| undone.contains(&effect.site) && effect.row == row;
        record.effects.iter_mut().filter(was_undone).for_each(|effect| effect.net += 1);
    }
}
