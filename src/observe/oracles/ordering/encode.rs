//! What the oracle of order knows, in canonical words. Sequence numbers count by their order alone.

use super::keys::{Place, Producer};
use super::rows::Touch;
use super::{Attempt, OrderOracle, Wrote};
use crate::kernel::encoder::{Encoder, Ranks};
use crate::observe::facts;

impl OrderOracle<'_> {
    /// What it knows now. How far from order things came is measured, and no part of it.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self {
            model: _,
            writes: _,
            lanes: _,
            keys,
            rows,
            meters: _,
            attempts,
            // They are room.
            wrote: _,
            touches: _,
            touched: _,
            ended: _,
            arrived,
            applied,
            regressed,
            illegal,
        } = self;
        let ranks = Ranks::of(keys.sequences().chain(rows.sequences()));
        keys.encode(encoder, &ranks);
        rows.encode(encoder, &ranks, |encoder, domain| keys.encode_name(encoder, domain));
        encoder.set(attempts.iter(), |encoder, (slot, of)| {
            encoder.attempt(slot);
            of.encode(encoder, |entry| keys.obligation_of(entry));
        });
        for finding in [arrived, applied, regressed, illegal] {
            facts::finding(encoder, finding);
        }
    }
}

impl Attempt {
    /// What it serves, and what of it is not committed yet; a message in order is called by its obligation.
    fn encode(&self, encoder: &mut Encoder, obligation_of: impl Fn(u32) -> u64) {
        let Self { producer, message, serves, wrote, touches, reads } = self;
        encoder.list(producer, |encoder, producer| encode_producer(encoder, *producer));
        // The key follows from the message.
        encoder.list(serves, |encoder, (Place { entry, domain: _ }, lane, group)| {
            encoder.word(obligation_of(*entry));
            encoder.word(u64::from(lane.0) << 32 | u64::from(group.0));
        });
        encoder.list(message, |encoder, message| encoder.message(*message));
        encoder.list(wrote, |encoder, Wrote { row, step }| {
            facts::row(encoder, *row);
            encoder.word(u64::from(*step));
        });
        encoder.set(touches, |encoder, (row, column, touch)| {
            facts::row(encoder, *row);
            encoder.word(u64::from(*column));
            encoder.word(match touch {
                Touch::Set => 0,
                Touch::Added => 1,
                Touch::Confirmed => 2,
            });
        });
        encoder.set(reads, |encoder, (slot, row, version)| {
            encoder.word(u64::from(*slot));
            facts::row(encoder, *row);
            encoder.word(*version);
        });
    }
}

pub fn encode_producer(encoder: &mut Encoder, producer: Producer) {
    encoder.word(match producer {
        Producer::Service(service) => 1 | u64::from(service.0) << 8,
        Producer::Client(client) => 2 | u64::from(client.0) << 8,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::{Names, each_shows};
    use crate::kernel::ids::*;
    use crate::observe::oracles::ordering::lanes::Lane;
    use crate::world::deed::RowName;

    const ROW: RowName = RowName { table: TableId(1), key: 2, instance: 3 };
    const OTHER: RowName = RowName { key: 9, ..ROW };

    fn serves(entry: u32, lane: u32, group: u32) -> Option<(Place, Lane, GroupId)> {
        Some((Place { entry, domain: 0 }, Lane(lane), GroupId(group)))
    }

    #[test]
    fn what_an_attempt_serves_and_has_not_committed_shows() {
        each_shows(
            &Attempt::default(),
            |of, encoder| {
                let names = Names { messages: vec![11, 12], ..Names::default() };
                let mut named = Encoder::with_names(names);
                of.encode(&mut named, u64::from);
                named.into_words().into_iter().for_each(|word| encoder.word(word));
            },
            &[
                |of| of.producer = Some(Producer::Service(ServiceId(0))),
                |of| of.producer = Some(Producer::Service(ServiceId(1))),
                |of| of.producer = Some(Producer::Client(ClientId(0))),
                |of| of.message = Some(0),
                |of| of.message = Some(1),
                |of| of.serves = serves(0, 0, 0),
                |of| of.serves = serves(1, 0, 0),
                |of| of.serves = serves(0, 1, 0),
                |of| of.serves = serves(0, 0, 1),
                |of| of.wrote.push(Wrote { row: ROW, step: 0 }),
                |of| of.wrote.push(Wrote { row: OTHER, step: 0 }),
                |of| of.wrote.push(Wrote { row: ROW, step: 1 }),
                |of| of.touches.push((ROW, 0, Touch::Set)),
                |of| of.touches.push((OTHER, 0, Touch::Set)),
                |of| of.touches.push((ROW, 1, Touch::Set)),
                |of| of.touches.push((ROW, 0, Touch::Added)),
                |of| of.touches.push((ROW, 0, Touch::Confirmed)),
                |of| of.reads.push((0, ROW, 0)),
                |of| of.reads.push((1, ROW, 0)),
                |of| of.reads.push((0, OTHER, 0)),
                |of| of.reads.push((0, ROW, 1)),
            ],
        );
    }
}
