//! What the oracle of order knows, in canonical words. Sequence numbers count by their order alone.

use super::OrderOracle;
use super::keys::{Place, Producer};
use super::rows::Touch;
use crate::kernel::encoder::{Encoder, Ranks};
use crate::observe::facts;

impl OrderOracle<'_> {
    /// What it knows now. How far from order things came is measured, and no part of it.
    pub fn encode(&self, encoder: &mut Encoder) {
        let ranks = Ranks::of(self.keys.sequences().chain(self.rows.sequences()));
        self.keys.encode(encoder, &ranks);
        self.rows.encode(encoder, &ranks, |encoder, domain| self.keys.encode_name(encoder, domain));
        encoder.set(self.attempts.iter(), |encoder, (slot, of)| {
            encoder.attempt(slot);
            encoder.flag(of.producer.is_some());
            of.producer.into_iter().for_each(|producer| encode_producer(encoder, producer));
            encoder.option(of.serves.map(|(Place { entry, .. }, ..)| self.keys.obligation_of(entry)));
            encoder.option(of.serves.map(|(_, lane, group)| u64::from(lane.0) << 32 | u64::from(group.0)));
            encoder.flag(of.message.is_some());
            of.message.into_iter().for_each(|message| encoder.message(message));
            encoder.list(&of.wrote, |encoder, wrote| {
                facts::row(encoder, wrote.row);
                encoder.word(u64::from(wrote.step));
            });
            encoder.set(&of.touches, |encoder, (row, column, touch)| {
                facts::row(encoder, *row);
                encoder.word(u64::from(*column));
                encoder.flag(*touch == Touch::Added);
            });
            encoder.set(&of.reads, |encoder, (slot, row, version)| {
                encoder.word(u64::from(*slot));
                facts::row(encoder, *row);
                encoder.word(*version);
            });
        });
        for finding in [&self.arrived, &self.applied, &self.regressed, &self.illegal] {
            facts::finding(encoder, finding);
        }
        encoder.flag(self.keys.together > 0);
    }
}

pub fn encode_producer(encoder: &mut Encoder, producer: Producer) {
    encoder.word(match producer {
        Producer::Service(service) => 1 | u64::from(service.0) << 8,
        Producer::Client(client) => 2 | u64::from(client.0) << 8,
    });
}
