//! The keys with messages alive, in canonical words.

use super::super::encode::encode_producer;
use super::{Domain, Entry, Keys, Made, Slot, Stream};
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
        let Self { slots, entries, domains, by_obligation, by_name, sequence: _, together } = self;
        encoder.set(by_name.values(), |encoder, domain| {
            self.encode_name(encoder, *domain);
            // Who is alive and which rows are remembered follows from the messages; the rest is measured.
            let Domain { name: _, alive: _, topics: _, streams, rows: _, most_rows: _ } = &domains[*domain];
            encoder.set(streams, |encoder, (lane, stream)| {
                encoder.word(u64::from(lane.0));
                stream.encode(encoder, ranks, |entry| self.obligation_of(entry));
            });
        });
        encoder.set(by_obligation, |encoder, (obligation, entry)| {
            encoder.word(*obligation);
            entries[*entry].encode(encoder, ranks);
        });
        encoder.set(slots.iter(), |encoder, (slot, Slot { made, entry, issued })| {
            encoder.message(slot);
            encoder.list(made, encode_made);
            encoder.option(entry.map(|entry| self.obligation_of(entry)));
            encoder.set(issued, |encoder, entry| encoder.word(self.obligation_of(*entry)));
        });
        encoder.flag(*together > 0);
    }
}

impl Entry {
    fn encode(&self, encoder: &mut Encoder, ranks: &Ranks) {
        // Its key follows from who made it; its number and when it was placed are measured.
        let Self { made, domain: _, sequence, number: _, at: _, copies, issuers, lanes } = self;
        encode_made(encoder, made);
        encoder.word(ranks.rank(*sequence));
        encoder.word(u64::from(*copies) << 32 | u64::from(*issuers));
        encoder.set(lanes, |encoder, (lane, flags)| {
            encoder.word(u64::from(lane.0) << 8 | u64::from(*flags));
        });
    }
}

impl Stream {
    fn encode(&self, encoder: &mut Encoder, ranks: &Ranks, obligation_of: impl Fn(u32) -> u64) {
        let Self { under_way, lone, arrived, applied } = self;
        encoder.word(u64::from(*under_way));
        encoder.option(lone.map(obligation_of));
        for mention in [arrived, applied] {
            encoder.option(mention.map(|mention| ranks.rank(mention.sequence)));
        }
    }
}

fn encode_made(encoder: &mut Encoder, made: &Made) {
    // By whose handling it was made is told by the slot of that message.
    let Made { producer, key, obligation, topic, kind, parent: _, passes_on } = made;
    encode_producer(encoder, *producer);
    encoder.word(*key);
    encoder.word(*obligation);
    encoder.word(u64::from(topic.0) << 32 | u64::from(kind.0));
    encoder.flag(passes_on.is_some());
}

#[cfg(test)]
mod tests {
    use super::super::super::lanes::Lane;
    use super::super::super::rows::Mention;
    use super::super::Producer;
    use super::*;
    use crate::kernel::encoder::{Names, each_shows};
    use crate::kernel::ids::*;

    fn mention(sequence: u64) -> Option<Mention> {
        Some(Mention { sequence, obligation: 0, kind: MessageId(0), at: 0 })
    }

    #[test]
    fn whatever_is_known_of_a_message_in_order_shows() {
        each_shows(
            &Entry::default(),
            |of, encoder| of.encode(encoder, &Ranks::of([0, 5])),
            &[
                |of| of.made.producer = Producer::Service(ServiceId(9)),
                |of| of.made.key = 9,
                |of| of.made.obligation = 9,
                |of| of.made.topic = TopicId(9),
                |of| of.made.kind = MessageId(9),
                |of| of.made.passes_on = Some(9),
                |of| of.sequence = 5,
                |of| of.copies = 9,
                |of| of.issuers = 9,
                |of| of.lanes.push((Lane(0), 0)),
                |of| of.lanes.push((Lane(1), 0)),
                |of| of.lanes.push((Lane(0), 1)),
            ],
        );
    }

    #[test]
    fn whoever_holds_a_message_shows() {
        let mut of = Keys::default();
        let entry = of.entries.begin();
        of.slots.begin(0).entry = None;
        of.by_obligation.insert(7, entry);
        each_shows(
            &of,
            |of, encoder| {
                let names = Names { messages: vec![11, 12], ..Names::default() };
                let mut named = Encoder::with_names(names);
                of.encode(&mut named, &Ranks::of([0]));
                named.into_words().into_iter().for_each(|word| encoder.word(word));
            },
            &[
                |of| _ = of.slots.begin(1),
                |of| of.slots.begin(0).entry = Some(0),
                |of| of.slots.begin(0).issued.push(0),
                |of| of.slots.begin(0).made = Some(Entry::default().made),
                |of| _ = of.by_obligation.insert(8, 0),
                |of| of.together = 1,
            ],
        );
    }

    #[test]
    fn what_came_to_a_consumer_shows() {
        each_shows(
            &Stream::default(),
            |of, encoder| of.encode(encoder, &Ranks::of([3, 5]), u64::from),
            &[
                |of| of.under_way = 9,
                |of| of.lone = Some(8),
                |of| of.lone = Some(9),
                |of| of.arrived = mention(3),
                |of| of.arrived = mention(5),
                |of| of.applied = mention(3),
                |of| of.applied = mention(5),
            ],
        );
    }
}
