//! What is known of isolation, in canonical words: attempts are called by the order in which they began.

use super::Isolation;
use crate::kernel::encoder::Encoder;
use crate::observe::facts;

impl Isolation<'_> {
    /// What it knows now, but not how often it has found what.
    pub fn encode(&self, encoder: &mut Encoder) {
        let ranks = self.graph.ranks();
        self.graph.encode(encoder, &ranks);
        self.rows.encode(encoder, &self.graph, &ranks);
        encoder.set(self.attempts.iter(), |encoder, (slot, attempt)| {
            encoder.attempt(slot);
            encoder.word(ranks.rank(attempt.number));
            attempt.encode(encoder);
        });
        encoder.set(&self.touched, |encoder, (attempt, rows)| {
            encoder.word(ranks.rank(*attempt));
            encoder.set(rows, |encoder, row| facts::row(encoder, *row));
        });
        self.copies.iter().for_each(|copies| copies.encode(encoder));
        for finding in [&self.lost_updates, &self.stale_premises] {
            facts::finding(encoder, finding);
        }
        encoder.flag(self.conflict_cycles.exposures > 0);
    }
}
