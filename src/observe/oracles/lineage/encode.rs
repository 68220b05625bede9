//! What lineage knows, in canonical words.
//!
//! Entries are called by their obligations. When something happened counts only beside when something else did, and is
//! not evidence: instants are ranked.

use super::Lineage;
use crate::kernel::encoder::{Encoder, Ranks};
use crate::observe::facts;

impl Lineage<'_> {
    /// What it knows now. What it has counted is no part of it, nor when.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self {
            ledger,
            attempts,
            messages,
            timers,
            ticks,
            findings,
            undoables,
            volatile,
            clocked,
            sagas,
            // They follow from the scenario.
            model: _,
            uses: _,
            reach: _,
            changes_follow: _,
            // They are counted and dated.
            sum: _,
            dated: _,
            drain_began: _,
            last_settled: _,
            // They are for who looks on.
            values_owed: _,
            watch: _,
            sightings: _,
            // They are room.
            parts: _,
            to_come: _,
            over: _,
        } = self;
        let issued = ledger.all().map(|entry| entry.issued_at);
        let ranks = Ranks::of(issued.chain(undoables.instants()).chain(clocked.instants()));
        encoder.set(ledger.all(), |encoder, entry| {
            ledger.encode(encoder, entry);
            entry.encode(encoder);
            self.obligations(encoder, &entry.beside);
            sagas.iter().for_each(|sagas| sagas.encode_part(encoder, entry));
            encoder.word(ranks.rank(entry.issued_at));
        });
        encoder.set(attempts.iter(), |encoder, (slot, attempt)| {
            encoder.attempt(slot);
            let timer = |slot| timers.get(slot).map(|entry| ledger[*entry].obligation);
            attempt.encode(encoder, |entry| ledger[entry].obligation, timer);
        });
        encoder.set(messages.iter(), |encoder, (slot, message)| {
            encoder.message(slot);
            message.encode(encoder, |entry| ledger[entry].obligation);
        });
        encoder.set(timers.iter(), |encoder, (slot, entry)| {
            encoder.timer(slot);
            encoder.word(ledger[*entry].obligation);
        });
        encoder.list(ticks, |encoder, ticks| {
            encoder.list(ticks, |encoder, (obligation, _)| encoder.word(*obligation));
        });
        undoables.encode(encoder, &ranks);
        clocked.encode(encoder, &ranks);
        volatile.encode(encoder, |entry| ledger[entry].obligation);
        sagas.iter().for_each(|sagas| sagas.encode(encoder));
        encoder.list(findings, facts::finding);
    }

    fn obligations(&self, encoder: &mut Encoder, entries: &[u32]) {
        encoder.set(entries, |encoder, entry| encoder.word(self.ledger[*entry].obligation));
    }
}
