//! What an entry says, in canonical words.

use super::{Effect, Entry, Kind, Ledger};
use crate::kernel::encoder::Encoder;
use crate::observe::facts;

impl Ledger {
    /// Who an entry is, and what holds it.
    pub fn encode(&self, encoder: &mut Encoder, entry: &Entry) {
        encoder.word(entry.obligation);
        let parent = self.entries.get(entry.parent as usize);
        encoder.option(parent.map(|parent| parent.obligation));
        // Whether its issuer has changed anything since it was left without the changes that it tells of.
        encoder.flag(parent.is_some_and(|parent| entry.orphaned == Some(parent.rows_committed)));
        encoder.word(u64::from(entry.holders));
    }
}

impl Entry {
    /// What has become of it. Who it is and whom it has to do with says the ledger.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self {
            root,
            kind,
            by_client,
            attempts,
            effects,
            marked,
            tables,
            debt,
            cut_at,
            done,
            mixed,
            swallowed,
            told,
            excused,
            fate,
            issued,
            accepted,
            sent_in_vain,
            content,
            diverged,
            provisional,
            forgotten,
            acted_on,
            phantom,
            done_by,
            // Who it is, by name, and what holds it.
            obligation: _,
            parent: _,
            holders: _,
            orphaned: _,
            rows_committed: _,
            beside: _,
            saga: _,
            saga_step: _,
            issued_at: _,
            // How it is found.
            first_child: _,
            last_child: _,
            next_sibling: _,
            children: _,
            is_in_use: _,
            is_named: _,
            // They are for sightings.
            last_carrier_died: _,
            asked_by: _,
        } = self;
        match kind {
            Kind::Root => encoder.word(1),
            Kind::Call => encoder.word(2),
            Kind::Send => encoder.word(3),
            Kind::Message { topic } => encoder.word(4 | u64::from(topic.0) << 8),
            Kind::Share { group } => encoder.word(5 | u64::from(group.0) << 8),
            Kind::Timer => encoder.word(6),
            Kind::Once { site } => encoder.word(7 | u64::from(site.0) << 8),
        }
        encoder.word(*root);
        encoder.word(u64::from(*attempts));
        encoder.word(u64::from(*cut_at));
        encoder.word(*fate as u64);
        encoder.word(*content);
        encoder.word(u64::from(*provisional));
        encoder.option(told.map(|outcome| u64::from(outcome.code())));
        encoder.flags(&[
            *by_client,
            *marked,
            *done,
            *mixed,
            *swallowed,
            *excused,
            *issued > 0,
            *accepted > 0,
            *sent_in_vain,
            *diverged,
            *forgotten,
            *acted_on,
            *phantom,
        ]);
        encoder.set(effects, |encoder, Effect { part, net, by, past }| {
            facts::part(encoder, *part);
            encoder.word(*net as u64);
            encoder.word(u64::from(*by));
            encoder.flag(*past);
        });
        encoder.set(debt, |encoder, part| facts::part(encoder, *part));
        encoder.set(tables, |encoder, table| encoder.word(u64::from(table.0)));
        encoder.word(*done_by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::{GroupId, SiteId, TableId, TopicId};
    use crate::observe::oracles::lineage::ledger::Fate;
    use crate::world::deed::Part;
    use crate::world::record::Outcome;

    #[test]
    fn whatever_became_of_an_obligation_shows() {
        let part = Part::new(SiteId(1), 2);
        let effect = Effect { part, net: 1, by: 1, past: false };
        each_shows(
            &Entry::default(),
            |entry, encoder| entry.encode(encoder),
            &[
                |of| of.kind = Kind::Call,
                |of| of.kind = Kind::Send,
                |of| of.kind = Kind::Message { topic: TopicId(0) },
                |of| of.kind = Kind::Message { topic: TopicId(1) },
                |of| of.kind = Kind::Share { group: GroupId(0) },
                |of| of.kind = Kind::Share { group: GroupId(1) },
                |of| of.kind = Kind::Timer,
                |of| of.kind = Kind::Once { site: SiteId(0) },
                |of| of.kind = Kind::Once { site: SiteId(1) },
                |of| of.root = 9,
                |of| of.attempts = 9,
                |of| of.cut_at = 9,
                |of| of.fate = Fate::Acknowledged,
                |of| of.fate = Fate::Destroyed,
                |of| of.content = 9,
                |of| of.provisional = 9,
                |of| of.told = Some(Outcome::Well),
                |of| of.told = Some(Outcome::Cut),
                |of| of.by_client = true,
                |of| of.marked = true,
                |of| of.done = true,
                |of| of.mixed = true,
                |of| of.swallowed = true,
                |of| of.excused = true,
                |of| of.issued = 1,
                |of| of.accepted = 1,
                |of| of.sent_in_vain = true,
                |of| of.diverged = true,
                |of| of.forgotten = true,
                |of| of.acted_on = true,
                |of| of.phantom = true,
                |of| of.done_by = 9,
                |of| of.debt.push(Part::new(SiteId(1), 2)),
                |of| of.tables.push(TableId(3)),
            ],
        );
        let mut of = Entry::default();
        of.effects.push(effect);
        each_shows(
            &of,
            |entry, encoder| entry.encode(encoder),
            &[
                |of| of.effects.clear(),
                |of| of.effects.push(of.effects[0]),
                |of| of.effects[0].part.site = SiteId(7),
                |of| of.effects[0].part.item = 7,
                |of| of.effects[0].part.is_of_value = true,
                |of| of.effects[0].net = 2,
                |of| of.effects[0].net = -1,
                |of| of.effects[0].by = 2,
                |of| of.effects[0].past = true,
            ],
        );
    }
}
