//! What is known of sessions, in canonical words. Instants are ranked: a read is held against what was told and
//! seen before it began. How stale reads are is measured, and no part of it.

use super::session::SessionName;
use super::{Attempt, Expected, Found, Guarantee, Miss, Sessions};
use crate::kernel::encoder::{Encoder, Ranks};
use crate::observe::facts;

impl Sessions<'_> {
    /// What it knows now.
    pub fn encode(&self, encoder: &mut Encoder) {
        self.copies.encode(encoder);
        let asked = self.attempts.iter().flat_map(|(_, of)| of.asked.iter().map(|(_, at)| *at));
        let looked = self.attempts.iter().flat_map(|(_, of)| of.looks.iter().map(|look| look.at));
        let known = self.sessions.values().flat_map(|session| session.instants());
        let ranks = Ranks::of(asked.chain(looked).chain(known));
        encoder.set(&self.sessions, |encoder, (name, session)| {
            encode_name(encoder, *name);
            session.encode(encoder, &ranks);
        });
        encoder.set(self.attempts.iter(), |encoder, (slot, of)| {
            encoder.attempt(slot);
            encode_attempt(encoder, of, &ranks);
        });
        encoder.set(self.calls.iter(), |encoder, (slot, call)| {
            encoder.message(slot);
            encoder.option(call.map(|(_, call)| call));
            call.iter().for_each(|(name, _)| encode_name(encoder, *name));
        });
        encoder.set(&self.missing, |encoder, (row, misses)| {
            facts::row(encoder, *row);
            encoder.set(misses, encode_miss);
        });
        encoder.list(&self.clients, |encoder, client| {
            facts::finding(encoder, &client.read_your_writes);
            facts::finding(encoder, &client.monotonic_reads);
        });
    }
}

fn encode_name(encoder: &mut Encoder, name: SessionName) {
    encoder.word(u64::from(name.client.0));
    encoder.word(name.number);
}

fn encode_attempt(encoder: &mut Encoder, of: &Attempt, ranks: &Ranks) {
    encoder.word(of.obligation);
    encoder.flag(of.session.is_some());
    of.session.into_iter().for_each(|name| encode_name(encoder, name));
    encoder.option(of.call);
    encoder.list(of.asked.iter(), |encoder, ((pc, item), at)| {
        encoder.word(u64::from(*pc));
        encoder.word(*item);
        encoder.word(ranks.rank(*at));
    });
    encoder.set(&of.awaited, |encoder, (pc, item)| {
        encoder.word(u64::from(*pc));
        encoder.word(*item);
    });
    encoder.list(&of.looks, |encoder, look| {
        encoder.word(u64::from(look.place.0));
        encoder.word(look.place.1);
        encoder.word(ranks.rank(look.at));
        facts::row(encoder, look.row);
        encoder.list(&look.expected, encode_expected);
        encoder.list(&look.sees, |encoder, (row, version)| {
            facts::row(encoder, *row);
            encoder.word(*version);
        });
    });
}

fn encode_expected(encoder: &mut Encoder, expected: &Expected) {
    let (row, version) = expected.of;
    facts::row(encoder, row);
    encoder.word(version);
    encoder.flag(expected.guarantee == Guarantee::ReadYourWrites);
    encoder.word(match expected.found {
        Found::It => 0,
        Found::Older => 1,
        Found::Nothing => 2,
    });
}

fn encode_miss(encoder: &mut Encoder, miss: &Miss) {
    let (row, version) = miss.of;
    facts::row(encoder, row);
    encoder.word(version);
    encoder.flag(miss.guarantee == Guarantee::ReadYourWrites);
    encoder.word(u64::from(miss.client.0));
}
