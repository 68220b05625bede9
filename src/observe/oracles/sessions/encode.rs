//! What is known of sessions, in canonical words. Instants are ranked: a read is held against what was told and
//! seen before it began. How stale reads are is measured, and no part of it.

use super::super::copies::encode_row_at;
use super::session::SessionName;
use super::{Attempt, ClientSessions, Expected, Found, Guarantee, Look, Miss, Place, Sessions};
use crate::kernel::encoder::{Encoder, Ranks};
use crate::observe::facts;

impl Sessions<'_> {
    /// What it knows now.
    pub fn encode(&self, encoder: &mut Encoder) {
        let Self {
            model: _,
            copies,
            recent: _,
            clients,
            staleness: _,
            sessions,
            attempts,
            calls,
            missing,
            swept: _,
        } = self;
        copies.encode(encoder);
        let asked = attempts.iter().flat_map(|(_, of)| of.asked.iter().map(|(_, at)| *at));
        let looked = attempts.iter().flat_map(|(_, of)| of.looks.iter().map(|look| look.at));
        let known = sessions.values().flat_map(|session| session.instants());
        let ranks = Ranks::of(asked.chain(looked).chain(known));
        encoder.set(sessions, |encoder, (name, session)| {
            encode_name(encoder, *name);
            session.encode(encoder, &ranks);
        });
        encoder.set(attempts.iter(), |encoder, (slot, of)| {
            encoder.attempt(slot);
            encode_attempt(encoder, of, &ranks);
        });
        encoder.set(calls.iter(), |encoder, (slot, call)| {
            encoder.message(slot);
            encoder.list(call, |encoder, (name, call)| {
                encode_name(encoder, *name);
                encoder.word(*call);
            });
        });
        encoder.set(missing, |encoder, (row, misses)| {
            facts::row(encoder, *row);
            encoder.set(misses, encode_miss);
        });
        encoder.list(clients, |encoder, ClientSessions { client: _, read_your_writes, monotonic_reads }| {
            facts::finding(encoder, read_your_writes);
            facts::finding(encoder, monotonic_reads);
        });
    }
}

fn encode_name(encoder: &mut Encoder, SessionName { client, number }: SessionName) {
    encoder.word(u64::from(client.0));
    encoder.word(number);
}

fn encode_attempt(encoder: &mut Encoder, of: &Attempt, ranks: &Ranks) {
    // Since when it is alive counts for staleness.
    let Attempt { alive: _, obligation, session, call, asked, awaited, looks } = of;
    encoder.word(*obligation);
    encoder.list(session, |encoder, name| encode_name(encoder, *name));
    encoder.option(*call);
    encoder.list(asked.iter(), |encoder, (place, at)| {
        encode_place(encoder, *place);
        encoder.word(ranks.rank(*at));
    });
    encoder.set(awaited, |encoder, place| encode_place(encoder, *place));
    encoder.list(looks, |encoder, Look { place, at, row, expected, sees }| {
        encode_place(encoder, *place);
        encoder.word(ranks.rank(*at));
        facts::row(encoder, *row);
        encoder.list(expected, encode_expected);
        encoder.list(sees, |encoder, seen| encode_row_at(encoder, *seen));
    });
}

fn encode_place(encoder: &mut Encoder, (pc, item): Place) {
    encoder.word(u64::from(pc));
    encoder.word(item);
}

fn encode_expected(encoder: &mut Encoder, Expected { guarantee, of, found }: &Expected) {
    encode_row_at(encoder, *of);
    encoder.flag(*guarantee == Guarantee::ReadYourWrites);
    encoder.word(match found {
        Found::It => 0,
        Found::Older => 1,
        Found::Nothing => 2,
    });
}

/// When and by whom it was looked for is evidence.
fn encode_miss(encoder: &mut Encoder, Miss { of, guarantee, client, at: _, obligation: _ }: &Miss) {
    encode_row_at(encoder, *of);
    encoder.flag(*guarantee == Guarantee::ReadYourWrites);
    encoder.word(u64::from(client.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::encoder::each_shows;
    use crate::kernel::ids::{ClientId, TableId};
    use crate::world::deed::RowName;

    const ROW: RowName = RowName { table: TableId(1), key: 2, instance: 3 };
    const EXPECTED: Expected =
        Expected { guarantee: Guarantee::ReadYourWrites, of: (ROW, 4), found: Found::It };

    fn name(client: u32, number: u64) -> Option<SessionName> {
        Some(SessionName { client: ClientId(client), number })
    }

    #[test]
    fn what_an_attempt_has_seen_shows() {
        each_shows(
            &Attempt::default(),
            |of, encoder| encode_attempt(encoder, of, &Ranks::of([3, 5])),
            &[
                |of| of.obligation = 9,
                |of| of.session = name(0, 0),
                |of| of.session = name(1, 0),
                |of| of.session = name(0, 1),
                |of| of.call = Some(9),
                |of| of.asked.insert((0, 0), 3),
                |of| of.asked.insert((1, 0), 3),
                |of| of.asked.insert((0, 1), 3),
                |of| of.asked.insert((0, 0), 5),
                |of| of.awaited.push((0, 0)),
                |of| of.awaited.push((1, 0)),
            ],
        );
        let mut of = Attempt::default();
        of.looks.push(Look {
            place: (0, 0),
            at: 3,
            row: ROW,
            expected: vec![EXPECTED],
            sees: vec![(ROW, 5)],
        });
        each_shows(
            &of,
            |of, encoder| encode_attempt(encoder, of, &Ranks::of([3, 5])),
            &[
                |of| of.looks.clear(),
                |of| of.looks[0].place.0 = 9,
                |of| of.looks[0].at = 5,
                |of| of.looks[0].row.key = 9,
                |of| of.looks[0].expected.clear(),
                |of| of.looks[0].expected[0].of.0.key = 9,
                |of| of.looks[0].expected[0].of.1 = 9,
                |of| of.looks[0].expected[0].guarantee = Guarantee::MonotonicReads,
                |of| of.looks[0].expected[0].found = Found::Older,
                |of| of.looks[0].expected[0].found = Found::Nothing,
                |of| of.looks[0].sees[0].1 = 9,
            ],
        );
    }

    #[test]
    fn what_was_missing_shows_but_not_when() {
        let (guarantee, client) = (Guarantee::ReadYourWrites, ClientId(0));
        let miss = Miss { of: (ROW, 4), guarantee, client, at: 0, obligation: 0 };
        each_shows(
            &miss,
            |of, encoder| encode_miss(encoder, of),
            &[
                |of| of.of.0.key = 9,
                |of| of.of.1 = 9,
                |of| of.guarantee = Guarantee::MonotonicReads,
                |of| of.client = ClientId(1),
            ],
        );
        let words = |of: &Miss| {
            let mut encoder = Encoder::default();
            encode_miss(&mut encoder, of);
            encoder.into_words()
        };
        assert_eq!(words(&miss), words(&Miss { at: 7, ..miss }));
    }
}
