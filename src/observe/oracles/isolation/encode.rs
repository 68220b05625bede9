//! What is known of isolation, in canonical words: attempts are called by the order in which they began.

use super::Isolation;
use crate::kernel::encoder::Encoder;
use crate::observe::facts;

impl Isolation<'_> {
    /// What it knows now, but not how often it has found what.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self {
            model: _,
            flows: _,
            keys: _,
            copies,
            attempts,
            rows,
            touched,
            spare: _,
            graph,
            lost_updates,
            stale_premises,
            conflict_cycles,
        } = self;
        let ranks = graph.ranks();
        graph.encode(encoder, &ranks);
        rows.encode(encoder, graph, &ranks);
        encoder.set(attempts.iter(), |encoder, (slot, attempt)| {
            encoder.attempt(slot);
            encoder.word(ranks.rank(attempt.number));
            attempt.encode(encoder);
        });
        encoder.set(touched, |encoder, (attempt, rows)| {
            encoder.word(ranks.rank(*attempt));
            encoder.set(rows, |encoder, row| facts::row(encoder, *row));
        });
        copies.iter().for_each(|copies| copies.encode(encoder));
        for finding in [lost_updates, stale_premises, conflict_cycles] {
            facts::finding(encoder, finding);
        }
    }
}
