//! The keys with messages alive, in canonical words.

use super::super::encode::encode_producer;
use super::{Keys, Made, Stream};
use crate::kernel::encoder::{Encoder, Ranks};

impl Keys {
    /// All sequence numbers that are remembered.
    pub fn sequences(&self) -> impl Iterator<Item = u64> {
        let domains = self.by_name.values().map(|domain| &self.domains[*domain]);
        domains.flat_map(|domain| {
            let streams = domain.streams.iter().flat_map(|(_, stream)| [stream.arrived, stream.applied]);
            let mentioned = streams.flatten().map(|mention| mention.sequence);
            domain.alive.iter().copied().chain(mentioned)
        })
    }

    /// Whose key it is.
    pub fn encode_name(&self, encoder: &mut Encoder, domain: u32) {
        let Some((producer, key)) = self.domains[domain].name else { return };
        encode_producer(encoder, producer);
        encoder.word(key);
    }

    pub fn encode(&self, encoder: &mut Encoder, ranks: &Ranks) {
        encoder.set(self.by_name.values(), |encoder, domain| {
            self.encode_name(encoder, *domain);
            let of = &self.domains[*domain];
            encoder.set(&of.streams, |encoder, (lane, stream)| {
                encoder.word(u64::from(lane.0));
                self.encode_stream(encoder, stream, ranks);
            });
        });
        encoder.set(&self.by_obligation, |encoder, (obligation, entry)| {
            let of = &self.entries[*entry];
            encoder.word(*obligation);
            encode_made(encoder, &of.made);
            encoder.word(ranks.rank(of.sequence));
            encoder.word(u64::from(of.copies) << 32 | u64::from(of.issuers));
            encoder.set(&of.lanes, |encoder, (lane, flags)| {
                encoder.word(u64::from(lane.0) << 8 | u64::from(*flags));
            });
        });
        encoder.set(self.slots.iter(), |encoder, (slot, of)| {
            encoder.message(slot);
            encoder.flag(of.made.is_some());
            of.made.iter().for_each(|made| encode_made(encoder, made));
            encoder.option(of.entry.map(|entry| self.obligation_of(entry)));
            encoder.set(&of.issued, |encoder, entry| encoder.word(self.obligation_of(*entry)));
        });
    }

    fn encode_stream(&self, encoder: &mut Encoder, of: &Stream, ranks: &Ranks) {
        encoder.word(u64::from(of.under_way));
        encoder.option(of.lone.map(|entry| self.obligation_of(entry)));
        for mention in [of.arrived, of.applied] {
            encoder.option(mention.map(|mention| ranks.rank(mention.sequence)));
        }
    }
}

fn encode_made(encoder: &mut Encoder, made: &Made) {
    encode_producer(encoder, made.producer);
    encoder.word(made.key);
    encoder.word(made.obligation);
    encoder.word(u64::from(made.topic.0) << 32 | u64::from(made.kind.0));
    encoder.flag(made.passes_on.is_some());
}
